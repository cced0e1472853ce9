"""metrics.json and the report made of them."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from ohlora.evaluation import Metric, read_metrics, write_metrics
from ohlora.evaluation.report import load_targets, report


@pytest.fixture(autouse=True)
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OHLORA_OUTPUTS", str(tmp_path))
    return tmp_path


def metric(value: float, baseline_n: int | None = None) -> Metric:
    return Metric(value, n=10, seed=0, split="held-out", baseline=0.5, baseline_n=baseline_n)


def test_written_metrics_are_read_in_the_order_of_the_book() -> None:
    write_metrics("06_properties", {"eyes_r": metric(0.9)})
    write_metrics("02_train_stylegan", {"held_out_l1": metric(0.07)}, seconds={"train": 3.0})
    read = read_metrics()
    assert list(read) == ["02_train_stylegan", "06_properties"]
    assert read["06_properties"]["metrics"]["eyes_r"] == {
        "value": 0.9, "n": 10, "seed": 0, "split": "held-out", "baseline": 0.5, "baseline_n": None
    }  # fmt: skip


@pytest.mark.parametrize("bad", [{}, {"r": Metric(math.nan, 1, 0, "x")}])
def test_nothing_and_nan_are_refused(bad: dict, outputs: Path) -> None:
    with pytest.raises(ValueError, match="finite"):
        write_metrics("06_properties", bad)
    assert not list(outputs.iterdir())


def test_report_sets_reference_and_goal_beside_the_value() -> None:
    targets = load_targets()
    notebook, name = next(iter(targets)).split("/")
    write_metrics(notebook, {name: metric(0.123), "unlisted": metric(0.456)})
    table = report()
    target = targets[f"{notebook}/{name}"]
    row = next(line for line in table.splitlines() if f"| {name} |" in line)
    assert "0.123" in row and str(target["reference"]) in row and str(target["goal"]) in row
    assert "0.456" in table


def test_report_says_on_how_many_a_baseline_rests_where_not_on_all() -> None:
    write_metrics("06_properties", {"of_all": metric(0.2), "of_some": metric(0.3, baseline_n=4)})
    table = report()
    assert "| of_all | 0.2 | 0.5 | 10 |" in table and "| of_some | 0.3 | 0.5 (n = 4) | 10 |" in table


def test_report_without_metrics_says_what_to_run() -> None:
    assert "make run" in report()
