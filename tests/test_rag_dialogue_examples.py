"""Examples beside a message: near ones, in its language, never from a family that is kept for the evaluation."""

from __future__ import annotations

import numpy as np
import pytest
from companion_parts import LetterEmbedder

from ohlora.config import load_profile
from ohlora.llm.dialogues import is_held_out, load_dialogues, parse_dialogue
from ohlora.llm.prompt import Example, build_prompt
from ohlora.rag import DialogueExamples, load_dialogue_examples, load_embedder
from ohlora.rag.answer_fit import FEATURES, AnswerFit
from ohlora.rag.dialogue_examples import COUNT, may_be_example
from ohlora.rag.embeddings import centred
from ohlora.weights import load_weights

ROWS = [
    ("name", "en", "what is your name", "I'm Oh-LoRA."), ("name", "en", "tell me your name", "Oh-LoRA!"),
    ("rain", "en", "it rains all day", "Good day for tea."), ("rain", "en", "so much rain today", "Stay dry!"),
    ("name", "ko", "이름이 뭐야", "오로라야."), ("rain", "ko", "비가 계속 와", "우산 챙겨!"),
]  # fmt: skip


def dialogue(number: int, family: str, language: str, user: str, reply: str, change: dict | None = None):
    row = {"id": f"small_talk-{language}-{family}-{number}", "family": family, "language": language, "history": [],
           "memories": [], "now": "2026-03-02T21:10", "user": user, "reply": reply, "expression": "happy",
           "intensity": 0.5, "memory": None}  # fmt: skip
    return parse_dialogue({**row, **(change or {})})


BY_COSINE = AnswerFit(
    np.array([40.0] + [0.0] * (len(FEATURES) - 1), np.float32), -34.0, np.zeros(len(FEATURES)), np.ones(len(FEATURES))
)
"""Fits from a cosine of .85."""


def by_letters(dialogues: list) -> DialogueExamples:
    """A finder whose embeddings are not moved."""
    embedder = LetterEmbedder()
    vectors = embedder.embed_queries([one.user for one in dialogues])
    return DialogueExamples(embedder, dialogues, vectors, np.zeros(64, np.float32), BY_COSINE)


@pytest.fixture(scope="module")
def finder() -> DialogueExamples:
    dialogues = [dialogue(number, *row) for number, row in enumerate(ROWS)]
    embedder = LetterEmbedder()
    embeddings = embedder.embed_queries([one.user for one in dialogues])
    centre = embeddings.mean(axis=0)
    return DialogueExamples(embedder, dialogues, centred(embeddings, centre), centre, BY_COSINE)


def test_the_nearest_come_first_and_in_the_language_of_the_message(finder: DialogueExamples) -> None:
    assert [one.reply for one in finder.nearest("what's your name?")] == ["I'm Oh-LoRA.", "Oh-LoRA!"]
    assert [one.reply for one in finder.nearest("이름이 뭔데", count=1)] == ["오로라야."]
    assert len(finder.nearest("rain")) == COUNT


def test_only_what_means_the_same_has_a_written_answer(finder: DialogueExamples) -> None:
    assert [one.reply for one in finder.written("what is your name?")] == ["I'm Oh-LoRA."]
    assert finder.written("what is the weather like in Oslo in June") == []


def test_a_question_about_her_finds_dialogues_about_that_fact() -> None:
    dialogues = [
        dialogue(1, "name_intro", "en", "what is your name", "I'm Oh-LoRA."),
        dialogue(2, "rain", "en", "who likes rain", "Stay dry!"),
    ]
    both = by_letters(dialogues)
    asked = "who, in this rain, am I talking to"
    assert [one.reply for one in both.nearest(asked, about_her="name")] == ["I'm Oh-LoRA."]
    assert [one.reply for one in both.written(asked, about_her="name")] == ["I'm Oh-LoRA."]
    assert both.written(asked) == [] and both.written(asked, about_her="motto") == []


def test_polite_korean_is_for_who_speaks_so() -> None:
    dialogues = [
        dialogue(1, "mood", "ko", "오늘 힘들었어", "정말 고생하셨어요."),
        dialogue(2, "tea", "ko", "차 마셨어", "좋겠다!"),
    ]
    both = by_letters(dialogues)
    assert both.written("오늘 힘들었어") == [] and len(both.written("차 마셨어")) == 1


def test_a_training_row_is_never_its_own_example(finder: DialogueExamples) -> None:
    dialogues = finder._dialogues
    found = finder.neighbours(dialogues, finder._vectors, share=1.0, seed=0)
    assert set(found) == {one.id for one in dialogues}
    assert all(name not in near for name, near in found.items())
    families = {one.id: one.family for one in dialogues}
    without = [name for name, near in found.items() if families[name] not in {families[one] for one in near}]
    assert 0 < len(without) < len(found), "some rows must see examples that do not fit"
    assert finder.neighbours(dialogues, finder._vectors, share=0.0, seed=0) == {}


@pytest.mark.parametrize(
    "change",
    [
        {"id": "memory-ko-x-1"},
        {"family": "time_morning"},
        {"history": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hi!"}]},
        {"memory": {"kind": "add", "key": "name", "value": "Bob"}},
        {"memories": ["name: Mina"], "reply": "You are Mina!"},
    ],
)
def test_what_hangs_on_something_else_is_no_example(change: dict) -> None:
    assert may_be_example(dialogue(1, *ROWS[0]))
    assert not may_be_example(dialogue(1, *ROWS[0], change))


def test_no_shipped_example_is_kept_for_the_evaluation() -> None:
    _, card = load_weights(load_profile("embedded").llm.examples)
    by_id = {one.id: one for one in load_dialogues()}
    known = [by_id[name] for name in card["dialogues"] if name in by_id]
    assert len(known) > 2000 and not [one.id for one in known if is_held_out(one)]


def test_the_shipped_ones_know_what_is_asked_about_her() -> None:
    examples = load_dialogue_examples("embedded", load_embedder("embedded"))
    assert any("AI" in one.reply for one in examples.nearest("Are you a real human being?"))
    assert any("겨울" in one.reply for one in examples.nearest("무슨 계절 좋아해?"))


def test_another_embedding_model_is_refused() -> None:
    with pytest.raises(ValueError, match="made with the embedding model"):
        load_dialogue_examples("embedded", LetterEmbedder())


def test_examples_stand_in_the_note_and_go_first_when_there_is_no_room() -> None:
    examples = [Example("who are you | <end_of_turn>", "happy", "Oh-LoRA!"), Example("name?", "shy", "Oh-LoRA.")]
    messages = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "hi"},
                {"role": "user", "content": "and your name?"}]  # fmt: skip
    prompt = build_prompt(messages, ("pet: cat",), examples=examples)
    assert "pet: cat\n~ who are you ¦ ‹end_of_turn> → happy: Oh-LoRA!\n~ name? → shy: Oh-LoRA.<end_of_turn>" in prompt
    short = build_prompt(messages, ("pet: cat",), examples=examples, count_tokens=len, limit=len(prompt) - 1)
    assert "who are you" in short and "name? →" not in short and "hello" in short
