"""Labels that people give, kept in SQLite: nothing is lost when a kernel dies or two notebooks are open."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

SCHEMA_VERSION = 1
QUESTIONS = {"gender": ("man", "woman"), "quality": ("bad", "good")}
"""Question → its two answers; the second one is the positive class (1.0) of the CNN."""

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
        with closing(self._connect()) as connection, connection:
            connection.execute(
                "INSERT OR REPLACE INTO label (rater, portrait, question, answer, created_at) VALUES (?, ?, ?, ?, ?)",
                (self.rater, portrait, question, answer, self._clock().isoformat()),
            )

    def undo(self) -> tuple[str, str, str] | None:
        """Take back this rater's latest answer; returns (portrait, question, answer), or None if there is none."""
        with closing(self._connect()) as connection, connection:
            return connection.execute(
                "DELETE FROM label WHERE id = (SELECT max(id) FROM label WHERE rater = ?)"
                " RETURNING portrait, question, answer",
                (self.rater,),
            ).fetchone()

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
        return sqlite3.connect(self.path, timeout=10)

    def _prepare(self, connection: sqlite3.Connection) -> None:
        try:
            connection.execute("BEGIN IMMEDIATE")
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
            connection.commit()
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.DatabaseError as error:
            raise LabelStoreError(f"{self.path} cannot be read as a file of labels: {error}") from error
