"""Put "Open in Colab" and the cell that prepares Colab into every notebook, or bring them up to date.

The repository's address stands in pyproject.toml (project.urls, Repository) and nowhere else: after changing it there,

python scripts/add_colab_cell.py

Outputs and every other cell stay as they are; a second run changes nothing.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
TAG = "colab"
BRANCH = "main"
BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
_BADGE_LINE = re.compile(r"^\[!\[Open in Colab\].*\n?\n?", re.MULTILINE)


def repository_address() -> str:
    """Where the book is published, from pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["urls"]["Repository"].removesuffix("/")


def badge(repository: str, path: str) -> str:
    """The line of Markdown that opens a notebook on Colab.

    Args:
        path: of the notebook in the repository, with slashes.

    Raises:
        ValueError: Colab opens notebooks of https://github.com/<owner>/<name> only.
    """
    named = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?", repository)
    if not named:
        raise ValueError(
            f"repository={repository!r} cannot be opened on Colab; allowed: https://github.com/<owner>/<name>"
        )
    return f"[![Open in Colab]({BADGE})](https://colab.research.google.com/github/{named[1]}/blob/{BRANCH}/{path})"


def cell_source(repository: str, chapter: str) -> str:
    """The cell: on Colab it fetches the book and runs scripts/colab_setup.py, elsewhere it does nothing.

    Args:
        chapter: the notebook's folder below notebooks/; "." for notebook 16.
    """
    return "\n".join(
        [
            "import sys",
            "",
            f'repository: str = "{repository}"  # your copy of this book; only Colab reads it',
            'if "google.colab" in sys.modules:  # fetch the book, install what is missing, go to its folder',
            "    !test -d /content/ohlora || git clone --quiet --depth 1 $repository /content/ohlora",
            f"    %run /content/ohlora/scripts/colab_setup.py {chapter}",
        ]
    )


def add_colab(notebook: nbformat.NotebookNode, repository: str, path: str) -> None:
    """Write the badge below the title and the cell before the parameters cell, in place.

    Args:
        path: of the notebook in the repository, e.g. ``notebooks/01_stylegan/01_portraits.ipynb``.

    Raises:
        ValueError: the notebook has no title or no parameters cell; see badge.
    """
    cells = [cell for cell in notebook.cells if TAG not in cell.metadata.get("tags", [])]
    place = next((i for i, cell in enumerate(cells) if "parameters" in cell.metadata.get("tags", [])), None)
    title, _, rest = _BADGE_LINE.sub("", cells[0].source).partition("\n")
    if place is None or cells[0].cell_type != "markdown" or not title.startswith("# "):
        raise ValueError(f"{path} needs a title cell and a cell tagged parameters")
    cells[0].source = f"{title}\n\n{badge(repository, path)}\n\n{rest.lstrip()}".rstrip()
    chapter = Path(path).parent.relative_to("notebooks").as_posix()
    added = nbformat.v4.new_code_cell(cell_source(repository, chapter), id=TAG, metadata={"tags": [TAG]})
    if notebook.nbformat_minor < 5:  # cells had no ids yet
        del added["id"]
    notebook.cells = [*cells[:place], added, *cells[place:]]


if __name__ == "__main__":
    address, changed = repository_address(), 0
    for file in sorted((ROOT / "notebooks").glob("**/[0-9][0-9]_*.ipynb")):
        notebook = nbformat.read(file, as_version=4)
        before = nbformat.writes(notebook)
        add_colab(notebook, address, file.relative_to(ROOT).as_posix())
        if nbformat.writes(notebook) != before:
            nbformat.write(notebook, file)
            changed += 1
    print(f"{changed} notebooks changed for {address}")
