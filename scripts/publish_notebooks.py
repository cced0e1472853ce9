"""Copy the outputs of the last `make run` into notebooks/, trimmed: no progress bars, no widget state.

The first picture of each also becomes its thumbnail in the README's table (docs/notebooks/), and its metrics.json, with
that of `make bench`, is copied to docs/metrics/: `make results` makes the README's table of results from it.

python scripts/publish_notebooks.py
"""

from __future__ import annotations

import base64
import io
import json
import shutil
import sys
from pathlib import Path

import nbformat
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
LARGEST_PICTURE = 300_000  # bytes
PICTURES, JPEG_QUALITY = ("image/png", "image/jpeg"), 92
THUMBNAIL = (220, 120)  # pixels at most


def packed_picture(encoded: str, limit: int = LARGEST_PICTURE) -> tuple[str, str]:
    """A PNG (base64) packed tighter → its MIME type and data (base64), at most ``limit`` bytes.

    What JPEG halves becomes one, sheets of portraits above all: git keeps every version for ever. Plots, whose edges
    JPEG would fray, hardly get smaller by it and stay PNG.
    """
    picture = Image.open(io.BytesIO(base64.b64decode(encoded)))
    if picture.mode not in ("RGB", "L"):  # on white, as a page is
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture.convert("RGBA")).convert("RGB")
    while True:
        kinds = {"image/png": io.BytesIO(), "image/jpeg": io.BytesIO()}
        picture.save(kinds["image/png"], "PNG", optimize=True)
        picture.convert("RGB").save(kinds["image/jpeg"], "JPEG", quality=JPEG_QUALITY, subsampling=0, optimize=True)
        png, jpeg = (kind.getvalue() for kind in kinds.values())
        mime, data = ("image/jpeg", jpeg) if 2 * len(jpeg) < len(png) else ("image/png", png)
        if len(data) <= limit:
            return mime, base64.b64encode(data).decode()
        picture = picture.resize((int(picture.width * 0.8), int(picture.height * 0.8)), Image.Resampling.LANCZOS)


def trimmed_outputs(cell: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Outputs without standard error (progress bars), with pictures that fit."""
    kept = [output for output in cell.outputs if output.get("name") != "stderr"]
    for output in kept:
        data = output.get("data", {})
        if "image/png" in data:
            mime, packed = packed_picture(data.pop("image/png"))
            data[mime] = packed
        if "application/vnd.jupyter.widget-view+json" in data:
            del data["application/vnd.jupyter.widget-view+json"]  # its state is not kept
    kept = [output for output in kept if "data" not in output or output["data"]]
    return nbformat.from_dict(json.loads(json.dumps(kept).replace(f"{ROOT}/", "")))  # paths of this machine


def save_thumbnail(notebook: nbformat.NotebookNode, path: Path) -> None:
    """Write the notebook's first picture, small, on white."""
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    pictures = [data for output in outputs for mime, data in output.get("data", {}).items() if mime in PICTURES]
    picture = Image.open(io.BytesIO(base64.b64decode(pictures[0]))).convert("RGB")
    picture.thumbnail(THUMBNAIL, Image.Resampling.LANCZOS)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, optimize=True)


def publish_metrics(name: str) -> None:
    """Copy the metrics of a notebook, or of the benchmark, to where they are committed."""
    measured, copy = ROOT / "outputs" / name / "metrics.json", ROOT / "docs" / "metrics" / f"{name}.json"
    if measured.exists():
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(measured, copy)


def publish(source: Path) -> bool:
    """Write the outputs of the executed notebook into the notebook it came from, if that is unchanged."""
    executed = ROOT / "outputs" / source.stem / "executed.ipynb"
    if not executed.exists():
        print(f"{source.stem}: not run yet")
        return False
    notebook = nbformat.read(source, as_version=4)
    # Outputs come from code alone: prose may have changed since the run.
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    ran = [
        cell
        for cell in nbformat.read(executed, as_version=4).cells
        if cell.cell_type == "code" and "injected-parameters" not in cell.metadata.get("tags", [])
    ]
    if [cell.source for cell in ran] != [cell.source for cell in code]:
        print(f"{source.stem}: its code changed since it ran; run it again")
        return False
    for cell, done in zip(code, ran, strict=True):
        cell.outputs = trimmed_outputs(done)
        # the Colab cell does nothing here, and scripts/add_colab_cell.py writes it without a number
        cell.execution_count = None if "colab_setup.py" in cell.source else done.execution_count
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    nbformat.write(notebook, source)
    publish_metrics(source.stem)
    save_thumbnail(notebook, ROOT / "docs" / "notebooks" / f"{source.stem}.png")
    return True


if __name__ == "__main__":
    publish_metrics("benchmark")
    done = [publish(path) for path in sorted((ROOT / "notebooks").glob("**/[0-9][0-9]_*.ipynb"))]
    print(f"{sum(done)} of {len(done)} notebooks published")
    sys.exit(0 if all(done) else 1)
