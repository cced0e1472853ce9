"""Ratings that people give to portraits, kept in SQLite: a dead kernel or a second notebook loses nothing."""

from __future__ import annotations

import operator
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from ohlora.database import immediate

LOWEST, HIGHEST = 1, 5
SCHEMA_VERSION = 1
APPLICATION_ID = 0x4F4C5231  # "OLR1": tells our files from other programs' SQLite files

_SCHEMA = """
CREATE TABLE portrait (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    generator TEXT NOT NULL,
    z BLOB NOT NULL,
    properties BLOB NOT NULL,
    UNIQUE (generator, z, properties)
);
CREATE TABLE rating (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user TEXT NOT NULL,
    portrait_id INTEGER NOT NULL REFERENCES portrait (id),
    rating INTEGER NOT NULL CHECK (rating BETWEEN 1 AND 5),
    rated_at TEXT NOT NULL
);
CREATE INDEX rating_of_user ON rating (user, id);
"""

_SELECT = """
SELECT rating.id, portrait.generator, portrait.z, portrait.properties, rating.rating, rating.rated_at
FROM rating JOIN portrait ON portrait.id = rating.portrait_id
"""


class RatingStoreError(ValueError):
    """A ratings file cannot be used: from a newer schema, or not one of ours. It is left as it was."""


@dataclass(frozen=True, eq=False)
class PortraitRecipe:
    """Everything that makes a portrait again: pictures need not be stored.

    generator: which weights, see recommender.generator_identity. z: float32 (z_dim,). properties: float32
    z-scores for a conditioned generator, or None.
    """

    generator: str
    z: np.ndarray
    properties: np.ndarray | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.generator, str) or not self.generator:
            raise ValueError(f"generator={self.generator!r}; allowed: the name of a generator, not empty")
        for name in ("z", "properties"):
            value = getattr(self, name)
            if value is None and name == "properties":
                continue
            vector = np.array(value, dtype="<f4")
            if vector.ndim != 1 or len(vector) == 0 or not np.isfinite(vector).all():
                raise ValueError(f"{name} has shape {vector.shape}; allowed: one row of finite numbers")
            vector.flags.writeable = False
            object.__setattr__(self, name, vector)

    @property
    def key(self) -> tuple[str, bytes, bytes]:
        """Equal for equal portraits: generator, z, properties (no bytes for None)."""
        return self.generator, self.z.tobytes(), b"" if self.properties is None else self.properties.tobytes()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PortraitRecipe) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


@dataclass(frozen=True)
class Rating:
    """One answer: ``rating`` is 1 (not at all) to 5 (very much); ``rated_at`` in UTC."""

    id: int
    recipe: PortraitRecipe
    rating: int
    rated_at: datetime


class RatingStore:
    """One file of ratings. A portrait may be rated again; every answer is kept, the latest counts.

    Args:
        path: SQLite file, made when absent.
        user: whose ratings; users in one file do not see each other's.
        clock: gives the time, with its zone; for tests.

    Raises:
        RatingStoreError: a newer schema, or another kind of file; the file stays as it is.
    """

    def __init__(
        self, path: Path | str, user: str = "me", clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        if not isinstance(user, str) or not user:
            raise ValueError(f"user={user!r}; allowed: a name, not empty")
        self.path, self.user, self._clock = Path(path), user, clock
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists() and self.path.stat().st_size:
            self._refuse_foreign()
        with self._connect() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            with immediate(connection):
                if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    for statement in filter(str.strip, _SCHEMA.split(";")):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
                    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")

    def add(self, recipe: PortraitRecipe, rating: int) -> Rating:
        """Store an answer.

        Raises:
            ValueError: a rating that is not a whole number from 1 to 5. Nothing is stored.
        """
        rating = _checked(rating)
        rated_at = self._clock().astimezone(UTC)
        with self._connect() as connection, immediate(connection):
            connection.execute(
                "INSERT INTO portrait (generator, z, properties) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", recipe.key
            )
            (portrait,) = connection.execute(
                "SELECT id FROM portrait WHERE generator = ? AND z = ? AND properties = ?", recipe.key
            ).fetchone()
            cursor = connection.execute(
                "INSERT INTO rating (user, portrait_id, rating, rated_at) VALUES (?, ?, ?, ?)",
                (self.user, portrait, rating, rated_at.isoformat()),
            )
        return Rating(cursor.lastrowid, recipe, rating, rated_at)

    def undo(self) -> Rating | None:
        """Take back this user's latest answer and return it; None if there is none."""
        with self._connect() as connection, immediate(connection):
            row = connection.execute(
                f"{_SELECT} WHERE user = ? ORDER BY rating.id DESC LIMIT 1", (self.user,)
            ).fetchone()
            if row is not None:
                connection.execute("DELETE FROM rating WHERE id = ?", (row[0],))
        return None if row is None else _rating(row)

    def all(self, generator: str | None = None) -> list[Rating]:
        """This user's answers, oldest first, repeated ones too; of one generator if it is given."""
        with self._connect() as connection:
            rows = connection.execute(
                f"{_SELECT} WHERE user = ? AND (? IS NULL OR generator = ?) ORDER BY rating.id",
                (self.user, generator, generator),
            ).fetchall()
        return [_rating(row) for row in rows]

    def latest(self, generator: str | None = None) -> list[Rating]:
        """One answer a portrait, the latest: what a predictor learns from."""
        return list({rating.recipe.key: rating for rating in self.all(generator)}.values())

    def resume(self, recipes: Iterable[PortraitRecipe]) -> list[PortraitRecipe]:
        """Those of ``recipes`` that this user has not rated yet, in their order: where rating goes on."""
        rated = {rating.recipe.key for rating in self.all()}
        return [recipe for recipe in recipes if recipe.key not in rated]

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        # One short connection an operation: works from any thread, and a dead kernel holds no lock.
        # isolation_level None: transactions begin where this module says BEGIN, nowhere else.
        with closing(sqlite3.connect(self.path, timeout=10, isolation_level=None)) as connection:
            connection.execute("PRAGMA foreign_keys = ON")
            yield connection

    def _refuse_foreign(self) -> None:
        # Read-only, so that even opening leaves no trace in a file that is not ours.
        uri = f"{self.path.resolve().as_uri()}?mode=ro"
        try:
            with closing(sqlite3.connect(uri, uri=True, timeout=10)) as connection:
                (version,) = connection.execute("PRAGMA user_version").fetchone()
                (application,) = connection.execute("PRAGMA application_id").fetchone()
                (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.DatabaseError as error:
            raise RatingStoreError(
                f"path={self.path} is not a readable ratings file ({error}); left untouched"
            ) from error
        if tables and application != APPLICATION_ID:
            raise RatingStoreError(f"path={self.path} is an SQLite file of something else than ratings; left untouched")
        if version > SCHEMA_VERSION:
            raise RatingStoreError(
                f"path={self.path} has schema version {version}, but this ohlora reads up to {SCHEMA_VERSION}: "
                "update ohlora; left untouched"
            )


def _checked(rating: int) -> int:
    try:
        number = operator.index(rating)
    except TypeError:
        number = None
    if number is None or isinstance(rating, bool) or not LOWEST <= number <= HIGHEST:
        raise ValueError(f"rating={rating!r}; allowed: a whole number from {LOWEST} to {HIGHEST}")
    return number


def _rating(row: tuple) -> Rating:
    identifier, generator, z, properties, rating, rated_at = row
    values = np.frombuffer(properties, dtype="<f4") if properties else None
    recipe = PortraitRecipe(generator, np.frombuffer(z, dtype="<f4"), values)
    return Rating(identifier, recipe, rating, datetime.fromisoformat(rated_at))
