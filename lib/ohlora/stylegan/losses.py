"""The losses of the generator and of the discriminators, each a few lines."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EYES, MOUTH, LIPS, HAIR, BROWS = 2, 3, 4, 6, 8  # classes of the portrait masks
CLASSES = 9
NEAR = 0.035  # of the image side: how far from eyes, mouth and brows the focus reaches


def region_weights(masks: Tensor, focus: float, hair: float) -> Tensor:
    """How much each pixel of a pair counts in the reconstruction.

    Args:
        masks: integers (n, h, w), the nine portrait classes.
        focus: weight of eyes, mouth, lips and brows and of what lies near them: a shut eye is hardly an eye in the
            mask, and its lids must count all the same. Few pixels, and the ones people look at.
        hair: weight of hair. Below 1 once a discriminator judges strands: nobody minds where each strand lies.

    Returns:
        float32 (n, 1, h, w); every other class weighs 1.
    """
    table = torch.ones(CLASSES)
    table[HAIR] = hair
    weights = table.to(masks.device)[masks.long()][:, None]
    watched = torch.zeros(CLASSES)
    watched[[EYES, MOUTH, LIPS, BROWS]] = 1.0
    near = watched.to(masks.device)[masks.long()][:, None]
    reach = round(NEAR * masks.shape[-1])
    for kernel, padding in (((1, 2 * reach + 1), (0, reach)), ((2 * reach + 1, 1), (reach, 0))):
        near = F.max_pool2d(near, kernel, stride=1, padding=padding)
    return torch.where(near > 0, focus, weights)


def reconstruction_loss(made: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean absolute difference of (n, 3, h, w) images in [-1, 1], plus the same at a quarter of the size.

    The coarse term keeps colours and shapes in place where ``weights`` lets the details go.
    """
    fine = ((made - target).abs() * weights).mean()
    return fine + F.l1_loss(F.avg_pool2d(made, 4), F.avg_pool2d(target, 4))


def gradient_loss(made: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """Weighted L1 between the differences of neighbouring pixels: edges, which plain L1 leaves soft."""
    difference = made - target
    across = (difference[..., 1:] - difference[..., :-1]).abs() * weights[..., 1:]
    down = (difference[..., 1:, :] - difference[..., :-1, :]).abs() * weights[..., 1:, :]
    return across.mean() + down.mean()


def feature_loss(made: list[Tensor], target: list[Tensor]) -> Tensor:
    """Mean L1 between feature maps (n, c, h, w) of a made image and of its pair, each in units of the target's size.

    On the maps of a network trained on photographs this is the perceptual loss of Johnson et al. 2016; on the
    discriminator's own maps it is the feature matching of Wang et al. 2018 (pix2pixHD, eq. 4).
    """
    terms = []
    for fake, real in zip(made, target, strict=True):
        real = real.float()
        terms.append((fake.float() - real).abs().mean() / real.abs().mean().clamp(min=1e-4))
    return torch.stack(terms).mean()


def logistic_generator_loss(fake: list[Tensor]) -> Tensor:
    """Non-saturating loss of the generator (Goodfellow et al. 2014, §3). Logits come one tensor a scale."""
    return torch.stack([F.softplus(-logits.float()).mean() for logits in fake]).mean()


def logistic_discriminator_loss(real: list[Tensor], fake: list[Tensor]) -> Tensor:
    """Logistic loss of the discriminator."""
    told = [F.softplus(-logits.float()).mean() for logits in real] + [F.softplus(a.float()).mean() for a in fake]
    return 2 * torch.stack(told).mean()


def hinge_generator_loss(fake: list[Tensor]) -> Tensor:
    """Generator's side of the hinge loss (Lim & Ye 2017), which projected discriminators use."""
    return -torch.stack([logits.float().mean() for logits in fake]).mean()


def hinge_discriminator_loss(real: list[Tensor], fake: list[Tensor]) -> Tensor:
    """Hinge loss of the discriminator: patches that are told apart by a margin of 1 teach no more."""
    told = [F.relu(1 - logits.float()).mean() for logits in real] + [F.relu(1 + a.float()).mean() for a in fake]
    return 2 * torch.stack(told).mean()


def r1_penalty(discriminator: nn.Module, real: Tensor) -> Tensor:
    """Squared slope of the discriminator at rendered images (Mescheder et al. 2018, eq. 9), before the factor γ/2.

    Args:
        real: (n, 3, size, size). Runs in float32: second derivatives are small numbers.
    """
    real = real.detach().requires_grad_(True)
    with torch.autocast(real.device.type, enabled=False):
        logits, _ = discriminator([real])
        (slope,) = torch.autograd.grad(logits[0].flatten(1).mean(dim=1).sum(), real, create_graph=True)
    return slope.square().sum(dim=(1, 2, 3)).mean()


def balancing_weights(gradients: dict[str, Tensor], shares: dict[str, float], reference: str) -> dict[str, float]:
    """Weights of losses that give their gradients on the same images a wanted share of the reference's length.

    Losses live on scales that differ by orders of magnitude and drift while a discriminator learns. Fixing the
    ratio of their pulls on the image (as Esser et al. 2021, VQGAN, eq. 7 do for one term) needs no tuning.

    Args:
        gradients: term → gradient (n, 3, h, w). shares: term → length wanted, in lengths of the reference's.
        reference: the term whose weight is 1.
    """
    unit = gradients[reference].norm().item()
    return {
        term: 1.0 if term == reference else shares[term] * unit / max(gradient.norm().item(), 1e-12)
        for term, gradient in gradients.items()
    }
