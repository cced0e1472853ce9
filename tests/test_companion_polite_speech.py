"""She speaks politely (존댓말) to who asked for it, and plainly again; nobody else's manners are taken for a wish."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from companion_parts import NOW, ScriptedModel, make_companion
from hypothesis import given
from hypothesis import strategies as st

from ohlora.companion.polite_speech import polite
from ohlora.companion.speech_level import (
    PLAIN,
    POLITE,
    SPEECH_KEY,
    asks_something_else,
    speech_for,
    speech_offer,
    wish_in_talk,
    wished_speech,
)
from ohlora.config import DATA
from ohlora.rag import Memory
from ohlora.rag.intents import read_general_answers


def memory(key: str, value: str) -> Memory:
    return Memory(1, "u", key, value, "ko", None, NOW - timedelta(3), None, None, None)


@pytest.mark.parametrize(
    ("plain", "said"),
    [
        ("좋다! 반갑다, 진짜.", "좋아요! 반가워요, 진짜."),
        ("아깝다!", "아까워요!"),
        ("나도 그래! 네 편이야.", "저도 그래요! 하윤 님 편이에요."),
        ("내가 헛짚었네. 이제 알았어.", "제가 헛짚었네요. 이제 알았어요."),
        ("그 얘기 조금만 더 해 줄래?", "그 얘기 조금만 더 해 주실래요?"),
        ("걱정하지 마. 읽어 봐.", "걱정하지 마세요. 읽어 보세요."),
        ("응, 그럴게. 어? 뭐였더라?", "네, 그럴게요. 네? 뭐였죠?"),
        ("네 개나 먹었구나.", "네 개나 먹었군요."),
        ("열네 해나 곁에 있던 아이구나.", "열네 해나 곁에 있던 아이군요."),
        ("가자! 같이 놀자.", "가요! 같이 놀아요."),
        ("괜찮아, 고개 들어!", "괜찮아요, 고개 들어요!"),
        ("만나서 반가워, 하윤!", "만나서 반가워요, 하윤 님!"),
        ('월요일에 "나 간다"라고 말해 줬잖아.', '월요일에 "나 간다"라고 말씀해 주셨잖아요.'),
        ("“나 힘들어”라고 했잖아.", "“나 힘들어”라고 했잖아요."),
        ('"쉬어요. 미안해요"라고 했잖아.', '"쉬어요. 미안해요"라고 했잖아요.'),
        ("너와 함께라면 좋아. 내게 말해 줘.", "하윤 님과 함께라면 좋아요. 제게 말씀해 주세요."),
        ("생일 축하해 하윤아!", "생일 축하해 하윤 님!"),
        ("너는 요즘 잠 잘 자? 잘 자!", "하윤 님은 요즘 잠 잘 자요? 안녕히 주무세요!"),
        ("온다더라. 아니야. 그렇지?", "온다더라고요. 아니에요. 그렇죠?"),
        ("독가스는 안 알려 줘.", "독가스는 안 알려 줘요."),
        ("Do you like 김치?", "Do you like 김치?"),
        ("이미 존댓말이에요. 그렇습니다!", "이미 존댓말이에요. 그렇습니다!"),
        ("I'm an AI, dear.", "I'm an AI, dear."),
        ("고양이 두부!", "고양이 두부!"),
        ("", ""),
    ],
)
def test_plain_speech_becomes_polite(plain: str, said: str) -> None:
    assert polite(plain, "하윤") == said


@pytest.mark.parametrize(
    ("plain", "said"),
    [
        ("너는 뭐 좀 먹었어?", "뭐 좀 드셨어요?"),
        ("너도 그래?", "그래요?"),
        ("너!", "당신!"),
        ("난 네 편이야.", "전 당신 편이에요."),
        ("음, 너라면 어때?", "음, 당신이라면 어때요?"),
    ],
)
def test_without_a_name_you_is_left_out_where_it_may_be(plain: str, said: str) -> None:
    assert polite(plain) == said


def sounds_polite(text: str) -> bool:
    return text.rstrip("~!.?…ㅋㅎ ").endswith(("요", "죠", "니다", "니까"))


def test_nearly_all_her_general_answers_end_politely_and_once_is_enough() -> None:
    replies = [one.reply for one in read_general_answers() if one.language == "ko" and "{value}" not in one.reply]
    verbs = [one for one in replies[::7] if one.rstrip("~!.?…ㅋㅎ ").endswith(tuple("어아야해네지래까줘게돼봐"))]
    said = [polite(one, "하윤") for one in verbs]
    assert len(said) > 150 and sum(map(sounds_polite, said)) >= 0.97 * len(said)
    assert sum(polite(one, "하윤") == one for one in said) >= 0.97 * len(said)


@given(st.text(st.sampled_from('가나너네 다야어줘.!?,~"ㅋa1') | st.characters(), max_size=60))
def test_any_text_can_be_said_politely(text: str) -> None:
    assert isinstance(polite(text, "하윤"), str)


@pytest.mark.parametrize(
    ("message", "level"),
    [
        ("존댓말로 해주시면 좋겠어요~ 제가 교사였거든요", POLITE),
        ("말 놓지 마세요", POLITE),
        ("반말은 좀 불편하네요", POLITE),
        ("앞으로 존댓말로 대답해 주세요", POLITE),
        ("말 놔도 돼", PLAIN),
        ("이제 그냥 편하게 말해 줘 ㅋㅋ", PLAIN),
        ("존댓말 안 해도 돼요", PLAIN),
        ("반말로 하자", PLAIN),
        ("오늘 손님이 초면에 반말하더라", None),
        ("시어머니한테 존댓말 써야 하나?", None),
        ("이 문장 존댓말로 바꿔줘", None),
        ("너 왜 반말해?", None),
        ("주말엔 집에서 편하게 쉬고 싶다", None),
        ("팀장님이 말 놓자고 하셔서 당황했어", None),
        ("can we be less formal?", None),
        ("볼륨 좀 높여 줘", None),
        ("정중하게 거절하는 방법 알려줘", None),
        ("정말 편하게 해 줘서 고마워", None),
        ("양말 놓을 데 좀 알려줘", None),
        ("담요 빼 줘", None),
        ("존댓말 써 달라고 한 거 잊어줘", None),
    ],
)
def test_a_wish_for_a_level_of_speech_is_known(message: str, level: str | None) -> None:
    assert wished_speech(message) == level


def test_most_wishes_of_writers_who_did_not_know_the_rules_are_known_and_few_others_taken_for_one() -> None:
    path = DATA / "persona" / "speech_wishes.jsonl"
    rows = [row for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()) if row["held_out"]]
    wishes = [row for row in rows if row["level"]]
    assert sum(wished_speech(row["message"]) == row["level"] for row in wishes) >= 0.85 * len(wishes)
    others = [row for row in rows if not row["level"]]
    assert sum(wished_speech(row["message"]) is not None for row in others) <= 0.1 * len(others)


def test_the_newest_wish_holds_and_the_message_comes_first() -> None:
    assert speech_for(None, []) is None
    assert speech_for(None, [memory(SPEECH_KEY, POLITE)])("나도 반가워!") == "저도 반가워요!"
    assert speech_for(None, [memory(SPEECH_KEY, POLITE), memory(SPEECH_KEY, PLAIN)]) is None
    assert speech_for(PLAIN, [memory(SPEECH_KEY, POLITE)]) is None
    assert speech_for(None, [memory(SPEECH_KEY, POLITE), memory(SPEECH_KEY, "사실은")]) is not None, "no level"
    named = speech_for(None, [memory("이름", "지훈"), memory(SPEECH_KEY, POLITE)])
    assert named("네 편이야.") == "지훈 님 편이에요."


def test_she_speaks_politely_from_the_wish_on_also_another_day_and_it_can_be_forgotten(tmp_path) -> None:
    shown = []
    companion = make_companion(tmp_path, llm=ScriptedModel("happy 0.5\n나도 네가 좋아.\nmemory: none"))
    turn = companion.turn("존댓말로 말해 주세요", on_progress=lambda progress: shown.append(progress.text))
    assert turn.stored == ("말투: 존댓말",) and sounds_polite(turn.reply) and shown[-1] == turn.reply
    companion.new_conversation()
    assert companion.turn("오늘 뭐 했어요").reply == "저도 좋아요."
    assert companion.turn("존댓말로 해 주세요").stored == ()
    assert companion.history[-3]["content"] == "나도 네가 좋아."  # what is said again is known by its plain words
    (wish,) = [one for one in companion.memories() if one.key == SPEECH_KEY]
    companion.forget(wish.id)
    assert companion.turn("심심하네").reply == "나도 네가 좋아."


def test_she_speaks_plainly_again_when_asked(tmp_path) -> None:
    companion = make_companion(tmp_path, llm=ScriptedModel("happy 0.5\n나도 좋아.\nmemory: none"))
    companion.turn("존댓말 써 주세요")
    assert companion.turn("이제 말 놔도 돼").stored == ("말투: 반말",)
    assert [one.value for one in companion.memories() if one.key == SPEECH_KEY] == [PLAIN]
    assert companion.turn("심심하네").reply == "나도 좋아."


def test_who_begins_politely_is_offered_polite_speech_once(tmp_path) -> None:
    companion = make_companion(tmp_path, llm=ScriptedModel("happy 0.6\n반가워!\nmemory: none"))
    offer = speech_offer("안녕하세요, 처음 뵙겠습니다.")
    assert offer and companion.turn("안녕하세요, 처음 뵙겠습니다.").reply.endswith(offer)
    assert offer not in companion.history[-1]["content"], "the model would imitate it"
    assert offer not in companion.turn("오늘은 날씨가 좋네요.").reply
    companion.new_conversation()
    assert offer not in companion.turn("안녕하세요, 또 왔어요.").reply


def test_a_yes_to_the_offer_is_a_wish(tmp_path) -> None:
    companion = make_companion(tmp_path, llm=ScriptedModel("happy 0.6\n반가워!\nmemory: none"))
    companion.turn("안녕하세요^^")
    assert companion.turn("네, 부탁드려요").stored == (f"{SPEECH_KEY}: {POLITE}",)
    assert companion.turn("오늘 날씨가 좋네요").reply == "반가워요!"


def test_a_comfort_is_followed_by_no_offer(tmp_path) -> None:
    companion = make_companion(tmp_path, llm=ScriptedModel("sad 0.6\n마음이 아프다.\nmemory: none"))
    assert companion.turn("안녕하세요, 오늘 정말 힘들었어요").reply == "마음이 아프다."


@pytest.mark.parametrize(
    ("message", "offered"),
    [
        ("안녕하세요😊", True),
        ("안녕하세요 반가워요", True),
        ("저 왔습니다 ^^", True),
        ("안녕! 반가워", False),
        ("뭐가 필요", False),
        ("hello, nice to meet you", False),
        ("안녕하세요, 존댓말로 해 주세요", False),
        ("안녕하세요, 말 편하게 하세요", False),
    ],
)
def test_who_writes_politely_and_asks_for_nothing_is_offered_it(message: str, offered: bool) -> None:
    assert bool(speech_offer(message)) == offered


@pytest.mark.parametrize(
    ("message", "wish"),
    [
        ("네, 부탁드려요", POLITE),
        ("네!", POLITE),
        ("그래 주시면 좋겠어요", POLITE),
        ("네 오늘은 비가 와요", None),
        ("아뇨 괜찮아요", None),
        ("아뇨 반말이 좋아요", PLAIN),
    ],
)
def test_a_yes_counts_only_right_after_the_offer(message: str, wish: str | None) -> None:
    assert wish_in_talk(message, ["어서 와!", f"반가워! {speech_offer('안녕하세요')}"]) == wish
    assert wish_in_talk("네, 부탁드려요", [f"반가워! {speech_offer('안녕하세요')}", "그래!"]) is None


def test_a_wish_is_answered_alone_unless_its_message_asks_for_more() -> None:
    assert asks_something_else("반말 괜찮아요 편하게 하세요~ 근데 이름은 뭐예요?")
    assert asks_something_else("반말 괜찮아요~ 이름이 뭐예요?ㅎㅎ")
    assert not asks_something_else("앞으로 반말로 해줘. 알겠지?")
    assert not asks_something_else("반말 해도 될까요?") and not asks_something_else("그냥 편하게 하세요~")
