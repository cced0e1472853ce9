"""Whether a question is about the user alone, and whether what was told is about somebody else.

"What am I allergic to?" is not answered by "my pal Rory's allergic to dogs": so near a sentence that it is found first.
Only plain cases are known: who else it is stands at the beginning, and the user is not in it.
"""

from __future__ import annotations

import re

_PERSON = (
    r"(?:친구|가족(?!여행|모임|사진|행사)|형제|자녀|아들|딸(?!기)|손주|손자|손녀|엄마|아빠|어머니|아버지|부모님|할머니|할아버지|남편|신랑|아내|와이프|집사람|남친|여친"
    r"|남자친구|여자친구|동생|언니|오빠|누나|형(?![광편식태제상용])|사위|며느리|사촌|조카|이모(?!티콘)|삼촌|고모|룸메|동료|팀원|동기(?!부여)|선배|후배|짝꿍|쌤|선생님|교수님|팀장|사장님?|점장"
    r"|과장님?|부장님?|이웃|아저씨|아줌마|막내|첫째|둘째"
    r"|\b(?:\w*friends?|pals?|mates?|guys?|buddy|bestie|family|brothers?|bro|sisters?|sis|siblings?|child(?:ren)?|kids?|sons?"
    r"|daughters?|mother|father|mum|mom|dad|parents?|nan|gran\w*|husband|wife|partner|fianc\w+|cousins?|aunt|uncle|niece"
    r"|nephew|(?:room|flat|house) ?mates?|colleagues?|coworkers?|boss|manager|teacher|tutor|coach|neighbou?rs?)\b)"
)
_I = re.compile(
    r"(?<![가-힣])(나|난|나는|나도|나만|나한테|나랑|나를|날|내가|저|저는|전|저도|저한테|저랑|저를|제가|우리|우린)(?![가-힣])"
    r"|\b(i|i['’]?(m|ve|d|ll)|we|we['’]?(re|ve|ll)|(?<!be )me|us|myself|mine)\b",
    re.IGNORECASE,
)
_OF_OWN = re.compile(
    r"(?<![가-힣])(나|난|나는|내|내가|저|저는|제|제가)(?![가-힣])"
    r"|\b(am|do|did|have|was|when|where|what|which) i\b|\bi['’]?m\b|\bmy\b",
    re.IGNORECASE,
)
_SOMEBODY = re.compile(rf"{_PERSON}|\b(he|she|his|her|hers|they|their|who(se|m)?)\b|걔|누가|누구|누굴", re.IGNORECASE)
_FILLER = r"^(?:\W|\b(?:so|and|but|btw|also|well|omg|lol|ugh|yo|oh|ok|haha|아|참|근데|그리고)\b)*"
_NOBODY = (
    r"(?:(?:every|some|any|no)(?:one|body|thing)|it|that|what|there|here|let|who|how|where|he|she|today|tomorrow|\w+day|work|life"
    r"|rent|exam|test|talk|flight|train|bus|surgery|wedding|car|class|course|show|gig|party|trip|uni|school|weather|bank|phone)"
)
_NO_PERSON = (
    r"(?:시험|수술|면접|결과|월급|공연|회의|수업|예약|날짜|일정|발표|비행기|택배|검사|진료|마감|예정일|장소|개강|종강|입대"
    r"|휴가|이사|성적|등록금|알바)"
)
_OF_ANOTHER = tuple(
    re.compile(_FILLER + form, re.IGNORECASE)
    for form in (
        rf"(?:my|ma|our|the)\s(?:\w+\s){{0,2}}?{_PERSON}",
        rf"(?!{_NOBODY}['’])[a-z]{{3,}}['’]s\s(?:\w+ing|got|into|allergic)\b",
        rf"(?:(?:내|우리|울|제|저희)\s?)?(?:[가-힣]{{2,4}}\s)?{_PERSON}[가-힣]{{0,3}}?(?:은|는|이|가|도|께서)(?![가-힣])(?!\s(되|됐|돼|생겼))",
        rf"(?!{_NO_PERSON})[가-힣]{{2,3}}[은는이가]\s.*(?:이래|[가-힣](?<=[했갔됐났었았있없한간된산온])대)요?(?![가-힣])",
    )
)


_OF_TWO = r"(?:\w+\s)?(?:son|daughter|child|kid|brother|sister|boy|girl)"
_ELDER = re.compile(
    r"(큰|맏|첫째)\s?(딸|아들|애|아이|이|누나|형|언니|오빠)|첫째(?!\s?주)|장남|장녀|\b(elder|eldest|oldest)\b"
    rf"|\b(older|first|big)\s{_OF_TWO}",
    re.IGNORECASE,
)
_YOUNGER = re.compile(
    r"(작은|막내|막냇|둘째)\s?(딸|아들|애|아이|누나|형|언니|오빠)|둘째(?!\s?주)|막내|\byoungest\b"
    rf"|\b(younger|second|little)\s{_OF_TWO}",
    re.IGNORECASE,
)


def is_of_the_other(question: str, text: str) -> bool:
    """Whether a question asks for the elder of two, and a text tells of the younger alone, or the other way round."""
    asked, told = ([bool(form.search(words)) for form in (_ELDER, _YOUNGER)] for words in (question, text))
    return asked != told and asked == told[::-1]


def asks_about_self(question: str) -> bool:
    """Whether a question is about the user and names nobody else: "나 강아지 몇 마리 키워?", "what diet am I on?"."""
    return _OF_OWN.search(question) is not None and _SOMEBODY.search(question) is None


def tells_of_somebody_else(text: str) -> bool:
    """Whether a text plainly tells of somebody else, and not of the user too: "지호는 여친이랑 벌써 200일이래"."""
    return any(pattern.search(text) for pattern in _OF_ANOTHER) and _I.search(text) is None
