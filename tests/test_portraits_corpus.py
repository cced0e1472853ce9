"""The corpus on disk: reproducible shards, resuming, damage, the shipped sample."""

import numpy as np
import pytest

from ohlora.portraits import (
    TRUTH_NAMES,
    VECTOR_SIZE,
    PortraitParams,
    corpus,
    load_corpus,
    load_sample,
    render,
    render_corpus,
)

SIZE = 32


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(corpus, "SHARD", 3)


def make(folder, pairs=6, seed=1):
    return render_corpus(folder, pairs, SIZE, workers=1, seed=seed, progress=False)


def test_pairs_match_their_vectors_and_any_part_can_be_rendered_again(tmp_path):
    make(tmp_path / "all")
    whole = load_corpus(tmp_path / "all")
    assert whole.images.shape == (6, SIZE, SIZE, 3) and whole.masks.shape == (6, SIZE, SIZE)
    assert whole.u.shape == (6, VECTOR_SIZE) and whole.alpha.shape == whole.masks.shape
    assert list(whole.truth.columns) == list(TRUTH_NAMES)
    again = render(PortraitParams.from_vector(whole.u[4]), SIZE)
    np.testing.assert_array_equal(again.image, whole.images[4])
    np.testing.assert_array_equal(again.alpha, whole.alpha[4])
    np.testing.assert_array_equal(whole.u[3:], corpus.shard_vectors(1, 1))
    for limit in (2, 3, 4):
        part = load_corpus(tmp_path / "all", limit=limit)
        assert len(part) == len(part.truth) == len(part.u) == limit
        np.testing.assert_array_equal(part.images, whole.images[:limit])


def test_a_smaller_copy_keeps_brightness_and_classes(tmp_path):
    make(tmp_path, pairs=3)
    whole = load_corpus(tmp_path)
    small = whole.resized(SIZE // 2)
    assert small.images.shape == (3, SIZE // 2, SIZE // 2, 3) and small.alpha.shape == small.masks.shape
    np.testing.assert_allclose(small.images.mean((1, 2, 3)), whole.images.mean((1, 2, 3)), atol=1)
    for block in (slice(0, 2), slice(14, 16)):
        for mask, old in zip(small.masks, whole.masks, strict=True):
            assert np.bincount(old[block, block].ravel()).argmax() == mask[block.start // 2, block.start // 2]
    assert small.masks.dtype == small.alpha.dtype == np.uint8
    assert whole.resized(SIZE) is whole
    read_smaller = load_corpus(tmp_path, size=SIZE // 2)
    np.testing.assert_array_equal(read_smaller.masks, small.masks)
    np.testing.assert_array_equal(read_smaller.images, small.images)
    with pytest.raises(ValueError, match="size=64 is not allowed"):
        whole.resized(64)


def test_a_truncated_shard_is_rendered_anew_and_whole_ones_are_kept(tmp_path):
    first, second = make(tmp_path)
    before, kept = second.read_bytes(), first.stat().st_mtime_ns
    second.write_bytes(before[: len(before) // 2])
    (tmp_path / "shard_00001.npz.123.tmp").write_bytes(b"half-written by a killed run")
    with pytest.raises(ValueError, match=r"shard_00001\.npz is not a whole shard"):
        load_corpus(tmp_path)
    make(tmp_path)
    assert first.stat().st_mtime_ns == kept
    assert len(load_corpus(tmp_path)) == 6


def test_a_folder_of_another_seed_is_refused_and_left_alone(tmp_path):
    (shard,) = make(tmp_path, pairs=3, seed=1)
    before = shard.read_bytes()
    with pytest.raises(ValueError, match="holds another corpus"):
        make(tmp_path, pairs=3, seed=2)
    assert shard.read_bytes() == before


@pytest.mark.parametrize("arguments", [{"pairs": 0}, {"workers": 0}, {"seed": -1}])
def test_wrong_numbers_are_refused(tmp_path, arguments):
    name = next(iter(arguments))
    with pytest.raises(ValueError, match=f"{name}="):
        render_corpus(tmp_path, **{"pairs": 3, "size": SIZE} | arguments)
    assert not list(tmp_path.iterdir())


def test_an_empty_folder_and_a_wrong_limit_are_refused(tmp_path):
    with pytest.raises(ValueError, match="holds no shard"):
        load_corpus(tmp_path)
    with pytest.raises(ValueError, match="limit=0"):
        load_corpus(tmp_path, limit=0)


def test_the_shipped_sample_is_whole_and_not_from_the_training_seed():
    sample = load_sample()
    assert sample.images.shape == (192, 256, 256, 3) and sample.images.dtype == np.uint8 and sample.masks.max() <= 8
    assert sample.u.shape == (192, VECTOR_SIZE) and list(sample.truth.columns) == list(TRUTH_NAMES)
    assert corpus.SAMPLE.stat().st_size < 20e6
    assert not np.isin(sample.u[:, 0], corpus.shard_vectors(1, 0)[:, 0]).any()
    assert np.corrcoef(sample.truth["eyes"], sample.truth["lid_gap"])[0, 1] > 0.9
    again = render(PortraitParams.from_vector(sample.u[10]), 256)
    assert np.abs(again.image.astype(float) - sample.images[10]).mean() < 1.0
    assert np.abs(again.alpha.astype(float) - sample.alpha[10]).mean() < 1.0


def test_a_sample_is_stored_without_loss(tmp_path, monkeypatch):
    make(tmp_path, pairs=3)
    whole = load_corpus(tmp_path)
    monkeypatch.setattr(corpus, "SAMPLE", tmp_path / "sample.npz")
    corpus.save_sample(whole, corpus.SAMPLE)
    back = load_sample()
    for name in ("images", "masks", "alpha", "u"):
        np.testing.assert_array_equal(getattr(back, name), getattr(whole, name))
    np.testing.assert_allclose(back.truth, whole.truth, rtol=1e-6)
