"""The cross-encoder finds which of the things that were said holds what is asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ohlora.rag.cross_encoder import CrossEncoder, load_cross_encoder
from ohlora.rag.cross_encoder_training import (
    AskedTexts,
    TrainingSettings,
    asked_memories,
    asked_over_days,
    asking_metrics,
    load_told,
    train_cross_encoder,
)
from ohlora.rag.tuned_embedder import adapter_and_heads
from ohlora.weights import load_weights

SAID = [
    "my dog is called Biscuit and he snores",
    "we moved to Leeds in spring",
    "I start at the bakery at four every day",
]


@pytest.fixture(scope="module")
def shipped() -> CrossEncoder:
    return load_cross_encoder()


@pytest.mark.parametrize(
    ("question", "right"),
    [("what do I call my pet again?", 0), ("where do I live these days", 1), ("when does my shift begin?", 2),
     ("내 강아지 이름이 뭐였지?", 0)],
)  # fmt: skip
def test_it_finds_what_is_asked_for(shipped: CrossEncoder, question: str, right: int) -> None:
    assert shipped.scores(question, SAID).argmax() == right


def test_scores_do_not_hang_on_the_order_or_on_each_other(shipped: CrossEncoder) -> None:
    texts = [*SAID, "ㅋㅋ", "🙂", "a" * 900]
    scores = shipped.scores("where do I live?", texts)
    assert scores.shape == (len(texts),) and np.isfinite(scores).all()
    np.testing.assert_allclose(shipped.scores("where do I live?", texts[::-1]), scores[::-1], atol=1e-3)
    assert shipped.scores("where do I live?", []).shape == (0,)


def test_talks_that_taught_nothing(shipped: CrossEncoder) -> None:
    """Minimum function; the vectors alone find the right sentence in .43."""
    asked = load_told(held_out=True)[::3]
    found = asking_metrics(shipped, asked)
    assert found["first"] > 0.6 and found["silent"] > 0.5
    whole = load_weights("cross_encoder")[1]["metrics"]["talks_that_taught_nothing"]
    assert whole["n"] == len(load_told(held_out=True))


def test_what_teaches_is_apart_from_what_tests() -> None:
    taught = {(one.question, one.texts) for one in load_told(held_out=False)}
    assert not taught & {(one.question, one.texts) for one in load_told(held_out=True)}
    assert not set(asked_memories("training")) & set(asked_memories("calibration"))
    assert not set(asked_over_days("training")) & set(asked_over_days("calibration"))


def test_the_answer_is_among_the_texts() -> None:
    asked = [*load_told(held_out=False), *load_told(held_out=True), *asked_over_days("training")]
    assert all(one.answer is None or 0 <= one.answer < len(one.texts) for one in asked)
    assert any(one.answer is None for one in asked)


def test_training_learns_its_rows() -> None:
    asked = [
        AskedTexts(f"where is the {name}?", ("in the cupboard", f"the {name} is here"), 1) for name in ("cup", "hat")
    ]
    asked.append(AskedTexts("where is the car?", ("in the cupboard",), None))
    settings = TrainingSettings(epochs=30, questions=3, rank=2)
    taught = train_cross_encoder(asked, settings)
    assert asking_metrics(taught, asked)["first"] == 1.0
    again = train_cross_encoder(asked, settings)
    tensors, same = adapter_and_heads(taught.network), adapter_and_heads(again.network)
    assert tensors.keys() == same.keys() and all((tensors[name] == same[name]).all() for name in tensors)
    settings = replace(settings, epochs=0.1, adapter_rate=0.0, head_rate=0.0)
    gone_on = train_cross_encoder(asked, settings, tensors)
    assert gone_on.scores(asked[0].question, asked[0].texts) == pytest.approx(
        taught.scores(asked[0].question, asked[0].texts), abs=0.1
    )
