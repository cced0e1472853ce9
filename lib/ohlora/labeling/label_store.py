"""Labels that people give, kept in SQLite: nothing is lost when a kernel dies or two notebooks are open."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from sklearn.metrics import cohen_kappa_score

from ohlora.database import immediate

SCHEMA_VERSION = 1
QUESTIONS = {"gender": ("man", "woman"), "quality": ("bad", "good")}
"""Question → its two answers; the second one is the positive class (1.0) of the CNN."""

LEAST_SHARED = 10
"""Portraits that two raters must both have answered before their agreement is computed."""

_SCHEMA = """
CREATE TABLE label (
    id INTEGER PRIMARY KEY,
    rater TEXT NOT NULL,
    portrait TEXT NOT NULL,
    question TEXT NOT NULL,
    answer TEXT NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (rater, portrait, question)
);
CREATE TABLE schema_version (version INTEGER NOT NULL);
"""


class LabelStoreError(RuntimeError):
    """The label file belongs to a newer version of this book, or is not one of its files."""


class LabelStore:
    """One file of labels.

    Args:
        path: SQLite file, made when absent.
        rater: who labels; each rater has one answer per portrait and question.
        clock: gives the time; for tests.

    Raises:
        LabelStoreError: a newer schema, or another kind of file; the file stays as it is.
    """

    def __init__(
        self, path: Path, rater: str = "me", clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.path = Path(path)
        self.rater = rater
        self._clock = clock
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with closing(self._connect()) as connection:
            self._prepare(connection)

    def add(self, portrait: str, question: str, answer: str) -> None:
        """Store an answer; a second answer to the same question replaces the first.

        Raises:
            ValueError: an unknown question or answer, or an empty portrait name.
        """
        if question not in QUESTIONS:
            raise ValueError(f"question={question!r} is unknown; allowed: {', '.join(QUESTIONS)}")
        if answer not in QUESTIONS[question]:
            raise ValueError(f"answer={answer!r} to {question} is unknown; allowed: {', '.join(QUESTIONS[question])}")
        if not portrait:
            raise ValueError("portrait is empty; allowed: the name of a portrait")
        with closing(self._connect()) as connection, immediate(connection):
            connection.execute(
                "INSERT OR REPLACE INTO label (rater, portrait, question, answer, created_at) VALUES (?, ?, ?, ?, ?)",
                (self.rater, portrait, question, answer, self._clock().isoformat()),
            )

    def undo(self) -> tuple[str, str, str] | None:
        """Take back this rater's latest answer; returns (portrait, question, answer), or None if there is none."""
        with closing(self._connect()) as connection, immediate(connection):
            return connection.execute(
                "DELETE FROM label WHERE id = (SELECT max(id) FROM label WHERE rater = ?)"
                " RETURNING portrait, question, answer",
                (self.rater,),
            ).fetchone()

    def raters(self) -> list[str]:
        """Everyone who gave an answer in this file, by name."""
        with closing(self._connect()) as connection:
            return [name for (name,) in connection.execute("SELECT DISTINCT rater FROM label ORDER BY rater")]

    def agreement(self, other: str, question: str, least: int = LEAST_SHARED) -> tuple[float, float, int]:
        """How far this rater and another one agree on a question.

        Returns:
            Cohen's kappa (1960; 1 = always, 0 = no more than by chance), the plain share of equal answers, and the
            number of portraits that both answered.

        Raises:
            ValueError: fewer than ``least`` shared portraits, or both gave one and the same answer to all of them:
                then agreement by chance is certain, and kappa is not defined.
        """
        mine = self.labels(question).set_index("portrait")["answer"]
        theirs = LabelStore(self.path, other, self._clock).labels(question).set_index("portrait")["answer"]
        both = pd.concat([mine.rename("mine"), theirs.rename("theirs")], axis=1, join="inner")
        if len(both) < least:
            raise ValueError(
                f"{self.rater!r} and {other!r} share {len(both)} portraits with an answer to {question}; allowed: at"
                f" least {least} (raters in {self.path.name}: {', '.join(self.raters()) or 'none'})"
            )
        if both.stack().nunique() < 2:
            raise ValueError(
                f"{self.rater!r} and {other!r} said {both.mine.iloc[0]!r} of all {len(both)} shared portraits; kappa"
                " needs both answers: label more, and more varied, portraits"
            )
        kappa = cohen_kappa_score(both.mine, both.theirs)
        return float(kappa), float((both.mine == both.theirs).mean()), len(both)

    def labels(self, question: str | None = None) -> pd.DataFrame:
        """This rater's answers in the order given: columns portrait, question, answer, positive (0 or 1)."""
        with closing(self._connect()) as connection:
            rows = connection.execute(
                "SELECT portrait, question, answer FROM label"
                " WHERE rater = ? AND (? IS NULL OR question = ?) ORDER BY id",
                (self.rater, question, question),
            ).fetchall()
        table = pd.DataFrame(rows, columns=["portrait", "question", "answer"])
        table["positive"] = [float(answer == QUESTIONS[asked][1]) for _, asked, answer in rows]
        return table

    def unanswered(self, portraits: list[str]) -> list[tuple[str, str]]:
        """(portrait, question) pairs that still wait, in the order of ``portraits``: where labelling resumes."""
        table = self.labels()
        given = set(zip(table["portrait"], table["question"], strict=True))
        return [(name, question) for name in portraits for question in QUESTIONS if (name, question) not in given]

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=10, isolation_level=None)

    def _prepare(self, connection: sqlite3.Connection) -> None:
        try:
            with immediate(connection):
                self._make_tables(connection)
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.DatabaseError as error:
            raise LabelStoreError(f"{self.path} cannot be read as a file of labels: {error}") from error

    def _make_tables(self, connection: sqlite3.Connection) -> None:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if tables and "schema_version" not in tables:
            raise LabelStoreError(f"{self.path} is an SQLite file, but not one of labels; choose another path")
        if not tables:
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute("INSERT INTO schema_version VALUES (?)", (SCHEMA_VERSION,))
        (version,) = connection.execute("SELECT max(version) FROM schema_version").fetchone()
        if version > SCHEMA_VERSION:
            raise LabelStoreError(
                f"{self.path} has schema version {version}; this book reads up to {SCHEMA_VERSION}: update the book"
            )
