"""Everything that depends on the generator, in order, on two cores: about ten minutes.

    python -m ohlora.labeling.train_all --output outputs/pretrained

1. set: 6,000 portraits, measured; one that was measured with the same weights is used again. 2. In a second process
gender, then quality. 3. Meanwhile regressor; then filters and constants. Some of the stages: --only gender regressor.
Run segmentation_training before: from scratch, or --start-from segmentation_256 --minutes 4.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from ohlora.config import Profile, load_profile, outputs_folder
from ohlora.labeling.generated_set import find_generated, generated_set_path, measure_generated, pictures_path
from ohlora.labeling.property_training import train_properties
from ohlora.labeling.regressor import RegressorSettings

STAGES = ("set", "gender", "quality", "regressor")


def train_classifiers(
    questions: list[str], profile: Profile, folder: Path, labelled: int, seed: int
) -> Callable[[], None]:
    """Start one process that trains the classifiers one after the other; returns a function that waits for it."""
    steps = []
    for question in questions:
        file = folder / f"{getattr(profile.labeling, question)}.safetensors"
        command = [sys.executable, "-m", "ohlora.labeling.classifier_training", question, "--profile", profile.name]
        command += ["--learning-curve", "--count", labelled, "--seed", seed, "--output", file]
        steps.append(shlex.join(map(str, command)))
    process = subprocess.Popen(" && ".join(steps), shell=True) if steps else None

    def wait() -> None:
        if process is not None and process.wait() != 0:
            raise RuntimeError("training a classifier failed; its message is above")

    return wait


def main() -> None:
    """Measure, train both classifiers and the regressor, standardise."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--profile", default="embedded")
    parser.add_argument("--only", nargs="+", choices=STAGES, default=list(STAGES), help="stages; default all")
    parser.add_argument("--count", type=int, default=6_000, help="generated portraits")
    parser.add_argument("--labelled", type=int, default=2000, help="of them with labels for the classifiers")
    parser.add_argument("--epochs", type=int, default=RegressorSettings.epochs, help="of the regressor")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=None, help="folder; default outputs/weights")
    arguments = parser.parse_args()
    profile = load_profile(arguments.profile)
    folder = arguments.output or outputs_folder() / "weights"
    torch.set_num_threads(1)
    if "set" in arguments.only:
        found = find_generated(profile)
        if found is None or (len(found.raw), found.seed) != (arguments.count, arguments.seed):
            found = measure_generated(profile, arguments.count, arguments.seed, arguments.workers)
            found.save(generated_set_path(profile))
    questions = [question for question in ("gender", "quality") if question in arguments.only]
    wait = train_classifiers(questions, profile, folder, arguments.labelled, arguments.seed)
    if "regressor" in arguments.only:
        settings = RegressorSettings(epochs=arguments.epochs)
        print(train_properties(profile, folder, settings, arguments.seed, before_filtering=wait))
        pictures_path(profile).unlink(missing_ok=True)
    wait()


if __name__ == "__main__":
    main()
