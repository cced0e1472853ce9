"""She told something back and is told that it is wrong: she owns the slip and says what is right."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import yaml
from companion_parts import NoReader

from ohlora.companion.answer import read_message
from ohlora.companion.denial import contradicts, denied, is_news, told_before
from ohlora.companion.draft import Draft
from ohlora.companion.written_answer import wanted_answer
from ohlora.config import DATA
from ohlora.rag import UNKNOWN_READING
from ohlora.rag.fact_reader import Fact
from ohlora.rag.intents import GeneralAnswer

TOLD_BACK = "I know that one: 1958. You told me on 28 November."


@pytest.mark.parametrize(
    ("message", "before"),
    [
        ("no.. june 28", TOLD_BACK),
        ("uh no. marcus is ME", TOLD_BACK),
        ("BRO no 💀 trumpet", "Drum, wasn't it? You told me on Saturday."),
        ("아니 대전은 내가 사는데고 무릎이요 무릎!", "대전! 토요일에 말해 줬잖아."),
        ("no, june 28", "Exactly 2 weeks, so 14 days to go: Friday 12 June!"),
        ("아니 지민이는 내가 좋아하는 애고 난 건우라니까", "벌써 친해진 것 같아, 지민아! 자주 불러도 되지?"),
        ("마라탕은 먹고싶다한거고 고수라고 고수ㅋㅋ", "마라탕! 아까 말해 줬잖아."),
        ("고향은 말한적 없어요 목포에요 목포.", "잊을 리가 있나, 김장철! 11월 28일에 말해 줬잖아."),
        ("CURRY lmaooo no miso is my cat", "Curry! You told me on Saturday."),
        ("Breda is my mother-in-law! I never told you about my sister", "Breda! You told me on Monday."),
        ("ㄴㄴ 그거 말고", "혹시 설빙? 3월 2일에 \"설빙에서 알바\"라고 했잖아."),
        ("ㄴㄴ 그거 말고", "혹시 설빙? 3월 2일에 그렇게 들은 것 같아."),
    ],
)  # fmt: skip
def test_what_she_told_back_is_denied(message: str, before: str) -> None:
    assert denied(message, before) == "corrects"


@pytest.mark.parametrize(
    ("message", "before"),
    [
        ("no worries", TOLD_BACK),
        ("no way you remembered that!!", TOLD_BACK),
        ("nope, that's it!", TOLD_BACK),
        ("haha no way", TOLD_BACK),
        ("haha no shit", TOLD_BACK),
        ("lol no wonder i'm tired", TOLD_BACK),
        ("omg i never told anyone else that", TOLD_BACK),
        ("응 근데 엄마한테는 말한 적 없어", "대전! 토요일에 말해 줬잖아."),
        ("정답이에요 정답!", "대전! 토요일에 말해 줬잖아."),
        ("완전 좋아요 좋아", "대전! 토요일에 말해 줬잖아."),
        ("땡큐 기억해줘서", "대전! 토요일에 말해 줬잖아."),
        ("아니 벌써?", "내일이야, 하루 남았어! 12월 5일."),
        ("아니 어떻게 알았어ㅋㅋㅋ", "대전! 토요일에 말해 줬잖아."),
        ("nooo im not ready 😭", "Exactly 2 weeks, so 14 days to go: Friday 12 June!"),
        ("아니 그걸 기억해?? 대박", "대전! 토요일에 말해 줬잖아."),
        ("yes! june 28", TOLD_BACK),
        ("now it's june", TOLD_BACK),
        ("no, june 28", "Sundays are for soup."),
        ("no", ""),
    ],
)
def test_wonder_is_no_denial_nor_is_a_no_to_something_else(message: str, before: str) -> None:
    assert denied(message, before) == ""


def test_whatever_she_tells_back_can_be_denied() -> None:
    for told in yaml.safe_load((DATA / "persona" / "told_fact.yaml").read_text(encoding="utf-8")).values():
        for name in told.keys() - {"unknown", "unknown_too", "earlier_today"}:
            for phrase in [told[name]] if isinstance(told[name], str) else told[name]:
                assert denied("no, june 28", re.sub(r"{\w+}", "1958", phrase)), phrase


@pytest.mark.parametrize(
    "message", ["무슨 말이야?", "뭔 소리야?", "뭐라고?", "왜 웃는데?", "which trick though", "why a flag?"]
)
def test_who_only_asks_back_contradicts_nothing(message: str) -> None:
    assert not contradicts(message)


@pytest.mark.parametrize(
    "message", ["양말이 왜 나와요 ㅋㅋ 방울토마토 얘기였는데", "what sleep? i said sheep", "무슨 바삭이야 ㅋㅋ"]
)
def test_who_says_that_it_was_beside_the_point_contradicts(message: str) -> None:
    assert contradicts(message)


def test_the_reading_knows_a_denial() -> None:
    history = [{"role": "user", "content": "when?"}, {"role": "assistant", "content": TOLD_BACK}]
    assert read_message(NoReader(), Nothing(), "no.. june 28", history).wants == "corrects"


class Nothing:
    """Finds no want in any message."""

    def of(self, message: str, before: str) -> str:
        return ""

    def asks_told(self, message: str, before: str) -> float:
        return 0.0


class Correcting:
    def answers(self, want: str, message: str, language: str) -> list[GeneralAnswer]:
        return [GeneralAnswer(want, language, "My mix-up, sorry.", "shy", 0.5)]


def test_she_says_what_is_right_and_owns_the_slip() -> None:
    history = [{"role": "user", "content": "when?"}, {"role": "assistant", "content": TOLD_BACK}]
    for message, value, said in (
        ("no.. june 28", "june 28", "June 28! My mix-up, sorry."),
        ("no, not 1958 any more", "1958", "My mix-up, sorry."),
    ):
        draft = Draft(message, "en", plain=message)
        draft.reading = replace(UNKNOWN_READING, tells=0.9, wants="corrects", facts=(Fact("plan", value, 0.9),))
        *_, last = wanted_answer(Correcting(), None, draft, history)
        assert last.reply.text == said and draft.quotes == (value in said.casefold())


@pytest.mark.parametrize(
    ("message", "denies"),
    [
        ("그건 나라고 ㅋㅋㅋ", True), ("그것도 나임 ㅋㅋ", True), ("Heavens no, that's the cat!", True),
        ("그거야!", False),
        ("oh no she's sick today", False), ("that's my boy!", False), ("요즘은 산책도 못 가잖아 ㅠㅠ", False),
        ("she's not herself since the surgery", False),
    ],
)  # fmt: skip
def test_what_is_said_of_what_she_told_back(message: str, denies: bool) -> None:
    assert bool(denied(message, TOLD_BACK)) is denies


def test_a_no_behind_her_question_answers_it() -> None:
    greeting = "So it's Kenji! I like it. Is there a story behind it?"
    assert not denied("nah my dad just liked the name haha. hes from osaka", greeting)
    assert denied("no, i said it's kenta", greeting)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("i just told you! turnip. my rabbit.", True), ("아까 말했잖아", True),
        ("idk if i told you but it's biscuit", False),
        ("아직 말안했는데 ㅋㅋ", False), ("it's biscuit", False),
        ("i have already told you", True), ("i already told my boss, it's friday", False),
        ("의사가 알려 줬는데 9일이래", False),
    ],
)  # fmt: skip
def test_who_told_it_before_says_so(message: str, told: bool) -> None:
    assert bool(told_before(message, "That one isn't in my notes. Would you tell me?")) is told
    assert not told_before(message, "How lovely!")


@pytest.mark.parametrize(
    ("message", "denies"),
    [
        ("thats one. theres two of em, jaylen and jordan.", True), ("that's only one", True),
        ("lmaooo those are my 4 year olds not my mama", True), ("bruh no thats my crush im dev", True),
        ("Thirteen is her age and not her diagnosis", True), ("nooo its this friday thank god", True),
        ("thats one of my faves", False), ("wow, that's one good memory", False), ("bruh not bad", False),
        ("dude no way", False), ("that's my boy", False), ("thats right", False),
    ],
)  # fmt: skip
def test_half_an_answer_and_the_wrong_person_are_denied(message: str, denies: bool) -> None:
    assert bool(denied(message, "How could I forget? Jordan. You told me on Saturday.")) is denies


def test_what_has_changed_was_no_slip_of_hers() -> None:
    before = "그거라면 이창호! 토요일에 말해 줬지."
    assert is_news("아들 전역이 3월이 아니고 2월이란다", before)
    assert is_news("I am no longer running on the 14th of March", "My imagination is having a lovely time.")
    assert not is_news("아니 이름은 두부 말고 만두라니까", "후보 나갑니다: 두부, 노을, 번개!")
    assert not is_news("no, i meant my cat", "Dogs are lovely.")


@pytest.mark.parametrize("message", [
    "nope that's all, thank u", "nah ur good thank u!", "omg no i miss her so much",
    "omg nooo she's so cute", "Luna is one!", "that's one!",
])  # fmt: skip
def test_thanks_joy_and_an_age_deny_nothing(message: str) -> None:
    assert denied(message, "Luna! You told me on Monday.") == ""


@pytest.mark.parametrize(
    ("message", "before"),
    [("I'm 35, not 34", "34! You told me on Monday."), ("i quit that ages ago", "Guitar! You told me on Monday."),
     ("3일 아니고 5일이야", "3월 3일! 월요일에 말해 줬잖아."), ("그만뒀다니까", "삼성! 월요일에 말해 줬잖아."),
     ("2시가 아니라 3시", "2시! 월요일에 말해 줬잖아.")],
)  # fmt: skip
def test_what_corrects_her_line_is_no_news(message: str, before: str) -> None:
    assert not is_news(message, before)
