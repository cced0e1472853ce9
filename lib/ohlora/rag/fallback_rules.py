"""Facts that a few plain patterns find, where neither the reader of messages nor the language model finds any.

Careful on purpose: a pattern begins at a word ("바나나 좋아해" says nothing of 나), and what is denied, guessed,
quoted, asked, or told of somebody else is no fact about the user.
"""

from __future__ import annotations

import re

from ohlora.llm.reply_format import MemoryOperation
from ohlora.rag.normalisation import strip_invisible

_I = r"(?<![가-힣a-z])(?:(?:나는|내가|저는)\s*|(?:나|난|전|제가)\s+)"
_MY = r"(?<![가-힣a-z])(?:내|제)"
_END = r"\s*(?:[.!,~^ㅋㅎㅠㅜ]|$)"
_RULES = tuple(
    (re.compile(pattern, re.I), key)
    for pattern, key in (
        (
            rf"{_MY} 이름은\s*([가-힣a-z]{{2,12}}?)(?:이?라고( 해)?|이에요|예요|입니다|이야|야|임)?\s*(?:[.!~^]|$)",
            "이름",
        ),
        (rf"{_MY} 생일은\s*([0-9]{{1,2}}\s*월\s*[0-9]{{1,2}}\s*일)(?!\s*(?:이|은|는)?\s*아니)", "생일"),
        (rf"{_I}([가-힣 ]{{1,15}}?)(?:에|에서)\s*살(?:아|고 있어|아요|고 있어요){_END}", "사는 곳"),
        (
            rf"{_I}([가-힣a-z ]{{1,15}}?)(?:을|를)?\s*(?:제일|가장|진짜|정말|너무|엄청|완전)?\s*좋아해요?{_END}",
            "좋아하는 것",
        ),
        (
            rf"{_I}([가-힣a-z ]{{1,15}}?)\s*알레르기가?\s*있(?:어|어요|다|음|습니다|거든|거든요|는데|대|대요){_END}",
            "알레르기",
        ),
        (r"\bmy name is\s+([a-z][a-z' -]{0,30}?)\s*(?:[.,!]|$)", "name"),
        (r"\bmy birthday is\s+(?:on\s+)?([a-z0-9 ]{3,25}?)\s*(?:[.,!]|$)", "birthday"),
        (r"\bI live in\s+([a-z][a-z' -]{1,30}?)(?:\s+(?:now|too|these days))?\s*(?:[.,!]|$)", "home"),
        (r"\bI(?:'m| am) allergic to\s+([a-z][a-z' -]{1,30}?)\s*(?:[.,!]|$)", "allergy"),
        (r"^\s*I (?:really |absolutely )?(?:like|love)\s+([a-z][a-z' -]{1,40}?)\s*(?:[.!]|$)", "likes"),
    )
)
_FAVOURITES = tuple(
    (re.compile(pattern, re.I), key)
    for pattern, key in (
        (
            rf"{_I}(?:제일|가장|진짜|정말)?\s*좋아하는\s*(?P<what>[가-힣]{{1,8}}?)(?:은|는)\s*"
            r"(?P<value>[가-힣a-z0-9 ]{1,20}?)(?:이야|야|이에요|예요|입니다|임)\s*(?:[.!~ㅎㅋ]|$)",
            "좋아하는 {what}",
        ),
        (
            r"\bmy favou?rite (?P<what>[a-z]{2,15})(?: is|'s| has always been)\s+(?:the |a |an )?"
            r"(?P<value>[a-z0-9' -]{1,30}?)\s*(?:[.,!]|$)",
            "favourite {what}",
        ),
    )
)
_NOUN_IN_I = re.compile(
    r"(떡볶|구|말|양|놀|종|오|린|걸|팽|숭|랑|멍멍|튀)$"
)  # 떡볶이야 is 떡볶이 + 야, 김밥이야 is 김밥 + 이야

_PERSON = (
    r"(?:우리|누나|언니|오빠|형|형님|동생|여동생|남동생|엄마|아빠|어머니|아버지|할머니|할아버지|부모님|친구|절친|남편|아내|와이프"
    r"|여친|남친|여자친구|남자친구|아들|딸|애기|아기|조카|이모|고모|삼촌|사촌|선생님|교수님|팀장님?|부장님?|사장님?|상사|동료|선배|후배"
    r"|룸메|룸메이트|이웃|걔|얘|쟤|그\s?사람|그녀|남들|사람들)"
)
_OTHERS = re.compile(rf"(?<![가-힣]){_PERSON}(?:이랑|랑|하고|은|는|이|가|도|네|의|한테|들|들은)?(?![가-힣])")
_NO_FACT = re.compile(
    r"^(you|your|it|that|this|these|those|him|her|them|here|there|how|what|when|where|who|why|the way|to think"
    r"|talking to you|너|널|네|니|그거|이거|저거|그것|이것|그런|이런|저런"
    r"|여기|거기|저기|이곳|그곳|뭐|뭘|무엇|무슨|어디|누구|언제|어느|어떤|몇)"
    r"(?![a-z])",
    re.I,
)
_DENIED = re.compile(
    r"(?<![가-힣])(?:안|못|별로|그다지|전혀|하나도|딱히|만약|만일|혹시|언젠가|예전|옛날|어릴\s?때)(?![가-힣])|안$|아니$|아닌$"
    r"|\b(not|never|no|none|nothing|nobody|neither|nor|hardly|anymore|any more|yet|used to)\b|n't\b",
    re.I,
)
_UNSURE_BEFORE = re.compile(
    r"(?<![가-힣])(만약|만일|혹시|가령)|\b(if|whether|when|where|wish|pretend|imagine|suppose|says?|said|thinks?|thought|asks?|asked|claims?|believes?"
    r"|do|did|don't|doesn't|not|never|once|before|used to|like)\b[^.!?]*$|['\"“‘][^'\"”’]*$",
    re.I,
)
_NO_NAMES = re.compile(
    r"(비밀|몰라|뭘까|뭐게|뭔지|뭐더라|뭐였더라|글쎄|알지"
    r"|있어|없어|아직|아니|됐어|맞춰봐|물어봐|secret|unknown|hard|long|weird|common|on|in|spelled|spelt)\b",
    re.I,
)
_DATE = re.compile(r"\d|\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b", re.I)
_RELATIVE = re.compile(r"\b(today|tomorrow|soon|next|this|in|coming|days?|weeks?|months?|not|over)\b", re.I)


def extract_by_rule(message: str) -> MemoryOperation | None:
    """A fact that a few plain patterns find ("내 이름은 …", "I live in …"), or None. Questions never match."""
    text = " ".join(strip_invisible(message).split())
    if text.endswith("?"):
        return None
    for pattern, key in _FAVOURITES:
        match = pattern.search(text)
        if match and _is_the_users(text, match.start(), match["value"]):
            value = match["value"].strip()
            value += "이" * bool(_NOUN_IN_I.search(value) and text[match.end("value") :].startswith("이"))
            return MemoryOperation("add", key.format(what=match["what"]), value)
    for pattern, key in _RULES:
        match = pattern.search(text)
        if match and _is_the_users(text, match.start(), match[1]) and _fits(key, match[1].strip()):
            return MemoryOperation("add", key, match[1].strip())
    return None


def _is_the_users(text: str, start: int, value: str) -> bool:
    """Whether a value is said of the user: not denied, not of somebody else, not only quoted or supposed.

    Args:
        start: where in the text the sentence about the value begins.
    """
    value, before = value.strip(), re.split(r"[.!?]\s", text[:start])[-1]
    if not value or _NO_FACT.search(value) or _DENIED.search(value):
        return False
    return not (_OTHERS.search(before) or _OTHERS.search(value) or _UNSURE_BEFORE.search(before))


def _fits(key: str, value: str) -> bool:
    if key in ("이름", "name"):
        return not _NO_NAMES.match(value)
    return key != "birthday" or (_DATE.search(value) is not None and not _RELATIVE.search(value))
