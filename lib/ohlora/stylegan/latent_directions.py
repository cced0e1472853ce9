"""Directions of the latent space: found without labels (PCA, SeFa) and with them (linear, SVM)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.linear_model import LinearRegression
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
def sefa_directions(generator: PortraitGenerator, count: int = 8) -> Directions:
    """Where the weights that turn w into styles amplify most (Shen & Zhou 2021, SeFa, eq. 5).

    The eigenvectors of AᵀA, A being the stacked affine weights of all modulated convolutions. No image is made.
    """
    stacked = torch.cat(
        [layer.convolution.affine.weight for level in generator.synthesis.levels for layer in level.layers]
    )
    values, vectors = torch.linalg.eigh(stacked.t() @ stacked)
    order = values.argsort(descending=True)[:count]
    return Directions(vectors[:, order].t().contiguous(), values[order])


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


def linear_probe(latents: Tensor, values: Tensor | np.ndarray, seed: int = 0, held_out: float = 0.25) -> float:
    """How linearly a property lies in a latent space: Pearson r of a linear estimate on held-out latents.

    Compare Z with W: StyleGAN's claim (Karras et al. 2019, §4) is that W is the straighter one.
    """
    features, targets = _checked(latents, values)
    order = np.random.default_rng(seed).permutation(len(targets))
    cut = int(len(order) * held_out)
    if cut < 3:
        raise ValueError(f"latents holds {len(targets)} rows; allowed: enough for 3 held-out ones")
    test, train = order[:cut], order[cut:]
    estimate = LinearRegression().fit(features[train], targets[train]).predict(features[test])
    return float(np.corrcoef(estimate, targets[test])[0, 1])


def without(direction: Tensor, others: Tensor) -> Tensor:
    """The part of a direction that is orthogonal to others: conditional manipulation (InterFaceGAN, §3.2).

    Args:
        direction: (d,). others: (k, d), to be left alone.
    """
    basis = torch.linalg.qr(others.t())[0]
    rest = direction - basis @ (basis.t() @ direction)
    return rest / rest.norm()


def _checked(latents: Tensor, values: Tensor | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    features = latents.detach().cpu().double().numpy()
    targets = np.asarray(values, dtype=np.float64)
    if features.ndim != 2 or targets.shape != (len(features),):
        raise ValueError(f"values has shape {targets.shape} for latents {features.shape}; allowed: one value a latent")
    return features, targets


def _unit(vector: np.ndarray) -> Tensor:
    return torch.from_numpy(vector / np.linalg.norm(vector)).float()
