"""Recomposition: a swapped background looks like a direct render with it."""

import numpy as np
import pytest

from ohlora.portraits import PortraitParams, render, sample_vectors
from ohlora.portraits.recomposition import BACKGROUND_COLUMNS, draw_backgrounds, recomposite

SIZE = 96


@pytest.fixture(scope="module")
def batch():
    u = sample_vectors(3, seed=21)
    portraits = [render(PortraitParams.from_vector(row), SIZE) for row in u]
    return np.stack([p.image for p in portraits]), np.stack([p.alpha for p in portraits]), u


def test_alpha_is_the_coverage_of_the_figure(batch):
    _, alpha, u = batch
    assert alpha.dtype == np.uint8 and alpha.shape == (3, SIZE, SIZE)
    mask = render(PortraitParams.from_vector(u[0]), SIZE).mask
    assert (mask[alpha[0] == 0] == 0).all() and (mask[alpha[0] == 255] > 0).all()
    assert 0 < ((alpha > 0) & (alpha < 255)).mean() < 0.2


def test_a_new_background_equals_a_direct_render(batch):
    images, alpha, u = batch
    new_u = draw_backgrounds(u, np.random.default_rng(3))
    assert (new_u[:, BACKGROUND_COLUMNS] != u[:, BACKGROUND_COLUMNS]).all()
    result = recomposite(images, alpha, u, new_u)
    direct = np.stack([render(PortraitParams.from_vector(row), SIZE).image for row in new_u])
    difference = np.abs(result.astype(int) - direct)
    assert difference.mean() < 0.1 and difference.max() <= 4
    assert np.abs(result.astype(int) - images).mean() > 5
    np.testing.assert_array_equal(result[alpha == 255], images[alpha == 255])


def test_the_same_background_changes_nothing(batch):
    images, alpha, u = batch
    assert np.abs(recomposite(images, alpha, u, u).astype(int) - images).max() <= 1


def test_vectors_that_differ_beside_the_background_are_refused(batch):
    images, alpha, u = batch
    other = u.copy()
    other[0, 0] += 1
    with pytest.raises(ValueError, match="only its background values may differ"):
        recomposite(images, alpha, u, other)
    with pytest.raises(ValueError, match="alpha is"):
        recomposite(images, alpha[:, 1:], u, u)
