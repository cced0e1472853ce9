"""What is said of a day: that it is over ("이사했어", "we moved"), that it comes again ("매주"), that it is planned.

Rules on wording, in Korean and English. A postponed appointment is told in the past and lies ahead ("was moved to
Friday", "금요일로 미뤘어"): the word of putting off and the "to" or "로" beside the day say so.
"""

from __future__ import annotations

import re

WEEKDAY_KO = r"[월화수목금토일](?:요일|욜)"
_SENTENCE_ENDS = re.compile(r"[.!?…~]+(?=\s|$)|[!?…~]+|[\n;|]+|[ㅋㅎㅠㅜ]{2,}|[\U0001f300-\U0001faff]+")
_CLAUSE_ENDS = re.compile(
    r",(?!\s*\d{4})|:(?!\d)|\s+-\s+|\b(?:and|but|so|because|cos|cuz|coz|cause|then|which|although|though|while|if|whether)\b",
    re.IGNORECASE,
)
_HANGUL = re.compile(r"[가-힣]")
_NEAR = 8  # Korean letters before a day among which "매주" is about it

_COMES_AGAIN = re.compile(
    r"마다|매주|매월|매달|매일|매년|매번|격주|정기적|정기휴|주\s?\d회|[월화수목금토일]\s?[~-]\s?[월화수목금토일](?![가-힣])"
    r"|\b(every|each|weekly|monthly|fortnightly|usually|always|normally|mostly)\b"
    r"|\b(mon|tues|wednes|thurs|fri|satur|sun)days\b"
    r"|(?<!from )\b(mon|tue|wed|thu|fri|sat|sun)[a-z]*\s?(-|–|to|through|thru)\s?(mon|tue|wed|thu|fri|sat|sun)[a-z]*\b"
    r"|\b(mon|tues|wednes|thurs|fri|satur|sun)day\s+(morning|afternoon|evening|night|lunchtime|class|shift)(e?s)\b",
    re.IGNORECASE,
)
_RESCHEDULED_KO = (
    r"(잡|예약|예매|신청|접수|등록|예정|확정|변경|연기|취소|초대|당첨|약속|발표|선정|결정|연장|확인"
    r"|미루|미뤄|미뤘|밀리|밀려|밀렸|바뀌|바꾸|바꿔|바꿨|당기|당겨|당겼|옮기|옮겨|옮겼|늦추|늦춰|늦췄|늘려|늘렸"
    r"|정하|정해|정했|앞당|기로|자고|라고|다고|냐고|맡|날짜가?\s?딱?\s?나|영장\s?나|도장\s?찍|받아\s?[놓놨]|(비행기|표|티켓|항공권)[을를]?\s?끊)"
)
_PAST_ENDS_KO = re.compile(
    r"(붙음|합격|떨어짐|다녀옴|갔다\s?옴|끝남|헤어짐|이별|돌아가심|졸업함|퇴사함|이사함|시작함|입사함|입양함|결혼함|받음"
    r"|태어남|데려옴|도착함|만남|생김|그만둠)(?![가-힣])"
)
_BEFORE_NOW_KO = re.compile(r"지난|저번|어제|그제|그저께|엊그제|아까|작년|재작년|\d\s*(일|주|달|개월|년)\s*전(?!까지)")
_DESTINATION_KO = re.compile(r"\s*(쯤|경)?\s*(걸로|거로|으로|로|까지|부터)")
_OPEN_KO = re.compile(
    r"인데|는데|은데|던데|라서|라(?=[\s,]|$)|니까|거든|[래대][요서]?(?=[\s,]|$)|이야(?=[\s,]|$)|예정|거야|건데|할게|이고(?=[\s,]|$)"
    r"|(?<=[가-힣])(?<!바)다(고)?(?=[\s,]|$)"
)
_PAST_EN = re.compile(
    r"\b(was|were|wasn't|weren't|had|did|didn't|went|came|saw|met|made|took|gave|ate|broke|bought|caught|chose|drove"
    r"|fell|felt|found|flew|forgot|fought|grew|heard|held|kept|knew|lost|paid|rang|ran|said|sang|sat|sent|slept|spent"
    r"|spoke|stole|swam|taught|told|thought|threw|understood|woke|won|wore|wrote|began|became|built|drank|fed|rode|rose"
    r"|sold|stood|tore|quit|born|ago|yesterday|last (night|week|month|year)|just (passed|finished)|got|gotten"
    r"|(?<!the )(?<!my )(?<!days )(?<!weeks )left(?! (?:eye|side|knee|one|hand|foot|leg|arm|ear|hip|in))"
    r"|(?!(?:need|wed|bed|red|speed|seed|feed|weed|shed|hundred|indeed|naked|sacred|embed|med|led|ted|ed|ned)\b)"
    r"[a-z]{2,}ed)\b",
    re.IGNORECASE,
)
_STATE_EN = re.compile(
    r"\b(am|is|are|be|being|getting|i'm|im|you're|we're|they're|he's|she's|it's|so|really|very|too|feeling|gets?|to be)"
    r"\s+(?:\w+ly\s+)?[a-z]+ed\b|\b(called|named|based|supposed|scheduled|planned)\b",
    re.IGNORECASE,
)
_RESCHEDULED_EN = re.compile(
    r"\b(re)?(booked|scheduled|registered|arranged|confirmed|postponed|delayed|shifted|pushed|bumped|invited|entered)\b"
    r"|\b(signed up|brought forward|pulled forward|put (it )?(off|back)|put me down|set for|changed (it|my|the|to)"
    r"|switched|moved (it|me|up|back|forward|the|my|our|his|her|your)|got (moved|pushed|shifted|bumped|postponed)"
    r"|(ha(s|ve)|'s|'ve) got|got (me|us) (down|in)|squeezed (me|us) in|fitted (me|us) in|became"
    r"|been (moved|cancelled|pushed|put))\b",
    re.IGNORECASE,
)
_GOT_A_PLAN_EN = re.compile(  # "i got an ap calc test on", not "got my test results on"
    r"\bgot\s+(?:(?:a|an|the|my|our|another)\s+)?(?:(?!(?:results?|back|marks?|grades?|news|home|there|through|at|from)\b)[\w'-]+\s+){0,5}$",
    re.IGNORECASE,
)
_DESTINATION_EN = re.compile(
    r"\b(to|tae|till|til|until|for|by|due|before|gave (me|us)|offered (me|us)|made it)\s+"
    r"((the|a)\s+)?((mon|tues|wednes|thurs|fri|satur|sun)day\s+)?(the\s+)?$",
    re.IGNORECASE,
)
_APPOINTMENT = re.compile(
    r"시험|고사|고시|면접|여행|이사|수술|진료|검진|내시경|치과|병원|예약|약속|일정|공연|콘서트|연주회|대회|시합|경기|마감"
    r"|제출|발표|출산|예정|결혼식|상견례|돌잔치|잔치|모임|회식|소개팅|미팅|회의|입대|전역|휴가|출장|출국|귀국|입주|개강|종강"
    r"|졸업식|입학식|오픈|개업|방문|행사|축제|오디션|촬영|실기|필기|수능|모평|토익|토플|콩쿠르|전시|데이트|상담|접종|입원|퇴원"
    r"|첫 출근|복직|선거|도로주행|봉사|직관|캠핑|엠티|소풍|세미나|학회|워크숍|심사|개막|출시|데드라인|디데이|비행기"
    r"|\b(exam|test|quiz|interview|trip|holiday|vacation|flight|surgery|operation|scan|assessment|move|appointment|dentist|doctor"
    r"|check-?up|concert|gig|marathon|race|match|tournament|competition|deadline|due|presentation|meeting|conference"
    r"|wedding|party|reunion|graduation|ceremony|dinner with|lunch with|visit|festival|exhibition|audition|rehearsal"
    r"|recital|performance|inspection|hearing|delivery|viewing|funeral|reservation|booking|booked|scheduled|plans?)\b",
    re.IGNORECASE,
)
_INTENTION = re.compile(
    r"기로\s?(했|함|해|약속)|려고|보러|먹으러|하러|만나|떠나|출발|간다|가기|가요|갈래|가자|보자|하자|겠|남았|앞두"
    r"|내일|낼|모레|글피|다음\s*주|다음\s*달|담\s*주"
    r"|\b(will|won't|'ll|going to|gonna|gotta|have to|has to|need to|supposed to|can't wait|let's|tomorrow|next"
    r"|from now|until|till|starts?|leaves?|opens?|arrives?|lands?|flying|moving|leaving|starting|seeing|meeting"
    r"|visiting|travelling|traveling|getting married|coming)\b",
    re.IGNORECASE,
)
_LITTLE_MORE = re.compile(
    r"오전|오후|새벽|아침|점심|낮|저녁|밤|자정|정오|\d+시(\s?\d+분|\s?반)?"
    r"|([한두세네]|다섯|여섯|일곱|여덟|아홉|열|열한|열두)\s?시(\s?반)?"
    rf"|{WEEKDAY_KO}|돌아오는|오는|내년|올해|쯤|경|에|날|까지|부터|로|은|는|이야|이에요|예요|요|반|첫|시"
    r"|\b(mon|tues|wednes|thurs|fri|satur|sun)day\b|\b(on|at|the|by|of|in|from|to|till|until|a|an|around|about|this"
    r"|coming|morning|afternoon|evening|night|noon|midnight|am|pm|o'?clock|now|instead|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|half|past"
    r"|quarter|sharp|next|year)\b|\d{1,2}([:.]\d{2})?\s?([ap]m)?|[\W_]",
    re.IGNORECASE,
)

BIRTHDAY_EN = r"(?:birthday|b-?\s?day|date of birth|dob)"
_BIRTHDAY = re.compile(rf"생일|생신|생파|태어|탄신|귀빠진|{BIRTHDAY_EN}|\bborn\b|\bturn(?:s|ing|ed)?\b", re.IGNORECASE)


def speaks_of_birthday(text: str) -> bool:
    """Whether a text speaks of somebody's birthday."""
    return _BIRTHDAY.search(text) is not None


def is_over(text: str, day: str) -> bool:
    """Whether a text says of a day that what was on it is over.

    Args:
        text: a message, or the value of a memory. day: the words in it that name the day.
    """
    if _AHEAD.match(day):
        return False
    found = [one for one in _SENTENCE_ENDS.split(text) if one and day in one]
    return bool(found) and all(_over_in_korean(one, day) or _over_in_english(one, day) for one in found)


def comes_again(text: str, day: str = "") -> bool:
    """Whether a text speaks of what is done again and again; where a day is given, the part of the text around it."""
    parts = [_around(one, day) for one in _SENTENCE_ENDS.split(text) if one and day in one]
    return any(_COMES_AGAIN.search(one) for one in parts)


def is_planned(text: str, day: str = "") -> bool:
    """Whether a text speaks of a plan, an appointment, or of what somebody is going to do.

    Args:
        day: the words that name the day. Of today much is told that is no plan, as with "오늘따라" and "오늘도".
    """
    if day.casefold() in _TODAY:
        if re.search(r"오늘(따라|도)", text):
            return False
        return any(one.search(text) for one in (_APPOINTMENT, _WILL_KO, _WILL_EN))
    return any(one.search(text) for one in (_APPOINTMENT, _INTENTION, _WILL_KO))


def is_little_more(text: str, day: str) -> bool:
    """Whether a text holds a day and perhaps an hour, and nothing else."""
    return not _LITTLE_MORE.sub("", text.replace(day, " "))


def _syllables(tail: int) -> str:
    """The Hangul syllables that end in a consonant, as letters of a pattern; tail: its number in Unicode's order."""
    return "".join(chr(code) for code in range(0xAC00 + tail, 0xD7A4, 28))


_AHEAD = re.compile(r"내일|낼|모레|글피|다음|다다음|담|(the )?day after tomorrow|tomorrow|next", re.IGNORECASE)
_TODAY = ("오늘", "today", "tonight")
_WILL_EN = re.compile(r"\b(will|won't|'ll|going to|gonna|gotta|have to|has to|need to|supposed to)\b", re.IGNORECASE)
_WILL_KO = re.compile(rf"[{_syllables(8)}]\s?(거|건|게(?!임)|까|예정|생각|계획|듯|테니|텐데)")  # 갈 거야, 볼게
_PAST_KO = re.compile(
    rf"[가-힣]*[{_syllables(20).replace('있', '').replace('겠', '')}](?!으?면)"
)  # 했, 갔, 붙었; not 했으면


def _over_in_korean(sentence: str, day: str) -> bool:
    """The predicate follows the day; where nothing follows, it may stand before: "이사했어 월요일에"."""
    if not _HANGUL.search(sentence):
        return False
    before, after = sentence.split(day, 1)
    if _BEFORE_NOW_KO.search(before[-12:] + day):
        return True
    if _DESTINATION_KO.match(after):
        return False
    past = next((one for one in _PAST_KO.finditer(after) if not _is_rescheduled(after[: one.end()])), None)
    if past is not None:
        return not _OPEN_KO.search(after[: past.start()]) and not _WILL_KO.search(after)
    if ends := _PAST_ENDS_KO.search(after):
        return not _OPEN_KO.search(after[: ends.start()])
    said = re.search(rf"({_PAST_KO.pattern})(어|다|음|지|네|어요|습니다|는데)?\s*$", before)
    return not after.strip("에 .!~") and said is not None and not _is_rescheduled(before[: said.end(1)])


def _is_rescheduled(words: str) -> bool:
    """Whether words that end in the past tense tell that an appointment was made or changed."""
    return re.search(_RESCHEDULED_KO + r"[가-힣]{0,3}(\s?[가-힣]{1,2})?$", words) is not None


def _over_in_english(sentence: str, day: str) -> bool:
    clause = _clause(sentence, day)
    before, after = clause.split(day, 1)
    if _DESTINATION_EN.search(before):
        return False
    plain = _STATE_EN.sub(" ", f"{before} {after}")
    if _RESCHEDULED_EN.search(plain):
        return False
    past = [one.group().lower() for one in _PAST_EN.finditer(plain)]
    got_a_plan = set(past) == {"got"} and _APPOINTMENT.search(before) and _GOT_A_PLAN_EN.search(before)
    return bool(past) and not (got_a_plan and day.lower() not in ("today", "tonight"))


def _around(sentence: str, day: str) -> str:
    """The words that are about the day."""
    clause = _clause(sentence, day) if day else sentence
    start = clause.find(day)
    return clause[max(0, start - _NEAR) : start + len(day) + 2] if day and _HANGUL.search(day) else clause


def _clause(sentence: str, day: str) -> str:
    """The part of an English sentence that holds the day; with the next one where that is hardly more than the day."""
    parts = _CLAUSE_ENDS.split(sentence)
    for number, part in enumerate(parts):
        if day in part:
            alone = number == 0 and is_little_more(part, day)
            return ", ".join(parts[number : number + 1 + alone])
    return sentence
