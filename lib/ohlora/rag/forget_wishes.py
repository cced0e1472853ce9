"""Whether a message asks to forget, and whether everything: what is erased word for word cannot come back.

Rules on wording beside the reader of messages: it takes "don't forget my exam" for a wish, and misses "can you forget
about my ex?".
"""

from __future__ import annotations

import re

_CLEAR = re.compile(
    r"잊어\s?(줘|주|달|라|버려|$)|지워\s?(줘|주|달|버려|라)|삭제\s?(해|좀|부탁)|못\s?들은\s?(걸|셈|척)|없던\s?(일|걸|얘기|말)"
    r"|기억하지\s?(마|말)|빼\s?(줘|주|달)"
    r"|\b(forget|delete|erase)\s+(that|this|it|him|her|them|my|what|who|where|when|how|about|all|everything|anything|the)\b"
    r"|\b(never|don'?t|dont) (said|keep|remember|store)\b|\bstrike that\b|\bremove (that|it|my|everything)\b",
    re.IGNORECASE,
)
_OPPOSITE = re.compile(
    r"잊지|까먹지|안\s?잊|못\s?잊|잊어\s?버렸|잊었|지워지"
    r"|\b(don'?t|dont|never|won'?t|can'?t|cant|cannot)( you)?( ever)? forget\b|\bforget (it|that)[,!. ]*$",
    re.IGNORECASE,
)
_EVERYTHING = re.compile(
    r"\b(forget|delete|erase) (everything|all)( (of it|i|that i|about me|you know)\b.*|[.! ]*)$"
    r"|\ball (of )?my (messages|data)\b"
    r"|내가\s?(한|쓴|했던|말한|말했던)\s?\S{0,3}\s?(다|전부|모두)|나에\s?대[해한].*(다|전부|모두)|모든\s?(기억|대화|말|메시지)",
    re.IGNORECASE,
)


def wishes_to_forget(message: str) -> bool:
    """Whether a message says in so many words that something is to be forgotten."""
    return _CLEAR.search(message) is not None and _OPPOSITE.search(message) is None


def wishes_to_keep(message: str) -> bool:
    """Whether a message says the opposite: "don't forget my exam", "never mind, forget it"."""
    return _OPPOSITE.search(message) is not None


def means_everything(message: str) -> bool:
    """Whether a wish to forget is about all that was told."""
    return _EVERYTHING.search(message) is not None
