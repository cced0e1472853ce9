"""The values of this chapter: a memory, a recalled memory, and what may stand in one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ohlora.rag.normalisation import strip_invisible

OWN_WORDS = {"ko": "한 말", "en": "own words"}
"""Key of what is stored as it was said."""
MAXIMUM_KEY = 60
MAXIMUM_VALUE = 300

_CONTROL_MARKS = (
    "<start_of_turn>",
    "<end_of_turn>",
    "<|",
    "|>",
    "[inst]",
    "[/inst]",
    "<<sys>>",
    "<bos>",
    "<eos>",
    "</s>",
)


@dataclass(frozen=True)
class Memory:
    """One fact about a user, in the user's own words.

    source_turn: id of the turn that it came from. created: UTC. valid_to: when a newer value closed it, or None.
    expires: when a dated plan is over, or None. replaces: id of the memory whose value this one changed.
    """

    id: int
    user: str
    key: str
    value: str
    language: str
    source_turn: str | None
    created: datetime
    valid_to: datetime | None
    expires: datetime | None
    replaces: int | None

    @property
    def is_quoted(self) -> bool:
        """Whether it is the user's own words, not a fact of them."""
        return self.key in OWN_WORDS.values()

    @property
    def line(self) -> str:
        """``key: value``: what is embedded and what the prompt shows. Always one line."""
        return f"{self.key}: {self.value}"


@dataclass(frozen=True)
class Recalled:
    """A memory that matters to a message; score: calibrated probability (0–1) that it does.

    words: of what the user wrote, those that answer the message; "": all of it does. sure: False: something else may be
    meant.
    """

    memory: Memory
    score: float
    words: str = ""
    sure: bool = True


def clean_line(name: str, text: str, maximum: int) -> str:
    """``text`` as one visible line.

    Raises:
        ValueError: empty, longer than ``maximum``, or with marks that a chat template would read as its own.
    """
    line = " ".join(strip_invisible(str(text)).split())
    if not line:
        raise ValueError(f"{name} is empty; allowed: 1 to {maximum} characters")
    if len(line) > maximum:
        raise ValueError(f"{name} has {len(line)} characters; allowed: 1 to {maximum}")
    found = [mark for mark in _CONTROL_MARKS if mark in line.casefold()]
    if found:
        raise ValueError(f"{name}={line[:40]!r} holds {found[0]!r}, which steers a language model; plain words only")
    return line
