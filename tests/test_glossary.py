"""One word for one thing: docs/glossary.md names it, and the book uses it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
TERMS, NOT_USED = GLOSSARY.split("## Words not used")
ROWS = [line.strip("| ").split(" | ") for line in TERMS.splitlines() if line.startswith("| ") and "](" in line]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("**/[0-9][0-9]_*.ipynb"))
DOCUMENTS = [
    *(ROOT / "README.md", ROOT / "README.ko.md"),
    *sorted([*(ROOT / "docs").glob("**/*.md"), *(ROOT / "notebooks").glob("**/README.md")]),
]
# What must not stand in prose, as it may be inflected; the glossary's second table says what to write instead.
BANNED = {
    "face image": r"fac(e|ial) images?|headshots?|\bfacial\b",
    "avatar": r"\b(avatar|chatbot)s?\b",
    "autoencoder": r"\bauto ?encoders?\b",
    "latent code": r"latent codes?\b",
    "ground truth": r"ground[ -]truth",
    "critic": r"\bcritics?\b",
    "dataset": r"\bdatasets?\b",
    "annotation": r"\bannotat(ed|ions?)\b",
    "test set": r"\b(test|validation) sets?\b",
    "finetuning": r"\bfine ?tun(ed|es?|ing)\b",
    "few-shot": r"few[ -]shot",
    "hallucination": r"hallucinat",
    "vector database": r"vector (database|store)s?\b",
    "emotion": r"\bemotions?\b",
    "toxic": r"\btoxic",
    "punishment": r"\bpunishments?\b|\bbans?\b",
    "hair color": r"hair color",
    "normalize": r"\b(normal|standard|factor|regular|general)i(ze|zed|zes|zing|zation)\b",
    "매개변수": "매개변수",
    "스타일 혼합": "스타일 혼합",
    "잠재 코드": "잠재 코드",
    "감정 표현": "감정 표현",
}


def prose_of(text: str) -> str:
    """Markdown without code, formulae, addresses and titles of papers (in italics, capitalised)."""
    text = re.sub(r"```.*?```|`[^`\n]*`|\$\$.*?\$\$|\]\([^)]*\)|https?://\S+", " ", text, flags=re.DOTALL)
    return re.sub(r"\*[A-Z][^*\n]*:[^*]*\*", " ", text)


def notebook_text(path: Path, kinds: tuple[str, ...] = ("markdown", "code")) -> str:
    cells = nbformat.read(path, as_version=4).cells
    return "\n".join(cell.source for cell in cells if cell.cell_type in kinds)


def holds(text: str, term: str) -> bool:
    """The term in this very spelling; only its first letter may be a capital, as at the start of a sentence."""
    first = f"[{term[0].upper()}{term[0].lower()}]" if term[0].isalpha() else re.escape(term[0])
    return re.search(rf"(?<![A-Za-z]){first}{re.escape(term[1:])}", text) is not None


def everywhere() -> str:
    modules = [
        ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        for path in sorted((ROOT / "lib").glob("**/*.py"))
    ]
    readmes = [path.read_text(encoding="utf-8") for path in DOCUMENTS[:2]]
    return "\n".join([*modules, *readmes, *[notebook_text(path, ("markdown",)) for path in NOTEBOOKS]])


def test_terms_are_sorted_and_complete() -> None:
    terms = [row[0] for row in ROWS]
    assert len(terms) >= 80
    assert terms == sorted(terms, key=str.casefold)
    assert len({term.casefold() for term in terms}) == len(terms)
    for term, korean, meaning, _ in ROWS:
        assert korean.strip() and not re.search(r"[가-힣]", term), term
        assert meaning.endswith(".") and 3 <= len(meaning.split()) <= 30, f"{term}: one plain sentence"


def test_every_chapter_introduces_terms() -> None:
    introduced = {re.search(r"/(\d\d)_[^/]*\.ipynb", row[3])[1] for row in ROWS}
    assert introduced == {path.stem[:2] for path in NOTEBOOKS}


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_the_linked_notebook_holds_the_term(row: list[str]) -> None:
    path = (ROOT / "docs" / re.search(r"\]\(([^)]*)\)", row[3])[1]).resolve()
    assert path in NOTEBOOKS
    assert holds(notebook_text(path), row[0]), f"{path.stem} does not say {row[0]!r}"


def test_every_term_is_used_in_prose() -> None:
    text = everywhere()
    unused = [row[0] for row in ROWS if not holds(text, row[0])]
    assert not unused, f"terms that no notebook, README or module's first words use: {unused}"


def test_korean_terms_are_those_of_the_korean_texts() -> None:
    """Most Korean terms stand in README.ko.md or in the summary of a notebook, where a reader meets them first."""
    cells = [nbformat.read(path, as_version=4).cells[:2] for path in NOTEBOOKS]
    text = DOCUMENTS[1].read_text(encoding="utf-8") + "\n".join(cell.source for pair in cells for cell in pair)
    korean = [row[1] for row in ROWS if re.search(r"[가-힣]", row[1])]
    met = [term for term in korean if term in text]
    assert len(met) >= len(korean) / 2, sorted(set(korean) - set(met))


def test_the_list_of_words_not_used_is_the_one_that_is_checked() -> None:
    rows = [line.strip("| ").split(" | ")[0] for line in NOT_USED.splitlines() if line.startswith("| ")][1:]
    assert [row.split(", ")[0] for row in rows] == list(BANNED)
    for row in rows:
        for word in row.split(", "):
            assert re.search(BANNED[row.split(", ")[0]], word), f"{word!r} is named there and not looked for"


@pytest.mark.parametrize("path", [*NOTEBOOKS, *DOCUMENTS], ids=lambda path: str(path.relative_to(ROOT)))
def test_no_second_word_for_the_same_thing(path: Path) -> None:
    text = notebook_text(path, ("markdown",)) if path.suffix == ".ipynb" else path.read_text(encoding="utf-8")
    if path.name == "glossary.md":
        text = TERMS
    found = {
        word: re.findall(rf".{{0,30}}(?:{pattern}).{{0,20}}", prose_of(text), re.IGNORECASE)
        for word, pattern in BANNED.items()
        if re.search(pattern, prose_of(text), re.IGNORECASE)
    }
    assert not found, f"{found}; docs/glossary.md says which word to use"
