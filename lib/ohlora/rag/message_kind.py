"""Does a message tell something lasting about the user, does it ask for what was told, or neither?

Logistic regression on the embedding of the message (ohlora.rag.message_kind_training). It keeps the language model from
storing where nothing was told, and knows the questions that only a memory can answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.special import softmax

from ohlora.rag.embedder_weights import load_for_embedder
from ohlora.rag.embeddings import Embedder
from ohlora.rag.moderation import centred
from ohlora.weights import save_weights

KINDS = ("other", "tells", "asks")
WEIGHTS = "message_kind"


@dataclass(frozen=True)
class MessageKind:
    """What a message is. tells: probability that it holds something to remember.

    may_tell: it may hold something to remember. may_ask: it seems to ask for what the user told earlier; surely_asks:
    hardly any other message is as sure to.
    """

    tells: float
    may_tell: bool
    may_ask: bool
    surely_asks: bool

    @property
    def tells_something(self) -> bool:
        """It more likely than not holds something to remember."""
        return self.tells > 0.5


UNKNOWN_KIND = MessageKind(0.5, may_tell=True, may_ask=False, surely_asks=False)
"""Where nothing was classified: the language model decides alone."""


@dataclass(frozen=True)
class MessageKinds:
    """The trained classifier.

    coefficients: float32 (3, dimension), in the order of KINDS. intercepts: (3,). mean: (dimension,), see centred.
    may_tell, may_ask, surely_asks: thresholds.
    """

    embedder: Embedder
    coefficients: np.ndarray
    intercepts: np.ndarray
    mean: np.ndarray
    may_tell: float
    may_ask: float
    surely_asks: float

    def of(self, message: str) -> MessageKind:
        """The kind of one message of at least one character."""
        _, tells, asks = (float(one) for one in self.probabilities(self.embedder.embed_queries([message]))[0])
        return MessageKind(tells, tells >= self.may_tell, asks >= self.may_ask, asks >= self.surely_asks)

    def probabilities(self, vectors: np.ndarray) -> np.ndarray:
        """Unit vectors (n, dimension) → probabilities (n, 3)."""
        logits = centred(vectors, self.mean) @ self.coefficients.T + self.intercepts
        return softmax(logits, axis=1)


def load_message_kinds(embedder: Embedder) -> MessageKinds:
    """The classifier for an embedder: shipped, or trained now (minutes) and kept in outputs/weights.

    Raises:
        WeightsError: the weight file is damaged.
    """

    def train(path: Path) -> None:
        from ohlora.rag.message_kind_training import train_message_kinds, training_messages

        save_message_kinds(path, *train_message_kinds(embedder, training_messages()))

    tensors, _ = load_for_embedder(WEIGHTS, embedder, train)
    numbers = {key: tensor.float().numpy() for key, tensor in tensors.items()}
    thresholds = {key: float(numbers.pop(key)) for key in ("may_tell", "may_ask", "surely_asks")}
    return MessageKinds(embedder, **numbers, **thresholds)


def save_message_kinds(path: Path, kinds: MessageKinds, card: dict) -> Path:
    """Write the classifier as a weight file."""
    names = ("coefficients", "intercepts", "mean", "may_tell", "may_ask", "surely_asks")
    return save_weights(path, {name: torch.as_tensor(getattr(kinds, name)) for name in names}, card)
