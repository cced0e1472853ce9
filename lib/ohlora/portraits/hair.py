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

GUIDES = 1200  # an even number, as FRINGE_GUIDES: the second half mirrors the first
FRINGE_GUIDES = 200  # they follow the others and are grown only where a fringe is worn
CHILDREN = 12
LOCKS = 90  # guides of a lock share brightness and the phase of the wave
POINTS = 18  # points of a strand
RADIUS = 0.005  # decimetres

# By the parameter hair_length: the height where hair ends, and its greatest length on top and at the sides.
_LENGTH = [0, 0.06, 0.13, 0.20, 0.30, 0.50, 0.75, 1]
_LOW_END = [6.75, 6.72, 6.66, 6.55, 6.36, 6.04, 5.70, 5.48]
_LONGEST_TOP = [0.10, 0.27, 0.50, 0.90, 1.40, 2.40, 3.2, 4.0]
_LONGEST_SIDE = [0.04, 0.07, 0.17, 0.45, 1.20, 2.40, 3.2, 4.0]


@dataclass(frozen=True)
class Roots:
    """What never changes: where guides grow (as weights of body points) and their random numbers."""

    corners: np.ndarray  # (g, 3) body points
    weights: np.ndarray  # (g, 3)
    place: np.ndarray  # (g, 3) on the neutral head
    fringe: np.ndarray  # (g,) bool
    neighbours: np.ndarray  # (g, 8) nearest guides of the same kind, itself included
    sign: np.ndarray  # (g,) 1 for the first half, -1 for its mirror image
    jitter: np.ndarray  # (g, 3) standard normal
    layer: np.ndarray  # (g,) 0 under … 1 top
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
    kinds = [_draw_roots(rng, GUIDES // 2, fringe=False), _draw_roots(rng, FRINGE_GUIDES // 2, fringe=True)]
    corners, weights, place = (np.concatenate(arrays) for arrays in zip(*kinds, strict=True))
    fringe = np.repeat([False, True], [GUIDES, FRINGE_GUIDES])
    first = np.concatenate([np.arange(len(kind[0])) < len(kind[0]) // 2 for kind in kinds])
    half = int(first.sum())
    neighbours = np.concatenate(
        [cKDTree(place[kind]).query(place[kind], k=8)[1] + np.flatnonzero(kind)[0] for kind in (~fringe, fringe)]
    )
    centres = place[first][rng.choice(half, LOCKS, replace=False)]
    lock = cKDTree(centres).query(place[first])[1]

    def twice(values: np.ndarray, flip: float | list = 1.0) -> np.ndarray:
        """Values of the first halves, (half, …) or (half·children, …), and the same for their mirror images."""
        values = values.reshape(half, -1, *values.shape[1:])
        out = np.empty((len(first), *values.shape[1:]))
        out[first], out[~first] = values, values * flip
        return out.reshape(-1, *values.shape[2:])

    strands = half * CHILDREN
    direction = unit(rng.standard_normal((strands, 3))) * np.sqrt(rng.random((strands, 1)))
    shade = (0.88 + 0.24 * rng.random(LOCKS))[lock] * (0.94 + 0.12 * rng.random(half))
    tilt = 0.3 * rng.standard_normal(LOCKS)[lock] + 0.15 * rng.standard_normal(half)
    phase = twice(rng.random(LOCKS)[lock])
    mirrored = [-1, 1, 1]
    return Roots(
        corners=corners,
        weights=weights,
        place=place,
        fringe=fringe,
        neighbours=neighbours,
        sign=np.where(first, 1.0, -1.0),
        jitter=twice(rng.standard_normal((half, 3))),
        layer=twice(rng.random(half) ** 0.55),
        phase=phase[neighbours].mean(1)[neighbours].mean(1),  # where locks meet, their strands wave alike
        shade=twice(np.repeat(shade, CHILDREN) * (0.95 + 0.1 * rng.random(strands))),
        tilt=twice(np.repeat(tilt, CHILDREN) + 0.1 * rng.standard_normal(strands)),
        offset=twice(direction * 0.055, mirrored),
        frizz=twice(rng.standard_normal((strands, 4, 3)) * 0.007, mirrored),
        cut=twice(1 - 0.18 * rng.random(strands) ** 2),
        thickness=twice(0.8 + 0.4 * rng.random(strands)),
    )


def _draw_roots(rng: np.random.Generator, half: int, *, fringe: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Body points and weights of ``half`` random roots and of their mirror images, and their places."""
    regions = load_regions()
    points, triangles = regions.neutral, regions.scalp_triangles
    middle = points[triangles].mean(1)
    above = regions.scalp[triangles].mean(1)
    area = np.linalg.norm(np.cross(*(points[triangles[:, k]] - points[triangles[:, 0]] for k in (1, 2))), axis=1)
    if fringe:
        area *= (middle[:, 0] > 0) & (middle[:, 0] < 0.50) & (_front(middle) > 0.35) & (middle[:, 1] > 7.25)
    else:
        area *= (1 + 0.7 * np.exp(-((middle[:, 0] / 0.22) ** 2)) * (middle[:, 1] > 7.3)) * (middle[:, 0] > 0)
        area *= 1 + 1.2 * np.exp(-((above / 0.12) ** 2))  # a dense hairline hides the scalp behind it
    chosen = triangles[rng.choice(len(triangles), half, p=area / area.sum())]
    first, second = rng.random((2, half))
    first, second = np.where(first + second > 1, 1 - first, first), np.where(first + second > 1, 1 - second, second)
    weights = np.stack([1 - first - second, first, second], 1)
    opposite = cKDTree(points).query(points[chosen] * [-1, 1, 1])[1]
    corners, weights = np.concatenate([chosen, opposite]), np.concatenate([weights, weights])
    return corners, weights, (points[corners] * weights[..., None]).sum(1)


def _front(place: np.ndarray) -> np.ndarray:
    """How far each place (n, 3) is over the forehead (n,), 0 … 1."""
    return smoothstep(0.55, 1.0, place[:, 2]) * smoothstep(7.1, 7.4, place[:, 1])


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
    combed = float(smoothstep(0.06, 0.28, length))
    # Half a fringe looks like a mistake, so few have one: it grows out within a narrow range.
    worn = float(smoothstep(0.46, 0.54, fringe) * smoothstep(0.125, 0.16, length))

    front = _front(place)
    behind = 1 - smoothstep(-0.1, 0.5, place[:, 2])
    blur = 0.35 ** (1 - combed) * 0.09**combed  # short hair fans out, long hair has a parting
    blur = blur + (0.25 - blur) * np.clip(behind, 0, 1) * combed  # that ends at the crown
    side = np.tanh((place[:, 0] - parting + 0.01 * jitter[:, 0] * roots.sign) / blur)
    back = 1 - smoothstep(-0.5, 0.3, place[:, 2])
    top = smoothstep(6.95, 7.5, place[:, 1] - 0.4 * back)  # a short cut is longest over the forehead
    low_end = np.interp(length, _LENGTH, _LOW_END) + 0.04 * jitter[:, 1] + 0.08 * layer
    longest = [np.interp(length, _LENGTH, values) for values in (_LONGEST_SIDE, _LONGEST_TOP)]
    longest = (longest[0] + (longest[1] - longest[0]) * top) * (1 + 0.08 * np.clip(jitter[:, 2], -2, 2))
    beside = np.clip(np.abs(place[:, 0]) - 0.2, 0, 0.3)
    fringe_end = 7.105 + 0.02 * jitter[:, 1] - 0.9 * beside + fringe_height
    low_end = np.where(roots.fringe, fringe_end, low_end)
    under = worn * front * smoothstep(0.6, 0.4, np.abs(place[:, 0]))  # what the fringe covers lies flat
    layer = np.where(roots.fringe, layer, layer * (1 - 0.9 * under))
    forward = np.where(place[:, 2] > 0.0, 1.0, -0.6)

    guides, lengths = grow_guides(
        root, normal, side, front, layer, roots.fringe, forward, low_end, longest,
        coarse[collider.points], coarse_normals[collider.points], collider.near, collider.start,
        volume, combed, 0.075, 50, POINTS,
    )  # fmt: skip
    guides = _flow_together(guides, roots.neighbours, side)
    guides = guides + wave * _waves(guides, lengths, side, roots.phase)
    grown = np.where(roots.fringe, worn > 0, True)
    strands = np.flatnonzero(np.repeat(grown, CHILDREN))
    cut = roots.cut * np.repeat(np.where(roots.fringe, worn, 1.0), CHILDREN)
    points = grow_children(guides, strands, CHILDREN, roots.offset, roots.frizz, cut)
    along = np.linspace(0, 1, POINTS)
    return Strands(
        points=points,
        radius=RADIUS * (1 - 0.6 * along**3) * roots.thickness[strands, None],
        colour=colour * roots.shade[strands, None],
        tilt=roots.tilt[strands],
    )


def _flow_together(guides: np.ndarray, neighbours: np.ndarray, side: np.ndarray) -> np.ndarray:
    """Draw each guide towards the mean of its neighbours, more at the tip, and hardly across the parting."""
    weight = np.exp(-(((side[neighbours] - side[:, None]) / 0.6) ** 2))
    share = np.linspace(0, 0.7, guides.shape[1])[None, :, None]
    return guides * (1 - share) + _neighbour_mean(guides, neighbours, weight) * share


@numba.njit(cache=True)
def _neighbour_mean(guides, neighbours, weight):
    out = np.zeros_like(guides)
    for g in range(guides.shape[0]):
        total = 0.0
        for k in range(neighbours.shape[1]):
            out[g] += weight[g, k] * guides[neighbours[g, k]]
            total += weight[g, k]
        out[g] /= total
    return out


def _waves(guides: np.ndarray, lengths: np.ndarray, side: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """Displacement (g, m, 3) of a wave of strength 1 that starts below the roots and grows to the tips."""
    arc = np.linspace(0, 1, guides.shape[1])[None] * lengths[:, None]
    start = guides[:, 0]
    place = 0.5 * np.abs(start[:, 0]) + 0.2 * start[:, 1] + 0.4 * start[:, 2]  # neighbours wave together
    angle = 6.0 * arc + (2 * np.pi * place + 0.6 * phase)[:, None]
    tangent = unit(np.gradient(guides, axis=1))
    sideways = unit(np.cross(tangent, [0.0, 0.0, 1.0]) + 1e-6) * side[:, None, None]
    swing = sideways * np.sin(angle)[..., None] + np.array([0, 0, 0.7]) * np.cos(angle)[..., None]
    return 0.21 * smoothstep(0.2, 2.0, arc)[..., None] * swing
