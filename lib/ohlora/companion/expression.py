"""Expressions: the name and intensity that a reply carries → how far her eyes, mouth and pose move.

A model may write a name that is not in the table. SillyTavern's order is followed: the exact name,
then the closest one (difflib), then the fall-back, which is ``neutral``.
"""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass
from pathlib import Path

import yaml

from ohlora.config import DATA

MOVED = ("eyes", "mouth", "pose")  # the properties that an expression moves; the other four stay hers
LARGEST_OFFSET = 3.0  # z-units
FALL_BACK = "neutral"
_SIMILAR_ENOUGH = 0.72  # difflib ratio; "suprised" passes, "table" does not


@dataclass(frozen=True)
class Expression:
    """One row of data/expressions.yaml.

    offsets: property → movement in z-units at intensity 1. korean: its Korean name.
    aliases: other words for it, lower case.
    """

    name: str
    offsets: dict[str, float]
    korean: str
    aliases: tuple[str, ...] = ()


class ExpressionTable:
    """The declared expressions, looked up by whatever word comes out of the model."""

    def __init__(self, expressions: list[Expression]) -> None:
        self._by_name = {expression.name: expression for expression in expressions}
        if FALL_BACK not in self._by_name:
            raise ValueError(f"expressions={sorted(self._by_name)} lack {FALL_BACK!r}, which every table must have")
        self._words = {word: one.name for one in expressions for word in (one.korean.lower(), *one.aliases)}
        # Written last, so that a name always wins over somebody's alias.
        self._words.update({name: name for name in self._by_name})

    @property
    def names(self) -> tuple[str, ...]:
        """Names in the order of the table."""
        return tuple(self._by_name)

    def __getitem__(self, name: str) -> Expression:
        return self._by_name[name]

    def match(self, word: str) -> str:
        """The declared name for any word: exact, else fuzzy, else ``neutral``. Never raises."""
        wanted = str(word).strip().strip("[](){}<>*\"'.!?~").lower()
        if wanted in self._words:
            return self._words[wanted]
        close = difflib.get_close_matches(wanted, self._words, n=1, cutoff=_SIMILAR_ENOUGH)
        return self._words[close[0]] if close else FALL_BACK

    def offsets(self, word: str, intensity: float = 1.0) -> dict[str, float]:
        """Movement of eyes, mouth and pose in z-units.

        Args:
            word: any word; see match.
            intensity: 0 … 1; values outside are clipped, not-a-number counts as 1, because a
                model wrote it and a reply must not be lost over it.
        """
        strength = 1.0 if math.isnan(intensity) else min(max(float(intensity), 0.0), 1.0)
        return {name: value * strength for name, value in self._by_name[self.match(word)].offsets.items()}


def load_expressions(path: Path = DATA / "expressions.yaml") -> ExpressionTable:
    """Read and check the table.

    Raises:
        ValueError: no such file, a row without the needed keys, or an offset outside -3 … 3.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"expressions file {path} does not exist; give a .yaml table like data/expressions.yaml")
    rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(rows, dict):
        raise ValueError(
            f"{path.name} holds {type(rows).__name__}; a table of expression: {{eyes, mouth, pose}} is needed"
        )
    return ExpressionTable([_read_row(path.name, str(name), row) for name, row in rows.items()])


def _read_row(file: str, name: str, row: object) -> Expression:
    allowed = {*MOVED, "korean", "aliases"}
    if not isinstance(row, dict) or not set(MOVED) <= set(row) <= allowed:
        raise ValueError(f"{file}, expression {name!r}: {row!r}; needed {list(MOVED)}, allowed {sorted(allowed)}")
    for moved in MOVED:
        value = row[moved]
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST_OFFSET:
            raise ValueError(
                f"{file}, expression {name!r}: {moved}={value!r}; allowed: a number from "
                f"{-LARGEST_OFFSET:g} to {LARGEST_OFFSET:g}"
            )
    return Expression(
        name=name.lower(),
        offsets={moved: float(row[moved]) for moved in MOVED},
        korean=str(row.get("korean", name)),
        aliases=tuple(str(alias).lower() for alias in row.get("aliases") or ()),
    )
