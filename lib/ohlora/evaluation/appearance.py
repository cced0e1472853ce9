"""What a generated portrait shows, in numbers: the labeler's seven properties and five more measurements.

Nothing in here knows what a latent was meant to show: that is what makes these numbers fit to name directions of a
latent space and to ask how readable a space is.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from ohlora.config import half_precision
from ohlora.images import to_images, to_pictures
from ohlora.labeling import PROPERTIES, Labeler
from ohlora.labeling.measurements import BROWS, CLOTHES, FACE, HAIR, SKIN, luma, measure, weighted_mean
from ohlora.labeling.segmentation import class_probabilities
from ohlora.stylegan.latent_generator import LatentGenerator

ATTRIBUTES = (*PROPERTIES, "woman", "skin_brightness", "light_from_right", "clothes_brightness", "hair_area")
"""woman: probability. Brightness: luma 0 … 1. light_from_right: right minus left half of the face, luma. hair_area:
share of the picture."""

_BATCH = 32


def appearance(labeler: Labeler, pictures: np.ndarray) -> pd.DataFrame:
    """The ATTRIBUTES of portraits, one row each: PROPERTIES as the labeler's z-scores, the rest in their own units.

    Args:
        pictures: uint8 (n, size, size, 3).

    Returns:
        No NaN: what a portrait lacks (clothes under long hair, say) gets the mean of the others.
    """
    tables = []
    for row in range(0, len(pictures), _BATCH):
        images = to_images(pictures[row : row + _BATCH])
        found = [_of_batch(*pair) for pair in class_probabilities(labeler.segmentation, images)]
        raw, more = (torch.cat(parts).cpu() for parts in zip(*found, strict=True))
        columns = dict(zip(PROPERTIES, labeler.standardisation.z_scores(raw).numpy().T, strict=True))
        columns["woman"] = labeler.gender(images)
        columns |= dict(zip(ATTRIBUTES[len(PROPERTIES) + 1 :], more.numpy().T, strict=True))
        tables.append(pd.DataFrame(columns))
    table = pd.concat(tables, ignore_index=True)[list(ATTRIBUTES)].astype(np.float64)
    return table.fillna(table.mean()).fillna(0.0)


def _of_batch(images: Tensor, areas: Tensor) -> tuple[Tensor, Tensor]:
    """Raw properties (n, 7) and the four other measurements (n, 4)."""
    brightness, face = luma(images), areas[:, FACE].sum(dim=1) - areas[:, BROWS]
    steps = (torch.arange(images.shape[-1], device=images.device) + 0.5) / images.shape[-1]
    head_x = weighted_mean(steps[None, None, :].expand_as(face), face)
    right = torch.sigmoid((steps[None, :] - head_x[:, None]) * 50)[:, None, :] * areas[:, SKIN]
    columns = [
        weighted_mean(brightness, areas[:, SKIN]),
        weighted_mean(brightness, right) - weighted_mean(brightness, areas[:, SKIN] - right),
        weighted_mean(brightness, areas[:, CLOTHES]),
        areas[:, HAIR].mean(dim=(1, 2)),
    ]
    return measure(images, areas), torch.stack(columns, dim=1)


@dataclass(frozen=True)
class People:
    """Latents and what their portraits show. z: (n, z_dim). w: (n, w_dim). shown: n rows, columns ATTRIBUTES."""

    z: Tensor
    w: Tensor
    shown: pd.DataFrame

    def __len__(self) -> int:
        return len(self.z)


@torch.no_grad()
def measure_people(generator: LatentGenerator, labeler: Labeler, n: int, seed: int) -> People:
    """n fresh people, generated and measured; every one counts, none is selected."""
    z = generator.sample_z(n, seed)
    tables = [
        appearance(labeler, generator.pictures(part))
        for part in tqdm(z.split(_BATCH), desc="people", disable=None, file=sys.stderr, leave=False)
    ]
    return People(z, generator.mapping(z), pd.concat(tables, ignore_index=True))


def name_directions(
    generator: LatentGenerator,
    labeler: Labeler,
    directions: Tensor,
    people: People,
    count: int = 8,
    reach: float = 1.0,
    layers: range | None = None,
) -> pd.DataFrame:
    """What walking along directions of W changes, measured on the portraits.

    Args:
        directions: unit vectors (k, w_dim). people: measured ones; the unit of every change is the attribute's
            standard deviation over them. count: of them are walked. reach: standard deviations of w along the
            direction, walked back and forward. layers: only these styles move (coarse, middle or fine); None: all.

    Returns:
        k rows, columns ATTRIBUTES: the mean change over people from back to forward, in standard deviations; and
        ``name``: the one or two attributes that change most, with their sign, as :func:`named` puts it.
    """
    spread = people.shown.std() + 1e-9
    rows = []
    for direction in tqdm(directions, desc="directions", disable=None, file=sys.stderr, leave=False):
        step = reach * (people.w @ direction).std() * direction
        back, forward = (
            appearance(
                labeler, w_pictures(generator, stepped(people.w[:count], side * step, generator.config.layers, layers))
            )
            for side in (-1, 1)
        )
        rows.append(((forward - back) / spread).mean())
    table = pd.DataFrame(rows, columns=list(ATTRIBUTES), index=range(1, len(directions) + 1))
    return table.assign(name=[named(row) for _, row in table.iterrows()])


def named(changes: pd.Series, least: float = 0.5) -> str:
    """A name for what changes: the largest change and, if at least half as large, the second, e.g. "+pose −eyes".

    Args:
        changes: attribute → change in standard deviations. least: smaller changes get no name but "little".
    """
    order = changes.abs().sort_values(ascending=False)
    if order.iloc[0] < least:
        return "little"
    chosen = order.index[:2] if order.iloc[1] >= max(least, order.iloc[0] / 2) else order.index[:1]
    return " ".join(f"{'+' if changes[name] > 0 else '−'}{name}" for name in chosen)


@torch.inference_mode()
def w_pictures(generator: LatentGenerator, w: Tensor) -> np.ndarray:
    """Portraits of w, (n, w_dim) or one style a layer (n, layers, w_dim); uint8 (n, size, size, 3)."""
    parts = []
    for part in w.split(_BATCH):
        with half_precision():
            parts.append(to_pictures(generator.synthesis(part).float().clamp(-1, 1)))
    return np.concatenate(parts)


def stepped(w: Tensor, step: Tensor, count: int, layers: range | None = None) -> Tensor:
    """One style a layer, (n, count, w_dim): w (n, w_dim) everywhere, plus a step (w_dim,) in some layers; None: all."""
    styles = w[:, None].repeat(1, count, 1)
    chosen = list(range(count) if layers is None else layers)
    styles[:, chosen] = styles[:, chosen] + step
    return styles
