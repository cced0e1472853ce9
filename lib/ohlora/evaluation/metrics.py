"""metrics.json: what each notebook writes last and what ``make report`` gathers."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from ohlora.config import outputs_folder


@dataclass(frozen=True)
class Metric:
    """One number with what a reader needs to trust it.

    value: the number. n: items scored. seed: of the sampling. split: what was scored, e.g.
    "held-out renders". baseline: the same number for the simple alternative named in the key's
    notebook, or None where there is none. baseline_n: items that the baseline was scored on, where not on all n.
    """

    value: float
    n: int
    seed: int
    split: str
    baseline: float | None = None
    baseline_n: int | None = None


def write_metrics(notebook: str, metrics: dict[str, Metric], seconds: dict[str, float] | None = None) -> Path:
    """Write ``outputs/<notebook>/metrics.json``, whole or not at all.

    Args:
        notebook: stem of the notebook, e.g. ``"06_properties"``.
        metrics: name → Metric; values must be finite.
        seconds: optional timings, name → seconds.
    """
    bad = [name for name, metric in metrics.items() if not math.isfinite(metric.value)]
    if bad or not metrics:
        raise ValueError(f"metrics of {notebook}: {bad or 'none given'}; every value must be a finite number")
    folder = outputs_folder() / notebook
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "notebook": notebook,
        "metrics": {name: asdict(metric) for name, metric in metrics.items()},
        "seconds": seconds or {},
    }
    temporary = folder / "metrics.json.tmp"
    temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False, default=float) + "\n", encoding="utf-8")
    os.replace(temporary, folder / "metrics.json")
    return folder / "metrics.json"


def read_metrics() -> dict[str, dict]:
    """Every metrics.json under outputs/: notebook → its content, in the order of the book."""
    return {
        path.parent.name: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(outputs_folder().glob("*/metrics.json"))
    }
