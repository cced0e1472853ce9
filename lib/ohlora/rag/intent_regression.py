"""The intent of a message, from a network and from the message's letters.

python -m ohlora.rag.intent_regression --output outputs/weights/intent_regression.safetensors

The network (ohlora.rag.intent_network) knows what words mean; a logistic regression knows groups of letters ("심심"
says it all). They err differently; what counts is the geometric mean of their probabilities, the network's twice.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from scipy import sparse
from scipy.special import softmax

from ohlora.config import outputs_folder
from ohlora.rag.answer_fit import load_judged_answers
from ohlora.rag.e5_network import limited_threads
from ohlora.rag.intent_network import IntentNetwork, load_intent_network
from ohlora.rag.intents import act_of_intent, intent_metrics, load_intent_messages
from ohlora.rag.letter_groups import count_letter_groups
from ohlora.weights import WeightsError, load_weights, save_weights

WEIGHTS = "intent_regression"
LETTER_GROUPS = 2**13
_INVERSE_PENALTY = 20.0
WEIGHT_OF_MEANING = 2 / 3
"""Of the network, in the mean; by the intents of 1,288 second messages (data/answers/second_messages.jsonl, held out):
right in .495 with the network alone, .507 with equal weights, .516 with these."""
_TINY = 1e-6  # below it a probability does not veto the other


class IntentRegression:
    """Probabilities of the intents of data/answers/intents.yaml, in its order.

    Args:
        network: see ohlora.rag.intent_network. spelling: float32 (intents, LETTER_GROUPS + 1), weights, the bias last.
        threads: of the CPU, for the network.
    """

    def __init__(self, network: IntentNetwork, spelling: np.ndarray, threads: int = 1) -> None:
        self.network, self.spelling, self.threads = network, spelling, threads

    @torch.no_grad()
    def by_meaning(self, messages: Sequence[str]) -> np.ndarray:
        """Messages → float32 (n, intents), from the network."""
        with limited_threads(self.threads):
            return self.network.head(self.network.meanings(messages)).softmax(dim=1).numpy()

    def by_spelling(self, messages: Sequence[str]) -> np.ndarray:
        """Messages → float32 (n, intents), from groups of letters."""
        return softmax(letter_groups(messages) @ self.spelling[:, :-1].T + self.spelling[:, -1], axis=1)

    def together(self, messages: Sequence[str]) -> np.ndarray:
        """The weighted geometric mean of both, float32 (n, intents), whose rows sum to 1."""
        opinions = (self.by_meaning(messages), WEIGHT_OF_MEANING), (self.by_spelling(messages), 1 - WEIGHT_OF_MEANING)
        mean = np.exp(sum(weight * np.log(found + _TINY) for found, weight in opinions))
        return mean / mean.sum(axis=1, keepdims=True)

    def probabilities(self, message: str) -> np.ndarray:
        """Of one message, both together: float32 (intents,)."""
        return self.together([message])[0]


def letter_groups(texts: Sequence[str]) -> sparse.csr_matrix:
    """Square roots of hashed counts of groups of one to four letters, (n, LETTER_GROUPS), rows of length 1."""
    from sklearn.preprocessing import normalize

    return normalize(count_letter_groups(texts, 1, 4, LETTER_GROUPS).sqrt())


def train_spelling(messages: Sequence[str], intents: Sequence[str]) -> np.ndarray:
    """Weights of the regression over groups of letters, see IntentRegression. intents: one a message, each in use."""
    from sklearn.linear_model import LogisticRegression

    names = list(act_of_intent())
    wanted = [names.index(intent) for intent in intents]
    model = LogisticRegression(C=_INVERSE_PENALTY, max_iter=100).fit(letter_groups(messages), wanted)
    return np.column_stack([model.coef_, model.intercept_]).astype(np.float32)


def load_intent_regression(threads: int = 1) -> IntentRegression:
    """The shipped network and regression. threads: of the CPU.

    Raises:
        WeightsError: a weight file is missing or damaged, or knows other intents than data/answers/intents.yaml.
        ModelFilesError: Gemma's package is missing or damaged.
    """
    tensors, card = load_weights(WEIGHTS)
    if card["intents"] != list(act_of_intent()):
        raise WeightsError(f"{WEIGHTS} knows other intents; train it again: python -m ohlora.rag.intent_regression")
    return IntentRegression(load_intent_network(), tensors["spelling"].float().numpy(), threads)


def score(regression: IntentRegression) -> dict[str, dict[str, float]]:
    """intent_metrics of each opinion alone and of both together, on messages of other writers."""
    rows = [one for one in load_judged_answers() if one.intent]
    messages, wanted = [row.message for row in rows], [row.intent for row in rows]
    opinions = {
        "meaning": regression.by_meaning,
        "spelling": regression.by_spelling,
        "together": regression.together,
    }
    return {name: intent_metrics(opinion(messages), wanted) for name, opinion in opinions.items()}


def main() -> None:
    """Command line: train, score, and write the weight file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=outputs_folder() / "weights" / f"{WEIGHTS}.safetensors")
    given = parser.parse_args()
    messages, intents = load_intent_messages()
    spelling = train_spelling(messages, intents)
    card = {
        "data": f"{len(messages)} messages of data/answers/messages.jsonl; scores on messages of other writers",
        "seed": 0,
        "command": "python -m ohlora.rag.intent_regression",
        "metrics": score(IntentRegression(load_intent_network(), spelling)),
        "licence": "Apache-2.0",
        "intents": list(act_of_intent()),
    }
    print(save_weights(given.output, {"spelling": torch.from_numpy(spelling).half()}, card), card["metrics"])


if __name__ == "__main__":
    main()
