"""Supervised fine-tuning: teach the base model to answer as Oh-LoRA, with trl and a LoRA adapter.

python -m ohlora.llm.sft --profile embedded --output outputs/weights/oh_lora_adapter.safetensors
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ohlora.config import Profile, load_profile, outputs_folder
from ohlora.llm.adapter import LoraSettings, save_adapter
from ohlora.llm.backends import Backend, load_trainable
from ohlora.llm.dialogues import Dialogue, load_dialogues, split_dialogues, training_rows
from ohlora.llm.model_files import PACKAGED_MODELS
from ohlora.llm.prompt import Example, template_of
from ohlora.llm.sampled_softmax import SampledSoftmax

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class SftSettings:
    """How long and how fast to train.

    epochs: times over the rows. max_steps: stop earlier, 0 = do not. batch_size: rows a step.
    learning_rate: peak, reached after warmup_steps, then cosine to 0.
    max_length: tokens a row, longer ones are cut. save_steps: steps between checkpoints.
    """

    epochs: float = 4.0
    max_steps: int = 0
    batch_size: int = 8
    learning_rate: float = 5e-4
    warmup_steps: int = 10
    max_length: int = 256
    save_steps: int = 40
    logging_steps: int = 5
    seed: int = 0


@dataclass(frozen=True)
class TrainingResult:
    """The trained model (adapters on), trl's log rows (step, loss, …) and the seconds of training in this call."""

    model: PeftModel
    history: list[dict[str, float]]
    seconds: float


def build_sft_trainer(
    model: PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[dict[str, str]],
    settings: SftSettings,
    folder: Path,
    held_out: Sequence[dict[str, str]] = (),
    quiet: bool = False,
) -> Any:
    """trl's SFTTrainer with the settings that fit this machine: loss on completions only, no gradient checkpointing
    (it trades time for memory, and time is what a CPU lacks), bfloat16 where the machine has it.

    Args:
        rows: prompt/completion rows (dialogues.training_rows). folder: for checkpoints.
        quiet: no progress bar and no log lines.
    """
    import torch
    from datasets import Dataset
    from transformers import PrinterCallback, ProgressCallback
    from trl import SFTConfig, SFTTrainer

    cuda = torch.cuda.is_available()
    half = cuda and not torch.cuda.is_bf16_supported(including_emulation=False)
    config = SFTConfig(
        output_dir=str(folder),
        num_train_epochs=settings.epochs,
        max_steps=settings.max_steps or -1,
        per_device_train_batch_size=settings.batch_size,
        per_device_eval_batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=settings.warmup_steps,
        max_length=settings.max_length,
        completion_only_loss=True,
        gradient_checkpointing=False,
        train_sampling_strategy="group_by_length",
        bf16=not half,
        fp16=half,
        use_cpu=not cuda,
        dataloader_pin_memory=cuda,
        logging_steps=settings.logging_steps,
        save_steps=settings.save_steps,
        save_total_limit=1,
        seed=settings.seed,
        data_seed=settings.seed,
        report_to="none",
        disable_tqdm=quiet,
    )
    kind, softmax = SFTTrainer, None
    if not cuda:
        used = {token for row in rows for token in tokenizer(row["prompt"] + row["completion"])["input_ids"]}
        vocabulary = model.get_output_embeddings().weight.shape[0]
        softmax = SampledSoftmax(used, vocabulary, seed=settings.seed)
    if "unsloth" not in sys.modules:  # which brings its own fast loss
        kind = _light_trainer(SFTTrainer, softmax)
    with quietly(quiet):
        trainer = kind(
            model=model,
            args=config,
            train_dataset=Dataset.from_list(list(rows)),
            eval_dataset=Dataset.from_list(list(held_out)) if held_out else None,
            processing_class=tokenizer,
        )
    if quiet:
        trainer.remove_callback(PrinterCallback)
        trainer.remove_callback(ProgressCallback)
    return trainer


def _light_trainer(base: type, softmax: SampledSoftmax | None) -> type:
    """trl's trainer with the same loss, minus what costs as much time or memory as the training itself.

    Left out: the entropy and accuracy that trl logs at every step, over a vocabulary of 262,144. The output layer runs
    on the completion's positions only; in training it scores a part of the vocabulary if ``softmax`` is given.
    """
    from torch.nn.functional import cross_entropy

    class LightTrainer(base):
        def compute_loss(
            self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            network = model.get_base_model() if hasattr(model, "get_base_model") else model
            targets = inputs["labels"][:, 1:]
            scored = targets != -100
            states = network.base_model(inputs["input_ids"], attention_mask=inputs["attention_mask"])
            states = states.last_hidden_state[:, :-1][scored]
            if model.training and softmax is not None:
                loss = softmax.loss(states, network.lm_head.weight, targets[scored])
            else:
                loss = cross_entropy(network.lm_head(states).float(), targets[scored], reduction="sum")
            loss = loss / (scored.sum() if num_items_in_batch is None else num_items_in_batch)
            return (loss, {"loss": loss}) if return_outputs else loss

    return LightTrainer


def train_sft(
    model: PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[dict[str, str]],
    settings: SftSettings,
    folder: Path,
    resume: bool = True,
    quiet: bool = False,
) -> TrainingResult:
    """Train; when ``folder`` holds a checkpoint of an interrupted run, go on from it."""
    trainer = build_sft_trainer(model, tokenizer, rows, settings, folder, quiet=quiet)
    return run_trainer(trainer, folder, resume)


@contextmanager
def quietly(quiet: bool = True) -> Iterator[None]:
    """Hide the progress bars of datasets and the notices of transformers while a trainer is built or runs."""
    import datasets
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), datasets.utils.are_progress_bars_disabled()
    if quiet:
        logging.set_verbosity_error()
        datasets.disable_progress_bars()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if quiet and not bars:
            datasets.enable_progress_bars()


def run_trainer(trainer: Any, folder: Path, resume: bool = True) -> TrainingResult:
    """Run a trl trainer from its last checkpoint (if any) to its end."""
    from transformers.trainer_utils import get_last_checkpoint

    checkpoint = get_last_checkpoint(str(folder)) if resume and Path(folder).exists() else None
    start = time.perf_counter()
    with quietly(trainer.args.disable_tqdm):
        trainer.train(resume_from_checkpoint=checkpoint)
    seconds = time.perf_counter() - start
    trainer.model.eval()
    return TrainingResult(trainer.model, trainer.state.log_history, seconds)


def rows_for(
    profile: Profile,
    tokenizer: PreTrainedTokenizerBase,
    dialogues: Sequence[Dialogue],
    examples: Mapping[str, Sequence[Example]] | None = None,
) -> list[dict[str, str]]:
    """Training rows in the profile's template, each closed with the tokenizer's end token."""
    return training_rows(dialogues, template_of(profile, tokenizer), tokenizer.eos_token, examples)


def read_neighbours(path: Path, dialogues: Sequence[Dialogue]) -> dict[str, list[Example]]:
    """Examples of training rows from the file that ``python -m ohlora.rag.dialogue_examples`` writes: id → examples.

    Raises:
        ValueError: no such file.
    """
    if not path.is_file():
        raise ValueError(f"neighbours file {path} does not exist; run: python -m ohlora.rag.dialogue_examples")
    by_id = {dialogue.id: dialogue.example for dialogue in dialogues}
    return {
        name: [by_id[one] for one in near if one in by_id] for name, near in json.loads(path.read_text("utf-8")).items()
    }


def train_and_save(
    profile: Profile | str,
    settings: SftSettings,
    lora: LoraSettings,
    output: Path,
    command: str,
    resume: bool = True,
    neighbours: Path | None = None,
) -> tuple[TrainingResult, Backend]:
    """The whole of notebook 12's training: load, train on the training families, score the loss, save.

    Args:
        neighbours: see read_neighbours; None: no row has examples.
    """
    profile = load_profile(profile)
    training, held_out = split_dialogues(load_dialogues())
    model, tokenizer, backend = load_trainable(profile, lora, settings.seed)
    print(f"back-end {backend.name}: {backend.reason}")
    examples = read_neighbours(neighbours, training) if neighbours else {}
    rows, held_out_rows = rows_for(profile, tokenizer, training, examples), rows_for(profile, tokenizer, held_out)
    folder = outputs_folder() / "training" / Path(output).stem
    sample = held_out_rows[:: max(1, len(held_out_rows) // 64)]
    trainer = build_sft_trainer(model, tokenizer, rows, settings, folder, sample)
    before = trainer.evaluate()["eval_loss"]
    result = run_trainer(trainer, folder, resume)
    after = trainer.evaluate()["eval_loss"]
    card = {
        "data": f"data/dialogues: {len(rows)} rows of {len({row.family for row in training})} families "
        f"({len(examples)} beside examples); "
        f"held out {len(held_out_rows)} rows of {len({row.family for row in held_out})} families",
        "seed": settings.seed,
        "command": command,
        "metrics": {
            "held_out_loss_per_token": {"value": after, "n": len(sample), "baseline_base_model": before},
            "training_seconds": result.seconds,
            "training_loss": [(row["step"], round(row["loss"], 4)) for row in result.history if "loss" in row],
        },
        "licence": _licence(profile.llm.model),
        "settings": asdict(settings),
        "backend": backend.name,
    }
    save_adapter(result.model, lora, output, profile.llm.model, card)
    return result, backend


def _licence(model: str) -> str:
    if model in PACKAGED_MODELS:
        return f"{PACKAGED_MODELS[model].licence} (a derivative of {model}); dialogues Apache-2.0"
    return f"that of {model}; dialogues Apache-2.0"


def main() -> None:
    """Command line: see the module's first lines."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", default="embedded")
    parser.add_argument("--output", type=Path, default=None, help="default: outputs/weights/<llm.adapter>.safetensors")
    parser.add_argument("--epochs", type=float, default=SftSettings.epochs)
    parser.add_argument("--max-steps", type=int, default=0, help="stop after so many steps; 0: run all epochs")
    parser.add_argument("--batch-size", type=int, default=SftSettings.batch_size)
    parser.add_argument("--learning-rate", type=float, default=SftSettings.learning_rate)
    parser.add_argument("--rank", type=int, default=LoraSettings.rank)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--neighbours", type=Path, default=None, help="examples beside rows: see rag.dialogue_examples")
    parser.add_argument("--threads", type=int, default=1, help="of the CPU; two pay only where nothing else runs")
    parser.add_argument("--restart", action="store_true", help="do not go on from an interrupted run's checkpoint")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    profile = load_profile(given.profile)
    output = given.output or outputs_folder() / "weights" / f"{profile.llm.adapter}.safetensors"
    settings = SftSettings(given.epochs, given.max_steps, given.batch_size, given.learning_rate, seed=given.seed)
    lora = LoraSettings(rank=given.rank, alpha=2 * given.rank)
    command = (
        f"python -m ohlora.llm.sft --profile {profile.name} --epochs {given.epochs:g} --batch-size {given.batch_size} "
        f"--learning-rate {given.learning_rate:g} --rank {given.rank} --seed {given.seed}"
        + (f" --neighbours {given.neighbours}" if given.neighbours else "")
    )
    result, _ = train_and_save(profile, settings, lora, output, command, not given.restart, given.neighbours)
    print(f"saved {output} after {result.seconds / 60:.1f} minutes")


if __name__ == "__main__":
    main()
