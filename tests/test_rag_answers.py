"""Which written answers fit a message, and the rows that this is learned from."""

from __future__ import annotations

from collections import Counter

import numpy as np

from ohlora.llm.dialogues import load_dialogues, parse_dialogue, split_dialogues
from ohlora.rag.answer_fit import (
    FEATURES,
    best_of_each,
    fit_features,
    fit_metrics,
    judged_features,
    load_judged_answers,
    out_of_fold,
    train_answer_fit,
)
from ohlora.rag.intents import act_of_intent


def dialogue(user: str, reply: str, language: str = "en"):
    row = {"id": f"small_talk-{language}-x-{user}", "family": "x", "language": language, "history": [], "memories": [],
           "now": "2026-03-02T21:10", "user": user, "reply": reply, "expression": "happy", "intensity": 0.5,
           "memory": None}  # fmt: skip
    return parse_dialogue(row)


def test_features_say_what_is_shared_and_what_was_not_said() -> None:
    found = dict(
        zip(FEATURES, fit_features("my team won", dialogue("my team lost again", "Lost? Ouch."), 0.9), strict=True)
    )
    assert found["cosine"] == 0.9 and 0 < found["of_written"] < found["of_message"] < 1
    assert found["unasked"] == 0.5, "'lost' stands in the answer and was not said"
    same = dict(zip(FEATURES, fit_features("my team won", dialogue("My team won!", "Hooray!"), 1.0), strict=True))
    assert same["of_written"] == same["of_message"] == 1 and same["unasked"] == 0
    polite = dialogue("피곤해요", "고생하셨어요.", "ko")
    assert fit_features("피곤해", polite, 0.9)[FEATURES.index("polite")] == 1
    assert len(fit_features("", polite, 0.0)) == len(FEATURES), "nothing is divided by nothing"


def test_fit_is_learned_and_scored_by_message() -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(400, len(FEATURES))).astype(np.float32)
    fits, messages = features[:, 0] + features[:, 2] > 0.5, np.repeat(np.arange(80), 5)
    fit = train_answer_fit(features, fits)
    assert ((fit.probability(features) > 0.5) == fits).mean() > 0.9
    unseen = out_of_fold(features, fits, messages)
    found = fit_metrics(unseen, fits, messages, 0.5)
    assert found["fitting"] > 0.8 and 0.5 < found["answered"] < 1 and found["n"] == 80
    best = best_of_each(unseen, messages)
    assert len(best) == len(set(messages[best])) == 80 and (np.diff(unseen[best]) <= 0).all()
    assert fit_metrics(unseen, fits, messages, 2.0) == {"answered": 0.0, "fitting": 0.0, "n": 80}


def test_judged_answers_are_of_dialogues() -> None:
    judged = load_judged_answers()
    assert len(judged) >= 1400 and len({one.message for one in judged}) == len(judged)
    assert all(one.fitting <= set(one.nearest) for one in judged)
    assert {one.intent for one in judged} <= {"", *act_of_intent()}
    training, held_out = split_dialogues(load_dialogues())
    names = Counter(name for one in judged for name in one.nearest)
    assert not set(names) & {one.id for one in held_out}
    known = training[:50]
    vectors = np.eye(50, 384, dtype=np.float32)
    features, fits, numbers = judged_features(judged[:3], vectors[:3], known, vectors)
    assert len(features) == len(fits) == len(numbers)
