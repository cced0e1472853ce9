"""Which sentences of a longer message she answers: those that ask, a goodbye at the end, what is beside a name."""

from __future__ import annotations

import re

from ohlora.llm.language import text_language
from ohlora.llm.reply_format import plain_letters
from ohlora.rag import GeneralAnswers
from ohlora.rag.intents import act_of_intent

_SENTENCE_ENDS = re.compile(r"(?<=[.!?？…~;])\s+|(?<=[ㅋㅎㅠㅜ]{2})\s+|(?<=[\U0001F300-\U0001FAFF])\s+|\n+")
_ASKS = re.compile(
    r"[?？][\sㅋㅎㅠㅜ~!]*$|(기억(하|나|함|해)\S*|알지|아냐|알아|[가-힣](더라|했지|랬지|였지)|[뭐디제구]게)[\s!.~ㅋㅎㅠㅜ]*$|\bremember\b|\bagain\W*$",
    re.IGNORECASE,
)
_ASKS_IN_ENGLISH = re.compile(  # "also whats the food i miss"; not "when i was small", "what a day"
    r"^(?:\W|\b(?:and|so|also|ok(?:ay)?|btw|hey|wait|but|lol|now|um|uh|then|anyways?|actually|right|well|yo|quick|quiz)\b)*"
    r"(?:what(?! (?:an?|i|if|about)\b)|who(?:s|['’]s| is| was| am| did)|which|how (?:old|many|much|long|tall)"
    r"|(?:when|where)(?:s|['’]s| is| am| are| was| do| did))\b",
    re.IGNORECASE,
)
_HANGS_ON_MORE = re.compile(  # "practising for the contest. when is it again", "my roommate saw. u remember his name?"
    r"\b(?:it|it['’]?s|they|them|their|he|him|his|she|hers?|there)\b|그(?:거|게|건|때|날|분|애)|거기|(?<![가-힣])[걔얘쟤]",
    re.IGNORECASE,
)
_FILLER = re.compile(r"기억\S*|알(지|아|고)\S*|\b(remember|know|tell|right|again|sorry)\b", re.IGNORECASE)
LEAST_ASKED = {"ko": 4, "en": 8}  # letters of what is asked for beside "do you remember"
LEAST_BESIDE_A_NAME = {"ko": 8, "en": 14}  # letters from which more than a greeting stands beside a name
_LEAVES, _GREETS = "leaves", "greets"  # acts


def sentences_of(message: str) -> list[str]:
    """The sentences that hold letters, in their order."""
    return [one.strip() for one in _SENTENCE_ENDS.split(message) if plain_letters(one)]


def asking_sentences(message: str) -> str:
    """The sentences that seem to ask, where others stand beside them, and they need none of these; else ""."""
    sentences = sentences_of(message)
    asking = [one for one in sentences if _ASKS.search(one) or _ASKS_IN_ENGLISH.search(one)]
    words = " ".join(asking)
    if _HANGS_ON_MORE.search(words):
        return ""
    left, least = plain_letters(_FILLER.sub(" ", words)), LEAST_ASKED[text_language(words) or "en"]
    return words if len(left) >= least and len(asking) < len(sentences) else ""


def goodbye_at_the_end(answers: GeneralAnswers, message: str) -> str:
    """The last sentence where it says goodbye and others stand before it ("wish me luck! gotta go"); else "".

    Not where these tell something bad: "my dog died today. gotta go" is no mere goodbye.
    """
    *before, last = sentences_of(message) or [""]
    if not before or act_of_intent()[answers.likeliest_intent(last)] != _LEAVES or not answers.is_clear(last):
        return ""
    return "" if answers.kind(" ".join(before))[0] == "tells_bad" else last


def beside_the_name(answers: GeneralAnswers, message: str, name: str) -> str:
    """The sentences that do not tell the name, where they say more than a greeting; else ""."""
    others = " ".join(one for one in sentences_of(message) if name.casefold() not in one.casefold())
    enough = len(plain_letters(others)) >= LEAST_BESIDE_A_NAME[text_language(others) or "en"]
    return others if enough and act_of_intent()[answers.likeliest_intent(others)] != _GREETS else ""
