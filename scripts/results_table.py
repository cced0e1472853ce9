"""Write the table of results into README.md and README.ko.md, from committed files only.

data/results.yaml names the rows, data/targets.yaml the references and goals; the figures come from cards and reports
of outputs/pretrained/ and from docs/metrics/ (what the published notebooks and `make bench` measured).

python scripts/results_table.py [--check]
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

ROOT = Path(__file__).resolve().parents[1]
READMES = {"en": ROOT / "README.md", "ko": ROOT / "README.ko.md"}
BEGIN = "<!-- results: written by `make results`, do not edit -->"
END = "<!-- end of results -->"
HEADINGS = {
    "en": ("measured", "ours", "n", "baseline", "reference", "goal", "met"),
    "ko": ("무엇을 쟀나", "이 책", "n", "기준선", "참고 시스템", "목표", "달성"),
}
COUNTED = {"en": "Goals met: {met} of {all}.", "ko": "목표 {all}개 가운데 {met}개를 이루었습니다."}


class NotMeasuredError(ValueError):
    """A row of data/results.yaml asks for a number that no committed file holds."""


@dataclass(frozen=True)
class Goal:
    """What a value should reach. sign: ``≥``, ``≤``, ``>`` or ``<``. share: of the baseline, where ``relative``."""

    sign: str
    share: float
    relative: bool

    def met(self, value: float, baseline: float | None) -> bool:
        """Whether the value reaches it."""
        limit = self.limit(baseline)
        return {"≥": value >= limit, "≤": value <= limit, ">": value > limit, "<": value < limit}[self.sign]

    def limit(self, baseline: float | None) -> float:
        """The number to reach; ValueError where it is a share of a baseline that is not there."""
        if not self.relative:
            return self.share
        if baseline is None:
            raise ValueError("baseline=None; a goal that is a share of the baseline needs one")
        return self.share * baseline

    def text(self, language: str) -> str:
        """As in a cell of the table."""
        number = shown(self.share)
        if not self.relative:
            return f"{self.sign} {number}"
        baseline = {"en": "baseline", "ko": "기준선"}[language]
        return f"{self.sign} {baseline}" if self.share == 1 else f"{self.sign} {number} × {baseline}"


@dataclass(frozen=True)
class Value:
    """One number of a row: value, how many were scored, baseline, what the reference got, what we want.

    baseline_n: how many the baseline was scored on, where not on all.
    """

    value: float
    n: int
    baseline: float | None
    reference: str
    goal: Goal | None
    baseline_n: int | None = None

    @property
    def met(self) -> bool | None:
        """None where there is no goal."""
        return None if self.goal is None else self.goal.met(self.value, self.baseline)


def read_goal(text: str) -> Goal | None:
    """A goal of data/targets.yaml; what follows the number is a comment. ``none: …`` is no goal.

    Raises:
        ValueError: another form.
    """
    if text.startswith("none"):
        return None
    if found := re.match(r"([≥≤]) (\d*\.?\d+)( × its baseline)?", text):
        return Goal(found[1], float(found[2]), bool(found[3]))
    if found := re.match(r"(above|below) (its|every) baseline", text):
        return Goal({"above": ">", "below": "<"}[found[1]], 1.0, True)
    raise ValueError(f"goal={text!r}; allowed: '≥ 1', '≤ 2 × its baseline', 'above its baseline', 'none: why'")


def shown(value: float, limit: float | None = None) -> str:
    """A number as in the table: three or four digits, no leading zero; more where rounding would hide what is true.

    Args:
        limit: a goal; the rounded number must stand on the same side of it as the value.
    """
    digits = 3 - sum(abs(value) >= step for step in (1, 10, 100))
    text = f"{value:.{digits}f}"

    def hides_something() -> bool:
        rounded = float(text)
        almost_whole = abs(value) < 10 and rounded == round(value) != value
        other_side = limit is not None and np.sign(rounded - limit) != np.sign(value - limit)
        return almost_whole or other_side

    while digits < 8 and hides_something():
        digits += 1
        text = f"{value:.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return re.sub(r"^(-?)0\.", r"\1.", text)


@cache
def read_file(name: str) -> dict[str, Any] | None:
    """A card or report of outputs/pretrained, or the metrics of a notebook; None: not there."""
    for folder in ("outputs/pretrained", "docs/metrics"):
        path = ROOT / folder / f"{name}.json"
        if path.exists():
            return json.loads(path.read_text(encoding="utf-8"))
    return None


def look_up(address: str) -> Any:
    """What stands at ``"<file>:<key>/<key>…"``; NotMeasuredError names the address where nothing does."""
    name, _, keys = address.partition(":")
    found: Any = read_file(name)
    for key in keys.split("/"):
        if not isinstance(found, dict) or key not in found:
            raise NotMeasuredError(f"{address} is not there: neither outputs/pretrained nor docs/metrics has it")
        found = found[key]
    return found


def row_values(row: dict[str, Any], targets: dict[str, dict[str, str]]) -> list[Value]:
    """The numbers of a row of data/results.yaml."""
    wanted = row.get("targets")
    keys = [f"{wanted}{name}" for name in row["values"]] if isinstance(wanted, str) else wanted or [None] * 9
    baselines = row.get("baselines") or [None] * len(row["values"])
    values = []
    for name, key, other in zip(row["values"], keys, baselines, strict=False):
        found = look_up(row["from"] + name)
        if not isinstance(found, dict):
            found = {"value": found, "n": look_up(row["n"]) if "n" in row else None, "baseline": None}
        baseline = look_up(other) if isinstance(other, str) else other
        target = {} if key is None else targets[key]
        values.append(
            Value(
                float(found["value"]),
                found["n"],
                found["baseline"] if baseline is None else baseline,
                target.get("reference", "–"),
                read_goal(target["goal"]) if target else None,
                found.get("baseline_n") if baseline is None else None,
            )
        )
    return values


def joined(texts: Sequence[str]) -> str:
    """Equal texts once, different ones with strokes between."""
    return texts[0] if len(set(texts)) == 1 else " / ".join(texts)


def reference_text(references: Sequence[str], language: str, korean: dict[str, str]) -> str:
    """What the reference got; a comment that all share comes once, at the end."""

    def said(comment: str) -> str:
        if language == "en" or not re.search("[a-z]", comment):
            return comment
        return korean[comment]

    parts = [re.fullmatch(r"([\d.,–]*)\s*(.*?)", text) for text in references]
    numbers = [part[1] for part in parts]
    comments = [part[2].removeprefix("(").removesuffix(")") for part in parts]
    bracketed = [f"({said(comment)})" if comment else "" for comment in comments]
    if not any(numbers):
        return joined([said(comment) for comment in comments])
    if len(set(comments)) == 1:
        return f"{joined(numbers)} {bracketed[0]}".strip()
    return joined([f"{number} {comment}".strip() for number, comment in zip(numbers, bracketed, strict=True)])


def row_cells(row: dict[str, Any], values: Sequence[Value], language: str, korean: dict[str, str]) -> list[str]:
    """The seven cells of a row."""
    goals = [one.goal for one in values]
    limits = [None if goal is None else goal.limit(one.baseline) for goal, one in zip(goals, values, strict=True)]
    baselines = ["–" if one.baseline is None else shown(one.baseline) for one in values]
    against = " / ".join(baselines)
    if "against" in row:
        counted = joined(["–" if one.baseline_n is None else f"{one.baseline_n:,}" for one in values])
        against += f" ({row['against'][language]}{'' if counted == '–' else f', n = {counted}'})"
    return [
        row[language],
        " / ".join(shown(one.value, limit) for one, limit in zip(values, limits, strict=True)),
        joined(["–" if one.n is None else f"{one.n:,}" for one in values]),
        against if "against" in row else "–",
        reference_text([one.reference for one in values], language, korean),
        joined(["–" if goal is None else goal.text(language) for goal in goals]),
        "".join({True: "✓", False: "✗", None: "–"}[one.met] for one in values),
    ]


def filled_rows() -> Iterator[tuple[dict[str, Any], dict[str, Any], list[Value]]]:
    """Chapter, row and numbers; optional rows that were not measured yet are left out."""
    rows = yaml.safe_load((ROOT / "data" / "results.yaml").read_text(encoding="utf-8"))
    targets = yaml.safe_load((ROOT / "data" / "targets.yaml").read_text(encoding="utf-8"))
    for chapter in rows["chapters"]:
        for row in chapter["rows"]:
            try:
                values = row_values(row, targets)
            except NotMeasuredError:
                if not row.get("optional"):
                    raise
                continue
            yield chapter, row, values


def table(language: str) -> str:
    """How many goals are met, and the table as Markdown with a line on top of each chapter."""
    korean = yaml.safe_load((ROOT / "data" / "results.yaml").read_text(encoding="utf-8"))["korean"]
    lines = [f"| {' | '.join(HEADINGS[language])} |", "|---" * len(HEADINGS[language]) + "|"]
    last, marks = None, []
    for chapter, row, values in filled_rows():
        if chapter is not last:
            lines.append(f"| **{chapter[language]}** {'| ' * (len(HEADINGS[language]) - 1)}|")
            last = chapter
        lines.append(f"| {' | '.join(row_cells(row, values, language, korean))} |")
        marks += [one.met for one in values if one.met is not None]
    return "\n".join([COUNTED[language].format(met=sum(marks), all=len(marks)), "", *lines])


def with_table(text: str, language: str) -> str:
    """A README's text with the table of today between its two marks; ValueError where they are not there once each."""
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"README of {language} needs the lines {BEGIN!r} and {END!r}, once each")
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{table(language)}\n\n{END}{rest.partition(END)[2]}"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a table is not of today")
    arguments = parser.parse_args()
    old = []
    for language, path in READMES.items():
        text = path.read_text(encoding="utf-8")
        new = with_table(text, language)
        if new != text:
            old.append(path.name)
        if not arguments.check:
            path.write_text(new, encoding="utf-8")
    print(f"tables that changed: {', '.join(old) or 'none'}")
    if not (ROOT / "docs" / "metrics" / "benchmark.json").exists():
        print("no speed of a turn: run `make bench` on a quiet machine, then `make publish results`")
    sys.exit(1 if arguments.check and old else 0)


if __name__ == "__main__":
    main()
