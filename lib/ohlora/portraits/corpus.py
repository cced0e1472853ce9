"""The corpus: rendered pairs (u, image) with masks and truth, in shards on disk.

    python -m ohlora.portraits.corpus --pairs 3000 --size 128 --workers 2 --seed 1 --output outputs/corpus_128

Shard k is drawn from (seed, k) alone, so any part can be rendered again, anywhere. Whole shards are kept when
the command is run again; a half-written or damaged one is rendered anew.
"""

from __future__ import annotations

import argparse
import os
import zipfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

from ohlora.config import DATA, outputs_folder
from ohlora.portraits.parameters import VECTOR_SIZE, PortraitParams
from ohlora.portraits.render import TRUTH_NAMES, render

SHARD = 64  # pairs of a shard
SAMPLE = DATA / "portraits" / "sample_128.npz"
_KEYS = {"images", "masks", "u", "truth", "truth_names"}


@dataclass(frozen=True)
class Corpus:
    """n rendered pairs.

    images: uint8 (n, size, size, 3). masks: uint8 (n, size, size), classes 0…8. u: float32 (n, 60), standard
    normal. truth: one row per pair, columns render.TRUTH_NAMES.
    """

    images: np.ndarray
    masks: np.ndarray
    u: np.ndarray
    truth: pd.DataFrame

    def __len__(self) -> int:
        return len(self.images)


def render_corpus(
    folder: Path | str, pairs: int, size: int = 128, workers: int = 2, seed: int = 1, progress: bool = True
) -> list[Path]:
    """Render ``pairs`` pairs (rounded up to whole shards of 64) into ``folder``; whole shards are skipped.

    Args:
        folder: where shard_00000.npz … go. pairs: at least 1. size: pixels. workers: processes.
        seed: shard k holds the vectors of ``shard_vectors(seed, k)``. progress: show a bar.

    Returns:
        Paths of all shards.

    Raises:
        ValueError: an argument outside its range, or shards of another size or seed in the folder.
    """
    for name, value in (("pairs", pairs), ("workers", workers)):
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{name}={value!r} is not allowed; it must be a whole number of at least 1")
    if not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed={seed!r} is not allowed; it must be a whole number of at least 0")
    from tqdm import tqdm

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"shard_{k:05d}.npz" for k in range(-(-pairs // SHARD))]
    missing = [k for k, path in enumerate(paths) if not _is_whole(path, size, seed, k)]
    with tqdm(total=len(paths), initial=len(paths) - len(missing), unit="shard", disable=not progress) as bar:
        if workers == 1:
            for k in missing:
                _render_shard(paths[k], size, seed, k)
                bar.update()
        else:
            # Each worker keeps to one thread: the renders themselves are the parallel work.
            os.environ |= {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
            with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
                for job in as_completed([pool.submit(_render_shard, paths[k], size, seed, k) for k in missing]):
                    job.result()
                    bar.update()
    return paths


def shard_vectors(seed: int, shard: int) -> np.ndarray:
    """The vectors u of one shard, float32 (64, 60), from (seed, shard) alone."""
    return np.random.default_rng([seed, shard]).standard_normal((SHARD, VECTOR_SIZE), dtype=np.float32)


def render_pairs(u: np.ndarray, size: int) -> Corpus:
    """Render the portraits of vectors u (n, 60)."""
    portraits = [render(PortraitParams.from_vector(row), size) for row in u]
    return Corpus(
        np.stack([portrait.image for portrait in portraits]),
        np.stack([portrait.mask for portrait in portraits]),
        np.asarray(u, np.float32),
        pd.DataFrame([portrait.truth for portrait in portraits], columns=list(TRUTH_NAMES)),
    )


def save_corpus(corpus: Corpus, path: Path) -> None:
    """Write one npz, whole or not at all."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        np.savez_compressed(
            file, images=corpus.images, masks=corpus.masks, u=corpus.u,
            truth=corpus.truth.to_numpy(np.float32), truth_names=np.array(corpus.truth.columns, dtype=str),
        )  # fmt: skip
    os.replace(temporary, path)


def load_corpus(folder: Path | str, limit: int | None = None) -> Corpus:
    """Read the shards of a folder in order.

    Args:
        folder: as written by ``render_corpus``. limit: at most this many pairs; None for all.

    Raises:
        ValueError: no shard in the folder, a damaged shard, or a limit below 1.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"limit={limit!r} is not allowed; it must be at least 1, or None for all pairs")
    paths = sorted(Path(folder).glob("shard_*.npz"))
    if not paths:
        raise ValueError(f"folder={str(folder)!r} holds no shard_*.npz; python -m ohlora.portraits.corpus renders them")
    parts, count = [], 0
    for path in paths:
        parts.append(_read(path))
        count += len(parts[-1])
        if limit is not None and count >= limit:
            break
    keep = slice(limit)
    return Corpus(
        np.concatenate([part.images for part in parts])[keep],
        np.concatenate([part.masks for part in parts])[keep],
        np.concatenate([part.u for part in parts])[keep],
        pd.concat([part.truth for part in parts], ignore_index=True)[keep],
    )


def load_sample() -> Corpus:
    """The shipped sample, 192 pairs at 128 px, drawn from another seed than any training corpus."""
    return _read(SAMPLE)


def _read(path: Path) -> Corpus:
    try:
        with np.load(path, allow_pickle=False) as file:
            data = {key: file[key] for key in _KEYS}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not a whole shard ({error}); delete it and render it again") from error
    truth = pd.DataFrame(data["truth"], columns=[str(name) for name in data["truth_names"]])
    return Corpus(data["images"], data["masks"], data["u"], truth)


def _is_whole(path: Path, size: int, seed: int, shard: int) -> bool:
    if not path.exists():
        return False
    try:
        corpus = _read(path)
    except ValueError:
        return False
    if corpus.images.shape[1] != size or not np.array_equal(corpus.u, shard_vectors(seed, shard)):
        raise ValueError(
            f"{path} holds another corpus ({corpus.images.shape[1]} px); size={size!r} with seed={seed!r} needs "
            "an empty folder or the one it was started in"
        )
    return True


def _render_shard(path: Path, size: int, seed: int, shard: int) -> None:
    import cv2

    cv2.setNumThreads(1)
    save_corpus(render_pairs(shard_vectors(seed, shard), size), path)


def main() -> None:
    """Command line: render a corpus, or with ``--sample`` the small one that is shipped."""
    parser = argparse.ArgumentParser(description="Render pairs (u, image) with masks and truth.")
    parser.add_argument("--pairs", type=int, default=3000, help="rounded up to whole shards of 64")
    parser.add_argument("--size", type=int, default=128, help="pixels")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=None, help="folder; default outputs/corpus_<size>")
    parser.add_argument("--sample", type=Path, default=None, help="write all pairs into this one file as well")
    arguments = parser.parse_args()
    folder = arguments.output or outputs_folder() / f"corpus_{arguments.size}"
    render_corpus(folder, arguments.pairs, arguments.size, arguments.workers, arguments.seed)
    if arguments.sample:
        arguments.sample.parent.mkdir(parents=True, exist_ok=True)
        save_corpus(load_corpus(folder, arguments.pairs), arguments.sample)
    print(f"{folder}: {len(load_corpus(folder))} pairs")


if __name__ == "__main__":
    main()
