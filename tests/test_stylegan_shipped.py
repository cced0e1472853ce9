"""What the shipped generators do: the least that the rest of the book relies on."""

from __future__ import annotations

import time

import pytest
import torch

from ohlora.config import load_profile
from ohlora.images import to_images
from ohlora.labeling import PROPERTIES, Labeler, load_labeler
from ohlora.portraits import load_sample, mirror
from ohlora.stylegan import PortraitGenerator, load_generator
from ohlora.weights import locate_weights


@pytest.fixture(scope="module")
def generator() -> PortraitGenerator:
    return load_generator("embedded")


@pytest.fixture(scope="module")
def conditioned() -> PortraitGenerator:
    return load_generator("embedded", conditioned=True)


@pytest.fixture(scope="module")
def labeler() -> Labeler:
    return load_labeler("embedded")


def with_extra(generator: PortraitGenerator, u: torch.Tensor, extra: torch.Tensor) -> torch.Tensor:
    """Latents of portrait parameters, every free value of a row the same: extra (n, 1)."""
    return generator.u_to_z(u, extra.expand(-1, generator.z_dim - u.shape[1]))


def test_it_is_what_the_profile_says(generator: PortraitGenerator, conditioned: PortraitGenerator) -> None:
    profile = load_profile("embedded")
    size, section = profile.portraits.size, profile.stylegan
    assert (generator.z_dim, generator.size, generator.properties) == (64, size, ())
    assert (conditioned.size, conditioned.properties) == (size, PROPERTIES)
    for name in (section.weights, section.conditioned):
        assert locate_weights(name).stat().st_size <= 40e6


def test_unseen_parameters_give_nearly_their_render(generator: PortraitGenerator) -> None:
    sample = load_sample().resized(generator.size)
    u, real = torch.from_numpy(sample.u[:24]), to_images(sample.images[:24])
    made = generator.generate(with_extra(generator, u, torch.randn(24, 1, generator=torch.Generator().manual_seed(0))))
    nobody = real.median(dim=0).values
    error, baseline = (made - real).abs().mean(), (nobody - real).abs().mean()
    assert error < 0.12 and error < 0.4 * baseline


def test_mirrored_parameters_give_a_mirrored_portrait(generator: PortraitGenerator) -> None:
    u, extra = load_sample().u[:12], torch.zeros(12, 1)
    straight = generator.generate(with_extra(generator, torch.from_numpy(u), extra))
    mirrored = generator.generate(with_extra(generator, torch.from_numpy(mirror(u)), extra))
    same = (mirrored.flip(-1) - straight).abs().mean()
    other = (mirrored.flip(-1) - straight.roll(1, dims=0)).abs().mean()
    assert same < 0.35 * other


def test_the_free_part_of_the_latent_hardly_matters(generator: PortraitGenerator) -> None:
    u = torch.from_numpy(load_sample().u[:8])
    first, second = (generator.generate(with_extra(generator, u, torch.full((8, 1), value))) for value in (-1.0, 1.0))
    assert (first - second).abs().mean() < 0.08


def test_truncation_shrinks_variety(generator: PortraitGenerator) -> None:
    z = generator.sample_z(12, seed=4)
    spread = [generator.generate(z, truncation=amount).std(dim=0).mean().item() for amount in (0.0, 0.4, 0.7, 1.0)]
    assert spread[0] < 1e-4 and spread == sorted(spread)


def test_conditioning_left_the_synthesis_alone(generator: PortraitGenerator, conditioned: PortraitGenerator) -> None:
    theirs = conditioned.synthesis.state_dict()
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in generator.synthesis.state_dict().items())


@pytest.mark.parametrize("name", PROPERTIES)
def test_she_does_what_is_asked(conditioned: PortraitGenerator, labeler: Labeler, name: str) -> None:
    """Direction: more is asked, more is measured, for nearly every latent; the judge is the segmentation labeler."""
    z = conditioned.sample_z(8, seed=21)
    natural = conditioned.mapping.natural_properties(z).clamp(-2, 2).detach()
    measured = []
    for value in (-1.5, 1.5):
        wanted = natural.clone()
        wanted[:, PROPERTIES.index(name)] = value
        measured.append(labeler.measure(conditioned.generate(z, wanted))[name].to_numpy())
    rise = measured[1] - measured[0]
    assert (rise > 0.5).mean() >= 0.85 and rise.mean() > 1.2


def test_a_portrait_is_quick(generator: PortraitGenerator) -> None:
    z = generator.sample_z(1, seed=0)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # waiting threads count as CPU time, too
    try:
        seconds = []
        for _ in range(4):
            start = time.process_time()
            generator.generate(z)
            seconds.append(time.process_time() - start)
    finally:
        torch.set_num_threads(threads)
    assert min(seconds) < 0.25
