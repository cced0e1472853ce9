"""The classifier of messages: it knows a told fact from a question about it, and both from talk."""

from __future__ import annotations

import numpy as np
import pytest
from companion_parts import LetterEmbedder

from ohlora.llm.dialogues import load_dialogues, split_dialogues
from ohlora.rag import load_embedder, load_message_kinds
from ohlora.rag.message_kind import KINDS, save_message_kinds
from ohlora.rag.message_kind_training import labelled_messages, train_message_kinds
from ohlora.rag.relevance import load_dialogue_questions
from ohlora.weights import load_weights


@pytest.fixture(scope="module")
def embedder():
    return load_embedder("embedded")


@pytest.fixture(scope="module")
def kinds(embedder):
    return load_message_kinds(embedder)


@pytest.mark.parametrize(
    ("message", "asks"),
    [("내 생일 언제라고 했는지 기억나?", True), ("what did I say my brother is called?", True),
     ("파이썬에서 리스트는 어떻게 정렬해?", False), ("오늘 진짜 피곤하다", False),
     ("what's the capital of France?", False)],
)  # fmt: skip
def test_questions_about_what_was_told_are_known(kinds, message: str, asks: bool) -> None:
    kind = kinds.of(message)
    assert kind.may_ask if asks else not kind.surely_asks


def test_told_facts_may_be_stored(kinds) -> None:
    for message in (
        "내 이름은 예나야",
        "나 다음 주에 부산으로 이사 가",
        "I'm allergic to peanuts",
        "my sister lives in Oslo",
    ):
        assert kinds.of(message).may_tell


def test_held_out_messages_are_told_apart(kinds, embedder) -> None:
    """Minimum function on families that no training saw."""
    _, held_out = split_dialogues(load_dialogues())
    messages = labelled_messages(held_out, load_dialogue_questions("evaluation"))
    truth = np.array([kind for _, kind, _ in messages])
    found = kinds.probabilities(embedder.embed_queries([text for text, _, _ in messages]))
    assert ((found[:, 1] >= kinds.may_tell)[truth == 1]).mean() >= 0.9
    assert ((found[:, 2] >= kinds.may_ask)[truth == 2]).mean() >= 0.6
    assert ((found[:, 2] >= kinds.may_ask)[truth != 2]).mean() <= 0.06


def test_training_is_repeatable_and_is_kept(tmp_path) -> None:
    training, _ = split_dialogues(load_dialogues())
    messages = labelled_messages(training, load_dialogue_questions("training"))[::9]
    assert {kind for _, kind, _ in messages} == set(range(len(KINDS)))
    first, card = train_message_kinds(LetterEmbedder(), messages)
    again, _ = train_message_kinds(LetterEmbedder(), messages)
    np.testing.assert_array_equal(first.coefficients, again.coefficients)
    path = save_message_kinds(tmp_path / "kinds.safetensors", first, card)
    tensors, read = load_weights(path)
    assert tensors["coefficients"].shape == (3, 64) and read["embedder"] == "letters"
