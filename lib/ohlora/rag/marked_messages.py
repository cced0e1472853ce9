"""Messages in which it was marked what is worth remembering or asked for: what the readers of messages learn from.

Five sources: data/memory/messages.*.jsonl (written for this), data/dialogues, the questions of data/memory and of
data/persona, and the talks of data/answers, of which data/memory/told_in_talk.jsonl says what they tell.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ohlora.config import DATA
from ohlora.llm.dialogues import Dialogue, family_is_held_out, root_family
from ohlora.llm.language import LANGUAGES, text_language
from ohlora.llm.reply_format import MemoryOperation

KINDS = ("other", "adds", "updates", "forgets", "asks")
"""What a message does: it tells a fact, a changed fact, asks to forget one, asks for one that was told, or neither."""

_KIND_OF = {"add": "adds", "update": "updates", "forget": "forgets"}
_ASKING = ("recall_", "abstain_", "use_recall_quiz", "use_asked_back", "use_name")
_ABOUT_HER_UNCLEAR = (
    "two_",
    "speech_level_facts",
    "own_",
    "rename_her",
    "bored_",
    "other_ai",
)  # several facts, or a part
_UNCLEAR = ("use_", "user_not_her", "unknown", "history_not_memory", "already_known", "said_again")


@dataclass(frozen=True)
class MarkedMessage:
    """A user's message and what is to be remembered of it.

    before: what she said just before, or "". kind: one of KINDS; None where one could disagree.
    family: messages with one intent share it; no family is on both sides of a split. about_her: the fact of
    data/persona/oh_lora.yaml that it asks for, or ""; None where one could disagree.
    """

    message: str
    before: str
    operations: tuple[MemoryOperation, ...]
    kind: str | None
    family: str
    language: str
    about_her: str | None = ""


@cache
def facts_about_her() -> dict[str, tuple[str, ...]]:
    """Each fact of data/persona/oh_lora.yaml, with the families of data/dialogues that ask for it."""
    content = yaml.safe_load((DATA / "persona" / "oh_lora.yaml").read_text(encoding="utf-8"))
    return {fact["id"]: tuple(fact["families"]) for fact in content["facts"]}


@cache
def fact_of_family() -> dict[str, str]:
    """The fact about her that each family of data/dialogues asks for; families that ask for none are missing."""
    return {family: fact for fact, families in facts_about_her().items() for family in families}


def load_marked_messages() -> list[MarkedMessage]:
    """Every row of data/memory/messages.*.jsonl."""
    return [_read(row) for language in LANGUAGES for row in _rows(DATA / "memory" / f"messages.{language}.jsonl")]


def _read(row: dict[str, Any]) -> MarkedMessage:
    operations = tuple(MemoryOperation(**one) for one in row["memories"])
    kind = _KIND_OF[operations[0].kind] if operations else "asks" if row.get("want") == "asks_told" else "other"
    return MarkedMessage(row["message"], row["before"], operations, kind, row["family"], row["language"])


def messages_of_talks() -> list[MarkedMessage]:
    """The messages of data/answers/wants.jsonl and second_messages.jsonl that stand in a talk.

    What data/memory/told_in_talk.jsonl does not list tells nothing. Those of data/memory/in_talk.jsonl are left out:
    they choose thresholds. A talk is a family, and so is a second message.
    """
    tested = {row["message"] for row in _rows(DATA / "memory" / "in_talk.jsonl")}
    told = {(row["she"], row["message"]): row["memories"] for row in _rows(DATA / "memory" / "told_in_talk.jsonl")}
    wants = [(row, f"talk_{row['talk']}") for row in _rows(DATA / "answers" / "wants.jsonl") if "talk" in row]
    second = _rows(DATA / "answers" / "second_messages.jsonl")
    rows = [*wants, *((row, f"second_message_{number}") for number, row in enumerate(second))]
    # What the rows call "before" is the user's message before; here it is what she said.
    return [
        _read({**row, "before": row["she"], "memories": told.get((row["she"], row["message"]), []), "family": family})
        for row, family in rows
        if row["message"] not in tested
    ]


def _rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


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
        about_her = None if family.startswith(_ABOUT_HER_UNCLEAR) else fact_of_family().get(family, "")
        found.append(MarkedMessage(one.user, before, operations, kind, family, one.language, about_her))
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


def questions_about_her() -> list[MarkedMessage]:
    """The rows of data/persona/questions.jsonl. Those that ask for no fact may do anything else: their kind is open."""
    return [
        MarkedMessage(
            row["message"], "", (), "other" if row["fact"] else None, "about_her", row["language"], row["fact"]
        )
        for row in _rows(DATA / "persona" / "questions.jsonl")
    ]


def asked_in_talks() -> list[MarkedMessage]:
    """The questions of data/memory/told.jsonl and asked.jsonl: most ask for what was told, the others look like it."""
    told = [(one, talk["id"]) for talk in _rows(DATA / "memory" / "told.jsonl") for one in talk["asks"]]
    told += [(one, user["family"]) for user in _rows(DATA / "memory" / "asked.jsonl") for one in user["asks"]]
    return [
        MarkedMessage(
            one["question"], "", (), "asks" if one["asks"] else "other", whose, text_language(one["question"]) or "en"
        )
        for one, whose in told
    ]


def is_held_out(row: MarkedMessage) -> bool:
    """Whether the row's family is kept from training; the same on every machine."""
    return family_is_held_out(row.family)
