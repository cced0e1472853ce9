"""Train the generator on rendered pairs: first small and by reconstruction, then full size with a discriminator.

    python -m ohlora.stylegan.training --minutes 85 --compile
    accelerate launch -m ohlora.stylegan.training --minutes 60      # all GPUs of a machine
    python -m ohlora.stylegan.training --minutes 60 --start-from outputs/pretrained/stylegan_256.safetensors

The first command, given again, continues an interrupted run from its last checkpoint; the last one goes on from
finished weights. The schedule follows the minutes spent training, so a slow machine gets the same phases with fewer
images.

Progressive growing: Karras et al. 2018. Pure adversarial mode: StyleGAN2 (non-saturating logistic loss, lazy R1,
moving average of the weights). Projected discriminator: Sauer et al. 2021. Pairs: z = [u, extra] · R, u being the
parameters that the portrait was rendered from, so a latent has a right answer and reconstruction teaches most.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import time
from dataclasses import asdict, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from ohlora.config import device, load_profile, outputs_folder, seed_everything
from ohlora.stylegan import losses
from ohlora.stylegan.batches import Batches
from ohlora.stylegan.checkpoints import newest_checkpoint, restore, write_checkpoint
from ohlora.stylegan.objective import Objective
from ohlora.stylegan.pairs import PairFolder
from ohlora.stylegan.portrait_generator import PortraitGenerator, read_generator, save_generator
from ohlora.stylegan.processes import Processes, keep_memory
from ohlora.stylegan.projected_discriminator import VIEW
from ohlora.stylegan.training_config import CONTINUED_PHASES, DISCRIMINATORS, MODES, Phase, TrainingConfig
from ohlora.stylegan.training_report import read_history, thinned, write_history, write_progress, write_sheet
from ohlora.weights import load_weights


class Trainer:
    """Networks, optimisers and clock of one run."""

    def __init__(self, config: TrainingConfig) -> None:
        seed_everything(config.seed)
        keep_memory()
        self.processes = Processes()
        self.device = torch.device(device())
        self.pairs = PairFolder(config.corpus)
        self.generator, self.origin = _first_generator(config)
        self.generator = self.generator.to(self.device)
        self.config = config = replace(config, generator=self.generator.config)
        self.averaged = copy.deepcopy(self.generator).requires_grad_(False)
        self.generator_optimizer = torch.optim.Adam(_trained(self.generator), config.learning_rate, betas=(0.8, 0.99))
        # bf16 where the hardware has it, else fp16 with loss scaling (Colab's T4)
        half = self.device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False)
        self.precision = torch.float16 if half else torch.bfloat16
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=half)
        self.objective = Objective(config, self.device, self.precision)
        self.critic_optimizer = torch.optim.Adam(self.objective.trained, config.learning_rate, betas=(0.0, 0.99))
        synthesis = self.generator.synthesis
        self.synthesis = torch.compile(synthesis, dynamic=False) if config.compile else synthesis
        self.step, self.images, self.seconds = 0, 0, 0.0
        config.folder.mkdir(parents=True, exist_ok=True)
        checkpoint = newest_checkpoint(config.folder)
        if checkpoint is not None:
            self._resume(checkpoint)
        self.data = self.pairs.training(self.image_size)
        self.batches = Batches(config.seed, self.processes.rank, config.repainted, config.workers)

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

    # ---------------------------------------------------------------- one step

    def train_step(self) -> dict[str, float]:
        """Draw a batch, update the generator and, where it plays, the discriminator. Returns the losses."""
        config, phase, size = self.config, self.phase, self.image_size
        plays = self.objective.plays(phase)
        if self.data.size != size:
            self.data = self.pairs.training(size)
        batch = phase.batch * config.batch_factor
        real, masks, u = self.batches.at(self.data, batch, self.step)
        real, masks = real.to(self.device, non_blocking=True), masks.to(self.device, non_blocking=True)
        weights = losses.region_weights(masks, config.focus, config.hair if plays else 1.0)
        dice = self.batches.dice(self.step, latents=True)
        corner = tuple(torch.randint(max(1, size - VIEW + 1), (2,), generator=dice).tolist())

        paired = batch
        if config.mode == "adversarial":
            paired = 0
        elif plays:
            paired -= int(batch * config.free)
        made = self._make(u, paired, size, dice)
        leaf = made.detach().requires_grad_(True)  # losses are balanced where they meet: at the image
        terms, shown = self.objective.terms(leaf, real, weights, paired, corner, phase)
        pull = self.objective.pull(leaf, terms, self.step, self.scaler)
        self._update(self.generator_optimizer, made, pull, _trained(self.generator))
        report = {name: term.detach() for name, term in terms.items()}
        if plays:
            judged, more = self.objective.critic_loss(shown, self.step)
            self._update(self.critic_optimizer, self.scaler.scale(judged), None, self.objective.trained)
            report |= more
        self._average_weights()
        self.scaler.update() if self.scaler.is_enabled() else None
        self.step += 1
        self.images += batch * self.processes.count
        return {name: value.item() for name, value in report.items()}

    def _make(self, u: Tensor, paired: int, size: int, dice: torch.Generator) -> Tensor:
        """Images of the batch's latents: the first ``paired`` belong to u, the others are fresh, half of them mixed."""
        extra = torch.randn(len(u), self.config.generator.z_dim - u.shape[1], generator=dice)
        z = self.generator.u_to_z(u.to(self.device), extra.to(self.device))
        z = torch.cat([z[:paired], torch.randn(z[paired:].shape, generator=dice).to(self.device)])
        w = self.generator.mapping(z)[:, None].repeat(1, self.config.generator.layers, 1)
        w = self._mix_styles(w, paired, dice)
        with torch.autocast(self.device.type, self.precision):
            return self.synthesis(w, size)

    def _mix_styles(self, w: Tensor, paired: int, dice: torch.Generator) -> Tensor:
        """From a random layer on, the last unpaired images take the style of another one."""
        first = (paired + len(w)) // 2
        mixed = len(w) - first
        cuts = torch.randint(1, w.shape[1], (mixed, 1), generator=dice)
        kept = (torch.arange(w.shape[1]) < cuts).to(w.device)
        return torch.cat([w[:first], torch.where(kept[..., None], w[first:], w[paired : paired + mixed])])

    def _update(
        self, optimizer: torch.optim.Optimizer, result: Tensor, gradient: Tensor | None, parameters: list[Tensor]
    ) -> None:
        """One step along the gradient of ``result``, a scaled loss or, with the gradient that reaches it, images."""
        slower = self.config.critic_pace if optimizer is self.critic_optimizer else 1.0
        for group in optimizer.param_groups:
            group["lr"] = slower * self._learning_rate()
        optimizer.zero_grad(set_to_none=True)
        result.backward(gradient)
        self.processes.average_gradients(parameters)
        self.scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        self.scaler.step(optimizer)

    @torch.no_grad()
    def _average_weights(self) -> None:
        decay = min(self.config.average, (1 + self.step) / (10 + self.step))
        torch._foreach_lerp_(list(self.averaged.parameters()), list(self.generator.parameters()), 1.0 - decay)

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
        self.processes.wait()
        return self.averaged

    def _loop(self, bar: tqdm) -> None:
        config = self.config
        last_checkpoint = last_export = self.seconds
        clock = time.monotonic if config.clock == "wall" else time.process_time
        while self.progress < 1.0:
            start, size = clock(), self.image_size
            report = self.train_step()
            self.seconds += self.processes.agreed(clock() - start)
            bar.update(int(100 * self.progress) - bar.n)
            bar.set_postfix(size=size, images=self.images, **{name: f"{report[name]:.3f}" for name in list(report)[:1]})
            if self.step % 20 == 0:
                self._log(report | {"size": size})
            if self.seconds - last_checkpoint > 60 * config.checkpoint_minutes or self.image_size != size:
                self.save_checkpoint()
                self.pairs.refresh()
                self.data = self.pairs.training(self.image_size)
                last_checkpoint = self.seconds
                if self.image_size != size:
                    self.sheet(size)
            if self.seconds - last_export > 60 * config.export_minutes:
                self.export()
                last_export = self.seconds

    def measure(self, limit: int = 128) -> float:
        """L1 of the averaged generator on held-out pairs at the current size (images in [-1, 1])."""
        real, u = self._held_out(limit)
        return F.l1_loss(self.draw(u), real).item()

    def _held_out(self, limit: int, size: int | None = None) -> tuple[Tensor, Tensor]:
        held_out = self.pairs.held_out(size or self.image_size)
        rows = torch.arange(min(limit, len(held_out)))
        real, _, u = held_out.batch(rows, torch.zeros(len(rows), dtype=torch.bool))
        return real, u

    @torch.no_grad()
    def draw(self, u: Tensor, size: int | None = None) -> Tensor:
        """Portraits of the averaged generator for parameters u (n, VECTOR_SIZE), at ``size`` or the current size."""
        dice = torch.Generator().manual_seed(0)
        extra = torch.randn(len(u), self.config.generator.z_dim - u.shape[1], generator=dice)
        z = self.averaged.u_to_z(u.to(self.device), extra.to(self.device))
        size = size or self.image_size
        parts = [self.averaged.synthesis(self.averaged.mapping(part), size) for part in z.split(16)]
        return torch.cat(parts).clamp(-1, 1).cpu()

    def sheet(self, size: int | None = None) -> Path:
        """Picture of held-out renders, the generator on the same u, and on fresh u."""
        size = size or self.image_size
        real, u = self._held_out(8, size)
        fresh = torch.randn(2 * len(u), u.shape[1], generator=torch.Generator().manual_seed(1))
        picture = self.config.folder / f"sheet_{self.step:06d}_{size}.png"
        return write_sheet(picture, torch.cat([real, self.draw(u, size), self.draw(fresh, size)]), len(u))

    def export(self) -> Path:
        """Write the averaged generator, its card, a sheet and the picture of the run so far."""
        config = self.config
        if self.processes.rank:
            return config.output
        self.averaged.update_w_mean()
        self.sheet()
        config.output.parent.mkdir(parents=True, exist_ok=True)
        write_progress(config.folder, config.output.with_name(f"{config.output.stem}_progress.png"))
        metrics = {
            "heldout_l1": round(self.measure(), 5),
            "size": self.image_size,
            "minutes": round(self.seconds / 60, 2),
            "images_seen": self.images,
            "images_per_second": round(self.images / max(self.seconds, 1e-9), 1),
            "steps": self.step,
            "training_pairs": len(self.data),
            "heldout_pairs": len(self.pairs.held_out(self.image_size)),
        }
        self._log({"heldout_l1": metrics["heldout_l1"], "size": self.image_size})
        print(json.dumps(metrics), flush=True)
        card = {
            "data": f"rendered portraits of ohlora.portraits ({config.corpus.name}), every pair also mirrored",
            "seed": config.seed,
            "command": _command(config),
            "started from": self.origin,
            "processes": self.processes.count,
            "metrics": metrics,
            "licence": "Apache-2.0",
            "config": json.loads(json.dumps(asdict(config), default=lambda path: path.name)),
            "history": thinned(read_history(config.folder), 150),
        }
        return save_generator(self.averaged, config.output, card)

    def _log(self, values: dict[str, float]) -> None:
        row = {"step": self.step, "minutes": round(self.seconds / 60, 3), "images": self.images} | values
        if not self.processes.rank:
            write_history(self.config.folder, row)

    # ---------------------------------------------------------------- interruption

    def _parts(self) -> dict[str, torch.nn.Module | torch.optim.Optimizer]:
        return {
            "generator": self.generator,
            "averaged": self.averaged,
            "critic": self.objective.critic,
            "generator_optimizer": self.generator_optimizer,
            "critic_optimizer": self.critic_optimizer,
        }

    def save_checkpoint(self) -> Path:
        """Write everything that the next step depends on."""
        if self.processes.rank:
            return self.config.folder
        clock = {"step": self.step, "images": self.images, "seconds": self.seconds, "weights": self.objective.weights}
        return write_checkpoint(self.config.folder, self._parts(), clock, self.config.seed)

    def _resume(self, checkpoint: Path) -> None:
        clock = restore(checkpoint, self._parts())
        self.step, self.images, self.seconds = int(clock["step"]), int(clock["images"]), float(clock["seconds"])
        self.objective.weights = dict(clock["weights"])
        kept = [row for row in read_history(self.config.folder) if row["step"] <= self.step]
        lines = "".join(json.dumps(row) + "\n" for row in kept)
        temporary = self.config.folder / "history.tmp"
        temporary.write_text(lines, encoding="utf-8")
        os.replace(temporary, self.config.folder / "history.jsonl")
        print(f"resumed at step {self.step}, minute {self.seconds / 60:.1f}", flush=True)


def _command(config: TrainingConfig) -> str:
    """What to type to repeat the run."""
    words = [f"python -m ohlora.stylegan.training --minutes {config.minutes:g}"]
    words += [f"--start-from {config.start_from}"] if config.start_from else []
    words += [f"--adversarial {config.adversarial:g}"] if config.adversarial != TrainingConfig.adversarial else []
    words += [f"--batch-factor {config.batch_factor}"] if config.batch_factor > 1 else []
    return " ".join(words)


def _first_generator(config: TrainingConfig) -> tuple[PortraitGenerator, dict]:
    """The generator that the first step changes, and how it was made ({}: it is noise)."""
    if config.start_from is None:
        return PortraitGenerator(config.generator, config.seed), {}
    generator = read_generator(config.start_from)
    if not isinstance(generator, PortraitGenerator) or generator.properties:
        raise ValueError(f"start_from={str(config.start_from)!r} is not a generator that was trained on renders alone")
    card = load_weights(config.start_from)[1]
    told = ("command", "config", "metrics", "started from", "sha256")
    return generator.requires_grad_(True).train(), {key: card[key] for key in told if key in card}


def _trained(network: torch.nn.Module) -> list[Tensor]:
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


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
    parser.add_argument("--start-from", type=Path, default=None, help="a weight file that goes on learning")
    parser.add_argument("--mode", choices=MODES, default=TrainingConfig.mode)
    parser.add_argument("--discriminator", choices=DISCRIMINATORS, default=TrainingConfig.discriminator)
    parser.add_argument("--adversarial", type=float, default=TrainingConfig.adversarial, help="pull of its verdict")
    parser.add_argument("--batch-factor", type=int, default=1, help="times the batches; 8 fills a GPU")
    parser.add_argument("--workers", type=int, default=0, help="processes that prepare batches; 8 keep a GPU busy")
    parser.add_argument("--checkpoint-minutes", type=float, default=4.0, help="also when new shards are looked for")
    parser.add_argument("--export-minutes", type=float, default=8.0)
    parser.add_argument("--compile", action="store_true", help="needs a C++ compiler; about twice as fast on a CPU")
    parser.add_argument("--threads", type=int, default=None, help="CPU threads; 1 is faster than 2 on a busy machine")
    arguments = vars(parser.parse_args())
    if (threads := arguments.pop("threads")) is not None:
        torch.set_num_threads(threads)
    profile, outputs = load_profile(arguments.pop("profile")), outputs_folder()
    arguments["corpus"] = arguments["corpus"] or outputs / profile.portraits.corpus
    arguments["output"] = arguments["output"] or outputs / "weights" / f"{profile.stylegan.weights}.safetensors"
    if arguments["start_from"] is not None:
        arguments["phases"] = CONTINUED_PHASES
    train_generator(TrainingConfig(**arguments))


if __name__ == "__main__":
    main()
