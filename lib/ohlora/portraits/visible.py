"""What is seen in each pixel: project the figure, rasterise it and gather position, normal and colour."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from ohlora.portraits.figure import MATERIAL_HAIR, MATERIAL_LASH, Figure
from ohlora.portraits.raster import ScreenBuffer
from ohlora.portraits.regions import BROWS, EYES, HAIR

FRAME_HEIGHT = 2.62  # decimetres from the upper to the lower edge of the image
CAMERA = 14.0  # distance of the camera, decimetres
LASH_COLOUR = np.array([0.006, 0.006, 0.006])


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

    @property
    def position(self) -> np.ndarray:
        """Where the camera stands (3,), decimetres."""
        return np.array([self.x, self.y, CAMERA])

    def project(self, points: np.ndarray) -> np.ndarray:
        """World points (…, 3) → (n, 3): pixel x, pixel y, depth (larger is nearer)."""
        return _project(np.ascontiguousarray(points).reshape(-1, 3), self.position, self.scale, self.pixels / 2)

    @classmethod
    def on(cls, figure: Figure, pixels: int) -> Camera:
        """Follow the eyes, but not all the way: a turned head moves a little in the frame."""
        return cls(figure.eye_centre[0] * 0.80, figure.eye_centre[1] - 0.13, pixels)


@dataclass
class Visible:
    """The n covered pixels: pixel number, position, normal, tangent, albedo (n, 3) float32, material, label, hair tilt.

    material and label are int8 (n,), tilt is float32 (n,).
    """

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
    no_tilt = np.zeros(1)
    # The smallest radius in pixels: finer hairs would fall between the samples.
    strands = [
        (figure.hair.points, figure.hair.radius, figure.hair.colour, figure.hair.tilt, HAIR, MATERIAL_HAIR, 0.50),
        (*figure.lashes, LASH_COLOUR[None], no_tilt, EYES, MATERIAL_LASH, 0.27),
        (*figure.brows, figure.brow_colour[None], no_tilt, BROWS, MATERIAL_LASH, 0.27),
    ]
    first_ids = [len(figure.triangles)]
    for points, radius, *_, minimum in strands:
        projected = camera.project(points)
        buffer.draw_strands(projected, (radius * camera.scale).ravel(), points.shape[1], first_ids[-1], minimum)
        first_ids.append(first_ids[-1] + points.shape[0] * points.shape[1])

    pixel = np.flatnonzero(buffer.surface.ravel() >= 0)
    surface, first, second = (a.ravel()[pixel] for a in (buffer.surface, buffer.first, buffer.second))
    count = len(pixel)
    vectors = [np.zeros((count, 3), np.float32) for _ in range(4)]
    material, label, tilt = np.zeros(count, np.int8), np.zeros(count, np.int8), np.zeros(count, np.float32)
    seen = Visible(pixel, *vectors, material, label, tilt)
    _gather_triangles(
        surface, first, second, figure.points, figure.normals, figure.colours, figure.triangles,
        seen.position, seen.normal, seen.albedo,
    )  # fmt: skip
    on = surface < first_ids[0]
    material[on], label[on] = figure.materials[surface[on]], figure.labels[surface[on]]
    for (points, _, colour, strand_tilt, strand_label, strand_material, _), low, high in zip(
        strands, first_ids, first_ids[1:], strict=False
    ):
        on = np.flatnonzero((surface >= low) & (surface < high))
        _gather_strands(
            on, surface, first, second, low, points.reshape(-1, 3), points.shape[1], colour, strand_tilt,
            seen.position, seen.normal, seen.tangent, seen.albedo, tilt,
        )  # fmt: skip
        material[on], label[on] = strand_material, strand_label
    return seen


@numba.njit(cache=True, fastmath=True)
def _project(points, camera, scale, half):
    out = np.empty_like(points)
    for i in range(len(points)):
        factor = camera[2] / (camera[2] - points[i, 2]) * (camera[2] - 0.9) / camera[2] * scale
        out[i, 0] = (points[i, 0] - camera[0]) * factor + half
        out[i, 1] = (camera[1] - points[i, 1]) * factor + half
        out[i, 2] = points[i, 2]
    return out


@numba.njit(cache=True, fastmath=True)
def _gather_triangles(surface, first, second, points, normals, colours, triangles, position, normal, albedo):
    for i in range(len(surface)):
        if surface[i] >= len(triangles):
            continue
        a, b, c = triangles[surface[i]]
        u, v = first[i], second[i]
        w = 1 - u - v
        squared = 0.0
        for k in range(3):
            position[i, k] = u * points[a, k] + v * points[b, k] + w * points[c, k]
            albedo[i, k] = u * colours[a, k] + v * colours[b, k] + w * colours[c, k]
            across = u * normals[a, k] + v * normals[b, k] + w * normals[c, k]
            normal[i, k] = across
            squared += across * across
        inverse = 1 / max(np.sqrt(squared), 1e-9)
        for k in range(3):
            normal[i, k] *= inverse


@numba.njit(cache=True, fastmath=True)
def _gather_strands(
    on, surface, first, second, first_id, points, per_strand, colour, strand_tilt,
    position, normal, tangent, albedo, tilt,
):  # fmt: skip
    """The normal is that of a cylinder; one colour or tilt stands for all strands."""
    for i in on:
        at = surface[i] - first_id
        strand, t, across = at // per_strand, first[i], second[i]
        ahead = min(at + 1, len(points) - 1)
        dx, dy, dz = (points[ahead, 0] - points[at, 0], points[ahead, 1] - points[at, 1],
                      points[ahead, 2] - points[at, 2])  # fmt: skip
        inverse = 1 / max(np.sqrt(dx * dx + dy * dy + dz * dz), 1e-9)
        tx, ty, tz = dx * inverse, dy * inverse, dz * inverse
        flat = 1 / max(np.sqrt(tx * tx + ty * ty), 1e-9)
        sx, sy = ty * flat, -tx * flat  # beside the strand, in the plane of the image
        fx, fy, fz = sy * tz, -sx * tz, sx * ty - sy * tx  # towards the viewer
        towards = np.sqrt(max(1 - across * across, 0.0)) * (1.0 if fz >= 0 else -1.0)
        nx, ny, nz = fx * towards - sx * across, fy * towards - sy * across, fz * towards
        inverse = 1 / max(np.sqrt(nx * nx + ny * ny + nz * nz), 1e-9)
        normal[i, 0], normal[i, 1], normal[i, 2] = nx * inverse, ny * inverse, nz * inverse
        tangent[i, 0], tangent[i, 1], tangent[i, 2] = tx, ty, tz
        for k in range(3):
            position[i, k] = points[at, k] * (1 - t) + points[ahead, k] * t
            albedo[i, k] = colour[min(strand, len(colour) - 1), k]
        tilt[i] = strand_tilt[min(strand, len(strand_tilt) - 1)]
