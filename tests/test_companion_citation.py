"""When she says who told her what, and when: a rule that must never be wrong."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohlora.companion.citation import citation, told_when
from ohlora.rag import Memory

SEOUL = timezone(timedelta(hours=9))
FRIDAY = datetime(2026, 3, 6, 20, 0, tzinfo=SEOUL)


def memory(value: str, created: datetime, language: str = "ko") -> Memory:
    return Memory(1, "u", "이름", value, language, None, created, None, None, None)


def days_ago(days: int) -> datetime:
    return (FRIDAY - timedelta(days=days)).astimezone(UTC)


@pytest.mark.parametrize(
    ("days", "korean", "english"),
    [
        (1, "어제 말해 줬잖아.", "You told me yesterday."),
        (4, "월요일에 말해 줬잖아.", "You told me on Monday."),
        (30, "2월 4일에 말해 줬잖아.", "You told me on 4 February."),
        (400, "2025년 1월 30일에 말해 줬잖아.", "You told me on 30 January 2025."),
    ],
)
def test_the_day_is_named_as_people_name_it(days, korean, english):
    assert citation("내 이름 뭐야?", "두부!", [memory("두부", days_ago(days))], FRIDAY) == korean
    found = citation("what's my cat called?", "Your cat is Tofu!", [memory("Tofu", days_ago(days), "en")], FRIDAY)
    assert found == english


@pytest.mark.parametrize(
    ("message", "reply", "days"),
    [
        ("내 이름 뭐야?", "두부!", 0),  # told today
        ("두부 보고 싶다", "두부도 그럴 거야.", 3),  # the user names it
        ("오늘 뭐 하지", "산책 어때?", 3),  # she tells nothing back
    ],
)
def test_nothing_is_cited_where_nobody_needs_it(message, reply, days):
    assert citation(message, reply, [memory("두부", days_ago(days))], FRIDAY) == ""


@pytest.mark.parametrize(
    ("value", "reply", "cited"),
    [
        ("30", "30분만 쉬자.", False),
        ("30", "You are 30!", True),
        ("30", "30살이잖아!", True),
        ("30", "3:0으로 이겼네", False),
        ("7:30", "7:30에 일어나지!", True),
        ("cat", "Education matters.", False),
        ("a cat", "You have A cat.", True),
        ("망둥어 낚시", "취미는 망둥어낚시지!", True),
        ("서울", "부산서울 말고 서울이지.", True),
        ("수영", "이수영 노래 좋지.", False),
        ("!?", "뭐라고!?", False),
    ],
)
def test_a_value_is_told_back_only_as_words_of_its_own(value, reply, cited):
    assert bool(citation("뭐였지", reply, [memory(value, days_ago(3))], FRIDAY)) is cited


def test_a_changed_fact_is_cited_by_its_newest_telling():
    """What the store recalls is the present value: it was told on Tuesday, whatever was said on Monday."""
    assert citation("나 어디 살아?", "부산이지!", [memory("부산", days_ago(3))], FRIDAY) == "화요일에 말해 줬잖아."


def test_days_are_the_users_not_those_of_utc():
    told = datetime(2026, 3, 5, 20, 0, tzinfo=UTC)  # already Friday in Seoul
    assert citation("내 이름 뭐야?", "두부!", [memory("두부", told)], FRIDAY) == ""


@given(st.integers(0, 4000), st.sampled_from(["ko", "en"]))
def test_every_day_has_a_name(days, language):
    found = told_when(FRIDAY - timedelta(days=days), FRIDAY, language)
    assert found == found.strip() != ""


@pytest.mark.parametrize(
    ("days", "language", "when"),
    [
        (7, "ko", "지난주에"),
        (8, "en", "last week"),
        (11, "en", "last week"),
        (12, "en", "on 22 February"),
        (6, "en", "on Saturday"),
    ],
)
def test_a_day_of_last_week_is_named_by_its_week(days, language, when):
    assert told_when(FRIDAY - timedelta(days=days), FRIDAY, language) == when
    assert "week" not in told_when(FRIDAY - timedelta(days=days), FRIDAY, language, exactly=True)
