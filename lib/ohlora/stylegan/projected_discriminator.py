"""A discriminator that does not look at pixels but at what a frozen, pretrained network sees in them.

Source: Sauer et al. 2021, "Projected GANs Converge Faster": feature maps at several scales, mixed across channels
and across scales by fixed random convolutions (so that no single feature can be gamed), and a small trained head for
each scale. Lighter than the paper's: heads score patches directly, and a face is seen twice, small and whole, and
as a crop at full resolution, so that strands of hair are judged without running the network on the whole large image.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from ohlora.images import resize
from ohlora.stylegan.perceptual_features import CHANNELS, FeaturePyramid

VIEW = 128  # side of the whole view and of the crop, in pixels
CROP_LEVELS = 4  # maps taken of a crop: it is there for texture, the coarsest map is for the whole face


class Views(nn.Module):
    """Image → feature maps of the whole face and, above 128 px, of a crop at full resolution."""

    def __init__(self) -> None:
        super().__init__()
        self.pyramid = FeaturePyramid()

    def forward(self, images: Tensor, corner: tuple[int, int]) -> list[Tensor]:
        """Look at images.

        Args:
            images: (n, 3, size, size) in [-1, 1]. corner: top and left of the crop, each 0 … size − 128.

        Returns:
            Five maps of the whole face (resized to 128 px; 32 px only to 64), fine to coarse, then four of the crop.
        """
        size = images.shape[-1]
        whole = resize(images, min(VIEW, 2 * size)).contiguous(memory_format=torch.channels_last)
        maps = self.pyramid(whole)
        if size > VIEW:
            top, left = corner
            crop = images[:, :, top : top + VIEW, left : left + VIEW].contiguous(memory_format=torch.channels_last)
            maps = [*maps, *self.pyramid(crop, CROP_LEVELS)]
        return maps


class ProjectedDiscriminator(nn.Module):
    """Feature maps of :class:`Views` → logits of patches at all scales but the finest."""

    def __init__(self, width: int = 32, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.whole = _Judge(CHANNELS[1:], width)
            self.crop = _Judge(CHANNELS[:CROP_LEVELS], width)

    def forward(self, maps: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Logits of every scale, (n, 1, h, w), positive for "rendered"; and no features of its own: ``maps`` are it."""
        logits = self.whole(maps[1 : len(CHANNELS)])
        if len(maps) > len(CHANNELS):
            logits += self.crop(maps[len(CHANNELS) :])
        return logits, []


class _Judge(nn.Module):
    """Fixed random mixing over channels and scales, then a head for each scale."""

    def __init__(self, channels: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.across_channels = nn.ModuleList(nn.Conv2d(count, width, 1, bias=False) for count in channels)
        self.across_scales = nn.ModuleList(nn.Conv2d(width, width, 1, bias=False) for _ in channels[1:])
        for module in (*self.across_channels, *self.across_scales):
            nn.init.kaiming_normal_(module.weight, nonlinearity="linear")
            module.requires_grad_(False)
        self.heads = nn.ModuleList(
            nn.Sequential(
                spectral_norm(nn.Conv2d(width, 2 * width, 3, stride=2, padding=1)),
                nn.LeakyReLU(0.2),
                spectral_norm(nn.Conv2d(2 * width, 2 * width, 3, padding=1)),
                nn.LeakyReLU(0.2),
                spectral_norm(nn.Conv2d(2 * width, 1, 1)),
            )
            for _ in channels
        )

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        mixed: list[Tensor] = []
        for level in reversed(range(len(maps))):
            features = self.across_channels[level](maps[level])
            if mixed:
                coarser = F.interpolate(mixed[0], size=features.shape[-2:], mode="bilinear", align_corners=False)
                features = (features + self.across_scales[level](coarser)) * 0.7
            mixed.insert(0, features)
        return [head(features) for head, features in zip(self.heads, mixed, strict=True)]
