"""Runs, sweeps and shards as Snakemake plans them, here and on clusters: dry runs only, nothing is executed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from ohlora.evaluation.sweep import combinations, metrics_path, shown, sweep_table

ROOT = Path(__file__).resolve().parents[1]


def dry_run(target: str, *options: str, folder: Path = ROOT, **config: object) -> str:
    pairs = [f"{name}={value}" for name, value in config.items()]
    command = [sys.executable, "-m", "snakemake", target, "--dry-run", "--nolock", *options, "--config", *pairs]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    text = done.stdout + done.stderr
    assert done.returncode == 0, text
    return text


def plugins(*names: str) -> pytest.MarkDecorator:
    missing = [name for name in names if find_spec(f"snakemake_{name}") is None]
    return pytest.mark.skipif(bool(missing), reason=f"pip install -e '.[cluster]' has {missing}")


NOTEBOOKS = {path.stem: path for path in sorted((ROOT / "notebooks").glob("**/[0-9][0-9]_*.ipynb"))}
INPUTS, OUTPUTS, CHANGED = 1_000_000_000, 1_000_000_100, 1_000_000_200  # when a file was changed, in seconds


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree of empty files with the names of this one, where every notebook has run since the last change."""
    root = tmp_path_factory.mktemp("finished_run")
    folders = ("config", "data", "lib/ohlora", "notebooks", "outputs/pretrained")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    for path in [ROOT / "Snakefile", *files]:
        copy = root / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        is_read = path.name == "Snakefile" or path.parent.name == "evaluation"
        copy.write_bytes(path.read_bytes() if is_read else b"")
        os.utime(copy, (INPUTS, INPUTS))
    for name in NOTEBOOKS:
        metrics = root / "outputs" / name / "metrics.json"
        metrics.parent.mkdir(parents=True)
        metrics.touch()
        os.utime(metrics, (OUTPUTS, OUTPUTS))
    return root


def what_runs_again(root: Path, *changed: str) -> dict[str, set[str]]:
    """Notebook → which of the changed files made it run again. changed: paths or patterns in ``root``."""
    files = [path for pattern in changed for path in root.glob(pattern) if path.is_file()]
    for path in files:
        os.utime(path, (CHANGED, CHANGED))
    text = dry_run("all", "--cores", "1", "--rerun-triggers", "mtime", "params", folder=root)
    for path in files:
        os.utime(path, (INPUTS, INPUTS))
    reasons = re.findall(r"^Job \d+: (\d\d_\w+): running .*\nReason: Updated input files: (.*)$", text, re.M)
    return {name: set(reason.split(", ")) for name, reason in reasons}


@pytest.fixture(scope="module")
def inputs(finished_run: Path) -> dict[str, set[str]]:
    """Notebook → all files whose change makes it run again."""
    return what_runs_again(
        finished_run, *(f"{name}/**/*" for name in ("config", "data", "lib", "notebooks", "outputs/pretrained"))
    )


def test_without_a_change_nothing_runs_again(finished_run: Path) -> None:
    assert what_runs_again(finished_run) == {}


def test_every_shipped_file_makes_a_notebook_run_again(inputs: dict[str, set[str]]) -> None:
    files = [path for path in (ROOT / "outputs" / "pretrained").iterdir() if path.suffix != ".tmp"]
    shipped = {f"outputs/pretrained/{path.name}" for path in files}
    assert set(inputs) == set(NOTEBOOKS)
    assert not shipped - set.union(*inputs.values())
    assert all(str(path.relative_to(ROOT)) in inputs[name] for name, path in NOTEBOOKS.items())
    assert not [
        path for path in set.union(*inputs.values()) if path.startswith(("outputs/", "docs/")) and path not in shipped
    ]


PORTRAITS = {name for name in NOTEBOOKS if name < "10"}
SHE_ANSWERS = {"14_memory", "15_warn_and_block", "16_oh_lora"}


@pytest.mark.parametrize(
    ("changed", "again"),
    [
        ("outputs/pretrained/wants.safetensors", SHE_ANSWERS),
        ("outputs/pretrained/moderation.safetensors", SHE_ANSWERS),
        ("outputs/pretrained/e5_adapter.safetensors", {name for name in NOTEBOOKS if name >= "10"}),
        ("outputs/pretrained/stylegan_256_conditioned.safetensors", PORTRAITS | SHE_ANSWERS),
        ("outputs/pretrained/autoencoder_128.safetensors", {"08_autoencoder", "09_ratings_knn"} | SHE_ANSWERS),
        ("data/moderation/lexicon.yaml", SHE_ANSWERS),
        ("data/dialogues/persona.ko.jsonl", {name for name in NOTEBOOKS if name >= "10"}),
        ("data/portraits/sample_256.npz", {name for name in NOTEBOOKS if name < "10"}),
        ("data/phrases.yaml", SHE_ANSWERS),
        ("data/results.yaml", set()),
        ("data/moderation/README.md", set()),
        ("lib/ohlora/evaluation/metrics.py", set(NOTEBOOKS)),
        ("lib/ohlora/evaluation/memory.py", {name for name in NOTEBOOKS if name >= "10"}),
        ("lib/ohlora/portraits/head_data.npz", PORTRAITS | SHE_ANSWERS),
        ("config/gpu.yaml", set()),
    ],
)
def test_a_change_makes_those_run_again_that_read_it(
    changed: str, again: set[str], inputs: dict[str, set[str]]
) -> None:
    assert (ROOT / changed).is_file()
    assert {name for name, files in inputs.items() if changed in files} == again


def test_one_change_makes_no_other_run_again(finished_run: Path) -> None:
    changed = "outputs/pretrained/wants.safetensors"
    assert what_runs_again(finished_run, changed) == {name: {changed} for name in SHE_ANSWERS}


def imported_files(code: str) -> set[str]:
    """The modules of ohlora that a piece of code imports by name, as paths."""
    names = re.findall(r"^\s*from ohlora\.([\w.]+) import", code, re.M)
    several = re.findall(r"^\s*from ohlora\.evaluation import (.+)$", code, re.M)
    names += [f"evaluation.{word}" for line in several for word in re.findall(r"\w+", line)]
    paths = [Path("lib/ohlora", *name.split(".")) for name in names]
    found = [path.with_suffix(".py") for path in paths] + [path / "__init__.py" for path in paths]
    return {str(path) for path in found if (ROOT / path).is_file()}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_a_notebook_imports_makes_it_run_again(name: str, inputs: dict[str, set[str]]) -> None:
    """Also what is imported by the modules that measure."""
    cells = json.loads(NOTEBOOKS[name].read_text(encoding="utf-8"))["cells"]
    waiting = imported_files("\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"))
    found: set[str] = set()
    while waiting:
        path = waiting.pop()
        found.add(path)
        if "/evaluation/" in path:
            waiting |= imported_files((ROOT / path).read_text(encoding="utf-8")) - found
    assert found and not found - inputs[name]


def test_a_sweep_runs_every_combination_in_its_own_folder() -> None:
    sweep = "seed=0,1,2 n_rated=30,120"
    text = dry_run("sweep", "--cores", "1", "--printshellcmds", notebooks="09_ratings_knn", sweep=sweep)
    for run in combinations(sweep):
        path = metrics_path(Path("outputs"), "09_ratings_knn", run)
        assert str(path) in text
        assert f"-p seed {run['seed']} -p n_rated {run['n_rated']}" in text
    assert len(combinations(sweep)) == 6
    assert "outputs/09_ratings_knn/metrics.json" not in text, "the run of the book is left alone"


def test_a_sweep_of_a_parameter_that_is_not_there_is_refused() -> None:
    with pytest.raises(AssertionError, match="09_ratings_knn has no parameter sed; its first cell"):
        dry_run("sweep", "--cores", "1", notebooks="09_ratings_knn", sweep="sed=0,1")


@pytest.mark.parametrize("wrong", ["", "seed", "seed=", "seed=0,,1", "seed=0 seed=1", "seed=0,0", "path=a/b"])
def test_sweeps_of_another_form_are_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="sweep="):
        combinations(wrong)


def test_the_table_gathers_a_sweep_and_names_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OHLORA_OUTPUTS", str(tmp_path))
    runs = combinations("seed=0,1 n=5")
    for run, value in zip(runs, (0.25, 0.75), strict=True):
        path = metrics_path(tmp_path, "09_ratings_knn", run)
        path.parent.mkdir(parents=True)
        metric = {"value": value, "baseline": None, "n": 9, "seed": 0, "split": "held-out"}
        path.write_text(json.dumps({"metrics": {"r": metric}}), encoding="utf-8")
    table, missing = sweep_table(["09_ratings_knn"], "seed=0,1 n=5")
    assert not missing and table["value"].tolist() == [0.25, 0.75] and table["seed"].tolist() == ["0", "1"]
    assert "over the seeds" in shown(table, ["seed", "n"]) and "0.3536" in shown(table, ["seed", "n"])
    _, missing = sweep_table(["09_ratings_knn"], "seed=0,1,2 n=5")
    assert [path.parents[1].name for path in missing] == ["seed=2,n=5"]


@plugins("executor_plugin_slurm")
def test_slurm_asks_for_a_graphics_card_where_one_is_used() -> None:
    options = ("--profile", "config/snakemake/slurm", "--forceall")
    text = dry_run("all", *options, profile="gpu", notebooks="02_train_stylegan 10_persona_data")
    assert "02_train_stylegan: running (mem_mb=24000, runtime=360, gpu=1)" in text
    assert "10_persona_data: running (mem_mb=24000, runtime=360)" in text


@plugins("executor_plugin_kubernetes", "storage_plugin_fs")
def test_kubernetes_keeps_everything_in_its_storage() -> None:
    options = ("--profile", "config/snakemake/kubernetes", "--default-storage-prefix", str(ROOT), "--printshellcmds")
    text = dry_run("labels", *options, count=2000, shards=3)
    assert f"{ROOT}/outputs/labels/embedded_2000/labels.npz (in storage)" in text
    assert "labels: shard 0002 of 3" in text and "--shard 0002 --output $(dirname .snakemake/storage" in text
