"""Who is Biscotti? A question for somebody whom the user named is answered by what they are, or where they were named.

What searches by meaning looks for what is asked, and finds nothing in "my greyhound biscotti did his lean on me".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ohlora.llm.language import text_language
from ohlora.rag import Memory, Recalled
from ohlora.rag.korean_words import morphemes
from ohlora.rag.named_others import named_others
from ohlora.rag.told_names import NAME_KEYS, PET_KEYS, is_of_people

_ASKS = (
    re.compile(
        r"(?<!guess )(?<!look )(?<!knows )\bwho(?:['’]?s| is| was) "
        r"(?!(?:my|your|our|the|that|this|it|he|she|there|here|an?|in|on|at|to|i"
        r"|u|you|(?:oh-?)?lora|aurora|\w+ing)\b)"
        r"(?P<name>[a-zà-ž]{2,}(?: (?-i:[A-Z])[a-zà-ž]+)?)(?=\W*$|[,?]| (?:again|then|to me)\b)",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?<!guess )(?<!look )(?<!knows )\bwho (?!(?:else|knew|cares|i|he|she|it|that|this|we|they|u|you|my|the)\b)"
        r"(?P<name>[a-zà-ž]{2,}) (?:is|was)\b"
        r"(?! (?:my|your|the|going|coming|in|at|on|with|playing|doing|dating|seeing|like|marrying)\b)",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?<!너 )(?<!넌 )(?<!니 )(?<!네 )(?<![가-힣])(?!(?:내|제|나|너|그|얘|걔|쟤)[가이]\s)"
        r"(?P<name>[가-힣]{2,5}?)(?:이?가|이?는|은|이)?\s"
        r"누(?:구(?:게|지|야|였|더라|라고|인지|예요|[?？]|$)|군지)"
    ),
)
_WORDS_AND_NAMES = {
    "will", "may", "mark", "hope", "bill", "art", "june", "april", "august", "summer", "rich", "pat", "sue", "drew",
}  # fmt: skip
_QUESTION_WORD = re.compile(
    r"^(?:사람|친구|오늘|어제|여기|거기|누구|그게|이게|주인공|범인|오로라|로라|너는|당신|최애|가수|남친|여친|오빠|언니|누나|동생)$"
)


def who_is_asked(message: str) -> str:
    """The name of whom a message asks who they are, as it is written there; "": it does not ask that."""
    found = next(filter(None, (form.search(message) for form in _ASKS)), None)
    return "" if found is None or _QUESTION_WORD.match(found["name"]) else found["name"]


def who_is(name: str, memories: Sequence[Memory], messages: Sequence[Memory], language: str) -> Recalled | None:
    """What the user told of somebody: what they are where that is known, else the first message that names them so.

    Args:
        name: see who_is_asked. memories: that hold now. messages: what the user wrote, oldest first, as memories.
        language: ``"ko"`` or ``"en"``, of the question.
    """
    told = [one for one in messages if holds_name(one.value, name)]
    for one in reversed(told):
        for named in named_others(one.value):
            if _same(named.name, name):
                return Recalled(one, 1.0, _what_they_are(named.word, language))
    for one in memories:
        is_of_others = is_of_people(one.key) or one.key in PET_KEYS
        if _same(one.value, name) and is_of_others and one.key.casefold() not in NAME_KEYS:
            they_are = _what_they_are(one.key, language)
            return Recalled(told[-1], 1.0, they_are) if told else Recalled(replace(one, value=they_are), 1.0)
    named_so = [one for one in told if _stands_as_a_name(name, one.value)]
    return Recalled(named_so[0], 1.0) if named_so else None


def _what_they_are(word: str, language: str) -> str:
    return f"your {word}" if language == "en" and text_language(word) == "en" else word


def _stands_as_a_name(name: str, text: str) -> bool:
    """Whether a word is written as a name in a text: with a capital, or, in Korean, where its analyser hears one."""
    if name.isascii():
        return re.search(rf"(?<!\w)(?<![.!?] )(?!^){re.escape(name.capitalize())}(?!\w)", text) is not None
    return any(one.tag == "NNP" and one.form in (name, f"{name}이") for one in morphemes(text))


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def holds_name(text: str, name: str) -> bool:
    """Whether a text holds a name, in Latin letters as a whole word."""
    behind = r"(?!\w)" if name.isascii() else ""
    return re.search(rf"(?<!\w){re.escape(name)}{behind}", text, re.IGNORECASE) is not None


def spoken_of(message: str, known: Sequence[Memory]) -> list[str]:
    """Those of whom a message speaks by name: "또리가 몇 살이지?" is not answered by the age of the grandson.

    A name that may be another word counts where it is written as a name: "when will my exam be?" speaks of no Will.
    """
    names = {one.value for one in known if is_of_people(one.key) or one.key in PET_KEYS}
    return [name for name in names if _is_spoken_of(name, message)]


def _is_spoken_of(name: str, message: str) -> bool:
    if not name.isascii():
        return (
            re.search(rf"(?<![가-힣]){re.escape(name)}(?=[이가은는을를도의랑와과하한]|[\s?!.,]|$)", message) is not None
        )
    is_word = name.casefold() in _WORDS_AND_NAMES
    return name in message if is_word and not message.islower() else not is_word and holds_name(message, name)
