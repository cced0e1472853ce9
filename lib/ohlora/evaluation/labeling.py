"""Numbers of chapter 2: segmentation, measurements, classifiers. All on portraits that trained none of them."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import torch
from torch import nn

from ohlora.config import Profile
from ohlora.images import resize, to_images
from ohlora.labeling.classifiers import classifier_scores
from ohlora.labeling.measurements import PROPERTIES, measure, one_hot
from ohlora.labeling.segmentation import CLASSES, class_probabilities, intersection_over_union, segment
from ohlora.labeling.segmentation_training import generated_portraits

__all__ = [
    "TRUTH_OF",
    "classifier_scores",
    "generated_from_sample",
    "masks_drawn_again",
    "measurement_scores",
    "seconds_a_portrait",
    "segmentation_by_portrait",
    "segmentation_scores",
    "smoothed_masks",
]

TRUTH_OF = {
    "eyes": "lid_gap",
    "hair_color": "hair_brightness",
    "hair_length": "hair_length",
    "mouth": "mouth",
    "pose": "yaw",
    "background_mean": "background_mean",
    "background_std": "background_std",
}
"""Measurement → the renderer's truth that it is held against: geometry, not the mask."""


def segmentation_scores(network: nn.Module, pictures: np.ndarray, masks: np.ndarray) -> dict[str, float]:
    """IoU of each of the nine classes and their mean, pooled over all pixels.

    Args:
        network: from load_segmentation. pictures: uint8 (n, s, s, 3). masks: true masks uint8 (n, s, s).
    """
    scores = intersection_over_union(segment(network, to_images(pictures)), masks)
    return {**dict(zip(CLASSES, scores.tolist(), strict=True)), "mean": float(np.nanmean(scores))}


def measurement_scores(
    network: nn.Module, pictures: np.ndarray, truth: pd.DataFrame, seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Each measurement against the renderer's truth.

    Args:
        network: from load_segmentation. pictures: uint8 (n, s, s, 3). truth: columns as in TRUTH_OF.

    Returns:
        Scores, one row a property: Pearson r over all; MAE in standard deviations of the truth on a random half, after
        a straight line fitted on the other half; the same for always guessing the mean. And the raw values (n, 7).
    """
    parts = [measure(*pair) for pair in class_probabilities(network, to_images(pictures))]
    raw = pd.DataFrame(torch.cat(parts).numpy(), columns=list(PROPERTIES))
    order = np.random.default_rng(seed).permutation(len(raw))
    rows = []
    for name in PROPERTIES:
        seen = raw[name].fillna(raw[name].mean()).to_numpy()
        true = truth[TRUTH_OF[name]].to_numpy(dtype=float)
        true = (true - true.mean()) / true.std()
        fit, test = np.array_split(order, 2)
        line = np.polyfit(seen[fit], true[fit], 1)
        error = np.abs(np.polyval(line, seen[test]) - true[test]).mean()
        guess = np.abs(true[fit].mean() - true[test]).mean()
        rows.append(
            {"truth": TRUTH_OF[name], "r": np.corrcoef(seen, true)[0, 1], "MAE": error, "MAE of guessing": guess}
        )
    return pd.DataFrame(rows, index=list(PROPERTIES)), raw


def segmentation_by_portrait(predicted: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Mean IoU of each portrait over the classes that it has, (n,): the smallest are the failures to look at.

    Args:
        predicted, masks: uint8 (n, s, s).
    """
    return np.array([np.nanmean(intersection_over_union(*pair)) for pair in zip(predicted, masks, strict=True)])


def seconds_a_portrait(network: nn.Module, images: torch.Tensor, batch: int = 1, repeats: int = 9) -> float:
    """Median wall-clock seconds of ``segment`` for one portrait, over ``repeats`` runs after one that warms up.

    Args:
        network: from load_segmentation. images: float (n, 3, s, s), as many as a run segments. batch: at once.
    """
    seconds = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        segment(network, images, batch)
        seconds.append((time.perf_counter() - start) / len(images))
    return float(np.median(seconds[1:]))


def smoothed_masks(masks: np.ndarray, size: int) -> np.ndarray:
    """Masks as they look after a detour over ``size`` pixels: single hairs and corners are gone, areas stay.

    Args:
        masks: uint8 (n, s, s), s larger than size.

    Returns:
        uint8 (n, s, s): each pixel's most likely class when the areas are averaged to ``size`` and enlarged again.
    """
    side = masks.shape[-1]
    parts = [resize(resize(one_hot(mask[None]), size), side).argmax(dim=1) for mask in masks]
    return torch.cat(parts).byte().numpy()


def masks_drawn_again(u: np.ndarray, size: int, supersampling: int) -> np.ndarray:
    """Masks of the same portraits from another grid of samples, uint8 (n, size, size).

    Nothing that matters differs, so their IoU with the shipped masks is what no network can be expected to exceed.

    Args:
        u: portrait parameters (n, VECTOR_SIZE). size: pixels of a side. supersampling: samples along a pixel's side.
    """
    from ohlora.portraits import PortraitParams, render

    return np.stack([render(PortraitParams.from_vector(row), size, supersampling).mask for row in u])


def generated_from_sample(profile: Profile | str = "embedded", seed: int = 7, rows: slice = slice(None)) -> np.ndarray:
    """What the profile's generator draws for the shipped sample: its masks are the truth of these portraits, too.

    Args:
        seed: of the part of each latent that is not paired. rows: of the sample.

    Returns:
        uint8 (n, s, s, 3), row by row the pair of ``load_sample()[rows]``: parameters that trained no network.
    """
    from ohlora.portraits.corpus import load_sample
    from ohlora.stylegan import load_generator

    sample = load_sample()
    return generated_portraits(load_generator(profile), sample.u[rows], sample.masks[rows], seed).pictures
