"""What was said in this conversation she quotes, whatever was stored of it."""

from __future__ import annotations

import dataclasses

import pytest
from companion_parts import LetterEmbedder, make_companion

from ohlora.companion.said_before import LONGEST_QUOTE, MOST_SENTENCES, SaidBefore
from ohlora.rag import UNKNOWN_READING, MemoryStore, Reading
from ohlora.rag.relevance import CosineRelevance

ASKS = Reading(0.0, 0.0, 0.0, 1.0, may_ask=True, surely_asks=True)


@pytest.fixture
def store(tmp_path) -> MemoryStore:
    return MemoryStore(tmp_path / "memory.sqlite", LetterEmbedder(), relevance=CosineRelevance())


def test_the_sentence_of_a_memory_is_found_by_its_turn_and_value(store) -> None:
    said = SaidBefore(store)
    said.add("t1", "how are you? my cat Tofu broke a vase. what a day")
    memory = store.add("me", "pet", "cat Tofu", source_turn="t1")
    assert said.source(memory) == "my cat Tofu broke a vase."
    assert said.source(dataclasses.replace(memory, source_turn="another day")) == ""


def test_the_nearest_sentence_is_no_question_no_secret_and_no_curse(store) -> None:
    said = SaidBefore(store)
    assert said.nearest("what topic am I stuck on?") == ""
    said.add("t1", "what topic am I stuck on?")
    said.add("t2", "my password is topic-stuck-123")
    said.add("t4", "I am so fucking stuck on the topic of gradients")
    said.add("t3", "I am stuck on the topic of gradients")
    assert said.nearest("what topic am I stuck on?") == "I am stuck on the topic of gradients"


def test_of_two_sentences_about_the_same_the_newer_one_holds(store) -> None:
    said = SaidBefore(store)
    said.add("t1", "my goal is the silver medal")
    said.add("t2", "my goal is the golden medal")
    said.add("t3", "lovely weather")
    assert said.nearest("what is my goal, which medal?") == "my goal is the golden medal"


def test_it_does_not_grow_without_bound_and_long_sentences_are_not_quoted(store) -> None:
    said = SaidBefore(store)
    for number in range(MOST_SENTENCES + 20):
        said.add(str(number), f"sentence {number}")
        if number % 50 == 0:
            said.nearest("sentence")
    said.add("long", "x" * (LONGEST_QUOTE + 1))
    assert said.nearest("sentence 219").startswith("sentence 2")
    memory = store.add("me", "number", "sentence 3", source_turn="3")
    assert said.source(memory) == "", "the oldest are gone"


class Asking:
    """Takes what ends in a question mark for a question about what was told, "forget" for a wish to forget."""

    def read(self, message: str, before: str = "") -> Reading:
        if "forget" in message:
            return dataclasses.replace(UNKNOWN_READING, forgets=1.0)
        return ASKS if message.endswith("?") else UNKNOWN_READING


NOTHING = "happy 0.5\nAll right.\nmemory: none"


def test_she_quotes_what_she_did_not_store_until_it_is_forgotten(tmp_path) -> None:
    companion = make_companion(tmp_path, NOTHING, reader=Asking())
    companion.turn("after this I go to the bakery")
    assert companion.memories() == []
    assert "after this I go to the bakery" in companion.turn("where do I go after this?").reply
    companion.turn("which bakery do I mean?")
    assert "which" not in companion.turn("what did I mean, which bakery?").reply, "what asks is not quoted"
    companion.turn("forget the bakery")
    assert "bakery" not in companion.turn("where do I go after this?").reply
