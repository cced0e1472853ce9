"""Which of her answers is likeliest a good one? A ranking, learned from answers that were marked as good or poor.

An intent may be wrong, and an answer to another one may still be good: "that aches" fits most of what is sad, "how did
the interview go?" only an interview. So every answer is weighed with the probabilities of all intents: a bilinear model
of message and answer, and how likely the answer's own intent, act and kind are (Liu 2009, "Learning to Rank for
Information Retrieval"). Taught by ohlora.rag.answer_ranking_training.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn

from ohlora.rag.intents import GeneralAnswer, GeneralAnswers, act_of_intent, kind_of_act, read_general_answers
from ohlora.rag.topics import TopicAnswers, read_topic_answers
from ohlora.weights import WeightsError, load_weights

logger = logging.getLogger(__name__)

WEIGHTS = "answer_ranking"
WIDTH = 48  # of the vectors of a message and of an answer
LEVELS = 3  # an answer is to an intent, to an act or to a kind
_EVIDENCE = 2 + 2 * LEVELS + LEVELS
_TINY = 1e-4  # below it a probability of an intent says nothing


class AnswerRanking(nn.Module):
    """Scores of answers for messages whose intents are more or less known.

    Args:
        answers: in the order of the scores. dropout: of the opinions, while it is taught.
    """

    def __init__(self, answers: Sequence[GeneralAnswer], dropout: float = 0.0) -> None:
        super().__init__()
        intents = len(act_of_intent())
        self.message = nn.Sequential(nn.Dropout(dropout), nn.Linear(2 * intents, WIDTH))
        self.evidence = nn.Sequential(nn.Linear(_EVIDENCE, 32), nn.GELU(), nn.Linear(32, 1))
        self.register_buffer("answers", torch.zeros(len(answers), WIDTH))
        self.register_buffer("bias", torch.zeros(len(answers)))
        groups, level = groups_of(answers)
        self.register_buffer("groups", torch.from_numpy(groups), persistent=False)
        self.register_buffer("level", torch.from_numpy(level), persistent=False)

    def forward(
        self, opinions: torch.Tensor, rows: torch.Tensor, answers: torch.Tensor, bias: torch.Tensor
    ) -> torch.Tensor:
        """Logits that answers are good, float32 (n, k).

        Args:
            opinions: see opinions_of, (n, 2 x intents). rows: numbers of k answers for each message, int64 (n, k).
            answers, bias: of all answers, (answers, WIDTH) and (answers,).
        """
        vectors = self.message(opinions)
        weighed = self.evidence(self.evidence_for(opinions, rows))[..., 0]
        return weighed + (vectors[:, None] * answers[rows]).sum(dim=-1) + bias[rows]

    def evidence_for(self, opinions: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """How sure the likeliest intent is, and how likely each answer's intent, act and kind are: (n, k, _EVIDENCE).

        The same twice, by the message with and without what was said before, then the answer's level.
        """
        found = []
        for opinion in opinions.chunk(2, dim=1):
            probabilities = _probabilities(opinion)
            found.append(opinion.max(dim=1).values[:, None, None].expand(*rows.shape, 1))
            sums = (self.groups[rows] * probabilities[:, None, None]).sum(dim=-1)
            found.append(_opinion(sums))
        return torch.cat([*found, self.level[rows]], dim=-1)

    @torch.no_grad()
    def scores(self, alone: np.ndarray, together: np.ndarray, rows: Sequence[int]) -> np.ndarray:
        """Probability that each answer is good, float32 (k,).

        Args:
            alone, together: probabilities of the intents of a message, without and with what was said before.
            rows: numbers of the answers.
        """
        opinions = opinions_of(alone[None], together[None])
        logits = self(opinions, torch.as_tensor(rows)[None], self.answers, self.bias)
        return logits[0].sigmoid().numpy()


def opinions_of(alone: np.ndarray, together: np.ndarray) -> torch.Tensor:
    """Probabilities (n, intents) of messages with and without what was said before → (n, 2 x intents), of size 1."""
    return _opinion(torch.from_numpy(np.concatenate([together, alone], axis=1)).float())


def _opinion(probabilities: torch.Tensor) -> torch.Tensor:
    return ((probabilities + _TINY).log() + 7) / 3


def _probabilities(opinion: torch.Tensor) -> torch.Tensor:
    return (3 * opinion - 7).exp() - _TINY


def groups_of(answers: Sequence[GeneralAnswer]) -> tuple[np.ndarray, np.ndarray]:
    """The intents that an answer is to, those of its act and those of its kind, as 0 and 1: (n, LEVELS, intents).

    An answer to an act has its act twice, one to a kind its kind three times. And the level of each: (n, LEVELS).
    """
    acts = list(act_of_intent().values())
    levels = [list(act_of_intent()), acts, [kind_of_act()[act] for act in acts]]
    found = {}
    for name in {answer.intent for answer in answers}:  # far fewer than answers: she is to start quickly
        own = next(number for number, names in enumerate(levels) if name in names)
        some = levels[own].index(name)  # any intent of the group: it has their act and kind
        broader = [levels[max(own, number)] for number in range(LEVELS)]
        group = np.array([[one == names[some] for one in names] for names in broader], np.float32)
        found[name] = group, np.eye(LEVELS, dtype=np.float32)[own]
    groups, level = zip(*(found[answer.intent] for answer in answers), strict=True)
    return np.stack(groups), np.stack(level)


def fingerprint(answers: Sequence[GeneralAnswer]) -> str:
    """Of what is ranked: other answers, other weights."""
    text = "\n".join(f"{answer.language} {answer.intent} {answer.reply}" for answer in answers)
    return hashlib.sha256(text.encode()).hexdigest()


def load_answer_ranking(answers: Sequence[GeneralAnswer]) -> AnswerRanking:
    """The shipped ranking. answers: of data/answers/general.jsonl.

    Raises:
        WeightsError: the weight file is missing or damaged, or ranks other answers.
    """
    tensors, card = load_weights(WEIGHTS)
    if card["answers"] != fingerprint(answers) or card["intents"] != list(act_of_intent()):
        raise WeightsError(
            f"{WEIGHTS} ranks other answers than data/answers/general.jsonl holds; "
            "train it again: python -m ohlora.rag.answer_ranking_training"
        )
    ranking = AnswerRanking(answers)
    ranking.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    return ranking.eval()


def load_general_answers(
    probabilities: Callable[[str], np.ndarray], mirrored: Callable[[str, str], str] | None = None
) -> GeneralAnswers:
    """The rows of data/answers/general.jsonl, ranked; not ranked, with a warning, where they were changed since.

    Args:
        probabilities, mirrored: see GeneralAnswers.
    """
    answers = read_general_answers()
    known = {"topics": TopicAnswers(read_topic_answers())} | ({} if mirrored is None else {"mirrored": mirrored})
    try:
        known["scores"] = load_answer_ranking(answers).scores
    except WeightsError as error:
        logger.warning("%s; until then she answers to the likeliest intent", error)
    return GeneralAnswers(answers, probabilities, **known)
