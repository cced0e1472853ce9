"""Asked whether she is a person, she says that she is an AI: a small model forgets it at times, a rule does not."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ohlora.llm.language import text_language
from ohlora.llm.prompt import Example

_NAMED = re.compile(
    r"사람|인간|로봇|챗봇|봇|기계|인공지능|AI[가-힣]|알바|\b(AI|human|person|robot|bot|machine|program|alive|real)\b",
    re.IGNORECASE,
)
_SAID = re.compile(
    r"\bAI\b|AI[가-힣]|인공지능|프로그램|(사람|인간)(이|은|도)?\s*아니"
    r"|artificial|\bprogram\b|not (an? )?(real )?(human|person)",
    re.IGNORECASE,
)


def honest_word(message: str, reply: str, examples: Sequence[Example]) -> str:
    """The sentence that her reply lacks, in its language: that she is an AI. "" where nothing is missing.

    It belongs to the answer where the message names persons or machines and a written answer to a similar message says
    it. Words alone cannot tell "너 사람이니?" from "사람 많은 데는 싫어"; the written dialogues can.

    Args:
        examples: written dialogues about similar messages, as the model saw them.
    """
    asked = _NAMED.search(message) and any(_SAID.search(example.reply) for example in examples)
    if not asked or _SAID.search(reply):
        return ""
    return "I'm an AI, not a person." if text_language(reply) == "en" else "나는 사람이 아니라 AI야."
