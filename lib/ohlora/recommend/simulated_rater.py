"""A *simulated* rater, for runs without a person: a hidden taste plus noise. No human rated anything here.

It is used to test the recommender where the truth is known. What holds for it need not hold for people.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ohlora.portraits.parameters import VECTOR_NAMES
from ohlora.recommend.ratings import HIGHEST, LOWEST

NOTICEABLE = (
    "gender",
    "skin",
    "hair_lightness",
    "hair_redness",
    "hair_length",
    "fringe",
    "eyes",
    "mouth",
    "smile",
    "yaw",
    "lipstick",
    "background_top_1",
)
"""Parameters that one sees at first glance; the last one is the green of the background, that is, its brightness."""


def noticeable_features(u: np.ndarray) -> pd.DataFrame:
    """What a rater looks at, from the parameters u (n, 62) that portraits were made from: 12 columns, N(0, 1)."""
    u = np.asarray(u, dtype=np.float64)
    if u.ndim != 2 or u.shape[1] != len(VECTOR_NAMES):
        raise ValueError(f"u has shape {u.shape}; allowed: (n, {len(VECTOR_NAMES)})")
    return pd.DataFrame(u, columns=list(VECTOR_NAMES))[list(NOTICEABLE)]


class SimulatedRater:
    """Likes portraits by what they show, not by their pixels.

    For each feature j, standardised to x_j, the rater has an importance a_j ≥ 0 (few matter much, most little:
    Gamma with shape ½) and either a direction (more is better, or less is) or a favourite value c_j near the middle::

        liking = Σ_j a_j · (± x_j)   or   Σ_j a_j · (1 - (x_j - c_j)²)

    Liking is standardised over the reference portraits; an opinion is 3 + 1.1 · liking; a rating is the opinion
    plus normal noise, rounded to 1 … 5: asked twice, the rater does not always agree with itself, as people do not.

    Args:
        reference: (n, features), n ≥ 2: known parameters of many portraits; sets means and spreads.
        seed: the person. Another seed is another taste.
        noise: standard deviation of one answer, in rating points.
    """

    def __init__(self, reference: pd.DataFrame | np.ndarray, seed: int = 0, noise: float = 0.5) -> None:
        values = _matrix(reference)
        if len(values) < 2:
            raise ValueError(f"reference has {len(values)} rows; allowed: at least 2")
        if not noise >= 0:
            raise ValueError(f"noise={noise}; allowed: 0 or more rating points")
        self.names = list(reference.columns) if isinstance(reference, pd.DataFrame) else list(range(values.shape[1]))
        self.seed, self.noise = seed, noise
        self._mean, self._spread = values.mean(axis=0), values.std(axis=0) + 1e-9
        random = np.random.default_rng([seed, 20])
        self._importance = random.gamma(0.5, size=values.shape[1])
        self._importance /= self._importance.sum()
        self._has_favourite = random.random(values.shape[1]) < 0.5
        self._direction = random.choice([-1.0, 1.0], values.shape[1])
        self._favourite = random.normal(0, 0.7, values.shape[1])
        liking = self._liking(values)
        self._middle, self._scale = liking.mean(), liking.std() + 1e-9

    def opinion(self, features: pd.DataFrame | np.ndarray) -> np.ndarray:
        """What the rater really thinks, without noise or rounding: float64 (n,), 1 to 5."""
        liking = (self._liking(_matrix(features)) - self._middle) / self._scale
        return np.clip(3 + 1.1 * liking, LOWEST, HIGHEST)

    def rate(self, features: pd.DataFrame | np.ndarray, occasion: int = 0) -> np.ndarray:
        """Ratings int64 (n,), 1 to 5. The same occasion gives the same answers; another one has new noise."""
        opinion = self.opinion(features)
        noise = np.random.default_rng([self.seed, 21, occasion]).normal(0, self.noise, len(opinion))
        return np.clip(np.rint(opinion + noise), LOWEST, HIGHEST).astype(np.int64)

    def taste(self) -> pd.DataFrame:
        """The hidden taste, most important feature first: columns importance, likes."""
        likes = [
            f"about {favourite:+.1f} standard deviations" if has else ("more" if direction > 0 else "less")
            for has, favourite, direction in zip(self._has_favourite, self._favourite, self._direction, strict=True)
        ]
        table = pd.DataFrame({"importance": self._importance, "likes": likes}, index=self.names)
        return table.sort_values("importance", ascending=False)

    def _liking(self, values: np.ndarray) -> np.ndarray:
        if values.shape[1] != len(self._importance):
            raise ValueError(f"features has {values.shape[1]} columns; allowed: {len(self._importance)}, {self.names}")
        x = (values - self._mean) / self._spread
        each = np.where(self._has_favourite, 1 - (x - self._favourite) ** 2, self._direction * x)
        return each @ self._importance


def _matrix(features: pd.DataFrame | np.ndarray) -> np.ndarray:
    values = np.asarray(features, dtype=np.float64)
    if values.ndim != 2 or not np.isfinite(values).all():
        raise ValueError(f"features has shape {values.shape}; allowed: (n, features), finite numbers")
    return values
