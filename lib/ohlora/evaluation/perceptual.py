"""How an outside network sees portraits: EfficientNet-lite0, trained on photographs, never on ours.

All portraits are brought to 224 pixels first, the size that the network was trained at, so that generators of
different sizes are judged by the same eye. FID and KID in the literature use Inception, and path length VGG: numbers
from here compare with each other and with their floors, not with published ones.
"""

from __future__ import annotations

import sys

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from ohlora.config import device
from ohlora.images import resize, to_images
from ohlora.labeling.quality_labels import features
from ohlora.stylegan.perceptual_features import FeaturePyramid, load_features

SIZE = 224
_BATCH = 32


def portrait_features(pictures: np.ndarray, network: nn.Module | None = None, name: str = "features") -> Tensor:
    """What FID, KID, precision and recall compare: pooled features, float32 (n, 1280).

    Args:
        pictures: uint8 (n, size, size, 3). network: from load_features, if it is at hand. name: of the progress bar.
    """
    network = load_features() if network is None else network
    rows = range(0, len(pictures), _BATCH)
    parts = [
        features(network, resize(to_images(pictures[row : row + _BATCH]), SIZE))
        for row in tqdm(rows, desc=name, disable=None, file=sys.stderr, leave=False)
    ]
    return torch.cat(parts)


class PerceptualDistance(nn.Module):
    """Squared distance of two images in the feature maps of five levels (LPIPS without its learned weights).

    Zhang et al. 2018, eq. 1 with all weights 1: at each place of each map the channels are scaled to length 1, the
    squared differences are averaged over places and summed over the five levels. 0: equal; 2 a level: nothing shared.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pyramid = FeaturePyramid().to(memory_format=torch.channels_last)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Distances (n,) of images (n, 3, size, size) in [-1, 1], in float32."""
        both = zip(self._maps(first), self._maps(second), strict=True)
        return sum((a - b).square().sum(dim=1).mean(dim=(1, 2)) for a, b in both).cpu()

    def _maps(self, images: Tensor) -> list[Tensor]:
        images = resize(images.to(device()).float(), SIZE).contiguous(memory_format=torch.channels_last)
        return [nn.functional.normalize(features, dim=1) for features in self.pyramid(images)]
