"""Everything that depends on the generator, in order, on two cores: about ten minutes.

    python -m ohlora.labeling.train_all --output outputs/pretrained

1. generated_set: 10,000 portraits, measured. 2. In a second process, classifier_training: gender, then quality.
3. Meanwhile property_training: the regressor; then filters and constants. Run segmentation_training before.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

import torch

from ohlora.config import load_profile, outputs_folder
from ohlora.labeling.generated_set import generated_set_path, measure_generated, pictures_path
from ohlora.labeling.property_training import train_properties
from ohlora.labeling.regressor import RegressorSettings


def main() -> None:
    """Measure, train both classifiers and the regressor, standardise."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--profile", default="embedded")
    parser.add_argument("--count", type=int, default=10_000, help="generated portraits")
    parser.add_argument("--labelled", type=int, default=2000, help="of them with labels for the classifiers")
    parser.add_argument("--epochs", type=int, default=RegressorSettings.epochs, help="of the regressor")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=None, help="folder; default outputs/weights")
    arguments = parser.parse_args()
    profile = load_profile(arguments.profile)
    folder = arguments.output or outputs_folder() / "weights"
    torch.set_num_threads(1)
    found = measure_generated(profile, arguments.count, arguments.seed, arguments.workers)
    found.save(generated_set_path(profile))
    shared = ["--profile", profile.name, "--count", str(arguments.labelled), "--seed", str(arguments.seed)]
    steps = []
    for question in ("gender", "quality"):
        file = folder / f"{getattr(profile.labeling, question)}.safetensors"
        command = [sys.executable, "-m", "ohlora.labeling.classifier_training", question, *shared, "--output", file]
        steps.append(shlex.join(map(str, command)))
    classifiers = subprocess.Popen(" && ".join(steps), shell=True)

    def wait() -> None:
        if classifiers.wait() != 0:
            raise RuntimeError("training a classifier failed; its message is above")

    settings = RegressorSettings(epochs=arguments.epochs)
    print(train_properties(profile, folder, settings, arguments.seed, before_filtering=wait))
    pictures_path(profile).unlink()


if __name__ == "__main__":
    main()
