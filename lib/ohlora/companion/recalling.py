"""What a message brings to her mind: memories that matter to it, and what the user once wrote that may answer it."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import islice

from ohlora.companion.draft import Draft
from ohlora.companion.kind_of_answer import ASKS_FOR_OWN_AGE, ASKS_FOR_OWN_JOB, can_answer
from ohlora.companion.look_up import look_up
from ohlora.companion.speech_level import speech_for, speech_offer, wish_in_talk
from ohlora.companion.told_fact import (
    asks_about_the_past,
    asks_for_a_day,
    asks_for_days,
    asks_for_former,
    asks_when,
    is_only_a_day,
    names_a_day,
    tells_a_day,
    with_a_day,
)
from ohlora.companion.who_is import holds_name, spoken_of
from ohlora.llm.reply_format import plain_letters
from ohlora.rag import Memory, MemoryStore, MessageLog, Recalled
from ohlora.rag.message_reader import POSSIBLE
from ohlora.rag.own_name import asks_for_nickname, asks_for_own_name, may_ask_for_own_name, names_the_own_name
from ohlora.rag.told_names import (
    NAME_KEYS,
    NICKNAME_KEYS,
    PET_KEYS,
    is_a_relation,
    is_of_another,
    is_of_people,
    is_said_as_name,
    may_be_the_name,
    may_be_the_same,
    may_tell_own_name,
    names_a_pet,
    pet_key,
    whose_name_is_asked,
)
from ohlora.rag.wants import ASKS_TOLD

logger = logging.getLogger(__name__)

RECALLED = 3  # memories a turn …
CANDIDATES = 8  # … of so many, where only those count that name a day, or are an answer
LONGEST_NAME = 2  # words of a memory that is a name: "강아지 보리"
_IS_OF_HEALTH = re.compile(
    r"건강|알레르기|수술|^약$|못 먹는|\b(?:health|allergy|intolerance|medication|surgery)\b", re.IGNORECASE
)
_ASKS_FOR_NO_HEALTH = re.compile(
    r"취미|직업|하는\s?일|좋아하는|\b(?:hobby|hobbies|my job|favou?rite|my car)\b", re.IGNORECASE
)
_COMES_BACK = re.compile(
    r"^\W*(?:(?:yo+|hi+|hey+|hello|ok|so)\W*)?(?:im|i['’]m|i am) (?:back|here|home)\W*$", re.IGNORECASE
)
_SEVERAL_NAMES = re.compile(r"\bnames\b|(?:둘|들)\s?이름|이름들", re.IGNORECASE)
_NO_RELATION = re.compile(
    r"landlord|landlady|boss|teacher|doctor|dentist|neighbou?r|manager|coach|trainer|therapist|professor|vet|company|school"
    r"|shop|사장|팀장|선생|쌤|교수|의사|상사|동료|회사|가게|학교",
    re.IGNORECASE,
)
AT_HAND = 0.4
"""Relevance from which what the user wrote shows that a message asks for it; chosen with Reading.might_ask."""


def recall(memory: MemoryStore, log: MessageLog, user: str, draft: Draft, now: datetime) -> None:
    """Note in the draft what comes to her mind, and how the user wishes to be spoken to.

    The log is only searched where something told may or might be asked for, and for somebody's name what speaks of
    them. She can answer without them: a failure becomes a notice.

    Args:
        now: with the user's time zone.
    """
    draft.wished_speech = wish_in_talk(draft.plain, draft.said_before)
    if draft.asking_too:
        draft.second = replace(draft, asking=draft.asking_too, asking_too="", notices=[])
        recall(memory, log, user, draft.second, now)
    message = draft.asking or draft.message.strip()
    days = asks_for_days(message)
    asks = draft.reading.may_ask or days or _is_at_hand(log, user, draft, message)
    plainly: list[Recalled] = []
    known: Sequence[Memory] = ()
    try:
        known = memory.memories(user)
        draft.speech = speech_for(draft.wished_speech, known)
        draft.names = tuple(one.value.casefold() for one in known if one.key.casefold() in NAME_KEYS)
        if draft.language == "ko" and not (draft.said_before or known or log.count(user)):
            draft.offer = speech_offer(draft.plain)
        if not (plainly := look_up(log, user, message, asks, known, now)):
            found = memory.search(user, message, CANDIDATES, asked=asks)
            found = _by_whose_name_is_asked(message, found, known) if asks else found
            found = found if days else _answering(log, found, message, asks, known)
            draft.recalled = tuple(((with_a_day(found, now) if days else []) or found)[:RECALLED])
    except Exception as error:
        draft.notices.append(draft.say("recall_failed", error))
    if plainly:
        draft.recalled = tuple(plainly[:RECALLED])
        draft.reading = replace(draft.reading, wants=ASKS_TOLD, surely_asks=True)
        return
    best = draft.recalled[0].memory if draft.recalled else None
    if not asks or (best is not None and (_is_the_name(best, message) or _names_its_key(message, best))):
        return
    try:
        find = partial(log.find, user, message, asks_for_former(message))
        dated = find(partial(tells_a_day, now=now)) if asks_for_a_day(message) and not days else None
        found = _telling(log, draft, message) or dated or find(_may_answer(message, days, known, now))
        if found is not None and _fits(found, message):
            draft.quotable = _as_it_is_now(memory, user, _with_those_beside(found, message), message)
    except Exception:
        logger.exception("what the user wrote was not searched; what is stored is enough")


def _answering(
    log: MessageLog, found: list[Recalled], message: str, asks: bool, known: Sequence[Memory]
) -> list[Recalled]:
    """Without facts that were told in messages which do not answer the question, the best first.

    Args:
        known: all memories of the user.
    """

    asked_whose = whose_name_is_asked(message)
    only_one = bool(asked_whose)  # of several values told together only one is the name
    whom = spoken_of(message, known) if asks else []

    def is_answer(one: Memory) -> bool:
        if one.is_quoted:
            return not (asks and log.keeps(one))  # there the words that answer are found in it, too
        said = log.told_in(one) if asks else ""
        told = f"{one.key} {one.value} {said}" if said else ""
        if asks and not can_answer(message, one.value, told):
            return False
        if asks and _IS_OF_HEALTH.search(one.key) and _ASKS_FOR_NO_HEALTH.search(message):
            return False
        if whom and not any(holds_name(told, name) for name in whom):
            return False
        if only_one and not _may_speak_of(one, told, asked_whose):
            return False
        if one.replaces is not None or one.key.casefold() in NAME_KEYS:
            return True  # without a fact that was changed, what was written before would be quoted
        others = () if only_one else (other.memory for other in found)
        beside = [other.value for other in others if (other.key, other.source_turn) == (one.key, one.source_turn)]
        return log.holds_answer(one, message, asks, beside)

    if asks and asks_about_the_past(message):
        return found
    try:
        return list(islice((one for one in found if is_answer(one.memory)), RECALLED))
    except Exception:
        logger.exception("what the user wrote was not read again; what is stored counts")
        return found


def _may_speak_of(memory: Memory, told: str, whose: str) -> bool:
    """Whether a memory may tell the name of whom a question names: the crush is no best friend, the son no landlord."""
    if not told or may_be_the_same(memory.key, whose) or whose.casefold() in told.casefold():
        return True
    return not (is_a_relation(whose) or _NO_RELATION.fullmatch(whose))


def _names_its_key(question: str, memory: Memory) -> bool:
    """Whether a question names the key of a memory as what it asks for: "what instrument do i play?"."""
    key = re.escape(memory.key)
    form = (
        rf"\b(?:what|which) {key} (?:do|am) i \w+(?: then| again| now)?\W*$|\bwhat(?:['’]?s| is) my {key}\W*$"
        rf"|(?<![가-힣])(?:내|제) {key}\S?\s?(?:뭐|뭔)"
    )
    return not memory.is_quoted and re.search(form, question, re.IGNORECASE) is not None


def _is_at_hand(log: MessageLog, user: str, draft: Draft, message: str) -> bool:
    """Whether a message that might ask for something told does so, because what it asks for is there.

    Its reading is noted in the draft: "wit am i playin these days" asks, once bass and drums were spoken of.
    """
    reading = draft.reading
    does_else = reading.wants not in ("", ASKS_TOLD) or reading.about_her or reading.forgets >= POSSIBLE
    if not reading.might_ask or does_else or draft.otherwise is not None or _COMES_BACK.search(message):
        return False
    try:
        found = log.find(user, message)
    except Exception:
        logger.exception("what the user wrote was not searched; what the message seems to do counts")
        return False
    if found is None or not found.sure or found.score < AT_HAND:
        return False
    draft.reading = replace(reading, wants=ASKS_TOLD, may_ask=True, surely_asks=True)
    return True


def _with_those_beside(found: Recalled, message: str) -> Recalled:
    """With both names where several are asked for: "jaylen and jordan", though the network marked one."""
    if not (found.words and _SEVERAL_NAMES.search(message)):
        return found
    name, words = r"[^\W\d_]+", re.escape(found.words)
    both = (
        rf"{name},? (?:and|&) {words}(?!\w)|(?<!\w){words},? (?:and|&) {name}"
        rf"|{name}(?:이?랑|하고)\s?{words}|{words}(?:이?랑|하고)\s?{name}"
    )
    listed = re.search(both, found.memory.value, re.IGNORECASE)
    return replace(found, words=listed[0]) if listed else found


def _fits(found: Recalled, message: str) -> bool:
    """Whether what the user wrote can answer a message; the own name only where it is said as one."""
    if names_the_own_name(message) and not may_tell_own_name(found.words, found.memory.value):
        return False
    return can_answer(message, found.words or found.memory.value, found.memory.value)


def _is_the_name(memory: Memory, message: str) -> bool:
    """Whether a memory is the name that a message asks for: the user's own, or the dog's under "pet"."""
    if memory.key.casefold() in NAME_KEYS:
        return asks_for_own_name(message)
    whose, words = whose_name_is_asked(message), memory.value.split()
    is_name = len(words) <= LONGEST_NAME and may_be_the_name(memory.value, message)
    return bool(whose) and is_name and (whose in memory.line or memory.key in PET_KEYS)


def _telling(log: MessageLog, draft: Draft, message: str) -> Recalled | None:
    """What the user wrote about the best memory, where that is a day and the message asks for something else.

    "Which subject is my exam?" may be answered by an older message than the one that moved it to Friday.
    """
    best = draft.recalled[0] if draft.recalled else None
    if best is None or not is_only_a_day(best.memory) or asks_when(message):
        return None
    return log.find(best.memory.user, message) or log.telling(best.memory, message)


def _as_it_is_now(memory: MemoryStore, user: str, quotable: Recalled, message: str) -> Recalled:
    """The new day instead of one that was moved since, be it in words that do not name the plan ("12th now")."""
    if asks_about_the_past(message) or not asks_for_a_day(message):
        return quotable
    history = memory.history(user)
    told = [one for one in history if one.source_turn == quotable.memory.source_turn and is_only_a_day(one)]
    if len(told) != 1 or (quotable.words and plain_letters(told[0].value) != plain_letters(quotable.words)):
        return quotable
    (newest,) = told
    while (newer := next((one for one in history if one.replaces == newest.id), None)) is not None:
        newest = newer
    holds = newest is not told[0] and newest.valid_to is None
    return replace(quotable, memory=newest, words="") if holds else quotable


def _may_answer(message: str, days: bool, known: Sequence[Memory], now: datetime) -> Callable[[Memory], bool] | None:
    """Which of the user's words may answer a message; None: any.

    Args:
        days: it asks how long it is until something. known: all memories of the user.
    """
    if days:
        return partial(names_a_day, now=now)
    named = whose_name_is_asked(message).casefold()
    if is_of_people(named):
        return lambda one: named in one.value.casefold()
    if pet_key(named, "en"):
        return lambda one: names_a_pet(one.value)
    if named:  # "내가 좋아하는 애 이름": what tells the user's own name tells no other's
        own = [one.value for one in known if one.key.casefold() in NAME_KEYS]
        return lambda one: not any(is_said_as_name(name, one.value) for name in own)
    if ASKS_FOR_OWN_AGE.search(message) or ASKS_FOR_OWN_JOB.search(message):
        return lambda one: can_answer(message, one.value, one.value)
    whom = spoken_of(message, known)
    return (lambda one: any(holds_name(one.value, name) for name in whom)) if whom else None


def _by_whose_name_is_asked(message: str, found: list[Recalled], known: Sequence[Memory]) -> list[Recalled]:
    """The user's own name alone where it is asked for, and for somebody else's name no memory of another.

    Args:
        found: that matter to the message. known: all memories of the user, oldest first.
    """
    names = [one for one in known if one.key.casefold() in NAME_KEYS]
    if whose_name_is_asked(message) or not may_ask_for_own_name(message):
        return [one for one in found if one.memory not in names and not is_of_another(one.memory.key, message)]
    if not asks_for_own_name(message):
        return found
    if not names:  # the crush is not the user; but who asks to be remembered may be the one with the beagle
        return [] if names_the_own_name(message) else found
    nicknames = [one for one in names if one.key.casefold() in NICKNAME_KEYS]
    plain = [one for one in names if one not in nicknames]
    first, second = (nicknames, plain) if asks_for_nickname(message) else (plain, nicknames)
    return [Recalled((first or second)[-1], 1.0)]
