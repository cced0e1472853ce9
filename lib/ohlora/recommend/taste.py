"""What in a code do this person's ratings depend on?"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LassoCV


@dataclass(frozen=True)
class Taste:
    """A person's liking as a sum over the numbers of a code, most of which do not matter.

    With t_j the j-th number, standardised over the rated portraits, and v_j the square root of its spread there::

        liking = Σ_j v_j · (β_j · t_j + γ_j · (t_j² - 1) / √2)

    β says more or less of it is better; γ < 0 says that the person has a favourite value and likes less what is
    further away (ideal points: Carroll 1972). Most β and γ are 0: they are fitted with a lasso (Tibshirani 1996), its
    penalty by cross-validation, because a person minds few things and has rated few portraits. v_j makes a number
    that spreads more, that is, shows more, cheaper to use, without making faint ones unaffordable.

    mean, spread: float64 (dimensions,). weights: float64 (2 · dimensions,), v · β, then v · γ.
    """

    mean: np.ndarray
    spread: np.ndarray
    weights: np.ndarray

    @classmethod
    def fit(cls, codes: np.ndarray, ratings: np.ndarray, folds: int = 5) -> Taste:
        """From rated codes (n, dimensions), n at least 2, and their ratings (n,)."""
        codes, ratings = np.asarray(codes, dtype=np.float64), np.asarray(ratings, dtype=np.float64)
        mean, spread = codes.mean(axis=0), codes.std(axis=0)
        # Nobody's ratings can depend on a number that is the same in all portraits.
        terms = _terms(codes, mean, spread)
        prior = np.tile(np.sqrt(spread / (spread.mean() or 1.0)), 2)
        weights = np.zeros(2 * codes.shape[1])
        if np.ptp(ratings) > 0 and spread.any():
            with (
                warnings.catch_warnings()
            ):  # with few ratings the weakest penalties do not converge, nor are they chosen
                warnings.simplefilter("ignore", ConvergenceWarning)
                lasso = LassoCV(alphas=20, cv=min(folds, len(codes)), max_iter=2000).fit(terms * prior, ratings)
            weights = lasso.coef_ * prior
        return cls(mean, spread, weights)

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Liking float64 (n,) of codes (n, dimensions), in rating points from this person's mean."""
        return _terms(np.asarray(codes, dtype=np.float64), self.mean, self.spread) @ self.weights


def _terms(codes: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    standard = np.divide(codes - mean, spread, out=np.zeros_like(codes), where=spread > 1e-9)
    standard = np.clip(standard, -4, 4)  # a square must not run away where nothing was rated
    return np.column_stack([standard, (standard**2 - 1) / np.sqrt(2)])
