"""A written answer is said where one fits, and only there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from companion_parts import NoReader, ScriptedModel, make_companion

from ohlora.companion.answer import without_address
from ohlora.companion.written_answer import written_answer
from ohlora.llm.dialogues import parse_dialogue
from ohlora.llm.prompt import Example
from ohlora.rag import UNKNOWN_READING
from ohlora.rag.dialogue_acts import GeneralAnswer

MODEL = "happy 0.8\nWords of the model.\nmemory: none"


def dialogue(reply: str):
    row = {"id": "persona-en-season-1", "family": "season", "language": "en", "history": [], "memories": [],
           "now": "2026-03-02T21:10", "user": "your season?", "reply": reply, "expression": "happy",
           "intensity": 0.5, "memory": None}  # fmt: skip
    return parse_dialogue(row)


class Written:
    def __init__(self, *replies: str, error: Exception | None = None) -> None:
        self.found, self.error = [dialogue(reply) for reply in replies], error

    def written(self, message: str, about_her: str = ""):
        self.about_her = about_her
        if self.error:
            raise self.error
        return self.found

    def nearest(self, message: str, about_her: str = ""):
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


class Known(NoReader):
    """Reads every message the same way."""

    def __init__(self, **known) -> None:
        self.reading = replace(UNKNOWN_READING, **known)

    def read(self, message: str, before: str = ""):
        return self.reading


def test_what_was_told_is_for_her_memory(tmp_path) -> None:
    """Where the message may ask for it, or tells it, no answer to another message is said."""
    for reader in (Known(may_ask=True), Known(tells=0.9)):
        companion = companion_with(tmp_path, Written("A guess."))
        companion.reader = reader
        assert companion.turn("what's my cat called?").reply == "Words of the model."


def test_a_question_about_her_is_no_question_about_the_user(tmp_path) -> None:
    """The reader knows whose season is asked for."""
    companion = companion_with(tmp_path, Written("Winter, of course."))
    companion.reader = Known(tells=0.9, about_her="season")
    assert companion.turn("my season is autumn, yours?").reply == "Winter, of course."
    assert companion.examples.about_her == "season" and companion.llm.asked == []


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
    companion.examples.written = lambda message: []  # the model is asked first
    turn = companion.turn("our talk again")
    assert (turn.outcome, turn.reply) == ("answered", "We stay friends.")


class Acts:
    """Knows one answer to every message, two to none."""

    def answers(self, reading, message: str, language: str):
        return [GeneralAnswer("bored", language, "A yawn? Tell me more.", "sleepy", 0.4)]


def test_what_fits_any_such_message_comes_after_what_was_written_for_it(tmp_path) -> None:
    companion = companion_with(tmp_path, Written("Winter, of course."))
    companion.acts = Acts()
    assert companion.turn("what is your favourite season?").reply == "Winter, of course."
    companion.examples = Written()
    turn = companion.turn("nothing to do all day")
    assert (turn.reply, turn.expression, turn.intensity) == ("A yawn? Tell me more.", "sleepy", 0.4)
    assert companion.turn("nothing to do all day").reply == "Words of the model.", "said already"


def test_what_she_remembers_is_for_the_model(tmp_path) -> None:
    companion = companion_with(tmp_path, Written())
    companion.acts = Acts()
    companion.memory.add("tester", "pet", "a cat named Pixel")
    turn = companion.turn("my cat Pixel is the pet")
    assert turn.recalled and turn.reply == "Words of the model."


def test_acts_that_fail_leave_the_model(tmp_path) -> None:
    companion = companion_with(tmp_path, Written())
    companion.acts = object()
    assert companion.turn("nothing to do all day").reply == "Words of the model."


@pytest.mark.parametrize(
    ("message", "plain"),
    [("Good night, Oh-LoRA!", "Good night!"), ("오로라 안녕", "안녕"), ("오로라야, 나 왔어", "나 왔어"),
     ("오로라", "오로라"), ("Who is Oh-LoRA?", "Who is Oh-LoRA?"), ("네 이름이 오로라야?", "네 이름이 오로라야?"),
     ("Oh-LoRA!", "Oh-LoRA!")],
)  # fmt: skip
def test_her_name_alone_says_nothing_about_her(message: str, plain: str) -> None:
    assert without_address(message) == plain
