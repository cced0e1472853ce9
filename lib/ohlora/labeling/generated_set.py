"""Thousands of generated portraits, measured as they are made. What counts is their seed and their numbers; the
pictures stay in a cache beside them until training is over, and are generated again when the cache is gone.

python -m ohlora.labeling.generated_set --count 10000 --workers 2
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from ohlora.config import Profile, load_profile, outputs_folder
from ohlora.images import shrink_pictures, to_images
from ohlora.labeling.measurements import measure
from ohlora.labeling.segmentation import class_probabilities, load_segmentation
from ohlora.weights import locate_weights

CACHED_SIZE = 128
"""Pixels of a side of the cached training pictures: the classifiers and the regressor look at no more. Portraits are
measured at segmentation.MEASURED_SIZE before they are made so small."""
MADE_AT_ONCE = 64
"""Portraits that are in memory at their full size, so that 10,000 need no more than 64."""


@dataclass(frozen=True)
class GeneratedSet:
    """What is known about ``count`` generated portraits; portrait i is that of ``sample_z(count, seed)[i]``.

    raw: seven raw measurements, float32 (count, 7). woman: truth of the paired parameters, 0 … 1, float32 (count,).
    seed: of the latents. generator, segmentation: sha256 of the weights that made and that measured them.
    """

    raw: torch.Tensor
    woman: np.ndarray
    seed: int
    generator: str
    segmentation: str

    def save(self, path: Path) -> None:
        """Write as npz (no pickles), whole or not at all."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp.npz")
        np.savez(temporary, **{**vars(self), "raw": self.raw.numpy()})
        os.replace(temporary, path)

    @classmethod
    def load(cls, path: Path) -> GeneratedSet:
        """Read what ``save`` wrote."""
        with np.load(path, allow_pickle=False) as file:
            hashes = (str(file["generator"]), str(file["segmentation"]))
            return cls(torch.from_numpy(file["raw"]), file["woman"], int(file["seed"]), *hashes)

    def is_current(self, profile: Profile) -> bool:
        """Whether the profile's generator and segmentation network are those of this set."""
        return (self.generator, self.segmentation) == weights_of_set(profile)


def find_generated(profile: Profile) -> GeneratedSet | None:
    """The measured set under outputs/, or None where there is none of the profile's present weights."""
    try:
        found = GeneratedSet.load(generated_set_path(profile))
    except (OSError, KeyError):  # absent, or written by an earlier version
        return None
    return found if found.is_current(profile) else None


def weights_of_set(profile: Profile) -> tuple[str, str]:
    """sha256 of the weights of the generator and of the segmentation network that would be loaded now.

    A face parser from the hub is known by its name there.
    """

    section = profile.labeling
    return weights_sha256(profile.stylegan.weights), (
        section.segmentation if section.source == "hub" else weights_sha256(section.segmentation)
    )


def weights_sha256(name: str) -> str:
    """sha256 of the weights ``name`` that would be loaded now, as its card has it."""
    return json.loads(locate_weights(name).with_suffix(".json").read_text("utf-8"))["sha256"]


def generated_set_path(profile: Profile | str = "embedded") -> Path:
    """Where the measured set of a profile lies, under outputs/."""
    return outputs_folder() / "labeling" / f"generated_{load_profile(profile).portraits.size}.npz"


def gender_truth(generator: Any, z: torch.Tensor) -> np.ndarray:
    """Gender (0 man … 1 woman) of the rendered portraits that the latents z are paired with, float32 (n,)."""
    from ohlora.portraits import PortraitParams

    u = np.asarray(generator.z_to_u(z))
    return np.array([PortraitParams.from_vector(row).gender for row in u], dtype=np.float32)


def pictures_path(profile: Profile) -> Path:
    """Cache of the set's pictures: uint8 (count, CACHED_SIZE, CACHED_SIZE, 3) as .npy, half a gigabyte for 10,000."""
    return generated_set_path(profile).with_name(f"pictures_{profile.portraits.size}.npy")


def small_pictures(generator: Any, z: torch.Tensor) -> np.ndarray:
    """Portraits of latents z (n, z_dim) as they are cached: uint8 (n, s, s, 3), s at most CACHED_SIZE."""
    return generator.pictures(z, size=min(CACHED_SIZE, generator.size))


def measured_pictures(generator: Any, network: nn.Module, z: torch.Tensor) -> tuple[np.ndarray, torch.Tensor]:
    """Portraits of latents z (n, z_dim), measured at full size and then made small.

    Returns:
        Pictures uint8 (n, s, s, 3), s at most CACHED_SIZE, and raw measurements float32 (n, 7).
    """
    small, raw = [], []
    for part in z.split(MADE_AT_ONCE):
        pictures = generator.pictures(part)
        raw += [measure(*pair).cpu() for pair in class_probabilities(network, to_images(pictures))]
        small.append(shrink_pictures(pictures, CACHED_SIZE))
    return np.concatenate(small), torch.cat(raw)


def measure_part(profile: Profile, count: int, seed: int, start: int, stop: int) -> torch.Tensor:
    """Generate and measure a slice of ``count`` portraits, in a worker; returns raw (stop - start, 7).

    They are measured at full size; smaller ones go into their rows of the cache.
    """
    from ohlora.stylegan import load_generator

    generator, network = load_generator(profile), load_segmentation(profile)
    z = generator.sample_z(count, seed)
    cache = np.load(pictures_path(profile), mmap_mode="r+")
    cache[start:stop], raw = measured_pictures(generator, network, z[start:stop])
    return raw


def set_pictures(profile: Profile, generator: Any, found: GeneratedSet, first: int | None = None) -> np.ndarray:
    """The set's pictures, or only the ``first`` so many, from the cache or made again; uint8 (n, size, size, 3)."""
    path = pictures_path(profile)
    if path.exists():
        cached = np.load(path, mmap_mode="c")  # copy on write: the file stays as it is
        if len(cached) == len(found.raw):
            return cached[:first]
    return small_pictures(generator, generator.sample_z(len(found.raw), found.seed)[:first])


def in_parts(work: Any, profile: Profile, count: int, seed: int, workers: int, title: str) -> list[Any]:
    """``work(profile, count, seed, start, stop)`` over slices of 500, in ``workers`` processes of one thread each."""
    slices = [(start, min(start + 500, count)) for start in range(0, count, 500)]
    bar = {"total": len(slices), "disable": None, "file": sys.stderr, "desc": title}
    if workers <= 1:
        return [work(profile, count, seed, *part) for part in tqdm(slices, **bar)]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawn, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        futures = [pool.submit(work, profile, count, seed, *part) for part in slices]
        return [future.result() for future in tqdm(futures, **bar)]


def measure_generated(
    profile: Profile | str = "embedded", count: int = 10_000, seed: int = 0, workers: int = 1
) -> GeneratedSet:
    """Generate ``count`` portraits (z ~ N(0, I), no truncation, none left out) and measure each.

    Their pictures are cached (pictures_path) for the trainings that follow.
    """
    from ohlora.stylegan import load_generator

    profile = load_profile(profile)
    path = pictures_path(profile)
    path.parent.mkdir(parents=True, exist_ok=True)
    size = min(CACHED_SIZE, profile.portraits.size)
    np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(count, size, size, 3)).flush()
    raw = torch.cat(in_parts(measure_part, profile, count, seed, workers, "measure"))
    generator = load_generator(profile)
    woman = gender_truth(generator, generator.sample_z(count, seed))
    return GeneratedSet(raw, woman, seed, *weights_of_set(profile))


def main() -> None:
    """Generate and measure; writes outputs/labeling/generated_<size>.npz."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--profile", default="embedded")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    found = measure_generated(arguments.profile, arguments.count, arguments.seed, arguments.workers)
    path = generated_set_path(arguments.profile)
    found.save(path)
    print(path, "share of women", round(float((found.woman > 0.5).mean()), 3))


if __name__ == "__main__":
    main()
