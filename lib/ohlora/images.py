"""Pictures and images: uint8 arrays as files and screens have them, float tensors as networks want them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional


def to_images(pictures: np.ndarray) -> Tensor:
    """uint8 (n, size, size, 3) → float32 (n, 3, size, size) in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


def to_pictures(images: Tensor) -> np.ndarray:
    """Float (n, 3, size, size), clipped to [-1, 1] → uint8 (n, size, size, 3) on the CPU."""
    levels = (images.detach().float().cpu().clamp(-1, 1) + 1) * 127.5
    return levels.round().byte().permute(0, 2, 3, 1).contiguous().numpy()


def resize(images: Tensor, size: int) -> Tensor:
    """Images at another size: each pixel of a smaller one is the mean of those it covers, a larger one is bilinear.

    The one place where an image meets the size that a network was trained on.

    Args:
        images: float (n, c, side, side); gradients pass. size: side in pixels, at least 1.

    Returns:
        Float (n, c, size, size); ``images`` itself where nothing changes.
    """
    side = images.shape[-1]
    if side == size:
        return images
    if side > size:
        return functional.interpolate(images, size=(size, size), mode="area")
    return functional.interpolate(images, size=(size, size), mode="bilinear", align_corners=False)


def shrink_pictures(pictures: np.ndarray, size: int, batch: int = 64) -> np.ndarray:
    """Pictures uint8 (n, side, side, 3) area-averaged to ``size``, batch by batch; smaller ones stay as they are."""
    if pictures.shape[1] <= size:
        return pictures
    parts = [to_pictures(resize(to_images(pictures[i : i + batch]), size)) for i in range(0, len(pictures), batch)]
    return np.concatenate(parts) if parts else pictures[:, :size, :size]
