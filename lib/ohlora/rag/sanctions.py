"""Who may talk with her, and from when: a ladder of warnings and pauses, per user, in an append-only log."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import yaml

from ohlora.config import DATA
from ohlora.database import immediate
from ohlora.rag.database import Clock, open_database, read_clock, to_text, wall_clock

SCHEMA_VERSION = 1
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_LONGEST_EVIDENCE = 200

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('offence', 'appeal', 'reset')),
    label TEXT,
    created TEXT NOT NULL,
    ends TEXT,
    text TEXT
);;
CREATE INDEX IF NOT EXISTS events_of_user ON events(user, id);;
CREATE TRIGGER IF NOT EXISTS events_are_never_changed BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'the log of sanctions is append-only'); END;;
CREATE TRIGGER IF NOT EXISTS events_are_never_deleted BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'the log of sanctions is append-only'); END
"""


@dataclass(frozen=True)
class Ladder:
    """Steps by class; a step is how long she does not answer, zero for a warning.

    classes: class → steps, never decreasing. any: steps over all classes together. window: how long offences count.
    """

    classes: Mapping[str, tuple[timedelta, ...]]
    any: tuple[timedelta, ...]
    window: timedelta

    def step(self, label: str, of_class: int, of_all: int) -> timedelta:
        """The pause for the n-th offence of a class that is the m-th of all; n and m count from 1."""
        own, together = self.classes[label], self.any
        return max(own[min(of_class, len(own)) - 1], together[min(of_all, len(together)) - 1])


@dataclass(frozen=True)
class Sanction:
    """What an offence led to. count: of this class within the window. ends: None for a warning.

    next_pause: what the next offence of this class would bring (zero: a warning).
    """

    user: str
    label: str
    count: int
    created: datetime
    ends: datetime | None
    next_pause: timedelta

    @property
    def is_warning(self) -> bool:
        """True if she goes on talking."""
        return self.ends is None


@dataclass(frozen=True)
class SanctionEvent:
    """One line of the log; kind: offence, appeal or reset."""

    kind: str
    label: str | None
    created: datetime
    ends: datetime | None
    text: str | None


class SanctionLog:
    """Offences of all users in one SQLite file; rows are only ever added.

    Args:
        path: the file.
        clock: gives the time with its zone.
        ladder: default: ``data/moderation/ladder.yaml``.

    Raises:
        StateError: the file is damaged or from a newer schema; it is left untouched.
    """

    def __init__(self, path: Path | str, clock: Clock = wall_clock, ladder: Ladder | None = None) -> None:
        self.clock = clock
        self.ladder = ladder if ladder is not None else load_ladder()
        self._connection = open_database(path, _SCHEMA, SCHEMA_VERSION, "sanctions")

    def record(self, user: str, label: str, text: str = "") -> Sanction:
        """Write an offence and say what follows from it.

        The lock is taken before the offences are counted, so two windows at once cannot both be the first.

        Args:
            user: who.
            label: class with a ladder.
            text: what was said (its first 200 characters are kept, for an appeal).

        Raises:
            ValueError: the class has no ladder (normal and self_harm never have one), or user is empty.
        """
        if label not in self.ladder.classes:
            raise ValueError(f"label={label!r} has no ladder; allowed: {', '.join(self.ladder.classes)}")
        _require_user(user)
        with immediate(self._connection):
            now = self._now(user)
            since = to_text(now - self.ladder.window)
            sql = "SELECT label FROM events WHERE user = ? AND kind = 'offence' AND created > ? AND id > ?"
            earlier = self._connection.execute(sql, (user, since, self._last_reset_id(user)))
            labels = [row["label"] for row in earlier] + [label]
            of_class = labels.count(label)
            pause = self.ladder.step(label, of_class, len(labels))
            ends = now + pause if pause else None
            self._append(user, "offence", label, now, ends, text[:_LONGEST_EVIDENCE])
        following = self.ladder.step(label, of_class + 1, len(labels) + 1)
        return Sanction(user, label, of_class, now, ends, following)

    def active(self, user: str) -> Sanction | None:
        """The pause that is still running and ends last, or None if the user may talk."""
        now = read_clock(self.clock)
        row = self._connection.execute(
            "SELECT * FROM events WHERE user = ? AND kind = 'offence' AND ends > ? AND id > ?"
            " ORDER BY ends DESC LIMIT 1",
            (user, to_text(now), self._last_reset_id(user)),
        ).fetchone()
        if row is None:
            return None
        ends = datetime.fromisoformat(row["ends"])
        return Sanction(user, row["label"], 0, datetime.fromisoformat(row["created"]), ends, timedelta(0))

    def appeal(self, user: str, text: str) -> None:
        """Note what the user says about a sanction; it changes nothing until the owner resets."""
        _require_user(user)
        with immediate(self._connection):
            self._append(user, "appeal", None, self._now(user), None, text[:1000])

    def reset(self, user: str, reason: str) -> None:
        """The owner forgives: earlier offences no longer count and a running pause ends. The log keeps them."""
        _require_user(user)
        with immediate(self._connection):
            self._append(user, "reset", None, self._now(user), None, reason[:1000])

    def events(self, user: str) -> list[SanctionEvent]:
        """The user's log, oldest first."""
        rows = self._connection.execute("SELECT * FROM events WHERE user = ? ORDER BY id", (user,))
        return [
            SanctionEvent(
                row["kind"],
                row["label"],
                datetime.fromisoformat(row["created"]),
                datetime.fromisoformat(row["ends"]) if row["ends"] else None,
                row["text"],
            )
            for row in rows
        ]

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> SanctionLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _now(self, user: str) -> datetime:
        """The clock, but never before the user's last event: setting a clock back must not undo an offence."""
        row = self._connection.execute("SELECT max(created) AS last FROM events WHERE user = ?", (user,)).fetchone()
        now = read_clock(self.clock)
        return max(now, datetime.fromisoformat(row["last"])) if row["last"] else now

    def _last_reset_id(self, user: str) -> int:
        sql = "SELECT max(id) AS id FROM events WHERE user = ? AND kind = 'reset'"
        return self._connection.execute(sql, (user,)).fetchone()["id"] or 0

    def _append(self, user: str, kind: str, label: str | None, now: datetime, ends: datetime | None, text: str) -> None:
        self._connection.execute(
            "INSERT INTO events(user, kind, label, created, ends, text) VALUES (?, ?, ?, ?, ?, ?)",
            (user, kind, label, to_text(now), to_text(ends) if ends else None, text),
        )


def load_ladder(path: Path = DATA / "moderation" / "ladder.yaml") -> Ladder:
    """Read and check a ladder.

    Raises:
        ValueError: a step that is neither ``warn`` nor a duration like 1h, an empty ladder, or one that gets shorter.
    """
    raw = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    classes = {label: _steps(label, steps) for label, steps in raw["classes"].items()}
    forbidden = {"normal", "self_harm"} & set(classes)
    if forbidden:
        raise ValueError(f"ladder has steps for {sorted(forbidden)}; normal and self_harm are never sanctioned")
    return Ladder(classes, _steps("any", raw["any"]), parse_duration(raw["window"]))


def parse_duration(text: str) -> timedelta:
    """``"30m"``, ``"1h"``, ``"7d"`` → timedelta; ``"warn"`` → zero.

    Raises:
        ValueError: anything else.
    """
    if text == "warn":
        return timedelta(0)
    match = re.fullmatch(r"([1-9]\d*)([mhd])", str(text))
    if not match:
        raise ValueError(f"step={text!r} is unknown; allowed: warn, or a duration such as 30m, 1h, 7d")
    return int(match[1]) * _UNITS[match[2]]


def _steps(label: str, steps: list[str]) -> tuple[timedelta, ...]:
    parsed = tuple(parse_duration(step) for step in steps)
    if not parsed or list(parsed) != sorted(parsed):
        raise ValueError(f"ladder {label}: {steps} must not be empty and must never get shorter")
    return parsed


def _require_user(user: str) -> None:
    if not user.strip():
        raise ValueError("user is empty; give the name that the log keeps for this person")
