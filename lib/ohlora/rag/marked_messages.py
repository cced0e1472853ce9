"""Messages in which somebody marked what is worth remembering: what the reader of facts learns from.

Three sources: data/memory/messages.*.jsonl (written for this), data/dialogues, and the questions of data/memory.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ohlora.config import DATA
from ohlora.llm.dialogues import Dialogue, family_is_held_out, root_family
from ohlora.llm.language import LANGUAGES
from ohlora.llm.reply_format import MemoryOperation

KINDS = ("other", "adds", "updates", "forgets", "asks")
"""What a message does: it tells a fact, a changed fact, asks to forget one, asks for one that was told, or neither."""

_KIND_OF = {"add": "adds", "update": "updates", "forget": "forgets"}
_ASKING = ("recall_", "abstain_", "use_recall_quiz", "use_asked_back", "use_name")
_UNCLEAR = ("use_", "user_not_her", "unknown", "history_not_memory", "already_known", "said_again")


@dataclass(frozen=True)
class MarkedMessage:
    """A user's message and what is to be remembered of it.

    before: what she said just before, or "". kind: one of KINDS; None where people would disagree.
    family: messages with one intent share it; no family is on both sides of a split.
    """

    message: str
    before: str
    operations: tuple[MemoryOperation, ...]
    kind: str | None
    family: str
    language: str


def load_marked_messages() -> list[MarkedMessage]:
    """Every row of data/memory/messages.*.jsonl."""
    found = []
    for language in LANGUAGES:
        with (DATA / "memory" / f"messages.{language}.jsonl").open(encoding="utf-8") as file:
            found += [_read(json.loads(line)) for line in file]
    return found


def _read(row: dict[str, Any]) -> MarkedMessage:
    operations = tuple(MemoryOperation(**one) for one in row["memories"])
    kind = _KIND_OF[operations[0].kind] if operations else "other"
    return MarkedMessage(row["message"], row["before"], operations, kind, row["family"], row["language"])


def messages_of_dialogues(dialogues: Sequence[Dialogue]) -> list[MarkedMessage]:
    """The user's side of dialogues. Where a memory helps, but is not asked for, the kind is unclear."""
    found = []
    for one in dialogues:
        family = root_family(one.family)
        before = one.history[-1]["content"] if one.history else ""
        operations = (one.memory,) if one.memory else ()
        if operations:
            kind = _KIND_OF[operations[0].kind]
        elif family.startswith(_ASKING):
            kind = "asks"
        else:
            kind = None if family.startswith(_UNCLEAR) else "other"
        found.append(MarkedMessage(one.user, before, operations, kind, family, one.language))
    return found


def memory_questions(people: Sequence[dict[str, Any]]) -> list[MarkedMessage]:
    """The questions of data/memory: each asks for a fact, or tells and asks nothing of the kind."""
    return [
        MarkedMessage(
            question["question"], "", (), "asks" if question["asks"] else "other", person["id"], person["language"]
        )
        for person in people
        for question in person["questions"]
    ]


def is_held_out(row: MarkedMessage) -> bool:
    """Whether the row's family is kept from training; the same on every machine."""
    return family_is_held_out(row.family)
