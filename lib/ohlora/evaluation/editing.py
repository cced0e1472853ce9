"""Does she do what is asked, and only that? Property control over all sampled latents.

The judge is the segmentation labeler: not the network that the conditioning was trained against.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ohlora.labeling import PROPERTIES, Labeler
from ohlora.stylegan import PortraitGenerator
from ohlora.stylegan.latent_directions import svm_direction

REQUESTS = (-2.0, -1.0, 0.0, 1.0, 2.0)  # z-scores
# What the reference asked of a latent that it kept: least r and largest MAE.
CRITERIA = {"eyes": (0.77, 1.0), "mouth": (0.85, 0.6), "pose": (0.82, 1.4)}

# (latents, one property's number, requested values (n,)) → images
Editor = Callable[[Tensor, int, Tensor], Tensor]


@dataclass(frozen=True)
class Sweep:
    """Measured z-scores while one property after the other is moved.

    measured: float32 (7 properties moved, m latents, k requests, 7 properties measured).
    requests: (k,). latents: (m, z_dim).
    """

    measured: np.ndarray
    requests: np.ndarray
    latents: Tensor


def sweep(editor: Editor, labeler: Labeler, latents: Tensor, requests: tuple[float, ...] = REQUESTS) -> Sweep:
    """Move every property of every latent to every requested value, and measure all seven."""
    wanted = torch.tensor(requests)
    rows = []
    for index in range(len(PROPERTIES)):
        z = latents.repeat_interleave(len(requests), dim=0)
        images = editor(z, index, wanted.repeat(len(latents)))
        rows.append(labeler.measure(images)[list(PROPERTIES)].to_numpy().reshape(len(latents), len(requests), -1))
    return Sweep(np.stack(rows).astype(np.float32), np.asarray(requests, dtype=np.float32), latents)


def conditioned_editor(generator: PortraitGenerator) -> Editor:
    """Ask the conditioned generator; the other six properties are asked to stay as they naturally are."""

    @torch.no_grad()
    def edit(z: Tensor, index: int, wanted: Tensor) -> Tensor:
        properties = generator.mapping.natural_properties(z).clamp(-2.0, 2.0)
        properties[:, index] = wanted
        return generator.generate(z, properties)

    return edit


def direction_editor(
    generator: PortraitGenerator, labeler: Labeler, directions: Tensor, n: int = 24, seed: int = 77
) -> Editor:
    """Walk along one direction in W a property, as far as an average latent needs (the usual way of editing).

    Args:
        generator: unconditioned. directions: unit vectors (7, w_dim).
        n: latents, others than the tested ones, on which the step for one z-score is measured.
    """
    with torch.no_grad():
        w = generator.mapping(generator.sample_z(n, seed))
        reach = (w - w.mean(dim=0)).norm(dim=1).mean()

        def pictures(values: Tensor) -> Tensor:
            return torch.cat([generator.synthesis(part).clamp(-1, 1) for part in values.split(32)])

        slopes = []
        for index, direction in enumerate(directions):
            low, high = (labeler.measure(pictures(w + side * 0.3 * reach * direction)) for side in (-1, 1))
            change = float((high - low)[PROPERTIES[index]].mean()) / (0.6 * float(reach))
            # a direction that does nothing would be walked for ever
            slopes.append(np.copysign(max(abs(change), 0.5 / float(reach)), change))

    @torch.no_grad()
    def edit(z: Tensor, index: int, wanted: Tensor) -> Tensor:
        w = generator.mapping(z)
        now = torch.tensor(labeler.measure(pictures(w))[PROPERTIES[index]].to_numpy(), dtype=torch.float32)
        return pictures(w + ((wanted - now) / slopes[index])[:, None] * directions[index])

    return edit


def svm_directions(generator: PortraitGenerator, labeler: Labeler, n: int = 400, seed: int = 78) -> Tensor:
    """InterFaceGAN's direction in W of each of the seven properties, (7, w_dim)."""
    with torch.no_grad():
        z = generator.sample_z(n, seed)
        values = pd.concat([labeler.measure(generator.generate(part)) for part in z.split(32)])
        w = generator.mapping(z)
    return torch.stack([svm_direction(w, values[name].to_numpy(), seed=seed) for name in PROPERTIES])


def random_directions(generator: PortraitGenerator, seed: int = 79) -> Tensor:
    """Seven random unit vectors in W."""
    vectors = torch.randn(len(PROPERTIES), generator.config.w_dim, generator=torch.Generator().manual_seed(seed))
    return vectors / vectors.norm(dim=1, keepdim=True)


def scores(result: Sweep) -> pd.DataFrame:
    """One row a property: r and MAE over all latents and requests, and the share of latents that pass alone.

    ``passing`` uses the reference's criteria for eyes, mouth and pose (r and MAE within one latent), and
    those of eyes for the other four.
    """
    rows = {}
    for index, name in enumerate(PROPERTIES):
        shown = result.measured[index, :, :, index]
        wanted = np.broadcast_to(result.requests, shown.shape)
        rows[name] = {
            "r": float(np.corrcoef(shown.ravel(), wanted.ravel())[0, 1]),
            "mae": float(np.abs(shown - wanted).mean()),
            "passing": float(_passes(result, index, *CRITERIA.get(name, CRITERIA["eyes"])).mean()),
        }
    return pd.DataFrame(rows).T


def yield_of_latents(result: Sweep) -> float:
    """Share of latents that meet all three of the reference's criteria (eyes, mouth and pose)."""
    passed = [_passes(result, PROPERTIES.index(name), *limits) for name, limits in CRITERIA.items()]
    return float(np.logical_and.reduce(passed).mean())


def _passes(result: Sweep, index: int, least_r: float, largest_mae: float) -> np.ndarray:
    shown = result.measured[index, :, :, index]
    centred = shown - shown.mean(axis=1, keepdims=True)
    wanted = result.requests - result.requests.mean()
    spread = np.sqrt((centred**2).sum(axis=1) * (wanted**2).sum())
    r = (centred * wanted).sum(axis=1) / np.maximum(spread, 1e-9)
    return (r >= least_r) & (np.abs(shown - result.requests).mean(axis=1) <= largest_mae)


def rescoring_matrix(result: Sweep) -> pd.DataFrame:
    """Off-target change per unit of on-target change (InterFaceGAN's re-scoring): rows moved, columns measured.

    Each cell is the mean absolute slope of the measured property within a latent, divided by the moved one's.
    """
    wanted = result.requests - result.requests.mean()
    slopes = np.einsum("pmkq,k->pmq", result.measured, wanted) / (wanted**2).sum()
    size = np.abs(slopes).mean(axis=1)
    return pd.DataFrame(size / np.maximum(np.diag(size)[:, None], 1e-9), index=PROPERTIES, columns=PROPERTIES)
