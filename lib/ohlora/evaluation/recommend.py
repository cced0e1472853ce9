"""Numbers of chapter 03: reconstruction, distances, predicted ratings, all on held-out portraits."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr
from sklearn.decomposition import PCA
from sklearn.linear_model import RidgeCV
from sklearn.metrics import ndcg_score

from ohlora.portraits.parameters import VECTOR_NAMES
from ohlora.recommend import AutoEncoder, RatingPredictor, SimulatedRater


class PrincipalComponents:
    """The linear rival of the auto-encoder: PCA of the pixels, with as many numbers a portrait.

    Args:
        images: uint8 (n, size, size, 3) to fit on; the auto-encoder's mirror images are added.
        dimensions: numbers a portrait, at most 2 n.
    """

    def __init__(self, images: np.ndarray, dimensions: int, seed: int = 0) -> None:
        if not 1 <= dimensions <= 2 * len(images):
            raise ValueError(f"dimensions={dimensions} of {len(images)} images; allowed: 1 to {2 * len(images)}")
        self._shape = images.shape[1:]
        both = np.concatenate([images, images[:, :, ::-1]])
        self._pca = PCA(dimensions, svd_solver="randomized", random_state=seed).fit(pixels(both))

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Codes float32 (n, dimensions)."""
        return self._pca.transform(pixels(images))

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Images uint8 (n, size, size, 3)."""
        values = self._pca.inverse_transform(codes).reshape(-1, *self._shape)
        return np.clip(np.rint((values + 1) * 127.5), 0, 255).astype(np.uint8)


def pixels(images: np.ndarray, step: int = 1) -> np.ndarray:
    """uint8 images as rows of float32 in [-1, 1]; ``step`` averages blocks of so many pixels first."""
    values = images.astype(np.float32) / 127.5 - 1
    if step > 1:
        n, size = values.shape[:2]
        values = values.reshape(n, size // step, step, size // step, step, 3).mean(axis=(2, 4))
    return values.reshape(len(images), -1)


def autoencoder_images(autoencoder: AutoEncoder, codes: np.ndarray) -> np.ndarray:
    """The auto-encoder's portraits of codes as uint8 (n, size, size, 3)."""
    decoded = autoencoder.decode(codes)
    return ((decoded + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()


def reconstruction_error(images: np.ndarray, reconstructions: np.ndarray) -> pd.Series:
    """How far uint8 reconstructions are from their originals, pixels in [-1, 1].

    rmse: root of the mean squared error. edges: mean absolute error of the differences between neighbouring
    pixels, which is what blur gets wrong.
    """
    true, made = (values.astype(np.float32) / 127.5 - 1 for values in (images, reconstructions))
    edges = [np.abs(np.diff(true, axis=axis) - np.diff(made, axis=axis)).mean() for axis in (1, 2)]
    return pd.Series({"rmse": np.sqrt(((true - made) ** 2).mean()), "edges": np.mean(edges)}, dtype=float)


def distance_agreement(codes: np.ndarray, parameters: np.ndarray) -> float:
    """Spearman correlation between the distances of codes and those of known parameters, over all pairs."""
    return float(spearmanr(pdist(codes), pdist(np.asarray(parameters, dtype=np.float64))).statistic)


def told_agreement(codes: np.ndarray, parameters: np.ndarray, told: Sequence[str]) -> pd.Series:
    """Pearson correlation of the first numbers of the codes with the parameters that they tell.

    Args:
        codes: (n, dimensions). parameters: u (n, 62) of the same portraits. told: names, in the order of the code.
    """
    true = [parameters[:, VECTOR_NAMES.index(name)] for name in told]
    values = [np.corrcoef(codes[:, place], one)[0, 1] for place, one in enumerate(true)]
    return pd.Series(values, index=list(told), name="r", dtype=float)


def prediction_scores(expected: np.ndarray, ratings: np.ndarray) -> dict[str, float]:
    """rmse in rating points, Spearman's rank correlation (0 where the prediction is constant), and NDCG@10.

    NDCG@10 (Järvelin & Kekäläinen 2002) looks at the ten best predicted only: their ratings, discounted by rank,
    against the ten best possible. The gain of a portrait is its rating above 1; ties share their places.
    """
    constant = np.ptp(expected) == 0 or np.ptp(ratings) == 0
    rank = 0.0 if constant else float(spearmanr(expected, ratings).statistic)
    error = float(np.sqrt(np.mean((expected - ratings) ** 2)))
    return {"rmse": error, "spearman": rank, "ndcg_at_10": float(ndcg_score([ratings - 1], [expected], k=10))}


def retest_scores(rater: SimulatedRater, features: pd.DataFrame | np.ndarray) -> dict[str, float]:
    """How well one round of the simulated rater's answers predicts the next one: the test–retest ceiling."""
    return prediction_scores(rater.rate(features, occasion=1).astype(float), rater.rate(features, occasion=0))


Predictor = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""(rated inputs, their ratings, new inputs) → expected ratings of the new ones."""


def nearest_neighbours(rated: np.ndarray, ratings: np.ndarray, new: np.ndarray) -> np.ndarray:
    """The chapter's predictor on codes; neighbours, power and emphasis chosen on the rated ones alone."""
    return RatingPredictor.chosen(rated, ratings).predict(new).expected


def plain_neighbours(rated: np.ndarray, ratings: np.ndarray, new: np.ndarray) -> np.ndarray:
    """The same without emphasis: plain Euclidean distance between codes."""
    return RatingPredictor(emphasis=0).fit(rated, ratings).predict(new).expected


def ridge(rated: np.ndarray, ratings: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Linear regression with a penalty chosen by leave-one-out on the rated ones."""
    scale = rated.std() + 1e-9
    penalties = np.logspace(-1, 5, 13)
    model = RidgeCV(penalties).fit(rated / scale, ratings)
    return np.clip(model.predict(new / scale), 1, 5)


def user_mean(rated: np.ndarray, ratings: np.ndarray, new: np.ndarray) -> np.ndarray:
    """The same number for every portrait."""
    return np.full(len(new), np.mean(ratings))


PREDICTORS: dict[str, tuple[Predictor, str]] = {
    "k-NN": (nearest_neighbours, "codes"),
    "k-NN, plain distance": (plain_neighbours, "codes"),
    "ridge on codes": (ridge, "codes"),
    "ridge on pixels": (ridge, "pixels"),
    "user mean": (user_mean, "codes"),
}
"""The chapter's predictor and its rivals: name → (predictor, what it sees)."""


def compare_predictors(
    methods: dict[str, tuple[Predictor, np.ndarray]],
    raters: Sequence[SimulatedRater],
    features: pd.DataFrame | np.ndarray,
    counts: Sequence[int],
    held_out: int,
) -> pd.DataFrame:
    """Every method × rater × number of ratings, scored on portraits that the method never saw.

    Args:
        methods: name → (predictor, inputs of all portraits); inputs are codes or pixels (n, …).
        raters: simulated ones; each rates on its own.
        features: known parameters of all n portraits; only the raters see them.
        counts: numbers of ratings to learn from, taken from the front.
        held_out: portraits at the end that only score.

    Returns:
        One row each: method, rater, ratings, rmse, spearman, ndcg_at_10, ceiling (the rater's test–retest Spearman).
    """
    n = len(features)
    if max(counts) + held_out > n:
        raise ValueError(f"counts up to {max(counts)} and held_out={held_out}; allowed: {n} portraits in all")
    rows = []
    for number, rater in enumerate(raters):
        ratings = rater.rate(features)
        ceiling = retest_scores(rater, features[-held_out:])["spearman"]
        for count in counts:
            for name, (method, inputs) in methods.items():
                expected = method(inputs[:count], ratings[:count].astype(float), inputs[-held_out:])
                scores = prediction_scores(expected, ratings[-held_out:])
                rows.append({"method": name, "rater": number, "ratings": count, **scores, "ceiling": ceiling})
    return pd.DataFrame(rows)


def gain_of_recommended(
    codes: np.ndarray,
    candidates: np.ndarray,
    raters: Sequence[SimulatedRater],
    features: pd.DataFrame | np.ndarray,
    candidate_features: pd.DataFrame | np.ndarray,
    count: int,
    top: int = 10,
) -> pd.DataFrame:
    """Do raters like what is recommended to them after ``count`` ratings? In points of their true opinion.

    Args:
        codes, features: of the portraits that are rated, the first ``count`` of them. candidates, candidate_features:
            of new ones, of which ``top`` are recommended.

    Returns:
        One row a rater: recommended (mean opinion of the recommended), random (of all candidates), best possible.
    """
    rows = []
    for rater in raters:
        ratings = rater.rate(features)[:count].astype(float)
        expected = nearest_neighbours(codes[:count], ratings, candidates)
        opinion = rater.opinion(candidate_features)
        best = np.argsort(-expected, kind="stable")[:top]
        rows.append((opinion[best].mean(), opinion.mean(), np.sort(opinion)[-top:].mean()))
    return pd.DataFrame(rows, columns=["recommended", "random", "best possible"])
