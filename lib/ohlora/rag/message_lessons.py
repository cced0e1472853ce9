"""What the readers of messages are taught: marked messages and labelled sentences as numbers for their networks."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ohlora.llm.dialogues import Dialogue, load_dialogues, split_dialogues
from ohlora.llm.language import LANGUAGES
from ohlora.rag.labelled_rows import LABELS, LabelledRow, everyday_rows, load_rows, split_rows
from ohlora.rag.marked_messages import (
    KINDS,
    MarkedMessage,
    is_held_out,
    load_marked_messages,
    memory_questions,
    messages_of_dialogues,
    messages_of_talks,
    questions_about_her,
)
from ohlora.rag.normalisation import normalise
from ohlora.rag.relevance import load_dialogue_questions
from ohlora.rag.tagged_words import TAGS, Encoded, encode

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SKIP = -100
"""Where nothing is known: the loss passes over it."""
_QUESTIONS = 1500  # of people: a part, they are many


@dataclass(frozen=True)
class Lesson:
    """A row as the network learns it.

    kind, label, about_her: indices in KINDS, LABELS and [none, *facts about her], or SKIP. tags: indices in TAGS, SKIP
    outside the message. facts: tokens of a fact and index of its key; of a wish to forget all tokens.
    """

    encoded: Encoded
    kind: int = SKIP
    tags: tuple[int, ...] = ()
    facts: tuple[tuple[list[int], int], ...] = ()
    label: int = SKIP
    about_her: int = SKIP


def training_messages(seed: int = 0, talks: bool = False) -> list[MarkedMessage]:
    """Messages of all kinds; no family that anything is measured on.

    Args:
        talks: with messages of talks (see messages_of_talks): for ohlora.rag.fact_reader alone. What builds on
            ohlora.rag.message_reader is measured on talks that neither of them saw.
    """
    draw = random.Random(seed)
    dialogues = split_dialogues(load_dialogues())[0]
    said = messages_of_dialogues(dialogues)
    questions = memory_questions(load_dialogue_questions("training"))
    told = [row for row in load_marked_messages() if not is_held_out(row)]
    asked = draw.sample(questions, min(_QUESTIONS, len(questions)))
    rows = [*told, *said, *questions_about_her(), *asked]
    if talks:
        rows += [row for row in messages_of_talks() if not is_held_out(row)]
    return after_any_line(rows, dialogues, draw)


def training_sentences() -> list[LabelledRow]:
    """Labelled rows without the test families, and everyday talk."""
    return [*split_rows(load_rows())[0], *everyday_rows("training")]


def after_any_line(
    rows: Sequence[MarkedMessage], dialogues: Sequence[Dialogue], draw: random.Random
) -> list[MarkedMessage]:
    """Half of the rows without a line of hers before them get one, from anywhere.

    In a chat nearly every message follows one, mostly about something else. Rows that have one were written as an
    answer to it: trained on these alone the reader takes any line for the question to an answer.
    """
    lines = {language: [one.reply for one in dialogues if one.language == language] for language in LANGUAGES}
    return [
        row if row.before or draw.random() < 0.5 else replace(row, before=draw.choice(lines[row.language]))
        for row in rows
    ]


def lesson_of_message(
    row: MarkedMessage, tokenizer: Tokenizer, keys: Sequence[str], facts_about_her: Sequence[str] | None = None
) -> Lesson:
    """Mark the tokens of each value; a value that does not stand in the message leaves the tags open.

    Args:
        facts_about_her: default: which of them is asked for is left open.
    """
    encoded = encode(tokenizer, row.message, row.before)
    own = [last > first for first, last in encoded.places]
    outside = TAGS.index("outside") if row.kind else SKIP
    tags, facts = [outside if is_own else SKIP for is_own in own], []
    for operation in row.operations:
        if operation.kind == "forget":
            words = [token for token, is_own in enumerate(own) if is_own]
        else:
            words = _tokens_of(operation.value, row.message, encoded)
            if not words:
                tags = [SKIP] * len(tags)
            for token in words:
                tags[token] = TAGS.index("begin" if token == words[0] else "inside")
        if words and operation.key in keys:
            facts.append((words, keys.index(operation.key)))
    return Lesson(
        encoded,
        kind=KINDS.index(row.kind) if row.kind else SKIP,
        tags=tuple(tags),
        facts=tuple(facts),
        about_her=SKIP
        if facts_about_her is None or row.about_her is None
        else ["", *facts_about_her].index(row.about_her),
    )


def lesson_of_sentence(row: LabelledRow, tokenizer: Tokenizer) -> Lesson:
    """A labelled sentence, normalised as the moderator reads it."""
    return Lesson(encode(tokenizer, normalise(row.text) or row.text), label=LABELS.index(row.label))


def _tokens_of(value: str, message: str, encoded: Encoded) -> list[int]:
    """Tokens of a value, or of its longest ending that stands in the message (Pepper, of "cat Pepper")."""
    words = value.split()
    for skipped in range(len(words)):
        piece = " ".join(words[skipped:])
        first = message.find(piece)
        if first >= 0:
            last = first + len(piece)
            return [token for token, (a, b) in enumerate(encoded.places) if b > a and b > first and a < last]
    return []
