"""Calibration: of the portraits that get 80 %, eight of ten should be right.

Platt scaling (Platt 1999, "Probabilistic outputs for support vector machines"): probability = σ(scale · logit +
shift), both numbers fitted on held-out logits. With shift 0 it is the temperature scaling of Guo et al. 2017 ("On
calibration of modern neural networks"), temperature 1 / scale; that paper's expected calibration error is the score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

BINS = 10


@dataclass(frozen=True)
class Calibration:
    """Probability = σ(scale · logit + shift). The default changes nothing."""

    scale: float = 1.0
    shift: float = 0.0

    def probability(self, logits: np.ndarray) -> np.ndarray:
        """Calibrated probabilities of logits, both (n,)."""
        return expit(self.scale * np.asarray(logits, dtype=np.float64) + self.shift)

    @classmethod
    def fit(cls, logits: np.ndarray, positive: np.ndarray) -> Calibration:
        """The scale and shift with the highest likelihood.

        Args:
            logits: (n,), of portraits that trained none of the networks that gave them. positive: (n,) of 0 and 1.

        Raises:
            ValueError: only one kind of label, or lengths that differ.
        """
        logits, positive = _checked(logits, positive)
        # The weak prior keeps the scale finite where logits separate the labels without error.
        fitted = LogisticRegression(C=100.0).fit(logits[:, None], positive)
        return cls(float(fitted.coef_[0, 0]), float(fitted.intercept_[0]))


def cross_calibrated(logits: np.ndarray, positive: np.ndarray, folds: int = 5, seed: int = 0) -> np.ndarray:
    """Probability of each logit, calibrated on the other folds only: what a score after calibration must rest on.

    Args:
        logits, positive: as in Calibration.fit, each label at least ``folds`` times.
    """
    logits, positive = _checked(logits, positive)
    probability = np.zeros(len(logits))
    for fit, rest in StratifiedKFold(folds, shuffle=True, random_state=seed).split(logits, positive):
        probability[rest] = Calibration.fit(logits[fit], positive[fit]).probability(logits[rest])
    return probability


def reliability(positive: np.ndarray, probability: np.ndarray, bins: int = BINS) -> pd.DataFrame:
    """The reliability diagram as a table: portraits grouped by the probability that they got.

    Args:
        positive: (n,) of 0 and 1. probability: (n,), 0 … 1. bins: of equal width.

    Returns:
        One row for each bin that is not empty: said (mean probability), seen (share of positives), n.
    """
    positive, probability = np.asarray(positive, dtype=np.float64), np.asarray(probability, dtype=np.float64)
    table = pd.DataFrame({"said": probability, "seen": positive})
    table["bin"] = np.minimum((probability * bins).astype(int), bins - 1)
    grouped = table.groupby("bin")
    return grouped[["said", "seen"]].mean().assign(n=grouped.size())


def expected_calibration_error(positive: np.ndarray, probability: np.ndarray, bins: int = BINS) -> float:
    """Mean distance between what was said and what was seen, weighted by the bins' sizes (Guo et al. 2017, eq. 3)."""
    table = reliability(positive, probability, bins)
    return float(((table["said"] - table["seen"]).abs() * table["n"]).sum() / table["n"].sum())


def _checked(logits: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    logits, positive = np.asarray(logits, dtype=np.float64), np.asarray(positive)
    if logits.shape != positive.shape or set(np.unique(positive)) != {0, 1}:
        raise ValueError(
            f"positive has shape {positive.shape} and values {np.unique(positive)[:5].tolist()}, logits have shape"
            f" {logits.shape}; allowed: one 0 or 1 a logit, both kinds present"
        )
    return logits, positive.astype(int)
