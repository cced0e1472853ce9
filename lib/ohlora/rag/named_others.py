"""Whom a message names beside what they are to the user: "my greyhound Biscotti", "Priya, my mate", "여동생 도희가".

The reader of facts finds most of these names, and then is unsure whether "my flatmate priya pretended not to notice"
tells anything, or whose name it is. The wordings below leave little doubt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ohlora.llm.reply_format import plain_letters
from ohlora.rag.fact_reader import Fact
from ohlora.rag.korean_words import Morpheme, ends_in_consonant, morphemes
from ohlora.rag.told_names import NAME_KEYS, PET_KEYS, SURNAMES, is_a_relation, is_of_people, pet_key, relations

_ONE_CAPITAL = r"(?!(?:Mr|Ms|Dr)\b)[A-Z]\w*(?:[-'’][A-Z]\w+)?[^\W\dA-Z_](?!\w)"  # not BTS
_WITH_AGE = (  # "Owen who is 9 and little Lily who is 6"; not "Leeds, 20 minutes away"
    rf"(?:[,:(]|\b(?:and|little|are)|^) ?({_ONE_CAPITAL})(?:,? who(?:['’]s| is)| is|,| \()? ?\(?\d{{1,2}}\b"
    r"(?!\s(?:min|hour|day|night|week|dec|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov))"
)
_SMALL = (  # of a name in small letters, as other words may be: "coffee is my boyfriend"
    r"(?!(?:that|this|these|those|s?he|who|what|it|here|there|where|how|one|mine|yours|hers|theirs|every\w+|some\w+|any\w+"
    r"|nothing|nobody|\w+day|tomorrow|tonight|morning|evening|\w*night|bye|now|well|yeah|yep|yup|nah|nope|okay|sure|sorry"
    r"|thanks|hello|heya|hiya|honestly|guess|mostly|breakfast|lunch|dinner|food|chocolate|coffee|tea|wine|beer|music|work"
    r"|life|sleep|god|home|money|mum|mom|dad|techno|art|football|[a-z]+n['’]?t)\b)[^\W\d_]{3,}"
)
_AND = r"(?:,? (?:and|&) |, )"
_MINE = (
    r"\b(?:[Mm]y|MY|[Oo]ur)\s(?:(?!ex[ -]|host |former |work |business |lab |training |fake |imaginary )\w+\s){0,2}?"
)
_PLAINLY_CALLS = r"(?:['’]s name(?:['’]?s| is)?| is (?:called|named)| named)"  # not "my dad called yesterday"
_CALLS = r"(?:['’]?s name(?:['’]?s| is)?| is (?:called|named)| called| named| names? (?:is|are))"
_BEGINS = r"(?:^|[.!?;]\s*)"
_NO_NAMES = frozenset(
    [
        "I", "He", "She", "It", "We", "You", "They", "The", "A", "An", "And", "But", "So", "Or", "If",
        "When", "What", "Who", "Why", "How", "Is", "Was", "Are", "My", "Our", "His", "Her", "Just", "Then",
        "Now", "That", "This", "There", "Not", "No", "Yes", "Also", "Still", "Once", "Every", "Even",
        "Like", "Oh", "God", "Lord", "Sir", "Xmas", "Christmas", "Easter", "Eve", "Day", "Again", "Monday",
        "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "January", "February", "March",
        "April", "May", "June", "July", "August", "September", "October", "November", "December",
        "Facetime", "Facebook", "Instagram", "Zoom", "Skype", "Whatsapp", "Google", "Netflix", "Spotify",
        "Ohlora", "Lora", "Aurora", "Mr", "Mrs", "Ms", "Dr",
    ]
)  # fmt: skip
_NO_NAME = re.compile(r"\w{3,}ed$|^professor$|^liverpool$|^english$", re.IGNORECASE)
_STANDS_BEFORE = {  # a name that the reader found
    "ko": r"(?<![가-힣])(?:{words})(?:\s?이름(?:은|이)?)?\s$",
    "en": r"{mine}(?i:{words})s?,? $|{mine}(?i:{words})['’]s $",
}
_STANDS_BEHIND = r",? (?:my|our) (?i:{words})\b(?!['’]s)"  # "priya my flatmate reckons"
_TELLS_SOMEBODY = re.compile(r"\b(?:told|tell|asked|ask|texted|met|with|to|and)\s$", re.IGNORECASE)
_NAME_IS = re.compile(r"\b(?:his|her|its) name(?:['’]?s| is) $", re.IGNORECASE)
_CONFIRMED = 0.5
"""Probability from which the reader's word confirms that what stands behind "my flatmate" is a name."""
_DENIES = re.compile(r"\b(?:call(?:s|ed|ing)?|said|wrote|never|not)\b[^.!?]*$|\bno longer\b", re.IGNORECASE)
_PARTICLES_OF_NAMES = {"이", "가", "은", "는", "도", "를", "을", "랑", "이랑", "하고", "한테", "의", "와", "과"}
_IS_KOREAN = r"(?:이?라고|이?라는|(?:이야|야|이에요|예요|입니다|임|인데|이고)(?![가-힣]))"
_KOREAN_NAME = r"(?!누구|뭐|이름)[가-힣]{2,4}?"
_HOW_MANY = r"\S*\s?(?:(?:두|세|네|[2-4])\s?마리|둘|셋)(?!이)"
_TWO_NAMES = (
    r"(?P<name>[가-힣]{2,4}?)(?:이?랑|하고|,)\s?(?P<second>[가-힣]{2,4}?)"
    r"(?=이야|야|이?라고|예요|이에요|\s?(?:[.,!~)ㅋㅎ]|$))"
)
_NAME_IS_TOLD = r"\s?이름(?:은|이)?\s?(?P<name>{name}){ending}"


@dataclass(frozen=True)
class Named:
    """Somebody whom a message names. key: of a memory, "pet" or "sister"; word: of the message: "greyhound"."""

    name: str
    key: str
    word: str


def named_others(message: str) -> list[Named]:
    """Who is named in a message beside what they are to the user, in its order; none where that is not plain."""
    found = {one.name: one for one in [*_in_english(message), *_in_korean(message)]}
    return sorted(found.values(), key=lambda one: message.index(one.name))


def with_named_others(marked: Sequence[Fact], facts: Sequence[Fact], message: str) -> list[Fact]:
    """The facts of a message with those whom it plainly names, instead of what was found of their names before.

    Args:
        marked: all that the reader found. facts: what is left of that.
    """
    named = {one.name.casefold(): one for one in [*_confirmed(marked, message), *named_others(message)]}.values()
    kept = [fact for fact in facts if not any(_tells_of_name(fact, one.name) for one in named)]
    if named:  # "family: granddaughter" says no more
        kept = [fact for fact in kept if not is_a_relation(fact.value.removesuffix("s"))]
    return [*(Fact(one.key, one.name, 1.0) for one in sorted(named, key=lambda one: message.find(one.name))), *kept]


def _confirmed(facts: Sequence[Fact], message: str) -> Iterator[Named]:
    """Names that the reader took for those of others, behind what they are: "my greyhound biscotti did his lean"."""
    for fact in facts:
        name = fact.value.split()[-1] if fact.value.isascii() else fact.value
        before = message[: message.find(fact.value) + len(fact.value) - len(name)]
        language = "en" if name.isascii() else "ko"
        is_name = name.replace("-", "").isalpha() and _may_be_a_name(name)
        if fact.probability < _CONFIRMED or not _is_of_others(fact.key) or not is_name:
            continue
        if _NAME_IS.search(before):
            yield Named(name, fact.key, "")
        behind = message[len(before) + len(name) :]
        for key, words in relations(language).items():
            stands_before = re.search(_STANDS_BEFORE[language].format(mine=_MINE, words=words), before)
            is_told = _TELLS_SOMEBODY.search(before)  # "i told priya my sister is pregnant"
            if stands_before or (not is_told and re.match(_STANDS_BEHIND.format(words=words), behind)):
                yield Named(name, key, "")


def _tells_of_name(fact: Fact, name: str) -> bool:
    """Whether a fact is no more than a name that is told, be it with what they are: "greyhound biscotti"."""
    words, own = fact.value.casefold().split(), name.casefold()
    if plain_letters(fact.value) == plain_letters(name):
        return fact.key.casefold() in NAME_KEYS or _is_of_others(fact.key)
    cut = not fact.value.isascii() and plain_letters(fact.value) in (name, f"{name}이", name.removesuffix("이"))
    return _is_of_others(fact.key) and (cut or (own in words and len(words) <= 3))


def _is_of_others(key: str) -> bool:
    return is_of_people(key) or key in PET_KEYS or bool(pet_key(key, "en"))


def _in_english(message: str) -> Iterator[Named]:
    if message.istitle():  # "My Dad Died": capitals tell nothing
        return
    yield from _of_several(message)
    names = rf"(?P<name>{_ONE_CAPITAL}(?: (?!I\b){_ONE_CAPITAL})?)(?:{_AND}(?P<second>{_ONE_CAPITAL}))?"
    for key, words in relations("en").items():
        relation = rf"(?i:(?P<word>{words}))"
        for form in (
            rf"{_MINE}{relation}s?{_CALLS}?,? {names}(?!['’]s? (?:name|birthday)|,? who\b)",
            rf"{_MINE}{relation}{_PLAINLY_CALLS} (?P<name>{_SMALL})(?=\W*$|[,.!?])",
            rf"(?:{_BEGINS}|\b(?i:and|oh|no|oof|but) )(?P<name>{_SMALL})(?:['’]s| is) {_MINE}{relation}\b(?!['’]s)",
            rf"{_BEGINS}(?P<name>{_SMALL}), {_MINE}(?!friend){relation}(?=[.,!?]|$)",
        ):
            for one in re.finditer(form, message):
                given = [one["name"], one.groupdict().get("second")]
                if not _DENIES.search(message[: one.start()]):
                    yield from (Named(name, key, one["word"]) for name in given if name and _may_be_a_name(name))


def _of_several(message: str) -> Iterator[Named]:
    """Names with ages behind whose they are: "the grandkids for Thanksgiving, Owen who is 9 and Lily, 6"."""
    for key, words in relations("en").items():
        several = (
            rf"\b(?:[Mm]y|[Tt]he|[Oo]ur)\s(?:two |three )?(?P<word>{words})(?:s|(?<=ren))\b(?!['’])(?P<rest>[^.!?]*)"
        )
        for one in re.finditer(several, message):
            for name in re.findall(_WITH_AGE, one["rest"]):
                if _may_be_a_name(name):
                    yield Named(name, key, one["word"])


def _may_be_a_name(name: str) -> bool:
    return not any(word.title() in _NO_NAMES or _NO_NAME.search(word) for word in name.split())


def _in_korean(message: str) -> Iterator[Named]:
    if not re.search("[가-힣]", message):
        return
    yield from _of_several_pets(message)
    parts: list[Morpheme] = []
    for key, words in relations("ko").items():
        told = _NAME_IS_TOLD.format(name=_KOREAN_NAME, ending=_IS_KOREAN)
        for one in re.finditer(rf"(?<![가-힣])(?P<word>{words})(?:{told}|\s(?=[가-힣]{{2}}))", message):
            parts = parts or morphemes(message)
            name = one["name"] or _proper_noun(parts, one.end())
            if name and (one["name"] or key in PET_KEYS or _is_said_as_a_name(name)):
                yield Named(_as_called(name, key), key, one["word"])


def _of_several_pets(message: str) -> Iterator[Named]:
    """Names told behind how many pets there are: "고양이 두 마리 키워. 참깨랑 후추", "고양이 둘 있어 보리랑 흑미"."""
    word = relations("ko")[PET_KEYS[0]]
    for one in re.finditer(
        rf"(?P<word>{word}){_HOW_MANY}[^!?]{{0,10}}?(?:[.!~(:]\s?|[아어음요데지든]\s){_TWO_NAMES}", message
    ):
        for name in (one["name"], one["second"]):
            yield Named(name, PET_KEYS[0], one["word"])


def _proper_noun(parts: Sequence[Morpheme], begin: int) -> str:
    """The proper noun that begins at a character and has a particle that places do not take; "": there is none."""
    number = next((number for number, one in enumerate(parts) if one.start == begin and one.tag == "NNP"), None)
    if number is None:
        return ""
    name, *rest = parts[number : number + 4]
    form, end = name.form, name.end
    if rest and len(form) == 1 and rest[0].start == end and rest[0].tag.startswith("NN"):  # 민+서
        form, end, rest = form + rest[0].form, rest[0].end, rest[1:]
    if rest and (rest[0].form, rest[0].tag) == ("이", "XSN"):  # 채린+이+가
        form, end, rest = f"{form}이", rest[0].end, rest[1:]
    is_joined = bool(rest) and rest[0].start == end and rest[0].tag.startswith("J")
    return form if is_joined and rest[0].form in _PARTICLES_OF_NAMES else ""


def _is_said_as_a_name(name: str) -> bool:
    """Whether a proper noun behind "오빠" is said as names are: not 넷플릭스, nor 미국이 where 이 is a particle."""
    has_surname = len(name) == 3 and name[0] in SURNAMES
    easy = name.endswith("이") or not ends_in_consonant(name)  # 채린이가, 민수가; not 미국이
    return (len(name) == 2 and easy) or has_surname or (len(name) == 3 and name.endswith("이"))


def _as_called(name: str, key: str) -> str:
    """은경이 → 은경: 이 behind a consonant makes a name easier to say; of a pet, 콩이, it is a part."""
    short = name[:-1]
    easy = name.endswith("이") and len(short) > 1 and ends_in_consonant(short)
    return short if easy and key not in PET_KEYS else name
