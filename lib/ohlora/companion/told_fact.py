"""Asked for what she was told, she says it: a small model garbles names and numbers, what is stored is right.

"What's my cat called?" gets the value of the memory that was recalled, and when it was told; "how many days left?"
the days until a dated plan; "when did I tell you?" the day; "what was it before?" the value that a newer one closed.
What nobody told her she says she does not know. Which messages ask for such a thing is learned
(ohlora.rag.message_reader).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any

import yaml

from ohlora.companion.citation import day_in_words, told_when
from ohlora.config import DATA
from ohlora.llm.language import text_language
from ohlora.llm.reply_format import plain_letters
from ohlora.rag import Memory, Recalled
from ohlora.rag.dates import named_day, next_time, past_day
from ohlora.rag.day_wording import WEEKDAY_KO, comes_again
from ohlora.rag.intents import as_beginning
from ohlora.rag.korean_words import ends_in_consonant
from ohlora.rag.replaced_memory import may_have_several
from ohlora.rag.told_names import PET_KEYS, is_of_people, may_be_the_same, whose_name_is_asked

QUOTED_UNSURELY = 45
"""Characters of what the user wrote up to which all of it is said beside words that may be wrong (by hand). Of 40 such
answers on data/memory the words were right in 19, only the rest of what was written in 6, neither in 10; to 5 questions
there was none."""
_HOW_LONG = re.compile(
    r"(며칠|몇\s?일|몇\s?밤|몇\s?주|얼마나)\s*(이나|더|쯤)?\s*(남|자면|자야|뒤|후|있으면|기다)|까지\s*(며칠|몇)|디-?데이|\bd-?day\b"
    r"|\bhow (many (more )?(days|sleeps|nights|weeks)|long (till|until|to go|before|have i (got|left)|do i have))\b"
    r"|\bhow long is it till\b",
    re.IGNORECASE,
)
_WHEN_TOLD = re.compile(
    r"(언제|며칠에|며칠이|몇\s?월)(?!\s?(이?라|에?\s?(한|간|본|온))고).*(말했|말한|말해|얘기|이야기|알려|알린|꺼냈|꺼낸|자랑했|털어놨)"
    r"|(말한|말했|말해|얘기|이야기|알려|알린|꺼낸|자랑한|털어놓은).*(언제|며칠)"
    r"|\b(when|which day|what day)\b(?!.*\b(is|are|was|were|starts?|begins?|leaves?)\W*$)"  # when did I say it was?
    r".*\b(tell|told|mention(ed)?|say|said|talk(ed)?|go on)\b",
    re.IGNORECASE,
)
_WHEN = re.compile(
    r"언제|며칠|몇\s?일|몇\s?월|날짜|요일|\b(when'?s?|weekday|the date|(what|which) (date|day))\b", re.IGNORECASE
)
_BEFORE = re.compile(
    r"전에는|전엔|예전|원래|처음에|처음\s?(잡|정|말)|(?<=[가-힣])기\s?전|그만두기|옛날"
    r"|\b(before|used to|originally|previous(ly)?|at first)\b",
    re.IGNORECASE,
)
_FORMER = re.compile(
    r"원래.*[었였했]|옛날|전에는|전엔|예전에는|예전엔|(바뀌|바꾸|옮기|미루|이사하|이직하|갈아타|그만두|밀리)기\s?전"
    r"|\b(what|where|who|which|when)\b.*\b(used to|originally|previous(ly)?|before[?.! ]*$"
    r"|before (i|they|it|we|that|this)( got| was)? (chang|mov|switch|swap|quit|stop|cancel|push|postpon)\w*)",
    re.IGNORECASE,
)
_SAID = re.compile(
    r"(다|라|냐|자)고\s?(했|말했|얘기했|그랬)(지|더라|게|었지|는지)|\bdid i (say|tell you|mention)\b"
    r"|\b(u|you) (still )?(remember|recall)\b.*\b(i|my)\b",
    re.IGNORECASE,
)
_ASKS_BACK = re.compile(  # a question word and reported speech: "어디랬지", "몇 개 풀어야 된다 했지"
    r"(뭐|뭘|어디|어딨|어데|언제|누구|누가|몇|어느|무슨|얼마|어떻게|어케|왜|며칠).*"
    r"([다라냐자]고?\s?(했|말했|얘기했|그랬)|(?<!그)[댔랬쟀])(었)?(지|죠|더라|게|나|냐|던가)요?[\s?!.~ㅋㅎㅠㅜ]*$"
)
_ASKED_BEFORE = re.compile(  # of the own question; not "엄마가 어디냐고 물어본 거 짜증나"
    r"^(?!.*[이가]\s(언제|며칠|뭔|뭐|어디|누구|몇|무슨)).*(언제|며칠|뭔|뭐|어디|누구|몇|무슨)\S*(인지|는지|은지|냐고)\s?"
    r"물어본\s?(거|건)(야|데|데요|예요|임|였어|잖아)?[\s?!.~ㅋㅎㅠㅜ]*$"
)
_ASKS_WHETHER_KNOWN = re.compile(  # "나 누구랑 사는지도 알아?", "내 모의고사 언젠지 기억해?"
    r"(?<![가-힣])(내|나|제|저|우리|내가|제가)\s.*"
    r"((언제|뭐|뭔|뭘|어디|누구|몇|며칠|무슨|어떤|어느).*(는지|인지|은지|던지|한지|운지)|언젠지|뭔지|어딘지|누군지)(는|도|가)?\s?"
    r"(기억(해|하|나|함)|알(아|지|고)|아(냐|니|세요|시나|시죠))(요|\s?있어|니|나|냐)?[\s?!.~ㅋㅎㅠㅜ]*$"
)
_ASKS_OF_OWN = re.compile(  # "when am i taking the kids camping", "and whats my fav anime"; not "what do I do?"
    r"(^|[.!?…;~]\s+|\b(so|and|wait|ok|okay|hey|yo|btw|also|um|quiz|remember|know)[,:]?\s+)"
    r"((when|where|which|what (day|time|city|bike|car|team)|how (old|tall|long))"
    r"('?s (my|our)| (is|are|was|were) (my|our)(?! own)| (am|was) i| did i (?!go wrong|leave|put|park|lose)"
    r"| do i (live|work|study|go|play|fly|leave|train))\b(?!.*\b(life|thinking|supposed|wrong)\b)"
    r"|(what|which) \w+ (do i (play|support|study|speak|drive|own|collect|teach)"
    r"|am i (applying|training|learning|studying|playing|saving))\b(?!.*\b(next|first|tonight|now|here|or)\b)"
    r"|(is there |what ).{0,12}\bi (can['’]?t|cannot|must not|mustn['’]?t|should(n['’]?t| not)) eat\b"
    r"|what['’]?(s| is) (her|his|their) names?\W*$"
    r"|(what|who)('?s| is| was) my (?!(problem|point|chance|fault|best|next|excuse|option|move|deal)s?\b)"
    r"(?!.*\b(life|thinking)\b))",
    re.IGNORECASE,
)
_ASKS_FOR_A_DAY = re.compile(
    r"언제(?!나|든)|며칠(?!\s?(전|동안|째|간))|몇\s?일|몇\s?월|날짜|요일"
    r"|(^|[.!?,]\s*|\b(and|so|remember|know|um)\s)when('?s| is| am| are| was| do| does| did)\b"
    r"|\b(weekday|the date|(what|which) (date|day))\b",
    re.IGNORECASE,
)
_MONTHS = (
    "january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug"
    "|sept?|oct|nov|dec"
)
_DAY_WORDS = re.compile(
    rf"\d+\s?(월|일|st|nd|rd|th)?|(다음|이번|담|다다음)\s?(주|달)?|{WEEKDAY_KO}|날|내일|모레"
    rf"|\b(on|the|of|this|next|coming|tomorrow|week|(mon|tues|wednes|thurs|fri|satur|sun)day|{_MONTHS})\b",
    re.IGNORECASE,
)
_MONTH = re.compile(rf"\b({_MONTHS})\b", re.IGNORECASE)
_WEEKDAY = re.compile(r"\w+day\b(?= \d)")
_A_WEEKDAY = re.compile(r"\b(mon|tues|wednes|thurs|fri|satur|sun)day\b.*\d|\d.*\b\w+day\b", re.IGNORECASE)
_SENTENCES = re.compile(r"(?<![DM]r\.)(?<=[.!?])\s+")
_FIRST = re.compile(r"처음|맨\s?먼저|\bfirst\b", re.IGNORECASE)


def told_fact(
    message: str,
    recalled: Sequence[Recalled],
    older: Callable[[Memory], Sequence[Memory]],
    now: datetime,
) -> str:
    """Her answer to a question that only what the user told can answer, in the question's language.

    Args:
        recalled: the memories that matter to the message, best first; none: nobody told her.
        older: gives the memories that one replaced, newest first.
        now: in the user's time zone.
    """
    language = text_language(message) or "ko"
    phrases = _phrases()[language]
    if not recalled:
        return _one_of(phrases["unknown"], message)
    memory, *others = _under_one_key(message, recalled, now)
    when = _when(memory, now, language, phrases, exactly=asks_when(message))
    told = _told(memory.key, memory.value) | {"when": when}
    day = _day_of(memory, now)
    if _HOW_LONG.search(message) and (next_day := _next_day(memory, now)) is not None:
        return _time_left(next_day, now.date(), language, phrases)
    if memory.is_quoted:
        return _quoted(message, recalled[0], told, now, phrases)
    if _WHEN_TOLD.search(message):
        first = [memory, *older(memory)][-1] if _FIRST.search(message) else memory
        return phrases["told_when"].format(**told | {"when": _when(first, now, language, phrases, exactly=True)})
    if _BEFORE.search(message):
        for one in (memory, *others):
            if before := older(one):
                told |= {"value": one.value, "when": _when(one, now, language, phrases, exactly=True)}
                return phrases["before"].format(**told, old=before[0].value)
    if day is not None and (_WHEN.search(message) or not others):
        return _dated(told | {"day": day_in_words(day, now.date(), language)}, phrases)
    if others:
        told["others"] = ", ".join(one.value for one in others)
        return _one_of(phrases["together"], message).format(**told)
    return _one_of(phrases["value"], message).format(**told)


def not_known_either(question: str) -> str:
    """What she says of the one of two questions that she cannot answer, in the question's language."""
    return _phrases()[text_language(question) or "ko"]["unknown_too"]


def told_together(first: str, second: str) -> str:
    """Two answers in one: what was told at one time is told back at once, and no sentence is said twice.

    Args:
        first, second: of told_fact.
    """
    for language, phrases in _phrases().items():
        found = [_value_and_when(text, phrases["value"]) for text in (first, second)]
        if all(found) and found[0][1] == found[1][1]:
            both = (", and " if language == "en" else ", ").join(value for value, _ in found)
            return _one_of(phrases["value"], first).format(**_told("", both), when=found[0][1])
    said = _SENTENCES.split(first)
    return " ".join([first, *(one for one in _SENTENCES.split(second) if one not in said)])


def _value_and_when(text: str, phrases: Sequence[str]) -> tuple[str, str] | None:
    """What one of the phrases was filled with; None: the text is none of them."""
    for phrase in sorted(phrases, key=len, reverse=True):  # the shortest is the end of longer ones
        form = re.escape(phrase).replace(r"\{when\}", "(?P<when>.+)")
        form = re.sub(r"\\\{[Vv]alue\\\}", "(?P<value>.+)", form)
        if found := re.fullmatch(form, text):
            return found["value"], found["when"]
    return None


def remembered_fact(message: str, memory: Memory, now: datetime, language: str) -> str:
    """What a message that asks for something else brings to her mind. now: as above. language: of the sentence."""
    phrases = _phrases()[language]
    told = {"key": memory.key, "value": memory.value, "when": _when(memory, now, language, phrases)}
    if (day := _day_of(memory, now)) is not None:
        told["day"] = day_in_words(day, now.date(), language)
        return phrases["remembered_day"].format(**told) if is_only_a_day(memory) else _dated(told, phrases)
    return as_beginning(_one_of(phrases["remembered"], message).format(**told))


def refers_to_told(message: str) -> bool:
    """Whether a message that may ask for what was told speaks of having told it: "뭐라고 했지?", "did I say …?"."""
    return _SAID.search(message) is not None


def asks_back(message: str) -> bool:
    """Whether a message plainly asks for what was told, by its Korean form: "오늘 일한 말이 몇 마리랬지"."""
    return any(form.search(message) for form in (_ASKS_BACK, _ASKED_BEFORE, _ASKS_WHETHER_KNOWN))


def asks_of_own(message: str) -> bool:
    """Whether a message plainly asks for something of the user's: "whats my fav anime"; it asks nothing about her."""
    return _ASKS_OF_OWN.search(message) is not None


def asks_for_days(message: str) -> bool:
    """Whether a message asks how long it is until something."""
    return _HOW_LONG.search(message) is not None


def asks_for_former(message: str) -> bool:
    """Whether a message asks what something was before, or when it was told first."""
    first_told = _WHEN_TOLD.search(message) and _FIRST.search(message)
    return bool(first_told or _FORMER.search(message)) and not asks_for_days(message)


def asks_about_the_past(message: str) -> bool:
    """Whether a message asks what something was before, or when it was told: no message of the user's holds that."""
    return bool(_BEFORE.search(message) or _WHEN_TOLD.search(message))


def with_a_day(recalled: Sequence[Recalled], now: datetime) -> list[Recalled]:
    """The memories that name a day, plans and birthdays, in their order. now: in the user's time zone."""
    return [one for one in recalled if names_a_day(one.memory, now)]


def names_a_day(memory: Memory, now: datetime) -> bool:
    """Whether a memory names a day that is to come. now: in the user's time zone."""
    return _next_day(memory, now) is not None


def is_only_a_day(memory: Memory) -> bool:
    """Whether a memory tells a day and nothing more, "이사: 26일": it answers when, not what; "age: 24" is none."""
    is_day = memory.expires is not None or named_day(memory.value, memory.created.date()) is not None
    return is_day and not _beside_the_day(memory.value)


def is_day_alone(words: str) -> bool:
    """Whether words name a day and nothing more: "19 of June", "이번 달 28일"."""
    return named_day(words, date.today()) is not None and not _beside_the_day(words)


def asks_when(message: str) -> bool:
    """Whether a message asks for a day."""
    return _WHEN.search(message) is not None or asks_for_days(message)


def asks_for_a_day(message: str) -> bool:
    """Whether a message asks when something is, not when it was told."""
    return _ASKS_FOR_A_DAY.search(message) is not None and _WHEN_TOLD.search(message) is None


def tells_a_day(memory: Memory, now: datetime) -> bool:
    """Whether the words of a memory name a day, over or to come. now: in the user's time zone."""
    return named_day(memory.value, memory.created.astimezone(now.tzinfo).date()) is not None


def _quoted(message: str, found: Recalled, told: dict[str, str], now: datetime, phrases: dict[str, Any]) -> str:
    """What the user wrote, or the words of it that answer; both, where these may be wrong and it is short.

    Args:
        told: what the phrases take, of the message that was found.
    """
    said = told | {"words": found.words, "that": _that(told["value"])}
    if not found.sure:
        short = len(told["value"]) <= QUOTED_UNSURELY
        with_words = "maybe_words" if short else "maybe_words_alone"
        return phrases[with_words if found.words else "maybe"].format(**said)
    told_on = found.memory.created.astimezone(now.tzinfo).date()
    named = named_day(found.words, told_on)
    no_day = named is None and asks_for_a_day(message) and named_day(found.memory.value, told_on) is not None
    if not found.words or no_day or named == told_on:  # "today" is another day by now
        return phrases["quote"].format(**said)
    said |= _told(found.memory.key, found.words)
    past = past_day(found.memory.value, told_on)
    open_year = past is not None and named is not None and told_on - past > named - told_on  # "got my test on 12 May"
    if named is None or open_year or comes_again(found.memory.value, found.words):
        return _one_of(phrases["value"], message).format(**said)
    day = past or named
    return _dated(said | {"day": day_in_words(day, now.date(), text_language(message) or "ko")}, phrases)


def _told(key: str, value: str) -> dict[str, str]:
    """What the phrases take of a memory; Value: as it begins a sentence. "jaylen" is written as a name."""
    is_name = (is_of_people(key) or key in PET_KEYS) and re.fullmatch(r"[a-z]{2,}(?: and [a-z]{2,})?", value)
    value = value.title().replace(" And ", " and ") if is_name else value
    return {"key": key, "value": value, "Value": as_beginning(value)}


def _under_one_key(message: str, recalled: Sequence[Recalled], now: datetime) -> list[Memory]:
    """The best memory and what else is recalled under its key; asked when, those that name a day.

    Where only one value can be right the others are no day, or older; who asks for a name wants no day beside it.
    """
    best, whose = recalled[0].memory, whose_name_is_asked(message)
    found = [one.memory for one in recalled if one.memory.key == best.key and not best.is_quoted] or [best]
    if may_be_the_same(best.key, whose):  # "my grandkids" are a grandson and a granddaughter
        found = [one.memory for one in recalled if may_be_the_same(one.memory.key, whose)]
    if not may_have_several(best.key):
        days = [names_a_day(one, now) for one in found]
        found = [one for number, one in enumerate(found) if days[number] not in days[:number]]
    if whose and not is_only_a_day(best):
        found = [one for one in found if not is_only_a_day(one)]
    if _WHEN.search(message) and not _WHEN_TOLD.search(message):
        if _day_of(best, now) is None and not names_a_day(best, now):
            found = [one for one in found if is_only_a_day(one)] or found
        found.sort(key=lambda one: _day_of(one, now) is None and not names_a_day(one, now))
    return found


def _day_of(memory: Memory, now: datetime) -> date | None:
    """The day of a dated plan, or of what is told as over. Of the words alone "tomorrow" would be wrong."""
    if memory.expires:
        return memory.expires.astimezone(now.tzinfo).date()
    return past_day(memory.value, memory.created.astimezone(now.tzinfo).date())


def _next_day(memory: Memory, now: datetime) -> date | None:
    """The day of a plan, or the next one of what comes again: a birthday, a day of the week."""
    if memory.expires:
        return memory.expires.astimezone(now.tzinfo).date()
    again = next_time(memory.key, memory.value, now.date())
    if again is None and memory.is_quoted:
        told = memory.created.astimezone(now.tzinfo).date()
        day = named_day(memory.value, told)  # not what was done on the day of telling: "got my tickets today"
        return day if day and day > told and day >= now.date() else None
    return again


def _dated(told: dict[str, str], phrases: dict[str, Any]) -> str:
    """A value with its day; of one that is no more than a date its weekday: not "19 May, so Tuesday 19 May"."""
    if _beside_the_day(told["value"]):
        return phrases["date"].format(**told)
    if _A_WEEKDAY.search(told["value"]):  # not "Sunday the 20th of December, a Sunday"
        return phrases["value"][0].format(**told)
    weekday = _WEEKDAY.match(told["day"]) if _MONTH.search(told["value"]) else None
    if weekday:
        return phrases["weekday"].format(**told | {"weekday": weekday[0]})
    return phrases["day"].format(**told)


def _beside_the_day(value: str) -> str:
    return plain_letters(_DAY_WORDS.sub("", value))


def _time_left(day: date, today: date, language: str, phrases: dict[str, Any]) -> str:
    days = (day - today).days
    name = {0: "today", 1: "tomorrow", 7: "days"}.get(days, "weeks" if days % 7 == 0 else "days")
    return phrases[name].format(days=days, weeks=days // 7, day=day_in_words(day, today, language))


def _when(memory: Memory, now: datetime, language: str, phrases: dict[str, Any], exactly: bool = False) -> str:
    told = memory.created.astimezone(now.tzinfo)
    return told_when(told, now, language, exactly) if told.date() < now.date() else phrases["earlier_today"]


def _that(words: str) -> str:
    """What follows words that are quoted in Korean: 이라고 after a consonant ("개짜증"), else 라고."""
    return "이라고" if ends_in_consonant(words) else "라고"


def _one_of(sentences: list[str], message: str) -> str:
    return sentences[zlib.crc32(message.encode("utf-8")) % len(sentences)]


@cache
def _phrases() -> dict[str, dict[str, Any]]:
    return yaml.safe_load((DATA / "persona" / "told_fact.yaml").read_text(encoding="utf-8"))
