"""A correction that names what was wrong and what is right: "제주도 12일 아니고 19일", "not on Monday but Friday".

Whatever a reader makes of such a message, what is stored and holds the one now holds the other. Only times, numbers and
the user's own name: "여긴 회사가 아니라 지옥이야" corrects nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ohlora.rag.day_wording import WEEKDAY_KO
from ohlora.rag.memory import Memory
from ohlora.rag.told_names import NAME_KEYS

_WORD = r"[0-9A-Za-z가-힣'’/:-]{1,20}"
_IN_MONTH = r"\d{1,2}월\s?(?=\d{1,2}일)"
_MONTH = f"(?:{_IN_MONTH})?"
_CORRECTIONS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?P<old>{_MONTH}{_WORD}?)(이|가|은|는)?\s?(아니고|아니라)[\s,]+(?P<new>{_MONTH}{_WORD})",
        rf"\bnot (on |in |at |the )?(?P<old>{_WORD})[\s,]+(but|it'?s|its)\s+(on |in |at |the )?(?P<new>{_WORD})",
        rf"\b(it'?s|it is|i said|i meant|i'?m|called|name'?s|name is)\s+(?P<new>{_WORD})[\s,]+not (on |in |at |the )?"
        rf"(?P<old>{_WORD})",
    )
)
_ENDING = re.compile(
    r"(이라고|라고|(?<=[일월시분])래요?|이래요?|이란다|(?<=[일월시분])란다|이랍니다|이라네요?|이라더라|이라니까|라니까|입니다|이에요|예요|이야|야|임|요|(?<=[일월시분년])로|ㅋ+|ㅎ+)$"
)
_TIME_OR_NUMBER = re.compile(
    rf"\d|^{WEEKDAY_KO}|^(오늘|내일|모레|글피|어제)"
    r"|^((mon|tues|wednes|thurs|fri|satur|sun)day|today|tomorrow|tonight|jan\w*|feb\w*|march|april|may|june|july|aug\w*"
    r"|sept?\w*|oct\w*|nov\w*|dec\w*)$",
    re.IGNORECASE,
)


def may_correct(message: str) -> bool:
    """Whether a message is worded as a correction, and asks nothing: only then what is stored need be read."""
    asks = message.rstrip().endswith(("?", "？"))
    return not asks and any(pattern.search(message) for pattern in _CORRECTIONS)


def denied_values(message: str) -> list[str]:
    """What a message says is wrong, without what is right: "3월" of "3월이 아니고 2월"."""
    return [found["old"] for pattern in _CORRECTIONS for found in pattern.finditer(message)]


def corrected(message: str, memories: Sequence[Memory]) -> tuple[Memory, str] | None:
    """The memory that a message corrects and its new value; None where it corrects none, asks, or it is open which.

    Args:
        memories: all that is known of the user.
    """
    if not may_correct(message):
        return None
    for pattern in _CORRECTIONS:
        for found in pattern.finditer(message):
            old, new = found["old"], _ENDING.sub("", found["new"])
            whole = _what_gives_way(old, new)
            alike = _is_time_or_number(old) and _is_time_or_number(new)
            facts = [one for one in memories if not one.is_quoted and whole.search(one.value)]
            meant = [one for one in facts if alike or _is_name(one, old)]
            if len(meant) == 1 and new and new.casefold() != old.casefold():
                return meant[0], whole.sub(new, meant[0].value, count=1)
    return None


def _what_gives_way(old: str, new: str) -> re.Pattern[str]:
    """What of a value is replaced: of "12월 12일" only the day where the new one has no month, else both."""
    month = re.match(_IN_MONTH, old)
    day = re.escape(re.sub(_IN_MONTH, "", old))
    if re.match(_IN_MONTH, new):
        day = (f"{re.escape(month[0].strip())}\\s?" if month else _MONTH) + day
    elif month:
        day = f"(?<={re.escape(month[0].strip())} ){day}"
    return re.compile(rf"(?<![0-9A-Za-z가-힣]){day}(?![0-9A-Za-z가-힣])", re.IGNORECASE)


def _is_time_or_number(word: str) -> bool:
    return _TIME_OR_NUMBER.search(word) is not None


def _is_name(memory: Memory, word: str) -> bool:
    """Whether a word is the user's whole name, as it is stored."""
    return memory.key.casefold() in NAME_KEYS and memory.value.casefold() == word.casefold()
