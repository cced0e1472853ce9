"""How much does a memory matter to a message? Cosines, made comparable between messages, then a probability.

E5's cosines all lie between .75 and .9, and some messages are close to everything. So each cosine is compared
with those of the same message to a fixed *cohort* of other people's memories (zero normalisation, as in speaker
verification: Auckenthaler et al. 2000, "Score Normalization for Text-Independent Speaker Verification Systems"),
and a logistic regression turns four such scores, whether the message names the key, and what a cross-encoder makes of
message and memory side by side (ohlora.rag.cross_encoder) into a probability. Its threshold decides about abstention.
The fourth score is taught: a projection brings a message and the memory that it is about together, and keeps the same
person's other memories away (ohlora.rag.projection).
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from ohlora.config import DATA, outputs_folder
from ohlora.rag.cross_encoder import CrossEncoder, load_cross_encoder
from ohlora.rag.embedder_weights import load_for_embedder
from ohlora.rag.embeddings import Embedder, load_embedder
from ohlora.rag.projection import project, train_projection
from ohlora.rag.tagged_words import FoundWords
from ohlora.weights import WeightsError, save_weights

PARTS = ("line", "key", "value")
WEIGHTS = "memory_relevance"
_READ = (-6.0, 6.0)  # logits of the cross-encoder beyond these say no more
_PLAIN_QUESTIONS = {"ko": "내 {key} 기억해?", "en": "do you remember my {key}?"}


def embed_memories(embedder: Embedder, memories: Sequence[tuple[str, str]]) -> np.ndarray:
    """(key, value) pairs → float32 (n, 3, dimension): vectors of ``key: value``, of the key, of the value.

    The whole line is embedded like a message (E5 asks for that when two texts should *mean* the same); key and
    value are embedded as passages (what a question looks for). The first is what the index searches.
    """
    if not memories:
        return np.zeros((0, len(PARTS), embedder.dimension), np.float32)
    lines = embedder.embed_queries([f"{key}: {value}" for key, value in memories])
    keys = embedder.embed_passages([key for key, _ in memories])
    values = embedder.embed_passages([value for _, value in memories])
    return np.stack([lines, keys, values], axis=1).astype(np.float32)


class Relevance(Protocol):
    """Scores memories for one message; at or above ``threshold`` a memory is recalled.

    asked_threshold: for messages that ask for something that the user told: then there mostly is a memory.
    """

    @property
    def threshold(self) -> float: ...

    @property
    def asked_threshold(self) -> float: ...

    def read(self, message: str, lines: Sequence[str]) -> np.ndarray:
        """What a closer look at the message beside each line tells, float32 (n,); see CrossEncoder.scores."""
        ...

    def shares(self, read: np.ndarray) -> np.ndarray:
        """What was read of several lines → probability of each to be meant, rather than another or none, (n,)."""
        ...

    def answering_words(self, question: str, text: str) -> FoundWords:
        """The words of a text that answer a question; see CrossEncoder.answering_words."""
        ...

    def scores(self, query: np.ndarray, memories: np.ndarray, named: np.ndarray, read: np.ndarray) -> np.ndarray:
        """Query float32 (dimension,), memories float32 (n, 3, dimension), named, read (n,) → probabilities (n,)."""
        ...


@dataclass(frozen=True)
class CosineRelevance:
    """The plain cosine with the whole line: for embedders without a calibration, and as a baseline."""

    threshold: float = 0.5

    @property
    def asked_threshold(self) -> float:
        """See Relevance; the same."""
        return self.threshold

    def read(self, message: str, lines: Sequence[str]) -> np.ndarray:
        """See Relevance; there is none."""
        return np.zeros(len(lines), np.float32)

    def shares(self, read: np.ndarray) -> np.ndarray:
        """See Relevance; nothing was read that could be doubted."""
        return np.ones(len(read), np.float32)

    def answering_words(self, question: str, text: str) -> FoundWords:
        """See Relevance; none are known."""
        return FoundWords("", 0.0)

    def scores(self, query: np.ndarray, memories: np.ndarray, named: np.ndarray, read: np.ndarray) -> np.ndarray:
        """See Relevance."""
        return memories[:, 0] @ query


@dataclass(frozen=True)
class CalibratedRelevance:
    """Zero-normalised cosines and what a cross-encoder reads → logistic regression.

    cohort: float32 (m, 3, dimension), memories of nobody. centre: (dimension,) and projection: (projected, dimension),
    see ohlora.rag.projection. coefficients: (6,). intercept and thresholds: scalars.
    """

    cohort: np.ndarray
    centre: np.ndarray
    projection: np.ndarray
    coefficients: np.ndarray
    intercept: float
    threshold: float
    asked_threshold: float
    cross_encoder: CrossEncoder

    def read(self, message: str, lines: Sequence[str]) -> np.ndarray:
        """See Relevance."""
        return self.cross_encoder.scores(message, lines).clip(*_READ)

    def shares(self, read: np.ndarray) -> np.ndarray:
        """See Relevance."""
        against_none = np.exp(read)
        return against_none / (1 + against_none.sum())

    def answering_words(self, question: str, text: str) -> FoundWords:
        """See Relevance."""
        return self.cross_encoder.answering_words(question, text)

    def scores(self, query: np.ndarray, memories: np.ndarray, named: np.ndarray, read: np.ndarray) -> np.ndarray:
        """See Relevance."""
        taught = (self.centre, self.projection)
        features = np.column_stack([normalised_cosines(query, memories, self.cohort, taught), named, read])
        return _probability(features @ self.coefficients + self.intercept)


def normalised_cosines(
    query: np.ndarray, memories: np.ndarray, cohort: np.ndarray, taught: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Cosines (n, 4) in standard deviations above the query's cosines with the cohort.

    The first three are of PARTS, the last is of the line under the projection.

    Args:
        taught: centre and projection.
    """
    asked = project(query[None], *taught)[0]
    near, background = (
        np.column_stack([vectors @ query, project(vectors[:, 0], *taught) @ asked]) for vectors in (memories, cohort)
    )
    return (near - background.mean(axis=0)) / (background.std(axis=0) + 1e-6)


def named_keys(message: str, keys: Sequence[str]) -> np.ndarray:
    """How much of each key stands in the message, letter pair by letter pair: float32 (n,), 1 where it is named.

    Meaning alone is unsure about short plain questions ("내 이름이 뭐야?"), and just those name the key.
    """
    text = _letters(message)
    shares = []
    for key in map(_letters, keys):
        pairs = [key[i : i + 2] for i in range(len(key) - 1)] or [key]
        shares.append(sum(pair in text for pair in pairs) / len(pairs) if key else 0.0)
    return np.array(shares, np.float32)


def load_dialogue_questions(name: str) -> list[dict]:
    """Rows of ``data/memory/<name>.jsonl``: id, language, memories (key, value), questions (key or None)."""
    with (DATA / "memory" / f"{name}.jsonl").open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def load_relevance(embedder: Embedder) -> CalibratedRelevance:
    """The calibration for an embedder: shipped, or made now (some minutes) and kept in outputs/weights.

    Raises:
        WeightsError: the weight file is damaged, or was made with another cross-encoder.
    """
    tensors, card = load_for_embedder(WEIGHTS, embedder, lambda path: save_relevance(path, *calibrate(embedder)))
    cross_encoder = load_cross_encoder()
    if card.get("cross_encoder") != cross_encoder.name:
        raise WeightsError(
            f"{WEIGHTS} belongs to another cross-encoder; delete {WEIGHTS}_* in outputs/weights, where there is one, "
            "or run: python -m ohlora.rag.relevance"
        )
    numbers = {key: tensor.float().numpy() for key, tensor in tensors.items()}
    scalars = {key: float(numbers.pop(key)) for key in ("intercept", "threshold", "asked_threshold")}
    return CalibratedRelevance(**numbers, **scalars, cross_encoder=cross_encoder)


def calibrate(
    embedder: Embedder, rows: list[dict] | None = None, training: list[dict] | None = None
) -> tuple[CalibratedRelevance, dict]:
    """Teach the projection, then fit the six coefficients and the threshold on other dialogues with known answers.

    The threshold comes from best_threshold: right is the right memory first, or none, on dialogues that the
    coefficients were not fitted on (leave one dialogue out). That for messages that ask for what was told is chosen on
    these alone.

    Args:
        rows: to calibrate on; default: data/memory/calibration.jsonl.
        training: to teach the projection on; default: data/memory/training.jsonl.

    Returns:
        The relevance and a card for save_weights.
    """
    from sklearn.linear_model import LogisticRegression

    rows = load_dialogue_questions("calibration") if rows is None else rows
    training = load_dialogue_questions("training") if training is None else training
    taught, cross_encoder = teach_projection(embedder, training), load_cross_encoder()
    vectors = [embed_memories(embedder, [(one["key"], one["value"]) for one in row["memories"]]) for row in rows]
    dialogues = [with_plain_questions(row, rows) for row in rows]
    scored = []
    for number, (dialogue, memories) in enumerate(zip(dialogues, vectors, strict=True)):
        others = np.concatenate([*vectors[:number], *vectors[number + 1 :]])
        scored.append(_score_dialogue(embedder, cross_encoder, dialogue, memories, others, taught))
    held_out: list[tuple[float, bool, bool]] = []
    # Of the plain questions half are about what nobody told: people seldom ask that.
    asks = [question.get("asks", False) for dialogue in dialogues for question in dialogue["questions"]]
    for index in range(len(scored)):
        rest = [question for other, dialogue in enumerate(scored) if other != index for question in dialogue]
        model = LogisticRegression(C=1.0).fit(*_stack(rest))
        for features, wanted in scored[index]:
            probabilities = model.predict_proba(features)[:, 1]
            best = int(probabilities.argmax())
            held_out.append((float(probabilities[best]), bool(wanted[best]), bool(wanted.any())))
    asked = [decision for decision, is_asked in zip(held_out, asks, strict=True) if is_asked]
    threshold, asked_threshold = best_threshold(held_out), best_threshold(asked)
    model = LogisticRegression(C=1.0).fit(*_stack([question for dialogue in scored for question in dialogue]))
    cohort = np.concatenate(vectors)
    relevance = CalibratedRelevance(
        cohort,
        *taught,
        model.coef_[0].astype(np.float32),
        float(model.intercept_[0]),
        float(np.float32(threshold)),
        float(np.float32(asked_threshold)),
        cross_encoder,
    )
    right = np.mean([_is_right(question, threshold) for question in held_out])
    right_asked = np.mean([_is_right(question, asked_threshold) for question in asked])
    card = {
        "data": f"data/memory: projection from {len(training)} persons of training.jsonl, threshold from {len(rows)} "
        f"of calibration.jsonl ({len(held_out)} questions, ours and templates)",
        "seed": 0,
        "command": "python -m ohlora.rag.relevance",
        "metrics": {
            "right_decisions_leave_one_dialogue_out": float(right),
            "questions": len(held_out),
            "right_decisions_where_something_told_is_asked_for": float(right_asked),
            "questions_that_ask": len(asked),
        },
        "licence": "Apache-2.0",
        "embedder": embedder.model,
        "cross_encoder": cross_encoder.name,
    }
    return relevance, card


def teach_projection(embedder: Embedder, rows: list[dict]) -> tuple[np.ndarray, np.ndarray]:
    """Centre and projection that bring each memory and the messages about it together; the other memories of the same
    person, and of all the others, are what it must be told from.
    """
    texts, families = [], []
    for row in rows:
        for memory in row["memories"]:
            about = [question["question"] for question in row["questions"] if question["key"] == memory["key"]]
            texts += [f"{memory['key']}: {memory['value']}", *about]
            families += [f"{row['id']} {memory['key']}"] * (1 + len(about))
    return train_projection(embedder.embed_queries(texts), families)


def best_threshold(decisions: list[tuple[float, bool, bool]], tolerance: float = 0.005) -> float:
    """The lowest threshold whose share of right decisions is within ``tolerance`` of the best.

    The lowest, because a memory that was not needed costs less than one that seems forgotten; but little is given for
    it, because she says aloud what she recalls.

    Args:
        decisions: for each question the best memory's probability, whether it is the right one, and whether there
            is a right one at all.
        tolerance: share of the questions.
    """
    candidates = sorted({probability for probability, _, _ in decisions})
    middles = [(low + high) / 2 for low, high in itertools.pairwise(candidates)] or candidates
    right = [sum(_is_right(decision, threshold) for decision in decisions) for threshold in middles]
    enough = max(right) - tolerance * len(decisions)
    return next(threshold for threshold, count in zip(middles, right, strict=True) if count >= enough)


def save_relevance(path: Path, relevance: CalibratedRelevance, card: dict) -> Path:
    """Write a calibration as a weight file with its card."""
    tensors = {
        "cohort": torch.from_numpy(relevance.cohort).half(),
        "centre": torch.from_numpy(relevance.centre),
        "projection": torch.from_numpy(relevance.projection).half(),
        "coefficients": torch.from_numpy(relevance.coefficients),
        "intercept": torch.tensor(relevance.intercept),
        "threshold": torch.tensor(relevance.threshold),
        "asked_threshold": torch.tensor(relevance.asked_threshold),
    }
    return save_weights(path, tensors, card)


def _is_right(decision: tuple[float, bool, bool], threshold: float) -> bool:
    probability, correct, answerable = decision
    return correct if probability >= threshold else not answerable


def with_plain_questions(row: dict, rows: list[dict]) -> dict:
    """The dialogue with a plain question for each of its keys, and for as many keys that it does not have.

    The written questions mostly hint; people also just ask, and then about things that they never told, too.
    """
    ask = _PLAIN_QUESTIONS[row["language"]]
    own = [memory["key"] for memory in row["memories"]]
    others = [other for other in rows if other["language"] == row["language"] and other["id"] != row["id"]]
    foreign = dict.fromkeys(memory["key"] for other in others for memory in other["memories"])
    absent = [key for key in foreign if key not in own][: len(own)]
    plain = [{"question": ask.format(key=key), "key": key} for key in own]
    plain += [{"question": ask.format(key=key), "key": None} for key in absent]
    return {**row, "questions": [*row["questions"], *plain]}


def _score_dialogue(
    embedder: Embedder,
    cross_encoder: CrossEncoder,
    row: dict,
    memories: np.ndarray,
    cohort: np.ndarray,
    taught: tuple[np.ndarray, np.ndarray],
) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each question: features (memories, 6) and which memory is wanted.

    Args:
        memories: vectors of the dialogue's. cohort: of all the others'. Both as embed_memories gives them.
    """
    queries = embedder.embed_queries([question["question"] for question in row["questions"]])
    keys = [memory["key"] for memory in row["memories"]]
    lines = [f"{memory['key']}: {memory['value']}" for memory in row["memories"]]
    found = []
    for query, question in zip(queries, row["questions"], strict=True):
        message = question["question"]
        parts = (
            normalised_cosines(query, memories, cohort, taught),
            named_keys(message, keys),
            cross_encoder.scores(message, lines).clip(*_READ),
        )
        found.append((np.column_stack(parts), np.array([key == question["key"] for key in keys])))
    return found


def _stack(questions: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([features for features, _ in questions]), np.concatenate([wanted for _, wanted in questions])


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _probability(logits: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-logits))


def main() -> None:
    """Command line: calibrate and write the weight file."""
    parser = argparse.ArgumentParser(description="Calibrate when a memory matters to a message.")
    parser.add_argument("--profile", default="embedded")
    parser.add_argument("--output", type=Path, default=outputs_folder() / "weights" / f"{WEIGHTS}.safetensors")
    arguments = parser.parse_args()
    relevance, card = calibrate(load_embedder(arguments.profile))
    print(save_relevance(arguments.output, relevance, card), card["metrics"], f"threshold {relevance.threshold:.3f}")


if __name__ == "__main__":
    main()
