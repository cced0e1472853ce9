"""Whether a message asks to forget, and whether everything: what is erased word for word cannot come back.

Rules on wording beside the reader of messages: it takes "don't forget my exam" for a wish, and misses "can you forget
about my ex?".
"""

from __future__ import annotations

import re

from ohlora.rag.content_words import content_words
from ohlora.rag.message_reader import SURE, UNKNOWN_READING, Reading

_HARDLY = 0.05  # probability of a wish below which the words are meant otherwise
_ASKS = (  # a clause that begins with the verb, or asks for it: "I need to delete my homework" is about something else
    r"(?:^|[.!?,;:~…]\s*|\b(?:please|pls|(?:can|could) (?:you|u)|want you to|and|hey|ok|okay|just|biko|so)\s+)"
)
_CLEAR = re.compile(
    r"(잊어(\s?버려)?|지워(\s?버려)?|빼)\s?(줘|주라|주세요|주실|줄래|달라(?!고|는|던)|요?[.!~ㅋㅎㅠㅜ ]*$)"
    r"|삭제\s?(해\s?(줘|주세요)(?!\s?[서야])|좀|부탁)"
    r"|못\s?들은\s?(걸로|셈|척)|없던\s?(일|걸|얘기|말)로|(기억하|저장하|기록하|적)지\s?(마|말아)"
    rf"|{_ASKS}(forget|delete|erase|wipe)\s+"
    r"(that|this|it|him|her|them|my|what|who|where|when|how|about|all|everything|anything|the)\b"
    rf"|{_ASKS}(don'?t|dont)\s+(keep|store|save|note)\s+(that|this|it|what|any|stuff|the)\b"
    rf"|{_ASKS}(scrap|strike|scratch|drop|ditch|unsay|take back)\s+(that|the|this|my|what)\s+"
    r"(bit|part|thing|stuff|line|note|story|i (said|told|wrote|mentioned))\b"
    rf"|{_ASKS}(wipe|clear|erase|reset) (your|the) (memory|memories)\b"
    r"|\bpretend (i|we) (never|didn'?t)\b",
    re.IGNORECASE,
)
_OPPOSITE = re.compile(
    r"잊지|까먹지|안\s?잊|못\s?잊|잊어\s?버(?!려\s?(줘|주))|잊었|지워지|어떻게 잊"
    r"|\b(don'?t|dont|never|won'?t|can'?t|cant|cannot)( you)?( ever)? forget\b|\bforget it\b"
    r"|(?<!please )(?<!pls )\bforget that[,!. ]*$"
    r"|\b(how (could|can|dare)|would you forget|(?<!please )(?<!pls )forget (anything|things|people))\b",
    re.IGNORECASE,
)
_PLAIN = re.compile(
    r"(^(hey |ok )?(please|pls)|\b(can|could) (you|u)( please)?) (forget|delete|erase)\b", re.IGNORECASE
)
_MENTIONED = re.compile(
    r"잊|지우|지워|지운|삭제|빼|없던|없애|못\s?들은|보관|기록|적어|메모|저장|알려\s?준\s?걸로"
    r"|\b(forget|delete|erase|remove|scrap|keep|drop|wipe|strike|cross|scratch|clear|memory|notes?|list|records?|unsay|undo|unlearn)\b",
    re.IGNORECASE,
)
_CALLED_OFF = re.compile(
    r"취소|안\s?(가|하|해|나가|보러|받)|접었|접음|접기|엎어|파혼|깨졌|깨져|포기|관뒀|무산|폐지|해체|결항|날아갔|파토|백지화"
    r"|\b(cancel\w*|call\w* off|fell through|not (going|happening)|(backed|dropped|pulled) out|is off)\b",
    re.IGNORECASE,
)
_EVERYTHING = re.compile(
    r"\b(forget|delete|erase|wipe) (everything|all)\b|\ball (of )?(my|your|the) (messages|data|memories)\b"
    r"|\b(wipe|clear|erase|reset) (your|the) (memory|memories)\b"
    r"|(다|전부|모두|싹|모든)\b.*(잊|지워|삭제)",
    re.IGNORECASE,
)
_ALL_OF_IT = {
    "정보", "대화", "내용", "기록", "데이터", "clear", "data", "memori", "memory", "messag", "pls", "reset", "wip",
}  # fmt: skip
"""Subjects of a wish that is about everything all the same."""
_EVER_TOLD = re.compile(
    r"(나|내|저|제)(에 대|에 관|\s?정보|\s?데이터|\s?기록)|(모든|내|제|전체) 기억|아는 (거|것|걸)|기억하(는|고)"
    r"|지금까지|여태|그동안|\b(about me|on me|ever|so far|your memor\w+|the memor\w+|all memories|my data)\b"
    r"|\byou (know|remember|have|saved)\b"
    r"|^\W*((please|pls|hey|ok|can you|could you) )*(forget|delete|erase|wipe) everything"
    r"( i('ve)? (said|told you))?( please| pls)?[.!?~ ]*$",
    re.IGNORECASE,
)
_OF_NOW = re.compile(
    r"방금|아까|오늘|이번|\b(just (said|told|wrote|now)|today|this (talk|chat|conversation))\b", re.IGNORECASE
)


def asks_to_keep(message: str) -> bool:
    """Whether a message says the opposite of a wish to forget: "don't forget my exam"; or "never mind, forget it"."""
    return _OPPOSITE.search(message) is not None


def wishes_to_forget(message: str, reading: Reading) -> bool:
    """Whether a message surely wishes something to be forgotten: it asks for it, or the reader is sure that it does.

    Neither words nor reader are enough alone where both are there ("forget about work, tell me something nice").
    """
    if asks_to_keep(message):
        return False
    if _CLEAR.search(message):
        plain = _PLAIN.search(message) is not None
        return plain or reading == UNKNOWN_READING or reading.forgets >= _HARDLY
    return reading.forgets >= SURE and _MENTIONED.search(message) is not None


def calls_off(message: str) -> bool:
    """Whether a message that made her forget a plan says that it will not be: nobody wishes to have said nothing."""
    return _CALLED_OFF.search(message) is not None and _MENTIONED.search(message) is None


def means_everything(message: str) -> bool:
    """Whether a wish to forget is about all that was told: it says so, and names nothing."""
    return _EVERYTHING.search(message) is not None and content_words(message) <= _ALL_OF_IT


def means_all_memories(message: str) -> bool:
    """Whether a wish to forget is about all that she ever was told, and not just about what was said now."""
    return means_everything(message) and _EVER_TOLD.search(message) is not None and _OF_NOW.search(message) is None
