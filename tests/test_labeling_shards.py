"""Shards of labelled portraits: every portrait once, resumed where it stopped, made again from two numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from ohlora.config import load_profile
from ohlora.images import to_images
from ohlora.labeling import PROPERTIES, load_labeler, shards
from ohlora.labeling.shards import ShardPlan, label_shard, latents, latents_of, merge_shards, read_table, write_table
from ohlora.stylegan import load_generator

PLAN = ShardPlan(count=10, shards=2, block=4)


@pytest.mark.parametrize(("count", "number", "block"), [(240_000, 16, 500), (10, 2, 4), (7, 7, 1), (1001, 3, 100)])
def test_every_portrait_is_in_one_shard(count: int, number: int, block: int) -> None:
    plan = ShardPlan(count, number, block=block)
    rows = [plan.rows(shard) for shard in range(number)]
    together = np.concatenate(rows)
    assert len(together) == len(np.unique(together, axis=0)) == count
    assert max(map(len, rows)) - min(map(len, rows)) <= 2 * block


@pytest.mark.parametrize("wrong", [{"count": 0}, {"shards": 4}, {"block": 0}])
def test_plans_that_make_no_sense_are_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ShardPlan(**({"count": 10, "shards": 2, "block": 4} | wrong))
    with pytest.raises(ValueError, match="shard=2"):
        PLAN.blocks_of(2)


def test_shards_are_resumed_merged_and_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, made = shards.label_portraits, []

    def interrupted(generator: object, labeler: object, seed: int, count: int) -> tuple:
        made.append(seed - shards.FIRST_SEED)
        if made == [1, 2]:
            raise KeyboardInterrupt
        return whole(generator, labeler, seed, count)

    monkeypatch.setattr(shards, "label_portraits", interrupted)
    with pytest.raises(KeyboardInterrupt):
        label_shard("embedded", PLAN, 1, tmp_path)
    assert not PLAN.path(tmp_path, 1).exists()
    label_shard("embedded", PLAN, 1, tmp_path)
    label_shard("embedded", PLAN, 1, tmp_path)
    assert made == [1, 2, 2], "whole blocks stay, a whole shard is left alone"
    with pytest.raises(ValueError, match="lacks shard_0000_of_0002"):
        merge_shards("embedded", PLAN, tmp_path)

    label_shard("embedded", PLAN, 0, tmp_path, pictures=32)
    assert np.load(tmp_path / f"pictures_{shards.FIRST_SEED}.npy").shape == (4, 32, 32, 3)
    table = read_table(merge_shards("embedded", PLAN, tmp_path))
    assert len(table) == 10
    assert not list((tmp_path / "blocks").iterdir()) and not list(tmp_path.rglob("*.tmp"))
    assert len(list(tmp_path.glob("pictures_*"))) == 1, "kept where it was asked"

    # The labels are those of the labeler, on the portraits that the two numbers make again.
    generator, labeler = load_generator("embedded"), load_labeler("embedded")
    some = table.iloc[[9, 2, 5]]
    images = to_images(generator.pictures(latents_of(generator, some)))
    assert np.allclose(labeler.measure(images), some[list(PROPERTIES)], atol=0.1)
    assert np.allclose(labeler.gender(images), some.gender, atol=0.05)
    raw = labeler.standardisation.raw(torch.from_numpy(some[list(PROPERTIES)].to_numpy()))
    assert np.allclose(raw, some[[f"raw_{name}" for name in PROPERTIES]], atol=1e-4)


def test_the_latents_of_a_seed_begin_alike() -> None:
    generator = load_generator("embedded")
    many = latents(generator, 5, 40)
    for count in (1, 3, 17, 39):
        assert (latents(generator, 5, count) == many[:count]).all()


def test_tables_of_other_weights_and_damaged_ones_are_refused(tmp_path: Path) -> None:
    table = pd.DataFrame({name: np.zeros(3) for name in shards.COLUMNS})
    path = write_table(tmp_path / "shard.npz", table, {"generator": "old"})
    assert read_table(path).attrs["weights"] == {"generator": "old"}
    with pytest.raises(ValueError, match="other weights"):
        read_table(path, shards.labelling_weights(load_profile("embedded")))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match="not a whole table"):
        read_table(path)
