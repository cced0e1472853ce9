"""Renders of one person under other circumstances, and of one person with one property moved and nothing else.

The person is everything about a face that no request is about and that neither light nor expression changes: build,
age, skin, shape, irises, brows, lips, make-up, glasses, earrings. The circumstances are the rest: what the seven
properties move, expression, gaze, hair, clothes, light and background. Both are parts of the vector u that a portrait
is rendered from, so who is who is known, not guessed.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from ohlora.labeling import PROPERTIES
from ohlora.portraits.corpus import render_pairs
from ohlora.portraits.parameters import SHAPE_NAMES, VECTOR_NAMES, VECTOR_SIZE

PERSON = (
    "gender", "ancestry_0", "ancestry_1", "skin", "age", "weight", *SHAPE_NAMES, "iris", "lip_colour", "lipstick",
    "blush", "brow_thickness", "stubble", "glasses", "earrings",
)  # fmt: skip
CIRCUMSTANCES = np.array([name not in PERSON for name in VECTOR_NAMES])
"""Which of the values of u are no part of the person, bool (VECTOR_SIZE,)."""

# The values of u that one property moves, and where they are put, low and high.
_MOVED = {
    "eyes": ({"eyes": -1.7}, {"eyes": 1.2}),
    "hair_color": ({"hair_lightness": -1.5}, {"hair_lightness": 1.8}),
    "hair_length": ({"hair_length": -1.5}, {"hair_length": 1.5}),
    "mouth": ({"mouth": -1.5}, {"mouth": 1.8}),
    "pose": ({"yaw": -1.5}, {"yaw": 1.5}),
    "background_mean": tuple({f"background_top_{k}": value for k in range(3)} for value in (-1.4, 1.4)),
    "background_std": tuple(
        {**{f"background_step_{k}": step for k in range(3)}, "background_texture": texture, "background_tilt": 0.0}
        for step, texture in ((0.0, 0.1), (1.6, 1.6))
    ),
}
_SHARD = 32  # renders written at once


def views(people: int, count: int, seed: int) -> np.ndarray:
    """Vectors u of people, ``count`` times each, circumstances drawn anew; float32 (people, count, VECTOR_SIZE)."""
    dice = np.random.default_rng(seed)
    u = np.repeat(dice.standard_normal((people, 1, VECTOR_SIZE), dtype=np.float32), count, axis=1)
    fresh = dice.standard_normal(u.shape, dtype=np.float32)
    return np.where(CIRCUMSTANCES, fresh, u)


def single_moves(people: int, seed: int) -> np.ndarray:
    """Vectors u as a perfect editor has them: of each person the portrait itself, then each property low and high.

    Returns:
        Float32 (people, 1 + 2 · 7, VECTOR_SIZE).
    """
    u = np.repeat(views(people, 1, seed), 1 + 2 * len(PROPERTIES), axis=1)
    for index, name in enumerate(PROPERTIES):
        for side, values in enumerate(_MOVED[name]):
            for column, value in values.items():
                u[:, 1 + 2 * index + side, VECTOR_NAMES.index(column)] = value
    return u


def render_views(u: np.ndarray, folder: Path, size: int = 256, workers: int = 1, title: str = "renders") -> np.ndarray:
    """Render vectors u (n, k, VECTOR_SIZE) into files of ``folder``; those that are there are not rendered again.

    Returns:
        uint8 (n, k, size, size, 3).

    Raises:
        ValueError: the folder holds renders of other vectors.
    """
    rows = u.reshape(-1, VECTOR_SIZE)
    folder.mkdir(parents=True, exist_ok=True)
    parts = [rows[start : start + _SHARD] for start in range(0, len(rows), _SHARD)]
    paths = [folder / f"views_{number:04d}.npz" for number in range(len(parts))]
    jobs = [(path, part, size) for path, part in zip(paths, parts, strict=True) if not path.exists()]
    bar = {"total": len(jobs), "desc": title, "disable": None, "file": sys.stderr}
    if workers <= 1:
        for job in tqdm(jobs, **bar):
            _render_part(*job)
    elif jobs:
        os.environ |= {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}  # the workers' own: one thread each
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            list(tqdm(pool.map(_render_part, *zip(*jobs, strict=True)), **bar))
    return np.concatenate([_read(*pair) for pair in zip(paths, parts, strict=True)]).reshape(
        *u.shape[:2], size, size, 3
    )


def _render_part(path: Path, u: np.ndarray, size: int) -> None:
    cv2.setNumThreads(1)
    temporary = path.with_suffix(".tmp.npz")
    np.savez_compressed(temporary, u=u, images=render_pairs(u, size).images)
    os.replace(temporary, path)


def _read(path: Path, u: np.ndarray) -> np.ndarray:
    with np.load(path, allow_pickle=False) as file:
        if not np.array_equal(file["u"], u):
            raise ValueError(f"folder={str(path.parent)!r} holds renders of other people; allowed: an empty folder")
        return file["images"]
