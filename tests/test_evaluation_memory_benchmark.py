"""The five-ability benchmark: its rows hold together, its scorer cannot be fooled by a digit or by an old value."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import pytest
from companion_parts import LetterEmbedder, make_companion

from ohlora.config import DATA
from ohlora.evaluation.memory_benchmark import ABILITIES, benchmark_metrics, holds, load_benchmark, run_benchmark
from ohlora.llm.dialogues import load_dialogues
from ohlora.llm.reply_format import MemoryOperation, format_reply, stream_reply
from ohlora.rag.extraction import check_operation
from ohlora.rag.marked_messages import load_marked_messages
from ohlora.rag.relevance import CosineRelevance, load_dialogue_questions


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    return load_benchmark()


def test_there_is_enough_of_every_ability(rows: list[dict]) -> None:
    asked = Counter((question["ability"], row["language"]) for row in rows for question in row["questions"])
    assert len(rows) >= 40 and sum(asked.values()) >= 300
    assert set(asked) == {(ability, language) for ability in ABILITIES for language in ("ko", "en")}
    assert min(asked.values()) >= 30


def test_what_should_be_stored_may_be_stored(rows: list[dict]) -> None:
    for row in rows:
        for session in row["sessions"]:
            for message in session["messages"]:
                if message["memory"]:
                    operation = MemoryOperation(**{"value": "", **message["memory"]})
                    assert check_operation(operation, message["user"]) is None, (row["id"], message)


@pytest.mark.parametrize("name", ["benchmark", "development"])
def test_nothing_of_it_is_trained_on(name: str) -> None:
    said = {row.user for row in load_dialogues()} | {row.message for row in load_marked_messages()}
    said |= {
        question["question"]
        for part in ("training", "calibration", "evaluation")
        for row in load_dialogue_questions(part)
        for question in row["questions"]
    }
    rows = load_benchmark(DATA / "memory" / f"{name}.jsonl")
    ours = [question["question"] for row in rows for question in row["questions"]]
    ours += [message["user"] for row in rows for session in row["sessions"] for message in session["messages"]]
    assert len(ours) > 400 and not said & set(ours)


@pytest.mark.parametrize(
    ("reply", "piece", "there"),
    [("13일이라고 했어", "3일", False), ("3일이라고 했어", "3일", True), ("On the 21st", "21", True),
     ("It was 210", "21", False), ("Your CAT", "cat", True)],
)  # fmt: skip
def test_a_number_must_be_the_whole_number(reply: str, piece: str, there: bool) -> None:
    assert holds(reply, piece) is there


class Parrot:
    """Stores whatever follows "is", and answers with what it was given."""

    def reply(self, messages, memories=(), now=None, stream=False):
        text = messages[-1]["content"]
        memory = MemoryOperation("add", "boat", text.split(" is ")[1]) if " is " in text else None
        return stream_reply(iter([format_reply(" ".join(memories) or "I don't know that yet", "happy", 0.5, memory)]))


def _question(text: str, ability: str, key: str | None, right: str, stale: list[str]) -> dict:
    return {
        "now": "2026-03-04T20:00",
        "question": text,
        "ability": ability,
        "key": key,
        "answer_contains": [right],
        "stale_contains": stale,
    }


def _message(text: str, kind: str | None = None) -> dict:
    value = text.rsplit(" ", 1)[1]
    return {"user": text, "memory": {"kind": kind, "key": "boat", "value": value} if kind else None}


DIALOGUE = {
    "id": "x",
    "language": "en",
    "sessions": [
        {"now": "2026-03-02T20:00", "messages": [_message("my boat is Bo", "add"), _message("rain is Wet")]},
        {"now": "2026-03-03T20:00", "messages": [_message("my boat is Cy", "update")]},
    ],
    "questions": [
        _question("what is my boat", "update", "boat", "Cy", ["Bo"]),
        _question("qqq zzz", "abstention", None, "don't know", []),
    ],
}


def test_a_dialogue_is_told_and_asked() -> None:
    questions, messages = run_benchmark([DIALOGUE], LetterEmbedder(), CosineRelevance(0.3))
    assert messages.empty and list(questions["rank"][:1]) == [1] and list(questions["silent"]) == [False, True]
    metrics = benchmark_metrics(questions)
    assert metrics["hit_at_1"].value == 1 and metrics["abstention"].value == 1 and "answered_by_her" not in metrics


def test_with_her_the_stores_and_the_answers_are_judged(tmp_path) -> None:
    companion = make_companion(tmp_path, llm=Parrot())
    questions, messages = run_benchmark([DIALOGUE], LetterEmbedder(), companion=companion)
    assert list(messages["outcome"]) == ["answered"] * 3
    assert list(messages["right"]) == [True, False, True]
    metrics = benchmark_metrics(questions, messages)
    assert metrics["extraction_recall"].value == 1 and metrics["extraction_precision"].value == pytest.approx(2 / 3)
    assert metrics["false_stores"].value == 1 and metrics["answered_by_her"].value == 1
    assert metrics["stale_by_her"].value == 0


def test_an_old_answer_is_stale_unless_the_new_one_is_there_too() -> None:
    from ohlora.evaluation.memory_benchmark import _judge

    question = DIALOGUE["questions"][0]
    assert _judge("Bo!", question) == {"answered": False, "stale": True}
    assert _judge("It was Bo, now Cy", question) == {"answered": True, "stale": False}
    forgotten = {**question, "ability": "abstention", "answer_contains": ["don't"]}
    assert _judge("I don't know, Bo?", forgotten)["stale"], "what was forgotten must not come back at all"
    assert pd.isna(_judge("hm", {**question, "answer_contains": []})["answered"])
