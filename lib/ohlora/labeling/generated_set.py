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
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from ohlora.config import Profile, device, load_profile, outputs_folder
from ohlora.labeling.measurements import measure
from ohlora.labeling.segmentation import class_probabilities, half_precision, load_segmentation, to_images
from ohlora.weights import locate_weights


@dataclass(frozen=True)
class GeneratedSet:
    """What is known about ``count`` generated portraits; portrait i is ``generate_pictures(…, count, seed)[i]``.

    raw: seven raw measurements, float32 (count, 7). woman: truth of the paired parameters, 0 … 1, float32 (count,).
    seed: of the latents. generator: sha256 of the weights that made them.
    """

    raw: torch.Tensor
    woman: np.ndarray
    seed: int
    generator: str

    def save(self, path: Path) -> None:
        """Write as npz (no pickles), whole or not at all."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp.npz")
        np.savez(temporary, raw=self.raw.numpy(), woman=self.woman, seed=self.seed, generator=self.generator)
        os.replace(temporary, path)

    @classmethod
    def load(cls, path: Path) -> GeneratedSet:
        """Read what ``save`` wrote."""
        with np.load(path, allow_pickle=False) as file:
            return cls(torch.from_numpy(file["raw"]), file["woman"], int(file["seed"]), str(file["generator"]))


def generated_set_path(profile: Profile | str = "embedded") -> Path:
    """Where the measured set of a profile lies, under outputs/."""
    return outputs_folder() / "labeling" / f"generated_{load_profile(profile).portraits.size}.npz"


@torch.inference_mode()
def generate_batches(generator: Any, z: torch.Tensor, batch: int = 16) -> Iterator[torch.Tensor]:
    """Float images (b, 3, size, size) in [-1, 1] of latents z (n, z_dim), batch by batch, on the CPU; no truncation."""
    for chunk in z.split(batch):
        w = generator.mapping(chunk.to(device()))
        with half_precision():
            images = generator.synthesis(w)
        yield as_stored(images.float().clamp(-1, 1).cpu())


def generate_pictures(generator: Any, z: torch.Tensor) -> np.ndarray:
    """uint8 (n, size, size, 3) of latents z (n, z_dim): a quarter of the memory of floats."""
    pictures = np.empty((len(z), generator.size, generator.size, 3), dtype=np.uint8)
    row = 0
    for images in tqdm(generate_batches(generator, z), total=-(-len(z) // 16), disable=None, file=sys.stderr):
        pictures[row : row + len(images)] = (images.permute(0, 2, 3, 1).numpy() * 127.5 + 127.5).round()
        row += len(images)
    return pictures


def gender_truth(generator: Any, z: torch.Tensor) -> np.ndarray:
    """Gender (0 man … 1 woman) of the rendered portraits that the latents z are paired with, float32 (n,)."""
    from ohlora.portraits import PortraitParams

    u = np.asarray(generator.z_to_u(z))
    return np.array([PortraitParams.from_vector(row).gender for row in u], dtype=np.float32)


def pictures_path(profile: Profile) -> Path:
    """Cache of the set's pictures: uint8 (count, size, size, 3) as .npy, half a gigabyte for 10,000 of 128 px."""
    return generated_set_path(profile).with_name(f"pictures_{profile.portraits.size}.npy")


def measure_part(profile: Profile, count: int, seed: int, start: int, stop: int) -> torch.Tensor:
    """Generate and measure a slice of ``count`` portraits, in a worker; returns raw (stop - start, 7).

    The pictures go into their rows of the cache.
    """
    from ohlora.stylegan import load_generator

    generator, network = load_generator(profile), load_segmentation(profile)
    pictures = generate_pictures(generator, generator.sample_z(count, seed)[start:stop])
    np.load(pictures_path(profile), mmap_mode="r+")[start:stop] = pictures
    return torch.cat([measure(*pair).cpu() for pair in class_probabilities(network, to_images(pictures))])


def set_pictures(profile: Profile, generator: Any, found: GeneratedSet, first: int | None = None) -> np.ndarray:
    """The set's pictures, or only the ``first`` so many, from the cache or made again; uint8 (n, size, size, 3)."""
    path = pictures_path(profile)
    if path.exists():
        cached = np.load(path, mmap_mode="c")  # copy on write: the file stays as it is
        if len(cached) == len(found.raw):
            return cached[:first]
    return generate_pictures(generator, generator.sample_z(len(found.raw), found.seed)[:first])


def as_stored(images: torch.Tensor) -> torch.Tensor:
    """Round to the 256 levels of a picture, so that measuring now or from a file gives the same."""
    return (images * 127.5 + 127.5).round() / 127.5 - 1


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
    size = profile.portraits.size
    np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(count, size, size, 3)).flush()
    raw = torch.cat(in_parts(measure_part, profile, count, seed, workers, "measure"))
    generator = load_generator(profile)
    woman = gender_truth(generator, generator.sample_z(count, seed))
    return GeneratedSet(raw, woman, seed, generator_hash(profile))


def generator_hash(profile: Profile) -> str:
    """sha256 of the weights that load_generator reads now."""
    return json.loads(locate_weights(profile.stylegan.weights).with_suffix(".json").read_text("utf-8"))["sha256"]


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
