"""The rival from the film recommenders: matrix factorisation, which looks at who rated what and at no picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.linear_model import RidgeCV

from ohlora.evaluation.recommend import prediction_scores, retest_scores
from ohlora.recommend import SimulatedRater
from ohlora.recommend.ratings import HIGHEST, LOWEST


@dataclass(frozen=True)
class Factorisation:
    """rating ≈ person_mean + portrait_bias + person_factors · portrait_factors.

    person_mean: (people,). person_factors: (people, rank). portrait_bias: (portraits,). portrait_factors:
    (portraits, rank); bias and factors of a portrait that nobody rated are 0.
    """

    person_mean: np.ndarray
    person_factors: np.ndarray
    portrait_bias: np.ndarray
    portrait_factors: np.ndarray

    def predict(self, person: int) -> np.ndarray:
        """Expected ratings of all portraits for one person, (portraits,), 1 to 5."""
        liking = self.portrait_bias + self.portrait_factors @ self.person_factors[person]
        return np.clip(self.person_mean[person] + liking, LOWEST, HIGHEST)

    def for_new_portraits(self, rated_codes: np.ndarray, new_codes: np.ndarray, person: int) -> np.ndarray:
        """The same for portraits that nobody rated: their bias and factors are regressed on the codes (ridge)."""
        known = np.column_stack([self.portrait_bias, self.portrait_factors])
        scale = rated_codes.std(axis=0) + 1e-9
        guess = RidgeCV(np.logspace(0, 5, 11)).fit(rated_codes / scale, known).predict(new_codes / scale)
        return Factorisation(self.person_mean, self.person_factors, guess[:, 0], guess[:, 1:]).predict(person)


def factorise(
    ratings: np.ndarray, rank: int = 3, penalty: float = 4.0, rounds: int = 20, seed: int = 0
) -> Factorisation:
    """Alternating least squares (Koren, Bell & Volinsky 2009, eq. 4) with their biases.

    Args:
        ratings: (people, portraits), NaN where somebody did not rate; every person rated something.
        rank: factors. penalty: of squared factors, in ratings. rounds: of the alternation. seed: of the start.
    """
    rated = np.isfinite(ratings)
    if ratings.ndim != 2 or not rated.any(axis=1).all():
        raise ValueError(f"ratings has shape {ratings.shape} and people without any; allowed: (people, portraits)")
    mean = np.nanmean(ratings, axis=1)
    rest = np.where(rated, ratings - mean[:, None], 0.0)
    bias = rest.sum(axis=0) / (rated.sum(axis=0) + penalty)
    rest = np.where(rated, rest - bias, 0.0)
    people = np.random.default_rng(seed).normal(0, 0.3, (len(ratings), rank))
    portraits = np.zeros((ratings.shape[1], rank))
    for _ in range(rounds):
        portraits = _solve(rest.T, rated.T, people, penalty)
        people = _solve(rest, rated, portraits, penalty)
    return Factorisation(mean, people, bias, portraits)


def _solve(rest: np.ndarray, rated: np.ndarray, others: np.ndarray, penalty: float) -> np.ndarray:
    """Ridge regression of each row of ``rest`` on the factors of the other side, where rated."""
    gram = np.einsum("ij,jf,jg->ifg", rated.astype(float), others, others) + penalty * np.eye(others.shape[1])
    return np.linalg.solve(gram, (rest @ others)[..., None])[..., 0]


def compare_factorisation(
    raters: Sequence[SimulatedRater],
    features: pd.DataFrame | np.ndarray,
    codes: np.ndarray,
    counts: Sequence[int],
    held_out: int,
    seed: int = 0,
) -> pd.DataFrame:
    """Matrix factorisation in the two situations that a recommender meets; rows as in compare_predictors.

    "matrix factorisation, rated by others": the other raters have rated every portrait, the held-out ones too; the
    rater in question only the first ``count``. "matrix factorisation, new portraits": nobody has rated the held-out
    ones, as with every freshly generated portrait; factors are regressed on the codes.
    """
    ratings = np.stack([rater.rate(features) for rater in raters]).astype(float)
    ceilings = [retest_scores(rater, features[-held_out:])["spearman"] for rater in raters]
    rows = []
    for count in counts:
        new = factorise(ratings[:, :count], seed=seed)
        for number in range(len(raters)):
            seen = ratings.copy()
            seen[number, count:] = np.nan
            expected = {
                "rated by others": factorise(seen, seed=seed).predict(number)[-held_out:],
                "new portraits": new.for_new_portraits(codes[:count], codes[-held_out:], number),
            }
            for name, values in expected.items():
                scores = prediction_scores(values, ratings[number, -held_out:])
                row = {"method": f"matrix factorisation, {name}", "rater": number, "ratings": count}
                rows.append({**row, **scores, "ceiling": ceilings[number]})
    return pd.DataFrame(rows)
