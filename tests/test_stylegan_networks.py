"""The generator's networks on tiny configurations: shapes, determinism, and the formulas they claim."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from ohlora.stylegan import GeneratorConfig, PortraitGenerator, read_generator, save_generator
from ohlora.stylegan.discriminator import Discriminator
from ohlora.stylegan.generator import ModulatedConvolution, StyledLayer
from ohlora.stylegan.portrait_generator import U_DIM
from ohlora.weights import WeightsError

TINY = GeneratorConfig(channels=(16, 16, 16, 8), w_dim=32)
CARD = {"data": "none", "seed": 0, "command": "test", "metrics": {}, "licence": "Apache-2.0"}


def tiny(**changes) -> PortraitGenerator:
    torch.manual_seed(0)
    generator = PortraitGenerator(GeneratorConfig(**{**TINY.to_card(), **changes}))
    for level in generator.synthesis.levels:  # new levels start at zero: give them something to say
        torch.nn.init.normal_(level.to_rgb.weight, std=0.2)
        for layer in level.layers:
            torch.nn.init.constant_(layer.noise_strength, 0.3)
    generator.update_w_mean(256)
    return generator.eval().requires_grad_(False)


@given(n=st.integers(1, 3), layers=st.integers(0, 4))
@settings(max_examples=10, deadline=None)
def test_shapes_follow_the_configuration(n: int, layers: int) -> None:
    generator = tiny(channels=(8, 8, 8, 4)[: max(1, layers)])
    size = 4 * 2 ** (max(1, layers) - 1)
    images = generator.generate(generator.sample_z(n, 0))
    assert generator.size == size and images.shape == (n, 3, size, size) and images.dtype == torch.float32
    assert images.abs().max() <= 1


def test_same_latent_same_face_in_two_generators_and_in_any_batch() -> None:
    first, second = tiny(), tiny()
    z = first.sample_z(5, seed=3)
    assert torch.equal(first.generate(z), second.generate(z))
    assert torch.allclose(first.generate(z[2:3]), first.generate(z)[2:3], atol=1e-5)
    assert not torch.equal(first.sample_z(2, 3), first.sample_z(2, 4))


@pytest.mark.parametrize(("kernel", "upsample"), [(1, False), (3, False), (3, True)])
@pytest.mark.parametrize("side", [2, 32])  # below and above the size where the style goes into the features
@pytest.mark.parametrize("count", [1, 4])  # one image has its style in the weights
def test_scale_convolve_demodulate_is_the_papers_grouped_convolution(
    kernel: int, upsample: bool, side: int, count: int
) -> None:
    torch.manual_seed(1)
    layer = ModulatedConvolution(6, 5, w_dim=8, kernel=kernel).double()
    layer.style = lambda w: layer.affine(w)  # float64 throughout
    features, w = torch.randn(count, 6, side, side).double(), torch.randn(count, 8).double()
    convolved, factor = layer(features, w, upsample=upsample)
    # eq. 1-3: w'_ijk = s_i · w_ijk ; w'' = w' / sqrt(Σ_i,k w'² + ε), one weight a sample
    weight = layer.weight[None] * layer.affine(w)[:, None, :, None, None]
    weight = weight / (weight.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8).sqrt()
    grown = F.interpolate(features, scale_factor=2.0, mode="nearest") if upsample else features
    size = grown.shape[-1]
    grouped = F.conv2d(
        grown.reshape(1, 6 * count, size, size),
        weight.reshape(5 * count, 6, kernel, kernel),
        padding=kernel // 2,
        groups=count,
    )
    shown = convolved if factor is None else convolved * factor
    assert torch.allclose(shown, grouped.reshape(count, 5, size, size), atol=1e-9)


def test_a_styled_layer_is_demodulate_noise_bias_activation() -> None:
    torch.manual_seed(2)
    layer = StyledLayer(4, 3, w_dim=8, size=8, upsample=False, seed=1)
    torch.nn.init.constant_(layer.noise_strength, 0.7)
    torch.nn.init.normal_(layer.bias)
    features, w = torch.randn(2, 4, 8, 8), torch.randn(2, 8)
    convolved, factor = layer.convolution(features, w)
    plain = F.leaky_relu(convolved * factor + 0.7 * layer.noise + layer.bias[None, :, None, None], 0.2) * math.sqrt(2)
    assert torch.allclose(layer(features, w), plain, atol=1e-5)


def test_truncation_zero_is_the_mean_face_and_one_changes_nothing() -> None:
    generator = tiny()
    z = generator.sample_z(3, 0)
    mean_face = generator.synthesis(generator.w_mean[None]).clamp(-1, 1)
    assert torch.allclose(generator.generate(z, truncation=0.0), mean_face.expand(3, -1, -1, -1), atol=1e-5)
    plain = generator.synthesis(generator.mapping(z)).clamp(-1, 1)
    assert torch.allclose(generator.generate(z, truncation=1.0), plain, atol=1e-5)
    with pytest.raises(ValueError, match="truncation=2"):
        generator.generate(z, truncation=2.0)


def test_one_style_a_layer_mixes_two_people() -> None:
    generator = tiny()
    w = generator.mapping(generator.sample_z(2, 0))
    stacked = w[:, None].repeat(1, generator.config.layers, 1)
    assert torch.equal(generator.synthesis(stacked), generator.synthesis(w))
    mixed = torch.cat([stacked[:1, :3], stacked[1:, 3:]], dim=1)
    image = generator.synthesis(mixed)
    assert not torch.allclose(image, generator.synthesis(w[:1])) and not torch.allclose(
        image, generator.synthesis(w[1:])
    )
    with pytest.raises(ValueError, match="w has shape"):
        generator.synthesis(stacked[:, :2])


def test_a_new_level_adds_nothing_until_it_is_trained() -> None:
    torch.manual_seed(0)
    generator = PortraitGenerator(TINY)
    w = generator.mapping(generator.sample_z(2, 0))
    small = generator.synthesis(w, size=16)
    assert torch.allclose(generator.synthesis(w), F.interpolate(small, scale_factor=2.0, mode="bilinear"), atol=1e-6)


@given(seed=st.integers(0, 2**31))
@settings(max_examples=15, deadline=None)
def test_pairing_is_a_rotation_and_inverts(seed: int) -> None:
    generator = _untrained()
    dice = torch.Generator().manual_seed(seed)
    u, extra = torch.randn(3, U_DIM, generator=dice), torch.randn(3, generator.z_dim - U_DIM, generator=dice)
    z = generator.u_to_z(u, extra)
    assert torch.allclose(generator.z_to_u(z), u, atol=1e-4)
    assert torch.allclose(z.norm(dim=1), torch.cat([u, extra], dim=1).norm(dim=1), rtol=1e-4)


def _untrained() -> PortraitGenerator:
    return PortraitGenerator(TINY)


def test_wrong_latents_are_refused_by_name() -> None:
    generator = tiny()
    with pytest.raises(ValueError, match=r"z has shape \(2, 63\); allowed: \(n, 64\)"):
        generator.generate(torch.zeros(2, 63))
    with pytest.raises(ValueError, match="unconditioned"):
        generator.generate(torch.zeros(2, 64), torch.zeros(2, 7))
    with pytest.raises(ValueError, match="n=0"):
        generator.sample_z(0, seed=1)


def test_discriminator_gives_patches_and_features() -> None:
    torch.manual_seed(0)
    (logits,), features = Discriminator(32)([torch.rand(2, 3, 32, 32) * 2 - 1])
    assert all(part.abs().mean() > 0.1 for part in features)  # the signal survives: else it learns nothing for long
    assert logits.shape == (2, 1, 8, 8) and [part.shape[-1] for part in features] == [16, 8]
    with pytest.raises(ValueError, match="size=48"):
        Discriminator(48)


def test_saving_keeps_the_face_and_damage_gets_one_sentence(tmp_path) -> None:
    generator = tiny()
    path = save_generator(generator, tmp_path / "tiny.safetensors", CARD)
    z = generator.sample_z(2, 0)
    again = read_generator(path)
    assert (again.generate(z) - generator.generate(z)).abs().max() < 0.02  # float16 on disk
    assert torch.allclose(again.rotation @ again.rotation.t(), torch.eye(64), atol=1e-5)
    with pytest.raises(WeightsError, match="missing") as missing:
        read_generator("no_such_generator")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="truncated or changed") as truncated:
        read_generator(path)
    assert all("\n" not in str(error.value) for error in (missing, truncated))
