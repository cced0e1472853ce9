"""From visible points to light: illuminate, scatter in skin, paint eyes and teeth."""

from __future__ import annotations

import cv2
import numba
import numpy as np

from ohlora.portraits.figure import MATERIAL_EYE, MATERIAL_HAIR, MATERIAL_SKIN, Figure
from ohlora.portraits.head_data import load_head_data
from ohlora.portraits.light_transport import illuminate
from ohlora.portraits.lights import (
    KEY_COLOUR,
    KEY_SAMPLES,
    SHADOW_CENTRE,
    Lights,
    cast_shadows,
    key_direction,
    light_frame,
)
from ohlora.portraits.mesh import smoothstep, turn_head, unit
from ohlora.portraits.parameters import PortraitParams
from ohlora.portraits.regions import EYES, MOUTH
from ohlora.portraits.visible import Camera, Visible

SCATTERING = 0.78  # share of the skin's light that leaves the skin beside where it entered


def shade(
    params: PortraitParams,
    figure: Figure,
    camera: Camera,
    seen: Visible,
    lights: Lights | None = None,
    scattering: float = SCATTERING,
) -> np.ndarray:
    """Tone-mapped linear RGB float32 (n, 3) of every covered pixel.

    Args:
        params, figure, camera, seen: the portrait, and what ``draw`` saw of it. lights: of ``cast_shadows``, all or
            some of them; None casts all. scattering: 0 (skin like plaster) … 1.
    """
    lights = cast_shadows(params, figure) if lights is None else lights
    irradiance, specular, scattered = np.zeros((3, len(seen.pixel), 3), np.float32)
    key_seen = seen.tilt.copy()
    illuminate(
        seen.position, seen.normal, seen.tangent, seen.albedo, seen.material, seen.label, camera.position,
        lights.direction, lights.colour, lights.kind, lights.frame,
        lights.solid, lights.hair_front, lights.hair_spread, lights.hair_count, SHADOW_CENTRE, lights.scale,
        KEY_SAMPLES, irradiance, specular, scattered, key_seen,
    )  # fmt: skip
    skin = seen.material == MATERIAL_SKIN
    irradiance[skin] += (np.array([0.075, 0.040, 0.033]) * params.ambient).astype(np.float32)
    light = seen.albedo * irradiance + specular
    hair = seen.material == MATERIAL_HAIR
    light[hair] = scattered[hair]
    flesh = np.flatnonzero(skin & (seen.label != MOUTH) & (seen.label != EYES))
    own = irradiance[flesh]
    light[flesh] += seen.albedo[flesh] * scattering * (_scatter(own, seen.pixel[flesh], camera) - own)
    eye = np.flatnonzero(seen.material == MATERIAL_EYE)
    if len(eye):
        light[eye] = _eye_light(params, camera, seen, eye, irradiance[eye], key_seen[eye])
    mouth = np.flatnonzero((seen.label == MOUTH) & skin)
    if len(mouth):
        colour = _mouth_colour(params, figure, camera, seen.pixel[mouth])
        lit = 0.72 + 0.35 * np.clip(key_seen[mouth] + 0.4, 0, 1)
        light[mouth] = colour * lit[:, None] * KEY_COLOUR * params.ambient**0.5
    return _tone_map(light * np.float32(0.97))


def _scatter(irradiance: np.ndarray, pixel: np.ndarray, camera: Camera) -> np.ndarray:
    """Screen-space subsurface scattering: blur the light (n, 3) on the skin's pixels (n,), red farthest."""
    shape = (camera.pixels, camera.pixels)
    mask = np.zeros(shape, np.float32)
    mask.ravel()[pixel] = 1
    out = np.empty_like(irradiance)
    for channel, reach in enumerate((0.028, 0.013, 0.009)):  # decimetres
        plane = np.zeros(shape, np.float32)
        plane.ravel()[pixel] = irradiance[:, channel]
        sigma = reach * camera.scale
        blurred, covered = (cv2.GaussianBlur(array, (0, 0), sigma).ravel()[pixel] for array in (plane, mask))
        out[:, channel] = blurred / np.maximum(covered, 1e-3)
    return out


def _eye_light(
    params: PortraitParams, camera: Camera, seen: Visible, eye: np.ndarray, irradiance: np.ndarray, key: np.ndarray
) -> np.ndarray:
    """Eyes mirror the key light as a softbox, a faint second light and the sky."""
    view = unit(camera.position - seen.position[eye])
    normal = seen.normal[eye]
    mirrored = 2 * (normal * view).sum(1, keepdims=True) * normal - view
    right, up, towards = (mirrored @ axis for axis in light_frame(unit(key_direction(params) - np.array([0, 0.02, 0]))))
    softbox = 1 - smoothstep(0.85, 1.1, np.maximum(np.abs(right) / 0.20, np.abs(up) / 0.26))
    softbox *= towards > 0
    second = np.array([-np.sin(np.radians(params.key_angle)) * 1.2, -0.25, 1.0])
    second = 0.16 * np.exp(-(((1 - mirrored @ second) / 0.018) ** 2))
    sky = 0.05 * smoothstep(-0.1, 0.8, mirrored[:, 1])
    shade = 2.2 * np.clip(0.35 + np.clip(key * 1.3, 0, 1), 0, 1)
    lit = np.clip(irradiance.mean(1) / 0.9, 0, 1)
    return seen.albedo[eye] * irradiance * 1.12 + (softbox * shade + (second + sky) * lit)[:, None]


def _mouth_colour(params: PortraitParams, figure: Figure, camera: Camera, pixel: np.ndarray) -> np.ndarray:
    """Teeth, tongue and darkness painted between the contours of the inner lips (n, 3).

    A modelled row of teeth pokes through the lips as they move, so they are painted.
    """
    marks = load_head_data().landmarks

    def contour(name: str) -> np.ndarray:
        turned = turn_head(figure.vertices[marks[name]], params.yaw, params.pitch, params.roll)
        projected = camera.project(turned)
        return projected[np.argsort(projected[:, 0])]

    x, y = pixel % camera.pixels + 0.5, pixel // camera.pixels + 0.5
    upper, lower = contour("inner_lip_upper"), contour("inner_lip_lower")
    upper_y, lower_y = np.interp(x, upper[:, 0], upper[:, 1]), np.interp(x, lower[:, 0], lower[:, 1])
    left, right, middle = upper[0, 0], upper[-1, 0], contour("lip_reference")[:, 0].mean()
    to_corner = np.where(x < middle, (middle - x) / max(middle - left, 1), (x - middle) / max(right - middle, 1))
    to_corner = np.clip(to_corner, 0, 1)
    gap = np.maximum(lower_y - upper_y, 1e-3) / camera.scale
    below, above = (y - upper_y) / camera.scale, (lower_y - y) / camera.scale

    teeth_height = 0.062 * np.sqrt(np.clip(1 - (to_corner / 0.86) ** 2, 0, 1))
    edge = below - np.minimum(teeth_height, gap * 0.62) * smoothstep(0.0, 0.02, gap)
    teeth = (smoothstep(0.004, -0.004, edge) * (teeth_height > 0.012))[:, None]
    between = 1 - 0.10 * np.exp(-((((to_corner * 5.2) % 1 - 0.5) / 0.10) ** 2))
    shadow = (0.62 + 0.38 * smoothstep(0, 0.03, below)) * (1 - 0.55 * to_corner**2) * between
    tongue_height = 0.075 * np.clip(1 - (to_corner / 0.75) ** 2, 0, 1) * smoothstep(0.05, 0.16, gap)
    tongue = smoothstep(0.008, -0.012, above - tongue_height)[:, None] * (1 - teeth)
    tongue_colour = np.array([0.50, 0.155, 0.16]) * (0.55 + 0.45 * smoothstep(0, 0.07, above))[:, None]
    colour = np.array([0.085, 0.018, 0.018]) * (1 - tongue) + tongue_colour * tongue
    return colour * (1 - teeth) + np.array([0.80, 0.765, 0.715]) * shadow[:, None] * teeth


@numba.njit(cache=True, fastmath=True)
def _roll_off(value):
    return value if value < 0.5 else 0.5 + 0.5 * (1 - np.exp(-(value - 0.5) / 0.5))


@numba.njit(cache=True, fastmath=True)
def _tone_map(light):
    """Roll off highlights, half by brightness (keeps hue) and half by channel."""
    out = np.empty_like(light)
    for i in range(len(light)):
        peak = max(light[i, 0], light[i, 1], light[i, 2], 1e-4)
        share = 0.55 * _roll_off(peak) / peak
        for k in range(3):
            value = max(light[i, k], 0.0)
            out[i, k] = share * value + 0.45 * _roll_off(value)
    return out
