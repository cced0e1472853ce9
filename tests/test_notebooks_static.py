"""Every notebook is built the same way, so that a reader always finds the same things in the same place."""

from __future__ import annotations

import ast
import base64
import builtins
import re
import statistics
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
    longest = max(cells, key=lambda cell: len(cell.source.splitlines()))
    assert len(longest.source.splitlines()) <= 25, longest.source
    assert "write_metrics(" in cells[-1].source and f'"{path.stem}"' in cells[-1].source


@every_notebook
def test_closing(path: Path) -> None:
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    assert text.count("## Takeaways") == text.count("## Exercises") == 1
    assert text.index("## Takeaways") < text.index("## Exercises")


def own_cells(path: Path) -> list[nbformat.NotebookNode]:
    """All cells but the one that prepares Colab."""
    return [cell for cell in read(path).cells if "colab" not in cell.metadata.get("tags", [])]


def words(cell: nbformat.NotebookNode) -> int:
    """Words of prose: no code, no formulae, no folded solutions."""
    hidden = r"<details>.*?</details>|```.*?```|\$\$.*?\$\$"
    return len(re.sub(hidden, " ", cell.source, flags=re.DOTALL).split())


@every_notebook
def test_in_the_band_of_notebooks_that_are_good_to_read(path: Path) -> None:
    """Sizes measured on the best notebooks of others: enough prose beside the code, and none of it a wall."""
    cells = own_cells(path)
    prose = [cell for cell in cells if cell.cell_type == "markdown"]
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert 25 <= len(cells) <= 60
    assert 0.8 <= len(prose) / len(code) <= 1.2, f"{len(prose)} of prose, {len(code)} of code"
    body = [words(cell) for cell in prose[1:] if not re.search(r"## (Takeaways|Exercises)", cell.source)]
    assert 25 <= statistics.median(body) <= 75, f"words a cell: {sorted(body)}"
    assert max(body) <= 125 and sum(12 <= count <= 85 for count in body) >= 0.75 * len(body), sorted(body)
    lines = [len([line for line in cell.source.splitlines() if line.strip()]) for cell in code]
    assert 3 <= statistics.median(lines) <= 10, sorted(lines)


@every_notebook
def test_minutes_are_told(path: Path) -> None:
    opening = "\n".join(cell.source for cell in read(path).cells[:2])
    assert re.search(r"\*\*Minutes\*\*: about \d+ on CPU · (about )?(\d+|the same) on GPU", opening)


@every_notebook
def test_every_section_shows_something(path: Path) -> None:
    """A picture, a table or a printed line for every idea; a diagram in text counts."""
    shown: dict[str, bool] = {}
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            for heading in re.findall(r"^## (.*)", cell.source, re.MULTILINE):
                shown[heading] = "```text" in cell.source
        elif shown and cell.outputs:
            shown[list(shown)[-1]] = True
    closing = ("Takeaways", "Exercises")
    empty = [heading for heading, any_output in shown.items() if not any_output and heading not in closing]
    assert not empty, empty


@every_notebook
def test_takeaways_are_few(path: Path) -> None:
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    takeaways = text.split("## Takeaways", 1)[1].split("## Exercises", 1)[0]
    assert 3 <= len(re.findall(r"^- ", takeaways, re.MULTILINE)) <= 6


@every_notebook
def test_what_to_try_names_a_parameter(path: Path) -> None:
    text = exercise_text(path).split("**Try this**", 1)[1]
    tagged = next(cell for cell in code_cells(path) if "parameters" in cell.metadata.get("tags", []))
    names = [node.target.id for node in python_of(tagged).body]
    assert len(re.findall(r"^- ", text, re.MULTILINE)) >= 2
    assert any(re.search(rf"`[^`]*\b{name}\b[^`]*`", text) for name in names), f"none of {names} is tried"


def test_each_notebook_leads_to_the_next() -> None:
    order = sorted(PATHS, key=lambda path: path.stem)
    for path, following in zip(order, [*order[1:], ROOT / "notebooks" / "chat.ipynb"], strict=True):
        link = re.search(r"\*\*Next\*\*: \[[^\]]+\]\(([^)]+)\)", exercise_text(path))
        assert link, f"{path.stem} does not say what comes next"
        assert (path.parent / link[1]).resolve() == following


def exercise_text(path: Path) -> str:
    """What stands from "Exercises" on."""
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    return text.split("## Exercises", 1)[1]


def solutions(path: Path) -> list[str]:
    """The code of the folded solutions, in order."""
    folded = re.findall(
        r"<details><summary>Solution</summary>\n\n```python\n(.*?)\n```", exercise_text(path), re.DOTALL
    )
    assert exercise_text(path).count("<details>") == exercise_text(path).count("</details>") == len(folded)
    return folded


def names_made(tree: ast.Module) -> set[str]:
    """Names that a cell binds, at whatever depth."""
    made: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            made.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            made.add(node.name)
        elif isinstance(node, ast.arg):
            made.add(node.arg)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            made.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            made |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return made


@every_notebook
def test_exercises_have_solutions_that_print_a_check(path: Path) -> None:
    """Short, correct Python on the notebook's own names; ``make test-full`` also runs them."""
    questions = re.findall(r"^\d+\. ", exercise_text(path), re.MULTILINE)
    folded = solutions(path)
    assert len(folded) == len(questions) >= 3, "each numbered exercise has its solution"
    known = set(dir(builtins)) | {"display"}
    for cell in code_cells(path):
        known |= names_made(python_of(cell))
    for code in folded:
        tree = ast.parse(code)
        assert len(code.splitlines()) <= 18 and max(map(len, code.splitlines())) <= 120, code
        assert "print(" in code, "a solution prints the reader's value beside the one that it has to meet"
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        known |= names_made(tree)
        assert used <= known, f"{sorted(used - known)} exist nowhere in {path.stem}"


@every_notebook
def test_outputs_are_kept_and_small(path: Path) -> None:
    pictures = 0
    for cell in code_cells(path):
        for output in cell.outputs:
            assert output.output_type != "error", "committed with a traceback"
            assert output.get("name") != "stderr", "progress-bar noise"
            for mime, picture in output.get("data", {}).items():
                if mime.startswith("image/"):
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
            for mime in ("image/png", "image/jpeg"):  # base64 may hold any of them by chance
                output.get("data", {}).pop(mime, None)
    text = nbformat.writes(notebook)
    for forbidden in ("/work/", "/tmp/", "/root/", "/home/"):
        assert forbidden not in text, forbidden


def test_every_notebook_has_its_test_parameters() -> None:
    for path in PATHS:
        case = yaml.safe_load((ROOT / "tests" / "notebooks" / f"{path.stem}.yaml").read_text(encoding="utf-8"))
        assert case["metrics"], path.stem
        assert all(len(bounds) == 2 and bounds[0] <= bounds[1] for bounds in case["metrics"].values())
