"""What does a message want of her – a fact about herself, a yes, that she owns a slip –, and what does she say then?

The reader of messages knows the facts of data/persona/oh_lora.yaml that have dialogues. In a talk people ask for much
more – whether she sleeps, has a sister, likes trains –, ask it behind other things ("ㅋㅋ 고마워. 근데 너는 잠 자?"),
and speak of the talk itself: "no, I mean my sister", "why do you laugh? it's sad". A small network knows these wants:
its inputs are what the reader (multilingual-e5-small) makes of the message behind her last line, and what the network
of intents (Gemma 3 270M) makes of the message. Trained by ohlora.rag.wants_training.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np
import torch
import yaml
from torch import nn

from ohlora.config import DATA
from ohlora.rag.e5_network import limited_threads
from ohlora.rag.follow_ups import ANSWERS_HER, ASKS_BACK, read_follow_ups
from ohlora.rag.intent_network import WEIGHTS as NETWORK
from ohlora.rag.intent_network import IntentNetwork, load_intent_network
from ohlora.rag.intents import GeneralAnswer, rotated
from ohlora.rag.marked_messages import facts_about_her
from ohlora.rag.message_reader import MessageReader, load_for_reader
from ohlora.rag.risk_words import names_a_risk
from ohlora.weights import WeightsError, load_weights

logger = logging.getLogger(__name__)

WEIGHTS = "wants"
CLEAR = 0.45
"""Probability from which a message wants something. In 840 turns of new talks and the messages that test her answers
what is said from .4 to .5 was good in .36 (33), what the ranking would have said in .41; from .5 on in .77 (241) and
.49. Since then more messages that want nothing teach the network: .45 stands for what was .5 (precision .64, recall .38
of 1,743)."""
ANSWERED = 0.25
"""Probability from which a message answers what she asked, where it likelier wants nothing else: behind 695 lines of
hers that ask, in the same talks, 130 seem to, and .78 of these do."""
ASKS_TOLD = "asks_told"
"""A want without an answer of its own: what was told is remembered, or not."""
CORRECTS, TOLD_ALREADY = "corrects", "told_already"
_ABOUT_THE_TALK = {
    CORRECTS, "wrong_mood", "not_answered", TOLD_ALREADY, *ASKS_BACK,
}  # wants that speak of her last line  # fmt: skip
APPROVAL = {"yes_no", "yes_no_big", "normal_or_weird", "will_it", "hype", "wish_luck", "congratulate"}
"""Wants that she approve of what the user does."""
RISKY, _MAYBE_RISKY, _LIKELY_RISKY, _SURELY_RISKY = "risky", 0.045, 0.5, 0.65
"""Probabilities of a want that a friendly yes could harm ("can I drive, it was only three beers"): from the first on
she does not approve here, from the second on she is careful where a word of danger is said, and from the third on
whatever is said (.56 for a crush who is to be told, .61 for a bed in a van). The first was raised by hand, from
.03, with the network of today, for "three coffees and an exam at nine, wish me luck"; the second from .4, for a word of
caution to who is spoken to by a crush (.49), or has butterflies before an exhibition (.41)."""
_EATEN = re.compile(r"(?<![가-힣])((?:밥|아침|점심|저녁|뭐)(?:은|는|을|도)?\s)(?:묵었|무읏)(?=[가-힣])")
_LARGEST = 6.0  # standard deviations: a few features reach a hundred
_BATCH = 64
_TRAIN = "python -m ohlora.rag.wants_training"


class WantsHead(nn.Module):
    """Logits of no want, and of each.

    Args:
        features: of a message. wants: how many.
    """

    def __init__(self, features: int, wants: int, inner: int = 256, dropout: float = 0.4) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("deviation", torch.ones(features))
        self.layers = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(features, inner), nn.GELU(), nn.Dropout(dropout), nn.Linear(inner, 1 + wants)
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Features (n, features) → logits (n, 1 + wants)."""
        return self.layers(((features - self.mean) / self.deviation).clamp(-_LARGEST, _LARGEST))


class Wants:
    """Finds what a message wants, and her answers.

    Args:
        reader, network: on whose features the head was trained. names: of the wants, in the order of the head.
        answers: ``intent`` being the want.
    """

    def __init__(
        self,
        reader: MessageReader,
        network: IntentNetwork,
        head: WantsHead,
        names: Sequence[str],
        answers: Sequence[GeneralAnswer] = (),
    ) -> None:
        self.reader, self.network, self.head, self.names = reader, network, head.eval(), list(names)
        self._answers = list(answers)
        self._found = lru_cache(maxsize=4)(self._heard)

    def asks_told(self, message: str, before: str = "") -> float:
        """Probability that a message asks for what the user told. before: what she said just before it."""
        return float(self._found(message, before)[1 + self.names.index(ASKS_TOLD)])

    def of(self, message: str, before: str = "") -> str:
        """What a message wants; "": nothing of these. before: what she said just before it."""
        found = self._found(message, before)
        beside = beside_answers(found)
        best = int(beside.argmax())
        want = self.names[best - 1] if best else ""
        if not want:
            return ANSWERS_HER if self._answers_her(found, before) else ""
        risky = found[1 + self.names.index(RISKY)] if want in {*APPROVAL, RISKY} else 0.0
        if risky >= _LIKELY_RISKY:
            return RISKY if risky >= _SURELY_RISKY or names_a_risk(message) else ""
        if beside[best] < CLEAR or (want in _ABOUT_THE_TALK and not before):
            return ""
        return "" if want in APPROVAL and risky >= _MAYBE_RISKY else want

    def _heard(self, message: str, before: str) -> np.ndarray:
        """The probabilities of one message; "밥은 묵었나" asks whether she has eaten, not what was told."""
        return self.probabilities([(_EATEN.sub(r"\1먹었", message), before)])[0]

    def _answers_her(self, found: np.ndarray, before: str) -> bool:
        """Whether a message answers her line, and somebody wrote what she says then; not where that could harm."""
        likely = found[1 + self.names.index(ANSWERS_HER)] >= ANSWERED
        if not before or not likely or found[1 + self.names.index(RISKY)] >= _MAYBE_RISKY:
            return False
        asked = read_follow_ups().of(before)
        return asked is not None and bool(asked.answered)

    @torch.no_grad()
    def probabilities(self, messages: Sequence[tuple[str, str]]) -> np.ndarray:
        """Pairs of message and what she said before it → float32 (n, 1 + wants), of no want first."""
        with limited_threads(self.reader.threads):
            return self.head(self.features(messages)).softmax(dim=1).numpy()

    @torch.no_grad()
    def features(self, messages: Sequence[tuple[str, str]]) -> torch.Tensor:
        """What both networks make of pairs of message and what she said before it, float32 (n, features)."""
        looked = (messages[start : start + _BATCH] for start in range(0, len(messages), _BATCH))
        whole = torch.cat([self.reader.network.whole(*self.reader.look(*part)[1:]) for part in looked])
        return torch.cat([self.network.meanings([message for message, _ in messages]), whole], dim=1)

    def answers(self, want: str, message: str, language: str) -> list[GeneralAnswer]:
        """Her answers, in an order that hangs on the message's words; none about facts that have dialogues."""
        return rotated([one for one in self._answers if one.intent == want and one.language == language], message)


@cache
def small_facts() -> tuple[str, ...]:
    """What people also ask about her: ids of data/persona/oh_lora.yaml, whose dialogues are not gathered by fact."""
    content = yaml.safe_load((DATA / "persona" / "oh_lora.yaml").read_text(encoding="utf-8"))
    return tuple(content["small_facts"])


@cache
def small_wants() -> tuple[str, ...]:
    """What else people want of her, by name: data/answers/wants.yaml."""
    return tuple(yaml.safe_load((DATA / "answers" / "wants.yaml").read_text(encoding="utf-8")))


def is_about_her(want: str) -> bool:
    """Whether it is a fact about her."""
    return want in facts_about_her() or want in small_facts()


def all_wants() -> tuple[str, ...]:
    """Facts with dialogues, small facts, and what else is wanted: what the network knows."""
    return (*facts_about_her(), *small_facts(), *small_wants())


def beside_answers(found: np.ndarray) -> np.ndarray:
    """Probabilities (…, 1 + wants) with a mere answer to what she asked counted as no want: it is judged apart."""
    place = 1 + all_wants().index(ANSWERS_HER)
    beside = found.copy()
    beside[..., 0] += found[..., place]
    beside[..., place] = 0.0
    return beside


def read_wanted_answers() -> list[GeneralAnswer]:
    """The rows of data/persona/answers.jsonl (to small facts) and of data/answers/wanted.jsonl."""
    found = []
    for path in (DATA / "persona" / "answers.jsonl", DATA / "answers" / "wanted.jsonl"):
        with path.open(encoding="utf-8") as file:
            found += [json.loads(line) for line in file]
    return [GeneralAnswer(row.pop("want"), **row) for row in found]


def read_wants(reader: MessageReader) -> Wants:
    """The shipped network and her answers.

    Raises:
        WeightsError: the weight file is missing or damaged, was made with other networks, or knows other wants.
        ModelFilesError: Gemma's package is missing or damaged.
    """
    tensors, card = load_for_reader(WEIGHTS, reader, _TRAIN)
    if card["network"] != load_weights(NETWORK)[1]["sha256"]:
        raise WeightsError(f"{WEIGHTS} belongs to another network of intents; train it again: {_TRAIN}")
    if card["wants"] != list(all_wants()):
        raise WeightsError(f"{WEIGHTS} knows other wants than data/persona and data/answers; train it again: {_TRAIN}")
    head = WantsHead(len(tensors["mean"]), len(card["wants"]), len(tensors["layers.1.bias"]))
    head.load_state_dict({name: one.float() for name, one in tensors.items()})
    return Wants(reader, load_intent_network(), head, card["wants"], read_wanted_answers())


def load_wants(reader: MessageReader) -> Wants | None:
    """As read_wants; None, with a warning, where it does not fit what was changed since: she talks without it."""
    try:
        return read_wants(reader)
    except WeightsError as error:
        logger.warning("%s; until then it is not known what messages want", error)
        return None
