"""What a message is about, by its words ("cat", "exam", "rain"), and answers that fit whatever is told of that.

A general answer (ohlora.rag.intents) fits every message that does the same, and so leaves out what was said; an answer
to a topic names it. Which words belong to a topic is written by hand, as in the first chat programs (Weizenbaum 1966,
"ELIZA"); whether something good, bad or neither is told of it the intents know. There are no answers to bad news: two
readers who did not know which was which liked those to a topic better in 21 of 34 pairs where the news was good or
neither, and in 24 of 66 where it was bad. Who complains wants to be heard, not to hear of rain.
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

_KOREAN, _LATIN_WORD = re.compile(r"[가-힣]"), re.compile(r"[a-zé]+", re.IGNORECASE)
_NOUNS = ("NNG", "NNP", "XR", "SL")


@dataclass(frozen=True)
class Topic:
    """name: of data/answers/topics.yaml. people: who takes part, not what is told. place: of its last word."""

    name: str
    people: bool
    place: int


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
        found = topics_of(message)
        if heart:
            inside = {one.name for one in topics_of(heart)}
            found.sort(key=lambda one: one.name not in inside)
        if not found:
            return []
        return rotated(self._answers.get((f"{found[0].name}/{kind}", language), []), message)


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
            found.append(Topic(name, bool(entry.get("people")), max(places)))
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
