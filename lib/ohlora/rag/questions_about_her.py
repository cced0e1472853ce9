"""Does a message ask something about Oh-LoRA herself, what, and what does she say then?

The reader of messages knows the facts of data/persona/oh_lora.yaml that have dialogues. In a talk people ask for
much more – whether she sleeps, has a sister, likes trains –, and ask it behind other things: "ㅋㅋ 고마워. 근데 너는 잠
자?". A small network knows all of these: its inputs are what the reader (multilingual-e5-small) makes of the message
behind her last line, and what the network of intents (Gemma 3 270M) makes of the message. Trained by
ohlora.rag.questions_about_her_training.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
import yaml
from torch import nn

from ohlora.config import DATA
from ohlora.rag.e5_network import limited_threads
from ohlora.rag.intent_network import IntentNetwork, load_intent_network
from ohlora.rag.intents import GeneralAnswer, rotated
from ohlora.rag.marked_messages import facts_about_her
from ohlora.rag.message_reader import MessageReader, load_for_reader
from ohlora.weights import WeightsError

WEIGHTS = "questions_about_her"
ASKED = 0.4
"""Probability from which a message asks for a fact; see question_metrics of ohlora.rag.questions_about_her_training."""
_LARGEST = 6.0  # standard deviations: a few features reach a hundred
_BATCH = 64
_TRAIN = "python -m ohlora.rag.questions_about_her_training"


class QuestionHead(nn.Module):
    """Logits of no fact, and of each.

    Args:
        features: of a message. facts: how many.
    """

    def __init__(self, features: int, facts: int, inner: int = 256, dropout: float = 0.4) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("deviation", torch.ones(features))
        self.layers = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(features, inner), nn.GELU(), nn.Dropout(dropout), nn.Linear(inner, 1 + facts)
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Features (n, features) → logits (n, 1 + facts)."""
        return self.layers(((features - self.mean) / self.deviation).clamp(-_LARGEST, _LARGEST))


class QuestionsAboutHer:
    """Finds what is asked about her, and her answers.

    Args:
        reader, network: on whose features the head was trained. facts: ids, in the order of the head.
        answers: to the small facts, ``intent`` being the fact.
    """

    def __init__(
        self,
        reader: MessageReader,
        network: IntentNetwork,
        head: QuestionHead,
        facts: Sequence[str],
        answers: Sequence[GeneralAnswer] = (),
    ) -> None:
        self.reader, self.network, self.head, self.facts = reader, network, head.eval(), list(facts)
        self._answers = list(answers)

    def asked(self, message: str, before: str = "") -> str:
        """The fact about her that a message asks for; "": none. before: what she said just before it."""
        found = self.probabilities([(message, before)])[0]
        best = int(found.argmax())
        return self.facts[best - 1] if best and found[best] >= ASKED else ""

    @torch.no_grad()
    def probabilities(self, messages: Sequence[tuple[str, str]]) -> np.ndarray:
        """Pairs of message and what she said before it → float32 (n, 1 + facts), of no fact first."""
        with limited_threads(self.reader.threads):
            return self.head(self.features(messages)).softmax(dim=1).numpy()

    @torch.no_grad()
    def features(self, messages: Sequence[tuple[str, str]]) -> torch.Tensor:
        """What both networks make of pairs of message and what she said before it, float32 (n, features)."""
        looked = (messages[start : start + _BATCH] for start in range(0, len(messages), _BATCH))
        whole = torch.cat([self.reader.network.whole(*self.reader.look(*part)[1:]) for part in looked])
        return torch.cat([self.network.meanings([message for message, _ in messages]), whole], dim=1)

    def answers(self, fact: str, message: str, language: str) -> list[GeneralAnswer]:
        """Her answers about a small fact, in an order that hangs on the message's words; none about others."""
        found = [one for one in self._answers if one.intent == fact and one.language == language]
        return rotated(found, message)


@cache
def small_facts() -> tuple[str, ...]:
    """What people also ask about her: ids of data/persona/oh_lora.yaml that have answers, but no dialogues."""
    content = yaml.safe_load((DATA / "persona" / "oh_lora.yaml").read_text(encoding="utf-8"))
    return tuple(content["small_facts"])


def all_facts() -> tuple[str, ...]:
    """Facts with dialogues, then small facts: what the network knows."""
    return (*facts_about_her(), *small_facts())


def read_answers_about_her() -> list[GeneralAnswer]:
    """The rows of data/persona/answers.jsonl."""
    with (DATA / "persona" / "answers.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [GeneralAnswer(row.pop("fact"), **row) for row in rows]


def load_questions_about_her(reader: MessageReader) -> QuestionsAboutHer:
    """The shipped network and her answers.

    Raises:
        WeightsError: the weight file is missing or damaged, was made with another reader, or knows other facts than
            data/persona/oh_lora.yaml.
    """
    tensors, card = load_for_reader(WEIGHTS, reader, _TRAIN)
    if card["facts"] != list(all_facts()):
        raise WeightsError(f"{WEIGHTS} knows other facts than data/persona/oh_lora.yaml; train it again: {_TRAIN}")
    head = QuestionHead(len(tensors["mean"]), len(card["facts"]), len(tensors["layers.1.bias"]))
    head.load_state_dict({name: one.float() for name, one in tensors.items()})
    return QuestionsAboutHer(reader, load_intent_network(), head, card["facts"], read_answers_about_her())
