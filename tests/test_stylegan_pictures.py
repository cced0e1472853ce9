"""Pictures of a generator: thousands fit into memory, any size, on request with properties."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ohlora.images import shrink_pictures, to_pictures
from ohlora.stylegan import GeneratorConfig, PortraitGenerator
from ohlora.stylegan.conditioning import widen


@pytest.fixture(scope="module")
def generator() -> PortraitGenerator:
    torch.manual_seed(0)
    generator = PortraitGenerator(GeneratorConfig(channels=(8, 8, 8), w_dim=16, mapping_layers=2))
    for level in generator.synthesis.levels:
        torch.nn.init.normal_(level.to_rgb.weight, std=0.3)
    return generator.eval().requires_grad_(False)


def test_pictures_are_the_generated_images(generator: PortraitGenerator) -> None:
    z = generator.sample_z(70, 0)  # more than two batches
    made = generator.pictures(z)
    assert made.dtype == np.uint8 and made.shape == (70, 16, 16, 3)
    exact = to_pictures(generator.generate(z))
    assert np.abs(made.astype(int) - exact).mean() < 1, "half precision may cost a grey level here and there"
    np.testing.assert_array_equal(made[64:66], generator.pictures(z[64:66].numpy()))
    assert generator.pictures(z[:0]).shape == (0, 16, 16, 3)


def test_smaller_pictures_are_averages(generator: PortraitGenerator) -> None:
    z = generator.sample_z(5, 1)
    small = generator.pictures(z, size=8)
    assert np.abs(small.astype(int) - shrink_pictures(generator.pictures(z), 8)).max() <= 1


def test_properties_reach_the_pictures(generator: PortraitGenerator) -> None:
    conditioned = widen(generator)
    torch.nn.init.normal_(conditioned.mapping.layers[0].weight)
    z, wanted = generator.sample_z(3, 2), torch.full((3, 7), 2.0)
    assert np.abs(conditioned.pictures(z, wanted).astype(int) - conditioned.pictures(z, -wanted)).max() > 3
