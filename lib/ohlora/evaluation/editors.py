"""Who changes a property: the conditioned generator, and what people did before there was one.

The others walk along a direction in W of the unconditioned generator. They get help that the conditioned generator
does not: the judge reads each portrait before the edit, and the step is what an average latent needs for the missing
rest. Everything that they learn from comes from other latents than those that are tested.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ohlora.config import half_precision
from ohlora.evaluation.appearance import measure_people, name_directions
from ohlora.labeling import PROPERTIES, Labeler
from ohlora.stylegan import PortraitGenerator
from ohlora.stylegan.conditioning import TRAINED_RANGE
from ohlora.stylegan.latent_directions import (
    conditional_directions,
    grouped_svm_directions,
    principal_directions,
    sefa_directions,
    svm_direction,
)

GROUPED_BY = ("hair_length", "hair_color", "background_mean")
"""The reference cut its latents in two at the median of each of these, and fitted one SVM in each of the 8 groups."""

_BATCH = 32


@torch.inference_mode()
def portraits_of(generator: PortraitGenerator, w: Tensor) -> Tensor:
    """Portraits of w, (n, w_dim) or (n, layers, w_dim), in half precision; float32 (n, 3, size, size) in [-1, 1]."""
    parts = []
    for part in w.split(_BATCH):
        with half_precision():
            parts.append(generator.synthesis(part).float().clamp(-1, 1))
    return torch.cat(parts)


class ConditionedEditor:
    """Asks the conditioned generator; the other six properties are asked to stay as they naturally are."""

    def __init__(self, generator: PortraitGenerator) -> None:
        if tuple(generator.properties) != PROPERTIES:
            raise ValueError(
                f"generator obeys {list(generator.properties)}; allowed: one that obeys {list(PROPERTIES)}"
            )
        self.generator = generator

    def unmoved(self, z: Tensor) -> Tensor:
        """Nothing is requested."""
        return portraits_of(self.generator, self.generator.mapping(z, self._natural(z)))

    def moved(self, z: Tensor, index: int, wanted: Tensor, now: Tensor | None = None) -> Tensor:
        """One property is requested. ``now`` is not looked at: she is asked for values, not for steps."""
        properties = self._natural(z)
        properties[:, index] = wanted
        return portraits_of(self.generator, self.generator.mapping(z, properties))

    @torch.no_grad()
    def _natural(self, z: Tensor) -> Tensor:
        return self.generator.mapping.natural_properties(z).clamp(-TRAINED_RANGE, TRAINED_RANGE)


@dataclass(frozen=True)
class Walk:
    """Where to walk for each property, and how far a z-score is.

    directions: unit vectors, float32 (g, 7, w_dim), g = 1 or 2 ** len(GROUPED_BY) groups of latents.
    slopes: mean change in z-scores of a step of length 1, (g, 7). medians: (len(GROUPED_BY),), which tell the group.
    """

    directions: Tensor
    slopes: Tensor
    medians: Tensor

    def group_of(self, shown: Tensor) -> Tensor:
        """Number of the group of latents by what they show, z-scores (n, 7) → (n,)."""
        if len(self.directions) == 1:
            return torch.zeros(len(shown), dtype=torch.long)
        return group_numbers(shown, self.medians)


class DirectionEditor:
    """Walks in W, the same way for every latent of a group, as far as an average latent of it needs."""

    def __init__(self, generator: PortraitGenerator, walk: Walk) -> None:
        self.generator = generator
        self.walk = walk

    def unmoved(self, z: Tensor) -> Tensor:
        """As the unconditioned generator makes them."""
        with torch.no_grad():
            return portraits_of(self.generator, self.generator.mapping(z))

    def moved(self, z: Tensor, index: int, wanted: Tensor, now: Tensor) -> Tensor:
        """The step is the missing rest over what a step of length 1 changes on average."""
        group = self.walk.group_of(now)
        step = (wanted - now[:, index]) / self.walk.slopes[group, index]
        with torch.no_grad():
            w = self.generator.mapping(z) + step[:, None] * self.walk.directions[group, index]
        return portraits_of(self.generator, w)


@dataclass(frozen=True)
class LabelledLatents:
    """w: (n, w_dim) of the unconditioned generator. shown: what the labeler reads off their portraits, (n, 7)."""

    w: Tensor
    shown: Tensor

    def __len__(self) -> int:
        return len(self.w)


@torch.no_grad()
def label_latents(generator: PortraitGenerator, labeler: Labeler, n: int = 2000, seed: int = 78) -> LabelledLatents:
    """n latents, their portraits measured; what the directions with labels learn from."""
    w = generator.mapping(generator.sample_z(n, seed))
    bar = tqdm(w.split(_BATCH), desc="labelled latents", disable=None, file=sys.stderr, leave=False)
    return LabelledLatents(w, torch.cat([_shown(generator, labeler, part) for part in bar]))


def group_numbers(shown: Tensor, medians: Tensor) -> Tensor:
    """0 … 7, (n,): which of GROUPED_BY are above their medians (3,), of z-scores (n, 7)."""
    columns = [PROPERTIES.index(name) for name in GROUPED_BY]
    return (shown[:, columns] > medians).long() @ (2 ** torch.arange(len(columns)))


def random_walk(generator: PortraitGenerator, labeler: Labeler, labelled: LabelledLatents, seed: int = 79) -> Walk:
    """Random unit vectors: what any editor must beat."""
    vectors = torch.randn(len(PROPERTIES), generator.config.w_dim, generator=torch.Generator().manual_seed(seed))
    return _measured(generator, labeler, labelled, torch.nn.functional.normalize(vectors, dim=1)[None])


def unsupervised_walk(
    generator: PortraitGenerator, labeler: Labeler, labelled: LabelledLatents, method: str, count: int = 32
) -> Walk:
    """For each property the one of the first ``count`` components that moves it most, on other latents than the tested.

    Args:
        method: "PCA" (Härkönen et al. 2020) or "SeFa" (Shen & Zhou 2021).

    Raises:
        ValueError: another method.
    """
    methods = {"PCA": principal_directions, "SeFa": sefa_directions}
    if method not in methods:
        raise ValueError(f"method={method!r} is unknown; allowed: {', '.join(methods)}")
    found = methods[method](generator, count).vectors
    people = measure_people(generator, labeler, n=64, seed=80)
    changes = name_directions(generator, labeler, found, people, count=6)[list(PROPERTIES)].abs().to_numpy()
    return _measured(generator, labeler, labelled, found[changes.argmax(axis=0)][None])


def svm_walk(generator: PortraitGenerator, labeler: Labeler, labelled: LabelledLatents, alone: bool = False) -> Walk:
    """Normals of planes (InterFaceGAN); ``alone``: with the other six projected out (conditional manipulation)."""
    directions = torch.stack([svm_direction(labelled.w, values.numpy()) for values in labelled.shown.t()])
    return _measured(generator, labeler, labelled, (conditional_directions(directions) if alone else directions)[None])


def grouped_svm_walk(generator: PortraitGenerator, labeler: Labeler, labelled: LabelledLatents) -> Walk:
    """One SVM in each of eight groups of like latents, as the reference system did."""
    medians = labelled.shown[:, [PROPERTIES.index(name) for name in GROUPED_BY]].median(dim=0).values
    groups = group_numbers(labelled.shown, medians)
    directions = grouped_svm_directions(labelled.w, labelled.shown.numpy(), groups.numpy(), 2 ** len(GROUPED_BY))
    return _measured(generator, labeler, labelled, directions, medians)


BASELINES: dict[str, Callable[[PortraitGenerator, Labeler, LabelledLatents], Walk]] = {
    "random direction": random_walk,
    "PCA": lambda *known: unsupervised_walk(*known, method="PCA"),
    "SeFa": lambda *known: unsupervised_walk(*known, method="SeFa"),
    "SVM": svm_walk,
    "SVM, others projected out": lambda *known: svm_walk(*known, alone=True),
    "SVM of the group": grouped_svm_walk,
}
"""Name → how its walk is found."""


def _measured(
    generator: PortraitGenerator,
    labeler: Labeler,
    labelled: LabelledLatents,
    directions: Tensor,
    medians: Tensor | None = None,
    n: int = 16,
    share: float = 0.3,
) -> Walk:
    """Measure how far a z-score is: n latents of each group walk ``share`` of their mean distance, back and forward."""
    reach = float((labelled.w - labelled.w.mean(dim=0)).norm(dim=1).mean())
    medians = torch.zeros(0) if medians is None else medians
    groups = group_numbers(labelled.shown, medians) if len(medians) else torch.zeros(len(labelled), dtype=torch.long)
    slopes = torch.zeros(directions.shape[:2])
    with torch.no_grad():
        for group, index in np.ndindex(*slopes.shape):
            w, step = labelled.w[groups == group][:n], share * reach * directions[group, index]
            low, high = (_shown(generator, labeler, w + side * step)[:, index] for side in (-1, 1))
            slopes[group, index] = (high - low).mean() / (2 * share * reach)
    # a direction that does nothing would be walked for ever
    least = 0.5 / reach
    slopes = torch.where(slopes < 0, -1.0, 1.0) * slopes.abs().clamp(min=least)
    return Walk(directions, slopes, medians)


def _shown(generator: PortraitGenerator, labeler: Labeler, w: Tensor) -> Tensor:
    table = labeler.measure(portraits_of(generator, w))[list(PROPERTIES)]
    return torch.tensor(table.to_numpy(dtype=np.float32))
