"""Pictures become images and come back; an image of any size meets the size that a network knows."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ohlora.images import resize, shrink_pictures, to_images, to_pictures


def pictures(size: int, count: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def test_pictures_survive_the_round_trip() -> None:
    images = to_images(pictures(8))
    assert images.shape == (3, 3, 8, 8) and images.dtype == torch.float32 and images.abs().max() <= 1
    np.testing.assert_array_equal(to_pictures(images), pictures(8))


def test_what_is_out_of_range_is_clipped_and_half_levels_are_rounded() -> None:
    values = torch.tensor([-1.7, -1.0, 0.0, 1.0, 9.0]).view(1, 1, 1, 5).expand(1, 3, 5, 5)
    assert to_pictures(values)[0, 0, :, 0].tolist() == [0, 0, 128, 255, 255]


@pytest.mark.parametrize(("side", "size"), [(16, 8), (24, 8), (20, 8), (8, 8), (8, 16)])
def test_resizing_keeps_the_mean_and_passes_gradients(side: int, size: int) -> None:
    images = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0), requires_grad=True)
    resized = resize(images, size)
    assert resized.shape == (2, 3, size, size)
    torch.testing.assert_close(resized.mean(dim=(2, 3)), images.mean(dim=(2, 3)), atol=0.02, rtol=0)
    resized.sum().backward()
    assert (images.grad > 0).all()


def test_shrinking_is_the_mean_of_the_covered_pixels() -> None:
    large = pictures(16, 70)
    blocks = large.reshape(70, 8, 2, 8, 2, 3).mean(axis=(2, 4))
    assert np.abs(shrink_pictures(large, 8) - blocks).max() <= 0.5 + 1e-3
    assert shrink_pictures(large, 16) is large and shrink_pictures(large, 32) is large
    assert shrink_pictures(large[:0], 8).shape == (0, 8, 8, 3)
