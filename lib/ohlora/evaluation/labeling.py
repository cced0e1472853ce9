"""Numbers of chapter 2: segmentation, measurements, classifiers. All on portraits that trained none of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from torch import nn

from ohlora.config import Profile, load_profile
from ohlora.labeling.classifiers import classifier_scores
from ohlora.labeling.generated_set import generate_pictures
from ohlora.labeling.measurements import PROPERTIES, measure
from ohlora.labeling.segmentation import CLASSES, class_probabilities, intersection_over_union, segment, to_images

__all__ = [
    "TRUTH_OF",
    "classifier_scores",
    "generated_with_masks",
    "measurement_scores",
    "segmentation_scores",
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


def generated_with_masks(
    profile: Profile | str = "embedded", n: int = 32, seed: int = 7
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Generated portraits beside the renders that their latents are paired with; a render takes about a second.

    Returns:
        Generated and rendered pictures, uint8 (n, s, s, 3) each, and the rendered masks uint8 (n, s, s).
    """
    from ohlora.portraits.corpus import render_pairs
    from ohlora.stylegan import load_generator

    profile = load_profile(profile)
    generator = load_generator(profile)
    z = generator.sample_z(n, seed)
    rendered = render_pairs(np.asarray(generator.z_to_u(z)), generator.size)
    return generate_pictures(generator, z), rendered.images, rendered.masks
