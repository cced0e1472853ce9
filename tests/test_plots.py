"""Sheets of portraits: what is written beside them, and that a sheet can be cut up again."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from ohlora.plots import cut_sheet, save_portraits, show_portraits

PICTURES = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 3), dtype=np.uint8)


def test_rows_and_portraits_are_named_and_names_stay_inside() -> None:
    figure = show_portraits(PICTURES, 3, ["a", "b", "c", "d\ne", "f", "g"], row_names=["first row", "second\nrow"])
    figure.canvas.draw()
    names = [axis.texts[0] for axis in figure.axes[::3]]
    assert [name.get_text() for name in names] == ["first row", "second\nrow"]
    assert all(name.get_window_extent().x0 >= 0 for name in names)
    title, above = figure.axes[3].title.get_window_extent(), figure.axes[0].get_window_extent()
    assert title.y1 < above.y0, "a title of two lines has room"
    plt.close(figure)


def test_a_sheet_is_cut_into_its_portraits(tmp_path: Path) -> None:
    path = save_portraits(PICTURES, tmp_path / "sheet.png", 3)
    np.testing.assert_array_equal(cut_sheet(path, 3).reshape(PICTURES.shape), PICTURES)
