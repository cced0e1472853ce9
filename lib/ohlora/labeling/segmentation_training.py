"""Train the U-Net on rendered portraits, whose masks are exact: ``python -m ohlora.labeling.segmentation_training``."""

from __future__ import annotations

import argparse
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional
from tqdm import tqdm

from ohlora.config import load_profile, outputs_folder, seed_everything
from ohlora.labeling.segmentation import (
    CLASSES,
    WIDTHS,
    SegmentationNetwork,
    half_precision,
    intersection_over_union,
    ready,
    segment,
    to_images,
)
from ohlora.weights import load_weights, save_weights

CLASS_WEIGHTS = (1.0, 1.0, 3.0, 3.0, 2.0, 1.0, 1.0, 1.0, 3.0)
"""Small parts count more: eyes, mouth and brows are one pixel in seventy."""


def augment(images: torch.Tensor, masks: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A new camera, light and lens for every portrait, so that the network also works off the renderer.

    Args:
        images: float (n, 3, s, s) in [-1, 1]. masks: long (n, s, s).
    """
    images, masks = move(images, masks)
    return relight(images), masks


def move(images: torch.Tensor, masks: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mirror, turn by up to 11°, zoom by up to 20 % and shift, the same for a portrait and its mask."""
    count, size = len(images), images.shape[-1]
    turn = torch.empty(count).uniform_(-0.2, 0.2)
    zoom = torch.exp(torch.empty(count).uniform_(-0.18, 0.18))
    mirror = torch.where(torch.rand(count) < 0.5, -1.0, 1.0)
    shift = torch.empty(count, 2).uniform_(-0.1, 0.1)
    cosine, sine = torch.cos(turn) * zoom, torch.sin(turn) * zoom
    rows = torch.stack([cosine * mirror, -sine, shift[:, 0], sine * mirror, cosine, shift[:, 1]], dim=1)
    grid = functional.affine_grid(rows.view(count, 2, 3), [count, 1, size, size], align_corners=False)
    images = functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    masks = functional.grid_sample(
        masks[:, None].float(), grid, mode="nearest", padding_mode="reflection", align_corners=False
    )
    return images, masks[:, 0].long()


def relight(images: torch.Tensor) -> torch.Tensor:
    """Brightness, contrast, tint, saturation per portrait; blur or a low-resolution copy for some; noise."""
    count = len(images)
    gain = torch.exp(torch.empty(count, 3, 1, 1).uniform_(-0.1, 0.1) + torch.empty(count, 1, 1, 1).uniform_(-0.3, 0.3))
    images = images * gain + torch.empty(count, 1, 1, 1).uniform_(-0.2, 0.2)
    grey = images.mean(dim=1, keepdim=True)
    images = grey + (images - grey) * torch.empty(count, 1, 1, 1).uniform_(0.5, 1.4)
    size = images.shape[-1]
    small = functional.interpolate(
        images, scale_factor=float(torch.empty(()).uniform_(0.3, 0.9)), mode="area", recompute_scale_factor=True
    )
    soft = functional.interpolate(small, size=(size, size), mode="bilinear", align_corners=False)
    mix = torch.where(torch.rand(count, 1, 1, 1) < 0.4, torch.rand(count, 1, 1, 1), torch.zeros(()))
    images = images + mix * (soft - images)
    noise = torch.randn_like(images) * torch.empty(count, 1, 1, 1).uniform_(0, 0.04)
    return (images + noise).clamp(-1, 1)


def train_segmentation(
    pictures: np.ndarray,
    masks: np.ndarray,
    epochs: int = 8,
    batch: int = 8,
    learning_rate: float = 4e-3,
    seed: int = 0,
    minutes: float = math.inf,
    widths: tuple[int, ...] = WIDTHS,
    network: SegmentationNetwork | None = None,
) -> tuple[SegmentationNetwork, list[float]]:
    """Cross-entropy plus soft Dice, AdamW with a one-cycle schedule, bf16.

    Args:
        pictures: uint8 (n, s, s, 3). masks: uint8 (n, s, s).
        minutes: stop the schedule early enough to end within this time (process time of one core).
        network: go on from this one instead of a new one.

    Returns:
        The network in evaluation mode, and the loss of every step.
    """
    seed_everything(seed)
    network = (network or SegmentationNetwork(widths)).train().requires_grad_(True)
    network = network.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), lr=learning_rate, weight_decay=1e-3)
    per_epoch = max(1, len(pictures) // batch)
    total, losses, start = epochs * per_epoch, [], time.process_time()
    weights = torch.tensor(CLASS_WEIGHTS)
    order = np.random.default_rng(seed)
    progress = tqdm(total=total, disable=None, file=sys.stderr, desc="segmentation")
    done = 0.0
    while done < 1.0:
        for rows in np.array_split(order.permutation(len(pictures)), per_epoch):
            elapsed = (time.process_time() - start) / 60 / minutes
            done = max(len(losses) / total, elapsed)
            if done >= 1.0:
                break
            for group in optimiser.param_groups:
                group["lr"] = learning_rate * min(1.0, 20 * done + 0.02) * 0.5 * (1 + math.cos(math.pi * done))
            images, labels = augment(to_images(pictures[rows]), torch.from_numpy(masks[rows]).long())
            with half_precision():
                logits = network(images.contiguous(memory_format=torch.channels_last))
            loss = segmentation_loss(logits.float(), labels, weights)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
            progress.update()
            progress.set_postfix(loss=f"{np.mean(losses[-20:]):.3f}", refresh=False)
    progress.close()
    return network.eval().requires_grad_(False), losses


def segmentation_loss(logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Weighted cross-entropy plus one minus the mean soft Dice (Milletari et al. 2016, eq. 3), per class."""
    entropy = functional.cross_entropy(logits, labels, weight=weights)
    probabilities = logits.softmax(dim=1)
    truth = functional.one_hot(labels, logits.shape[1]).permute(0, 3, 1, 2).float()
    both = (probabilities * truth).sum(dim=(0, 2, 3))
    dice = (2 * both + 1) / (probabilities.sum(dim=(0, 2, 3)) + truth.sum(dim=(0, 2, 3)) + 1)
    return entropy + 1 - dice.mean()


def main() -> None:
    """Train on the rendered corpus, score on the shipped sample (another seed), save with its card."""
    from ohlora.portraits.corpus import load_corpus, load_sample

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--profile", default="embedded")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--minutes", type=float, default=math.inf, help="process minutes at most")
    parser.add_argument("--limit", type=int, default=None, help="use only so many pairs")
    parser.add_argument("--learning-rate", type=float, default=4e-3)
    parser.add_argument("--start-from", default=None, help="weight file (name or path) to go on from")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=None)
    arguments = parser.parse_args()
    profile = load_profile(arguments.profile)
    output = arguments.output or outputs_folder() / "weights" / f"{profile.labeling.segmentation}.safetensors"
    corpus = load_corpus(outputs_folder() / profile.portraits.corpus, limit=arguments.limit)
    start = SegmentationNetwork() if arguments.start_from else None
    earlier = {}
    if start is not None:
        tensors, earlier = load_weights(arguments.start_from)
        start.load_state_dict(tensors)
    network, losses = train_segmentation(
        corpus.images,
        corpus.masks,
        arguments.epochs,
        learning_rate=arguments.learning_rate,
        seed=arguments.seed,
        minutes=arguments.minutes,
        network=start,
    )
    sample = load_sample()
    scores = intersection_over_union(segment(ready(network), to_images(sample.images)), sample.masks)
    card = {
        "data": f"{len(corpus.images)} rendered portraits; scored on {len(sample.images)} from another seed",
        "seed": arguments.seed,
        "command": " ".join(["python -m ohlora.labeling.segmentation_training", *sys.argv[1:]]),
        "metrics": {"mean IoU": float(np.nanmean(scores)), "IoU": dict(zip(CLASSES, scores.tolist(), strict=True))},
        "licence": "Apache-2.0 (own weights, own renders)",
        "widths": list(WIDTHS),
        "steps": len(losses),
        "started from": {key: earlier[key] for key in ("command", "data", "steps", "started from") if key in earlier},
    }
    save_weights(output, network.state_dict(), card)
    print(output, card["metrics"])


if __name__ == "__main__":
    main()
