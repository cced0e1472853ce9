"""Training the auto-encoder: ``python -m ohlora.recommend.autoencoder_training`` (see ``--help``)."""

from __future__ import annotations

import argparse
import copy
import json
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch.nn import functional as F
from tqdm import tqdm

from ohlora.config import Profile, device, half_precision, load_profile, outputs_folder, seed_everything
from ohlora.portraits.parameters import VECTOR_NAMES, mirror
from ohlora.recommend.autoencoder import SIZE, AutoEncoder, as_tensor, read_autoencoder
from ohlora.recommend.recommender import generator_identity
from ohlora.recommend.visibility import measure_visibility
from ohlora.weights import load_weights, save_weights


def reconstruction_loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean squared error, plus the absolute error of the differences between neighbouring pixels.

    The second term keeps edges (eyes, hair line) that squared error alone blurs away.
    """
    across = (output.diff(dim=3) - target.diff(dim=3)).abs().mean()
    down = (output.diff(dim=2) - target.diff(dim=2)).abs().mean()
    return F.mse_loss(output, target) + 0.1 * (across + down)


TOLD = 32  # numbers of a code that tell a parameter: half of them
TELLING = 0.05  # weight of the squared error of the told parameters beside the reconstruction


@dataclass(frozen=True)
class KnownParameters:
    """What is known of n training portraits, m parameters each, in standard deviations.

    names: (m,). values: float32 (n, m). mirrored: the same of the mirror images. visibility: float (m,), above 0, how
    much each shows; the code holds the parameter times this.
    """

    names: tuple[str, ...]
    values: np.ndarray
    mirrored: np.ndarray
    visibility: np.ndarray

    def __post_init__(self) -> None:
        shape = (len(self.values), len(self.names))
        if self.values.shape != shape or self.mirrored.shape != shape or np.shape(self.visibility) != shape[1:]:
            raise ValueError(
                f"values {self.values.shape}, mirrored {self.mirrored.shape} and visibility "
                f"{np.shape(self.visibility)} of {len(self.names)} names; allowed: (n, m), (n, m) and (m,)"
            )
        if not np.all(np.asarray(self.visibility) > 0):
            raise ValueError(f"visibility={self.visibility}; allowed: above 0")

    @classmethod
    def from_vectors(cls, u: np.ndarray, visibility: pd.Series) -> KnownParameters:
        """The parameters named in ``visibility``, of portraits that were made from vectors u (n, 62)."""
        columns = [VECTOR_NAMES.index(name) for name in visibility.index]
        return cls(tuple(visibility.index), u[:, columns], mirror(u)[:, columns], visibility.to_numpy())


def train_autoencoder(
    images: np.ndarray,
    steps: int = 1500,
    batch: int = 32,
    learning_rate: float = 2e-3,
    dimensions: int = 64,
    seed: int = 0,
    channels: tuple[int, ...] | None = None,
    checkpoint: Path | None = None,
    start_from: AutoEncoder | None = None,
    known: KnownParameters | None = None,
) -> tuple[AutoEncoder, list[float]]:
    """Train on portraits and their mirror images.

    Args:
        images: uint8 (n, size, size, 3).
        steps: optimiser steps; the learning rate falls to zero over them (cosine).
        checkpoint: a .safetensors path; written every 200 steps and continued from when it exists.
        start_from: train this one further, with its dimensions and channels, instead of a new one from PCA.
        known: parameters that the first numbers of the code shall tell; None trains on the pictures alone.

    Returns:
        The auto-encoder, in eval mode, and the loss of each step that was run now.
    """
    if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8 or len(images) == 0:
        raise ValueError(f"images is {images.dtype} {images.shape}; allowed: uint8 (n, size, size, 3), n at least 1")
    told = known.names if known else ()
    if known and len(known.values) != len(images):
        raise ValueError(f"known has {len(known.values)} portraits; allowed: as many as images, {len(images)}")
    if start_from is not None and start_from.told != told:
        raise ValueError(f"start_from tells {start_from.told}, known {told}; allowed: the same names")
    seed_everything(seed)
    place = device()
    if start_from is None:
        model = AutoEncoder(images.shape[1], dimensions, channels, told)
        model.start_from_principal_components(images)
        if known:
            model.scale[: len(told)] = torch.from_numpy(np.asarray(known.visibility, dtype=np.float32))
    else:
        model = copy.deepcopy(start_from)
    model = model.to(place, memory_format=torch.channels_last).train()
    optimizer = torch.optim.Adam(
        (p for p in model.parameters() if p.requires_grad), lr=learning_rate, betas=(0.9, 0.98)
    )
    start = _resume(checkpoint, model, optimizer, place)
    losses = []
    batches = _batches(images, known, batch, seed + start)
    for step in tqdm(range(start, steps), desc="auto-encoder", disable=None, file=sys.stderr):
        warm_up = min(1.0, (step + 1) / 50)
        optimizer.param_groups[0]["lr"] = learning_rate * warm_up * 0.5 * (1 + math.cos(math.pi * step / steps))
        target, parameters = (tensor.to(place) for tensor in next(batches))
        with half_precision():
            output, told_values = model(target.contiguous(memory_format=torch.channels_last))
        loss = reconstruction_loss(output.float(), target)
        if known:
            loss = loss + TELLING * F.mse_loss(told_values.float(), parameters)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if checkpoint and (step + 1) % 200 == 0:
            _save_checkpoint(checkpoint, model, optimizer, step + 1)
    return model.eval(), losses


def _batches(
    images: np.ndarray, known: KnownParameters | None, batch: int, seed: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    generator = np.random.default_rng(seed)
    batch = min(batch, len(images))
    while True:
        order = generator.permutation(len(images))
        for i in range(0, len(order) - batch + 1, batch):
            rows = np.sort(order[i : i + batch])
            chosen, mirrored = as_tensor(images[rows]), torch.from_numpy(generator.random(batch) < 0.5)
            pictures = torch.where(mirrored[:, None, None, None], chosen.flip(3), chosen)
            if known:
                values, flipped = (torch.from_numpy(part[rows]) for part in (known.values, known.mirrored))
                yield pictures, torch.where(mirrored[:, None], flipped, values)
            else:
                yield pictures, torch.empty(batch, 0)


def _save_checkpoint(path: Path, model: AutoEncoder, optimizer: torch.optim.Adam, step: int) -> None:
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    for name, parameter in model.named_parameters():
        for key in ("exp_avg", "exp_avg_sq") if parameter.requires_grad else ():
            tensors[f"{key}.{name}"] = optimizer.state[parameter][key]
    card = {"data": "checkpoint", "seed": None, "command": None, "metrics": {}, "licence": "Apache-2.0", "step": step}
    save_weights(path, tensors, card)


def _resume(path: Path | None, model: AutoEncoder, optimizer: torch.optim.Adam, place: str) -> int:
    if path is None or not path.exists():
        return 0
    tensors, card = load_weights(path)
    model.load_state_dict({name[6:]: tensor for name, tensor in tensors.items() if name.startswith("model.")})
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            moments = {key: tensors[f"{key}.{name}"].to(place) for key in ("exp_avg", "exp_avg_sq")}
            optimizer.state[parameter] = {"step": torch.tensor(float(card["step"])), **moments}
    return card["step"]


def _generated(profile: Profile, number: int, seed: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Pictures and, where the generator pairs latents with them, portrait parameters."""
    from ohlora.stylegan import load_generator

    generator = load_generator(profile)
    z = generator.sample_z(number, seed)
    known = generator.z_to_u(z).cpu().numpy() if _is_paired(profile) else None
    return generator.pictures(z, size=SIZE), known


def _rendered(profile: Profile, limit: int | None) -> tuple[np.ndarray, np.ndarray]:
    from ohlora.portraits.corpus import load_corpus

    corpus = load_corpus(outputs_folder() / profile.portraits.corpus, limit, SIZE)
    return corpus.images, corpus.u


def _is_paired(profile: Profile) -> bool:
    """Whether the generator's latents are paired with portrait parameters; imported generators' are not."""
    from ohlora.stylegan import PortraitGenerator, load_generator

    return isinstance(load_generator(profile), PortraitGenerator)


def _visibility(profile: Profile, told: int, kept: Sequence[str] = ()) -> pd.Series:
    """Of the parameters that show most, or of ``kept``; measured once for a generator, in minutes."""
    path = outputs_folder() / "training" / f"visibility_{generator_identity(profile)}.json"
    if not path.exists():
        from ohlora.stylegan import load_generator

        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(measure_visibility(load_generator(profile)).to_json(indent=1), encoding="utf-8")
    visibility = pd.Series(json.loads(path.read_text(encoding="utf-8")), name="visibility")
    return visibility[list(kept)] if kept else visibility.sort_values(ascending=False, kind="stable")[:told]


def main(arguments: list[str] | None = None) -> None:
    """Command line: gather portraits, train, measure on held-out ones, write weights and card."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--profile", default="embedded")
    parser.add_argument("--rendered", type=int, default=None, help="rendered portraits to use; default: all, 0: none")
    parser.add_argument("--generated", type=int, default=0, help="portraits to generate and add")
    parser.add_argument("--held-out", type=int, default=200, help="of each source, kept for the measurement")
    parser.add_argument("--dimensions", type=int, default=64)
    parser.add_argument(
        "--told",
        type=int,
        default=None,
        help=f"numbers of them that each tell a parameter; default: {TOLD}, or 0 for a generator without parameters",
    )
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--start-from", default=None, help="weight file (name or path) to train further")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=None, help="default: outputs/weights/<name>.safetensors")
    options = parser.parse_args(arguments)
    profile = load_profile(options.profile)
    output = options.output or outputs_folder() / "weights" / f"{profile.recommend.autoencoder}.safetensors"

    sources = {}
    if options.rendered != 0:
        sources["rendered"] = _rendered(profile, options.rendered)
    if options.generated:
        sources["generated"] = _generated(profile, options.generated, seed=1_000_000 + options.seed)
    if not sources:
        parser.error("nothing to train on: give --rendered or --generated")
    for name, (images, _) in sources.items():
        if not 1 <= options.held_out < len(images):
            parser.error(f"--held-out {options.held_out}; allowed: 1 to {len(images) - 1} ({name} portraits less one)")
    training = np.concatenate([images[: -options.held_out] for images, _ in sources.values()])
    known = None
    earlier = load_weights(options.start_from)[1] if options.start_from else {}
    if options.told is None:
        options.told = TOLD if _is_paired(profile) else 0
    if options.told:
        if not _is_paired(profile):
            parser.error(f"--told {options.told}; allowed: 0, this generator has no known parameters")
        vectors = np.concatenate([u[: -options.held_out] for _, u in sources.values()])
        # Weights that go on learning keep what their numbers tell, although another generator may show other things.
        kept = earlier.get("architecture", {}).get("told", ())
        known = KnownParameters.from_vectors(vectors, _visibility(profile, options.told, kept))
    checkpoint = outputs_folder() / "training" / f"{output.stem}.safetensors"  # an interrupted run goes on from here
    model, losses = train_autoencoder(
        training,
        options.steps,
        options.batch,
        options.learning_rate,
        dimensions=options.dimensions,
        seed=options.seed,
        checkpoint=checkpoint,
        start_from=read_autoencoder(options.start_from) if options.start_from else None,
        known=known,
    )
    metrics = {}
    for name, (images, u) in sources.items():
        held_out = images[-options.held_out :]
        codes = model.encode(held_out)
        error = model.decode(codes) - as_tensor(held_out)
        metrics[f"rmse_{name}_held_out"] = {"value": error.square().mean().sqrt().item(), "n": len(held_out)}
        if known:
            true = KnownParameters.from_vectors(u[-options.held_out :], pd.Series(1.0, index=list(known.names))).values
            told = {key: np.corrcoef(codes[:, i], true[:, i])[0, 1] for i, key in enumerate(known.names)}
            metrics[f"r_told_{name}_held_out"] = {key: round(float(r), 3) for key, r in told.items()}
    counts = ", ".join(f"{len(images) - options.held_out} {name}" for name, (images, _) in sources.items())
    card = {
        "data": f"{counts} portraits at {SIZE} px and their mirror images",
        "seed": options.seed,
        "command": "python -m ohlora.recommend.autoencoder_training " + " ".join(arguments or sys.argv[1:]),
        "metrics": {**metrics, "note": "root of the mean squared error, pixels in [-1, 1]"},
        "licence": "Apache-2.0",
        "architecture": {
            "size": model.size,
            "dimensions": model.dimensions,
            "channels": list(model.channels),
            "told": list(model.told),
        },
        "steps": options.steps,
        "last_loss": float(np.mean(losses[-50:])) if losses else None,
        "started from": {key: earlier[key] for key in ("command", "data", "steps", "started from") if key in earlier},
    }
    if known:
        card["visibility"] = dict(zip(known.names, np.round(known.visibility, 4).tolist(), strict=True))
    if "generated" in sources:
        card["generator"] = generator_identity(profile)
    # Half precision: half the size, and no visible change.
    tensors = {name: one.half() if one.is_floating_point() else one for name, one in model.state_dict().items()}
    save_weights(output, tensors, card)
    for leftover in (checkpoint, checkpoint.with_suffix(".json")):
        leftover.unlink(missing_ok=True)
    print(output, metrics)


if __name__ == "__main__":
    main()
