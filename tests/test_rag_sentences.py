"""Sentences end as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohlora.llm.reply_format import plain_letters
from ohlora.rag.sentences import first_clause, sentences_of


@pytest.mark.parametrize(
    ("message", "sentences"),
    [
        ("맞아 ㅋㅋ 근데 나 졸려", ["맞아 ㅋㅋ", "근데 나 졸려"]),
        ("i miss her 😭 also whats the date", ["i miss her 😭", "also whats the date"]),
        ("my dog 🐕 is old", ["my dog 🐕 is old"]),
        ("hm... ok. \n bye", ["hm...", "ok.", "bye"]),
        ("!!!", []),
    ],
)
def test_laughter_and_new_lines_end_a_sentence_and_a_picture_before_a_new_thought(
    message: str, sentences: list
) -> None:
    assert sentences_of(message) == sentences


@given(st.text(max_size=80))
def test_no_letter_is_lost(message: str) -> None:
    assert plain_letters("".join(sentences_of(message))) == plain_letters(message)


@pytest.mark.parametrize(
    ("words", "clause"),
    [
        ("biscuit hes a beagle", "biscuit"),
        ("elliot, he is 8", "elliot"),
        ("Jaylen and Jordan", "Jaylen and Jordan"),
        ("코딩 독학은 재밌는데 영어는 노잼이야 파이썬", ""),
        ("home and has been teaching Trilobite", ""),
        ("불닭이랑 삼김", "불닭이랑 삼김"),
        ("the one that is red", "the one that is red"),
        ("the cafe where she is working", "the cafe where she is working"),
        ("the day they were married", "the day they were married"),
        ("Before They Are Hanged", "Before They Are Hanged"),
    ],
)
def test_words_of_one_clause_alone_are_said_back(words: str, clause: str) -> None:
    assert first_clause(words) == clause
