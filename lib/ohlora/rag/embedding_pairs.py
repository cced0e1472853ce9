"""What the embedding model is taught: which texts belong together, gathered from the training parts of our own data.

Nothing that is measured elsewhere is read here: of data/memory only training.jsonl, of data/dialogues the training
families, of data/moderation the rows that the held-out classifier trains on, of the persona no held-out wording.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from ohlora.config import DATA
from ohlora.llm.dialogues import load_dialogues, root_family, split_dialogues
from ohlora.rag.e5_model import PREFIXES
from ohlora.rag.labelled_rows import LabelledRow, everyday_rows, load_rows, split_rows
from ohlora.rag.normalisation import normalise
from ohlora.rag.relevance import load_dialogue_questions, with_plain_questions

_EVERYDAY = 1200  # lines of everyday talk beside the labelled rows


@dataclass(frozen=True)
class Person:
    """What somebody told and asks. All texts carry E5's prefix, as ohlora.rag.relevance embeds them.

    lines: ``query: key: value``. keys: of the lines, in small letters. passages: keys and values. questions: text and
    the number of the line that answers it, or None.
    """

    id: str
    language: str
    lines: tuple[str, ...]
    keys: tuple[str, ...]
    passages: tuple[str, ...]
    questions: tuple[tuple[str, int | None], ...]


@dataclass(frozen=True)
class Message:
    """A user's message with the root family of its dialogue; text with its prefix."""

    text: str
    family: str
    language: str


@dataclass(frozen=True)
class Lessons:
    """Training or validation part. rows: normalised text with its prefix; everyday talk stands among them as normal."""

    persons: tuple[Person, ...]
    messages: tuple[Message, ...]
    rows: tuple[LabelledRow, ...]

    def texts(self) -> list[str]:
        """Every text, each once."""
        found = [text for one in self.persons for text in (*one.lines, *one.passages, *(q for q, _ in one.questions))]
        found += [one.text for one in self.messages] + [row.text for row in self.rows]
        return list(dict.fromkeys(found))


def load_lessons(share: float = 0.15, seed: int = 0) -> tuple[Lessons, Lessons]:
    """Training and validation part of the training data: whole persons, families of dialogues and of rows are kept.

    Args:
        share: for the validation. seed: of the choice.
    """
    chance = random.Random(seed)
    people = load_dialogue_questions("training")
    kept = _sample([row["id"] for row in people if row["language"] == "ko"], share, chance)
    kept |= _sample([row["id"] for row in people if row["language"] == "en"], share, chance)
    # The plain questions are one sentence with another key each: they teach, but they would flatter a measurement.
    persons = [_person(row if row["id"] in kept else with_plain_questions(row, people)) for row in people]

    dialogues, _ = split_dialogues(load_dialogues())
    families = _sample([root_family(one.family) for one in dialogues], share, chance)
    messages = [
        Message(_query(one.user), root_family(one.family), one.language) for one in dialogues if not one.history
    ]
    messages += _persona_questions(messages)

    rows, _ = split_rows(load_rows())
    by_label: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        by_label[row.language, row.label].append(row.family)
    row_families = {name for names in by_label.values() for name in _sample(names, share, chance)}
    # Of the everyday talk only what stands in training dialogues: the others are for measuring the examples.
    root_of = {one.id: root_family(one.family) for one in dialogues}
    everyday = [row for row in everyday_rows(count=_EVERYDAY) if row.id.rpartition("-")[0] in root_of]
    row_families |= {row.family for row in everyday if root_of[row.id.rpartition("-")[0]] in families}
    rows = [_row(row) for row in [*rows, *everyday]]

    validation = Lessons(
        tuple(one for one in persons if one.id in kept),
        tuple(one for one in messages if one.family in families),
        tuple(one for one in rows if one.family in row_families),
    )
    seen = set(validation.texts())  # a short message ("심심해") can stand in two families
    training = Lessons(
        tuple(one for one in persons if one.id not in kept),
        tuple(one for one in messages if one.family not in families and one.text not in seen),
        tuple(one for one in rows if one.family not in row_families and one.text not in seen),
    )
    return training, validation


def _sample(names: Sequence[str], share: float, chance: random.Random) -> set[str]:
    distinct = sorted(set(names))
    return set(chance.sample(distinct, max(1, round(share * len(distinct)))))


def _person(row: dict) -> Person:
    keys = [memory["key"] for memory in row["memories"]]
    return Person(
        row["id"],
        row["language"],
        tuple(_query(f"{memory['key']}: {memory['value']}") for memory in row["memories"]),
        tuple(key.casefold() for key in keys),
        tuple(PREFIXES["passage"] + memory[part] for memory in row["memories"] for part in ("key", "value")),
        tuple(
            (_query(question["question"]), None if question["key"] is None else keys.index(question["key"]))
            for question in row["questions"]
        ),
    )


def _persona_questions(messages: Sequence[Message]) -> list[Message]:
    """The wordings of data/persona that may be trained on; a fact that is asked for in a family joins it."""
    persona = yaml.safe_load((DATA / "persona" / "oh_lora.yaml").read_text(encoding="utf-8"))
    families = {message.text.casefold(): message.family for message in messages}
    found = []
    for fact in persona["facts"]:
        asked = [
            (language, _query(question["text"]))
            for language, questions in fact["questions"].items()
            for question in questions
            if not question["held_out"]
        ]
        known = Counter(families[text.casefold()] for _, text in asked if text.casefold() in families)
        family = known.most_common(1)[0][0] if known else f"persona {fact['id']}"
        found += [Message(text, family, language) for language, text in asked if text.casefold() not in families]
    return found


def _row(row: LabelledRow) -> LabelledRow:
    return LabelledRow(row.id, row.family, row.language, _query(normalise(row.text)), row.label)


def _query(text: str) -> str:
    return PREFIXES["query"] + text
