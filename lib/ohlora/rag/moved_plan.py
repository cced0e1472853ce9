"""A plan is moved, "근데 그거 밀렸어요, 12일로 바뀌었어요", "the talent show got shifted, it's the 13th": which one?

Its day is stored under a key that the reader of facts found in another message, and in this one it may find another:
so the first day would stay beside the second. What both messages speak of tells more, and else what was just spoken of.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ohlora.llm.reply_format import as_field, plain_letters
from ohlora.rag.change_wording import MOVES
from ohlora.rag.content_words import content_words
from ohlora.rag.dates import ANY_DAY, named_day
from ohlora.rag.day_wording import WEEKDAY_KO, comes_again
from ohlora.rag.former_value import MARKED_BESIDE, places_of
from ohlora.rag.memory import Memory
from ohlora.rag.message_reader import Reading
from ohlora.rag.somebody_else import tells_of_somebody_else
from ohlora.rag.told_names import NAME_KEYS, PET_KEYS, is_of_people

_MAYBE = re.compile(
    r"수도|지도 (모|몰)|까\s?봐|뻔|(?<![가-힣])안\s?[바밀옮]|그대로|여전|[?？]"
    r"|\b(might|(?<!\d )(?<!of )(?<!st )(?<!nd )(?<!rd )(?<!th )may(?! \d)|could|maybe|probably|possibly|if|never"
    r"|not(?! (?:on )?(?:the )?(?:\d(?!\d*\s?%)|(?:mon|tues|wednes|thurs|fri|satur|sun)day\b))"  # "not the 14th"
    r"|still|almost)\b|n['’]t\b",
    re.IGNORECASE,
)
_VERB = r"(밀|미[뤄뤘룸]|연기|앞?당|옮[겨겼김]|바[뀌뀐뀜꼈꼇껴꿨꿈]|변경)"
_MOVED = "(moved|pushed|shifted|postponed|bumped|delayed|rescheduled)"
_MOVED_IT = re.compile(rf"\b{_MOVED} (it|that)\b", re.IGNORECASE)  # "they moved it to dec 8"
_OF_THE_USER = re.compile(r"\b(my|our|the)\s\w", re.IGNORECASE)
_NAMED_BEFORE = re.compile(  # "그거 밀려서 …", "밀려서 …", "it got moved to …": what was just spoken of
    rf"(?<![가-힣])그(거|게|건|날)\s?(또|다시|좀)?\s?{_VERB}"
    rf"|^(\W|[ㄱ-ㅎㅏ-ㅣ]|(아|어|오|헐|응|네|참|또|근데|그런데|방금|어제|오늘)\s)*{_VERB}"
    rf"|\b(it|that)( got|['’]s( been)?| was| has been| is being)? ({_MOVED}|changed)"
    rf"|^(\W|\b(ugh|ok|btw|so|oh|actually|and)\b)*(got |was )?{_MOVED} to\b",
    re.IGNORECASE,
)
_DENIED = re.compile(  # "the half isn't 12 december, it's the 23rd of may, it got moved"
    r"\b(?:the|my|our)\s(?P<plan>[\w ]{2,30}?)\s(?:isn|wasn|is not|was not)(?:['’]?t)?"
    r"(?= (?:on |till |until )?(?:the )?(?:\d|(?:mon|tues|wednes|thurs|fri|satur|sun)day|jan|feb|mar|apr|may|june?\b"
    r"|july?\b|aug|sep|oct|nov|dec))",
    re.IGNORECASE,
)
_TELLS_OF_ONE = re.compile(r"\b[a-z]+ (?:had|has|is|was) (?:an? |on )", re.IGNORECASE)  # "gig is on 4 june"
_SENTENCE_ENDS = re.compile(r"(?<=[.!?~…])\s+")
_FILLERS = re.compile(r"\b(?:btw|ps|also|well|oh|ugh|ok|okay|anyway|hey|just|finally|sadly)\b", re.IGNORECASE)
_CLAUSE_ENDS = re.compile(r"[,.!?…~;\n]+|\b(so|and|but|because|cuz|cos)\b|(?<=[가-힣][서고데]) ", re.IGNORECASE)
_ANOTHERS = re.compile(
    r"(친구|동생|언니|오빠|누나|형|엄마|아빠|남편|아내|여친|남친)\S*\s"
    r"|(?<!\bit)(?<!\bthat)['’]s\b(?! (now|on|the \d|been))|\b(his|her|their|mom|mum|dad|sister|brother)\b",
    re.IGNORECASE,
)
_FEAST = re.compile(r"생일|기념일|제사|\b(birthday|anniversary)\b", re.IGNORECASE)  # they are seldom moved
_DAY_WORDS = re.compile(
    rf"\d+\s?(월|일|st|nd|rd|th)?|(다다음|다음|이번|담)\s?(주|달)?|{WEEKDAY_KO}|내일|모레"
    r"|\b(on|the|of|this|next|coming|tomorrow|week|(mon|tues|wednes|thurs|fri|satur|sun)day"
    r"|january|february|march|april|may|june|july|august|september|october|november|december"
    r"|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\b",
    re.IGNORECASE,
)


def may_move(message: str) -> bool:
    """Whether a message is worded as one that surely moves a plan of the user's, be it named or not."""
    return any(map(_moves, _SENTENCE_ENDS.split(message)))


def _moves(sentence: str) -> bool:
    maybe, another = _MAYBE.search(_DENIED.sub(" ", sentence)), _ANOTHERS.search(sentence)
    return bool(MOVES.search(sentence)) and not (maybe or another or tells_of_somebody_else(sentence))


def moved_plan(
    reading: Reading, message: str, memories: Sequence[Memory], written: Mapping[int, str], lately: Sequence[str]
) -> tuple[Memory, str] | None:
    """The memory of a plan that a message moves, and its new day; None: it moves none, or it is open which.

    What is named as moved must all stand where the plan was told: "the school play" is no school trip.

    Args:
        reading: of the message. memories: that hold now. written: what the user wrote in telling each and its former
            values, by its id. lately: turns of what was told back last, and of what was just written, the newest last.
    """
    days = [fact for fact in reading.facts if fact.probability >= MARKED_BESIDE and _is_only_a_day(fact.value)]
    if len(days) != 1 or not reading.tells_something or not may_move(message):
        return None
    day = as_field(days[0].value)
    plans = [one for one in memories if _is_plan(one)]
    clause = next(part for part in _clauses(message) if MOVES.search(part))
    denied = _DENIED.search(message)
    names = denied["plan"] if denied else MOVES.sub(" ", clause.replace(days[0].value, " "))
    subject = content_words(_FILLERS.sub(" ", names))
    told = [content_words(f"{one.key} {MOVES.sub(' ', written.get(one.id, ''))}") for one in plans]
    found = [one for one, words in zip(plans, told, strict=True) if subject and subject <= words]
    found = found or _plans_of_a_day_named_before(plans, message, day)
    if not found and _speaks_of_what_was_named_before(message):
        of_turns = ([one for one in plans if one.source_turn == turn] for turn in reversed(lately))
        found = next(filter(None, of_turns), [])
    return (found[0], day) if len(found) == 1 and found[0].value != day else None


def _speaks_of_what_was_named_before(message: str) -> bool:
    """Whether a message moves "it", and names nothing before that: "my haircut, it got moved" is named."""
    before, moved_it = _NAMED_BEFORE.search(message), _MOVED_IT.search(message)
    if before is not None:
        *earlier, own = _SENTENCE_ENDS.split(message[: before.start()])
        if not content_words(own) and not any(map(_names_a_plan, earlier)):
            return True
    return moved_it is not None and not _OF_THE_USER.search(message[: moved_it.start()])


def _plans_of_a_day_named_before(plans: Sequence[Memory], message: str, day: str) -> list[Memory]:
    """Those whose day the message names where it moves "that": "12월 4일이라 했잖아. 그거 밀렸어"."""
    sentences = _SENTENCE_ENDS.split(message)
    moving = next((one for one in sentences if MOVES.search(one)), "")
    if content_words(_DAY_WORDS.sub(" ", MOVES.sub(" ", moving))):
        return []
    own = [one for one in sentences if not _ANOTHERS.search(one)]
    return [plan for plan in plans if plan.value != day and any(places_of(plan.value, one) for one in own)]


def _names_a_plan(sentence: str) -> bool:
    """Whether a sentence may name what the next one moves: "the dentist called", "미용실 예약했는데"."""
    if sentence.isascii():
        tells = _OF_THE_USER.search(sentence) or _TELLS_OF_ONE.search(sentence)
        return tells is not None or named_day(sentence, ANY_DAY) is not None
    return bool(content_words(_DAY_WORDS.sub(" ", sentence)))


def _clauses(message: str) -> list[str]:
    """The parts of a message between commas and joining words, and the whole last: its verb may stand across them."""
    return [*_CLAUSE_ENDS.sub("\n", message).split("\n"), message]


def _is_plan(memory: Memory) -> bool:
    """Whether a memory is the day of something that happens once, and nothing more: hour and place would be lost."""
    of_somebody = is_of_people(memory.key) or memory.key.casefold() in {*NAME_KEYS, *PET_KEYS}
    again = comes_again(memory.line) or _FEAST.search(memory.line)
    return _is_only_a_day(memory.value) and not (memory.is_quoted or of_somebody or again)


def _is_only_a_day(value: str) -> bool:
    return named_day(value, ANY_DAY) is not None and not plain_letters(_DAY_WORDS.sub("", value))
