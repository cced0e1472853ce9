"""PortraitParams: everything that makes one portrait, and its map from and to a standard-normal vector u.

Each of the 62 values of u drives one field through a smooth increasing map (normal CDF or tanh), so a small
step in u is a small change of the image, and the map can be inverted.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri

VECTOR_SIZE = 62
_LIMIT = 5.0  # standard deviations; the normal CDF keeps no more digits worth having


@dataclass(frozen=True)
class PortraitParams:
    """One portrait. The default is a young woman with shoulder-long brown hair who looks at you.

    Every field is checked: a value outside its range raises ValueError. "Left" and "right" are the image's.
    """

    gender: float = 1.0  # 0 man … 1 woman
    ancestry: tuple[float, float, float] = (0.65, 0.30, 0.05)  # European, Asian, African shares; sum 1
    skin: float = 0.16  # 0 light … 0.95 dark
    age: float = 24.0  # years, 18 … 60
    weight: float = -0.1  # -0.4 thin … 0.2
    # Shape of the face, -0.5 … 0.5, 0 = average
    head_width: float = 0.0
    head_height: float = 0.0
    nose_length: float = 0.0
    nose_width: float = 0.0
    nose_volume: float = 0.0
    mouth_width: float = 0.0
    upper_lip: float = 0.0
    lower_lip: float = 0.0
    chin_width: float = 0.0
    chin_height: float = 0.0
    chin_forward: float = 0.0
    eye_spacing: float = 0.0
    eye_tilt: float = 0.0
    cheekbones: float = 0.0
    # Hair
    hair_lightness: float = 0.12  # 0 black … 1 light blond
    hair_redness: float = 0.4  # 0 … 1
    hair_length: float = 0.6  # 0 very short, 0.2 ears, 0.45 chin, 0.75 shoulders, 1 chest
    fringe: float = 0.0  # below 0.46 none, above 0.54 full
    fringe_height: float = 0.0  # -0.04 low … 0.07 high, decimetres
    parting: float = 0.08  # -0.3 left … 0.3 right, decimetres from the middle
    wave: float = 0.15  # 0 straight … 0.6
    volume: float = 0.95  # 0.7 flat … 1.2 full
    # Colours of the face
    iris: float = 0.15  # 0 brown … 1 blue
    lip_colour: float = 0.5  # 0 warm … 1 cool
    lipstick: float = 0.4  # 0 … 1
    blush: float = 0.5  # 0 … 1
    brow_thickness: float = 1.0  # 0.7 … 1.5
    stubble: float = 0.0  # 0 … 1, shown on men only
    # What she wears
    glasses: float = 0.0  # below 0.5 none; above it the frame goes from round to rectangular, dark to metal
    earrings: float = 0.0  # below 0.2 none … 1 large, shown on women only
    shirt_hue: float = 0.6  # 0 … 1 around the colour circle
    shirt_saturation: float = 0.1  # 0 … 1
    shirt_brightness: float = 0.85  # 0 … 1
    neckline: float = 0.62  # 0.5 close … 0.8 wide, decimetres
    v_neck: float = 0.4  # 0 round … 1 deep V
    # What she does
    eyes: float = 0.68  # 0 closed … 1 wide open
    mouth: float = 0.0  # 0 closed … 1 wide open
    smile: float = 0.4  # 0 … 1
    yaw: float = 0.0  # degrees, -40 … 40, positive = turned to the right of the image
    pitch: float = 0.0  # degrees, -15 … 15, positive = looks down
    roll: float = 0.0  # degrees, -12 … 12, positive = leans to the left of the image
    gaze_x: float = 0.0  # degrees beside the head's direction, -20 … 20, positive = right
    gaze_y: float = 0.0  # degrees, -8 … 8, positive = down
    brow_raise: float = 0.1  # -0.5 frown … 1 raised
    # Light
    key_angle: float = 20.0  # degrees, -40 left … 40 right
    key_strength: float = 1.0  # 0.7 … 1.3
    ambient: float = 1.0  # 0.7 … 1.3
    rim: float = 0.8  # 0 … 1.5, light from behind
    # Background
    background_top: tuple[float, float, float] = (0.62, 0.66, 0.72)  # sRGB, 0 … 1
    background_step: tuple[float, float, float] = (0.1, 0.1, 0.08)  # added towards the bottom, -0.5 … 0.5
    background_tilt: float = 0.0  # -0.3 … 0.3, added towards the right
    background_texture: float = 0.0  # -1.5 … 1.5, strength of soft blotches; the sign mirrors them

    def __post_init__(self) -> None:
        for field in fields(self):
            low, high, count = _RANGES[field.name]
            value = getattr(self, field.name)
            try:
                numbers = np.asarray(value, dtype=np.float64)
            except (TypeError, ValueError):
                numbers = np.asarray(np.nan)
            shape = (count,) if count else ()
            if numbers.shape != shape or not np.all((numbers >= low) & (numbers <= high)):
                kind = f"{count} numbers" if count else "a number"
                raise ValueError(f"{field.name}={value!r} is not allowed; it must be {kind} from {low} to {high}")
            plain = tuple(float(number) for number in numbers) if count else float(numbers)
            object.__setattr__(self, field.name, plain)
        if abs(sum(self.ancestry) - 1) > 1e-3:
            raise ValueError(f"ancestry={self.ancestry!r} is not allowed; the three shares must sum to 1")

    @classmethod
    def from_vector(cls, u: np.ndarray) -> PortraitParams:
        """The portrait of a vector u, (62,), standard normal; values beyond ±5 count as ±5."""
        u = np.asarray(u, dtype=np.float64)
        if u.shape != (VECTOR_SIZE,) or not np.isfinite(u).all():
            raise ValueError(f"u has shape {u.shape}; it must be {VECTOR_SIZE} finite numbers")
        x = dict(zip(VECTOR_NAMES, np.clip(u, -_LIMIT, _LIMIT), strict=True))
        values = {name: low + (high - low) * ndtr(shift + gain * x[name])
                  for name, (low, high, shift, gain) in _UNIFORM.items()}  # fmt: skip
        values |= {name: bound * np.tanh(sd * x[name] / bound) for name, (sd, bound) in _BOUNDED.items()}
        gender = expit(8 * (x["gender"] + 0.52))  # 70 % women, few in between
        shares = np.exp(1.2 * np.array([x["ancestry_0"] + 0.9, x["ancestry_1"] + 0.3, -1.2]))
        shares /= shares.sum()
        low, width = _hair_length_range(gender)
        level = ndtr([x[f"background_top_{k}"] for k in range(3)])
        values |= {
            "gender": gender,
            "ancestry": tuple(shares),
            "skin": _skin_start(shares) + 0.30 * ndtr(x["skin"]),
            "wave": 0.5 * ndtr(x["wave"]) ** 2,
            "hair_length": low + width * ndtr(x["hair_length"] + 0.3),
            "gaze_x": -0.2 * values["yaw"] + 11 * np.tanh(5.5 * x["gaze_x"] / 11),
            "background_top": tuple(0.08 + 0.84 * (0.4 * level + 0.6 * level.mean())),
            "background_step": tuple(0.4 * np.tanh(0.13 / 0.4 * x[f"background_step_{k}"]) for k in range(3)),
        }
        return cls(**values)

    def to_vector(self) -> np.ndarray:
        """The vector u, float32 (62,), that makes this portrait; fields that no u reaches are moved to the nearest."""
        x = {name: (_normal((getattr(self, name) - low) / (high - low)) - shift) / gain
             for name, (low, high, shift, gain) in _UNIFORM.items()}  # fmt: skip
        x |= {name: _arctanh(getattr(self, name) / bound) * bound / sd for name, (sd, bound) in _BOUNDED.items()}
        shares = np.maximum(self.ancestry, 1e-6)
        low, width = _hair_length_range(self.gender)
        level = (np.array(self.background_top) - 0.08) / 0.84
        level = np.clip((level - 0.6 * level.mean()) / 0.4, 0, 1)
        x |= {
            "gender": _logit(self.gender) / 8 - 0.52,
            "ancestry_0": np.log(shares[0] / shares[2]) / 1.2 - 1.2 - 0.9,
            "ancestry_1": np.log(shares[1] / shares[2]) / 1.2 - 1.2 - 0.3,
            "skin": _normal((self.skin - _skin_start(shares)) / 0.30),
            "wave": _normal(np.sqrt(self.wave / 0.5)),
            "hair_length": _normal((self.hair_length - low) / width) - 0.3,
            "gaze_x": _arctanh((self.gaze_x + 0.2 * self.yaw) / 11) * 11 / 5.5,
            **{f"background_top_{k}": _normal(level[k]) for k in range(3)},
            **{f"background_step_{k}": _arctanh(self.background_step[k] / 0.4) * 0.4 / 0.13 for k in range(3)},
        }
        u = np.array([x[name] for name in VECTOR_NAMES])
        return np.clip(u, -_LIMIT, _LIMIT).astype(np.float32)


def mirror(u: np.ndarray) -> np.ndarray:
    """The vector(s) u (…, 62) of the horizontally flipped portrait(s): left-right fields change sign."""
    u = np.asarray(u)
    if u.shape[-1:] != (VECTOR_SIZE,):
        raise ValueError(f"u has shape {u.shape}; its last axis must have {VECTOR_SIZE} values")
    return u * _MIRROR_SIGN.astype(u.dtype)


def sample_vectors(n: int, seed: int) -> np.ndarray:
    """n standard-normal vectors u, float32 (n, 62)."""
    return np.random.default_rng(seed).standard_normal((n, VECTOR_SIZE), dtype=np.float32)


def _normal(p: np.ndarray | float) -> np.ndarray:
    """Inverse normal CDF of p, kept finite at 0 and 1."""
    return ndtri(np.clip(p, 1e-7, 1 - 1e-7))


def _logit(p: float) -> float:
    return logit(np.clip(p, 1e-14, 1 - 1e-14))


def _arctanh(t: float) -> float:
    return np.arctanh(np.clip(t, -1 + 1e-7, 1 - 1e-7))


def _skin_start(shares: np.ndarray) -> float:
    return 0.04 + 0.6 * shares[2] ** 1.3


def _hair_length_range(gender: float) -> tuple[float, float]:
    """Shortest hair and the span above it: men 0.03 … 0.14, women 0.16 … 0.97."""
    return 0.03 + 0.13 * gender, 0.11 + 0.70 * gender


SHAPE_NAMES = (
    "head_width", "head_height", "nose_length", "nose_width", "nose_volume", "mouth_width", "upper_lip", "lower_lip",
    "chin_width", "chin_height", "chin_forward", "eye_spacing", "eye_tilt", "cheekbones",
)  # fmt: skip

# field: (low, high, shift, gain): low + (high - low) · Φ(shift + gain · u)
_UNIFORM = {
    "age": (18, 60, -0.8, 0.8),  # the middle is 27, one in eight is over 40
    "weight": (-0.35, 0.15, 0, 1), "hair_lightness": (0, 1, -0.4, 1), "hair_redness": (0, 1, 0, 1),
    "volume": (0.75, 1.15, 0, 1), "fringe_height": (-0.03, 0.06, 0, 1), "fringe": (0, 1, -0.4, 1),
    "iris": (0, 1, -0.3, 1),
    "lip_colour": (0, 1, 0, 1), "lipstick": (0, 1, 0, 1), "blush": (0, 1, 0, 1), "brow_thickness": (0.8, 1.4, 0, 1),
    "stubble": (0, 1, 0, 1), "shirt_hue": (0, 1, 0, 1), "shirt_saturation": (0, 0.6, 0, 1),
    "shirt_brightness": (0.1, 0.85, 0, 1), "neckline": (0.56, 0.76, 0, 1), "v_neck": (0, 0.9, 0, 1),
    "eyes": (0, 1, 0.6, 0.85), "mouth": (0, 1, -0.8, 1), "smile": (0.05, 0.95, 0.25, 0.9),
    "brow_raise": (-0.15, 0.5, 0, 1),
    "key_strength": (0.9, 1.1, 0, 1), "ambient": (0.85, 1.15, 0, 1), "rim": (0.3, 1.3, 0, 1),
    "glasses": (0, 1, -1.54, 1.2), "earrings": (0, 1, -1.25, 1.25),  # a tenth of all, a third of the women
}  # fmt: skip
# field: (sd, bound): bound · tanh(sd · u / bound)
_BOUNDED = {
    **dict.fromkeys(SHAPE_NAMES, (0.125, 0.33)),
    "parting": (0.14, 0.28), "yaw": (16.5, 39.0), "pitch": (4.0, 12.0), "roll": (3.0, 9.0), "gaze_y": (2.0, 6.0),
    "key_angle": (35.0, 35.0), "background_tilt": (0.08, 0.25), "background_texture": (0.45, 1.4),
}  # fmt: skip

VECTOR_NAMES: tuple[str, ...] = (
    "gender", "ancestry_0", "ancestry_1", "skin", "age", "weight", *SHAPE_NAMES,
    "hair_lightness", "hair_redness", "hair_length", "fringe", "fringe_height", "parting", "wave", "volume",
    "iris", "lip_colour", "lipstick", "blush", "brow_thickness", "stubble",
    "shirt_hue", "shirt_saturation", "shirt_brightness", "neckline", "v_neck",
    "eyes", "mouth", "smile", "yaw", "pitch", "roll", "gaze_x", "gaze_y", "brow_raise",
    "key_angle", "key_strength", "ambient", "rim",
    "background_top_0", "background_top_1", "background_top_2",
    "background_step_0", "background_step_1", "background_step_2", "background_tilt", "background_texture",
    "glasses", "earrings",
)  # fmt: skip
MIRRORED_NAMES = ("parting", "yaw", "roll", "gaze_x", "key_angle", "background_tilt", "background_texture")
_MIRROR_SIGN = np.array([-1.0 if name in MIRRORED_NAMES else 1.0 for name in VECTOR_NAMES])

# field: (low, high, numbers): 0 numbers = a plain float
_RANGES: dict[str, tuple[float, float, int]] = {
    "gender": (0, 1, 0), "ancestry": (0, 1, 3), "skin": (0, 0.95, 0), "age": (18, 60, 0), "weight": (-0.4, 0.2, 0),
    **dict.fromkeys(SHAPE_NAMES, (-0.5, 0.5, 0)),
    "hair_lightness": (0, 1, 0), "hair_redness": (0, 1, 0), "hair_length": (0, 1, 0), "fringe": (0, 1, 0),
    "fringe_height": (-0.04, 0.07, 0), "parting": (-0.3, 0.3, 0), "wave": (0, 0.6, 0), "volume": (0.7, 1.2, 0),
    "iris": (0, 1, 0), "lip_colour": (0, 1, 0), "lipstick": (0, 1, 0), "blush": (0, 1, 0),
    "brow_thickness": (0.7, 1.5, 0), "stubble": (0, 1, 0),
    "glasses": (0, 1, 0), "earrings": (0, 1, 0),
    "shirt_hue": (0, 1, 0), "shirt_saturation": (0, 1, 0), "shirt_brightness": (0, 1, 0),
    "neckline": (0.5, 0.8, 0), "v_neck": (0, 1, 0),
    "eyes": (0, 1, 0), "mouth": (0, 1, 0), "smile": (0, 1, 0), "yaw": (-40, 40, 0), "pitch": (-15, 15, 0),
    "roll": (-12, 12, 0), "gaze_x": (-20, 20, 0), "gaze_y": (-8, 8, 0), "brow_raise": (-0.5, 1, 0),
    "key_angle": (-40, 40, 0), "key_strength": (0.7, 1.3, 0), "ambient": (0.7, 1.3, 0), "rim": (0, 1.5, 0),
    "background_top": (0, 1, 3), "background_step": (-0.5, 0.5, 3), "background_tilt": (-0.3, 0.3, 0),
    "background_texture": (-1.5, 1.5, 0),
}  # fmt: skip
