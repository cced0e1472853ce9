"""Runs, sweeps and shards as Snakemake plans them, here and on clusters: dry runs only, nothing is executed."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from ohlora.evaluation.sweep import combinations, metrics_path, shown, sweep_table

ROOT = Path(__file__).resolve().parents[1]


def dry_run(target: str, *options: str, **config: object) -> str:
    pairs = [f"{name}={value}" for name, value in config.items()]
    command = [sys.executable, "-m", "snakemake", target, "--dry-run", "--nolock", *options, "--config", *pairs]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    text = done.stdout + done.stderr
    assert done.returncode == 0, text
    return text


def plugins(*names: str) -> pytest.MarkDecorator:
    missing = [name for name in names if find_spec(f"snakemake_{name}") is None]
    return pytest.mark.skipif(bool(missing), reason=f"pip install -e '.[cluster]' has {missing}")


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
