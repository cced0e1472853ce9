"""What she says next about a line of her own: when it was asked something and is answered, and when somebody asks back.

A general answer (ohlora.rag.intents) fits what was said to her, but not what she said: "what would you do with the
money?" – "pay someone to park my car" – and she would hear only of parking. So beside each of her lines stand, written
with it, what she says to whatever answers it, and to "why?", "like what?", "what do you mean?".
data/answers/follow_ups.jsonl holds them. A sad answer to her question is better comforted than taken up.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from ohlora.config import DATA
from ohlora.rag.intents import GeneralAnswer, rotated, with_any_words

ANSWERS_HER = "answers_her"
"""A want of data/answers/wants.yaml: it answers what she asked and asks for no answer of its own."""
WHICH = "which_how"
ASKS_BACK = {WHICH, "why_that", "what_mean", "odd_thing", "go_on"}
"""Wants that ask about her last line."""
_VALUE = "{value}"
_INTENSITY = 0.6
_SENTENCE = re.compile(r"(?<=[.!?…]) ")


@dataclass(frozen=True)
class FollowUp:
    """What she says next about a line.

    Attributes:
        line: hers; ``{value}`` stands for words of the user. language: ko or en.
        answered: to whatever answers it; none where it asks nothing, or only to go on.
        asked_back: to who asks back; "": there is none. expressions: with which she says these two.
    """

    line: str
    language: str
    answered: tuple[str, ...]
    asked_back: str
    expressions: tuple[str, str]

    def answers(self, want: str) -> list[GeneralAnswer]:
        """What fits a message that wants ``want``; none where that is not about the line."""
        replies: Sequence[str] = ()
        if want == ANSWERS_HER:
            replies = self.answered
        elif want in ASKS_BACK:
            replies = [self.asked_back]
        expression = self.expressions[want in ASKS_BACK]
        return [GeneralAnswer(want, self.language, one, expression, _INTENSITY) for one in replies if one]


class FollowUps:
    """Finds what she says next about what she just said."""

    def __init__(self, rows: Sequence[FollowUp]) -> None:
        self._whole = {one.line: one for one in rows if _VALUE not in one.line}
        with_value = sorted((one for one in rows if _VALUE in one.line), key=lambda one: -len(one.line))
        forms = (with_any_words(one.line) + r"\Z" for one in with_value)  # at the end of what she said
        self._with_value = [(re.compile(form, re.IGNORECASE), one) for form, one in zip(forms, with_value, strict=True)]

    def of(self, said: str) -> FollowUp | None:
        """The row of what she said; other words of hers may stand before it. None: nobody wrote one."""
        found = next((one for form, one in self._with_value if form.search(said)), None)
        if found is not None:
            return found
        sentences = _SENTENCE.split(said)
        endings = (" ".join(sentences[start:]) for start in range(len(sentences)))
        return next((self._whole[one] for one in endings if one in self._whole), None)

    def answers(self, said: str, want: str, message: str) -> list[GeneralAnswer]:
        """What she says to a message about what she said, in an order that the message's words choose.

        Args:
            want: of the message, see ohlora.rag.wants.
        """
        found = self.of(said)
        return rotated(found.answers(want), message) if found else []


@cache
def read_follow_ups() -> FollowUps:
    """The rows of data/answers/follow_ups.jsonl."""
    with (DATA / "answers" / "follow_ups.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return FollowUps(
        [FollowUp(**row | {name: tuple(row[name]) for name in ("answered", "expressions")}) for row in rows]
    )
