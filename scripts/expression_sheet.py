"""Draw docs/oh_lora.png (her portrait) and docs/expressions.png (her twelve expressions) with the shipped weights.

python scripts/expression_sheet.py [--profile embedded] [--output docs]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

from ohlora.companion import FacePainter, load_expressions, load_face
from ohlora.config import ROOT
from ohlora.stylegan import load_generator

COLUMNS = 6


def draw_expressions(painter: FacePainter) -> Figure:
    """One cell an expression, at intensity 1."""
    table = load_expressions()
    rows = -(-len(table.names) // COLUMNS)
    figure, axes = plt.subplots(rows, COLUMNS, figsize=(COLUMNS * 1.9, rows * 2.12), dpi=100)
    for axis in axes.flat:
        axis.axis("off")
    for axis, name in zip(axes.flat, table.names, strict=False):
        axis.imshow(painter.portrait(table.offsets(name)), interpolation="bicubic")
        axis.set_title(name, fontsize=11, pad=3)
    figure.tight_layout(pad=0.3)
    return figure


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", default="embedded")
    parser.add_argument("--output", type=Path, default=ROOT / "docs")
    arguments = parser.parse_args()
    generator = load_generator(arguments.profile, conditioned=True)
    painter = FacePainter(generator, load_face(generator, arguments.profile))
    arguments.output.mkdir(parents=True, exist_ok=True)
    draw_expressions(painter).savefig(arguments.output / "expressions.png")
    Image.fromarray(painter.portrait()).save(arguments.output / "oh_lora.png", optimize=True)


if __name__ == "__main__":
    main()
