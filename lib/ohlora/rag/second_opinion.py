"""A second opinion on what the moderator suspects: a linear layer on what the network of intents makes of a text.

The reader of messages (multilingual-e5-small) and the network of intents (Gemma 3 270M) have read different texts and
err differently: "최종면접… 그게 자꾸 생각나" is despair to the one and an interview to the other. Asked only where the
first suspects something: in one of four everyday messages.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy.special import log_softmax
from torch.nn.functional import normalize

from ohlora.rag.e5_network import limited_threads
from ohlora.rag.intent_network import IntentNetwork, load_intent_network

_BATCH = 64
_LENGTH = 10.0  # of a vector of features; with it the penalty of the regression has a usual size


class SecondOpinion:
    """Log-probabilities of the classes of ohlora.rag.labelled_rows.

    Args:
        weights: float32 (labels, features). bias: (labels,). threads: of the CPU.
        network: default: the shipped one, read when it is first asked.
    """

    def __init__(
        self, weights: np.ndarray, bias: np.ndarray, threads: int = 1, network: IntentNetwork | None = None
    ) -> None:
        self.weights, self.bias, self.threads, self._network = weights, bias, threads, network

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """Texts → float32 (n, labels)."""
        self._network = self._network or load_intent_network()
        with limited_threads(self.threads):
            return log_softmax(text_features(self._network, texts) @ self.weights.T + self.bias, axis=1)


@torch.no_grad()
def text_features(network: IntentNetwork, texts: Sequence[str]) -> np.ndarray:
    """Texts → float32 (n, 2 x width), standardised, rows of one length."""
    tokens = network.tokens(texts)
    found = np.zeros((len(tokens), len(network.mean)), np.float32)
    order = sorted(range(len(tokens)), key=lambda row: len(tokens[row]))  # texts of like length share a batch
    for start in range(0, len(order), _BATCH):
        rows = order[start : start + _BATCH]
        features = (network.features([tokens[row] for row in rows]) - network.mean) / network.deviation
        found[rows] = (_LENGTH * normalize(features, dim=1)).numpy()
    return found
