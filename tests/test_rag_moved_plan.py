"""A plan that is moved is found by what both messages speak of, or what was just spoken of; else it is left alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from companion_parts import ScriptedModel, make_companion

from ohlora.rag import UNKNOWN_READING, Memory, Reading
from ohlora.rag.fact_reader import Fact
from ohlora.rag.moved_plan import may_move, moved_plan

TELLS = replace(UNKNOWN_READING, tells=0.9, updates=0.7)
TOLD = datetime(2026, 3, 2, tzinfo=UTC)


def plan(number: int, key: str, value: str, turn: str) -> Memory:
    return Memory(number, "u", key, value, "ko", turn, TOLD, None, None, None)


def told(key: str, value: str, reading: Reading = TELLS) -> Reading:
    return replace(reading, facts=(Fact(key, value, 0.9),))


DATE = plan(1, "약속", "12월 5일", "t1")
EXAM = plan(2, "exam", "29 june", "t2")
WRITTEN = {1: "12월 5일에 소개팅해요", 2: "mid years start 29 june. chem will kill me"}


@pytest.mark.parametrize(
    ("message", "reading", "lately", "moved"),
    [
        ("근데 그거 밀렸어요 ㅠㅠ 12월 12일로 바뀌었어요", told("생일", "12월 12일"), ["t1"], DATE),
        ("근데 그거 밀렸어요 ㅠㅠ 12월 12일로 바뀌었어요", told("생일", "12월 12일"), [], None),
        ("치과 예약이 12월 12일로 바뀌었어요", told("병원", "12월 12일"), ["t1"], None),
        ("소개팅 12월 12일로 밀림", told("생일", "12월 12일"), [], DATE),
        ("ugh, they moved mid years to 25 june", told("birthday", "25 june"), [], EXAM),
        ("btw they moved the mid years, its 25 june", told("exam", "25 june"), [], EXAM),
        ("got my hair cut, and mid years got moved to 25 june", told("exam", "25 june"), [], EXAM),
        ("i got a haircut on 29 june. The trip moved to 25 june", told("trip", "25 june"), [], None),
        ("the mid years isn't moved to 25 june", told("exam", "25 june"), [], None),
        ("mid years might get moved to 25 june", told("birthday", "25 june"), [], None),
        ("Tasha's mid years got moved to 25 june", told("birthday", "25 june"), [], None),
        ("the mid play got moved to 25 june", told("play", "25 june"), [], None),
        ("they moved my shift to 25 june, it sucks", told("shift", "25 june"), ["t2"], None),
        ("치과 예약이 12월 12일로 바뀌었어요 그거 때문에 짜증나요", told("병원", "12월 12일"), ["t1"], None),
        ("시험 밀렸어 12월 12일로", told("시험", "12월 12일"), ["t1"], None),
        ("my haircut, it got moved to 25 june", told("haircut", "25 june"), ["t2"], None),
        ("it's moved to 25 june, ugh", told("date", "25 june"), ["t2"], EXAM),
        (
            "yea but they just emailed me, they moved it to 25 june. more time i guess",
            told("exam", "25 june"),
            ["t2"],
            EXAM,
        ),
        ("my haircut is odd, they moved it to 25 june", told("haircut", "25 june"), ["t2"], None),
        ("소개팅 담주 금욜로 밀림", told("약속", "담주 금욜"), [], DATE),
        ("mid years got moved to 25 may", told("exam", "25 may"), [], EXAM),
        ("and i'm moving on 25 june!", told("move", "25 june"), ["t2"], None),
        ("이제 12월 12일에 여행도 가요", told("여행", "12월 12일"), ["t1"], None),
        ("소개팅 7시로 바뀌었어요", told("약속", "7시"), ["t1"], None),
        ("tashas mid years are 25 june still, lucky", told("birthday", "25 june"), [], None),
        ("mid years are 25 june?", told("birthday", "25 june", reading=replace(TELLS, updates=0.0)), [], None),
        ("mid years moved to 25 june", replace(told("exam", "25 june"), tells=0.0, updates=0.0), [], None),
        ("chem got moved to photography", told("hobby", "photography"), [], None),
        ("fair play. well it's been moved, roadworks. 25 june now", told("move", "25 june"), ["t2"], EXAM),
        ("they called about the dentist. it's been moved to 25 june", told("move", "25 june"), ["t2"], None),
        ("미용실 예약했는데. 그거 밀렸어 12월 12일로", told("약속", "12월 12일"), ["t1"], None),
        ("12월 5일이라 했잖아. 근데 그거 밀렸어 12월 12일로", told("생일", "12월 12일"), [], DATE),
        ("so the mid years isn't 3 may, it got moved to 25 june", told("trip", "25 june"), [], EXAM),
    ],
)
def test_the_plan_that_a_message_moves(message: str, reading: Reading, lately: list[str], moved: Memory | None) -> None:
    found = moved_plan(reading, message, [DATE, EXAM], WRITTEN, lately)
    assert (found and found[0]) == moved
    if moved:
        assert found[1] == reading.facts[0].value


def test_two_plans_that_are_spoken_of_alike_and_birthdays_stay() -> None:
    other = plan(3, "exam", "3 july", "t3")
    written = WRITTEN | {3: "mid years end 3 july"}
    reading = told("exam", "25 june")
    assert moved_plan(reading, "mid years moved to 25 june", [EXAM, other], written, []) is None
    for number, key, value in (
        (4, "birthday", "29 june"),
        (5, "daughter", "June"),
        (6, "exam", "29 june, 7pm, hall B"),
    ):
        one = plan(number, key, value, "t2")
        assert moved_plan(reading, "mid years moved to 25 june", [one], {number: WRITTEN[2]}, ["t2"]) is None


def test_of_two_plans_that_were_spoken_of_the_last_one_moves() -> None:
    reading = told("exam", "25 june")
    for lately, moved in ((["t1", "t2"], EXAM), (["t2", "t1"], DATE)):
        assert moved_plan(reading, "they moved it to 25 june", [DATE, EXAM], WRITTEN, lately) == (moved, "25 june")


def test_her_answer_follows_a_plan_that_was_moved_without_being_named(tmp_path) -> None:
    companion = make_companion(tmp_path, llm=ScriptedModel("happy 0.5\nHm.\nmemory: none"))
    read = {
        "12월 5일에 소개팅해요": told("약속", "12월 5일"),
        "근데 그거 밀려서 12월 12일로 바뀌었어요": told("생일", "12월 12일"),
    }
    asks = Reading(0.0, 0.0, 0.0, 1.0, may_ask=True, surely_asks=True)
    companion.reader = type("Reader", (), {"read": staticmethod(lambda message, before="": read.get(message, asks))})()
    for message in read:
        companion.turn(message)
    assert [one.line for one in companion.memories()] == ["약속: 12월 12일"]
    companion.new_conversation()
    reply = companion.turn("소개팅 언제라고 했지?").reply
    assert "12일" in reply and "5일" not in reply


def test_who_is_not_sure_moves_nothing() -> None:
    assert not may_move("i'm not 100% sure but it's been moved to the 5th")
    assert may_move("oh and the surgery got moved, its january 28th now not the 14th.")
