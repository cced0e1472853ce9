"""Everything that decides a training run of the generator."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ohlora.stylegan.generator import GeneratorConfig

MODES = ("paired", "paired_adversarial", "adversarial")
DISCRIMINATORS = ("convolutional", "projected")
CLOCKS = ("wall", "processor")


@dataclass(frozen=True)
class Phase:
    """One stretch of the schedule.

    until: share of the budget at which it ends. shrink: image side is the full size / shrink.
    batch: images a step. adversarial: whether the discriminator plays (mode "adversarial": it always does) and the
        perceptual loss counts; before that pixels and edges alone teach, at twice the pace.
    """

    until: float
    shrink: int
    batch: int
    adversarial: bool = False


# Where things are, and what is open or shut, is learned from many small images; strands, lashes and edges from few
# large ones.
DEFAULT_PHASES = (
    Phase(0.08, 8, 32),
    Phase(0.32, 4, 16),
    Phase(0.48, 2, 16),
    Phase(0.57, 2, 16, adversarial=True),
    Phase(1.0, 1, 8, adversarial=True),
)
# For a generator that has been trained before: put things right once more while images are cheap, then texture.
CONTINUED_PHASES = (Phase(0.2, 4, 16), Phase(0.36, 2, 16), Phase(1.0, 1, 8, adversarial=True))


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that decides a run.

    corpus: folder of shards. folder: checkpoints, history, sheets. output: the exported weights.
    minutes: budget, in minutes of training; clock: "wall", or "processor" for minutes of one core's work, which
        are comparable on a machine that does other things too; steps: if given, the budget is this many steps instead.
    start_from: a weight file whose generator goes on learning (its architecture counts, not ``generator``'s);
        None: begin with noise.
    mode: "paired" (reconstruction only), "paired_adversarial" (reconstruction, then with a discriminator), or
        "adversarial" (StyleGAN2 as published: no pair is used).
    discriminator: "convolutional" (pixels, logistic loss, R1) or "projected" (frozen features, hinge loss).
    learning_rate: of the generator (Adam); warm-up over 200 steps, falling over the last quarter.
    critic_pace: learning rate of the discriminator, in generator's; a discriminator that wins teaches nothing.
    focus: weight of eyes, mouth, lips, brows and their surroundings in the reconstruction; about half of the whole,
        because what is open or shut covers few pixels and is learned last.
    hair: weight of hair's pixels while the discriminator plays (strands are its job).
    gradient: weight of the edges in the reconstruction.
    perceptual, adversarial, features: pull on the image of the perceptual loss, the discriminator and the matching
        of its features, in lengths of the reconstruction's gradient (losses.balanced_gradient).
    r1: γ of the convolutional discriminator, applied every r1_every steps.
    free: share of a paired_adversarial batch whose z is fresh. It has no pair, so only the discriminator judges it.
        Half of that share is style-mixed: mixing two people has no right answer either, which is why
        style mixing cannot be used where reconstruction teaches.
    repainted: share of images that get the background of another random vector.
    average: decay of the moving average of the weights, per step.
    batch_factor: times the phases' batches. A GPU makes 64 images in the time of 8.
    workers: processes that prepare batches ahead (see Batches); 0: none.
    compile: fuse the networks with torch.compile (needs a C++ compiler; about twice as fast on a CPU).

    There is no path-length regularisation: pairs fix what a step in z has to do to the image, which is what it is
    for, and costs half a pass more. How smooth the latent space came out is measured (evaluation: PPL).
    """

    corpus: Path
    folder: Path
    output: Path
    minutes: float = 60.0
    clock: str = "wall"
    steps: int | None = None
    seed: int = 0
    start_from: Path | None = None
    mode: str = "paired_adversarial"
    discriminator: str = "projected"
    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    phases: tuple[Phase, ...] = DEFAULT_PHASES
    learning_rate: float = 2e-3
    critic_pace: float = 0.3
    focus: float = 10.0
    hair: float = 0.3
    gradient: float = 1.0
    perceptual: float = 1.0
    adversarial: float = 0.5
    features: float = 0.5
    r1: float = 2.0
    r1_every: int = 16
    free: float = 0.25
    repainted: float = 0.5
    average: float = 0.995
    batch_factor: int = 1
    workers: int = 0
    checkpoint_minutes: float = 4.0
    export_minutes: float = 8.0
    compile: bool = False

    def __post_init__(self) -> None:
        for name, allowed in (("mode", MODES), ("discriminator", DISCRIMINATORS), ("clock", CLOCKS)):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name}={getattr(self, name)!r} is not known; allowed: {', '.join(allowed)}")
