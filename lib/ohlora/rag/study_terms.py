"""Terms of study that she explains: what overfitting is, what a derivative is, why the sky is blue.

No sentence that fits every question explains anything, and a small language model explains wrongly. So somebody wrote
what she says of each term (data/answers/study_terms.jsonl), and she finds it by the name of the term in the message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ohlora.config import DATA
from ohlora.rag.intents import GeneralAnswer


@dataclass(frozen=True)
class StudyTerm:
    """A term, the spellings by which people name it in each language, and what she says of it, the plainest first."""

    term: str
    spellings: dict[str, tuple[str, ...]]
    answers: dict[str, tuple[str, ...]]


class StudyTerms:
    """Finds the terms that a message names, in either language's spelling."""

    def __init__(self, terms: Sequence[StudyTerm]) -> None:
        self.terms = list(terms)

    @cached_property
    def _term_of_spelling(self) -> dict[str, StudyTerm]:
        return {_joined(name): term for term in self.terms for names in term.spellings.values() for name in names}

    @cached_property
    def _pattern(self) -> re.Pattern:
        # The longest spelling first; spaces and hyphens may be left out; Korean ones may go on with a particle; no word
        # may begin before one, and her own name is no term.
        spellings = {name for term in self.terms for names in term.spellings.values() for name in names}
        longest_first = sorted(spellings, key=lambda name: (-len(_joined(name)), name))
        names = "|".join(r"[\s-]*".join(map(re.escape, re.split(r"[\s-]+", name))) for name in longest_first)
        return re.compile(rf"(?<![a-z0-9가-힣])(?<!oh-)(?<!oh )({names})(?![a-z0-9])")

    def named(self, message: str) -> list[StudyTerm]:
        """The terms in a message, each once, in their order there."""
        if not self.terms:
            return []
        found = [self._term_of_spelling[_joined(name)] for name in self._pattern.findall(message.casefold())]
        return list({one.term: one for one in found}.values())

    def explanations(self, message: str, language: str) -> list[GeneralAnswer]:
        """What she says of the first term of a message; of the first two together where there are more.

        Args:
            language: of the explanation, whatever the language of the name is.
        """
        terms = [term.answers[language] for term in self.named(message)[:2]]
        if len(terms) == 2:
            terms = [(" ".join(answers),) for answers in zip(*terms, strict=True)]
        return [GeneralAnswer("", language, reply, "thinking", 0.5) for answers in terms for reply in answers]


def _joined(name: str) -> str:
    return re.sub(r"[\s-]+", "", name)


def load_study_terms() -> StudyTerms:
    """The rows of data/answers/study_terms.jsonl."""
    with (DATA / "answers" / "study_terms.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return StudyTerms(
        [StudyTerm(row["term"], *({"ko": row[f"{part}ko"], "en": row[f"{part}en"]} for part in ("", "answers_")))
         for row in rows]
    )  # fmt: skip
