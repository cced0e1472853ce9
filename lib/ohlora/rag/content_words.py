"""The words of a text that say what it is about: nouns and names, by which two messages about the same are known."""

from __future__ import annotations

import re

from ohlora.rag.korean_words import korean_nouns

_LATIN_WORD = re.compile(r"[a-z][a-z'&]*[a-z]", re.IGNORECASE)
_STEM = 4  # letters of an English word that count: "booked" and "booking" differ behind them
_NO_SUBJECTS = frozenset(
    [
        "이야기", "얘기", "오늘", "내일", "어제", "지금", "요즘", "이번", "다음", "지난", "진짜", "정도",
        "ain't", "can't", "didn't", "doesn't", "don't", "got", "gonna", "gotta", "i'll", "i'm", "i've", "isn't", "it's",
        "just", "like", "lmao", "lol", "next", "now", "okay", "really", "that's", "thing", "things", "today",
        "tomorrow", "tonight", "wanna", "week", "yeah", "yesterday",
    ]
)  # fmt: skip
"""Words of many messages, beside scikit-learn's list of English ones."""


def content_words(text: str) -> set[str]:
    """Nouns of at least two syllables (Kiwi), and words in Latin letters without small ones, cut to their stem."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    latin = {word.casefold() for word in _LATIN_WORD.findall(text.replace("’", "'"))}
    latin -= ENGLISH_STOP_WORDS | _NO_SUBJECTS
    return {word.removesuffix("'s")[:_STEM] for word in latin} | (korean_nouns(text) - _NO_SUBJECTS)
