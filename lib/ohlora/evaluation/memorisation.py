"""Did the generator learn people, or learn the training portraits by heart?

Two questions. Are fresh portraits nearer to a training portrait than unseen renders are? A memoriser's would be. And:
are pairs that were trained on reproduced better than pairs that were not? Some gap is normal, a wide one is not.

Plain distance would blame softness: a smooth portrait is near to everybody in pixels. So the distance to the nearest is
divided by the mean distance to the nearest fifty (the measure of Carlini et al. 2023 for small images): a copy has one
neighbour, and the usual crowd far from it.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor
from tqdm import tqdm

from ohlora.evaluation.perceptual import portrait_features
from ohlora.evaluation.renders import shard_pictures
from ohlora.images import shrink_pictures
from ohlora.plots import show_portraits
from ohlora.stylegan.perceptual_features import load_features

_CROWD = 50
_THUMBNAIL = 32  # pixels: coarse enough that a shifted hair is no difference


@dataclass(frozen=True)
class Neighbours:
    """The nearest training portrait of each portrait, (n,) each, by features and by pixels.

    nearness: distance to it over the mean distance to the nearest fifty; 0 for a copy, towards 1 without one.
    row: its number, counted over all shards in order.
    """

    feature_nearness: np.ndarray
    feature_row: np.ndarray
    pixel_nearness: np.ndarray
    pixel_row: np.ndarray


def nearest_training(sets: dict[str, np.ndarray], training: tuple[Path, ...], size: int) -> dict[str, Neighbours]:
    """Nearest training portraits of several sets of portraits.

    Portraits are compared as they are and flipped (training uses flips), by pooled features (224 px) and by
    pixels (32 px), both Euclidean.

    Args:
        sets: name → uint8 (n, size, size, 3). training: shards. size: pixels at which all are compared.
    """
    network = load_features()
    galleries: list[tuple[Tensor, Tensor]] = []
    for path in tqdm(training, desc="training portraits", disable=None, file=sys.stderr, leave=False):
        galleries.append(_described(shard_pictures(path, size), network))
    features, thumbnails = (torch.cat(part) for part in zip(*galleries, strict=True))
    found = {}
    for name, pictures in sets.items():
        views = [_described(view, network) for view in (pictures, pictures[:, :, ::-1])]
        by_features = _nearness([view[0] for view in views], features)
        by_pixels = _nearness([view[1] for view in views], thumbnails)
        found[name] = Neighbours(*(values.numpy() for values in (*by_features, *by_pixels)))
    return found


def share_closer(generated: np.ndarray, unseen: np.ndarray) -> float:
    """Probability that a generated portrait is nearer to a training portrait than an unseen render is; 0.5: as near.

    Args:
        generated: nearness (m,). unseen: nearness (n,). Ties count half (Mann-Whitney).
    """
    less, equal = (op(generated[:, None], unseen[None, :]).mean() for op in (np.less, np.equal))
    return float(less + equal / 2)


def neighbour_sheet(
    pictures: np.ndarray, neighbours: Neighbours, training: tuple[Path, ...], columns: int = 8
) -> Figure:
    """The portraits that are nearest to the training set, above their neighbours by features and by pixels."""
    worst = np.argsort(neighbours.feature_nearness)[:columns]
    size = pictures.shape[1]
    rows = [pictures[worst]]
    for numbers in (neighbours.feature_row[worst], neighbours.pixel_row[worst]):
        rows.append(_training_portraits(training, numbers, size))
    return show_portraits(np.concatenate(rows), columns=len(worst), scale=1.3)


def _training_portraits(training: tuple[Path, ...], numbers: np.ndarray, size: int) -> np.ndarray:
    found, start = {}, 0
    for path in training:
        with np.load(path, allow_pickle=False) as file:
            count = len(file["u"])
        wanted = [number for number in numbers if start <= number < start + count]
        if wanted:
            portraits = shard_pictures(path, size)
            found |= {number: portraits[number - start] for number in wanted}
        start += count
    return np.stack([found[number] for number in numbers])


def _described(pictures: np.ndarray, network: torch.nn.Module) -> tuple[Tensor, Tensor]:
    small = torch.from_numpy(shrink_pictures(pictures, _THUMBNAIL).astype(np.float32) / 255).flatten(1)
    return portrait_features(np.ascontiguousarray(pictures), network), small


def _nearness(views: list[Tensor], gallery: Tensor) -> tuple[Tensor, Tensor]:
    """Nearness and row of each portrait's nearest in a gallery (n, d); each pair counts in its nearer view."""
    distances = torch.stack([torch.cdist(view, gallery) for view in views]).amin(dim=0)
    nearest = distances.topk(min(_CROWD, len(gallery)), dim=1, largest=False)
    return nearest.values[:, 0] / nearest.values.mean(dim=1), nearest.indices[:, 0]
