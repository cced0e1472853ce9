"""A second opinion on what the moderator suspects: a linear layer on what the network of intents makes of a text.

The reader of messages (multilingual-e5-small) and the network of intents (Gemma 3 270M) have read different texts and
err differently: "최종면접… 그게 자꾸 생각나" is despair to the one and an interview to the other. Asked only where the
first suspects something: in one of four everyday messages.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import log_softmax
from torch.nn.functional import normalize

from ohlora.rag.e5_network import limited_threads
from ohlora.rag.intent_network import IntentNetwork, load_intent_network

_LENGTH = 10.0  # of a vector of features; with it the penalty of the regression has a usual size


class SecondOpinion:
    """Log-probabilities of the classes of ohlora.rag.labelled_rows.

    Args:
        weights: float32 (labels, features). bias: (labels,). threads: of the CPU.
    """

    def __init__(self, weights: np.ndarray, bias: np.ndarray, threads: int = 1) -> None:
        self.weights, self.bias, self.threads = weights, bias, threads

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """Texts → float32 (n, labels), from the shipped network, which is read when it is first asked."""
        with limited_threads(self.threads):
            return log_softmax(text_features(load_intent_network(), texts) @ self.weights.T + self.bias, axis=1)


def text_features(network: IntentNetwork, texts: Sequence[str]) -> np.ndarray:
    """Texts → float32 (n, 2 x width), rows of one length."""
    return (_LENGTH * normalize(network.meanings(texts), dim=1)).numpy()
