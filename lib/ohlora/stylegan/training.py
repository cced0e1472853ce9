"""Train the generator on rendered pairs: first small and by reconstruction, then full size against a critic.

    python -m ohlora.stylegan.training --minutes 60

The same command continues an interrupted run from its last checkpoint. The schedule follows the minutes
spent training, so a slow machine gets the same phases with fewer images.

Progressive growing: Karras et al. 2018. Adversarial part: StyleGAN2 (non-saturating logistic loss, lazy R1,
moving average of the weights). Pairs: z = [u, extra] · R, u being the parameters that the portrait was
rendered from, so a latent has a right answer and reconstruction can teach most of the work.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.utils import save_image
from tqdm import tqdm

from ohlora.config import device, load_profile, outputs_folder, seed_everything
from ohlora.stylegan import losses
from ohlora.stylegan.checkpoints import newest_checkpoint, restore, write_checkpoint
from ohlora.stylegan.discriminator import Discriminator
from ohlora.stylegan.generator import GeneratorConfig
from ohlora.stylegan.pairs import PairFolder
from ohlora.stylegan.portrait_generator import PortraitGenerator, save_generator


@dataclass(frozen=True)
class Phase:
    """One stretch of the schedule.

    until: share of the budget at which it ends. shrink: image side is the full size / shrink.
    batch: images a step. adversarial: whether the critic plays.
    """

    until: float
    shrink: int
    batch: int
    adversarial: bool = False


DEFAULT_PHASES = (Phase(0.15, 4, 32), Phase(0.33, 2, 32), Phase(0.46, 1, 16), Phase(1.0, 1, 16, adversarial=True))


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that decides a run.

    corpus: folder of shards. folder: checkpoints, history, sheets. output: the exported weights.
    minutes: budget, in minutes of training; steps: if given, the budget is this many steps instead.
    learning_rate: of both networks (Adam); warm-up over 200 steps, falling over the last quarter.
    focus: weight of eyes, mouth, lips and brows in the reconstruction.
    hair: weight of hair while the critic plays (strands are its job).
    gradient, adversarial, features, r1: weights of the loss terms; r1 is γ, applied every r1_every steps.
    free: share of an adversarial batch whose z is fresh. It has no pair, so only the critic judges it.
        Half of that share is style-mixed: mixing two people has no right answer either, which is why
        style mixing cannot be used where reconstruction teaches.
    average: decay of the moving average of the weights, per step.
    compile: fuse the networks with torch.compile (needs a C++ compiler; about twice as fast on a CPU).
    """

    corpus: Path
    folder: Path
    output: Path
    minutes: float = 60.0
    steps: int | None = None
    seed: int = 0
    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    phases: tuple[Phase, ...] = DEFAULT_PHASES
    learning_rate: float = 1.5e-3
    focus: float = 5.0
    hair: float = 0.15
    gradient: float = 1.0
    adversarial: float = 0.08
    features: float = 0.3
    r1: float = 2.0
    r1_every: int = 16
    free: float = 0.25
    average: float = 0.995
    checkpoint_minutes: float = 4.0
    export_minutes: float = 8.0
    compile: bool = False


class Trainer:
    """Networks, optimisers and clock of one run."""

    def __init__(self, config: TrainingConfig) -> None:
        self.config = config
        seed_everything(config.seed)
        self.device = torch.device(device())
        self.pairs = PairFolder(config.corpus)
        self.data = self.pairs.training()
        self.generator = PortraitGenerator(config.generator, config.seed).to(self.device)
        self.averaged = copy.deepcopy(self.generator).requires_grad_(False)
        self.critic = Discriminator(config.generator.size).to(self.device, memory_format=torch.channels_last)
        self.generator_optimizer = torch.optim.Adam(self._trained(), lr=config.learning_rate, betas=(0.8, 0.99))
        self.critic_optimizer = torch.optim.Adam(self.critic.parameters(), lr=config.learning_rate, betas=(0.0, 0.99))
        # bf16 where the hardware has it, else fp16 with loss scaling (Colab's T4)
        half = self.device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False)
        self.precision = torch.float16 if half else torch.bfloat16
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=half)
        self.synthesis, self.judge = self.generator.synthesis, self.critic
        if config.compile:
            self.synthesis, self.judge = (torch.compile(net, dynamic=False) for net in (self.synthesis, self.critic))
        self.step, self.images, self.seconds = 0, 0, 0.0
        config.folder.mkdir(parents=True, exist_ok=True)
        checkpoint = newest_checkpoint(config.folder)
        if checkpoint is not None:
            self._resume(checkpoint)

    # ---------------------------------------------------------------- the schedule

    @property
    def progress(self) -> float:
        """Share of the budget that is used up, 0 … 1."""
        if self.config.steps is not None:
            return self.step / self.config.steps
        return self.seconds / (60.0 * self.config.minutes)

    @property
    def phase(self) -> Phase:
        """The phase that the clock is in."""
        return next((phase for phase in self.config.phases if self.progress < phase.until), self.config.phases[-1])

    @property
    def image_size(self) -> int:
        """Side of the images of the current phase."""
        return self.config.generator.size // self.phase.shrink

    def _learning_rate(self) -> float:
        falling = max(0.05, min(1.0, (1.0 - self.progress) / 0.25))
        return self.config.learning_rate * min(1.0, (self.step + 1) / 200) * falling

    def _trained(self) -> list[Tensor]:
        return [parameter for parameter in self.generator.parameters() if parameter.requires_grad]

    # ---------------------------------------------------------------- one step

    def train_step(self) -> dict[str, float]:
        """Draw a batch, update the generator and, in the adversarial phase, the critic. Returns the losses."""
        config, phase, size = self.config, self.phase, self.image_size
        # Every step has its own random numbers, so a resumed run continues exactly.
        dice = torch.Generator().manual_seed(config.seed * 1_000_003 + self.step)
        rows = torch.randint(len(self.data), (phase.batch,), generator=dice)
        flips = torch.rand(phase.batch, generator=dice) < 0.5
        real, masks, u = self.data.batch(rows, flips, size)
        extra = torch.randn(phase.batch, config.generator.z_dim - u.shape[1], generator=dice)
        weights = losses.region_weights(masks, config.focus, config.hair if phase.adversarial else 1.0)
        weights = F.avg_pool2d(weights, weights.shape[-1] // size)
        real, weights = real.to(self.device), weights.to(self.device)
        z = self.generator.u_to_z(u.to(self.device), extra.to(self.device))

        paired = phase.batch
        if phase.adversarial:
            paired -= int(phase.batch * config.free)
            z = torch.cat([z[:paired], torch.randn(z[paired:].shape, generator=dice).to(self.device)])
        w = self.generator.mapping(z)[:, None].repeat(1, config.generator.layers, 1)
        if phase.adversarial:
            w = self._mix_styles(w, paired, dice)
        with torch.autocast(self.device.type, self.precision):
            made = self.synthesis(w, size)

        pixels = losses.reconstruction_loss(made[:paired], real[:paired], weights[:paired])
        edges = losses.gradient_loss(made[:paired], real[:paired], weights[:paired])
        total = pixels + config.gradient * edges
        report = {"pixels": pixels, "edges": edges}
        if phase.adversarial:
            with torch.autocast(self.device.type, self.precision):
                real_logits, real_features = self.judge(real)
                self.critic.requires_grad_(False)
                fake_logits, fake_features = self.judge(made)
                self.critic.requires_grad_(True)
            fooled = losses.generator_adversarial_loss(fake_logits)
            matched = losses.feature_matching_loss(
                [part[:paired] for part in fake_features], [part[:paired].detach() for part in real_features]
            )
            total = total + config.adversarial * fooled + config.features * matched
            report |= {"fooled": fooled, "features": matched}
        self._update(self.generator_optimizer, total, self._trained())
        if phase.adversarial:
            report |= self._critic_step(real, real_logits, made.detach())
        self._average_weights()
        self.scaler.update() if self.scaler.is_enabled() else None
        self.step += 1
        self.images += phase.batch
        return {name: value.item() for name, value in report.items()}

    def _critic_step(self, real: Tensor, real_logits: Tensor, made: Tensor) -> dict[str, Tensor]:
        with torch.autocast(self.device.type, self.precision):
            fake_logits, _ = self.judge(made)
        judged = losses.discriminator_loss(real_logits, fake_logits)
        report = {"critic": judged}
        if self.step % self.config.r1_every == 0:  # lazy regularisation: rarely, and that much stronger
            report["r1"] = losses.r1_penalty(self.critic, real[: len(real) // 2])
            judged = judged + self.config.r1_every * self.config.r1 / 2 * report["r1"]
        self._update(self.critic_optimizer, judged, list(self.critic.parameters()))
        return report

    def _mix_styles(self, w: Tensor, paired: int, dice: torch.Generator) -> Tensor:
        """From a random layer on, the last unpaired images take the style of another one."""
        first = (paired + len(w)) // 2
        for row in range(first, len(w)):
            cut = int(torch.randint(1, w.shape[1], (), generator=dice))
            other = paired + row - first
            w = torch.cat([w[:row], torch.cat([w[row, :cut], w[other, cut:]])[None], w[row + 1 :]])
        return w

    def _update(self, optimizer: torch.optim.Optimizer, loss: Tensor, parameters: list[Tensor]) -> None:
        for group in optimizer.param_groups:
            group["lr"] = self._learning_rate()
        optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        self.scaler.step(optimizer)

    @torch.no_grad()
    def _average_weights(self) -> None:
        decay = min(self.config.average, (1 + self.step) / (10 + self.step))
        for kept, current in zip(self.averaged.parameters(), self.generator.parameters(), strict=True):
            kept.lerp_(current, 1.0 - decay)

    # ---------------------------------------------------------------- the run

    def run(self) -> PortraitGenerator:
        """Train until the budget is used up; returns the averaged generator, which is also exported."""
        with tqdm(total=100, initial=int(100 * self.progress), unit="%", disable=None) as bar:
            try:
                self._loop(bar)
            except KeyboardInterrupt:  # stopped by hand: nothing is lost but the step under way
                self.save_checkpoint()
                raise
        self.save_checkpoint()
        self.export()
        return self.averaged

    def _loop(self, bar: tqdm) -> None:
        config = self.config
        last_checkpoint = last_export = self.seconds
        while self.progress < 1.0:
            start, size = time.monotonic(), self.image_size
            report = self.train_step()
            self.seconds += time.monotonic() - start
            bar.update(int(100 * self.progress) - bar.n)
            bar.set_postfix(size=size, images=self.images, pixels=f"{report['pixels']:.3f}")
            if self.step % 20 == 0:
                self._log(report | {"size": size})
            if self.seconds - last_checkpoint > 60 * config.checkpoint_minutes or self.image_size != size:
                self.save_checkpoint()
                self.pairs.refresh()
                self.data = self.pairs.training()
                last_checkpoint = self.seconds
            if self.seconds - last_export > 60 * config.export_minutes:
                self.export()
                last_export = self.seconds

    def measure(self, limit: int = 128) -> float:
        """L1 of the averaged generator on held-out pairs at the current size (images in [-1, 1])."""
        held_out = self.pairs.held_out()
        rows = torch.arange(min(limit, len(held_out)))
        real, _, u = held_out.batch(rows, torch.zeros(len(rows), dtype=torch.bool), self.image_size)
        made = self.draw(u)
        return F.l1_loss(made, real).item()

    @torch.no_grad()
    def draw(self, u: Tensor) -> Tensor:
        """Portraits of the averaged generator for parameters u (n, 60), at the current size."""
        dice = torch.Generator().manual_seed(0)
        extra = torch.randn(len(u), self.config.generator.z_dim - u.shape[1], generator=dice)
        z = self.averaged.u_to_z(u.to(self.device), extra.to(self.device))
        parts = [self.averaged.synthesis(self.averaged.mapping(part), self.image_size) for part in z.split(32)]
        return torch.cat(parts).clamp(-1, 1).cpu()

    def export(self) -> Path:
        """Write the averaged generator, its card and a sheet: renders, the generator on the same u, fresh z."""
        config = self.config
        self.averaged.update_w_mean()
        held_out = self.pairs.held_out()
        rows = torch.arange(min(8, len(held_out)))
        real, _, u = held_out.batch(rows, torch.zeros(len(rows), dtype=torch.bool), self.image_size)
        fresh = self.averaged.sample_z(2 * len(rows), seed=1) @ self.averaged.rotation.t()
        sheet = torch.cat([real, self.draw(u), self.draw(fresh[:, : u.shape[1]])])
        picture = config.folder / f"sheet_{self.step:06d}.png"
        save_image(sheet, picture, nrow=len(rows), padding=0, normalize=True, value_range=(-1, 1))
        metrics = {
            "heldout_l1": round(self.measure(), 5),
            "size": self.image_size,
            "minutes": round(self.seconds / 60, 2),
            "images_seen": self.images,
            "images_per_second": round(self.images / max(self.seconds, 1e-9), 1),
            "steps": self.step,
            "training_pairs": len(self.data),
            "heldout_pairs": len(held_out),
        }
        self._log({"heldout_l1": metrics["heldout_l1"], "size": self.image_size})
        print(json.dumps(metrics), flush=True)
        card = {
            "data": f"rendered portraits of ohlora.portraits ({config.corpus.name}), every pair also mirrored",
            "seed": config.seed,
            "command": f"python -m ohlora.stylegan.training --minutes {config.minutes:g}",
            "metrics": metrics,
            "licence": "Apache-2.0",
            "config": json.loads(json.dumps(asdict(config), default=lambda path: path.name)),
            "history": thinned(read_history(config.folder), 150),
        }
        return save_generator(self.averaged, config.output, card)

    def _log(self, values: dict[str, float]) -> None:
        row = {"step": self.step, "minutes": round(self.seconds / 60, 3), "images": self.images} | values
        row = {name: round(value, 5) if isinstance(value, float) else value for name, value in row.items()}
        with (self.config.folder / "history.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    # ---------------------------------------------------------------- interruption

    def _parts(self) -> dict[str, torch.nn.Module | torch.optim.Optimizer]:
        return {
            "generator": self.generator,
            "averaged": self.averaged,
            "critic": self.critic,
            "generator_optimizer": self.generator_optimizer,
            "critic_optimizer": self.critic_optimizer,
        }

    def save_checkpoint(self) -> Path:
        """Write everything that the next step depends on."""
        clock = {"step": self.step, "images": self.images, "seconds": self.seconds}
        return write_checkpoint(self.config.folder, self._parts(), clock, self.config.seed)

    def _resume(self, checkpoint: Path) -> None:
        clock = restore(checkpoint, self._parts())
        self.step, self.images, self.seconds = int(clock["step"]), int(clock["images"]), float(clock["seconds"])
        kept = [row for row in read_history(self.config.folder) if row["step"] <= self.step]
        lines = "".join(json.dumps(row) + "\n" for row in kept)
        temporary = self.config.folder / "history.tmp"
        temporary.write_text(lines, encoding="utf-8")
        os.replace(temporary, self.config.folder / "history.jsonl")
        print(f"resumed at step {self.step}, minute {self.seconds / 60:.1f}", flush=True)


def read_history(folder: Path) -> list[dict[str, float]]:
    """Rows of history.jsonl, oldest first; empty if there is none."""
    path = Path(folder) / "history.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def thinned(rows: list[dict[str, float]], limit: int) -> list[dict[str, float]]:
    """At most about ``limit`` rows, evenly spaced; rows with a held-out measure all stay."""
    stride = max(1, len(rows) // limit)
    return [row for index, row in enumerate(rows) if index % stride == 0 or "heldout_l1" in row]


def train_generator(config: TrainingConfig) -> PortraitGenerator:
    """Train (or go on training) as ``config`` says; returns the averaged generator in evaluation mode."""
    return Trainer(config).run().eval()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", default="embedded")
    parser.add_argument("--corpus", type=Path, default=None, help="default: the profile's corpus under outputs/")
    parser.add_argument("--folder", type=Path, default=outputs_folder() / "stylegan_training")
    parser.add_argument("--output", type=Path, default=None, help="default: outputs/weights/<name in the profile>")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--export-minutes", type=float, default=8.0)
    parser.add_argument("--compile", action="store_true", help="needs a C++ compiler; about twice as fast on a CPU")
    parser.add_argument("--threads", type=int, default=None, help="CPU threads; 1 is faster than 2 on a busy machine")
    arguments = vars(parser.parse_args())
    if (threads := arguments.pop("threads")) is not None:
        torch.set_num_threads(threads)
    profile, outputs = load_profile(arguments.pop("profile")), outputs_folder()
    arguments["corpus"] = arguments["corpus"] or outputs / profile.portraits.corpus
    arguments["output"] = arguments["output"] or outputs / "weights" / f"{profile.stylegan.weights}.safetensors"
    train_generator(TrainingConfig(**arguments))


if __name__ == "__main__":
    main()
