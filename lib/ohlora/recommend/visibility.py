"""How much does each parameter of a portrait show? Measured by a network that never saw a rating."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from torch.nn import functional as F

from ohlora.config import device
from ohlora.images import resize, to_images
from ohlora.portraits.parameters import VECTOR_NAMES

if TYPE_CHECKING:
    from ohlora.stylegan import PortraitGenerator

POOLING = 4  # exponent of Quick pooling; 3 to 4 fits human detection
_SEEN = 224  # pixels at which the network was trained


def measure_visibility(generator: PortraitGenerator, portraits: int = 24, seed: int = 0) -> pd.Series:
    """Visibility of each portrait parameter: how different two portraits look, one standard deviation on each side.

    Each portrait is generated twice with one parameter at -1 and at +1 and all others unchanged. The two are compared
    place by place in the feature maps of EfficientNet-lite0 (channels scaled to length 1, as LPIPS does; Zhang et al.
    2018), and the differences are pooled over the places as human vision pools them (Quick 1974, eq. 1)::

        visibility = mean over maps and portraits of  (mean over places of  difference^4) ^ (1/4)

    With so high an exponent a strong difference in a small place (closed eyes) counts like a weak one everywhere.

    Args:
        generator: one that pairs latents with parameters (z_to_u). portraits: how many are varied. seed: of these.

    Returns:
        float64, indexed by the 62 names of the parameters, scaled so that the mean square is 1.
    """
    from ohlora.stylegan.perceptual_features import FeaturePyramid

    pyramid = FeaturePyramid().to(memory_format=torch.channels_last)
    rest = generator.sample_z(portraits, seed)
    u = generator.z_to_u(rest)
    extra = (rest @ generator.rotation.t())[:, u.shape[1] :]
    result = np.zeros(len(VECTOR_NAMES))
    for column in range(len(VECTOR_NAMES)):
        ends = []
        for value in (-1.0, 1.0):
            moved = u.clone()
            moved[:, column] = value
            ends.append(_maps(pyramid, generator.pictures(generator.u_to_z(moved, extra))))
        pairs = zip(*ends, strict=True)
        result[column] = np.mean([_pooled((a - b).norm(dim=1)) for a, b in pairs])
    return pd.Series(result / np.sqrt(np.mean(result**2)), index=list(VECTOR_NAMES), name="visibility")


@torch.inference_mode()
def _maps(pyramid: torch.nn.Module, pictures: np.ndarray) -> list[torch.Tensor]:
    images = resize(to_images(pictures).to(device()), _SEEN).contiguous(memory_format=torch.channels_last)
    return [F.normalize(features.float(), dim=1) for features in pyramid(images)]


def _pooled(differences: torch.Tensor) -> float:
    """Quick pooling of differences (n, height, width) over places, mean over the n."""
    return (differences**POOLING).mean(dim=(1, 2)).pow(1 / POOLING).mean().item()
