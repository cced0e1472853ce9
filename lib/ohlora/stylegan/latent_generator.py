"""LatentGenerator: latents in, portraits out. What our own generator and imported ones have in common."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from ohlora.config import half_precision
from ohlora.images import resize, to_pictures

_BATCH = 32  # images made at once, so that memory stays bounded


class LatentGenerator(nn.Module):
    """A mapping network, a synthesis network and the truncation centre between them.

    Attributes:
        config: architecture; has z_dim, w_dim, size, properties.
        mapping: z (n, z_dim), properties (n, k) or None → w (n, w_dim) or (n, layers, w_dim).
        synthesis: w (n, w_dim) or (n, layers, w_dim) → images (n, 3, size, size), about [-1, 1].
        w_mean: (w_dim,), where truncation pulls to.
    """

    w_mean: Tensor

    def __init__(self, config: Any, mapping: nn.Module, synthesis: nn.Module) -> None:
        super().__init__()
        self.config = config
        self.mapping = mapping
        self.synthesis = synthesis
        self.register_buffer("w_mean", torch.zeros(config.w_dim))

    @property
    def z_dim(self) -> int:
        """Length of a latent."""
        return self.config.z_dim

    @property
    def size(self) -> int:
        """Side of an image in pixels."""
        return self.config.size

    @property
    def properties(self) -> tuple[str, ...]:
        """Names of the property values that it obeys; empty if unconditioned."""
        return self.config.properties

    def sample_z(self, n: int, seed: int) -> Tensor:
        """n latents from N(0, I), float32 (n, z_dim); the same seed gives the same people."""
        if n < 1:
            raise ValueError(f"n={n} latents were asked for; allowed: 1 or more")
        return torch.randn(n, self.z_dim, generator=torch.Generator().manual_seed(seed)).to(self.w_mean.device)

    def truncate(self, w: Tensor, truncation: float) -> Tensor:
        """Pull w towards the mean: 1 leaves it, 0 is the mean face (Karras et al. 2019, App. B)."""
        return self.w_mean + truncation * (w - self.w_mean)

    @torch.no_grad()
    def generate(self, z: Tensor, properties: Tensor | None = None, truncation: float = 1.0) -> Tensor:
        """Portraits of latents.

        Args:
            z: float32 (n, z_dim).
            properties: float32 (n, 7) z-scores, conditioned generators only; None: as z shows naturally.
            truncation: 0 (mean face) … 1 (all the variety).

        Returns:
            float32 (n, 3, size, size) in [-1, 1].
        """
        if not 0.0 <= truncation <= 1.5:
            raise ValueError(f"truncation={truncation} is out of range; allowed: 0 to 1.5")
        w = self.truncate(self.mapping(z, properties), truncation)
        return torch.cat([self.synthesis(part).clamp(-1.0, 1.0) for part in w.split(_BATCH)])

    @torch.inference_mode()
    def pictures(self, z: Tensor | np.ndarray, properties: Tensor | None = None, size: int | None = None) -> np.ndarray:
        """Portraits ready to be looked at, in batches and half precision, so that n may be thousands.

        Args:
            z: float32 (n, z_dim). properties: as in :meth:`generate`.
            size: pixels of a side, averaged from the full size; None: the full size.

        Returns:
            uint8 (n, size, size, 3): a quarter of the memory of floats.
        """
        size = self.size if size is None else size
        z = z if isinstance(z, Tensor) else torch.from_numpy(np.array(z, dtype=np.float32))
        w = self.mapping(z.to(self.w_mean.device), properties)
        made = np.empty((len(w), size, size, 3), dtype=np.uint8)
        for row in tqdm(range(0, len(w), _BATCH), desc="portraits", disable=None, file=sys.stderr, leave=False):
            with half_precision():
                images = self.synthesis(w[row : row + _BATCH])
            made[row : row + _BATCH] = to_pictures(resize(images.float().clamp(-1, 1), size))
        return made

    @torch.no_grad()
    def update_w_mean(self, n: int = 4096, seed: int = 0) -> None:
        """Measure the centre of W over n latents (and over all layers where they have a w each)."""
        self.w_mean.copy_(self.mapping(self.sample_z(n, seed)).reshape(n, -1, self.config.w_dim).mean(dim=(0, 1)))
