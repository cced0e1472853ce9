"""What an edit changes where it has no business: pixel L1 outside the region that the property may change."""

from __future__ import annotations

import math

import cv2
import numpy as np
import torch
from torch import Tensor

from ohlora.labeling import PROPERTIES
from ohlora.labeling.measurements import BACKGROUND, BROWS, EYES, HAIR, LIPS, MOUTH

REGIONS: dict[str, tuple[tuple[int, ...], float]] = {
    "eyes": ((EYES, BROWS), 0.06),
    "hair_color": ((HAIR, BROWS), 0.03),
    "hair_length": ((HAIR,), 0.03),
    "mouth": ((MOUTH, LIPS), 0.10),  # the jaw and the cheeks move along
    "pose": (tuple(one for one in range(9) if one != BACKGROUND), 0.03),
    "background_mean": ((BACKGROUND,), 0.03),
    "background_std": ((BACKGROUND,), 0.03),
}
"""Property → the classes that it may change, and how far around them (share of the picture's height)."""

_LEAST = 0.01  # share of the picture; a smaller outside says nothing


def outside(masks: np.ndarray, others: np.ndarray, name: str) -> np.ndarray:
    """Pixels that moving a property must leave alone, bool (n, s, s): beyond its region in both portraits.

    Args:
        masks, others: uint8 (n, s, s), classes 0 to 8, of the portraits before and after. name: one of PROPERTIES.
    """
    if name not in PROPERTIES:
        raise ValueError(f"name={name!r} is unknown; allowed: {', '.join(PROPERTIES)}")
    classes, around = REGIONS[name]
    allowed = (np.isin(masks, classes) | np.isin(others, classes)).astype(np.uint8)
    reach = math.ceil(around * masks.shape[-1])
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.stack([cv2.dilate(one, disc) for one in allowed]) == 0


def outside_change(images: Tensor, masks: np.ndarray, others: Tensor, other_masks: np.ndarray, name: str) -> np.ndarray:
    """Mean absolute difference over the pixels outside, float32 (n,), of images in [-1, 1]; NaN: hardly any outside.

    Args:
        images, others: float (n, 3, s, s), before and after. masks, other_masks: theirs, uint8 (n, s, s).
        name: the property that was moved.
    """
    where = torch.from_numpy(outside(masks, other_masks, name)).float()
    difference = ((images - others).abs().mean(dim=1).cpu() * where).sum(dim=(1, 2))
    count = where.sum(dim=(1, 2))
    return torch.where(count >= _LEAST * where[0].numel(), difference / count.clamp(min=1), torch.nan).numpy()
