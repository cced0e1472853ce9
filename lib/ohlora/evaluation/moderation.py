"""Moderation measured on families of rows that the reader of messages never saw, plain and hidden."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ohlora.evaluation.metrics import Metric
from ohlora.evaluation.obfuscation import ATTACKS
from ohlora.rag.labelled_rows import LABELS, LabelledRow
from ohlora.rag.moderation import Moderator
from ohlora.rag.normalisation import normalise


def judge_rows(moderator: Moderator, rows: Sequence[LabelledRow], attack: str | None = None) -> pd.DataFrame:
    """Judge rows, hidden by an attack or plain.

    Returns:
        One row each: id, language, text (as judged), label, predicted, probability, rule, lexicon (what the lexicon
        alone would say).
    """
    hide = ATTACKS[attack] if attack else str
    texts, table = [hide(row.text) for row in rows], []
    for row, text, verdict in zip(rows, texts, moderator.check_all(texts, examples=1), strict=True):
        hit = moderator.lexicon.find(normalise(text))
        lexicon = hit.label if hit else "normal"
        table.append((row.id, row.language, text, row.label, verdict.label, verdict.probability, verdict.rule, lexicon))
    columns = ["id", "language", "text", "label", "predicted", "probability", "rule", "lexicon"]
    return pd.DataFrame(table, columns=columns)


def per_class(table: pd.DataFrame) -> pd.DataFrame:
    """Precision, recall and number of rows for each class of judge_rows' table (NaN where nothing was predicted)."""
    records = []
    for label in LABELS:
        true, said = table["label"] == label, table["predicted"] == label
        both = int((true & said).sum())
        records.append(
            {
                "class": label,
                "precision": both / said.sum() if said.any() else np.nan,
                "recall": both / true.sum() if true.any() else np.nan,
                "rows": int(true.sum()),
            }
        )
    return pd.DataFrame(records).set_index("class")


def moderation_metrics(table: pd.DataFrame, prefix: str = "", split: str = "held-out families") -> dict[str, Metric]:
    """Accuracy over 8 classes, recall of abuse (any class but normal), false alarms on normal; baseline: the lexicon.

    Args:
        table: of judge_rows.
        prefix: put before each name, e.g. ``"spacing_"``.
        split: what was judged.
    """
    ours, lexicon = _numbers(table, "predicted"), _numbers(table, "lexicon")
    normal = int((table["label"] == "normal").sum())
    counts = {"accuracy": len(table), "recall_of_abuse": len(table) - normal, "false_alarms": normal}
    return {
        prefix + name: Metric(value, counts[name], 0, split, lexicon[name])
        for name, value in ours.items()
        if counts[name]
    }


def _numbers(table: pd.DataFrame, column: str) -> dict[str, float]:
    normal = table["label"] == "normal"
    return {
        "accuracy": float((table["label"] == table[column]).mean()),
        "recall_of_abuse": float((table.loc[~normal, column] != "normal").mean()) if (~normal).any() else 0.0,
        "false_alarms": float((table.loc[normal, column] != "normal").mean()) if normal.any() else 0.0,
    }
