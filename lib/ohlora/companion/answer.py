"""Where her words come from: what is stored, or the language model beside written dialogues."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from ohlora.companion.conversation import Conversation
from ohlora.companion.denial import denied, is_news, told_before
from ohlora.companion.draft import Draft
from ohlora.companion.fresh_words import say_freshly
from ohlora.companion.honesty import ARTIFICIAL, asks_what_she_is
from ohlora.companion.message_parts import asking_sentences, repeats_her_question, two_questions
from ohlora.companion.open_question import as_answer
from ohlora.companion.plain_questions import HER_NAME, asks_for_her_view, offers_to_tell, plainly_asked
from ohlora.companion.told_fact import (
    asks_back,
    asks_of_own,
    not_known_either,
    refers_to_told,
    told_fact,
    told_together,
)
from ohlora.llm.prompt import Example
from ohlora.llm.reply_format import ReplyProgress, format_reply, stream_reply, without_marks
from ohlora.rag import UNKNOWN_READING, DialogueExamples, MemoryStore, MessageReader, Reading, Recalled, Wants
from ohlora.rag.intents import as_beginning
from ohlora.rag.message_reader import POSSIBLE, introduces_the_user
from ohlora.rag.moved_plan import may_move
from ohlora.rag.own_name import asks_for_own_name, asks_whether_it_is_known
from ohlora.rag.wants import ASKS_TOLD, CORRECTS, RISKY, is_about_her

logger = logging.getLogger(__name__)

_ADDRESS = re.compile(
    r"^(오로라|로라)(야|님)?[\s,!~.]+(?=\S)|(?<=\S)[\s,]*,\s*(oh-?)?lora(?=[\s!~.?]*$)", re.IGNORECASE
)
_GREETED = re.compile(
    r"\b(hi|hey|hello|(?:good ?)?(?:night|morning|evening)|bye|goodbye|thanks|thank you|sorry)"
    r"\s+(oh-?)?lora(?=[\s!~.?]*$)",
    re.IGNORECASE,
)
MAY_BE_TOLD = ("", "memory", "knows_thing")
"""What a message may ask about her though it asks for what was told: "do you remember my name?"."""
CLEARLY_BETTER = 0.1
"""Relevance by which a memory must exceed what the user wrote, to be said instead: it may be a word too few, or stand
under a wrong key. Of 126 answers on data/memory/development.jsonl 75 hold the fact, 72 without this, 64 where any
memory goes first."""
_REFUSES = re.compile(r"아니|말고|틀렸|땡|\b(no|nope|nah|not|wrong|other)\b", re.IGNORECASE)
LATELY = 3  # replies of hers in which a quotation is not repeated
ALONE = 6  # letters from which a message may be understood without what was said before


def without_address(message: str) -> str:
    """A message without her name where she is only called by it ("Good night, Oh-LoRA!"): it says nothing about her."""
    return _GREETED.sub(r"\1", _ADDRESS.sub("", message, count=1))


def read_message(
    reader: MessageReader, wants: Wants | None, message: str, history: Sequence[dict[str, str]]
) -> Reading:
    """What is in a message, and what it wants of her; where nothing can be read, that nothing is known.

    Args:
        reader: any object with the method ``read``. wants: None: the reader tells which fact about her it asks for;
            where they are known, a denial of what she told back, and plain questions about her, or for something of
            the user's, are rules. A wish to forget wants nothing else.
    """
    before = history[-1]["content"] if history else ""
    try:
        reading = reader.read(message, before)
    except Exception:
        logger.exception("a message could not be read for facts; the model decides alone what to remember")
        return UNKNOWN_READING
    if wants is None or reading.forgets >= POSSIBLE:
        return reading
    try:
        want = wants.of(message, before)
        asks_by_wants = wants.asks_told(message, before)
    except Exception:
        logger.exception("what a message wants is not known")
        return reading
    if asks_what_she_is(message):
        want = ARTIFICIAL
    elif want != RISKY and (asked := plainly_asked(message)) and (want != ASKS_TOLD or asked == HER_NAME):
        want = asked
        if not asks_back(message):
            reading = replace(reading, may_ask=False, surely_asks=False)
    asks_otherwise = asks_for_her_view(message) or offers_to_tell(message)
    if asks_otherwise and not (asks_back(message) or refers_to_told(message)):
        reading = replace(reading, may_ask=False, surely_asks=False)
        want = "" if want == ASKS_TOLD else want
    if asks_of_own(message):
        want = ASKS_TOLD
    elif introduces_the_user(reading.facts, message) and not (asks_back(message) or "?" in message):
        reading = replace(reading, may_ask=False, surely_asks=False)  # "yooo whats up im dev" asks for nothing
        want = "" if want == ASKS_TOLD else want
    if want == CORRECTS and (may_move(message) or is_news(message, before)):  # no slip of hers
        want = ""
    want = want or denied(message, before) or told_before(message, before)
    asks = want == ASKS_TOLD or (asks_back(message) and (want in MAY_BE_TOLD or not is_about_her(want)))
    remembers_me = want in MAY_BE_TOLD and asks_for_own_name(message)
    return replace(
        reading,
        wants=want,
        asks_by_wants=asks_by_wants,
        about_her=want if is_about_her(want) else "",
        may_ask=reading.may_ask or asks or remembers_me,
        surely_asks=reading.surely_asks or asks or (remembers_me and asks_whether_it_is_known(message)),
    )


def note_reading(reader: MessageReader, wants: Wants | None, draft: Draft, conversation: Conversation) -> None:
    """Note what is in the message, and which sentences of it ask for what was told; of two questions each by itself.

    "What a day. wait, where do I work again? testing you" asks, though as a whole it tells. And who asks "no, Tess is
    me, Biscuit is the beagle. what are my kids' names?" wants to hear of the kids alone.

    Args:
        reader, wants: see read_message. conversation: before the message.
    """
    history, question = conversation.history, conversation.open_question
    reading = read_message(reader, wants, draft.plain, history)
    draft.reading = as_answer(reading, draft.plain, question, getattr(reader, "keys_of_facts", ()))
    if draft.reading.forgets >= POSSIBLE:
        return
    asking = asking_sentences(draft.plain)
    if asking and repeats_her_question(asking, history[-1]["content"] if history else ""):
        return
    questions = two_questions(asking or draft.plain)
    if questions and all(read_message(reader, wants, one, history).surely_asks for one in questions):
        asking, draft.asking_too = questions
    elif not (asking and read_message(reader, wants, asking, history).surely_asks):
        return
    draft.asking = asking
    draft.reading = replace(draft.reading, wants=ASKS_TOLD, about_her="", may_ask=True, surely_asks=True)


def similar(
    examples: DialogueExamples | None, message: str, history: Sequence[dict[str, str]], about_her: str = ""
) -> Sequence[Example]:
    """Written dialogues about similar messages; none for "why?", which is about what was said before.

    Args:
        about_her: the fact about her that the message asks for, where that is known.
    """
    known = {"about_her": about_her} if about_her else {}
    try:
        alone = not history or len(message) >= ALONE or known
        return examples.nearest(message, **known) if examples and alone else ()
    except Exception:
        logger.exception("no examples were found; she can answer without them")
        return ()


def told_answer(store: MemoryStore, draft: Draft, now: datetime, surely: bool) -> Iterator[ReplyProgress] | None:
    """A stream that tells back what the user told, or that she does not know it (see told_fact).

    What the user wrote is quoted, unless a memory answers clearly better. None where the message may as well ask for
    something else, and brings no memory to her mind. Of two questions she answers both, first what she knows.

    Args:
        draft: of the turn; what it recalls is in it. surely: the message asks for what was told.
    """
    text = _told_back(store, draft, now, surely)
    if text is None:
        return None
    draft.not_known = "" if draft.recalled else draft.asking or draft.plain
    if draft.second is not None:
        text = _with_second(text, _told_back(store, draft.second, now, True) or "", draft, draft.second)
    return stream_reply(iter([format_reply(text, "happy" if draft.recalled else "curious", 0.6)]))


def _with_second(first: str, second: str, draft: Draft, other: Draft) -> str:
    """Her answers to two questions, first what she knows. other: draft of the second question."""
    known, known_too = draft.recalled, other.recalled
    draft.recalled, draft.quotes = (*known, *known_too), draft.quotes or other.quotes
    if known and known_too:
        is_the_same = (known[0].memory, known[0].words) == (known_too[0].memory, known_too[0].words)
        return first if is_the_same else told_together(first, second)
    if known or known_too:
        draft.not_known = other.asking if known else draft.asking
        return f"{first if known else second} {not_known_either(draft.asking)}"
    draft.not_known = ""  # which of the two is answered next cannot be told
    return second


def _told_back(store: MemoryStore, draft: Draft, now: datetime, surely: bool) -> str | None:
    """Her answer to one question; see told_answer."""
    lately = " ".join(draft.said_before[-LATELY:])
    fresh = tuple(one for one in draft.recalled if not (one.memory.is_quoted and one.memory.value in lately))
    draft.recalled = fresh or draft.recalled
    quotable = draft.quotable
    if fresh and quotable and _said_lately(quotable, draft.message, lately):
        quotable = None
    if surely and quotable and _answers_better(quotable, draft.recalled):
        others = [one for one in draft.recalled if one.memory != quotable.memory]
        draft.recalled, draft.quotes = (quotable, *others), True
    if not (draft.recalled or surely):
        return None
    told = told_fact(draft.asking or draft.message, draft.recalled, store.replaced_by, now)
    return as_beginning(without_marks(told))


def _said_lately(quotable: Recalled, message: str, lately: str) -> bool:
    """Whether she just quoted it; its words that answer may be asked for twice, but not where they were refused."""
    if not quotable.words:
        return quotable.memory.value in lately
    said = re.search(rf"(?<!\w){re.escape(quotable.words)}(?!\w)", lately, re.IGNORECASE)
    return bool(said and _REFUSES.search(message))


def _answers_better(quotable: Recalled, recalled: Sequence[Recalled]) -> bool:
    """Whether what the user wrote is said rather than the best memory, if there is one: not what a memory changed."""
    if not recalled:
        return True
    best = recalled[0]
    changes = best.memory.replaces is not None and best.memory.created >= quotable.memory.created
    return not changes and best.score < quotable.score + CLEARLY_BETTER


def model_answer(
    llm: object,
    messages: Sequence[dict[str, str]],
    memories: Sequence[str],
    now: datetime,
    similar_ones: Sequence[Example],
) -> Iterator[ReplyProgress]:
    """The language model's words, without what she said in the conversation already.

    Args:
        llm: see ohlora.llm.LanguageModel; one of somebody else's may not know the word ``examples``.
        messages: the conversation, the user's message last. memories: recalled lines. now: in the user's time zone.
        similar_ones: written dialogues, shown to the model.
    """
    shown = {"examples": similar_ones} if similar_ones else {}

    def say(asked: Sequence[dict[str, str]]) -> Iterator[ReplyProgress]:
        return llm.reply(asked, memories=memories, now=now, stream=True, **shown)

    return say_freshly(say, messages)
