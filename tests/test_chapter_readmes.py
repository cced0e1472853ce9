"""Each chapter has a page that says what it builds, in which order to read, and what comes next."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"
CHAPTERS = sorted(path for path in FOLDER.iterdir() if re.match(r"\d\d_", path.name) and path.is_dir())
PAGES = [FOLDER / "README.md", *[chapter / "README.md" for chapter in CHAPTERS]]
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)


def minutes_of(notebook: Path) -> int:
    opening = "\n".join(cell.source for cell in nbformat.read(notebook, as_version=4).cells[:2])
    return int(re.search(r"\*\*Minutes\*\*: about (\d+) on CPU", opening)[1])


@every_page
def test_a_page_answers_what_a_newcomer_asks(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for heading in ("**What it builds.**", "**Package**", "**Before you start**", "**What to try next**"):
        assert heading in text, heading
    assert re.search(r"[가-힣]{2}", text), "one line in Korean"
    if page.parent != FOLDER:
        assert "**For real**" in text and len(text.split("**Papers**")[1].split("\n- ")) >= 4


@every_page
def test_notebooks_stand_in_order_with_their_own_minutes(page: Path) -> None:
    rows = re.findall(r"^\| \[(\d\d) · [^\]]+\]\((\S+\.ipynb)\) \| (.+?) \| (\d+) \| (.+ → .+) \|$",
                      page.read_text(encoding="utf-8"), re.MULTILINE)  # fmt: skip
    assert [row[1] for row in rows] == [path.name for path in sorted(page.parent.glob("[0-9][0-9]_*.ipynb"))]
    for number, name, line, minutes, _ in rows:
        assert name.startswith(number) and 4 <= len(line.split()) <= 20
        assert int(minutes) == minutes_of(page.parent / name), name


def test_the_table_of_chapters_adds_up() -> None:
    text = PAGES[0].read_text(encoding="utf-8")
    for chapter in CHAPTERS:
        notebooks = sorted(chapter.glob("[0-9][0-9]_*.ipynb"))
        total = sum(minutes_of(path) for path in notebooks)
        row = rf"\({chapter.name}/README\.md\) \| .+ \| {notebooks[0].stem[:2]}–{notebooks[-1].stem[:2]} \| {total} \|"
        assert re.search(row, text), chapter.name


@every_page
def test_links_and_files_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
        assert (page.parent / link).exists(), link
    for name in re.findall(r"`((?:data|config|scripts|docs|lib)/[\w./]+)`", text):
        assert (ROOT / name).exists(), name
    for module in re.findall(r"(?:python -m |`)(ohlora(?:\.\w+)+)", text):
        place = ROOT / "lib" / Path(*module.split("."))
        assert place.is_dir() or place.with_suffix(".py").is_file(), module
