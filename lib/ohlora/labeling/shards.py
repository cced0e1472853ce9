"""Generated portraits with all their labels, in shards that run side by side on many machines; 240,000 if you like.

A portrait is known by (seed, row): its latent is ``latents(generator, seed, row + 1)[row]``. Tables keep these two
numbers and the labels; the portraits themselves are made again when they are needed.

python -m ohlora.labeling.shards --count 240000 --shards 16 --shard 3 --output outputs/labels/all
python -m ohlora.labeling.shards --count 240000 --shards 16 --merge --output outputs/labels/all
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from ohlora.config import Profile, load_profile
from ohlora.images import shrink_pictures, to_images
from ohlora.labeling.generated_set import MADE_AT_ONCE, weights_of_set, weights_sha256
from ohlora.labeling.labeler import Labeler, load_labeler
from ohlora.labeling.measurements import PROPERTIES

FIRST_SEED = 1_000_000
"""Block b has the seed FIRST_SEED + b: far from the small seeds that trainings, notebooks and tests use."""
COLUMNS = ("seed", "row", *PROPERTIES, *(f"raw_{name}" for name in PROPERTIES), "gender", "quality")
"""seed, row: int64. The rest float32: seven z-scores, the seven raw measurements (NaN: nothing to measure), and the
probabilities that she is a woman and that the portrait is good."""


@dataclass(frozen=True)
class ShardPlan:
    """``count`` portraits in blocks of ``block``, the unit that is resumed; the blocks spread over ``shards``."""

    count: int
    shards: int
    first_seed: int = FIRST_SEED
    block: int = 500

    def __post_init__(self) -> None:
        """Refuse a plan that makes no sense, or empty shards."""
        for name in ("count", "shards", "block"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} is not allowed; it must be at least 1")
        if self.shards > self.blocks:
            raise ValueError(f"shards={self.shards} is not allowed; {self.blocks} blocks make at most as many shards")

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return -(-self.count // self.block)

    def blocks_of(self, shard: int) -> range:
        """The blocks of one shard."""
        if not 0 <= shard < self.shards:
            raise ValueError(f"shard={shard} is not allowed; it must be 0 to {self.shards - 1}")
        return range(self.blocks * shard // self.shards, self.blocks * (shard + 1) // self.shards)

    def portraits_in(self, block: int) -> int:
        """How many portraits a block holds; only the last one may be smaller."""
        return min(self.block, self.count - block * self.block)

    def rows(self, shard: int) -> np.ndarray:
        """(seed, row) of every portrait of a shard, int64 (n, 2)."""
        pairs = [(self.first_seed + b, row) for b in self.blocks_of(shard) for row in range(self.portraits_in(b))]
        return np.array(pairs, dtype=np.int64)

    def path(self, folder: Path, shard: int) -> Path:
        """The file of one shard's table."""
        return Path(folder) / f"shard_{shard:04d}_of_{self.shards:04d}.npz"


def label_portraits(generator: Any, labeler: Labeler, seed: int, count: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Generate the first ``count`` portraits of a seed and label them at full size, few at a time.

    Returns:
        Their table, with COLUMNS, and the pictures, uint8 (count, size, size, 3).
    """
    tables, pictures = [], []
    for part in latents(generator, seed, count).split(MADE_AT_ONCE):
        made = generator.pictures(part)
        images = to_images(made)
        raw = labeler.measure_raw(images)
        tables.append(torch.cat([labeler.standardisation.z_scores(raw), raw], dim=1).numpy())
        tables[-1] = np.column_stack([tables[-1], labeler.gender(images), labeler.quality(images)])
        pictures.append(made)
    table = pd.DataFrame(np.concatenate(tables), columns=list(COLUMNS[2:]), dtype=np.float32)
    table.insert(0, "seed", np.full(count, seed, dtype=np.int64))
    table.insert(1, "row", np.arange(count, dtype=np.int64))
    return table, np.concatenate(pictures)


def label_shard(profile: Profile | str, plan: ShardPlan, shard: int, folder: Path, pictures: int = 0) -> Path:
    """Make one shard; one that was interrupted goes on after its last whole block.

    Args:
        folder: of the tables. pictures: side in pixels at which the portraits are kept too, as
            ``pictures_<seed>.npy``, uint8 (n, side, side, 3), a file a block; 0 keeps none.

    Raises:
        ValueError: blocks in the folder that other weights made.
    """
    from ohlora.stylegan import load_generator

    profile, folder = load_profile(profile), Path(folder)
    path, weights = plan.path(folder, shard), labelling_weights(profile)
    blocks = {plan.first_seed + block: plan.portraits_in(block) for block in plan.blocks_of(shard)}
    parts = {seed: folder / "blocks" / f"block_{seed}_{count}.npz" for seed, count in blocks.items()}
    if path.exists() and np.array_equal(read_table(path, weights)[["seed", "row"]], plan.rows(shard)):
        return path
    for part in parts.values():
        if part.exists():
            read_table(part, weights)  # refused now, not after hours
    kept = {seed: folder / f"pictures_{seed}.npy" for seed in parts}
    missing = [seed for seed in parts if not parts[seed].exists() or (pictures and not kept[seed].exists())]
    generator, labeler = (load_generator(profile), load_labeler(profile)) if missing else (None, None)
    for seed in tqdm(missing, desc=f"shard {shard}", unit="block", disable=None, file=sys.stderr):
        table, made = label_portraits(generator, labeler, seed, blocks[seed])
        if pictures:
            small = shrink_pictures(made, pictures)
            write_whole(kept[seed], lambda file, small=small: np.save(file, small))
        write_table(parts[seed], table, weights)
    write_table(path, pd.concat([read_table(part, weights) for part in parts.values()], ignore_index=True), weights)
    for part in parts.values():
        part.unlink()
    return path


def merge_shards(profile: Profile | str, plan: ShardPlan, folder: Path) -> Path:
    """Join all shards of a plan, in order, into ``labels.npz``.

    Raises:
        ValueError: a shard is not there, has other portraits than the plan says, or comes from other weights.
    """
    weights, tables = labelling_weights(load_profile(profile)), []
    paths = [plan.path(folder, shard) for shard in range(plan.shards)]
    absent = [path.name for path in paths if not path.exists()]
    if absent:
        raise ValueError(f"output={str(folder)!r} lacks {', '.join(absent)}; make these shards first")
    for shard, path in enumerate(paths):
        tables.append(read_table(path, weights))
        if not np.array_equal(tables[-1][["seed", "row"]], plan.rows(shard)):
            raise ValueError(f"{path} holds {len(tables[-1])} portraits of another plan; delete it and make it again")
    return write_table(Path(folder) / "labels.npz", pd.concat(tables, ignore_index=True), weights)


def labelling_weights(profile: Profile) -> dict[str, str]:
    """sha256 of the weights that generate and label, by what they do; a face parser of the hub by its name."""
    generator, segmentation = weights_of_set(profile)
    section = profile.labeling
    others = {name: weights_sha256(getattr(section, name)) for name in ("gender", "quality", "standardisation")}
    return {"generator": generator, "segmentation": segmentation, **others}


def latents(generator: Any, seed: int, count: int) -> torch.Tensor:
    """The first ``count`` latents of a seed, float32 (count, z_dim): the same ones whatever ``count`` is.

    torch draws normal numbers sixteen at a time, so that only whole sixteens of latents begin alike.
    """
    return generator.sample_z(-(-count // 16) * 16, seed)[:count]


def latents_of(generator: Any, table: pd.DataFrame) -> torch.Tensor:
    """Latents of the rows of a table, float32 (n, z_dim), in its order: ``generator.pictures`` shows them again."""
    found = torch.empty(len(table), generator.z_dim)
    for seed, rows in table.reset_index(drop=True).groupby("seed")["row"]:
        places, chosen = (torch.tensor(part.to_list()) for part in (rows.index, rows))
        found[places] = latents(generator, int(seed), int(rows.max()) + 1).cpu()[chosen]
    return found


def write_table(path: Path, table: pd.DataFrame, weights: dict[str, str]) -> Path:
    """Write a table with COLUMNS as npz (a name, an array), whole or not at all."""
    columns = {name: table[name].to_numpy() for name in COLUMNS}
    return write_whole(path, lambda file: np.savez_compressed(file, weights=json.dumps(weights), **columns))


def read_table(path: Path, weights: dict[str, str] | None = None) -> pd.DataFrame:
    """Read what ``write_table`` wrote; ``table.attrs["weights"]`` says what made it.

    Raises:
        ValueError: damaged, or made by other weights than the ones given.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            table = pd.DataFrame({name: file[name] for name in COLUMNS})
            table.attrs["weights"] = json.loads(str(file["weights"]))
    except (KeyError, EOFError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not a whole table ({error}); delete it and make it again") from error
    if weights is not None and table.attrs["weights"] != weights:
        raise ValueError(f"{path} comes from other weights than the present ones; delete it or choose another folder")
    return table


def write_whole(path: Path, write: Any) -> Path:
    """Call ``write(file)`` on a temporary file beside ``path``, then give it its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        write(file)
    os.replace(temporary, path)
    return path


def main() -> None:
    """Make one shard (--shard), or join all of them (--merge)."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--profile", default="embedded")
    parser.add_argument("--count", type=int, default=240_000, help="portraits in all shards together")
    parser.add_argument("--shards", type=int, default=16)
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--block", type=int, default=500, help="portraits between two writings")
    parser.add_argument("--pictures", type=int, default=0, help="keep the portraits at this side in pixels; 0: none")
    parser.add_argument("--output", type=Path, required=True, help="folder")
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--shard", type=int, help="from 0")
    action.add_argument("--merge", action="store_true")
    arguments = parser.parse_args()
    try:
        plan = ShardPlan(arguments.count, arguments.shards, arguments.first_seed, arguments.block)
        if arguments.merge:
            path = merge_shards(arguments.profile, plan, arguments.output)
        else:
            path = label_shard(arguments.profile, plan, arguments.shard, arguments.output, arguments.pictures)
    except ValueError as error:
        sys.exit(str(error))
    table = read_table(path)
    kept = ((table.gender > 0.5) & (table.quality > 0.5)).mean()
    print(f"{path}: {len(table)} portraits, {kept:.1%} pass both filters")


if __name__ == "__main__":
    main()
