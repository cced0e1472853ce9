"""Did KTO help? The same held-out prompts, the same seeds, before and after, beside an A/A run.

python -m ohlora.evaluation.kto --rows 80
"""

from __future__ import annotations

import argparse
import json
import os
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from ohlora.config import PRETRAINED, load_profile
from ohlora.evaluation.llm import memory_scores, score_dialogues
from ohlora.llm.dialogues import Dialogue, load_dialogues, split_dialogues
from ohlora.llm.generation import Sampling, load_llm
from ohlora.llm.kto import WILD
from ohlora.rag import load_dialogue_examples, load_embedder
from ohlora.weights import load_weights


def sampled_scores(adapter: str, dialogues: Sequence[Dialogue], profile: str, sampling: Sampling) -> pd.DataFrame:
    """score_dialogues beside examples, one seed a row (sampling.seed + row number), written freely (no grammar)."""
    llm = load_llm(profile, adapter=adapter, slots=8)
    samplings = [replace(sampling, seed=(sampling.seed or 0) + number) for number in range(len(dialogues))]
    examples = load_dialogue_examples(profile, load_embedder(profile))
    return score_dialogues(llm, dialogues, samplings, None, tqdm, examples)


def kto_report(profile: str, kto_adapter: str, rows: int, seed: int = 0, temperature: float = 0.8) -> dict:
    """Score the SFT adapter twice (two seeds: A/A) and the KTO adapter on held-out dialogues.

    Returns:
        ``held_out``: one entry a dialogue, whether each answer breaks a rule; ``elsewhere``: other scores.
    """
    _, held_out = split_dialogues(load_dialogues())
    chosen = random.Random(seed).sample(held_out, min(rows, len(held_out)))
    sampling = replace(WILD, temperature=temperature, max_tokens=64, seed=10_000 + seed)
    adapter = load_profile(profile).llm.adapter
    runs = {
        "sft": sampled_scores(adapter, chosen, profile, sampling),
        "sft_other_seed": sampled_scores(adapter, chosen, profile, replace(sampling, seed=20_000 + seed)),
        "kto": sampled_scores(kto_adapter, chosen, profile, sampling),
    }
    _, card = load_weights(kto_adapter)
    broken = pd.DataFrame({name: scores["broken_rules"].map(bool).astype(int) for name, scores in runs.items()})
    elsewhere = {
        name: {
            "expression_accuracy": float(scores["expression_right"].mean()),
            "language_kept": float(scores["language_kept"].mean()),
            "memory_f1": memory_scores(scores)["f1"],
            "false_store": memory_scores(scores)["false_store"],
            "characters": float(scores["characters"].mean()),
        }
        for name, scores in runs.items()
    }
    return {
        "command": card["command"],
        "data": card["data"],
        "settings": card["settings"],
        "sampling": {"temperature": temperature, "seed": seed},
        "held_out": {"id": [dialogue.id for dialogue in chosen], **broken.to_dict("list")},
        "elsewhere": elsewhere,
    }


def main() -> None:
    """Command line: see the module's first lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", default="embedded")
    parser.add_argument("--adapter", default="oh_lora_adapter_kto")
    parser.add_argument("--rows", type=int, default=80)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=PRETRAINED / "oh_lora_kto_report.json")
    given = parser.parse_args()
    report = kto_report(given.profile, given.adapter, given.rows, given.seed)
    temporary = given.output.with_suffix(".tmp")
    temporary.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    os.replace(temporary, given.output)
    frame = pd.DataFrame(report["held_out"]).drop(columns="id")
    print(frame.mean().round(3), pd.DataFrame(report["elsewhere"]).round(3), sep="\n")


if __name__ == "__main__":
    main()
