"""Conditioning on a tiny generator: only the mapping learns, and it does learn."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ohlora.stylegan import GeneratorConfig, PortraitGenerator
from ohlora.stylegan.conditioning import (
    ConditioningConfig,
    PairedTeacher,
    learn_from_pairs,
    train_conditioning,
    widen,
)
from ohlora.stylegan.generator import CONDITIONINGS
from ohlora.stylegan.paired_requests import PROPERTIES


@pytest.fixture(scope="module")
def generator() -> PortraitGenerator:
    torch.manual_seed(0)
    generator = PortraitGenerator(GeneratorConfig(channels=(16, 16, 8), w_dim=32, mapping_layers=2))
    for level in generator.synthesis.levels:
        torch.nn.init.normal_(level.to_rgb.weight, std=0.3)
        for layer in level.layers:
            torch.nn.init.normal_(layer.convolution.affine.weight, std=0.3)
    generator.update_w_mean(256)
    return generator.eval().requires_grad_(False)


def brightness(images: Tensor) -> Tensor:
    """A stand-in measurer: seven copies of half-image brightness, in units of its spread."""
    left = images[..., :8].mean(dim=(1, 2, 3))
    return (4.0 * left)[:, None].repeat(1, len(PROPERTIES))


def test_widening_changes_no_image(generator: PortraitGenerator) -> None:
    widened = widen(generator)
    z = generator.sample_z(4, 0)
    wanted = torch.randn(4, 7).clamp(-2, 2)
    assert torch.allclose(widened.generate(z, wanted), generator.generate(z), atol=1e-6)
    assert widened.properties == PROPERTIES
    with pytest.raises(ValueError, match="already obeys"):
        widen(widened)


QUICK = ConditioningConfig(measured=256, answers=512, lessons=100, batch=4, steps=3)


@pytest.mark.parametrize("variant", CONDITIONINGS)
def test_only_what_receives_the_values_learns_and_it_obeys(generator: PortraitGenerator, variant: str) -> None:
    before = {name: tensor.clone() for name, tensor in generator.state_dict().items()}
    rows: list[dict[str, float]] = []
    config = replace(QUICK, variant=variant, steps=150, batch=16, learning_rate=3e-3, faithful=0.02)
    conditioned = train_conditioning(generator, brightness, config, rows.append)
    # not one frozen bit, neither in the copy nor in the original
    for name, tensor in conditioned.synthesis.state_dict().items():
        assert torch.equal(tensor, before[f"synthesis.{name}"]), name
    for name, tensor in generator.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    frozen = torch.equal(conditioned.mapping.layers[0].weight[:, :64], before["mapping.layers.0.weight"])
    assert frozen == (variant == "per_layer")
    # direction: ask for bright, get brighter
    z = generator.sample_z(16, 5)
    shown = {value: brightness(conditioned.generate(z, torch.full((16, 7), value)))[:, 0] for value in (-1.0, 1.0)}
    assert ((shown[1.0] - shown[-1.0]) > 0.2).float().mean() >= 0.9
    assert len(rows) == 150


def test_lessons_alone_bring_w_to_the_pairs_answer(generator: PortraitGenerator) -> None:
    torch.manual_seed(0)
    teacher = PairedTeacher(generator, brightness, 256, None)
    conditioned = widen(generator)
    z = generator.sample_z(64, 3)
    wanted = teacher.requests(z, torch.Generator().manual_seed(0))
    answer = teacher.answer(z, wanted)
    before = (conditioned.mapping(z, wanted) - answer).square().mean()
    learn_from_pairs(conditioned, teacher, replace(QUICK, answers=2048, lessons=1500))
    assert (conditioned.mapping(z, wanted) - answer).square().mean() < 0.7 * before


def test_nothing_requested_means_as_she_is(generator: PortraitGenerator) -> None:
    conditioned = train_conditioning(generator, brightness, replace(QUICK, measured=1024))
    z = generator.sample_z(200, 9)
    estimate = conditioned.mapping.natural_properties(z)[:, 0]
    assert torch.corrcoef(torch.stack([estimate, brightness(generator.generate(z))[:, 0]]))[0, 1] > 0.5
    assert torch.isfinite(conditioned.generate(z[:4])).all()


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        (torch.zeros(2, 6), r"properties has shape \(2, 6\); allowed: \(2, 7\)"),
        (torch.zeros(3, 7), r"properties has shape \(3, 7\)"),
        (torch.full((2, 7), 3.5), r"properties\[0\] has eyes=3.5; allowed: z-scores from -3 to 3"),
        (torch.tensor([[0.0] * 7, [0.0] * 4 + [float("nan")] + [0.0] * 2]), r"properties\[1\] has pose=nan"),
    ],
)
def test_bad_requests_are_refused_by_name(generator: PortraitGenerator, properties: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        widen(generator).generate(generator.sample_z(2, 0), properties)
