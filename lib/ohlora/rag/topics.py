"""What a message is about, by its words ("cat", "exam", "rain"), and answers that fit whatever is told or asked of it.

A general answer (ohlora.rag.intents) fits every message that does the same, and so leaves out what was said; an answer
to a topic names it. Which words belong to a topic is written by hand, as in the first chat programs (Weizenbaum 1966,
"ELIZA"); whether something good, bad or neither is told of it the intents know. There are no answers to bad news: two
readers who did not know which was which liked those to a topic better in 21 of 34 pairs where the news was good or
neither, and in 24 of 66 where it was bad. Who complains wants to be heard, not to hear of rain. Who asks what she
thinks of something, or for a tip, hears a view of hers and a tip instead of "who knows".
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import yaml

from ohlora.config import DATA
from ohlora.rag.intents import GeneralAnswer, rotated
from ohlora.rag.korean_words import morphemes
from ohlora.rag.sentences import sentences_of

_KOREAN, _LATIN_WORD = re.compile(r"[가-힣]"), re.compile(r"[a-zé]+", re.IGNORECASE)
_NOUNS = ("NNG", "NNP", "XR", "SL")


ASKS_VIEW, ASKS_TIP = "asks_view", "asks_tip"
"""Kinds of answers to a topic, beside those of what is told: what she thinks of it, and what she would do."""
_ANYTHING = "anything"  # where no topic is named
_ASKS_WHAT_SHE_THINKS = re.compile(
    r"어떻게\s?(생각(해|하세요|하시|하니|하냐|함|합니까)|보(세요|시나|시는|니|냐|아요?\s?\?))|의견이\s?(궁금|어때|뭐)"
    r"|(?<![가-힣])(네|니|너의|오로라\s?(씨|님)?)\s?(의견|생각)[은이]?\s?(어때|뭐|궁금|\?)"
    r"|\bwhat (?:do|would) (?:you|u) (?:think|make) (?:of|about)\b|\bhow do (?:you|u) feel about\b"
    r"|\b(?:what['’]?s|what is|whats) (?:your|ur) (?:take|opinion|view|thoughts)\b"
    r"|\b(?:your|ur) (?:thoughts|take|opinion)\s*\?"
    r"|\bwhat (?:do|would) (?:you|u) think\s*\?",
    re.IGNORECASE,
)
_ASKS_OF_HER = re.compile(
    r"(^|[\s.!~])(너|넌|너는|너도|니는|오로라\s?(씨|님|는|도|씨는|씨도|님은|님도))\s[^.!]*"
    r"(좋아(해|하|함)|해\s?(봤|본)|가\s?(봤|본)|키워\s?(봤|본)|어떻게\s?(풀|지내|버티|견디))[^.!]*(\?|[야니냐요지어][\s?~ㅋㅎ]*$)"
    r"|\b(?:do|are|did) (?:you|u) (?:ever |even )?(?:like|enjoy|into|love)\b"
    r"|\bhave (?:you|u) ever (?!been told|met me)\w+",
    re.IGNORECASE,
)
_ASKS_FOR_A_TIP = re.compile(
    r"(꿀?팁|조언)\s?(좀|있|줘|주라|부탁)[^.!]{0,8}[\s?!~.ㅋㅎㅠ]*$|어떻게\s?(해야|하면|하지|할까|준비|막|버티|달래)"
    r"|(?<![가-힣])(뭘|뭐부터|무엇을)\s?(해야|하면)\s?(돼|되|좋|할까)"
    r"|\b(?:any|got any|give me (?:some|a)|do you have (?:any|some)|have (?:you|u)(?: got)? (?:any|some))"
    r" (?:good )?(?:tips?|advice)\b"
    r"|\bwhat (?:do|should|can|could) i(?: even)? do\b(?! for\b)"
    r"|\bhow (?:do|can|should) i (?!look|know|sound|take my|have my|like my)\w",
    re.IGNORECASE,
)
_GRAVE = re.compile(  # no tip about a film is of use to who asks that
    r"죽|때[리려렸]|맞았|폭력|학대|자살|자해|사망|돌아가[셨신]|응급|유산(?!소|균)|임신|경찰(?!\s?(시험|공무원|준비))|성추행|성폭|협박|스토[킹커]|(?<![가-힣])암(?![가-힣]{2})"
    r"|\b(die[ds]?|dying|dead|death|passed away|cancer|tumou?r|hit(s|ting)? me|beats? (me|him|her|us)"
    r"|abus\w+|suicid\w*|kill\w*|blood"
    r"|bleed\w*|pregnan\w+|miscarr\w+|police|emergency|overdos\w+|assault\w*|rape\w*|stalk\w*|threat\w*)\b",
    re.IGNORECASE,
)
_MAY_NOT_EAT_IT = {"cat", "dog", "small_pet", "baby"}
_FOOD = {
    "dessert", "fruit", "alcohol", "bread", "coffee", "fried_chicken", "pizza", "noodles", "stew", "kimchi", "barbecue",
    "spicy_food", "lunch", "dinner", "smoking",
}  # fmt: skip


def asked_kind(message: str) -> str:
    """ASKS_TIP where a message asks for a tip, ASKS_VIEW where for what she thinks, likes or has done; else ""."""
    if _ASKS_FOR_A_TIP.search(message):
        return ASKS_TIP
    return ASKS_VIEW if _ASKS_WHAT_SHE_THINKS.search(message) or _ASKS_OF_HER.search(message) else ""


@dataclass(frozen=True)
class Topic:
    """name: of data/answers/topics.yaml. people: who takes part, not what is told. place: of its last word. asked_only:
    there are only answers to who asks.
    """

    name: str
    people: bool
    place: int
    asked_only: bool = False


class TopicAnswers:
    """Finds what to say to what is told of a topic.

    Args:
        answers: intent of each is ``topic/kind``, see read_topic_answers.
    """

    def __init__(self, answers: Sequence[GeneralAnswer]) -> None:
        self._answers: dict[tuple[str, str], list[GeneralAnswer]] = {}
        for one in answers:
            self._answers.setdefault((one.intent, one.language), []).append(one)

    def answers(self, message: str, kind: str, language: str, heart: str = "") -> list[GeneralAnswer]:
        """Answers to what is told, in an order that the message's words choose; none where no topic is named.

        Args:
            kind: see GeneralAnswers.kind. language: ko or en.
            heart: the words of the message that are worth repeating; a topic among them comes first.
        """
        found = [one for one in topics_of(message) if not one.asked_only]
        if heart:
            inside = {one.name for one in topics_of(heart)}
            found.sort(key=lambda one: one.name not in inside)
        if not found:
            return []
        return rotated(self._answers.get((f"{found[0].name}/{kind}", language), []), message)

    def asked(self, message: str, language: str) -> list[GeneralAnswer]:
        """Answers to who asks for a tip or for her view, in an order that the message's words choose; else none.

        The sentence that asks names the topic, else the others do. Asked what she thinks she has a view of anything.
        """
        sentences = sentences_of(message)
        asking = next((one for one in reversed(sentences) if asked_kind(one)), "")
        kind = asked_kind(asking)
        topics = [*topics_of(asking), *topics_of(message)] if kind else []
        names = [one.name for one in topics]
        eaten = _MAY_NOT_EAT_IT.intersection(names) and _FOOD.intersection(names)  # "my dog ate chocolate"
        if _GRAVE.search(message) or (kind == ASKS_TIP and eaten):
            return []
        if kind == ASKS_VIEW and _ASKS_WHAT_SHE_THINKS.search(asking):
            names.append(_ANYTHING)
        found = (self._answers.get((f"{name}/{kind}", language), []) for name in names)
        return rotated(next(filter(None, found), []), message)


def topics_of(message: str) -> list[Topic]:
    """The topics that a message names: things before people, then what comes last before what comes first."""
    words = {match[0].casefold(): match.start() for match in _LATIN_WORD.finditer(message)}
    if _KOREAN.search(message):
        words |= {one.form: one.start for one in morphemes(message) if one.tag in _NOUNS and one.form not in words}
    found = []
    for name, entry in _topics().items():
        places = [words[word] for word in (*entry["ko"], *entry["en"]) if word in words]
        places += [match.start() for stem in entry.get("ko_verbs", ()) for match in re.finditer(stem, message)]
        if places:
            found.append(Topic(name, bool(entry.get("people")), max(places), bool(entry.get("asked_only"))))
    return sorted(found, key=lambda one: (one.people, -one.place))


def read_topic_answers() -> list[GeneralAnswer]:
    """The rows of data/answers/topics.jsonl."""
    with (DATA / "answers" / "topics.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [
        GeneralAnswer(
            f"{row['topic']}/{row['kind']}", row["language"], row["reply"], row["expression"], row["intensity"]
        )
        for row in rows
    ]


@cache
def _topics() -> dict[str, dict]:
    return yaml.safe_load((DATA / "answers" / "topics.yaml").read_text(encoding="utf-8"))["topics"]
