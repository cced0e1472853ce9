"""Bad portraits on purpose: the generator, pushed outside the region of W where it learned to be good.

Three pushes, a third each: beyond the mean by a truncation of 2.5 … 3.5; away from another person by 1.4 … 2.2 of
their difference; every layer another person's style, at a truncation of 1.7 … 2.4. Gentler pushes often come out well
(half of the portraits at a truncation of 2 are still within the bound of quality_labels).
"""

from __future__ import annotations

import numpy as np
import torch

from ohlora.config import half_precision
from ohlora.images import resize, to_pictures
from ohlora.stylegan.latent_generator import LatentGenerator

PUSHES = ("truncation", "away from another", "mixed layers")
_RANGES = {"truncation": (2.5, 3.5), "away from another": (1.4, 2.2), "mixed layers": (1.7, 2.4)}


def broken_styles(generator: LatentGenerator, count: int, seed: int) -> torch.Tensor:
    """Styles (count, layers, w_dim); row i is pushed by PUSHES[i % 3] and does not depend on ``count``.

    Args:
        generator: ours or an imported one. count: at least 1.
    """
    layers, centre = generator.config.layers, generator.w_mean
    styles = []
    for row in range(count):
        random = np.random.default_rng((seed, row))
        push = PUSHES[row % len(PUSHES)]
        people = layers if push == "mixed layers" else 2
        z = torch.from_numpy(random.standard_normal((people, generator.z_dim), dtype=np.float32))
        w, strength = generator.mapping(z.to(centre.device)), random.uniform(*_RANGES[push])
        w = w if w.ndim == 3 else w[:, None].expand(-1, layers, -1)
        if push == "truncation":
            w = centre + strength * (w[0] - centre)
        elif push == "away from another":
            w = w[0] + strength * (w[0] - w[1])
        else:
            every = torch.arange(layers)
            w = centre + strength * (w[every, every] - centre)
        styles.append(w)
    return torch.stack(styles)


@torch.inference_mode()
def broken_pictures(generator: LatentGenerator, count: int, seed: int, size: int, batch: int = 32) -> np.ndarray:
    """Portraits of broken_styles, uint8 (count, size, size, 3)."""
    parts = []
    for styles in broken_styles(generator, count, seed).split(batch):
        with half_precision():
            images = generator.synthesis(styles)
        parts.append(to_pictures(resize(images.float().clamp(-1, 1), size)))
    return np.concatenate(parts)
