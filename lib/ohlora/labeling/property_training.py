"""From measured portraits to z-scores: the constants of standardisation and the regressor.

    python -m ohlora.labeling.property_training

Needs the generated set (generated_set) and both classifiers. The regressor learns from all portraits; the constants
come from those that pass both filters, and the regressor is rescaled to them exactly.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ohlora.config import Profile, load_profile, outputs_folder
from ohlora.images import to_images
from ohlora.labeling.classifiers import classify, read_classifier
from ohlora.labeling.generated_set import find_generated, generated_set_path, measured_pictures, set_pictures
from ohlora.labeling.measurements import PROPERTIES, Standardisation
from ohlora.labeling.regressor import PropertyRegressor, RegressorSettings, predict, train_regressor
from ohlora.labeling.segmentation import load_segmentation
from ohlora.weights import save_weights

HELD_OUT = 1000
"""The last so many portraits are not trained on: the regressor is scored on them."""
CONSTANTS_FROM = 400
"""Generated portraits that measure_constants looks at: enough for a mean to a twentieth of a deviation."""


def passing(pictures: np.ndarray, gender: str | Path, quality: str | Path) -> dict[str, np.ndarray]:
    """Which pictures show a woman, which are good, and which pass both; bool (n,) each.

    Args:
        pictures: uint8 (n, size, size, 3). gender, quality: weight files (names or paths).
    """
    answers = {}
    for question, weights in (("woman", gender), ("good", quality)):
        network = read_classifier(weights)
        parts = [classify(network, to_images(pictures[row : row + 256])) for row in range(0, len(pictures), 256)]
        answers[question] = np.concatenate(parts) > 0.5
    answers["both"] = answers["woman"] & answers["good"]
    return answers


def agreement(predicted: torch.Tensor, measured: torch.Tensor) -> dict[str, dict[str, float]]:
    """Pearson r and mean absolute error of each property; both (n, 7) z-scores."""
    result = {}
    for column, name in enumerate(PROPERTIES):
        pair = torch.stack([predicted[:, column], measured[:, column]])
        result[name] = {
            "r": float(torch.corrcoef(pair)[0, 1]),
            "mean absolute error": float((pair[0] - pair[1]).abs().mean()),
        }
    return result


def train_properties(
    profile: Profile | str,
    folder: Path,
    settings: RegressorSettings | None = None,
    seed: int = 0,
    before_filtering: Callable[[], Any] = lambda: None,
) -> dict[str, Any]:
    """Train the regressor, filter, standardise; writes both weight files into ``folder``.

    Args:
        folder: where the weight files go; classifiers in it are used before the profile's.
        before_filtering: called when the regressor is trained and the classifiers are needed (train_all waits here
            for them).

    Raises:
        ValueError: the generated set is missing, or of another generator or segmentation network.
    """
    from ohlora.stylegan import load_generator

    profile, settings = load_profile(profile), settings or RegressorSettings()
    found = find_generated(profile)
    if found is None:
        raise ValueError(
            f"{generated_set_path(profile)} is missing or of other weights than the profile's present ones; run "
            "python -m ohlora.labeling.generated_set"
        )
    generator = load_generator(profile)
    pictures = set_pictures(profile, generator, found)
    held_out = min(HELD_OUT, len(pictures) // 5)
    everyone = Standardisation.fit(found.raw)
    regressor = train_regressor(pictures[:-held_out], found.raw[:-held_out], everyone, settings, seed)
    before_filtering()
    names = profile.labeling
    files = [folder / f"{name}.safetensors" for name in (names.gender, names.quality)]
    answers = passing(pictures, *[file if file.exists() else file.stem for file in files])
    filtered = Standardisation.fit(found.raw[torch.from_numpy(answers["both"])])
    regressor.rescale(everyone, filtered)
    scores = agreement(predict(regressor, pictures[-held_out:]), filtered.z_scores(found.raw[-held_out:]))
    counts = {"generated": len(pictures), **{name: int(mask.sum()) for name, mask in answers.items()}}
    _save(profile, folder, regressor, filtered, counts, scores, settings, seed, held_out)
    return {"counts": counts, "regressor": scores}


def measure_constants(profile: Profile | str, folder: Path, seed: int = 0) -> Standardisation:
    """The constants of standardisation alone, for another segmentation network than the shipped ones are of.

    Args:
        folder: where the weight file goes.
    """
    from ohlora.stylegan import load_generator

    profile = load_profile(profile)
    generator, network = load_generator(profile), load_segmentation(profile)
    pictures, raw = measured_pictures(generator, network, generator.sample_z(CONSTANTS_FROM, seed))
    answers = passing(pictures, profile.labeling.gender, profile.labeling.quality)
    filtered = Standardisation.fit(raw[torch.from_numpy(answers["both"])])
    counts = {"generated": len(raw), **{name: int(mask.sum()) for name, mask in answers.items()}}
    _save_constants(profile, folder, filtered, counts, seed)
    return filtered


def _save(
    profile: Profile,
    folder: Path,
    regressor: PropertyRegressor,
    filtered: Standardisation,
    counts: dict[str, int],
    scores: dict[str, dict[str, float]],
    settings: RegressorSettings,
    seed: int,
    held_out: int,
) -> None:
    card = _save_constants(profile, folder, filtered, counts, seed)
    card = {**card, "metrics": {**scores, "n": held_out, "split": "held-out generated portraits"}}
    state = {name: tensor.float() for name, tensor in regressor.state_dict().items()}
    card["settings"] = asdict(settings)
    save_weights(folder / f"{profile.labeling.regressor}.safetensors", state, card)


def _save_constants(
    profile: Profile, folder: Path, filtered: Standardisation, counts: dict[str, int], seed: int
) -> dict[str, Any]:
    constants = {
        name: {"mean": float(filtered.mean[column]), "deviation": float(filtered.deviation[column])}
        for column, name in enumerate(PROPERTIES)
    }
    card = {
        "data": f"{counts['generated']} portraits of {profile.stylegan.weights}, no truncation; {counts['both']} pass",
        "seed": seed,
        "command": " ".join(["python -m", f"ohlora.labeling.{Path(sys.argv[0]).stem}", *sys.argv[1:]]),
        "metrics": counts,
        "licence": "Apache-2.0 (own weights)",
        "standardisation": constants,
        "segmentation": profile.labeling.segmentation,
    }
    tensors = {"mean": filtered.mean, "deviation": filtered.deviation}
    save_weights(folder / f"{profile.labeling.standardisation}.safetensors", tensors, card)
    return card


def main() -> None:
    """Train the regressor and write the constants of standardisation."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--profile", default="embedded")
    parser.add_argument("--epochs", type=int, default=RegressorSettings.epochs)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=None, help="folder; default outputs/weights")
    arguments = parser.parse_args()
    folder = arguments.output or outputs_folder() / "weights"
    settings = RegressorSettings(epochs=arguments.epochs)
    print(train_properties(arguments.profile, folder, settings, arguments.seed))


if __name__ == "__main__":
    main()
