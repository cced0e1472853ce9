"""Teach which text holds what a question asks for: python -m ohlora.rag.cross_encoder_training (half an hour).

Three sources, all of invented users: data/memory/told.jsonl (what was said in a talk, and asked later in it), what the
users of data/memory/messages.*.jsonl said over days with their questions in training.jsonl, and the memories there.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from tqdm import tqdm

from ohlora.config import DATA, device, outputs_folder, seed_everything
from ohlora.rag.cross_encoder import FROZEN_LAYERS, WEIGHTS, CrossEncoder, CrossEncoderNetwork, encode_pair
from ohlora.rag.e5_model import read_e5
from ohlora.rag.e5_network import padded, training_precision
from ohlora.rag.marked_messages import load_marked_messages
from ohlora.rag.relevance import load_dialogue_questions
from ohlora.rag.tuned_embedder import adapter_and_heads, at_half_rates, go_on_from, with_adapter
from ohlora.weights import load_weights, save_weights

_HELD_OUT = 6  # every sixth talk of told.jsonl is not trained on
_OTHERS = 1  # texts of other users beside a question's own
_MOST_TEXTS = 8  # of a question in a step


@dataclass(frozen=True)
class AskedTexts:
    """A question, the texts among which to look, and which of them holds the answer; None: none does."""

    question: str
    texts: tuple[str, ...]
    answer: int | None


@dataclass(frozen=True)
class TrainingSettings:
    """How to train. alpha of LoRA is twice the rank."""

    epochs: float = 2.0
    questions: int = 8
    adapter_rate: float = 5e-4
    head_rate: float = 1e-3
    rank: int = 16
    seed: int = 0


def load_told(held_out: bool) -> list[AskedTexts]:
    """The questions of data/memory/told.jsonl. held_out: of every sixth talk, or of the others."""
    with (DATA / "memory" / "told.jsonl").open(encoding="utf-8") as file:
        talks = [json.loads(line) for line in file]
    return [
        AskedTexts(one["question"], tuple(talk["said"]), one["at"])
        for number, talk in enumerate(talks)
        if (number % _HELD_OUT == 0) == held_out
        for one in talk["asks"]
    ]


def asked_over_days(split: str) -> list[AskedTexts]:
    """Questions of the users of data/memory/messages.*.jsonl who talk over days, among all that they said.

    Args:
        split: of the questions, see load_dialogue_questions.
    """
    said = defaultdict(list)
    for row in load_marked_messages():
        if row.family.startswith("days_"):
            said[row.family].append(row)
    values = {family: {one.value for row in rows for one in row.operations} for family, rows in said.items()}
    found = []
    for person in load_dialogue_questions(split):
        if "days" not in person["id"]:
            continue
        own = {memory["value"] for memory in person["memories"]}
        rows = said[max(values, key=lambda family: len(values[family] & own))]
        value = {memory["key"]: memory["value"] for memory in person["memories"]}
        for question in person["questions"]:
            wanted = value.get(question["key"])
            places = [place for place, row in enumerate(rows) if wanted in {one.value for one in row.operations}]
            if places or question["key"] is None:
                texts = tuple(row.message for row in rows)
                found.append(AskedTexts(question["question"], texts, places[-1] if places else None))
    return found


def asked_memories(split: str) -> list[AskedTexts]:
    """Questions of data/memory, among the memories of the same user. split: see load_dialogue_questions."""
    found = []
    for person in load_dialogue_questions(split):
        keys = [memory["key"] for memory in person["memories"]]
        lines = tuple(f"{memory['key']}: {memory['value']}" for memory in person["memories"])
        for question in person["questions"]:
            answer = keys.index(question["key"]) if question["key"] else None
            found.append(AskedTexts(question["question"], lines, answer))
    return found


def train_cross_encoder(
    asked: Sequence[AskedTexts], settings: TrainingSettings, start_from: dict[str, torch.Tensor] | None = None
) -> CrossEncoder:
    """Fit adapter and head: of a question's texts, and none of them, the right one is to have the highest logit.

    Args:
        start_from: tensors of a weight file, to go on with.

    Raises:
        WeightsError: that file is of another network.
    """
    seed_everything(settings.seed)
    draw = random.Random(settings.seed)
    encoder, tokenizer = read_e5()
    network = CrossEncoderNetwork(encoder)
    network.encoder = with_adapter(encoder, settings.rank, FROZEN_LAYERS)
    if start_from is not None:
        go_on_from(network, start_from)
    network.to(device())
    adapter = [weight for weight in network.encoder.parameters() if weight.requires_grad]
    heads = [*network.norm.parameters(), *network.head.parameters()]
    optimiser = torch.optim.AdamW(
        [{"params": adapter, "lr": settings.adapter_rate}, {"params": heads, "lr": settings.head_rate}],
        weight_decay=0.01,
    )
    steps = max(1, int(settings.epochs * len(asked) / settings.questions))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: min((step + 1) / 50, (steps - step) / steps))
    everybody = [text for one in asked for text in one.texts]
    order: list[AskedTexts] = []
    network.train()
    for _ in tqdm(range(steps), desc="teach the cross-encoder", disable=None):
        if len(order) < settings.questions:
            order = draw.sample(list(asked), len(asked))
        batch = [_with_others(order.pop(), everybody, draw) for _ in range(min(settings.questions, len(order)))]
        pairs = [encode_pair(tokenizer, one.question, text) for one in batch for text in one.texts]
        with training_precision():
            logits = network(*padded(pairs, network.head.weight.device))
        parts = logits.split([len(one.texts) for one in batch])
        loss = torch.stack([_loss(part, one.answer) for part, one in zip(parts, batch, strict=True)]).mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(adapter, 1.0)
        optimiser.step()
        schedule.step()
    return CrossEncoder(network.cpu(), tokenizer)


def _with_others(one: AskedTexts, everybody: Sequence[str], draw: random.Random) -> AskedTexts:
    """The same question with fewer of its wrong texts, where they are many, and with some of other users."""
    wrong = [text for place, text in enumerate(one.texts) if place != one.answer]
    others = [text for text in draw.sample(everybody, _OTHERS) if text not in one.texts]
    wrong = draw.sample(wrong, min(len(wrong), _MOST_TEXTS - _OTHERS - 1)) + others
    right = () if one.answer is None else (one.texts[one.answer],)
    return AskedTexts(one.question, (*right, *wrong), 0 if right else None)


def _loss(logits: torch.Tensor, answer: int | None) -> torch.Tensor:
    """Cross-entropy over the texts and none of them, whose logit is 0."""
    whole = torch.cat([logits.new_zeros(1), logits])
    return cross_entropy(whole[None], torch.tensor([0 if answer is None else 1 + answer], device=logits.device))


def asking_metrics(cross_encoder: CrossEncoder, asked: Sequence[AskedTexts]) -> dict[str, float]:
    """How often the right text is found.

    Returns:
        first: of the questions with an answer, how often it has the highest logit. given: … and one above 0.
        silent: of those without, how often all logits lie below 0. n, and how many have an answer.
    """
    first, given, silent = [], [], []
    for one in tqdm(asked, desc="ask", disable=None):
        scores = cross_encoder.scores(one.question, one.texts)
        if one.answer is None:
            silent.append(scores.max() < 0)
        else:
            first.append(scores.argmax() == one.answer)
            given.append(first[-1] and scores.max() >= 0)
    means = {name: float(np.mean(rows)) for name, rows in (("first", first), ("given", given), ("silent", silent))}
    return {**means, "n": len(asked), "answered": len(first)}


def main() -> None:
    """Command line: train, score on talks that taught nothing, and write the weight file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=outputs_folder() / "weights" / f"{WEIGHTS}.safetensors")
    parser.add_argument("--epochs", type=float, default=TrainingSettings.epochs)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--start-from", help="name or path of a weight file to go on with, at half of the rates")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    settings = TrainingSettings(epochs=given.epochs)
    start_from, command = None, f"python -m ohlora.rag.cross_encoder_training --epochs {given.epochs:g}"
    if given.start_from:
        settings, (start_from, before) = at_half_rates(settings), load_weights(given.start_from)
        command = f"{before['command']} (on the questions of then); {command} --start-from it"
    asked = [*load_told(held_out=False), *asked_over_days("training"), *asked_memories("training")]
    cross_encoder = train_cross_encoder(asked, settings, start_from)
    cross_encoder.threads = given.threads
    card = {
        "data": f"{len(asked)} questions of data/memory (told.jsonl, messages.*.jsonl with training.jsonl)",
        "seed": settings.seed,
        "command": command,
        "metrics": {"talks_that_taught_nothing": asking_metrics(cross_encoder, load_told(held_out=True))},
        "licence": "MIT: multilingual-e5-small; the adapter is ours (Apache-2.0)",
        "settings": asdict(settings),
        "lora": {"rank": settings.rank, "alpha": 2 * settings.rank},
    }
    print(save_weights(given.output, adapter_and_heads(cross_encoder.network), card), card["metrics"])


if __name__ == "__main__":
    main()
