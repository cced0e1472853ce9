"""The day that words name: "다음 주 목요일", "the 24th", "two weeks tomorrow", counted from the day they were said.

Small on purpose: days, weekdays, weeks and dates, as people write them in a chat. Whatever it does not know is no date.
Weeks begin on Monday. A date without a year, a day without a month and a bare weekday mean the next one, or the last
one where the words are of the past ("이사했어", "we moved").
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

from ohlora.rag.day_wording import comes_again, is_little_more, is_over, is_planned
from ohlora.rag.memory import OWN_WORDS

ANY_DAY = date(2000, 1, 1)
"""Said on which day does not matter, where it is only asked whether a text names one."""
_WEEKDAYS_KO = "월화수목금토일"
_WEEKDAYS_EN = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS_EN = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_NUMBERS_EN = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_UNKNOWN = re.compile(
    r"[첫둘셋넷]째|마지막|\b(first|second|third|last(?! year))\b", re.IGNORECASE
)  # "the last Friday of next month"
_DAYS_KO = {"오늘": 0, "내일": 1, "낼": 1, "모레": 2, "내일모레": 2, "낼모레": 2, "글피": 3}
_DAYS_EN = {"today": 0, "tonight": 0, "tomorrow": 1, "day after tomorrow": 2}

# "sat" and "sun" are words of their own.
_WEEKDAY_EN = (
    r"(?P<weekday>mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday|s)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?|saturday|sunday)"
)
MONTH_EN = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_NUMBER_EN = rf"(?P<number>\d{{1,3}}|an?|{'|'.join(_NUMBERS_EN[1:])}|a couple of)"
_YEAR_EN = r"(?:,?\s+(?:(?P<year>\d{4})|(?P<years>last|this|next)\s+year))?"
_DAY_EN = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"


def named_day(text: str, said: date) -> date | None:
    """The day that a text names, or None.

    Args:
        text: Korean or English, e.g. the value of a memory.
        said: the day on which it was said.
    """
    day, _, _ = _read(text, said)
    return day


def past_day(text: str, said: date) -> date | None:
    """The day that a text names as one that is over, or None. text, said: as of named_day."""
    day, _, over = _read(text, said)
    return day if over and day is not None and day <= said else None


def next_time(key: str, value: str, today: date) -> date | None:
    """The next day of what comes again, a birthday or a weekly class; None where nothing does.

    Args:
        key, value: of the memory.
    """
    feast = _FEAST.search(f"{key} {value}") is not None
    if not (feast or comes_again(f"{key} {value}")):
        return None
    if named_day(value, today - timedelta(days=1)) == today:  # "every Friday", on a Friday
        return today
    day = named_day(value, today)
    if day is None or day >= today:
        return day
    try:
        this_year = day.replace(year=today.year)
        return (this_year if this_year >= today else day.replace(year=today.year + 1)) if feast else None
    except ValueError:  # 29 February
        return None


def plan_ends(key: str, value: str, said: date, message: str = "") -> date | None:
    """The last day on which a dated plan still matters, or None where the memory is no such plan.

    What is over, what comes again and what lasts (a home, a job, a birthday) have no end. Of own words only those that
    speak of a plan have one.

    Args:
        key, value: of the memory. said: the day on which it was told.
        message: the words in which it was told; they may show that the day is over or comes again.
    """
    if _LASTS.search(key) or _LASTING_KEY.fullmatch(key.strip()) or _LASTS.search(value) or comes_again(key):
        return None
    day, words, over = _read(value, said)
    if day is None or day < said or over or comes_again(value, words):
        return None
    if words in message and (is_over(message, words) or comes_again(message, words)):
        return None
    own_words = key.strip() in OWN_WORDS.values()
    plan = is_planned(value, words) if own_words else is_planned(f"{key} {value} {message}")
    return day if plan or (not own_words and is_little_more(value, words)) else None


_FEAST = re.compile(
    r"생일|태어난|기념일|제사|휴무|쉬는|월급|birth|\bb-?day\b|anniversar|\bborn\b|pay ?day|days? off", re.IGNORECASE
)
_LASTS = re.compile(
    rf"{_FEAST.pattern}|나이|고향|좋아하|싫어하|취미|부터|\bage\b|favou?rite|hobby|\bsince\b", re.IGNORECASE
)
_LASTING_KEY = re.compile(
    r"이름|별명|학년|학교|전공|직업|직장|회사|일|알바|아르바이트|집|사는 곳|주소|층|키|반려\S*|강아지|고양이"
    r"|성격|습관|식습관|목표|꿈|운동|건강|특징|언어|악기|등수|순위"
    r"|(?:(?:my|current|new|old|first|second|other|school|side)\s+)?(?:name|nickname|home|house|flat|apartment|address"
    r"|room|floor|school|school year|grade|year|class|university|college|major|subject|job|work|occupation|workplace"
    r"|company|employer|role|pets?|dogs?|cats?|likes?|dislikes?|habits?|routine|sports?|exercise|instruments?|languages?"
    r"|goals?|dreams?|traits?|rank|place|position|diet|health)",
    re.IGNORECASE,
)


def _read(text: str, said: date) -> tuple[date | None, str, bool]:
    """The day that a text names, the words that name it, and whether they are of the past."""
    unknown = _UNKNOWN.search(text) is not None
    for pattern, read in _READERS:
        if unknown and read is not _month_and_day:  # "the last exam on 27 March" names its day all the same
            continue
        match = pattern.search(text)
        if match:
            over = is_over(text, match.group())
            try:
                return read(match.groupdict(), said, over), match.group(), over
            except (ValueError, OverflowError):  # 31 June, year 0
                return None, "", False
    return None, "", False


def _in_days(group: dict[str, str | None], said: date, over: bool = False) -> date:
    word = " ".join((group["word"] or "").lower().split())
    days = _DAYS_KO.get(word.replace(" ", ""), _DAYS_EN.get(word))
    return said + timedelta(days=days or 0)


def _after(group: dict[str, str | None], said: date, over: bool = False) -> date:
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


def _ago(group: dict[str, str | None], said: date, over: bool = False) -> date:
    """ "3일 전에", "2주 전"."""
    return said - timedelta(days=_number(group["number"]) * (1 if group["unit"] == "일" else 7))


def _in_week(group: dict[str, str | None], said: date, over: bool = False) -> date:
    """ "이번 주 토요일", "지난주 월요일", "this Thursday", "next Friday": of this week or one near it."""
    which = re.sub(r"\s", "", (group["which"] or "").lower())
    weeks = {"지난": -1, "저번": -1, "이번": 0, "다음": 1, "담": 1, "다다음": 2, "this": 0, "next": 1}[which]
    monday = said - timedelta(days=said.weekday())
    found = monday + timedelta(days=7 * weeks + _weekday(group["weekday"]))
    if weeks == 0 and (found > said if over else found < said):
        found += timedelta(days=-7 if over else 7)
    return found


def _month_and_day(group: dict[str, str | None], said: date, over: bool = False) -> date:
    month = int(group["month"]) if group["month"].isdigit() else _month(group["month"])
    day = int(group["day"])
    if group.get("year"):
        return date(int(group["year"]), month, day)
    if years := group.get("years"):
        return date(
            said.year + {"재작년": -2, "작년": -1, "last": -1, "올해": 0, "this": 0}.get(years.lower(), 1), month, day
        )
    found = date(said.year, month, day)
    if over:
        return found if found <= said else date(said.year - 1, month, day)
    return found if found >= said else date(said.year + 1, month, day)


def _day_of_month(group: dict[str, str | None], said: date, over: bool = False) -> date:
    """ "24일", "다음 달 7일", "the 24th", "10th of next month"."""
    day = int(group["day"])
    months = {"다음": 1, "담": 1, "next": 1, "지난": -1, "저번": -1}.get((group.get("which") or "").strip().lower(), 0)
    if not months and (day > said.day if over else day < said.day):
        months = -1 if over else 1
    index = said.year * 12 + said.month - 1 + months
    return date(index // 12, index % 12 + 1, day)


def _bare_weekday(group: dict[str, str | None], said: date, over: bool = False) -> date:
    found = _next_weekday(said, _weekday(group["weekday"]))
    if over:
        return found - timedelta(days=14 if found - said == timedelta(days=7) else 7)
    return found + timedelta(days=7 if group.get("week") else 0)  # "Friday week": the one after


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


_NO_RANK_EN = "".join(
    rf"(?<!\b{word} )"
    for word in ("my", "your", "her", "his", "our", "a", "came", "come", "finished", "placed", "ranked", "in")
)
_AFTER_DAY_EN = (  # "the 24th at nine", "on the 24th with the lads"; not "the 5th floor" or "the 3rd in line"
    r"(?=\s*(?:$|[^\w\s'’]|\n)|\s+(?:\d{1,2}(?:[:.]\d\d)?\s?(?:[ap]m)?\b"
    r"|(?:at|in the|around|from|to|till|until)\s+(?:\d|noon|midnight|morning|afternoon|evening|one|two|three|four|five"
    r"|six|seven|eight|nine|ten|eleven|twelve|half|the\s+\d)|morning|afternoon|evening|night|noon|now|instead|already|again"
    r"|and|or|but|so|because|cos|cuz|cause|if|when|then|with|for|because|is|i|i'm|we|we're|she|he|they|my|our)\b)"
)
_WEEKDAY_KO = rf"(?P<weekday>[{_WEEKDAYS_KO}])(?:요일|욜)"
_PATTERNS: tuple[tuple[str, Callable[[dict[str, str | None], date, bool], date]], ...] = (
    (rf"(?P<number>\d{{1,3}})\s*(?P<unit>주)일?\s*(?P<within>뒤|후)\s*{_WEEKDAY_KO}", _after),
    (r"(?P<number>\d{1,3})\s*(?P<unit>주일|주|일)\s*(?:뒤|후)(?:\s*(?P<word>오늘|내일))?", _after),
    (r"(?P<number>\d{1,3})\s*(?P<unit>주일|주|일)\s*남(?:았|음|은|아)", _after),
    (r"(?<!\d월)(?<!\d월\s)(?P<number>\b\d{1,3})\s*(?P<unit>주일|주|일)\s*전(?:에|이)?(?![가-힣])", _ago),
    (rf"(?P<which>이번|다다음|다음|담|지난|저번)\s*주\s*{_WEEKDAY_KO}", _in_week),
    (
        r"(?:(?:(?P<year>\d{4})년|(?P<years>재작년|작년|올해|내년))\s*)?(?P<month>\d{1,2})월\s*(?P<day>\d{1,2})일",
        _month_and_day,
    ),
    (r"(?P<which>다음|담|이번|지난|저번)\s*달\s*(?P<day>\d{1,2})일", _day_of_month),
    (rf"(?<![가-힣0-9]){_WEEKDAY_KO}(?!마다)", _bare_weekday),
    (
        r"(?<![\d월년.,박])(?<!\d\s)(?<!박\s)(?P<which>)(?P<day>\d{1,2})일"  # "2박 3일" lasts three days
        r"(?!에\s?(?:한|두|세|\d)|이나|이\s?(?:지나|걸)|\s?(?:차|째|동안은?|간|치|만에|연속|내내|정도|전|전에)(?![가-힣])"
        r"|\s?(?:안에|이내|남|휴가\s?(?:냈|내|썼|받)))(?=$|\s|[^0-9가-힣]|에|날|로|이|은)",
        _day_of_month,
    ),
    (r"(?<![가-힣])(?P<word>내일\s?모레|낼모레|모레|글피|내일|낼|오늘)", _in_days),
    (rf"\b{_NUMBER_EN}\s+(?P<unit>weeks?|fortnight)\s+(?:from\s+|on\s+)?{_WEEKDAY_EN}\b", _after),
    (rf"\b{_NUMBER_EN}\s+(?P<unit>days?|weeks?|fortnight)\s+(?:from\s+)?(?P<word>today|tomorrow)\b", _after),
    (rf"\bin\s+{_NUMBER_EN}\s+(?P<unit>days?|weeks?|fortnight)\b", _after),
    (rf"\b{_NUMBER_EN}\s+(?P<unit>days?|weeks?)\s+from now\b", _after),
    (rf"\b{_DAY_EN}\s+(?:of\s+)?{MONTH_EN}\b{_YEAR_EN}", _month_and_day),
    (rf"\b{MONTH_EN}\s+(?:the\s+)?{_DAY_EN}\b{_YEAR_EN}", _month_and_day),
    (
        rf"\b{_NO_RANK_EN}(?P<day>\d{{1,2}})(?:st|nd|rd|th)(?:\s+of\s+(?:(?P<which>next|this)|the)\s+month)?\b{_AFTER_DAY_EN}",
        _day_of_month,
    ),
    (rf"\b(?P<which>next|this)\s+{_WEEKDAY_EN}\b", _in_week),
    (rf"\b{_WEEKDAY_EN}\b(?:\s+(?P<week>week)\b)?", _bare_weekday),
    (r"\b(?P<word>day after tomorrow|tomorrow|tonight|today)\b", _in_days),
)
_READERS = tuple((re.compile(pattern, re.IGNORECASE), read) for pattern, read in _PATTERNS)
