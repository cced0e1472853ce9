"""Renders to hold a generator against: some that it never saw, and as many others that play a perfect generator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ohlora.images import shrink_pictures
from ohlora.portraits import load_sample
from ohlora.stylegan.pairs import HELD_OUT_EVERY


@dataclass(frozen=True)
class Renders:
    """pictures: uint8 (n, size, size, 3). u: float32 (n, VECTOR_SIZE), what they were rendered from."""

    pictures: np.ndarray
    u: np.ndarray

    def __len__(self) -> int:
        return len(self.pictures)


@dataclass(frozen=True)
class Judges:
    """held_out: renders that the generator never saw. others: as many more renders; their distance from the held-out
    ones is the floor of every distance. training: shards that the generator learned from (empty: not at hand).
    split: where the renders come from, in words.
    """

    held_out: Renders
    others: Renders
    training: tuple[Path, ...]
    split: str


def corpus_judges(folder: Path | str, n: int | None = None, size: int | None = None) -> Judges:
    """The held-out shards of a corpus, and as many training renders, taken evenly from all over the corpus.

    Args:
        folder: as written by ohlora.portraits.corpus. n: at most this many on each side; None: all held-out ones.
        size: pictures are averaged down to it; None: as stored.

    Raises:
        ValueError: n below 8, or a folder without a held-out and a training shard.
    """
    _check(n)
    paths = sorted(Path(folder).glob("shard_*.npz"))
    held = tuple(path for path in paths if _number(path) % HELD_OUT_EVERY == 0)
    training = tuple(path for path in paths if path not in held)
    if not held or not training:
        raise ValueError(f"corpus={str(folder)!r} holds {len(paths)} shards; allowed: 2 or more (shard 0 is held out)")
    held_out = _first(held, n, size)
    step = max(1, len(training) // len(held))
    others = _first(training[::step] + training, len(held_out), size)
    count = min(len(held_out), len(others))
    held_out, others = (Renders(one.pictures[:count], one.u[:count]) for one in (held_out, others))
    return Judges(held_out, others, training, "held-out shards of the corpus")


def sample_judges(n: int | None = None, size: int | None = None) -> Judges:
    """The shipped sample, which no generator was trained on, cut in two halves.

    Args and errors as in :func:`corpus_judges`; n is the size of a half.
    """
    _check(n)
    sample = load_sample()
    pictures = sample.images if size is None else shrink_pictures(sample.images, size)
    half = min(len(sample) // 2, n or len(sample))
    parts = [Renders(pictures[rows], sample.u[rows]) for rows in (slice(half), slice(half, 2 * half))]
    return Judges(*parts, (), "shipped sample")


def shard_pictures(path: Path, size: int | None = None) -> np.ndarray:
    """The pictures of one shard, uint8 (n, size, size, 3), averaged down to ``size``; None: as stored."""
    return _read(path, size).pictures


def _read(path: Path, size: int | None) -> Renders:
    with np.load(path, allow_pickle=False) as file:
        pictures, u = file["images"], file["u"].astype(np.float32)
    return Renders(pictures if size is None else shrink_pictures(pictures, size), u)


def _first(paths: tuple[Path, ...], n: int | None, size: int | None) -> Renders:
    parts, count = [], 0
    for part in _each(paths, size):
        parts.append(part)
        count += len(part)
        if n is not None and count >= n:
            break
    return Renders(*(np.concatenate([getattr(part, key) for part in parts])[:n] for key in ("pictures", "u")))


def _each(paths: tuple[Path, ...], size: int | None) -> Iterator[Renders]:
    for path in dict.fromkeys(paths):
        yield _read(path, size)


def _number(path: Path) -> int:
    return int(path.stem.removeprefix("shard_"))


def _check(n: int | None) -> None:
    if n is not None and n < 8:
        raise ValueError(f"n={n} is not allowed; it must be at least 8, or None for as many as there are")
