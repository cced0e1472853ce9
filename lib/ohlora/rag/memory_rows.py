"""How memories lie in SQLite: the tables, and a row as a Memory."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from ohlora.rag.memory import Memory

SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
    name TEXT PRIMARY KEY,
    revision INTEGER NOT NULL DEFAULT 0
);;
CREATE TABLE IF NOT EXISTS memories (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user TEXT NOT NULL REFERENCES users(name) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    language TEXT NOT NULL,
    source_turn TEXT,
    created TEXT NOT NULL,
    valid_to TEXT,
    expires TEXT,
    replaces INTEGER REFERENCES memories(id) ON DELETE SET NULL,
    model TEXT NOT NULL,
    vectors BLOB NOT NULL
);;
CREATE INDEX IF NOT EXISTS memories_of_user ON memories(user, valid_to)
"""

OPEN = "valid_to IS NULL AND (expires IS NULL OR expires > ?)"
OVER = "valid_to IS NULL AND expires <= ?"
"""Conditions of a memory that holds, and of a plan that is over, at the time that is filled in."""


def memory_of(row: sqlite3.Row) -> Memory:
    """A row of the table memories."""
    return Memory(
        id=row["id"],
        user=row["user"],
        key=row["key"],
        value=row["value"],
        language=row["language"],
        source_turn=row["source_turn"],
        created=datetime.fromisoformat(row["created"]),
        valid_to=datetime.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
        expires=datetime.fromisoformat(row["expires"]) if row["expires"] else None,
        replaces=row["replaces"],
    )
