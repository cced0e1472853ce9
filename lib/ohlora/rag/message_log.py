"""What each user wrote to her, word for word: what no reader took for a fact can still be quoted when it is asked for.

Of "putting 50 quid a week away for australia" nothing may have become a memory, and yet "what am I saving for?" has its
answer there, on another day, too. Memories are what she knows of somebody and may speak of by herself; the log is only
searched when something told is asked for, as in LongMemEval (Wu et al. 2024), whose best retrieval is of whole turns.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from sqlite3 import Row

import numpy as np

from ohlora.database import immediate
from ohlora.llm.reply_format import plain_letters
from ohlora.rag.change_wording import tells_of_change
from ohlora.rag.content_words import content_words
from ohlora.rag.database import Clock, open_database, read_clock, to_text, truncate_log, wall_clock
from ohlora.rag.embeddings import Embedder
from ohlora.rag.extraction import holds_instruction
from ohlora.rag.forget_wishes import means_everything
from ohlora.rag.korean_words import morphemes
from ohlora.rag.lexicon import holds_curse
from ohlora.rag.memory import OWN_WORDS, Memory, Recalled
from ohlora.rag.normalisation import detect_language, strip_invisible
from ohlora.rag.relevance import Relevance
from ohlora.rag.sentences import first_clause, sentences_of
from ohlora.rag.somebody_else import asks_about_self, is_of_the_other, tells_of_somebody_else
from ohlora.rag.told_names import is_told_of_another, may_be_the_name, whose_name_is_asked
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

MOST_KEPT = 500  # parts of messages of a user; the oldest go
LONGEST_QUOTE = 120  # characters; a longer message is kept in parts
READ = 20  # messages that lie nearest are read beside the question
QUOTED, ABOUT_THE_SAME, SAME_SUBJECT, LEAST_SHARE = 0.1, 0.85, 0.05, 0.2
"""Relevance from which a message is quoted; part of the highest from which another one answers as well, with so much of
its share; and from which a newer one does that tells of a change and shares a word with the best."""
SURELY_MEANT = 0.8
"""Share from which a message is quoted whatever its relevance: "역사를 가르쳐요" is far from "가르치는 과목이 뭐죠?".
Of 9 such messages in 42 talks of told.jsonl that taught nothing 7 were right."""
MAY_BE_MEANT, SURE_SCORE, SURE_SHARE = 0.2, 0.3, 0.6
"""Share from which a message is quoted; relevance and share from which it surely is what is asked for. On
data/memory/development.jsonl (118 questions) of shares below .2 one of five was right, up to .6 three of ten, above
.8 six of ten; relevance alone does not tell them apart (.44 from .3 to .5, .42 from .7 on)."""
SURE_WORDS = 0.5
"""Probability from which words of a message are said instead of all of it: of 444 of data/memory/told.jsonl that taught
nothing those of 388, .70 of them as marked, letter by letter, .89 longer or shorter (from .8 on 215: .86, .95)."""
SURE_NAME = 0.6  # of a name: "charger murderer" was said of a rabbit (by hand)
NOT_ANSWERED = -1.0
"""Logit of the cross-encoder below which a message, and each sentence of it, leaves a question open. For -2 and whole
messages: of 153 memories that she told back
(questions of data/memory/development.jsonl and of talks of told.jsonl that taught nothing) 39 came from such messages:
one was right, 27 times nothing of the kind had been told. Of the other 114 the words that answer were unsure (10; two
right), others than the value (24; five right) or its own (80; 43 right)."""
RELATED = 0.05  # relevance for a wish to forget from which a message goes with what is forgotten
LITTLE_MORE = 6  # letters that stand beside a value in a mere answer: "it's Pixel"
QUOTED_WHOLE = 40  # characters of a message that is quoted as it is
_GREETS_HER = {"오로라", "오로", "로라", "오로라님", "오로라야", "안녕", "aurora", "lora", "oh", "hi", "hey", "hello"}
AS_NEAR = 2.0  # logits of the cross-encoder by which sentences of one message differ that are quoted together
_I = re.compile(r"\b([iI]|im|[iI]['’]\w+|me|[Mm]y(self)?|mine|[Ww]e|us|[Oo]urs?)\b")
_I_IN_KOREAN = ("나", "저", "내", "제", "우리", "저희")
_SENTENCE_ENDS = re.compile(r"(?<=[.!?？…~ㅋㅎㅠㅜ;\U0001F300-\U0001FAFF])\s+")


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
        self._erase_traces()  # a process that was killed may have left what it deleted

    def add(self, user: str, turn: str, message: str) -> None:
        """Note what somebody wrote; nothing of a mere question, a secret or a curse, and no order to her.

        Args:
            turn: names the turn, see Memory.source_turn.
        """
        if holds_secret(message) or holds_curse(message) or not (texts := _statements(message)):
            return
        said, model = to_text(read_clock(self.clock)), self.embedder.model
        rows = [
            (user, turn, text, said, model, one.tobytes()) for text, one in zip(texts, self._embed(texts), strict=True)
        ]
        with immediate(self._connection):
            self._connection.executemany(
                "INSERT INTO messages(user, turn, text, said, model, vectors) VALUES (?, ?, ?, ?, ?, ?)", rows
            )
            pruned = self._connection.execute(
                "DELETE FROM messages WHERE user = ? AND id <= (SELECT id FROM messages WHERE user = ?"
                " ORDER BY id DESC LIMIT 1 OFFSET ?)",
                (user, user, MOST_KEPT),
            ).rowcount
        if pruned or self._traces:
            self._erase_traces()

    def find(
        self, user: str, question: str, first: bool = False, may_answer: Callable[[Memory], bool] | None = None
    ) -> Recalled | None:
        """The message that answers a question, as a memory in the user's own words; None where none does.

        Of several about the same the newest holds: one that answers about as well as the best, or tells of a change and
        shares a word with it ("changed my bus to the 1st" after "bus leaves the 2nd").

        Args:
            first: the oldest is wanted: what it was before. may_answer: tells which messages count; default: all.
        """
        rows = [row for row in self._rows(user) if not _calls_her_only(row["text"])]
        rows = [row for row in rows if not is_of_the_other(question, row["text"])]
        rows = [row for row in rows if may_answer is None or may_answer(_as_memory(row))]
        if not rows:
            return None
        scores, shares = self._scores(question, rows)
        best = int(scores.argmax())
        if scores[best] < QUOTED:  # it lies far from the question, and may be what is meant all the same
            best = int(shares.argmax())
            meant = _as_memory(rows[best]) if shares[best] >= SURELY_MEANT else None
            return meant and self._quoted(question, meant, float(scores[best]), sure=False)
        subject = content_words(rows[best]["text"])
        same = []
        for number, row in enumerate(rows):
            share = scores[number] / scores[best]
            newer = rows[max(number, best)]["text"]
            changes = share >= SAME_SUBJECT and tells_of_change(newer)
            alike = share >= ABOUT_THE_SAME and shares[number] >= LEAST_SHARE * shares[best]
            if alike or (changes and not subject.isdisjoint(content_words(row["text"]))):
                same.append(number)
        share = float(shares[same].sum())
        if share < MAY_BE_MEANT:
            return None
        sure = bool(scores[best] >= SURE_SCORE and share >= SURE_SHARE)
        return self._quoted(question, _as_memory(rows[same[0] if first else same[-1]]), float(scores[best]), sure)

    def _quoted(self, question: str, meant: Memory, score: float, sure: bool = True) -> Recalled | None:
        part = self._answering_part(question, meant.value)
        found = self.relevance.answering_words(question, part)
        least = SURE_NAME if whose_name_is_asked(question) else SURE_WORDS
        says = found.probability >= least and not _speaks_of_i(found.words)
        words = first_clause(found.words) if says and may_be_the_name(found.words, question) else ""
        if is_told_of_another(words, part, question):
            return None
        of_another = asks_about_self(question) and tells_of_somebody_else(part)
        return Recalled(replace(meant, value=part), score, words, sure and not of_another)

    def _answering_part(self, question: str, text: str) -> str:
        """The sentences of a long message that answer about as well as the best of them, with what is between them.

        Nobody wants to hear all of it read out, and the best alone may leave out what is meant.
        """
        sentences = _SENTENCE_ENDS.split(text)
        if len(text) <= QUOTED_WHOLE or len(sentences) < 2:
            return text
        read = self.relevance.read(question, sentences)
        near = [number for number, score in enumerate(read) if score >= read.max() - AS_NEAR]
        part = " ".join(sentences[near[0] : near[-1] + 1])
        return part if may_be_the_name(part, question) else text

    def telling(self, memory: Memory, question: str) -> Recalled | None:
        """What a user wrote when a memory was told, in own words; None where that is not kept.

        Args:
            question: that it is to answer.
        """
        told = next((_as_memory(row) for row in self._told_in(memory) if memory.value in row["text"]), None)
        return None if told is None else self._quoted(question, told, 1.0)

    def holds_answer(self, memory: Memory, question: str, asks: bool, beside: Sequence[str]) -> bool:
        """Whether what the user wrote in telling a fact answers a question, and with its value.

        "Job: Mochi" was read from "I'll feed Mochi and go to bed", "allergy: epipen" from a message about peanuts. What
        is not kept, or says little more than the value ("Pixel", to who asks for the cat's name), is not doubted.

        Args:
            memory: the fact. asks: the message asks for what was told; else the fact only has to matter to it.
            beside: values of other facts that were told with it under its key.
        """
        texts = [row["text"] for row in self._told_in(memory)]
        value, letters = plain_letters(memory.value), [plain_letters(text) for text in texts]
        if (texts and all(is_of_the_other(question, one) for one in texts)) or not may_be_the_name(
            memory.value, question
        ):
            return False
        if any(is_told_of_another(memory.value, one, question) for one in texts):
            return False
        short = any(value in one and len(one) <= len(value) + LITTLE_MORE for one in letters)
        if not texts or short:
            return True
        telling = [one for text in texts for one in sentences_of(text) if memory.value in one]
        parts = [*dict.fromkeys([*texts, *telling])]
        if float(self.relevance.read(question, parts).max()) < NOT_ANSWERED:
            return False
        if not asks:
            return True
        found = max((self.relevance.answering_words(question, one) for one in parts), key=lambda one: one.probability)
        words = plain_letters(found.words)
        right = any(words in one or one in words for one in [value, *map(plain_letters, beside)])
        return not words or (found.probability >= SURE_WORDS and right)

    def keeps(self, memory: Memory) -> bool:
        """Whether what the user wrote in telling a memory is kept."""
        return bool(self._told_in(memory))

    def told_in(self, memory: Memory) -> str:
        """What the user wrote in telling a memory; "": that is not kept."""
        return " ".join(row["text"] for row in self._told_in(memory))

    def _told_in(self, memory: Memory) -> list[Row]:
        sql = "SELECT * FROM messages WHERE user = ? AND turn = ? ORDER BY id"
        return self._connection.execute(sql, (memory.user, memory.source_turn)).fetchall()

    def messages(self, user: str) -> list[Memory]:
        """What is kept of a user, oldest first, as memories in own words."""
        return [_as_memory(row) for row in self._rows(user)]

    def count(self, user: str) -> int:
        """How many messages of a user are kept; parts of one count once."""
        sql = "SELECT count(DISTINCT turn) FROM messages WHERE user = ?"
        return self._connection.execute(sql, (user,)).fetchone()[0]

    def forget(self, user: str, wish: str = "", memories: Sequence[Memory] = (), turns: Sequence[str] = ()) -> int:
        """Delete what is to be forgotten: rather too much than too little. Returns how many messages went.

        Args:
            wish: the message in which it is asked for; what it is about goes, or everything where it says so.
            memories: that are forgotten; the messages that told them go, and those that hold their values.
            turns: what was written in these goes.
        """
        if wish and means_everything(wish):
            return self.forget_user(user)
        rows = self._rows(user)
        told_in = {*turns, *(one.source_turn for one in memories)}
        gone = {row["id"] for row in rows if row["turn"] in told_in}
        gone |= {row["id"] for row in rows if any(_holds(row["text"], one.value) for one in memories)}
        if wish and rows:
            named = content_words(wish)
            for row, score in zip(rows, self._scores(wish, rows)[0], strict=True):
                if score >= RELATED or named & content_words(row["text"]):
                    gone.add(row["id"])
        self._delete("id = ?", [(identifier,) for identifier in sorted(gone)])
        return len({row["turn"] for row in rows if row["id"] in gone})

    def forget_user(self, user: str) -> int:
        """Delete all messages of a user. Returns how many went."""
        count = self.count(user)
        self._delete("user = ?", [(user,)])
        return count

    def close(self) -> None:
        """Close the file."""
        truncate_log(self._connection)
        self._connection.close()

    def __enter__(self) -> MessageLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _delete(self, condition: str, values: Sequence[tuple]) -> None:
        with immediate(self._connection):
            self._connection.executemany(f"DELETE FROM messages WHERE {condition}", values)
        self._erase_traces()

    def _erase_traces(self) -> None:
        """What is deleted must leave the write-ahead log, too; where somebody reads it, after the next message."""
        self._traces = not truncate_log(self._connection)

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

    def _scores(self, question: str, rows: Sequence[Row]) -> tuple[np.ndarray, np.ndarray]:
        """Relevance of each message, and its share (see Relevance), float32 (n,); 0 for those too far to be read."""
        vectors = np.stack([self._vectors(row) for row in rows])
        query, nothing = self.embedder.embed_queries([question])[0], np.zeros(len(rows), np.float32)
        near = self.relevance.scores(query, vectors, nothing, nothing)
        nearest = np.sort(np.argsort(-near, kind="stable")[:READ])
        read = self._read_by_sentence(question, [rows[number]["text"] for number in nearest])
        scores, shares = nothing.copy(), nothing.copy()
        scores[nearest] = self.relevance.scores(query, vectors[nearest], nothing[nearest], read)
        shares[nearest] = self.relevance.shares(read)
        return scores, shares

    def _read_by_sentence(self, question: str, texts: Sequence[str]) -> np.ndarray:
        """What is read of each text, or of the sentence of it that answers best, float32 (n,).

        Of "제가 불면 강아지 보리가 나가 버립니다" behind a sentence about a saxophone the name was not found.
        """
        parts = [dict.fromkeys([text, *sentences_of(text)]) for text in texts]
        read = iter(self.relevance.read(question, [part for some in parts for part in some]))
        return np.array([max(next(read) for _ in some) for some in parts], np.float32)


def _statements(message: str) -> list[str]:
    """A message in parts of whole sentences of at most LONGEST_QUOTE characters; no orders, nothing if it only asks."""
    lines = (" ".join(strip_invisible(line).split()) for line in message.splitlines())
    sentences = (sentence for line in lines for sentence in _SENTENCE_ENDS.split(line))
    found = [sentence for sentence in sentences if plain_letters(sentence) and not holds_instruction(sentence)]
    if all(sentence.endswith(("?", "？")) for sentence in found) or holds_instruction(" ".join(found)):
        return []
    parts: list[str] = []
    for sentence in (part for one in found for part in textwrap.wrap(one, LONGEST_QUOTE)):
        if parts and len(parts[-1]) + 1 + len(sentence) <= LONGEST_QUOTE:
            parts[-1] += f" {sentence}"
        else:
            parts.append(sentence)
    return parts


def _speaks_of_i(words: str) -> bool:
    """Whether words only make sense if the user says them: "my mum's shop", "나한테 준 시계"."""
    if words.isascii() or _I.search(words):
        return _I.search(words) is not None
    return any(one.tag == "NP" and one.form in _I_IN_KOREAN for one in morphemes(words))


def _calls_her_only(text: str) -> bool:
    """Whether a message names nothing but her, as a greeting does: "오로라님 저 또 왔어요~"."""
    folded = text.casefold()
    if not any(word in folded for word in _GREETS_HER):  # most messages: their nouns need not be looked for
        return False
    return (words := content_words(text)) != set() and words <= _GREETS_HER


def _holds(text: str, value: str) -> bool:
    """Whether a text holds the words of a value: in Latin letters and digits whole words."""
    if value.isascii():
        inside = re.escape(" ".join(value.casefold().split()))
        return re.search(rf"(?<![a-z0-9]){inside}(?![a-z0-9])", " ".join(text.casefold().split())) is not None
    plain = plain_letters(value)
    return len(plain) > 1 and plain in plain_letters(text)


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
