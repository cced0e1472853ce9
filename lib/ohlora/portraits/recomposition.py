"""Other backgrounds behind portraits that are already rendered, for augmentation.

Light adds up linearly, so a pixel keeps the figure's share and swaps the background's:
new = old + (1 - alpha) · (new background - old background), all in linear light, as render() composites.
"""

from __future__ import annotations

import numpy as np

from ohlora.portraits.background import paint_background
from ohlora.portraits.colours import to_linear, to_srgb
from ohlora.portraits.parameters import VECTOR_NAMES, VECTOR_SIZE, PortraitParams

BACKGROUND_COLUMNS = np.flatnonzero([name.startswith("background_") for name in VECTOR_NAMES])


def draw_backgrounds(u: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Copy of the vectors u (n, VECTOR_SIZE) with all background values drawn anew from N(0, 1)."""
    new_u = np.array(u)
    new_u[:, BACKGROUND_COLUMNS] = rng.standard_normal((len(new_u), len(BACKGROUND_COLUMNS)))
    return new_u


def recomposite(images: np.ndarray, alpha: np.ndarray, u: np.ndarray, new_u: np.ndarray) -> np.ndarray:
    """Portraits as they look before the backgrounds of ``new_u``; equal to rendering ``new_u`` up to rounding.

    Args:
        images: uint8 (n, s, s, 3) sRGB, rendered from u. alpha: uint8 (n, s, s), coverage of the figure (255 = all).
        u: (n, VECTOR_SIZE), what the images were rendered from. new_u: the same shape; only its background values
            may differ from u.

    Returns:
        uint8 (n, s, s, 3).

    Raises:
        ValueError: shapes that do not belong together, or ``new_u`` that differs from u beside the background.
    """
    images, alpha, u, new_u = (np.asarray(array) for array in (images, alpha, u, new_u))
    _check(images, alpha, u, new_u)
    out = images.copy()
    for k in range(len(images)):
        size = images.shape[1]
        shown = np.flatnonzero(alpha[k].ravel() < 255)
        share = 1 - alpha[k].ravel()[shown].astype(np.float32) / 255
        new = paint_background(PortraitParams.from_vector(new_u[k]), size).reshape(-1, 3)[shown]
        edge = np.flatnonzero(share < 1)  # only where figure and background mix is there something to compute
        at = shown[edge]
        old = paint_background(PortraitParams.from_vector(u[k]), size).reshape(-1, 3)[at]
        here = to_linear(images[k].reshape(-1, 3)[at].astype(np.float32) / 255)
        mixed = here + share[edge, None] * (to_linear(new[edge]) - to_linear(old))
        new[edge] = to_srgb(mixed)
        out[k].reshape(-1, 3)[shown] = np.clip(new * 255 + 0.5, 0, 255)
    return out


def _check(images: np.ndarray, alpha: np.ndarray, u: np.ndarray, new_u: np.ndarray) -> None:
    if images.ndim != 4 or images.shape[1] != images.shape[2] or images.shape[3] != 3 or images.dtype != np.uint8:
        raise ValueError(f"images is {images.dtype} {images.shape}; it must be uint8 (n, size, size, 3)")
    if alpha.shape != images.shape[:3] or alpha.dtype != np.uint8:
        raise ValueError(f"alpha is {alpha.dtype} {alpha.shape}; it must be uint8 {images.shape[:3]}")
    for name, array in (("u", u), ("new_u", new_u)):
        if array.shape != (len(images), VECTOR_SIZE):
            raise ValueError(f"{name} has shape {array.shape}; it must be {(len(images), VECTOR_SIZE)}")
    if not np.array_equal(*(np.delete(array, BACKGROUND_COLUMNS, 1) for array in (u, new_u))):
        raise ValueError("new_u differs from u beside the background; only its background values may differ")
