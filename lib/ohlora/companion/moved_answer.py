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
    r"장례|발인|재판|항암|무서|걱정|심란|[ㅠㅜ]{2}|(?:위|폐|간|대장|유방|췌장)암|폐렴|이혼|자퇴|계약직|진단"
    r"|\b(?:funeral|wake|chemo|biopsy|court|trial|terrified|scared|worried|sucks|cancer|diagnos\w+|hospice|divorc\w+"
    r"|laid off)\b",
    re.IGNORECASE,
)

_NAMES_THE_FORMER = re.compile(
    r"말고(?!도)|아니[고라]|대신|바[뀌꼈꿨]|\b(?:no longer|instead|any ?more|changed|switched)\b", re.IGNORECASE
)
_IS_LIGHT = re.compile(  # keys: what changes there is no grief
    r"여행|일정|계획|모임|취미|악기|좋아하는|학원|동아리|수업|과목|게임|음식|음료|운동"
    r"|\b(?:trip|travel|holiday|plan|race|hobby|instrument|favou?rite|class|course|lesson|sport|drink|game)\b",
    re.IGNORECASE,
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
    told = [one for one in reading.facts if one.probability >= MARKED_BESIDE]
    days = [one.value for one in told if is_day_alone(one.value)] if may_move(draft.plain) else []
    changes = _NAMES_THE_FORMER.search(draft.plain)
    light = [one.value for one in told if _IS_LIGHT.search(one.key)] if changes else []
    changed = [value for value in light if is_the_new_one(value, draft.plain)]
    found = days or changed
    if len(found) != 1:
        return None
    draft.quotes = True
    phrases = _phrases()[draft.language if is_day_alone(found[0]) else f"changed_{draft.language}"]
    phrase, *_ = rotated(phrases, draft.message)
    said = phrase.format(new=_ORDINAL.sub(r"the \g<0>", found[0]))
    return stream_reply(iter([format_reply(without_marks(as_beginning(said)), "thinking", 0.4)]))


@cache
def _phrases() -> dict[str, list[str]]:
    return yaml.safe_load((DATA / "persona" / "moved_plan.yaml").read_text(encoding="utf-8"))
