"""What a training run leaves behind to look at: its history and sheets of portraits."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image
from torch import Tensor
from torchvision.utils import save_image

from ohlora.images import resize

SHEET_SIDE = 256  # larger images are shrunk on a sheet


def write_history(folder: Path, row: dict[str, float]) -> None:
    """Append one row to history.jsonl, numbers rounded to five places."""
    row = {name: round(value, 5) if isinstance(value, float) else value for name, value in row.items()}
    with (Path(folder) / "history.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def read_history(folder: Path) -> list[dict[str, float]]:
    """Rows of history.jsonl, oldest first; empty if there is none."""
    path = Path(folder) / "history.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def thinned(rows: list[dict[str, float]], limit: int) -> list[dict[str, float]]:
    """At most about ``limit`` rows, evenly spaced; rows with a held-out measure all stay."""
    stride = max(1, len(rows) // limit)
    return [row for index, row in enumerate(rows) if index % stride == 0 or "heldout_l1" in row]


def write_sheet(path: Path, images: Tensor, columns: int) -> Path:
    """Write images (n, 3, size, size) in [-1, 1] as one picture with ``columns`` in a row."""
    images = resize(images.clamp(-1, 1), min(images.shape[-1], SHEET_SIDE))
    save_image(images, path, nrow=columns, padding=0, normalize=True, value_range=(-1, 1))
    return path


def write_progress(folder: Path, path: Path, people: int = 6, side: int = 96, rows: int = 6) -> Path | None:
    """One picture of a whole run, from noise to people: the same held-out people on its sheets over time.

    Args:
        folder: with the sheets of the run (second row: the generator on held-out people; first row: their renders).
        path: PNG to write. people: columns. side: pixels of a portrait. rows: sheets shown, evenly spaced.

    Returns:
        ``path``, or None where there is no sheet yet. The last row holds the renders.
    """
    sheets = sorted(Path(folder).glob("sheet_*.png"))
    if not sheets:
        return None
    chosen = [sheets[round(index * (len(sheets) - 1) / max(1, rows - 1))] for index in range(rows)]
    chosen = sorted(set(chosen))
    strip = Image.new("RGB", (people * side, (len(chosen) + 1) * side))
    for row, (sheet, line) in enumerate([*((sheet, 1) for sheet in chosen), (chosen[-1], 0)]):
        with Image.open(sheet) as picture:
            shown = min(int(sheet.stem.split("_")[-1]), SHEET_SIDE)
            people = min(people, picture.width // shown)
            part = picture.crop((0, line * shown, people * shown, (line + 1) * shown))
            strip.paste(part.resize((people * side, side), Image.Resampling.BICUBIC), (0, row * side))
    strip.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)
    return path
