"""The intent of a message, from its embedding and from its letters.

python -m ohlora.rag.intent_regression --output outputs/weights/intent_regression.safetensors

Two logistic regressions: on what the embedding model sees, and on groups of letters ("심심" says it all). They err
differently; what counts is the geometric mean of their probabilities.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from scipy import sparse
from scipy.special import softmax

from ohlora.config import DATA, outputs_folder
from ohlora.rag.answer_fit import load_judged_answers
from ohlora.rag.embedder_weights import load_for_embedder
from ohlora.rag.embeddings import Embedder, centred, load_embedder
from ohlora.rag.intents import act_of_intent, intent_metrics
from ohlora.rag.letter_groups import count_letter_groups
from ohlora.weights import WeightsError, save_weights

WEIGHTS = "intent_regression"
LETTER_GROUPS = 2**13
_INVERSE_PENALTY = 20.0
_TINY = 1e-6  # below it a probability does not veto the other


class IntentRegression:
    """Probabilities of the intents of data/answers/intents.yaml, in its order.

    Args:
        embedder: of messages. centre: float32 (dimension,), taken off every embedding.
        meaning: float32 (intents, dimension + 1), spelling: (intents, LETTER_GROUPS + 1): weights, the bias last.
    """

    def __init__(self, embedder: Embedder, centre: np.ndarray, meaning: np.ndarray, spelling: np.ndarray) -> None:
        self.embedder, self.centre, self.meaning, self.spelling = embedder, centre, meaning, spelling

    def by_meaning(self, message: str) -> np.ndarray:
        """Float32 (intents,), from the embedding."""
        vector = centred(self.embedder.embed_queries([message]), self.centre)[0]
        return softmax(self.meaning[:, :-1] @ vector + self.meaning[:, -1])

    def by_spelling(self, message: str) -> np.ndarray:
        """Float32 (intents,), from groups of letters."""
        return softmax((letter_groups([message]) @ self.spelling[:, :-1].T)[0] + self.spelling[:, -1])

    def probabilities(self, message: str) -> np.ndarray:
        """The geometric mean of both, float32 (intents,), which sums to 1."""
        mean = np.sqrt((self.by_meaning(message) + _TINY) * (self.by_spelling(message) + _TINY))
        return mean / mean.sum()


def letter_groups(texts: Sequence[str]) -> sparse.csr_matrix:
    """Square roots of hashed counts of groups of one to four letters, (n, LETTER_GROUPS), rows of length 1."""
    from sklearn.preprocessing import normalize

    return normalize(count_letter_groups(texts, 1, 4, LETTER_GROUPS).sqrt())


def train_intent_regression(embedder: Embedder) -> tuple[IntentRegression, dict]:
    """Fit on data/answers/messages.jsonl. Returns the regression and a card without metrics."""
    from sklearn.linear_model import LogisticRegression

    with (DATA / "answers" / "messages.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    parts = [rows[start : start + 64] for start in range(0, len(rows), 64)]
    embeddings = np.concatenate([embedder.embed_queries([row["message"] for row in part]) for part in parts])
    centre = embeddings.mean(axis=0)
    intents = list(act_of_intent())
    wanted = [intents.index(row["intent"]) for row in rows]

    def fit(inputs: np.ndarray | sparse.csr_matrix) -> np.ndarray:
        model = LogisticRegression(C=_INVERSE_PENALTY, max_iter=100).fit(inputs, wanted)
        return np.column_stack([model.coef_, model.intercept_]).astype(np.float32)

    meaning = fit(centred(embeddings, centre))
    spelling = fit(letter_groups([row["message"] for row in rows]))
    card = {
        "data": f"{len(rows)} messages of data/answers/messages.jsonl",
        "seed": 0,
        "command": "python -m ohlora.rag.intent_regression",
        "metrics": {},
        "licence": "Apache-2.0",
        "embedder": embedder.model,
        "intents": intents,
    }
    return IntentRegression(embedder, centre, meaning, spelling), card


def save_intent_regression(path: Path, regression: IntentRegression, card: dict) -> Path:
    """Write the weight file."""
    arrays = {"centre": regression.centre, "meaning": regression.meaning, "spelling": regression.spelling}
    return save_weights(path, {name: torch.from_numpy(array).half() for name, array in arrays.items()}, card)


def load_intent_regression(embedder: Embedder) -> IntentRegression:
    """The shipped regression, or for another embedder one that is trained now (a minute or two) and kept.

    Raises:
        WeightsError: the weight file is damaged, or knows other intents than data/answers/intents.yaml.
    """
    tensors, card = load_for_embedder(
        WEIGHTS, embedder, lambda path: save_intent_regression(path, *train_intent_regression(embedder))
    )
    if card["intents"] != list(act_of_intent()):
        raise WeightsError(f"{WEIGHTS} knows other intents; train it again: python -m ohlora.rag.intent_regression")
    arrays = (tensors[name].float().numpy() for name in ("centre", "meaning", "spelling"))
    return IntentRegression(embedder, *arrays)


def score(regression: IntentRegression) -> dict[str, dict[str, float]]:
    """intent_metrics of each opinion alone and of both together, on messages of other writers."""
    rows = [one for one in load_judged_answers() if one.intent]
    opinions = {
        "meaning": regression.by_meaning,
        "spelling": regression.by_spelling,
        "together": regression.probabilities,
    }
    wanted = [row.intent for row in rows]
    return {
        name: intent_metrics(np.stack([opinion(row.message) for row in rows]), wanted)
        for name, opinion in opinions.items()
    }


def main() -> None:
    """Command line: train, score, and write the weight file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--profile", default="embedded")
    parser.add_argument("--output", type=Path, default=outputs_folder() / "weights" / f"{WEIGHTS}.safetensors")
    given = parser.parse_args()
    regression, card = train_intent_regression(load_embedder(given.profile))
    card["metrics"] = score(regression)
    print(save_intent_regression(given.output, regression, card), json.dumps(card["metrics"], indent=1))


if __name__ == "__main__":
    main()
