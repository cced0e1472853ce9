"""The corpus: rendered pairs (u, image) with masks, coverage and truth, in shards on disk.

    python -m ohlora.portraits.corpus --pairs 6016 --size 256 --workers 2 --seed 1

Shard k is drawn from (seed, k) alone, so any part can be rendered again, anywhere. Whole shards are kept when
the command is run again; a half-written or damaged one is rendered anew.
"""

from __future__ import annotations

import argparse
import os
import zipfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from ohlora.config import DATA, outputs_folder
from ohlora.portraits.parameters import VECTOR_SIZE, PortraitParams
from ohlora.portraits.regions import LABELS
from ohlora.portraits.render import TRUTH_NAMES, render

SHARD = 64  # pairs of a shard
SAMPLE = DATA / "portraits" / "sample_256.npz"
_KEYS = {"images", "masks", "alpha", "u", "truth", "truth_names"}
_DAMAGE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)


@dataclass(frozen=True)
class Corpus:
    """n rendered pairs.

    images: uint8 (n, size, size, 3). masks: uint8 (n, size, size), classes 0…8. alpha: uint8 (n, size, size), coverage
    of the figure, 255 = all. u: float32 (n, VECTOR_SIZE), standard normal. truth: one row per pair, columns
    render.TRUTH_NAMES.
    """

    images: np.ndarray
    masks: np.ndarray
    alpha: np.ndarray
    u: np.ndarray
    truth: pd.DataFrame

    def __len__(self) -> int:
        return len(self.images)

    def resized(self, size: int) -> Corpus:
        """Smaller copy: images and coverage are averaged over areas, masks take each pixel's largest class.

        Raises:
            ValueError: a size below 1 or above the present one.
        """
        present = self.images.shape[1]
        if not isinstance(size, int) or not 1 <= size <= present:
            raise ValueError(f"size={size!r} is not allowed; it must be a whole number from 1 to {present}")
        if size == present:
            return self

        def smaller(image: np.ndarray) -> np.ndarray:
            return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)

        classes = np.arange(len(LABELS))[:, None, None]
        return replace(
            self,
            images=np.stack([smaller(image) for image in self.images]),
            masks=np.stack(
                [np.argmax([smaller(one) for one in (mask == classes).astype(np.float32)], 0) for mask in self.masks]
            ).astype(np.uint8),
            alpha=np.stack([smaller(image) for image in self.alpha]),
        )


def render_corpus(
    folder: Path | str, pairs: int, size: int = 256, workers: int = 2, seed: int = 1, progress: bool = True
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
    done = SHARD * (len(paths) - len(missing))
    with tqdm(total=SHARD * len(paths), initial=done, unit="pair", disable=not progress) as bar:
        if workers == 1:
            for k in missing:
                _render_shard(paths[k], size, seed, k)
                bar.update(SHARD)
        else:
            # Each worker keeps to one thread: the renders themselves are the parallel work.
            os.environ |= {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
            with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
                for job in as_completed([pool.submit(_render_shard, paths[k], size, seed, k) for k in missing]):
                    job.result()
                    bar.update(SHARD)
    return paths


def shard_vectors(seed: int, shard: int) -> np.ndarray:
    """The vectors u of one shard, float32 (64, VECTOR_SIZE), from (seed, shard) alone."""
    return np.random.default_rng([seed, shard]).standard_normal((SHARD, VECTOR_SIZE), dtype=np.float32)


def render_pairs(u: np.ndarray, size: int) -> Corpus:
    """Render the portraits of vectors u (n, VECTOR_SIZE)."""
    portraits = [render(PortraitParams.from_vector(row), size) for row in u]
    return Corpus(
        np.stack([portrait.image for portrait in portraits]),
        np.stack([portrait.mask for portrait in portraits]),
        np.stack([portrait.alpha for portrait in portraits]),
        np.asarray(u, np.float32),
        pd.DataFrame([portrait.truth for portrait in portraits], columns=list(TRUTH_NAMES)),
    )


def save_corpus(corpus: Corpus, path: Path) -> None:
    """Write one npz, whole or not at all."""
    _write(path, images=corpus.images, **_columns(corpus))


def _columns(corpus: Corpus) -> dict[str, np.ndarray]:
    """Everything beside the images."""
    return {
        "masks": corpus.masks, "alpha": corpus.alpha, "u": corpus.u,
        "truth": corpus.truth.to_numpy(np.float32), "truth_names": np.array(corpus.truth.columns, dtype=str),
    }  # fmt: skip


def _write(path: Path, **arrays: np.ndarray) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)
    os.replace(temporary, path)


def load_corpus(folder: Path | str, limit: int | None = None, size: int | None = None) -> Corpus:
    """Read the shards of a folder in order.

    Args:
        folder: as written by ``render_corpus``. limit: at most this many pairs; None for all.
        size: shrink each shard to it as it is read (Corpus.resized), which saves memory; None: as stored.

    Raises:
        ValueError: no shard in the folder, a damaged shard, or a limit below 1.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"limit={limit!r} is not allowed; it must be at least 1, or None for all pairs")
    paths = sorted(Path(folder).glob("shard_*.npz"))
    if not paths:
        raise ValueError(f"folder={str(folder)!r} holds no shard_*.npz; python -m ohlora.portraits.corpus renders them")
    counts = np.cumsum([_count(path) for path in paths])
    if limit is not None:
        paths = paths[: int(np.searchsorted(counts, limit)) + 1]
    total = int(min(counts[len(paths) - 1], limit or counts[-1]))
    arrays, truths, start = {}, [], 0
    for path in paths:  # into arrays of the final size, so that the corpus is never twice in memory
        part = _read(path) if size is None else _read(path).resized(size)
        for name in ("images", "masks", "alpha", "u"):
            values = getattr(part, name)
            whole = arrays.setdefault(name, np.empty((total, *values.shape[1:]), values.dtype))
            whole[start : start + len(part)] = values[: total - start]
        truths.append(part.truth)
        start += len(part)
    return Corpus(**arrays, truth=pd.concat(truths, ignore_index=True)[:total])


def load_sample() -> Corpus:
    """The shipped sample at 256 px, drawn from another seed than any training corpus."""
    with np.load(SAMPLE, allow_pickle=False) as file:
        data = dict(file)
    files = np.split(data["png"], data["png_ends"][:-1])
    images = np.stack([cv2.imdecode(one, cv2.IMREAD_COLOR)[..., ::-1] for one in files])
    truth = pd.DataFrame(data["truth"], columns=[str(name) for name in data["truth_names"]])
    return Corpus(images, data["masks"], data["alpha"], data["u"], truth)


def save_sample(corpus: Corpus, path: Path) -> None:
    """Write a corpus as ``load_sample`` reads it: without loss, its images as PNG, a third smaller than deflated."""
    files = [cv2.imencode(".png", image[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])[1] for image in corpus.images]
    _write(path, png=np.concatenate(files), png_ends=np.cumsum([len(one) for one in files]), **_columns(corpus))


def _count(path: Path) -> int:
    """How many pairs a shard holds."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return len(file["u"])
    except _DAMAGE as error:
        raise _damaged(path, error) from error


def _read(path: Path) -> Corpus:
    try:
        with np.load(path, allow_pickle=False) as file:
            data = {key: file[key] for key in _KEYS}
    except _DAMAGE as error:
        raise _damaged(path, error) from error
    truth = pd.DataFrame(data["truth"], columns=[str(name) for name in data["truth_names"]])
    return Corpus(data["images"], data["masks"], data["alpha"], data["u"], truth)


def _damaged(path: Path, error: Exception) -> ValueError:
    return ValueError(f"{path} is not a whole shard ({error}); delete it and render it again")


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
    cv2.setNumThreads(1)
    save_corpus(render_pairs(shard_vectors(seed, shard), size), path)


def main() -> None:
    """Command line: render a corpus; ``--pairs 192 --seed 20261 --sample`` makes the shipped one."""
    parser = argparse.ArgumentParser(description="Render pairs (u, image) with masks, coverage and truth.")
    parser.add_argument("--pairs", type=int, default=6016, help="rounded up to whole shards of 64")
    parser.add_argument("--size", type=int, default=256, help="pixels")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=None, help="folder; default outputs/corpus_<size>")
    parser.add_argument("--sample", action="store_true", help="write all pairs into the shipped sample as well")
    arguments = parser.parse_args()
    folder = arguments.output or outputs_folder() / f"corpus_{arguments.size}"
    render_corpus(folder, arguments.pairs, arguments.size, arguments.workers, arguments.seed)
    if arguments.sample:
        save_sample(load_corpus(folder, arguments.pairs), SAMPLE)
    print(f"{folder}: {len(load_corpus(folder))} pairs")


if __name__ == "__main__":
    main()
