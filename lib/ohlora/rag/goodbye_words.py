"""Wordings that plainly end a talk, or ask for luck: "that's my cue, take care", "이제 밥 먹으러 간다. 수고해라".

Not those of somebody else ("then he said, bye", "남편은 이제 낚시하러 간다"), nor to somebody else ("할머니 잘
있으렴"), nor where more ends than a talk ("i can't do this anymore, goodbye").
"""

from __future__ import annotations

import re

from ohlora.llm.language import text_language
from ohlora.rag.sentences import sentences_of
from ohlora.rag.told_names import is_of_people

_KOREAN = (
    r"ㅂㅂ|ㅃㅃ|ㅃㅇ|ㅂㅇ|ㅂ2|빠이|빠이빠이|바이바이|바바이|바이|굿바이|안녕히\s?계세요|사요나라|아디오스"
    r"|(?<![은는이] )(?:담|다음)에\s?또?\s?(?:봐|보자|봬요|뵙겠습니다|얘기하자|올게)"
    r"|(?<![은는이] )(?:담|다음)\s?주에\s?또?\s?(?:봐|보자|봬요|뵙\S*|올게)"
    r"|(?<![은는이가을를] )(?:나중에|이따가?|있다가|좀\s있다가?)\s?(?:다시\s?|또\s?)?(?:보자|올게|오께|얘기하자)"
    r"|(?:이만|이제|시간이라|(?<![은는이가에] )지금)\s?(?:나?가\s?보겠습니다|나?가\s?봐야\s?(?:겠다|겠어|해|돼|겠네))"
    r"|(?:이만|이제 그만)\s?(?:가야(?:겠다|겠어|겠네|지)|줄일게|줄인다|줄이겠습니다|끊는다|끊을게|들어갈게)"
    r"|(?:이만|그럼|슬슬|먼저)\s?(?:들어)?가\s?(?:볼게|보께|볼란다|보겠습니다|봅니다)"
    r"|(?:저|나)는?\s?이만\s?(?:가볼게|갈게)|또\s?올게"
    r"|(?:나|난|내|저)\s(?:(?:이제|이만|먼저|그만|그럼)\s)?(?:간다|갈게|가께|간대이|간데이|간다잉|가\s?볼게|끊는다)"
    r"|(?:이만|그만|조심히|얼른|어여|어서)\s?(?:들어가|드가)(?:라|세요|이소)|잘\s?있(?:어라|거라|그라|으렴|으이소)"
    r"|(?:그럼|오로라야|로라야),?\s(?:이만\s)?(?:잘\s?있어|들어가(?:라|세요)?)"
    r"|수고\s?(?:해|해라|하세요|하셔요|하십시오|하십쇼|하이소|하소|하게|해용|하셔|링)"
)
_KOREAN_ALONE = r"또\s?(?:보자|봐|봅시다|봬요|얘기하자|이야기하자|놀자|만나자)|들어가라|드가라"
_FILLERS = r"ok(?:ay)?|k|well|anyways?|so|and|right|al(?:l )?right|aight|but|now|then|thanks|cheers|lol|haha"
_ENGLISH = (
    r"good ?bye|bye(?:-?bye)?|cya|see (?:you|ya|u)|ttyl|ttys|gtg|g2g|brb|bbl"
    r"|(?:i )?gotta (?:go|run|dash|bounce|jet|scoot)|(?:talk|speak|chat) (?:to (?:you|u|ya) )?(?:later|soon|tomorrow)"
    r"|catch (?:you|ya|u) (?:later|soon|tomorrow)|until next time|i must be off|(?:i )?must dash"
    r"|i have to (?:go|run|dash)(?! again)|god bless(?: you)?|i['’]?ll say (?:good ?night|good ?bye)"
    r"|(?:i )?(?:really )?(?:(?:i['’]?d )?better|had better|should|gotta|have to|need to|must|best) "
    r"(?:be off|be going|get going|get moving|head (?:off|out)|dash)"
    r"|(?:(?:so )?(?:i think |guess )?that['’]?s|thats) my cue(?: to (?:go|leave|run|scram|head out))?"
    r"|off i (?:go|pop|trot)"
    r"|(?:it['’]?s )?time for me to (?:go|leave|head (?:off|out)|run)"
    r"|(?:(?:yo)?u )?take care|peace out|over and out|signing off|toodle[- ]?(?:pip|oo)|toodles|cheerio|laters"
    r"|later (?:gator|alligator|skater)|ta[- ]ra(?: a bit)?|ta[- ]ta|farewell|adios|adieu|ciao|au revoir|sayonara"
    r"|hasta (?:luego|mañana|manana|la vista)|auf wiedersehen|ingat(?: (?:ka|po|always|lagi|kayo))*|paalam"
    r"|so long,? (?:my )?(?:friend|oh-?lora|lora)|have a good one"
)
_BEHIND = (
    r"(?:[^\w?？\"'“”‘’]|[ㅋㅎㅠ]|\b(?:x+|oh|lora|love|friend|dear|pal|mate|hun|girl|for|now|then|tomorrow"
    r"|take care|of yourself|later|soon|again|always|all|everyone|guys|out there)\b|오로라|님)*$"
)
_SAID = re.compile(
    rf"(?:(?<![가-힣])(?:{_KOREAN})요?|(?:^|[.,!~]\s*|(?<![가-힣])(?:그럼|우리|내일|낼|이따|나중에)\s){_KOREAN_ALONE}요?"
    rf"|(?:^|[.,!?;)]\s*|\b(?:{_FILLERS})\s)(?:{_ENGLISH})){_BEHIND}",
    re.IGNORECASE,
)
_PEACE = re.compile(  # "gotta do maths now, peace", "ok peace"; not "kids are in bed. finally, peace"
    rf"(?:^(?:{_FILLERS}|later),? |\b(?:gotta|have to|need to|gonna|going to|i['’]?m (?:off|out)|better)\b[^.!?]*, )"
    rf"(?P<bye>peace){_BEHIND}",
    re.IGNORECASE,
)

_GRAVE = r"수술|정신과|상담|항암|투석|재활|장례|빈소|조문|문상|성묘|응급실|입원|법원|경찰서|이혼|죽|뛰어내|산소|영정"
_GOES = re.compile(  # at once: "right i'm off to buy another lasagne", not "i'm off to paris in june"
    r"^(?:ok(?:ay)?|right|al(?:l )?right|aight|well|anyways?)(?: then)?,? i['’]?m (?:off|out)(?: now| then)?"
    r"(?:\W*$|,|(?<=off)(?: now| then)? to (?!paris|\w+ (?:in|on|next)\b))"
    r"(?!.*\b(?:tomorrow|tmrw|next|weekend|soon|week|month|in \w+$))"
    r"(?!.*\b(?:a ?& ?e|er|hospital|hospice|funeral|wake|rehab|surgery|chemo\w*|dialysis|therapy|court|jail|prison)\b)"
    r"|^(?!.*(?:내일|낼|모레|주말|매[일주달]|다음|담[주달]|요일|\d\s?[월일시]|곧|언젠가|[가-힣]러\s?다니|군대|유학|이민|입대"
    rf"|마다|요즘|요새|맨날|항상|가끔|{_GRAVE}))"
    r"(?:.*(?<![가-힣])(?:이제|이만|그만|슬슬|그럼)\s(?:\S+\s){0,3}\S*러\s?(?:나)?"
    r"(?:가께|간다|갈게|갑니다|가요|감|가\s?볼게|가\s?봐야겠다|가야(?:겠다|겠어|겠네|지))"
    r"|.*(?:먹|묵|하|보|씻|자|놀|주|치우|돌리|시키|다녀|갔다가?)(?:고\s?)?(?<!보)(?<!하)(?:올게|오께|오겠습니다))요?"
    r"[\s.,!~ㅋㅎㅠㅜ^]*$",
    re.IGNORECASE,
)
_DESPAIRS = re.compile(
    r"\b(?:can['’]?t|cannot) (?:do|take|go on|keep|live)\b[^.!?]*\b(?:any ?more|any longer|like this)\b"
    r"|\bgood ?bye,? (?:everyone|everybody|you all|all|(?:cruel )?world)\b"
    r"|\bcan['’]?t go on\b|\b(?:don['’]?t|do not) want to (?:live|be here)\b|\bend it\b|\bwon['’]?t be here\b"
    r"|못\s?(?:버티|살)겠|살기\s?싫|(?<![가-힣])죽(?!겠|이|도록|을\s?맛)|뛰어내리|이번\s?생|유서|다\s?끝났",
    re.IGNORECASE,
)
_QUOTED = re.compile(  # "he texted me, |see you tomorrow", "my last words to him, |take care"
    r"(?<!\bi )\b(?:said|says|told|texts?|texted|wrote|messaged|shouted|whispered|was like|(?:last|final) words?)"
    r"(?: (?:to )?(?:me|him|her|us|them))?(?: (?:was|were))?[\s,:\"“‘'…-]*$",
    re.IGNORECASE,
)
_OF_ONESELF = re.compile(r"\W*(?:so\s|ok(?:ay)?\s)?(?:i\b|gotta|gtg|g2g|brb|bbl|off\b|time for me|that)", re.IGNORECASE)
_SAID_BY_ANOTHER = re.compile(  # "그 사람이 나한테 |수고해", "팀장님이 퇴근하면서 |수고하세요"
    r"(?<![가-힣])(?P<who>[가-힣]+?)(?:이|가|께서|은|는)\s(?:[가-힣]*(?:한테|에게|보고|더러|면서|[가-힣][에로])\s){0,3}$"
)
_SOMEBODY = re.compile(r"(?:사람|님|분|쌤|남자|여자|애|걔|쟤)$")
_SAID_TO_ANOTHER = re.compile(r"(?P<who>[가-힣]+?)(?:도|야|아|은|는)?[\s,]+$")
_SUBJECT = re.compile(r"(?<![가-힣])(?P<who>[가-힣]+?)(?:은|는|이|가|도|께서)\s(?P<rest>.*)")
_CLAUSE_ENDS = re.compile(
    r"[가-힣](?:래|대|서|니까|길래|네|다|데|음|함|라|어|고\s싶\S*)\s"
)  # "엄마가 밥 먹으래 |갔다올게"
_CALLS = re.compile(r"[가-힣](?:래|대|라고)(?:요|서)?(?![가-힣])|부르|부른|불러|기다|차[렸려]|왔|와서")
_ASKS_FOR_LUCK = re.compile(
    r"(?:^|[.,!;~]\s*|\b(?:so|and|please|pls|ok)\s)(?:wish (?:me|us) (?:\w+ )?luck"
    r"|(?:keep|cross) your fingers(?: crossed)? for me)"
    r"\b"
    r"|(?:행운을?\s?빌어|응원\s?(?:좀\s?)?해)\s?(?:줘|줄래|주라|주세요)요?(?=[\s!~.ㅋㅎㅠ]*$)",
    re.IGNORECASE,
)
_RUNS = re.compile(  # "boys are climbing the fridge gotta run"
    r"(?<!\bi )(?<!\bwe )(?<!\byou )(?<!\bthey )(?<!\bhe )(?<!\bshe )\bgotta (?:run|dash|bounce)\W*$", re.IGNORECASE
)
_BEGINS_TO_GO = re.compile(
    r"(?:ok(?:ay)?|anyways?|well|so|right)?,?\s?(?:gonna|gotta|going to|i['’]?m off)\b"
    r"|(?:(?:나|난|저|전)\s)?이제\s.*(?:가야|갈게|간다|자야)",
    re.IGNORECASE,
)
LEAST_BESIDE = {"ko": 2, "en": 3}  # words that tell something beside a goodbye: "thats right" does not


def plainly_leaves(sentence: str) -> str:
    """The goodbye with which a sentence plainly ends, or that it is as a whole; "": there is none."""
    if is_more_than_a_goodbye(sentence):
        return ""
    if found := _SAID.search(sentence):
        before, goodbye = sentence[: found.start()], sentence[found.start() :].lstrip(" ,.!?~;)")
        return "" if _is_of_another(before, goodbye) else goodbye
    if found := _PEACE.search(sentence):
        return sentence[found.start("bye") :]
    asks = sentence.rstrip().endswith(("?", "？"))
    return sentence if not asks and _GOES.search(sentence) and not _another_goes(sentence) else ""


def is_more_than_a_goodbye(message: str) -> bool:
    """Whether more may end than a talk: "i can't do this anymore", "goodbye everyone"."""
    return _DESPAIRS.search(message.casefold()) is not None


def may_be_of_another(goodbye: str, before: str) -> bool:
    """Whether who leaves may be who the sentence before is about: "우리 딸 입학했어. 이제 학교 놀러 가요".

    Not who calls the user away: "남편이 밥 차렸대. 이제 먹으러 간다".
    """
    begins = " ".join(before.split()[:2])
    return bool(_GOES.search(goodbye) and is_of_people(begins) and not _CALLS.search(before))


def asks_for_luck(message: str) -> bool:
    """Whether a message asks for luck: "wish me luck", "응원해 줘"."""
    return _ASKS_FOR_LUCK.search(message) is not None


def without_goodbyes(message: str) -> str:
    """A message without what says goodbye or asks for luck in it; "" where hardly anything else is told.

    "mum has cancer, gotta go" tells of her, "boys are climbing the fridge gotta run" of nothing that lasts.
    """
    sentences = sentences_of(message)
    kept = [_before_the_goodbye(one) for one in sentences]
    if kept == sentences:
        return message
    told = " ".join(filter(None, kept))
    return told if len(told.split()) >= LEAST_BESIDE[text_language(told) or "en"] else ""


def _before_the_goodbye(sentence: str) -> str:
    """What a sentence tells apart from the goodbye or the wish for luck behind it; all of it where it holds neither."""
    goodbye = plainly_leaves(sentence)
    found = _ASKS_FOR_LUCK.search(sentence) or _RUNS.search(sentence)
    end = found.start() if found else len(sentence) - len(goodbye)
    if not (found or goodbye):
        return sentence
    apart = sentence[end : end + 1] in ",;" or sentence[:end].rstrip()[-1:] in (",", ";") or not sentence.isascii()
    told = sentence[:end].strip(" ,;")
    return told if apart and len(told.split()) > 1 and not _BEGINS_TO_GO.match(told) else ""


def _is_of_another(before: str, goodbye: str) -> bool:
    """Whether a goodbye is one that somebody else said, or said to somebody else.

    Args:
        before: what stands before it in its sentence.
    """
    if _QUOTED.search(before) and not _OF_ONESELF.match(goodbye):
        return True
    by, to = _SAID_BY_ANOTHER.search(before), _SAID_TO_ANOTHER.search(before)
    is_by_another = by is not None and bool(is_of_people(by["who"]) or _SOMEBODY.search(by["who"]))
    return is_by_another or (to is not None and is_of_people(to["who"]))


def _another_goes(sentence: str) -> bool:
    """Whether somebody else goes: "오빠가 그럼 밥 먹으러 간다", but not "엄마가 밥먹으래 갔다올게"."""
    found = _SUBJECT.search(sentence)
    return bool(found and is_of_people(found["who"]) and not _CLAUSE_ENDS.search(found["rest"]))
