"""Two clouds of image features: how alike are they? Features in, numbers out; no image and no network in here.

Every one of these numbers depends on how many portraits are compared: the Fréchet distance shrinks as n grows (for
n below the number of features it mostly measures n), precision and recall rise. A number means something only beside
the floor: the same number for renders against renders, *with the same n on both sides*.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Likeness:
    """fid: Fréchet distance. kid: kernel distance. precision, recall: shares, 0 … 1."""

    fid: float
    kid: float
    precision: float
    recall: float


def likeness(generated: Tensor, rendered: Tensor) -> Likeness:
    """All four numbers of two clouds (n, d) each.

    Raises:
        ValueError: clouds of different size; see the module for why that matters.
    """
    if len(generated) != len(rendered):
        raise ValueError(f"generated has {len(generated)} rows for {len(rendered)} rendered; allowed: equally many")
    return Likeness(
        frechet_distance(generated, rendered),
        kernel_distance(generated, rendered),
        *precision_recall(generated, rendered),
    )


def likeness_floor(rendered: Tensor, splits: int = 20, seed: int = 0) -> Likeness:
    """What a perfect generator would get: renders (2n, d) against renders, n on each side, over random halves.

    Means over the splits; for KID, which is 0 on average between equal clouds, the 95 % quantile instead: a generator
    below it cannot be told from renders with so many portraits.
    """
    dice, half = np.random.default_rng(seed), len(rendered) // 2
    found = []
    for _ in range(splits):
        order = torch.from_numpy(dice.permutation(len(rendered)))
        found.append(likeness(rendered[order[:half]], rendered[order[half : 2 * half]]))

    def values(name: str) -> list[float]:
        return [getattr(one, name) for one in found]

    means = {name: float(np.mean(values(name))) for name in ("fid", "precision", "recall")}
    return Likeness(kid=float(np.quantile(values("kid"), 0.95)), **means)


def kernel_distance(first: Tensor, second: Tensor) -> float:
    """Squared kernel distance, unbiased (KID, Bińkowski et al. 2018, §4; cubic kernel): 0 on average for equal clouds.

    Args:
        first: (m, d). second: (n, d). At least two rows each.
    """
    _check(first, second, least=2)
    first, second = first.double(), second.double()
    m, n = len(first), len(second)
    within_first, within_second = _cubic(first, first), _cubic(second, second)
    within_first = (within_first.sum() - within_first.trace()) / (m * (m - 1))
    within_second = (within_second.sum() - within_second.trace()) / (n * (n - 1))
    return (within_first + within_second - 2 * _cubic(first, second).mean()).item()


def frechet_distance(first: Tensor, second: Tensor) -> float:
    """Squared Fréchet distance of two Gaussians fitted to the clouds (FID, Heusel et al. 2017, eq. 6).

    |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁Σ₂)^½). With centred rows A and B, the trace of (Σ₁Σ₂)^½ is the sum of the singular
    values of A·Bᵀ / √((m−1)(n−1)): exact, and defined for fewer rows than features too.

    Args:
        first: (m, d). second: (n, d). At least two rows each.
    """
    _check(first, second, least=2)
    first, second = first.double(), second.double()
    shift = (first.mean(dim=0) - second.mean(dim=0)).square().sum()
    a, b = (_centred(cloud) for cloud in (first, second))
    overlap = torch.linalg.svdvals(a @ b.t()).sum()
    return (shift + a.square().sum() + b.square().sum() - 2 * overlap).item()


def precision_recall(generated: Tensor, rendered: Tensor, neighbours: int = 3) -> tuple[float, float]:
    """Improved precision and recall (Kynkäänniemi et al. 2019, eq. 1-3).

    A cloud covers the balls around its points that reach to their k-th nearest neighbour. Precision: share of
    generated points that the rendered cloud covers (do they look right?). Recall: share of rendered points that the
    generated cloud covers (is everybody there?).

    Args:
        generated: (m, d). rendered: (n, d). More than ``neighbours`` rows each.
        neighbours: k; 3 in the paper.
    """
    _check(generated, rendered, least=neighbours + 1)
    between = torch.cdist(generated.double(), rendered.double(), compute_mode="donot_use_mm_for_euclid_dist")
    precision = (between <= _reach(rendered, neighbours)[None, :]).any(dim=1)
    recall = (between <= _reach(generated, neighbours)[:, None]).any(dim=0)
    return precision.double().mean().item(), recall.double().mean().item()


def _cubic(a: Tensor, b: Tensor) -> Tensor:
    return (a @ b.t() / a.shape[1] + 1.0) ** 3


def _centred(cloud: Tensor) -> Tensor:
    """Rows whose Gram matrix is the covariance; no more of them than features."""
    rows = (cloud - cloud.mean(dim=0)) / (len(cloud) - 1) ** 0.5
    return torch.linalg.qr(rows, mode="r").R if len(rows) > rows.shape[1] else rows


def _reach(cloud: Tensor, neighbours: int) -> Tensor:
    """Distance of each point to its k-th nearest neighbour; the nearest of all is the point itself."""
    within = torch.cdist(cloud.double(), cloud.double(), compute_mode="donot_use_mm_for_euclid_dist")
    return within.kthvalue(neighbours + 1, dim=1).values


def _check(first: Tensor, second: Tensor, least: int) -> None:
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1]:
        raise ValueError(f"features are {tuple(first.shape)} and {tuple(second.shape)}; allowed: (m, d) and (n, d)")
    if min(len(first), len(second)) < least:
        raise ValueError(f"features hold {len(first)} and {len(second)} portraits; allowed: at least {least} each")
