"""A CNN that reads the seven z-scores off a portrait, differentiably.

The segmentation labeler judges; this network only teaches: conditioning (notebook 07) needs gradients from the
properties to the pixels. It was trained on the labeler's measurements of generated portraits.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from tqdm import tqdm

from ohlora.config import Profile, device, half_precision, load_profile, seed_everything
from ohlora.images import resize, to_images
from ohlora.labeling.measurements import PROPERTIES, Standardisation
from ohlora.weights import load_weights


@dataclass(frozen=True)
class RegressorSettings:
    """size: pixels that the CNN sees. widths: channels at 1/2, 1/4, 1/8 and 1/16 of it. The rest: its training."""

    size: int = 128
    widths: tuple[int, int, int, int] = (24, 48, 96, 128)
    epochs: int = 5
    batch: int = 32
    learning_rate: float = 3e-3


class PropertyRegressor(nn.Module):
    """Images float (n, 3, any, any) in [-1, 1] -> z-scores (n, 7), columns in the order of PROPERTIES."""

    def __init__(self, settings: RegressorSettings) -> None:
        super().__init__()
        self.size = settings.size
        widths, layers, previous = settings.widths, [], 3
        for width in widths:
            layers += [nn.Conv2d(previous, width, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            layers += [nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            previous = width
        self.convolutions = nn.Sequential(*layers)
        # Not an average over the picture: where something is, is what most of the properties are about.
        self.squeeze = nn.Sequential(nn.Conv2d(previous, 16, 1), nn.Flatten())
        cells = (settings.size // 16) ** 2
        self.read = nn.Sequential(nn.Linear(16 * cells, 64), nn.ReLU(), nn.Linear(64, len(PROPERTIES)))
        self.register_buffer("scale", torch.ones(len(PROPERTIES)))
        self.register_buffer("offset", torch.zeros(len(PROPERTIES)))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """z-scores (n, 7), float32."""
        if images.ndim != 4 or images.shape[1] != 3:
            raise ValueError(f"images is {tuple(images.shape)}; allowed: (n, 3, size, size)")
        x = self.convolutions(resize(images, self.size).contiguous(memory_format=torch.channels_last))
        return self.read(self.squeeze(x)).float() * self.scale + self.offset

    def rescale(self, old: Standardisation, new: Standardisation) -> None:
        """Speak z-scores of ``new`` where it spoke those of ``old``: an exact affine change, no training."""
        ratio = old.deviation / new.deviation
        self.scale.mul_(ratio)
        self.offset.mul_(ratio).add_((old.mean - new.mean) / new.deviation)


def load_regressor(profile: Profile | str = "embedded") -> PropertyRegressor:
    """The profile's regressor, in evaluation mode, without gradients to its weights (but to images).

    Raises:
        WeightsError: the weight file is missing or damaged.
    """
    tensors, card = load_weights(load_profile(profile).labeling.regressor)
    network = PropertyRegressor(RegressorSettings(**card["settings"]))
    network.load_state_dict(tensors)
    return network.eval().requires_grad_(False).to(device(), memory_format=torch.channels_last)


def train_regressor(
    pictures: np.ndarray,
    raw: torch.Tensor,
    standardisation: Standardisation,
    settings: RegressorSettings | None = None,
    seed: int = 0,
) -> PropertyRegressor:
    """Smooth L1 between predicted and measured z-scores; AdamW, cosine schedule, bf16, mirrored copies.

    Args:
        pictures: uint8 (n, s, s, 3).
        raw: the labeler's raw measurements, float (n, 7). z-scores are clipped to ±4: outliers of the measurement
            must not lead.
        standardisation: makes raw measurements z-scores.
    """
    settings = settings or RegressorSettings()
    seed_everything(seed)
    network = PropertyRegressor(settings).train().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=0.01)
    mirrored = raw.clone()
    mirrored[:, PROPERTIES.index("pose")] *= -1
    targets = torch.stack([standardisation.z_scores(values).clamp(-4, 4) for values in (raw, mirrored)])
    per_epoch = max(1, len(pictures) // settings.batch)
    total, order = settings.epochs * per_epoch, np.random.default_rng(seed)
    progress = tqdm(total=total, disable=None, file=sys.stderr, desc="regressor")
    for step in range(total):
        if step % per_epoch == 0:
            batches = np.array_split(order.permutation(len(pictures)), per_epoch)
        rows = batches[step % per_epoch]
        for group in optimiser.param_groups:
            rise = min(1.0, (step + 1) / (0.05 * total + 1))
            group["lr"] = settings.learning_rate * rise * 0.5 * (1 + math.cos(math.pi * step / total))
        images, flip = to_images(pictures[rows]), torch.rand(len(rows)) < 0.5
        images = torch.where(flip[:, None, None, None], images.flip(3), images)
        wanted = targets[flip.long(), torch.from_numpy(rows)]
        with half_precision():
            predicted = network(images)
        loss = functional.smooth_l1_loss(predicted, wanted, beta=0.3)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        progress.update()
        progress.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
    progress.close()
    return network.eval().requires_grad_(False)


@torch.inference_mode()
def predict(network: PropertyRegressor, pictures: np.ndarray, batch: int = 64) -> torch.Tensor:
    """z-scores float32 (n, 7) of uint8 pictures (n, s, s, 3)."""
    parts = []
    for start in range(0, len(pictures), batch):
        with half_precision():
            parts.append(network(to_images(pictures[start : start + batch]).to(device())).cpu())
    return torch.cat(parts)
