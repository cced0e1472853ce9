"""The reader of facts: what is told casually and in the middle of a talk, and the marks that it learned from."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from ohlora.config import DATA
from ohlora.rag import load_fact_reader, load_message_reader
from ohlora.rag.fact_reader_training import save_fact_reader, scores, train_fact_reader
from ohlora.rag.marked_messages import KINDS, is_held_out, messages_of_talks
from ohlora.rag.message_lessons import training_messages
from ohlora.rag.reader_training import TrainingSettings
from ohlora.weights import WeightsError, load_weights, save_weights

CARD = {"data": "", "seed": 0, "command": "", "metrics": {}, "licence": "", "lora": {"rank": 2, "alpha": 4}}


@pytest.fixture(scope="module")
def reader():
    return load_fact_reader()


@pytest.fixture(scope="module")
def talks():
    return messages_of_talks()


@pytest.mark.parametrize(
    ("message", "value"),
    [("요즘 도예 배우는데 흙이 손톱에서 안빠짐ㅋㅋ", "도예"), ("캠핑에 빠져서 월급이 다 텐트로 감", "캠핑"),
     ("나 다음달 7일에 토익보는데 공부 1도 안함", "다음달 7일"),
     ("been learning the cello and the neighbours hate me", "cello")],
)  # fmt: skip
def test_what_is_told_in_passing_is_found(reader, message: str, value: str) -> None:
    (told,) = reader.read_all([(message, "")])
    assert told.kinds[KINDS.index("other")] < 0.5
    assert value in told.facts[0].value


def test_her_question_gives_a_short_answer_its_meaning(reader) -> None:
    alone, answered = reader.read_all([("도예!", ""), ("도예!", "요즘 취미로 하는 거 있어?")])
    assert answered.kinds[KINDS.index("adds")] > alone.kinds[KINDS.index("adds")]
    assert answered.facts[0].key == "취미"


def test_talks_are_read(talks) -> None:
    """Minimum function in the middle of talks that no training saw: of those where nothing is told, a fifth."""
    rows = [row for row in talks if is_held_out(row)]
    rows = [row for row in rows if row.operations] + [row for row in rows if not row.operations][::5]
    found = scores(load_message_reader(), rows)
    assert found["f1"] >= 0.55 and found["false_stores"] <= 0.08 and found["n"] >= 150


def test_marks_belong_to_messages_of_talks(talks) -> None:
    told = [row for row in talks if row.operations]
    lines = (DATA / "memory" / "told_in_talk.jsonl").read_text(encoding="utf-8").splitlines()
    marks = {(row["she"], row["message"]) for row in map(json.loads, lines)}
    assert {(row.before, row.message) for row in told} == marks and len(talks) >= 10000
    for row in told:
        assert all(one.kind == "forget" or one.value in row.message for one in row.operations), row


def test_nothing_that_it_is_measured_on_teaches_it(talks) -> None:
    taught = {row.message for row in training_messages(talks=True) if len(row.message) >= 12}
    tested = {row.message for row in talks if is_held_out(row) and row.operations}
    for name in ("benchmark", "development"):
        for line in (DATA / "memory" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            tested |= {message["user"] for part in json.loads(line)["sessions"] for message in part["messages"]}
    lines = (DATA / "memory" / "in_talk.jsonl").read_text(encoding="utf-8").splitlines()
    tested |= {json.loads(line)["message"] for line in lines}
    assert not taught & tested
    assert not {row.family for row in training_messages()} & {row.family for row in talks}, (
        "what builds on the reader of messages is measured on talks"
    )


def test_messages_of_any_length_are_read(reader) -> None:
    for message in ("", "?", "가" * 4000, "🎂" * 300, "\u200b"):
        (told,) = reader.read_all([(message, "x" * 500)])
        assert told.kinds.sum() == pytest.approx(1, abs=1e-4)
    assert reader.read_all([("", "고양이 이름이 뭐야?")])[0].topic == ""
    assert reader.read_all([]) == []


def test_training_is_repeatable_and_is_kept(tmp_path) -> None:
    rows = training_messages()[::80]
    settings = TrainingSettings(epochs=0.5, batch_size=16, adapter_rate=1e-2, rank=2)
    first, again = (train_fact_reader(rows, settings) for _ in range(2))
    torch.testing.assert_close(first.network.tag[1].weight, again.network.tag[1].weight)
    loaded = load_fact_reader(weights=save_fact_reader(tmp_path / "fact_reader.safetensors", first, CARD))
    untaught = load_fact_reader(weights=save_fact_reader(tmp_path / "fresh.safetensors", _without_adapter(again), CARD))
    messages = [("my cat is called Pixel", ""), ("응 고슴도치", "혹시 동물 키워?")]
    for one, other, without in zip(*(each.read_all(messages) for each in (first, loaded, untaught)), strict=True):
        assert one.kinds == pytest.approx(other.kinds, abs=0.02)
        assert one.kinds != pytest.approx(without.kinds, abs=0.02), "the adapter makes a difference"


def test_training_goes_on_though_the_keys_have_changed(tmp_path) -> None:
    """After half a step at no rate the network is what it was; a key that is gone is gone, a new one is unlikely."""
    told = [row for row in training_messages() if row.operations]
    rows = [row for row in told if row.operations[0].key in ("job", "name", "pet")][:40]
    first = train_fact_reader(rows, TrainingSettings(epochs=0.5, batch_size=8, adapter_rate=1e-2, rank=2))
    tensors, card = load_weights(save_fact_reader(tmp_path / "first.safetensors", first, CARD))
    others = [row for row in rows if all(one.key != first.keys[0] for one in row.operations)]
    others += [replace(row, operations=(replace(row.operations[0], key="new"),)) for row in rows if row.operations][:4]
    settings = TrainingSettings(epochs=0.01, batch_size=8, adapter_rate=0.0, head_rate=0.0, rank=2)
    again = train_fact_reader(others, settings, (tensors, card))
    assert set(again.keys) == {*first.keys[1:], "new"}
    messages = [("my cat is called Pixel", ""), ("응 고슴도치", "혹시 동물 키워?"), ("나 스물셋", "")]
    for one, other in zip(first.read_all(messages), again.read_all(messages), strict=True):
        assert one.kinds == pytest.approx(other.kinds, abs=0.02)
    with pytest.raises(WeightsError, match="another network"):
        train_fact_reader(rows, settings, ({**tensors, "more.weight": torch.zeros(2)}, card))


def _without_adapter(reader):
    for name, weight in reader.network.named_parameters():
        if ".lora_B" in name:
            weight.data.zero_()
    return reader


def test_weights_of_another_network_are_refused(tmp_path) -> None:
    path = save_weights(tmp_path / "other.safetensors", {"head.weight": torch.zeros(2)}, {**CARD, "keys": ["age"]})
    with pytest.raises(WeightsError, match="fact_reader_training"):
        load_fact_reader(weights=path)
