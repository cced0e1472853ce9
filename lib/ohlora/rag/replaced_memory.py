"""Which memory a new value replaces, or none: then it stands beside what is stored under the same key."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from ohlora.rag.dates import named_day
from ohlora.rag.memory import Memory
from ohlora.rag.named_memory import named_memory

_CHANGED = re.compile(
    r"이제|이젠|말고|대신|바꿨|바뀌|갈아탔|더는|더 이상|아니라|끊었|접었|관뒀|그만뒀"
    r"|포기|때려\s?[치쳤]|무산|취소|연기|앞당|미뤄|미뤘"
    r"|\b(no longer|any ?more|instead|switched|used to|gave up|quit|stopped|changed|over it|rather than"
    r"|cancell?ed|postponed|rescheduled|pushed back|moved to)\b",
    re.I,
)
_SEVERAL = re.compile(  # what one may have two of, and people, of whom one tells more than one thing
    r"좋아하는|싫어하는|못 먹는|무서워하는|취미|알레르기|친구|가족|형제|자녀|반려|고민|언어|악기"
    r"|운동|공부|습관|건강|특징|약속|일정|식물|물건"
    r"|아들|딸|손주|손자|손녀|엄마|아빠|어머니|아버지|할머니|할아버지|남편|아내|애인|동생|언니|오빠|누나|^형$|사위|며느리|사촌|조카|이모|삼촌"
    r"|\b(likes?|dislikes?|hobb(y|ies)|allerg(y|ies)|\w*friends?|family(?! name)|brothers?|sisters?|child(ren)?|kids?"
    r"|pets?|favou?rite|languages?|instruments?|sports?|study|habits?|fears?|health|traits?|appointments?|plans?"
    r"|plants?|possessions?|sons?|daughters?|mother|father|mum|mom|dad|grand\w+|husband|wife|partner|fianc\w+|cousins?"
    r"|aunt|uncle|niece|nephew)\b",
    re.I,
)


def may_have_several(key: str) -> bool:
    """Whether two different values may both be right under a key: 취미, friend, daughter."""
    return bool(_SEVERAL.search(key))


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

    A day replaces a day, and what is no day something that is none: "exam: 4 April" does not end "exam: IELTS". In
    data/memory/messages.*.jsonl, of 380 users who told a second day under a key 368 had changed it; of 243 who told a
    day beside something else 85 had.

    Args:
        alike: memories under the key, oldest first, at least one.
        key, value: to be stored. changes: whether the message seems to change what was told before.
        message: in which it is told. said: the day on which it is told.
        source_turn: id of the turn; facts of one message do not replace each other.
    """
    older = [one for one in alike if source_turn is None or one.source_turn != source_turn]
    if not older:
        return None
    gives_up = bool(_CHANGED.search(message))
    named = named_memory(older, message, value, whole=not changes)
    if named is not None and (changes or gives_up):  # "tea now, no more coffee"
        return named
    of_its_kind = [one for one in older if _is_day(one.value, said) == _is_day(value, said)]
    if may_have_several(key):
        likely = of_its_kind or older
        return likely[0] if changes and len(likely) == 1 else None
    if changes:
        return (of_its_kind or older)[-1]
    return of_its_kind[-1] if of_its_kind else None


def _is_day(value: str, said: date) -> bool:
    return named_day(value, said) is not None
