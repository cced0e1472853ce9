"""What a reply must not do, as rules that need no model: the labels of KTO and the measure of its success."""

from __future__ import annotations

import re

from ohlora.llm.dialogues import REPLY_LIMIT, Dialogue
from ohlora.llm.language import text_language
from ohlora.llm.reply_format import MemoryOperation, Reply, plain_letters

RULES = ("format", "language", "length", "repetition", "persona", "speech level", "invented memory", "memory", "mood")

_THIRD_SCRIPT = re.compile(
    r"[\u0370-\u03ff\u0400-\u052f\u0590-\u06ff\u0900-\u0dff\u0e00-\u0eff\u3040-\u30ff\u4e00-\u9fff]"
)
_OTHER_CHARACTERS = re.compile(
    r"chatgpt|gemma|openai|google assistant|as an ai language model|언어 모델로서|구글 어시스턴트"
    r"|나는 (진짜 )?사람이(야|에요)|i('m| am) (a )?(real )?(human|person)\b",
    re.IGNORECASE,
)
_POLITE_END = re.compile(
    r"(니다|[습입합됩십갑옵]니까|세요|해요|어요|아요|예요|이에요|네요|군요|지요|죠|까요|나요)[\s.!?~…ㅋㅎ]*$"
)
_ASKED_POLITE = re.compile(r"존댓말|높임말|존대|높여")
_GLAD = {"happy", "laughing", "proud"}
_GRIEVED = {"sad", "angry", "worried"}
_LOOP = re.compile(r"(.{3,}?)\1{2,}")


def keeps_language(text: str, language: str) -> bool:
    """Whether a reply is in the language of the conversation and uses no third script.

    A reply without letters (emoji) counts as kept.
    """
    return not _THIRD_SCRIPT.search(text) and text_language(text) in (language, None)


def is_polite(text: str) -> bool:
    """Whether a Korean text ends as one speaks to somebody one owes respect (존댓말)."""
    return bool(_POLITE_END.search(text))


def violations(reply: Reply, dialogue: Dialogue) -> list[str]:
    """Names of the RULES that a reply to this dialogue breaks; empty when it is fine.

    format: not the three lines. language: not the user's. length: longer than she talks. repetition: a piece three
    times in a row. persona: claims to be a person or another assistant. speech level: polite Korean that nobody asked
    for. invented memory: stores what the user did not say. memory: another operation than the written answer has
    (stores, forgets, or misses it). mood: a glad face where the written answer grieves, or the other way round.
    """
    said = " ".join([*(message["content"] for message in dialogue.history), *dialogue.memories, dialogue.user])
    broken = {
        "format": not reply.valid,
        "language": not keeps_language(reply.text, dialogue.language),
        "length": len(reply.text) > REPLY_LIMIT[dialogue.language],
        "repetition": bool(_LOOP.search(reply.text)),
        "persona": bool(_OTHER_CHARACTERS.search(reply.text)),
        "speech level": dialogue.language == "ko" and not _ASKED_POLITE.search(said) and is_polite(reply.text),
        "invented memory": not _is_grounded(reply.memory, said),
        "memory": getattr(reply.memory, "kind", None) != getattr(dialogue.memory, "kind", None),
        "mood": {reply.expression, dialogue.expression} & _GLAD != set()
        and {reply.expression, dialogue.expression} & _GRIEVED != set(),
    }
    return [rule for rule in RULES if broken[rule]]


def _is_grounded(memory: MemoryOperation | None, said: str) -> bool:
    """Whether at least half of the letter pairs of what is stored occur in what was said."""
    if memory is None or memory.kind == "forget":
        return True
    value, source = plain_letters(memory.value), plain_letters(said)
    pairs = [value[index : index + 2] for index in range(max(len(value) - 1, 1))]
    return sum(pair in source for pair in pairs) * 2 >= len(pairs)
