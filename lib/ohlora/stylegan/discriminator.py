"""A discriminator that looks at pixels: it scores 8×8 patches, so that hair and eyes count as much as the whole."""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_WIDTHS = (24, 48, 64, 96, 128, 160)  # at 128 px, 64 px … 4 px: what a level costs does not depend on the image size


class Discriminator(nn.Module):
    """Image → patch logits and the features of every level (for feature matching).

    The first step folds 2×2 pixels into channels: nothing is lost, and the dearest layer runs at half size.
    A last map holds the minibatch standard deviation (Karras et al. 2018, §3), which punishes sameness.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        if size < 16 or size & (size - 1):
            raise ValueError(f"size={size} does not suit a discriminator; allowed: 16, 32, 64, 128 …")
        levels = (size // 16).bit_length() - 1  # halvings from size/2 down to 8
        widths = [_WIDTHS[max(0, level + len(_WIDTHS) - 2 - levels)] for level in range(levels + 1)]
        self.first = nn.Conv2d(12, widths[0], 3, padding=1)
        self.levels = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(a, a, 3, padding=1),
                nn.LeakyReLU(0.2),
                nn.Conv2d(a, b, 4, stride=2, padding=1),
                nn.LeakyReLU(0.2),
            )
            for a, b in itertools.pairwise(widths)
        )
        self.last = nn.Conv2d(widths[-1] + 1, widths[-1], 3, padding=1)
        self.score = nn.Conv2d(widths[-1], 1, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):  # PyTorch's default loses half of the signal in every layer
                nn.init.kaiming_normal_(module.weight, a=0.2)
                nn.init.zeros_(module.bias)

    def forward(self, maps: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Score images.

        Args:
            maps: one tensor, images (n, 3, size, size) in [-1, 1]; a list, as every discriminator here takes maps.

        Returns:
            One tensor of logits (n, 1, 8, 8), positive for "rendered", and feature maps, fine to coarse.
        """
        (images,) = maps
        features = F.leaky_relu(
            self.first(F.pixel_unshuffle(images, 2).contiguous(memory_format=torch.channels_last)), 0.2
        )
        kept = [features]
        for level in self.levels:
            features = level(features)
            kept.append(features)
        spread = features.float().var(dim=0, unbiased=False).add(1e-8).sqrt().mean()
        spread = spread.to(features.dtype).expand(len(features), 1, *features.shape[2:])
        features = F.leaky_relu(self.last(torch.cat([features, spread], dim=1)), 0.2)
        return [self.score(features)], kept
