"""Make the generator obey seven property values; only the part that receives them learns.

    python -m ohlora.stylegan.conditioning --compile
    python -m ohlora.stylegan.conditioning --compile --variant per_layer

The part of a StyleGAN that receives z is its mapping network. Variant "concatenated": its first layer is widened by one
input per property (weights zero, so that nothing changes at first) and the mapping network is trained. Variant
"per_layer": the mapping network is frozen, too, and a second small network, that takes z and the values, adds to w what
each layer needs. Every parameter of the synthesis network is frozen in both.

Two teachers. First the pairs (:mod:`ohlora.stylegan.paired_requests`): for a latent and a request they know the latent
of the same person obeying, so w has a right answer, and thousands of lessons need no image. Then a measurer, a
differentiable network images → z-scores, that is given as an argument (how it is made is the business of chapter 2,
``ohlora.labeling``): it corrects what the portraits really show, while the pairs keep the person the same.
"""

from __future__ import annotations

import argparse
import copy
import importlib
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from ohlora.config import device, half_precision, load_profile, outputs_folder, seed_everything
from ohlora.stylegan.generator import CONDITIONINGS, PropertyEstimate
from ohlora.stylegan.paired_requests import PROPERTIES, as_woman, fit_estimate, mirrored, obeying
from ohlora.stylegan.portrait_generator import U_DIM, PortraitGenerator, load_generator, save_generator

TRAINED_RANGE = 2.5  # requested z-scores are drawn from N(0, 1) and clipped here

Measurer = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class ConditioningConfig:
    """How the conditioning is trained.

    variant: where the values enter, see GeneratorConfig.conditioning.
    minutes: budget of the training on images; steps: if given, the budget is this many steps instead.
    batch: images a step. learning_rate: of Adam, falling to zero along a cosine.
    measured: portraits that are drawn and measured first, to learn which parameters make which values. Their mirror
        images measure the same, but for the pose's sign, and count as well.
    lessons: steps before that, on latents only, 256 at a time, from a bank of ``answers`` requests with their answers:
        minutes of one core, and worth more than as many on images.
    faithful: weight of the mean squared distance between w and the pairs' answer, in units of W's spread: what keeps
        the person, and everything that nobody asked to change.
    size: pixels of the images that training looks at, a level of the generator: its RGB layers add up to a picture
        at every level, and one of 128 px costs two fifths of one of 256. None: the full size.
    full_size: share of the budget, at its end, that looks at the full size again, so that what the last levels add
        is obeyed, too.
    average: decay of the moving average of the trained weights.
    compile: fuse the frozen synthesis network with torch.compile (needs a C++ compiler).
    """

    variant: str = "concatenated"
    minutes: float = 21.5
    steps: int | None = None
    batch: int = 16
    seed: int = 0
    learning_rate: float = 4e-4
    measured: int = 4000
    lessons: int = 20000
    answers: int = 49152
    faithful: float = 0.5
    size: int | None = 128
    full_size: float = 0.25
    average: float = 0.98
    compile: bool = False


def widen(generator: PortraitGenerator, variant: str = "concatenated") -> PortraitGenerator:
    """A conditioned generator that makes the same images as ``generator``, whatever is requested.

    Only what receives the values can be trained: everything else is frozen.
    """
    if not isinstance(generator, PortraitGenerator):
        raise ValueError("generator is an imported one; allowed: one that was trained on renders")
    if generator.properties:
        raise ValueError(f"generator already obeys {list(generator.properties)}; allowed: an unconditioned one")
    config = replace(generator.config, properties=PROPERTIES, conditioning=variant)
    widened = PortraitGenerator(config).to(generator.rotation.device)
    tensors = {name: tensor.clone() for name, tensor in generator.state_dict().items()}
    if variant == "concatenated":
        first = tensors["mapping.layers.0.weight"]
        tensors["mapping.layers.0.weight"] = torch.cat([first, first.new_zeros(len(first), len(PROPERTIES))], dim=1)
    widened.load_state_dict(tensors, strict=False)  # all but what is new, which adds zero
    widened.requires_grad_(False)
    (widened.mapping.layers if variant == "concatenated" else widened.mapping.offsets).requires_grad_(True)
    return widened


class PairedTeacher:
    """Who a latent is paired with, what she would measure, and who she would be if she obeyed.

    Everybody counts as the woman most like her (as_woman): the conditioned generator draws women only.

    Args:
        generator: the unconditioned one, with its pairing.
        measurer: see train_conditioning. count: portraits to measure. size: of these portraits.

    Attributes:
        error: mean absolute error of the estimate (z-units) on the tenth of the portraits that it did not learn from.
    """

    def __init__(
        self, generator: PortraitGenerator, measurer: Measurer, count: int, size: int | None, seed: int = 1
    ) -> None:
        self.generator = generator
        z = generator.sample_z(count, seed)
        u, extra = self._person(z)
        measured = []
        with torch.no_grad():
            w = generator.mapping(generator.u_to_z(u, extra))
            for part in tqdm(w.split(16), desc="measuring", disable=None, leave=False):
                with half_precision():
                    measured.append(measurer(generator.synthesis(part, size).clamp(-1, 1)).float())
        shown, unseen = torch.cat(measured), count // 10
        flipped = shown[:-unseen].clone()
        flipped[:, PROPERTIES.index("pose")] *= -1
        u, shown = torch.cat([mirrored(u[:-unseen]), u]), torch.cat([flipped, shown])
        self.estimate = PropertyEstimate(U_DIM, len(PROPERTIES)).to(z.device)
        self.error = fit_estimate(self.estimate, u, shown, unseen, seed=seed)

    def natural(self, z: Tensor) -> Tensor:
        """z-scores (n, 7) that the latents' portraits are thought to show."""
        return self.estimate(self._person(z)[0]).clamp(-TRAINED_RANGE, TRAINED_RANGE)

    def requests(self, z: Tensor, dice: torch.Generator) -> Tensor:
        """Requests (n, 7) to learn from: of each row a random share is asked to change, the rest to stay."""
        wanted = torch.randn(len(z), len(PROPERTIES), generator=dice).clamp(-TRAINED_RANGE, TRAINED_RANGE)
        asked = torch.rand(len(z), len(PROPERTIES), generator=dice) < torch.rand(len(z), 1, generator=dice)
        return torch.where(asked.to(z.device), wanted.to(z.device), self.natural(z))

    @torch.no_grad()
    def answer(self, z: Tensor, requested: Tensor) -> Tensor:
        """w (n, w_dim) of the same person, obeying."""
        u, extra = self._person(z)
        return self.generator.mapping(self.generator.u_to_z(obeying(u, requested, self.estimate), extra))

    def _person(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Her u, as a woman, and the rest of z that no parameter is paired with."""
        parts = z @ self.generator.rotation.t()
        return as_woman(parts[:, :U_DIM]), parts[:, U_DIM:]


def learn_from_pairs(conditioned: PortraitGenerator, teacher: PairedTeacher, config: ConditioningConfig) -> float:
    """Copy the teacher's answers, without images; returns the mean squared distance at the end, in W's spread."""
    dice = torch.Generator().manual_seed(config.seed)
    z = torch.randn(config.answers, conditioned.z_dim, generator=dice).to(conditioned.rotation.device)
    natural = PropertyEstimate(conditioned.z_dim, len(PROPERTIES)).to(z.device)
    fit_estimate(natural, z, teacher.natural(z), len(z) // 10, seed=config.seed)
    conditioned.mapping.natural_properties.load_state_dict(natural.state_dict())
    if not config.lessons:
        return math.nan
    requested = teacher.requests(z, dice)
    pairs = zip(z.split(256), requested.split(256), strict=True)
    answers = [teacher.answer(*pair) for pair in tqdm(list(pairs), desc="answers", disable=None, leave=False)]
    wanted = torch.cat(answers)
    spread = wanted.var(dim=0).mean()
    optimizer = torch.optim.Adam(_trained(conditioned), lr=2e-3, betas=(0.9, 0.99))
    for step in tqdm(range(config.lessons), desc="lessons", disable=None, leave=False):
        rows = torch.randint(len(z), (256,), generator=dice).to(z.device)
        optimizer.param_groups[0]["lr"] = 2e-3 * (0.5 + 0.5 * math.cos(math.pi * step / config.lessons))
        loss = _distance(conditioned.mapping(z[rows], requested[rows]), wanted[rows]).mean() / spread
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    return loss.item()


def train_conditioning(
    generator: PortraitGenerator,
    measurer: Measurer,
    config: ConditioningConfig | None = None,
    on_step: Callable[[dict[str, float]], None] | None = None,
) -> PortraitGenerator:
    """Train what receives the values in a widened copy of ``generator``.

    Args:
        generator: unconditioned; it is not changed.
        measurer: images float32 (n, 3, s, s) in [-1, 1], of the full size and of ``config.size`` → z-scores (n, 7)
            in the order of PROPERTIES, differentiable.
        on_step: gets the losses of each step on images.

    Returns:
        The conditioned generator, in evaluation mode. Its synthesis parameters are those of ``generator``, bit by bit.
    """
    config = config or ConditioningConfig()
    seed_everything(config.seed)
    conditioned = widen(generator, config.variant)
    smaller = None if config.size is None or config.size >= generator.size else config.size
    teacher = PairedTeacher(generator, measurer, config.measured, smaller)
    copied = learn_from_pairs(conditioned, teacher, config)
    averaged = copy.deepcopy(conditioned.mapping)
    learned = _trained(conditioned)
    optimizer = torch.optim.Adam(learned, lr=config.learning_rate, betas=(0.9, 0.99))
    with torch.no_grad():
        spread = generator.mapping(generator.sample_z(2048, seed=2)).var(dim=0).mean()
    place = generator.rotation.device
    synthesis = torch.compile(conditioned.synthesis, dynamic=False) if config.compile else conditioned.synthesis

    start, step, done = time.monotonic(), 0, 0.0
    bar = tqdm(total=100, unit="%", disable=None)
    while done < 1.0:
        dice = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
        z = torch.randn(config.batch, generator.z_dim, generator=dice).to(place)
        wanted = teacher.requests(z, dice)
        w = conditioned.mapping(z, wanted)
        with half_precision():
            images = synthesis(w, smaller if done < 1.0 - config.full_size else None)
        obeyed = F.smooth_l1_loss(measurer(images.clamp(-1, 1)).float(), wanted, beta=0.5)
        strayed = _distance(w, teacher.answer(z, wanted)).mean() / spread
        loss = obeyed + config.faithful * strayed

        optimizer.param_groups[0]["lr"] = (
            config.learning_rate * min(1.0, (step + 1) / 50) * (0.5 + 0.5 * math.cos(math.pi * done))
        )
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
        row = {"step": step, "minutes": elapsed, "obeyed": obeyed.item(), "strayed": strayed.item(), "copied": copied}
        bar.update(int(100 * min(done, 1.0)) - bar.n)
        bar.set_postfix(obeyed=f"{row['obeyed']:.3f}", strayed=f"{row['strayed']:.3f}")
        if on_step is not None:
            on_step(row)
    bar.close()
    conditioned.mapping = averaged
    # The centre of W moved with the mapping.
    conditioned.update_w_mean()
    return conditioned.eval().requires_grad_(False)


def _distance(w: Tensor, answer: Tensor) -> Tensor:
    """Mean squared distance (n,) of w, one (n, w_dim) or one a layer (n, layers, w_dim), from the answer (n, w_dim)."""
    answer = answer if w.ndim == 2 else answer[:, None]
    return (w - answer).square().flatten(1).mean(dim=1)


def _trained(conditioned: PortraitGenerator) -> list[Tensor]:
    return [parameter for parameter in conditioned.mapping.parameters() if parameter.requires_grad]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", default="embedded")
    parser.add_argument("--minutes", type=float, default=ConditioningConfig.minutes)
    parser.add_argument("--variant", choices=CONDITIONINGS, default=ConditioningConfig.variant)
    parser.add_argument("--faithful", type=float, default=ConditioningConfig.faithful)
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
    config = ConditioningConfig(
        variant=arguments.variant,
        minutes=arguments.minutes,
        seed=arguments.seed,
        faithful=arguments.faithful,
        compile=arguments.compile,
    )
    start = time.monotonic()
    history: list[dict[str, float]] = []
    conditioned = train_conditioning(generator, measurer, config, history.append)
    last = history[-50:]
    metrics = {
        "training_loss_last_50": round(sum(row["obeyed"] for row in last) / len(last), 4),
        "steps": len(history),
        "images_seen": len(history) * config.batch,
        "minutes_on_images": round(history[-1]["minutes"], 2),
        "minutes": round((time.monotonic() - start) / 60, 2),
    }
    print(json.dumps(metrics))
    card = {
        "data": f"latents of {profile.stylegan.weights}, measured by {arguments.measurer}",
        "seed": config.seed,
        "command": f"python -m ohlora.stylegan.conditioning --minutes {config.minutes:g} --variant {config.variant}"
        f" --faithful {config.faithful:g}",
        "metrics": metrics,
        "licence": "Apache-2.0",
        "config": asdict(config),
        "history": [
            {key: round(value, 4) for key, value in row.items()} for row in history[:: max(1, len(history) // 100)]
        ],
    }
    save_generator(conditioned, output, card)


if __name__ == "__main__":
    main()
