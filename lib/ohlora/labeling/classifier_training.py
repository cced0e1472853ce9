"""Train the gender or the quality CNN on 2,000 labelled portraits, and score it on others.

    python -m ohlora.labeling.classifier_training gender --learning-curve
    python -m ohlora.labeling.classifier_training quality --labels outputs/state/labels.sqlite --rater me

Shipped labels, by no person: gender is the truth of the renderer (labelled_portraits.by_truth), quality a distance
to rendered portraits (by_ruler). With --labels a person's answers replace them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ohlora.config import Profile, load_profile, outputs_folder
from ohlora.images import to_images
from ohlora.labeling.calibration import cross_calibrated, expected_calibration_error, reliability
from ohlora.labeling.classifiers import (
    ClassifierSettings,
    classifier_scores,
    classify,
    shrunk,
    train_folds,
    train_one,
    voter_logits,
)
from ohlora.labeling.labelled_portraits import LabelledPortraits, by_person, by_ruler, by_truth
from ohlora.weights import save_weights

SETTINGS = {"gender": ClassifierSettings(epochs=16), "quality": ClassifierSettings(epochs=10)}
OTHERS = {"gender": 1000, "quality": 500}
"""Further labelled portraits that train nothing: the learning curve and the finished vote are scored on them."""
CURVE = (100, 200, 500, 1000, 2000)
SOURCES = {
    "gender": "gender of the parameters that the latents are paired with",
    "quality": "distance to the subspace of rendered portraits' features; farther than 99 of 100 of those is bad",
}


def scores(labelled: LabelledPortraits, probability: np.ndarray) -> dict[str, Any]:
    """classifier_scores over all portraits and, under "clear", over those far from the border; with their n."""
    result: dict[str, Any] = {**classifier_scores(labelled.positive, probability), "n": len(labelled)}
    clear = labelled.clear
    if not clear.all() and len(np.unique(labelled.positive[clear])) == 2:
        result["clear"] = {**classifier_scores(labelled.positive[clear], probability[clear]), "n": int(clear.sum())}
    return result


def learning_curve(
    labelled: LabelledPortraits,
    others: LabelledPortraits,
    settings: ClassifierSettings,
    counts: Sequence[int] = CURVE,
    seed: int = 0,
) -> list[dict[str, float]]:
    """One voter trained on the first n labels, for each n of ``counts``, scored on ``others``.

    Returns:
        labels (n) and classifier_scores of each, smallest first; counts above the labels at hand are left out.
    """
    small, unseen = (shrunk(to_images(part.pictures), settings) for part in (labelled, others))
    points = []
    for count in [count for count in sorted(counts) if count <= len(labelled)]:
        voter = train_one(small[:count], labelled.targets[:count], settings, seed, f"{count} labels")
        probability = torch.from_numpy(voter_logits(voter, unseen)).sigmoid().numpy()
        points.append({"labels": count, **classifier_scores(others.positive, probability)})
    return points


def train_labelled(
    labelled: LabelledPortraits,
    others: LabelledPortraits | None,
    settings: ClassifierSettings,
    seed: int = 0,
    title: str = "classifier",
) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Train the folds; returns the tensors, and the entries of the card: metrics, calibration, reliability."""
    network, logits = train_folds(
        to_images(labelled.pictures), labelled.positive, settings, seed, title, labelled.targets
    )
    raw = torch.from_numpy(logits).sigmoid().numpy()
    calibrated = cross_calibrated(logits, labelled.positive, settings.folds, seed)
    metrics = {**scores(labelled, calibrated), "split": f"{settings.folds}-fold held out"}
    answers = {"before": raw, "after": calibrated}
    metrics["expected calibration error"] = {
        name: expected_calibration_error(labelled.positive, said) for name, said in answers.items()
    }
    if others is not None:
        metrics["others"] = scores(others, classify(network, to_images(others.pictures)))
    entries = {
        "metrics": metrics,
        "calibration": asdict(network.calibration),
        "reliability": {name: reliability(labelled.positive, said).to_dict("list") for name, said in answers.items()},
    }
    return {name: tensor.half() for name, tensor in network.state_dict().items()}, entries


def train_classifier(
    question: str,
    profile: Profile | str,
    output: Path,
    count: int = 2000,
    seed: int = 0,
    settings: ClassifierSettings | None = None,
    curve: bool = False,
    labels: Path | None = None,
    rater: str = "me",
) -> dict[str, Any]:
    """Label, train five folds, calibrate, score, save with a card; returns the card's metrics.

    Args:
        question: gender or quality. count: shipped labels to train on; a person's are all used.
        curve: also measure the learning curve (half as long again). labels, rater: a person's answers instead.
    """
    profile, settings = load_profile(profile), settings or SETTINGS[question]
    others, tensors = None, {}
    if labels is not None:
        labelled, source = by_person(profile, question, labels, rater), f"the answers of {rater}"
    else:
        source, total = SOURCES[question], count + OTHERS[question]
        if question == "gender":
            labelled = by_truth(profile, total, seed)
        else:
            labelled, ruler = by_ruler(profile, total, seed)
            tensors = ruler.tensors()
        labelled, others = labelled[:count], labelled[count:]
    trained, entries = train_labelled(labelled, others, settings, seed, question)
    if curve and others is not None:
        points = learning_curve(labelled, others, settings, seed=seed)
        entries["learning curve"] = {"points": points, "n": len(others), "split": "portraits that trained none"}
    card = {
        "data": f"{len(labelled)} generated portraits, labels: {source}",
        "seed": seed,
        "command": " ".join(["python -m", _module_name(), *sys.argv[1:]]),
        "licence": "Apache-2.0 (own weights)",
        "settings": asdict(settings),
        **entries,
    }
    save_weights(output, {**trained, **tensors}, card)
    return entries["metrics"]


def _module_name() -> str:
    return f"ohlora.labeling.{Path(sys.argv[0]).stem}"


def main() -> None:
    """Train one of the two classifiers and save it with its card."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("question", choices=list(SETTINGS))
    parser.add_argument("--profile", default="embedded")
    parser.add_argument("--count", type=int, default=2000, help="shipped labels to train on")
    parser.add_argument("--epochs", type=int, default=None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--learning-curve", action="store_true", help="also train on 100, 200 … labels")
    parser.add_argument("--labels", type=Path, default=None, help="SQLite file of a person's answers, used instead")
    parser.add_argument("--rater", default="me", help="whose answers")
    parser.add_argument("--output", type=Path, default=None)
    arguments = parser.parse_args()
    name = getattr(load_profile(arguments.profile).labeling, arguments.question)
    output = arguments.output or outputs_folder() / "weights" / f"{name}.safetensors"
    settings = SETTINGS[arguments.question]
    if arguments.epochs is not None:
        settings = ClassifierSettings(**{**asdict(settings), "epochs": arguments.epochs})
    found = train_classifier(
        arguments.question,
        arguments.profile,
        output,
        arguments.count,
        arguments.seed,
        settings,
        arguments.learning_curve,
        arguments.labels,
        arguments.rater,
    )
    print(output, found)


if __name__ == "__main__":
    main()
