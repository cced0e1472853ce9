"""Pictures that several notebooks draw in the same way."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image

from ohlora.images import to_pictures


def to_uint8(images: torch.Tensor | np.ndarray) -> np.ndarray:
    """Images as uint8 (n, size, size, 3).

    Args:
        images: float tensor (n, 3, size, size) in [-1, 1], or already uint8 (n, size, size, 3).
    """
    return to_pictures(images) if isinstance(images, torch.Tensor) else np.asarray(images, dtype=np.uint8)


def show_portraits(
    images: torch.Tensor | np.ndarray,
    columns: int = 8,
    titles: list[str] | None = None,
    scale: float = 1.0,
) -> Figure:
    """A grid of portraits.

    Args:
        images: see to_uint8.
        columns: portraits in a row.
        titles: one a portrait, or None.
        scale: inches a portrait takes.
    """
    pictures = to_uint8(images)
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    titled = [bool(titles) and any(titles[row * columns : (row + 1) * columns]) for row in range(rows)]
    heights = [scale * (1.25 if with_title else 1.0) for with_title in titled]
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(columns * scale, sum(heights)),
        height_ratios=heights,
        dpi=100,
        squeeze=False,
    )
    for axis in axes.flat:
        axis.axis("off")
    for index, picture in enumerate(pictures):
        axes.flat[index].imshow(picture)
        if titles:
            axes.flat[index].set_title(titles[index], fontsize=7)
    figure.tight_layout(pad=0.15)
    return figure


def save_portraits(images: torch.Tensor | np.ndarray, path: Path, columns: int = 8) -> Path:
    """Write a grid of portraits, without margins, as a PNG."""
    pictures = to_uint8(images)
    columns = min(columns, len(pictures))
    size = pictures.shape[1]
    sheet = np.full((-(-len(pictures) // columns) * size, columns * size, 3), 255, dtype=np.uint8)
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        sheet[row * size : (row + 1) * size, column * size : (column + 1) * size] = picture
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet).save(path, optimize=True)
    return path
