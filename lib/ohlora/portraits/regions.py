"""Where things are on the head: fields painted once on the neutral head, at every surface point.

All fields are made in the neutral head's own coordinates, so they travel with any morph. ``LABELS`` gives
the nine classes of the mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.spatial import cKDTree

from ohlora.portraits.head_data import load_head_data
from ohlora.portraits.mesh import smoothstep, surface

LABELS = ("background", "skin", "eyes", "mouth interior", "lips", "nose", "hair", "clothes", "brows")
BACKGROUND, SKIN, EYES, MOUTH, LIPS, NOSE, HAIR, CLOTHES, BROWS = range(9)

BODY_LEVELS = 2
MOUTH_CORNER = 0.145  # |x| of the neutral mouth from where on its inside is lip: no dark line beyond closed lips
# Centre line of the brow, |x| and y.
BROW_X = np.array([0.085, 0.16, 0.24, 0.32, 0.40, 0.475])
BROW_Y = np.array([7.040, 7.060, 7.076, 7.084, 7.070, 7.030])
# Height of the hairline by the angle around the head, degrees from the front.
HAIRLINE_ANGLE = [0, 20, 35, 48, 58, 68, 80, 95, 110, 125, 150, 180]
HAIRLINE_Y = [7.555, 7.545, 7.475, 7.31, 7.08, 6.88, 6.74, 6.84, 6.84, 6.58, 6.34, 6.28]


# Centre lines of folds and lines on one half of the face: |x| and y of three points, width, depth.
_WRINKLES = [
    ((0.165, 0.245, 0.305), (6.60, 6.49, 6.33), 0.030, 1.0),  # from the wing of the nose past the mouth
    ((0.16, 0.26, 0.37), (6.785, 6.745, 6.775), 0.026, 0.55),  # below the eye
    ((0.45, 0.50, 0.555), (6.915, 6.945, 6.985), 0.014, 0.75),  # crow's feet
    ((0.46, 0.52, 0.58), (6.885, 6.885, 6.89), 0.014, 0.85),
    ((0.45, 0.50, 0.56), (6.855, 6.82, 6.785), 0.014, 0.75),
    ((0.0, 0.18, 0.36), (7.225, 7.235, 7.215), 0.018, 0.60),  # forehead
    ((0.0, 0.20, 0.40), (7.315, 7.325, 7.300), 0.018, 0.70),
    ((0.0, 0.17, 0.33), (7.400, 7.405, 7.385), 0.018, 0.50),
    ((0.030, 0.040, 0.045), (7.00, 7.05, 7.10), 0.014, 0.45),  # between the brows
    ((0.285, 0.315, 0.325), (6.27, 6.20, 6.13), 0.028, 0.60),  # from the corner of the mouth down
]


@dataclass(frozen=True)
class Regions:
    """Fields (n,) at the n points of the level-2 body surface, labels (m,) of its m triangles.

    neutral: (n, 3) the neutral head itself. Fields are 0…1 unless said: lips, blush, lid_line (the dark line
    along the lashes), lid_shadow, stubble, wrinkles (folds and lines that come with age), scalp (height above the
    hairline, decimetres), in_mouth, mouth_corner, in_eye_socket, ear (bool). scalp_triangles: (k, 3) where hair grows.
    """

    neutral: np.ndarray
    lips: np.ndarray
    blush: np.ndarray
    lid_line: np.ndarray
    lid_shadow: np.ndarray
    stubble: np.ndarray
    wrinkles: np.ndarray
    scalp: np.ndarray
    in_mouth: np.ndarray
    mouth_corner: np.ndarray
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

    wrinkles = np.zeros(len(neutral))
    for line_x, line_y, width, depth in _WRINKLES:
        along = np.linspace(0, 1, 25)
        path = np.stack([np.interp(along, [0, 0.5, 1], line) for line in (line_x, line_y)], 1)
        distance, nearest = cKDTree(path).query(np.stack([ax, y], 1))
        fade = smoothstep(0, 0.2, along) * smoothstep(1, 0.75, along) if line_x[0] > 0 else smoothstep(1, 0.6, along)
        wrinkles = np.maximum(wrinkles, depth * fade[nearest] * np.exp(-((distance / width) ** 2)))
    cavity = body.points(data.cavity)
    upper, lower = body.points(data.upper_lip_weight), body.points(data.lower_lip_weight)
    lips = np.maximum(smoothstep(0.30, 0.55, upper / upper.max()), smoothstep(0.22, 0.45, lower / lower.max()))
    in_mouth = (cavity > 0.5) & (np.abs(y - 6.3) < 0.5) & (z > 0.3) & (ax < 0.35) & (y < 6.6)
    mouth_corner = in_mouth & (ax > MOUTH_CORNER) & (z > 1.22)  # not the cheeks inside a turned, open mouth
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
    labels[mouth_corner] = LIPS
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
        wrinkles=wrinkles * (z > 0.8) * (1 - lips) * (cavity < 0.5),
        scalp=scalp,
        in_mouth=in_mouth,
        mouth_corner=mouth_corner,
        in_eye_socket=in_eye_socket,
        ear=ear,
        triangle_labels=np.where(under_hair, HAIR, majority).astype(np.int8),
        scalp_triangles=body.triangles[on_scalp[body.triangles].all(1)],
    )
