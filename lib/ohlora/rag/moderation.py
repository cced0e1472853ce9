"""May she hear this, may she say this? Normalise → lexicon → classifier → the nearest labelled examples say why."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.special import softmax

from ohlora.config import DATA, Profile
from ohlora.rag.embedder_weights import load_for_embedder
from ohlora.rag.embeddings import Embedder, load_embedder
from ohlora.rag.lexicon import Lexicon
from ohlora.rag.normalisation import check_length, normalise
from ohlora.weights import save_weights

if TYPE_CHECKING:
    from scipy import sparse
    from sklearn.feature_extraction.text import HashingVectorizer

LABELS = ("normal", "romantic_pressure", "political", "family_insult", "hate", "sexual", "threat", "self_harm")
WEIGHTS = "moderation_classifier"
HELD_OUT_WEIGHTS = "moderation_classifier_held_out"
"""The twin that never saw the test families: only for measuring."""
LETTER_GROUPS = 2**15
_SENTENCE_ENDS = re.compile(r"(?<=[.!?…])\s+|\n+")
_LONGEST_PIECE = 200  # characters: the rows that the classifier learned from are short
_MOST_PIECES = 24
_INNOCENT = 0.1  # probability of all classes but normal below which no row makes a text abuse
_SAME_SENTENCE = 0.94  # cosine from which a text counts as a paraphrase of a labelled row


@dataclass(frozen=True)
class LabelledRow:
    """One row of ``data/moderation``: rows of a family are paraphrases and never split between training and test."""

    id: str
    family: str
    language: str
    text: str
    label: str


@dataclass(frozen=True)
class Example:
    """A labelled row that is close to what was judged. similarity: cosine of the embeddings."""

    text: str
    label: str
    similarity: float


@dataclass(frozen=True)
class Verdict:
    """What a text was judged to be.

    label: one of LABELS. probability: 1.0 where the lexicon decided; of normal; or of all classes but normal
    together where the classifier found one of them. rule: ``"lexicon: <term>"``, ``"example"`` (nearly the same as
    a labelled row) or ``"classifier"``. examples: nearest labelled rows, nearest first: the reason why.
    """

    label: str
    probability: float
    rule: str
    examples: tuple[Example, ...] = ()

    @property
    def allowed(self) -> bool:
        """True if the text may pass."""
        return self.label == "normal"

    @property
    def needs_care(self) -> bool:
        """True where somebody may be in danger from themselves: answered with care, never sanctioned."""
        return self.label == "self_harm"

    @property
    def sanctionable(self) -> bool:
        """True if the ladder of sanctions applies."""
        return not self.allowed and not self.needs_care


@dataclass(frozen=True)
class Classifier:
    """Multinomial logistic regression over unit embeddings and letter groups, with the rows that it was trained on.

    Embeddings know what a sentence means, groups of two to four letters how insults are spelled.

    coefficients: float32 (8, dimension + LETTER_GROUPS). intercepts: (8,). mean: (dimension,), see centred.
    threshold: of all classes but normal together. care_threshold: of self_harm alone, lower: to care too often
    does less harm than to care too late. rows, vectors: training rows and their embeddings,
    float32 (n, dimension).
    """

    coefficients: np.ndarray
    intercepts: np.ndarray
    mean: np.ndarray
    threshold: float
    care_threshold: float
    rows: tuple[LabelledRow, ...]
    vectors: np.ndarray

    def probabilities(self, texts: Sequence[str], vectors: np.ndarray) -> np.ndarray:
        """Normalised texts and their unit vectors (n, dimension) → probabilities (n, 8) in the order of LABELS."""
        logits = moderation_features(texts, vectors, self.mean) @ self.coefficients.T + self.intercepts
        return softmax(logits, axis=1)

    def decide(self, probabilities: np.ndarray) -> str:
        """Normal, unless self_harm reaches its threshold or the other classes together theirs: then the likeliest."""
        if probabilities[LABELS.index("self_harm")] >= self.care_threshold:
            return "self_harm"
        if 1 - probabilities[0] < self.threshold:
            return LABELS[0]
        return LABELS[1 + int(probabilities[1:].argmax())]

    def nearest(self, vector: np.ndarray, count: int) -> tuple[Example, ...]:
        """The training rows closest to a unit vector."""
        cosines = self.vectors @ vector
        order = np.argsort(-cosines)[:count]
        return tuple(Example(self.rows[i].text, self.rows[i].label, float(cosines[i])) for i in order)


class Moderator:
    """Judges what a user writes before the model sees it, and what the model writes before it is shown."""

    def __init__(self, embedder: Embedder, classifier: Classifier, lexicon: Lexicon | None = None) -> None:
        self.embedder = embedder
        self.classifier = classifier
        self.lexicon = lexicon if lexicon is not None else Lexicon()

    def check(self, text: str, examples: int = 3) -> Verdict:
        """Judge a text.

        A long text is judged sentence by sentence, so that an insult cannot hide in a kind letter. Self-harm goes
        before everything else: a person who swears in despair needs help, not a sanction.

        Args:
            text: 1–4,000 characters.
            examples: how many labelled rows to give as reasons.

        Raises:
            ValueError: empty or too long.
        """
        check_length(text)
        pieces = judged_pieces(text)
        vectors = self.embedder.embed_queries(pieces)
        probabilities = self.classifier.probabilities(pieces, vectors)
        decisions = [self.classifier.decide(row) for row in probabilities]
        hits = [self.lexicon.find(piece) for piece in pieces]
        rules = ["classifier"] * len(pieces)
        for i, vector in enumerate(vectors):
            twin = self.classifier.nearest(vector, 1)[0]
            innocent = 1 - probabilities[i, 0] < _INNOCENT and twin.label != "normal"
            if twin.similarity >= _SAME_SENTENCE and not innocent:
                decisions[i], rules[i] = twin.label, "example"

        def verdict(index: int, label: str, probability: float, rule: str) -> Verdict:
            return Verdict(label, probability, rule, self.classifier.nearest(vectors[index], examples))

        danger = [i for i, label in enumerate(decisions) if label == "self_harm"]
        if not danger and any(hits):
            index = next(i for i, hit in enumerate(hits) if hit)
            return verdict(index, hits[index].label, 1.0, f"lexicon: {hits[index].term}")
        found = danger or [i for i, label in enumerate(decisions) if label != "normal"]
        if found:
            index = max(found, key=lambda i: 1 - probabilities[i, 0])
            return verdict(index, decisions[index], float(1 - probabilities[index, 0]), rules[index])
        least = int(probabilities[:, 0].argmin())
        return verdict(least, "normal", float(probabilities[least, 0]), "classifier")


def moderation_features(texts: Sequence[str], vectors: np.ndarray, mean: np.ndarray) -> sparse.csr_matrix:
    """What the classifier sees: centred embeddings beside hashed counts of letter groups.

    Args:
        texts: n, normalised. vectors: float32 (n, dimension). mean: see centred.

    Returns:
        float32 (n, dimension + LETTER_GROUPS).
    """
    from scipy import sparse

    return sparse.hstack([sparse.csr_matrix(centred(vectors, mean)), _letter_groups().transform(texts)], format="csr")


@cache
def _letter_groups() -> HashingVectorizer:
    from sklearn.feature_extraction.text import HashingVectorizer

    return HashingVectorizer(
        analyzer="char_wb", ngram_range=(2, 4), n_features=LETTER_GROUPS, alternate_sign=False, dtype=np.float32
    )


def centred(vectors: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Unit vectors with their common direction taken out, float32 (n, dimension): E5's all point one way."""
    moved = vectors - mean
    return moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-12)


def load_moderator(
    profile: Profile | str = "embedded", embedder: Embedder | None = None, weights: str = WEIGHTS
) -> Moderator:
    """The moderator of a profile.

    The classifier belongs to one embedding model. For another one it is trained now and kept in outputs/weights.

    Args:
        profile: names the embedding model.
        embedder: one that is loaded already.
        weights: WEIGHTS (trained on all rows), or HELD_OUT_WEIGHTS to measure it.

    Raises:
        WeightsError: the weight file is damaged.
    """
    embedder = embedder if embedder is not None else load_embedder(profile)

    def train(path: Path) -> None:
        from ohlora.rag.moderation_training import train_for

        save_classifier(path, *train_for(embedder, held_out=weights == HELD_OUT_WEIGHTS))

    return Moderator(embedder, _classifier(*load_for_embedder(weights, embedder, train)))


def load_rows(languages: Sequence[str] = ("ko", "en")) -> list[LabelledRow]:
    """The labelled rows of ``data/moderation``, written for this project.

    Raises:
        ValueError: a row with an unknown label, or an id that occurs twice.
    """
    rows = []
    for language in languages:
        with (DATA / "moderation" / f"rows.{language}.jsonl").open(encoding="utf-8") as file:
            rows += [LabelledRow(**json.loads(line)) for line in file]
    wrong = [row.id for row in rows if row.label not in LABELS]
    if wrong or len({row.id for row in rows}) != len(rows):
        raise ValueError(
            f"data/moderation: rows {wrong[:3]} have unknown labels, or an id occurs twice; labels: {LABELS}"
        )
    return rows


def save_classifier(path: Path, classifier: Classifier, card: dict) -> Path:
    """Write a classifier as a weight file; the card lists the ids of its rows."""
    tensors = {
        "coefficients": torch.from_numpy(classifier.coefficients).half(),
        "intercepts": torch.from_numpy(classifier.intercepts),
        "mean": torch.from_numpy(classifier.mean),
        "vectors": torch.from_numpy(classifier.vectors).half(),
        "threshold": torch.tensor(classifier.threshold),
        "care_threshold": torch.tensor(classifier.care_threshold),
    }
    return save_weights(path, tensors, {**card, "rows": [row.id for row in classifier.rows]})


def _classifier(tensors: dict[str, torch.Tensor], card: dict) -> Classifier:
    by_id = {row.id: row for row in load_rows()}
    kept = [index for index, identifier in enumerate(card["rows"]) if identifier in by_id]
    numbers = {name: tensor.float().numpy() for name, tensor in tensors.items()}
    return Classifier(
        numbers["coefficients"],
        numbers["intercepts"],
        numbers["mean"],
        float(numbers["threshold"]),
        float(numbers["care_threshold"]),
        tuple(by_id[card["rows"][index]] for index in kept),
        numbers["vectors"][kept],
    )


def judged_pieces(text: str) -> list[str]:
    """Sentences, normalised; the whole text too when it is short."""
    whole = normalise(text)
    if len(whole) <= _LONGEST_PIECE:
        sentences = [normalise(part) for part in _SENTENCE_ENDS.split(text) if part.strip()]
        return list(dict.fromkeys([whole or text.strip(), *[part for part in sentences if len(part) > 1]]))
    size = max(_LONGEST_PIECE, -(-len(text) // _MOST_PIECES))
    pieces: list[str] = []
    for sentence in _SENTENCE_ENDS.split(text):
        for start in range(0, len(sentence), size):
            part = sentence[start : start + size]
            if pieces and len(pieces[-1]) + len(part) < size:
                pieces[-1] += " " + part
            else:
                pieces.append(part)
    return [piece for piece in (normalise(part) for part in pieces if part.strip()) if piece]
