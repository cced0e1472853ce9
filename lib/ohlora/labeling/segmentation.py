"""Which pixel is hair, skin, eyes …: a small U-Net with nine classes."""

from __future__ import annotations

import contextlib
import copy
import itertools
from collections.abc import Iterator

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ohlora.config import Profile, device, load_profile
from ohlora.weights import load_weights

CLASSES = ("background", "skin", "eyes", "mouth interior", "lips", "nose", "hair", "clothes", "brows")
WIDTHS = (16, 32, 64, 96, 128)
"""Channels from full resolution down to 1/16; about 0.8 M parameters."""


def check_images(images: torch.Tensor) -> torch.Tensor:
    """Refuse anything but float (n, 3, size, size) with size a multiple of 16, at least 32."""
    right = isinstance(images, torch.Tensor) and images.ndim == 4 and images.shape[1] == 3
    right = right and images.is_floating_point() and images.shape[2] == images.shape[3]
    if not right or images.shape[3] < 32 or images.shape[3] % 16:
        got = f"{images.dtype} {tuple(images.shape)}" if isinstance(images, torch.Tensor) else type(images).__name__
        raise ValueError(
            f"images is {got}; allowed: a float tensor (n, 3, size, size) in [-1, 1], size a multiple of 16 from 32 up"
        )
    return images


def to_images(pictures: np.ndarray) -> torch.Tensor:
    """uint8 (n, size, size, 3) -> float32 (n, 3, size, size) in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


class Block(nn.Module):
    """3×3 convolution, batch norm, ReLU; ``stride`` 2 halves the picture."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.normalise = nn.BatchNorm2d(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, inputs, h, w) -> (n, outputs, h / stride, w / stride)."""
        return functional.relu(self.normalise(self.convolution(x)))


class SegmentationNetwork(nn.Module):
    """U-Net (Ronneberger et al. 2015) whose skips are added, not concatenated: half the work on a CPU.

    Input float (n, 3, s, s) in [-1, 1], output logits (n, 9, s, s); s a multiple of 16.
    """

    def __init__(self, widths: tuple[int, ...] = WIDTHS, classes: int = len(CLASSES)) -> None:
        super().__init__()
        self.stem = Block(3, widths[0])
        steps = list(itertools.pairwise(widths))
        self.down = nn.ModuleList(nn.Sequential(Block(a, b, stride=2), Block(b, b)) for a, b in steps)
        self.narrow = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in reversed(steps))
        self.up = nn.ModuleList(Block(a, a) for a, _ in reversed(steps))
        self.classify = nn.Conv2d(widths[0], classes, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits (n, classes, s, s) of images (n, 3, s, s)."""
        levels = [self.stem(images)]
        for down in self.down:
            levels.append(down(levels[-1]))
        x = levels.pop()
        for narrow, up in zip(self.narrow, self.up, strict=True):
            skip = levels.pop()
            x = functional.interpolate(narrow(x), scale_factor=2, mode="bilinear", align_corners=False)
            x = up(x + skip)
        return self.classify(x)


def load_segmentation(profile: Profile | str = "embedded") -> SegmentationNetwork:
    """The profile's segmentation network, ready to use.

    Raises:
        WeightsError: the weight file is missing or damaged.
    """
    tensors, card = load_weights(load_profile(profile).labeling.segmentation)
    network = SegmentationNetwork(tuple(card["widths"]))
    network.load_state_dict(tensors)
    return ready(network)


def ready(network: SegmentationNetwork) -> SegmentationNetwork:
    """Evaluation mode on the device, batch norms folded into the convolutions: twice as fast. For inference only."""
    network = copy.deepcopy(network).eval()
    for block in [module for module in network.modules() if isinstance(module, Block)]:
        block.convolution = fuse_conv_bn_eval(block.convolution, block.normalise)
        block.normalise = nn.Identity()
    return network.requires_grad_(False).to(device(), memory_format=torch.channels_last)


def half_precision(enabled: bool = True) -> contextlib.AbstractContextManager:
    """bfloat16 autocast: three to five times faster on CPUs with AVX-512/AMX; off where CUDA lacks it."""
    kind = device()
    usable = kind == "cpu" or torch.cuda.is_bf16_supported()
    return torch.autocast(kind, dtype=torch.bfloat16, enabled=enabled and usable)


@torch.inference_mode()
def class_logits(network: nn.Module, images: torch.Tensor, batch: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Batches of (images float32, logits bfloat16), (b, 3, s, s) and (b, 9, s, s), in order.

    A generator, because the maps of 10,000 portraits would not fit into memory.
    """
    for chunk in check_images(images).split(batch):
        if len(chunk) == 0:
            return
        chunk = chunk.to(device(), torch.float32)
        with half_precision():
            logits = network(chunk.contiguous(memory_format=torch.channels_last))
        yield chunk, logits


def class_probabilities(
    network: nn.Module, images: torch.Tensor, batch: int = 16
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Batches of (images, probabilities), float32 (b, 3, s, s) and (b, 9, s, s), in order."""
    for chunk, logits in class_logits(network, images, batch):
        yield chunk, logits.float().softmax(dim=1)


def segment(network: nn.Module, images: torch.Tensor, batch: int = 16) -> np.ndarray:
    """Masks uint8 (n, size, size): the most probable of the nine CLASSES for each pixel."""
    masks = [logits.argmax(dim=1).byte().cpu().numpy() for _, logits in class_logits(network, images, batch)]
    return np.concatenate(masks) if masks else np.zeros((0, *images.shape[2:]), dtype=np.uint8)


def intersection_over_union(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Per-class IoU (9,) pooled over all pixels; NaN for a class in neither.

    Args:
        predicted, truth: uint8 masks of the same shape.
    """
    count = len(CLASSES)
    table = np.bincount(truth.ravel().astype(np.int64) * count + predicted.ravel(), minlength=count**2)
    table = table.reshape(count, count)
    union = table.sum(0) + table.sum(1) - table.diagonal()
    return np.where(union > 0, table.diagonal() / np.maximum(union, 1), np.nan)
