"""Eyeballs with a painted iris, lashes along the lids, and the hairs of the brows."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.spatial import cKDTree

from ohlora.portraits.mesh import smoothstep, surface, unit
from ohlora.portraits.regions import BODY_LEVELS, BROW_X, BROW_Y, load_regions

IRIS_ANGLE = 0.60  # radians seen from the eye's centre: a little larger than life
PUPIL = 0.40  # of the iris
BROW_CANDIDATES = 460
LASH_POINTS = 6


@lru_cache(maxsize=1)
def _unit_eyeball() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Points (n, 3) of an eyeball of radius 1 that looks along z, triangles, and polar angles (n,) (n,)."""
    polar = np.concatenate([np.linspace(0, 0.75, 40), np.linspace(0.78, np.pi * 0.7, 14)])
    around = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    theta, phi = np.meshgrid(polar, around, indexing="ij")
    bulge = np.clip(theta / (IRIS_ANGLE * 1.15), 0, 1)  # the cornea
    radius = 1 + 0.055 * np.cos(bulge * np.pi / 2)
    points = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], -1) * radius[..., None]
    row, column = np.arange(len(polar) - 1)[:, None] * len(around), np.arange(len(around))[None]
    a, b = row + column, row + (column + 1) % len(around)
    below_a, below_b = a + len(around), b + len(around)
    triangles = np.concatenate(
        [np.stack([a, below_a, below_b], -1).reshape(-1, 3), np.stack([a, below_b, b], -1).reshape(-1, 3)]
    )
    return points.reshape(-1, 3), triangles.astype(np.int32), theta.ravel(), phi.ravel()


def eyeball(
    centre: np.ndarray, radius: float, gaze: tuple[float, float], iris: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One eyeball: points (n, 3), triangles (m, 3), linear RGB per point (n, 3).

    Args:
        centre, radius: decimetres. gaze: degrees to the right and down. iris: linear RGB (3,).
    """
    points, triangles, theta, phi = _unit_eyeball()
    right, down = np.radians(gaze)
    turn_y = np.array([[np.cos(right), 0, np.sin(right)], [0, 1, 0], [-np.sin(right), 0, np.cos(right)]])
    turn_x = np.array([[1, 0, 0], [0, np.cos(down), -np.sin(down)], [0, np.sin(down), np.cos(down)]])
    return (points * radius) @ (turn_y @ turn_x).T + centre, triangles, _eye_colours(theta, phi, iris)


def _eye_colours(theta: np.ndarray, phi: np.ndarray, iris: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(3)
    fibres = sum(np.cos(phi * f + o) * a for f, o, a in zip(rng.integers(9, 40, 10), rng.random(10) * 6,
                                                           rng.random(10) * 0.15, strict=True))  # fmt: skip
    t = theta / IRIS_ANGLE
    shade = 0.55 + 0.75 * smoothstep(0.25, 0.95, t) * (1 + 0.35 * fibres)
    shade *= 1 + 0.5 * np.clip(-np.sin(phi), 0, 1) * smoothstep(0.3, 0.9, t)  # light gathers opposite the key
    shade *= 1 - 0.75 * smoothstep(0.82, 1.0, t)  # dark rim of the iris
    pupil = smoothstep(PUPIL - 0.05, PUPIL + 0.05, t)[:, None]
    inner = iris * shade[:, None] * pupil + 0.004 * (1 - pupil)
    white = np.array([0.80, 0.76, 0.74]) * (1 - 0.25 * smoothstep(0.6, 1.6, theta)[:, None] * np.array([0.5, 1, 1]))
    edge = smoothstep(0.97, 1.08, t)[:, None]
    return inner * (1 - edge) + white * edge


def lashes(
    vertices: np.ndarray, eye: np.ndarray, rim: np.ndarray, upper: bool, count: int, length: float, closed: float
) -> tuple[np.ndarray, np.ndarray]:
    """Curved lashes along one lid: control points (count, 3, 3) and radius (count, 3).

    Args:
        vertices: base vertices. eye: centre of the eyeball. rim: vertex numbers, outer to inner corner.
        length: decimetres. closed: 0 open … 1 shut; lashes of shut eyes curl less.
    """
    jitter = np.random.default_rng(5).random((count, 1))
    points = vertices[rim]
    at = np.linspace(0.02, 0.98, count) * (len(rim) - 1)
    k = np.clip(at.astype(int), 0, len(rim) - 2)
    f = (at - k)[:, None]
    root = points[k] * (1 - f) + points[k + 1] * f
    outer = np.linspace(1, 0, count)[:, None]
    direction = unit(root - eye) + np.array([0.35 * np.sign(eye[0]), 0, 0]) * outer
    direction = unit(direction + np.array([0, -0.1 if upper else -0.25, 0.3]))
    size = length * (0.55 + 0.45 * np.sin(np.pi * np.clip(0.15 + 0.75 * outer, 0, 1))) * (0.85 + 0.3 * jitter)
    size = size * (0.35 + 0.65 * smoothstep(0.0, 0.35, outer))  # short towards the nose
    curl = np.array([0, (0.9 if upper else -0.5) * (1 - 0.8 * closed), 0.15])
    middle, tip = root + (direction * 0.5 + curl * 0.10) * size, root + (direction * 0.85 + curl * 0.45) * size
    return np.stack([root, middle, tip], 1), np.tile([0.0042, 0.0036, 0.0008], (count, 1))


@lru_cache(maxsize=1)
def _brow_roots() -> tuple[np.ndarray, ...]:
    """Fixed candidates for brow hairs in mirrored pairs: corners, weights, place and two jitters."""
    rng = np.random.default_rng(6)
    regions, half = load_regions(), BROW_CANDIDATES // 2
    field = regions.brow(1.9)
    body = surface("body", BODY_LEVELS)
    triangles = body.triangles[(field > 0.35)[body.triangles].all(1)]
    points = regions.neutral
    area = np.linalg.norm(np.cross(*(points[triangles[:, k]] - points[triangles[:, 0]] for k in (1, 2))), axis=1)
    area *= points[triangles].mean(1)[:, 0] > 0
    chosen = triangles[rng.choice(len(triangles), half, p=area / area.sum())]
    first, second = rng.random((2, half))
    first, second = np.where(first + second > 1, 1 - first, first), np.where(first + second > 1, 1 - second, second)
    weights = np.tile(np.stack([1 - first - second, first, second], 1), (2, 1))
    corners = np.concatenate([chosen, cKDTree(points).query(points[chosen] * [-1, 1, 1])[1]])
    place = (points[corners] * weights[..., None]).sum(1)
    return corners, weights, place, np.tile(rng.standard_normal(half), 2), np.tile(rng.random(half), 2)


def brow_hairs(body: np.ndarray, normals: np.ndarray, thickness: float) -> tuple[np.ndarray, np.ndarray]:
    """Hairs of both brows: control points (n, 3, 3) and radius (n, 3); more hairs in thicker brows."""
    corners, weights, place, jitter, length = _brow_roots()
    ax, side = np.abs(place[:, 0]), np.sign(place[:, 0])
    along = np.clip((ax - 0.085) / 0.39, 0, 1)
    middle = np.interp(ax, BROW_X, BROW_Y)
    half = 0.034 * thickness * (1 - 0.5 * along) * smoothstep(-0.15, 0.15, along)
    kept = np.abs(place[:, 1] - middle) < half
    corners, weights, ax, side, along, jitter = (a[kept] for a in (corners, weights, ax, side, along, jitter))
    middle, height, length = middle[kept], place[kept, 1], length[kept, None]
    root = (body[corners] * weights[..., None]).sum(1)
    normal = unit((normals[corners] * weights[..., None]).sum(1))
    # The hairs stand at the nose and lie at the temple; those above the middle comb down, those below up.
    angle = np.interp(along, [0, 0.25, 0.6, 1], [58, 34, 10, -25]) + 8 * jitter
    angle = np.radians(angle - np.sign(height - middle) * np.interp(along, [0, 0.4, 1], [0, 14, 8]))
    direction = np.stack([side * np.cos(angle), np.sin(angle), 0 * angle], 1)
    direction = unit(direction - normal * (direction * normal).sum(1, keepdims=True))
    size = (0.055 - 0.015 * along)[:, None] * (0.8 + 0.4 * length) * (0.7 + 0.4 * thickness)
    halfway, tip = root + normal * 0.010 + direction * size * 0.5, root + normal * 0.006 + direction * size
    return np.stack([root + normal * 0.002, halfway, tip], 1), np.tile([0.0017, 0.0015, 0.0004], (len(root), 1))


def curved(control: np.ndarray, radius: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Quadratic curves through three points: (n, 3, 3), (n, 3) → points (n, 6, 3), radius (n, 6)."""
    t = np.linspace(0, 1, LASH_POINTS)[None, :, None]
    handle = 2 * control[:, 1:2] - 0.5 * (control[:, :1] + control[:, 2:])
    points = (1 - t) ** 2 * control[:, :1] + 2 * t * (1 - t) * handle + t * t * control[:, 2:]
    t = t[..., 0]
    return points, radius[:, :1] * (1 - t) + radius[:, 2:] * t
