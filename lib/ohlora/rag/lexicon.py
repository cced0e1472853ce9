"""Words that decide by themselves, with an allow-list for innocent words that contain them (시발점).

Some of them people also cry out over rain and printers: what curses a thing is no insult.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from ohlora.config import DATA
from ohlora.rag.normalisation import normalise

# Between the letters of a word that is spelled apart: anything but letters, at most three of it (시1발, 시  발).
_APART = r"[^a-z가-힣ㄱ-ㅎㅏ-ㅣ]{0,3}"
_LETTER_OR_DIGIT = r"[0-9a-z가-힣ㄱ-ㅎㅏ-ㅣ]"
_SAYS_MORE = 3  # letters beside a curse, from which it is not all that is said


@dataclass(frozen=True)
class LexiconHit:
    """A term that was found, and the class that it belongs to."""

    label: str
    term: str


class Lexicon:
    """Terms by class, matched in normalised text.

    Args:
        path: YAML with ``terms`` (class → list), ``allow`` (list), and ``exclamations``: ``cried`` and ``aimed``.
    """

    def __init__(self, path: Path = DATA / "moderation" / "lexicon.yaml") -> None:
        raw = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        self.terms = [(label, term) for label, terms in raw["terms"].items() for term in terms]
        self._patterns = [(label, term, _pattern(normalise(term))) for label, term in self.terms]
        self._allow = [re.compile(_spaced(normalise(term))) for term in raw["allow"]]
        self._cried, self._aimed = (
            re.compile("|".join(rf"(?<![a-z가-힣])(?:{one})(?![a-z가-힣])" for one in raw["exclamations"][name]))
            for name in ("cried", "aimed")
        )

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
        """The text without what is cried out in it; "" where that is all, as it is where nothing is."""
        rest, found = self._cried.subn(" ", normalised)
        if not found:
            return normalised
        return " ".join(rest.split()) if len(re.findall(r"[a-z가-힣]", rest)) >= _SAYS_MORE else ""

    def is_aimed(self, normalised: str) -> bool:
        """Whether a text names somebody at whom a curse in it may be aimed."""
        return self._aimed.search(normalised) is not None


@cache
def shipped_lexicon() -> Lexicon:
    """The one of data/moderation/lexicon.yaml; it is kept."""
    return Lexicon()


def holds_curse(text: str) -> bool:
    """Whether a word of the list stands in a text: what she is not to repeat."""
    return bool(text.strip()) and shipped_lexicon().find(normalise(text)) is not None


def _pattern(term: str) -> re.Pattern[str]:
    apart = _APART.join(re.escape(letter) for letter in term if letter != " ")
    spelled = rf"(?<!{_LETTER_OR_DIGIT}){apart}(?!{_LETTER_OR_DIGIT})"
    if term.isascii():
        return re.compile(rf"(?<![a-z]){_spaced(term)}(?![a-z])|{spelled}")
    return re.compile(rf"{_spaced(term)}|{spelled}")


def _spaced(term: str) -> str:
    return re.escape(term).replace(r"\ ", r"\s+")
