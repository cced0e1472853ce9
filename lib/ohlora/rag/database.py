"""Opening SQLite the same careful way for memories, messages and sanctions."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from ohlora.database import immediate

LOG_PATIENCE = 500  # milliseconds that emptying the log waits for readers: a person has clicked and is waiting, too

Clock = Callable[[], datetime]
"""Gives the time, with its zone; tests and notebooks pass their own."""


class StateError(RuntimeError):
    """A file of stored state cannot be used; it is left as it was."""


def wall_clock() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


def read_clock(clock: Clock) -> datetime:
    """The clock's time in UTC.

    Raises:
        ValueError: the clock gives a time without a zone.
    """
    moment = clock()
    if moment.tzinfo is None:
        raise ValueError(f"clock() gave {moment.isoformat()} without a time zone; give e.g. datetime.now(UTC)")
    return moment.astimezone(UTC)


def to_text(moment: datetime) -> str:
    """UTC time as text that sorts as time does, e.g. ``2026-03-02T21:10:00.000000+00:00``."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def open_database(path: Path | str, schema: str, version: int, what: str) -> sqlite3.Connection:
    """Open or create a SQLite file with WAL, foreign keys and a checked schema version.

    Args:
        path: file; its folder is made.
        schema: statements that create the tables (``CREATE … IF NOT EXISTS``).
        version: schema version that this code writes (SQLite's ``user_version``).
        what: what the file holds, for messages, e.g. ``"memory"``.

    Raises:
        StateError: the file is no SQLite database, or from a newer version. The file is untouched.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size:
        _refuse_unreadable(path, version, what)
    # isolation_level None: transactions begin where this package says BEGIN, nowhere else.
    connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # a committed turn survives a power cut, too
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")  # what is forgotten is overwritten
    with immediate(connection):
        for statement in schema.split(";;"):
            if statement.strip():
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {int(version)}")
    return connection


def truncate_log(connection: sqlite3.Connection) -> bool:
    """Move the write-ahead log into the file and empty it: until then it holds older pages, deleted text included.

    Returns:
        False where it could not be emptied because the file is in use elsewhere; what is committed is safe anyway.
    """
    patience = connection.execute("PRAGMA busy_timeout").fetchone()[0]
    connection.execute(f"PRAGMA busy_timeout = {LOG_PATIENCE}")
    try:
        return connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    except sqlite3.OperationalError:  # another thread reads with this connection
        return False
    finally:
        connection.execute(f"PRAGMA busy_timeout = {patience}")


def _refuse_unreadable(path: Path, version: int, what: str) -> None:
    # Read-only, so that even opening leaves no trace in a file that is not ours.
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=30)
        try:
            found = connection.execute("PRAGMA user_version").fetchone()[0]
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        raise StateError(
            f"{what} file {path} is not a readable SQLite database ({error}); it was left untouched"
        ) from error
    if found > version:
        raise StateError(
            f"{what} file {path} has schema version {found}, but this ohlora knows only up to {version}; "
            "update ohlora to open it; it was left untouched"
        )
