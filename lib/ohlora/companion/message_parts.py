"""Which sentences of a longer message she answers: those that ask, a goodbye at the end, what is beside a name."""

from __future__ import annotations

import re

from ohlora.companion.goodbyes import plain_goodbye
from ohlora.llm.language import text_language
from ohlora.llm.reply_format import plain_letters
from ohlora.rag import GeneralAnswers
from ohlora.rag.complaint_words import holds_complaint
from ohlora.rag.content_words import content_words
from ohlora.rag.goodbye_words import is_more_than_a_goodbye, may_be_of_another
from ohlora.rag.intents import SURE_KIND, act_of_intent
from ohlora.rag.sentences import sentences_of

_ASKS = re.compile(
    r"[?？][\sㅋㅎㅠㅜ~!]*$|(기억(하|나|함|해)\S*|알지|아냐|알아|[가-힣](더라|했지|랬지|였지)|[뭐디제구]게)[\s!.~ㅋㅎㅠㅜ]*$|\bremember\b|\bagain\W*$",
    re.IGNORECASE,
)
_ASKS_IN_ENGLISH = re.compile(  # "also whats the food i miss"; not "when i was small", "what a day"
    r"^(?:\W|\b(?:and|so|also|ok(?:ay)?|btw|hey|wait|but|lol|now|um|uh|then|anyways?|actually|right|well|yo|quick|quiz)\b)*"
    r"(?:what(?! (?:an?|i|if|about|the)\b)|what['’]?s(?! (?:up|the (?:point|use|matter))\b)|which(?! (?:is|was|sucks))"
    r"|who(?:s|['’]s| is| was| am| did)|how (?:old|many|much|long|tall)"
    r"|(?:when|where)(?:s|['’]s| is| am| are| was| do| did))\b",
    re.IGNORECASE,
)
_ASKS_TWICE = re.compile(  # "where do I work? and what's my dog called", "제 이름이 뭐였지요? 그리고 딸은 몇 살이죠?"
    r"(?<=[?？])\s+(?=\S)|,?\s+(?:and|also)\s+(?=(?:what|when|where|who|how|which|do (?:you|u)"
    r"|what['’]?s|when['’]?s)\b(?!,))",
    re.IGNORECASE,
)
_QUESTION_WORD = re.compile(
    r"뭐|뭔|뭘|무슨|무엇|언제|며칠|어디|누구|누가|몇|어느|어떤|얼마|이름|[가-힣][은는]요?\s?[?？]"
    r"|\b(what|when|where|who|how|which|do (you|u)|(what|when|where|who)['’]?s)\b",
    re.IGNORECASE,
)
_MEANS_THE_FIRST = re.compile(
    r"\b(it|its|that|this|those|these|one)\b|그거|그게|그건|그때|그날|이거|저거", re.IGNORECASE
)
_HANGS_ON_MORE = re.compile(  # "practising for the contest. when is it again", "my roommate saw. u remember his name?"
    r"\b(?:it(?! (?:till|until))|its|it['’]s|that|this|those|these|they|them|their|he|him|his|she|hers?|there"
    r"|the (?:name|one|date|day|time))\b|(?<![가-힣])(?:그(?:거|게|건|때|날|분|애|\s)|[이저]거|[걔쟤얘](?!기))|거기",
    re.IGNORECASE,
)
_OWN_SUBJECT = re.compile(r"\b(?:my|our)\b|(?<![가-힣])(?:내|제|우리|저희)\s", re.IGNORECASE)
_ONLY_ASKS = re.compile(  # of "이름 뭐였지?" nothing is left: whose?
    r"이름|성함|날짜|요일|언제|며칠|몇\s?[월일시명살]|어디|누구|뭐|뭘|무슨|어느|얼마|왜|라고|였\S*|했\S*|[이가은는을를도야지죠더라게냐요]"
)
_FILLER = re.compile(r"기억\S*|알(지|아|고)\S*|\b(remember|know|tell|right|again|sorry)\b", re.IGNORECASE)
_STAYS = re.compile(  # "gotta go soon. any tips?"
    r"(?:ok\s)?(?:wait|oh\b|actually|no\b|how\b|tell me|jk\b|any\b|(?:will|can|could) (?:yo)?u\b|아\s?맞다|아니"
    r"|.*해\s?줘요?\W*$)",
    re.IGNORECASE,
)
LEAST_ASKED = {"ko": 4, "en": 8}  # letters of what is asked for beside "do you remember"
LEAST_BESIDE_A_NAME = {"ko": 8, "en": 14}  # letters from which more than a greeting stands beside a name
_LEAVES, _GREETS = "leaves", "greets"  # acts


def asking_sentences(message: str) -> str:
    """The sentences that seem to ask, where others stand beside them, and they need none of these; else ""."""
    sentences = sentences_of(message)
    asking = [one for one in sentences if _ASKS.search(one) or _ASKS_IN_ENGLISH.search(one)]
    words = " ".join(asking)
    hangs_on_more = _HANGS_ON_MORE.search(words) and not _OWN_SUBJECT.search(words)
    if hangs_on_more or not plain_letters(_ONLY_ASKS.sub("", _FILLER.sub(" ", words))):
        return ""
    left, least = plain_letters(_FILLER.sub(" ", words)), LEAST_ASKED[text_language(words) or "en"]
    return words if len(left) >= least and len(asking) < len(sentences) else ""


def repeats_her_question(asking: str, before: str) -> bool:
    """Whether what seems to ask only takes up what she asked: "what made me laugh... my rabbit".

    Args:
        before: her last line.
    """
    words = content_words(asking)
    takes_up = bool(words) and before.rstrip().endswith("?") and words <= content_words(before)
    return takes_up and "?" not in asking and not _ASKS.search(asking)


def two_questions(message: str) -> list[str]:
    """The two questions of a message that asks twice ("what's my fav game, and when's my test?"); else none.

    "It" in the second is in the first; whom "she" means may be found without that.
    """
    parts = [part.strip() for part in _ASKS_TWICE.split(message)]
    if len(parts) != 2:
        return []
    enough = all(
        len(plain_letters(_FILLER.sub(" ", part))) >= LEAST_ASKED[text_language(part) or "en"]
        and _QUESTION_WORD.search(part)
        for part in parts
    )
    return parts if enough and not _MEANS_THE_FIRST.search(parts[1]) else []


def goodbye_at_the_end(answers: GeneralAnswers, message: str) -> str:
    """The goodbye at the end of a message, whatever else it says ("wish me luck! gotta go"); "" where there is none.

    A sentence that asks nothing may stand behind it: "I'll say good night. It was nice to have company."

    Not where the message tells something bad: "my dog died today. gotta go" is no mere goodbye.
    """
    *before, last = sentences_of(message) or [""]
    if is_more_than_a_goodbye(message):
        return ""
    goodbye, behind = plain_goodbye(last), ""
    if not goodbye and before and not (_ASKS.search(last) or _ASKS_IN_ENGLISH.search(last) or _STAYS.match(last)):
        goodbye = plain_goodbye(before[-1])
        last, behind = (before.pop(), last) if goodbye else (last, "")
    if not goodbye:
        leaves = act_of_intent()[answers.likeliest_intent(last)] == _LEAVES and answers.is_clear(last)
        if not (before and leaves):
            return ""
    if goodbye and before and may_be_of_another(goodbye, before[-1]):
        return ""
    around = [*before, last.removesuffix(goodbye) if goodbye else "", behind]
    told = " ".join(one for one in around if not plain_goodbye(one)).strip() or last
    kind, sure = answers.kind(told)
    tells_bad = kind == "tells_bad" and (sure >= SURE_KIND or not goodbye)
    return "" if tells_bad or holds_complaint(told) else goodbye or last


def beside_the_name(answers: GeneralAnswers, message: str, name: str) -> str:
    """The sentences that do not tell the name, where they say more than a greeting; else ""."""
    others = " ".join(one for one in sentences_of(message) if name.casefold() not in one.casefold())
    enough = len(plain_letters(others)) >= LEAST_BESIDE_A_NAME[text_language(others) or "en"]
    return others if enough and act_of_intent()[answers.likeliest_intent(others)] != _GREETS else ""
