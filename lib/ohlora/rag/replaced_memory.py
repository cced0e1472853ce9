"""Which memory a new value replaces, or none: then it stands beside what is stored under the same key."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from ohlora.rag.change_wording import tells_of_change
from ohlora.rag.dates import named_day
from ohlora.rag.memory import Memory
from ohlora.rag.named_memory import named_memory
from ohlora.rag.told_names import is_of_people

_SEVERAL = re.compile(
    r"좋아하는|싫어하는|못 먹는|무서워하는|취미|알레르기|반려|고민|언어|악기|운동(?!화)"
    r"|공부|습관|건강|특징|약속|일정|계획|식물|물건"
    r"|\b(likes?|dislikes?|hobb(y|ies)|allerg(y|ies)|intolerances?|pets?|favou?rite|languages?|instruments?|sports?|study"
    r"|habits?|fears?|worr(y|ies)|health|traits?|appointments?|plans?|plants?|possessions?)\b",
    re.I,
)
_ROUGH_TIME = re.compile(
    r"(이번|다음|담|저번)\s?(주|달)|주말|[월화수목금토일]욜|\d\s?시|\d+[:/]\d+"
    r"|\b(weekend|(this|next|last) (week|month|year)|\d+ ?[ap]m|jan(uary)?|feb(ruary)?|march|april|june|july|aug(ust)?"
    r"|sept(ember)?|oct(ober)?|nov(ember)?|dec(ember)?)\b",
    re.I,
)


def may_have_several(key: str) -> bool:
    """Whether two different values may both be right under a key: 취미, plan, and people, of whom one tells much."""
    return bool(_SEVERAL.search(key) or is_of_people(key))


def replaced_memory(
    alike: Sequence[Memory],
    key: str,
    value: str,
    changes: bool,
    message: str,
    said: date,
    source_turn: str | None = None,
) -> Memory | None:
    """The memory that a new value replaces, or None.

    A time replaces a time, and what is none what is none: "exam: 4 April" does not end "exam: IELTS". In
    data/memory/messages.*.jsonl, of 380 second days told under a key 368 are changes, of 243 days told beside something
    else 85. What is told of somebody who is named ("Mia moved to Paris") leaves the name.

    Args:
        alike: memories under the key, oldest first.
        key, value: to be stored. changes: whether the message seems to change what was told before.
        message: in which it is told. said: the day on which it is told.
        source_turn: id of the turn; facts of one message do not replace each other.
    """
    older = [one for one in alike if source_turn is None or one.source_turn != source_turn]
    of_its_kind = [one for one in older if is_time(one.value, said) == is_time(value, said)]
    likely = (of_its_kind or older) if changes else of_its_kind
    named = named_memory(likely, message, value, whole=not changes)
    if is_of_people(key):
        likely = [] if named is not None else likely
    elif named is not None and (changes or tells_of_change(message)):  # "tea now, no more coffee"
        return named
    if changes and not may_have_several(key):
        return likely[-1] if likely else None
    alone = len(likely) == 1 and (changes or not may_have_several(key))
    return likely[0] if alone else None


def is_time(value: str, said: date) -> bool:
    """Whether a value is a time, however rough: "21 June", "다음 주". said: the day on which it is told."""
    return named_day(value, said) is not None or _ROUGH_TIME.search(value) is not None
