"""Numbers of the gender and quality filters: by how clear the case is, and beside judges who learned nothing here."""

from __future__ import annotations

import cv2
import numpy as np
import pandas as pd

from ohlora.labeling.classifiers import classifier_scores

STEPS = 5  # of accuracy_by_distance, between 0 and 0.5


def accuracy_by_distance(truth: np.ndarray, probability: np.ndarray) -> pd.DataFrame:
    """How often the vote is right, by how far the truth is from the middle.

    Args:
        truth: gender (n,), 0 man … 1 woman. probability: of a woman (n,).

    Returns:
        One row for each step of |truth - 0.5| that has portraits: accuracy and n. The index says from … to.
    """
    away = np.abs(np.asarray(truth) - 0.5)
    right = (np.asarray(probability) > 0.5) == (np.asarray(truth) > 0.5)
    low = np.minimum((away * STEPS * 2).astype(int), STEPS - 1) / (STEPS * 2)
    steps = [f"{start:.1f}–{start + 0.5 / STEPS:.1f}" for start in low]
    table = pd.DataFrame({"right": right, "step": steps}).groupby("step")["right"]
    return pd.DataFrame({"accuracy": table.mean(), "n": table.size()})


def judges_of_gender(truth: np.ndarray, judges: dict[str, np.ndarray], clear: float = 0.1) -> pd.DataFrame:
    """Every judge beside the truth and beside the first judge.

    Args:
        truth: gender (n,), 0 man … 1 woman. judges: name → probability of a woman (n,), NaN where a judge sees no face.
        clear: truth nearer to 0 or 1 than this counts as clear.

    Returns:
        One row a judge: share that it answered, n answered, accuracy, AUROC, balanced accuracy and majority on those,
        accuracy on the clear ones, and how often it agrees with the first judge.
    """
    woman = np.asarray(truth) > 0.5
    certain = np.minimum(truth, 1 - np.asarray(truth)) < clear
    first, rows = next(iter(judges.values())), {}
    for name, probability in judges.items():
        seen = ~np.isnan(probability)
        said = probability[seen] > 0.5
        both = seen & ~np.isnan(first)
        rows[name] = {
            "answered": seen.mean(),
            "n": int(seen.sum()),
            **classifier_scores(woman[seen].astype(float), probability[seen]),
            "accuracy, clear": (said == woman[seen])[certain[seen]].mean(),
            "agrees with the first": ((probability > 0.5) == (first > 0.5))[both].mean(),
        }
    return pd.DataFrame(rows).T


def damaged(pictures: np.ndarray, seed: int = 0) -> dict[str, np.ndarray]:
    """Damage that no push of the generator makes and that the quality filter never learned from.

    Args:
        pictures: uint8 (n, s, s, 3).

    Returns:
        Name → uint8 (n, s, s, 3): half the pixels' detail gone (blur), noise of 25 levels, a quarter covered in grey.
    """
    random, side = np.random.default_rng(seed), pictures.shape[1]
    noise = random.normal(0, 25, pictures.shape)
    covered = pictures.copy()
    covered[:, side // 4 : 3 * side // 4, side // 4 : 3 * side // 4] = 128
    return {
        "blurred": np.stack([cv2.GaussianBlur(picture, (0, 0), side / 32) for picture in pictures]),
        "noisy": np.clip(pictures + noise, 0, 255).astype(np.uint8),
        "covered": covered,
    }
