"""How she speaks Korean to a user: plainly, as friends do (반말), or politely (존댓말) where that was wished.

The wish is found by rules, answered at once, and kept as a memory, "말투: 존댓말": the user sees it in the list, and it
can be forgotten there.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import Any, Literal

import yaml

from ohlora.companion.polite_speech import polite
from ohlora.config import DATA
from ohlora.llm.reply_format import ReplyProgress, format_reply, stream_reply
from ohlora.rag import Memory
from ohlora.rag.sentences import sentences_of
from ohlora.rag.told_names import NICKNAME_KEYS, PLAIN_NAME_KEYS

SpeechLevel = Literal["존댓말", "반말"]

SPEECH_KEY = "말투"
"""Key of the memory that holds the wish."""
POLITE, PLAIN = "존댓말", "반말"

_FORGETS = re.compile(r"잊어|지워|삭제")
_TAG = re.compile(r"(알겠|알았|그[렇치쵸럴]|괜찮|되[지죠]|돼|됐|맞|오케이|ㅇㅋ|어때|어떠|할 수)")  # "말 놔요. 알겠지?"
_POLITE_END = re.compile(r"(?<!필)(?<!중)요$|니다$|니까$|죠$")
_SENTENCE_ENDS = re.compile(r"[.!?~…^ㅋㅎㅠㅜ\n]+")


def wished_speech(message: str) -> SpeechLevel | None:
    """How a message asks her to speak from now on ("말 놔도 돼", "존댓말 써 주세요"); None: it does not.

    Who tells of a customer's 반말, or asks whether to use 존댓말 to a mother-in-law, wishes nothing.
    """
    if _FORGETS.search(message):
        return None
    levels, refused, asked, of_others = _wordings()
    wished = None
    for sentence in filter(None, (one.strip() for one in _SENTENCE_ENDS.split(message))):
        if of_others.search(sentence) or not (named := list(levels.finditer(sentence))):
            continue
        last = named[-1]
        contrary = refused.search(sentence, last.start())
        if contrary or asked.search(sentence, named[0].start()):
            wished = POLITE if (last.lastgroup == "polite") != bool(contrary) else PLAIN
    return wished


def wish_in_talk(message: str, said_before: Sequence[str]) -> SpeechLevel | None:
    """wished_speech, and the yes of somebody whom she just offered 존댓말. said_before: her last replies."""
    offered = bool(said_before) and said_before[-1].endswith(_content()["offer"])
    agrees = offered and re.search(_content()["agrees"], message.strip()) is not None
    return wished_speech(message) or (POLITE if agrees else None)


def speech_answer(message: str, level: SpeechLevel | None) -> Iterator[ReplyProgress] | None:
    """Her yes, spoken as it is wished; None where nothing is wished."""
    if level is None:
        return None
    sentences = _content()["answers"][level]
    chosen = sentences[zlib.crc32(message.encode("utf-8")) % len(sentences)]
    return stream_reply(iter([format_reply(chosen, "happy", 0.5)]))


def asks_something_else(message: str) -> bool:
    """Whether a message that wishes her to speak so asks for more at its end: "편하게 하세요~ 근데 이름이 뭐예요?"."""
    sentences = sentences_of(message)
    last = re.sub(r"[\sㅋㅎ~^]+$", "", sentences[-1]) if len(sentences) > 1 else ""
    return last.endswith(("?", "？")) and not _TAG.match(last) and wished_speech(last) is None


def speech_offer(message: str) -> str:
    """What she adds to her answer to a user's first message where that is polite: that she can speak so, too; else "".

    She speaks as friends of her age do, and who is older cannot know that she may be asked for 존댓말. Where nothing of
    the user is kept it may come again.
    """
    sentences = (re.sub(r"[\W_]+$", "", one) for one in _SENTENCE_ENDS.split(message))
    polite_ones = any(_POLITE_END.search(one) for one in sentences)
    return _content()["offer"] if polite_ones and wished_speech(message) is None else ""


def speech_for(wished: SpeechLevel | None, memories: Sequence[Memory]) -> Callable[[str], str] | None:
    """What turns her plain words into those that are shown to the user; None: they stay.

    Args:
        wished: just now, which comes before what is stored. memories: all of the user, oldest first.
    """
    levels = [one.value for one in memories if one.key == SPEECH_KEY and one.value in (POLITE, PLAIN)]
    level = wished or (levels[-1] if levels else PLAIN)
    if level != POLITE:
        return None
    names = [[one.value for one in memories if one.key.casefold() in keys] for keys in (NICKNAME_KEYS, PLAIN_NAME_KEYS)]
    return partial(polite, name=["", *names[0], *names[1]][-1])


@cache
def _content() -> dict[str, Any]:
    return yaml.safe_load((DATA / "persona" / "speech_level.yaml").read_text(encoding="utf-8"))


@cache
def _wordings() -> tuple[re.Pattern[str], ...]:
    """Patterns of the levels' names, and of refused, asked and of_others of the file."""
    polite_names, plain_names, *others = (
        "|".join(_content()[name]) for name in ("polite", "plain", "refused", "asked", "of_others")
    )
    return tuple(re.compile(one) for one in (f"(?P<polite>{polite_names})|(?P<plain>{plain_names})", *others))
