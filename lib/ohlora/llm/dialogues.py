"""The dialogues that were written for her: read, checked row by row, split by family, turned into training rows."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ohlora.config import DATA
from ohlora.llm.language import LANGUAGES
from ohlora.llm.prompt import TEMPLATES, Example, build_prompt, start_of
from ohlora.llm.reply_format import MemoryOperation, ReplyFormatError, format_reply

REPLY_LIMIT = {"ko": 120, "en": 220}
"""Longest reply, in characters: she is brief."""

_FIELDS = {
    "id": str,
    "family": str,
    "language": str,
    "history": list,
    "memories": list,
    "now": str,
    "user": str,
    "reply": str,
    "expression": str,
    "intensity": (int, float),
}


class DialogueError(ValueError):
    """A row of data/dialogues breaks the schema; the message says which row and why."""


@dataclass(frozen=True)
class Dialogue:
    """One turn: what came before, what the user says, what she answers.

    family: rows that are wordings of one another share it; the split never cuts through one.
    """

    id: str
    family: str
    language: str
    history: tuple[dict[str, str], ...]
    memories: tuple[str, ...]
    now: datetime
    user: str
    reply: str
    expression: str
    intensity: float
    memory: MemoryOperation | None

    @property
    def messages(self) -> list[dict[str, str]]:
        """History and the user's message, as ``llm.reply`` takes them."""
        return [*self.history, {"role": "user", "content": self.user}]

    def target(self) -> str:
        """What the model should write."""
        return format_reply(self.reply, self.expression, self.intensity, self.memory)

    @property
    def example(self) -> Example:
        """The turn as an example for another one."""
        return Example(self.user, self.expression, self.reply)

    def prompt(
        self, template: str | Callable[[list[dict[str, str]]], str] = "gemma", examples: Sequence[Example] = ()
    ) -> str:
        """What the model reads."""
        return build_prompt(self.messages, self.memories, self.now, template, language=self.language, examples=examples)


def parse_dialogue(row: dict[str, Any]) -> Dialogue:
    """Check one row of a .jsonl file.

    Raises:
        DialogueError: a field is missing, unknown, of another type, or cannot be written in the reply format.
    """
    name = row.get("id", "a row without id")
    wrong = set(row) ^ {*_FIELDS, "memory"}
    if wrong:
        raise DialogueError(f"{name}: fields {sorted(wrong)} are missing or unknown; allowed: {[*_FIELDS, 'memory']}")
    for field, kind in _FIELDS.items():
        if not isinstance(row[field], kind) or (kind is str and not row[field].strip()):
            raise DialogueError(f"{name}: {field}={row[field]!r} must be a non-empty {kind}")
    if row["language"] not in LANGUAGES:
        raise DialogueError(f"{name}: language={row['language']!r} is unknown; allowed: {', '.join(LANGUAGES)}")
    if len(row["reply"]) > REPLY_LIMIT[row["language"]]:
        raise DialogueError(
            f"{name}: the reply has {len(row['reply'])} characters; {REPLY_LIMIT[row['language']]} at most"
        )
    for index, message in enumerate(row["history"]):
        expected = "user" if index % 2 == 0 else "assistant"
        if set(message) != {"role", "content"} or message["role"] != expected:
            raise DialogueError(f"{name}: history[{index}] must have role {expected!r} and content")
    if len(row["history"]) % 2:
        raise DialogueError(f"{name}: history must end with her reply")
    try:
        memory = MemoryOperation(**row["memory"]) if row["memory"] else None
        dialogue = Dialogue(
            **{field: row[field] for field in ("id", "family", "language", "user", "reply", "expression")},
            history=tuple(row["history"]),
            memories=tuple(row["memories"]),
            now=datetime.fromisoformat(row["now"]),
            intensity=float(row["intensity"]),
            memory=memory,
        )
        dialogue.target()
    except (ReplyFormatError, TypeError, ValueError) as error:
        raise DialogueError(f"{name}: {error}") from error
    return dialogue


def load_dialogues(folder: Path | None = None) -> list[Dialogue]:
    """Every row of ``data/dialogues/*.jsonl``, in the order of files and lines.

    Raises:
        DialogueError: no rows, a row that breaks the schema, or an id that occurs twice.
    """
    folder = DATA / "dialogues" if folder is None else Path(folder)
    dialogues = []
    for path in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                dialogues.append(parse_dialogue(json.loads(line)))
            except (json.JSONDecodeError, DialogueError) as error:
                raise DialogueError(f"{path.name}, line {number}: {error}") from error
    if not dialogues:
        raise DialogueError(f"no dialogues: {folder} holds no rows")
    repeated = [name for name, times in Counter(one.id for one in dialogues).items() if times > 1]
    if repeated:
        raise DialogueError(f"ids occur twice: {sorted(repeated)[:5]}")
    return dialogues


def root_family(family: str) -> str:
    """The family without what marks it as more of the same: sad and sad_follow are near, they stay together."""
    return re.sub("_(more|follow)$", "", family)


def is_held_out(dialogue: Dialogue, share: float = 0.12) -> bool:
    """Whether the dialogue's whole family is kept from training; the same on every machine.

    Families of the persona and study files (facts: they cannot be guessed) are never held out; their held-out
    *wordings* stand in data/persona/oh_lora.yaml.
    """
    if dialogue.id.split("-")[0] in ("persona", "study"):
        return False
    return family_is_held_out(dialogue.family, share)


def family_is_held_out(family: str, share: float = 0.12) -> bool:
    """A draw that falls the same way for a family, and what is near to it, on every machine."""
    digest = hashlib.sha256(root_family(family).encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 < share


def split_dialogues(dialogues: Sequence[Dialogue], share: float = 0.12) -> tuple[list[Dialogue], list[Dialogue]]:
    """(training rows, held-out rows), split by family."""
    held_out = [dialogue for dialogue in dialogues if is_held_out(dialogue, share)]
    training = [dialogue for dialogue in dialogues if not is_held_out(dialogue, share)]
    return training, held_out


def training_rows(
    dialogues: Sequence[Dialogue],
    template: str | Callable[[list[dict[str, str]]], str] = "gemma",
    end: str | None = None,
    examples: Mapping[str, Sequence[Example]] | None = None,
) -> list[dict[str, str]]:
    """prompt/completion rows for trl: the loss is computed on the completion only.

    The start token is left to the tokenizer. end: what closes the answer; by default the template's own.
    examples: id of a dialogue → similar ones to show beside it.
    """
    turn = TEMPLATES[template] if isinstance(template, str) else None
    end = end if end is not None else (turn.end if turn else "")
    start = start_of(template)
    return [
        {
            "prompt": dialogue.prompt(template, (examples or {}).get(dialogue.id, ())).removeprefix(start),
            "completion": dialogue.target() + end,
        }
        for dialogue in dialogues
    ]
