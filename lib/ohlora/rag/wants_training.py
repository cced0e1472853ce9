"""Teach what messages want of her: python -m ohlora.rag.wants_training (minutes).

To be run after every training of the reader of messages or of the network of intents, too: it builds on both.
data/answers/wants.jsonl holds messages, what she said before each, and what each wants ("": nothing of these).
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
from tqdm import tqdm

from ohlora.config import DATA, outputs_folder, seed_everything
from ohlora.llm.dialogues import load_dialogues
from ohlora.rag.follow_ups import ANSWERS_HER
from ohlora.rag.intent_network import WEIGHTS as NETWORK
from ohlora.rag.intent_network import load_intent_network
from ohlora.rag.intents import act_of_intent, load_intent_messages
from ohlora.rag.marked_messages import asked_in_talks, questions_about_her
from ohlora.rag.message_lessons import after_any_line, training_messages
from ohlora.rag.message_reader import load_message_reader
from ohlora.rag.wants import ASKS_TOLD, CLEAR, WEIGHTS, Wants, WantsHead, all_wants, beside_answers, is_about_her
from ohlora.weights import load_weights, save_weights

_FOLDS = 3
_OTHER_MESSAGES = 6000  # of data/answers/messages.jsonl, which want nothing of these
_MAY_WANT = {
    "about_her", "asks_advice", "asks_fact", "asks_opinion", "asks_task", "declines", "teases", "torn", "unsure",
    "worried",
}  # acts whose messages may  # fmt: skip


@dataclass(frozen=True)
class WantingMessage:
    """A message, what she said before it ("": nothing), and what it wants ("": nothing of these).

    talk: number of the talk that it is from; None: it was written alone.
    """

    message: str
    before: str
    want: str
    talk: int | None = None


@dataclass(frozen=True)
class TrainingSettings:
    """How to train."""

    epochs: int = 10
    batch_size: int = 128
    rate: float = 2e-3
    weight_decay: float = 1.0
    seed: int = 0


def load_wanting_messages(seed: int = 0) -> list[WantingMessage]:
    """What teaches: data/answers/wants.jsonl, questions about her and for what was told, and messages without wants."""
    with (DATA / "answers" / "wants.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    talks = [WantingMessage(row["message"], row["she"], row["want"], row.get("talk")) for row in rows]
    known = {one.message for one in talks}
    other = [
        message
        for message, intent in zip(*load_intent_messages(), strict=True)
        if act_of_intent()[intent] not in _MAY_WANT and message not in known
    ]
    return [
        *talks,
        *(WantingMessage(row.message, row.before, row.about_her) for row in questions_about_her()),
        *(WantingMessage(row.message, row.before, ASKS_TOLD) for row in training_messages() if row.kind == "asks"),
        *(
            WantingMessage(row.message, row.before, ASKS_TOLD if row.kind == "asks" else "")
            for row in after_any_line(asked_in_talks(), load_dialogues(), random.Random(seed))
        ),
        *(WantingMessage(message, "", "") for message in random.Random(seed).sample(other, _OTHER_MESSAGES)),
    ]


def train_wants_head(features: torch.Tensor, wanted: torch.Tensor, settings: TrainingSettings) -> WantsHead:
    """Fit. features: (n, features), see Wants. wanted: int64 (n,), 0: nothing, else the number of the want + 1."""
    seed_everything(settings.seed)
    head = WantsHead(features.shape[1], len(all_wants()))
    head.mean, head.deviation = features.mean(dim=0), features.std(dim=0)
    optimiser = torch.optim.AdamW(head.parameters(), settings.rate, weight_decay=settings.weight_decay)
    steps = settings.epochs * max(1, len(features) // settings.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.rate, total_steps=max(2, steps))
    head.train()
    for _ in tqdm(range(steps), desc="teach what messages want", disable=None):
        batch = torch.randint(len(features), (settings.batch_size,))
        loss = cross_entropy(head(features[batch]), wanted[batch])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return head.eval()


def want_metrics(probabilities: np.ndarray, wanted: np.ndarray) -> dict[str, float]:
    """How well it is known what is wanted.

    Args:
        probabilities: (n, 1 + wants). wanted: int (n,), see train_wants_head.

    Returns:
        precision: of those that seem to want something, how many want just that. recall: of those that want something,
        how many are understood so. wanting: how many do. false_alarms: share of the others that seem to. n.
    """
    best = np.where(probabilities.max(axis=1) >= CLEAR, probabilities.argmax(axis=1), 0)
    right, wanting = (best == wanted) & (wanted > 0), wanted > 0
    return {
        "precision": float(right.sum() / max(1, (best > 0).sum())),
        "recall": float(right.sum() / max(1, wanting.sum())),
        "wanting": int(wanting.sum()),
        "false_alarms": float((best[~wanting] > 0).mean()),
        "n": len(wanted),
    }


@torch.no_grad()
def out_of_fold(
    features: torch.Tensor, wanted: torch.Tensor, talks: Sequence[int | None], settings: TrainingSettings
) -> dict[str, dict[str, float]]:
    """want_metrics on messages of talks that were not trained on; what was written alone teaches every time.

    Returns:
        Of all wants but a mere answer to what she asked, and of those about her alone (what wants something else counts
        as wanting nothing).
    """
    fold = np.array([-1 if talk is None else talk % _FOLDS for talk in talks])
    found = np.zeros((len(fold), 1 + len(all_wants())), np.float32)
    for number in range(_FOLDS):
        rest, asked = torch.from_numpy(fold != number), torch.from_numpy(fold == number)
        with torch.enable_grad():
            head = train_wants_head(features[rest], wanted[rest], settings)
        found[fold == number] = head(features[asked]).softmax(dim=1).numpy()
    found, right = beside_answers(found[fold >= 0]), wanted.numpy()[fold >= 0]
    right = np.where(right == 1 + all_wants().index(ANSWERS_HER), 0, right)
    about_her = np.array([True, *map(is_about_her, all_wants())])
    return {
        "all": want_metrics(found, right),
        "about_her": want_metrics(found * about_her, np.where(about_her[right], right, 0)),
    }


def main() -> None:
    """Command line: score out of fold, train on all, and write the weight file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=outputs_folder() / "weights" / f"{WEIGHTS}.safetensors")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    settings, names = TrainingSettings(seed=given.seed), list(all_wants())
    messages = sorted(load_wanting_messages(), key=lambda one: len(one.before + one.message))  # of like length, a batch
    reader = load_message_reader(given.threads)
    looking = Wants(reader, load_intent_network(), WantsHead(1, 0), names)
    steps = tqdm(range(0, len(messages), 512), desc="read", disable=None)
    pairs = [(one.message, one.before) for one in messages]
    features = torch.cat([looking.features(pairs[start : start + 512]) for start in steps])
    wanted = torch.tensor([["", *names].index(one.want) for one in messages])
    card = {
        "data": f"{len(messages)} messages of data/answers, data/memory and data/persona; "
        "scores on talks that taught nothing",
        "seed": settings.seed,
        "command": f"python -m ohlora.rag.wants_training --seed {given.seed}",
        "metrics": out_of_fold(features, wanted, [one.talk for one in messages], settings),
        "licence": "Gemma Terms of Use and MIT: what Gemma 3 270M and multilingual-e5-small make of messages is in it",
        "settings": asdict(settings),
        "reader": reader.name,
        "network": load_weights(NETWORK)[1]["sha256"],
        "wants": names,
    }
    head = train_wants_head(features, wanted, settings)
    tensors = {name: tensor.half() for name, tensor in head.state_dict().items()}
    print(save_weights(given.output, tensors, card), card["metrics"])


if __name__ == "__main__":
    main()
