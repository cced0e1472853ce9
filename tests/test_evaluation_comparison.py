"""The comparison of ways to train, on a corpus of coloured squares: it trains, scores, draws, and goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ohlora.evaluation.renders import corpus_judges
from ohlora.evaluation.training_comparison import WAYS, compare, shrink_corpus
from ohlora.portraits import VECTOR_SIZE
from ohlora.stylegan import GeneratorConfig
from ohlora.stylegan.training_config import Phase, TrainingConfig


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    dice = np.random.default_rng(0)
    folder = tmp_path / "corpus_32"
    folder.mkdir()
    for shard in range(2):
        images = dice.integers(0, 256, (12, 32, 32, 3)).astype(np.uint8)
        masks = dice.integers(0, 9, (12, 32, 32)).astype(np.uint8)
        u = dice.standard_normal((12, VECTOR_SIZE)).astype(np.float32)
        alpha = np.full((12, 32, 32), 255, np.uint8)
        np.savez(folder / f"shard_{shard:05d}.npz", images=images, masks=masks, alpha=alpha, u=u)
    return folder


def test_shrunk_corpora_keep_everything_but_the_size(corpus: Path) -> None:
    small = shrink_corpus(corpus, corpus.parent / "small", 16)
    with np.load(corpus / "shard_00001.npz") as large, np.load(small / "shard_00001.npz") as shard:
        assert shard["images"].shape == (12, 16, 16, 3) and shard["masks"].shape == shard["alpha"].shape == (12, 16, 16)
        assert np.array_equal(shard["u"], large["u"])
        assert shard["images"][0, 0, 0, 0] == pytest.approx(large["images"][0, :2, :2, 0].mean(), abs=1)


def test_every_way_is_scored_beside_the_floor(corpus: Path) -> None:
    config = TrainingConfig(
        corpus=corpus,
        folder=corpus.parent / "runs",
        output=corpus.parent / "weights.safetensors",
        steps=1,
        generator=GeneratorConfig(channels=(8, 8, 8, 8), w_dim=16, mapping_layers=2),
        phases=(Phase(1.0, 1, 4, adversarial=True),),
    )
    ways = {name: WAYS[name] for name in ("paired", "adversarial, convolutional")}
    picture = corpus.parent / "sheet.png"
    table = compare(config, ways, corpus_judges(corpus), picture, people=4)
    assert set(table) == {*ways, "renders"} and picture.exists()
    assert {"steps", "fid", "kid_times_1000", "heldout_l1"} <= set(table["paired"])
    assert "heldout_l1" not in table["adversarial, convolutional"]  # it knows no pairs
    assert table["renders"]["fid"] < table["paired"]["fid"]
    assert compare(config, ways, corpus_judges(corpus), picture, people=4)["paired"]["steps"] == 1  # trained once only
