"""Sliced Wasserstein distance of patches: texture compared without any network (Karras et al. 2018, §5).

Our generator is trained with EfficientNet-lite0 (perceptual loss, projected discriminator), so features of that network
flatter it. Patches flatter nobody. Each level of a Laplacian pyramid holds the detail of one scale; small squares of it
from both sets of portraits are projected on random lines, and on a line the distance of two sets is that of their
sorted values.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

PATCH, PATCHES = 7, 64  # pixels of a side; patches of a portrait and level
_SLICES = 128  # random lines


def patch_distance(generated: np.ndarray, rendered: np.ndarray, seed: int = 0) -> dict[int, float]:
    """Distance of two sets of portraits at each scale, × 1000: size of the pyramid's level in pixels → number.

    The finest level says whether strands and lashes are there, the coarsest whether shapes and colours are. The unit is
    the standard deviation of the *rendered* patches of the level. (The paper scales each set by its own, which forgives
    a generator whose detail is right but too faint, the very fault of a soft one.)

    The number depends on how many portraits there are: use equally many, and compare with renders against renders.

    Args:
        generated, rendered: uint8 (n, size, size, 3), the same n and size, size at least 16.

    Raises:
        ValueError: sets of different shape.
    """
    if generated.shape != rendered.shape or generated.ndim != 4 or generated.shape[1] < 16:
        raise ValueError(
            f"sets are {generated.shape}, {rendered.shape}; allowed: both (n, size, size, 3), 16 px or more"
        )
    dice = np.random.default_rng(seed)
    lines = dice.standard_normal((3 * PATCH**2, _SLICES)).astype(np.float32)
    lines /= np.linalg.norm(lines, axis=0)
    found = {}
    for level in _levels(rendered.shape[1]):
        # the same places in both sets: places are no difference between portraits
        places = dice.integers(0, level - PATCH + 1, (len(rendered), PATCHES, 2))
        a, b = (_patches(pictures, level, places) for pictures in (generated, rendered))
        mean, spread = b.mean(axis=(0, 1, 2)), b.std(axis=(0, 1, 2)) + 1e-8
        a, b = (np.sort(((one - mean) / spread).reshape(len(one), -1) @ lines, axis=0) for one in (a, b))
        found[level] = 1000 * float(np.abs(a - b).mean())
    return found


def _levels(size: int) -> Iterator[int]:
    """Levels of the pyramid, fine to coarse."""
    while size >= 16:
        yield size
        size //= 2


def _patches(pictures: np.ndarray, level: int, places: np.ndarray) -> np.ndarray:
    """Patches of one level of the pyramid, float32 (n · PATCHES, PATCH, PATCH, 3)."""
    squares = []
    for picture, corners in zip(pictures, places, strict=True):
        image = cv2.resize(picture, (level, level), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        if level >= 32:  # keep what the next level cannot hold; the last level keeps all
            image -= cv2.pyrUp(cv2.pyrDown(image), dstsize=(level, level))
        squares += [image[y : y + PATCH, x : x + PATCH] for y, x in corners]
    return np.stack(squares)
