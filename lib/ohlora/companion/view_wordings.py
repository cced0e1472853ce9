"""The few wordings in which a message plainly asks for a view: "귀엽지 않음?", "is that weird?", "그린라이트야?".

Kinds: warm and blamed (tag questions about something good or bad), wronged ("억울하지 않겠어?"), name (one that the
user just made up), idea and feeling (doubts about oneself), joy (an idea that is surely harmless), would (the one way
out that is named), sign (of being liked). Only the end of a message counts: what follows a question may change what it
is about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import yaml

from ohlora.config import DATA
from ohlora.rag.complaint_words import holds_complaint
from ohlora.rag.sentences import sentences_of


class AskedView(NamedTuple):
    """kind: of view, see data/persona/plain_view.yaml. word: that she says back; "": none."""

    kind: str
    word: str = ""


_ANY = re.IGNORECASE
_END = r"(?:\s?(?:그[치죠]|솔직히|진짜|응))?[\s?？!~.…,ㅋㅎㅠㅜ^;]*$"
_TAIL = (
    r"(?:\s(?:lol|haha\w*|tho|though|lmao|or what|then|honestly|be honest|do (?:yo)?u think))*"
    r"[\s?!.…,~:;)(]*$"
)
_ASKED = r"(?=[\s~.…ㅋㅎㅠㅜ]*[?？])"  # where the words alone may be a statement

# Tag questions.
_TAG_NOT = rf"지\s?않(?:냐|니|나요?|습니까|을까요?|겠[가-힣]{{1,3}}|(?:아요?|음){_ASKED}){_END}"
_TAG = rf"(?:[지죠쥬]요?{_END}|{_TAG_NOT})"
_TAG_INDEED = rf"지\s?않겠[가-힣]{{1,3}}{_END}"
_RATHER = (
    rf"\s?(?:거|것)\s?(?:아니(?:[야냐죠지]|에요|예요|[ㄴ인]?가요?){_ASKED}|아[냐님]{_ASKED}"
    rf"|맞[지죠]요?){_END}"
)
_HER = re.compile(
    r"(?<![가-힣])(?:너|넌|널|니|네(?!,)|니가|네가|너희\S*|당신\S*|그대\S*|자네\S*|오로라|로라)"
    r"(?=[\s은는이가도의한랑,?]|$)"
    r"|실물|미모|프사|\b(?:yo)?u(?!\s(?:know|think|reckon)\b)(?:['’]?re|r)?\b|\byo?ur\b",
    _ANY,
)
_OF_ME = re.compile(r"(?<![가-힣])(?:내가|제가|나|난|저|전|나도|저도|나만)\s|\b(?:i|i['’]?m|im|me)\b", _ANY)
_NOT_OF_ME = ("웃긴다", "예쁘다", "pretty", "beautiful", "gorgeous", "handsome")  # nor does she see the user
_DENIES = re.compile(
    r"(?:(?<![가-힣])(?:안|별로|하나도|전혀|덜)\s?|라도\s"
    r"|\b(?:not|less|hardly|never|(?:is|was|are|were|do|does|did|ai)n['’]?t)\b[^.,]{0,20})$",
    _ANY,
)
_WAS_SAID = re.compile(  # by somebody else: 'she goes "isn''t it cute?"'
    r"\b(?:said|says|saying|asked|asks|told|goes|went|was like|texted|wrote)\b"
    r"|[가-힣](?:라고|냐고|다고|다는데|[대래]요?)\s",
    _ANY,
)
_WEEPS = re.compile("[ㅠㅜ]{2}")
_TENDER = ("귀엽다", "예쁘다", "사랑스럽다", "기특하다", "대견하다", "좋다")  # people weep over these for joy
_SUBJECT = r"(?:it|that|this|he|she|they|(?:my|our|the|his|her) \w+(?: \w+)?)"
_VERY = r"(?:(?:just|so|such|really|the|an?|too|absolutely|kinda|kind of|quite|pretty|rather|super|very|totally) )*"
_AGREED = r"(?:right|huh|innit|(?:is|ai)n['’]?t (?:it|he|she|that)|don['’]?t (?:yo)?u think)"
_HOW = {"warm": _SUBJECT, "blamed": "(?:it|that|this)"}  # "how mean is he?" wants to know it
_ENGLISH_TAGS = (
    rf"\b(?:is|was|are|were|ai)n['’]?t {_SUBJECT} {_VERY}(?P<word>WORD)(?: (?!to\b|that\b)\w+)?{_TAIL}",
    rf"\b(?P<word>WORD)(?: \w+)?,? {_AGREED}{_TAIL}",
    rf"\bhow (?P<word>WORD) (?:is|are|was) HOW{_TAIL}",
    rf"\bdon['’]?t (?:yo)?u think {_SUBJECT}(?:['’]?s| is| are| was)? {_VERY}(?P<word>WORD){_TAIL}",
)

# Names that the user just made up.
_TITLE = r"(?:이름|제목|닉네임|아이디|팀명|상호|가게\s이름)"
_SETTLED = (
    r"(?:정[했하함할해]|지[었을으]|지음|짓|붙[였이여]|부[르를]|불러|할래|할까|하려|할라|할\s?거|했[어음다는]|하기로)"
)
_NAMES_KOREAN = re.compile(
    rf"{_TITLE}(?:은|는|이|을|를|도)?\s[^?.!]{{0,24}}?(?:이?라고|으?로)\s?(?:벌써\s|이미\s|일단\s)?{_SETTLED}"
    rf"|[가-힣A-Za-z]+['\"”’]?(?:이?라고|으?로)\s{_TITLE}(?:은|는|이|을|를)?\s?(?:벌써\s|이미\s)?{_SETTLED}"
    rf"|{_TITLE}(?:은|는|이|을|를)?\s?(?:벌써\s|이미\s|드디어\s)?(?:정했[어음다는]|지었[어음다는])"
)
_LIKES_KOREAN = re.compile(
    r"(?:어때요?|어떰|어떤가요|어떠냐|어(?:떻게|[케캐])\s?생각[가-힣]*|(?:맘|마음)에\s?들[가-힣]*"
    rf"|괜찮[지죠아나냐을은]\S*|좋[지죠](?:\s?않\S*)?){_END}"
)
_NO_NAME = (
    r"(?!(?:to|back|when|and|if|about|at|after|again|for|every|an?|what|in|on|off|out|up|now|later|first|or|quits?|tomorrow"
    r"|today|tonight|this|before|until|till|because|so|from|by|with)\b)"
)
_PET = (
    r"(?:new |little )?(?:dog|cat|kitten|pupp?y?|goldfish|fish|hamster|bunny|rabbit|budgie|parrot|hen|tortoise|turtle"
    r"|gecko|plant|cactus|tree|bike|car|boat|caf[eé]|bakery|shop|band|team|blog|channel|podcast|song|album|novel|game"
    r"|starter|sourdough|robot|hoover|guitar)"
)
_ONE = rf"(?:it|this(?: one)?|(?:my|our|the) {_PET})"
_NAMES_ENGLISH = re.compile(
    r"(?:\b(?:gonna|going to|want to|wanna|decided to|(?:should|shall|might|could) i|i (?:might|could))|['’]ll)"
    rf" (?:call {_ONE}|name (?:{_ONE}|him|her|them)) {_NO_NAME}[\"“'‘]?\w"
    rf"|\bnam(?:ed|ing) (?:{_ONE}|him|her|them) {_NO_NAME}[\"“'‘]?\w"
    rf"|\b(?:its|(?:dog|cat|puppy|kitten|band|boat)['’]?s) name is {_NO_NAME}[\"“'‘]?\w"
    r"|\bwhat do (?:yo)?u think (?:of|about) the name \w",
    _ANY,
)
_LIKES_ENGLISH = re.compile(
    rf"(?:\b(?:(?:do |d['’]?)?(?:yo)?u|ya) like (?:it|that|the name){_TAIL}|\blike it\s*\?{_TAIL}|\bthoughts\s*\?$"
    rf"|\bwh?at d[o']? ?(?:yo|y)?u think(?: (?:of|about) (?:it|that))?{_TAIL}|\bgood name{_TAIL}"
    rf"|\bis (?:it|that) (?:a )?(?:good|ok|okay|nice)(?: name| one)?{_TAIL}"
    rf"|\bthink (?:of|about) the name [^,.?!]{{2,40}}{_TAIL})",
    _ANY,
)

# Doubts about oneself, and about what one does.
_SELF = r"(?<![가-힣])(?:내가|제가|나|저|나만|저만|난|전)\s(?:[가-힣]+\s){0,3}?"
_DEED_KOREAN = r"(?:[가-힣]\s?(?:게|거|건|면|것|사람)|[는은간한]\s?나|(?<![가-힣])(?:이거|이게|이건|그거|그게))\s?"
_HOW_MUCH = r"(?:(?:좀|너무|많이|진짜|혹시|그렇게|괜히|솔직히)\s)*"
_IS_IT_SO = (
    r"(?:(?:한|스러운|인|같은|하는|떠는|은|부린|부리는)?\s?(?:걸까요?|건가요?|거냐|건지)"
    rf"|(?:한|스러운|인|같은|하는|떠는|은)?\s?(?:거야|거지|거임|거죠|거예요|거에요){_ASKED}"
    r"|(?:한가요?|인가요?|일까요?|하냐|이?냐|했나요?|하나요?|같나요?|은가요?)"
    rf"|(?:이?야|이?지|이?죠|임|이?예요|이?에요|해요?|함|하지|하죠|한지|같아요?|같지){_ASKED})"
)
_SENSITIVE = r"(?:예민|과민|민감|까칠)"
_FEELING_KOREAN = re.compile(rf"(?:{_SELF}{_HOW_MUCH}|^(?:좀\s|너무\s)?){_SENSITIVE}{_IS_IT_SO}{_END}")
_SELF_KOREAN = rf"{_SELF}{_HOW_MUCH}(?:WORD){_IS_IT_SO}{_END}"
_IDEAS_KOREAN = (
    rf"{_DEED_KOREAN}{_HOW_MUCH}(?:WORD){_IS_IT_SO}{_END}",
    r"(?<![가-힣])(?:WORD)(?:한|\s?같은|맞은|스러운|는)\s(?:생각|질문|고민|소리|짓|아이디어)"
    rf"(?:일까요?|인가요?|이?냐|(?:이?야|이?지|임|이?죠){_ASKED}){_END}",
)
_TOO_MUCH_KOREAN = rf"(?:^|[가-힣]\s)(?:WORD)(?:일까요?|인가요?|(?:이?야|이?냐|임){_ASKED}){_END}"
_TOO_MUCH = ("오바|오버", "유난")
_ASKS_HER = re.compile(
    r"\b(?:do|are|can|have|did|would|could|will) (?:(?:yo)?u|ye|ya) (?!think\b)|\bi (?:\w+ ){1,2}(?:yo)?u$", _ANY
)
_TOO = r"(?:(?:so|really|too|just|that|kinda|kind of|a bit|a little|totally|being|actually|completely) )*"
_WHAT = r"(?:(?! or )[^?!.,;]){3,60}"
_DEED = rf"(?: of me)?(?: (?:to|that i|if i|for \w+ing) {_WHAT})?"
_THINKS = r"\bdo (?:yo)?u think"
_IDEAS_ENGLISH = (
    rf"\b(?:is|was) (?:it|that|this) {_TOO}(?:an? )?(?P<word>WORD)(?: (?:idea|thing|question))?{_DEED}{_TAIL}",
    rf"\b(?:am|was) i {_TOO}(?P<word>WORD)(?: (?:here|(?:to|for) {_WHAT}|or [^?!.,;]{{2,50}}))?{_TAIL}",
    r"(?:^|[.,!?]\s|\b(?:that|kinda|or an?) )(?:an? )?"
    rf"(?P<word>WORD) (?:idea|question|thought)(?: of mine)?\s*\?{_TAIL}",
    rf"\bgood idea,? or (?:an? |just )?(?P<word>WORD)(?: idea| one)?{_TAIL}",
    rf"{_THINKS} (?:(?!(?:he|she|they|people|everyone|yo?u)\b)\w+ ){{0,3}}?"
    r"(?:is|are|it['’]?s|its|that['’]?s|i['’]?m|im|i am)"
    rf" {_TOO}(?:an? )?(?P<word>WORD)(?: (?:idea|thing|question)(?: to [\w ]{{2,40}})?)?{_DEED}{_TAIL}",
    rf"(?<!how )\b(?P<word>WORD),? is(?:n['’]?t|nt)? (?:it|that|this){_TAIL}",
)
_OVER = r"(?:over ?react(?:ing)?|(?:over ?)?sensitive|dramatic)"
_FEELINGS_ENGLISH = re.compile(
    rf"(?:\b(?:am|was) i|{_THINKS} (?:i['’]?m|i am|im|i was)) {_TOO}{_OVER}"
    rf"(?: (?:here|(?:about|or) [^?!.]{{2,50}}))?{_TAIL}",
    _ANY,
)
_JOY = {  # the whole message: nothing stands beside it
    "ko": r"^(?:(?:근데|혹시|내가|제가|나|이제|아직도?|뒤늦게|(?:서른|마흔|쉰|예순|이|\d+살?)\s?(?:살|나이)?에?)\s)*"
    r"(?:SUBJECT)(?:[을를이가에도]|로)?\s(?:VERB)\s?[게거건것][은이]?\s\S{2,9}(?:\s\S{1,4})?$",
    "en": r"^(?:(?:so|ok|hey|hmm|honestly),? )?(?:(?:is|was) (?:it|that) (?:\w+ ){1,4}(?:to|(?:that|if) i(?:['’]?m)?)"
    r" (?:(?:still|really|want to|be) )*(?:VERB)"
    r" (?:(?:the|my|a|some|old|sad|to|this) )*(?:SUBJECT)(?: at (?:my age|\d\d)| so much)?"
    rf"|{_THINKS} (?:SUBJECT) (?:is|are) (?:\w+ ){{1,3}}(?:thing|subject|degree|hobby|idea) to (?:VERB))[?!. ]*{_TAIL}",
}

# The one way out that is named.
_ASKS_WHAT = re.compile(
    r"뭐|뭘|무슨|무엇|어디|어떤|어느|어떻|어[케캐]|어떡|언제|누구|누가|몇|얼마|왜|아니면|\bvs\b|또는|말까"
    r"|\b(?:what|which|who|when|where|how)\b",
    _ANY,
)
_BETTER = r"(?:나을까요?|낫겠[지죠]요?|나으려나요?|좋을까요?|좋겠[지죠]요?|(?:낫|좋)지\s?않을까요?|나을까\s?싶어요?)"
_WOULD = {
    "ko": rf"(?:^|(?<![안못])\s)(?:LIGHT)는\s?(?:게|거|것이|편이|쪽이)\s?(?:더\s|훨씬\s|차라리\s)?{_BETTER}{_END}",
    "en": r"\b(?:is it|would it be|it['’]?s|maybe|probably) (?:probably |maybe )?better "
    rf"(?:to|if i) (?:just )?(?:LIGHT)\b(?:(?! or )[^?!.,;]){{0,30}}[\s?]*{_TAIL}",
}
_COUNTED = re.compile(r"나을|낫|좋을|[가-힣]까(?=[\s?,]|$)")  # a view of one way counts twice: "나을까"

# Signs of being liked.
_SURELY = (
    r"(?:[이인]?(?:냐|니|인가요?|일까요?|가요?)"
    rf"|(?:이?[야지죠]|임|이?예요|이?에요){_ASKED}|\s?(?:맞[지죠나냐]요?|맞아{_ASKED}|각{_ASKED}|{_ASKED}))"
)
_PERHAPS = r"(?:걸까요?|건가요?|거\s?(?:같아|맞[지죠나아]|야|지|죠)\S{0,2})"
_SIGN_KOREAN = re.compile(rf"(?:그린\s?라이트{_SURELY}|(?<=[가-힣]\s)썸{_SURELY}|(?<=[가-힣]\s)썸이야\s아니야){_END}")
_LIKED_KOREAN = re.compile(
    r"(?<![가-힣])(?:나|저)(?:한테|에게)\s?(?:(?:조금|좀|진짜|혹시)\s)?(?:마음이?|관심이?|호감이?)\s?(?:조금은?\s|좀\s)?"
    rf"있는\s?{_PERHAPS}{_END}"
    rf"|(?<![가-힣])(?:나|날|저)(?:를|을)?\s?(?:(?:진짜|혹시|좀)\s)?좋아하(?:는\s?{_PERHAPS}|나요?|냐){_END}"
)
_THEM = re.compile(
    r"걔|(?<![가-힣])그\s?(?:애|사람|분|친구|오빠|남자|여자|형|누나|언니)|썸[남녀]|짝[남녀]|소개팅|오빠|누나|선배|후배|동기"
    r"|얘|쟤|이\s?(?:사람|남자|여자|분)|친구|[가-힣]{2}(?:씨|이가|이는|이도)"
)
_SHE = r"(?:he|she|they|my crush|this guy|this girl)"
_REALLY = r"(?:(?:really|actually|maybe|secretly|might|could|is|are|be) )*"
_OR_NOT = r"(?: back)?(?:,? or [^?!.]{2,50})?"
_LIKED_ENGLISH = re.compile(
    rf"\b(?:(?:does|do) {_SHE} {_REALLY}(?:like|fancy)|(?:is|are) {_SHE} {_REALLY}(?:in ?to|interested in)"
    rf"|do (?:yo)?u think {_SHE}(?:['’]?s)? {_REALLY}(?:likes?|fanc(?:y|ies)|in ?to|interested in)) me\b"
    rf"{_OR_NOT}{_TAIL}",
    _ANY,
)


def asked_view(message: str, language: str, before: Sequence[str] = ()) -> AskedView | None:
    """The view that a message plainly asks for at its end; None: none.

    Args:
        language: ``"ko"`` or ``"en"``, of the message.
        before: what the user said before it, the newest last; who is meant may stand there.
    """
    *_, former, last = "", "", *sentences_of(message)
    asks = [last]
    if re.search("[?？]", former) and not re.search("[?？]", last):  # "is that weird? be honest"
        asks.append(former)
    return next((found for one in asks for found in _views(message, one, language, before)), None)


def _views(message: str, last: str, language: str, before: Sequence[str]) -> Iterator[AskedView]:
    """The views that a message asks for. last: its sentence that may ask."""
    if _is_sign(message, last, language, before):
        yield AskedView("sign")
    yield from _tag(message, last, language)
    if _is_name(message, last, language):
        yield AskedView("name")
    yield from _doubts_korean(message, last) if language == "ko" else _doubts_english(message, last)
    if _is_better(message, last, language):
        yield AskedView("would")


def _is_sign(message: str, last: str, language: str, before: Sequence[str]) -> bool:
    if language == "en":
        return _LIKED_ENGLISH.search(last) is not None
    about = " ".join([*before[-1:], message])
    return _SIGN_KOREAN.search(last) is not None or bool(_LIKED_KOREAN.search(last) and _THEM.search(about))


def _tag(message: str, last: str, language: str) -> Iterator[AskedView]:
    if _HER.search(last):
        return
    for kind, word, form in _tags(language):
        if (found := form.search(last)) is None:
            continue
        before, said = last[: found.start()], word or found["word"].casefold()
        if _DENIES.search(before) or _WAS_SAID.search(before):
            return
        if _OF_ME.search(before) and (kind == "blamed" or said in _NOT_OF_ME):
            return
        weeps = _WEEPS.search(message) is not None and said not in _TENDER
        if kind == "warm" and (holds_complaint(message) or weeps):
            return
        yield AskedView(kind, said)


def _is_name(message: str, last: str, language: str) -> bool:
    names, likes = (_NAMES_KOREAN, _LIKES_KOREAN) if language == "ko" else (_NAMES_ENGLISH, _LIKES_ENGLISH)
    return likes.search(last) is not None and names.search(message) is not None


def _doubts_korean(message: str, last: str) -> Iterator[AskedView]:
    if _FEELING_KOREAN.search(last):
        yield AskedView("feeling")
    joy = _joy("ko").search(message) is not None
    for word, of_oneself, of_deeds in _korean_doubts():
        if of_oneself.search(last) or any(form.search(last) for form in of_deeds):
            yield AskedView("joy" if joy else "idea", word)


def _doubts_english(message: str, last: str) -> Iterator[AskedView]:
    if _FEELINGS_ENGLISH.search(last):
        yield AskedView("feeling")
    if _ASKS_HER.search(message):
        return
    kind = "joy" if _joy("en").search(message) else "idea"
    for form in _english_doubts():
        if (found := form.search(last)) is not None:
            yield AskedView(kind, found["word"].casefold())


def _is_better(message: str, last: str, language: str) -> bool:
    several = language == "ko" and len(_COUNTED.findall(message)) > 2
    return not (several or _ASKS_WHAT.search(last)) and _would(language).search(last) is not None


@cache
def _tags(language: str) -> list[tuple[str, str, re.Pattern[str]]]:
    """Kind, the word that is said back ("": as it was said), and how it is asked."""
    rows = view_content()["words"]
    if language == "en":
        either = {kind: "|".join(words["en"]) for kind, words in rows.items() if "en" in words}
        return [
            (kind, "", re.compile(form.replace("WORD", words).replace("HOW", _HOW[kind]), _ANY))
            for form in _ENGLISH_TAGS
            for kind, words in either.items()
        ]
    endings = {"tag": _TAG, "rather": _RATHER, "not": _TAG_NOT, "indeed": _TAG_INDEED}
    found = []
    for kind, words in rows.items():
        for said, asked in words["ko"].items():
            either = "|".join(f"(?:{stems}){endings[ending]}" for ending, stems in asked.items())
            found.append((kind, said, re.compile(rf"(?<![가-힣])(?:{either})")))
    return found


@cache
def _english_doubts() -> list[re.Pattern[str]]:
    either = "|".join(view_content()["doubts"]["en"])
    return [re.compile(form.replace("WORD", either), _ANY) for form in _IDEAS_ENGLISH]


@cache
def _korean_doubts() -> list[tuple[str, re.Pattern[str], list[re.Pattern[str]]]]:
    """How she denies it, how it is asked about oneself, and about what one does."""
    found = []
    for denied, word in view_content()["doubts"]["ko"].items():
        forms = [*_IDEAS_KOREAN, *([_TOO_MUCH_KOREAN] if word in _TOO_MUCH else [])]
        of_oneself, *of_deeds = (re.compile(form.replace("WORD", word)) for form in (_SELF_KOREAN, *forms))
        found.append((denied, of_oneself, of_deeds))
    return found


@cache
def _joy(language: str) -> re.Pattern[str]:
    known = view_content()["joys"][language]
    return re.compile(_JOY[language].replace("VERB", known["verb"]).replace("SUBJECT", known["subject"]), _ANY)


@cache
def _would(language: str) -> re.Pattern[str]:
    return re.compile(_WOULD[language].replace("LIGHT", view_content()["light"][language]), _ANY)


@cache
def view_content() -> dict[str, Any]:
    """data/persona/plain_view.yaml."""
    return yaml.safe_load((DATA / "persona" / "plain_view.yaml").read_text(encoding="utf-8"))
