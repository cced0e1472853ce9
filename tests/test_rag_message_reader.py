"""The reader of messages: which tell something, which words are the fact, and the rows that it learned from."""

from __future__ import annotations

import itertools
import json
import random
import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ohlora.config import DATA
from ohlora.evaluation.llm import persona_questions
from ohlora.llm.dialogues import load_dialogues, root_family, split_dialogues
from ohlora.rag import load_message_reader
from ohlora.rag.e5_model import read_e5
from ohlora.rag.fact_reader_training import scores
from ohlora.rag.marked_messages import (
    KINDS,
    facts_about_her,
    is_held_out,
    load_marked_messages,
    memory_questions,
    messages_of_dialogues,
    questions_about_her,
)
from ohlora.rag.message_lessons import after_any_line, lesson_of_message, training_messages, training_sentences
from ohlora.rag.message_reader_training import (
    save_message_reader,
    set_thresholds,
    train_message_reader,
)
from ohlora.rag.reader_training import TrainingSettings
from ohlora.rag.relevance import load_dialogue_questions
from ohlora.rag.tagged_words import TAGS, encode, tagged_words, whole_words
from ohlora.weights import load_weights


@pytest.fixture(scope="module")
def reader():
    return load_message_reader()


@pytest.fixture(scope="module")
def told():
    return load_marked_messages()


@pytest.mark.parametrize(
    ("message", "key", "value"),
    [("내 이름은 예나야", "이름", "예나"), ("I'm allergic to peanuts", "allergy", "peanuts"),
     ("나 간호사로 일해", "직업", "간호사"), ("my name is Robin", "name", "Robin")],
)  # fmt: skip
def test_plain_facts_are_found(reader, message: str, key: str, value: str) -> None:
    found = reader.read(message)
    assert found.tells_something and not found.surely_asks
    assert found.facts[0].key == key and found.facts[0].value.startswith(value)
    assert len(found.facts[0].value) <= len(value) + 1, "at most a particle more"


@pytest.mark.parametrize(
    ("message", "asks"),
    [("내 생일 언제라고 했는지 기억나?", True), ("what did I say my brother is called?", True),
     ("파이썬에서 리스트는 어떻게 정렬해?", False), ("오늘 진짜 피곤하다", False),
     ("what's the capital of France?", False)],
)  # fmt: skip
def test_questions_about_what_was_told_are_known(reader, message: str, asks: bool) -> None:
    found = reader.read(message)
    assert found.may_ask if asks else not found.surely_asks
    assert not found.tells_something


def test_her_last_line_tells_what_a_short_answer_means(reader) -> None:
    assert reader.read("응 고슴도치", "혹시 동물 키워?").tells > reader.read("응 고슴도치").tells


def test_held_out_messages_are_read(reader, told) -> None:
    """Minimum function on a sixth of what no training saw, by families."""
    found = scores(reader, [row for row in told if is_held_out(row)][::6])
    assert found["f1"] >= 0.7 and found["false_stores"] <= 0.08 and found["n"] >= 250


def test_held_out_dialogues_are_read(reader) -> None:
    """Minimum function, and a line of hers before a message does not confuse."""
    dialogues = messages_of_dialogues(split_dialogues(load_dialogues())[1])
    found = scores(reader, dialogues)
    assert found["f1"] >= 0.65 and found["false_stores"] <= 0.05
    later = after_any_line(dialogues, split_dialogues(load_dialogues())[1], random.Random(0))
    some = [row for number, row in enumerate(dialogues) if row.operations or number % 3 == 0]
    some_later = [row for number, row in enumerate(later) if row.operations or number % 3 == 0]
    assert scores(reader, some_later)["f1"] >= scores(reader, some)["f1"] - 0.1


def test_long_and_strange_messages_are_read(reader) -> None:
    for message in ("가" * 4000, "🎂" * 300, "?", "\u200b", "a\tb\nc"):
        assert 0 <= reader.read(message, "x" * 500).tells <= 1


def test_rows_say_what_they_mark(told) -> None:
    """Values stand word for word in their messages; nothing is there twice, on both sides, or in the benchmark."""
    for row in told:
        for one in row.operations:
            assert one.kind == "forget" or one.value in row.message, row
    messages = [row.message for row in told]
    assert len(messages) == len(set(messages)) >= 4000
    assert {row.kind for row in told} == set(KINDS) - {"asks"}
    benchmark = [json.loads(line) for line in (DATA / "memory" / "benchmark.jsonl").open(encoding="utf-8")]
    said = {message["user"] for row in benchmark for part in row["sessions"] for message in part["messages"]}
    assert not said & set(messages)
    trained = {row.family for row in training_messages()}
    held_out = {row.family for row in told if is_held_out(row)}
    held_out |= {row.family for row in messages_of_dialogues(split_dialogues(load_dialogues())[1])}
    held_out |= {row.family for row in memory_questions(load_dialogue_questions("calibration"))}
    assert not trained & held_out


def test_tokens_of_a_value_are_marked(told) -> None:
    _, tokenizer = read_e5()
    row = next(row for row in told if row.operations and row.operations[0].kind == "add" and row.before)
    lesson = lesson_of_message(row, tokenizer, [row.operations[0].key], [])
    marked = [place for place, tag in zip(lesson.encoded.places, lesson.tags, strict=True) if tag > 0]
    assert row.operations[0].value in row.message[marked[0][0] : marked[-1][1]]
    assert lesson.facts[0][1] == 0 and lesson.tags.count(TAGS.index("begin")) == len(row.operations)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.integers(0, 5))
def test_runs_of_words_lie_in_the_message(inside: list[float], context: int) -> None:
    begins = [probability / 2 for probability in inside]
    tags = np.array(
        [[1 - p, b, p - b] for p, b in zip([0.9] * context + inside, [0.1] * context + begins, strict=True)]
    )
    places = [(0, 0)] * context + [(number, number + 1) for number in range(len(inside))]
    runs = tagged_words(tags, places)
    assert all(context <= first < last <= len(places) for first, last, _ in runs)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(runs))


@pytest.mark.parametrize(
    ("message", "piece", "whole"),
    [("allergic to peanuts!", "peanut", "peanuts"), ("자몽을 좋아해", "자몽", "자몽"), ("홍차를", "차", "홍차"),
     ("on the 18th", "8", "18th"),
     ("café", "af", "café"), ("a b", " ", " ")],
)  # fmt: skip
def test_words_are_not_cut(message: str, piece: str, whole: str) -> None:
    first = message.index(piece)
    begin, end = whole_words(message, first, first + len(piece))
    assert message[begin:end] == whole


def test_half_a_word_is_no_part_of_a_value(reader) -> None:
    found = [fact.value for fact in reader.read("이제 커피 말고 홍차 마셔").facts]
    assert found[0] == "홍차"


def test_places_point_into_the_message() -> None:
    _, tokenizer = read_e5()
    message = "우리 고양이 나비 is 3 years old"
    encoded = encode(tokenizer, message, "정말?")
    words = "".join(message[first:last] for first, last in encoded.places)
    assert words.replace(" ", "") == message.replace(" ", "")


def test_questions_about_her_are_apart_from_those_that_are_scored() -> None:
    rows = questions_about_her()
    assert len(rows) >= 1500 and {row.about_her for row in rows} == {"", *facts_about_her()}
    scored = {re.sub(r"\W", "", one.text.casefold()) for one in persona_questions(held_out=True)}
    assert not scored & {re.sub(r"\W", "", row.message.casefold()) for row in training_messages()}
    assert {root_family(one.family) for one in load_dialogues()} >= {
        family for families in facts_about_her().values() for family in families
    }


@pytest.mark.parametrize(
    ("message", "fact"),
    [("무슨 계절이 제일 좋아?", "season"), ("do you live by any motto?", "motto"), ("my sister is called Hana", ""),
     ("내가 좋아하는 색이 뭐라고 했지?", ""), ("파이썬에서 리스트는 어떻게 정렬해?", "")],
)  # fmt: skip
def test_questions_about_her_are_known(reader, message: str, fact: str) -> None:
    assert reader.read(message).about_her == fact


def test_held_out_questions_about_her_are_known(reader) -> None:
    """Minimum function on wordings that no training saw."""
    asked = persona_questions(held_out=True)
    found = reader.read_all([(one.text, "") for one in asked])
    assert np.mean([reading.about_her == one.fact for reading, one in zip(found, asked, strict=True)]) >= 0.75
    others = [row for row in messages_of_dialogues(split_dialogues(load_dialogues())[1]) if row.about_her == ""]
    found = reader.read_all([(row.message, row.before) for row in others])
    assert np.mean([bool(reading.about_her) for reading in found]) <= 0.05


def test_training_is_repeatable_and_is_kept(tmp_path) -> None:
    rows = [*training_messages()[::200], *memory_questions(load_dialogue_questions("calibration")[:1])]
    sentences = training_sentences()[::400]
    settings = TrainingSettings(epochs=0.5, rank=2)
    first, again = (train_message_reader(rows, sentences, settings) for _ in range(2))
    set_thresholds(first, rows)
    path = save_message_reader(
        tmp_path / "message_reader.safetensors", first,
        {"data": "", "seed": 0, "command": "", "metrics": {}, "licence": "", "lora": {"rank": 2, "alpha": 4}},
    )  # fmt: skip
    for head in ("tag", "moderation", "about_her"):
        one, other = (getattr(reader.network, head)[1].weight for reader in (first, again))
        torch.testing.assert_close(one, other)
    tensors, card = load_weights(path)
    assert (
        card["keys"] == first.keys
        and card["facts"] == first.facts
        and "layers.11.output.lora_A" in tensors
        and "kind.1.weight" in tensors
    )
