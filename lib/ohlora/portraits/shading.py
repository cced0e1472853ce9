"""From visible points to light: gather the points, illuminate, scatter in skin, paint eyes and teeth."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ohlora.portraits.figure import MATERIAL_EYE, MATERIAL_HAIR, MATERIAL_LASH, MATERIAL_SKIN, Figure
from ohlora.portraits.head_data import load_head_data
from ohlora.portraits.light_transport import illuminate
from ohlora.portraits.lights import (
    KEY_COLOUR,
    KEY_SAMPLES,
    SHADOW_CENTRE,
    cast_shadows,
    key_direction,
    light_frame,
)
from ohlora.portraits.mesh import smoothstep, turn_head, unit
from ohlora.portraits.parameters import PortraitParams
from ohlora.portraits.raster import ScreenBuffer
from ohlora.portraits.regions import BROWS, EYES, HAIR, MOUTH

FRAME_HEIGHT = 2.62  # decimetres from the upper to the lower edge of the image
CAMERA = 14.0  # distance of the camera, decimetres


@dataclass(frozen=True)
class Camera:
    """A long lens straight ahead; ``scale`` in pixels per decimetre at the depth of the eyes."""

    x: float
    y: float
    pixels: int

    @property
    def scale(self) -> float:
        """Pixels per decimetre."""
        return self.pixels / FRAME_HEIGHT

    def project(self, points: np.ndarray) -> np.ndarray:
        """World points (…, 3) → (n, 3): pixel x, pixel y, depth (larger is nearer)."""
        points = points.reshape(-1, 3)
        factor = CAMERA / (CAMERA - points[:, 2]) * (CAMERA - 0.9) / CAMERA * self.scale
        half = self.pixels / 2
        return np.stack(
            [(points[:, 0] - self.x) * factor + half, (self.y - points[:, 1]) * factor + half, points[:, 2]], 1
        )

    @classmethod
    def on(cls, figure: Figure, pixels: int) -> Camera:
        """Follow the eyes, but not all the way: a turned head moves a little in the frame."""
        return cls(figure.eye_centre[0] * 0.80, figure.eye_centre[1] - 0.13, pixels)


@dataclass
class Visible:
    """The n covered pixels: pixel number, position, normal, tangent, albedo (n, 3), material, label, hair tilt (n,)."""

    pixel: np.ndarray
    position: np.ndarray
    normal: np.ndarray
    tangent: np.ndarray
    albedo: np.ndarray
    material: np.ndarray
    label: np.ndarray
    tilt: np.ndarray


def draw(figure: Figure, camera: Camera) -> Visible:
    """Rasterise the figure and gather what is seen in each pixel."""
    buffer = ScreenBuffer(camera.pixels)
    buffer.draw_triangles(camera.project(figure.points), figure.triangles, figure.keep, 0)
    strands = [
        (figure.hair.points, figure.hair.radius, figure.hair.colour, HAIR, MATERIAL_HAIR, 0.50),
        (*figure.lashes, np.array([0.006, 0.006, 0.006]), EYES, MATERIAL_LASH, 0.40),
        (*figure.brows, figure.brow_colour, BROWS, MATERIAL_LASH, 0.40),
    ]
    first_ids = [len(figure.triangles)]
    for points, radius, *_, minimum in strands:
        projected = camera.project(points)
        buffer.draw_strands(projected, (radius * camera.scale).ravel(), points.shape[1], first_ids[-1], minimum)
        first_ids.append(first_ids[-1] + points.shape[0] * points.shape[1])

    pixel = np.flatnonzero(buffer.surface.ravel() >= 0)
    surface, u, v = (a.ravel()[pixel] for a in (buffer.surface, buffer.first, buffer.second))
    count = len(pixel)
    seen = Visible(
        pixel, *(np.zeros((count, 3)) for _ in range(4)), np.zeros(count, np.int64), np.zeros(count, np.int64),
        np.zeros(count),
    )  # fmt: skip
    on = np.flatnonzero(surface < first_ids[0])
    corners = figure.triangles[surface[on]]
    weights = np.stack([u[on], v[on], 1 - u[on] - v[on]], 1)
    seen.position[on] = _interpolate(figure.points, corners, weights)
    seen.normal[on] = unit(_interpolate(figure.normals, corners, weights))
    seen.albedo[on] = _interpolate(figure.colours, corners, weights)
    seen.material[on], seen.label[on] = figure.materials[surface[on]], figure.labels[surface[on]]
    for (points, _, colour, label, material, _), low, high in zip(strands, first_ids, first_ids[1:], strict=False):
        on = np.flatnonzero((surface >= low) & (surface < high))
        at, flat = surface[on] - low, points.reshape(-1, 3)
        start, end, t = flat[at], flat[np.minimum(at + 1, len(flat) - 1)], u[on][:, None]
        seen.position[on] = start * (1 - t) + end * t
        seen.tangent[on] = tangent = unit(end - start)
        across = v[on][:, None]  # the normal of a cylinder
        side = unit(np.cross(tangent, [0, 0, 1.0]))
        forward = np.cross(side, tangent)
        forward *= np.sign(forward[:, 2:] + 1e-9)
        seen.normal[on] = unit(forward * np.sqrt(np.clip(1 - across**2, 0, 1)) - side * across)
        seen.albedo[on] = colour[at // points.shape[1]] if colour.ndim == 2 else colour
        seen.material[on], seen.label[on] = material, label
        if label == HAIR:
            seen.tilt[on] = figure.hair.tilt[at // points.shape[1]]
    return seen


def _interpolate(values: np.ndarray, corners: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return sum(values[corners[:, k]] * weights[:, k, None] for k in range(3))


def shade(params: PortraitParams, figure: Figure, camera: Camera, seen: Visible) -> np.ndarray:
    """Tone-mapped linear RGB (n, 3) of every covered pixel."""
    lights = cast_shadows(params, figure)
    count = len(seen.pixel)
    irradiance, specular, scattered = np.zeros((3, count, 3))
    view = unit(np.array([camera.x, camera.y, CAMERA]) - seen.position)
    around = seen.position - np.array([0, 6.9, 0.35])  # hair is lit as one volume around the head's axis
    around[:, 1] *= 0.35
    key_seen = seen.tilt.copy()
    illuminate(
        seen.position, seen.normal, seen.tangent, view, seen.albedo, seen.material, seen.label, unit(around),
        lights.direction, lights.colour, lights.kind, lights.frame,
        lights.solid, lights.hair_front, lights.hair_spread, lights.hair_count, SHADOW_CENTRE, lights.scale,
        KEY_SAMPLES, irradiance, specular, scattered, key_seen,
    )  # fmt: skip
    skin = seen.material == MATERIAL_SKIN
    irradiance += skin[:, None] * np.array([0.075, 0.040, 0.033]) * params.ambient
    light = np.where((seen.material == MATERIAL_HAIR)[:, None], scattered, seen.albedo * irradiance + specular)
    flesh = skin & (seen.label != MOUTH) & (seen.label != EYES)
    blurred = _scatter(irradiance, flesh, seen.pixel, camera)
    light[flesh] = seen.albedo[flesh] * (blurred * 0.78 + irradiance[flesh] * 0.22) + specular[flesh]
    eye = np.flatnonzero(seen.material == MATERIAL_EYE)
    if len(eye):
        light[eye] = _eye_light(params, seen, eye, view[eye], irradiance[eye], key_seen[eye])
    mouth = np.flatnonzero((seen.label == MOUTH) & skin)
    if len(mouth):
        colour = _mouth_colour(params, figure, camera, seen.pixel[mouth])
        lit = 0.72 + 0.35 * np.clip(key_seen[mouth] + 0.4, 0, 1)
        light[mouth] = colour * lit[:, None] * KEY_COLOUR * params.ambient**0.5
    return _tone_map(light * 0.97)


def _scatter(irradiance: np.ndarray, flesh: np.ndarray, pixel: np.ndarray, camera: Camera) -> np.ndarray:
    """Screen-space subsurface scattering: blur the light on skin, red farthest; returns (flesh, 3)."""
    size = camera.pixels
    mask = np.zeros(size * size, np.float32)
    mask[pixel[flesh]] = 1
    mask = mask.reshape(size, size)
    out = np.empty((int(flesh.sum()), 3))
    for channel, reach in enumerate((0.028, 0.013, 0.009)):  # decimetres
        plane = np.zeros(size * size, np.float32)
        plane[pixel[flesh]] = irradiance[flesh, channel]
        sigma = reach * camera.scale
        blurred = cv2.GaussianBlur(plane.reshape(size, size), (0, 0), sigma)
        blurred /= np.maximum(cv2.GaussianBlur(mask, (0, 0), sigma), 1e-3)
        out[:, channel] = blurred.ravel()[pixel[flesh]]
    return out


def _eye_light(
    params: PortraitParams, seen: Visible, eye: np.ndarray, view: np.ndarray, irradiance: np.ndarray, key: np.ndarray
) -> np.ndarray:
    """Eyes mirror the key light as a softbox, a faint second light and the sky."""
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


def _tone_map(light: np.ndarray) -> np.ndarray:
    """Roll off highlights, half by brightness (keeps hue) and half by channel."""
    light = np.clip(light, 0, None)

    def roll_off(values: np.ndarray) -> np.ndarray:
        return np.where(values < 0.5, values, 0.5 + 0.5 * (1 - np.exp(-(values - 0.5) / 0.5)))

    peak = np.maximum(light.max(1, keepdims=True), 1e-4)
    return 0.55 * light / peak * roll_off(peak) + 0.45 * roll_off(light)
