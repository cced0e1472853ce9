"""What she can say without the language model: the surest source first; where none knows, the model speaks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ohlora.companion.answer import MAY_BE_TOLD, told_answer
from ohlora.companion.choice import chosen_answer
from ohlora.companion.draft import Draft
from ohlora.companion.language_wish import language_answer
from ohlora.companion.moved_answer import moved_answer
from ohlora.companion.plain_questions import asks_to_imagine
from ohlora.companion.plain_view import view_answer
from ohlora.companion.speech_level import asks_something_else, speech_answer
from ohlora.companion.todays_date import clock_answer
from ohlora.companion.told_fact import asks_for_days, with_a_day
from ohlora.companion.told_joke import joke_answer
from ohlora.companion.written_answer import (
    asks_for_told,
    asks_something,
    explanation,
    general_answer,
    gentle_answer,
    message_in_talk,
    remembered_answer,
    wanted_answer,
    written_answer,
)
from ohlora.llm.reply_format import ReplyProgress
from ohlora.rag import DialogueExamples, GeneralAnswers, MemoryStore, StudyTerms, Wants


@dataclass(frozen=True)
class Sources:
    """What was told, and what somebody wrote; None: there is none of it."""

    memory: MemoryStore
    examples: DialogueExamples | None
    wants: Wants | None
    general_answers: GeneralAnswers | None
    study_terms: StudyTerms | None


def prepared_answer(
    sources: Sources, draft: Draft, history: Sequence[dict[str, str]], now: datetime
) -> Iterator[ReplyProgress] | None:
    """What was told or written as a stream like the model's; None: the model is to speak.

    Args:
        draft: of the turn; what the message goes on with is noted there. now: with the user's time zone.
    """
    reading, recalled, answers = draft.reading, draft.memories, sources.general_answers
    if draft.gently:
        return gentle_answer(answers, draft, history)
    ready = None
    if draft.otherwise is None:
        speech = None if asks_something_else(draft.plain) else draft.wished_speech
        wished = language_answer(draft.plain) or speech_answer(draft.plain, speech)
        ready = wished or clock_answer(draft.plain, now) or joke_answer(draft)
    if ready is None:
        ready = explanation(sources.study_terms, answers, draft, history)
    may_ask = reading.may_ask and reading.about_her in MAY_BE_TOLD
    days = asks_for_days(draft.message) and bool(with_a_day(draft.recalled[:1], now) or draft.quotable)
    if ready is None and (reading.surely_asks or may_ask or days):
        ready = told_answer(sources.memory, draft, now, days or asks_for_told(answers, draft))
    if ready is None:
        ready = moved_answer(draft) or chosen_answer(answers, draft, history) or view_answer(draft, history, answers)
    if ready is None and reading.wants:
        ready = wanted_answer(sources.wants, sources.examples, draft, history, answers)
    if ready is not None:
        return ready
    draft.in_talk = message_in_talk(answers, draft, history)
    asks = answers is not None and asks_something(answers, draft)
    brings_to_mind = reading.may_ask or (asks and recalled)
    alone = draft.in_talk == draft.plain and not (reading.tells_something or brings_to_mind)
    if reading.about_her or alone:
        ready = written_answer(sources.examples, draft.plain, history, reading.about_her, draft.said_before)
    if ready is not None or answers is None:
        return ready
    if asks:
        # answered by what it brings to mind alone: "who knows" beside it would be odd
        remembered = None if asks_to_imagine(draft.plain) else remembered_answer(draft, history, now)
        return remembered or general_answer(answers, draft, history)
    return general_answer(answers, draft, history)
