"""Who says good night hears it back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ohlora.companion.draft import Draft, EndOfTurn
from ohlora.companion.good_night import good_luck, good_night


@pytest.mark.parametrize(
    "message",
    ["aight im out, night", "night love, speak soon", "have a good night!", "im heading to bed", "gn", "g'night",
     "기타 좀 치다 잘게 잘자", "나 이제 잘게", "이제 자야겠다", "굿밤요", "좋은 꿈 꿔", "이만 자러 갈게요 잘자요~",
     "I have a run to do. Sleep well, or whatever it is you do.", "ok sleep tight", "sleep well lora",
     "well, sleep well", "hope you sleep well"],
)  # fmt: skip
def test_a_wish_is_given_back_once(message: str) -> None:
    said, wish, enough = ("다음에 봐!", "잘 자!", "꿈속에서 만나!") if not message.isascii() else (
        "Until next time!", "Good night!", "Sweet dreams!")  # fmt: skip
    assert good_night(message, said) == wish and good_night(message, enough) == ""


@pytest.mark.parametrize(
    "message",
    ["what a night", "I've been working day and night.", "she said goodnight to the dog",
     "i'm scared of going to sleep", "the baby is finally going to sleep", "what time are you going to bed?",
     "last night was fun", "did you sleep well last night?", "i didn't sleep well", "i eat and sleep well",
     "eat well, sleep well, that is all", "i eat well, sleep well.", "the pills help you sleep well.",
     "잘 자라는 애가 부럽다", "너 잘 자?", "동생은 자러 간다고 했어", "어제 좋은 꿈 꿨어", "좋은 밤이었어",
     "아기가 드디어 잘 자ㅠㅠ", "강아지가 옆에서 잘 자"],
)  # fmt: skip
def test_what_only_speaks_of_the_night_is_no_wish(message: str) -> None:
    assert good_night(message, "Hm.") == ""


def test_it_stands_behind_her_answer_but_not_where_somebody_may_be_in_danger() -> None:
    draft = Draft("aight im out, night", "en", expression=("happy", 0.5))
    draft.close("Until next time!", datetime.now(UTC), ())
    assert draft.said == "Until next time! Good night!"
    danger = Draft("i can't do this anymore. good night", "en", expression=("worried", 0.5))
    danger.otherwise = EndOfTurn("cared", "")
    danger.close("That sounds heavy. I'm here.", datetime.now(UTC), ())
    assert danger.said == "That sounds heavy. I'm here."


@pytest.mark.parametrize(
    ("message", "reply", "wish"),
    [
        ("job interview on dec 4!! wish me luck, cya", "Till next time!", "Good luck!"),
        ("내일 면접이야 응원해줘!", "잘 다녀와!", "행운을 빌어!"), ("wish me luck", "Good luck! You've got this!", ""),
        ("응원해 줘서 고마워", "내가 더 고마워.", ""), ("he didn't even wish me luck", "Oh.", ""),
        ("my dad used to wish me luck", "Oh.", ""), ("내일 면접이야 응원해 줘", "파이팅!", ""),
    ],
)  # fmt: skip
def test_who_asks_for_luck_hears_it_once(message: str, reply: str, wish: str) -> None:
    assert good_luck(message, reply) == wish
