"""She did not know what was asked for, and asked back: the next message answers that, whatever else it looks like.

"When's my birthday?" – "I don't know that about you. What is it?" – "9 March!" is no wedding, and after "what's my
wife's name?" nobody says the own one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ohlora.llm.language import text_language
from ohlora.rag import Reading
from ohlora.rag.sentences import sentences_of
from ohlora.rag.told_names import NAME_KEYS, PLAIN_NAME_KEYS, asks_for_own_name, relation_key, whose_name_is_asked

_SHORTEST_KEY = {"ko": 2, "en": 3}  # letters: "형" stands in other words, too


def key_asked_for(question: str, keys: Sequence[str]) -> str:
    """The key of the fact that a question asks for, where it names it; else "".

    Args:
        keys: that may be meant; the longest that stands in the question is.
    """
    language = text_language(question) or "ko"
    whose = whose_name_is_asked(question)
    if whose:
        return relation_key(whose, language)
    if asks_for_own_name(question):
        return PLAIN_NAME_KEYS[0 if language == "ko" else 1]
    found = [key for key in keys if len(key) >= _SHORTEST_KEY[language] and key.casefold() not in NAME_KEYS]
    named = [
        key for key in found if re.search(rf"(?<![a-z가-힣]){re.escape(key)}(?![a-rt-z])", question, re.IGNORECASE)
    ]
    return max(named, key=len, default="")


def as_answer(reading: Reading, message: str, question: str, keys: Sequence[str]) -> Reading:
    """What is read of a message that follows a question which she could not answer: its first fact is the answer.

    Args:
        reading: of the message. question: that she could not answer; "": there is none. keys: see key_asked_for.
    """
    if not question or not reading.facts or not (key := key_asked_for(question, keys)):
        return reading
    first = (sentences_of(message) or [""])[0]
    told = [fact for fact in reading.facts if fact.value in first]
    answer = min(told, key=lambda fact: first.index(fact.value), default=None)
    if answer is None:
        return reading
    facts = [replace(fact, key=key, key_probability=1.0) if fact is answer else fact for fact in reading.facts]
    return replace(reading, facts=tuple(facts))
