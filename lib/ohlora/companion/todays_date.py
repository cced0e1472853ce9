"""Asked for the date or the time she reads the clock: a model would make one up, and no memory knows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from ohlora.companion.citation import day_in_words
from ohlora.llm.language import text_language
from ohlora.llm.reply_format import ReplyProgress, format_reply, stream_reply

_NOW = r"(지금|오늘|현재)(이|은|은요|도)?\s?"
_END = r"\s?(이?(야|임|지|냐|니|죠|에요|예요|게|더라)|인가요?|인지)?(\s?알(아|아요|지|려\s?줘))?[\s?!.~ㅋㅎㅠㅜ]*$"
_DATE = re.compile(
    rf"{_NOW}(날짜|며칠|몇\s?월\s?며칠|몇\s?일|무슨\s?요일){_END}"
    r"|\bwhat('?s| is| was)? (today'?s (date|day)|the date( today| now)?)[\s?!.,]*$"
    r"|\bwhat (day|date)( of the week)? is (it|today|it today|it now)( btw| again| lol| please)*[\s?!.,]*$"
    r"|\bwhat day is today\b"
    r"|\bis today (a |still )?(mon|tues|wednes|thurs|fri|satur|sun)day( today)?[\s?!.,]*$",
    re.IGNORECASE,
)
_TIME = re.compile(
    rf"(지금|현재)(이|은)?\s?몇\s?시{_END}|^몇\s?시(야|임|냐|예요|인가요)[\s?!.~ㅋㅎ]*$"
    r"|\bwhat('?s| is) the time( now)?[\s?!.,]*$|\bwhat time is it( now| there)?[\s?!.,]*$",
    re.IGNORECASE,
)
_SENTENCE_ENDS = re.compile(r"(?<=[.!?~,;])\s+")


def _asks_for_the_date(sentence: str) -> bool:
    """Not where another day is asked for before: "마감이 원래 며칠이었고 지금은 며칠이야?"."""
    found = _DATE.search(sentence)
    return found is not None and not re.search(r"며칠|몇\s?일|요일|언제|원래", sentence[: found.start()])


def clock_answer(message: str, now: datetime) -> Iterator[ReplyProgress] | None:
    """Today's date or the time where a sentence of a message asks for it; None: none does.

    Args:
        now: with the user's time zone.
    """
    sentences = _SENTENCE_ENDS.split(message.strip())
    korean = text_language(message) != "en"
    if any(_TIME.search(one) for one in sentences):
        said = f"지금 {now:%H:%M}이야!" if korean else f"It's {now:%H:%M}!"
    elif any(_asks_for_the_date(one) for one in sentences):
        day = day_in_words(now.date(), now.date(), "ko" if korean else "en")
        said = f"오늘은 {day}이야!" if korean else f"Today is {day}!"
    else:
        return None
    return stream_reply(iter([format_reply(said, "happy", 0.4)]))
