"""Who moves a plan hears the new day, and nothing of what else the message sounds like."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ohlora.companion.draft import Draft, EndOfTurn
from ohlora.companion.moved_answer import moved_answer
from ohlora.rag import UNKNOWN_READING
from ohlora.rag.fact_reader import Fact


def said(message: str, language: str, *days: str, asks: bool = False, key: str = "plan") -> str:
    facts = tuple(Fact(key, one, 0.9) for one in days)
    reading = replace(UNKNOWN_READING, tells=0.9, facts=facts, surely_asks=asks)
    draft = Draft(message, language, plain=message, reading=reading)
    stream = moved_answer(draft)
    assert draft.quotes is (stream is not None)
    return [*stream][-1].text if stream else ""


@pytest.mark.parametrize(
    ("message", "language", "day"),
    [("swim's been moved btw, it's the 19th now cos of the storm", "en", "the 19th"),
     ("시술이 12월 10일로 미뤄졌어", "ko", "12월 10일")],
)  # fmt: skip
def test_the_new_day_is_said_back(message: str, language: str, day: str) -> None:
    assert day in said(message, language, day).casefold()


def test_what_moves_nothing_asks_or_tells_of_two_days_is_answered_otherwise() -> None:
    assert "the 19th" in said("it's been moved to the 19th", "en", "19th").casefold()
    assert said("the swim is on the 19th", "en", "the 19th") == ""
    assert said("it's been moved to the 19th", "en", "the 19th", asks=True) == ""
    assert said("it's been moved from the 3rd to the 19th", "en", "the 3rd", "the 19th") == ""
    assert said("the funeral got moved to friday", "en", "friday") == ""
    assert said("수술이 19일로 밀렸어 ㅠㅠ 무서워", "ko", "19일") == ""
    assert said("my chair got moved upstairs", "en", "upstairs") == ""
    draft = Draft("it's been moved to the 19th", "en", plain="it's been moved to the 19th")
    draft.otherwise = EndOfTurn("asked", "?")
    assert moved_answer(draft) is None


@pytest.mark.parametrize(
    ("message", "language", "new", "others"),
    [("근데 여행이 바뀌었어 오사카 말고 후쿠오카로 가기로 했어", "ko", "후쿠오카", ["오사카"]),
     ("i switched from drums to bass", "en", "bass", ["drums"]),
     ("the surgery got moved, its january 28th now not the 14th.", "en", "january 28th", [])],
)  # fmt: skip
def test_another_change_is_said_back(message: str, language: str, new: str, others: list[str]) -> None:
    assert new in said(message, language, new, *others).casefold()


def test_what_holds_beside_another_thing_or_is_a_grief_is_no_such_change() -> None:
    assert said("오사카 말고도 후쿠오카 가", "ko", "후쿠오카", "오사카") == ""
    assert said("i used to play drums, now i just sleep", "en", "drums") == ""
    assert said("병원 바꿨어 ㅠㅠ 서울대로 가기로 했어", "ko", "서울대") == ""


@pytest.mark.parametrize(
    ("message", "language", "new", "key"),
    [("폐암이 아니라 위암이래", "ko", "위암", "건강"), ("감기 아니고 폐렴이래", "ko", "폐렴", "건강"),
     ("they switched her to hospice", "en", "hospice", "health"), ("결혼 말고 이혼하기로 했어", "ko", "이혼", "계획"),
     ("정규직 아니고 계약직이래", "ko", "계약직", "직업"),
     ("i got promoted, im sous chef now, not line cook", "en", "sous chef", "job")],
)  # fmt: skip
def test_grave_or_great_news_gets_no_receipt(message: str, language: str, new: str, key: str) -> None:
    assert said(message, language, new, key=key) == ""
