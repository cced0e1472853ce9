"""Two values of one thing in one message, "5월 17일이 아니라 31일로", "from March 12 to March 26": which one holds now?

The reader of facts finds both, since both are told; side by side in the store, the former one would come up again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from ohlora.llm.reply_format import plain_letters
from ohlora.rag.change_wording import tells_of_change
from ohlora.rag.fact_reader import Fact
from ohlora.rag.replaced_memory import is_time, may_have_several

_FORMER = (
    re.compile(
        r"(?<=[가-힣])(에서|은|는|이|가|을|를)?\s?(아니[고라랍야]|말고|대신|이?던\s?(거|게)|이?었는데|때려\s?[치쳤]|관뒀|그만|접었|끊었|취소"
        r"|떨어지고)|에서(?=\s.*로)"
        r"|\s?(['’]s| is| was) (out|off|not|no more|gone|cancell?ed)\b| no more\b|\W{1,3}(well,? )?it was\b",
        re.IGNORECASE,
    ),
    re.compile(r"\b(from|not|instead of|no longer|rather than|quit|left|sold) (the |on )?$", re.IGNORECASE),
)  # behind the value, and before it
_NEW = (
    re.compile(
        r"(?<=[가-힣])(으?로(?![가-힣])|으?로\s?[밀바옮변미이]|에?\s?(하기로|가기로)|\s?됐)|\s(now|instead)\b",
        re.IGNORECASE,
    ),
    re.compile(r"(\b(to|now|gave|for|it['’]?s( now)?|say) (the |on )?|(말고|대신|아니고|아니라) )$", re.IGNORECASE),
)
_DAY = re.compile(r"(?P<day>\d{1,2})\s?(일|st|nd|rd|th)", re.IGNORECASE)
_DAY_IN_MONTH = re.compile(
    r"(?P<month>\d{1,2}월)\s?(?P<day>\d{1,2})일|(?P<first>\d{1,2})(st|nd|rd|th)?( of)? (?P<name>[a-z]{3,9})"
    r"|(?P<named>[a-z]{3,9}) (?P<last>\d{1,2})(st|nd|rd|th)?",
    re.IGNORECASE,
)
_ANY_DAY = date(2000, 1, 1)
_MARKED = 0.6
"""Least probability of a value that pushes out another, as of a further fact of a message (ohlora.rag.proposals)."""


def present_facts(facts: Sequence[Fact], message: str) -> list[Fact]:
    """The facts of a message that hold now, in their order; a new day without a month has that of the former one.

    Left out are words that another value under the same key holds ("일" beside "11월 30일"), values that the message
    itself calls former ones, and under a key that has one value, in a message that tells of a change, those beside the
    one that is new.

    Args:
        facts: what the message tells, the surest first. message: as it was written.
    """
    whole = [fact for number, fact in enumerate(facts) if not _is_a_part(fact, facts[:number], facts[number + 1 :])]
    former = [fact for fact in whole if _is_former(fact, [one for one in whole if one.key == fact.key], message)]
    return [_with_month(fact, [one for one in former if one.key == fact.key]) for fact in whole if fact not in former]


def _with_month(fact: Fact, former: Sequence[Fact]) -> Fact:
    """ "5월 17일이 아니라 31일로": the 31st of May, whenever that is said."""
    day = _DAY.fullmatch(fact.value)
    for one in former if day else ():
        if (was := _DAY_IN_MONTH.fullmatch(one.value)) is None:
            continue
        before = int(was["day"] or was["first"] or was["last"])
        if before < int(day["day"]):
            month = was["name"] or was["named"]
            return replace(fact, value=f"{fact.value} {month}" if month else f"{was['month']} {fact.value}")
    return fact


def _is_a_part(fact: Fact, surer: Sequence[Fact], less_sure: Sequence[Fact]) -> bool:
    own = plain_letters(fact.value)
    said = [plain_letters(one.value) for one in surer if one.key == fact.key]
    longer = [plain_letters(one.value) for one in less_sure if one.key == fact.key and one.probability >= _MARKED]
    return any(own in other for other in said) or any(own in other and own != other for other in longer)


def _is_former(fact: Fact, same: Sequence[Fact], message: str) -> bool:
    """same: the facts under its key, the surest first."""
    kind = is_time(fact.value, _ANY_DAY)
    others = [one for one in same if one.probability >= _MARKED or one is fact]
    same = [one for one in others if is_time(one.value, _ANY_DAY) == kind]
    newest = max(same, key=lambda one: _newness(one.value, message))
    own, best = _newness(fact.value, message), _newness(newest.value, message)
    if own < 0:
        return best > own
    changes = tells_of_change(message)
    if may_have_several(fact.key):
        return fact is not newest and kind and changes and best > 0
    return fact is not newest and (kind or (changes and best > 0))


def _newness(value: str, message: str) -> int:
    """1: the message calls the value the new one, -1: the former one, 0: neither, or it does not stand there."""
    start = message.casefold().find(value.casefold())
    if start < 0:
        return 0
    before, behind = message[:start], message[start + len(value) :]
    former = _FORMER[0].match(message, start + len(value)) or _FORMER[1].search(before)
    new = _NEW[0].match(message, start + len(value)) or _NEW[1].search(before)
    return bool(new) - bool(former) if behind or before else 0
