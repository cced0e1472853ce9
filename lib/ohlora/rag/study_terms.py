"""Terms of study that she explains: what overfitting is, what a derivative is, why the sky is blue.

No sentence that fits every question explains anything, and a small language model explains wrongly. So somebody wrote
what she says of each term (data/answers/study_terms.jsonl). She finds it by the name of the term, in a message that
asks what something is: most people use one of few wordings for that, whatever the term.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from ohlora.config import DATA
from ohlora.rag.intents import GeneralAnswer

_ASKS = re.compile(
    r"뭐(야|지|임|예요|에요|냐|더라|였|가|길래|하는|라고|랑|고)|뭔(데|가|지|\s?(말|소리|뜻))|[머먼](야|임|지|가)|무슨\s?(뜻|말|소리|의미)|무엇|란\s?(뭐|무엇|\?|$)|이란"
    r"|설명|이해\s?(가|도|를|할)?\s?(안|못|잘|시켜|하기)|모르겠|몰라|헷갈|차이|다른\s?(거|점|가)|뜻|의미|개념|알려|궁금|원리|약자"
    r"|왜\s|어떻게\s?(생|돌아|되는|작동|만들어지)"
    r"|\b(what(['’]?s| is| are| does| do)?|wh?t|wtf|expla(in\w*|nation)|meaning|means?|defin(e|ition)"
    r"|diff(eren(t|ces?))?"
    r"|makes no sense|(do|does|did|can)(n['’]?t| not) (\w+ )?(get|understand)|never (got|understood)"
    r"|help me (get|understand)|in (simple|plain) (words|terms|english)|break (it )?down|teach me|never heard|vs|remind"
    r"|tell me about|eli5|how (does|do|come|are|is|can a)|where does|(?<!that['’]s )(?<!thats )why)\b|=\s?\?",
    re.IGNORECASE,
)
_ASKS_FOR_A_WAY = re.compile(
    r"방법|는\s?법|어떻게\s?(해|하|고|막|써|쓰)|추천|풀어|봐\s?줘|\bhow (do|can|should|would) (i|u|you|we)\b"
    r"|\bhow to\b|\bshould (i|we)\b|\b(is|are|does|do|did|with|fix|in|for) my\b|\bare you\b|^(너|넌|네가|니가)\s",
    re.IGNORECASE,
)
_PARTS = re.compile(r"[,.!?;\n]+\s|\b(?:but|anyway|so)\b|근데|그런데|암튼")


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
        return re.compile(rf"(?<![a-z0-9가-힣])(?!(?<=oh[- ])lora)({names})(?![a-z0-9])")

    def named(self, message: str) -> list[StudyTerm]:
        """The terms in a message, each once, in their order there."""
        if not self.terms:
            return []
        found = [self._term_of_spelling[_joined(name)] for name in self._pattern.findall(message.casefold())]
        return list({one.term: one for one in found}.values())

    def explanations(self, message: str, language: str) -> list[GeneralAnswer]:
        """What she says of the term that a message asks for; of the first two together where it names more.

        Args:
            language: of the explanation, whatever the language of the name is.

        Returns:
            Nothing where the message names no term, or asks no "what is …".
        """
        asking = asking_part(message)
        named = self.named(asking) or (self.named(message) if asking else [])
        terms = [term.answers[language] for term in named[:2]]
        if len(terms) == 2:
            terms = [(" ".join(answers),) for answers in zip(*terms, strict=True)]
        return [GeneralAnswer("", language, reply, "thinking", 0.5) for answers in terms for reply in answers]


def asking_part(message: str) -> str:
    """The part of a message that asks what something is: all of it where that names no other part; "": none does."""
    if not _ASKS.search(message) or _ASKS_FOR_A_WAY.search(message):
        return ""
    return next((part.strip() for part in _PARTS.split(message) if _ASKS.search(part)), message)


def _joined(name: str) -> str:
    return re.sub(r"[\s-]+", "", name)


@cache
def load_study_terms() -> StudyTerms:
    """The rows of data/answers/study_terms.jsonl."""
    with (DATA / "answers" / "study_terms.jsonl").open(encoding="utf-8") as file:
        return StudyTerms([_study_term(json.loads(line)) for line in file])


def _study_term(row: dict) -> StudyTerm:
    spellings, answers = ({name: tuple(row[part + name]) for name in ("ko", "en")} for part in ("", "answers_"))
    return StudyTerm(row["term"], spellings, answers)
