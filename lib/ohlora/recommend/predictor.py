"""How much will this person like a portrait? The ratings of its nearest neighbours say it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np
from sklearn.model_selection import KFold

from ohlora.recommend.ratings import HIGHEST, LOWEST
from ohlora.recommend.taste import Taste

GRID: tuple[tuple[int, float, float], ...] = tuple(itertools.product((5, 10, 20, 40), (1.0, 2.0), (0.0, 2.0, 4.0, 8.0)))
"""(neighbours, power, emphasis) that RatingPredictor.chosen tries."""


@dataclass(frozen=True)
class Prediction:
    """Expected ratings of n portraits, and why.

    expected: float64 (n,), 1 to 5. uncertainty: float64 (n,), a standard deviation in rating points.
    neighbours: int64 (n, k), rows of the rated portraits, nearest first. weights: float64 (n, k), each row
    sums to 1. Before enough is rated, k is 0 and every portrait gets the same value.
    """

    expected: np.ndarray
    uncertainty: np.ndarray
    neighbours: np.ndarray
    weights: np.ndarray


class RatingPredictor:
    """Distance-weighted mean of the k nearest rated portraits (Shepard 1968; Dudani 1976).

    With d_i the distance between a portrait and its i-th nearest rated one, r_i the rating of that one and p the
    power::

        w_i = d_i^-p / Σ_j d_j^-p          expected = Σ_i w_i · r_i

    A portrait that was rated itself gets its rating (d = 0).

    The distance follows the person. With x, y two codes, V the total variance of the rated codes, f the liking that
    taste.Taste fits to the ratings, and σ its standard deviation over the rated portraits::

        d² = |x - y|² / V  +  emphasis² · ((f(x) - f(y)) / σ)²

    Two portraits are near when they look alike *and* agree in what this person's ratings depend on. Emphasis 0 is
    the plain Euclidean distance. ``RatingPredictor.chosen`` picks k, p and emphasis for a person by cross-validation.

    With r̄ and s² the mean and variance of all ratings and n_eff = 1 / Σ w_i² the number of neighbours that really
    speak, the uncertainty is the root of::

        (Σ_i w_i · (r_i - expected)² · n_eff + s²) / (n_eff + 1)

    that is, how far the neighbours disagree, with this person's usual spread as one more voice.

    Cold start: nothing rated → ``prior``; fewer than ``enough`` ratings → their mean.

    Args:
        neighbours: k; all rated portraits where there are fewer.
        power: p ≥ 0; 0 is the plain mean of the k nearest.
        emphasis: how much more the direction of the person's taste counts, ≥ 0.
        prior: expected rating of someone who rated nothing, 1 to 5.
        enough: ratings from which neighbours are asked, at least 1.
        index: a faiss factory string; "Flat" searches exactly, e.g. "HNSW32,Flat" is fast among very many.
    """

    def __init__(
        self,
        neighbours: int = 20,
        power: float = 1.0,
        emphasis: float = 2.0,
        prior: float = 3.0,
        enough: int = 5,
        index: str = "Flat",
    ) -> None:
        for name, value in {"neighbours": neighbours, "enough": enough}.items():
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name}={value!r}; allowed: a whole number, at least 1")
        for name, value in {"power": power, "emphasis": emphasis}.items():
            if not 0 <= value < np.inf:
                raise ValueError(f"{name}={value}; allowed: 0 or more")
        if not LOWEST <= prior <= HIGHEST:
            raise ValueError(f"prior={prior}; allowed: {LOWEST} to {HIGHEST}")
        self.neighbours, self.power, self.emphasis = neighbours, power, emphasis
        self.prior, self.enough, self.index = prior, enough, index
        self.codes, self.ratings = np.zeros((0, 0), dtype=np.float32), np.zeros(0)
        self.taste: Taste | None = None  # set by fit where emphasis asks for it and the ratings show one

    @classmethod
    def chosen(
        cls, codes: np.ndarray, ratings: np.ndarray, folds: int = 5, seed: int = 0, **options: Any
    ) -> RatingPredictor:
        """A predictor fitted to these ratings with the neighbours, power and emphasis of GRID that predict best.

        "Best" is the least squared error of predicting each fold from the others, taste and all; scored on portraits
        beside these, as in evaluation, this is nested cross-validation. Fewer than 2 · folds ratings choose nothing:
        they get the defaults.

        Args:
            codes, ratings, further options: as in ``fit`` and the class. folds: at least 2. seed: of the folds.
        """
        default = cls(**options)
        default.fit(codes, ratings)
        if len(ratings) < 2 * folds:
            return default
        codes, ratings = default.codes, default.ratings
        errors = np.zeros(len(GRID))
        for rest, left_out in KFold(folds, shuffle=True, random_state=seed).split(codes):
            taste = Taste.fit(codes[rest], ratings[rest])
            for place, (neighbours, power, emphasis) in enumerate(GRID):
                one = cls(
                    **{**options, "neighbours": neighbours, "power": power, "emphasis": emphasis, "index": "Flat"}
                )
                expected = one.fit(codes[rest], ratings[rest], taste).predict(codes[left_out]).expected
                errors[place] += np.sum((expected - ratings[left_out]) ** 2)
        neighbours, power, emphasis = GRID[int(errors.argmin())]
        best = cls(**{**options, "neighbours": neighbours, "power": power, "emphasis": emphasis})
        return best.fit(codes, ratings, default.taste)

    def fit(self, codes: np.ndarray, ratings: np.ndarray, taste: Taste | None = None) -> RatingPredictor:
        """Learn what was rated.

        Args:
            codes: float (n, dimensions), n may be 0.
            ratings: (n,), each 1 to 5.
            taste: of this person, where it is at hand; else it is fitted.

        Raises:
            ValueError: shapes that do not agree, values that are not finite or out of range. What was
                learned before stays.
        """
        codes = _finite(codes)
        ratings = np.asarray(ratings, dtype=np.float64)
        if ratings.shape != (len(codes),):
            raise ValueError(f"ratings has shape {ratings.shape}; allowed: one a code, ({len(codes)},)")
        outside = ratings[~((ratings >= LOWEST) & (ratings <= HIGHEST))]
        if len(outside):
            raise ValueError(f"ratings has {outside[0]}; allowed: {LOWEST} to {HIGHEST}")
        self.codes, self.ratings = codes, ratings
        if len(codes):
            self._fit_distance(taste)
            placed = self._place(codes)
            self._search = faiss.index_factory(placed.shape[1], self.index)
            if not self._search.is_trained:
                self._search.train(placed)
            self._search.add(placed)
            self._placed = placed
        return self

    def predict(self, codes: np.ndarray) -> Prediction:
        """Expected ratings of portraits, from their codes (n, dimensions)."""
        codes = _finite(codes)
        if len(self.codes) and codes.shape[1] != self.codes.shape[1]:
            raise ValueError(f"codes has shape {codes.shape}; allowed: (n, {self.codes.shape[1]}), as rated")
        if len(self.ratings) < self.enough:
            return self._cold_start(len(codes))
        placed = self._place(codes)
        _, neighbours = self._search.search(placed, min(self.neighbours, len(self.ratings)))
        # faiss squares distances in float32 and loses small ones; they are few, so compute them again exactly.
        difference = placed[:, None].astype(np.float64) - self._placed[neighbours]
        weights = distance_weights(np.linalg.norm(difference, axis=2), self.power)
        ratings = self.ratings[neighbours]
        expected = np.clip((weights * ratings).sum(axis=1), ratings.min(axis=1), ratings.max(axis=1))
        disagreement = (weights * (ratings - expected[:, None]) ** 2).sum(axis=1)
        voices = 1 / (weights**2).sum(axis=1)
        uncertainty = np.sqrt((disagreement * voices + self.ratings.var()) / (voices + 1))
        return Prediction(expected, uncertainty, neighbours, weights)

    def _fit_distance(self, taste: Taste | None) -> None:
        self._centre = self.codes.mean(axis=0)
        self._unit = float(np.sqrt(self.codes.var(axis=0).sum())) or 1.0
        self.taste = None
        if self.emphasis and len(self.ratings) >= self.enough:
            taste = taste or Taste.fit(self.codes, self.ratings)
            self._spread = float(np.std(taste(self.codes)))
            self.taste = taste if self._spread > 1e-9 else None

    def _place(self, codes: np.ndarray) -> np.ndarray:
        """Codes moved so that plain Euclidean distance between the results is d."""
        placed = (codes - self._centre) / np.float32(self._unit)
        if self.taste:
            placed = np.column_stack([placed, self.emphasis / self._spread * self.taste(codes)])
        return np.ascontiguousarray(placed, dtype=np.float32)

    def _cold_start(self, number: int) -> Prediction:
        expected = self.ratings.mean() if len(self.ratings) else self.prior
        # The spread of someone about whom nothing is known: all five answers equally likely.
        spread = np.std(np.arange(LOWEST, HIGHEST + 1))
        nobody = np.zeros((number, 0))
        return Prediction(np.full(number, expected), np.full(number, spread), nobody.astype(np.int64), nobody)


def distance_weights(distances: np.ndarray, power: float) -> np.ndarray:
    """Weights w_i = d_i^-p / Σ_j d_j^-p, float64 (n, k) from distances (n, k).

    Where some distances are 0, those neighbours share the whole weight: the limit of the formula.
    """
    zero = distances == 0
    nearest = np.where(zero, np.inf, distances).min(axis=1, keepdims=True)
    # Relative to the nearest one, so that no power overflows.
    ratio = np.divide(nearest, distances, out=np.zeros_like(distances), where=~zero & np.isfinite(nearest))
    weights = np.where(zero.any(axis=1, keepdims=True), zero, ratio**power)
    return weights / weights.sum(axis=1, keepdims=True)


def _finite(codes: np.ndarray) -> np.ndarray:
    codes = np.ascontiguousarray(codes, dtype=np.float32)
    if codes.ndim != 2 or not np.isfinite(codes).all():
        raise ValueError(f"codes has shape {codes.shape}; allowed: (n, dimensions), finite numbers")
    return codes
