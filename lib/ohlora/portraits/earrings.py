"""Earrings: a golden stud on each lobe, and below the larger ones a pearl that hangs."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ohlora.portraits.mesh import smoothstep
from ohlora.portraits.parameters import PortraitParams
from ohlora.portraits.regions import load_regions

SMALLEST = 0.2  # PortraitParams.earrings below this is none
_GOLD, _PEARL = np.array([0.62, 0.40, 0.13]), np.array([0.78, 0.72, 0.66])  # linear RGB
_ROWS, _COLUMNS = 9, 12


def earring_size(params: PortraitParams) -> float:
    """Size of the earrings that are seen: 0 none … 1 large; men wear none."""
    woman = float(smoothstep(0.5, 0.8, params.gender))
    return woman * float(np.clip((params.earrings - SMALLEST) / (1 - SMALLEST), 0, 1))


def earrings(size: float, body: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Studs and drops on an upright head: points (n, 3), triangles (m, 3) and linear RGB (3,) of each; maybe none.

    Args:
        size: of ``earring_size``. body: (p, 3) points of the level-2 body.
    """
    if size == 0:
        return []
    stud = 0.05 * smoothstep(0, 0.25, size)
    drop = float(smoothstep(0.30, 1.0, size))
    ball, triangles = _ball()
    parts = []
    for points in _lobes():
        lobe = body[points].mean(0) + np.array([0.012 * np.sign(body[points, 0].mean()), 0, 0.012])
        parts.append((ball * stud * 0.62 + lobe, triangles, _GOLD))
        if drop > 0:
            height = 0.03 + 0.11 * drop
            centre = lobe - [0, 0.025 + height * 0.9, 0]
            shape = np.stack([0.4 - 0.1 * ball[:, 1], np.ones(len(ball)), 0.4 - 0.1 * ball[:, 1]], 1)
            parts.append((ball * shape * height * min(drop * 4, 1) + centre, triangles, _PEARL))
    return parts


@lru_cache(maxsize=1)
def _lobes() -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the body points on the outer side of the left and of the right lobe."""
    regions = load_regions()
    x, y, z = regions.neutral.T
    lobe = regions.ear & (np.abs(x) > 0.69) & (np.abs(y - 6.52) < 0.03) & (np.abs(z - 0.42) < 0.07)
    return np.flatnonzero(lobe & (x < 0)), np.flatnonzero(lobe & (x > 0))


@lru_cache(maxsize=1)
def _ball() -> tuple[np.ndarray, np.ndarray]:
    """A ball of radius 1: points (n, 3), triangles facing outwards."""
    polar, around = np.meshgrid(
        np.linspace(0, np.pi, _ROWS), np.linspace(0, 2 * np.pi, _COLUMNS, endpoint=False), indexing="ij"
    )
    points = np.stack([np.sin(polar) * np.sin(around), np.cos(polar), np.sin(polar) * np.cos(around)], -1)
    column = np.arange(_COLUMNS)
    a = np.arange(_ROWS - 1)[:, None] * _COLUMNS + column
    b = np.arange(_ROWS - 1)[:, None] * _COLUMNS + (column + 1) % _COLUMNS
    c, d = a + _COLUMNS, b + _COLUMNS
    triangles = np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)])
    return points.reshape(-1, 3), triangles.astype(np.int32)
