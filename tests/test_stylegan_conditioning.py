"""Conditioning on a tiny generator: only the mapping learns, and it does learn."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ohlora.stylegan import GeneratorConfig, PortraitGenerator
from ohlora.stylegan.conditioning import PROPERTIES, ConditioningConfig, train_conditioning, widen


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


def test_training_moves_the_mapping_only_and_is_obeyed(generator: PortraitGenerator) -> None:
    before = {name: tensor.clone() for name, tensor in generator.state_dict().items()}
    rows: list[dict[str, float]] = []
    config = ConditioningConfig(steps=150, batch=16, learning_rate=3e-3, natural=0.0)
    conditioned = train_conditioning(generator, brightness, config, rows.append)
    # not one frozen bit, neither in the copy nor in the original
    for name, tensor in conditioned.synthesis.state_dict().items():
        assert torch.equal(tensor, before[f"synthesis.{name}"]), name
    for name, tensor in generator.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    assert not torch.equal(conditioned.mapping.layers[0].weight[:, :64], before["mapping.layers.0.weight"])
    # direction: ask for bright, get brighter
    z = generator.sample_z(16, 5)
    shown = {value: brightness(conditioned.generate(z, torch.full((16, 7), value)))[:, 0] for value in (-1.0, 1.0)}
    assert ((shown[1.0] - shown[-1.0]) > 0.2).float().mean() >= 0.9
    assert len(rows) == 150 and rows[-1]["obeyed"] < rows[0]["obeyed"]


def test_nothing_requested_means_as_she_is(generator: PortraitGenerator) -> None:
    conditioned = train_conditioning(generator, brightness, ConditioningConfig(steps=3, batch=4))
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
