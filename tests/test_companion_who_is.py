"""Who somebody is whom the user named is told back: what they are, or the message that names them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from companion_parts import make_companion
from hypothesis import given
from hypothesis import strategies as st

from ohlora.companion.who_is import who_is, who_is_asked
from ohlora.rag import Memory
from ohlora.rag.memory import OWN_WORDS


def memory(key: str, value: str) -> Memory:
    return Memory(1, "u", key, value, "en", "t1", datetime(2026, 3, 2, tzinfo=UTC), None, None, None)


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("you do remember who biscotti is yeah?", "biscotti"), ("who is Miguel, do u remember?", "Miguel"),
        ("두부가 누군지는 알지?", "두부"), ("민석이 누구야?", "민석"), ("who's priya again?", "priya"),
        ("who is my crush?", ""), ("who are you", ""), ("who's that?", ""), ("넌 누구야", ""), ("내가 누구게", ""),
        ("나 누군지 기억함?", ""), ("그 사람 누구야", ""), ("who's going?", ""), ("오로라가 누구야", ""), ("", ""),
        ("guess who's late again", ""), ("너 최애 누구야?", ""), ("I forgot who Emma is dating", ""),
        ("너는 누구야?", ""),
    ],
)  # fmt: skip
def test_whom_a_message_asks_for(message: str, name: str) -> None:
    assert who_is_asked(message) == name


def test_what_they_are_is_said_or_the_message_that_names_them() -> None:
    told = [memory(OWN_WORDS["en"], one) for one in ("so Biscotti ate my lasagne", "my greyhound Biscotti leans")]
    assert who_is("biscotti", (), told, "en").words == "your greyhound"
    assert who_is("biscotti", (), told[:1], "en").memory == told[0]
    wrote = memory(OWN_WORDS["en"], "my flatmate priya pretended not to notice")
    assert who_is("priya", [memory("roommate", "priya")], [wrote], "en").words == "your roommate"
    assert who_is("priya", [memory("roommate", "priya")], (), "en").memory.value == "your roommate"
    assert who_is("priya", [memory("name", "priya")], (), "en") is None
    assert who_is("ate", (), [memory(OWN_WORDS["en"], "they date")], "en") is None
    assert who_is("late", (), [memory(OWN_WORDS["en"], "ugh, I was late today")], "en") is None


def test_in_a_talk_she_tells_who_it_is(tmp_path: Path) -> None:
    companion = make_companion(tmp_path, "happy 0.5\nHm.")
    companion.turn("my greyhound Biscotti leans on me")
    assert "your greyhound" in companion.turn("do you remember who Biscotti is?").reply.casefold()


@given(st.text(max_size=100))
def test_any_message_is_read(message: str) -> None:
    assert who_is_asked(message) in message
