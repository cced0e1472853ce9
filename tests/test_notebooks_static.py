"""Every notebook is built the same way, so that a reader always finds the same things in the same place."""

from __future__ import annotations

import ast
import base64
import re
from pathlib import Path

import nbformat
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ["01_stylegan", "02_labeling", "03_recommend", "04_llm", "05_rag"]
NAMES = [
    "01_portraits", "02_train_stylegan", "03_latent_space",
    "04_segmentation", "05_gender_and_quality", "06_properties", "07_conditioning",
    "08_autoencoder", "09_ratings_knn",
    "10_persona_data", "11_choose_a_model", "12_sft_lora", "13_kto",
    "14_memory", "15_warn_and_block", "16_oh_lora",
]  # fmt: skip
PATHS = sorted((ROOT / "notebooks").glob("**/[0-9][0-9]_*.ipynb"))
every_notebook = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def code_cells(path: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def python_of(cell: nbformat.NotebookNode) -> ast.Module:
    return ast.parse(re.sub(r"^(\s*)[%!].*", r"\1pass", cell.source, flags=re.MULTILINE))


def test_the_book_is_complete() -> None:
    assert sorted(path.stem for path in PATHS) == NAMES
    assert {path.parent.name for path in PATHS} == {*FOLDERS, "notebooks"}


@every_notebook
def test_opening(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    cells = notebook.cells
    assert cells[0].cell_type == "markdown" and re.match(rf"# {path.stem[:2]} · \S", cells[0].source)
    opening = "\n".join(cell.source for cell in cells[:2] if cell.cell_type == "markdown")
    for heading in ("**What you will learn**", "**Minutes**", "**Inputs → outputs**", "**요약**"):
        assert heading in opening, heading
    summary = opening.split("**요약**", 1)[1]
    korean = [line for line in summary.splitlines() if re.search(r"[가-힣]{2}", line)]
    assert len(korean) >= 3, "the summary has three lines of Korean"


@every_notebook
def test_parameters_cell(path: Path) -> None:
    tagged = [cell for cell in code_cells(path) if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) == 1 and tagged[0] is not None
    tree = python_of(tagged[0])
    assert all(isinstance(node, ast.AnnAssign) for node in tree.body), "typed assignments only"
    for node, line in zip(tree.body, [line for line in tagged[0].source.splitlines() if line.strip()], strict=False):
        assert "#" in line, f"{ast.unparse(node)} has no comment"
    names = [node.target.id for node in tree.body]
    assert names[0] == "profile"
    rest = "\n".join(
        cell.source for cell in code_cells(path) if cell is not tagged[0] and cell.source != tagged[0].source
    )
    unused = [name for name in names if not re.search(rf"\b{name}\b", rest)]
    assert not unused, f"parameters that nothing reads: {unused}"


@every_notebook
def test_cells_are_short_and_end_with_metrics(path: Path) -> None:
    cells = code_cells(path)
    own = [cell for cell in read(path).cells if "colab" not in cell.metadata.get("tags", [])]
    assert 12 <= len(own) <= 60
    longest = max(cells, key=lambda cell: len(cell.source.splitlines()))
    assert len(longest.source.splitlines()) <= 25, longest.source
    assert "write_metrics(" in cells[-1].source and f'"{path.stem}"' in cells[-1].source


@every_notebook
def test_closing(path: Path) -> None:
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    assert "## Takeaways" in text
    exercises = text.split("## Exercises", 1)[1]
    assert len(re.findall(r"^\s*(?:\d+\.|-)\s", exercises, re.MULTILINE)) >= 3


@every_notebook
def test_outputs_are_kept_and_small(path: Path) -> None:
    pictures = 0
    for cell in code_cells(path):
        for output in cell.outputs:
            assert output.output_type != "error", "committed with a traceback"
            assert output.get("name") != "stderr", "progress-bar noise"
            picture = output.get("data", {}).get("image/png")
            if picture:
                pictures += 1
                assert len(base64.b64decode(picture)) <= 300_000
    assert pictures >= 2, "a picture for every idea"
    assert path.stat().st_size <= 3_000_000


@every_notebook
def test_numbers_come_from_cells(path: Path) -> None:
    """Prose carries no measured decimals; those are printed by cells. Names may carry versions (Apache-2.0)."""
    for cell in read(path).cells[2:]:
        if cell.cell_type == "markdown":
            prose = re.sub(r"```.*?```|`[^`]*`|\$[^$]*\$|\(https?://[^)]*\)", "", cell.source, flags=re.DOTALL)
            found = re.findall(r"(?<![\w.-])\d+\.\d+(?:\s?%)?(?![\w.]*\d)", prose)
            assert not found, f"{found} in: {cell.source[:80]}"


@every_notebook
def test_no_absolute_paths(path: Path) -> None:
    notebook = read(path)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("image/png", None)  # base64 may hold any of them by chance
    text = nbformat.writes(notebook)
    for forbidden in ("/work/", "/tmp/", "/root/", "/home/"):
        assert forbidden not in text, forbidden


def test_every_notebook_has_its_test_parameters() -> None:
    for path in PATHS:
        case = yaml.safe_load((ROOT / "tests" / "notebooks" / f"{path.stem}.yaml").read_text(encoding="utf-8"))
        assert case["metrics"], path.stem
        assert all(len(bounds) == 2 and bounds[0] <= bounds[1] for bounds in case["metrics"].values())
