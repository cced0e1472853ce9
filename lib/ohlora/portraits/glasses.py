"""Glasses: a frame of tubes that stands before the eyes, rests on the nose and hooks over the ears."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ohlora.portraits.mesh import smoothstep
from ohlora.portraits.regions import load_regions

WORN = 0.5  # glasses from this value on are worn; the frame grows out of nothing just around it
AROUND, OUTLINE = 10, 56  # sides of a tube, points of a rim
CLEARANCE, LASH_CLEARANCE = 0.035, 0.115  # decimetres before the skin, and before the eyeball
_TILT = 0.14  # the upper edge stands farther forward, as on every face
_WRAP = 0.22  # decimetres per decimetre², towards the temples
# Wire, tortoiseshell, black: linear RGB and radius of the tube by the style 0 … 1.
_STYLE = [0, 0.35, 0.65, 1]
_COLOUR = np.array([(0.48, 0.33, 0.16), (0.20, 0.085, 0.035), (0.045, 0.020, 0.014), (0.012, 0.012, 0.014)])
_RADIUS = [0.0105, 0.014, 0.018, 0.019]


def glasses(
    value: float, body: np.ndarray, eyes: np.ndarray, eye_radius: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """The frame on an upright head: points (n, 3), triangles (m, 3) and linear RGB (3,); None if none is worn.

    Args:
        value: PortraitParams.glasses; above ``WORN`` it goes from round wire to a rectangular black frame.
        body: (p, 3) points of the level-2 body. eyes: (2, 3) centres of the left and right eyeball.
        eye_radius: decimetres.
    """
    worn = float(smoothstep(WORN - 0.03, WORN + 0.03, value))
    if worn == 0:
        return None
    style = float(np.clip((value - WORN) / (1 - WORN), 0, 1))
    radius = worn * np.interp(style, _STYLE, _RADIUS)
    lines = _lines(style, body, eyes, eye_radius)
    tubes = [tube(line, radius, closed) for line, closed in lines]
    points, triangles, first = [], [], 0
    for tube_points, tube_triangles in tubes:
        points.append(tube_points)
        triangles.append(tube_triangles + first)
        first += len(tube_points)
    colour = np.array([np.interp(style, _STYLE, _COLOUR[:, k]) for k in range(3)])
    return np.concatenate(points), np.concatenate(triangles).astype(np.int32), colour


def _lines(style: float, body: np.ndarray, eyes: np.ndarray, eye_radius: float) -> list[tuple[np.ndarray, bool]]:
    """Centre lines (k, 3) of both rims (closed), the bridge and both temples (open)."""
    eye = np.abs(eyes).mean(0)
    centre_x, centre_y = eye[0] * 0.6 + 0.135, eye[1] - 0.03
    half_width, half_height = 0.205 + 0.045 * style, 0.200 - 0.045 * style
    power = 2 / (2 + 2.2 * style)  # a superellipse: 2 is round, 4 nearly a rectangle
    angle = np.linspace(0, 2 * np.pi, OUTLINE, endpoint=False)
    cos, sin = np.cos(angle), np.sin(angle)
    x = centre_x + half_width * np.sign(cos) * np.abs(cos) ** power
    y = centre_y + half_height * np.sign(sin) * np.abs(sin) ** power
    t = np.linspace(-1, 1, 13)
    inner = centre_x - half_width
    bridge_x = inner * t
    bridge_y = centre_y + 0.055 + 0.030 * (1 - t**2)

    def plane(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return _TILT * (y - centre_y) - _WRAP * x**2

    # The frame stands as near as skin and lashes let it.
    probe_x, probe_y = np.concatenate([x, bridge_x]), np.concatenate([y, bridge_y])
    front = body[(body[:, 2] > 0.9) & (np.abs(body[:, 1] - centre_y) < 0.32)]
    near = np.hypot(np.abs(front[:, 0]) - np.abs(probe_x)[:, None], front[:, 1] - probe_y[:, None]) < 0.03
    skin = np.where(near, front[:, 2], -1).max(1) + CLEARANCE
    start = max((skin - plane(probe_x, probe_y)).max(), eye[2] + eye_radius + LASH_CLEARANCE - plane(*eye[:2]))

    lines: list[tuple[np.ndarray, bool]] = [
        (np.stack([bridge_x, bridge_y, plane(bridge_x, bridge_y) + start + 0.012 * (1 - t**2)], 1), False)
    ]
    hinge = np.array([centre_x + half_width, centre_y + 0.45 * half_height * (0.6 + 0.4 * style), 0])
    hinge[2] = plane(hinge[0], hinge[1]) + start
    ear = np.abs(body[_ear_tops()]).mean(0) + np.array([0.012, 0.012, 0])
    corner = hinge + np.array([0.035, 0, -0.05])
    steps = np.linspace(0, 1, 9)[:, None]
    side = corner * (1 - steps) + ear * steps
    skull = body[(body[:, 0] > 0.4) & (np.abs(body[:, 1] - ear[1]) < 0.10)]
    for point in side[1:-1]:  # pushed out where the temple is broader than the straight line
        close = np.abs(skull[:, 2] - point[2]) < 0.05
        point[0] = max(point[0], skull[close, 0].max() + 0.02) if close.any() and point[2] > 0.75 else point[0]
    behind = ear + np.array([[0, -0.035, -0.10], [-0.015, -0.14, -0.19]])
    temple = np.concatenate([hinge[None], side, behind])
    for sign in (-1, 1):
        lines.append((np.stack([sign * x, y, plane(x, y) + start], 1), True))
        lines.append((temple * [sign, 1, 1], False))
    return lines


@lru_cache(maxsize=1)
def _ear_tops() -> np.ndarray:
    """Numbers of the body points where the ears meet the head above, both sides."""
    neutral = load_regions().neutral
    place = np.abs(neutral[:, 0] * [[1], [-1]] - 0.71) ** 2 + (neutral[:, 1] - 6.985) ** 2 + (neutral[:, 2] - 0.42) ** 2
    return place.argmin(1)


def tube(line: np.ndarray, radius: float, closed: bool) -> tuple[np.ndarray, np.ndarray]:
    """A tube around a line (k, 3): points (k·AROUND, 3), triangles facing outwards; open ends stay open."""
    ahead = np.roll(line, -1, 0) - np.roll(line, 1, 0)
    if not closed:
        ahead[0], ahead[-1] = line[1] - line[0], line[-1] - line[-2]
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    # "Up" never runs along a line of the frame: rims lie in the image, temples run back.
    aside = np.cross(ahead, [0.0, 0.0, 1.0] if closed or np.ptp(line[:, 2]) < 0.3 else [0.0, 1.0, 0.0])
    aside /= np.maximum(np.linalg.norm(aside, axis=1, keepdims=True), 1e-9)
    across = np.cross(ahead, aside)
    angle = np.linspace(0, 2 * np.pi, AROUND, endpoint=False)[None, :, None]
    points = line[:, None] + radius * (np.cos(angle) * aside[:, None] + np.sin(angle) * across[:, None])
    rows = np.arange(len(line) if closed else len(line) - 1)[:, None] * AROUND
    column = np.arange(AROUND)
    a, b = rows + column, rows + (column + 1) % AROUND
    count = len(line) * AROUND
    c, d = (a + AROUND) % count, (b + AROUND) % count
    triangles = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([b, d, c], -1).reshape(-1, 3)])
    return points.reshape(-1, 3), triangles
