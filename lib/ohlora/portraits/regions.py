"""Where things are on the head: fields painted once on the neutral head, at every surface point.

All fields are made in the neutral head's own coordinates, so they travel with any morph. ``LABELS`` gives
the nine classes of the mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ohlora.portraits.head_data import load_head_data
from ohlora.portraits.mesh import smoothstep, surface

LABELS = ("background", "skin", "eyes", "mouth interior", "lips", "nose", "hair", "clothes", "brows")
BACKGROUND, SKIN, EYES, MOUTH, LIPS, NOSE, HAIR, CLOTHES, BROWS = range(9)

BODY_LEVELS = 2
# Centre line of the brow, |x| and y.
BROW_X = np.array([0.085, 0.16, 0.24, 0.32, 0.40, 0.475])
BROW_Y = np.array([7.040, 7.060, 7.076, 7.084, 7.070, 7.030])
# Height of the hairline by the angle around the head, degrees from the front.
HAIRLINE_ANGLE = [0, 20, 35, 48, 58, 68, 80, 95, 110, 125, 150, 180]
HAIRLINE_Y = [7.555, 7.545, 7.475, 7.31, 7.08, 6.88, 6.74, 6.84, 6.84, 6.58, 6.34, 6.28]


@dataclass(frozen=True)
class Regions:
    """Fields (n,) at the n points of the level-2 body surface, labels (m,) of its m triangles.

    neutral: (n, 3) the neutral head itself. Fields are 0…1 unless said: lips, blush, lid_line (the dark line
    along the lashes), lid_shadow, stubble, scalp (height above the hairline, decimetres), in_mouth and
    in_eye_socket (bool), ear (bool). scalp_triangles: (k, 3) where hair grows.
    """

    neutral: np.ndarray
    lips: np.ndarray
    blush: np.ndarray
    lid_line: np.ndarray
    lid_shadow: np.ndarray
    stubble: np.ndarray
    scalp: np.ndarray
    in_mouth: np.ndarray
    in_eye_socket: np.ndarray
    ear: np.ndarray
    triangle_labels: np.ndarray
    scalp_triangles: np.ndarray

    def brow(self, thickness: float) -> np.ndarray:
        """How much each point belongs to the brows (n,), 0…1, for a relative thickness (1 = average)."""
        x, y, z = np.abs(self.neutral[:, 0]), self.neutral[:, 1], self.neutral[:, 2]
        along = np.clip((x - 0.085) / 0.39, 0, 1)
        half = 0.034 * thickness * (1 - 0.5 * along) * smoothstep(-0.15, 0.15, along)
        across = np.exp(-((np.abs(y - np.interp(x, BROW_X, BROW_Y)) / np.maximum(half, 1e-3)) ** 2.5))
        return across * smoothstep(0.06, 0.10, x) * (1 - smoothstep(0.46, 0.50, x)) * (z > 0.7)


@lru_cache(maxsize=1)
def neutral_vertices() -> np.ndarray:
    """Base vertices (n, 3) of the neutral young woman; every painted field is defined on her."""
    return load_head_data().morphed({"female_european": 1.0})


@lru_cache(maxsize=1)
def load_regions() -> Regions:
    """Paint all fields (about a second, once)."""
    data = load_head_data()
    body = surface("body", BODY_LEVELS)
    neutral = body.points(neutral_vertices())
    x, y, z = neutral.T
    ax = np.abs(x)

    def spot(cx: float, cy: float, sx: float, sy: float) -> np.ndarray:
        return np.exp(-(((ax - cx) / sx) ** 2) - ((y - cy) / sy) ** 2) * (z > 0.3)

    cavity = body.points(data.cavity)
    upper, lower = body.points(data.upper_lip_weight), body.points(data.lower_lip_weight)
    lips = np.maximum(smoothstep(0.30, 0.55, upper / upper.max()), smoothstep(0.22, 0.45, lower / lower.max()))
    in_mouth = (cavity > 0.5) & (np.abs(y - 6.3) < 0.5) & (z > 0.3) & (ax < 0.35) & (y < 6.6)
    in_eye_socket = (cavity > 0.5) & (np.abs(y - 6.895) < 0.2) & (ax > 0.1) & (z > 0.8)
    lips = np.where(in_mouth, smoothstep(1.20, 1.30, z) * 0.9, lips)  # the inner side stays lip near the opening

    rim = neutral_vertices()[data.landmarks["lid_loop"]]
    to_rim = np.min([np.hypot(ax - point[0], y - point[1]) for point in rim], 0)
    ear = body.points(data.ear_weight)
    ear = (ear / ear.max() > 0.05) & (ax > 0.60) & (y < 7.03) & (z < 0.75) & (z > 0.0)
    angle = np.degrees(np.arctan2(ax, z - 0.42))
    scalp = y - np.interp(angle, HAIRLINE_ANGLE, HAIRLINE_Y)
    stubble = np.clip(spot(0, 6.15, 0.55, 0.28) + 0.6 * spot(0.5, 6.35, 0.14, 0.3), 0, 1)
    on_scalp = (scalp > 0) & ~ear & (y > 6.2)
    nose = (ax < 0.165 - 0.10 * smoothstep(6.58, 6.95, y)) & (y > 6.475) & (y < 6.93) & (z > 1.18) & (cavity < 0.5)

    labels = np.full(len(neutral), SKIN)
    labels[nose] = NOSE
    labels[lips > 0.45] = LIPS
    labels[in_mouth & (lips <= 0.45)] = MOUTH
    labels[in_eye_socket] = EYES
    corners = labels[body.triangles]
    majority = np.where(corners[:, 1] == corners[:, 2], corners[:, 1], corners[:, 0])
    # Where hair covers the skin closely, the skin that shows between strands counts as hair.
    under_hair = (on_scalp & (scalp > 0.05))[body.triangles].all(1)
    blush = spot(0.40, 6.62, 0.16, 0.12) + 0.55 * spot(0, 6.56, 0.09, 0.07) * (z > 1.3)  # cheeks, tip of the nose
    blush += 0.25 * spot(0, 6.05, 0.12, 0.08)  # chin
    return Regions(
        neutral=neutral,
        lips=lips,
        blush=blush,
        lid_line=np.exp(-((to_rim / 0.022) ** 2)) * (z > 0.9) * (cavity < 0.5),
        lid_shadow=np.exp(-(((ax - 0.29) / 0.15) ** 2) - ((y - 6.985) / 0.055) ** 2) * (z > 0.8),
        stubble=stubble * (1 - lips) * (y < 6.52) * (ax < 0.68),
        scalp=scalp,
        in_mouth=in_mouth,
        in_eye_socket=in_eye_socket,
        ear=ear,
        triangle_labels=np.where(under_hair, HAIR, majority).astype(np.int8),
        scalp_triangles=body.triangles[on_scalp[body.triangles].all(1)],
    )
