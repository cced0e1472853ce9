"""Whether words can answer a question at all: who asks where or for a name is told no day, who asks when no gym.

The network that finds what answers looks at what a text is about, less at what is asked of it: "where is the party?"
lies near "the party is on 28 February". Only plain cases are known, by the question word and the form of the words.
"""

from __future__ import annotations

import re

from ohlora.companion.told_fact import asks_for_a_day, asks_when, is_day_alone
from ohlora.rag.day_wording import BIRTHDAY_EN, WEEKDAY_KO, speaks_of_birthday
from ohlora.rag.own_name import asks_for_own_name
from ohlora.rag.told_names import speaks_of_another, whose_name_is_asked

_PLACE_OR_PERSON = re.compile(
    r"어디|장소|어느\s?(도시|동네|나라|학교|병원|회사|역)|누구|누가"
    r"|\b(where|who|whose|whom|(what|which) (city|town|place|country|school))\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"몇\s?(명|마리|번|개|병|살|권|학년|등급?|점|층|호|년|시간|킬로|키로|장|잔|곡|쪽|페이지|평|퍼|프로)(?!\s?(전|만))|얼마(?!\s?(전|안|나))|몇이"
    r"|\bhow (many(?! (more )?(days|sleeps|nights|weeks|times do i))|much(?! do i\b)|old|tall|heavy)\b",
    re.IGNORECASE,
)
_HOUR = re.compile(r"몇\s?시(?!간)|\b(what time|at what hour)\b", re.IGNORECASE)
_NUMBER_WORD = re.compile(
    r"\d|(?<![가-힣])(하나|둘|셋|넷|다섯|여섯|일곱|여덟|아홉|열|스물|스무|서너|너덧|대여섯|환갑|서른|마흔|쉰|예순|일흔|여든|반|절반|여러|혼자|외동|무료|공짜|최저|없|동갑|고[일이삼])"
    r"|(?<![가-힣])(한|두|세|네|몇)\s?(명|마리|개|번|살|잔|병|권|시|달|주|곳|쌍|배|장|대|그릇|달|해)|[일이삼사오육칠팔구]?[십백천만억]\s?\S|[일이삼사오육]학년"
    r"|\b(one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teens?|\w+t(y|ies)|hundreds?|thousands?|k|half|dozens?"
    r"|couple|few|several|no|none|nothing|free|zero|once|twice|an?|both|twins|triplets|pair|only child"
    r"|minimum wage)\b",
    re.IGNORECASE,
)
_TIME_WORD = re.compile(
    rf"\d|{WEEKDAY_KO}"
    r"|(?<![가-힣])[월화수목금토일]{2,7}(?![가-힣])|주말|평일|오늘|내일|낼|모레|글피|어제|그제|그저께|매일|매주|매달|다음|담주|담달"
    r"|이번|지난|저번|내년|올해|작년|봄|여름|가을|겨울|아침|점심|저녁|새벽|오전|오후|밤|낮|때|후에?$|뒤에?$|전에?$|날|[일이삼사오육칠팔구십]+[월일]|데이|할로윈"
    r"|달|주|년|크리스마스|추석|설|방학|명절|연말|연초|월말|월초|초$|말$|퇴근|학기|고$|면$|자마자|탄신일|현충일|어린이날|절$|격일"
    r"|\b((mon|tues?|wednes|wed|thurs?|fri|satur|sat|sun)(day)?s?|jan\w*|feb\w*|mar(ch)?|apr\w*|may|june?|july?|aug\w*"
    r"|sept?\w*|oct\w*|nov\w*|dec\w*|today|tonight|tomorrow|tmrw|yesterday|week\w*|months?|years?|spring|summers?|autumn|fall"
    r"|winters?|mornings?|noon|afternoons?|evenings?|nights?|midnight|bedtime|breakfast|lunch|dinner|christmas|easter"
    r"|thanksgiving|halloween|valentine\w*|new year\w*|ramadan|eid|diwali|days?|terms?|semesters?"
    r"|weekdays?|payday|fortnight\w*|nye|hogmanay|with|as soon as|next|last|before|after|when"
    r"|since|every|kid|child|college|school|one|two|three|four|five|first|second|third)\b",
    re.IGNORECASE,
)
_LISTED = re.compile(
    r"[,&]|[가-힣](랑|하고|와|과)\s|\band\b", re.IGNORECASE
)  # "how many kids do I have?" – "Mia and Leo"
_HOUR_SAID = re.compile(
    r"\d\s?시|[한두세네]\s?시|(다섯|여섯|일곱|여덟|아홉|열|열한|열두)\s?시|\b\d{1,2}(:\d\d)?\s?([ap]\.?m|o['’]?clock)\b|\d:\d"
    r"|\b(at|till|to)\s\d",
    re.IGNORECASE,
)
_ASKS_WHAT = re.compile(  # beside a number or a day that is no question: "몇 년 전에 키우던 강아지 이름이 뭐였지?"
    r"뭐|뭘|뭔|무슨(?!\s?(요일|날))|이름|어떤|\bwhat(?!['’]?s? (is |was )?(the |my )?(day|date|time|month))\b"
    r"|\bwhich(?! (day|date|month))\b"
    r"|\b(called|name)\b",
    re.IGNORECASE,
)
_ASKS_FOR_NO_DAY = re.compile(
    r"음식|먹|직업|하는\s?일|취미|노래|음악|가수|영화|책|색|사는\s?곳|\b(food|eat|job|work|hobby|hobbies|colou?r|song|music|band|film"
    r"|movie|book)\b",
    re.IGNORECASE,
)
_ONLY_A_MEETING = re.compile(r"\bthe date (with|at|in)\b", re.IGNORECASE)
_ASKS_FOR_BIRTHDAY = re.compile(  # not "what did I get for my birthday?", "where was I born?"
    rf"(?<![가-힣])(?:내|제)\s?생일(?!\s?(?:선물|파티|케이크|상|날?에|때))|\bwhen was i born\b"
    rf"|(?<!for )(?<!on )\bmy {BIRTHDAY_EN}\b(?! (?:party|present|gift|cake|dinner|meal))",
    re.IGNORECASE,
)
_OF_ANOTHERS_BIRTHDAY = re.compile(r"\S+ (?:생일|생신)\s|\S+['’]s birthday\s", re.IGNORECASE)  # keys
_MONTH = re.compile(r"\d{1,2}\s?월\S?")
ASKS_FOR_OWN_AGE = re.compile(
    r"\bhow old (?:am i|i am|i['’]?m)\b(?! when)|\bmy (?:own )?age\W*$"
    r"|(?<![가-힣])(?:내|제)\s?나이(?!\s?(?:차이|또래|에|대))"
    r"|(?<![가-힣])(?:나|내가|내|제가|저|난)\s?(?:는|도)?\s?(?:올해\s|이제\s)?몇\s?살(?!에|로|\s?(?:때|차이))",
    re.IGNORECASE,
)
_NUMBER_IN_WORDS = r"(?:\w+teen|eleven|twelve|(?:twen|thir|for|fif|six|seven|eigh|nine)ty)"
_TELLS_OWN_AGE = re.compile(
    rf"^(?:age|나이)\b|\bborn (?:in|on)\b|^\d\d\b|\b\d\d ?(?:f|m)\b|\b\d\d[ -]years?[ -]olds?\b"
    rf"|\bturning (?:\d|{_NUMBER_IN_WORDS})"
    rf"|\b(?:i['’]?m|i am|i(?: just)? turn(?:ed)?|i['’]ll be|being|at|just hit) (?:\w+ )?(?:\d\d|{_NUMBER_IN_WORDS})"
    r"|^\d\d ?yo\b|\bmy \d\d(?:st|nd|rd|th) birthday",
    re.IGNORECASE,
)
ASKS_FOR_OWN_JOB = re.compile(
    r"\bwhat (?:do|did) i do (?:for (?:a )?(?:living|work|money)|as a job)\b|\bwhat i do for (?:a living|work)\b"
    r"|\bwhat(?:['’]?s| is| was) my (?:job|profession)\W*$|(?<![가-힣])(?:내|제)\s직업(?!\s?(?:상|병))"
    r"|(?<![가-힣])(?:내|제|내가|제가|나)\s(?:(?:무슨|뭔)\s?일(?:을)?\s?(?:하|해|한다)|뭐\s?하는\s?(?:사람|애))",
    re.IGNORECASE,
)
_CLAUSE_ENDS = re.compile(
    r"[,.!?;~]|\b(?:and|but|so)\b|(?<=[가-힣])[고서](?=\s)|(?<=[는은인한])데(?=\s)", re.IGNORECASE
)
_ONLY_WISHED = re.compile(
    r"^(?:goal|dream|wish|목표|꿈|계획)\b|고\s?싶|꿈이|목표"
    r"|\b(?:plan(?: is|ning)? to|wan(?:t to|ted to|na)|going to|gonna|dream(?:s|ing)? of|hop(?:e|ing) to"
    r"|saving (?:up )?for)\b",
    re.IGNORECASE,
)

_TASTE = re.compile(r"(?:좋아하는|최애|favou?rite)\s(?P<what>\w+)", re.IGNORECASE)
_KINDS_OF_TASTE = tuple(
    re.compile(words, re.IGNORECASE)
    for words in (
        r"노래|가수|음악|밴드|트로트|\b(?:songs?|singers?|bands?|music|artists?|listen)",
        r"영화|드라마|\b(?:films?|movies?|shows?|series|watch)\b",
        r"음식|먹|메뉴|간식|과일|\b(?:foods?|dish|snacks?|eat|fruits?)\b",
        r"커피|음료|마시|(?<![가-힣])술|\b(?:drinks?|coffee|tea)\b",
        r"(?<![가-힣])팀|구단|선수|\b(?:teams?|players?|clubs?)\b",
        r"(?<![가-힣])색|\bcolou?rs?\b",
        r"(?<![가-힣])책|소설|\b(?:books?|novels?|read)\b",
        r"게임|\bgames?\b",
    )
)


def can_answer(question: str, words: str, told: str = "") -> bool:
    """False where a question asks for a name, a place, a number, an hour or a day, and the words plainly are none.

    Args:
        told: the message that holds the words, or a key and it; "": not known. It must speak of a birthday where the
            user's own is asked for: "my sister marries in January" tells none.
    """
    asks_for_birthday = _ASKS_FOR_BIRTHDAY.search(question) and not _PLACE_OR_PERSON.search(question)
    if told and asks_for_birthday and (_OF_ANOTHERS_BIRTHDAY.match(told) or not speaks_of_birthday(told)):
        return False
    if told and ASKS_FOR_OWN_AGE.search(question) and not _tells_own_age(told):
        return False
    if told and ASKS_FOR_OWN_JOB.search(question) and _is_only_wished(words, told):
        return False
    if told and _is_another_taste(question, told):
        return False
    is_day = is_day_alone(words)
    if whose_name_is_asked(question) or asks_for_own_name(question):
        return not (is_day or _MONTH.fullmatch(words)) or asks_when(question)
    if _HOUR.search(question):
        return _HOUR_SAID.search(words) is not None or not is_day
    if _PLACE_OR_PERSON.search(question):
        return not is_day or (asks_when(question) and not _ONLY_A_MEETING.search(question))
    if _ASKS_WHAT.search(question):
        return not (is_day and _ASKS_FOR_NO_DAY.search(question)) or asks_when(question)
    if asks_for_a_day(question):
        return _TIME_WORD.search(words) is not None
    if asks_when(question):
        return True
    if _NUMBER.search(question):
        return not is_day and (_NUMBER_WORD.search(words) or _LISTED.search(words)) is not None
    return True


def _tells_own_age(told: str) -> bool:
    """Whether a text tells how old the user is, not a child or a cat: Korean need not say of whom it speaks."""
    unnamed = re.search("[가-힣]", told) and not speaks_of_another(told)
    return bool(_TELLS_OWN_AGE.search(told) or unnamed)


def _is_only_wished(words: str, told: str) -> bool:
    """Whether words of a text stand in a clause that tells of a wish: "plan is to open a food truck"."""
    clauses = [one.strip() for one in _CLAUSE_ENDS.split(told)]
    before = [one[: one.index(words)] for one in clauses if words in one] or clauses
    return all(_ONLY_WISHED.search(one) for one in before)


def _is_another_taste(question: str, told: str) -> bool:
    """Whether a question asks for one kind of thing, and a memory is a taste of another: no singer is a team."""
    taste = _TASTE.match(told)
    own = {kind for kind in _KINDS_OF_TASTE if taste and kind.search(taste["what"])}
    asked = {kind for kind in _KINDS_OF_TASTE if kind.search(question)}
    return bool(own and asked) and own.isdisjoint(asked)
