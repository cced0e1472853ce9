"""A fact that its own sentence does not tell is left out, or its key is no longer believed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ohlora.rag.fact_reader import Fact, Told
from ohlora.rag.facts_by_sentence import standing_alone
from ohlora.rag.marked_messages import KINDS
from ohlora.rag.message_reader import load_message_reader

NOTHING, ADDS = (np.eye(len(KINDS), dtype=np.float32)[KINDS.index(kind)] for kind in ("other", "adds"))


class Reads:
    """Knows some sentences, and which ones it was asked for."""

    def __init__(self, **told: Told) -> None:
        self.told, self.asked = told, []

    def read_all(self, messages: list[tuple[str, str]]) -> list[Told]:
        self.asked += [message for message, _ in messages]
        return [self.told[message.split()[0]] for message, _ in messages]


def told(*facts: Fact, kind: np.ndarray = ADDS) -> Told:
    return Told(kind, facts, "")


JOB, BOOK, DAY = (
    Fact("job", "nurse", 0.9, 0.8),
    Fact("favourite book", "okay", 0.9, 0.96),
    Fact("move", "4 May", 0.9, 0.9),
)


def test_what_the_sentence_does_not_tell_alone_is_left_out() -> None:
    message = "okay then. i'm a nurse. the show is 4 May"
    reader = Reads(okay=told(kind=NOTHING), **{"i'm": told(JOB), "the": told(Fact("show", "on 4 May", 0.9))})
    kept = standing_alone([JOB, BOOK, DAY], message, reader)
    assert kept == [JOB, replace(DAY, key_probability=0.0)]
    unsure = Reads(okay=told(replace(BOOK, probability=0.1), kind=NOTHING))
    assert standing_alone([BOOK], "okay then. so what", unsure) == [], "hardly found again"


def test_a_single_sentence_and_a_name_are_not_read_again() -> None:
    name, reader = Fact("name", "Ann", 0.9, 0.4), Reads(hi=told(kind=NOTHING))
    assert standing_alone([JOB], "i'm a nurse", reader) == [JOB] and reader.asked == []
    assert standing_alone([name], "hi Ann. so what", reader) == [name]
    sam = Fact("brother", "sam", 0.9, 0.9)
    twice = Reads(same=told(kind=NOTHING), sam=told(kind=NOTHING), my=told(sam))
    assert standing_alone([sam], "same here. sam is odd. my brother sam", twice) == [sam], "one sentence is enough"
    assert "same here." not in twice.asked
    assert standing_alone([], "hi Ann. so what", reader) == []
    assert standing_alone([JOB], "hi Ann. so what", reader) == [JOB], "it stands in no single sentence"


def test_a_job_behind_a_name_is_believed() -> None:
    job, home = Fact("job", "line cook", 0.9, 0.9), Fact("home", "leeds", 0.9, 0.9)
    name = told(Fact("name", "marcus", 0.9))
    for message in ("my knee hurts. im marcus btw, line cook. long day", "so. I'm marcus, a line cook. hi"):
        reader = Reads(my=told(kind=NOTHING), **{"im": name, "I'm": name})
        assert standing_alone([job], message, reader) == [job]
    unsure = Reads(im=name)
    assert standing_alone([home], "hi. im marcus, leeds. so", unsure) == [replace(home, key_probability=0.0)]
    for message in ("long day. i'm tired, boss", "hm. i'm sorry, doctor", "ok. i'm fine, chef", "so. im done, teacher"):
        fact = Fact("job", message.split()[-1], 0.9, 0.9)
        nobody = Reads(**{"i'm": told(), "im": told()})
        assert standing_alone([fact], message, nobody) == [replace(fact, key_probability=0.0)]
    tired = "hi. im tired of line cook. so"
    assert standing_alone([job], tired, Reads(im=name)) == [replace(job, key_probability=0.0)]


def test_the_shipped_readers_take_nothing_into_the_next_sentence() -> None:
    reader = load_message_reader()
    beside = reader.read("오키 ㅋㅋ 두부가 지금 내 책 위에 드러누웠어 공부하지 말라는 뜻인가봐")
    assert all(fact.value != "오키" for fact in beside.facts)
    told_of = reader.read("i'm a night nurse. heading in for a shift, my feet hurt")
    assert told_of.surely_tells and told_of.facts[0].value == "night nurse"
