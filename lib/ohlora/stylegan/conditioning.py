"""Make the generator obey seven property values: they are concatenated to z, and only the mapping learns.

    python -m ohlora.stylegan.conditioning --minutes 10

The part of a StyleGAN that receives z is its mapping network. Its first layer is widened by one input per
property (weights zero, so that nothing changes at first) and the mapping network is trained; every
parameter of the synthesis network is frozen. The teacher is a measurer, a differentiable network
images → z-scores, given as an argument: how it is made is the business of chapter 2 (``ohlora.labeling``).
"""

from __future__ import annotations

import argparse
import copy
import importlib
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from ohlora.config import device, load_profile, outputs_folder, seed_everything
from ohlora.stylegan.generator import GeneratorConfig
from ohlora.stylegan.portrait_generator import PortraitGenerator, load_generator, save_generator

PROPERTIES = ("eyes", "hair_color", "hair_length", "mouth", "pose", "background_mean", "background_std")
TRAINED_RANGE = 2.5  # requested z-scores are drawn from N(0, 1) and clipped here

Measurer = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class ConditioningConfig:
    """How the conditioning is trained.

    minutes: budget; steps: if given, the budget is this many steps instead. batch: images a step.
    learning_rate: of Adam, falling to zero along a cosine.
    natural: share of a batch whose request is what its z shows anyway; there w must not move. This is
        what ties the conditioned person to the unconditioned one.
    distance: weight of the mean squared distance between w and the unconditioned w, in units of W's spread:
        the request is to be met by the smallest change, so the person stays.
    average: decay of the moving average of the mapping's weights.
    compile: fuse the frozen synthesis network with torch.compile (needs a C++ compiler).
    """

    minutes: float = 10.0
    steps: int | None = None
    batch: int = 16
    seed: int = 0
    learning_rate: float = 2e-3
    natural: float = 0.25
    distance: float = 0.01
    average: float = 0.98
    compile: bool = False


def widen(generator: PortraitGenerator, properties: tuple[str, ...] = PROPERTIES) -> PortraitGenerator:
    """A conditioned generator that makes the same images as ``generator``, whatever is requested.

    Its synthesis network is frozen; its mapping network has new inputs, with weight zero, after z's.
    """
    if generator.properties:
        raise ValueError(f"generator already obeys {list(generator.properties)}; allowed: an unconditioned one")
    config = GeneratorConfig(**{**asdict(generator.config), "properties": tuple(properties)})
    widened = PortraitGenerator(config).to(generator.rotation.device)
    tensors = {name: tensor.clone() for name, tensor in generator.state_dict().items()}
    first = tensors["mapping.layers.0.weight"]
    tensors["mapping.layers.0.weight"] = torch.cat([first, first.new_zeros(len(first), len(properties))], dim=1)
    widened.load_state_dict(tensors, strict=False)  # all but natural_properties, which start at zero
    widened.synthesis.requires_grad_(False)
    return widened


@torch.no_grad()
def fit_natural_properties(
    conditioned: PortraitGenerator, generator: PortraitGenerator, measurer: Measurer, n: int = 768, seed: int = 1
) -> None:
    """Store the linear estimate z → what z shows, so that properties=None means "as you are"."""
    z = generator.sample_z(n, seed)
    values = torch.cat([measurer(generator.generate(part)) for part in z.split(64)])
    with_one = torch.cat([z, z.new_ones(n, 1)], dim=1)
    ridge = with_one.t() @ with_one + torch.eye(with_one.shape[1], device=z.device)
    solution = torch.linalg.solve(ridge, with_one.t() @ values)
    conditioned.mapping.natural_properties.weight.copy_(solution[:-1].t())
    conditioned.mapping.natural_properties.bias.copy_(solution[-1])


def train_conditioning(
    generator: PortraitGenerator,
    measurer: Measurer,
    config: ConditioningConfig | None = None,
    on_step: Callable[[dict[str, float]], None] | None = None,
) -> PortraitGenerator:
    """Train the mapping network of a widened copy of ``generator``.

    Args:
        generator: unconditioned; it is not changed.
        measurer: images float32 (n, 3, size, size) in [-1, 1] → z-scores (n, 7) in the order of PROPERTIES,
            differentiable.
        on_step: gets the losses of each step.

    Returns:
        The conditioned generator, in evaluation mode. Its synthesis parameters are those of ``generator``, bit by bit.
    """
    config = config or ConditioningConfig()
    seed_everything(config.seed)
    conditioned = widen(generator)
    fit_natural_properties(conditioned, generator, measurer)
    averaged = copy.deepcopy(conditioned.mapping)
    learned = list(conditioned.mapping.layers.parameters())
    optimizer = torch.optim.Adam(learned, lr=config.learning_rate, betas=(0.9, 0.99))
    with torch.no_grad():
        spread = generator.mapping(generator.sample_z(2048, seed=2)).var(dim=0).mean()
    place = generator.rotation.device
    natural_rows = round(config.batch * config.natural)
    synthesis = torch.compile(conditioned.synthesis, dynamic=False) if config.compile else conditioned.synthesis

    start, step, done = time.monotonic(), 0, 0.0
    bar = tqdm(total=100, unit="%", disable=None)
    while done < 1.0:
        dice = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
        z = torch.randn(config.batch, generator.z_dim, generator=dice).to(place)
        wanted = torch.randn(config.batch, len(PROPERTIES), generator=dice).to(place)
        with torch.no_grad(), torch.autocast(place.type, torch.bfloat16):
            w_before = generator.mapping(z)
            wanted[:natural_rows] = measurer(generator.synthesis(w_before[:natural_rows]).clamp(-1, 1)).float()
        wanted = wanted.clamp(-TRAINED_RANGE, TRAINED_RANGE)

        w = conditioned.mapping(z, wanted)
        with torch.autocast(place.type, torch.bfloat16):
            images = synthesis(w)
        shown = measurer(images.clamp(-1, 1)).float()
        moved = (w - w_before).square().mean(dim=1) / spread
        obeyed = F.smooth_l1_loss(shown, wanted, beta=0.5)
        # ten times as strict where the request is what she shows already
        kept = moved[natural_rows:].mean() + 10.0 * moved[:natural_rows].sum() / max(natural_rows, 1)
        loss = obeyed + config.distance * kept

        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * min(1.0, (step + 1) / 50) * (0.5 + 0.5 * math.cos(math.pi * done))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        decay = min(config.average, (1 + step) / (10 + step))
        with torch.no_grad():
            for slow, fast in zip(averaged.parameters(), conditioned.mapping.parameters(), strict=True):
                slow.lerp_(fast, 1.0 - decay)

        step += 1
        elapsed = (time.monotonic() - start) / 60
        done = step / config.steps if config.steps is not None else elapsed / config.minutes
        row = {"step": step, "minutes": elapsed, "obeyed": obeyed.item(), "moved": moved.mean().item()}
        bar.update(int(100 * min(done, 1.0)) - bar.n)
        bar.set_postfix(obeyed=f"{row['obeyed']:.3f}", moved=f"{row['moved']:.3f}")
        if on_step is not None:
            on_step(row)
    bar.close()
    conditioned.mapping = averaged
    # The centre of W moved with the mapping.
    conditioned.update_w_mean()
    return conditioned.eval().requires_grad_(False)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", default="embedded")
    parser.add_argument("--minutes", type=float, default=ConditioningConfig.minutes)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=None, help="default: outputs/weights/<name in the profile>")
    parser.add_argument("--compile", action="store_true", help="needs a C++ compiler; faster on a CPU")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument(
        "--measurer", default="ohlora.labeling:load_regressor", help="module:function(profile) → network"
    )
    arguments = parser.parse_args()
    if arguments.threads is not None:
        torch.set_num_threads(arguments.threads)
    profile = load_profile(arguments.profile)
    output = arguments.output or outputs_folder() / "weights" / f"{profile.stylegan.conditioned}.safetensors"
    module, function = arguments.measurer.split(":")
    # By name: this chapter comes before the one that makes measurers, and must not import it.
    measurer = getattr(importlib.import_module(module), function)(profile).to(device())
    generator = load_generator(profile).to(device())
    config = ConditioningConfig(minutes=arguments.minutes, seed=arguments.seed, compile=arguments.compile)
    history: list[dict[str, float]] = []
    conditioned = train_conditioning(generator, measurer, config, history.append)
    last = history[-50:]
    metrics = {
        "training_loss_last_50": round(sum(row["obeyed"] for row in last) / len(last), 4),
        "steps": len(history),
        "images_seen": len(history) * config.batch,
        "minutes": round(history[-1]["minutes"], 2),
    }
    print(json.dumps(metrics))
    card = {
        "data": f"latents of {profile.stylegan.weights}, measured by {arguments.measurer}",
        "seed": config.seed,
        "command": f"python -m ohlora.stylegan.conditioning --minutes {config.minutes:g}",
        "metrics": metrics,
        "licence": "Apache-2.0",
        "config": asdict(config),
        "history": [
            {key: round(value, 4) for key, value in row.items()} for row in history[:: max(1, len(history) // 150)]
        ],
    }
    save_generator(conditioned, output, card)


if __name__ == "__main__":
    main()
