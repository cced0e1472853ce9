"""The cross-encoder finds which of the things that were said holds what is asked for."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from ohlora.rag.cross_encoder import CrossEncoder, load_cross_encoder, sayable
from ohlora.rag.cross_encoder_training import (
    AskedTexts,
    TrainingSettings,
    _with_others,
    asked_memories,
    asked_over_days,
    asking_metrics,
    load_asked,
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


@pytest.mark.parametrize(
    ("question", "text", "words"),
    [
        ("what's my dog called?", SAID[0], "Biscuit"),
        ("where do I live?", SAID[1], "Leeds"),
        ("우리집 고슴도치 이름 뭐게", "집 오니까 밤송이가 반겨줌. 우리집 고슴도치 이름임", "밤송이"),
    ],
)
def test_it_marks_the_words_that_answer(shipped: CrossEncoder, question: str, text: str, words: str) -> None:
    assert shipped.answering_words(question, text).words == words


@pytest.mark.parametrize("text", ["", " ", "?!", "ㅋㅋ", "🙂", "a" * 900, "가" * 900, "(([[“"])
def test_words_of_any_text_stand_in_it(shipped: CrossEncoder, text: str) -> None:
    found = shipped.answering_words("where do I live?", text)
    assert found.words in text and 0 <= found.probability <= 1


@pytest.mark.parametrize(
    ("text", "marked", "words"),
    [
        ("paid $40.50 for it", "40", "$40.50"),
        ("i run at 10:30", "30", "10:30"),
        ("매달 30만 넣는다", "30만", "30만"),
        ("첼로 켜는데", "첼로", "첼로"),
        ("밤송이가 반겨줌", "밤송이", "밤송이"),
        ("헐대박발표금요일로미뤄짐", "금요일", "금요일"),
        ("she is called Mochi!", "och", "Mochi"),
        ("테니스 치러 가", "테니스 ", "테니스"),
    ],
)
def test_words_are_whole(text: str, marked: str, words: str) -> None:
    first = text.index(marked)
    assert sayable(text, first, first, first + len(marked)) == words


def test_talks_that_taught_nothing(shipped: CrossEncoder) -> None:
    """Minimum function, on a part; the card's figures are of all. The vectors alone find the right text in .43."""
    found = asking_metrics(shipped, load_told(held_out=True)[::12])
    assert found["first"] > 0.45 and found["silent"] > 0.35 and found["words"] > 0.35
    whole = load_weights("cross_encoder")[1]["metrics"]["talks_that_taught_nothing"]
    assert whole["first"] > 0.6 and whole["silent"] > 0.5 and whole["words"] > 0.5
    assert whole["n"] == len(load_told(held_out=True))


def test_what_teaches_is_apart_from_what_tests() -> None:
    taught = {(one.question, one.texts) for one in load_told(held_out=False)}
    assert not taught & {(one.question, one.texts) for one in load_told(held_out=True)}
    assert not set(asked_memories("training")) & set(asked_memories("calibration"))
    assert not set(asked_over_days("training")) & set(asked_over_days("calibration"))
    calibrating = {one.texts for one in asked_over_days("calibration")}
    assert calibrating and not calibrating & {one.texts for one in load_asked()}


def test_the_answer_is_among_the_texts() -> None:
    asked = [*load_told(held_out=False), *load_told(held_out=True), *asked_over_days("training"), *load_asked()]
    for one in asked:
        assert not one.words or one.words in one.texts[one.answer]
        assert all(0 <= place < len(one.texts) for place in (*one.also, *([] if one.answer is None else [one.answer])))
        assert one.answer not in one.also
    assert any(one.answer is None for one in asked) and any(one.also for one in asked)


def test_nobody_is_asked_about_twice() -> None:
    """A user of asked.jsonl has questions nowhere else, and none of them twice."""
    elsewhere = {one.texts for one in [*asked_over_days("training"), *load_told(held_out=True)]}
    asked = load_asked()
    assert not elsewhere & {one.texts for one in asked}
    assert len({(one.question, one.texts) for one in asked}) == len(asked)


@pytest.mark.parametrize("answer", [0, 2, None])
def test_another_right_text_is_never_taught_as_wrong(answer: int | None) -> None:
    one = AskedTexts("where?", tuple("abcdef"), answer, also=(1, 3))
    for seed in range(20):
        taught = _with_others(one, ["x", "y"], Random(seed))
        assert not {"b", "d"} & set(taught.texts)
        assert taught.answer is None if answer is None else taught.texts[taught.answer] == one.texts[answer]


def test_a_right_text_may_be_any_of_those_that_hold_the_answer() -> None:
    class LastIsBest:
        def scores(self, question: str, texts: tuple[str, ...]) -> np.ndarray:
            return np.arange(len(texts), dtype=np.float32)

    asked = [AskedTexts("where?", ("a", "b"), 0, also=(1,)), AskedTexts("where?", ("a", "b"), 0)]
    assert asking_metrics(LastIsBest(), asked)["first"] == 0.5


def test_training_learns_its_rows() -> None:
    asked = [
        AskedTexts("where is the cup?", ("in the cupboard", "the cup is here"), 1, words="here"),
        AskedTexts("why is the hat lost?", ("in the cupboard", "I gave it away and forgot to whom"), 1, words=""),
        AskedTexts("where is the car?", ("in the cupboard",), None),
    ]
    settings = TrainingSettings(epochs=30, questions=3, rank=2, head_rate=1e-2)
    taught = train_cross_encoder(asked, settings)
    found = asking_metrics(taught, asked)
    assert found["first"] == found["words"] == found["none_needed"] == 1.0 and found["marked"] == 2
    tensors = adapter_and_heads(taught.network)
    first, same = (adapter_and_heads(train_cross_encoder(asked, replace(settings, epochs=2)).network) for _ in "ab")
    assert first.keys() == same.keys() and all((first[name] == same[name]).all() for name in first)
    settings = replace(settings, epochs=0.1, adapter_rate=0.0, head_rate=0.0)
    gone_on = train_cross_encoder(asked, settings, tensors)
    assert gone_on.scores(asked[0].question, asked[0].texts) == pytest.approx(
        taught.scores(asked[0].question, asked[0].texts), abs=0.1
    )
