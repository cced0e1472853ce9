"""Asked to talk in Korean or in English she says yes, in that language: a rule, the small model would garble it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from functools import cache

import yaml

from ohlora.config import DATA
from ohlora.llm.reply_format import ReplyProgress, format_reply, stream_reply

_NAMES = {"ko": "한국어|한국말|우리말|한글|korean", "en": "영어|english"}
_KOREAN_WISH = re.compile(
    r"(\w{2,6}\s말고\s)?((우리|이제(부터)?|그럼|그러면|앞으로는?|지금부터|나랑|나한테|오?로라야?|다시|계속|그냥"
    r"|혹시|자|야|좀|오늘은)\s+)*"
    r"(?P<name>\w{2,7}?)로(만)?\s*(좀|만|도|다시|계속)?\s*((말|얘기|이야기|대화|대답|답변|답|답장|톡|채팅)(을|좀)?\s*)?"
    r"(해|하자|하고\s?싶어|할래|할까|해도\s?(돼|되나|될까|괜찮)\w*|해\s?(줘|줄래|주라|주세요|(줄|주실)\s?수\s?있\w*)|가자|바꾸자|바꿔\s?(줘|줄래|주세요))"
    r"\s*(제발|부탁\w*|당분간)?[ㅋㅎㅠㅜ요\s]*",
    re.IGNORECASE,
)
_ENGLISH_WISH = re.compile(
    r"((hey|ok(ay)?|actually|maybe|please|pls|then|now|(oh-?)?lora)\s+)*"
    r"(?P<asks>(can|could|shall|may|can'?t)\s+(we|you|u|i)\s+|let'?s\s+|let us\s+"
    r"|i('d| would)\s+(like|love|prefer)\s+to\s+|i\s+(want\s+to|wanna)\s+)?"
    r"((just|please|pls|maybe|start|try)\s+)*"
    r"(talk|talking|speak|speaking|chat|chatting|answer|reply|respond|write|text|switch|change|continue|go\s+on)"
    r"(\s+(back|over|(with|to)\s+(me|you|u)))*(?P<in>\s+(in|to|into))?\s+(?P<name>\w{2,7})"
    r"(\s+(only|please|pls|plz|now|then|instead|again|from\s+now\s+on|for\s+a\s+(bit|while)|with\s+me|ok(ay)?|today))*",
    re.IGNORECASE,
)
_PLEASE = re.compile(r"(in\s+)?(?P<name>\w{2,7})(\s+only)?\s+(please|pls|plz)", re.IGNORECASE)
_CLAUSE_ENDS = re.compile(r"[.,!?;~\n]+|\b(?:so|but|and)\b", re.IGNORECASE)


def wished_language(message: str) -> str | None:
    """``"ko"`` or ``"en"`` where a message asks to talk in it from now on ("영어로 얘기하자"); None: it does not.

    A clause must be the wish and nothing else: "I talk in English at work" and "이 문장을 영어로 해줘" are none. "Can
    you speak Korean?" asks what she can.
    """
    clauses = [message, *_CLAUSE_ENDS.split(message)]
    for clause in (re.sub(r"[.,!?;~]+", " ", one).strip() for one in clauses):
        wish = _KOREAN_WISH.fullmatch(clause) or _PLEASE.fullmatch(clause) or _ENGLISH_WISH.fullmatch(clause)
        if wish is None:
            continue
        asked = wish.groupdict()
        able = re.match(r"(can|could)\s+(yo)?u\b", asked.get("asks") or "", re.IGNORECASE)
        if able and not asked["in"] and not re.search(r"\b(please|pls|plz)\b", clause, re.IGNORECASE):
            continue
        for language, names in _NAMES.items():
            if re.fullmatch(names, wish["name"], re.IGNORECASE):
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
