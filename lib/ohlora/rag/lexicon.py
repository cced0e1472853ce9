"""Words that decide by themselves, with an allow-list for innocent words that contain them (시발점).

Some of them people also cry out over rain and printers: what curses a thing is no insult.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from ohlora.config import DATA
from ohlora.rag.normalisation import normalise

# Between the letters of a word that is spelled apart: anything but letters, at most three of it (시1발, 시  발).
_APART = r"[^a-z가-힣ㄱ-ㅎㅏ-ㅣ]{0,3}"
_PARTICLES = "이랑|랑|이|가|은|는|을|를|도|한테|보다|같은|같이|아|야|의|만|"
_LETTER_OR_DIGIT = r"[0-9a-z가-힣ㄱ-ㅎㅏ-ㅣ]"


@dataclass(frozen=True)
class LexiconHit:
    """A term that was found, and the class that it belongs to."""

    label: str
    term: str


class Lexicon:
    """Terms by class, matched in normalised text.

    Args:
        path: YAML with ``terms`` (class → list), ``allow`` (list), and ``exclamations``: ``terms`` and ``aimed``.
    """

    def __init__(self, path: Path = DATA / "moderation" / "lexicon.yaml") -> None:
        raw = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        self.terms = [(label, term) for label, terms in raw["terms"].items() for term in terms]
        self._patterns = [(label, term, _pattern(normalise(term))) for label, term in self.terms]
        self._allow = [re.compile(_spaced(normalise(term))) for term in raw["allow"]]
        self._exclamation = _any_word(raw["exclamations"]["terms"])
        self._aimed = _any_word(raw["exclamations"]["aimed"], _PARTICLES)

    def find(self, normalised: str) -> LexiconHit | None:
        """The first term, in the order of the file, that is not covered by the allow-list.

        Args:
            normalised: text after ``normalise``.
        """
        covered = [match.span() for pattern in self._allow for match in pattern.finditer(normalised)]
        for label, term, pattern in self._patterns:
            for match in pattern.finditer(normalised):
                if not any(start <= match.start() and match.end() <= end for start, end in covered):
                    return LexiconHit(label, term)
        return None

    def without_exclamations(self, normalised: str) -> str:
        """The text without what is cried out in it; as it is where that is all, or is aimed at somebody."""
        rest, found = self._exclamation.subn(" ", normalised)
        says_more = re.search(r"[a-z가-힣]{2}", rest) is not None
        return rest.strip() if found and says_more and not self._aimed.search(normalised) else normalised


def _any_word(words: Sequence[str], endings: str = "") -> re.Pattern[str]:
    """Any of them, with one of the endings or without, standing apart from other letters but those of laughter."""
    either = "|".join(map(re.escape, words))
    return re.compile(rf"(?<![a-z가-힣ㄱ-ㅎ])(?:{either})(?:{endings})(?![a-z가-힣ㄱ-ㅊㅌㅍ])")


def _pattern(term: str) -> re.Pattern[str]:
    apart = _APART.join(re.escape(letter) for letter in term if letter != " ")
    spelled = rf"(?<!{_LETTER_OR_DIGIT}){apart}(?!{_LETTER_OR_DIGIT})"
    if term.isascii():
        return re.compile(rf"(?<![a-z]){_spaced(term)}(?![a-z])|{spelled}")
    return re.compile(rf"{_spaced(term)}|{spelled}")


def _spaced(term: str) -> str:
    return re.escape(term).replace(r"\ ", r"\s+")
