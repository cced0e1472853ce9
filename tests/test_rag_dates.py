"""Which day words name: they are counted from the day on which they were said, and what is no date is none."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohlora.rag.dates import named_day, plan_ends

WEDNESDAY = date(2026, 3, 4)
DAYS = st.dates(date(2000, 1, 1), date(2090, 12, 31))
KOREAN, ENGLISH = "월화수목금토일", ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("내일", "2026-03-05"), ("내일모레 치과", "2026-03-06"), ("금요일", "2026-03-06"), ("수요일", "2026-03-11"),
        ("이번 주 토요일 두 시", "2026-03-07"), ("다음 주 월요일", "2026-03-09"), ("다다음 주 수요일", "2026-03-18"),
        ("3일 뒤", "2026-03-07"), ("2주 뒤 금요일", "2026-03-20"), ("2주 뒤 오늘", "2026-03-18"),
        ("12월 3일 토익", "2026-12-03"), ("1월 9일", "2027-01-09"), ("2028년 2월 29일", "2028-02-29"),
        ("24일", "2026-03-24"), ("2일", "2026-04-02"), ("다음 달 7일", "2026-04-07"),
        ("tomorrow at nine", "2026-03-05"), ("the day after tomorrow", "2026-03-06"), ("Friday", "2026-03-06"),
        ("this Thursday", "2026-03-05"), ("next Tuesday", "2026-03-10"), ("Friday week", "2026-03-13"),
        ("in two weeks", "2026-03-18"), ("three weeks tomorrow", "2026-03-26"),
        ("a fortnight from Monday", "2026-03-23"), ("9th of May", "2026-05-09"), ("June 18th", "2026-06-18"),
        ("feb 14", "2027-02-14"), ("the 24th", "2026-03-24"), ("10th of next month", "2026-04-10"),
    ],
)  # fmt: skip
def test_days_are_counted_from_when_they_were_said(text: str, day: str) -> None:
    assert str(named_day(text, WEDNESDAY)) == day


@pytest.mark.parametrize(
    "text",
    ["떡볶이", "3pm", "19 days", "내년 1월", "2월 30일", "5킬로 빼기", "9급 세무직", "the May flowers", "sat exams",
     "다음 달 첫째 주 토요일", "the last Friday of the month", "I may come", "고양이 세 마리", "" , "6월", "32nd"],
)  # fmt: skip
def test_what_is_no_day_is_none(text: str) -> None:
    assert named_day(text, WEDNESDAY) is None


@given(DAYS, st.integers(0, 6))
def test_a_bare_weekday_is_the_next_one(said: date, weekday: int) -> None:
    found = {named_day(f"{KOREAN[weekday]}요일", said), named_day(ENGLISH[weekday], said)}
    assert len(found) == 1
    day = found.pop()
    assert day.weekday() == weekday and timedelta(0) < day - said <= timedelta(7)


@given(DAYS, st.integers(0, 364))
def test_a_date_is_that_day_and_not_over(said: date, later: int) -> None:
    day = said + timedelta(later)
    assert named_day(f"{day.month}월 {day.day}일", said) in (day, None)  # None: 29 February of another year
    english = named_day(f"{day:%B} {day.day}", said)
    assert english is None or (english >= said and (english.month, english.day) == (day.month, day.day))


@given(st.text(max_size=80), DAYS)
def test_any_text_is_read_without_failing(text: str, said: date) -> None:
    found = named_day(text, said)
    assert found is None or isinstance(found, date)


@pytest.mark.parametrize(
    ("key", "value"),
    [("생일", "3월 9일"), ("birthday", "June 2nd"), ("payday", "25th"), ("휴무일", "화요일"), ("운동", "화요일마다"),
     ("알바", "금요일부터 편의점"), ("gym", "every Friday"), ("좋아하는 요일", "금요일"), ("이름", "서연")],
)  # fmt: skip
def test_what_comes_again_has_no_end(key: str, value: str) -> None:
    assert plan_ends(key, value, WEDNESDAY) is None


def test_a_plan_ends_on_its_day() -> None:
    assert plan_ends("면접", "금요일 오후 두 시", WEDNESDAY) == date(2026, 3, 6)
    assert plan_ends("interview", "Thursday at ten", WEDNESDAY) == date(2026, 3, 5)
