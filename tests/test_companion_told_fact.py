"""What she was told she says as it is stored; what nobody told her she does not make up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pytest
from companion_parts import NOW, ScriptedModel, make_companion
from hypothesis import given
from hypothesis import strategies as st

from ohlora.companion.answer import told_answer
from ohlora.companion.draft import Draft
from ohlora.companion.message_parts import asking_sentences
from ohlora.companion.told_fact import (
    asks_back,
    asks_for_days,
    asks_of_own,
    is_only_a_day,
    remembered_fact,
    told_fact,
    told_together,
    with_a_day,
)
from ohlora.llm.reply_format import MemoryOperation
from ohlora.rag import UNKNOWN_READING, Memory, Reading, Recalled, remember
from ohlora.rag.memory import clean_line
from ohlora.rag.relevance import CosineRelevance

FRIDAY = datetime(2026, 3, 6, 20, 0, tzinfo=UTC)
ASKS = Reading(0.0, 0.0, 0.0, 1.0, may_ask=True, surely_asks=True)


def memory(key: str, value: str, days: int = 4, expires: datetime | None = None) -> Memory:
    return Memory(1, "u", key, value, "ko", None, FRIDAY - timedelta(days), None, expires, None)


def recalled(*memories: Memory, sure: bool = True) -> list[Recalled]:
    return [Recalled(one, 0.9, sure=sure) for one in memories]


def answer(message: str, *memories: Memory, older: tuple[Memory, ...] = (), sure: bool = True) -> str:
    return told_fact(message, recalled(*memories, sure=sure), lambda one: older, FRIDAY)


def test_the_value_and_the_day_of_telling_are_said() -> None:
    for question in ("내 고양이 이름 뭐였지?", "우리 고양이 뭐라고 했게", "고양이 이름 기억나?"):
        said = answer(question, memory("고양이 이름", "두부"))
        assert "두부" in said and "월요일에" in said
    english = answer("what's my cat called?", memory("cat", "Tofu"))
    assert "Tofu" in english and "on Monday" in english


def test_who_asks_for_a_name_hears_no_day_beside_it() -> None:
    facts = (memory("sister", "Anjali"), memory("sister", "12 february"))
    said = answer("whats my sisters name, the one getting married", *facts)
    assert "Anjali" in said and "february" not in said
    assert "february" in answer("when does my sister get married?", *facts)


def test_what_she_does_not_know_she_says_so_and_claims_not_that_it_was_never_told() -> None:
    assert any(words in answer("내 발 사이즈 기억해?") for words in ("메모에 없", "안 떠올라", "모르고"))
    assert any(words in answer("what's my shoe size?") for words in ("isn't in", "can't find", "don't know"))


@pytest.mark.parametrize(
    ("days", "korean", "english"),
    [(0, "오늘", "today"), (1, "내일", "tomorrow"), (14, "2주", "2 weeks"),
     (6, "6일 남았어. 3월 12일 목요일", "6 days to go: Thursday 12 March")],
)  # fmt: skip
def test_days_until_a_plan_are_counted(days: int, korean: str, english: str) -> None:
    exam = memory("시험", "다음 주 목요일", expires=FRIDAY.replace(hour=23) + timedelta(days))
    assert korean in answer("시험까지 며칠 남았지?", exam)
    assert english in answer("how many days till the exam?", exam)


def test_a_question_about_days_is_about_what_names_a_day() -> None:
    exam, home = memory("시험", "목요일", expires=FRIDAY + timedelta(6)), memory("사는 곳", "부산")
    assert asks_for_days("시험 며칠 남음?") and asks_for_days("how many days until the exam")
    assert not asks_for_days("시험 때문에 못 자")
    assert [one.memory for one in with_a_day(recalled(home, exam), FRIDAY)] == [exam]
    assert with_a_day(recalled(home), FRIDAY) == []


def test_days_until_a_birthday_are_counted_to_the_next_one() -> None:
    assert "3월 19일" in answer("내 생일 며칠 남았게!!", memory("생일", "3월 19일"))
    assert "13일" in answer("내 생일 며칠 남았게!!", memory("생일", "3월 19일"))
    assert "days to go" in answer("how many days remain to my birthday", memory("birthday", "19 june"))


def test_a_relative_day_is_said_as_a_date() -> None:
    exam = memory("시험", "다음 주 목요일", expires=FRIDAY + timedelta(6))
    assert "3월 12일 목요일" in answer("나 시험 언제라고 했지?", exam)


@pytest.mark.parametrize(
    ("key", "value", "question", "day"),
    [("job", "started at Naver on February 9", "where do I work?", "Monday 9 February"),
     ("이사", "토요일에 이사했어", "나 언제 이사했지?", "2월 28일 토요일"),
     ("move", "moved to York on Friday", "my move?", "27 February")],
)  # fmt: skip
def test_a_day_that_is_past_is_told_as_past(key: str, value: str, question: str, day: str) -> None:
    said = answer(question, memory(key, value))
    assert value in said and day in said and "2027" not in said
    assert with_a_day(recalled(memory(key, value)), FRIDAY) == []


def test_what_stands_under_one_key_is_told_together() -> None:
    name, eggs, home = memory("딸", "하린"), memory("딸", "계란 알레르기"), memory("사는 곳", "전주")
    said = answer("우리 딸 이름 뭐게", name, home, eggs)
    assert "하린" in said and "계란 알레르기" in said and "전주" not in said
    english = answer("what do you know about my son?", memory("son", "Theo"), memory("son", "police academy"))
    assert "Theo" in english and "police academy" in english
    test, day = memory("시험", "토익"), memory("시험", "3월 12일", expires=FRIDAY + timedelta(6))
    assert "3월 12일 목요일" in answer("나 시험 언제라고 했지?", test, day)
    assert "토익" in answer("나 무슨 시험 본다고 했지?", test, day)


def test_a_quotation_ends_as_its_last_syllable_wants() -> None:
    for words, said in (
        ("개짜증", '"개짜증"이라고'),
        ("아싸", '"아싸"라고'),
        ("ok", '"ok"라고'),
        ("안함 ㅋㅋ", '"안함 ㅋㅋ"라고'),
    ):
        assert said in answer("뭐라고 했지", memory("한 말", words))


def test_a_date_is_said_with_its_weekday_and_not_twice() -> None:
    exam = memory("exam", "march 12th", expires=FRIDAY + timedelta(6))
    assert answer("when's my exam?", exam).startswith("march 12th, a Thursday! You told me")
    relative = memory("exam", "next thursday", expires=FRIDAY + timedelta(6))
    assert answer("when's my exam?", relative).startswith("Thursday 12 March!")
    assert answer("시험 언제랬지", memory("시험", "12일", expires=FRIDAY + timedelta(6))).startswith("3월 12일 목요일!")
    assert "the exam! Thursday 12 March" in remembered_fact("a long day", relative, FRIDAY, "en")
    assert is_only_a_day(relative) and not is_only_a_day(memory("exam", "IELTS"))
    assert not is_only_a_day(memory("age", "24")) and not is_only_a_day(memory("job", "marketing"))
    assert not is_only_a_day(memory("race", "marathon 12 April", expires=FRIDAY + timedelta(6)))


@pytest.mark.parametrize(
    ("message", "asks"),
    [("whats my fav anime", True), ("close enough. when am i taking the kids camping", True),
     ("where do i work again", True), ("what's my problem", False), ("what do i do?", False),
     ("which was my own fault", False), ("when is my life going to get better", False), ("where did i go wrong", False),
     ("had ramen, which is my favourite", False), ("he asked me where is my ring", False),
     ("when i get home i sleep", False), ("when my mum called i cried", False), ("what's your name", False)],
)  # fmt: skip
def test_who_asks_for_something_of_their_own_asks_for_what_was_told(message: str, asks: bool) -> None:
    assert asks_of_own(message) is asks


def test_a_name_is_given_to_who_asks_for_it(tmp_path) -> None:
    companion = make_companion(tmp_path, llm=ScriptedModel("happy 0.5\nHm.\nmemory: none"))
    companion.reader = SimpleNamespace(read=lambda message, before="": ASKS)
    companion.memory.add("tester", "name", "Dale")
    companion.memory.add("tester", "daughter", "Emma")
    companion.memory.add("tester", "pet", "Biscuit")
    assert "Dale" in companion.turn("Emma's my daughter. whats MY name").reply
    assert "Dale" not in companion.turn("whats my dogs name").reply
    assert "Dale" not in companion.turn("name a biscuit that i like").recalled


def test_a_date_does_not_answer_what_it_is_about(tmp_path) -> None:
    companion = make_companion(tmp_path, llm=ScriptedModel("happy 0.5\nHm.\nmemory: none"))
    companion.reader = SimpleNamespace(read=lambda message, before="": UNKNOWN_READING)
    companion.turn("my presentation is next wednesday, about jellyfish")
    (told,) = companion.messages.messages("tester")
    companion.memory.add("tester", "presentation", "next wednesday", source_turn=told.source_turn)
    companion.new_conversation()
    companion.reader = SimpleNamespace(read=lambda message, before="": ASKS)
    assert "jellyfish" in companion.turn("what is my presentation about, the presentation?").reply


def test_a_value_that_was_read_from_something_else_is_not_told_back(tmp_path) -> None:
    class Reads(CosineRelevance):
        def read(self, message: str, lines: list[str]) -> np.ndarray:
            return np.array([-5.0 if "feed Mochi" in line else 3.0 for line in lines], np.float32)

    companion = make_companion(tmp_path, llm=ScriptedModel("happy 0.5\nHm.\nmemory: none"))
    companion.messages.relevance = Reads(0.3)
    for message, key, value in (("I'll feed Mochi and go to bed", "job", "Mochi"), ("Rex", "dog", "Rex")):
        companion.turn(message)
        turn = companion.messages.messages("tester")[-1].source_turn
        companion.memory.add("tester", key, value, source_turn=turn)
    companion.new_conversation()
    companion.reader = SimpleNamespace(read=lambda message, before="": ASKS)
    assert "job: Mochi" not in companion.turn("do you know my job, the job?").recalled
    assert "dog: Rex" in companion.turn("do you know my dog, the dog?").recalled  # a mere answer is not doubted


@pytest.mark.parametrize(
    ("message", "asking"),
    [
        ("like what do i say. wait, where do i work rn? testing ur memory", "wait, where do i work rn?"),
        ("귀엽네 ㅋㅋ 나 무슨 일 하는지는 기억해? 오늘 그 일땜에 빡쳐서", "나 무슨 일 하는지는 기억해?"),
        ("무섭다야. 그럼 우리 큰애 결혼식 언젠지도 기억하냐", "그럼 우리 큰애 결혼식 언젠지도 기억하냐"),
        ("haha no. tess is me, biscuit is the beagle. what are my kids names", "what are my kids names"),
        ("i asked you for advice 😭 also whats the food i miss", "also whats the food i miss"),
        ("고마워요 ㅎㅎ 오늘도 힘들었는데.. 내가 무슨 일 하는지 기억하죠?", "내가 무슨 일 하는지 기억하죠?"),
        ("practising for the contest. when is it again", ""),
        ("my roommate saw. u remember his name?", ""),
        ("what a day. when i was small i did that too", ""),
        ("where do i work?", ""),
        ("우리 강아지 이름 맞혀 봐. 기억하고 있지?", ""),
        ("Tell me my sister's name. You know it, right?", ""),
        ("내 시험 언제인지 말해 줘. 이따 전화할게", ""),
        ("what a day. so tired", ""),
        ("huh? ok then", ""),
    ],
)
def test_the_sentences_that_ask_are_found_among_others(message: str, asking: str) -> None:
    assert asking_sentences(message) == asking


@pytest.mark.parametrize(
    ("message", "asks"),
    [("나 누구랑 사는지도 알아?", True), ("너 내 모의고사 언젠지 기억해?", True), ("난 이게 뭔지 알아", False),
     ("나 어디로 가야 할지 알아보는 중", False), ("내가 언제 죽을지 알아?", False),
     ("오늘 일한 말이 총 몇 마리랬지", True), ("수학 몇개 풀어야 된다 했지", True),
     ("돈모으면 엄마한테 뭐 사드린댔지", True), ("작년 수학 몇등급이었다고 했나", True), ("결혼식 어디서 한댔냐", True),
     ("지구 나이가 몇살이더라", False),
     ("내가 뭐랬어 비 온댔잖아", False), ("엄마가 왔다고 했어", False),
     ("어젠 왜 그랬지", False), ("what did i say", False), ("언제 한번 보자고 했지만 연락이 없어", False),
     ("오늘 교수님이 뭐라고 했냐면 나 A 준대", False)],
)  # fmt: skip
def test_reported_speech_asks_for_what_was_told(message: str, asks: bool) -> None:
    assert asks_back(message) is asks


def test_a_key_of_the_other_language_is_not_named() -> None:
    for question in ("where am I off to?", "which country was it", "so where do I go?", "my trip, where to?"):
        assert "여행" not in answer(question, memory("여행", "Canada"))
        assert "여행" not in answer(question, memory("여행", "Canada"), memory("여행", "Toronto"))


def test_what_names_no_day_gets_none() -> None:
    for key, value in (("home", "5th floor flat"), ("school", "10th grade"), ("pet", "my 2nd cat is called Tofu")):
        said = answer("what did I tell you?", memory(key, value))
        assert value in said.replace("My", "my") and not any(month in said for month in ("March", "April", "January"))
        assert with_a_day(recalled(memory(key, value)), FRIDAY) == []


def test_when_it_was_told_and_what_it_was_before() -> None:
    now, first = memory("직업", "요리사", days=1), memory("직업", "간호사", days=4)
    assert "어제" in answer("직업 바꾼 거 언제 말했지?", now, older=(first,))
    assert "월요일에" in answer("내 직업 처음 얘기한 게 언제지?", now, older=(first,))
    before = answer("나 전에는 무슨 일 했더라?", now, older=(first,))
    assert "간호사" in before and "요리사" in before
    for asks in ("이직하기 전에 나 뭐 했지?", "나 처음에 하던 일 뭐였게", "what was my job originally?"):
        assert "간호사" in answer(asks, now, older=(first,)), asks
    assert "간호사" not in answer("내 직업이 뭐지?", now, older=(first,))


def test_asked_for_which_day_she_was_told_she_names_that_day() -> None:
    plan = memory("치과", "13일", expires=FRIDAY + timedelta(days=7))
    assert "3월 13일" in answer("치과 언제라고 말했지?", plan)
    assert "13 March" in answer("when did I say my dentist appointment is?", plan)
    assert not asks_for_days("How long have I been playing guitar?") and asks_for_days("how long have i got?")


def test_the_words_that_answer_are_said_and_not_all_that_was_written() -> None:
    said = memory("own words", "aw my dog Mochi, i cried a little", 4)
    assert told_fact("what's my dog's name?", [Recalled(said, 0.9, "Mochi")], lambda _: (), FRIDAY) in {
        "Mochi! You told me on Monday.",
        "I know that one: Mochi. You told me on Monday.",
        "Of course I remember: Mochi. You told me on Monday.",
        "How could I forget? Mochi. You told me on Monday.",
    }
    unsure = told_fact("what's my dog's name?", [Recalled(said, 0.9, "Mochi", sure=False)], lambda _: (), FRIDAY)
    assert unsure.startswith("Mochi, maybe?") and said.value in unsure
    korean = memory("한 말", "밤송이가 반겨줌. 고슴도치 이름임", 4)
    unsure = told_fact("고슴도치 이름 뭐게", [Recalled(korean, 0.9, "밤송이", sure=False)], lambda _: (), FRIDAY)
    assert unsure.startswith("혹시 밤송이?") and korean.value in unsure
    long = memory("own words", "aw my dog Mochi saw the neighbour's ducks and now he only walks backwards", 4)
    unsure = told_fact("what's my dog's name?", [Recalled(long, 0.9, "Mochi", sure=False)], lambda _: (), FRIDAY)
    assert unsure == "Mochi, maybe? I think you told me on Monday."


@pytest.mark.parametrize(
    ("question", "written", "words", "said"),
    [  # written on Monday, 2 March, and asked for on Friday
        ("when is my talk?", "my talk is next friday", "next friday", "Friday 13 March! You told me on Monday."),
        ("what time is my flight?", "my flight is tomorrow at 8", "tomorrow at 8", "Tuesday 3 March"),
        ("when did i break my arm?", "i broke my arm on friday playing squash", "friday", "Friday 27 February!"),
        ("when did i see the doctor?", "i saw the doctor today", "today", 'on Monday: "i saw the doctor today"'),
        ("when do i play?", "i play football every thursday", "every thursday", "every thursday"),
        ("대회 언제로 바뀌었지?", "대회가 3월 19일로 밀렸어", "3월 19일", "3월 19일 목요일! 월요일에 말해 줬잖아."),
        ("나 언제 수술했지?", "금요일에 수술했어", "금요일", "2월 27일 금요일"),
        ("when is my test?", "got my driving test on 12 march", "12 march", "12 march, a Thursday! You"),
        ("when do we launch?", "its a 1958, we launch on june 14", "1958", "its a 1958, we launch on june 14"),
        ("요가 언제 가지?", "매주 수요일 요가 가", "수요일", "수요일! 월요일에"),
    ],
)
def test_words_that_name_a_day_are_told_as_the_day_that_they_meant(
    question: str, written: str, words: str, said: str
) -> None:
    told = memory("own words", written, 4)
    reply = told_fact(question, [Recalled(told, 0.9, words)], lambda _: (), FRIDAY)
    assert said in reply and ("March" not in reply or "March" in said)


def test_words_that_were_refused_are_not_said_again() -> None:
    mochi = Recalled(memory("own words", "my dog Mochi, i cried a little"), 0.9, "Mochi")
    rex, before = tuple(recalled(memory("dog", "Rex"))), ("Mochi! You told me on Monday.",)
    for question, first in (("whats my dogs name?", "Mochi"), ("no, my other dogs name?", "Rex")):
        draft = Draft(question, "en", recalled=rex, quotable=mochi, said_before=before)
        *_, last = told_answer(SimpleNamespace(replaced_by=lambda _: ()), draft, FRIDAY, surely=True)
        assert first in last.reply.text


def test_own_words_are_quoted_and_where_they_may_not_be_meant_she_asks() -> None:
    words = memory("한 말", "봉사 금요일로 밀렸대", days=1)
    for sure in (True, False):
        said = answer("봉사 무슨 요일이라고 했지?", words, sure=sure)
        assert "봉사 금요일로 밀렸대" in said and "어제" in said and ("혹시" in said) != sure


def test_days_are_counted_to_the_day_that_own_words_name() -> None:
    words = memory("own words", "gig got postponed to the 21st of march, gutted")
    assert "15 days" in answer("how many days till the gig?", words)
    assert with_a_day(recalled(memory("own words", "gig was on the 2nd of march")), FRIDAY) == []


@given(st.text(min_size=1, max_size=60), st.sampled_from(["내 고양이 뭐야?", "what is my cat called?"]))
def test_any_stored_value_becomes_a_reply(value: str, question: str) -> None:
    class Store:
        def replaced_by(self, one: Memory) -> list[Memory]:
            return []

    try:
        value = clean_line("value", value, 300)
    except ValueError:
        return  # it is never stored
    asked = Draft(question, "en", recalled=tuple(recalled(memory("cat", value))))
    *_, last = told_answer(Store(), asked, FRIDAY, surely=False)
    assert last.reply.valid and last.reply.memory is None and len(last.reply.text) >= len(value)


class Asks:
    """Takes every message for a question about what was told."""

    def read(self, message: str, before: str = "") -> Reading:
        return ASKS


def test_in_a_turn_her_memory_answers_instead_of_the_model(tmp_path) -> None:
    companion = make_companion(tmp_path, llm=ScriptedModel("happy 0.5\nmodel\nmemory: none"), reader=Asks())
    remember(companion.memory, "tester", "my cat is called Pixel", MemoryOperation("add", "cat", "Pixel"))
    turn = companion.turn("what is my cat called?")
    assert "Pixel" in turn.reply and turn.outcome == "answered" and companion.llm.asked == []
    assert turn.recalled == ("cat: Pixel",) and turn.stored == ()


def test_a_fact_that_changed_is_answered_with_the_new_value(tmp_path) -> None:
    days = [NOW]
    companion = make_companion(tmp_path, clock=lambda: days[0], reader=Asks())
    for value, kind in (("Leeds", "add"), ("York", "update")):
        remember(companion.memory, "tester", f"my home is {value}", MemoryOperation(kind, "my home", value))
        days[0] += timedelta(days=1)
    assert "York" in companion.turn("where is my home?").reply
    both = companion.turn("where was my home before?").reply
    assert "Leeds" in both and "York" in both


def test_where_a_message_cannot_be_read_the_model_answers(tmp_path) -> None:
    class Broken:
        def read(self, message: str, before: str = "") -> Reading:
            raise RuntimeError("no weights")

    assert make_companion(tmp_path, reader=Broken()).turn("hello").reply == "Good to see you. How are you?"


class Asking:
    """Takes what ends in a question mark for a question about what was told, "forget" for a wish to forget."""

    def read(self, message: str, before: str = "") -> Reading:
        if "forget" in message:
            return replace(UNKNOWN_READING, forgets=1.0)
        return ASKS if message.endswith("?") else UNKNOWN_READING


def test_another_day_she_quotes_what_she_did_not_store_until_it_is_forgotten(tmp_path) -> None:
    day = [NOW]
    nothing = "happy 0.5\nAll right.\nmemory: none"
    companion = make_companion(tmp_path, nothing, reader=Asking(), clock=lambda: day[0])
    companion.turn("after this I go to the bakery")
    companion.new_conversation()
    day[0] += timedelta(days=1)
    turn = companion.turn("where do I go after this?")
    assert companion.memories() == [] and "after this I go to the bakery" in turn.reply and "yesterday" in turn.reply
    assert turn.recalled == ("own words: after this I go to the bakery",)
    companion.turn("which bakery do I mean?")
    assert "which" not in companion.turn("what did I mean, which bakery?").reply, "what asks is not quoted"
    assert "1" in companion.turn("forget the bakery").notice and companion.message_count() == 0
    assert "bakery" not in companion.turn("where do I go after this?").reply


def test_what_was_written_can_be_forgotten_alone(tmp_path) -> None:
    companion = make_companion(tmp_path, "happy 0.5\nOh!\nmemory: add | cat | Pixel")
    companion.turn("my cat is called Pixel")
    assert companion.forget_messages() == 1 and companion.message_count() == 0
    assert [one.line for one in companion.memories()] == ["cat: Pixel"] and companion.history == []


def test_a_log_that_fails_costs_no_turn(tmp_path) -> None:
    companion = make_companion(tmp_path)
    companion.messages.close()
    turn = companion.turn("hello there")
    assert turn.outcome == "answered" and turn.reply and "kept for later" in turn.notice


def test_what_a_memory_changed_is_not_quoted(tmp_path) -> None:
    day = [NOW]
    companion = make_companion(tmp_path, clock=lambda: day[0], reader=Asking())
    companion.messages.add("tester", "t1", "my home is in Leeds, I like my home")
    for value, kind in (("Leeds", "add"), ("York", "update")):
        remember(companion.memory, "tester", f"my home is {value}", MemoryOperation(kind, "my home", value))
        day[0] += timedelta(days=1)
    assert "York" in companion.turn("where is my home?").reply


def test_what_is_refused_as_a_secret_is_not_kept_word_for_word(tmp_path) -> None:
    companion = make_companion(tmp_path, "neutral 0.5\nOh.\nmemory: add | 계좌 | 110-123-456789")
    turn = companion.turn("내 계좌는 신한 110-123-456789야")
    assert turn.notice and companion.memories() == [] and companion.message_count() == 0


def test_a_wish_that_cannot_be_carried_out_says_so(tmp_path, monkeypatch) -> None:
    companion = make_companion(tmp_path, reader=Asking())
    companion.turn("after this I go to the bakery")

    def broken(*_: object) -> int:
        raise OSError("the disk is gone")

    monkeypatch.setattr(companion.messages, "forget", broken)
    assert "could not be erased" in companion.turn("forget the bakery").notice


def test_older_values_are_erased_with_a_memory_that_is_forgotten_in_the_chat(tmp_path) -> None:
    companion = make_companion(tmp_path, "happy 0.5\nAll right.\nmemory: forget | my home")
    for value, kind in (("Leeds", "add"), ("York", "update")):
        remember(companion.memory, "tester", f"my home is {value}", MemoryOperation(kind, "my home", value))
        companion.messages.add("tester", value, f"{value} is so quiet")
    companion.turn("forget my home")
    assert companion.memories() == [] and companion.message_count() == 0


def test_of_two_questions_both_are_answered_first_what_she_knows() -> None:
    def asked(first: tuple[Memory, ...], second: tuple[Memory, ...]) -> tuple[str, Draft]:
        message = "what's my fav game, and what's my sister called?"
        draft = Draft(message, "en", plain=message, reading=ASKS, asking="what's my fav game")
        draft.second = Draft(message, "en", reading=ASKS, asking="what's my sister called?")
        draft.recalled, draft.second.recalled = tuple(recalled(*first)), tuple(recalled(*second))
        *_, last = told_answer(SimpleNamespace(replaced_by=lambda _: ()), draft, FRIDAY, surely=True)
        return last.text, draft

    game, sister = memory("favourite game", "zelda"), memory("sister", "Anjali")
    both, draft = asked((game,), (sister,))
    assert "elda" in both and "Anjali" in both and draft.not_known == "" and len(draft.recalled) == 2
    one, draft = asked((game,), ())
    assert "elda" in one and one.endswith("The other one I don't know yet. What is it?")
    assert draft.not_known == "what's my sister called?"
    other, draft = asked((), (sister,))
    assert "Anjali" in other and "The other one" in other and draft.not_known == "what's my fav game"
    neither, draft = asked((), ())
    assert "The other one" not in neither and draft.not_known == "", "whose answer comes next is open"
    same, _ = asked((game,), (game,))
    assert same.casefold().count("zelda") == 1


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        ("How could I forget? Eleven. You told me on Saturday.", "I know that one: Liv. You told me on Saturday.",
         "Eleven, and Liv"),
        ("그거라면 담임! 11월 28일에 말해 줬지.", "당연히 기억하지. 3학년! 11월 28일에 말해 줬잖아.", "담임, 3학년"),
        ("12월 4일 금요일! 토요일에 말해 줬잖아.", "3일 남았어. 12월 4일 금요일!",
         "12월 4일 금요일! 토요일에 말해 줬잖아. 3일 남았어."),
        ("Liv! You told me on Saturday.", "Hawks, maybe? I think you told me on Monday.", "Liv! You told me"),
    ],
)  # fmt: skip
def test_two_answers_are_no_form_filled_twice(first: str, second: str, both: str) -> None:
    told = told_together(first, second)
    assert both in told
    assert len(told) <= len(first) + len(second) + 1


@given(st.text(max_size=40), st.text(max_size=40))
def test_whatever_two_answers_are_the_first_is_said(first: str, second: str) -> None:
    assert first in told_together(first, second)


@pytest.mark.parametrize("message", [
    "what game do i play next?", "which car do i drive tonight, the van or the mini?", "what rubbish am i reading lol",
    "what subject do i study first, bio or chem?",
])  # fmt: skip
def test_who_asks_what_to_do_asks_for_nothing_of_their_own(message: str) -> None:
    assert not asks_of_own(message)


def test_what_is_of_the_users_own_is_asked_for() -> None:
    assert asks_of_own("which colleges am i applying to")
    assert asks_of_own("what instrument do i play then")
    assert asks_of_own("I meant my daughter; what is her name?")
    assert told_together("Dr. Kim! You told me on Monday.", "Dr. Lee, maybe?").endswith("Dr. Lee, maybe?")


def test_what_stands_under_the_key_that_is_asked_for_is_told_back(tmp_path) -> None:
    companion = make_companion(tmp_path, "happy 0.5\nHm.")
    for key, value in (("age", "forty-one"), ("pet", "thirteen"), ("goal", "food truck"), ("crush", "anika")):
        companion.memory.add(companion.user, key, value)
    companion.reader = SimpleNamespace(read=lambda message, before="": ASKS)
    assert "forty-one" in companion.turn("so how old am i again?").reply.casefold()
    companion.memory.add(companion.user, "birthday", "9 May")
    assert "9 may" in companion.turn("when's my birthday?").reply.casefold()
    assert companion.turn("do you remember who came to my birthday?").recalled != ("birthday: 9 May",)
    assert "anika" not in companion.turn("do you remember my name?").reply.casefold()
    assert "food truck" not in companion.turn("what do i do for a living, remember?").reply.casefold()


@pytest.mark.parametrize("message", [
    "some days i can't eat at all", "some food i can't eat, like shrimp", "썸남이 뭐하냐고 물어본 거 설렌다",
    "엄마가 어디냐고 물어본 거 짜증나",
])  # fmt: skip
def test_who_tells_of_eating_and_of_being_asked_asks_nothing(message: str) -> None:
    assert not asks_of_own(message)
    assert not asks_back(message)


def test_what_must_not_be_eaten_and_what_was_asked_before_are_asked_for() -> None:
    assert asks_of_own("is there something i must not eat?")
    assert asks_back("누나 결혼식 며칠인지 물어본거야")


def test_who_else_is_named_hides_no_allergy_of_the_user(tmp_path) -> None:
    companion = make_companion(tmp_path, "happy 0.5\nHm.")
    companion.memory.add(companion.user, "allergy", "shellfish")
    companion.reader = SimpleNamespace(read=lambda message, before="": ASKS)
    question = "my colleague takes me to a restaurant on Friday; is there something i must not eat?"
    assert "shellfish" in companion.turn(question).reply.casefold()
