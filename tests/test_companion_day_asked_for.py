"""What was told of a day is found by the day."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohlora.companion.day_asked_for import day_asked_for, told_of_day
from ohlora.rag import Memory
from ohlora.rag.memory import OWN_WORDS

TODAY = date(2026, 11, 24)  # a Tuesday
NOW = datetime(2026, 11, 24, 20, tzinfo=UTC)


def memory(key: str, value: str, turn: str) -> Memory:
    return Memory(1, "u", key, value, "ko", turn, datetime(2026, 11, 21, tzinfo=UTC), None, None, None)


@pytest.mark.parametrize(
    ("message", "day"),
    [
        ("야 나 내일 뭐 있는지 기억해?", date(2026, 11, 25)), ("what do I have on 3 December?", date(2026, 12, 3)),
        ("what's on tomorrow?", date(2026, 11, 25)), ("내일 뭐 먹지", None), ("what's my name?", None),
        ("what do I have to do?", None), ("", None),
        ("what's on tv tonight?", None), ("do i have anything to wear on friday?", None),
    ],
)  # fmt: skip
def test_the_day_that_is_asked_for(message: str, day: date | None) -> None:
    assert day_asked_for(message, TODAY) == day


def test_the_words_that_told_of_it_are_said_else_what_is_stored() -> None:
    deadline = memory("마감", "수요일", "t1")
    words = memory(OWN_WORDS["ko"], "밀린 거 수요일까지 넘겨야 돼", "t1")
    other = memory(OWN_WORDS["ko"], "수요일엔 늘 비가 와", "t2")
    wednesday = date(2026, 11, 25)
    party = memory("약속", "수요일", "t3")
    found = [told_of_day(wednesday, *told, NOW) for told in (([deadline], [words, other]), ([deadline], []))]
    assert [[one.memory for one in some] for some in found] == [[words], [deadline]]
    assert [one.memory for one in told_of_day(wednesday, [deadline, party], [words], NOW)] == [deadline, party]
    assert told_of_day(date(2026, 11, 27), [deadline], [words, other], NOW) == []


@given(st.text(max_size=100))
def test_any_message_is_read(message: str) -> None:
    found = day_asked_for(message, TODAY)
    assert found is None or isinstance(found, date)
