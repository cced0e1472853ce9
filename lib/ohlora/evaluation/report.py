"""One table of every metric that the notebooks wrote, the reference and the goal beside it.

python -m ohlora.evaluation.report
"""

from __future__ import annotations

import os

import yaml

from ohlora.config import DATA, outputs_folder
from ohlora.evaluation.metrics import read_metrics


def load_targets() -> dict[str, dict]:
    """data/targets.yaml: ``"<notebook>/<metric>"`` → {reference, goal}, both as text."""
    return yaml.safe_load((DATA / "targets.yaml").read_text(encoding="utf-8"))


def report() -> str:
    """The table as Markdown; a sentence instead where no notebook has run yet."""
    metrics = read_metrics()
    if not metrics:
        return "No metrics yet: run `make run` first."
    targets = load_targets()
    lines = [
        "| notebook | metric | value | baseline | n | split | reference | goal |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for notebook, content in metrics.items():
        for name, metric in content["metrics"].items():
            target = targets.get(f"{notebook}/{name}", {})
            baseline = "" if metric["baseline"] is None else f"{metric['baseline']:.4g}"
            if metric.get("baseline_n") is not None:
                baseline += f" (n = {metric['baseline_n']})"
            lines.append(
                f"| {notebook} | {name} | {metric['value']:.4g} | {baseline} | {metric['n']} | {metric['split']} "
                f"| {target.get('reference', '')} | {target.get('goal', '')} |"
            )
    return "\n".join(lines)


def main() -> None:
    """Write outputs/report.md and print it."""
    table = report()
    path = outputs_folder() / "report.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".md.tmp")
    temporary.write_text(table + "\n", encoding="utf-8")
    os.replace(temporary, path)
    print(table)


if __name__ == "__main__":
    main()
