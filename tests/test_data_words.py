"""What people wrote for her: the persona, the prompts, the dialogues and the scripted turns keep their promises."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest
import yaml

from ohlora.config import DATA
from ohlora.llm.rules import keeps_language

LONGEST_REPLY = {"ko": 90, "en": 160}
HANGUL = re.compile("[가-힣]")


def bare(text: str) -> str:
    return re.sub(r"\W+", "", text.lower())


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    files = sorted((DATA / "dialogues").glob("*.jsonl"))
    return [json.loads(line) for path in files for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def facts() -> list[dict[str, Any]]:
    return yaml.safe_load((DATA / "persona" / "oh_lora.yaml").read_text(encoding="utf-8"))["facts"]


@pytest.mark.parametrize("language", ["ko", "en"])
def test_held_out_questions_are_never_said_in_the_dialogues(
    rows: list[dict[str, Any]], facts: list[dict[str, Any]], language: str
) -> None:
    said = {bare(text) for row in rows for text in (row["user"], *(turn["content"] for turn in row["history"]))}
    for fact in facts:
        held_out = [question["text"] for question in fact["questions"][language] if question["held_out"]]
        assert len(held_out) >= 2, fact["id"]
        assert not [text for text in held_out if bare(text) in said], fact["id"]
        answer = fact["answer"][language].lower()
        assert any(piece.lower() in answer for piece in fact["answer_contains"][language]), fact["id"]


def test_replies_are_short_and_in_their_language(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        assert len(row["reply"]) <= LONGEST_REPLY[row["language"]], row["id"]
        # A word or two of the other language may stand inside: some users learn it, some mix both.
        assert keeps_language(row["reply"], row["language"]), row["id"]


def test_no_reply_and_no_bare_message_comes_twice(rows: list[dict[str, Any]]) -> None:
    replies = Counter(bare(row["reply"]) for row in rows)
    assert not [text for text, count in replies.items() if count > 1]
    single = [row for row in rows if not row["history"] and not row["memories"]]
    alone = Counter((bare(row["user"]) or row["user"], row["language"]) for row in single)
    assert not [message for message, count in alone.items() if count > 1]


def test_what_is_stored_stands_in_the_message_and_what_changes_was_known(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        operation = row["memory"]
        known = [memory.split(": ")[0] for memory in row["memories"]]
        if not operation:
            continue
        assert (operation["key"] in known) == (operation["kind"] != "add"), row["id"]
        words = re.split(r"[\s,]+", operation["value"].lower())
        missing = [word for word in words if word not in row["user"].lower() and word != "쓰기"]
        assert not missing, (row["id"], missing)


def test_every_expression_is_shown_often_and_most_turns_store_nothing(rows: list[dict[str, Any]]) -> None:
    shown = Counter(row["expression"] for row in rows)
    expressions = yaml.safe_load((DATA / "expressions.yaml").read_text(encoding="utf-8"))
    assert set(shown) == set(expressions) and min(shown.values()) >= 25
    assert all(0.3 <= row["intensity"] <= 1 for row in rows)
    assert sum(row["memory"] is None for row in rows) >= 0.6 * len(rows)


def test_scripted_turns_and_prompts(rows: list[dict[str, Any]]) -> None:
    turns = yaml.safe_load((DATA / "dialogues" / "scripted_turns.yaml").read_text(encoding="utf-8"))
    messages = {bare(row["user"]) for row in rows}
    said = turns["turns"]
    assert len(said) == 12 and not [text for text in said if bare(text) in messages]
    assert sum(bool(HANGUL.search(text)) for text in said) == 6
    for language in ("ko", "en"):
        assert len((DATA / "prompts" / f"system.{language}.txt").read_text(encoding="utf-8").strip()) <= 80
