"""What her replies are like beyond right and wrong: how varied, which faces are confused, what was unlearned."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import yaml

from ohlora.config import DATA
from ohlora.evaluation.llm import loss_per_character, memory_scores
from ohlora.llm.reply_format import EXPRESSIONS

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedTokenizerBase

_WORD = re.compile(r"\w+")


def distinct_n(texts: Sequence[str], n: int) -> float:
    """Different n-grams of words over all n-grams, 0 … 1 (Li et al. 2016, "A Diversity-Promoting Objective Function").

    It falls as texts grow in number: compare equal numbers of texts only. 0 where no text has n words.
    """
    if n < 1:
        raise ValueError(f"n={n}; allowed: at least 1")
    words = [_WORD.findall(text.casefold()) for text in texts]
    grams = [tuple(one[start : start + n]) for one in words for start in range(len(one) - n + 1)]
    return len(set(grams)) / len(grams) if grams else 0.0


def expression_confusion(scores: pd.DataFrame) -> pd.DataFrame:
    """Number of answers by written expression (rows) and by what she chose (columns), in the order of EXPRESSIONS.

    Args:
        scores: of ohlora.evaluation.llm.score_dialogues.
    """
    table = pd.crosstab(scores["expected_expression"], scores["expression"])
    return table.reindex(index=list(EXPRESSIONS), columns=list(EXPRESSIONS), fill_value=0)


def by_language(scores: pd.DataFrame) -> pd.DataFrame:
    """One column a language: shares of valid, language-kept and rule-breaking answers, right expressions, memory,
    distinct-2 beside that of the written answers, mean characters.
    """
    columns = {}
    for language, rows in scores.groupby("language"):
        memory = memory_scores(rows)
        columns[language] = {
            "answers": len(rows),
            "format valid": rows["valid"].mean(),
            "language kept": rows["language_kept"].mean(),
            "expression right": rows["expression_right"].mean(),
            "breaks a rule": rows["broken_rules"].map(bool).mean(),
            "memory F1": memory["f1"],
            "false stores": memory["false_store"],
            "distinct-2": distinct_n(list(rows["reply"]), 2),
            "distinct-2, written": distinct_n(list(rows["expected"]), 2),
            "characters": rows["characters"].mean(),
            "characters, written": rows["expected"].str.len().mean(),
        }
    return pd.DataFrame(columns)


def neutral_texts(language: str) -> list[str]:
    """Plain sentences that have nothing to do with her, data/dialogues/neutral.yaml."""
    return yaml.safe_load((DATA / "dialogues" / "neutral.yaml").read_text(encoding="utf-8"))[language]


def drift(model: PeftModel, tokenizer: PreTrainedTokenizerBase, language: str) -> tuple[np.ndarray, np.ndarray]:
    """Loss per character of neutral texts, (without, with) the adapter: float64 (n,) each, in nats.

    What tuning unlearned of the language itself shows as a higher loss with the adapter.
    """
    rows = [
        {"prompt": text.split(" ", 1)[0], "completion": " " + text.split(" ", 1)[1]} for text in neutral_texts(language)
    ]
    with model.disable_adapter():
        before = loss_per_character(model, tokenizer, rows)
    return before, loss_per_character(model, tokenizer, rows)
