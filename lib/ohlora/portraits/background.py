"""The background: a gradient in two directions and soft blotches."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from ohlora.portraits.parameters import PortraitParams


@lru_cache(maxsize=4)
def _blotches(pixels: int) -> np.ndarray:
    """Smooth noise (pixels, pixels, 3), odd under a horizontal flip, so that the sign of its strength mirrors it."""
    rng = np.random.default_rng(99)
    noise = 0.8 * rng.standard_normal((6, 6, 1)) + 0.18 * rng.standard_normal((6, 6, 3))
    noise = (noise - noise[:, ::-1]) / np.sqrt(2)
    return cv2.resize(noise.astype(np.float32), (pixels, pixels), interpolation=cv2.INTER_CUBIC)


def paint_background(params: PortraitParams, pixels: int) -> np.ndarray:
    """sRGB float32 (pixels, pixels, 3), 0…1."""
    down = np.linspace(0, 1, pixels, dtype=np.float32)[:, None, None]
    right = np.linspace(-1, 1, pixels, dtype=np.float32)[None, :, None]
    image = np.array(params.background_top, np.float32) + down * np.array(params.background_step, np.float32)
    image = image + params.background_tilt * right
    if params.background_texture:
        image = image + 0.16 * params.background_texture * _blotches(pixels)
    return np.clip(image, 0, 1)
