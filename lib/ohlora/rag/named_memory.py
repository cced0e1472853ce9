"""Which of several memories under one key a message means: the one whose words it names, or none where that is open."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from ohlora.rag.memory import Memory

_WORD = re.compile(r"[0-9a-zà-ɏ]+|[가-힣]+")
_SMALL_WORDS = frozenset(
    [
        "a", "an", "the", "my", "your", "his", "her", "our", "their", "i", "me", "you", "it", "is", "am", "are", "was",
        "be", "of", "in", "on", "at", "to", "for", "from", "with", "and", "or", "as", "by", "that", "this", "has",
        "have", "had", "do", "does", "did", "not", "no", "so", "too",
        "나", "내", "나는", "내가", "난", "저", "제", "제가", "그", "이", "저는", "우리",
    ]
)  # fmt: skip
_PARTICLES = re.compile(
    r"(은|는|이|가|을|를|도|만|의|에|에서|에게|한테|랑|이랑|과|와|로|으로|야|이야|이라고|라고|이라는|라는|이란|란|한|하는|하기|하던|해|했던"
    r"|부터|까지|보다|처럼|같은|대신|말고|이랑은|요|예요|이에요|씨|님|이는|이가|이를|이도|이랑|이한테|이의)?$"
)


def named_memory(candidates: Sequence[Memory], message: str, new_value: str = "", whole: bool = False) -> Memory | None:
    """The memory of which a message names most; None where it names none, or two alike.

    Args:
        candidates: memories under one key.
        message: what the user wrote.
        new_value: what is to be stored; its words say nothing about which memory it changes.
        whole: only one whose value is named with all its words.
    """
    said = _words(message)
    fresh = set(_words(new_value))
    ranked = []
    for one in candidates:
        value, line = ({word for word in _words(text) if word not in fresh} for text in (one.value, one.line))
        named = {word for word in line if any(_is_said(word, token) for token in said)}
        all_of_it = bool(value) and value <= named
        if named and (all_of_it or not whole):
            ranked.append((len(named), all_of_it, one))
    best = max((place for *place, _ in ranked), default=None)
    found = [one for *place, one in ranked if place == best]
    return found[0] if len(found) == 1 else None


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'").replace("'s", " ")
    return [word for word in _WORD.findall(plain) if word not in _SMALL_WORDS]


def _is_said(word: str, token: str) -> bool:
    """Whether a token is a word, with a Korean particle or as an English plural."""
    if word == token or (word.isascii() and token in (f"{word}s", f"{word}es")):
        return True
    return not word.isascii() and token.startswith(word) and _PARTICLES.match(token[len(word) :]) is not None
