"""Who says good night, or asks for luck, hears it: "see you, I'll keep a pun ready" leaves the wish in the air."""

from __future__ import annotations

import re

from ohlora.llm.language import text_language
from ohlora.rag.goodbye_words import asks_for_luck

_WISHED = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        r"(?<![가-힣])(?<![가이] )(?<!드디어 )(?<!에서 )잘\s?자(요|라|렴)?"
        r"(?=[\s!~.,ㅋㅎㅠ]*($|오로라|로라|내일|낼|또|좋은))",
        r"(?<![가-힣])(굿나잇(이야|요)?|굿밤요?|안녕히\s?주무[세셔]요"
        r"|좋은\s?(꿈|밤)(?=[\s!~.,ㅋㅎㅠ]*$|\s?(꿔|꾸[세시자]|보내|되[세시]|돼)))",
        r"(?<![가-힣])(잘게요?(?=[\s!~.ㅋㅎㅠ]*($|잘))|(자야(지|겠다|겠어요?)|나\s?잔다)(?=[\s!~.ㅋㅎㅠㅂ]*$))",
        r"(?<![가-힣])자러\s?(감|간다|갈게요?|갈래|가요|갑니다|가야(지|겠다|겠어요?))(?=[\s!~.,ㅋㅎㅠ]|$)",
        r"(^|[.!?;)]\s*|[,!?.] |\b(?:ok|okay|well|then|out|bye|off),? )(nighty? ?night|night|nite|nighty)"
        r"(?=( (love|then|all|friend|x+|lora|oh-?lora))?\s*([,.!)]|x+$|$))",
        r"(^|[.!?,;)]\s*|\b(?:ok|okay|well|so|then|and|bye|have an?|wish you a|off,?) )"
        r"(good ?nite|good ?night|g['’]?night|gn)\b(?!['’]s|[\w ]*\?)(?! (in|out|moon|and good|i had|of|for|with|sleep)"
        r"\b)",
        r"(^|[.!?;)]\s*|(?<!well)[,!?.] |(?:^|[.!?]\s*)well,? |\b(?:ok|okay|then|bye|now),? "
        r"|(?:^|[.!?,;]\s*|\b(?:hope|and|now|then) )you )sleep (?:well|tight)"
        r"(?=\W*$|\s*[.!]|,? (?:love|dear|friend|oh-?lora|lora|tonight|both|or whatever|(?:if|when) (?:yo)?u)\b)"
        r"(?![^.!]*\?)",
        r"\bhit the (hay|sack)\b|\bsweet dreams(?=\W*(lora|$))",
        r"(\b(i['’]?m|i am|i['’]?ll be|me|gonna be) (now |just |finally )?|^\W*)(going|heading|off) to (bed|sleep)"
        r"(?= now|\W*$)",
    )
)
_SAID = re.compile(
    r"(?<![가-힣])(잘\s?자|푹|꿈|밤|이불|베개|눈 감|쉬어)|\b(night|dreams?|sleep|bed|pillow|rest(?! of)|tuck)\b",
    re.IGNORECASE,
)

_LUCK_SAID = re.compile(
    r"파이팅|화이팅|행운|응원|할 수 있|힘내|잘할"
    r"|\b(luck|fingers crossed|you can do|rooting|you['’]ve got this|cheering)\b",
    re.IGNORECASE,
)


def good_luck(message: str, reply: str) -> str:
    """The luck that a message asks for and her reply lacks, in its language; else ""."""
    if not asks_for_luck(message) or _LUCK_SAID.search(reply):
        return ""
    return "Good luck!" if text_language(reply) == "en" else "행운을 빌어!"


def wishes_good_night(message: str) -> bool:
    """Whether a message wishes a good night, or goes to bed now."""
    return any(form.search(message) for form in _WISHED)


def good_night(message: str, reply: str) -> str:
    """The wish that her reply lacks, in its language; "" where the message wishes none, or the reply speaks of it."""
    if not wishes_good_night(message) or _SAID.search(reply):
        return ""
    return "Good night!" if text_language(reply) == "en" else "잘 자!"
