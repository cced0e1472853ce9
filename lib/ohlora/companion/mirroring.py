"""She repeats the heart of what was told before she answers it: "Two grand of stock… I'm on your side, whatever comes."

Which words those are ohlora.rag.mirrored_words knows; data/persona/mirroring.yaml how they are said. A friend does that
now and then: not where a message asks or jokes, and not twice in a row.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from functools import cache

import yaml

from ohlora.config import DATA
from ohlora.llm.reply_format import plain_letters
from ohlora.rag.extraction import holds_secret
from ohlora.rag.intents import as_beginning
from ohlora.rag.lexicon import holds_curse

_FIRST_WORDS = re.compile(r"[^!…?,]+")


def mirroring(
    message: str,
    kind: str,
    language: str,
    history: Sequence[dict[str, str]],
    mirrored: Callable[[str, str], str],
) -> str:
    """What she says first, or "".

    Args:
        message: the user's. kind: what it tells, of data/answers/intents.yaml. language: of her words.
        history: the messages before. mirrored: see GeneralAnswers.
    """
    frames = _frames()[language].get(kind)
    if not frames or holds_secret(message) or holds_curse(message) or _did_so_before(history):
        return ""
    words = mirrored(message, history[-1]["content"] if history else "")
    frame = frames[zlib.crc32(message.encode()) % len(frames)]
    return frame.replace("{words}", as_beginning(words)) if words else ""


def _did_so_before(history: Sequence[dict[str, str]]) -> bool:
    """Whether her last line begins with words of the message before it."""
    if len(history) < 2:
        return False
    first = _FIRST_WORDS.match(history[-1]["content"])
    return first is not None and plain_letters(first[0]) in plain_letters(history[-2]["content"])


@cache
def _frames() -> dict[str, dict[str, list[str]]]:
    return yaml.safe_load((DATA / "persona" / "mirroring.yaml").read_text(encoding="utf-8"))
