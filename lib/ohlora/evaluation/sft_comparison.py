"""What should be trained? Ranks, layers, every weight, one adapter a task: the same rows, steps and seed for all.

    python -m ohlora.evaluation.sft_comparison --steps 60

Each way starts from the base model and trains on the same dialogues in the same order. The score is the loss on
held-out families (nats a row, over the whole vocabulary), apart for the three lines that she writes: expression, reply
and memory. A way that learns one task only writes that line straight after the prompt. An interrupted comparison goes
on with the next way.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ohlora.config import load_profile, outputs_folder
from ohlora.llm.adapter import LoraSettings, add_lora
from ohlora.llm.dialogues import Dialogue, load_dialogues, split_dialogues
from ohlora.llm.model_files import load_base_model
from ohlora.llm.sft import SftSettings, build_sft_trainer, rows_for

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

LINES = ("expression", "reply", "memory")
_ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
_FEED_FORWARD = ("gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True)
class Way:
    """What is trained. lora: None trains every weight but the embeddings. lines: those of LINES that are learned."""

    lora: LoraSettings | None
    learning_rate: float = 5e-4
    lines: tuple[str, ...] = LINES


WAYS = {
    "LoRA, rank 16, every layer": Way(LoraSettings()),
    "rank 4": Way(LoraSettings(rank=4, alpha=8)),
    "rank 64": Way(LoraSettings(rank=64, alpha=128)),
    "attention only": Way(LoraSettings(target_modules=_ATTENTION)),
    "feed-forward only": Way(LoraSettings(target_modules=_FEED_FORWARD)),
    "every weight": Way(None, 5e-5),
    "every weight, faster": Way(None, 2e-4),
    "expression and reply only": Way(LoraSettings(), lines=LINES[:2]),
    "memory only": Way(LoraSettings(), lines=LINES[2:]),
}


def rows_of_lines(rows: Sequence[dict[str, str]], lines: Sequence[str]) -> list[dict[str, str]]:
    """prompt/completion rows whose completion holds the given lines only; the end token belongs to the last one."""
    kept = []
    for row in rows:
        pieces = row["completion"].splitlines(keepends=True)
        chosen = "".join(piece for name, piece in zip(LINES, pieces, strict=True) if name in lines)
        kept.append({"prompt": row["prompt"], "completion": chosen})
    return kept


@torch.no_grad()
def loss_of_lines(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[dict[str, str]],
    lines: Sequence[str],
    batch: int = 8,
) -> dict[str, float]:
    """Mean cross-entropy a row, in nats, of each line given all that stands before it.

    Args:
        rows: from rows_of_lines. lines: those that the completions hold. batch: rows at once.
    """
    model.eval()
    totals = dict.fromkeys(lines, 0.0)
    for start in range(0, len(rows), batch):
        some = rows[start : start + batch]
        texts = [row["prompt"] + row["completion"] for row in some]
        encoded = tokenizer(texts, return_tensors="pt", padding=True, padding_side="right", return_offsets_mapping=True)
        with torch.autocast("cpu", torch.bfloat16):
            states = model.base_model(encoded["input_ids"], attention_mask=encoded["attention_mask"]).last_hidden_state
        for number, row in enumerate(some):
            places = _line_of_tokens(row, encoded["offset_mapping"][number], lines)
            chosen = [place for place, line in enumerate(places) if line is not None]
            logits = model.lm_head(states[number, [place - 1 for place in chosen]].to(model.lm_head.weight.dtype))
            losses = torch.nn.functional.cross_entropy(
                logits.float(), encoded["input_ids"][number, chosen], reduction="none"
            )
            for place, loss in zip(chosen, losses.tolist(), strict=True):
                totals[places[place]] += loss
    return {line: total / len(rows) for line, total in totals.items()}


def _line_of_tokens(row: dict[str, str], offsets: torch.Tensor, lines: Sequence[str]) -> list[str | None]:
    """The line that each token belongs to; None for the prompt and the padding."""
    begin = len(row["prompt"])
    ends, at = [], begin
    for piece in row["completion"].splitlines(keepends=True):
        at += len(piece)
        ends.append(at)
    found: list[str | None] = []
    for first, last in offsets.tolist():
        outside = last <= begin or first == last
        found.append(None if outside else lines[next(i for i, end in enumerate(ends) if first < end)])
    return found


def compare(
    ways: dict[str, Way],
    training: Sequence[Dialogue],
    held_out: Sequence[Dialogue],
    settings: SftSettings,
    profile: str = "embedded",
    done: dict[str, Any] | None = None,
) -> dict[str, dict[str, Any]]:
    """Train every way and score it.

    Args:
        ways: name → way. training, held_out: dialogues. settings: the same for all but the learning rate.
        profile: whose base model. done: table to add to; its ways are not trained again.

    Returns:
        name → trained (number of weights), processor_seconds, and the loss of each line that it learned; "base model"
        is the floor.
    """
    given = load_profile(profile)
    table = {} if done is None else done
    for name, way in {"base model": None, **ways}.items():
        if name in table:
            continue
        model, tokenizer = load_base_model(given)
        lines, seconds, trained = (way.lines if way else LINES), 0.0, 0
        if way is not None:
            if way.lora is None:
                model.float()  # steps this small would vanish in bfloat16
                model.requires_grad_(True).get_input_embeddings().requires_grad_(False)
            else:
                torch.manual_seed(settings.seed)
                model = add_lora(model, way.lora)
            trained = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
            rows = rows_of_lines(rows_for(given, tokenizer, training), lines)
            own = replace(settings, learning_rate=way.learning_rate, save_steps=10**9)
            with tempfile.TemporaryDirectory() as folder:
                start = time.process_time()
                build_sft_trainer(model, tokenizer, rows, own, Path(folder), quiet=True).train()
                seconds = time.process_time() - start
        network = model.get_base_model() if hasattr(model, "get_base_model") else model
        losses = loss_of_lines(network, tokenizer, rows_of_lines(rows_for(given, tokenizer, held_out), lines), lines)
        table[name] = {"trained": trained, "processor_seconds": round(seconds), **losses}
        print(name, json.dumps(table[name]), flush=True)
    return table


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", default="embedded")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--held-out", type=int, default=150, help="dialogues to score on")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, default=outputs_folder() / "pretrained" / "sft_comparison.json")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    training, held_out = split_dialogues(load_dialogues())
    chosen = torch.randperm(len(held_out), generator=torch.Generator().manual_seed(given.seed))[: given.held_out]
    held_out = [held_out[number] for number in sorted(chosen.tolist())]
    settings = SftSettings(
        max_steps=given.steps, batch_size=given.batch_size, warmup_steps=max(1, given.steps // 10), seed=given.seed
    )
    card = {
        "command": f"python -m ohlora.evaluation.sft_comparison --profile {given.profile} --steps {given.steps} "
        f"--batch-size {given.batch_size} "
        f"--held-out {given.held_out} --seed {given.seed}",
        "seed": given.seed,
        "rows_seen": given.steps * given.batch_size,
        "held_out": len(held_out),
        "ways": {},
    }
    if given.output.is_file():
        stored = json.loads(given.output.read_text(encoding="utf-8"))
        if stored["command"] == card["command"]:
            card["ways"] = stored["ways"]
    for name in WAYS:
        compare({name: WAYS[name]}, training, held_out, settings, given.profile, card["ways"])
        temporary = given.output.with_suffix(".tmp")
        temporary.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
        os.replace(temporary, given.output)


if __name__ == "__main__":
    main()
