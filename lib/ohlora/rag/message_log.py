"""What each user wrote to her, word for word: what no reader took for a fact can still be quoted when it is asked for.

Of "putting 50 quid a week away for australia" nothing may have become a memory, and yet "what am I saving for?" has its
answer there, on another day, too. Memories are what she knows of somebody and may speak of by herself; the log is only
searched when something told is asked for, as in LongMemEval (Wu et al. 2024), whose best retrieval is of whole turns.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from sqlite3 import Row

import numpy as np

from ohlora.database import immediate
from ohlora.llm.reply_format import plain_letters
from ohlora.rag.content_words import content_words
from ohlora.rag.database import Clock, open_database, read_clock, to_text, truncate_log, wall_clock
from ohlora.rag.embeddings import Embedder
from ohlora.rag.extraction import holds_instruction
from ohlora.rag.lexicon import holds_curse
from ohlora.rag.memory import OWN_WORDS, Memory, Recalled
from ohlora.rag.normalisation import detect_language, strip_invisible
from ohlora.rag.relevance import Relevance
from ohlora.rag.told_secrets import holds_secret

SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user TEXT NOT NULL,
    turn TEXT NOT NULL,
    text TEXT NOT NULL,
    said TEXT NOT NULL,
    model TEXT NOT NULL,
    vectors BLOB NOT NULL
);;
CREATE INDEX IF NOT EXISTS messages_of_user ON messages(user, id)
"""

MOST_KEPT = 500  # of a user; the oldest go
LONGEST_QUOTE = 120  # characters; a longer message is kept in parts
READ = 20  # messages that lie nearest are read beside the question
QUOTED, ABOUT_THE_SAME, SAME_SUBJECT = 0.1, 0.75, 0.25
"""Relevance from which a message is quoted; share of the highest from which another one answers as well; and where
that is enough, since the two share a word. Chosen on data/memory/development.jsonl (130 questions that ask)."""
RELATED = 0.05  # relevance for a wish to forget from which a message goes with what is forgotten
_SENTENCE_ENDS = re.compile(r"(?<=[.!?…~ㅋㅎㅠㅜ;])\s+|\n+")


class MessageLog:
    """The newest messages of all users in one SQLite file.

    Args:
        path: the file. embedder, relevance: of the memories; they find what is asked for.
        clock: gives the time with its zone.

    What is deleted leaves neither text nor vectors on the disk.

    Raises:
        StateError: the file is damaged or from a newer schema; it is left untouched.
    """

    def __init__(self, path: Path | str, embedder: Embedder, relevance: Relevance, clock: Clock = wall_clock) -> None:
        self.embedder, self.relevance, self.clock = embedder, relevance, clock
        self._connection = open_database(Path(path), SCHEMA, SCHEMA_VERSION, "message")
        truncate_log(self._connection)  # a process that was killed may have left what it deleted

    def add(self, user: str, turn: str, message: str) -> None:
        """Note what somebody wrote; nothing of a mere question, a secret, an order to her or a curse.

        Args:
            turn: names the turn, see Memory.source_turn.
        """
        texts = _statements(message)
        if not texts or holds_secret(message) or holds_instruction(message) or holds_curse(message):
            return
        said, model = to_text(read_clock(self.clock)), self.embedder.model
        rows = [
            (user, turn, text, said, model, one.tobytes()) for text, one in zip(texts, self._embed(texts), strict=True)
        ]
        with immediate(self._connection):
            self._connection.executemany(
                "INSERT INTO messages(user, turn, text, said, model, vectors) VALUES (?, ?, ?, ?, ?, ?)", rows
            )
            self._connection.execute(
                "DELETE FROM messages WHERE user = ? AND id <= (SELECT id FROM messages WHERE user = ?"
                " ORDER BY id DESC LIMIT 1 OFFSET ?)",
                (user, user, MOST_KEPT),
            )

    def find(self, user: str, question: str, first: bool = False) -> Recalled | None:
        """The message that answers a question, as a memory in the user's own words; None where none does.

        Of several about the same the newest holds: one that answers about as well as the best, or less well but shares
        a word with it ("moved my bus to the 1st" beside "bus leaves the 2nd").

        Args:
            first: the oldest is wanted: what it was before.
        """
        rows = self._rows(user)
        if not rows:
            return None
        vectors = np.stack([self._vectors(row) for row in rows])
        scores = self._scores(question, [row["text"] for row in rows], vectors)
        best = int(scores.argmax())
        if scores[best] < QUOTED:
            return None
        subject = content_words(rows[best]["text"])
        same = [
            number
            for number in np.flatnonzero(scores >= SAME_SUBJECT * scores[best])
            if scores[number] >= ABOUT_THE_SAME * scores[best] or subject & content_words(rows[number]["text"])
        ]
        return Recalled(_as_memory(rows[same[0] if first else same[-1]]), float(scores[best]))

    def count(self, user: str) -> int:
        """How many messages of a user are kept."""
        return self._connection.execute("SELECT count(*) FROM messages WHERE user = ?", (user,)).fetchone()[0]

    def forget(self, user: str, wish: str = "", memories: Sequence[Memory] = (), turns: Sequence[str] = ()) -> int:
        """Delete what is to be forgotten: rather too much than too little. Returns how many messages went.

        Args:
            wish: the message in which it is asked for; what it is about goes.
            memories: that are forgotten; the messages that told them go, and those that hold their values.
            turns: what was written in these goes.
        """
        rows = self._rows(user)
        if not rows:
            return 0
        told_in = {*turns, *(one.source_turn for one in memories)}
        values = [value for one in memories if len(value := plain_letters(one.value)) > 1]
        gone = {row["id"] for row in rows if row["turn"] in told_in}
        gone |= {row["id"] for row in rows if any(value in plain_letters(row["text"]) for value in values)}
        if wish:
            named = content_words(wish)
            scores = self._scores(wish, [row["text"] for row in rows], np.stack([self._vectors(row) for row in rows]))
            for row, score in zip(rows, scores, strict=True):
                if score >= RELATED or named & content_words(row["text"]):
                    gone.add(row["id"])
        return self._delete([(identifier,) for identifier in sorted(gone)])

    def forget_user(self, user: str) -> int:
        """Delete all messages of a user. Returns how many went."""
        return self._delete([(row["id"],) for row in self._rows(user)])

    def close(self) -> None:
        """Close the file."""
        truncate_log(self._connection)
        self._connection.close()

    def __enter__(self) -> MessageLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _delete(self, identifiers: Sequence[tuple[int]]) -> int:
        if not identifiers:
            return 0
        with immediate(self._connection):
            self._connection.executemany("DELETE FROM messages WHERE id = ?", identifiers)
        truncate_log(self._connection)
        return len(identifiers)

    def _rows(self, user: str) -> list[Row]:
        """Messages of a user, oldest first; what another model embedded is embedded again."""
        sql = "SELECT * FROM messages WHERE user = ? ORDER BY id"
        rows = self._connection.execute(sql, (user,)).fetchall()
        foreign = [row for row in rows if row["model"] != self.embedder.model]
        if not foreign:
            return rows
        fresh = self._embed([row["text"] for row in foreign])
        with immediate(self._connection):
            self._connection.executemany(
                "UPDATE messages SET model = ?, vectors = ? WHERE id = ?",
                [(self.embedder.model, one.tobytes(), row["id"]) for row, one in zip(foreign, fresh, strict=True)],
            )
        return self._connection.execute(sql, (user,)).fetchall()

    def _embed(self, texts: Sequence[str]) -> np.ndarray:
        """Float32 (n, 2, dimension): of a text that should mean the same, and of one that is looked for."""
        pair = (self.embedder.embed_queries(texts), self.embedder.embed_passages(texts))
        return np.stack(pair, axis=1).astype(np.float32)

    def _vectors(self, row: Row) -> np.ndarray:
        """As line, key and value of a memory, float32 (3, dimension): a message has no key."""
        return np.frombuffer(row["vectors"], np.float32).reshape(2, -1)[[0, 1, 1]]

    def _scores(self, question: str, texts: Sequence[str], vectors: np.ndarray) -> np.ndarray:
        """Relevance of each text, float32 (n,); 0 for those that do not lie near enough to be read."""
        query, nothing = self.embedder.embed_queries([question])[0], np.zeros(len(texts), np.float32)
        near = self.relevance.scores(query, vectors, nothing, nothing)
        nearest = np.sort(np.argsort(-near, kind="stable")[:READ])
        read = self.relevance.read(question, [texts[number] for number in nearest])
        scores = nothing.copy()
        scores[nearest] = self.relevance.scores(query, vectors[nearest], nothing[nearest], read)
        return scores


def _statements(message: str) -> list[str]:
    """A message in parts of whole sentences of at most LONGEST_QUOTE characters; nothing of one that only asks."""
    sentences = list(filter(plain_letters, map(str.strip, _SENTENCE_ENDS.split(strip_invisible(message)))))
    if all(sentence.endswith("?") for sentence in sentences):
        return []
    parts: list[str] = []
    for sentence in sentences:
        if len(sentence) > LONGEST_QUOTE:
            continue
        if parts and len(parts[-1]) + 1 + len(sentence) <= LONGEST_QUOTE:
            parts[-1] += f" {sentence}"
        else:
            parts.append(sentence)
    return parts


def _as_memory(row: Row) -> Memory:
    language = detect_language(row["text"])
    return Memory(
        id=0,
        user=row["user"],
        key=OWN_WORDS[language],
        value=row["text"],
        language=language,
        source_turn=row["turn"],
        created=datetime.fromisoformat(row["said"]),
        valid_to=None,
        expires=None,
        replaces=None,
    )
