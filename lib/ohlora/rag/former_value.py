"""Two values of one thing in one message, "5월 17일이 아니라 31일로", "from March 12 to March 26": which one holds now?

The reader of facts finds both, since both are told; side by side in the store, the former one would come up again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ohlora.llm.reply_format import plain_letters
from ohlora.rag.change_wording import MOVES, tells_of_change
from ohlora.rag.dates import ANY_DAY, MONTH_EN
from ohlora.rag.day_wording import speaks_of_birthday
from ohlora.rag.fact_reader import Fact
from ohlora.rag.replaced_memory import is_time, may_have_several

_FORMER_BEHIND = re.compile(
    r"(?<=[가-힣])(에서|은|는|이|가|을|를)?\s?(아니[고구라랍야]|말고(?!도)|대신(?!\s?(에도|도))|이?던\s?(거|게)|이?었는데|였는데|때려\s?[치쳤]|관뒀"
    r"|그만(?!큼)|접[고었]|끊[고었]|(너무\s)?(많이\s)?(먹어서\s)?(질[렸려림](?!지)|물[렸려림](?!받))|취소|떨어지고)|에서(?=\s?\S+?로\s?(옮|이사|바|변|미|밀|당|이직|전학|갈아))"
    r"|\s?(['’]s| is| was) (out\b(?! (in|on|at|with|for))|off\b(?! (to|his|her|their|its|my|school|work|sick|today))"
    r"|not (any ?more|happening|on\b|auspicious)|no more|gone|cancell?ed)\b| no more\b|\W{1,3}(well,? )?it was\b",
    re.IGNORECASE,
)
_FORMER_BEFORE = re.compile(
    r"\b(not|instead of|no longer( at| in| on)?|rather than|quit|left|sold"
    r"|used to (be|play|do|have|drink|eat|live in|work at)) (the |on )?$",
    re.IGNORECASE,
)
_FROM, _TO = re.compile(r"\bfrom (the |on )?$", re.IGNORECASE), re.compile(r"[^.!?]*?\bto\b", re.IGNORECASE)
_NEW_BEHIND = re.compile(
    r"(?<=[가-힣])(으?로(?![가-힣])|으?로\s?[밀바옮변미이당]|에?\s?(하기로|가기로)|\s?됐)|\s(now|instead)\b",
    re.IGNORECASE,
)
_NEW_BEFORE = re.compile(
    r"(\b(to|now|gave|for|it['’]?s( now)?|say) (the |on )?|(말고|대신|아니고|아니라) )$", re.IGNORECASE
)
_JOINED = re.compile(r"\W*(에|이?랑|하고|와|과|부터|and|or|to|till|until|plus)?\W*(on |the )?", re.IGNORECASE)
_OF_WHAT = re.compile(  # before a day
    r"(?<![가-힣])(?P<korean>[가-힣]+)[은는이가]\s*$"
    r"|\b(?:the|my)\s(?P<english>[\w ]{2,20}?)(?:['’]s| is| are)?(?: on| due| by| till)*\s(?:the )?$",
    re.IGNORECASE,
)
_CORRECTS_ITSELF = re.compile(r"인데|\bbut\b", re.IGNORECASE)
_DAY = re.compile(r"(?P<day>\d{1,2})\s?(일|st|nd|rd|th)", re.IGNORECASE)
_DAY_IN_MONTH = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        r"(?P<month>\d{1,2}월)\s?(?P<day>\d{1,2})일",
        rf"(?P<day>\d{{1,2}})(st|nd|rd|th)?( of)? {MONTH_EN}",
        rf"{MONTH_EN} (?P<day>\d{{1,2}})(st|nd|rd|th)?",
    )
)
_OF_A_BIRTHDAY = re.compile(r"음력|매년|\bnever\b|\b(?:19|20)\d\d\b", re.IGNORECASE)
_OF_ANOTHER = re.compile(
    r"\b(?P<english>mum|mom|dad|nan|gran|sister|brother|son|daughter|wife|husband|girlfriend|boyfriend|friend|grandson"
    r"|granddaughter)['’]s (?:\d0th|birthday|bday|b-day)\b|(?P<korean>엄마|아빠|어머니|아버지|할머니"
    r"|할아버지|동생|언니|오빠|누나|남편|아내|와이프|딸|아들|친구|남친|여친|시어머니|장모님)(?:의)?\s?(?:생일|생신|환갑|칠순)",
    re.IGNORECASE,
)
_OWN_BIRTHDAY = re.compile(r"(?<![가-힣])(?:내|제|나|난|저)\s?생일|\b(?:my (?:birthday|bday)|i turn)\b", re.IGNORECASE)
_PLAN_FOR = {"생일": "일정", "birthday": "plan"}
MARKED_BESIDE = 0.6
"""Least probability of a value that pushes out another, and of a fact beside the surest one of a message."""


def present_facts(facts: Sequence[Fact], message: str) -> list[Fact]:
    """The facts of a message that hold now, in their order; a new day without a month has that of the former one.

    Left out are words that are no more than a part of another value under the same key ("일" of "11월 30일"), values
    that the message itself calls former ones, and, under a key that has one value, those beside the one that is new in
    a message that tells of a change. Of two times under such a key one holds, unless the message joins them ("from
    June 3 to June 9").

    Args:
        facts: what the message tells, the surest first. message: as it was written.
    """
    whole = [fact for number, fact in enumerate(facts) if not _is_a_part(number, facts, message)]
    former = [fact for fact in whole if _is_former(fact, [one for one in whole if one.key == fact.key], message)]
    present = [fact for fact in whole if fact not in former]
    found = [_with_month(fact, [one for one in former if one.key == fact.key]) for fact in present]
    return [_of_whose_birthday(_not_a_birthday(fact, message), message) for fact in found]


def _of_whose_birthday(fact: Fact, message: str) -> Fact:
    """A birthday of somebody else under a key that says whose: "mum's 60th is 12 december"."""
    found = _OF_ANOTHER.search(message) if fact.key in _PLAN_FOR else None
    if found is None or _OWN_BIRTHDAY.search(message):
        return fact
    english = found["english"]
    return replace(fact, key=f"{english.casefold()}'s birthday" if english else f"{found['korean']} 생일")


def _not_a_birthday(fact: Fact, message: str) -> Fact:
    """Under which key the day of a plan stands that is moved: "it's been moved to 23 may" tells no birthday."""
    is_one = speaks_of_birthday(message) or _OF_A_BIRTHDAY.search(message)
    if fact.key in _PLAN_FOR and MOVES.search(message) and not is_one:
        return replace(fact, key=_PLAN_FOR[fact.key], key_probability=0.0)
    return fact


def _with_month(fact: Fact, former: Sequence[Fact]) -> Fact:
    """ "5월 17일이 아니라 31일로": the 31st of May, whenever that is said."""
    day = _DAY.fullmatch(fact.value)
    for one in former if day else ():
        was = next(filter(None, (form.fullmatch(one.value) for form in _DAY_IN_MONTH)), None)
        if was is not None and int(was["day"]) < int(day["day"]):
            korean = was["month"].endswith("월")
            return replace(fact, value=f"{was['month']} {fact.value}" if korean else f"{fact.value} {was['month']}")
    return fact


def _is_a_part(number: int, facts: Sequence[Fact], message: str) -> bool:
    """Whether the words of a fact stand only in those of another under its key; of equal ones the second is."""
    fact, own = facts[number], plain_letters(facts[number].value)
    for place, other in enumerate(facts):
        if place == number or other.key != fact.key:
            continue
        letters = plain_letters(other.value)
        if own == letters and place < number:
            return True
        sure = place < number or other.probability >= MARKED_BESIDE
        if own != letters and own in letters and sure and _only_inside(fact.value, other.value, message):
            return True
    return False


def _only_inside(value: str, other: str, message: str) -> bool:
    outer = places_of(other, message)
    inner = places_of(value, message)
    return all(any(first <= start and end <= last for first, last in outer) for start, end in inner)


def places_of(value: str, message: str) -> list[tuple[int, int]]:
    """Where a value stands as words of its own: "3일" not in "13일", "Bo" not in "Bobby"."""
    before = "(?<![0-9])" if value[:1].isdigit() else r"(?<!\w)"
    behind = "(?![A-Za-z0-9])" if value[-1:].isascii() else ""
    return [one.span() for one in re.finditer(before + re.escape(value) + behind, message, re.IGNORECASE)]


def _is_former(fact: Fact, under_its_key: Sequence[Fact], message: str) -> bool:
    """Whether another fact under its key holds instead. under_its_key: the surest first, itself among them."""
    is_a_time = is_time(fact.value, ANY_DAY)
    sure = [one for one in under_its_key if one.probability >= MARKED_BESIDE or one is fact]
    of_its_kind = [one for one in sure if is_time(one.value, ANY_DAY) == is_a_time]
    newest = max(of_its_kind, key=lambda one: _newness(one.value, message))
    own, best = _newness(fact.value, message), _newness(newest.value, message)
    changes = tells_of_change(message)
    beside = [one.value for one in of_its_kind]
    both_hold = any(_both_hold(fact.value, other, message) for other in beside)
    if is_a_time and not changes and fact.key not in _PLAN_FOR and both_hold:
        return False
    if own < 0:
        return best > own and (changes or best > 0 or not may_have_several(fact.key))
    if may_have_several(fact.key):
        return fact is not newest and is_a_time and changes and best > 0
    return fact is not newest and (is_a_time or (changes and best > 0))


def _both_hold(value: str, other: str, message: str) -> bool:
    return _are_joined(value, other, message) or _are_of_two(value, other, message)


def _are_of_two(value: str, other: str, message: str) -> bool:
    """Whether two days are told each of something else: "삽화는 11월 27일, 표지는 12월 4일"."""
    if min(_newness(value, message), _newness(other, message)) < 0 or _CORRECTS_ITSELF.search(message):
        return False
    first, second = (_of_what(one, message) for one in (value, other))
    return bool(first and second and first != second)


def is_the_new_one(value: str, message: str) -> bool:
    """Whether a message tells of a change, and calls a value the new one: "오사카 말고 후쿠오카로 가기로 했어"."""
    return tells_of_change(message) and _newness(value, message) > 0


def _of_what(value: str, message: str) -> str:
    """The word before a value that says what it is of: "the essay" of "the essay is due 3 may"; "": there is none."""
    places = places_of(value, message)
    found = _OF_WHAT.search(message[: places[0][0]]) if places else None
    return (found["korean"] or found["english"]).casefold() if found else ""


def _are_joined(value: str, other: str, message: str) -> bool:
    """Whether two values stand side by side: "월요일이랑 수요일"."""
    return value != other and any(
        _JOINED.fullmatch(message[min(end, last) : max(start, first)]) is not None
        for start, end in places_of(value, message)
        for first, last in places_of(other, message)
    )


def _newness(value: str, message: str) -> int:
    """1: the message calls the value the new one, -1: the former one, 0: neither, both, or it does not stand there."""
    places = places_of(value, message)
    if not places:
        return 0
    start, end = places[0]
    before, behind = message[:start], message[end:]
    moved = _FROM.search(before) and _TO.match(behind) and tells_of_change(message)
    former = moved or _FORMER_BEHIND.match(message, end) or _FORMER_BEFORE.search(before)
    new = _NEW_BEHIND.match(message, end) or _NEW_BEFORE.search(before)
    return bool(new) - bool(former)
