"""Who moves a plan hears that its new day is noted: "swim's been moved, it's the 19th now" – "The 19th, then!".

So does who tells of another change: "오사카 말고 후쿠오카로 가기로 했어".

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
from ohlora.rag.former_value import MARKED_BESIDE, is_the_new_one
from ohlora.rag.intents import as_beginning, rotated
from ohlora.rag.moved_plan import may_move

_GRAVE = re.compile(
    r"장례|발인|재판|항암|무서|걱정|심란|[ㅠㅜ]{2}|\b(?:funeral|wake|chemo|biopsy|court|trial|terrified|scared|worried|sucks)\b",
    re.IGNORECASE,
)

_NAMES_THE_FORMER = re.compile(
    r"말고(?!도)|아니[고라]|대신|바[뀌꼈꿨]|\b(?:no longer|instead|any ?more|changed|switched)\b", re.IGNORECASE
)
_ORDINAL = re.compile(r"^\d+(?:st|nd|rd|th)$", re.IGNORECASE)


def moved_answer(draft: Draft) -> Iterator[ReplyProgress] | None:
    """The new day of a plan, or what else is new, said back; None where the message changes nothing, asks, or fears.

    Args:
        draft: of the turn; that the answer repeats words of the user is noted there.
    """
    reading = draft.reading
    if draft.otherwise is not None or reading.surely_asks or not reading.tells_something:
        return None
    if holds_complaint(draft.plain) or _GRAVE.search(draft.plain):
        return None
    told = [one.value for one in reading.facts if one.probability >= MARKED_BESIDE]
    days = [value for value in told if is_day_alone(value)] if may_move(draft.plain) else []
    changed = (
        [value for value in told if is_the_new_one(value, draft.plain)] if _NAMES_THE_FORMER.search(draft.plain) else []
    )
    found = days or changed
    if len(found) != 1:
        return None
    draft.quotes = True
    phrases = _phrases()[draft.language if is_day_alone(found[0]) else f"changed_{draft.language}"]
    phrase, *_ = rotated(phrases, draft.message)
    said = phrase.format(day=_ORDINAL.sub(r"the \g<0>", found[0]))
    return stream_reply(iter([format_reply(without_marks(as_beginning(said)), "thinking", 0.4)]))


@cache
def _phrases() -> dict[str, list[str]]:
    return yaml.safe_load((DATA / "persona" / "moved_plan.yaml").read_text(encoding="utf-8"))
