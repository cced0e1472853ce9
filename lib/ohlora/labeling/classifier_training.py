"""Train the gender or the quality CNN on labelled generated portraits.

    python -m ohlora.labeling.classifier_training gender
    python -m ohlora.labeling.classifier_training quality

Where the labels come from: gender from the parameters that the generator's latents are paired with (the truth of
the renderer); quality from the realism score next to rendered portraits (quality_labels). No person labelled them;
LabelingWidget is there for people.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from ohlora.config import Profile, load_profile, outputs_folder
from ohlora.labeling.classifiers import ClassifierSettings, classifier_scores, train_folds
from ohlora.labeling.generated_set import (
    GeneratedSet,
    gender_truth,
    generate_pictures,
    generated_set_path,
    generator_hash,
    set_pictures,
)
from ohlora.labeling.quality_labels import features, load_features, quality_labels, realism
from ohlora.labeling.segmentation import to_images
from ohlora.weights import save_weights

WORST_SHARE = 0.1
"""Share of generated portraits that the quality label calls bad: those with the lowest realism score."""


def labelled_portraits(
    question: str, profile: Profile | str = "embedded", count: int = 2000, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """``count`` generated portraits with their labels: the first of the measured set, or new ones where there is none.

    Returns:
        uint8 (count, size, size, 3), and labels float32 (count,): 1 woman or good, 0 man or bad.
    """
    from ohlora.portraits.corpus import load_corpus
    from ohlora.stylegan import load_generator

    profile = load_profile(profile)
    generator = load_generator(profile)
    z = generator.sample_z(count, seed)
    path = generated_set_path(profile)
    found = GeneratedSet.load(path) if path.exists() else None
    if found is not None and found.generator == generator_hash(profile) and len(found.raw) >= count:
        z = generator.sample_z(len(found.raw), found.seed)[:count]
        pictures = set_pictures(profile, generator, found, first=count)
    else:
        pictures = generate_pictures(generator, z)
    if question == "gender":
        return pictures, (gender_truth(generator, z) > 0.5).astype(np.float32)
    rendered = load_corpus(outputs_folder() / profile.portraits.corpus, limit=count).images
    network = load_features()
    seen = [
        torch.cat([features(network, to_images(part)) for part in np.array_split(some, 20)])
        for some in (pictures, rendered)
    ]
    return pictures, quality_labels(realism(*seen), WORST_SHARE)[0]


def train_classifier(
    question: str,
    profile: Profile | str,
    output: Path,
    count: int = 2000,
    seed: int = 0,
    settings: ClassifierSettings | None = None,
) -> dict[str, float]:
    """Label, train five folds, save with a card; returns the held-out scores."""
    profile, settings = load_profile(profile), settings or ClassifierSettings()
    pictures, positive = labelled_portraits(question, profile, count, seed)
    network, held_out = train_folds(to_images(pictures), positive, settings, seed, question)
    found = classifier_scores(positive, held_out)
    sources = {
        "gender": "gender of the parameters that the latents are paired with",
        "quality": f"realism score next to rendered portraits; the worst {WORST_SHARE:.0%} are bad",
    }
    card = {
        "data": f"{count} generated portraits, labels: {sources[question]}",
        "seed": seed,
        "command": " ".join(["python -m", _module_name(), *sys.argv[1:]]),
        "metrics": {**found, "n": count, "split": f"{settings.folds}-fold held out"},
        "licence": "Apache-2.0 (own weights)",
        "settings": asdict(settings),
    }
    save_weights(output, {name: tensor.half() for name, tensor in network.state_dict().items()}, card)
    return found


def _module_name() -> str:
    return f"ohlora.labeling.{Path(sys.argv[0]).stem}"


def main() -> None:
    """Train one of the two classifiers and save it with its card."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("question", choices=["gender", "quality"])
    parser.add_argument("--profile", default="embedded")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=ClassifierSettings.epochs)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=None)
    arguments = parser.parse_args()
    name = getattr(load_profile(arguments.profile).labeling, arguments.question)
    output = arguments.output or outputs_folder() / "weights" / f"{name}.safetensors"
    settings = ClassifierSettings(epochs=arguments.epochs)
    found = train_classifier(arguments.question, arguments.profile, output, arguments.count, arguments.seed, settings)
    print(output, found)


if __name__ == "__main__":
    main()
