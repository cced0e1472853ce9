"""Sentences end as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohlora.llm.reply_format import plain_letters
from ohlora.rag.sentences import sentences_of


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
