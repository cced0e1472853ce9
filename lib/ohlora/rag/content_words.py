"""The words of a text that say what it is about: nouns and names, by which two messages about the same are known."""

from __future__ import annotations

import re

from ohlora.rag.korean_words import korean_nouns

_LATIN_WORD = re.compile(r"[a-z][a-z&]*[a-z]", re.IGNORECASE)
_CONTRACTION = re.compile(r"['’][a-z]{1,2}\b", re.IGNORECASE)
_ENDING = re.compile(r"(?<=[a-z]{3})(ings?|ed|es|s|e)$")
_NO_SUBJECTS = frozenset(
    [
        "이야기", "얘기", "오늘", "내일", "어제", "지금", "요즘", "이번", "다음", "지난", "진짜", "정도", "기억",
        "삭제", "부탁", "메시지", "사람",
        "delete", "didn", "doesn", "don", "dont", "erase", "forget", "going", "gonna", "got", "gotta", "im", "ive",
        "isn", "just", "know", "like", "lmao", "lol", "next", "now", "ok", "okay", "really", "remember", "said", "say",
        "talk", "tell", "thing", "things", "think", "today", "told", "tomorrow", "tonight", "want", "wanna", "week",
        "won", "yeah", "yesterday",
    ]
)  # fmt: skip
"""Words of many messages, beside scikit-learn's list of English ones."""


def content_words(text: str) -> set[str]:
    """Nouns of at least two syllables (Kiwi), and words in Latin letters without small ones and common endings."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    latin = {word.casefold() for word in _LATIN_WORD.findall(_CONTRACTION.sub(" ", text))}
    latin -= ENGLISH_STOP_WORDS | _NO_SUBJECTS
    return {_ENDING.sub("", word) for word in latin} | (korean_nouns(text) - _NO_SUBJECTS)
