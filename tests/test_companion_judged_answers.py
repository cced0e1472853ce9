"""What was judged is what she says today: judged messages, answered by her shipped parts without the language model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import pytest
from companion_parts import NOW, make_companion

from ohlora.companion import Companion
from ohlora.companion.answer_parts import AnswerParts
from ohlora.config import DATA, load_profile
from ohlora.evaluation.answers import load_compared_answers, shipped_thresholds
from ohlora.llm.reply_format import ReplyProgress, format_reply, stream_reply
from ohlora.rag import MemoryStore, load_dialogue_examples, load_embedder

Judged = tuple[list[dict[str, str]], str, str]
"""What was said before, the message, the answer that two readers judged."""


class SilentModel:
    """Where she asks the language model, no judged answer comes."""

    def reply(self, messages, memories=(), now=None, stream=False, examples=()) -> Iterator[ReplyProgress]:
        return stream_reply(iter([format_reply("…", "neutral", 0.5)]))


@pytest.fixture(scope="module")
def companion(tmp_path_factory: pytest.TempPathFactory) -> Companion:
    folder, profile = tmp_path_factory.mktemp("state"), load_profile("embedded")
    embedder = load_embedder(profile)
    parts = AnswerParts(llm=SilentModel(), examples=load_dialogue_examples(profile, embedder)).load(profile, embedder)
    memory = MemoryStore(folder / "memory.sqlite", embedder, lambda: NOW)
    return make_companion(folder, memory=memory, **vars(parts))


def first_messages(source: str) -> list[Judged]:
    """Those to which this source answers; see ohlora.evaluation.answers."""
    rows, thresholds = load_compared_answers(), shipped_thresholds()
    return [([], one.message, one.answers[source]) for one in rows if one.said(thresholds) == source]


def second_messages(wanted: bool) -> list[Judged]:
    """Those that are answered otherwise since she knows what messages want, or the others."""
    with (DATA / "answers" / "talk.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    found = []
    for row in rows:
        if (row["answers"]["said"] != row["answers"]["former"]) == wanted:
            talk = [{"role": "user", "content": row["before"]}, {"role": "assistant", "content": row["she"]}]
            found.append((talk, row["message"], row["answers"]["said"]))
    return found


def says(companion: Companion, judged: Judged) -> bool:
    """Whether she gives the judged answer to somebody unknown, be it behind words of the message."""
    talk, message, answer = judged
    companion.forget_everything()
    companion.new_conversation()
    companion.history.extend(talk)
    return companion.turn(message).reply.endswith(answer)


@pytest.mark.parametrize(
    "judged",
    [
        *(pytest.param(first_messages(source), id=source) for source in ("explained", "wanted", "written", "ranked")),
        pytest.param(second_messages(True), id="wanted in a talk"),
        pytest.param(second_messages(False), id="in a talk"),
    ],
)
def test_what_was_judged_is_what_she_says(judged: Sequence[Judged], companion: Companion) -> None:
    """Four of each source, of which one may have changed: without the source, or with another ranking, none is right.

    Of all it is 1.00 (explained), .91, .90, .97 (ranked), and in a talk .84 and .99.
    """
    drawn = judged[:: len(judged) // 4][:4]
    assert sum(says(companion, one) for one in drawn) >= 3
