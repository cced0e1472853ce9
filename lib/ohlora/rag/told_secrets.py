"""What nobody should write into a chat and she does not keep: numbers of cards and identity, passwords given away.

A password is one only where its value is given: a question for it, or its mere mention, is no secret. 비번 is a
password and also a day off duty ("나 오늘 비번이라 쉬어").
"""

from __future__ import annotations

import re
import unicodedata

from ohlora.rag.day_wording import WEEKDAY_KO
from ohlora.rag.normalisation import strip_invisible

_NUMBERS = (
    re.compile(
        r"(?<!\d)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\s*-?\s*[1-8]\d{6}(?!\d)"
    ),  # Korean resident registration number
    re.compile(r"(?<!\d)\d{3}-\d{2}-\d{4}(?!\d)"),  # US social security number
)
_DIGIT_GROUPS = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")

_OFF_DUTY = re.compile(
    r"(?<![가-힣])비번\s?(?:이라(?!고)|이래|인데|인\s|이었|이에요|이야(?=[\s.,!~ㅋㅎㅠ]|$)|이니까|이거든|이고(?=\s)"
    r"|이면|이지|이다|입니다|일\s|일\s?때|서[는고]|날|데이"
    rf"|(?:은|:)?\s*(?:오늘|내일|모레|이번|다음|매주|격주|{WEEKDAY_KO}|주말))"
)
_LATIN_CODE = r"(?<![a-z])(?:password|passcode|pin)(?![a-z])"
_CODE_KO = (
    r"(?:(?:(?:비밀|인증|보안|계좌|통장|카드)\s*번호|비번|패스\s*워드|암호|(?<![a-z])cvc(?![a-z])|(?<![a-z])cvv(?![a-z])"
    rf"|{_LATIN_CODE})(?:\s*번호)?)"
)
_PASSWORD_KO = rf"(?:비밀\s*번호|비번|패스\s*워드|{_LATIN_CODE})"
_COUNT = r"(?!\d{1,2}\s?(?:번|자리|자\s|글자|개|시|분|일|월|년|회|초|주|달|살|칸|가지|th|st|nd|rd))"
_HOLDS_DIGITS = re.compile(
    rf"{_CODE_KO}(?:이|가|은|는|을|를|도|만)?\s*[:=]?\s*{_COUNT}(?:[^\s가-힣0-9]*[0-9]|[가-힣]{{1,4}}[0-9])", re.I
)
_NO_VALUE = (
    r"(?:\d{1,2}\s?(?:자리|글자|자\s|번)|매달|매일|매주|가끔|뭐|뭔|무엇|무슨|뭘|어디|어떻|어떤|얼마|몇|누구|왜|언제|글쎄|비밀"
    r"|안(?=\s|돼|되|맞|알|써)|못|없|있|모르|모를|몰라|까먹|잊|잃|기억"
    r"|틀[리렸려린]|바꿔|바꿨|바꾸|바뀌|바뀐|바뀔|바뀜|설정|너무|좀|잘|꼭|절대|항상|매번|자주|다시|새로|새\s|계속|원래|그대로|그거|그게|이거|이게|그건"
    r"|저거|똑같|같[은아이]|다르|다른|달라|필요|생각|자동|저장|맞[아는다나지]|아니|노출|유출|해킹|중요|말\s|말[하해]|공유"
    r"|길[어다고]|짧|어려|어렵"
    r"|쉬[워운]|복잡|간단|헷갈|문제|숙제|고민|걱정|최소|최대|영문|영어|한글|숫자|특수|대문자|소문자|지문|얼굴|주기|초기화|찾|누가|누군|너[한는랑만]"
    rf"|오늘|내일|모레|다음|이번|{WEEKDAY_KO}|주말|적어|적힌|입력|내가|나만|우리만|쓰[지는면]|알려|알아|알고|물어|보여|풀[리렸])"
)
_STATEMENT = r"(?:[다요네군까죠래대]|더라|는데|지\s?마|[해어려져여꿔]|[았었였했됐갔왔겠있없]\S{0,2}|[음함됨짐림])"
_GIVEN = (
    _HOLDS_DIGITS,
    re.compile(  # 비밀번호는 바나나야
        rf"{_PASSWORD_KO}\s*(?:은|는|이|가|:|=)?\s*(?!{_NO_VALUE})(?:\S+\s){{0,2}}?(?!{_NO_VALUE})\S+?"
        r"(?:이야|(?<![여해어려되])야|이에요|예요|에요|입니다|임|이고|이다|이거든|거든|이라고|라고|지롱|이란다)(?=[\s.,!~ㅋㅎㅠ]|$)",
        re.I,
    ),
    re.compile(  # 비밀번호를 바나나로 바꿨어
        rf"{_PASSWORD_KO}\s*(?:은|는|을|를|:)?\s*(?!{_NO_VALUE})[^\s]+(?<!적)(?<![제바따별])(?:으로|로)"
        r"\s?(?:했|해\s?[놨뒀]|하고|바꿨|바꾸|바꿔|정했|정해|설정|변경|지었|쓰고|씀|써(?=[\s.,!]|$))",
        re.I,
    ),
    re.compile(  # 비밀번호: 바나나, 비밀번호는 바나나
        rf"{_PASSWORD_KO}\s*(?:은|는|:|=)\s*(?!{_NO_VALUE})(?![^.!\n]{{0,200}}\?\s*$)"
        rf"(?![^.!?\n]{{0,80}}(?:{_STATEMENT})\s*(?:[.!?~ㅋㅎㅠㅜ]|$))"
        r"(?:\S+\s){0,2}?\S+\s*(?:[.!~ㅋㅎㅠ]|$)",
        re.I,
    ),
    re.compile(rf"{_PASSWORD_KO}\s*(?:은|는|이|가|:|=)?\s*[!-~]{{0,40}}[a-z][!-~]{{0,40}}[0-9@#$%^&*_]", re.I),
    re.compile(rf"{_PASSWORD_KO}\s*(?:은|는|이|가|:|=)\s*[a-z][!-~]{{3,}}(?=[\s가-힣.!]|$)", re.I),
)
_CODE_EN = r"\b(?:password|passcode|pass\s?phrase|pin(?: code| number)?|cvv|cvc)\b"
_NO_VALUE_EN = (
    r"(?:not|never|no|none|nobody|nothing|something|anything|too|so|very|really|pretty|quite|rather|kind|sort|way|just"
    r"|still|always|again|already|also|only|actually|probably|currently|now|wrong|right|correct|incorrect|invalid|valid"
    r"|expired|secret|private|hidden|safe|secure|strong|weak|long|short|hard|easy|simple|complicated|the same|different"
    r"|gone|lost|forgotten|stuck|needed|required|saved|stored|written|case|old|new|due|bad|good|fine|great|terrible|ridiculous"
    r"|broken|bent|blunt|cute|loose|missing|pretty|rusty|sharp|shiny|stolen|leaked|hacked|reset|changed|supposed|going|being|getting|giving|what|which|who|where|when|why|how|whatever"
    r"|unknown|up|out|in|on|at|for|about|to|from|of|under|off|like|as|my|your|his|her|their|our|its|mine|yours|none"
    r"|(?:an?|the) (?:secret|mess|pain|joke|nightmare|bit|problem|must|thing|word|name|key|one|good|bad|long|short|new"
    r"|old|same|only|first|last|best|worst|most|longest)|that|this|it|they|i|we|you|he|she|if|because|and|or|but)\b"
)
_GIVEN_EN = (
    re.compile(rf"{_CODE_EN}\s*[:=]\s*(?!\?)\S+", re.I),
    re.compile(
        rf"(?<!what )(?<!what's my )(?<!whats my ){_CODE_EN}\s*(?:is|was|'s|’s|will be)\s+(?:now\s+)?(?!{_NO_VALUE_EN})"
        r"[^\s?.!,](?![^.!\n]{0,200}\?\s*$)",
        re.I,
    ),
    re.compile(rf"{_CODE_EN}\s*(?:is|was|'s|’s|will be)\s+(?:\S+\s+){{0,3}}?\S*\d\S*\d", re.I),
    re.compile(rf"{_CODE_EN}\W{{0,3}}(?=\S*\d)(?!\d{{1,2}}\b)(?=\S{{3,}})\S+", re.I),
    re.compile(
        rf"\b(?:set|change[ds]?|made|make|reset)\b.{{0,20}}{_CODE_EN}\s+(?:to\s+)?"
        r"(?:\S*\d\S*|(?<=to )\S+\s*(?:[.!]|$))",
        re.I,
    ),
)
_MENTIONS = re.compile(r"비밀\s*번호|비번|패스\s*워드|(?<![a-z])(?:password|passcode)(?![a-z])", re.I)
_TOKEN = re.compile(r"[!-~]{6,}")
_SECRET_KEYS = re.compile(
    r"비밀\s*번호|비번|패스\s*워드|주민\s*등록|계좌|카드\s*번호|password|passcode|\bpin\b|cvv|\bssn\b", re.I
)


def holds_secret(text: str) -> bool:
    """True for card numbers (Luhn), resident or social security numbers, and passwords given away."""
    plain = strip_invisible(unicodedata.normalize("NFKC", text))
    if any(pattern.search(plain) for pattern in _NUMBERS):
        return True
    numbers = [[int(digit) for digit in match.group() if digit.isdigit()] for match in _DIGIT_GROUPS.finditer(plain)]
    if any(_passes_luhn(digits) for digits in numbers):
        return True
    on_duty = _OFF_DUTY.sub(" ", plain)
    sentences = re.split(r"(?<=[.!?~])\s+|\n+", on_duty)
    return any(_gives_away(one) for one in sentences)


def names_secret(key: str, value: str) -> bool:
    """Whether a key promises a secret as its value: "비밀번호", "pin"; "비번" with a day as its value does not."""
    named = _OFF_DUTY.sub(" ", f"{key}: {value}") if value else key
    return _SECRET_KEYS.search(named[: len(key)]) is not None


def _gives_away(sentence: str) -> bool:
    """Whether a sentence holds the value of a password, be it beside its mention only: "비번 바꿨다 sarang0419"."""
    if mention := _MENTIONS.search(sentence):
        tokens = _TOKEN.findall(sentence[mention.end() :])
        if any(re.search(r"\d\d", token) and re.search(r"[a-z]", token, re.I) for token in tokens):
            return True
    return any(pattern.search(sentence) for pattern in (*_GIVEN, *_GIVEN_EN))


def _passes_luhn(digits: list[int]) -> bool:
    doubled = [digit if i % 2 == 0 else digit * 2 - 9 * (digit > 4) for i, digit in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0 and len(set(digits)) > 1
