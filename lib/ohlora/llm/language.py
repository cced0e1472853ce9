"""Which of her two languages a text is in."""

from __future__ import annotations

import re

LANGUAGES = ("ko", "en")
_WORD = re.compile(r"[A-Za-z가-힣ㄱ-ㅣ]+")
_HANGUL = re.compile(r"[가-힣ㄱ-ㅣ]")


def text_language(text: str) -> str | None:
    """``"ko"``, ``"en"``, or None where the text has no letters of either.

    Words are counted, not letters: a word with any Hangul is Korean ("INFP야", "truncation이"), and as many Korean
    words as English ones are enough, since Koreans mix English in and hardly anybody does the reverse.
    """
    words = _WORD.findall(text)
    korean = sum(bool(_HANGUL.search(word)) for word in words)
    if not words:
        return None
    return "ko" if 2 * korean >= len(words) else "en"
