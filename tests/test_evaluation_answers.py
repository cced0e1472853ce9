"""Counting which of her answers two readers found good."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ohlora.config import DATA
from ohlora.evaluation.answers import (
    SOURCES,
    ComparedAnswers,
    answer_metric,
    answer_table,
    best_thresholds,
    load_compared_answers,
    share_of_good_answers,
    shipped_thresholds,
    talk_metric,
)
from ohlora.rag.answer_fit import load_judged_answers

ONE = ComparedAnswers(
    "en",
    "hello",
    answers={name: name for name in ("written", "ranked", "intent", "model")},
    good={"written": 0.0, "ranked": 1.0, "intent": 0.5, "model": 0.0},
    sure={"written": 0.3, "ranked": 0.6, "intent": 0.9},
)
SURE = {"written": 0.5}


def test_the_first_source_that_is_sure_speaks() -> None:
    assert ONE.said(SURE) == "ranked" and ONE.said({"written": 0.2}) == "written"
    assert replace(ONE, about_her="season").said(SURE) == "written"
    assert replace(ONE, answers={"model": "hm"}).said(SURE) == "model"
    explained = replace(ONE, answers={**ONE.answers, "explained": "It means …"})
    assert explained.said(dict.fromkeys(SURE, 0.0)) == "explained"
    assert replace(explained, about_her="season").said(SURE) == "written"


def test_shares_and_thresholds() -> None:
    assert share_of_good_answers([ONE], SURE) == 1 and share_of_good_answers([ONE], {"written": 0.2}) == 0
    answers, model = {name: ONE.answers[name] for name in ("written", "model")}, {"written": 0.0, "model": 0.5}
    unasked = replace(ONE, answers=answers, good={"written": 0.0})
    found = share_of_good_answers([replace(ONE, answers=answers, good=model), unasked], SURE)
    assert found == 0.5, "the model's mean stands in"
    assert ONE.said(best_thresholds([ONE])) == "ranked"


def test_the_judged_messages_are_new() -> None:
    rows = load_compared_answers()
    taught = (DATA / "answers" / "messages.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(rows) >= 400 and not {one.message for one in rows} & {json.loads(line)["message"] for line in taught}
    assert not {one.message for one in rows} & {one.message for one in load_judged_answers()}, "these teach"
    halves = [sum(one.chooses_thresholds == half for one in rows) for half in (True, False)]
    assert min(halves) > 150 and {one.language for one in rows} == {"ko", "en"}


def test_she_speaks_better_than_the_model_alone() -> None:
    """Minimum function, as two readers saw it, on messages that chose no threshold."""
    found = answer_metric()
    assert found.value > 0.5 > 0.2 > found.baseline and found.n > 150
    asked = [one for one in load_compared_answers() if not one.chooses_thresholds and "model" in one.good]
    assert found.baseline_n == len(asked) < found.n, "the model answered a part of them"
    table = answer_table(load_compared_answers())
    assert list(table.index) == list(SOURCES) and table["says"].sum() == pytest.approx(1)
    assert tuple(shipped_thresholds()) == SOURCES[2:3]


def test_second_messages_are_answered_better_than_formerly() -> None:
    found = talk_metric()
    assert found.value > found.baseline > 0.3 and found.n > 400
