"""Plain Korean (반말) said politely (존댓말), to whoever asked for that: "뭐 해?" → "뭐 해요?".

All that she says is written in plain speech. What carries the level is how each sentence ends, and the words for "I"
and "you". Kiwi (ohlora.rag.korean_words) tells which morpheme ends a sentence: "좋다" becomes "좋아요", "하나" stays.
There is no polite word for "you": the user's name with 님 stands for it, or nothing, as Korean allows.

Of 294 of her sentences that nobody had looked at while this was written, a reader found 255 natural, 27 stiff and 12
wrong.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import Any

import yaml

from ohlora.config import DATA
from ohlora.llm.language import text_language
from ohlora.rag.korean_words import Morpheme, ends_in_consonant, joined, morphemes

Edit = tuple[int, int, str]
"""First character, end, and what stands there instead."""

_QUOTED = re.compile(r"(\"[^\"]*(?:\"|$)|“[^”]*(?:”|$))")
_MARKS = ("SF", "SE", "SP", "SS", "SO", "SW", "SB", "W_", "Z_")
_ENDS = re.compile(r"[.!?…~ㅋㅎㅠㅜ]")
_ENDINGS, _STEMS, _ASKED = ("EF", "EC"), ("V", "XSV", "XSA", "EP"), ("N", "MAG", "J")
_COMMA_ENDS = ("어", "야", "지", "네", "거든", "다", "구나", "나", "대", "래", "ᆫ대", "ᆯ게", "ᆯ래", "자")
"""What ends a sentence before a comma, too: "괜찮아, 고개 들어!"."""
_ALREADY_POLITE = re.compile(r"(요|죠|[ᆸ습]니다|[ᆸ습]니까|시오)$")
_STATEMENTS = ("다", "ᆫ다", "는다", "니", "으니", "냐", "으냐", "느냐", "자")  # and plain questions, "let us"
_IS = ("야", "다", "냐", "니", "이야")
_COMMANDS = ("라", "어라", "아라", "여라", "거라")
_LEFT_OUT = ("ᆫ", "는", "가", "ᆯ", "를", "의", "도", "랑", "한테", "에게")  # "you" may be left out with these
_CONTRACTED = {"의": "제", "가": "제가", "ᆫ": "전", "ᆯ": "저를"}
_AFTER_CONSONANT = {
    "ᆫ": "은",
    "는": "은",
    "가": "이",
    "ᆯ": "을",
    "를": "을",
    "랑": "이랑",
    "의": "",
    "와": "과",
    "로": "으로",
    "라도": "이라도",
}


@lru_cache(maxsize=64)
def polite(text: str, name: str = "") -> str:
    """A text in polite speech; what is polite already, stands in quotation marks or is not Korean stays.

    Args:
        text: in plain speech, one sentence or more.
        name: of the user, who is called by it with 님; "": nobody told it, and "you" is left out.
    """
    if text_language(text) != "ko":
        return text
    found = morphemes(text)
    quoted = [one.span() for one in _QUOTED.finditer(text)]
    edits = [*_endings(found, text, name), *_persons(found, text, name)]
    said = text
    for start, end, instead in sorted(edits, reverse=True):
        if any(first < end and start < last for first, last in quoted):
            continue
        if not instead and said[end : end + 1] == " ":  # "너도 그래?" → "그래요?"
            end += 1
        said = said[:start] + instead + said[end:]
    parts = _QUOTED.split(said)
    return "".join(one if number % 2 else _kinder(one, name) for number, one in enumerate(parts))


def _kinder(said: str, name: str) -> str:
    """What is not quoted, with the name's 님 and in kinder phrases than an ending alone makes."""
    if name:
        said = re.sub(rf"(?<![가-힣a-zA-Z]){re.escape(name)}(?=[!,.?~…]|$)", f"{name} 님", said)
    for plain, better in _words()["phrases"].items():
        said = said.replace(plain, better)
    for plain, better in _words()["whole"].items():
        said = re.sub(rf"(^|[.!?…~,] ){re.escape(plain)}(?=[\s.!~…ㅋㅎ]|$)", rf"\g<1>{better}", said)
    return said


def _endings(found: Sequence[Morpheme], text: str, name: str) -> Iterator[Edit]:
    """How the sentences end politely, and what is said to somebody in a word: "응" → "네"."""
    words = [number for number, one in enumerate(found) if not one.tag.startswith(_MARKS)]
    for place, number in enumerate(words):
        one, last = found[number], place + 1 == len(words)
        marks = "".join(mark.form for mark in found[number + 1 : None if last else words[place + 1]])
        ends, asks = last or _ENDS.search(marks) is not None, "?" in marks
        alone = place == 0 or words[place - 1] < number - 1
        if alone and (marks or last) and one.form in _words()["alone"]:
            yield one.start, one.end, _words()["alone"][one.form]
        elif (ends or marks) and one.form in _words()["last"]:
            yield one.start, one.end, _words()["last"][one.form]
        elif one.tag in _ENDINGS and (ends or (marks and (one.tag == "EF" or one.form in _COMMA_ENDS))):
            yield from _ending(found[: number + 1], text, asks)
        elif ends and one.tag == "JKV" and one.form in ("야", "아"):
            called = bool(name) and text[: one.start].endswith(name)  # "축하해 민재야!" calls him
            yield one.start, one.end, " 님" if called else _are(text[: one.start])
        elif ends and one.form != "요" and (one.tag == "JX" or (asks and one.tag.startswith(_ASKED))):
            yield one.end, one.end, "요"


def _ending(found: Sequence[Morpheme], text: str, asks: bool) -> Iterator[Edit]:
    *before, ending = found
    form, stem = ending.form, before[-1] if before else None
    if stem is None or _ALREADY_POLITE.search(form) or text[: ending.end].endswith("요"):
        return
    if (stem.form, form) == ("말", "어") and stem.tag.startswith("VX"):
        yield stem.start, ending.end, "마세요"
    elif (stem.form, form) == ("주", "어") and not any(one.form in ("안", "못") for one in before[-5:]):
        yield stem.start, ending.end, "주세요"
    elif (stem.form, form) == ("주", "ᆯ래") and asks:
        yield stem.start, ending.end, "주실래요"
    elif (stem.form, form) == ("보", "어") and not asks and _follows_a_verb(before):
        yield stem.start, ending.end, "보세요"  # "읽어 봐", but not "그런가 봐"
    elif stem.tag == "VCP" and form == "다":
        yield stem.end, ending.end, "네요"
    elif stem.tag == "VCP" and form in _IS:
        you = len(before) > 1 and before[-2].form in ("너", "니")  # which becomes 님 or 당신
        yield stem.start, ending.end, _are("님" if you else text[: stem.start])
    elif stem.tag == "VCN" and form in _IS:
        yield ending.start, ending.end, "에요"
    elif form == "지" or form.endswith("야지"):
        yield ending.end - 1, ending.end, "죠"
    elif form.endswith(("더라", "더라고")):
        yield ending.end - len(form[form.rindex("더라") :]), ending.end, "죠" if asks else "더라고요"
    elif form.endswith("구나"):
        yield ending.end - 2, ending.end, "군요"
    elif form.endswith("다며"):
        yield ending.end - 1, ending.end, "면서요"
    elif stem.tag == "VCP" and form == "라":
        yield ending.end, ending.end, "서요"
    elif form in _STATEMENTS or form in _COMMANDS:
        stems = _stems(before)
        polite_ending = "으세요" if form in _COMMANDS else "어요"
        if stems:
            word = joined([*((one.form, one.tag) for one in stems), (polite_ending, "EF")])
            yield stems[0].start, ending.end, word.replace("셔요", "세요")
    else:
        yield ending.end, ending.end, "요"


def _follows_a_verb(before: Sequence[Morpheme]) -> bool:
    """Whether the last morpheme is joined to another verb than itself: "읽어 봐", not "봐 봐"."""
    return len(before) > 2 and before[-2].form == "어" and before[-3].form != "보"


def _are(before: str) -> str:
    return "이에요" if ends_in_consonant(before) else "예요"


def _stems(before: Sequence[Morpheme]) -> list[Morpheme]:
    """The verb that an ending belongs to: its stem with what stands between ("고생|하었")."""
    stems: list[Morpheme] = []
    for one in reversed(before):
        if not one.tag.startswith(_STEMS) or (stems and one.end < stems[0].start):
            break
        stems.insert(0, one)
        if one.tag.startswith("V"):
            break
    return stems


def _persons(found: Sequence[Morpheme], text: str, name: str) -> Iterator[Edit]:
    """나 → 저, and 너 → the name with 님, or nothing."""
    for number, one in enumerate(found):
        before, after = found[max(number - 1, 0) : number], found[number + 1 :]
        if one.form == "나" and one.tag == "NP":
            yield _first_person(one, after, text)
        elif one.form == "내" and one.tag == "MM":
            yield one.start, one.end, "제"
        elif (one.tag == "NP" and one.form in ("너", "니")) or _means_your(one, after, text):
            yield _second_person(one, before, after, name)


def _first_person(person: Morpheme, after: Sequence[Morpheme], text: str) -> Edit:
    particle = after[0] if after and after[0].tag.startswith("J") else None
    if particle is not None and particle.form in _CONTRACTED:
        return person.start, particle.end, _CONTRACTED[particle.form]
    return person.start, person.end, "제" if text[person.start] == "내" else "저"


def _means_your(one: Morpheme, after: Sequence[Morpheme], text: str) -> bool:
    """Whether 네, which may be "yes" or the number four, is "your": "네 자리", not "네, 좋아" nor "네 개"."""
    if one.form != "네" or text[max(one.start - 1, 0) : one.start].strip() or text[one.end : one.end + 1] != " ":
        return False
    if not after or after[0].form in _words()["counted"]:
        return False
    return after[0].form in _words()["owned"] or (after[0].tag.startswith("N") and after[0].tag != "NNB")


def _second_person(person: Morpheme, before: Sequence[Morpheme], after: Sequence[Morpheme], name: str) -> Edit:
    """The name with 님; without one nothing, or 당신 where words belong to it: "그때의 너는", "너라면", "너!"."""
    touching = after if after and after[0].start <= person.end else ()
    particles = list(itertools.takewhile(lambda one: one.tag.startswith("J"), touching))
    is_one = touching[0] if touching and touching[0].tag == "VCP" else None
    rest, end = after[len(particles) :], (particles or [person])[-1].end
    alone = (not before or before[0].tag.startswith(_MARKS)) and (not rest or rest[0].tag.startswith(_MARKS))
    belongs = (before and before[0].tag in ("JKG", "ETM")) or (rest and rest[0].form in _words()["owned"])
    left_out = not particles or particles[0].form in _LEFT_OUT
    if not (name or is_one or belongs or alone) and left_out:
        return person.start, end, ""
    said = "".join(one.form for one in particles[1:])
    if particles:
        said = _AFTER_CONSONANT.get(particles[0].form, particles[0].form) + said
    if is_one is not None and is_one.start == is_one.end and after[1].form not in _IS:  # "너라면" leaves 이 out
        said = "이"
    return person.start, end, (f"{name} 님" if name else "당신") + said


@cache
def _words() -> dict[str, Any]:
    return yaml.safe_load((DATA / "persona" / "polite_speech.yaml").read_text(encoding="utf-8"))
