"""What is to be remembered: the model's proposal and what the reader of messages found, put together."""

from __future__ import annotations

from companion_parts import make_companion
from hypothesis import given
from hypothesis import strategies as st

from ohlora.llm.reply_format import MemoryOperation
from ohlora.rag import UNKNOWN_READING, Reading, proposed_operations, remember
from ohlora.rag.fact_reader import Fact

NAME, JOB = Fact("name", "Ana", 0.9), Fact("job", "nurse", 0.8, 0.7)


def reading(tells: float = 0.0, forgets: float = 0.0, *facts: Fact, updates: float = 0.0, topic: str = "") -> Reading:
    return Reading(tells, updates, forgets, 0.0, may_ask=False, surely_asks=False, facts=facts, topic=topic)


def add(key: str, value: str) -> MemoryOperation:
    return MemoryOperation("add", key, value)


def test_a_sure_reader_decides_and_the_model_names_what_both_found() -> None:
    assert proposed_operations(reading(0.9, 0.0, NAME), None) == (add("name", "Ana"),)
    assert proposed_operations(reading(0.9, 0.0, NAME), add("mood", "sunny")) == (add("name", "Ana"),)
    assert proposed_operations(reading(0.9, 0.0, NAME, JOB), add("first name", "ana")) == (
        add("name", "Ana"), add("job", "nurse"),
    ), "whose name it is the reader knows better"  # fmt: skip
    assert proposed_operations(reading(0.9, 0.0, JOB), add("work", "nurse")) == (add("work", "nurse"),)
    changed = proposed_operations(reading(0.9, 0.0, JOB, updates=0.6), None)
    assert changed == (MemoryOperation("update", "job", "nurse"),)
    both = proposed_operations(reading(0.9, 0.0, NAME, JOB, updates=0.6), None)
    assert [one.kind for one in both] == ["update", "add"], "one fact of a message changes, not all"
    assert proposed_operations(reading(0.9, 0.0, Fact("job", "the", 0.1)), None) == ()


def test_what_is_under_an_unsure_key_is_stored_as_it_was_said(tmp_path) -> None:
    unsure = Fact("brother", "Gunther", 0.9, 0.24)
    assert proposed_operations(reading(0.9, 0.0, unsure), None) == (add("own words", "Gunther"),)
    assert proposed_operations(reading(0.9, 0.0, unsure), add("car", "Gunther")) == (add("own words", "Gunther"),)
    day = Fact("wedding", "4 December", 0.9, 0.3)
    assert proposed_operations(reading(0.9, 0.0, day), None) == (add("wedding", "4 December"),), "a day may move"
    assert proposed_operations(reading(0.9, 0.0, day), add("show", "4 December")) == (add("show", "4 December"),)
    sure = Fact("crush", "Sam", 0.9, 0.95)
    assert proposed_operations(reading(0.9, 0.0, sure), add("pet", "Sam")) == (add("crush", "Sam"),)

    class Reads:
        def read(self, message: str, before: str = "") -> Reading:
            return reading(0.9, 0.0, unsure, NAME)

    companion = make_companion(tmp_path, reader=Reads())
    told = "i play by mail with a fellow named Gunther. i'm Ana"
    said = "own words: i play by mail with a fellow named Gunther."
    assert companion.turn(told).stored == (said, "name: Ana")
    assert companion.turn(told).stored == (), "once is enough"
    long = "the fellow whom i have played chess by mail with for years, a retired brewer from near the sea, is called "
    stored = companion.turn(f"{long}Gunther and he cheats a little whenever it rains. i'm Ana").stored
    assert len(stored) == 1 and "Gunther" in stored[0] and len(stored[0]) < 140


def test_the_model_is_believed_where_the_reader_thinks_it_possible() -> None:
    assert proposed_operations(reading(0.6), add("mood", "sunny")) == (add("mood", "sunny"),)
    assert proposed_operations(reading(0.4, 0.0, NAME), add("name", "Ana")) == ()
    assert proposed_operations(UNKNOWN_READING, add("name", "Ana")) == (add("name", "Ana"),)


def test_forgetting_needs_a_wish_to_forget() -> None:
    wish = MemoryOperation("forget", "name")
    assert proposed_operations(reading(0.0, 0.05), wish) == ()
    assert proposed_operations(reading(0.9, 0.05, NAME), wish) == (add("name", "Ana"),)
    assert proposed_operations(reading(0.0, 0.6), wish) == (wish,)
    assert proposed_operations(reading(0.0, 0.9, topic="job"), None) == (MemoryOperation("forget", "job"),)
    assert proposed_operations(reading(0.0, 0.9), None) == ()


@given(st.floats(0, 1), st.floats(0, 1), st.text(max_size=40), st.text(max_size=40))
def test_whatever_is_read_can_be_proposed(tells: float, forgets: float, value: str, other: str) -> None:
    facts = (Fact("key", value, 0.9), Fact("key", other, 0.4))
    for one in proposed_operations(reading(tells, forgets, *facts, topic="key"), None):
        assert one.kind in ("add", "forget")


def test_in_a_turn_all_that_was_told_is_stored(tmp_path) -> None:
    class Reads:
        def read(self, message: str, before: str = "") -> Reading:
            tells = 0.9 if "name" in message else 0.0
            return reading(tells, 0.0, NAME, JOB)

    reply = "happy 0.5\nHi!\nmemory: add | mood | sunny"
    companion = make_companion(tmp_path, reply, reader=Reads())
    assert companion.turn("what a sunny day").stored == ()
    assert companion.turn("Ana is my name, I am a nurse").stored == ("name: Ana", "job: nurse")


def test_the_user_reads_what_was_forgotten(tmp_path) -> None:
    class Wish:
        def read(self, message: str, before: str = "") -> Reading:
            return reading(0.0, 0.9, topic="job")

    companion = make_companion(tmp_path, reader=Wish())
    remember(companion.memory, "tester", "I am a nurse", add("job", "nurse"))
    remember(companion.memory, "tester", "I am Ana", add("name", "Ana"))
    assert companion.turn("forget my job").notice == "Forgotten: job: nurse"
    assert [one.line for one in companion.memories()] == ["name: Ana"]
