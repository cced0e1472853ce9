"""Who shall she be? A documented rule picks one latent of many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from ohlora.companion.expression import MOVED
from ohlora.companion.face import Face, FacePainter

if TYPE_CHECKING:
    from ohlora.labeling import Labeler
    from ohlora.stylegan import PortraitGenerator

WOMAN, GOOD = 0.95, 0.9  # probabilities that a candidate must reach
REQUESTS = (-1.5, -0.75, 0.0, 0.75, 1.5)  # z-units asked of each moved property


def choose_face(
    generator: PortraitGenerator,
    labeler: Labeler,
    resting: dict[str, float],
    candidates: int = 200,
    finalists: int = 12,
    seed: int = 0,
) -> tuple[Face, pd.DataFrame]:
    """Pick her face among random latents.

    The rule: of ``candidates`` latents, painted at rest, keep those that the labeler takes for a woman
    (probability at least .95) in a good picture (at least .9); of the ``finalists`` best of these, take
    the one that obeys best: asked for five values of eyes, mouth and pose each, the mean absolute
    difference between requested and measured z-score is the smallest.

    Args:
        generator: conditioned. labeler: measures and filters.
        resting: the seven values at rest in z-units.
        candidates, finalists: how many. seed: of the latents.

    Returns:
        The face, and a table of the finalists (candidate, woman, quality, obedience_error), best first.

    Raises:
        ValueError: no candidate passes; the sentence says how close the best came.
    """
    latents = generator.sample_z(candidates, seed)
    values = torch.tensor([[resting[name] for name in generator.properties]]).expand(candidates, -1)
    pictures = generator.generate(latents, values)
    woman, quality = labeler.gender(pictures), labeler.quality(pictures)
    weakest = np.minimum(woman / WOMAN, quality / GOOD)
    order = [int(index) for index in np.argsort(-weakest, kind="stable") if weakest[index] >= 1][:finalists]
    if not order:
        raise ValueError(
            f"candidates={candidates}: none reaches woman {WOMAN} and quality {GOOD}; the best has "
            f"{woman[weakest.argmax()]:.2f} and {quality[weakest.argmax()]:.2f}; try more candidates or another seed"
        )
    faces = {index: Face(latents[index].cpu().numpy(), dict(resting)) for index in order}
    rows = [(index, woman[index], quality[index], obedience_error(generator, labeler, faces[index])) for index in order]
    table = pd.DataFrame(rows, columns=["candidate", "woman", "quality", "obedience_error"]).sort_values(
        "obedience_error", ignore_index=True
    )
    return faces[int(table.candidate[0])], table


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
