"""Teach which of her answers are good: python -m ohlora.rag.answer_ranking_training (five minutes).

data/answers/marked.jsonl holds messages, in the middle of a talk with what was said before, and some nine answers to
each that language models, as judges, marked as good or poor.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits
from tqdm import tqdm

from ohlora.config import DATA, outputs_folder, seed_everything
from ohlora.rag.answer_ranking import WEIGHTS, WIDTH, AnswerRanking, fingerprint, opinions_of
from ohlora.rag.intent_network import load_intent_network
from ohlora.rag.intent_regression import IntentRegression, load_intent_regression
from ohlora.rag.intents import GeneralAnswer, act_of_intent, heard_together, read_general_answers
from ohlora.weights import save_weights

_COMPONENTS = 64  # of what the network of intents makes of an answer
_FOLDS = 3


@dataclass(frozen=True)
class MarkedAnswers:
    """A message, the user's one before it ("": none), and answers to it that are good and poor."""

    message: str
    before: str
    good: tuple[str, ...]
    poor: tuple[str, ...]


@dataclass(frozen=True)
class TrainingSettings:
    """How to train. listwise: weight of the second part of the loss."""

    epochs: int = 15
    batch_size: int = 64
    rate: float = 2e-3
    weight_decay: float = 1.0
    dropout: float = 0.4
    listwise: float = 0.3
    seed: int = 0


@dataclass(frozen=True)
class Lessons:
    """What teaches: opinions (n, 2 x intents), rows of the answers (n, k), good (n, k) and used (n, k), bool."""

    opinions: torch.Tensor
    rows: torch.Tensor
    good: torch.Tensor
    used: torch.Tensor

    def part(self, chosen: np.ndarray) -> Lessons:
        """Some of them. chosen: bool (n,)."""
        some = torch.from_numpy(chosen)
        return Lessons(self.opinions[some], self.rows[some], self.good[some], self.used[some])


class _Answers(nn.Module):
    """A vector and a bias of each answer: from its words and from what it is an answer to."""

    def __init__(self, answers: Sequence[GeneralAnswer], words: torch.Tensor, dropout: float) -> None:
        super().__init__()
        names = sorted({answer.intent for answer in answers})
        self.register_buffer("words", words)
        self.register_buffer("name", torch.tensor([names.index(answer.intent) for answer in answers]))
        self.of_words = nn.Linear(words.shape[1], WIDTH)
        self.of_name = nn.Embedding(len(names), WIDTH)
        nn.init.normal_(self.of_name.weight, std=0.1)
        self.bias, self.dropout = nn.Linear(WIDTH, 1), nn.Dropout(dropout)

    def forward(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Vectors (answers, WIDTH) and biases (answers,)."""
        vectors = 0.3 * self.of_words(self.dropout(self.words)) + self.of_name(self.name)
        return vectors, self.bias(vectors)[:, 0]


def load_marked_answers() -> list[MarkedAnswers]:
    """The rows of data/answers/marked.jsonl."""
    with (DATA / "answers" / "marked.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [MarkedAnswers(row["message"], row["before"], tuple(row["good"]), tuple(row["poor"])) for row in rows]


def lessons_of(
    marked: Sequence[MarkedAnswers], answers: Sequence[GeneralAnswer], regression: IntentRegression
) -> Lessons:
    """What marked answers teach; answers that are no more among hers are left out."""
    row_of = {answer.reply: row for row, answer in enumerate(answers)}
    alone = regression.together([one.message for one in marked])
    together = regression.together(
        [heard_together(one.before, one.message) if one.before else one.message for one in marked]
    )
    longest = max(len(one.good) + len(one.poor) for one in marked)
    rows = torch.zeros(len(marked), longest, dtype=torch.long)
    good, used = torch.zeros(len(marked), longest), torch.zeros(len(marked), longest, dtype=torch.bool)
    for number, one in enumerate(marked):
        said = [(reply, is_good) for replies, is_good in ((one.good, 1.0), (one.poor, 0.0)) for reply in replies]
        for place, (reply, is_good) in enumerate((reply, is_good) for reply, is_good in said if reply in row_of):
            rows[number, place], good[number, place], used[number, place] = row_of[reply], is_good, True
    return Lessons(opinions_of(alone, together), rows, good, used)


def words_of(answers: Sequence[GeneralAnswer]) -> torch.Tensor:
    """Principal components of what the network of intents makes of each answer, float32 (answers, _COMPONENTS)."""
    from sklearn.decomposition import PCA

    features = load_intent_network().meanings([answer.reply for answer in answers])
    components = PCA(_COMPONENTS, random_state=0).fit_transform(features.clip(-8, 8))
    return torch.from_numpy(components / components.std(axis=0)).float()


def train_answer_ranking(
    answers: Sequence[GeneralAnswer], words: torch.Tensor, lessons: Lessons, settings: TrainingSettings
) -> AnswerRanking:
    """Fit. words: see words_of."""
    seed_everything(settings.seed)
    ranking = AnswerRanking(answers, settings.dropout)
    of_answers = _Answers(answers, words, settings.dropout)
    weights = [*ranking.parameters(), *of_answers.parameters()]
    optimiser = torch.optim.AdamW(weights, settings.rate, weight_decay=settings.weight_decay)
    steps = settings.epochs * (len(lessons.rows) // settings.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.rate, max(2, steps))
    for _ in tqdm(range(steps), desc="teach which answers are good", disable=None):
        batch = torch.randint(len(lessons.rows), (settings.batch_size,))
        used, good = lessons.used[batch], lessons.good[batch]
        logits = ranking(lessons.opinions[batch], lessons.rows[batch], *of_answers())
        loss = binary_cross_entropy_with_logits(logits[used], good[used])
        # Listwise: of all answers to a message the good ones are to have the largest share (softmax).
        shares = logits.masked_fill(~used, -1e9).log_softmax(dim=1)
        of_good = shares.masked_fill(good < 0.5, -1e9).logsumexp(dim=1)[good.any(dim=1)]
        loss = loss - settings.listwise * of_good.mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        ranking.answers, ranking.bias = of_answers.eval()()
    return ranking.eval()


def ranking_metrics(scores: np.ndarray, lessons: Lessons) -> dict[str, float]:
    """How often the first of the marked answers of a message is good.

    Args:
        scores: (n, k).

    Returns:
        that share, beside the share of all marked answers that are good, and of the messages where any is; and n.
    """
    good, used = lessons.good.numpy(), lessons.used.numpy()
    first = np.where(used, scores, -np.inf).argmax(axis=1)
    return {
        "first_is_good": float(good[np.arange(len(good)), first].mean()),
        "good": float(good[used].mean()),
        "any_is_good": float(good.max(axis=1).mean()),
        "n": len(good),
    }


@torch.no_grad()
def _all_scores(ranking: AnswerRanking, lessons: Lessons) -> np.ndarray:
    return ranking(lessons.opinions, lessons.rows, ranking.answers, ranking.bias).numpy()


def out_of_fold(
    answers: Sequence[GeneralAnswer], words: torch.Tensor, lessons: Lessons, settings: TrainingSettings
) -> dict[str, float]:
    """ranking_metrics of rankings that were not taught the messages that they are asked, in _FOLDS parts."""
    fold = np.random.default_rng(settings.seed).integers(_FOLDS, size=len(lessons.rows))
    scores = np.zeros(lessons.rows.shape, np.float32)
    for number in range(_FOLDS):
        ranking = train_answer_ranking(answers, words, lessons.part(fold != number), settings)
        scores[fold == number] = _all_scores(ranking, lessons.part(fold == number))
    return ranking_metrics(scores, lessons)


def main() -> None:
    """Command line: score out of fold, train on all, and write the weight file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=outputs_folder() / "weights" / f"{WEIGHTS}.safetensors")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    settings, answers, marked = TrainingSettings(), read_general_answers(), load_marked_answers()
    lessons, words = lessons_of(marked, answers, load_intent_regression(given.threads)), words_of(answers)
    card = {
        "data": f"{len(marked)} messages of data/answers/marked.jsonl; scores on messages that taught nothing",
        "seed": settings.seed,
        "command": "python -m ohlora.rag.answer_ranking_training",
        "metrics": out_of_fold(answers, words, lessons, settings),
        "licence": "Gemma Terms of Use: what Gemma 3 270M makes of the answers is in it; the rest is ours",
        "settings": asdict(settings),
        "intents": list(act_of_intent()),
        "answers": fingerprint(answers),
    }
    ranking = train_answer_ranking(answers, words, lessons, settings)
    tensors = {name: tensor.half() for name, tensor in ranking.state_dict().items()}
    print(save_weights(given.output, tensors, card), card["metrics"])


if __name__ == "__main__":
    main()
