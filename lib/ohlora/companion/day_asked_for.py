"""What is on that day? "내일 뭐 있는지 기억해?", "what do I have on Friday?" asks for whatever was told of a day."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime

from ohlora.rag import Memory, Recalled
from ohlora.rag.dates import named_day

_ASKS = re.compile(
    r"(?:뭐|무슨\s?(?:일|일정|약속|날))(?:가|이)?\s?(?:있(?!었)|하기로|하는\s?날|인지|이지|이더라|더라)|(?:일정|약속)\S*\s?(?:있|뭐|알)"
    r"|\bwhat(?:['’]?s| is) (?:on(?! tv)|happening|planned)\b|\bwhat (?:do i have|have i got|am i (?:doing|up to))\b"
    r"|\b(?:do i have|have i got) (?:anything|something)\b(?! to )|\bmy plans?\b",
    re.IGNORECASE,
)


def day_asked_for(message: str, today: date) -> date | None:
    """The day of which a message asks what is on; None: it does not ask that."""
    return named_day(message, today) if _ASKS.search(message) else None


def told_of_day(day: date, memories: Sequence[Memory], messages: Sequence[Memory], now: datetime) -> list[Recalled]:
    """What was told of a day: what is stored of several things, of one what the user wrote of it; none: nothing.

    Args:
        memories: that hold now. messages: what the user wrote, oldest first, as memories. now: with the time zone.
    """
    holds = [one for one in memories if _day_of(one, now) == day]
    turns = {one.source_turn for one in holds}
    written = [one for one in messages if one.source_turn in turns and _day_told(one, now) == day]
    found = written if written and len(turns) == 1 else holds
    return [Recalled(one, 1.0) for one in found]


def _day_of(memory: Memory, now: datetime) -> date | None:
    return memory.expires.astimezone(now.tzinfo).date() if memory.expires else _day_told(memory, now)


def _day_told(memory: Memory, now: datetime) -> date | None:
    """The day that the words of a memory name, counted from when they were told."""
    return named_day(memory.value, memory.created.astimezone(now.tzinfo).date())
