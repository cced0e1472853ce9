"""Which day words name: they are counted from the day on which they were said, and what is no date is none."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohlora.rag import OWN_WORDS
from ohlora.rag.dates import named_day, next_time, past_day, plan_ends

WEDNESDAY = date(2026, 3, 4)
DAYS = st.dates(date(2000, 1, 1), date(2090, 12, 31))
KOREAN, ENGLISH = "월화수목금토일", ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("시험까지 3일 남음", "2026-03-07"), ("마지막 시험 3월 27일", "2026-03-27"),
        ("last exam on 27 March", "2026-03-27"),
        ("내일", "2026-03-05"), ("내일모레 치과", "2026-03-06"), ("금요일", "2026-03-06"), ("수요일", "2026-03-11"),
        ("이번 주 토욜 두 시", "2026-03-07"), ("담주 월욜", "2026-03-09"),
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
     "제주도 2박 3일", "3박4일", "5일 안에 내야 해", "3일 동안은 쉼", "4일 연속 야근", "second interview on Monday",
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


JUNE = date(2026, 6, 10)  # a Wednesday
NO_PLANS = [
    ("own words", "I got a puppy today!"), ("한 말", "오늘 면접 붙었어"), ("own words", "we broke up on Friday"),
    ("own words", "My grandmother died on Monday"), ("home", "5th floor flat"), ("school", "10th grade"),
    ("pet", "my 2nd cat is called Tofu"), ("yoga", "Tuesday evenings"), ("job", "works Friday nights at a bar"),
    ("job", "started at Naver on March 2"), ("이사", "이번 주 월요일에 이사했어"),
    ("own words", "On Monday, we adopted a kitten"), ("own words", "had my interview on Tuesday, it went ok"),
    ("own words", "I quit my job on Friday"), ("own words", "we got engaged on Saturday"),
    ("own words", "today I have eaten only soup"), ("own words", "my sister had her baby on June 3"),
    ("한 말", "지난주 금요일에 헤어졌어"), ("한 말", "월요일에 강아지 데려왔어"),
    ("한 말", "3월 2일에 네이버 입사했어"),
    ("한 말", "나 이사했어 월요일에"), ("한 말", "금요일에 남친이랑 싸워서 헤어졌어"), ("한 말", "오늘 합격 통보 받음"),
    ("한 말", "오늘 첫사랑 만나서 행복해"), ("한 말", "오늘도 수영 다녀왔어"), ("한 말", "화요일에 바다 갔어"),
    ("한 말", "매주 토요일에 등산 가"), ("job", "works Tuesday to Saturday"), ("gym", "Mondays and Fridays"),
    ("집", "3층"), ("floor", "2nd floor"), ("place", "came 3rd in the race"), ("century", "loves the 19th century"),
    ("단식", "3일 동안 굶음"), ("금연", "5일째"), ("trip", "2 May 2019"), ("직장", "3월 2일부터 네이버"),
    ("결혼", "작년 11월 15일"), ("own words", "friday is hard"), ("mood", "tired today"),
]  # fmt: skip
PLANS = [
    ("interview", "Friday at ten", "2026-06-12"), ("여행", "다음 주 수요일", "2026-06-17"),
    ("dentist", "on the 5th", "2026-07-05"), ("dentist", "the 24th at nine", "2026-06-24"),
    ("own words", "I have an interview on Friday", "2026-06-12"), ("own words", "we're moving on Monday", "2026-06-15"),
    ("own words", "the exam was moved to Friday", "2026-06-12"), ("exam", "moved to Friday", "2026-06-12"),
    ("own words", "got an exam on Thursday, wish me luck", "2026-06-11"), ("move", "saturday the 28th", "2026-06-28"),
    ("한 말", "금요일에 면접 있어", "2026-06-12"), ("한 말", "시험 목요일로 미뤄졌어", "2026-06-11"),
    ("한 말", "내일 치과 예약했어", "2026-06-11"), ("한 말", "토요일에 놀러 가기로 했어", "2026-06-13"),
    ("한 말", "오늘 저녁에 소개팅 있어", "2026-06-10"), ("면접", "금요일로 밀렸어", "2026-06-12"),
    ("여행", "내년 3월 8일", "2027-03-08"), ("교정 예약", "7일", "2026-07-07"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value"), NO_PLANS)
def test_what_is_past_or_lasts_or_comes_again_never_ends(key: str, value: str) -> None:
    assert plan_ends(key, value, JUNE) is None
    assert plan_ends(key, value, JUNE, value) is None


@pytest.mark.parametrize(("key", "value", "day"), PLANS)
def test_what_is_planned_ends(key: str, value: str, day: str) -> None:
    assert str(plan_ends(key, value, JUNE)) == day
    assert str(plan_ends(key, value, JUNE, value)) == day


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [("이사", "월요일", "이번 주 월요일에 이사했어"), ("면접", "오늘", "오늘 면접 봤는데 붙었어"),
     ("move", "Monday", "we moved on Monday"),
     ("puppy", "today", "I got a puppy today!"), ("interview", "Friday", "my interview on Friday went really well"),
     ("class", "Tuesday", "I have yoga every Tuesday"), ("피아노", "목요일", "피아노 시작했어 매주 목요일에 가")],
)  # fmt: skip
def test_the_message_shows_what_the_value_does_not(key: str, value: str, message: str) -> None:
    assert plan_ends(key, value, JUNE, message) is None


@pytest.mark.parametrize(
    ("text", "day"),
    [("3일 전에 이사했어", "2026-06-07"), ("2주 전에 헤어졌어", "2026-05-27"),
     ("started at Naver on March 2", "2026-03-02"), ("이번 주 월요일에 이사했어", "2026-06-08"),
     ("we moved on Monday", "2026-06-08"),
     ("지난주 금요일에 헤어졌어", "2026-06-05"), ("broke my wrist on the 24th", "2026-05-24"),
     ("오늘 면접 붙었어", "2026-06-10"),
     ("수요일에 헤어졌어", "2026-06-03"), ("작년 3월 2일에 결혼했어", "2025-03-02"),
     ("married on 2 May last year", "2025-05-02"),
     ("12월 3일에 입사했어", "2025-12-03"), ("금요일에 시험 있어", "None"), ("exam on Friday", "None"),
     ("anyway gtg i got an ap calc test on friday and ive studied zero", "None"),
     ("i got my test results on friday", "2026-06-05"),
     ("5th floor", "None")],
)  # fmt: skip
def test_a_past_day_is_the_last_one(text: str, day: str) -> None:
    assert str(past_day(text, JUNE)) == day


@given(
    DAYS,
    st.integers(0, 6),
    st.sampled_from(["{}요일에 이사했어", "{}요일에 헤어졌어", "{}요일에 강아지 데려왔어", "나 {}요일에 퇴사했다"]),
    st.sampled_from(["we moved on {}", "{} we broke up", "I quit on {}", "she died on {}", "my cat was born on {}"]),
)
def test_told_as_past_it_never_ends_and_lies_behind(said: date, weekday: int, korean: str, english: str) -> None:
    for text, own in ((korean.format(KOREAN[weekday]), "ko"), (english.format(ENGLISH[weekday]), "en")):
        day = past_day(text, said)
        assert day is not None and day.weekday() == weekday and timedelta(0) < said - day <= timedelta(7)
        assert plan_ends(OWN_WORDS[own], text, said) is None and plan_ends("news", text, said) is None


@given(
    st.integers(1, 31), st.sampled_from(["floor", "grade", "cat", "year of uni", "place", "child", "time here"]), DAYS
)
def test_an_ordinal_with_a_noun_is_no_day(number: int, noun: str, said: date) -> None:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number not in (11, 12, 13) else 0, "th")
    assert named_day(f"my {number}{ending} {noun}", said) is None
    assert named_day(f"the {number}{ending} {noun}", said) is None


@given(st.sampled_from([*OWN_WORDS.values(), "이사", "exam", "job"]), st.text(max_size=60), DAYS, st.text(max_size=60))
def test_an_end_never_lies_behind(key: str, value: str, said: date, message: str) -> None:
    end = plan_ends(key, value, said, message)
    assert end is None or end >= said


@pytest.mark.parametrize(
    ("key", "value", "day"),
    [("class", "every Wednesday", "2026-06-10"), ("생일", "6월 12일", "2026-06-12"),
     ("생일", "3월 9일", "2027-03-09"), ("birthday", "born on 19 June 1995", "2026-06-19"),
     ("요가", "매주 화요일", "2026-06-16"),
     ("gym", "every Friday", "2026-06-12"), ("생일", "2월 29일", "None"),
     ("job", "started at Naver on March 2", "None"),
     ("home", "5th floor", "None"), ("club", "went there every Friday", "None")],
)  # fmt: skip
def test_the_next_time_of_what_comes_again(key: str, value: str, day: str) -> None:
    assert str(next_time(key, value, JUNE)) == day
