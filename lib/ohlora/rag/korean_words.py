"""Korean words and their parts: nouns, where one ends (a piece that a network marks may lack a syllable), endings.

Kiwi (Lee 2024, "Kiwi: Developing a Korean Morphological Analyzer Based on Statistical Language Models and
Skip-Bigram") tells the noun of "왼손잡이라고" from what follows it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from kiwipiepy import Kiwi

_NOUNS = ("NN", "NP", "NR", "XPN", "XSN", "XR", "SL", "SN", "SH")
_AFTER_NOUNS = ("J", "VCP", "E", "XSV", "XSA")  # particles; "이다" and "하다" with their endings
_KOREAN = re.compile(r"[가-힣]")
_TOPIC = (("JX", "은"), ("JX", "는"), ("JX", "이야"))
_SYLLABLES, _FINALS = (ord("가"), ord("힣")), 28  # of Unicode: the final consonants of a syllable, none among them
_REST_OF_WORD, _SPACE = re.compile(r"[가-힣]*"), re.compile(r"\s?")


class Morpheme(NamedTuple):
    """form: as in a dictionary; tag: Kiwi's, irregular stems with -I; start, end: its characters ("난" is 나 + ㄴ)."""

    form: str
    tag: str
    start: int
    end: int


def morphemes(text: str) -> list[Morpheme]:
    """The morphemes of a text, in their order."""
    return [Morpheme(one.form, one.tag, one.start, one.start + one.len) for one in _analyser().tokenize(text)]


def joined(parts: Sequence[tuple[str, str]]) -> str:
    """The word that morphemes make, of forms and tags: 반갑 + 어요 is 반가워요."""
    return _analyser().join(list(parts))


def ends_in_consonant(text: str) -> bool:
    """Whether the last letter of a text is a Korean syllable with a final consonant; marks after it do not count."""
    last = ord(next((letter for letter in reversed(text) if letter.isalnum()), " "))
    return _SYLLABLES[0] <= last <= _SYLLABLES[1] and (last - _SYLLABLES[0]) % _FINALS != 0


def whole_noun(message: str, first: int, last: int) -> tuple[int, int]:
    """The characters from first to last, with the rest of a noun that they cut and without what is attached to it.

    What ends in no noun ("혼자 산다") stays as it is, but for the first syllables of a word that is none ("홍차 마셔").
    """
    if not _KOREAN.search(message[first:last]):
        return first, last
    inside = [one for one in morphemes(message) if one.end > first and one.start < last]
    cut = bool(inside) and inside[-1].end > last
    while inside and inside[-1].tag.startswith(_AFTER_NOUNS):
        inside.pop()
    if inside and inside[-1].tag.startswith(_NOUNS):
        return first, inside[-1].end
    before = message[first:last].rpartition(" ")[0].rstrip()
    return (first, first + len(before)) if cut and before else (first, last)


def whole_phrase(message: str, first: int, last: int) -> tuple[int, int]:
    """The whole noun of the characters from first to last, without what is a subject or a clause before it ("비 오는데
    |우산").

    What ends in a number takes its unit ("14|살", "5만| 원"), what ends in a verb the rest of it ("접|는다").
    """
    first, last = whole_noun(message, first, last)
    if not _KOREAN.search(message[first : last + 2]):
        return first, last
    found = morphemes(message)
    before = [one.end for one in found if one.tag in ("JKS", "EC", "EF", "IC") or (one.tag, one.form) in _TOPIC]
    first = max([first, *(end for end in before if first < end < last)])
    first += len(message[first:last]) - len(message[first:last].lstrip())
    tags = {one.end: one.tag for one in found if one.end > one.start}
    units = {one.start: one.end for one in found if one.tag == "NNB"}
    if not tags.get(last, "").startswith((*_NOUNS, "ETM")):
        return first, _REST_OF_WORD.match(message, last).end()
    counts = tags[last] in ("SN", "NR", "MM", "ETM")
    return first, units.get(_SPACE.match(message, last).end(), last) if counts else last


def korean_nouns(text: str) -> set[str]:
    """Its nouns and names of at least two syllables, without what is attached to them."""
    if not _KOREAN.search(text):
        return set()
    found = (one.form for one in morphemes(text) if one.tag in ("NNG", "NNP", "XR"))
    return {form for form in found if len(form) > 1}


@cache
def _analyser() -> Kiwi:
    from kiwipiepy import Kiwi

    # Its lists of names and of wrong spellings take two seconds and change nothing here.
    return Kiwi(num_workers=1, load_default_dict=False, load_typo_dict=False, load_multi_dict=False)
