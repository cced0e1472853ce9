"""What a message does – greets, tells of a bad day, asks for a film – and answers that fit every message that does it.

Intent classification as chat programs have it (Larson et al. 2019, "An Evaluation Dataset for Intent Classification"):
204 intents, gathered in 35 acts (Stolcke et al. 2000, "Dialogue Act Modeling"), for where an intent is not sure the
act may be. ohlora.rag.intent_regression names them, taught by data/answers/messages.jsonl; data/answers/general.jsonl
holds the answers. Nothing in an answer hangs on more than the intent, but for ``{value}``:
the words of a fact that the message tells.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np
import yaml

from ohlora.config import DATA
from ohlora.llm.reply_format import format_reply, without_marks
from ohlora.rag.complaint_words import holds_complaint
from ohlora.rag.sentences import sentences_of

if TYPE_CHECKING:
    from ohlora.rag.topics import TopicAnswers

SURE_INTENT, SURE_ACT = 0.25, 0.15
"""Probabilities from which an answer to the intent is said, else to the act.

Where her answers are not ranked: then near the best on half of the messages of data/answers/compared.jsonl.
"""
SURE_TOLD_TOGETHER, SURE_KIND = 0.5, 0.5
"""Probability from which two messages that are heard together, and tell something, are understood by their intent or
act, else by their kind alone: a friend who only listens is better than one who misheard. Below, the intent is right in
.18 to .5 of 1,288 second messages, the kind in .55 to .74; where the kind is not sure, it is taken for the neutral."""
SURE_ALONE, CLEAR_ALONE, UNCLEAR_TOGETHER = 0.95, 0.6, 0.3
"""Probabilities of an intent: from the first on a message in the middle of a talk is understood without what was said
before; from the second on where both together have less than the third: then it begins something else. By the intents
of the same 1,288 messages that are right: .283 all alone, .516 all together, .516 so."""
CLEAR = 0.8
"""Probability of an intent from which hardly another is meant: of 162 questions for what was told
(data/memory/development.jsonl) .05 seem to be so clearly something else."""
SURELY_NO_QUESTION = 0.5
"""Probability of an act that is no question from which a message asks nothing; set by hand."""
SOUNDS_BAD, GOOD_ALL_THE_SAME = 0.3, 0.7
"""Probability from which a message may tell of trouble, and score of an answer that is said to it though she says it
gladly. Marks on 2,200 messages of data/answers/marked.jsonl, answers with scores from .5 to .7, where trouble is
likelier than joy: said gladly .59 (97) and .56 (139) are good where its probability is .3 to .4 and .4 to .6, the
others .60 (97) and .69 (332). From .3 on by hand: there it costs nothing not to laugh."""
SURELY_GOOD = 0.9
"""Probability of good news beside which a word of complaint, or what was told before, does not count; set by hand."""
SURELY_BAD = 0.6
"""Probability of bad news from which what is told next is met with no joy either. Of five messages that told on
in the talks of 24 strangers and that she met gladly four were answered badly, none well; set by hand."""
PLAINLY_BAD = 0.8
"""Probability of bad news from which, as to a complaint, nothing is said that is meant for good or plain news. Marks on
2,600 messages of data/answers/marked.jsonl without words of complaint: from .8 on .16 of 137 such answers are good, of
1,195 others .54; from .7 to .8 .29 of 135, and .47 of 832."""
GLAD = {"happy", "laughing", "proud"}
"""Expressions that nobody in trouble wants to see."""
FOR_COMPLAINTS = {"tells_bad", "asks", "thanks", "apologises"}
"""Kinds and acts of messages whose answers may be said to who complains: "sorry I was gone, rough week" is forgiven."""
_ASKS_FOR_A_VIEW = {"asks_opinion", "asks_advice"}  # acts
AS_GOOD = 0.95
"""Share of the best answer's score from which others are about as good."""
_VALUE = "{value}"
_BEGINS = re.compile(r"(^|[.!?…] )\{value\}")


@dataclass(frozen=True)
class GeneralAnswer:
    """An answer that fits every message of an intent, of an act or of a kind. intensity: of the expression, 0 … 1."""

    intent: str
    language: str
    reply: str
    expression: str
    intensity: float

    def target(self) -> str:
        """The answer as the language model would write it."""
        return format_reply(without_marks(self.reply), self.expression, self.intensity)


@cache
def _acts() -> dict[str, dict]:
    return yaml.safe_load((DATA / "answers" / "intents.yaml").read_text(encoding="utf-8"))


@cache
def act_of_intent() -> dict[str, str]:
    """The act of each intent of data/answers/intents.yaml, in its order."""
    return {intent: act for act, entry in _acts().items() for intent in entry["intents"]}


@cache
def kind_of_act() -> dict[str, str]:
    """Whether each act tells something bad, good or neither, asks, or reacts; "": a greeting or a wish."""
    return {act: entry.get("kind", "") for act, entry in _acts().items()}


def kind_of(name: str) -> str:
    """The kind of an intent, of an act, or the name itself where it is that of a kind; "": it has none."""
    act = act_of_intent().get(name, name)
    return kind_of_act().get(act, name)


def _act_and_kind(name: str) -> set[str]:
    return {act_of_intent().get(name, name), kind_of(name)}


class GeneralAnswers:
    """Finds what to say to a message.

    Args:
        probabilities: of each intent, in the order of act_of_intent, float32 (intents,), for a message.
        mirrored: the words of a message that are worth repeating, for it and what she said before; "": none.
        scores: how likely each answer is a good one, for the probabilities of a message without and with what was said
            before, and the answers' numbers (ohlora.rag.answer_ranking); None: what the likeliest intent has is said.
        topics: answers to what is told of a topic; None: there are none.
    """

    def __init__(
        self,
        answers: Sequence[GeneralAnswer],
        probabilities: Callable[[str], np.ndarray],
        mirrored: Callable[[str, str], str] = lambda message, before: "",
        scores: Callable[[np.ndarray, np.ndarray, Sequence[int]], np.ndarray] | None = None,
        topics: TopicAnswers | None = None,
    ) -> None:
        self._answers, self.mirrored, self._scores, self.topics = list(answers), mirrored, scores, topics
        self.probabilities = lru_cache(maxsize=16)(probabilities)  # asked for several times a turn
        self.intents, self._acts = list(act_of_intent()), list(act_of_intent().values())
        self._kinds = [kind_of(intent) for intent in self.intents]

    def likeliest_intent(self, message: str) -> str:
        """The intent of a message, however likely."""
        return self.intents[int(self.probabilities(message).argmax())]

    def is_clear(self, message: str) -> bool:
        """Whether the likeliest intent of a message is so likely that hardly another is meant."""
        return float(self.probabilities(message).max()) >= CLEAR

    def understood(self, message: str, together: bool = False) -> list[str]:
        """What a message does, as far as that is clear: its intent, its act, its kind; the nearest first.

        Args:
            together: the message is two of a user, see in_talk.
        """
        found = self.probabilities(message)
        intent = self.likeliest_intent(message)
        act, of_act = likeliest(found, self._acts)
        kind, of_kind = self.kind(message)
        tells = together and kind.startswith("tells")
        if tells and of_kind < SURE_KIND:
            kind = "tells_neutral"
        sure_intent, sure_act = (SURE_TOLD_TOGETHER,) * 2 if tells else (SURE_INTENT, SURE_ACT)
        if found.max() >= sure_intent:
            names = [intent, act_of_intent()[intent], kind_of(intent)]
        else:
            names = [act, kind_of(act)] if of_act >= sure_act else [kind]
        return list(dict.fromkeys(filter(None, names)))

    def in_talk(self, message: str, before: str) -> str:
        """What to look for an answer to: a message, or where that says little alone, what it goes on with and it.

        "Fourteen, and her name was Coco" tells of a pet, after "my dog died yesterday" of grief.

        Args:
            before: what the user said before it; "": nothing.
        """
        alone = self.probabilities(message).max()
        if not before or alone >= SURE_ALONE:
            return message
        both = heard_together(before, message)
        goes_on = alone < CLEAR_ALONE or self.probabilities(both).max() >= UNCLEAR_TOGETHER
        return both if goes_on else message

    def kind(self, message: str) -> tuple[str, float]:
        """Whether a message tells something bad, good or neither, asks, or reacts, and how likely that is."""
        return likeliest(self.probabilities(message), self._kinds)

    def trouble(self, message: str, before: str = "") -> float:
        """Probability that a message tells of something bad: at least SOUNDS_BAD where it complains, or tells on.

        Args:
            before: what the user said before it.
        """
        found = self._of_kind("tells_bad", message, before)
        return max(found, SOUNDS_BAD) if self.complains(message) or self._goes_on(message, before) else found

    def sounds_bad(self, message: str, before: str = "") -> bool:
        """Whether a message, or a sentence of it, may tell of something bad, and likelier than of something good.

        "Right, well done! but we had a fight and I can't sleep" sounds like praise as a whole. Who complains in plain
        words does, unless good news beside it are quite sure.

        Args:
            before: as of trouble.
        """
        return (
            self.complains(message)
            or self._goes_on(message, before)
            or any(
                (bad := self.trouble(part, before)) >= SOUNDS_BAD and bad > self._of_kind("tells_good", part, before)
                for part in dict.fromkeys([message, *sentences_of(message)])
            )
        )

    def complains(self, message: str) -> bool:
        """Whether a message complains in plain words, and no good news stand beside them that are quite sure."""
        return holds_complaint(message) and self._of_kind("tells_good", message, "") < SURELY_GOOD

    def _goes_on(self, message: str, before: str) -> bool:
        """Whether a message tells on what was bad, or asks for a view of it: "she made us tea after" behind a death."""
        if not before or self._of_kind("tells_bad", before, "") < SURELY_BAD:
            return False
        act, _ = likeliest(self.probabilities(message), self._acts)
        goes_on = self.kind(message)[0].startswith("tells") or act in _ASKS_FOR_A_VIEW
        return goes_on and self._of_kind("tells_good", message, "") < SURELY_GOOD

    def _of_kind(self, kind: str, message: str, before: str) -> float:
        """Mean of what is heard in a message alone, and behind the one before it."""
        heard = {message, heard_together(before, message) if before else message}
        meant = np.array(self._kinds) == kind
        return float(np.mean([self.probabilities(one)[meant].sum() for one in heard]))

    def seems_to_ask(self, message: str) -> bool:
        """Whether what a message likeliest does is to ask something."""
        return act_of_intent()[self.likeliest_intent(message)].startswith("asks")

    def surely_no_question(self, message: str) -> bool:
        """Whether a message likelier does something that is no question than not: complains, tells of its day …"""
        act, probability = likeliest(self.probabilities(message), self._acts)
        return probability >= SURELY_NO_QUESTION and not act.startswith("asks")

    def answers(self, message: str, language: str, value: str = "", together: bool = False) -> list[GeneralAnswer]:
        """Answers to a message: to its intent, those first that hold what it tells, then to its act and its kind.

        Each in an order that depends on the message's words, always the same.

        Args:
            message, together: see understood. value: what it tells, in its own words; "": no answer holds it.
        """
        usable = [one for one in self._answers if one.language == language and (value or _VALUE not in one.reply)]
        found = []
        for name in self.understood(message, together):
            turned = rotated([one for one in usable if one.intent == name], message)
            found += sorted(turned, key=lambda one: _VALUE not in one.reply)
        return [replace(one, reply=_filled(one.reply, value)) for one in found]

    def fit(self, said: str, told: str) -> float:
        """Probability that what she said was a good answer to what she was told; 1 where it is no general answer."""
        rows = [n for n, one in enumerate(self._answers) if _VALUE not in one.reply and said.endswith(one.reply)]
        if not rows or not told or self._scores is None:
            return 1.0
        found = self.probabilities(told)
        return float(self._scores(found, found, rows).max())

    def of_intent(self, intent: str, message: str, language: str, value: str) -> list[GeneralAnswer]:
        """The answers to an intent, or to an act or a kind, that hold a value, in an order that the message chooses."""
        own = [one for one in self._answers if (one.intent, one.language) == (intent, language) and _VALUE in one.reply]
        return [replace(one, reply=_filled(one.reply, value)) for one in rotated(own, message)]

    def best(self, message: str, before: str, language: str) -> list[GeneralAnswer]:
        """Answers to whatever a message may do, the likeliest good ones first; none where nothing tells which are.

        Those that are about as good come in an order that depends on the message's words: she has no pet phrases. What
        she says gladly comes after what she does not, where the message may tell of trouble; where it complains, or
        surely tells of some, so does whatever is not said to bad news or to questions.

        Args:
            before: what the user said before it; "": nothing.
        """
        if self._scores is None:
            return []
        rows = [n for n, one in enumerate(self._answers) if one.language == language and _VALUE not in one.reply]
        both = heard_together(before, message) if before else message
        scores = self._scores(self.probabilities(message), self.probabilities(both), rows)
        if self.sounds_bad(message, before):
            glad = np.array([self._answers[row].expression in GLAD for row in rows])
            unfit = glad & (scores < GOOD_ALL_THE_SAME)
            if self.complains(message) or self._of_kind("tells_bad", message, "") >= PLAINLY_BAD:
                unfit |= [not FOR_COMPLAINTS & _act_and_kind(self._answers[row].intent) for row in rows]
            scores = np.where(unfit, scores - 1, scores)
        order = np.argsort(-scores, kind="stable")
        alike = int((scores >= AS_GOOD * scores.max()).sum())
        ordered = [self._answers[rows[n]] for n in order]
        return [*rotated(ordered[:alike], message), *ordered[alike:]]


def with_any_words(phrase: str) -> str:
    """A regular expression of a phrase with any words in its gaps: ``{value}``, ``{when}``."""
    return ".+?".join(map(re.escape, re.split(r"\{\w+\}", phrase)))


def rotated(answers: Sequence[GeneralAnswer], message: str) -> list[GeneralAnswer]:
    """The answers from a place on that the message's words choose, then those before it."""
    first = zlib.crc32(message.encode()) % len(answers) if answers else 0
    return [*answers[first:], *answers[:first]]


def likeliest(probabilities: np.ndarray, names: Sequence[str]) -> tuple[str, float]:
    """The act, or the kind, whose intents are likeliest together. probabilities: (intents,). names: of each intent."""
    sums = {name: float(probabilities[[one == name for one in names]].sum()) for name in dict.fromkeys(names)}
    return max(sums.items(), key=lambda pair: pair[1])


def read_general_answers() -> list[GeneralAnswer]:
    """The rows of data/answers/general.jsonl."""
    with (DATA / "answers" / "general.jsonl").open(encoding="utf-8") as file:
        return [GeneralAnswer(**json.loads(line)) for line in file]


def heard_together(before: str, message: str) -> str:
    """Two messages of a user, one after the other, as one: what a message does in the middle of a talk."""
    return f"{before} / {message}"


def load_intent_messages() -> tuple[list[str], list[str]]:
    """The messages of data/answers/messages.jsonl, and the intent of each."""
    with (DATA / "answers" / "messages.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [row["message"] for row in rows], [row["intent"] for row in rows]


def load_second_messages(held_out: bool = False) -> tuple[list[tuple[str, str]], list[str]]:
    """Pairs of what a user said and said next, of data/answers/second_messages.jsonl, and what the second does.

    Args:
        held_out: those of the writers on whom it is chosen when the first is heard too, else all others.
    """
    with (DATA / "answers" / "second_messages.jsonl").open(encoding="utf-8") as file:
        rows = [row for row in map(json.loads, file) if row["held_out"] == held_out]
    return [(row["before"], row["message"]) for row in rows], [row["intent"] for row in rows]


def intent_metrics(probabilities: np.ndarray, wanted: Sequence[str]) -> dict[str, float]:
    """How often the intent is right. probabilities: (n, intents). wanted: the intents that people named.

    Returns:
        accuracy of the intent and of its act, of the intents that are sure (SURE_INTENT) with their share, the share of
        the most frequent intent, and n.
    """
    intents, acts = list(act_of_intent()), list(act_of_intent().values())
    named = np.array(intents)[probabilities.argmax(axis=1)]
    named_acts = np.array([likeliest(row, acts)[0] for row in probabilities])
    right, sure = named == np.array(wanted), probabilities.max(axis=1) >= SURE_INTENT
    return {
        "accuracy": float(right.mean()),
        "accuracy_of_acts": float((named_acts == np.array([act_of_intent()[one] for one in wanted])).mean()),
        "share_that_is_sure": float(sure.mean()),
        "accuracy_where_sure": float(right[sure].mean()) if sure.any() else 0.0,
        "most_frequent_intent": float(np.unique(wanted, return_counts=True)[1].max() / len(wanted)),
        "n": len(wanted),
    }


def _filled(reply: str, value: str) -> str:
    """An answer with its value, in a capital letter where a sentence begins with it ("Painting: what do …")."""
    return _BEGINS.sub(lambda found: found.group(1) + as_beginning(value), reply).replace(_VALUE, value)


def as_beginning(words: str) -> str:
    """Words as a sentence begins with them: "Painting", but "iPhone 15"."""
    return words[:1].upper() + words[1:] if words[1:2].islower() else words
