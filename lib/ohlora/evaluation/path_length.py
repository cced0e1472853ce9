"""Perceptual path length: how much does a portrait change along the road between two people?

Karras et al. 2019 (StyleGAN), §4.1, eq. 2 and 3. A road on which the portrait changes evenly is short; a road that
leads through other people, or that jumps, is long.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import torch
from torch import Tensor
from tqdm import tqdm

from ohlora.evaluation.metrics import Metric
from ohlora.evaluation.perceptual import PerceptualDistance
from ohlora.stylegan import PortraitGenerator

# The paper takes 1e-4. From 1e-3 down to 1e-5 the value moves by 2 %, so 1e-3 is small enough; and the squared rounding
# of float32 (2e-11 for images that should be equal) stays a hundred times further below the squared step.
EPSILON = 1e-3
_BATCH = 16


def straight(first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    """Points (n, d) on the straight lines from ``first`` to ``second`` (n, d); share (n, 1) from 0 to 1."""
    return torch.lerp(first, second, share)


def spherical(first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    """Points on the arcs between latents (Shoemake 1985); normal latents lie near a sphere, and so does the arc.

    Args and shapes as in :func:`straight`; no pair may point in exactly opposite directions.
    """
    angle = torch.arccos(torch.nn.functional.cosine_similarity(first, second)[:, None].clamp(-1 + 1e-7, 1 - 1e-7))
    return (torch.sin((1 - share) * angle) * first + torch.sin(share * angle) * second) / torch.sin(angle)


@torch.no_grad()
def path_lengths(
    images_of: Callable[[Tensor], Tensor],
    distance: Callable[[Tensor, Tensor], Tensor],
    road: Callable[[Tensor, Tensor, Tensor], Tensor],
    ends: tuple[Tensor, Tensor],
    shares: Tensor,
    epsilon: float = EPSILON,
) -> Tensor:
    """d(image at t, image at t + ε) / ε² for each pair of ends, float32 (n,); d is a *squared* distance.

    Args:
        images_of: latents (n, d) → images. distance: two batches of images → (n,). road: straight or spherical.
        ends: two times (n, d). shares: t, (n, 1), from 0 to 1 − ε.
    """
    parts = []
    for rows in tqdm(
        torch.arange(len(shares)).split(_BATCH), desc="path length", disable=None, file=sys.stderr, leave=False
    ):
        first, second, share = ends[0][rows], ends[1][rows], shares[rows]
        near, far = images_of(road(first, second, share)), images_of(road(first, second, share + epsilon))
        parts.append(distance(near, far) / epsilon**2)
    return torch.cat(parts)


def trimmed_mean(values: Tensor) -> float:
    """Mean without the lowest and the highest 1 %, as the authors' own program has it."""
    low, high = values.quantile(0.01), values.quantile(0.99)
    return values[(values >= low) & (values <= high)].mean().item()


@torch.no_grad()
def perceptual_path_length(
    generator: PortraitGenerator, pairs: int = 200, seed: int = 0, epsilon: float = EPSILON
) -> dict[str, Metric]:
    """Path length in Z and in W, over the same pairs of people and the same places between them.

    Z is walked on the sphere, W straight, both over the whole road. Baseline: the squared distance between the two
    ends themselves. No road can be shorter, as the mean of a squared speed is at least the square of the mean speed;
    value / baseline is how far the road is from straight and even, whatever the unit of the distance.
    """
    if pairs < 2:
        raise ValueError(f"pairs={pairs} is not allowed; it must be at least 2")
    distance = PerceptualDistance()
    first, second = generator.sample_z(2 * pairs, seed).chunk(2)
    dice = torch.Generator().manual_seed(seed)
    shares = (1 - epsilon) * torch.rand(pairs, 1, generator=dice)
    mapped = generator.mapping(first), generator.mapping(second)

    def picture(w: Tensor) -> Tensor:
        return generator.synthesis(w).clamp(-1, 1)

    def ends(a: Tensor, b: Tensor, share: Tensor) -> Tensor:
        return torch.where(share < 0.5, a, b)

    # the whole distance as one step of length 1, from share 0 to share 1
    chord = path_lengths(picture, distance, ends, mapped, torch.zeros_like(shares), epsilon=1.0)
    through_z = path_lengths(
        lambda z: picture(generator.mapping(z)), distance, spherical, (first, second), shares, epsilon
    )
    through_w = path_lengths(picture, distance, straight, mapped, shares, epsilon)
    split = "fresh latents"
    return {
        "path_length_z": Metric(trimmed_mean(through_z), pairs, seed, split, trimmed_mean(chord)),
        "path_length_w": Metric(trimmed_mean(through_w), pairs, seed, split, trimmed_mean(chord)),
    }
