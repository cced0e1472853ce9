"""Directions of the latent space, and the outside judge, on cases whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ohlora.evaluation.landmarks import landmark_measures
from ohlora.images import to_images
from ohlora.portraits import load_sample
from ohlora.stylegan import GeneratorConfig, PortraitGenerator
from ohlora.stylegan.latent_directions import (
    layer_groups,
    linear_direction,
    principal_directions,
    sefa_directions,
    svm_direction,
    without,
)


@pytest.mark.parametrize("method", [linear_direction, svm_direction])
def test_directions_find_a_planted_property(method) -> None:
    dice = torch.Generator().manual_seed(0)
    latents, planted = torch.randn(400, 16, generator=dice), torch.nn.functional.normalize(torch.arange(16.0), dim=0)
    values = latents @ planted + 0.1 * torch.randn(400, generator=dice)
    assert method(latents, values) @ planted > 0.97
    with pytest.raises(ValueError, match="values has shape"):
        method(latents, values[:-1])


def test_unsupervised_directions_are_orthonormal_and_sorted() -> None:
    torch.manual_seed(0)
    generator = PortraitGenerator(GeneratorConfig(channels=(8, 8), w_dim=32)).requires_grad_(False)
    for found in (principal_directions(generator, count=4, n=256), sefa_directions(generator, count=4)):
        assert torch.allclose(found.vectors @ found.vectors.t(), torch.eye(4), atol=1e-4)
        assert (found.strengths.diff() <= 1e-6).all()


def test_sefa_of_some_layers_reads_only_their_weights() -> None:
    torch.manual_seed(0)
    generator = PortraitGenerator(GeneratorConfig(channels=(8,) * 6, w_dim=32)).requires_grad_(False)
    groups = layer_groups(generator)
    assert [len(layers) for layers in groups.values()] == [3, 4, 4] and groups["fine"][-1] == 10
    before = {name: sefa_directions(generator, 2, layers).vectors for name, layers in groups.items()}
    generator.synthesis.levels[5].layers[0].convolution.affine.weight.mul_(3.0)
    after = {name: sefa_directions(generator, 2, layers).vectors for name, layers in groups.items()}
    assert torch.equal(before["coarse"], after["coarse"]) and not torch.allclose(before["fine"], after["fine"])
    with pytest.raises(ValueError, match="layers 0 to 10"):
        sefa_directions(generator, 2, range(9, 12))


def test_without_leaves_the_other_directions_alone() -> None:
    torch.manual_seed(0)
    others, direction = torch.randn(3, 16), torch.randn(16)
    assert (others @ without(direction, others)).abs().max() < 1e-5


def test_the_outside_judge_agrees_with_the_renderer() -> None:
    sample = load_sample()
    found = landmark_measures(to_images(sample.images[:24]))
    assert found.notna().all(axis=None)
    for column, truth, least in (("eyes", "eyes", 0.7), ("mouth", "mouth", 0.8), ("pose", "yaw", 0.9)):
        assert np.corrcoef(found[column], sample.truth[truth][:24])[0, 1] > least, column
