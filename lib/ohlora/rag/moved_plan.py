"""A plan is moved: "근데 그거 밀렸어요, 12월 12일로 바뀌었어요", "eh mid years is 25 june leh". Which plan is it?

Its day is stored under a key that the reader of facts found in another message, and in this one it may find another:
so the first day would stay beside the second. What both messages speak of tells more, and else what was just spoken of.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date

from ohlora.rag.change_wording import tells_of_change
from ohlora.rag.content_words import content_words
from ohlora.rag.memory import Memory
from ohlora.rag.message_reader import Reading
from ohlora.rag.replaced_memory import is_time

_FEAST = re.compile(r"생일|기념일|제사|\b(birthday|anniversary)\b", re.IGNORECASE)  # they are seldom moved
_ANY_PLAN = re.compile(r"일정|약속|계획|예약|이사|\b(plans?|appointments?|schedule|move|date)\b", re.IGNORECASE)
_ANY_DAY = date(2000, 1, 1)
UNSURE_KEY = 0.6
"""Probability below which the key of a fact says little: of keys below it one of three is right, above it two of three
(marked messages that taught nothing)."""


def moved_plan(
    reading: Reading, message: str, memories: Sequence[Memory], written: Mapping[str, str], lately: Sequence[str]
) -> tuple[Memory, str] | None:
    """The memory of a plan that a message moves, and its new day or time; None: it moves none, or it is open which.

    Args:
        reading: of the message. memories: that hold now. written: what the user wrote, by the turn of each.
        lately: turns of what was told back last, and of what was just written.
    """
    changes = tells_of_change(message)
    times = [fact for fact in reading.facts if is_time(fact.value, _ANY_DAY)]
    if len(times) != 1 or not reading.tells_something or not (changes or 2 * reading.updates > reading.tells):
        return None
    (fact,) = times
    plans = [one for one in memories if _is_plan(one) and one.value != fact.value]
    subject = content_words(message.replace(fact.value, " "))
    shared = [len(subject & content_words(f"{one.key} {written.get(one.source_turn or '', '')}")) for one in plans]
    best = max(shared, default=0)
    if best:
        return (plans[shared.index(best)], fact.value) if shared.count(best) == 1 else None
    spoken_of = [one for one in plans if one.source_turn in lately]
    says_little = fact.key_probability < UNSURE_KEY or _ANY_PLAN.search(fact.key)
    return (spoken_of[0], fact.value) if len(spoken_of) == 1 and says_little and changes else None


def _is_plan(memory: Memory) -> bool:
    is_a_time = is_time(memory.value, memory.created.date())
    return is_a_time and not memory.is_quoted and not _FEAST.search(memory.line)
