"""Does an answer that somebody wrote for one message fit another one? Logistic regression over a few plain features.

A cosine alone does not tell: "my boss shouted at me" and "my boss praised me" lie close together. What helps most is
whether the written message says something that the user's does not: the answer may be about just that.
data/answers/judged.jsonl holds messages, the dialogues nearest to each, and which of their answers fit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ohlora.config import DATA
from ohlora.llm.dialogues import Dialogue
from ohlora.llm.rules import is_polite

FEATURES = (
    "cosine", "of_message", "of_written", "message_length", "written_length", "answer_length", "unasked", "polite",
)  # fmt: skip
FITS = 0.7
"""Probability from which a written answer is said: the best of .1 to .7 on the calibration half of
data/answers/compared.jsonl (.772 good of 334; .5: .763). .9 would give .786 there, and .803 instead of .808 on the
test half; with .7 more of what was written for a message is said."""
_INVERSE_PENALTY, _FOLDS = 0.3, 10


@dataclass(frozen=True)
class JudgedAnswers:
    """A message, the ids of the dialogues nearest to it, and of those whose answers fit it, as somebody judged.

    intent: what the message does (ohlora.rag.intents), or "".
    """

    message: str
    nearest: tuple[str, ...]
    fitting: frozenset[str]
    intent: str


@dataclass(frozen=True)
class AnswerFit:
    """weights: float32 (features,), of features with ``mean`` taken off and divided by ``scale``; bias: one number."""

    weights: np.ndarray
    bias: float
    mean: np.ndarray
    scale: np.ndarray

    def probability(self, features: np.ndarray) -> np.ndarray:
        """Features (n, features) → probability that each answer fits, (n,)."""
        logits = (features - self.mean) / self.scale @ self.weights + self.bias
        return 1 / (1 + np.exp(-logits))


def load_judged_answers() -> list[JudgedAnswers]:
    """The rows of data/answers/judged.jsonl."""
    with (DATA / "answers" / "judged.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [
        JudgedAnswers(row["message"], tuple(row["nearest"]), frozenset(row["fitting"]), row["intent"]) for row in rows
    ]


def fit_features(message: str, dialogue: Dialogue, cosine: float) -> list[float]:
    """What is compared, in the order of FEATURES.

    Args:
        cosine: of the two messages' embeddings.

    Returns:
        cosine; share of the message's pairs of letters that the written message has, and of its in ours; logarithms
        of the lengths of both and of the answer; share of the answer's words that are the written message's alone;
        1 where the answer is polite Korean and the message is not, or the other way round.
    """
    said, written, answer = _plain(message), _plain(dialogue.user), _plain(dialogue.reply)
    own, other = _letter_pairs(said), _letter_pairs(written)
    shared = len(own & other)
    words = set(answer.split())
    unasked = words & set(written.split()) - set(said.split())
    return [
        cosine,
        shared / max(1, len(own)),
        shared / max(1, len(other)),
        float(np.log1p(len(said))),
        float(np.log1p(len(written))),
        float(np.log1p(len(answer))),
        len(unasked) / max(1, len(words)),
        float(dialogue.language == "ko" and is_polite(message) != is_polite(dialogue.reply)),
    ]


def train_answer_fit(features: np.ndarray, fits: np.ndarray) -> AnswerFit:
    """Fit on all rows. features: (n, features). fits: bool (n,)."""
    from sklearn.linear_model import LogisticRegression

    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-6
    model = LogisticRegression(C=_INVERSE_PENALTY, max_iter=1000).fit((features - mean) / scale, fits)
    numbers = (np.asarray(values, np.float32) for values in (model.coef_[0], mean, scale))
    weights, mean, scale = numbers
    return AnswerFit(weights, float(model.intercept_[0]), mean, scale)


def out_of_fold(features: np.ndarray, fits: np.ndarray, messages: np.ndarray) -> np.ndarray:
    """Probabilities (n,) by models that did not see the message. messages: number of each row's message, (n,)."""
    from sklearn.model_selection import GroupKFold

    found = np.zeros(len(fits))
    for train, test in GroupKFold(_FOLDS, shuffle=True, random_state=0).split(features, fits, messages):
        found[test] = train_answer_fit(features[train], fits[train]).probability(features[test])
    return found


def best_of_each(scores: np.ndarray, messages: np.ndarray) -> np.ndarray:
    """Row of the highest score of each message, the surest message first."""
    order = np.argsort(-scores, kind="stable")
    _, first = np.unique(messages[order], return_index=True)
    return order[np.sort(first)]


def fit_metrics(scores: np.ndarray, fits: np.ndarray, messages: np.ndarray, limit: float) -> dict[str, float]:
    """Share of the messages that get an answer (score ≥ limit), and of those answers that fit."""
    best = best_of_each(scores, messages)
    said = scores[best] >= limit
    fitting = float(fits[best][said].mean()) if said.any() else 0.0
    return {"answered": float(said.mean()), "fitting": fitting, "n": len(best)}


def _plain(text: str) -> str:
    return re.sub(r"\W+", " ", text.casefold()).strip()


def _letter_pairs(text: str) -> set[str]:
    return {text[start : start + 2] for start in range(len(text) - 1)}


def judged_features(
    judged: Sequence[JudgedAnswers], message_vectors: np.ndarray, dialogues: Sequence[Dialogue], vectors: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A row for each pair of message and dialogue that was judged; dialogues that are not given are left out.

    Args:
        message_vectors: of the judged messages, float32 (messages, dimension). vectors: of the dialogues' messages.

    Returns:
        Features float32 (n, features), whether the answer fits (n,), and the number of the message (n,).
    """
    place = {dialogue.id: row for row, dialogue in enumerate(dialogues)}
    features, fits, messages = [], [], []
    for number, (one, vector) in enumerate(zip(judged, message_vectors, strict=True)):
        for name in one.nearest:
            if name in place:
                row = place[name]
                features.append(fit_features(one.message, dialogues[row], float(vectors[row] @ vector)))
                fits.append(name in one.fitting)
                messages.append(number)
    return np.array(features, np.float32), np.array(fits), np.array(messages)
