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
    row_names: list[str] | None = None,
) -> Figure:
    """A grid of portraits.

    Args:
        images: see to_uint8.
        columns: portraits in a row.
        titles: one a portrait, or None.
        scale: inches a portrait takes.
        row_names: one a row, written at its left, or None.
    """
    pictures = to_uint8(images)
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    above = [(titles or [])[row * columns : (row + 1) * columns] for row in range(rows)]
    lines = [max((title.count("\n") + 1 for title in row if title), default=0) for row in above]
    heights = [scale + (0.14 + 0.12 * count if count else 0.0) for count in lines]
    longest = max((len(line) for name in row_names or [] for line in name.splitlines()), default=0)
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(columns * scale + 0.065 * longest, sum(heights)),
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
    for axis, name in zip(axes[:, 0], row_names or [], strict=False):
        axis.text(-0.06, 0.5, name, transform=axis.transAxes, ha="right", va="center", fontsize=7)
    figure.tight_layout(pad=0.15, h_pad=0.45 if titles else None)
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


def cut_sheet(path: Path, columns: int) -> np.ndarray:
    """The portraits of a sheet without margins (see save_portraits), as uint8 (rows, columns, side, side, 3)."""
    sheet = np.asarray(Image.open(path).convert("RGB"))
    side = sheet.shape[1] // columns
    return sheet.reshape(-1, side, columns, side, 3).swapaxes(1, 2)
