"""What a message plainly asks for: who somebody is, what is on a day, whose name, how old the user is.

It is looked up by name, day or key, and not searched by meaning.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from datetime import datetime

from ohlora.companion.day_asked_for import day_asked_for, told_of_day
from ohlora.companion.kind_of_answer import ASKS_FOR_OWN_AGE, ASKS_FOR_OWN_JOB
from ohlora.companion.who_is import spoken_of, who_is, who_is_asked
from ohlora.llm.language import text_language
from ohlora.rag import Memory, MessageLog, Recalled
from ohlora.rag.day_wording import BIRTHDAY_EN
from ohlora.rag.job_wording import JOB_KEYS, says_a_job
from ohlora.rag.named_others import named_others
from ohlora.rag.somebody_else import is_of_the_other
from ohlora.rag.told_names import is_a_relation, may_be_the_same, speaks_of_another, whose_name_is_asked

logger = logging.getLogger(__name__)

_KEYS_ASKED_FOR = (
    (ASKS_FOR_OWN_JOB, JOB_KEYS),
    (ASKS_FOR_OWN_AGE, ("age", "나이")),
    (
        re.compile(
            r"(?<![가-힣])(?:내|제)\s?생일(?:은|이|도)?\s?(?:언제|며칠|몇\s?월|기억|알|뭐)|\bwhen was i born\b"
            rf"|\bwhen(?:['’]?s| is| was)? my {BIRTHDAY_EN}\W*$"
            rf"|\b(?:remember|know) (?:when )?my {BIRTHDAY_EN}(?: is)?\W*$",
            re.IGNORECASE,
        ),
        ("birthday", "생일"),
    ),
    (
        re.compile(
            r"못\s?먹는\s?(?:거|게|것|음식|지)|뭐\s?못\s?먹|\bwhat (?:food )?(?:can['’]?t|cannot|can) i (?:not )?eat\b"
            r"|\bi (?:can['’]?t|cannot|must not|mustn['’]?t) eat\b",
            re.IGNORECASE,
        ),
        ("못 먹는 것", "알레르기", "intolerance", "allergy"),
    ),
)


def look_up(
    log: MessageLog, user: str, message: str, asks: bool, known: Sequence[Memory], now: datetime
) -> list[Recalled]:
    """What a message plainly asks for: who somebody is, what is on that day, the names of those who were named."""
    name, day = who_is_asked(message), day_asked_for(message, now.date()) if asks else None
    try:
        found = who_is(name, known, log.messages(user), text_language(message) or "ko") if name else None
        if found is not None:
            return [found]
        if day is not None and (of_day := told_of_day(day, known, log.messages(user), now)):
            return of_day
        return (_plainly_named(log, message, known) or _of_its_key(log, message, known)) if asks else []
    except Exception:
        logger.exception("what the user wrote was not searched; what is stored counts")
        return []


def _plainly_named(log: MessageLog, question: str, known: Sequence[Memory]) -> list[Recalled]:
    """The names of whom a question asks for, where they are plainly told: "my daughter Karen is bringing one".

    None for "my brother's dog", "우리 딸 친구 이름".
    """
    whose = whose_name_is_asked(question)
    of_theirs = (
        rf"{re.escape(whose)}['’]?s (?!names?\b|called)\w|{re.escape(whose)}\s(?!이름|둘|셋|들|애)[가-힣]+\s?이름"
    )
    if not whose or re.search(of_theirs, question) or re.search(r"\bwho(?:['’]?s| is) my \w+ \w+ing\b", question):
        return []
    told = [(one, log.told_in(one)) for one in known]
    return [
        Recalled(one, 1.0)
        for one, text in told
        if (
            any(named.name == one.value and may_be_the_same(named.key, whose) for named in named_others(text))
            or _stands_behind(one, whose, text)
        )
        and not is_of_the_other(question, text)
    ]


def _of_its_key(log: MessageLog, question: str, known: Sequence[Memory]) -> list[Recalled]:
    """What stands under a key that is plainly asked for: the user's age, birthday or job, or what is not eaten."""
    says_who = text_language(question) == "en"  # "what can't i eat?", but "우리 딸 못 먹는 거 뭐였지?"
    of_another = not says_who and (speaks_of_another(question) or spoken_of(question, known))
    keys = () if of_another else next((keys for form, keys in _KEYS_ASKED_FOR if form.search(question)), ())
    found = [one for one in reversed(known) if one.key.casefold() in keys]
    if keys == JOB_KEYS:  # of a job that was read from something else the message shows it: "I'll feed Mochi"
        found = [one for one in found if says_a_job(log.told_in(one))]
    return [Recalled(one, 1.0) for one in found]


def _stands_behind(memory: Memory, whose: str, text: str) -> bool:
    """Whether a message names somebody directly behind whose name is asked for: "twin boys, jaylen and jordan"."""
    behind = rf"\b{re.escape(whose)}s?,? (?:called |named )?(?:\w+,? (?:and|&) )?{re.escape(memory.value)}(?!\w)"
    is_theirs = may_be_the_same(memory.key, whose) and not is_a_relation(memory.value)
    return is_theirs and re.search(behind, text, re.IGNORECASE) is not None
