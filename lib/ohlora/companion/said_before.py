"""What the user said in this conversation, to be quoted: the sentence tells more than what was stored of it.

Of "my cat Tofu broke a vase" the store may keep a word too few, or nothing. Asked for it in the same conversation, she
quotes the sentence. It is not kept: another day only what is stored is known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from ohlora.llm.reply_format import plain_letters
from ohlora.rag import Memory, MemoryStore
from ohlora.rag.extraction import holds_instruction, holds_secret
from ohlora.rag.lexicon import holds_curse

MOST_SENTENCES = 200  # of a conversation; older ones are not searched
LONGEST_QUOTE = 90  # characters
READ = 20  # sentences that lie nearest are read beside the question
QUOTED, ABOUT_THE_SAME = 0.05, 0.9
"""Relevance from which a sentence is quoted, and share of the highest from which a later one is: of what was said about
the same the newest holds. Low, as people who ask mostly told it: of 121 such questions in 600 talks the answer had been
given in 119. On these the quoted sentence is the right one in .538, before the cross-encoder (from .2, .6 of the
highest) in .403; on held-out talks of data/memory/told.jsonl .581 and .426 of 136, nothing is quoted where nothing was
told in .235 and .279 of 68."""
_ENDS = re.compile(r"(?<=[.!?…~ㅋㅎㅠㅜ;])\s+|\n+")


@dataclass(frozen=True)
class Sentence:
    """One of the user's. turn: where it was said, see Memory.source_turn."""

    turn: str
    text: str


class SaidBefore:
    """Sentences of this conversation. memory: its embedder and its relevance find what is asked for."""

    def __init__(self, memory: MemoryStore) -> None:
        self._memory = memory
        self._sentences: list[Sentence] = []
        self._vectors: list[np.ndarray] = []  # of the first sentences; the others are embedded when they are searched

    def add(self, turn: str, message: str) -> None:
        """Note a message that was answered; secrets, orders to her, curses and questions are left out."""
        if holds_secret(message) or holds_instruction(message) or holds_curse(message):
            return
        for text in filter(None, map(str.strip, _ENDS.split(message))):
            if not text.endswith("?") and len(text) <= LONGEST_QUOTE and plain_letters(text):
                self._sentences.append(Sentence(turn, text))
        surplus = max(0, len(self._sentences) - MOST_SENTENCES)
        del self._sentences[:surplus], self._vectors[:surplus]

    def clear(self) -> None:
        """Know nothing of it any more: the user asked to forget something."""
        self._sentences.clear()
        self._vectors.clear()

    def source(self, memory: Memory) -> str:
        """The sentence that a memory comes from; "": it was told in another conversation, or in a long sentence."""
        value = plain_letters(memory.value)
        own = [one.text for one in self._sentences if one.turn == memory.source_turn]
        return next((text for text in own if value and value in plain_letters(text)), "")

    def nearest(self, message: str) -> str:
        """The newest sentence that a question is about, or ""."""
        if not self._sentences:
            return ""
        embedder = self._memory.embedder
        new = [one.text for one in self._sentences[len(self._vectors) :]]
        if new:
            as_line, as_value = embedder.embed_queries(new), embedder.embed_passages(new)
            self._vectors += list(np.stack([as_line, as_value, as_value], axis=1))
        query, nothing = embedder.embed_queries([message])[0], np.zeros(len(self._vectors), np.float32)
        relevance, vectors = self._memory.relevance, np.stack(self._vectors)
        likeliest = np.sort(np.argsort(-relevance.scores(query, vectors, nothing, nothing), kind="stable")[:READ])
        texts = [self._sentences[number].text for number in likeliest]
        scores = relevance.scores(query, vectors[likeliest], nothing[likeliest], relevance.read(message, texts))
        if scores.max() < QUOTED:
            return ""
        return texts[np.flatnonzero(scores >= ABOUT_THE_SAME * scores.max())[-1]]
