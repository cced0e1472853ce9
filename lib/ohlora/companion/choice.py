"""Asked to choose between two things she chooses: "tea or coffee?" deserves better than "either is lovely".

The two are found by the few wordings in which people put such a choice; what was said before does not matter. Which of
them she takes depends on the two alone, not on their order or the words around them, so that she does not change her
mind; where her persona likes one of them, it is that. Whether a choice weighs more is known from the intent of the
message; nothing grave is chosen.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import yaml

from ohlora.companion.answer import without_address
from ohlora.companion.draft import Draft
from ohlora.companion.honesty import ARTIFICIAL
from ohlora.companion.written_answer import otherwise_none
from ohlora.config import DATA
from ohlora.llm.reply_format import ReplyProgress, format_reply, plain_letters, stream_reply, without_marks
from ohlora.rag import GeneralAnswers
from ohlora.rag.intents import act_of_intent, as_beginning
from ohlora.rag.korean_words import ends_in_consonant
from ohlora.rag.lexicon import holds_curse
from ohlora.rag.wants import RISKY

_FINALS, _RIEUL = 28, 8  # final consonants of a syllable in Unicode, and the place of ㄹ among them
_LONGEST = 34  # characters of one option
_END = r"(?=[\s?!.,~ㅋㅎㅠ]|$)"
_NO_COPULA = r"(?<!고양)(?<!호랑)(?<!떡볶)(?<!걸)(?<!종)(?<!놀)(?<!냥)(?<!멍)"  # behind these 이 belongs to the word
_COPULA = rf"(?:{_NO_COPULA}이(?:야|냐|에요)|야|냐|예요|에요)"
_BETTER = r"(?:는|은|을)\s?(?:게|거|쪽이)\s?(?:더\s)?(?:나을|좋을|나아|낫|나은)"
_ASKS_SO = r"(?=\s*(?:골라|고민|ㄱ|뭐|[?!.,~]|$))"
_KOREAN = (
    re.compile(rf"(?P<first>\S+?){_COPULA}[\s,]*(?:아니면\s)?(?P<second>[^\s?]+?){_COPULA}{_END}"),
    re.compile(r"(?P<first>[^\s,.]+?)(?:랑|하고)\s(?P<second>[^\s,.]+?)\s?(?:중에|중엔|중)"),
    re.compile(rf"(?P<first>[^\s,.]+?)\s*(?:아니면|vs\.?)\s*(?P<second>[^\s?!.,~]+?){_COPULA}?{_ASKS_SO}"),
    re.compile(
        rf"(?:^|[,.!?~]\s*)(?P<first>[^,.!?~]{{2,24}}?)\s*(?:아니면|vs\.?)\s*(?P<second>[^,.!?~]{{2,24}}?){_ASKS_SO}"
    ),
    re.compile(
        r"(?P<first>(?:[^\s.,!?]+\s){0,2}?[^\s.,!?]+(?:는|은|을))\s?(?:게|거|쪽이)\s?(?:나을|좋을|나아|낫|나은)\S*\s"
        rf"(?P<second>(?:[^\s.,!?]+\s){{0,2}}?[^\s.,!?]+?{_BETTER})"
    ),
)
_ENGLISH = re.compile(
    r"(?:^|\b(?:should i|shall i|would (?:yo)?u rather|do (?:yo)?u like|prefer|pick|choose|better|between)\b|[,:.?!]\s)"
    r"\s*(?P<first>[\w' -]{2,40}?),?\s+(?:or|vs\.?)\s+(?P<second>[\w' -]{2,40}?)\s*(?:\?|$|[.!,])",
    re.IGNORECASE,
)
_GAME = re.compile(  # the two are for fun, whatever else the message sounds like
    r"^.*?밸런스\s?게임\S*\s*(?:(?:다시|하나|또)\s*)?(?:ㄱ+|고고?|하자|해\s?봐)?[\s,.:!~ㅋ]*"
    r"|^.*?\bwould (?:yo)?u rather\s",
    re.IGNORECASE,
)
_PICKS = re.compile(
    r"(?:하나만|둘\s?중에?서?)\s?(?:\S+\s)?(?:골라|고르|택해|정해)|골라\s?(?:봐|줘|달라)|고르라(?:고|니까)"
    r"|\b(?:pick|choose) (?:one|a side)\b",
    re.IGNORECASE,
)
_WHETHER = re.compile(  # "답장할까 말까", "하라는 거야 말라는 거야", "should I tell him or not"
    r"[가-힣]까\s?말까(?!\s?(?:하|고민\S*\s?하다))(?!.*(?:결국|[가-힣]+[대래](?:[\s.!?ㅋㅠ]|$)))|[할갈살볼줄올을될릴낼쓸잘길]지\s?말지|하라는\s?(?:거야|건가요?|건지|말이야)\s?말라는|해야\s?(?:되|하|돼)\S*\s말아야"
    r"|(?:^|[.!?]\s|\b(?:so|ok|hmm|um|help|but|idk)\b,? )should i\b[^.!?]{3,60} or not\b",
    re.IGNORECASE,
)
_AROUND = re.compile(
    r"^(?:ok|so|hmm|and|but|now|quick|like|is it|are (?:yo)?u|(?:yo)?u|team|do (?:yo)?u like|would (?:yo)?u rather"
    r"|should i|do i|i|more of an?|just)\s+"
    r"|\s+(?:more|first|better|(?:oh-?)?lora|please|pls|for me|help|too|person|girl|before bed|는|은)$",
    re.IGNORECASE,
)
_PARTICLE = re.compile(rf"{_NO_COPULA}(?<=[가-힣])이$")  # 짬뽕이랑, but 고양이랑
_NO_OPTION = re.compile(
    r"^하\b|\b하$|뭐|뭘|어디|누구|언제|왜|어떻|\b(do|does|did|are|is|was|let['’]?s|who|what|when|where|why|how|not|yes|no|can['’]?t|cannot|don['’]?t|doesn['’]?t)\b"
    r"|\b(something|anything|whatever|so|two|three|else|nah|real)$|될까$|좋아$|이거\s",
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"^(?:an?|the)\s+", re.IGNORECASE)
_YOURS = {"my": "your", "me": "you", "i": "you", "i'm": "you're", "im": "you're", "myself": "yourself"}


def options(message: str, language: str) -> tuple[str, str] | None:
    """The two things between which a message asks to choose, as she would name them; None: it does not.

    Args:
        language: ``"ko"`` or ``"en"``, of the message.
    """
    for pattern in [*_KOREAN, _ENGLISH] if language == "ko" else [_ENGLISH]:
        if (found := pattern.search(message)) is not None:
            first, second = (_named(found[name], language) for name in ("first", "second"))
            if first and second and first != second and not _NO_OPTION.search(f"{first} {second}"):
                return (first, second) if max(len(first), len(second)) <= _LONGEST else None
    return None


def choice(message: str, language: str, intent: str, before: Sequence[str] = ()) -> str:
    """What she says to a message that asks her to choose, or "".

    Where the choice matters more she leans to one and leaves it to the user, as she does to who asks whether to do
    something; of what is grave she chooses nothing.

    Args:
        intent: of the message, see ohlora.rag.intents. before: what the user said before it, the newest last; who only
            asks to pick one means what stands there.
    """
    content, light = _content(), _is_light(message, intent)
    picks = _PICKS.search(message) is not None
    leans = act_of_intent().get(intent) in content["lean_acts"] and message.rstrip(" ㅋㅎㅠ~").endswith(("?", "？"))
    if intent in content["not_intents"] or is_grave(message):
        return ""
    if _WHETHER.search(message):
        return "" if is_grave(" ".join(before[-2:])) else _one_of(content[f"whether_{language}"], message)
    if not (light or picks or leans):
        return ""
    asked = [message, *reversed(before[-2:])] if picks else [message]
    found = next(((one, pair) for one in asked if (pair := options(_without_game(one), language))), None)
    if found is None or is_grave(found[0]):
        return ""
    phrases = content[language if light else f"lean_{language}"]
    return as_beginning(_one_of(phrases, message).format(choice=_taken(found[1])))


def is_grave(message: str) -> bool:
    """Whether a message speaks of what she chooses nothing about: health, danger, money, politics, a parting."""
    return re.search(_content()["grave"], message, re.IGNORECASE) is not None


def _is_light(message: str, intent: str) -> bool:
    """Whether either of two things is fine."""
    return _GAME.search(message) is not None or intent in _content()["intents"]


def _one_of(phrases: Sequence[str], message: str) -> str:
    """One of several sentences, for a message always the same."""
    return phrases[zlib.crc32(message.encode()) // 2 % len(phrases)]


@otherwise_none
def chosen_answer(
    answers: GeneralAnswers | None, draft: Draft, history: Sequence[dict[str, str]] = ()
) -> Iterator[ReplyProgress] | None:
    """Her choice where the message asks her to choose between two things (see choice)."""
    if answers is None or holds_curse(draft.plain) or draft.reading.wants in (RISKY, ARTIFICIAL):
        return None  # an option is said as it was written
    before = [without_address(one["content"]) for one in history if one["role"] == "user"]
    intent = answers.likeliest_intent(draft.plain)
    words = choice(draft.plain, draft.language, intent, before)
    face = ("happy", 0.7) if _is_light(draft.plain, intent) else ("thinking", 0.5)
    draft.quotes = draft.quotes or bool(words)
    return stream_reply(iter([format_reply(without_marks(words), *face)])) if words else None


def _without_game(message: str) -> str:
    """A message without the words with which a game of two begins: "밸런스게임 ㄱ"."""
    game = _GAME.search(message)
    return message[game.end() :] if game and "밸런스" in game[0] else message


def _taken(pair: tuple[str, str]) -> str:
    liked = [option for option in pair if re.search(_content()["likes"], option, re.IGNORECASE)]
    if len(liked) == 1:
        return liked[0]
    named = {plain_letters(_ARTICLE.sub("", option)) or option: option for option in pair}
    both = sorted(named)  # one, where they differ only in what is not compared
    return named[both[zlib.crc32("|".join(both).encode()) % len(both)]]


def _named(option: str, language: str) -> str:
    words = re.sub(rf"{_BETTER}$", "는", option.strip(" -'"))
    if _PARTICLE.search(words) and ends_in_consonant(words[:-1]):  # 이랑 follows a consonant, 랑 a vowel
        words = words[:-1]
    while (shorter := _AROUND.sub("", words)) != words:
        words = shorter
    words = _as_modifier(words)
    return words if language == "ko" else " ".join(_YOURS.get(word.casefold(), word) for word in words.split())


def _as_modifier(words: str) -> str:
    """A Korean verb as it stands before 쪽: 먹을까 → 먹는, 버틸까 → 버티는."""
    if words.endswith("을까"):
        return f"{words[:-2]}는"
    final = len(words) > 1 and words.endswith("까") and (ord(words[-2]) - ord("가")) % _FINALS == _RIEUL
    return f"{words[:-2]}{chr(ord(words[-2]) - _RIEUL)}는" if final else words


@cache
def _content() -> dict[str, Any]:
    return yaml.safe_load((DATA / "persona" / "choice.yaml").read_text(encoding="utf-8"))
