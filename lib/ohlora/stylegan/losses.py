"""The losses of the generator and of the critic, each a few lines."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EYES, MOUTH, LIPS, HAIR, BROWS = 2, 3, 4, 6, 8  # classes of the portrait masks
CLASSES = 9


def region_weights(masks: Tensor, focus: float, hair: float) -> Tensor:
    """How much each pixel of a pair counts in the reconstruction.

    Args:
        masks: integers (n, h, w), the nine portrait classes.
        focus: weight of eyes, mouth, lips and brows: few pixels, and the ones people look at.
        hair: weight of hair. Below 1 once the critic judges strands: nobody minds where each strand lies.

    Returns:
        float32 (n, 1, h, w); every other class weighs 1.
    """
    table = torch.ones(CLASSES)
    table[[EYES, MOUTH, LIPS, BROWS]] = focus
    table[HAIR] = hair
    return table.to(masks.device)[masks.long()][:, None]


def reconstruction_loss(made: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean absolute difference of (n, 3, h, w) images in [-1, 1], plus the same at half size.

    The half-size term keeps colours and shapes in place where ``weights`` lets the details go.
    """
    fine = ((made - target).abs() * weights).mean()
    return fine + F.l1_loss(F.avg_pool2d(made, 2), F.avg_pool2d(target, 2))


def gradient_loss(made: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """Weighted L1 between the differences of neighbouring pixels: edges, which plain L1 leaves soft."""
    difference = made - target
    across = (difference[..., 1:] - difference[..., :-1]).abs() * weights[..., 1:]
    down = (difference[..., 1:, :] - difference[..., :-1, :]).abs() * weights[..., 1:, :]
    return across.mean() + down.mean()


def generator_adversarial_loss(fake_logits: Tensor) -> Tensor:
    """Non-saturating loss of the generator (Goodfellow et al. 2014, §3)."""
    return F.softplus(-fake_logits.float()).mean()


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Logistic loss of the critic."""
    return F.softplus(-real_logits.float()).mean() + F.softplus(fake_logits.float()).mean()


def feature_matching_loss(fake_features: list[Tensor], real_features: list[Tensor]) -> Tensor:
    """L1 between the critic's features of a made image and of its pair (Wang et al. 2018, pix2pixHD, eq. 4)."""
    terms = [F.l1_loss(fake.float(), real.float()) for fake, real in zip(fake_features, real_features, strict=True)]
    return torch.stack(terms).mean()


def r1_penalty(discriminator: nn.Module, real: Tensor) -> Tensor:
    """Squared slope of the critic at rendered images (Mescheder et al. 2018, eq. 9), before the factor γ/2.

    Args:
        real: (n, 3, size, size). Runs in float32: second derivatives are small numbers.
    """
    real = real.detach().requires_grad_(True)
    with torch.autocast(real.device.type, enabled=False):
        logits, _ = discriminator(real)
        (slope,) = torch.autograd.grad(logits.mean(dim=(1, 2)).sum(), real, create_graph=True)
    return slope.square().sum(dim=(1, 2, 3)).mean()
