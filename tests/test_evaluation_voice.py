"""How her replies are described: variety, confusion, languages, drift."""

from __future__ import annotations

import pandas as pd
import pytest

from ohlora.evaluation.llm import read_answers, write_answers
from ohlora.evaluation.voice import by_language, distinct_n, expression_confusion, neutral_texts
from ohlora.llm.dialogues import load_dialogues
from ohlora.llm.reply_format import EXPRESSIONS, MemoryOperation

SCORES = pd.DataFrame(
    {
        "language": ["ko", "ko", "en"], "reply": ["응, 좋아!", "응, 좋아!", "Oh no, what happened?"],
        "expected": ["그래 좋아", "무슨 일이야", "What happened?"], "expression": ["happy", "happy", "sad"],
        "expected_expression": ["happy", "sad", "sad"], "valid": [True, True, True],
        "language_kept": [True, True, True],
        "expression_right": [True, False, True], "broken_rules": [[], ["mood"], []], "characters": [6, 6, 21],
        "memory": [None, MemoryOperation("add", "name", "Bo"), None], "expected_memory": [None, None, None],
        "memory_right": [True, False, True],
    }
)  # fmt: skip


def test_repeating_oneself_is_seen() -> None:
    assert distinct_n(["a b c"], 2) == 1.0
    assert distinct_n(["a b", "A b!"], 2) == 0.5
    assert distinct_n(["a", ""], 2) == 0.0
    with pytest.raises(ValueError, match="n=0"):
        distinct_n(["a"], 0)


def test_confusion_counts_every_answer_once() -> None:
    table = expression_confusion(SCORES)
    assert list(table.index) == list(table.columns) == list(EXPRESSIONS)
    assert table.to_numpy().sum() == 3
    assert table.loc["sad", "happy"] == 1 and table.loc["happy", "happy"] == 1 and table.loc["sad", "sad"] == 1


def test_languages_are_scored_apart() -> None:
    table = by_language(SCORES)
    assert table.loc["expression right", "ko"] == 0.5 and table.loc["expression right", "en"] == 1
    assert table.loc["false stores", "ko"] == 0.5 and table.loc["distinct-2", "ko"] == 0.5
    assert table.loc["breaks a rule", "en"] == 0


def test_neutral_texts_are_no_dialogue() -> None:
    said = {row.user for row in load_dialogues()} | {row.reply for row in load_dialogues()}
    for language in ("ko", "en"):
        texts = neutral_texts(language)
        assert len(set(texts)) == len(texts) >= 20 and not set(texts) & said


def test_answers_are_kept_whole(tmp_path) -> None:
    write_answers(SCORES, tmp_path / "answers.json")
    again = read_answers(tmp_path / "answers.json")
    assert again["memory"][1] == MemoryOperation("add", "name", "Bo") and again["memory"][0] is None
    assert (
        again.drop(columns=["memory", "expected_memory"]).to_dict()
        == SCORES.drop(columns=["memory", "expected_memory"]).to_dict()
    )
