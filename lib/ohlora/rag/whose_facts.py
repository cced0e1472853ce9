"""Whose an age or a wedding is: "my cat, who is thirteen" tells no age of the user, "누나 결혼함 12월에" no wedding.

The readers put them under the same keys as the user's own, or, like most birthdays, under no more than whose they are.
They get keys that say both, as ohlora.rag.former_value gives some birthdays. Of what is marked in
data/memory/messages.*.jsonl and told_in_talk.jsonl this changes the keys of 55 ages of 2,931 facts of people and pets,
of 18 of 160 weddings and of 10 birthdays, all of them those of others; no value changes, and none of 363 ages of users
is said of anybody else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ohlora.llm.reply_format import MemoryOperation
from ohlora.rag.dates import ANY_DAY
from ohlora.rag.former_value import places_of
from ohlora.rag.replaced_memory import is_time
from ohlora.rag.sentences import sentences_of
from ohlora.rag.told_names import PET_KEYS, is_of_people, pet_key, relation_key, relations

_OWN_AGE = ("age", "나이")
_NUMBER = (
    r"(?:\d{1,3}|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[- ](?:one|two|three|four|five|six|seven"
    r"|eight|nine))?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w{3,6}teen)"
)
_AGE = re.compile(rf"{_NUMBER}(?:[- ](?:years?|yrs?)[- ]old)?|\d{{1,3}}\s?(?:살|세)", re.IGNORECASE)
_SAID_BEFORE = re.compile(  # "who is |13", "Archie's |3", "my mums |71"; not "there's |two of them", "it's |four now"
    r"(?<!\bit)(?<!\bthere)(?<!\bthat)(?<!\bwhat)(?<!\btime)(?<!\bscore)"
    r"(?:['’]s| is| are| was| turns| turned| turning|\b(?:s?hes|mums|moms|dads|nans))"
    r"\s(?:now |only |just |about |nearly |almost |already |turning )?$",
    re.IGNORECASE,
)
_SAID_BEHIND = re.compile(r"[- ]?(?:years? old|yrs? old|year old|y/?o\b|살|세)", re.IGNORECASE)
_NO_AGE_BEHIND = re.compile(  # "12살 많아요", "three dogs"
    r"\s?(?:살\s?)?(?:많|적|어리|어려|차이|연상|연하|위|아래)|\s(?:older|younger|apart|of|dogs?|cats?|kids?|months?|weeks?)\b",
    re.IGNORECASE,
)
_HE_OR_SHE = re.compile(
    r"\b(?:s?he(?:['’]?s| is| was| turns| turned)|(?:his|her|its|their) age(?: is|['’]s))"
    r"\s(?:now |only |just |about |nearly |almost |already )?$",
    re.IGNORECASE,
)
_HIS_OR_HER_AGE = re.compile(r"\W?\s(?:is|was|would be) (?:his|her|its|their) age\b", re.IGNORECASE)
_MARRIED_TO = (
    r"partner|wife|husband|girlfriend|gf|boyfriend|bf|fianc\w+|남편|신랑|아내|와이프|집사람|여친|남친"
    r"|여자\s?친구|남자\s?친구"
)
_OWN = r"(?<![가-힣])(?:내|제|나|저|난|전|우리|저희)\s"
_WEDDING_IN_KOREAN = (  # "딸 결혼식이", "아들 민규가 시월 십팔일에 장가간다"
    r"(?<![가-힣])(?:여|남|막내|큰|작은|둘째|첫째|막냇|사촌\s?)?(?P<who>{words})(?:래미|아이|내미|애)?(?:의|[이가은는도])?\s"
    r"(?!(?:소개|집|따라|회사|졸업)\S*\s)"
    rf"(?:(?!{_OWN})[^.!?~,]){{{{0,16}}}}?(?:결혼(?!기념|\s?생활|하재|하라|하래|하자|(?:식)?\S?\s?(?:준비|사회|축가|선물|와\s?[준주줄]))|시집(?!살이)|장가|웨딩)"
)
_WEDDING_IN_ENGLISH = (  # "my cousin sipho's wedding", "my cousin adaeze, wedding is in december"
    r"\b(?:my|our)\s(?:\w+\s){{0,2}}?(?P<who>{words})(?:['’]?s)?(?:\s[a-z]+(?:['’]?s)?)?,?"
    r"\s(?:wedding\b(?! (?:anniversary|dress|ring))|(?:is |are |s )?(?:getting|gets|gettin) married"
    r"|(?:marries|is marrying)(?! (?:us|me)\b))"
)
_MAY_MARRY = tuple(
    re.compile(form.format(words=rf"(?!(?:{_MARRIED_TO}))(?:{words})"), re.IGNORECASE)
    for form, words in (
        (_WEDDING_IN_KOREAN, "|".join(words for key, words in relations("ko").items() if key not in PET_KEYS)),
        (_WEDDING_IN_ENGLISH, "|".join(words for key, words in relations("en").items() if key not in PET_KEYS)),
    )
)
_NO_PERSON = "that|today|tomorrow|tonight|yesterday|what|when|where|who|here|there|let|this|year|one|user"
_HAS_BIRTHDAY = tuple(  # "엄마 생일은 5월 4일이야", "moms birthday may 9", "nana turns 90 on the 30th"
    re.compile(form.format(words=words), re.IGNORECASE)
    for form, words in (
        (
            rf"(?<![가-힣])(?P<who>{{words}})(?:의|[이가은는])?\s?(?:(?!{_OWN})\S{{{{1,6}}}}\s)?(?:생일|생신|환갑|칠순|팔순)(?!\S?\s?(?:축하|선물|파티|케이크|카드|잔치|밥|상|까먹|잊|챙|기억|미역국))",
            "|".join([*relations("ko").values(), "마누라"]),
        ),
        (
            r"\b(?P<who>{words})(?:['’]?s (?:\d0th )?(?:birthday|bday|b-day)\b"
            r"|(?: \w+)? (?:turns|is turning|will be) \d)",
            "|".join(relations("en").values()),
        ),
        (r"(?<![가-힣])(?P<who>{words})의?\s생일(?=[은이]\s)", "(?!같이|많이|굳이|특히|나이|아이)[가-힣]{1,2}이"),
        (r"\b(?P<who>(?!(?:{words})\b)[a-z]{{3,}})['’]s (?:\d0th )?(?:birthday|bday|b-day)\b", _NO_PERSON),
    )
)
_SOME_TIME = re.compile(r"월|담달|내년|봄|여름|가을|겨울")
_WEDDINGS = {"결혼": "{who} 결혼", "wedding": "{who}'s wedding", "marriage": "{who}'s wedding"}
_BIRTHDAYS = {"생일": "{who} 생일", "birthday": "{who}'s birthday"}
_OWN_BIRTHDAY = re.compile(
    r"(?<![가-힣])(?:내|제|나|난|저)\s?생일|\bmy (?:(?:own|next|big|real|\w+(?:st|nd|rd|th)) )?"
    r"(?:birthday|bday|b-day)\b"
    r"|(?<![가-힣])(?:나는|난|저는|전|내\s?건|나랑)\s"
    r"|\bi (?:turn|was born)\b|\bi['’]?m (?:on (?:the )?)?(?:\d|$)"
    r"|\bmine(?: is|['’]?s)\b",
    re.IGNORECASE,
)
_OWN_WEDDING = re.compile(
    r"\b(?:my|our)\s(?:own\s)?(?:wedding|marriage)\b|(?<![가-힣])(?:내|제|우리|저희)\s?결혼", re.I
)
_RIGHT_BEHIND = re.compile(  # "5월 4일이 |우리 엄마 생일", "may 9 is |my mum's birthday"
    r"(?:이|은|에|날|이면)?[\s,]*(?:(?:우리|울|제|내|저희|is|was|will be|would have been|it['’]?s|my|our|the)\s)*",
    re.IGNORECASE,
)
_OF_WHAT = re.compile(r"결혼|올[려리린림]|시집|장가|생일|생신|birthday|bday|wedding|marr", re.IGNORECASE)
_OF = {"ko": (_BIRTHDAYS["생일"], _WEDDINGS["결혼"]), "en": (_BIRTHDAYS["birthday"], _WEDDINGS["wedding"])}
_ONE_THING_OF_SOMEBODY = re.compile(r"['’]s (?:age|wedding|birthday)$| (?:나이|결혼|결혼식|생일)$", re.IGNORECASE)


def of_whom(operation: MemoryOperation, message: str) -> MemoryOperation | None:
    """An age, a birthday or a wedding under a key that says whose it is; None: it is an age of nobody knows whom."""
    key, value = operation.key.casefold(), operation.value
    if key in _OWN_AGE:
        return None if _is_of_him_or_her(value, message) else operation
    if (is_of_people(key) or key in PET_KEYS) and _ONE_THING_OF_SOMEBODY.search(key) is None:
        if _is_said_as_an_age(value, message):
            return replace(operation, key=_age_of(operation.key))
        return _day_of_whom(operation, message) if is_time(value, ANY_DAY) else operation
    if key in _BIRTHDAYS:  # "moms birthday is may 9"
        return _of_first(operation, _HAS_BIRTHDAY, _BIRTHDAYS[key], message)
    if key in _WEDDINGS and (is_time(value, ANY_DAY) or _SOME_TIME.search(value)):
        return _of_first(operation, _MAY_MARRY, _WEDDINGS[key], message)
    return operation


def _of_first(operation: MemoryOperation, forms: Sequence[re.Pattern[str]], key: str, message: str) -> MemoryOperation:
    """Under the key of who is said to have it; of the user and somebody else, who is named last before the day."""
    found = max(_said_of(operation.value, forms, message), key=re.Match.start, default=None)
    return operation if found is None else replace(operation, key=key.format(who=_word(found["who"])))


def _said_of(day: str, forms: Sequence[re.Pattern[str]], message: str) -> Iterator[re.Match[str]]:
    """Where it is said whose a day is: before it in its sentence, or right behind it, and not before the user's own.

    A sentence that begins with the day and says not of what it is hangs on the one before: "형이 결혼해요! 5월 16일".
    """
    sentences = sentences_of(message)
    for before, one in zip(["", *sentences], sentences, strict=False):
        sentence = f"{before} {one}" if one.startswith(day) and not _OF_WHAT.search(one) else one
        for start, end in places_of(day, sentence):
            own = max((word.start() for word in _OWN_BIRTHDAY.finditer(sentence, 0, start)), default=-1)
            for found in (word for form in forms for word in form.finditer(sentence)):
                behind = found.start() >= end and _RIGHT_BEHIND.fullmatch(sentence[end : found.start()])
                if own < found.start() < start or (own < 0 and behind):
                    yield found


def _day_of_whom(operation: MemoryOperation, message: str) -> MemoryOperation:
    """A day under somebody's key under one that says of what it is the day: "엄마: 5월 4일" → "엄마 생일: 5월 4일"."""
    language = "ko" if re.search("[가-힣]", operation.key) else "en"
    for forms, key in zip((_HAS_BIRTHDAY, _MAY_MARRY), _OF[language], strict=True):
        for found in _said_of(operation.value, forms, message):
            who = _word(found["who"])
            if operation.key in (relation_key(who, language), pet_key(who, language)):
                return replace(operation, key=key.format(who=who))
    return operation


def tells_one_thing_of_somebody(key: str) -> bool:
    """Whether a key says whose something is: "sister's age", "누나 결혼". No other key means the same."""
    return _ONE_THING_OF_SOMEBODY.search(key.strip()) is not None


def is_the_same_thing(key: str, whose: str, message: str = "") -> bool:
    """Whether a key may name the wedding that another says is somebody's: "wedding" and "sister's wedding".

    Args:
        message: it does not where this speaks of "my wedding".
    """
    is_one = key.casefold() in _WEDDINGS and whose.endswith((f"'s {key}", f" {key}"))
    return is_one and _OWN_WEDDING.search(message) is None


def is_of_somebody_unsaid(key: str, whose: str, message: str) -> bool:
    """Whether a key names the wedding of somebody of whom a message does not speak: who forgets it forgets no other."""
    words = whose.casefold().removesuffix(key.casefold()).replace("'s", "").split()
    return is_the_same_thing(key, whose) and not any(word in message.casefold() for word in words)


def is_an_age(value: str) -> bool:
    """Whether a value may be an age, and no more: "13", "thirteen", "5살"."""
    return _AGE.fullmatch(value.strip()) is not None


def _is_said_as_an_age(value: str, message: str) -> bool:
    """Whether a value is no more than an age, and the message says it as one: "five" of "how many?" is none."""
    start = message.find(value)
    if start < 0 or not is_an_age(value):
        return False
    before, behind = message[:start], message[start + len(value) :]
    if _NO_AGE_BEHIND.match(behind):
        return False
    has_unit = re.search(r"살|세|old", value, re.IGNORECASE)
    return bool(has_unit or _SAID_BEHIND.match(behind) or _SAID_BEFORE.search(before))


def _is_of_him_or_her(value: str, message: str) -> bool:
    """Whether an age is said of somebody else wherever it stands: "she's 40 but i'm 40 as well" tells the user's."""
    places = places_of(value, message)
    return bool(places) and all(
        _HE_OR_SHE.search(message[:start]) or _HIS_OR_HER_AGE.match(message[end:]) for start, end in places
    )


def _age_of(key: str) -> str:
    return f"{key} 나이" if re.search("[가-힣]", key) else f"{key}'s age"


def _word(who: str) -> str:
    return " ".join(who.casefold().split())
