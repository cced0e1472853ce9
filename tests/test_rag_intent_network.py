"""The network of intents: taught in a few steps, saved, read again, refused where it does not fit."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ohlora.rag.e5_network import batches_of_like_length
from ohlora.rag.intent_network import IntentNetwork, load_intent_network
from ohlora.rag.intent_network_training import TrainingSettings, save_intent_network, train_intent_network
from ohlora.rag.intents import act_of_intent
from ohlora.weights import WeightsError, load_weights, save_weights

SETTINGS = TrainingSettings(epochs=2, batch_size=2, rank=2, warm_up=2)
CARD = {
    **{name: "" for name in ("data", "command", "licence")},
    **{"seed": 0, "metrics": {}, "intents": list(act_of_intent()), "lora": {"rank": 2, "alpha": 4}},
}


@pytest.fixture(scope="module")
def taught() -> IntentNetwork:
    return train_intent_network(
        ["hello", "나 왔어", "so tired", "잘 자"], ["hello", "comes_back", "sleepy", "good_night"], SETTINGS
    )


@torch.no_grad()
def test_what_is_saved_is_what_was_taught(taught: IntentNetwork, tmp_path: Path) -> None:
    path = save_intent_network(tmp_path / "intents.safetensors", taught, CARD)
    tokens = taught.tokens(["hello there", "오늘은 진짜 피곤하다", "가" * 600])
    expected, found = taught(tokens), load_intent_network(path)(tokens)
    assert found.shape == (3, len(act_of_intent())) and torch.equal(found.argmax(1), expected.argmax(1))
    assert torch.allclose(found, expected, atol=0.2), "bfloat16 rounds, and the adapter is added to its weights"


@torch.no_grad()
def test_a_message_counts_alone_whatever_stands_beside_it() -> None:
    network = load_intent_network()
    tokens = network.tokens(["hi", "a much longer message that brings padding to the short one beside it"])
    assert torch.allclose(network(tokens)[0], network(tokens[:1])[0], atol=1e-3)


def test_weights_that_do_not_fit_are_refused(taught: IntentNetwork, tmp_path: Path) -> None:
    path = save_intent_network(tmp_path / "others.safetensors", taught, {**CARD, "intents": ["hello"]})
    with pytest.raises(WeightsError, match="knows other intents"):
        load_intent_network(path)
    tensors, _ = load_weights(save_intent_network(tmp_path / "whole.safetensors", taught, CARD))
    less = {name: tensor for name, tensor in tensors.items() if not name.startswith("head")}
    with pytest.raises(WeightsError, match="lacks parts"):
        load_intent_network(save_weights(tmp_path / "less.safetensors", less, CARD))


@given(st.lists(st.integers(1, 40), min_size=1, max_size=70), st.integers(1, 9), st.integers())
def test_batches_hold_every_row_once_a_round(lengths: list[int], size: int, seed: int) -> None:
    batches = batches_of_like_length(lengths, size, random.Random(seed))
    rows: list[int] = []
    while len(rows) < len(lengths):
        batch = next(batches)
        assert 0 < len(batch) <= size
        rows += batch
    assert sorted(rows) == list(range(len(lengths)))
