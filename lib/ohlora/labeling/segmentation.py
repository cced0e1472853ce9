"""Which pixel is hair, skin, eyes …: a small U-Net with nine classes."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ohlora.config import Profile, device, half_precision, load_profile
from ohlora.images import resize
from ohlora.weights import load_weights

CLASSES = ("background", "skin", "eyes", "mouth interior", "lips", "nose", "hair", "clothes", "brows")
MEASURED_SIZE = 256
"""Pixels of a side at which portraits are segmented and measured; others are resized to it first."""
WIDTHS = (32, 64, 96, 128, 160)
"""Channels of each level, from 1/2 of the resolution down to 1/32; about 1.2 M parameters."""
FOLD = 2
"""Pixels of a side of the cells that become one: full resolution in, full resolution out, half of it inside."""


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

    Its first layer sees cells of ``fold`` × ``fold`` pixels, folded into channels, and its last one gives an answer for
    each pixel of a cell (sub-pixel convolution, Shi et al. 2016): no pixel is lost, and nothing runs at the full
    resolution, where few channels cost most.

    Input float (n, 3, s, s) in [-1, 1], output logits (n, 9, s, s).

    Args:
        widths: channels of each level. fold: pixels of a cell's side.
        size: pixels s of a side that it is trained at, a multiple of fold · 2 ** (levels - 1); images of another size
            are resized to it (class_logits).
    """

    def __init__(self, widths: tuple[int, ...] = WIDTHS, size: int = MEASURED_SIZE, fold: int = FOLD) -> None:
        super().__init__()
        unit = fold * 2 ** (len(widths) - 1)
        if size < 1 or size % unit:
            raise ValueError(f"size={size!r} does not fit; allowed: a multiple of {unit}")
        self.widths, self.size, self.fold = tuple(widths), size, fold
        self.stem = Block(3 * fold**2, widths[0])
        steps = list(itertools.pairwise(widths))
        self.down = nn.ModuleList(nn.Sequential(Block(a, b, stride=2), Block(b, b)) for a, b in steps)
        self.narrow = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in reversed(steps))
        self.up = nn.ModuleList(Block(a, a) for a, _ in reversed(steps))
        # A pixel at the edge of its cell sees the cell beside it.
        self.classify = nn.Conv2d(widths[0], len(CLASSES) * fold**2, 2 * fold - 1, padding=fold - 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits (n, 9, s, s) of images (n, 3, s, s)."""
        cells = functional.pixel_unshuffle(images, self.fold)
        levels = [self.stem(cells.contiguous(memory_format=torch.channels_last))]
        for down in self.down:
            levels.append(down(levels[-1]))
        x = levels.pop()
        for narrow, up in zip(self.narrow, self.up, strict=True):
            skip = levels.pop()
            x = functional.interpolate(narrow(x), scale_factor=2, mode="bilinear", align_corners=False)
            x = up(x + skip)
        return functional.pixel_shuffle(self.classify(x), self.fold)


def load_segmentation(profile: Profile | str = "embedded") -> nn.Module:
    """The profile's segmentation network, ready to use: ours, or a face parser from the hub (``labeling.source``).

    Raises:
        ValueError: another source than weights or hub.
        WeightsError: the weight file is missing or damaged.
        FaceParserError: the parser cannot be fetched.
    """
    section = load_profile(profile).labeling
    if section.source not in ("weights", "hub"):
        raise ValueError(f"labeling.source={section.source!r} is unknown; allowed: weights, hub")
    if section.source == "hub":
        from ohlora.labeling.face_parser import load_face_parser

        return load_face_parser(section.segmentation)
    return ready(read_segmentation(section.segmentation))


def read_segmentation(name_or_path: str | Path) -> SegmentationNetwork:
    """A network from a weight file (name or path), as it was trained: float32, batch norms not folded.

    Raises:
        WeightsError: missing or damaged.
    """
    tensors, card = load_weights(name_or_path)
    network = SegmentationNetwork(tuple(card["widths"]), card["size"], card["fold"])
    network.load_state_dict(tensors)
    return network


def ready(network: SegmentationNetwork) -> SegmentationNetwork:
    """Evaluation mode on the device, batch norms folded into the convolutions: twice as fast. For inference only."""
    network = copy.deepcopy(network).eval()
    for block in [module for module in network.modules() if isinstance(module, Block)]:
        block.convolution = fuse_conv_bn_eval(block.convolution, block.normalise)
        block.normalise = nn.Identity()
    return network.requires_grad_(False).to(device(), memory_format=torch.channels_last)


@torch.inference_mode()
def class_logits(network: nn.Module, images: torch.Tensor, batch: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Batches of (images float32, logits), (b, 3, s, s) and (b, 9, s, s), in order.

    Images of another size than the network's are resized to it: s is always ``network.size``. A generator, because the
    maps of 10,000 portraits would not fit into memory.
    """
    for chunk in check_images(images).split(batch):
        if len(chunk) == 0:
            return
        chunk = resize(chunk.to(device(), torch.float32), network.size)
        with half_precision():
            logits = network(chunk.contiguous(memory_format=torch.channels_last))
        yield chunk, logits


def class_probabilities(
    network: nn.Module, images: torch.Tensor, batch: int = 8
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Batches of (images, probabilities), float32 (b, 3, s, s) and (b, 9, s, s), in order; s is ``network.size``."""
    for chunk, logits in class_logits(network, images, batch):
        yield chunk, logits.float().contiguous().softmax(dim=1)


def segment(network: nn.Module, images: torch.Tensor, batch: int = 8) -> np.ndarray:
    """Masks uint8 (n, size, size), as large as the images: the most likely of the nine CLASSES for each pixel.

    Of images of another size than the network's the logits are resized, not the mask: edges stay smooth.
    """
    side, masks = images.shape[-1], []
    for _, logits in class_logits(network, images, batch):
        if side != logits.shape[-1]:
            logits = resize(logits.float(), side)
        # Over channels that lie beside each other in memory: eight times as fast.
        likely = logits.contiguous(memory_format=torch.channels_last).argmax(dim=1)
        masks.append(likely.byte().cpu().numpy())
    return np.concatenate(masks) if masks else np.zeros((0, side, side), dtype=np.uint8)


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
