"""The comparison of ways to train: the same rows for all, and a loss that belongs to the right line."""

from __future__ import annotations

import json

import pytest
import torch

from ohlora.config import PRETRAINED, load_profile
from ohlora.evaluation.sft_comparison import LINES, WAYS, Way, compare, loss_of_lines, rows_of_lines
from ohlora.llm.adapter import LoraSettings
from ohlora.llm.dialogues import load_dialogues, split_dialogues
from ohlora.llm.model_files import load_base_model
from ohlora.llm.sft import SftSettings, rows_for


def test_a_row_is_cut_into_its_lines() -> None:
    rows = [{"prompt": "p", "completion": "happy 0.5\nHi!\nmemory: none<end_of_turn>"}]
    assert rows_of_lines(rows, LINES) == rows
    assert rows_of_lines(rows, ["reply"])[0]["completion"] == "Hi!\n"
    assert rows_of_lines(rows, ["memory"])[0]["completion"] == "memory: none<end_of_turn>"


def test_the_losses_of_the_lines_add_up() -> None:
    profile = load_profile("embedded")
    model, tokenizer = load_base_model(profile)
    _, held_out = split_dialogues(load_dialogues())
    rows = rows_for(profile, tokenizer, [min(held_out, key=lambda one: len(one.prompt()))])
    found = loss_of_lines(model, tokenizer, rows, LINES)
    ids = tokenizer(rows[0]["prompt"] + rows[0]["completion"], return_tensors="pt")["input_ids"]
    begin = tokenizer(rows[0]["prompt"], return_tensors="pt")["input_ids"].shape[1]
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        logits = model(ids).logits[0, begin - 1 : -1].float()
    whole = torch.nn.functional.cross_entropy(logits, ids[0, begin:], reduction="sum").item()
    assert sum(found.values()) == pytest.approx(whole, rel=0.05)


def test_a_way_is_trained_once_and_scored() -> None:
    training, held_out = split_dialogues(load_dialogues())
    short = sorted(training, key=lambda one: len(one.prompt()))[:8]
    settings = SftSettings(max_steps=1, batch_size=2, warmup_steps=1)
    table = compare({"memory": Way(LoraSettings(rank=2), lines=("memory",))}, short, held_out[:1], settings)
    assert table["memory"]["trained"] > 0 and "reply" not in table["memory"] and "reply" in table["base model"]
    assert compare({"memory": Way(LoraSettings())}, short, held_out[:1], settings, done=dict(table)) == table


def test_every_way_was_compared() -> None:
    stored = json.loads((PRETRAINED / "sft_comparison.json").read_text(encoding="utf-8"))
    assert set(stored["ways"]) == {"base model", *WAYS} and stored["held_out"] >= 100
    base = stored["ways"].pop("base model")
    assert all(way[line] < base[line] for way in stored["ways"].values() for line in LINES if line in way)
