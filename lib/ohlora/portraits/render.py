"""render(): parameters → image, mask and ground truth."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ohlora.portraits.background import paint_background
from ohlora.portraits.colours import to_linear, to_srgb
from ohlora.portraits.figure import Figure, build_figure
from ohlora.portraits.head_data import load_head_data
from ohlora.portraits.parameters import PortraitParams
from ohlora.portraits.regions import BACKGROUND, HAIR, LABELS, MOUTH
from ohlora.portraits.shading import Camera, draw, shade

TRUTH_NAMES = (
    "gender", "eyes", "mouth", "yaw", "hair_length", "hair_brightness", "background_mean", "background_std",
    "lid_gap", "mouth_area", "hair_bottom", "hair_area",
)  # fmt: skip
_LUMA = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True)
class Portrait:
    """image: uint8 (size, size, 3) sRGB. mask: uint8 (size, size), 0…8 as in regions.LABELS. truth: name → float.

    truth: gender (0 man … 1 woman), eyes, mouth, yaw (degrees, + = image right), hair_length: the parameters.
    Measured on the render: hair_brightness, background_mean, background_std (luma, 0…1); lid_gap (height over
    width of the eye opening); mouth_area and hair_area (share of the image); hair_bottom (0 top … 1 bottom edge).
    """

    image: np.ndarray
    mask: np.ndarray
    truth: dict[str, float]


def render(params: PortraitParams, size: int = 256, supersampling: int = 3) -> Portrait:
    """Render one portrait; the same parameters give the same pixels.

    Args:
        params: what to render. size: pixels, 32 … 1024. supersampling: samples per pixel and axis, 1 … 4.

    Raises:
        ValueError: an argument outside its range.
    """
    if not isinstance(params, PortraitParams):
        raise ValueError(f"params={params!r} is not allowed; it must be a PortraitParams")
    for name, value, low, high in (("size", size, 32, 1024), ("supersampling", supersampling, 1, 4)):
        if not isinstance(value, (int, np.integer)) or not low <= value <= high:
            raise ValueError(f"{name}={value!r} is not allowed; it must be a whole number from {low} to {high}")
    figure = build_figure(params)
    camera = Camera.on(figure, size * supersampling)
    seen = draw(figure, camera)
    light = shade(params, figure, camera, seen)

    fine = to_linear(paint_background(params, camera.pixels)).astype(np.float32).reshape(-1, 3)
    fine[seen.pixel] = light
    shape = (camera.pixels, camera.pixels)
    image = to_srgb(cv2.resize(fine.reshape(*shape, 3), (size, size), interpolation=cv2.INTER_AREA))
    labels = np.zeros(camera.pixels**2, np.uint8)
    labels[seen.pixel] = seen.label
    blocks = labels.reshape(size, supersampling, size, supersampling)
    coverage = np.stack([(blocks == k).mean((1, 3), dtype=np.float32) for k in range(len(LABELS))], -1)
    mask = coverage.argmax(-1).astype(np.uint8)
    image = np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)
    return Portrait(image, mask, _measure(params, figure, image, mask, coverage))


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
