"""Names of the portraits that people label. A name says how its portrait is made again: no pictures are stored.

``generated 0/17 of 1a2b3c4d``: row 17 of the latents of seed 0; ``broken 0/17 of …``: of broken_portraits; then the
first eight digits of the generator's sha256, because the same latent of another generator is another picture.
"""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

from ohlora.config import Profile, load_profile
from ohlora.labeling.broken_portraits import broken_pictures
from ohlora.labeling.generated_set import CACHED_SIZE
from ohlora.weights import locate_weights

KINDS = ("generated", "broken")
_NAME = re.compile(r"(generated|broken) (\d+)/(\d+) of ([0-9a-f]{8})")


def portrait_names(kind: str, count: int, seed: int, profile: Profile | str = "embedded") -> list[str]:
    """Names of the first ``count`` portraits of a seed.

    Args:
        kind: "generated" or "broken".
    """
    if kind not in KINDS:
        raise ValueError(f"kind={kind!r} is unknown; allowed: {', '.join(KINDS)}")
    return [f"{kind} {seed}/{row} of {_weights(profile)}" for row in range(count)]


def named_pictures(
    generator: Any, names: list[str], profile: Profile | str = "embedded", size: int = CACHED_SIZE
) -> dict[str, np.ndarray]:
    """Pictures uint8 (size, size, 3) of those names that belong to the profile's present generator.

    Args:
        generator: of the profile. names: from portrait_names; others are left out.
    """
    present, rows = _weights(profile), {}
    for name in names:
        parts = _NAME.fullmatch(name)
        if parts and parts[4] == present:
            rows.setdefault((parts[1], int(parts[2])), []).append((int(parts[3]), name))
    pictures = {}
    for (kind, seed), found in rows.items():
        last = max(row for row, _ in found)
        if kind == "generated":
            wanted = sorted({row for row, _ in found})
            made = dict(
                zip(wanted, generator.pictures(generator.sample_z(last + 1, seed)[wanted], size=size), strict=True)
            )
        else:
            made = dict(enumerate(broken_pictures(generator, last + 1, seed, size)))
        pictures |= {name: made[row] for row, name in found}
    return {name: pictures[name] for name in names if name in pictures}


def _weights(profile: Profile | str) -> str:
    card = locate_weights(load_profile(profile).stylegan.weights).with_suffix(".json")
    return json.loads(card.read_text("utf-8"))["sha256"][:8]
