"""Asked for the date or the time she reads the clock; whoever only speaks of days is not told the date."""

from __future__ import annotations

import pytest
from companion_parts import NOW

from ohlora.companion.citation import day_in_words
from ohlora.companion.todays_date import clock_answer


def said(message: str) -> str | None:
    answer = clock_answer(message, NOW)
    return None if answer is None else list(answer)[-1].text


@pytest.mark.parametrize(
    "message",
    [
        "오늘 며칠이야?",
        "방학이라 감이 없는데 오늘 무슨 요일이야?",
        "오늘 무슨 요일이지",
        "아 오늘 몇일이에요?",
        "오늘 날짜 알아?",
        "what day is it today",
        "what's today's date?",
        "is it a friday? what's today's date, nights have melted my brain",
        "no i mean today. what day is it today",
        "yess. wait what day is it today btw",
    ],
)
def test_the_date_is_that_of_the_clock(message: str) -> None:
    korean = any("가" <= letter <= "힣" for letter in message)
    assert day_in_words(NOW.date(), NOW.date(), "ko" if korean else "en") in said(message)


@pytest.mark.parametrize("message", ["지금 몇 시야?", "지금 몇시임ㅋㅋ", "what time is it?", "hey what's the time"])
def test_the_time_is_that_of_the_clock(message: str) -> None:
    assert f"{NOW:%H:%M}" in said(message)


@pytest.mark.parametrize(
    "message",
    [
        "오늘 며칠 만에 머리 감았어",
        "오늘 며칠 쉬어?",
        "내 시험 며칠이지?",
        "그럼 게임 외주 마감 원래 며칠이었고 지금은 며칠이야?",
        "오늘은 뭐 먹지",
        "지금 몇 시간째 이러고 있어",
        "오늘 몇 시에 일어났어?",
        "what day is my test",
        "what time is it over?",
        "when is my birthday",
        "what's the date of my exam?",
        "오늘 진짜 힘들었어",
        "what a day it is",
        "오늘 며칠 남았는지 세 봤어",
    ],
)
def test_whoever_asks_for_something_else_is_not_told_the_date(message: str) -> None:
    assert said(message) is None
