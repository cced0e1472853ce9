"""Train the U-Net on rendered portraits, whose masks are exact, and on generated ones with the masks of their pairs.

    python -m ohlora.labeling.segmentation_training --epochs 100 --minutes 25

After a change of the generator, minutes are enough: --start-from segmentation_256 --minutes 4 --learning-rate 1e-3
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from tqdm import tqdm

from ohlora.config import half_precision, load_profile, outputs_folder, seed_everything
from ohlora.images import resize, to_images
from ohlora.labeling.segmentation import (
    CLASSES,
    MEASURED_SIZE,
    WIDTHS,
    SegmentationNetwork,
    intersection_over_union,
    read_segmentation,
    ready,
    segment,
)
from ohlora.weights import load_weights, save_weights

CLASS_WEIGHTS = (1.0, 1.0, 3.0, 3.0, 2.0, 1.0, 1.0, 1.0, 3.0)
"""Small parts count more at first: eyes, mouth and brows are one pixel in seventy. By the end all count the same, or
they would be drawn too large: who pays three times for a lost pixel of a brow claims too many."""


KEEP_MINUTES = 5.0
"""Process minutes between two copies of an unfinished network."""
SMALL_SHARE = 0.25
"""First share of a training from scratch that is spent at half the size ("progressive resizing", fast.ai 2018): a
step costs a quarter there, and what a face looks like is learned as well. The rest learns the edges."""


def augment(images: torch.Tensor, masks: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A new camera, light and lens for every portrait, so that the network also works off the renderer.

    Args:
        images: float (n, 3, s, s) in [-1, 1]. masks: long (n, s, s).
    """
    images, masks = move(images, masks)
    return relight(images), masks


def move(images: torch.Tensor, masks: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mirror, turn by up to 11°, zoom by up to 20 % and shift, the same for a portrait and its mask.

    Half of them are only mirrored: what moves is sampled anew, and edges that are never as sharp as a portrait's own
    cannot teach where its edges are.
    """
    count, size = len(images), images.shape[-1]
    moved = (torch.rand(count) < 0.5).float()
    turn = moved * torch.empty(count).uniform_(-0.2, 0.2)
    zoom = torch.exp(moved * torch.empty(count).uniform_(-0.18, 0.18))
    mirror = torch.where(torch.rand(count) < 0.5, -1.0, 1.0)
    shift = moved[:, None] * torch.empty(count, 2).uniform_(-0.1, 0.1)
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


@dataclass(frozen=True)
class MaskedPortraits:
    """Portraits with what each of their pixels is. pictures: uint8 (n, s, s, 3). masks: uint8 (n, s, s)."""

    pictures: np.ndarray
    masks: np.ndarray

    def __post_init__(self) -> None:
        if self.pictures.shape != (*self.masks.shape, 3) or not len(self.masks):
            raise ValueError(
                f"pictures is {self.pictures.shape} beside masks {self.masks.shape}; "
                "allowed: (n, s, s, 3) and (n, s, s), n at least 1"
            )

    def __len__(self) -> int:
        return len(self.masks)


def generated_portraits(
    generator: Any, u: np.ndarray, masks: np.ndarray, seed: int = 0, size: int | None = None
) -> MaskedPortraits:
    """What a generator draws for portrait parameters, with the masks of the renders of the same parameters.

    The generator never draws exactly what was rendered, least of all single strands, so the masks are not exact.

    Args:
        generator: a PortraitGenerator. u: (n, U_DIM), of the renders. masks: theirs, uint8 (n, s, s).
        seed: of the rest of each latent. size: s; None: the generator's.
    """
    rest = generator.z_dim - u.shape[1]
    extra = torch.randn(len(u), rest, generator=torch.Generator().manual_seed(seed))
    z = generator.u_to_z(torch.from_numpy(np.asarray(u, np.float32)), extra)
    return MaskedPortraits(generator.pictures(z, size=size), masks)


def train_segmentation(
    rendered: MaskedPortraits,
    generated: MaskedPortraits | None = None,
    epochs: int = 8,
    batch: int = 8,
    generated_in_batch: int = 2,
    learning_rate: float = 4e-3,
    seed: int = 0,
    minutes: float = math.inf,
    widths: tuple[int, ...] = WIDTHS,
    network: SegmentationNetwork | None = None,
    keep: Callable[[SegmentationNetwork, int], None] = lambda network, steps: None,
) -> tuple[SegmentationNetwork, list[float]]:
    """Cross-entropy plus soft Dice, AdamW with a one-cycle schedule, bf16.

    Args:
        rendered: their size becomes the network's.
        generated: of the same size; ``generated_in_batch`` of each ``batch`` are drawn from them.
        epochs: over the rendered portraits.
        minutes: stop the schedule early enough to end within this time (process time of one core).
        network: go on from this one instead of a new one.
        keep: called with the network and the number of steps every KEEP_MINUTES, so that a long run leaves something
            when it is cut off.

    Returns:
        The network in evaluation mode, and the loss of every step.
    """
    seed_everything(seed)
    fresh = network is None
    network = (network or SegmentationNetwork(widths, rendered.masks.shape[1])).train().requires_grad_(True)
    network = network.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), lr=learning_rate, weight_decay=1e-3)
    from_renders = batch - generated_in_batch if generated is not None else batch
    total = epochs * max(1, len(rendered) // from_renders)
    small_share = SMALL_SHARE if fresh else 0.0  # who goes on knows faces and small parts already
    draw, draw_generated = _endless(len(rendered), seed), _endless(len(generated or ()), seed + 1)
    weights, losses, start, kept = torch.tensor(CLASS_WEIGHTS), [], time.process_time(), 0.0
    progress = tqdm(total=total, disable=None, file=sys.stderr, desc="segmentation")
    while True:
        spent = (time.process_time() - start) / 60
        done = max(len(losses) / total, spent / minutes)
        if done >= 1.0:
            break
        if spent - kept > KEEP_MINUTES:
            keep(network, len(losses))
            kept = spent
        for group in optimiser.param_groups:
            group["lr"] = learning_rate * min(1.0, 20 * done + 0.02) * 0.5 * (1 + math.cos(math.pi * done))
        parts = [_some(rendered, draw, from_renders)]
        if generated is not None:
            parts.append(_some(generated, draw_generated, generated_in_batch))
        pictures, masks = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        images, labels = to_images(pictures), torch.from_numpy(masks).long()
        if done < small_share:
            images, labels = resize(images, images.shape[-1] // 2), labels[:, ::2, ::2]
        images, labels = augment(images, labels)
        with half_precision():
            logits = network(images.contiguous(memory_format=torch.channels_last))
        loss = segmentation_loss(logits.float(), labels, weights ** (1 - done) if fresh else torch.ones_like(weights))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
        progress.update()
        progress.set_postfix(loss=f"{np.mean(losses[-20:]):.3f}", refresh=False)
    progress.close()
    return network.eval().requires_grad_(False), losses


def _endless(count: int, seed: int) -> Iterator[int]:
    """Numbers below ``count``, each once before any comes again."""
    order = np.random.default_rng(seed)
    while True:
        yield from order.permutation(count)


def _some(portraits: MaskedPortraits, draw: Iterator[int], count: int) -> tuple[np.ndarray, np.ndarray]:
    rows = list(itertools.islice(draw, count))
    return portraits.pictures[rows], portraits.masks[rows]


def segmentation_loss(logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Weighted cross-entropy plus one minus the mean soft Dice (Milletari et al. 2016, eq. 3), per class."""
    entropy = functional.cross_entropy(logits, labels, weight=weights)
    probabilities = logits.softmax(dim=1)
    truth = functional.one_hot(labels, logits.shape[1]).permute(0, 3, 1, 2).float()
    both = (probabilities * truth).sum(dim=(0, 2, 3))
    dice = (2 * both + 1) / (probabilities.sum(dim=(0, 2, 3)) + truth.sum(dim=(0, 2, 3)) + 1)
    return entropy + 1 - dice.mean()


def scores(network: SegmentationNetwork, portraits: MaskedPortraits) -> dict[str, Any]:
    """IoU of each class over portraits that did not train the network, their mean, and how many they are."""
    found = intersection_over_union(segment(ready(network), to_images(portraits.pictures)), portraits.masks)
    per_class = dict(zip(CLASSES, found.tolist(), strict=True))
    return {"mean IoU": float(np.nanmean(found)), "IoU": per_class, "n": len(portraits)}


def main() -> None:
    """Train on the rendered corpus and its generated pairs, score on the shipped sample (another seed), save."""
    from ohlora.portraits.corpus import load_corpus, load_sample
    from ohlora.stylegan import load_generator

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--profile", default="embedded")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--minutes", type=float, default=math.inf, help="process minutes of training at most")
    parser.add_argument("--limit", type=int, default=None, help="use only so many pairs")
    parser.add_argument("--generated", type=int, default=1500, help="portraits that the generator draws; 0: none")
    parser.add_argument("--learning-rate", type=float, default=4e-3)
    parser.add_argument("--start-from", default=None, help="weight file (name or path) to go on from")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=None)
    arguments = parser.parse_args()
    profile = load_profile(arguments.profile)
    output = arguments.output or outputs_folder() / "weights" / f"{profile.labeling.segmentation}.safetensors"
    corpus = load_corpus(outputs_folder() / profile.portraits.corpus, arguments.limit, MEASURED_SIZE)
    sample = load_sample()
    held_out = {"held-out renders": MaskedPortraits(sample.images, sample.masks)}
    generated = None
    if arguments.generated:
        generator = load_generator(profile)
        some = slice(0, arguments.generated)
        generated = generated_portraits(generator, corpus.u[some], corpus.masks[some], arguments.seed)
        held_out["generated, paired masks"] = generated_portraits(generator, sample.u, sample.masks, arguments.seed + 1)
    start, earlier = None, {}
    if arguments.start_from:
        start, earlier = read_segmentation(arguments.start_from), load_weights(arguments.start_from)[1]
    card = {
        "data": f"{len(corpus)} rendered and {len(generated or ())} generated portraits",
        "seed": arguments.seed,
        "command": " ".join(["python -m ohlora.labeling.segmentation_training", *sys.argv[1:]]),
        "licence": "Apache-2.0 (own weights, own renders)",
        "generator": profile.stylegan.weights if generated else None,
        "started from": {key: earlier[key] for key in ("command", "data", "steps", "started from") if key in earlier},
    }

    def save(network: SegmentationNetwork, steps: int, path: Path, metrics: dict[str, Any]) -> None:
        tensors = {n: t.half() if t.is_floating_point() else t for n, t in network.state_dict().items()}
        shape = {"widths": list(network.widths), "size": network.size, "fold": network.fold}
        save_weights(path, tensors, {**card, **shape, "steps": steps, "metrics": metrics})

    unfinished = output.with_stem(f"{output.stem}_unfinished")
    network, losses = train_segmentation(
        MaskedPortraits(corpus.images, corpus.masks),
        generated,
        arguments.epochs,
        learning_rate=arguments.learning_rate,
        seed=arguments.seed,
        minutes=arguments.minutes,
        network=start,
        keep=lambda network, steps: save(network, steps, unfinished, {}),
    )
    metrics = {split: scores(network, portraits) for split, portraits in held_out.items()}
    save(network, len(losses), output, metrics)
    for path in (unfinished, unfinished.with_suffix(".json")):
        path.unlink(missing_ok=True)
    print(output, metrics)


if __name__ == "__main__":
    main()
