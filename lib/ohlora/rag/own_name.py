"""Whether a message asks for the user's own name: "나 누군지 알아?", "what's my name?", or for a nickname."""

from __future__ import annotations

import re

_OWN = re.compile(
    r"(?<![가-힣])(내|제|나의|저의)\s((영어|한국|한글|진짜|본|풀|원래)\s?)?(이름|별명|본명)|(?<![가-힣])(나|날|저)(를|는)?\s?뭐라고\s?(불|부르)"
    r"|\bmy (nick|full |first |last )?name\b(?! is| not)",
    re.IGNORECASE,
)
_WHO_AM_I = re.compile(
    r"(?<![가-힣])(나|내가|내|내는|난|제가)\s?누(구(야|게|지|인|니|냐|더|라)|군)"
    r"|\bwho am i\b(?! \w+ing)|\bwho (i am|this is)\W*$"
    r"|\b(what|how) (do|did|should|would) (you|u) call me\b"
    r"|\bwhat i'?m called\b|\bwho('?s| is) this\W*$"
    r"|\bdo (you|u) (still )?(remember|recogni[sz]e) me\b(?! (as|from|for|when|at|telling|saying|say)\b)"
    r"|(?<![가-힣])(나|저)(를|는)?\s?(아직\s)?기억(해|하|나)\S*[\s?？!~ㅋㅎ]*$",
    re.IGNORECASE,
)
_NAMES_THE_NAME = re.compile(r"이름|성함|별명|본명|누구|누군|뭐라고|\b(?:nick)?name|\bwho\b|\bcall", re.IGNORECASE)

_IS_KNOWN = re.compile(
    r"이름\S*\s?(?:아직\s)?(?:기억(?!해\s?[줘주달])|알(?!려)|아나|아냐|까먹|잊)"
    r"|\b(?:yo)?u (?:still |even |actually )*(?:remember|know|forg[eo]t)\b(?!.*\bis\b)",
    re.IGNORECASE,
)


def says_my_name(message: str) -> bool:
    """Whether a message speaks of "my name", or of how the user is called."""
    return _OWN.search(message) is not None


def asks_for_own_name(message: str) -> bool:
    """Whether a message that asks for what was told asks for the user's own name."""
    return _OWN.search(message) is not None or _WHO_AM_I.search(message) is not None


def names_the_own_name(message: str) -> bool:
    """Whether a message asks for the user's own name and says so: "do you remember me?" may ask for anything."""
    return asks_for_own_name(message) and _NAMES_THE_NAME.search(message) is not None


def asks_whether_it_is_known(message: str) -> bool:
    """Whether a message asks if she knows the user's own name: "do u remember my name"; not "내 이름은 하람"."""
    return says_my_name(message) and _IS_KNOWN.search(message) is not None


def may_ask_for_own_name(message: str) -> bool:
    """Whether the user's own name may be what a message asks for: in "names we like" it is not."""
    return (
        asks_for_own_name(message) or re.search(r"이름|성함|별명|\b(nick)?name\b", message, re.IGNORECASE) is not None
    )


def asks_for_nickname(message: str) -> bool:
    """Whether a message speaks of a nickname."""
    return re.search(r"별명|닉네임|\bnick", message, re.IGNORECASE) is not None
