"""Asked to talk in Korean or in English she says yes, in that language: a rule, the small model would garble it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from functools import cache

import yaml

from ohlora.config import DATA
from ohlora.llm.reply_format import ReplyProgress, format_reply, stream_reply

_NAMES = {"ko": "한국어|한국말|우리말|korean", "en": "영어|english"}
_KOREAN_WISH = (
    r"({name})로\s*(좀|만|도|다시|계속)?\s*((말|얘기|이야기|대화|대답|답)\s*)?"
    r"(해|하자|할래|할까|해도\s*(돼|되|될|괜찮)\S*|해\s?(줘|줄래|줘요|주세요|주라)|가자|바꾸자|바꿔\s?(줘|줄래|주세요)?)[\s?!.~요ㅋㅎㅠ]*$"
)
_ENGLISH_WISH = (
    r"(\b(can|could|shall|may|would|let'?s|let us|please|want to|wanna|like to|rather|prefer( to)?)\b|^\W*)[^.,!?]*"
    r"\b(talk|talking|speak|speaking|chat|answer|reply|switch|change|continue|go on)\b"
    r"(\s+(back|with me|to me|with you))?(\s+(only|now))?\s+(in|to)\s+({name})\b(?!\s+(class|lesson|teacher|exam|test))"
    r"|\blet'?s\s+(speak|do|use|try)\s+({name})\b|^\W*(in\s+)?({name}),?\s+please\W*$"
)
_TELLS = re.compile(r"\b(how|what|why|when|who|he|she|they|my|we always|i (always|usually|have to|had to))\b", re.I)


def wished_language(message: str) -> str | None:
    """``"ko"`` or ``"en"`` where a message asks to talk in it from now on ("영어로 얘기하자"); None: it does not."""
    for language, name in _NAMES.items():
        if re.search(_KOREAN_WISH.replace("{name}", name), message, re.IGNORECASE):
            return language
        wish = re.search(_ENGLISH_WISH.replace("{name}", name), message, re.IGNORECASE)
        if wish and not _TELLS.search(wish.group()):
            return language
    return None


def language_answer(message: str) -> Iterator[ReplyProgress] | None:
    """Her yes, in the language that is wished; None where none is. She answers everybody in the language they write."""
    if (language := wished_language(message)) is None:
        return None
    sentences = _sentences()[language]
    chosen = sentences[zlib.crc32(message.encode("utf-8")) % len(sentences)]
    return stream_reply(iter([format_reply(chosen, "happy", 0.6)]))


@cache
def _sentences() -> dict[str, list[str]]:
    return yaml.safe_load((DATA / "persona" / "languages.yaml").read_text(encoding="utf-8"))
