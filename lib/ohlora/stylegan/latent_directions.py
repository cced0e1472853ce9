"""Directions of the latent space: found without labels (PCA, SeFa) and with them (linear, SVM)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.svm import LinearSVC
from torch import Tensor

from ohlora.stylegan.portrait_generator import PortraitGenerator


@dataclass(frozen=True)
class Directions:
    """Unit directions in W, strongest first.

    vectors: float32 (k, w_dim). strengths: float32 (k,), what the method sorts by.
    """

    vectors: Tensor
    strengths: Tensor


@torch.no_grad()
def principal_directions(generator: PortraitGenerator, count: int = 8, n: int = 4096, seed: int = 0) -> Directions:
    """Where w varies most: PCA over n latents (Härkönen et al. 2020, GANSpace).

    ``strengths`` are standard deviations along the directions.
    """
    w = generator.mapping(generator.sample_z(n, seed))
    _, scales, vectors = torch.linalg.svd(w - w.mean(dim=0), full_matrices=False)
    return Directions(vectors[:count].contiguous(), scales[:count] / n**0.5)


@torch.no_grad()
def sefa_directions(generator: PortraitGenerator, count: int = 8, layers: range | None = None) -> Directions:
    """Where the weights that turn w into styles amplify most (Shen & Zhou 2021, SeFa, eq. 5).

    The eigenvectors of AᵀA, A being the stacked affine weights of modulated convolutions. No image is made.

    Args:
        layers: of which layers, counted from 0 (coarse) to config.layers - 1 (fine); None: all. The walk should then
            move the styles of the same layers only.

    Raises:
        ValueError: layers that the generator does not have.
    """
    every = [layer for level in generator.synthesis.levels for layer in level.layers]
    chosen = range(len(every)) if layers is None else layers
    if not chosen or min(chosen) < 0 or max(chosen) >= len(every):
        raise ValueError(f"layers={layers!r} is not allowed; this generator has layers 0 to {len(every) - 1}")
    stacked = torch.cat([every[number].convolution.affine.weight for number in chosen])
    values, vectors = torch.linalg.eigh(stacked.t() @ stacked)
    order = values.argsort(descending=True)[:count]
    return Directions(vectors[:, order].t().contiguous(), values[order])


def layer_groups(generator: PortraitGenerator) -> dict[str, range]:
    """Which layers are coarse (up to 8 px), middle (16 and 32 px) and fine (from 64 px on); Karras et al. 2019, §3.1.

    An empty range where a small generator has none.
    """
    count = generator.config.layers
    ends = [min(end, count) for end in (0, 3, 7, count)]  # one layer at 4 px, two at each size above
    return {name: range(*ends[k : k + 2]) for k, name in enumerate(("coarse", "middle", "fine"))}


def linear_direction(latents: Tensor, values: Tensor | np.ndarray) -> Tensor:
    """How a latent moves, on average, when a value rises: least squares of the latents on the value.

    The other way round (the weights of an estimate of the value) predicts well and edits badly: it is tuned to
    cancel everything else, and hardly moves along what the value changes (Haufe et al. 2014).

    Args:
        latents: (n, d), z or w. values: (n,), one property, any unit.

    Returns:
        float32 (d,), length 1.
    """
    features, targets = _checked(latents, values)
    return _unit((targets - targets.mean()) @ (features - features.mean(axis=0)))


def svm_direction(latents: Tensor, values: Tensor | np.ndarray, extremes: float = 0.3, seed: int = 0) -> Tensor:
    """Normal of the plane that separates high from low values (Shen et al. 2020, InterFaceGAN, §3.1).

    Args:
        latents: (n, d). values: (n,). extremes: share of the latents taken from each end.

    Returns:
        float32 (d,), length 1, towards high values.
    """
    features, targets = _checked(latents, values)
    if not 0.0 < extremes <= 0.5:
        raise ValueError(f"extremes={extremes} is out of range; allowed: above 0, at most 0.5")
    order = np.argsort(targets)
    count = max(2, int(len(order) * extremes))
    rows = np.concatenate([order[:count], order[-count:]])
    labels = np.repeat([0, 1], count)
    return _unit(LinearSVC(C=0.1, random_state=seed, max_iter=5000).fit(features[rows], labels).coef_[0])


def without(direction: Tensor, others: Tensor) -> Tensor:
    """The part of a direction that is orthogonal to others: conditional manipulation (InterFaceGAN, §3.2).

    Args:
        direction: (d,). others: (k, d), to be left alone.
    """
    basis = torch.linalg.qr(others.t())[0]
    rest = direction - basis @ (basis.t() @ direction)
    return rest / rest.norm()


def conditional_directions(directions: Tensor) -> Tensor:
    """Each direction without its part along all the others: one property moves, the others stay (InterFaceGAN, §3.2).

    Args:
        directions: (k, d), one a property.

    Returns:
        (k, d), unit vectors; each is orthogonal to the k − 1 other given directions.
    """
    rows = range(len(directions))
    return torch.stack(
        [without(directions[row], directions[[other for other in rows if other != row]]) for row in rows]
    )


def grouped_svm_directions(
    latents: Tensor, values: np.ndarray, groups: np.ndarray, count: int, least: int = 20, seed: int = 0
) -> Tensor:
    """One SVM a property in each group of like latents: a plane fits a neighbourhood better than a whole space.

    Args:
        latents: (n, d). values: (n, k), k properties. groups: (n,), numbers from 0 to count - 1.
        least: a group with fewer latents takes the directions of all.

    Returns:
        float32 (count, k, d), unit vectors towards high values.
    """
    found = torch.empty(count, values.shape[1], latents.shape[1])
    for group in range(count):
        rows = np.flatnonzero(groups == group)
        rows = rows if len(rows) >= least else np.arange(len(latents))
        for column in range(values.shape[1]):
            found[group, column] = svm_direction(latents[rows], values[rows, column], seed=seed)
    return found


def _checked(latents: Tensor, values: Tensor | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    features = latents.detach().cpu().double().numpy()
    targets = np.asarray(values, dtype=np.float64)
    if features.ndim != 2 or targets.shape != (len(features),):
        raise ValueError(f"values has shape {targets.shape} for latents {features.shape}; allowed: one value a latent")
    return features, targets


def _unit(vector: np.ndarray) -> Tensor:
    return torch.from_numpy(vector / np.linalg.norm(vector)).float()
