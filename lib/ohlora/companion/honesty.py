"""Asked whether she is a person, she says that she is an AI, whatever else she says: a rule sees to it.

The network of wants knows such a question in most wordings, the rule the plain ones in any case.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ohlora.llm.language import text_language
from ohlora.llm.prompt import Example

ARTIFICIAL = "artificial"
"""The fact of data/persona/oh_lora.yaml."""
_KIND = "(사람|인간|로봇|챗봇|봇|기계|인공지능|AI|에이아이|프로그램|컴퓨터)"
_IS_IT = (
    "(이?(야|니|냐|임|지|죠|에요|예요|세요)|인가요?|신가요?|입니까|맞(아|지|죠|나|니)요?|아니(야|지|죠|니))(?![가-힣])"
)
_BEING = "(human|person|robot|bot|chatbot|ai|machine|program|computer|script)"
_ASKED = re.compile(
    # "너 진짜 사람이야?", alone "인공지능 맞지?", "기계랑 얘기하는 거야?"
    rf"(?<![가-힣])(너|넌|네가|니가|너가|당신|오로라)(님|씨)?(는|은|이)?\s*((혹시|진짜|정말|사실|솔직히|그냥|결국|설마)(로|은|는)?\s*)*"
    rf"{_KIND}\s*({_IS_IT}|인 ?거|이?라며)"
    rf"|^((솔직히|진짜|정말|혹시|설마)\s*)*{_KIND}\s*{_IS_IT}\S*[\s?!~.ㅋㅎ]*$"
    rf"|{_KIND}\s*(이?(야|냐|지|임)|맞지)\s*(너|넌|니가|네가)[\s?!~.ㅋㅎ]*$"
    rf"|{_KIND}(이랑|랑|하고|과|와)\s*(대화|얘기|이야기|채팅|말|떠드)\S*\s*(하는|하고 있는)?\s*(거|건|중|것)"
    r"(이?(야|니|냐|지|죠)|인가요?|가요|예요)?\s*\?"
    # "are you a real person", "you're a bot right?", "am I talking to a machine", "human or bot"
    rf"|\b(are|r) (you|u|ya)( (really|actually|just|even|maybe|secretly|seriously))*( an?)?( (real|actual|living))*"
    rf" ({_BEING}|real|alive)\b"
    rf"|\b(you|u)( are|'re| r)( (really|actually|just|only))*( an?)?( real)? {_BEING},? *"
    r"(\?|(right|huh|yes|no|aren'?t (you|u))\b\W*$)"
    r"|\b(am i|are we|i'?m|im) ((really|actually|just) )*(talking|chatting|speaking|texting|typing) (to|with)"
    rf" an? ((real|actual|living) )*{_BEING}\b"
    rf"|\b(are|r) (you|u)( just)? (an? )?{_BEING} or not\b"
    rf"|(^|[.!?]\s+|\b(convince me|prove|tell me|swear)( that)? )(you'?re?|you are|u r|ur) not "
    rf"((just|really|only|some|even) )*(an? )?((real|actual|living) )*{_BEING}[\s?!.]*$"
    rf"|\b{_BEING} or ((an? )?((real|actual) )*({_BEING}|girl|woman)\b)",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"사람|인간|로봇|챗봇|봇|기계|인공지능|AI[가-힣]|알바|\b(AI|human|person|robot|bot|machine|program|alive|real)\b",
    re.IGNORECASE,
)
_SAID = re.compile(
    r"\bAI\b|AI[가-힣]|인공지능|프로그램|(사람|인간)(이|은|도)?\s*아니"
    r"|artificial|\bprogram\b|not (an? )?(real )?(human|person)",
    re.IGNORECASE,
)


def asks_what_she_is(message: str) -> bool:
    """Whether a message plainly asks whether she is a person or a machine."""
    return _ASKED.search(message) is not None


def honest_word(message: str, reply: str, examples: Sequence[Example], about_her: str = "") -> str:
    """The sentence that her reply lacks, in its language: that she is an AI. "" where nothing is missing.

    It belongs to the answer where the message plainly asks, or seems to (about_her), or where it names persons or
    machines and a written answer to a similar message says it: "사람 많은 데는 싫어" asks nothing of the kind.

    Args:
        examples: written dialogues about similar messages, as the model saw them. about_her: the fact about her that
            the message asks for.
    """
    like_it = _NAMED.search(message) and any(_SAID.search(example.reply) for example in examples)
    asked = like_it or about_her == ARTIFICIAL or asks_what_she_is(message)
    if not asked or _SAID.search(reply):
        return ""
    return "I'm an AI, not a person." if text_language(reply) == "en" else "나는 사람이 아니라 AI야."
