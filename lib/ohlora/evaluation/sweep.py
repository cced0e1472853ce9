"""Parameter sweeps: which combinations there are, where each one writes, one table of what came out.

python -m ohlora.evaluation.sweep --notebooks "09_ratings_knn" --sweep "seed=0,1,2 n_rated=30,120"
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import sys
from pathlib import Path

import pandas as pd

from ohlora.config import outputs_folder

PAIR = re.compile(r"[A-Za-z_]\w*=[^/,\s]+(,[^/,\s]+)*")
"""One parameter and its values. A value becomes part of a folder's name, so that it holds neither slash nor comma."""


def combinations(sweep: str) -> list[dict[str, str]]:
    """Every combination of the values of ``"seed=0,1 n_rated=30,120"``, the last parameter changing fastest.

    Raises:
        ValueError: not of this form, or a parameter or a value that is there twice.
    """
    pairs = sweep.split()
    bad = [pair for pair in pairs if not PAIR.fullmatch(pair)]
    if bad or not pairs:
        raise ValueError(f"sweep={sweep!r} is not allowed; it must be of the form 'seed=0,1,2 n_rated=30,120'")
    values = {name: text.split(",") for name, text in (pair.split("=", 1) for pair in pairs)}
    if len(values) < len(pairs) or any(len(set(some)) < len(some) for some in values.values()):
        raise ValueError(f"sweep={sweep!r} names a parameter or a value twice; each is allowed once")
    return [dict(zip(values, chosen, strict=True)) for chosen in itertools.product(*values.values())]


def metrics_path(outputs: Path, notebook: str, combination: dict[str, str]) -> Path:
    """Where a run of ``notebook`` with these parameters writes its metrics.json, under the folder ``outputs``."""
    folder = ",".join(f"{name}={value}" for name, value in combination.items())
    return Path(outputs) / "sweeps" / notebook / folder / notebook / "metrics.json"


def sweep_table(notebooks: list[str], sweep: str) -> tuple[pd.DataFrame, list[Path]]:
    """What the runs of a sweep wrote.

    Returns:
        A row for each notebook, combination and metric: notebook, the parameters, metric, value, baseline, n, split;
        and the metrics.json that are not there, because a run failed or was not made.
    """
    rows, missing = [], []
    for notebook, combination in itertools.product(notebooks, combinations(sweep)):
        path = metrics_path(outputs_folder(), notebook, combination)
        if not path.exists():
            missing.append(path)
            continue
        for name, metric in json.loads(path.read_text(encoding="utf-8"))["metrics"].items():
            scores = {key: metric[key] for key in ("value", "baseline", "n", "split")}
            rows.append({"notebook": notebook, **combination, "metric": name, **scores})
    return pd.DataFrame(rows), missing


def shown(table: pd.DataFrame, parameters: list[str]) -> str:
    """The table for reading: a row a combination, a column a metric; mean and deviation where seeds were swept."""
    parts = []
    others = [name for name in parameters if name != "seed"]
    for notebook, part in table.groupby("notebook", sort=False):
        wide = part.pivot(index=parameters, columns="metric", values="value")[list(part["metric"].unique())]
        parts.append(f"{notebook}\n{wide.to_string(float_format='{:.4g}'.format)}")
        if "seed" in parameters and part["seed"].nunique() > 1:
            groups = part.groupby([*others, "metric"], sort=False)["value"]
            over = groups.agg(["mean", "std", "count"])
            parts.append(f"{notebook}, over the seeds\n{over.to_string(float_format='{:.4g}'.format)}")
    return "\n\n".join(parts)


def main() -> None:
    """Write outputs/sweeps/table.csv and print it; runs that are missing are named, and make the exit status 1."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--notebooks", required=True, help="stems, a space between them")
    parser.add_argument("--sweep", required=True, help="e.g. 'seed=0,1,2 n_rated=30,120'")
    arguments = parser.parse_args()
    try:
        table, missing = sweep_table(arguments.notebooks.split(), arguments.sweep)
    except ValueError as error:
        sys.exit(str(error))
    if len(table):
        path = outputs_folder() / "sweeps" / "table.csv"
        temporary = path.with_suffix(".csv.tmp")
        table.to_csv(temporary, index=False)
        os.replace(temporary, path)
        print(shown(table, list(combinations(arguments.sweep)[0])), path, sep="\n\n")
    if missing:
        sys.exit("\n".join(f"no result: {path.parents[1]}" for path in missing))


if __name__ == "__main__":
    main()
