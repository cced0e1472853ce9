"""The seven measurements: plain formulae over a portrait and its nine class areas.

``areas`` are the probabilities of the nine classes, or one-hot masks: float (n, 9, size, size). Probabilities
are better: half a pixel of eyelid counts as half a pixel. Lengths are in units of the picture's height.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import pandas as pd
import torch
from torch.nn import functional

PROPERTIES = ("eyes", "hair_color", "hair_length", "mouth", "pose", "background_mean", "background_std")
"""Order of the seven properties everywhere in this book."""

BACKGROUND, SKIN, EYES, MOUTH, LIPS, NOSE, HAIR, CLOTHES, BROWS = range(9)
FACE = (SKIN, EYES, MOUTH, LIPS, NOSE, BROWS)
PRESENT = 1e-4
"""A class that covers less of the picture than this (2 pixels of 128 × 128) counts as absent."""


def one_hot(masks: np.ndarray | torch.Tensor) -> torch.Tensor:
    """uint8 masks (n, size, size) -> float areas (n, 9, size, size)."""
    labels = torch.as_tensor(np.asarray(masks)).long()
    if labels.ndim != 3 or (labels.numel() and int(labels.max()) >= 9):
        raise ValueError(f"masks is {tuple(labels.shape)}; allowed: (n, size, size) with classes 0 to 8")
    return functional.one_hot(labels, 9).permute(0, 3, 1, 2).float()


def measure(images: torch.Tensor, areas: torch.Tensor) -> torch.Tensor:
    """The seven raw measurements of each portrait, float32 (n, 7), columns in the order of PROPERTIES.

    Args:
        images: float (n, 3, size, size) in [-1, 1].
        areas: float (n, 9, size, size), see the module.

    Returns:
        NaN where a portrait lacks what is to be measured (no hair has no colour); z-scores turn it into the average.
        No eyes and no mouth interior are not missing but closed: 0. No hair is the shortest hair: -0.5.

    Raises:
        ValueError: shapes that do not fit together.
    """
    if images.ndim != 4 or areas.shape != (len(images), 9, *images.shape[2:]):
        raise ValueError(
            f"areas is {tuple(areas.shape)} for images {tuple(images.shape)}; allowed: (n, 9, size, size) beside"
            " (n, 3, size, size)"
        )
    brightness = luma(images)
    columns = {
        "eyes": eyes(areas),
        "hair_color": weighted_mean(brightness, areas[:, HAIR]),
        "hair_length": hair_length(areas),
        "mouth": mouth(areas),
        "pose": pose(areas),
    }
    backdrop = eroded(areas[:, BACKGROUND])
    mean = weighted_mean(brightness, backdrop)
    columns["background_mean"] = mean
    columns["background_std"] = weighted_mean((brightness - mean[:, None, None]) ** 2, backdrop).sqrt()
    return torch.stack([columns[name] for name in PROPERTIES], dim=1)


def luma(images: torch.Tensor) -> torch.Tensor:
    """Brightness 0 … 1, (n, h, w), of images in [-1, 1] (ITU-R BT.601)."""
    weights = images.new_tensor([0.299, 0.587, 0.114])
    return (torch.einsum("nchw,c->nhw", images, weights) + 1) / 2


def weighted_mean(values: torch.Tensor, area: torch.Tensor) -> torch.Tensor:
    """Mean of ``values`` over ``area``, both (n, h, w) -> (n,); NaN where the area is absent."""
    total = area.sum(dim=(1, 2))
    mean = (values * area).sum(dim=(1, 2)) / total.clamp(min=1e-6)
    return torch.where(total / (area.shape[1] * area.shape[2]) > PRESENT, mean, torch.nan)


def centroid(area: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Centre (x, y) of each area (n, h, w), 0 … 1 from left and top; NaN where absent."""
    steps = (torch.arange(area.shape[-1], device=area.device) + 0.5) / area.shape[-1]
    return weighted_mean(steps[None, None, :].expand_as(area), area), weighted_mean(
        steps[None, :, None].expand_as(area), area
    )


def opening(area: torch.Tensor) -> torch.Tensor:
    """How far something is open, (n,): its mean height over its columns, each weighted by its own height.

    Height, not area: a head turn narrows an eye but leaves its height. The weights make the tips of an eye,
    a fraction of a pixel high, count little. An absent area is closed: 0.
    """
    heights = area.mean(dim=1)
    return (heights**2).mean(dim=1) / heights.mean(dim=1).clamp(min=1e-5)


def width(area: torch.Tensor) -> torch.Tensor:
    """Width of each area (n, h, w), (n,): that of an even bar with the same spread; 0 where absent."""
    steps = (torch.arange(area.shape[-1], device=area.device) + 0.5) / area.shape[-1]
    columns = area.sum(dim=1) / area.sum(dim=(1, 2))[:, None].clamp(min=1e-6)
    middle = (columns * steps).sum(dim=1, keepdim=True)
    return (12 * (columns * (steps - middle) ** 2).sum(dim=1)).sqrt()


def eyes(areas: torch.Tensor) -> torch.Tensor:
    """How open the eyes are: their opening over the width of the wider eye (the one nearer to you)."""
    both = areas[:, EYES]
    middle, _ = centroid(both)
    steps = (torch.arange(both.shape[-1], device=both.device) + 0.5) / both.shape[-1]
    left = torch.sigmoid((middle.nan_to_num(0.5)[:, None] - steps) * 200)[:, None, :]
    wider = torch.maximum(width(both * left), width(both * (1 - left)))
    return opening(both) / wider.clamp(min=0.02)


def mouth(areas: torch.Tensor) -> torch.Tensor:
    """How open the mouth is: the geometric mean of its interior's opening and of the interior's share of the mouth.

    The opening alone depends on the size of the face, the share alone on the thickness of the lips.
    """
    interior = areas[:, MOUTH]
    whole = (interior + areas[:, LIPS]).mean(dim=(1, 2)).clamp(min=PRESENT / 2)
    share = interior.mean(dim=(1, 2)) / whole
    return (opening(interior) * share).sqrt()


def pose(areas: torch.Tensor) -> torch.Tensor:
    """Head turn: how far the nose stands right (+) of the head's outline, corrected for the head's tilt.

    The outline is everything of the head above the lips: hair below them falls on one shoulder or the other.
    The tilt is the slope of the line through both eyes.
    """
    size = areas.shape[-1]
    steps = (torch.arange(size, device=areas.device) + 0.5) / size
    eye_x, eye_y = centroid(areas[:, EYES])
    nose_x, nose_y = centroid(areas[:, NOSE])
    _, lip_y = centroid(areas[:, LIPS] + areas[:, MOUTH])
    above_lips = torch.sigmoid((lip_y[:, None] - steps) * 50)[:, :, None]
    head_x, _ = centroid((areas[:, FACE].sum(dim=1) + areas[:, HAIR]) * above_lips)
    across = steps[None, None, :] - eye_x[:, None, None]
    down = steps[None, :, None] - eye_y[:, None, None]
    slope = weighted_mean(across * down, areas[:, EYES]) / weighted_mean(across**2, areas[:, EYES]).clamp(min=1e-5)
    return nose_x - head_x + slope.clamp(-0.4, 0.4) * (nose_y - eye_y)


def hair_length(areas: torch.Tensor, share: float = 0.92) -> torch.Tensor:
    """How far below the mouth the hair ends: the row above which ``share`` of all hair lies, minus the mouth's row.

    The very lowest row would follow one stray strand. Negative for short hair; -0.5 for none.
    """
    rows = areas[:, HAIR].sum(dim=2)
    total = rows.sum(dim=1, keepdim=True)
    part = rows / total.clamp(min=1e-6)
    above = part.cumsum(dim=1) - part
    lowest = ((share - above) / part.clamp(min=1e-6)).clamp(0, 1).mean(dim=1)
    _, mouth_y = centroid(areas[:, LIPS] + areas[:, MOUTH])
    absent = total[:, 0] / (areas.shape[2] * areas.shape[3]) <= PRESENT
    return torch.where(absent, -0.5, lowest - mouth_y)


def eroded(area: torch.Tensor, share: float = 0.02) -> torch.Tensor:
    """Background that is surely background: pixels whose whole neighbourhood (2 % of the height) is."""
    reach = math.ceil(share * area.shape[-1])
    return (-functional.max_pool2d(-area[:, None], 2 * reach + 1, stride=1, padding=reach))[:, 0].gt(0.9).float()


def background_lab(images: torch.Tensor, areas: torch.Tensor) -> torch.Tensor:
    """Mean colour of what is surely background, in CIELAB, float32 (n, 3): L 0 … 100, then a and b, which are 0 for
    grey; NaN where there is none.

    None of the seven: PROPERTIES know how bright a background is, not which colour it has.

    Args:
        images, areas: as for :func:`measure`.
    """
    backdrop = eroded(areas[:, BACKGROUND])
    colours = torch.stack([weighted_mean((images[:, channel] + 1) / 2, backdrop) for channel in range(3)], dim=1)
    lab = cv2.cvtColor(colours.nan_to_num(0.0).cpu().numpy()[:, None], cv2.COLOR_RGB2LAB)[:, 0]
    return torch.where(colours.isnan().cpu(), torch.nan, torch.from_numpy(lab))


@dataclass(frozen=True)
class Standardisation:
    """What turns raw measurements into z-scores: mean and standard deviation, float32 (7,) each,
    over generated portraits that passed both filters."""

    mean: torch.Tensor
    deviation: torch.Tensor

    @classmethod
    def fit(cls, raw: torch.Tensor) -> Standardisation:
        """From raw measurements (n, 7), n at least 2; NaN are left out."""
        if raw.ndim != 2 or raw.shape[1] != 7 or len(raw) < 2:
            raise ValueError(f"raw is {tuple(raw.shape)}; allowed: (n, 7) with n at least 2")
        values = raw.double().numpy()
        deviation = np.maximum(np.nanstd(values, axis=0), 1e-6)
        return cls(torch.from_numpy(np.nanmean(values, axis=0)).float(), torch.from_numpy(deviation).float())

    def z_scores(self, raw: torch.Tensor) -> torch.Tensor:
        """(n, 7) raw -> (n, 7) z-scores; what could not be measured becomes 0, the average."""
        return ((raw - self.mean.to(raw)) / self.deviation.to(raw)).nan_to_num(nan=0.0)

    def raw(self, z_scores: torch.Tensor) -> torch.Tensor:
        """(n, 7) z-scores -> (n, 7) raw."""
        return z_scores * self.deviation.to(z_scores) + self.mean.to(z_scores)


def as_table(z_scores: torch.Tensor) -> pd.DataFrame:
    """(n, 7) -> a table with the seven PROPERTIES as columns."""
    return pd.DataFrame(z_scores.float().cpu().numpy(), columns=list(PROPERTIES))
