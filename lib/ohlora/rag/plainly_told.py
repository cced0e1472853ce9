"""What is told so plainly that it is kept though no network finds it: "named him biscuit, hes a beagle", "택시 몬다".

In 54,988 messages of data/memory and data/answers two pets are named so beside what they are and three users drive, all
rightly; where only an earlier message tells of a pet, a spider, a truck and a teddy are named, so it must be this one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ohlora.llm.reply_format import MemoryOperation, plain_letters
from ohlora.rag.sentences import sentences_of
from ohlora.rag.somebody_else import tells_of_somebody_else
from ohlora.rag.told_names import PET_KEYS, is_a_relation, names_a_pet

_NO_NAME = (
    r"(?!(?:after|that|this|it|him|her|like|for|my|our|the|an?|so|because|cuz|and|but|something|someone|what|yet|too"
    r"|myself|in|on|at|by|with|as|to|already|today|yesterday|just|lol|though)\b)"
)
_NAMED = re.compile(
    rf"(?:^|[.!?,;]\s|\b(?:i|we|i['’]?ve|we['’]?ve|just|so|ok|and|also|already|finally)\s)(?:named|naming)\s(?:him|her|it)\s"
    rf"{_NO_NAME}(?P<name>[^\W\d_]{{3,}}(?: (?-i:[A-Z])[^\W\d_]+)?)\b(?!['’-])",
    re.IGNORECASE,
)
_IS_A_BREED = re.compile(  # "biscuit hes a beagle": the name first, or said again
    r"^(?!(?:yeah|yes|yep|yup|nah|nope|haha|lmao|aww+|well|okay|dude|bro|omg|honestly|actually|because|cuz|like|that|though"
    r"|and|but|cause|sorry|thanks?|great|nice|cool|awesome|cute|lovely|good|perfect|exactly|right|wow|hello|hiya|please|anyways?|indeed"
    r"|apparently|obviously|basically|today|know|guess|think|wait"
    r"|ugh|oof|damn|man|girl|yo|lol|see|look|oh|so|ok|no|hey|hmm|also|btw|maybe|sure|true)\b)"
    r"(?P<name>[^\W\d_]{4,}),? (?:s?he['’]?s|s?he is) an? (?P<kind>(?:\w+ )?\w+)"
    r"(?=\W*$|[.,!;]|\s(?:and|but|so|who|that|lol|haha|btw)\b)",
    re.IGNORECASE,
)
_NO_PET = re.compile(
    r"\b(?:baby|son|daughter|kid|child|boat|car|van|bike|plant|character|born|newborn|\d+ ?lbs?|\d+ ?oz|pregnan\w+)\b",
    re.IGNORECASE,
)
_KNOWN_ONE = re.compile(r"\b(?:the|my|our|your|his|her|their)\s(?:\w+\s)?\w+", re.IGNORECASE)
_CAR = (
    r"(?:개인\s?|모범\s?)?택시|(?:시내|시외|고속|마을|관광|통근|셔틀)\s?버스|버스|화물차?"
    r"|트럭|지게차|굴삭기|포크레인|포클레인|덤프|레미콘"
)
_DRIVES = re.compile(  # "부산서 택시 몬다"
    rf"(?<![가-힣])(?P<job>{_CAR})(?:을|를)?\s(?:\d+\s?년째?\s)?(?:몬다(?![가-힣])|몹니다|몰아요|몰아(?=\W*$|[.,!ㅋㅎ])|몰거든|몰지(?=요|\W*$)|몰고\s?있|몰며)"
)
_NOT_OWN = re.compile(
    r"(?:아빠|아버지|엄마|장인(?:\s?어른)?|장모님?|처남|매형|형부|남편|신랑|아내|와이프|(?<![가-힣])형님?|누나|오빠|언니|동생|삼촌|이모|고모|친구|아들|딸|사위|할아버지|아저씨|기사님?|사람|걔|막둥이|그\s?분)(?:[이가은는도의께]|\s)"
    r"|예전|옛날|한때|꿈|싶|처럼|게임|영화|드라마|예능|소설|웹툰|\?"
)


def plainly_told(operations: Sequence[MemoryOperation], message: str) -> list[MemoryOperation]:
    """What a message plainly tells beside what is proposed.

    Args:
        operations: that are proposed.
    """
    if any(one.kind == "forget" for one in operations) or message.rstrip().endswith("?"):
        return []
    found = [*_named_pet(message), *_driven(message)]
    proposed = {plain_letters(one.value) for one in operations}
    keys = {one.key for one in operations}
    return [
        one
        for one in found
        if plain_letters(one.value) not in proposed and (one.key in PET_KEYS or one.key not in keys)
    ]


def _named_pet(message: str) -> list[MemoryOperation]:
    named, breed = _NAMED.search(message), _IS_A_BREED.search(message)
    if named is not None:
        before, behind = message[: named.start("name")], _KNOWN_ONE.sub("", message[named.end() :])
        *_, own = sentences_of(before)
        of_another = tells_of_somebody_else(own)
        is_a_pet = names_a_pet(f"{before} {behind}") and not (of_another or _NO_PET.search(message))
        return [MemoryOperation("add", PET_KEYS[1], named["name"])] if is_a_pet else []
    if breed is not None and _is_a_pet(breed["kind"]) and not is_a_relation(breed["name"]):
        return [MemoryOperation("add", PET_KEYS[1], breed["name"])]
    return []


def _is_a_pet(kind: str) -> bool:
    """Whether "hes a …" says what pet he is: a golden retriever is one, a dog walker is none."""
    first, last = kind.split()[0], kind.split()[-1]
    return names_a_pet(last) or (names_a_pet(kind) and not names_a_pet(first))


def _driven(message: str) -> list[MemoryOperation]:
    found = _DRIVES.search(message)
    if found is None or _NOT_OWN.search(message) or tells_of_somebody_else(message):
        return []
    return [MemoryOperation("add", "직업", found["job"])]
