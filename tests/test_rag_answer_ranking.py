"""Which of her answers is likeliest a good one."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from ohlora.config import DATA
from ohlora.rag import answer_ranking
from ohlora.rag.answer_ranking import AnswerRanking, groups_of, load_answer_ranking, opinions_of
from ohlora.rag.answer_ranking_training import (
    Lessons,
    TrainingSettings,
    load_marked_answers,
    ranking_metrics,
    train_answer_ranking,
)
from ohlora.rag.intents import (
    AS_GOOD,
    GeneralAnswer,
    GeneralAnswers,
    act_of_intent,
    kind_of_act,
    read_general_answers,
)
from ohlora.weights import WeightsError, load_weights

INTENTS = list(act_of_intent())
ANSWERS = [
    GeneralAnswer("exhausted", "en", "Lie down a while.", "sad", 0.5),
    GeneralAnswer("tired", "en", "A long day, was it?", "sad", 0.5),
    GeneralAnswer("tells_bad", "en", "Oh, that aches.", "sad", 0.5),
    GeneralAnswer("passed_or_accepted", "en", "I knew it!", "happy", 0.5),
]


def probabilities(**likely: float) -> np.ndarray:
    """Of the intents, (1, intents); what is left is spread over the others."""
    found = np.full(len(INTENTS), (1 - sum(likely.values())) / len(INTENTS), np.float32)
    for intent, probability in likely.items():
        found[INTENTS.index(intent)] += probability
    return found[None]


def test_an_answer_is_to_its_intent_its_act_and_its_kind() -> None:
    groups, level = groups_of(ANSWERS)
    sizes = groups.sum(axis=2)
    assert sizes[0, 0] == 1 and level.argmax(axis=1).tolist() == [0, 1, 2, 0]
    assert sizes[1, 0] == sizes[1, 1] == list(act_of_intent().values()).count("tired")
    bad = sum(kind_of_act()[act] == "tells_bad" for act in act_of_intent().values())
    assert (sizes[2] == bad).all() and (np.diff(sizes) >= 0).all()


def test_the_evidence_is_how_likely_intent_act_and_kind_are() -> None:
    ranking, found = AnswerRanking(ANSWERS), probabilities(exhausted=0.5, sleepy=0.3)
    evidence = ranking.evidence_for(opinions_of(found, found), torch.tensor([[0, 1, 2, 3]]))[0]
    of_intent, of_act = (np.exp(3 * evidence[:, column].numpy() - 7) for column in (1, 2))
    assert of_intent[:2] == pytest.approx([0.501, of_act[1]], abs=0.01) and of_act[0] > 0.79 and of_act[3] < 0.1


def test_what_is_marked_is_learned() -> None:
    """Answers to what is sad are good where tiredness is likely, those to what is passed where that is."""
    draw, likely = np.random.default_rng(0), []
    for _ in range(300):
        sure = draw.uniform(0.5, 0.95)
        likely.append({"exhausted": sure} if draw.random() < 0.5 else {"passed_or_accepted": sure})
    found = np.concatenate([probabilities(**one) for one in likely])
    rows = torch.arange(4).repeat(len(likely), 1)
    good = torch.tensor([[1.0, 1, 1, 0] if "exhausted" in one else [0.0, 0, 0, 1] for one in likely])
    lessons = Lessons(opinions_of(found, found), rows, good, torch.ones_like(rows, dtype=torch.bool))
    ranking = train_answer_ranking(ANSWERS, torch.randn(4, 8), lessons, TrainingSettings(epochs=60, dropout=0.1))
    sad, glad = (
        ranking.scores(one[0], one[0], [0, 3])
        for one in (probabilities(exhausted=0.8), probabilities(passed_or_accepted=0.8))
    )
    assert sad[0] > sad[1] and glad[1] > glad[0]
    assert ((sad > 0) & (sad < 1)).all()


def test_the_first_marked_answer_counts() -> None:
    lessons = Lessons(
        torch.zeros(2, 2 * len(INTENTS)),
        torch.tensor([[0, 1], [2, 3]]),
        torch.tensor([[1.0, 0], [0, 0]]),
        torch.tensor([[True, True], [True, False]]),
    )
    found = ranking_metrics(np.array([[2.0, 1.0], [0.0, 9.0]]), lessons)
    assert found == {"first_is_good": 0.5, "good": pytest.approx(1 / 3), "any_is_good": 0.5, "n": 2}


def test_answers_about_as_good_take_turns() -> None:
    scores = np.array([0.8, 0.8 * AS_GOOD + 0.001, 0.1, 0.05], np.float32)
    answers = GeneralAnswers(
        ANSWERS, lambda message: probabilities()[0], scores=lambda alone, together, rows: scores[rows]
    )
    found = [[one.reply for one in answers.best(f"so it went {n}", "", "en")] for n in range(20)]
    assert {one[0] for one in found} == {ANSWERS[0].reply, ANSWERS[1].reply}
    assert {tuple(one[2:]) for one in found} == {(ANSWERS[2].reply, ANSWERS[3].reply)}
    assert GeneralAnswers(ANSWERS, lambda message: probabilities()[0]).best("so it went", "", "en") == []


def test_other_answers_ask_for_a_new_training(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WeightsError, match="answer_ranking_training"):
        load_answer_ranking(read_general_answers()[1:])
    tensors, card = load_weights("answer_ranking")
    monkeypatch.setattr(answer_ranking, "load_weights", lambda name: (tensors, {**card, "intents": INTENTS[::-1]}))
    with pytest.raises(WeightsError, match="answer_ranking_training"):
        load_answer_ranking(read_general_answers())


def test_changed_answers_are_said_unranked(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(answer_ranking, "read_general_answers", lambda: ANSWERS)
    answers = answer_ranking.load_general_answers(lambda message: probabilities(exhausted=0.9)[0])
    assert "answer_ranking_training" in caplog.text
    assert answers.best("so tired", "", "en") == [] and answers.answers("so tired", "en")[0] == ANSWERS[0]


def test_marked_messages_test_nothing() -> None:
    """None of those on which what she says is judged."""
    marked = {(one.before, one.message) for one in load_marked_answers()}
    assert len(marked) > 5000
    for name in ("talk", "compared"):
        with (DATA / "answers" / f"{name}.jsonl").open(encoding="utf-8") as file:
            tested = [json.loads(line) for line in file]
        assert not {(row.get("before", ""), row["message"]) for row in tested if len(row["message"]) > 10} & marked


def test_the_shipped_ranking_is_better_than_any_answer() -> None:
    found = load_weights("answer_ranking")[1]["metrics"]
    assert found["first_is_good"] > found["good"] + 0.2 and found["n"] > 5000
