"""sRGB ↔ linear light, and the palettes of skin, hair, lips and clothes."""

from __future__ import annotations

import colorsys

import numpy as np

from ohlora.portraits.mesh import smoothstep
from ohlora.portraits.parameters import PortraitParams

_SKIN = np.array(
    [(247, 216, 200), (241, 200, 178), (226, 178, 152), (202, 150, 120), (160, 108, 78), (112, 72, 52)]
)  # sRGB, light to dark
_IRIS_AT = [0, 0.35, 0.65, 1]
_IRIS = np.array([(0.105, 0.045, 0.016), (0.155, 0.078, 0.028), (0.105, 0.120, 0.066), (0.070, 0.165, 0.270)])


def to_linear(colour: np.ndarray | tuple) -> np.ndarray:
    """sRGB 0…1 → linear light (IEC 61966-2-1)."""
    colour = np.asarray(colour)
    return np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)


def to_srgb(light: np.ndarray) -> np.ndarray:
    """Linear light → sRGB; negative light counts as none."""
    light = np.clip(light, 0, None)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def skin_colour(params: PortraitParams) -> np.ndarray:
    """Linear RGB (3,) of the bare skin."""
    at = np.clip(params.skin, 0, 1) * (len(_SKIN) - 1)
    colour = to_linear(np.array([np.interp(at, range(len(_SKIN)), _SKIN[:, k]) for k in range(3)]) / 255)
    # Skin loses a little glow with the years.
    dull = 0.2 * float(smoothstep(30, 60, params.age))
    return colour * (1 - dull * np.array([0.20, 0.32, 0.36]))


def hair_colour(params: PortraitParams) -> np.ndarray:
    """Linear RGB (3,): black to light blond, reddened most in between, greying from about 45 years on."""
    light, red = params.hair_lightness, params.hair_redness
    colour = np.array([28, 22, 22]) * (1 - light) + np.array([228, 200, 150]) * light
    colour = colour * (1 - 0.45 * red * np.array([-0.25, 0.55, 0.8]) * (4 * light * (1 - light) + 0.1))
    colour = np.clip(to_linear(np.clip(colour, 5, 240) / 255), 0.004, 0.85)
    grey = 0.8 * float(smoothstep(43, 66, params.age))
    return colour * (1 - grey) + np.array([0.36, 0.35, 0.34]) * grey


def lip_colour(params: PortraitParams) -> np.ndarray:
    """Linear RGB (3,) of the lipstick."""
    cool = params.lip_colour
    return to_linear((1 - cool) * np.array([0.80, 0.42, 0.40]) + cool * np.array([0.72, 0.27, 0.34]))


def iris_colour(params: PortraitParams) -> np.ndarray:
    """Linear RGB (3,): dark brown, hazel, green, blue."""
    return np.array([np.interp(params.iris, _IRIS_AT, _IRIS[:, k]) for k in range(3)])


def shirt_colour(params: PortraitParams) -> np.ndarray:
    """Linear RGB (3,)."""
    return np.array(colorsys.hsv_to_rgb(params.shirt_hue, params.shirt_saturation, params.shirt_brightness))
