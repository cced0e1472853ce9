"""Pairs of latent and rendered portrait, read from a corpus folder that may still be growing."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ohlora.portraits import mirror
from ohlora.portraits.recomposition import draw_backgrounds, recomposite

HELD_OUT_EVERY = 16  # shards 0, 16, 32 … are never trained on, and neither are their mirror images
_CHUNK = 64  # images shrunk at once, so that memory stays bounded


@dataclass
class Pairs:
    """Rendered portraits with their parameters, all of one size.

    images: uint8 (n, size, size, 3). masks: uint8 (n, size, size), classes. alpha: uint8 (n, size, size), coverage
    of the figure. u: float32 (n, VECTOR_SIZE).
    """

    images: Tensor
    masks: Tensor
    alpha: Tensor
    u: Tensor

    def __len__(self) -> int:
        return len(self.u)

    @property
    def size(self) -> int:
        """Side of the images in pixels."""
        return self.images.shape[1]

    def shrunk(self, size: int) -> Pairs:
        """The same pairs at a smaller size, a divisor of this one: images and coverage by area, masks by nearest."""
        factor = self.size // size
        if factor == 1:
            return self
        images = self.images.permute(0, 3, 1, 2)
        middle = factor // 2
        return Pairs(
            _pooled(images, factor).permute(0, 2, 3, 1).contiguous(),
            self.masks[:, middle::factor, middle::factor].contiguous(),
            _pooled(self.alpha[:, None], factor)[:, 0],
            self.u,
        )

    def batch(
        self, rows: Tensor, flips: Tensor, repainted: Tensor | None = None, seed: tuple[int, ...] = (0,)
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Images, masks and u of some rows: mirrored and put before another background where that is asked for.

        Args:
            rows: indices (n,). flips: bool (n,). repainted: bool (n,), which get a new background (None: none);
                u changes with it. seed: of the new backgrounds.

        Returns:
            images float32 (n, 3, size, size) in [-1, 1], masks uint8 (n, size, size), u float32 (n, VECTOR_SIZE).
        """
        images, masks, u = self.images[rows], self.masks[rows], self.u[rows].clone()
        if repainted is not None and repainted.any():
            old_u = u[repainted].numpy()
            new_u = draw_backgrounds(old_u, np.random.default_rng(seed)).astype(np.float32)
            alpha = self.alpha[rows[repainted]].numpy()
            images[repainted] = torch.from_numpy(recomposite(images[repainted].numpy(), alpha, old_u, new_u))
            u[repainted] = torch.from_numpy(new_u)
        if flips.any():
            images = torch.where(flips[:, None, None, None], images.flip(2), images)
            masks = torch.where(flips[:, None, None], masks.flip(2), masks)
            u[flips] = torch.from_numpy(np.asarray(mirror(u[flips].numpy()), dtype=np.float32))
        images = images.permute(0, 3, 1, 2).float() / 127.5 - 1.0
        return images.contiguous(memory_format=torch.channels_last), masks, u


def _pooled(values: Tensor, factor: int) -> Tensor:
    """uint8 (n, c, h, w) averaged over factor × factor pixels, uint8."""
    parts = [F.avg_pool2d(part.float(), factor).round_().byte() for part in values.split(_CHUNK)]
    return torch.cat(parts)


class PairFolder:
    """The shards of a corpus folder, split once and for all by their number; new ones join on :meth:`refresh`."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._read: dict[str, Pairs] = {}
        self._shrunk: dict[tuple[str, int], Pairs] = {}
        self.refresh()
        if not self._read:
            raise ValueError(
                f"corpus={str(self.folder)!r} holds no shard_*.npz; render one: python -m ohlora.portraits.corpus"
            )

    @property
    def size(self) -> int:
        """Side of the stored images in pixels."""
        return next(iter(self._read.values())).size

    def refresh(self) -> int:
        """Read shards that appeared since the last look; returns how many pairs are known now."""
        for path in sorted(self.folder.glob("shard_*.npz")):
            if path.name not in self._read:
                try:
                    self._read[path.name] = self.read(path)
                except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
                    continue  # still being written: it is there at the next look
        return sum(len(pairs) for pairs in self._read.values())

    @staticmethod
    def read(path: Path) -> Pairs:
        """The pairs of one shard."""
        with np.load(path, allow_pickle=False) as shard:
            arrays = (shard["images"], shard["masks"], shard["alpha"], shard["u"].astype(np.float32))
        return Pairs(*(torch.from_numpy(array) for array in arrays))

    def training(self, size: int | None = None) -> Pairs:
        """Pairs to learn from, at the stored size or shrunk to ``size``."""
        return self._joined(False, size)

    def held_out(self, size: int | None = None) -> Pairs:
        """Pairs that are only measured on."""
        return self._joined(True, size)

    def _joined(self, held_out: bool, size: int | None) -> Pairs:
        size = size or self.size
        if size > self.size or self.size % size:
            raise ValueError(f"size={size} does not divide the {self.size} px of the corpus in {str(self.folder)!r}")
        chosen = [
            self._at(name, size)
            for name in sorted(self._read)
            if (int(name[len("shard_") : -len(".npz")]) % HELD_OUT_EVERY == 0) == held_out
        ]
        if not chosen:
            raise ValueError(
                f"corpus={str(self.folder)!r} has no {'held-out' if held_out else 'training'} shard yet; "
                f"allowed: at least shard_00000 and shard_00001"
            )
        names = ("images", "masks", "alpha", "u")
        return Pairs(*(torch.cat([getattr(pairs, key) for pairs in chosen]) for key in names))

    def _at(self, name: str, size: int) -> Pairs:
        if size == self.size:
            return self._read[name]
        if (name, size) not in self._shrunk:
            self._shrunk[name, size] = self._read[name].shrunk(size)
        return self._shrunk[name, size]
