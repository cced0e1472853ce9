"""Both READMEs say what is: the table of results is of today, numbers come from files, links lead somewhere."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

import results_table  # noqa: E402
from results_table import (  # noqa: E402
    READMES,
    Goal,
    NotMeasuredError,
    read_goal,
    row_cells,
    row_values,
    shown,
    table,
    with_table,
)

NOTEBOOKS = sorted((ROOT / "notebooks").glob("**/[0-9][0-9]_*.ipynb"), key=lambda path: path.stem)
VERSIONS = {"3.11", "3.12", "3.13"}  # of Python: the only decimals that the prose may hold
both = pytest.mark.parametrize("language", READMES)


def text_of(language: str) -> str:
    return READMES[language].read_text(encoding="utf-8")


def prose_of(language: str) -> str:
    """Without the generated table, code, and the targets of links."""
    before, _, rest = text_of(language).partition(results_table.BEGIN)
    text = before + rest.partition(results_table.END)[2]
    return re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)", "", text, flags=re.DOTALL)


@pytest.fixture(autouse=True)
def fresh_files() -> None:
    results_table.read_file.cache_clear()


@both
def test_the_table_is_what_the_generator_writes(language: str) -> None:
    assert with_table(text_of(language), language) == text_of(language), "run: make results"


@both
def test_no_other_decimal_stands_in_the_prose(language: str) -> None:
    found = set(re.findall(r"(?<![\w-])\d*\.\d+", prose_of(language)))
    assert found <= VERSIONS, "a measured number belongs into data/results.yaml"


@both
def test_every_notebook_with_its_picture_and_its_minutes(language: str) -> None:
    rows = re.findall(
        r"^\| \[(\d\d)\]\((\S+)\) \| ([^|]+\?) \| !\[\]\((\S+)\) \| (\d+) / (\d+) \|$", text_of(language), re.M
    )
    assert [path for _, path, *_ in rows] == [str(path.relative_to(ROOT)) for path in NOTEBOOKS]
    for path, (number, _, _, picture, on_cpu, on_gpu) in zip(NOTEBOOKS, rows, strict=True):
        assert path.stem.startswith(number) and picture == f"docs/notebooks/{path.stem}.png"
        opening = nbformat.read(path, as_version=4).cells[0].source
        said = re.search(r"\*\*Minutes\*\*: about (\d+) on CPU · (?:(\d+) on|the same on) GPU", opening)
        assert (on_cpu, on_gpu) == (said[1], said[2] or said[1]), path.stem


def anchors(path: Path) -> set[str]:
    """Where a link may lead to inside a notebook (as JupyterLab names headings) or a Markdown file (as GitHub does)."""
    if path.suffix == ".ipynb":
        cells = nbformat.read(path, as_version=4).cells
        lines = [line for cell in cells if cell.cell_type == "markdown" for line in cell.source.splitlines()]
        return {re.sub(r"^#+ ", "", line).strip().replace(" ", "-") for line in lines if line.startswith("#")}
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@both
def test_links_lead_somewhere(language: str) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", text_of(language))
    assert len(links) > 60
    broken = []
    for link in links:
        if link.startswith("https://"):
            continue
        name, _, anchor = unquote(link).partition("#")
        path = ROOT / name if name else READMES[language]
        if not path.exists() or (anchor and anchor not in anchors(path)):
            broken.append(link)
    assert not broken


@both
def test_commands_and_files_are_there(language: str) -> None:
    text = text_of(language)
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    assert {"run", "chat"} <= set(re.findall(r"\bmake ([a-z]+)\b", text)) <= targets
    library = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "lib").rglob("*.py"))
    for module in re.findall(r"python -m ohlora\.([\w.]+)", text):
        assert (ROOT / "lib" / "ohlora" / f"{module.replace('.', '/')}.py").exists(), module
    for name in re.findall(r"`((?:data|config|scripts|docs|lib|notebooks)/[\w./]+)`", text):
        assert (ROOT / name).exists(), name
    stored = set(re.findall(r"`(\w+\.(?:sqlite|yaml))`[,| ]", text.split("`outputs/state/`", 1)[1]))
    assert {
        "memory.sqlite",
        "messages.sqlite",
        "sanctions.sqlite",
        "face.yaml",
        "ratings.sqlite",
        "labels.sqlite",
    } <= stored
    written = library + "".join(path.read_text(encoding="utf-8") for path in NOTEBOOKS)
    assert not [name for name in stored if f'"{name}' not in written.replace("\\", "")]
    for call in ("forget", "forget_everything", "forget_messages", "wear"):
        assert f"def {call}(" in library and f"{call}(" in text


def test_both_are_complete_and_korean_is_korean() -> None:
    heads = {language: re.findall(r"^## ", text_of(language), re.M) for language in READMES}
    assert len(heads["en"]) == len(heads["ko"]) >= 11
    korean = re.findall("[가-힣]", prose_of("ko"))
    assert len(korean) > 3_000
    said = " ".join(line for line in table("ko").splitlines())
    words = set(re.findall(r"[A-Za-z_]{3,}", re.sub(r"`[^`]*`", "", said)))
    names = {"CNN", "AUROC", "FID", "KID", "IoU", "MediaPipe", "SVM", "GPU", "PCA", "rmse", "recall", "KTO", "StyleGAN"}
    assert words <= names | {"hair_color", "hair_length", "background_mean", "background_std"}


def test_every_row_names_what_is_measured_and_only_speed_may_be_missing() -> None:
    rows = yaml.safe_load((ROOT / "data" / "results.yaml").read_text(encoding="utf-8"))["chapters"]
    rows = [row for chapter in rows for row in chapter["rows"]]
    optional = [row["from"] for row in rows if row.get("optional")]
    assert all(name.startswith("benchmark:") or "without_examples" in name for name in optional)
    targets = yaml.safe_load((ROOT / "data" / "targets.yaml").read_text(encoding="utf-8"))
    for row in rows:
        if not row.get("optional"):
            assert len(results_table.row_values(row, targets)) == len(row["values"])


@pytest.mark.parametrize(
    ("text", "value", "baseline", "met"),
    [
        ("≥ .97", 0.97, None, True),
        ("≥ .97", 0.9699, None, False),
        ("≤ 2 × its baseline (renders against renders, same n)", 19.9, 10.0, True),
        ("≤ 3 × its baseline (95 % of renders against renders)", 30.1, 10.0, False),
        ("above its baseline (Z)", 0.5, 0.5, False),
        ("below every baseline", 1.0, 1.1, True),
        ("≤ .02 at 256 px on one thread", 0.016, None, True),
    ],
)
def test_goals(text: str, value: float, baseline: float | None, met: bool) -> None:
    assert read_goal(text).met(value, baseline) is met


def test_a_goal_that_cannot_be_read_is_refused() -> None:
    assert read_goal("none: the noise of the labels") is None
    with pytest.raises(ValueError, match="allowed"):
        read_goal("as good as can be")
    with pytest.raises(ValueError, match="baseline"):
        Goal("≤", 2.0, True).met(1.0, None)


@pytest.mark.parametrize(
    ("value", "limit", "text"),
    [
        (0.98793, None, ".988"), (1.0, None, "1"), (0.99997, None, ".99997"), (0.0, None, "0"), (-0.25, None, "-.25"),
        (8.6599, None, "8.66"), (76.5187, None, "76.5"), (1043.2, None, "1043"),
        (0.9946, 0.995, ".9946"), (0.9696, 0.97, ".9696"), (0.25004, 0.25, ".25004"),
    ],
)  # fmt: skip
def test_a_rounded_number_never_looks_better_than_it_is(value: float, limit: float | None, text: str) -> None:
    assert shown(value, limit) == text


def test_a_baseline_of_fewer_items_says_of_how_many() -> None:
    row = {"en": "good answers", "ko": "좋은 답", "against": {"en": "the model alone", "ko": "언어 모델만"}}
    some, all_of_them = (results_table.Value(0.8, 299, 0.022, "–", None, n) for n in (45, None))
    assert row_cells(row, [some], "en", {})[3] == ".022 (the model alone, n = 45)"
    assert row_cells(row, [some], "ko", {})[3] == ".022 (언어 모델만, n = 45)"
    assert row_cells(row, [some, all_of_them], "en", {})[3] == ".022 / .022 (the model alone, n = 45 / –)"
    assert row_cells(row, [all_of_them], "en", {})[3] == ".022 (the model alone)"


def test_the_table_takes_the_number_from_the_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    scored = {"value": 0.8, "n": 299, "baseline": 0.022, "baseline_n": 45}
    monkeypatch.setattr(results_table, "read_file", lambda name: {"metrics": {"good": scored}})
    row = {"from": "16_oh_lora:metrics/", "values": ["good"]}
    assert row_values(row, {})[0].baseline_n == 45
    assert row_values({**row, "baselines": [0.5]}, {})[0].baseline_n is None, "another baseline"


def test_new_weights_change_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The generator rests on no value of today: a card with other figures gives other cells and marks."""
    for folder in ("outputs/pretrained", "docs/metrics"):
        (tmp_path / folder).mkdir(parents=True)
        for path in (ROOT / folder).glob("*.json"):
            (tmp_path / folder / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.setattr(results_table, "ROOT", tmp_path)
    card = tmp_path / "outputs" / "pretrained" / "stylegan_256_conditioned.json"
    content = json.loads(card.read_text(encoding="utf-8"))
    marks = {}
    for r in (0.1234, 0.9876):
        content["evaluation"]["r_pose"]["value"] = r
        card.write_text(json.dumps(content), encoding="utf-8")
        results_table.read_file.cache_clear()
        row = next(line for line in table("en").splitlines() if line.startswith("| asked for and got"))
        assert shown(r) in row
        marks[r] = row.split("|")[-2].strip()[2]
    assert marks == {0.1234: "✗", 0.9876: "✓"}
    (tmp_path / "docs" / "metrics" / "06_properties.json").unlink()
    results_table.read_file.cache_clear()
    with pytest.raises(NotMeasuredError, match="06_properties:metrics/r_eyes"):
        table("en")
