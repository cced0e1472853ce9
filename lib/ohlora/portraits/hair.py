"""Hair: guides grown from fixed roots on the scalp, then children around them.

Roots, layers and all jitter are drawn once and in mirrored pairs; only the parameters and the head's shape move
the strands. So the hair is a smooth function of the parameters, and the flipped portrait has the flipped hair.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numba
import numpy as np
from scipy.spatial import cKDTree

from ohlora.portraits.hair_growth import grow_children, grow_guides
from ohlora.portraits.head_data import load_head_data
from ohlora.portraits.mesh import smoothstep, surface, unit
from ohlora.portraits.regions import load_regions, neutral_vertices

GUIDES = 1700  # an even number: the second half mirrors the first
CHILDREN = 13
POINTS = 18  # points of a strand
RADIUS = 0.0034  # decimetres
SHORT = 0.13  # below this length hair stands up and is brushed back instead of falling from a parting


@dataclass(frozen=True)
class Roots:
    """What never changes: where guides grow (as weights of body points) and their random numbers."""

    corners: np.ndarray  # (g, 3) body points
    weights: np.ndarray  # (g, 3)
    place: np.ndarray  # (g, 3) on the neutral head
    neighbours: np.ndarray  # (g, 6) nearest guides, itself included
    sign: np.ndarray  # (g,) 1 for the first half, -1 for its mirror image
    jitter: np.ndarray  # (g, 6) standard normal
    layer: np.ndarray  # (g,) 0 under … 1 top
    chance: np.ndarray  # (g,) uniform: who belongs to the fringe
    phase: np.ndarray  # (g,) uniform: of the wave
    shade: np.ndarray  # (g·children,) brightness of each strand
    tilt: np.ndarray  # (g·children,) standard normal: turns the highlights a little
    offset: np.ndarray  # (g·children, 3) around the guide
    frizz: np.ndarray  # (g·children, 4, 3)
    cut: np.ndarray  # (g·children,) share of the guide's length
    thickness: np.ndarray  # (g·children,)


@dataclass(frozen=True)
class Collider:
    """The coarse outer skin that hair slides on; nearest points are found by walking over ``near``."""

    points: np.ndarray  # (v,) which level-1 body points
    near: np.ndarray  # (v, 12) nearest others
    start: np.ndarray  # (g,) nearest to each root


@dataclass(frozen=True)
class Strands:
    """points (s, POINTS, 3), radius (s, POINTS) in decimetres, colour (s, 3) linear RGB, tilt (s,)."""

    points: np.ndarray
    radius: np.ndarray
    colour: np.ndarray
    tilt: np.ndarray


@lru_cache(maxsize=1)
def load_roots() -> Roots:
    """Draw roots and jitter with a fixed seed."""
    rng = np.random.default_rng(20)
    regions, half = load_regions(), GUIDES // 2
    points, triangles = regions.neutral, regions.scalp_triangles
    middle = points[triangles].mean(1)
    area = np.linalg.norm(np.cross(*(points[triangles[:, k]] - points[triangles[:, 0]] for k in (1, 2))), axis=1)
    area *= (1 + 0.7 * np.exp(-((middle[:, 0] / 0.22) ** 2)) * (middle[:, 1] > 7.3)) * (middle[:, 0] > 0)
    chosen = triangles[rng.choice(len(triangles), half, p=area / area.sum())]
    first, second = rng.random((2, half))
    first, second = np.where(first + second > 1, 1 - first, first), np.where(first + second > 1, 1 - second, second)
    weights = np.stack([1 - first - second, first, second], 1)
    mirrored = cKDTree(points).query(points[chosen] * [-1, 1, 1])[1]
    corners, weights = np.concatenate([chosen, mirrored]), np.concatenate([weights, weights])
    place = (points[corners] * weights[..., None]).sum(1)

    def twice(values: np.ndarray) -> np.ndarray:
        return np.concatenate([values, values])

    def flipped(values: np.ndarray) -> np.ndarray:
        return np.concatenate([values, values * [-1, 1, 1]])

    strands = half * CHILDREN
    direction = unit(rng.standard_normal((strands, 3))) * np.sqrt(rng.random((strands, 1)))
    guide_shade = 0.78 + 0.44 * rng.random(half)
    return Roots(
        corners=corners,
        weights=weights,
        place=place,
        neighbours=cKDTree(place).query(place, k=6)[1],
        sign=np.repeat([1.0, -1.0], half),
        jitter=twice(rng.standard_normal((half, 6))),
        layer=twice(rng.random(half) ** 0.55),
        chance=twice(rng.random(half)),
        phase=twice(rng.random(half)),
        shade=twice(np.repeat(guide_shade, CHILDREN) * (0.85 + 0.3 * rng.random(strands))),
        tilt=twice(rng.standard_normal(strands)),
        offset=flipped(direction * 0.05),
        frizz=flipped(rng.standard_normal((strands, 4, 3)) * 0.012),
        cut=twice(1 - 0.18 * rng.random(strands) ** 2),
        thickness=twice(0.7 + 0.6 * rng.random(strands)),
    )


@lru_cache(maxsize=1)
def load_collider() -> Collider:
    """The outer skin of the level-1 body (no cavities) and its neighbourhoods."""
    body = surface("body", 1)
    neutral = body.points(neutral_vertices())
    outside = np.flatnonzero(body.points(load_head_data().cavity) < 0.5)
    tree = cKDTree(neutral[outside])
    return Collider(
        outside.astype(np.int32),
        tree.query(neutral[outside], k=13)[1][:, 1:].astype(np.int32),
        tree.query(load_roots().place)[1].astype(np.int32),
    )


def grow_hair(
    body: np.ndarray,
    normals: np.ndarray,
    coarse: np.ndarray,
    coarse_normals: np.ndarray,
    *,
    length: float,
    parting: float,
    fringe: float,
    fringe_height: float,
    wave: float,
    volume: float,
    colour: np.ndarray,
) -> Strands:
    """Grow all strands on an upright head.

    Args:
        body, normals: level-2 body points (n, 3). coarse, coarse_normals: level-1 points (m, 3).
        length … volume: as in PortraitParams. colour: linear RGB (3,).
    """
    roots, collider = load_roots(), load_collider()
    weights = roots.weights[..., None]
    root = (body[roots.corners] * weights).sum(1)
    normal = unit((normals[roots.corners] * weights).sum(1))
    place, jitter, layer = roots.place, roots.jitter, roots.layer
    short = length < SHORT

    front = smoothstep(0.55, 1.0, place[:, 2]) * smoothstep(7.1, 7.4, place[:, 1])
    side = np.where(place[:, 0] - parting + 0.015 * jitter[:, 0] * roots.sign > 0, 1.0, -1.0)
    low_end = np.interp(length, [0, 0.25, 0.5, 0.75, 1], [6.9, 6.45, 5.95, 5.45, 4.9])
    low_end = np.full(GUIDES, -9.0) if short else low_end + 0.07 * jitter[:, 1] + 0.10 * layer
    longest = np.interp(length, [0, 0.12, 0.25, 0.5, 1], [0.22, 0.45, 1.0, 2.2, 4.0]) * (1 + 0.15 * jitter[:, 2])
    share = 1.2 * smoothstep(0.43, 0.57, fringe)  # half a fringe looks like a mistake, so few have one
    width = 0.44 + 0.06 * jitter[:, 3]
    in_fringe = (front > 0.35) & (np.abs(place[:, 0]) < width) & (place[:, 1] > 7.25) & (roots.chance < share)
    in_fringe &= not short
    fringe_end = 7.055 + 0.03 * jitter[:, 4] - 0.75 * np.clip(np.abs(place[:, 0]) - 0.27, 0, 0.25) + fringe_height

    step = max(0.02, longest.mean() / 10) if short else 0.075
    steps = 12 if short else 56
    guides, lengths = grow_guides(
        root, normal, side, front, layer, in_fringe, low_end, longest, fringe_end,
        coarse[collider.points], coarse_normals[collider.points], collider.near, collider.start,
        volume, short, step, steps, POINTS,
    )  # fmt: skip
    guides = _flow_together(guides, roots.neighbours, side, in_fringe)
    if not short:
        guides = guides + wave * _waves(guides, lengths, side, roots.phase)
    strands = np.flatnonzero(np.repeat(lengths > 0.06, CHILDREN))
    points = grow_children(guides, strands, CHILDREN, roots.offset, roots.frizz, roots.cut)
    along = np.linspace(0, 1, POINTS)
    return Strands(
        points=points,
        radius=RADIUS * (1 - 0.75 * along**3) * roots.thickness[strands, None],
        colour=colour * roots.shade[strands, None],
        tilt=roots.tilt[strands],
    )


def _flow_together(guides: np.ndarray, neighbours: np.ndarray, side: np.ndarray, in_fringe: np.ndarray) -> np.ndarray:
    """Draw each guide towards the mean of its neighbours, more at the tip.

    Never across the parting, and never between the fringe and hair swept aside: their mean lies over the face.
    """
    same = (side[neighbours] == side[:, None]) & (in_fringe[neighbours] == in_fringe[:, None])
    mean = _neighbour_mean(guides, neighbours, same)
    share = np.linspace(0, 0.55, guides.shape[1])[None, :, None]
    return guides * (1 - share) + mean * share


@numba.njit(cache=True)
def _neighbour_mean(guides, neighbours, same):
    out = np.zeros_like(guides)
    for g in range(guides.shape[0]):
        count = 0
        for k in range(neighbours.shape[1]):
            if same[g, k]:
                out[g] += guides[neighbours[g, k]]
                count += 1
        out[g] /= max(count, 1)
    return out


def _waves(guides: np.ndarray, lengths: np.ndarray, side: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """Displacement (g, m, 3) of a wave of strength 1 that starts below the roots."""
    arc = np.linspace(0, 1, guides.shape[1])[None] * lengths[:, None]
    start = guides[:, 0]
    place = 0.9 * np.abs(start[:, 0]) + 0.3 * start[:, 1] + 0.7 * start[:, 2]  # neighbours wave together
    angle = 6.5 * arc + (2 * np.pi * place + 0.7 * phase)[:, None]
    tangent = unit(np.gradient(guides, axis=1))
    sideways = unit(np.cross(tangent, [0.0, 0.0, 1.0]) + 1e-6) * side[:, None, None]
    swing = sideways * np.sin(angle)[..., None] + np.array([0, 0, 0.7]) * np.cos(angle)[..., None]
    return 0.10 * smoothstep(0.25, 1.1, arc)[..., None] * swing
