"""The reply format: what is written is read back; whatever a model writes, a reply comes out."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohlora.config import DATA
from ohlora.llm.reply_format import (
    EXPRESSIONS,
    GRAMMAR,
    MemoryOperation,
    ReplyFormatError,
    format_reply,
    parse_reply,
    read_partial,
    repair_reply,
    stream_reply,
)

LINE = (
    st.text(st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp"], blacklist_characters="|<>"), min_size=1)
    .map(lambda text: " ".join(text.split()))
    .filter(bool)
)
MEMORY = st.none() | st.builds(MemoryOperation, st.sampled_from(["add", "update"]), LINE, LINE)
MEMORY |= st.builds(MemoryOperation, st.just("forget"), LINE)
PIECES = ["happy", " ", "0.8", "\n", "memory: ", "add | a | b", "안녕", "|"]
INTENSITY = st.integers(1, 10).map(lambda tenths: tenths / 10)


@given(LINE, st.sampled_from(EXPRESSIONS), INTENSITY, MEMORY)
def test_what_is_written_is_read_back(text, expression, intensity, memory) -> None:
    reply = parse_reply(format_reply(text, expression, intensity, memory))
    assert (reply.text, reply.expression, reply.intensity, reply.memory) == (text, expression, intensity, memory)
    assert reply.valid


@given(
    st.text()
    | st.lists(st.sampled_from(["happy", " ", "0.8", "\n", "memory: ", "add | a | b", "안녕", "|"])).map("".join)
)
def test_any_text_becomes_a_reply_and_broken_text_stores_nothing(raw: str) -> None:
    reply = repair_reply(raw)
    assert reply.text and reply.expression in EXPRESSIONS and 0 < reply.intensity <= 1
    assert reply.valid or reply.memory is None
    try:
        assert parse_reply(raw) == reply
    except ReplyFormatError:
        assert not reply.valid


@given(LINE, st.sampled_from(EXPRESSIONS), MEMORY, st.lists(st.integers(1, 9), min_size=1))
def test_the_stream_grows_to_the_reply(text, expression, memory, cuts) -> None:
    raw, pieces, at = format_reply(text, expression, 0.7, memory), [], 0
    while at < len(raw):
        pieces.append(raw[at : at + cuts[len(pieces) % len(cuts)]])
        at += len(pieces[-1])
    items = list(stream_reply(pieces))
    for earlier, later in pairwise(items):
        assert later.text.startswith(earlier.text.rstrip()) and later.expression == expression
    assert items[-1].reply == parse_reply(raw) and items[-1].text == text
    assert all(item.reply is None for item in items[:-1])


def test_the_expression_is_known_before_the_first_word() -> None:
    assert read_partial("surprised 0.9\n").expression == "surprised"
    assert read_partial("surpri").expression is None
    assert read_partial("happy 0.5\n안녕\nmemory: add | 이름").text == "안녕"


@pytest.mark.parametrize(
    ("raw", "part"),
    [
        ("", "three lines"),
        ("smug 0.5\nhi\nmemory: none", "first line"),
        ("happy 0.55\nhi\nmemory: none", "first line"),
        ("happy 0.5\n\nmemory: none", "text"),
        ("happy 0.5\nhi\nmemory none", "last line"),
        ("happy 0.5\nhi\nmemory: add | only a key", "fields"),
        ("happy 0.5\nhi\nmemory: drop | a | b", "kind"),
        ("happy 0.5\nhi <b>\nmemory: none", "text"),
    ],
)
def test_each_defect_is_named(raw: str, part: str) -> None:
    with pytest.raises(ReplyFormatError, match=part):
        parse_reply(raw)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("hi", "smug", 0.5), "smug"),
        (("hi", "happy", 1.5), "1.5"),
        ((" ", "happy", 0.5), "text"),
        (("a | b", "happy", 0.5), "text"),
    ],
)
def test_what_the_format_cannot_hold_is_refused(arguments: tuple, part: str) -> None:
    with pytest.raises(ReplyFormatError, match=part):
        format_reply(*arguments)


def test_forget_takes_a_key_only() -> None:
    assert MemoryOperation("forget", "이름").value == ""
    with pytest.raises(ReplyFormatError, match="key only"):
        MemoryOperation("forget", "이름", "민수")


def test_the_expressions_are_those_of_her_face() -> None:
    table = (DATA / "expressions.yaml").read_text(encoding="utf-8")
    assert all(f"\n{name}:" in table for name in EXPRESSIONS)
    assert all(f'"{name}"' in GRAMMAR for name in EXPRESSIONS)
