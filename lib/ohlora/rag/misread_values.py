"""Values that say nothing under their key: "goal: 14th of March", "appointment: afternoon", a dog's name for a taste.

Where the words show it, the sentence is kept as it was said, the value gets its right key, or nothing is stored. The
numbers beside the rules are of the 15,141 memories that are marked in data/memory/messages.*.jsonl and
told_in_talk.jsonl.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ohlora.llm.reply_format import MemoryOperation, as_field, plain_letters
from ohlora.rag.dates import ANY_DAY, named_day
from ohlora.rag.former_value import places_of
from ohlora.rag.job_wording import JOB_KEYS
from ohlora.rag.memory import OWN_WORDS, Memory
from ohlora.rag.normalisation import detect_language
from ohlora.rag.told_names import PET_KEYS, is_of_people, names_a_pet, relations
from ohlora.rag.whose_facts import is_an_age, of_whom, tells_one_thing_of_somebody

_GOALS = re.compile(r"목표|꿈|장래희망|(?:\w+ )?goals?|dreams?", re.IGNORECASE)
_PLANS = re.compile(r"일정|약속|계획|병원|plans?|appointments?", re.IGNORECASE)
_DAY_WORDS = re.compile(
    r"\d+\s?(?:월|일|st|nd|rd|th)?|[월화수목금토일]요일|(?:다다음|다음|이번|담)\s?(?:주|달)?|내년|올해|오늘|내일|낼|모레"
    r"|\b(?:on|the|of|this|next|coming|tomorrow|today|week|(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february"
    r"|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov"
    r"|dec)\b",
    re.IGNORECASE,
)
_PART_OF_DAY = re.compile(
    r"(?:(?:this|in the|late|early) )?(?:morning|afternoon|evening|night|noon)|tonight|later|soon"
    r"|(?:이따가?|나중|오전|오후|저녁|아침|점심|밤|새벽)(?:에)?",
    re.IGNORECASE,
)
_HALF_A_CLAUSE = re.compile(r"[가-힣](?:한|는|은|인|된)지$")  # "전역한지" of "전역한지 두달됨"
_NEAR_DAY = re.compile(r"오늘|내일|낼|모레|today|tomorrow(?: morning)?", re.IGNORECASE)
_ROUTINE = re.compile(  # "내일 출근해야 하니까", "early shift tomorrow"; a first day at work is an event
    r"(?:오늘|내일|낼|모레)\S{0,2}\s(?:또\s|다시\s|아침\s|새벽에?\s|일찍\s|\S{1,3}시에?\s)*(?:출근|등교|일찍|일\s?(?:나가|가야)|(?:회사|학교)\s?(?:가|나가)"
    r"|일어나)"
    r"|\b(?:work|school|up early|(?:early|late) (?:shift|start)|an early one) (?:again )?(?:today|tomorrow)\b"
    r"|\b(?:today|tomorrow) (?:is |at |for )?(?:work|school)\b|\b(?:work|get up|be up|wake up)(?: early)? tomorrow\b",
    re.IGNORECASE,
)
_APPOINTMENT = re.compile(
    r"예약|진료|검진|면접|시험|수술|약속|미팅|회의|발표|병원|치과|상담|검사|여행|결혼식|사표|출발|뵈러|공연|대회"
    r"|\b(?:wedding|marathon|recital|flying|race|concert|trip|appointments?|appt|interview|exam|test|mri|scan|dentist|doctor|surgery|meeting|check-?up|flight|vet)\b",
    re.IGNORECASE,
)
_FIRST = re.compile(r"첫\s?(?:출근|등교|날)|\bfirst\b", re.IGNORECASE)
_WISHED_BY_OTHERS = re.compile(  # "my mom keeps pushing me to do |premed"
    r"\b(?:mum|mom|dad|parents?|father|mother|gran\w*|uncle|aunt\w*|family|teachers?|they|he|she|everyone|everybody)\s"
    r"(?:\w+\s){0,3}(?:push\w*|wants?|wanted|forc\w+|nag\w*|begg?\w*|pressur\w+|expect\w*|telling|tells?|told)"
    r" me (?:to |into )(?:(?:do|doing|be|being|become|becoming|study|studying|go|into|going|get|take|an?|the)\s)*$",
    re.IGNORECASE,
)
_WISHED_BY_OTHERS_IN_KOREAN = (  # "엄마가 의대 가래"
    r"(?:엄마|아빠|어머니|아버지|부모님|할머니|할아버지|쌤|선생님|담임)\S{0,2}\s(?:(?!(?:나는|난|저는|전)\s)[^.!?])*"
    r"VALUE\S{0,2}\s?(?:하|가|되|들어가|준비하)(?:라고|라는|라시|라셔|래|라네|랬)"
)
_ONLY_IS = re.compile(  # "thats the dream, im still just a |line cook"
    r"\b(?:i['’]?m|i am)\s(?:(?:still|just|only|currently|really)\s)+an?\s$", re.IGNORECASE
)
_NO_JOB = re.compile(r"\b(?:kid|child|mess|girl|boy|guy|man|woman|beginner|fan|dreamer|human|person|loser)s?\b", re.I)
_BAND_CALLED = re.compile(r"\b(?:band|group|choir|orchestra) (?:called|named),? $", re.IGNORECASE)
_INSTRUMENTS = re.compile(r"악기|instruments?|hobb(?:y|ies)|취미|club|동아리", re.IGNORECASE)
_DOGS_AND_CATS = r"dog|doggo|puppy|cat|kitten|kitty|강아지|강쥐|멍멍이|댕댕이|고양이|냥이"
_DOG_OR_CAT = re.compile(rf"(?:(?:my|our|the|an?|우리|울)\s?)?(?:{_DOGS_AND_CATS})s?", re.IGNORECASE)
_A_DOG_OR_CAT = re.compile(rf"(?<![a-z가-힣])(?:{_DOGS_AND_CATS})(?![a-rt-z])", re.IGNORECASE)
_REPORTED = re.compile(r"(?<=[가-힣])(?:이란다|이라네|이라더라|이라던데|이라는데|이래요?|이랜다)$")
_MOVED = re.compile(  # "2월로 땡겨졌단다"
    r"(?<=[월일주달])(?:으)?로\s?(?:앞?[당땡][겨김]|밀[려렸]|미[뤄뤘룸]|옮[겨김]|연기|변경|바[뀌뀐꼈])\S*$"
)
_BY_PARTICLE = re.compile(r"(?<=[가-힣]{2})(?<!프)(?:으)?로$")
_PLAYED = re.compile(r"(?<=[가-힣])(?:침|친다|쳐요?|켬|켜요?|붐|불어요?|배움|배워요?|배운다)$")
_DONE = re.compile(r"(?<=[가-힣]{2})(?:함|한다|해요?)$")
_NAMED_IN_TALK = (
    r"(?<!\w)(?:(?=[A-ZÀ-Þ]){0}(?!\w)"
    r"|(?=[가-힣]){0}(?:이?(?:가|는|랑|도|한테|네|의)|은|이|하고)(?![가-힣]))"
)
_IN = re.compile(r"\b(?P<word>in|at|from)\s$", re.IGNORECASE)
_TASTES = re.compile(
    r"좋아하는 (?:음식|음료|디저트|과일|것)|favou?rite (?:food|drink|dessert|fruit|thing)|likes?", re.IGNORECASE
)
_TASTE = re.compile(
    r"좋아|좋은|최고|최애|사랑|맛|먹|마시|마셔|싫"
    r"|\b(?:lov|lik|fav|best|eat|ate|drink|taste|hate|yum|delicious|obsess|crav|nothing)",
    re.IGNORECASE,
)


def sound_operations(
    operations: Sequence[MemoryOperation], message: str, known: Sequence[Memory]
) -> list[MemoryOperation]:
    """What is proposed, without what its words do not tell, and under the keys that they do.

    Args:
        operations: of one message. message: as it was written. known: what is stored of the user now.
    """
    found = []
    for operation in operations:
        if operation.kind == "forget":
            found.append(operation)
            continue
        one = _without_ending(operation)
        is_known = _is_a_known_pet(one, known, message) or _is_somebody_known(one, known, message)
        if is_known or _is_mere_kind(one, operations, message):
            continue
        one = _about_the_pet(_beside_a_name(_under_its_key(one, message), operations, message), operations, message)
        if one is not None and (one := of_whom(one, message)) is not None:
            found.append(one)
    return found


def _under_its_key(operation: MemoryOperation, message: str) -> MemoryOperation | None:
    """A value under the key that the words show; as own words where they show none; None: it is no fact.

    Of those marked one goal of 435 changes, a day, and no plan of 676; none is dropped.
    """
    key, value = operation.key, operation.value
    is_routine = _ROUTINE.search(message) and not (_FIRST.search(message) or _APPOINTMENT.search(message))
    if _PLANS.fullmatch(key) and _NEAR_DAY.fullmatch(value) and is_routine:
        return None
    before = [message[:start] for start, _ in places_of(value, message)]
    if _GOALS.fullmatch(key) and any(map(_ONLY_IS.search, before)):
        return None if _NO_JOB.search(value) else replace(operation, kind="add", key="job")
    if _INSTRUMENTS.fullmatch(key) and any(map(_BAND_CALLED.search, before)):
        return replace(operation, kind="add", key="band")
    says_nothing = (
        _HALF_A_CLAUSE.search(value)
        or (_GOALS.fullmatch(key) and _is_a_day(value))
        or (_PLANS.fullmatch(key) and _PART_OF_DAY.fullmatch(value))
        or (_GOALS.fullmatch(key) and _is_wish_of_others(value, before, message))
    )
    return replace(operation, kind="add", key=OWN_WORDS[detect_language(message)]) if says_nothing else operation


def _is_a_day(value: str) -> bool:
    return named_day(value, ANY_DAY) is not None and not plain_letters(_DAY_WORDS.sub("", value))


def _is_wish_of_others(value: str, before: Sequence[str], message: str) -> bool:
    korean = _WISHED_BY_OTHERS_IN_KOREAN.replace("VALUE", re.escape(value))
    return any(map(_WISHED_BY_OTHERS.search, before)) or re.search(korean, message) is not None


def _without_ending(operation: MemoryOperation) -> MemoryOperation:
    """A Korean value without a verb's ending: "2월이란다" → 2월, "악기: 드럼침" → 드럼. Of all marked none changes."""
    value = _REPORTED.sub("", _MOVED.sub("", operation.value))
    if operation.key in JOB_KEYS:
        value = _BY_PARTICLE.sub("", value)
    if operation.key == "악기":
        value = _PLAYED.sub("", value)
    if operation.key in ("악기", "운동", "취미", "공부", "배우는 것"):
        value = _DONE.sub("", value)
    return operation if value == operation.value else replace(operation, value=value)


def _is_a_known_pet(operation: MemoryOperation, known: Sequence[Memory], message: str) -> bool:
    """Whether what is taken for a taste is the name of a pet that is known: "나 이제 두부 목욕시키러 갈게".

    Who has a dog called 두부 may like 두부, too, and says so then. Of all memories marked none is dropped.
    """
    if not _TASTES.fullmatch(operation.key) or _TASTE.search(message):
        return False
    pets = [plain_letters(one.value) for one in known if one.key in PET_KEYS and not names_a_pet(one.value)]
    return plain_letters(operation.value) in pets


def _is_somebody_known(operation: MemoryOperation, known: Sequence[Memory], message: str) -> bool:
    """Whether a name is known as that of somebody else: "Liv and I put up lights" makes a daughter Liv no wife.

    A message that says what somebody is is believed: "my wife is a nurse, too", "my wife is called Liv".
    """
    key, name = operation.key, plain_letters(operation.value)
    if not _is_of_somebody(key) or re.search(_NAMED_IN_TALK.format(re.escape(operation.value)), message) is None:
        return False
    namesakes = {one.key for one in known if name in map(plain_letters, one.value.split())}
    relation = (relations("ko") | relations("en")).get(key, re.escape(key))
    return any(map(_is_of_somebody, namesakes - {key})) and not (
        key in namesakes or re.search(rf"(?<![a-z])(?:{relation})(?:['’]?s)?(?![a-z])", message, re.IGNORECASE)
    )


def _is_of_somebody(key: str) -> bool:
    return (is_of_people(key) or key in PET_KEYS) and not tells_one_thing_of_somebody(key)


def _is_mere_kind(operation: MemoryOperation, operations: Sequence[MemoryOperation], message: str) -> bool:
    """Whether a value is no more than dog or cat, beside the name of a pet. None of those marked is; breeds stay.

    Who has "a cat called Miso and a dog" has two pets.
    """
    if operation.key not in PET_KEYS or not _DOG_OR_CAT.fullmatch(operation.value) or not _names_of_pets(operations):
        return False
    return len({one.casefold() for one in _A_DOG_OR_CAT.findall(message)}) == 1


def _names_of_pets(operations: Sequence[MemoryOperation]) -> list[str]:
    values = [one.value for one in operations if one.key in PET_KEYS and one.kind != "forget"]
    return [
        one
        for one in values
        if not (_DOG_OR_CAT.fullmatch(one) or is_an_age(one) or re.search(r"\s|\d|오늘|내일|살$|마리$", one))
    ]


def _beside_a_name(
    operation: MemoryOperation | None, operations: Sequence[MemoryOperation], message: str
) -> MemoryOperation | None:
    """A place beside the name of somebody as it was said: in "my brother Halvard, in Tromsø" one is no name.

    It changes 11 of 2,931 facts of people, all of them places.
    """
    if operation is None or not is_of_people(operation.key) or tells_one_thing_of_somebody(operation.key):
        return operation
    beside = any(one.key == operation.key and one.value != operation.value for one in operations)
    is_a_place = beside and operation.value[:1].isalpha() and not is_an_age(operation.value)
    places = places_of(operation.value, message) if is_a_place else []
    found = _IN.search(message[: places[0][0]]) if places else None
    return operation if found is None else replace(operation, value=f"{found['word']} {operation.value}")


def _about_the_pet(
    operation: MemoryOperation | None, operations: Sequence[MemoryOperation], message: str
) -> MemoryOperation | None:
    """Own words that tell a pet's age in another sentence than its name, from the name on: whom else are they about?"""
    names = _names_of_pets(operations)
    if operation is None or operation.key not in OWN_WORDS.values() or not is_an_age(operation.value) or not names:
        return operation
    first, last = message.find(names[0]), message.rfind(operation.value) + len(operation.value)
    return replace(operation, value=as_field(message[first:last])) if 0 <= first < last else operation
