"""A message in sentences, as people type them: laughter, tears and new lines end one, too."""

from __future__ import annotations

import re

from ohlora.llm.reply_format import plain_letters

_SENTENCE_ENDS = re.compile(
    r"(?<=[.!?？…~;])\s+|(?<=[ㅋㅎㅠㅜ]{2})\s+|\n+"
    r"|(?<=[\U0001F300-\U0001FAFF])\s+(?=(?:also|and|so|but|btw|anyways?|근데|그리고|그래서)\b)",
    re.IGNORECASE,
)
_NEXT_CLAUSE = re.compile(
    r"(?<!where)(?<!when)(?<!who)(?<!that)(?<!day)(?<!way)(?<!before)"
    r",?\s(?:s?he|it|they)(?:['’]?s|['’]?re| is| are) (?:an?|\d)\b",
    re.IGNORECASE,
)
_HOLDS_CLAUSES = re.compile(
    r"[가-힣](?:[는은인한]데|지만|니까|이야|거든)\s|\w and (?:has|have|is|was|had) (?:been )?\w+(?:ing|ed)\b",
    re.IGNORECASE,
)


def sentences_of(message: str) -> list[str]:
    """The sentences that hold letters, in their order."""
    return [one.strip() for one in _SENTENCE_ENDS.split(message) if plain_letters(one)]


def first_clause(words: str) -> str:
    """Words without a clause that begins behind them: "biscuit hes a beagle" → "biscuit"; "" where they hold another.

    A network that marks words may go on into what follows: "코딩 독학은 재밌는데 영어는 노잼이야 파이썬".
    """
    first = _NEXT_CLAUSE.split(words)[0]
    return "" if _HOLDS_CLAUSES.search(first) else first


def stands_in(words: str, text: str) -> bool:
    """Whether words stand in a text, not in the middle of others: "jo" stands in no joke.

    Korean words may go on, with a particle or more.
    """
    ends = "" if re.search("[가-힣]$", words) else "(?![0-9A-Za-z])"
    return re.search(rf"(?<![0-9A-Za-z가-힣]){re.escape(words)}{ends}", text) is not None
