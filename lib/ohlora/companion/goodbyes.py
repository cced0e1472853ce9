"""Plain goodbyes, and what is said to them: "that's my cue, take care", "이제 밥 먹으러 간다. 수고해라".

The network of intents hears a sentence as a whole, and few of these: "take care now" behind a stew is a recipe to it,
"ta ra" bad news. What is unmistakable is a rule here; what is not ("i'm off on friday") is left to the network.
"""

from __future__ import annotations

import re

from ohlora.companion.good_night import wishes_good_night
from ohlora.rag import GeneralAnswers
from ohlora.rag.intents import GeneralAnswer, act_of_intent

_LEAVES, _NIGHT = "leaves", "good_night"  # an act, an intent
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
_GOES = re.compile(  # at once: "right i'm off to buy another lasagne", not "i'm off to paris in june"
    r"^(?:ok(?:ay)?|right|al(?:l )?right|aight|well|anyways?)(?: then)?,? i['’]?m (?:off|out)(?: now| then)?"
    r"(?:\W*$|,| to (?!paris|\w+ (?:in|on|next)\b))(?!.*\b(?:tomorrow|tmrw|next|weekend|soon|week|month|in \w+$))"
    r"|^(?!.*(?:내일|낼|모레|주말|매[일주달]|다음|담[주달]|요일|\d\s?[월일시]|곧|언젠가|[가-힣]러\s?다니|군대|유학|이민|입대))"
    r"(?:.*(?<![가-힣])(?:이제|이만|그만|슬슬|그럼)\s(?:\S+\s){0,3}\S*러\s?(?:나)?"
    r"(?:가께|간다|갈게|갑니다|가요|감|가\s?볼게|가\s?봐야겠다|가야(?:겠다|겠어|겠네|지))"
    r"|.*(?:먹|묵|하|보|씻|자|놀|주|치우|돌리|시키|다녀|갔다가?)(?:고\s?)?(?<!보)(?<!하)(?:올게|오께|오겠습니다))요?"
    r"[\s.,!~ㅋㅎㅠㅜ^]*$",
    re.IGNORECASE,
)


def plain_goodbye(sentence: str) -> str:
    """The goodbye with which a sentence plainly ends, or that it is as a whole; "": there is none."""
    if found := _SAID.search(sentence):
        return sentence[found.start() :].lstrip(" ,.!?~;)")
    if found := _PEACE.search(sentence):
        return sentence[found.start("bye") :]
    asks = sentence.rstrip().endswith(("?", "？"))
    return sentence if not asks and (_GOES.search(sentence) or wishes_good_night(sentence)) else ""


def farewells(answers: GeneralAnswers, goodbye: str, language: str) -> list[GeneralAnswer]:
    """What she says to a goodbye, the best first: whatever else its words may sound like she says goodbye.

    To a good night that comes first, to whatever else it is not said.
    """
    leaving = [one for one in answers.best(goodbye, "", language) if _act(one) == _LEAVES]
    night = wishes_good_night(goodbye) or (answers.likeliest_intent(goodbye) == _NIGHT and answers.is_clear(goodbye))
    said = [one for one in leaving if one.intent == _NIGHT]
    others = [one for one in leaving if one.intent != _NIGHT]
    return [*said, *others] if night else others


def _act(answer: GeneralAnswer) -> str:
    return act_of_intent().get(answer.intent, answer.intent)
