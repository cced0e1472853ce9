"""Who shall she be? A documented rule picks one latent of many."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from ohlora.companion.expression import MOVED
from ohlora.companion.face import RESTING, SHIPPED_FACES, Face, FacePainter, save_face
from ohlora.images import to_images
from ohlora.portraits import PortraitParams

if TYPE_CHECKING:
    from ohlora.labeling import Labeler
    from ohlora.stylegan import PortraitGenerator

WOMAN, GOOD = 0.95, 0.9  # probabilities that a candidate must reach
EQUAL = 0.02  # z-units; smaller differences in obedience do not decide
YOUNG = 27  # years at most
REQUESTS = (-1.5, -0.75, 0.0, 0.75, 1.5)  # z-units asked of each moved property


def choose_face(
    generator: PortraitGenerator,
    labeler: Labeler,
    resting: dict[str, float] | None = None,
    candidates: int = 400,
    finalists: int = 12,
    seed: int = 0,
) -> tuple[Face, pd.DataFrame]:
    """Pick her face among random latents.

    The rule: of ``candidates`` latents keep those whose paired portrait parameters are young and wear no glasses
    (her eyes must be seen to speak); paint them at rest and keep those that the labeler takes for a woman
    (probability at least .95) in a good picture (at least .9); of the ``finalists`` best of these, take the one
    that obeys best: asked for five values of eyes, mouth and pose each, the mean absolute difference between
    requested and measured z-score is smallest (of those within .02 of the smallest, the best picture).

    Args:
        generator: conditioned. labeler: measures and filters.
        resting: the seven values at rest in z-units; default: RESTING.
        candidates, finalists: how many. seed: of the latents.

    Returns:
        The face, and a table of the finalists (candidate, woman, quality, obedience_error, chosen), the most
        obedient first.

    Raises:
        ValueError: no candidate passes; the sentence says how close the best came.
    """
    resting = dict(resting or RESTING)
    latents = generator.sample_z(candidates, seed)
    young = np.array([suits(u) for u in generator.z_to_u(latents).cpu().numpy()])
    if not young.any():
        raise ValueError(f"candidates={candidates}: none is young and without glasses; try more or another seed")
    values = torch.tensor([[resting[name] for name in generator.properties]]).expand(int(young.sum()), -1)
    images = to_images(generator.pictures(latents[young], values))
    woman, quality = np.zeros((2, candidates))
    woman[young], quality[young] = labeler.gender(images), labeler.quality(images)
    weakest = np.minimum(woman / WOMAN, quality / GOOD)
    order = [int(index) for index in np.argsort(-weakest, kind="stable") if weakest[index] >= 1][:finalists]
    if not order:
        raise ValueError(
            f"candidates={candidates}: of {young.sum()} young ones none reaches woman {WOMAN} and quality {GOOD}; the "
            f"best has {woman[weakest.argmax()]:.2f} and {quality[weakest.argmax()]:.2f}; try more or another seed"
        )
    faces = {index: Face(latents[index].cpu().numpy(), dict(resting)) for index in order}
    rows = [(index, woman[index], quality[index], obedience_error(generator, labeler, faces[index])) for index in order]
    table = pd.DataFrame(rows, columns=["candidate", "woman", "quality", "obedience_error"]).sort_values(
        "obedience_error", ignore_index=True
    )
    equal = table[table.obedience_error <= table.obedience_error.min() + EQUAL]
    chosen = int(equal.sort_values("quality", ascending=False, kind="stable").candidate.iloc[0])
    return faces[chosen], table.assign(chosen=table.candidate == chosen)


def suits(u: np.ndarray) -> bool:
    """Whether the portrait parameters u, float (62,), are of somebody young without glasses."""
    params = PortraitParams.from_vector(u)
    return params.age <= YOUNG and params.glasses < 0.5


def obedience_error(generator: PortraitGenerator, labeler: Labeler, face: Face) -> float:
    """Mean |requested − measured| z-score of eyes, mouth and pose over five requests each; unmeasurable counts as 2."""
    painter = FacePainter(generator, face)
    asked = [painter.properties({name: value - face.properties[name]}) for name in MOVED for value in REQUESTS]
    values = torch.tensor([list(one.values()) for one in asked], dtype=torch.float32)
    pictures = generator.generate(torch.from_numpy(face.latent)[None].expand(len(asked), -1), values)
    measured = labeler.measure(pictures)
    moved = np.repeat(MOVED, len(REQUESTS))
    errors = [
        abs(one[name] - measured[name].iloc[row]) for row, (one, name) in enumerate(zip(asked, moved, strict=True))
    ]
    return float(np.mean(np.nan_to_num(errors, nan=2.0)))


def main() -> None:
    """Command line: choose her face and write it into the file of faces."""
    from ohlora.labeling import load_labeler
    from ohlora.stylegan import load_generator

    parser = argparse.ArgumentParser(description="Choose Oh-LoRA's face by the rule of choose_face.")
    parser.add_argument("--profile", default="embedded")
    parser.add_argument("--candidates", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=SHIPPED_FACES)
    arguments = parser.parse_args()
    generator = load_generator(arguments.profile, conditioned=True)
    face, table = choose_face(
        generator, load_labeler(arguments.profile), candidates=arguments.candidates, seed=arguments.seed
    )
    print(table.to_string(index=False, float_format="%.4f"))
    best = {name: round(float(value), 3) for name, value in table[table.chosen].iloc[0, :-1].items()}
    command = f"python -m ohlora.companion.face_choice --candidates {arguments.candidates} --seed {arguments.seed}"
    save_face(face, arguments.output, arguments.profile, chosen_by=command, scores=best)


if __name__ == "__main__":
    main()
