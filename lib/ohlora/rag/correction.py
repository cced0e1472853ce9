"""A correction that names what was wrong and what is right: "제주도 12일 아니고 19일", "not Monday but Friday".

Whatever a reader makes of such a message, what is stored and holds the one now holds the other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ohlora.rag.memory import Memory

_WORD = r"[0-9A-Za-z가-힣'’./:-]{1,20}"
_CORRECTIONS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?P<old>{_WORD}?)(이|가|은|는)?\s?(아니고|아니라)[\s,]+(?P<new>{_WORD})",
        rf"\bnot (on |in |at |the )?(?P<old>{_WORD})[\s,]+(but|it'?s|its)\s+(on |in |at |the )?(?P<new>{_WORD})",
        rf"\b(it'?s|it is|i said|i meant|i'?m|called|name'?s|name is)\s+(?P<new>{_WORD})[\s,]+not (on |in |at |the )?"
        rf"(?P<old>{_WORD})",
    )
)
_ENDING = re.compile(r"(이라고|라고|이라니까|라니까|이에요|예요|이야|야|으로|로|임|요|ㅋ+|ㅎ+)$")


def corrected(message: str, memories: Sequence[Memory]) -> tuple[Memory, str] | None:
    """The memory that a message corrects and its new value; None where it corrects none, asks, or it is open which.

    Args:
        memories: all that is known of the user.
    """
    if message.rstrip().endswith(("?", "？")):
        return None
    for pattern in _CORRECTIONS:
        for found in pattern.finditer(message):
            old, new = found["old"], _ENDING.sub("", found["new"].rstrip(".,"))
            whole = re.compile(rf"(?<![0-9A-Za-z]){re.escape(old)}(?![0-9A-Za-z])", re.IGNORECASE)
            meant = [one for one in memories if whole.search(one.value)]
            if len(meant) == 1 and new and len(old) > 1 and new.casefold() != old.casefold():
                return meant[0], whole.sub(new, meant[0].value, count=1)
    return None
