"""Teach which text holds what a question asks for, and in which words (an hour and a half on two cores).

python -m ohlora.rag.cross_encoder_training

All sources are of invented users: data/memory/told.jsonl (what was said in talks, and asked later), what the users of
data/memory/messages.*.jsonl said over days, with their questions in asked.jsonl and training.jsonl, and the memories of
the latter.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence
from tqdm import tqdm

from ohlora.config import DATA, device, outputs_folder, seed_everything
from ohlora.llm.reply_format import plain_letters
from ohlora.rag.cross_encoder import WEIGHTS, CrossEncoder, CrossEncoderNetwork, encode_pair
from ohlora.rag.e5_model import read_e5
from ohlora.rag.e5_network import padded, training_precision
from ohlora.rag.marked_messages import MarkedMessage, load_marked_messages
from ohlora.rag.relevance import load_dialogue_questions
from ohlora.rag.tagged_words import Encoded, ends_or_none, own_tokens, run_of_words
from ohlora.rag.tuned_embedder import adapter_and_heads, at_half_rates, go_on_from, with_adapter
from ohlora.weights import load_weights, save_weights

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_HELD_OUT = 6  # every sixth talk of told.jsonl is not trained on
_OTHERS = 1  # texts of other users beside a question's own
_MOST_TEXTS = 8  # of a question in a step
_PARTS = 4  # of a step, by length: what is padded costs time


@dataclass(frozen=True)
class AskedTexts:
    """A question, the texts among which to look, and which of them holds the answer; None: none does.

    also: numbers of other texts that hold it as well. words: of the text that answer; "": no words alone do; None:
    nobody marked them.
    """

    question: str
    texts: tuple[str, ...]
    answer: int | None
    also: tuple[int, ...] = ()
    words: str | None = None


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
        _asked(one, talk["said"])
        for number, talk in enumerate(talks)
        if (number % _HELD_OUT == 0) == held_out
        for one in talk["asks"]
    ]


def _asked(row: dict[str, Any], said: Sequence[str]) -> AskedTexts:
    return AskedTexts(row["question"], tuple(said), row["at"], tuple(row.get("also", ())), row.get("words"))


def asked_over_days(split: str) -> list[AskedTexts]:
    """Questions of the users of data/memory/messages.*.jsonl who talk over days, among all that they said.

    Args:
        split: of the questions, see load_dialogue_questions.
    """
    said = _said_over_days()
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


def load_asked() -> list[AskedTexts]:
    """The questions of data/memory/asked.jsonl, among all that their users said over days."""
    said = _said_over_days()
    with (DATA / "memory" / "asked.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [_asked(one, [row.message for row in said[user["family"]]]) for user in rows for one in user["asks"]]


def _said_over_days() -> dict[str, list[MarkedMessage]]:
    """What the users of data/memory/messages.*.jsonl wrote who talk over days, by family, oldest first."""
    said = defaultdict(list)
    for row in load_marked_messages():
        if row.family.startswith("days_"):
            said[row.family].append(row)
    return said


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
    """Fit adapter and heads: of a question's texts, and none of them, the right one is to have the highest logit, and
    in it the first and the last token of the words that answer.

    Args:
        start_from: tensors of a weight file, to go on with.

    Raises:
        WeightsError: that file is of another network.
    """
    seed_everything(settings.seed)
    draw = random.Random(settings.seed)
    encoder, tokenizer = read_e5()
    network = CrossEncoderNetwork(encoder)
    network.encoder = with_adapter(encoder, settings.rank, frozen_layers=0)
    if start_from is not None:
        go_on_from(network, start_from, may_lack=["encoder.", "ends.", "no_words."])
    network.to(device())
    adapter = [weight for weight in network.encoder.parameters() if weight.requires_grad]
    heads = [weight for name, weight in network.named_parameters() if not name.startswith("encoder.")]
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
        pairs = [_Pair.of(tokenizer, one, text) for one in batch for text in one.texts]
        with training_precision():
            logits, words_loss = _logits_and_words_loss(network, pairs)
        parts = logits.split([len(one.texts) for one in batch])
        loss = (
            torch.stack([_loss(part, one.answer) for part, one in zip(parts, batch, strict=True)]).mean() + words_loss
        )
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(adapter, 1.0)
        optimiser.step()
        schedule.step()
    return CrossEncoder(network.cpu(), tokenizer)


@dataclass(frozen=True)
class _Pair:
    """A question and a text as tokens. ends: first and last token of the words that answer, -1: no words alone do;
    None: that is not marked, or the text does not answer.
    """

    encoded: Encoded
    ends: tuple[int, int] | None

    @staticmethod
    def of(tokenizer: Tokenizer, one: AskedTexts, text: str) -> _Pair:
        encoded = encode_pair(tokenizer, one.question, text)
        if one.words is None or one.answer is None or text != one.texts[one.answer]:
            return _Pair(encoded, None)
        return _Pair(encoded, run_of_words(encoded, text, one.words) or (-1, -1))


def _logits_and_words_loss(network: CrossEncoderNetwork, pairs: Sequence[_Pair]) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits of all pairs, float32 (n,), in parts of like length, and the loss of the words that answer."""
    order = np.argsort([len(pair.encoded.tokens) for pair in pairs], kind="stable")
    device = network.head.weight.device
    logits, losses = [], []
    for rows in (part for part in np.array_split(order, _PARTS) if len(part)):
        part = [pairs[row] for row in rows]
        scores, ends, no_words = network(*padded([pair.encoded.tokens for pair in part], device))
        logits.append(scores)
        marked = [row for row, pair in enumerate(part) if pair.ends is not None]
        if marked:
            own = pad_sequence([torch.from_numpy(own_tokens(pair.encoded)) for pair in part], batch_first=True)
            places = ends_or_none(ends, no_words, own.to(device))[marked]
            none = places.shape[1] - 1
            wanted = [[none if place < 0 else place for place in part[row].ends] for row in marked]
            losses.append(cross_entropy(places, torch.tensor(wanted, device=device), reduction="none").mean(dim=1))
    found = torch.cat(logits)[torch.from_numpy(np.argsort(order)).to(device)]
    return found, torch.cat(losses).mean() if losses else found.new_zeros(())


def _with_others(one: AskedTexts, everybody: Sequence[str], draw: random.Random) -> AskedTexts:
    """The same question with fewer of its wrong texts, where they are many, and with some of other users."""
    wrong = [text for place, text in enumerate(one.texts) if place != one.answer and place not in one.also]
    others = [text for text in draw.sample(everybody, _OTHERS) if text not in one.texts]
    wrong = draw.sample(wrong, min(len(wrong), _MOST_TEXTS - _OTHERS - 1)) + others
    right = () if one.answer is None else (one.texts[one.answer],)
    return AskedTexts(one.question, (*right, *wrong), 0 if right else None, words=one.words)


def _loss(logits: torch.Tensor, answer: int | None) -> torch.Tensor:
    """Cross-entropy over the texts and none of them, whose logit is 0."""
    whole = torch.cat([logits.new_zeros(1), logits])
    return cross_entropy(whole[None], torch.tensor([0 if answer is None else 1 + answer], device=logits.device))


def asking_metrics(cross_encoder: CrossEncoder, asked: Sequence[AskedTexts]) -> dict[str, float]:
    """How often the right text is found.

    Returns:
        first: of the questions with an answer, how often it has the highest logit. given: … and one above 0.
        silent: of those without, how often all logits lie below 0. n, and how many have an answer.
        words: of the right texts with marked words, how often these are found, letter by letter; none_needed: of those
        where no words alone answer, how often none are given; marked: how many texts are marked.
    """
    first, given, silent, words, none = [], [], [], [], []
    for one in tqdm(asked, desc="ask", disable=None):
        scores = cross_encoder.scores(one.question, one.texts)
        if one.words is not None and one.answer is not None:
            found = cross_encoder.answering_words(one.question, one.texts[one.answer]).words
            (words if one.words else none).append(plain_letters(found) == plain_letters(one.words))
        if one.answer is None:
            silent.append(scores.max() < 0)
        else:
            first.append(scores.argmax() in (one.answer, *one.also))
            given.append(first[-1] and scores.max() >= 0)
    parts = {"first": first, "given": given, "silent": silent, "words": words, "none_needed": none}
    means = {name: float(np.mean(rows)) for name, rows in parts.items() if rows}
    return {**means, "n": len(asked), "answered": len(first), "marked": len(words) + len(none)}


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
    asked = [*load_told(held_out=False), *load_asked(), *asked_over_days("training"), *asked_memories("training")]
    cross_encoder = train_cross_encoder(asked, settings, start_from)
    cross_encoder.threads = given.threads
    card = {
        "data": f"{len(asked)} questions of data/memory (told, asked and training.jsonl, with messages.*.jsonl)",
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
