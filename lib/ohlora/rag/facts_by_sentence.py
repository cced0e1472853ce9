"""Does a fact still stand when its sentence is read alone? What is taken from one sentence into the next is wrong.

"오키 ㅋㅋ 두부가 내 책 위에 드러누웠어" tells no favourite book, "난 쿨피스지ㅋㅋ 룸메랑 먹을 거야" no such room-mate.
Readers marked 477 facts of messages of several sentences: where the sentence alone tells the same under the same key
.73 of 256 were right, where it tells nothing .25 of 73, where it tells something else, or it under another key, .40 of
117 (same key, though alone it hardly tells: .55 of 31).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ohlora.llm.reply_format import plain_letters
from ohlora.rag.fact_reader import Fact, FactReader, Told
from ohlora.rag.job_wording import JOB_KEYS
from ohlora.rag.marked_messages import KINDS
from ohlora.rag.sentences import sentences_of, stands_in
from ohlora.rag.told_names import NAME_KEYS

MARKED = 0.3  # least probability of words that are taken for a fact
_INTRODUCED = (
    r"(?:\b(?:i['’]?m|i am|this is|name['’]?s|name is)\s(?:{names})"
    r"(?:,? (?:btw|by the way|here))?,"
    r"|(?<![가-힣])(?:나|난|저|전|저는|나는)\s(?:{names}),)\s(?:an? )?{job}(?=[.,!~]|\s*$)"
)
_TELLS = 0.5  # probability from which a sentence tells something


def standing_alone(facts: Sequence[Fact], message: str, reader: FactReader) -> list[Fact]:
    """The facts whose sentences tell something by themselves; of a key that changes then nothing is sure.

    Args:
        facts: of the message. message: as it was written; one of a single sentence is not read again.
    """
    sentences = sentences_of(message)
    if len(sentences) < 2 or not facts:
        return list(facts)
    holding = [[one for one in sentences if stands_in(fact.value, one)] for fact in facts]
    distinct = sorted({one for some in holding for one in some})
    told = dict(zip(distinct, reader.read_all([(one, "") for one in distinct]), strict=True))
    found = (*facts, *(one for some in told.values() for one in some.facts))
    names = [one.value for one in found if _is_name(one) and one.probability >= MARKED]
    kept = []
    for fact, some in zip(facts, holding, strict=True):
        stands = any(_key_found(fact, told[one]) == fact.key for one in some)
        if not some or _is_name(fact) or stands or _is_introduced(fact, names, message):
            kept.append(fact)
        elif any(_tells(told[one]) for one in some):
            kept.append(replace(fact, key_probability=0.0))
    return kept


def _key_found(fact: Fact, told: Told) -> str:
    """The key under which a sentence tells a value, or a part of it; "": it does not."""
    value = plain_letters(fact.value)
    found = (one for one in told.facts if one.probability >= MARKED)
    return next(
        (one.key for one in found if plain_letters(one.value) in value or value in plain_letters(one.value)), ""
    )


def _is_name(fact: Fact) -> bool:
    return fact.key.casefold() in NAME_KEYS


def _is_introduced(fact: Fact, names: Sequence[str], message: str) -> bool:
    """Whether a job stands right behind the name of who has it: "im marcus, cook" alone tells hardly anything.

    Args:
        names: that the message tells; "i'm tired, boss" tells none.
    """
    form = _INTRODUCED.format(job=re.escape(fact.value), names="|".join(map(re.escape, names)))
    return bool(names) and fact.key in JOB_KEYS and re.search(form, message, re.IGNORECASE) is not None


def _tells(told: Told) -> bool:
    return float(sum(told.kinds[KINDS.index(kind)] for kind in ("adds", "updates"))) >= _TELLS
