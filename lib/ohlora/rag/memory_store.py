"""What Oh-LoRA remembers about each user: SQLite is the truth, a FAISS index per user is a cache of it."""

from __future__ import annotations

import hashlib
import logging
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from ohlora.database import immediate
from ohlora.rag.database import Clock, open_database, read_clock, to_text, truncate_log, wall_clock
from ohlora.rag.embeddings import Embedder
from ohlora.rag.memory import MAXIMUM_KEY, MAXIMUM_VALUE, Memory, Recalled, clean_line
from ohlora.rag.memory_rows import OPEN, OVER, SCHEMA, SCHEMA_VERSION, memory_of
from ohlora.rag.normalisation import check_length, detect_language
from ohlora.rag.relevance import PARTS, Relevance, embed_memories, load_relevance, named_keys
from ohlora.rag.vector_index import IndexStamp, VectorIndex

logger = logging.getLogger(__name__)

CANDIDATES = 20  # nearest memories that are scored for relevance
KEPT_AFTER_END = timedelta(days=7)
"""How long a plan that is over stays stored: shown as over, so that a day that was misread is seen."""


class MemoryStore:
    """Memories of all users in one SQLite file.

    Args:
        path: the file; its index cache lies beside it in ``<name>.index/``.
        embedder: see embeddings.Embedder.
        clock: gives the time with its zone.
        relevance: decides how much a memory matters to a message; default: the one calibrated for the embedder.

    Every writing method is one transaction; ``with store.turn():`` makes several of them one. What is deleted leaves
    neither text nor vectors on the disk. Opening erases plans that have been over for KEPT_AFTER_END.

    Raises:
        StateError: the file is damaged or from a newer schema; it is left untouched.
    """

    def __init__(
        self, path: Path | str, embedder: Embedder, clock: Clock = wall_clock, relevance: Relevance | None = None
    ) -> None:
        self.path = Path(path)
        self.embedder = embedder
        self.clock = clock
        self.relevance = relevance if relevance is not None else load_relevance(embedder)
        self._connection = open_database(self.path, SCHEMA, SCHEMA_VERSION, "memory")
        self._indexes: dict[str, VectorIndex] = {}
        self._in_turn = False
        self._forgetting: set[str] = set()  # users of whom something was deleted, until its traces are gone, too
        truncate_log(self._connection)  # a process that was killed may have left what it deleted
        try:
            self.purge_expired()
        except sqlite3.Error:
            logger.exception("plans that are over were not erased from %s", self.path)

    # --- writing -------------------------------------------------------------------------------------------------

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Everything written inside is committed together, or not at all."""
        if self._in_turn:
            yield
            return
        self._in_turn = True
        try:
            with immediate(self._connection):
                yield
        except BaseException:
            self._indexes.clear()  # they may hold what was rolled back
            raise
        finally:
            self._in_turn = False
        self._erase_traces()

    def add(
        self,
        user: str,
        key: str,
        value: str,
        source_turn: str | None = None,
        language: str | None = None,
        expires: datetime | None = None,
    ) -> Memory:
        """Store a fact. The same key and value again gives back the memory that is there.

        Args:
            user: name of the user.
            key: what the fact is about, one line, e.g. ``"좋아하는 음식"``.
            value: the fact in the user's words, one line.
            source_turn: id of the turn that it came from.
            language: ``"ko"`` or ``"en"``; default: detected from the value.
            expires: when a dated plan is over, with its zone; default: it holds until it is changed.

        Raises:
            ValueError: user, key or value is empty, too long or holds a model's control marks.
        """
        return self._insert(user, key, value, source_turn, language, expires, replaces=None)

    def update(
        self,
        user: str,
        memory_id: int,
        value: str,
        source_turn: str | None = None,
        language: str | None = None,
        expires: datetime | None = None,
    ) -> Memory:
        """A fact changed: the old memory is closed (valid_to = now) and a new one with the same key replaces it.

        Raises:
            ValueError: the user has no open memory of that id; or as for add.
        """
        with self.turn():
            old = self._open_memory(user, memory_id)
            if old.value == clean_line("value", value, MAXIMUM_VALUE):
                return old
            closed = to_text(read_clock(self.clock))
            self._connection.execute("UPDATE memories SET valid_to = ? WHERE id = ?", (closed, memory_id))
            self._advance(user, removed=memory_id)
            return self._insert(user, old.key, value, source_turn, language, expires, replaces=memory_id)

    def delete(self, user: str, memory_id: int) -> int:
        """Forget a fact for good, with the older values that it replaced. Returns how many rows went.

        Args:
            user: whose. memory_id: of any stored memory: one that holds, a plan that is over, or an older value.

        Raises:
            ValueError: the user has no memory of that id.
        """
        with self.turn():
            sql = "SELECT id FROM memories WHERE user = ? AND id = ?"
            row = self._connection.execute(sql, (user, int(memory_id))).fetchone()
            if row is None:
                raise ValueError(f"memory_id={memory_id!r}: user {user!r} has no such memory; see store.history(user)")
            current, count = row["id"], 0
            while current is not None:
                row = self._connection.execute("SELECT replaces FROM memories WHERE id = ?", (current,)).fetchone()
                self._connection.execute("DELETE FROM memories WHERE id = ?", (current,))
                current, count = row["replaces"], count + 1
            self._advance(user, removed=memory_id)
            self._forgetting.add(user)
        return count

    def forget_user(self, user: str) -> int:
        """Forget everything about a user, the name and the index cache included. Returns how many memories went."""
        with self.turn():
            count = self._connection.execute("DELETE FROM memories WHERE user = ?", (user,)).rowcount
            self._connection.execute("DELETE FROM users WHERE name = ?", (user,))
            self._indexes.pop(user, None)
            self._forgetting.add(user)
        return count

    def purge_expired(self) -> int:
        """Erase every user's plans that have been over for KEPT_AFTER_END. Returns how many rows went."""
        limit = to_text(read_clock(self.clock) - KEPT_AFTER_END)
        rows = self._connection.execute(f"SELECT user, id FROM memories WHERE {OVER}", (limit,)).fetchall()
        if not rows:
            return 0
        with self.turn():
            return sum(self.delete(row["user"], row["id"]) for row in rows)

    # --- reading -------------------------------------------------------------------------------------------------

    def search(
        self, user: str, message: str, count: int = 3, threshold: float | None = None, asked: bool = False
    ) -> list[Recalled]:
        """The memories that matter to a message, best first; often none (abstention).

        The nearest memories by cosine are scored by ``relevance``; those below its threshold are left out.

        Args:
            user: whose memories.
            message: question or statement, 1–4,000 characters.
            count: at most so many.
            threshold: probability; default: the calibrated one. 0 gives the nearest whatever their score.
            asked: the message asks for something that the user told: other threshold.
        """
        check_length(message)
        if count < 1:
            raise ValueError(f"count={count}; it must be 1 or more")
        index = self._index(user)
        if len(index) == 0:
            return []
        query = self.embedder.embed_queries([message])[0]
        nearest = index.search(query, max(CANDIDATES, count) + self._count_expired(user))
        now = to_text(read_clock(self.clock))
        marks = ",".join("?" * len(nearest))
        rows = self._connection.execute(
            f"SELECT * FROM memories WHERE user = ? AND {OPEN} AND id IN ({marks})",
            (user, now, *(i for i, _ in nearest)),
        ).fetchall()
        if not rows:
            return []
        named = named_keys(message, [row["key"] for row in rows])
        read = self.relevance.read(message, [memory_of(row).line for row in rows])
        scores = self.relevance.scores(query, np.stack([self._vectors(row) for row in rows]), named, read)
        calibrated = self.relevance.asked_threshold if asked else self.relevance.threshold
        limit = calibrated if threshold is None else threshold
        ranked = sorted(zip(rows, scores, strict=True), key=lambda item: -item[1])
        return [Recalled(memory_of(row), float(score)) for row, score in ranked[:count] if score >= limit]

    def memories(self, user: str) -> list[Memory]:
        """What holds now, oldest first."""
        return self._select(user, only_open=True)

    def expired(self, user: str) -> list[Memory]:
        """Plans that are over and still stored, oldest first: never recalled, but they can be deleted."""
        now = to_text(read_clock(self.clock))
        sql = f"SELECT * FROM memories WHERE user = ? AND {OVER} ORDER BY id"
        return [memory_of(row) for row in self._connection.execute(sql, (user, now))]

    def find_key(self, user: str, key: str) -> list[Memory]:
        """Open memories whose key is the same up to spaces and letter case."""
        wanted = "".join(key.split()).casefold()
        return [memory for memory in self.memories(user) if "".join(memory.key.split()).casefold() == wanted]

    def history(self, user: str, key: str | None = None) -> list[Memory]:
        """Everything that was ever stored and not forgotten, closed values included, oldest first."""
        return [memory for memory in self._select(user, only_open=False) if key is None or memory.key == key]

    def replaced_by(self, memory: Memory) -> list[Memory]:
        """The older values of a fact, which this memory and those before it closed; newest first."""
        by_id = {one.id: one for one in self.history(memory.user, memory.key)}
        found = []
        while (memory := by_id.get(memory.replaces)) is not None:
            found.append(memory)
        return found

    def export(self, user: str) -> list[dict]:
        """The history as plain values, ready for JSON: what the user may ask for."""
        rows = [asdict(memory) for memory in self.history(user)]
        for row in rows:
            row["created"] = row["created"].isoformat()
            for name in ("valid_to", "expires"):
                row[name] = row[name].isoformat() if row[name] else None
        return rows

    def vectors(self, user: str, part: str = "line") -> tuple[list[Memory], np.ndarray]:
        """Open memories and their unit vectors, float32 (n, dimension).

        Args:
            user: whose.
            part: what was embedded: ``"line"``, ``"key"`` or ``"value"``.
        """
        self._index(user)  # embeds again what another model embedded
        memories = self.memories(user)
        rows = self._connection.execute("SELECT id, vectors FROM memories WHERE user = ?", (user,)).fetchall()
        chosen = {row["id"]: self._vectors(row)[PARTS.index(part)] for row in rows}
        return memories, np.array([chosen[memory.id] for memory in memories]).reshape(-1, self.embedder.dimension)

    def close(self) -> None:
        """Write the index caches and close the file."""
        self._erase_traces()
        self._forgetting.clear()
        for user, index in self._indexes.items():
            if len(index) and index.stamp.revision == self._revision(user):  # else it may hold what is forgotten
                index.save(self._cache_path(user))
        self._indexes.clear()
        self._connection.close()

    def __enter__(self) -> MemoryStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- inside --------------------------------------------------------------------------------------------------

    def _insert(self, user, key, value, source_turn, language, expires, replaces) -> Memory:
        user = clean_line("user", user, 100)
        key = clean_line("key", key, MAXIMUM_KEY)
        value = clean_line("value", value, MAXIMUM_VALUE)
        language = language or detect_language(value)
        vectors = embed_memories(self.embedder, [(key, value)])[0]
        created = to_text(read_clock(self.clock))
        with self.turn():
            # No revision comes twice, not even after forget_user: another process may hold an index of the first.
            first = secrets.randbits(48)
            self._connection.execute("INSERT OR IGNORE INTO users(name, revision) VALUES (?, ?)", (user, first))
            same = [memory for memory in self.find_key(user, key) if memory.value == value]
            if same:
                return same[0]
            cursor = self._connection.execute(
                "INSERT INTO memories"
                "(user, key, value, language, source_turn, created, expires, replaces, model, vectors)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (user, key, value, language, source_turn, created, to_text(expires) if expires else None, replaces,
                 self.embedder.model, vectors.tobytes()),
            )  # fmt: skip
            self._advance(user, added=(cursor.lastrowid, vectors[0]))
            return self._by_id(cursor.lastrowid)

    def _vectors(self, row) -> np.ndarray:
        """Stored vectors of a row, float32 (3, dimension)."""
        return np.frombuffer(row["vectors"], np.float32).reshape(len(PARTS), -1)

    def _by_id(self, memory_id: int) -> Memory:
        return memory_of(self._connection.execute("SELECT * FROM memories WHERE id = ?", (memory_id,)).fetchone())

    def _open_memory(self, user: str, memory_id: int) -> Memory:
        for memory in self.memories(user):
            if memory.id == memory_id:
                return memory
        raise ValueError(f"memory_id={memory_id!r}: user {user!r} has no such open memory; see store.memories(user)")

    def _select(self, user: str, only_open: bool) -> list[Memory]:
        sql = "SELECT * FROM memories WHERE user = ?"
        if not only_open:
            return [memory_of(row) for row in self._connection.execute(f"{sql} ORDER BY id", (user,))]
        now = to_text(read_clock(self.clock))
        return [memory_of(row) for row in self._connection.execute(f"{sql} AND {OPEN} ORDER BY id", (user, now))]

    def _count_expired(self, user: str) -> int:
        """Plans that are over may still be in the index: they must not push out the others."""
        now = to_text(read_clock(self.clock))
        sql = f"SELECT count(*) FROM memories WHERE user = ? AND {OVER}"
        return int(self._connection.execute(sql, (user, now)).fetchone()[0])

    def _erase_traces(self) -> None:
        """After a deletion is committed: what the log and the index caches still hold of it."""
        for user in self._forgetting:
            cache = self._cache_path(user)
            for path in cache.parent.glob(f"{cache.stem}*"):  # one that was being written when a process died, too
                path.unlink(missing_ok=True)
        if self._forgetting and truncate_log(self._connection):
            self._forgetting.clear()

    def _advance(self, user: str, added: tuple[int, np.ndarray] | None = None, removed: int | None = None) -> None:
        """Count one write and keep the index in step with it."""
        before = self._revision(user)
        self._connection.execute("UPDATE users SET revision = revision + 1 WHERE name = ?", (user,))
        index = self._indexes.get(user)
        if index is None or index.stamp.revision != before:
            return
        if removed is not None:
            index.remove([removed])
        if added is not None:
            index.add([added[0]], added[1].reshape(1, -1))
        index.stamp = self._stamp(before + 1)

    def _revision(self, user: str) -> int:
        row = self._connection.execute("SELECT revision FROM users WHERE name = ?", (user,)).fetchone()
        return int(row["revision"]) if row else 0

    def _stamp(self, revision: int) -> IndexStamp:
        return IndexStamp(self.embedder.model, self.embedder.dimension, SCHEMA_VERSION, revision)

    def _cache_path(self, user: str) -> Path:
        name = hashlib.sha256(user.encode("utf-8")).hexdigest()[:24]
        return self.path.with_name(self.path.name + ".index") / f"{name}.npz"

    def _index(self, user: str) -> VectorIndex:
        stamp = self._stamp(self._revision(user))
        index = self._indexes.get(user)
        if index is None or index.stamp != stamp:
            index = VectorIndex.load(self._cache_path(user), stamp) or self._rebuild(user)
            self._indexes[user] = index
        return index

    def _rebuild(self, user: str) -> VectorIndex:
        """The index from SQLite; memories embedded by another model are embedded again."""
        with self.turn():
            now = to_text(read_clock(self.clock))
            sql = f"SELECT id, key, value, model, vectors FROM memories WHERE user = ? AND {OPEN}"
            rows = self._connection.execute(sql, (user, now)).fetchall()
            foreign = [row for row in rows if row["model"] != self.embedder.model]
            fresh = embed_memories(self.embedder, [(row["key"], row["value"]) for row in foreign])
            self._connection.executemany(
                "UPDATE memories SET model = ?, vectors = ? WHERE id = ?",
                [(self.embedder.model, new.tobytes(), row["id"]) for row, new in zip(foreign, fresh, strict=True)],
            )
            replaced = {row["id"]: new[0] for row, new in zip(foreign, fresh, strict=True)}
            index = VectorIndex(self._stamp(self._revision(user)))
        vectors = [replaced[row["id"]] if row["id"] in replaced else self._vectors(row)[0] for row in rows]
        index.add([row["id"] for row in rows], np.array(vectors, np.float32).reshape(-1, self.embedder.dimension))
        if len(index) and not self._in_turn:
            index.save(self._cache_path(user))
        return index
