"""sRGB ↔ linear light, and the palettes of skin, hair, lips and clothes."""

from __future__ import annotations

import colorsys

import numpy as np

from ohlora.portraits.parameters import PortraitParams

_SKIN = np.array(
    [(247, 216, 200), (241, 200, 178), (226, 178, 152), (202, 150, 120), (160, 108, 78), (112, 72, 52)]
)  # sRGB, light to dark


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
    return to_linear(np.array([np.interp(at, range(len(_SKIN)), _SKIN[:, k]) for k in range(3)]) / 255)


def hair_colour(params: PortraitParams) -> np.ndarray:
    """Linear RGB (3,): black to light blond, reddened most in between."""
    light, red = params.hair_lightness, params.hair_redness
    colour = np.array([28, 22, 22]) * (1 - light) + np.array([228, 200, 150]) * light
    colour = colour * (1 - 0.45 * red * np.array([-0.25, 0.55, 0.8]) * (4 * light * (1 - light) + 0.1))
    return np.clip(to_linear(np.clip(colour, 5, 240) / 255), 0.004, 0.85)


def lip_colour(params: PortraitParams) -> np.ndarray:
    """Linear RGB (3,) of the lipstick."""
    cool = params.lip_colour
    return to_linear((1 - cool) * np.array([0.80, 0.42, 0.40]) + cool * np.array([0.72, 0.27, 0.34]))


def iris_colour(params: PortraitParams) -> np.ndarray:
    """Linear RGB (3,), brown to blue."""
    return (1 - params.iris) * np.array([0.13, 0.06, 0.025]) + params.iris * np.array([0.09, 0.16, 0.22])


def shirt_colour(params: PortraitParams) -> np.ndarray:
    """Linear RGB (3,)."""
    return np.array(colorsys.hsv_to_rgb(params.shirt_hue, params.shirt_saturation, params.shirt_brightness))
