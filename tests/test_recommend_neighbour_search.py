"""A million codes: what approximate indexes miss is measured, and the codes look like the real ones."""

from __future__ import annotations

import numpy as np
import pytest

from ohlora.evaluation.neighbour_search import many_codes, search_table


@pytest.fixture(scope="module")
def codes() -> np.ndarray:
    random = np.random.default_rng(0)
    return (random.normal(size=(400, 8)) @ random.normal(size=(8, 8)) + 3).astype(np.float32)


def test_many_codes_keep_mean_and_covariance_and_are_new(codes):
    many = many_codes(codes, 20_000, seed=1)
    assert many.shape == (20_000, 8) and many.dtype == np.float32
    np.testing.assert_allclose(many.mean(axis=0), codes.mean(axis=0), atol=0.15)
    np.testing.assert_allclose(np.cov(many.T), np.cov(codes.T), atol=0.08 * np.cov(codes.T).max())
    assert len(np.unique(many, axis=0)) == len(many)
    with pytest.raises(ValueError, match="codes has 1 rows"):
        many_codes(codes[:1], 10)


def test_exact_search_misses_nothing_and_a_wider_search_misses_less(codes):
    many = many_codes(codes, 6000, seed=1)
    indexes = (("Flat", "", (0,)), ("IVF64,Flat", "nprobe", (1, 8, 64)), ("HNSW8,Flat", "efSearch", (10, 100)))
    table = search_table(many[:5900], many[5900:], indexes).set_index(["index", "setting"])
    recall = table.recall_at_10
    assert recall["Flat", "exact"] == 1 and recall["IVF64,Flat", "nprobe=64"] == 1
    assert recall["IVF64,Flat", "nprobe=1"] < recall["IVF64,Flat", "nprobe=8"]
    assert recall["HNSW8,Flat", "efSearch=10"] < recall["HNSW8,Flat", "efSearch=100"]
    assert (table[["median_ms", "p95_ms", "megabytes", "build_seconds"]] >= 0).all(axis=None)
    with pytest.raises(ValueError, match="vectors has 5 rows"):
        search_table(many[:5], many[:1])
