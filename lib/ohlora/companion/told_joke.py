"""A joke with its answer wants a groan: "why did the carpenter quit? He was bored stiff!" is no question.

Taken for one she said that she does not know, or explained lightning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import yaml

from ohlora.companion.draft import Draft
from ohlora.config import DATA
from ohlora.llm.reply_format import ReplyProgress, format_reply, stream_reply
from ohlora.rag.complaint_words import holds_complaint
from ohlora.rag.intents import rotated

_IS_ONE = re.compile(
    r"\bhere(?:['’]?s| is) (?:one\b(?! of\b)|(?:another|a) (?:joke|riddle|pun|good one)\b)|\bone for you\b"
    r"|\b(?:joke|riddle|pun)(?: time| for (?:yo)?u)\b|(?:아재\s?개그|넌센스)(?:\s?퀴즈)?(?!\S*\s(?:좋아|싫어|알))",
    re.IGNORECASE,
)
_ASKS_AND_ANSWERS = re.compile(r"[?？]+\s+(?P<answer>[^?？]{2,90})$")
_NO_ANSWER = re.compile(
    r"\b(?:tell me|guess|do (?:yo)?u know|i don['’]?t know|idk|any idea|please|help|thanks?)\b|맞춰|알아|몰라|모르",
    re.IGNORECASE,
)


def tells_joke(message: str) -> bool:
    """Whether a message tells a joke that asks, and its answer."""
    found = _ASKS_AND_ANSWERS.search(message.strip())
    return bool(found and _IS_ONE.search(message)) and not _NO_ANSWER.search(found["answer"])


def joke_answer(draft: Draft) -> Iterator[ReplyProgress] | None:
    """What she says to a joke; None: the message tells none."""
    if draft.otherwise is not None or holds_complaint(draft.plain) or not tells_joke(draft.plain):
        return None
    said, *_ = rotated(_lines()[draft.language], draft.message)
    return stream_reply(iter([format_reply(said, "laughing", 0.8)]))


@cache
def _lines() -> dict[str, list[str]]:
    return yaml.safe_load((DATA / "persona" / "jokes.yaml").read_text(encoding="utf-8"))
