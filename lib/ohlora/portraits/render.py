"""render(): parameters → image, mask and ground truth."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ohlora.portraits.background import paint_background
from ohlora.portraits.colours import to_linear, to_srgb
from ohlora.portraits.earrings import earring_size
from ohlora.portraits.figure import Figure, build_figure
from ohlora.portraits.glasses import WORN
from ohlora.portraits.head_data import load_head_data
from ohlora.portraits.parameters import PortraitParams
from ohlora.portraits.regions import BACKGROUND, BROWS, HAIR, LABELS, MOUTH, SKIN
from ohlora.portraits.shading import shade
from ohlora.portraits.visible import Camera, draw

TRUTH_NAMES = (
    "gender", "eyes", "mouth", "yaw", "hair_length", "hair_brightness", "background_mean", "background_std",
    "lid_gap", "mouth_area", "hair_bottom", "hair_area",
    "glasses", "earrings", "age", "smile", "gaze_x", "gaze_y", "pitch", "roll", "brow_raise",
)  # fmt: skip
_LUMA = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True)
class Portrait:
    """image: uint8 (size, size, 3) sRGB. mask: uint8 (size, size), 0…8 as in regions.LABELS. truth: name → float.
    alpha: uint8 (size, size), how much of the pixel the figure covers, 255 = all.

    truth: gender (0 man … 1 woman), eyes, mouth, yaw (degrees, + = image right), hair_length: the parameters.
    Measured on the render: hair_brightness, background_mean, background_std (luma, 0…1); lid_gap (height over
    width of the eye opening); mouth_area and hair_area (share of the image); hair_bottom (0 top … 1 bottom edge).
    glasses (1 worn, 0 not), earrings (size that is shown, 0 none … 1), age (years); smile, gaze_x, gaze_y, pitch,
    roll, brow_raise: the parameters. The vector u has all others.
    """

    image: np.ndarray
    mask: np.ndarray
    truth: dict[str, float]
    alpha: np.ndarray


def render(params: PortraitParams, size: int = 256, supersampling: int | None = None) -> Portrait:
    """Render one portrait; the same parameters give the same pixels.

    Args:
        params: what to render. size: pixels, 32 … 1024.
        supersampling: samples per pixel and axis, 1 … 4; None takes 2 from 256 px on and 3 below.

    Raises:
        ValueError: an argument outside its range.
    """
    if not isinstance(params, PortraitParams):
        raise ValueError(f"params={params!r} is not allowed; it must be a PortraitParams")
    if supersampling is None:
        supersampling = 2 if isinstance(size, int) and size >= 256 else 3
    for name, value, low, high in (("size", size, 32, 1024), ("supersampling", supersampling, 1, 4)):
        if not isinstance(value, (int, np.integer)) or not low <= value <= high:
            raise ValueError(f"{name}={value!r} is not allowed; it must be a whole number from {low} to {high}")
    figure = build_figure(params)
    camera = Camera.on(figure, size * supersampling)
    seen = draw(figure, camera)
    light = shade(params, figure, camera, seen)

    fine = np.zeros((camera.pixels**2, 3), np.float32)
    fine[seen.pixel] = light
    shape = (camera.pixels, camera.pixels)
    coverage = _coverage(seen.pixel, seen.label, size, supersampling)
    mask = solid_brows(coverage.argmax(-1).astype(np.uint8))
    # The background is smooth, so one sample a pixel is enough.
    behind = coverage[..., BACKGROUND, None] * to_linear(paint_background(params, size))
    image = to_srgb(cv2.resize(fine.reshape(*shape, 3), (size, size), interpolation=cv2.INTER_AREA) + behind)
    image = np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)
    alpha = np.round((1 - coverage[..., BACKGROUND]) * 255).astype(np.uint8)
    return Portrait(image, mask, _measure(params, figure, image, mask, coverage), alpha)


def _coverage(pixel: np.ndarray, label: np.ndarray, size: int, supersampling: int) -> np.ndarray:
    """Share of each class in each pixel, float32 (size, size, 9), from the labels of the covered samples."""
    row, column = pixel // (size * supersampling) // supersampling, pixel % (size * supersampling) // supersampling
    count = np.bincount((row * size + column) * len(LABELS) + label, minlength=size * size * len(LABELS))
    coverage = count.reshape(size, size, len(LABELS)).astype(np.float32) / supersampling**2
    coverage[..., BACKGROUND] = 1 - coverage[..., 1:].sum(-1)
    return coverage


def solid_brows(mask: np.ndarray) -> np.ndarray:
    """A mask, uint8 (size, size), in which the skin between the hairs of a brow belongs to it.

    A brow's hairs are thinner than a pixel: by majority it would be a lattice that no other size shows.
    """
    reach = 2 * round(len(mask) / 128) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    closed = cv2.morphologyEx((mask == BROWS).astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    return np.where((closed > 0) & (mask == SKIN), np.uint8(BROWS), mask)


def _measure(
    params: PortraitParams, figure: Figure, image: np.ndarray, mask: np.ndarray, coverage: np.ndarray
) -> dict[str, float]:
    luma = image @ _LUMA / 255
    hair = coverage[..., HAIR]
    background = luma[coverage[..., BACKGROUND] > 0.999]
    rows = np.flatnonzero((mask == HAIR).sum(1) > len(mask) // 64)
    values = {
        "gender": params.gender,
        "eyes": params.eyes,
        "mouth": params.mouth,
        "yaw": params.yaw,
        "hair_length": params.hair_length,
        "hair_brightness": (luma * hair).sum() / max(hair.sum(), 1e-6),
        "background_mean": background.mean() if len(background) else 0.0,
        "background_std": background.std() if len(background) else 0.0,
        "lid_gap": (_lid_gap(figure, "left") + _lid_gap(figure, "right")) / 2,
        "mouth_area": (mask == MOUTH).mean(),
        "hair_bottom": (rows.max() + 1) / len(mask) if len(rows) else 0.0,
        "hair_area": hair.mean(),
        "glasses": params.glasses >= WORN,
        "earrings": earring_size(params),
        **{name: getattr(params, name) for name in ("age", "smile", "gaze_x", "gaze_y", "pitch", "roll", "brow_raise")},
    }
    return {name: float(values[name]) for name in TRUTH_NAMES}


def _lid_gap(figure: Figure, side: str) -> float:
    """Height between the lids at the middle of the eye, over the eye's width."""
    marks = load_head_data().landmarks
    upper, lower = (figure.vertices[marks[f"lid_{lid}_{side}"]][:, :2] for lid in ("upper", "lower"))

    def height(rim: np.ndarray) -> float:
        order = np.argsort(rim[:, 0])
        return np.interp(rim[:, 0].mean(), rim[order, 0], rim[order, 1])

    return (height(upper) - height(lower)) / np.ptp(np.concatenate([upper, lower])[:, 0])
