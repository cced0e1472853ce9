"""Which way of training makes the better generator, if all get the same minutes?

    python -m ohlora.evaluation.training_comparison --corpus outputs/corpus_256 --minutes 5

Every way starts from the same random weights, sees the same corpus shrunk to a small size, and stops after the same
minutes: of processor time without a GPU, so that other work on the machine favours nobody. An interrupted comparison
goes on where it was. The result is a table (JSON) and a sheet: the first row holds unseen renders, each other row the
portraits of one generator for the same latents.

The perceptual loss and the projected discriminator use EfficientNet-lite0; a score on features of the same network
flatters them, so read FID and KID beside L1 and the sheet.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from ohlora.config import device, outputs_folder
from ohlora.evaluation.generator import likeness_scores, paired_scores, reconstructions
from ohlora.evaluation.renders import Judges, corpus_judges
from ohlora.plots import save_portraits
from ohlora.stylegan import GeneratorConfig, PortraitGenerator
from ohlora.stylegan.pairs import PairFolder
from ohlora.stylegan.portrait_generator import read_generator
from ohlora.stylegan.training import train_generator
from ohlora.stylegan.training_config import Phase, TrainingConfig

WAYS: dict[str, dict[str, str | float]] = {
    "pixels and edges": {"mode": "paired", "perceptual": 0.0},
    "paired": {"mode": "paired"},
    "paired + convolutional": {"mode": "paired_adversarial", "discriminator": "convolutional"},
    "paired + projected": {"mode": "paired_adversarial", "discriminator": "projected"},
    "adversarial, convolutional": {"mode": "adversarial", "discriminator": "convolutional"},
    "adversarial, projected": {"mode": "adversarial", "discriminator": "projected"},
}
CHANNELS = (96, 96, 96, 64, 32)  # 64 px: small, so that minutes are enough to see a difference
PHASES = (Phase(0.25, 2, 32), Phase(0.5, 1, 32), Phase(1.0, 1, 16, adversarial=True))


def shrink_corpus(corpus: Path, folder: Path, size: int) -> Path:
    """Write the shards of ``corpus`` to ``folder`` again, shrunk to ``size`` pixels; those that are there stay."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(corpus.glob("shard_*.npz")):
        if (folder / path.name).exists():
            continue
        with np.load(path, allow_pickle=False) as shard:
            rest = {name: shard[name] for name in ("truth", "truth_names") if name in shard}
        pairs = PairFolder.read(path).shrunk(size)
        arrays = {name: getattr(pairs, name).numpy() for name in ("images", "masks", "alpha", "u")}
        temporary = folder / f"{path.name}.tmp"
        with temporary.open("wb") as file:
            np.savez(file, **arrays, **rest)
        os.replace(temporary, folder / path.name)
    return folder


def scores(generator: PortraitGenerator, judges: Judges, paired: bool, seed: int) -> dict[str, float]:
    """Scores of one generator as plain numbers; a generator that knows no pairs has no paired ones."""
    generated = generator.pictures(generator.sample_z(len(judges.held_out), seed + 1))
    found = likeness_scores(generated, judges, seed)
    if paired:
        found |= paired_scores(generator, replace(judges, training=()), seed)
    return {name: round(metric.value, 4) for name, metric in found.items()}


def compare(
    config: TrainingConfig, ways: dict[str, dict[str, str | float]], judges: Judges, picture: Path, people: int = 8
) -> dict[str, dict[str, float]]:
    """Train every way with the budget of ``config`` and score it.

    Args:
        config: what all ways share; folder and output are where each gets a subfolder and a file.
        ways: name → changes to the configuration. judges: renders to score against. picture: PNG to write.
        people: portraits in a row of it.

    Returns:
        name → scores, and the floor under "renders": what a perfect generator would get.
    """
    table, rows = {}, [judges.held_out.pictures[:people]]
    for number, (name, changes) in enumerate(ways.items()):
        output = config.output.with_name(f"way_{number}.safetensors")
        train_generator(replace(config, **changes, folder=config.folder / f"way_{number}", output=output))
        generator = read_generator(output)
        card = json.loads(output.with_suffix(".json").read_text(encoding="utf-8"))["metrics"]
        table[name] = {key: card[key] for key in ("minutes", "images_seen", "steps")}
        paired = changes["mode"] != "adversarial"
        table[name] |= scores(generator, judges, paired, config.seed)
        first = replace(judges.held_out, pictures=judges.held_out.pictures[:people], u=judges.held_out.u[:people])
        rows.append(reconstructions(generator, first, config.seed))
        print(name, json.dumps(table[name]), flush=True)
    floor = likeness_scores(judges.others.pictures, judges, config.seed)
    table["renders"] = {name: round(metric.baseline, 4) for name, metric in floor.items()}
    save_portraits(np.concatenate(rows), picture, columns=people)
    return table


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=outputs_folder() / "corpus_256")
    parser.add_argument("--minutes", type=float, default=5.0, help="for each way")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=outputs_folder() / "stylegan_comparison")
    parser.add_argument("--output", type=Path, default=outputs_folder() / "pretrained" / "stylegan_comparison.json")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    generator = GeneratorConfig(channels=CHANNELS)
    folder = arguments.folder
    small = shrink_corpus(arguments.corpus, folder / f"corpus_{generator.size}", generator.size)
    config = TrainingConfig(
        corpus=small, folder=folder, output=folder / "weights.safetensors", minutes=arguments.minutes,
        clock="wall" if device() == "cuda" else "processor", seed=arguments.seed, generator=generator, phases=PHASES,
        export_minutes=1e9,
    )  # fmt: skip
    judges = corpus_judges(small)
    table = compare(config, WAYS, judges, arguments.output.with_suffix(".png"))
    card = {
        "command": f"python -m ohlora.evaluation.training_comparison --minutes {arguments.minutes:g}",
        "minutes": arguments.minutes,
        "size": generator.size,
        "seed": arguments.seed,
        "held_out": len(judges.held_out),
        "ways": table,
    }
    temporary = arguments.output.with_suffix(".tmp")
    temporary.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    os.replace(temporary, arguments.output)


if __name__ == "__main__":
    main()
