"""One object that answers every question about a portrait: masks, seven z-scores, gender, quality."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import nn

from ohlora.config import Profile, load_profile, outputs_folder
from ohlora.labeling.classifiers import PortraitClassifier, classify, load_classifier
from ohlora.labeling.measurements import Standardisation, as_table, measure
from ohlora.labeling.segmentation import check_images, class_probabilities, load_segmentation, segment
from ohlora.weights import WeightsError, load_weights


@dataclass(frozen=True)
class Labeler:
    """Images are float tensors (n, 3, size, size) in [-1, 1], size a multiple of 16; everything else is refused."""

    segmentation: nn.Module
    gender_classifier: PortraitClassifier
    quality_classifier: PortraitClassifier
    standardisation: Standardisation

    def segment(self, images: torch.Tensor) -> np.ndarray:
        """Masks uint8 (n, size, size), classes 0 to 8 as in CLASSES."""
        return segment(self.segmentation, images)

    def measure_raw(self, images: torch.Tensor) -> torch.Tensor:
        """The seven measurements before standardisation, float32 (n, 7); NaN where there is nothing to measure."""
        parts = [measure(*pair).cpu() for pair in class_probabilities(self.segmentation, images)]
        return torch.cat(parts) if parts else torch.zeros(0, 7)

    def measure(self, images: torch.Tensor) -> pd.DataFrame:
        """The seven PROPERTIES as z-scores, one row an image."""
        return as_table(self.standardisation.z_scores(self.measure_raw(images)))

    def gender(self, images: torch.Tensor) -> np.ndarray:
        """Probability that a portrait shows a woman, float32 (n,)."""
        return classify(self.gender_classifier, images)

    def quality(self, images: torch.Tensor) -> np.ndarray:
        """Probability that a portrait is as near to the rendered ones as rendered ones are, float32 (n,)."""
        return classify(self.quality_classifier, images)

    def passes(self, images: torch.Tensor) -> np.ndarray:
        """Both filters, bool (n,): she is a woman, and the portrait is good."""
        return (self.gender(check_images(images)) > 0.5) & (self.quality(images) > 0.5)


def load_labeler(profile: Profile | str = "embedded") -> Labeler:
    """The profile's labeler.

    Raises:
        WeightsError: one of its four weight files is missing or damaged.
    """
    profile = load_profile(profile)
    return Labeler(
        segmentation=load_segmentation(profile),
        gender_classifier=load_classifier("gender", profile),
        quality_classifier=load_classifier("quality", profile),
        standardisation=load_standardisation(profile),
    )


def load_standardisation(profile: Profile | str = "embedded") -> Standardisation:
    """Mean and deviation of the raw measurements over filtered generated portraits.

    Those of a face parser from the hub are not shipped: they are measured the first time, and kept.

    Raises:
        WeightsError: the weight file is missing or damaged, and the profile's network is ours.
    """
    profile = load_profile(profile)
    try:
        tensors, _ = load_weights(profile.labeling.standardisation)
    except WeightsError:
        if profile.labeling.source != "hub":
            raise
        from ohlora.labeling.property_training import measure_constants

        return measure_constants(profile, outputs_folder() / "weights")
    return Standardisation(tensors["mean"], tensors["deviation"])
