"""Directional lights with their shadow maps: a soft key light, a dome of sky, two rim lights."""

from __future__ import annotations

from dataclasses import dataclass, fields

import cv2
import numpy as np

from ohlora.portraits.figure import Figure
from ohlora.portraits.mesh import surface, unit
from ohlora.portraits.parameters import PortraitParams
from ohlora.portraits.raster import EMPTY, light_depth_strands, light_depth_triangles

KEY, DOME, RIM = 0, 1, 2
KEY_SAMPLES = 7
KEY_COLOUR = np.array([1.0, 0.965, 0.92])
SHADOW_CENTRE = np.array([0.0, 6.4, 0.3])
SHADOW_RADIUS = 2.3  # decimetres around the centre that cast shadows
SHADOW_SIZE = 256  # pixels of a shadow map


@dataclass
class Lights:
    """l lights: direction (l, 3) towards the light, colour (l, 3), kind (l,), frame (l, 3, 3), shadow maps.

    solid, hair_front, hair_spread, hair_count: (l, size, size) float32: depth of the body, of the front hair,
    the same dilated, and the blurred number of strands.
    """

    direction: np.ndarray
    colour: np.ndarray
    kind: np.ndarray
    frame: np.ndarray
    solid: np.ndarray
    hair_front: np.ndarray
    hair_spread: np.ndarray
    hair_count: np.ndarray

    @property
    def scale(self) -> float:
        """Pixels of a shadow map per decimetre."""
        return SHADOW_SIZE / (2 * SHADOW_RADIUS)

    def of_kind(self, *kinds: int) -> Lights:
        """Only the lights of these kinds: KEY, DOME, RIM."""
        chosen = np.isin(self.kind, kinds)
        return Lights(*(getattr(self, field.name)[chosen] for field in fields(self)))


def light_frame(direction: np.ndarray) -> np.ndarray:
    """Rows: right, up, towards the light."""
    forward = direction / np.linalg.norm(direction)
    up = np.array([0, 1.0, 0]) if abs(forward[1]) < 0.95 else np.array([1.0, 0, 0])
    right = np.cross(up, forward)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(forward, right), forward])


def key_direction(params: PortraitParams) -> np.ndarray:
    """Towards the key light: above, and to the side by ``key_angle``."""
    angle = np.radians(params.key_angle)
    return unit(np.array([np.sin(angle), 0.55, np.cos(angle)]))


def _dome() -> np.ndarray:
    """Directions all around in mirrored pairs, so that a flipped portrait is lit the same."""
    i = np.arange(12) + 0.5
    height, angle = 1 - i / 6, np.pi * (1 + 5**0.5) * i + 0.7
    ring = np.sqrt(1 - height**2)
    points = np.stack([np.abs(ring * np.cos(angle)), height, ring * np.sin(angle)], 1)[::2]
    points = points[~((points[:, 2] < -0.75) & (points[:, 1] < 0.3))]
    return np.concatenate([points, points * [-1, 1, 1]])


def place_lights(params: PortraitParams) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Direction (l, 3), colour (l, 3) and kind (l,) of every light."""
    key = key_direction(params)
    frame = light_frame(key)
    lights = []
    for j in range(KEY_SAMPLES):  # the key light is a disc: its middle and a ring
        angle, radius = 2 * np.pi * j / (KEY_SAMPLES - 1), 0.24 if j else 0.0
        direction = unit(key + radius * (frame[0] * np.cos(angle) + frame[1] * np.sin(angle)))
        lights.append((direction, KEY_COLOUR * 1.22 * params.key_strength / KEY_SAMPLES, KEY))
    dome = _dome()
    for direction in dome:
        up = 0.5 + 0.5 * direction[1]
        colour = np.array([0.78, 0.80, 0.86]) * (0.35 + 0.65 * up) + np.array([0.40, 0.30, 0.25]) * (1 - up) * 0.45
        lights.append((direction, colour * (1 + 0.5 * max(direction[2], 0)) * params.ambient * 1.25 / 12, DOME))
    for side in (-1, 1):  # stronger on the side away from the key light
        strength = params.rim * (0.75 - 0.25 * side * np.tanh(params.key_angle / 10))
        lights.append((unit(np.array([side * 0.95, 0.45, -0.75])), np.array([1.0, 0.97, 0.95]) * strength, RIM))
    direction, colour, kind = zip(*lights, strict=True)
    return np.array(direction), np.array(colour), np.array(kind)


def cast_shadows(params: PortraitParams, figure: Figure) -> Lights:
    """Lights with their shadow maps. The shirt casts none: uncut, it would darken the neck."""
    direction, colour, kind = place_lights(params)
    shape = (len(direction), SHADOW_SIZE, SHADOW_SIZE)
    frame = np.stack([light_frame(d) for d in direction])
    solid, hair = np.full(shape, EMPTY, np.float32), np.full(shape, EMPTY, np.float32)
    count, spread = np.zeros(shape, np.float32), np.empty(shape, np.float32)
    triangles, scale = surface("body", 1).triangles, SHADOW_SIZE / (2 * SHADOW_RADIUS)
    strands = figure.hair.points.reshape(-1, 3)
    per_strand = figure.hair.points.shape[1]
    for k in range(len(direction)):
        light_depth_triangles(figure.coarse, frame[k], SHADOW_CENTRE, scale, triangles, solid[k])
        step = 4 if kind[k] == KEY else 7  # each light takes other strands, so together they see almost all
        light_depth_strands(strands, frame[k], SHADOW_CENTRE, scale, per_strand, k % step, step, hair[k], count[k])
        # Blurred counts, not depth alone: hair shadows on the skin would be blotchy.
        count[k] = cv2.GaussianBlur(count[k], (0, 0), 1.6)
        spread[k] = cv2.dilate(hair[k], np.ones((5, 5), np.uint8))
    return Lights(direction, colour, kind, frame, solid, hair, spread, count)
