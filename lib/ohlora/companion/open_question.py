"""She did not know what was asked for, and asked back: the next message likely answers that, whatever it looks like.

"When's my birthday?" – "I don't know that about you. What is it?" – "9 March!" is no wedding, and after "what's my
wife's name?" nobody says the own one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ohlora.companion.kind_of_answer import can_answer
from ohlora.llm.language import text_language
from ohlora.rag import Reading
from ohlora.rag.proposals import CLEAR_KEY
from ohlora.rag.sentences import sentences_of, stands_in
from ohlora.rag.told_names import NAME_KEYS, is_of_people, pet_key, relation_key, whose_name_is_asked

_SHORTEST_KEY = {"ko": 2, "en": 3}  # letters: "형" stands in other words, too
_DECLINES = re.compile(
    r"됐어|아냐|아니야|몰라|글쎄|비밀|안\s?알려|나중에|\b(nvm|never ?mind|idk|not telling|no idea|forget it|guess)\b",
    re.IGNORECASE,
)


def key_asked_for(question: str, keys: Sequence[str]) -> str:
    """The key of the fact about the user, or of who is the user's, that a question asks for; "" where it names none.

    Args:
        keys: that may be meant, each behind "my": the longest is.
    """
    language = text_language(question) or "ko"
    whose = whose_name_is_asked(question)
    if whose:
        return pet_key(whose, language) or relation_key(whose, language)
    if is_of_people(question):
        return ""  # "when's my brother's birthday?"
    possible = [key for key in keys if len(key) >= _SHORTEST_KEY[language] and key.casefold() not in NAME_KEYS]
    mine = r"(?:(?<![가-힣])(?:내|제|나의|저의)|\b(?:my|our))\s(?:next\s)?"
    ends = (  # no further noun: "my job interview" is no job
        r"(?=(?:[은는이가도을를]|['’]?s)?\s*(?:\W*$|뭐|뭘|언제|며칠|어디|몇|얼마|누구|무슨|어느|알|기억|[이였]|야|지"
        r"|(?:again|is|was|on|called|now|and|then)\b))"
    )
    named = [key for key in possible if re.search(f"{mine}{re.escape(key)}{ends}", question, re.IGNORECASE)]
    return max(named, key=len, default="")


def as_answer(reading: Reading, message: str, question: str, keys: Sequence[str]) -> Reading:
    """What is read of a message that follows a question which she could not answer: its first fact is the answer.

    Not where that is surely something else, or cannot be the answer.

    Args:
        reading: of the message. question: that she could not answer; "": there is none. keys: see key_asked_for.
    """
    first = (sentences_of(message) or [""])[0]
    if not question or not reading.facts or _DECLINES.search(first) or not (key := key_asked_for(question, keys)):
        return reading
    told = [fact for fact in reading.facts if stands_in(fact.value, first) and can_answer(question, fact.value)]
    answer = min(told, key=lambda fact: first.index(fact.value), default=None)
    if answer is None or (answer.key_probability >= CLEAR_KEY and answer.key.casefold() not in NAME_KEYS):
        return reading
    facts = [replace(fact, key=key, key_probability=1.0) if fact is answer else fact for fact in reading.facts]
    return replace(reading, facts=tuple(facts))
