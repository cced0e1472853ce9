"""Whether words can answer a question at all: who asks where is told no day, who asks when no gym.

The network that finds what answers looks at what a text is about, less at what is asked of it: "where is the party?"
lies near "the party is on 28 February". Only plain cases are known, by the question word and the form of the words.
"""

from __future__ import annotations

import re

from ohlora.companion.told_fact import asks_for_a_day, asks_when, is_day_alone

_PLACE_OR_PERSON = re.compile(
    r"어디|장소|어느\s?(도시|동네|나라|학교|병원|회사|역)|누구|누가"
    r"|\b(where|who|whose|whom|(what|which) (city|town|place|country|school))\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"몇\s?(명|마리|번|개|병|살|권|학년|등급?|점|층|호|년|시간|킬로|키로|장|잔|곡|쪽|페이지|평|퍼|프로)|얼마|몇이"
    r"|\bhow (many(?! (more )?(days|sleeps|nights|weeks))|much|old|tall|heavy)\b",
    re.IGNORECASE,
)
_HOUR = re.compile(r"몇\s?시(?!간)|\b(what time|at what hour)\b", re.IGNORECASE)
_NUMBER_WORD = re.compile(
    r"\d|(?<![가-힣])(한|두|세|네|넷|셋|둘|하나|다섯|여섯|일곱|여덟|아홉|열|열\S|스무|스물\S?|서른\S*|마흔\S*|쉰\S*|예순\S*|일흔\S*|여든\S*"
    r"|[일이삼사오육칠팔구]?[십백천만억]\S*|반|절반|몇|여러|없|[일이삼사오육칠팔구]학년)|만\s?원|천\s?원"
    r"|\b(one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty|forty|fifty|sixty|seventy"
    r"|eighty|ninety|hundred|thousand|k|half|dozen|couple|few|several|no|none|zero|once|twice|an?|both|only child)\b",
    re.IGNORECASE,
)
_TIME_WORD = re.compile(
    r"\d|[월화수목금토일](요일|욜)|주말|평일|오늘|내일|낼|모레|글피|어제|그제|매일|매주|매달|다음|담주|담달|이번|지난|저번|내년|올해|작년|봄|여름|가을|겨울"
    r"|[일이삼사오육칠팔구십]+[월일]|아침|점심|저녁|새벽|오전|오후|밤|낮|때|후에?$|뒤에?$|전에?$|날|달|주|년|크리스마스|추석|설|방학|명절|연말|연초|월말|월초|초$|말$|퇴근|학기"
    r"|\b((mon|tues?|wednes|wed|thurs?|fri|satur|sat|sun)(day)?s?|jan\w*|feb\w*|mar(ch)?|apr\w*|may|june?|july?|aug\w*"
    r"|sept?\w*|oct\w*|nov\w*|dec\w*|today|tonight|tomorrow|tmrw|yesterday|week\w*|month|year|spring|summer|autumn|fall"
    r"|winter|morning|noon|afternoon|evening|night|midnight|christmas|easter|thanksgiving|new year|ramadan|eid|diwali"
    r"|day|term|semester|next|last|before|after|when|since|every|one|two|three|four|five|first|second|third)\b",
    re.IGNORECASE,
)


_HOUR_SAID = re.compile(r"\d\s?시|\b\d{1,2}(:\d\d)?\s?([ap]\.?m|o['’]?clock)\b|\d:\d|\b(at|till|to)\s\d", re.IGNORECASE)


def can_answer(question: str, words: str) -> bool:
    """False where a question asks for a place, a person, a number, an hour or a day, and the words plainly are none."""
    if _HOUR.search(question):
        return _HOUR_SAID.search(words) is not None or not is_day_alone(words)
    if asks_for_a_day(question):
        return _TIME_WORD.search(words) is not None
    if asks_when(question):
        return True
    if _PLACE_OR_PERSON.search(question):
        return not is_day_alone(words)
    if _NUMBER.search(question):
        return not is_day_alone(words) and _NUMBER_WORD.search(words) is not None
    return True
