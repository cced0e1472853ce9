"""The day that words name: "다음 주 목요일", "the 24th", "two weeks tomorrow", counted from the day they were said.

Small on purpose: days, weekdays, weeks and dates, as people write them in a chat. Whatever it does not know is no date.
Weeks begin on Monday. A date without a year, a day without a month and a bare weekday mean the next one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

_WEEKDAYS_KO = "월화수목금토일"
_WEEKDAYS_EN = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS_EN = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_NUMBERS_EN = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_UNKNOWN = re.compile(
    r"[첫둘셋넷]째|마지막|\b(first|second|third|last)\b", re.IGNORECASE
)  # "the last Friday of next month"
_DAYS_KO = {"오늘": 0, "내일": 1, "낼": 1, "모레": 2, "내일모레": 2, "낼모레": 2, "글피": 3}
_DAYS_EN = {"today": 0, "tonight": 0, "tomorrow": 1, "day after tomorrow": 2}

# "sat" and "sun" are words of their own.
_WEEKDAY_EN = (
    r"(?P<weekday>mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday|s)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?|saturday|sunday)"
)
_MONTH_EN = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_NUMBER_EN = rf"(?P<number>\d{{1,3}}|an?|{'|'.join(_NUMBERS_EN[1:])}|a couple of)"
_DAY_EN = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"


def named_day(text: str, said: date) -> date | None:
    """The day that a text names, or None.

    Args:
        text: Korean or English, e.g. the value of a memory.
        said: the day on which it was said.
    """
    if _UNKNOWN.search(text):
        return None
    for pattern, read in _READERS:
        match = pattern.search(text)
        if match:
            try:
                return read(match.groupdict(), said)
            except (ValueError, OverflowError):  # 31 June, year 0
                return None
    return None


def plan_ends(key: str, value: str, said: date) -> date | None:
    """The last day on which a dated plan still matters, or None where the memory is no such plan.

    Birthdays, paydays and whatever comes again have no end.

    Args:
        key, value: of the memory. said: the day on which it was told.
    """
    if _COMES_AGAIN.search(key) or _COMES_AGAIN.search(value):
        return None
    return named_day(value, said)


_COMES_AGAIN = re.compile(
    r"생일|태어난|기념일|제사|휴무|쉬는|월급|나이|마다|매주|매일|매달|고향|좋아하|싫어하|취미|부터"
    r"|birth|anniversar|\bborn\b|pay ?day|days? off|\bage\b|\bevery\b|favou?rite|hobby|\bsince\b|\bon \w+days\b",
    re.IGNORECASE,
)


def _in_days(group: dict[str, str | None], said: date) -> date:
    word = " ".join((group["word"] or "").lower().split())
    days = _DAYS_KO.get(word.replace(" ", ""), _DAYS_EN.get(word))
    return said + timedelta(days=days or 0)


def _after(group: dict[str, str | None], said: date) -> date:
    """ "3일 뒤", "2주 뒤 금요일", "in two weeks", "three weeks tomorrow", "a fortnight from Monday"."""
    count = _number(group.get("number") or "1")
    unit = (group.get("unit") or "주").lower()
    weeks = {"일": 0, "주": 1, "주일": 1, "day": 0, "week": 1, "fortnight": 2}[unit.removesuffix("s")]
    start = said
    if group.get("weekday"):
        start = _next_weekday(said, _weekday(group["weekday"]))
        if group.get("within"):  # "2주 뒤 금요일" is the Friday of that week
            start = said - timedelta(days=said.weekday()) + timedelta(days=_weekday(group["weekday"]))
    elif group.get("word"):
        start = _in_days(group, said)
    return start + timedelta(days=count * (7 * weeks if weeks else 1))


def _in_week(group: dict[str, str | None], said: date) -> date:
    """ "이번 주 토요일", "다음 주 월요일", "this Thursday", "next Friday": of this week or the ones after."""
    which = re.sub(r"\s", "", (group["which"] or "").lower())
    weeks = {"이번": 0, "다음": 1, "담": 1, "다다음": 2, "this": 0, "next": 1}[which]
    monday = said - timedelta(days=said.weekday())
    found = monday + timedelta(days=7 * weeks + _weekday(group["weekday"]))
    return found if found >= said else found + timedelta(days=7)


def _month_and_day(group: dict[str, str | None], said: date) -> date:
    month = int(group["month"]) if group["month"].isdigit() else _month(group["month"])
    day = int(group["day"])
    if group.get("year"):
        return date(int(group["year"]), month, day)
    found = date(said.year, month, day)
    return found if found >= said else date(said.year + 1, month, day)


def _day_of_month(group: dict[str, str | None], said: date) -> date:
    """ "24일", "다음 달 7일", "the 24th", "10th of next month"."""
    day, months = int(group["day"]), {"다음": 1, "담": 1, "next": 1}.get((group.get("which") or "").strip().lower(), 0)
    if not months and day < said.day:
        months = 1
    index = said.year * 12 + said.month - 1 + months
    return date(index // 12, index % 12 + 1, day)


def _bare_weekday(group: dict[str, str | None], said: date) -> date:
    weeks = 1 if group.get("week") else 0  # "Friday week": the one after
    return _next_weekday(said, _weekday(group["weekday"])) + timedelta(days=7 * weeks)


def _next_weekday(said: date, weekday: int) -> date:
    return said + timedelta(days=(weekday - said.weekday() - 1) % 7 + 1)


def _weekday(name: str) -> int:
    if name in _WEEKDAYS_KO:
        return _WEEKDAYS_KO.index(name)
    return next(i for i, full in enumerate(_WEEKDAYS_EN) if full.startswith(name.lower()[:3]))


def _month(name: str) -> int:
    return 1 + next(i for i, full in enumerate(_MONTHS_EN) if full.startswith(name.lower()[:3]))


def _number(word: str) -> int:
    word = word.lower()
    if word.isdigit():
        return int(word)
    return {"a": 1, "an": 1, "a couple of": 2}.get(word) or _NUMBERS_EN.index(word)


_WEEKDAY_KO = rf"(?P<weekday>[{_WEEKDAYS_KO}])요일"
_PATTERNS: tuple[tuple[str, Callable[[dict[str, str | None], date], date]], ...] = (
    (rf"(?P<number>\d{{1,3}})\s*(?P<unit>주)일?\s*(?P<within>뒤|후)\s*{_WEEKDAY_KO}", _after),
    (r"(?P<number>\d{1,3})\s*(?P<unit>주일|주|일)\s*(?:뒤|후)(?:\s*(?P<word>오늘|내일))?", _after),
    (rf"(?P<which>이번|다다음|다음|담)\s*주\s*{_WEEKDAY_KO}", _in_week),
    (r"(?:(?P<year>\d{4})년\s*)?(?P<month>\d{1,2})월\s*(?P<day>\d{1,2})일", _month_and_day),
    (r"(?P<which>다음|담|이번)\s*달\s*(?P<day>\d{1,2})일", _day_of_month),
    (rf"(?<![가-힣0-9]){_WEEKDAY_KO}(?!마다)", _bare_weekday),
    (r"(?<![\d월년.,])(?<!\d\s)(?P<which>)(?P<day>\d{1,2})일(?=$|\s|[^0-9가-힣]|에|날|로|이|은|로)", _day_of_month),
    (r"(?<![가-힣])(?P<word>내일\s?모레|낼모레|모레|글피|내일|낼|오늘)", _in_days),
    (rf"\b{_NUMBER_EN}\s+(?P<unit>weeks?|fortnight)\s+(?:from\s+|on\s+)?{_WEEKDAY_EN}\b", _after),
    (rf"\b{_NUMBER_EN}\s+(?P<unit>days?|weeks?|fortnight)\s+(?:from\s+)?(?P<word>today|tomorrow)\b", _after),
    (rf"\bin\s+{_NUMBER_EN}\s+(?P<unit>days?|weeks?|fortnight)\b", _after),
    (rf"\b{_NUMBER_EN}\s+(?P<unit>days?|weeks?)\s+from now\b", _after),
    (rf"\b{_DAY_EN}\s+(?:of\s+)?{_MONTH_EN}\b(?:,?\s+(?P<year>\d{{4}}))?", _month_and_day),
    (rf"\b{_MONTH_EN}\s+(?:the\s+)?{_DAY_EN}\b(?:,?\s+(?P<year>\d{{4}}))?", _month_and_day),
    (r"\b(?P<day>\d{1,2})(?:st|nd|rd|th)(?:\s+of\s+(?P<which>next|this)\s+month)?\b", _day_of_month),
    (rf"\b(?P<which>next|this)\s+{_WEEKDAY_EN}\b", _in_week),
    (rf"\b{_WEEKDAY_EN}\b(?:\s+(?P<week>week)\b)?", _bare_weekday),
    (r"\b(?P<word>day after tomorrow|tomorrow|tonight|today)\b", _in_days),
)
_READERS = tuple((re.compile(pattern, re.IGNORECASE), read) for pattern, read in _PATTERNS)
