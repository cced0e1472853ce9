"""What one turn of the conversation is: its result, its progress, its timings."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

Outcome = Literal["answered", "stopped", "refused", "asked", "warned", "blocked", "cared", "withheld", "failed"]

STAGES = ("sanction", "moderate", "recall", "generate", "moderate_reply", "remember", "portrait")
"""Stages of a turn, in their order; timings also holds ``first_words`` and ``total``."""


class BusyError(RuntimeError):
    """She is answering, so this cannot be done now; the sentence is for the user."""


@dataclass(frozen=True)
class Turn:
    """One message of the user and what came of it.

    message: what the user wrote, never lost. reply: what she said; empty when she said nothing.
    expression, intensity: her face, a name of data/expressions.yaml and 0 … 1.
    portrait: uint8 (size, size, 3), or None when nothing could be painted yet.
    properties: the seven requested values of that portrait in z-units.
    recalled: memories ("key: value") that she was given, and what she quotes of the user's. stored: memories that this
    turn wrote.
    notice: sentences about the chat itself (a warning, a limit, a failure), or None.
    timings: stage → seconds; ``first_words`` counts from the start of the turn to the first shown text.
    outcome: answered; stopped by the user; refused (empty, too long, busy); asked whether it was meant so, where
    a second message may be abuse; warned or blocked by moderation; cared (somebody may be in danger from themselves:
    help is named, nothing is punished); withheld (her reply broke the rules); failed (a part did not work).
    """

    message: str
    reply: str
    expression: str
    portrait: np.ndarray | None
    recalled: tuple[str, ...] = ()
    stored: tuple[str, ...] = ()
    notice: str | None = None
    timings: dict[str, float] = field(default_factory=dict)
    intensity: float = 0.0
    properties: dict[str, float] = field(default_factory=dict)
    outcome: Outcome = "answered"

    @property
    def message_is_free(self) -> bool:
        """Whether the message still waits for an answer and should go back into the text box."""
        return self.outcome in ("refused", "failed")


@dataclass(frozen=True)
class TurnProgress:
    """What can be shown already: her expression comes first, then text that has passed moderation."""

    text: str
    expression: str
    intensity: float


OnProgress = Callable[[TurnProgress], None]


class Stopwatch:
    """Seconds by stage; a stage that is entered again adds to its time."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time spent inside to ``name``."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began

    def mark(self, name: str) -> None:
        """Note the time since the start of the turn under ``name``, the first time only."""
        self.seconds.setdefault(name, time.perf_counter() - self._began)


def finished_sentences(text: str) -> str:
    """The part of a growing text that ends with a finished sentence.

    Moderation judges sentences, not half words; so text is released a sentence at a time.
    """
    ends = [index + 1 for index, letter in enumerate(text) if letter in ".!?~…。\n"]
    # The last mark may be the first of several ("?!", "..."): wait for what follows it.
    closed = [end for end in ends if end < len(text) and text[end].isspace()]
    return text[: closed[-1]] if closed else ""
