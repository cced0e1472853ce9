"""Teach which words of a message are worth repeating (minutes, after every training of the reader of messages).

python -m ohlora.rag.mirrored_words_training --output outputs/weights/mirrored_words.safetensors

People marked them in messages of data/answers: ``mirrored``, or "" where repeating would be odd.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence
from tqdm import tqdm

from ohlora.config import DATA, outputs_folder, seed_everything
from ohlora.rag.message_reader import MessageReader, load_message_reader
from ohlora.rag.mirrored_words import SURE, WEIGHTS, MirroredWords, MirroredWordsHead
from ohlora.rag.tagged_words import encode, own_tokens, run_of_words
from ohlora.weights import save_weights

_BATCH = 32


@dataclass(frozen=True)
class MirroredMessage:
    """A message, what she said before it ("": nothing), and the words of it that are worth repeating ("": none)."""

    message: str
    before: str
    words: str


@dataclass(frozen=True)
class TrainingSettings:
    """How to train."""

    epochs: int = 10
    rate: float = 1e-3
    seed: int = 0


@dataclass(frozen=True)
class _Lesson:
    """States (tokens, width) and whole (2 x width) of a message, float16; first and last: of the words, or None."""

    states: torch.Tensor
    whole: torch.Tensor
    own: torch.Tensor
    ends: tuple[int, int] | None


def load_mirrored_messages(held_out: bool = False) -> list[MirroredMessage]:
    """Those that teach; held_out: those of data/answers/talk.jsonl, which test."""
    found = []
    for name in ("talk",) if held_out else ("messages", "second_messages"):
        with (DATA / "answers" / f"{name}.jsonl").open(encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        found += [(row["message"], row.get("she", ""), row["mirrored"]) for row in rows if "mirrored" in row]
    return [MirroredMessage(*row) for row in found]


def train_mirrored_words(
    reader: MessageReader, rows: Sequence[MirroredMessage], settings: TrainingSettings
) -> MirroredWords:
    """Fit the head on the reader's states, which stay as they are."""
    seed_everything(settings.seed)
    lessons = _lessons(reader, rows)
    head = MirroredWordsHead(reader.network.encoder.width).train()
    optimiser = torch.optim.AdamW(head.parameters(), settings.rate, weight_decay=0.05)
    steps = settings.epochs * max(1, len(lessons) // _BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: (steps - step) / steps)
    draw = random.Random(settings.seed)
    for _ in tqdm(range(steps), desc="teach which words to repeat", disable=None):
        loss = _loss(head, draw.sample(lessons, min(_BATCH, len(lessons))))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return MirroredWords(reader, head)


@torch.no_grad()
def _lessons(reader: MessageReader, rows: Sequence[MirroredMessage]) -> list[_Lesson]:
    encoded = [encode(reader.tokenizer, row.message, row.before) for row in rows]
    order = sorted(range(len(rows)), key=lambda row: len(encoded[row].tokens))  # of like length share a batch
    lessons: dict[int, _Lesson] = {}
    for start in tqdm(range(0, len(order), _BATCH), desc="read the messages", disable=None):
        part = order[start : start + _BATCH]
        states, seen = reader.network.states([encoded[row] for row in part])
        whole = reader.network.whole(states, seen)
        for place, row in enumerate(part):
            own = own_tokens(encoded[row])
            ends = run_of_words(encoded[row], rows[row].message, rows[row].words)
            lessons[row] = _Lesson(states[place, : len(own)].half(), whole[place].half(), torch.from_numpy(own), ends)
    return [lessons[row] for row in range(len(rows))]


def _loss(head: MirroredWordsHead, lessons: Sequence[_Lesson]) -> torch.Tensor:
    """Cross-entropy of the first and of the last token; "none" is the token behind all others."""
    states = pad_sequence([one.states.float() for one in lessons], batch_first=True)
    own = pad_sequence([one.own for one in lessons], batch_first=True)
    logits = head(states, torch.stack([one.whole.float() for one in lessons]), own)
    none = (states.shape[1],) * 2
    wanted = torch.tensor([one.ends or none for one in lessons])
    return cross_entropy(logits.flatten(1).view(len(lessons), -1, 2), wanted)


def mirrored_metrics(mirrored: MirroredWords, rows: Sequence[MirroredMessage]) -> dict[str, float]:
    """How often words are repeated (from SURE on); how many of these where somebody marked any, the same, or a part.

    ``marked``: share of all messages with marked words, what repeating anything anywhere would get.
    """
    found = mirrored.find_all([(row.message, row.before) for row in rows])
    said = [(one.words, row.words) for one, row in zip(found, rows, strict=True) if one.probability >= SURE]
    return {
        "repeats": len(said) / len(rows),
        "where_marked": float(np.mean([bool(words) for _, words in said])),
        "overlap": float(np.mean([bool(words) and (words in mine or mine in words) for mine, words in said])),
        "same": float(np.mean([mine == words for mine, words in said])),
        "marked": float(np.mean([bool(row.words) for row in rows])),
        "n": len(rows),
    }


def main() -> None:
    """Command line: train, score on messages that taught nothing, and write the weight file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=outputs_folder() / "weights" / f"{WEIGHTS}.safetensors")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    settings, reader = TrainingSettings(), load_message_reader(given.threads)
    rows = load_mirrored_messages()
    mirrored = train_mirrored_words(reader, rows, settings)
    card = {
        "data": f"{len(rows)} messages of data/answers with marked words; scores on those of talk.jsonl",
        "seed": settings.seed,
        "command": "python -m ohlora.rag.mirrored_words_training",
        "metrics": mirrored_metrics(mirrored, load_mirrored_messages(held_out=True)),
        "licence": "Apache-2.0",
        "reader": reader.name,
        "settings": asdict(settings),
    }
    tensors = {name: one.half() for name, one in mirrored.head.state_dict().items()}
    print(save_weights(given.output, tensors, card), card["metrics"])


if __name__ == "__main__":
    main()
