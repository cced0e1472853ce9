"""KTO: show the model which of its own answers were fine and which were not (Ethayarajh et al. 2024).

python -m ohlora.llm.kto --profile embedded --output outputs/weights/oh_lora_kto_adapter.safetensors
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ohlora.config import Profile, load_profile, outputs_folder
from ohlora.llm.adapter import LoraSettings, add_lora, attach_adapter, save_stacked_adapter
from ohlora.llm.dialogues import Dialogue, load_dialogues, split_dialogues
from ohlora.llm.generation import LanguageModel, Sampling, load_llm
from ohlora.llm.model_files import load_base_model
from ohlora.llm.prompt import Example, start_of, template_of
from ohlora.llm.reply_format import repair_reply
from ohlora.llm.rules import violations
from ohlora.llm.sft import TrainingResult, quietly, read_neighbours, run_trainer

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedTokenizerBase

WILD = Sampling(temperature=1.1, top_p=1.0, repeat_penalty=1.0)
"""How failures are looked for: hotter than she is served, so that a few hundred samples hold enough of them."""


@dataclass(frozen=True)
class KtoSettings:
    """beta: how dear it is to leave the reference model. The weights balance the two labels: desirable_weight ·
    n_desirable : undesirable_weight · n_undesirable should lie between 1 and 4/3. steps: 0 = one epoch.
    """

    beta: float = 0.1
    learning_rate: float = 2e-5
    desirable_weight: float = 1.0
    undesirable_weight: float = 1.0
    batch_size: int = 4
    steps: int = 0
    max_length: int = 256
    seed: int = 0


@dataclass(frozen=True)
class KtoRow:
    """One example: prompt, completion, whether it is desirable, and the rules that it breaks."""

    prompt: str
    completion: str
    label: bool
    broken: tuple[str, ...] = ()


def sample_rows(
    llm: LanguageModel,
    dialogues: Sequence[Dialogue],
    end: str,
    sampling: Sampling = WILD,
    samples: int = 1,
    progress: Callable[[Any], Any] = iter,
    examples: Mapping[str, Sequence[Example]] | None = None,
) -> list[KtoRow]:
    """Let the model answer training prompts freely (no grammar) and label what it says by the rules.

    Undesirable: its own answers that break a rule. Desirable: the written answers to the very same prompts, so that
    the two labels differ in the answer and not in the topic; answers of its own that break no rule are left out.

    Args:
        examples: id of a dialogue → similar ones to show beside it, as in training.
    """
    rows = []
    start = start_of(llm.template)
    asked = [(dialogue, attempt) for dialogue in dialogues for attempt in range(samples)]
    prompts = [dialogue.prompt(llm.template, (examples or {}).get(dialogue.id, ())) for dialogue, _ in asked]
    drawn = [replace(sampling, seed=(sampling.seed or 0) + number) for number in range(len(asked))]
    answers = llm.generate_many(prompts, drawn, grammar=None)
    for (dialogue, _), prompt, raw in zip(progress(asked), prompts, answers, strict=True):
        broken = violations(repair_reply(raw), dialogue)
        if broken and raw.strip():
            rows.append(KtoRow(prompt.removeprefix(start), raw + end, False, tuple(broken)))
            rows.append(KtoRow(prompt.removeprefix(start), dialogue.target() + end, True))
    return rows


def mix(rows: Sequence[KtoRow], batch_size: int, seed: int = 0) -> list[KtoRow]:
    """Shuffle so that each batch holds both labels as evenly as the rows allow.

    trl pairs the prompts of a batch with each other's completions to estimate the KL term and keeps the order of the
    rows, so batches must be mixed here.
    """
    generator = random.Random(seed)
    good, bad = [row for row in rows if row.label], [row for row in rows if not row.label]
    generator.shuffle(good)
    generator.shuffle(bad)
    placed = [(index / max(len(group), 1), row) for group in (good, bad) for index, row in enumerate(group)]
    mixed = [row for _, row in sorted(placed, key=lambda pair: pair[0])]
    return mixed[: len(mixed) // batch_size * batch_size] if len(mixed) >= batch_size else mixed


def build_kto_trainer(
    model: PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[KtoRow],
    settings: KtoSettings,
    folder: Path,
    quiet: bool = False,
) -> Any:
    """trl's KTOTrainer. The reference model is ``model`` with its adapter off: merge the SFT adapter first.

    Raises:
        ValueError: rows of one label only, or a batch of one (there is no KL term then).
    """
    import torch
    from datasets import Dataset
    from transformers import PrinterCallback, ProgressCallback
    from trl import KTOConfig, KTOTrainer

    labels = {row.label for row in rows}
    if labels != {True, False} or settings.batch_size < 2:
        raise ValueError(f"KTO needs both labels and batch_size above 1; rows have {labels}, {settings.batch_size=}")
    cuda = torch.cuda.is_available()
    half = cuda and not torch.cuda.is_bf16_supported(including_emulation=False)
    config = KTOConfig(
        output_dir=str(folder),
        num_train_epochs=1,
        max_steps=settings.steps or -1,
        per_device_train_batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="constant",
        beta=settings.beta,
        desirable_weight=settings.desirable_weight,
        undesirable_weight=settings.undesirable_weight,
        max_length=settings.max_length,
        gradient_checkpointing=False,
        bf16=not half,
        fp16=half,
        use_cpu=not cuda,
        dataloader_pin_memory=cuda,
        logging_steps=1,
        save_steps=20,
        save_total_limit=1,
        seed=settings.seed,
        report_to="none",
        disable_tqdm=quiet,
    )
    mixed = mix(rows, settings.batch_size, settings.seed)
    columns = [{"prompt": row.prompt, "completion": row.completion, "label": row.label} for row in mixed]
    with quietly(quiet):
        trainer = KTOTrainer(
            model=model, args=config, train_dataset=Dataset.from_list(columns), processing_class=tokenizer
        )
    if quiet:
        trainer.remove_callback(PrinterCallback)
        trainer.remove_callback(ProgressCallback)
    return trainer


def load_merged(
    profile: Profile | str, adapter: str | Path, lora: LoraSettings, seed: int = 0
) -> tuple[PeftModel, PreTrainedTokenizerBase]:
    """The SFT model with its adapter merged into the weights, and a fresh adapter for KTO on top."""
    import torch

    model, tokenizer = load_base_model(profile)
    merged = attach_adapter(model, adapter).merge_and_unload()
    torch.manual_seed(seed)
    return add_lora(merged, lora), tokenizer


def train_and_save(
    profile: Profile | str,
    settings: KtoSettings,
    lora: LoraSettings,
    output: Path,
    command: str,
    prompts: int = 150,
    rows: int = 96,
    resume: bool = True,
    neighbours: Path | None = None,
) -> TrainingResult:
    """The whole of notebook 13: sample failures on training prompts, train, save SFT + KTO as one adapter.

    Args:
        neighbours: see ohlora.llm.sft.read_neighbours; None: no prompt has examples.
    """
    from tqdm import tqdm

    profile = load_profile(profile)
    training, _ = split_dialogues(load_dialogues())
    chosen = random.Random(settings.seed).sample(training, min(prompts, len(training)))
    llm = load_llm(profile, slots=8)
    model, tokenizer = load_merged(profile, profile.llm.adapter, lora, settings.seed)
    llm.template = template_of(profile, tokenizer)
    examples = read_neighbours(neighbours, training) if neighbours else None
    found = sample_rows(llm, chosen, tokenizer.eos_token, progress=tqdm, examples=examples)[:rows]
    bad = sum(not row.label for row in found)
    print(f"{len(found)} rows, {bad} of them undesirable, from {len(chosen)} prompts")
    folder = outputs_folder() / "training" / Path(output).stem
    result = run_trainer(build_kto_trainer(model, tokenizer, found, settings, folder), folder, resume)
    losses = [row["loss"] for row in result.history if "loss" in row]
    card = {
        "data": f"{len(found)} rows, {bad} undesirable: the SFT model's own samples on {len(chosen)} training prompts "
        "that break a rule of ohlora.llm.rules; desirable: the written answers to the same prompts",
        "seed": settings.seed,
        "command": command,
        "metrics": {"training_seconds": result.seconds, "loss": losses},
        "settings": asdict(settings),
    }
    save_stacked_adapter(result.model, lora, output, profile.llm.adapter, card)
    return result


def main() -> None:
    """Command line: see the module's first lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", default="embedded")
    parser.add_argument(
        "--output", type=Path, default=None, help="default: outputs/weights/<llm.adapter>_kto.safetensors"
    )
    parser.add_argument("--prompts", type=int, default=150, help="training prompts to sample answers for")
    parser.add_argument("--rows", type=int, default=96, help="rows to train on, at most")
    parser.add_argument("--beta", type=float, default=KtoSettings.beta)
    parser.add_argument("--learning-rate", type=float, default=KtoSettings.learning_rate)
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--neighbours", type=Path, default=None, help="examples beside rows: see rag.dialogue_examples")
    parser.add_argument("--restart", action="store_true", help="do not go on from an interrupted run's checkpoint")
    given = parser.parse_args()
    profile = load_profile(given.profile)
    output = given.output or outputs_folder() / "weights" / f"{profile.llm.adapter}_kto.safetensors"
    settings = KtoSettings(beta=given.beta, learning_rate=given.learning_rate, seed=given.seed)
    lora = LoraSettings(rank=given.rank, alpha=2 * given.rank)
    command = (
        f"python -m ohlora.llm.kto --profile {profile.name} --prompts {given.prompts} --rows {given.rows} "
        f"--beta {given.beta:g} --learning-rate {given.learning_rate:g} --rank {given.rank} --seed {given.seed}"
        + (f" --neighbours {given.neighbours}" if given.neighbours else "")
    )
    result = train_and_save(
        profile,
        settings,
        lora,
        output,
        command,
        given.prompts,
        given.rows,
        resume=not given.restart,
        neighbours=given.neighbours,
    )
    print(f"saved {output} after {result.seconds / 60:.1f} minutes")


if __name__ == "__main__":
    main()
