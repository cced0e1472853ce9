"""Whether what was taken for a name may be one, and whose name is asked for.

"hiya, just in the door" tells none, "나 민재임" tells 민재; "what's my wife's name?" does not ask for the user's own.
"""

from __future__ import annotations

import re

NAME_KEYS = ("이름", "별명", "name", "nickname")
"""Keys of memories under which the user's own name stands."""
_NO_NAMES = frozenset(
    [
        "hi", "hiya", "hey", "hello", "heya", "howdy", "yo", "sup", "morning", "evening", "night", "bye", "thanks",
        "yes", "no", "ok", "okay", "lol", "haha", "today", "tomorrow", "yesterday",
        "안녕", "하이", "헬로", "방가", "반가워", "ㅎㅇ", "굿모닝", "오늘", "내일", "어제",
    ]
)  # fmt: skip
_NAME_IS_TOLD = (
    r"^\W*{value}\s*([,.!~]|$|is fine|here|by the way|btw)|(이름|별명|닉네임|닉|나는|난|나|저는|전)\S*\s*{value}"
    r"|\b(i'?m|i am|am|my name\S*|names?|name'?s|call(s|ed|ing)? me|this is|it'?s|its|known as|nick\w*|goes by|i go by"
    r"|introduc\w+|sign\w*|who'?s|as)\b[^!?]*{value}|{value}\W+([^.!?]*\b)?(here|is my name|'?s my name|speaking|btw)\b"
)
_ANOTHER = re.compile(
    r"(아내|마누라|와이프|집사람|남편|신랑|딸|아들|자식|애기|아기|엄마|아빠|어머니|아버지|동생|언니|오빠|누나|형|친구|여친|남친|애인|사귀는"
    r"|고양이|냥이|강아지|멍멍이|댕댕이|반려|햄스터|사위|며느리|손주|손녀|손자|할머니|할아버지|룸메|선생|쌤|팀장|사장|상사|동료|회사|가게|학교)"
    r".*(이름|뭐라고?\s?(불|하|했|지)|누구)|(얘|걔|쟤)\s?(이름|누구)"
    r"|\b(wife|husband|partner|girlfriend|boyfriend|ex|son|daughter|kids?|lad|baby|mother|father|mum|mom|dad|brother|sister"
    r"|friend|mate|dog|cat|pet|tortoise|hamster|boss|teacher|neighbou?r|roommate|grand\w+|niece|nephew|uncle|aunt|cousin"
    r"|company|shop|school|his|her|their)\b('?s)?.*\b(names?|called)\b|\bname (of|has) (my|the|that|our)\b"
    r"|\bhow (is|are) the names?\b|\bwho('?s| is) my\b",
    re.IGNORECASE,
)
_OWN = re.compile(
    r"(?<![가-힣])(내|제|나의|저의)\s((영어|한국|한글|진짜|본|풀|원래)\s?)?(이름|별명|본명)|(?<![가-힣])(나|날|저)(를|는)?\s?뭐라고"
    r"|\bmy (nick|full |first |last )?name\b(?! is| not)",
    re.IGNORECASE,
)


def plain_name(key: str, value: str) -> str:
    """A value without the ending of casual Korean where it is a name: 민재임 → 민재, but not 김순임."""
    given_name = re.fullmatch(r"(?![김이박최정강조윤장임한오서신권황안송류전홍])[가-힣]{2}임|[가-힣]{3}임", value)
    return value[:-1] if key.casefold() in NAME_KEYS and given_name else value


def is_no_name(key: str, value: str, message: str) -> bool:
    """True where a value under the key of a name is a greeting, a number, or a small word that nothing calls a name."""
    if key.casefold() not in NAME_KEYS:
        return False
    name = value.strip(" .,!?~").casefold()
    if name in _NO_NAMES or re.fullmatch(r"\d+\S?", name):
        return True
    told = re.search(_NAME_IS_TOLD.replace("{value}", re.escape(name)), message, re.IGNORECASE)
    return value.isascii() and value == value.lower() and told is None


def asks_for_anothers_name(message: str) -> bool:
    """Whether a message asks who somebody else is, or a pet: the user's own name is no answer."""
    return _ANOTHER.search(message) is not None and _OWN.search(message) is None
