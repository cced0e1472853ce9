"""A written answer is said where one fits, and only there."""

from __future__ import annotations

import pytest
from companion_parts import ScriptedModel, make_companion

from ohlora.companion.written_answer import written_answer
from ohlora.llm.dialogues import parse_dialogue
from ohlora.llm.prompt import Example

MODEL = "happy 0.8\nWords of the model.\nmemory: none"


def dialogue(reply: str):
    row = {"id": "persona-en-season-1", "family": "season", "language": "en", "history": [], "memories": [],
           "now": "2026-03-02T21:10", "user": "your season?", "reply": reply, "expression": "happy",
           "intensity": 0.5, "memory": None}  # fmt: skip
    return parse_dialogue(row)


class Written:
    def __init__(self, *replies: str, error: Exception | None = None) -> None:
        self.found, self.error = [dialogue(reply) for reply in replies], error

    def written(self, message: str):
        if self.error:
            raise self.error
        return self.found

    def nearest(self, message: str):
        return [Example("your season?", "happy", one.reply) for one in self.found]


class ModelWithExamples(ScriptedModel):
    def reply(self, messages, memories=(), now=None, stream=False, examples=()):
        return super().reply(messages, memories, now, stream)


def companion_with(tmp_path, examples: Written):
    companion = make_companion(tmp_path, llm=ModelWithExamples(MODEL))
    companion.examples = examples
    return companion


def test_it_is_said_with_its_face_and_without_the_model(tmp_path) -> None:
    companion = companion_with(tmp_path, Written("Winter, of course."))
    turn = companion.turn("what is your favourite season?")
    assert (turn.reply, turn.expression, turn.intensity) == ("Winter, of course.", "happy", 0.5)
    assert companion.llm.asked == []


def test_it_is_said_once_in_a_conversation(tmp_path) -> None:
    companion = companion_with(tmp_path, Written("Winter, of course.", "Winter!"))
    assert [companion.turn("what is your favourite season?").reply for _ in range(3)] == [
        "Winter, of course.", "Winter!", "Words of the model.",
    ]  # fmt: skip


@pytest.mark.parametrize("message", ["내 이름 뭐라고 했지?", "what's my cat called?", "우리 집 어디게"])
def test_the_users_own_things_are_for_her_memory(message: str) -> None:
    assert written_answer(Written("A guess."), message, ()) is None


def test_a_word_in_the_middle_of_a_talk_is_for_the_model() -> None:
    history = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hi!"}]
    assert written_answer(Written("Because."), "why", history) is None
    assert written_answer(Written("Because."), "why", ()) is not None


def test_a_failure_leaves_the_model(tmp_path) -> None:
    companion = companion_with(tmp_path, Written(error=RuntimeError("no embeddings")))
    assert companion.turn("what is your favourite season?").reply == "Words of the model."
    assert written_answer(object(), "hello there", ()) is None


def test_a_written_answer_stands_in_for_words_that_must_not_be_shown(tmp_path) -> None:
    companion = make_companion(tmp_path, llm=ModelWithExamples("happy 0.8\nAn insult.\nmemory: none"))
    companion.examples = Written("We stay friends.")
    turn = companion.turn("our talk again")  # "our": the model is asked first
    assert (turn.outcome, turn.reply) == ("answered", "We stay friends.")
