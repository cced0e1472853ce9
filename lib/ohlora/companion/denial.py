"""What she said is denied: "no.. june 28", "아니 대전은 내가 사는 데고", "뭔 양말이야, 귤 얘긴데". She owns the slip.

The network of wants knows "no, I meant the other one"; after a quotation people only say what is right.
"""

from __future__ import annotations

import re
from functools import cache

import yaml

from ohlora.config import DATA
from ohlora.rag.change_wording import MOVES, tells_of_change
from ohlora.rag.content_words import content_words
from ohlora.rag.correction import denied_values, may_correct
from ohlora.rag.intents import read_general_answers, with_any_words
from ohlora.rag.wants import CORRECTS, TOLD_ALREADY

_NOT_TOLD_BACK = {"unknown", "unknown_too", "earlier_today"}  # phrases of data/persona/told_fact.yaml
_DENIES_NOTHING = (  # behind a "no"
    r" (way+|worries|problem|kidding|wonder|doubt|one|idea|thanks?|need|pressure|rush|shit|cap|joke|stop|fair)\b"
)
_NO = re.compile(
    r"^\W*(아니(?!메|\s?근데)(?=\W*$|\W*[,.!ㅡ]|[가-힣]*\W+\d|야|요|거든|.*(라고|라니까|는데|인데|이?고[\s요]|말고|말이|얘기|아니))"
    r"|아녀|아냐|아뇨|ㄴㄴ|노노|땡(?=$|[\W\d_])|틀렸|틀린|틀림(?!없)|뭔\s?소리|((그거|그게|그건|응)\s)?아(닌데|니야)"
    r"|((lol|lmf?ao+|haha|uh|um|ok|bro|bruh|erm|hmm|wow)[,. ]+)*"
    rf"(no+(?!{_DENIES_NOTHING}|[,. ]*(im|i['’]?m|i am) (not|so)\b| that( i|['’]?)s so)|nope|nah|wrong(?! or)"
    r"|not (quite(?! (ready|there|yet|sure))|that(?! i| it)|me[,.!]))\b)",
    re.IGNORECASE,
)
_INSISTS = re.compile(  # "고수라고 고수ㅋㅋ", "목포에요 목포", "생일은 말한 적 없어", "CURRY lmao no miso is my cat"
    r"(?<![가-힣])(?!정답|최고|천재|진짜|대박|맞)(?P<right>[가-힣]{2,6})(이?라고요?|이?라니까요?|이?에요|예요|이요)[\s,~!]+(?P=right)(?![가-힣]{2})"
    r"|^(?!.*(한테|에게|아무|누구)).*(말|얘기|알려\s?준)\S*\s?적\s?(이\s?|은\s?)?없"
    r"|\bi (never|didn['’]?t) (tell|told) (you|u)\b"
    rf"|\b(lmao+|lol|(ha){{2,}})\W+no\b(?!{_DENIES_NOTHING})"
    r"|^\W*(그건|그것도|그거)\s?(나|내|저|제)(\s?이름)?(이?임|이?야|이?잖아|이?라고|인데|이고)(?![가-힣])"
    r"|^\W*that['’]?s ((only|just) one(?=[.!,]|\W*$)|one[.,!] (there|the other|and the))"
    r"|^\W*((lol|lmf?ao+|haha|bruh|dude|ok|well)[,. ]+)*(that['’]?s|those are|these are|it['’]?s|\w+ is) "
    r"(only |just )?(one of (them|em|two)(?=[.!,]|\W*$)"
    r"|(my|her|his|the|our) [^.!?]{2,30}(,| and)? not (my|her|his|the|me)\b)"
    r"|\b(heavens|goodness) no\b|(^|, )not (himself|herself|him|her|them)(?=[,!]|\W*$)",
    re.IGNORECASE,
)
_CONTRADICTS = re.compile(
    r"얘기|말이야|잖아|라고|라니까|인데|는데|한다고|다고|됐고|나와|나왔|왜 나[와왔옴오]"
    r"|[뭔무]슨? .*(이야|야)\b|니가|ㅡㅡ|;;"
    r"|\b(i['’]?m|i (just |only )?(said|asked|was|wrote)|(you|u) just|it['’]?s|talking about|not what|whatever|dude"
    r"|nonsense|what on earth)\b",
    re.IGNORECASE,
)
_ASKS_PLAINLY = re.compile(
    r"(뭔|무슨)\s?(말|뜻|의미|소리)\s?(이야|이에요|이세요|인데|야|예요)요?(?=[\s?!.~ㅋㅎㅠㅜ]*$)|뭐라고(?=[\s?!.~ㅋㅎㅠㅜ]*$)"
    r"|왜 [^.?!]{0,14}[는은인]데요?(?=[\s?!.~ㅋㅎㅠㅜ]*$)"
)  # at the end of a message: "그게 무슨 말이야?" contradicts nothing
_TOLD_BEFORE = re.compile(
    r"(말|얘기|알려|언급)[가-힣]*\s?(했|해|줬|드렸)[가-힣]*(잖아|는데|거든|다니까|다고)|아까\s?(말|얘기|알려)"
    r"|\bi(['’]ve| have)? (just|already|literally|did) (tell|told|said|say|mentioned)\b|\bi(['’]ve)? told (you|u)\b",
    re.IGNORECASE,
)
_NOT_TOLD = re.compile(
    r"(말|얘기)\s?안\s?[했하]|안\s?말했|(친구|엄마|아빠|쌤|선생님|의사|병원|동생|언니|오빠|누나|형|누가)\S*\s(말|얘기|알려)|\S(한테|에게)\s"
    r"|\b(if|have(?! already)|not sure|don['’]?t think|never|haven['’]?t)\b.{0,12}\b(told|said)\b"
    r"|\b(told|said to) (my|the|him|her|them)\b",
    re.IGNORECASE,
)
_PRAISES = re.compile(
    r"맞아|맞다|맞네|맞는|기억(력|해|하|났|남)|대박|소름|신기|고마|땡큐"
    r"|\b(right|correct|perfect|remember\w*|that['’]?s it|thank(s| you| u| ya)?(?! god))\b",
    re.IGNORECASE,
)


def denied(message: str, before: str) -> str:
    """The want of a message that denies what she told back, else "". before: her last line, as it was written.

    Where she greeted by a name and asked something, a mere "no" is the answer: "Kenji! Is there a story behind it?"
    """
    if not (_NO.search(message) or _INSISTS.search(message)) or _PRAISES.search(message):
        return ""
    told, greets = (any(form.search(before) for form in forms) for forms in (_told_back(), _greetings()))
    answers = before.rstrip().endswith("?") and not contradicts(message)
    return CORRECTS if told or (greets and not answers) else ""


def told_before(message: str, before: str) -> str:
    """The want of a message that says it was told already, where she just said that she does not know; else ""."""
    if not any(form.search(before) for form in _not_known()):
        return ""
    return TOLD_ALREADY if _TOLD_BEFORE.search(message) and not _NOT_TOLD.search(message) else ""


def is_news(message: str, before: str) -> bool:
    """Whether a message that sounds like a correction tells of a change instead, of which she had said nothing.

    "아들 전역이 3월이 아니고 2월이란다", "I am no longer running in March": no slip of hers. before: her last line.
    """
    if any(form.search(before) for form in _told_back()) and not MOVES.search(message):
        old = denied_values(message)
        return bool(old) and not any(one in before for one in old)
    changes = tells_of_change(message) or may_correct(message)
    return changes and not content_words(message) & content_words(before)


def contradicts(message: str) -> bool:
    """Whether a message that asks back about her line says that it was beside the point: "뭔 양말이야, 귤 얘긴데"."""
    return _CONTRADICTS.search(_ASKS_PLAINLY.sub(" ", message)) is not None


@cache
def _phrases() -> dict[str, dict[str, str | list[str]]]:
    return yaml.safe_load((DATA / "persona" / "told_fact.yaml").read_text(encoding="utf-8"))


@cache
def _not_known() -> tuple[re.Pattern[str], ...]:
    """How she says that she does not know."""
    return tuple(
        re.compile(with_any_words(phrase))
        for told in _phrases().values()
        for phrase in [*told["unknown"], told["unknown_too"]]
    )


@cache
def _told_back() -> tuple[re.Pattern[str], ...]:
    """How she tells back: the phrases with anything in their gaps."""
    phrases = [
        phrase
        for told in _phrases().values()
        for name, some in told.items()
        if name not in _NOT_TOLD_BACK
        for phrase in ([some] if isinstance(some, str) else some)
    ]
    return tuple(re.compile(with_any_words(phrase)) for phrase in phrases)


@cache
def _greetings() -> tuple[re.Pattern[str], ...]:
    """How she greets by a name."""
    greetings = [one.reply for one in read_general_answers() if one.intent == "tells_name" and "{value}" in one.reply]
    return tuple(re.compile(with_any_words(greeting)) for greeting in greetings)
