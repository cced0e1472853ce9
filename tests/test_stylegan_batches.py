"""Batches are the same whoever prepares them, and whenever a run begins."""

from __future__ import annotations

import pytest
import torch

from ohlora.portraits import VECTOR_SIZE
from ohlora.stylegan.batches import Batches
from ohlora.stylegan.pairs import Pairs


@pytest.fixture(scope="module")
def pairs() -> Pairs:
    dice = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (12, 16, 16, 3), generator=dice, dtype=torch.uint8)
    masks = torch.randint(0, 9, (12, 16, 16), generator=dice, dtype=torch.uint8)
    return Pairs(images, masks, torch.full((12, 16, 16), 200, dtype=torch.uint8), torch.randn(12, VECTOR_SIZE))


def test_workers_prepare_what_the_trainer_would_draw(pairs: Pairs) -> None:
    alone, ahead = Batches(3, 0, repainted=0.5), Batches(3, 0, repainted=0.5, workers=2)
    for step in (5, 6, 7, 20, 21):  # a jump starts the workers anew, as a resumed run does
        for one, other in zip(alone.at(pairs, 4, step), ahead.at(pairs, 4, step), strict=True):
            assert torch.equal(one, other)


def test_steps_and_processes_draw_otherwise(pairs: Pairs) -> None:
    def images(rank: int, step: int) -> torch.Tensor:
        return Batches(3, rank, repainted=0.0).at(pairs, 4, step)[0]

    assert not torch.equal(images(0, 1), images(0, 2)) and not torch.equal(images(0, 1), images(1, 1))


def test_latents_do_not_hang_on_the_rows() -> None:
    batches = Batches(3, 0, repainted=0.0)
    rows, latents = torch.rand(5, generator=batches.dice(7)), torch.rand(5, generator=batches.dice(7, latents=True))
    assert not torch.equal(rows, latents)
