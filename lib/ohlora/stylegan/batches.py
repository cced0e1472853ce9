"""Training batches in the order of steps, prepared ahead by worker processes where a GPU would wait for them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from ohlora.stylegan.pairs import Pairs

Batch = tuple[Tensor, Tensor, Tensor]


class Batches:
    """Draws images, masks and u; every step and process has its own random numbers, so a resumed run goes on exactly.

    Args:
        seed, rank: of the run and of the process. repainted: share of images that get another background.
        workers: processes that prepare batches ahead; with 0 each is drawn when it is asked for.
    """

    def __init__(self, seed: int, rank: int, repainted: float, workers: int = 0) -> None:
        self._seed, self._rank, self._repainted, self._workers = seed, rank, repainted, workers
        self._drawn_from: tuple[int, int] | None = None
        self._ahead: Iterator[Batch] = iter(())
        self._next = 0

    def dice(self, step: int, latents: bool = False) -> torch.Generator:
        """What a step draws its rows from or, independent of them, its latents."""
        seed = (self._seed * 1_000_003 + step) * 1_009 + self._rank
        return torch.Generator().manual_seed(2 * seed + latents)

    def draw(self, pairs: Pairs, size: int, step: int) -> Batch:
        """The batch of a step: images float32 (size, 3, s, s) in [-1, 1], masks uint8 (size, s, s), u (size, d)."""
        dice = self.dice(step)
        rows = torch.randint(len(pairs), (size,), generator=dice)
        flips, repainted = torch.rand(2, size, generator=dice) < torch.tensor([[0.5], [self._repainted]])
        return pairs.batch(rows, flips, repainted, seed=(self._seed, step, self._rank))

    def at(self, pairs: Pairs, size: int, step: int) -> Batch:
        """The same, from the workers if there are any. Other pairs, another size or a jump starts them anew."""
        if not self._workers:
            return self.draw(pairs, size, step)
        if self._drawn_from != (id(pairs), size) or self._next != step:
            stream = _Stream(self, pairs, size, step)
            # forked: the pairs, gigabytes of them, are shared and not copied
            loader = DataLoader(
                stream,
                batch_size=None,
                num_workers=self._workers,
                multiprocessing_context="fork",
                pin_memory=torch.cuda.is_available(),
            )
            self._ahead, self._drawn_from = iter(loader), (id(pairs), size)
        self._next = step + 1
        return next(self._ahead)


class _Stream(IterableDataset):
    """Endless batches from a step on; worker k of n prepares every n-th, which the loader puts in order again."""

    def __init__(self, batches: Batches, pairs: Pairs, size: int, first: int) -> None:
        self._batches, self._pairs, self._size, self._first = batches, pairs, size, first

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        for step in itertools.count(self._first + worker.id, worker.num_workers):
            yield self._batches.draw(self._pairs, self._size, step)
