"""When somebody told her what she now tells back: "월요일에 말해 줬잖아." A rule, so that it is always true."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from ohlora.llm.language import text_language
from ohlora.llm.reply_format import plain_letters
from ohlora.rag import Memory

_DAYS = {
    "ko": ("월요일", "화요일", "수요일", "목요일", "금요일", "토요일", "일요일"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def citation(message: str, reply: str, memories: Sequence[Memory], now: datetime) -> str:
    """The sentence that belongs after her reply, in its language, or "".

    There is one when the reply holds the value of a memory that the user did not just say, and that was told before
    today: of what was told minutes ago nobody needs to be reminded.

    Args:
        memories: those that she was given, best first. now: with the user's time zone.
    """
    for memory in memories:
        told = memory.created.astimezone(now.tzinfo)
        asked = plain_letters(memory.value) in plain_letters(message)
        if _holds(reply, memory.value) and not asked and told.date() < now.date():
            language = text_language(reply) or memory.language
            when = told_when(told, now, language)
            if when in reply:  # she says it already
                return ""
            return f"{when} 말해 줬잖아." if language == "ko" else f"You told me {when}."
    return ""


def told_when(told: datetime, now: datetime, language: str, exactly: bool = False) -> str:
    """How people name a day that is over: "어제", "월요일에", "지난주에", "3월 2일에", with the year of another one.

    Args:
        told, now: in the user's time zone. language: ko or en. exactly: who asks for the day hears no "last week".
    """
    days, korean = (now.date() - told.date()).days, language == "ko"
    if days < 2:
        return (("오늘", "today"), ("어제", "yesterday"))[max(days, 0)][not korean]
    if days < 7:
        day = _DAYS[language][told.weekday()]
        return f"{day}에" if korean else f"on {day}"
    weeks = (_monday(now.date()) - _monday(told.date())).days // 7
    if weeks == 1 and not exactly:
        return "지난주에" if korean else "last week"
    day = _date(told.date(), now.date(), language)
    return f"{day}에" if korean else f"on {day}"


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def day_in_words(day: date, today: date, language: str) -> str:
    """A day with its weekday: "3월 12일 목요일", "Thursday 12 March", with its year when it is not this one's."""
    weekday, words = _DAYS[language][day.weekday()], _date(day, today, language)
    return f"{words} {weekday}" if language == "ko" else f"{weekday} {words}"


def _holds(text: str, value: str) -> bool:
    """Whether a text holds a value as words of its own: not "cat" in "education", nor 30 (years) in "30분만"."""
    letters = plain_letters(value)
    if letters.isdigit():
        return re.search(rf"(?<!\w){re.escape(value.strip())}(?=살|세|이|에|\W|$)", text) is not None
    ending = "(?![0-9a-z])" if letters[-1:].isascii() else ""
    apart = r"[\W_]*".join(map(re.escape, letters))
    return bool(letters) and re.search(rf"(?<![^\W_]){apart}{ending}", text.casefold()) is not None


def _date(day: date, today: date, language: str) -> str:
    same_year = day.year == today.year
    if language == "ko":
        return f"{'' if same_year else f'{day.year}년 '}{day.month}월 {day.day}일"
    return f"{day.day} {_MONTHS[day.month - 1]}{'' if same_year else f' {day.year}'}"
