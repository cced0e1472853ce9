"""Sentences labelled for the moderator, and everyday talk beside them: what it learns from and is tested on.

data/moderation/README.md says what each label means and who wrote the rows.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from ohlora.config import DATA
from ohlora.llm.language import LANGUAGES

LABELS = ("normal", "romantic_pressure", "political", "family_insult", "hate", "sexual", "threat", "self_harm")
EVERYDAY = {"training": 6000, "calibration": 3000, "test": 1000}  # messages and replies of the dialogues: normal talk
_NOT_EVERYDAY = ("crisis", "romance", "no_body", "unknown_body")  # how families begin in which users may go too far


@dataclass(frozen=True)
class LabelledRow:
    """One row of ``data/moderation``: rows of a family are paraphrases and never split between training and test."""

    id: str
    family: str
    language: str
    text: str
    label: str


def load_rows(languages: Sequence[str] = LANGUAGES) -> list[LabelledRow]:
    """The labelled rows of ``data/moderation``, written for this project.

    Raises:
        ValueError: a row with an unknown label, or an id that occurs twice.
    """
    rows = []
    for language in languages:
        with (DATA / "moderation" / f"rows.{language}.jsonl").open(encoding="utf-8") as file:
            rows += [LabelledRow(**json.loads(line)) for line in file]
    wrong = [row.id for row in rows if row.label not in LABELS]
    if wrong or len({row.id for row in rows}) != len(rows):
        raise ValueError(
            f"data/moderation: rows {wrong[:3]} have unknown labels, or an id occurs twice; labels: {LABELS}"
        )
    return rows


def split_rows(rows: Sequence[LabelledRow]) -> tuple[list[LabelledRow], list[LabelledRow]]:
    """Training and test rows.

    The test families are listed in data/moderation/held_out_families.txt: a rule would move families when new ones are
    written, and what the embeddings learned from must not become test.
    """
    names = (DATA / "moderation" / "held_out_families.txt").read_text(encoding="utf-8").split()
    held_out = frozenset(names)
    return [row for row in rows if row.family not in held_out], [row for row in rows if row.family in held_out]


def everyday_rows(part: str = "training", count: int | None = None) -> list[LabelledRow]:
    """Messages and replies of ``data/dialogues`` as normal rows.

    Half of the families are for training, a quarter chooses the thresholds, a quarter is the test. Dialogues about
    refusals and crises are left out: what users say there is often not normal.

    Args:
        part: training, calibration or test. count: at most so many; default: EVERYDAY's.
    """
    places = {"training": (0, 2), "calibration": (1,), "test": (3,)}[part]
    texts: dict[str, LabelledRow] = {}
    for path in sorted((DATA / "dialogues").glob("*.jsonl")):
        if path.name.startswith("refusals"):
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            family = f"{row['language']}-everyday-{row['family']}"
            if row["family"].startswith(_NOT_EVERYDAY) or _hash(family) % 4 not in places:
                continue
            for side in ("user", "reply"):
                if row[side].strip():
                    identifier = f"{row['id']}-{side}"
                    texts.setdefault(row[side], LabelledRow(identifier, family, row["language"], row[side], "normal"))
    return sorted(texts.values(), key=lambda row: _hash(row.id))[: count or EVERYDAY[part]]


def _hash(name: str) -> int:
    return zlib.crc32(name.encode("utf-8"))
