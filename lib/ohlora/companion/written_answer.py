"""What somebody wrote, said as it stands: for a message like this one, or for what such a message does.

A model of 270 million numbers garbles what it reads: beside the right dialogue it may still answer with nonsense. So
she gives the answer of a dialogue that fits (retrieval, as chat programs did before language models); where none does,
what she remembers of it, where it asks, or an answer that fits whatever does what the message does
(ohlora.rag.intents). The model speaks where all were said lately. A question about herself is answered by any dialogue
about the fact that it asks for.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import wraps
from typing import ParamSpec, TypeVar

from ohlora.companion.answer import without_address
from ohlora.companion.draft import Draft
from ohlora.companion.goodbyes import farewells
from ohlora.companion.her_line import about_her_line
from ohlora.companion.message_parts import beside_the_name, goodbye_at_the_end
from ohlora.companion.mirroring import mirroring
from ohlora.companion.plain_questions import plainly_asked
from ohlora.companion.told_fact import refers_to_told, remembered_fact
from ohlora.llm.dialogues import Dialogue
from ohlora.llm.reply_format import ReplyProgress, format_reply, parse_reply, plain_letters, stream_reply, without_marks
from ohlora.llm.rules import is_polite
from ohlora.rag import (
    DialogueExamples,
    GeneralAnswers,
    Memory,
    Wants,
    gentle_notice,
    proposed_operations,
)
from ohlora.rag.extraction import check_operation, holds_secret
from ohlora.rag.follow_ups import ANSWERS_HER
from ohlora.rag.intents import SURE_KIND, GeneralAnswer, act_of_intent, as_beginning
from ohlora.rag.message_reader import POSSIBLE
from ohlora.rag.sentences import sentences_of
from ohlora.rag.study_terms import StudyTerms, asking_part
from ohlora.rag.told_diet import makes_ill
from ohlora.rag.told_names import NAME_KEYS, PET_KEYS, PLAIN_NAME_KEYS, called, is_of_people, may_be_renamed
from ohlora.rag.wants import APPROVAL, ASKS_TOLD, CORRECTS, RISKY

logger = logging.getLogger(__name__)

Written = TypeVar("Written", Dialogue, GeneralAnswer)
Parameters, Result = ParamSpec("Parameters"), TypeVar("Result")
_TESTS_HER, _TELLS_BAD = "tests_her", "tells_bad"  # an intent ("what's my name?"), and a kind
_WANTS_ELSE = {"asks_idea", "asks_advice", "asks_opinion", "asks_study"}  # acts
_TELLS_NAME = "tells_name"  # an intent
JUST_NOW = timedelta(hours=1)
NO_TROUBLE = 0.2  # probability of bad news from which she does not speak of the topic: it may be grief at the stove
TROUBLE = 0.4
"""From which she gives neither tip nor view: .23 for knots before an exhibition, above .6 for a death (by hand)."""
BROUGHT_TO_MIND = 0.4
"""Relevance from which a memory answers what asks for something else ("what must I take to the hike?" – asthma; by
hand). Beside what asks nothing none is said: of 20 such lines in talks strangers found one good, and 14 bad."""
SAID_BACK = 0.8
"""Probability from which a value is said back to who corrects or answers her: else "Theo lost! Sorry" (by hand)."""
BEST = 5  # answers that are good enough to be said only because they are new
SHORTEST = 4  # letters; what is shorter hangs on what was said before


def otherwise_none(source: Callable[Parameters, Result]) -> Callable[Parameters, Result | None]:
    """A source of answers that fails is logged and has none: the next one is asked."""

    @wraps(source)
    def guarded(*args: Parameters.args, **named: Parameters.kwargs) -> Result | None:
        try:
            return source(*args, **named)
        except Exception:
            logger.exception("%s failed; she answers otherwise", source.__name__)
            return None

    return guarded


@otherwise_none
def written_answer(
    examples: DialogueExamples | None,
    message: str,
    history: Sequence[dict[str, str]],
    about_her: str = "",
    said_before: Sequence[str] = (),
) -> Iterator[ReplyProgress] | None:
    """Her answer as a stream like the model's, or None where nobody wrote one that fits.

    None also for short messages in the middle of a talk, and for answers that she gave in this conversation already.

    Args:
        examples: any object with the method ``written``; without it there are no written answers.
        about_her: the fact about her that the message asks for, where that is known.
        said_before: see Draft.
    """
    find = getattr(examples, "written", None)
    if find is None or (not about_her and history and len(message) < SHORTEST):
        return None
    known = {"about_her": about_her} if about_her else {}
    *_, last = sentences_of(message) or [""]
    if about_her and plainly_asked(last) == about_her:  # whatever else is said beside the question is no part of it
        message = last
    return _said_anew(find(message, **known), said_before, history)


@otherwise_none
def wanted_answer(
    wants: Wants | None,
    examples: DialogueExamples | None,
    draft: Draft,
    history: Sequence[dict[str, str]],
    answers: GeneralAnswers | None = None,
) -> Iterator[ReplyProgress] | None:
    """What she says to whatever wants what the message wants, or None where she said all of it lately.

    To what is about her last line she says first what was written for that (see about_her_line), before owning a slip
    what is right. Where somebody wrote how she refuses it, she refuses, be it again; of what may be abuse she approves
    in no case.

    Args:
        examples: any object with the method ``refusals``; without it nothing is refused here.
        answers: they tell whether the message sounds bad.
    """
    want = draft.reading.wants
    if wants is None or (draft.otherwise is not None and want in {*APPROVAL, ANSWERS_HER}):
        return None
    refusals = getattr(examples, "refusals", None)
    refused = refusals(draft.plain) if refusals else ()
    if refused:  # the same refusal again is better than a yes
        return stream_reply(iter([(_first_new(refused, draft.said_before, history) or refused[0]).target()]))
    said = history[-1]["content"] if history else ""
    found = about_her_line(answers, draft, said, _user_before(history))
    found += wants.answers(want, draft.plain, draft.language)
    first = _first_new(found, draft.said_before, history)
    if first is None:
        return None
    says = want in (CORRECTS, ANSWERS_HER) and draft.otherwise is None
    told = _told_value(draft) if says and draft.reading.surest >= SAID_BACK else ""
    if told and plain_letters(told) not in plain_letters(said):  # "no.. june 28"
        draft.quotes, first = True, replace(first, reply=f"{as_beginning(told)}! {first.reply}")
    return stream_reply(iter([first.target()]))


@otherwise_none
def explanation(
    terms: StudyTerms | None, answers: GeneralAnswers | None, draft: Draft, history: Sequence[dict[str, str]]
) -> Iterator[ReplyProgress] | None:
    """What she says of a term of study where the message asks what it is; else None, also where she said all of it.

    None for messages about her or about what was told, and for those that surely do something else than to ask.

    Args:
        terms, answers: None: there are none. draft: of the turn; its language is that of the explanation.
    """
    reading = draft.reading
    tells = reading.tells_something and asking_part(draft.plain) == draft.plain  # else it tells one thing, asks another
    if reading.about_her or reading.surely_asks or tells or reading.forgets >= POSSIBLE:
        return None
    found = terms.explanations(draft.plain, draft.language) if terms is not None else []
    if not found or (answers is not None and answers.surely_no_question(draft.plain)):
        return None
    return _said_anew(found, draft.said_before, history)


def message_in_talk(answers: GeneralAnswers | None, draft: Draft, history: Sequence[dict[str, str]]) -> str:
    """The message without her name, behind what the user said before where it goes on with that."""
    if answers is None or draft.reading.about_her:
        return draft.plain
    try:
        return answers.in_talk(draft.plain, _user_before(history))
    except Exception:
        logger.exception("whether the message goes on with the talk is not known; it is taken alone")
        return draft.plain


def _user_before(history: Sequence[dict[str, str]]) -> str:
    """What the user said before, without her name; "": nothing."""
    return without_address(next((one["content"] for one in reversed(history) if one["role"] == "user"), ""))


def asks_for_told(answers: GeneralAnswers | None, draft: Draft) -> bool:
    """Whether a message surely asks for what was told: then she says so where she does not know it.

    It does where it speaks of having told it ("did I say …?") or likeliest tests her, and tells nothing itself; else
    where its reader is sure, unless it clearly wants something else ("I need a name for my boat").
    """
    reading = draft.reading
    if (draft.asking and reading.wants == ASKS_TOLD) or (not reading.tells_something and refers_to_told(draft.plain)):
        return True
    if answers is None:
        return reading.surely_asks
    try:
        intent, clear = answers.likeliest_intent(draft.plain), answers.is_clear(draft.plain)
    except Exception:
        logger.exception("what else the message may want is not known")
        return reading.surely_asks
    if intent == _TESTS_HER and not reading.tells_something:
        return True
    return reading.surely_asks and not (clear and act_of_intent()[intent] in _WANTS_ELSE)


@otherwise_none
def asks_something(answers: GeneralAnswers, draft: Draft) -> bool:
    """Whether a message seems to ask, whatever it asks for."""
    return draft.plain.endswith(("?", "？")) or answers.seems_to_ask(draft.plain)


@otherwise_none
def gentle_answer(
    answers: GeneralAnswers | None, draft: Draft, history: Sequence[dict[str, str]]
) -> Iterator[ReplyProgress] | None:
    """What she says to anybody who is not well, beside who helps: what may be danger is not joked about."""
    if answers is None:
        return None
    found = answers.best(draft.plain, _user_before(history), draft.language)
    found = _first_new([one for one in found if one.intent == _TELLS_BAD], draft.said_before, history)
    if found is None:
        return None
    draft.notices.append(gentle_notice(draft.language))
    return stream_reply(iter([found.target()]))


@otherwise_none
def general_answer(
    answers: GeneralAnswers | None,
    draft: Draft,
    history: Sequence[dict[str, str]],
) -> Iterator[ReplyProgress] | None:
    """An answer to what the message does, or None where she said all of them, or it asks to forget.

    Who tells a name is greeted by it, unless it is known ("hey it's Marcus again"); who says goodbye at the end gets
    one; glad or plain news of a topic is answered by what fits that. Where the message tells something, its own words
    come first.

    Args:
        answers: None: there are none.
        draft: of the turn; whether the answer repeats words of the user is noted there.
    """
    if answers is None or draft.reading.forgets >= POSSIBLE:
        return None
    together = draft.in_talk != draft.plain
    name = _told_value(draft, NAME_KEYS)
    known = any(_same_name(name.casefold(), one) for one in draft.names)
    name = "" if known or (draft.names and not may_be_renamed(name, draft.plain)) else name
    apart = together or known or answers.complains(draft.plain)  # of two messages, or a complaint, it is not the topic
    value = name or ("" if apart else _told_value(draft))
    by_intent = answers.answers(draft.in_talk, draft.language, value, together)
    naming = [one for one in by_intent if value and value in one.reply]
    goodbye = "" if name else goodbye_at_the_end(answers, draft.plain)
    if name:
        naming = _greetings_by_name(answers, draft, history, name)
    elif goodbye:
        naming = farewells(answers, goodbye, draft.language)
    elif not draft.otherwise:
        naming = [*_asked_of_a_topic(answers, draft, history), *_about_its_topic(answers, draft, history), *naming]
    ranked = answers.best(draft.plain, _user_before(history), draft.language) or by_intent
    if draft.names and not name:
        ranked = [one for one in ranked if one.intent != _TELLS_NAME]
    found = _first_new([*naming, *ranked], draft.said_before, history, value)
    if found is None:
        return None
    if goodbye or draft.otherwise or (value and value in found.reply):
        said_first = ""
    else:
        kind = answers.understood(draft.in_talk, together)[-1]
        said_first = mirroring(draft.plain, kind, draft.language, history, answers.mirrored)
    draft.quotes = bool(value or said_first)
    return stream_reply(iter([replace(found, reply=f"{said_first} {found.reply}".strip()).target()]))


def _asked_of_a_topic(answers: GeneralAnswers, draft: Draft, history: Sequence[dict[str, str]]) -> list[GeneralAnswer]:
    """Her view, or a tip, where the message asks for one of a topic; none in trouble, or where harm may come of it."""
    if answers.topics is None or draft.reading.wants == RISKY:
        return []
    found = answers.topics.asked(draft.plain, draft.language)
    return found if found and answers.trouble(draft.plain, _user_before(history)) < TROUBLE else []


def _about_its_topic(answers: GeneralAnswers, draft: Draft, history: Sequence[dict[str, str]]) -> list[GeneralAnswer]:
    """Answers to what is told of a topic that the message names; none where it asks, or where that is not clear."""
    kind, sure = answers.kind(draft.in_talk)
    troubled = answers.trouble(draft.plain, _user_before(history)) >= NO_TROUBLE
    apart = troubled or makes_ill(draft.plain) or draft.plain.endswith(("?", "？"))
    if answers.topics is None or sure < SURE_KIND or apart:
        return []
    heart = answers.mirrored(draft.plain, history[-1]["content"] if history else "")
    return answers.topics.answers(draft.plain, kind, draft.language, heart)


def _greetings_by_name(
    answers: GeneralAnswers, draft: Draft, history: Sequence[dict[str, str]], name: str
) -> list[GeneralAnswer]:
    """Whatever else a message does, who tells her name is greeted by it, and what stands beside it is answered then."""
    greetings = answers.of_intent(_TELLS_NAME, draft.plain, draft.language, name)
    beside = beside_the_name(answers, draft.plain, name)
    then = _first_new(answers.best(beside, "", draft.language), draft.said_before, history) if beside else None
    if then is not None:
        greetings = [replace(then, reply=f"{_up_to_the_name(one.reply, name)} {then.reply}") for one in greetings]
    if draft.speech is not None or draft.language != "ko":
        return greetings
    plain = _told_value(draft, PLAIN_NAME_KEYS)
    calls = f"{name} 님" if is_polite(draft.plain) else called(name) if plain else name
    return [replace(one, reply=one.reply.replace(f", {name}!", f", {calls}!")) for one in greetings]


def _same_name(one: str, other: str) -> bool:
    """Whether one is the other or a part of it, in small letters: "marcus", "marcus lee"; "도현", "김도현"."""
    if one.isascii():
        words, others = {*one.split()}, {*other.split()}
        return bool(words) and (words <= others or others <= words)
    return bool(one) and (one.endswith(other) or other.endswith(one))


def _up_to_the_name(greeting: str, name: str) -> str:
    """A greeting without the sentences after the name."""
    place = max(greeting.casefold().find(name.casefold()), 0)
    return greeting[:place] + re.split(r"(?<=[.!?])\s", greeting[place:], maxsplit=1)[0]


@otherwise_none
def remembered_answer(draft: Draft, history: Sequence[dict[str, str]], now: datetime) -> Iterator[ReplyProgress] | None:
    """What the message brings to her mind, alone: it is worth more than what the model would make of it.

    Args:
        now: with the user's time zone.
    """
    memory = _remembered(draft, history, now)
    if memory is None or draft.otherwise is not None or draft.reading.forgets >= POSSIBLE:
        return None
    draft.quotes = True
    said = remembered_fact(draft.plain, memory, now, draft.language)
    return stream_reply(iter([format_reply(without_marks(said), "happy", 0.6)]))


def _told_value(draft: Draft, keys: Sequence[str] = ()) -> str:
    """The words of the only fact that the message surely tells, where they may be stored; else "".

    Args:
        keys: of the facts that count; default: all.
    """
    if not draft.reading.surely_tells or holds_secret(draft.message):
        return ""
    told = [one for one in proposed_operations(draft.reading, None) if not keys or one.key in keys]
    alone = len(told) == 1 and check_operation(told[0], draft.message) is None
    return told[0].value if alone else ""


def _remembered(draft: Draft, history: Sequence[dict[str, str]], now: datetime) -> Memory | None:
    """The memory that a message that asks brings to her mind; none where it asks about her or tells something.

    What was told just now needs no reminding, and nobody wants to be quoted unasked.
    """
    if not draft.recalled or draft.reading.about_her or draft.reading.tells_something:
        return None
    memory = draft.memories[0]
    of_somebody = is_of_people(memory.key) or memory.key.casefold() in (*NAME_KEYS, *PET_KEYS)
    is_a_name = of_somebody and len(memory.value.split()) == 1
    if memory.is_quoted or is_a_name or draft.recalled[0].score < BROUGHT_TO_MIND:
        return None  # a name answers nothing: "am i wrong?" – "I remember: Mira"
    if now - memory.created < JUST_NOW:
        return None
    said = plain_letters(" ".join([draft.message, *(one["content"] for one in history)]))
    return None if plain_letters(memory.value) in said else memory


def _said_anew(
    found: Sequence[Written], said_before: Sequence[str], history: Sequence[dict[str, str]]
) -> Iterator[ReplyProgress] | None:
    """The first answer that she did not give lately as a stream; None: she gave them all."""
    new = _first_new(found, said_before, history)
    return None if new is None else stream_reply(iter([new.target()]))


def _first_new(
    found: Sequence[Written], said_before: Sequence[str], history: Sequence[dict[str, str]], value: str = ""
) -> Written | None:
    """The first of the best that she never gave; else the first not given lately, be it about another value."""
    lately = [one["content"] for one in history if one["role"] == "assistant"]

    def first_not_in(said: Sequence[str], answers: Sequence[Written]) -> Written | None:
        return next(
            (one for one in answers if not any(_longest_piece(one, value) in earlier for earlier in said)), None
        )

    return first_not_in([*said_before, *lately], found[:BEST]) or first_not_in(lately, found)


def _longest_piece(answer: Written, value: str) -> str:
    """The words of an answer, of one that names what was told the longest piece beside that."""
    text = parse_reply(answer.target()).text
    return max(re.split(re.escape(value), text, flags=re.IGNORECASE), key=len) if value else text
