"""Of many generated portraits, the few that this person will probably like best."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from ohlora.config import Profile, load_profile
from ohlora.recommend.autoencoder import AutoEncoder
from ohlora.recommend.predictor import Prediction, RatingPredictor
from ohlora.recommend.ratings import PortraitRecipe
from ohlora.weights import locate_weights

if TYPE_CHECKING:
    from ohlora.stylegan import PortraitGenerator


@dataclass(frozen=True)
class Recommendation:
    """The best of N generated portraits, best first.

    z: float32 (top, z_dim). images: uint8 (top, size, size, 3). prediction: of these, with the neighbours
    that explain it. chosen: int (top,), places among the candidates. candidates: the predictions of all N.
    """

    z: np.ndarray
    images: np.ndarray
    prediction: Prediction
    chosen: np.ndarray
    candidates: Prediction


def generator_identity(profile: Profile | str = "embedded", conditioned: bool = False) -> str:
    """Name and first hash digits of the generator's weights, e.g. ``"stylegan_256@1f0c9a2b"``.

    The same z shows another face after retraining, so ratings remember which weights drew it.
    """
    section = load_profile(profile).stylegan
    name = section.conditioned if conditioned else section.weights
    card = json.loads(locate_weights(name).with_suffix(".json").read_text(encoding="utf-8"))
    return f"{name}@{card['sha256'][:8]}"


def portrait_recipes(generator: str, z: np.ndarray | torch.Tensor) -> list[PortraitRecipe]:
    """Latents (n, z_dim) of the generator with this identity, as recipes that a RatingStore keeps."""
    return [PortraitRecipe(generator, row) for row in _array(z)]


def recommend(
    generator: PortraitGenerator,
    autoencoder: AutoEncoder,
    predictor: RatingPredictor,
    candidates: int = 1000,
    top: int = 10,
    seed: int = 0,
    batch: int = 64,
) -> Recommendation:
    """Generate ``candidates`` portraits, predict their ratings, return the ``top`` ones.

    Only codes are kept while generating, so memory does not grow with the pictures. Equal predictions (a cold
    start) keep the order in which they were generated.

    Raises:
        ValueError: top is not between 1 and candidates, or the predictor learned codes of another length.
    """
    if not 1 <= top <= candidates:
        raise ValueError(f"top={top} of candidates={candidates}; allowed: 1 to candidates")
    z = generator.sample_z(candidates, seed)
    codes = np.concatenate(
        [autoencoder.encode(generator.pictures(z[i : i + batch])) for i in range(0, candidates, batch)]
    )
    prediction = predictor.predict(codes)
    chosen = np.argsort(-prediction.expected, kind="stable")[:top]
    best = _array(z)[chosen]
    return Recommendation(best, generator.pictures(best), _rows(prediction, chosen), chosen, prediction)


def _array(z: np.ndarray | torch.Tensor) -> np.ndarray:
    return z.detach().cpu().numpy() if isinstance(z, torch.Tensor) else np.asarray(z, dtype=np.float32)


def _rows(prediction: Prediction, rows: np.ndarray) -> Prediction:
    return Prediction(
        prediction.expected[rows], prediction.uncertainty[rows], prediction.neighbours[rows], prediction.weights[rows]
    )
