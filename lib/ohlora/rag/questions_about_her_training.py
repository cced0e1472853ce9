"""Teach what is asked about her (minutes, after every training of the reader of messages or of the network of intents).

python -m ohlora.rag.questions_about_her_training --output outputs/weights/questions_about_her.safetensors

data/persona/talk_questions.jsonl holds messages, what she said before each, and the fact about her that it asks for.
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
from ohlora.rag.intent_network import load_intent_network
from ohlora.rag.intents import act_of_intent, load_intent_messages
from ohlora.rag.marked_messages import questions_about_her
from ohlora.rag.message_reader import load_message_reader
from ohlora.rag.questions_about_her import ASKED, WEIGHTS, QuestionHead, QuestionsAboutHer, all_facts
from ohlora.weights import save_weights

_FOLDS = 3
_OTHER_MESSAGES = 6000  # of data/answers/messages.jsonl, which ask nothing about her
_MAY_ASK_ABOUT_HER = {"about_her", "asks_task"}  # acts whose messages may


@dataclass(frozen=True)
class Question:
    """A message, what she said before it ("": nothing), and the fact about her that it asks for ("": none).

    talk: number of the talk that it is from; None: it was written alone.
    """

    message: str
    before: str
    fact: str
    talk: int | None = None


@dataclass(frozen=True)
class TrainingSettings:
    """How to train."""

    epochs: int = 10
    batch_size: int = 128
    rate: float = 2e-3
    weight_decay: float = 1.0
    seed: int = 0


def load_questions(seed: int = 0) -> list[Question]:
    """What teaches: data/persona/talk_questions.jsonl, questions.jsonl beside it, and messages about other things."""
    with (DATA / "persona" / "talk_questions.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    talks = [Question(row["message"], row["she"], row["fact"], row.get("talk")) for row in rows]
    known = {one.message for one in talks}
    other = [
        message
        for message, intent in zip(*load_intent_messages(), strict=True)
        if act_of_intent()[intent] not in _MAY_ASK_ABOUT_HER and message not in known
    ]
    return [
        *talks,
        *(Question(row.message, row.before, row.about_her) for row in questions_about_her()),
        *(Question(message, "", "") for message in random.Random(seed).sample(other, _OTHER_MESSAGES)),
    ]


def train_question_head(features: torch.Tensor, wanted: torch.Tensor, settings: TrainingSettings) -> QuestionHead:
    """Fit. features: (n, features), see QuestionsAboutHer. wanted: int64 (n,), 0: no fact, else number of it + 1."""
    seed_everything(settings.seed)
    head = QuestionHead(features.shape[1], len(all_facts()))
    head.mean, head.deviation = features.mean(dim=0), features.std(dim=0)
    optimiser = torch.optim.AdamW(head.parameters(), settings.rate, weight_decay=settings.weight_decay)
    steps = settings.epochs * max(1, len(features) // settings.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.rate, total_steps=max(2, steps))
    head.train()
    for _ in tqdm(range(steps), desc="teach what is asked about her", disable=None):
        batch = torch.randint(len(features), (settings.batch_size,))
        loss = cross_entropy(head(features[batch]), wanted[batch])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return head.eval()


def question_metrics(probabilities: np.ndarray, wanted: np.ndarray) -> dict[str, float]:
    """How well it is known what is asked.

    Args:
        probabilities: (n, 1 + facts). wanted: int (n,).

    Returns:
        precision: of those that seem to ask for a fact, how many ask for it. recall: of those that ask for one, how
        many are understood so. asked: how many ask for one. false_alarms: share of the others that seem to. n.
    """
    best = np.where(probabilities.max(axis=1) >= ASKED, probabilities.argmax(axis=1), 0)
    right, asks = (best == wanted) & (wanted > 0), wanted > 0
    return {
        "precision": float(right.sum() / max(1, (best > 0).sum())),
        "recall": float(right.sum() / max(1, asks.sum())),
        "asked": int(asks.sum()),
        "false_alarms": float((best[~asks] > 0).mean()),
        "n": len(wanted),
    }


@torch.no_grad()
def out_of_fold(
    features: torch.Tensor, wanted: torch.Tensor, talks: Sequence[int | None], settings: TrainingSettings
) -> dict[str, float]:
    """question_metrics on messages of talks that were not trained on; what was written alone teaches every time."""
    fold = np.array([-1 if talk is None else talk % _FOLDS for talk in talks])
    found = np.zeros((len(fold), 1 + len(all_facts())), np.float32)
    for number in range(_FOLDS):
        rest, asked = torch.from_numpy(fold != number), torch.from_numpy(fold == number)
        with torch.enable_grad():
            head = train_question_head(features[rest], wanted[rest], settings)
        found[fold == number] = head(features[asked]).softmax(dim=1).numpy()
    return question_metrics(found[fold >= 0], wanted.numpy()[fold >= 0])


def main() -> None:
    """Command line: score out of fold, train on all, and write the weight file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=outputs_folder() / "weights" / f"{WEIGHTS}.safetensors")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    settings, facts = TrainingSettings(seed=given.seed), list(all_facts())
    questions = sorted(load_questions(), key=lambda one: len(one.before + one.message))  # of like length, a batch
    reader = load_message_reader(given.threads)
    empty = QuestionsAboutHer(reader, load_intent_network(), QuestionHead(1, 0), facts)
    steps = tqdm(range(0, len(questions), 512), desc="read", disable=None)
    asked = [(one.message, one.before) for one in questions]
    features = torch.cat([empty.features(asked[start : start + 512]) for start in steps])
    wanted = torch.tensor([["", *facts].index(one.fact) for one in questions])
    card = {
        "data": f"{len(questions)} messages of data/persona and data/answers; scores on talks that taught nothing",
        "seed": settings.seed,
        "command": f"python -m ohlora.rag.questions_about_her_training --seed {given.seed}",
        "metrics": out_of_fold(features, wanted, [one.talk for one in questions], settings),
        "licence": "Gemma Terms of Use and MIT: what Gemma 3 270M and multilingual-e5-small make of messages is in it",
        "settings": asdict(settings),
        "reader": reader.name,
        "facts": facts,
    }
    head = train_question_head(features, wanted, settings)
    tensors = {name: tensor.half() for name, tensor in head.state_dict().items()}
    print(save_weights(given.output, tensors, card), card["metrics"])


if __name__ == "__main__":
    main()
