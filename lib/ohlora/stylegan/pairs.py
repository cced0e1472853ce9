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

HELD_OUT_EVERY = 16  # shards 0, 16, 32 … are never trained on, and neither are their mirror images


@dataclass
class Pairs:
    """Rendered portraits with their parameters.

    images: uint8 (n, size, size, 3). masks: uint8 (n, size, size). u: float32 (n, 60).
    """

    images: Tensor
    masks: Tensor
    u: Tensor

    def __len__(self) -> int:
        return len(self.u)

    def batch(self, rows: Tensor, flips: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor]:
        """Images, masks and u of some rows, mirrored where ``flips`` says so.

        Args:
            rows: indices (n,). flips: bool (n,). size: side of the images in pixels, a divisor of the stored one.

        Returns:
            images float32 (n, 3, size, size) in [-1, 1], masks uint8 at the stored size, u float32 (n, 60).
        """
        images, masks, u = self.images[rows], self.masks[rows], self.u[rows].clone()
        if flips.any():
            images = torch.where(flips[:, None, None, None], images.flip(2), images)
            masks = torch.where(flips[:, None, None], masks.flip(2), masks)
            u[flips] = torch.from_numpy(np.asarray(mirror(u[flips].numpy()), dtype=np.float32))
        images = images.permute(0, 3, 1, 2).float() / 127.5 - 1.0
        factor = images.shape[-1] // size
        if factor > 1:
            images = F.avg_pool2d(images, factor)
        return images.contiguous(memory_format=torch.channels_last), masks, u


class PairFolder:
    """The shards of a corpus folder, split once and for all by their number; new ones join on :meth:`refresh`."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._read: dict[str, Pairs] = {}
        self.refresh()
        if not self._read:
            raise ValueError(
                f"corpus={str(self.folder)!r} holds no shard_*.npz; render one: python -m ohlora.portraits.corpus"
            )

    def refresh(self) -> int:
        """Read shards that appeared since the last look; returns how many pairs are known now."""
        for path in sorted(self.folder.glob("shard_*.npz")):
            if path.name not in self._read:
                try:
                    with np.load(path, allow_pickle=False) as shard:
                        arrays = (shard["images"], shard["masks"], shard["u"].astype(np.float32))
                except (OSError, ValueError, KeyError, zipfile.BadZipFile):
                    continue  # still being written: it is there at the next look
                self._read[path.name] = Pairs(*(torch.from_numpy(array) for array in arrays))
        return sum(len(pairs) for pairs in self._read.values())

    def training(self) -> Pairs:
        """Pairs to learn from."""
        return self._joined(held_out=False)

    def held_out(self) -> Pairs:
        """Pairs that are only measured on."""
        return self._joined(held_out=True)

    def _joined(self, held_out: bool) -> Pairs:
        chosen = [
            self._read[name]
            for name in sorted(self._read)
            if (int(name[len("shard_") : -len(".npz")]) % HELD_OUT_EVERY == 0) == held_out
        ]
        if not chosen:
            raise ValueError(
                f"corpus={str(self.folder)!r} has no {'held-out' if held_out else 'training'} shard yet; "
                f"allowed: at least shard_00000 and shard_00001"
            )
        return Pairs(*(torch.cat([getattr(pairs, key) for pairs in chosen]) for key in ("images", "masks", "u")))
