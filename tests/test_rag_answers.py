"""Which written answers fit a message, what a message does, and the rows that both are learned from."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import yaml

from ohlora.config import DATA
from ohlora.llm.dialogues import load_dialogues, parse_dialogue, root_family, split_dialogues
from ohlora.llm.reply_format import EXPRESSIONS, parse_reply
from ohlora.llm.rules import keeps_language
from ohlora.rag import detect_language, load_dialogue_acts, load_message_reader
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
from ohlora.rag.dialogue_acts import act_rows, load_general_answers
from ohlora.weights import WeightsError, load_weights


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
    judged, acts = load_judged_answers(), yaml.safe_load((DATA / "answers" / "acts.yaml").read_text(encoding="utf-8"))
    assert len(judged) >= 1400 and len({one.message for one in judged}) == len(judged)
    assert all(one.fitting <= set(one.nearest) for one in judged) and {one.act for one in judged} <= {"", *acts}
    training, held_out = split_dialogues(load_dialogues())
    names = Counter(name for one in judged for name in one.nearest)
    assert not set(names) & {one.id for one in held_out}
    known = training[:50]
    vectors = np.eye(50, 384, dtype=np.float32)
    features, fits, numbers = judged_features(judged[:3], vectors[:3], known, vectors)
    assert len(features) == len(fits) == len(numbers)
    families = {f"{one.id.split('-')[0]}/{root_family(one.family)}" for one in training}
    assert {family for act in acts.values() for family in act["families"]} <= families


def test_general_answers_can_be_said() -> None:
    """Each is in the reply format, in its language, once, short; every act has enough of them in both languages."""
    answers = load_general_answers()
    acts = yaml.safe_load((DATA / "answers" / "acts.yaml").read_text(encoding="utf-8"))
    for one in answers:
        reply = parse_reply(one.target())
        assert reply.expression in EXPRESSIONS and keeps_language(one.reply, one.language), one
        assert len(one.reply) <= (90 if one.language == "ko" else 160)
    assert len({one.reply for one in answers}) == len(answers)
    counts = Counter((one.act, one.language) for one in answers)
    assert min(counts.values()) >= 10
    assert set(counts) == {(act, language) for act in set(acts) - {"about_her"} for language in ("ko", "en")}


def test_no_act_is_learned_from_what_is_held_out() -> None:
    held_out = {one.user for one in split_dialogues(load_dialogues())[1]}
    rows = act_rows()
    assert len(rows) > 3000 and not held_out & {row.message for row in rows if row.group != row.message}


@pytest.fixture(scope="module")
def reader():
    return load_message_reader()


@pytest.mark.parametrize(
    ("message", "act"),
    [("심심해 죽겠다", "bored"), ("what should I cook for dinner?", "asks_idea"), ("I passed my exam!!", "good_news"),
     ("잘 자", "leaves"), ("사장님이 또 소리 질렀어 짜증나", "complains")],
)  # fmt: skip
def test_plain_acts_are_named_and_answered(reader, message: str, act: str) -> None:
    acts = load_dialogue_acts(reader)
    reading, language = reader.read(message), detect_language(message)
    assert acts.act(reading) == act
    found = acts.answers(reading, message, language)
    assert {one.act for one in found} == {act} and {one.language for one in found} == {language}
    assert found == acts.answers(reading, message, language), "the same message begins with the same answer"


def test_acts_beat_the_most_frequent_one() -> None:
    """Minimum function, on messages that the scored model did not see."""
    metrics = load_weights("dialogue_acts")[1]["metrics"]
    assert (
        metrics["accuracy_where_clear"] > metrics["accuracy"] > 2 * metrics["most_frequent_act"] and metrics["n"] > 1000
    )


def test_acts_of_another_reader_are_refused(reader, monkeypatch) -> None:
    monkeypatch.setattr(reader, "name", "somebody else's")
    with pytest.raises(WeightsError, match="belongs to another reader"):
        load_dialogue_acts(reader)
