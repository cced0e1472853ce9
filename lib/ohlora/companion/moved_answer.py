"""Who moves a plan hears that its new day is noted: "swim's been moved, it's the 19th now" – "The 19th, then!".

What else such a message sounds like, bad news or joy about a change, is said with less certainty.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import yaml

from ohlora.companion.draft import Draft
from ohlora.companion.told_fact import is_day_alone
from ohlora.config import DATA
from ohlora.llm.reply_format import ReplyProgress, format_reply, stream_reply, without_marks
from ohlora.rag.complaint_words import holds_complaint
from ohlora.rag.former_value import MARKED_BESIDE
from ohlora.rag.intents import as_beginning, rotated
from ohlora.rag.moved_plan import may_move

_GRAVE = re.compile(
    r"장례|발인|재판|항암|무서|걱정|심란|[ㅠㅜ]{2}|\b(?:funeral|wake|chemo|biopsy|court|trial|terrified|scared|worried|sucks)\b",
    re.IGNORECASE,
)

_ORDINAL = re.compile(r"^\d+(?:st|nd|rd|th)$", re.IGNORECASE)


def moved_answer(draft: Draft) -> Iterator[ReplyProgress] | None:
    """The new day of a plan said back; None where the message moves none, asks, tells of two days, or of fear.

    Args:
        draft: of the turn; that the answer repeats words of the user is noted there.
    """
    reading = draft.reading
    if draft.otherwise is not None or reading.surely_asks or not (reading.tells_something and may_move(draft.plain)):
        return None
    if holds_complaint(draft.plain) or _GRAVE.search(draft.plain):
        return None
    days = [one.value for one in reading.facts if one.probability >= MARKED_BESIDE and is_day_alone(one.value)]
    if len(days) != 1:
        return None
    draft.quotes = True
    phrase, *_ = rotated(_phrases()[draft.language], draft.message)
    said = phrase.format(day=_ORDINAL.sub(r"the \g<0>", days[0]))
    return stream_reply(iter([format_reply(without_marks(as_beginning(said)), "thinking", 0.4)]))


@cache
def _phrases() -> dict[str, list[str]]:
    return yaml.safe_load((DATA / "persona" / "moved_plan.yaml").read_text(encoding="utf-8"))
