"""What one step of training the embedding model sees: some of each task, as rows of a table of texts."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ohlora.rag.embedding_pairs import Lessons, Person

_QUESTIONS = 8  # of one person in a step


@dataclass(frozen=True)
class MemoryBatch:
    """questions (q,), lines (l,): rows of the table. wanted (q,), allowed (q, l): see embedding_losses.memory_loss."""

    questions: list[int]
    lines: list[int]
    wanted: np.ndarray
    allowed: np.ndarray


@dataclass(frozen=True)
class PairBatch:
    """left, right (n,): rows of the table. same: bool (n, n), pairs that are no negatives."""

    left: list[int]
    right: list[int]
    same: np.ndarray


@dataclass(frozen=True)
class ClassBatch:
    """rows (n,) of the table. positive: bool (n, n)."""

    rows: list[int]
    positive: np.ndarray


class Batches:
    """Draws batches.

    Args:
        lessons: the training part. row_of: text → row of the table. size: questions, pairs of messages and labelled
            rows in a step. seed: of the draws.
    """

    def __init__(self, lessons: Lessons, row_of: Mapping[str, int], size: int, seed: int) -> None:
        self._persons, self._row_of, self._size = lessons.persons, row_of, size
        self._chance = random.Random(seed)
        families: dict[str, dict[str, None]] = defaultdict(dict)
        for message in lessons.messages:
            families[message.family][message.text] = None
        self._families = [list(texts) for texts in families.values() if len(texts) > 1]
        self._passages = sorted({text for person in lessons.persons for text in person.passages})
        labelled: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        self._everyday = []
        for row in lessons.rows:
            if "-everyday-" in row.family:
                self._everyday.append(row.text)
            else:
                labelled[row.label][row.family].append(row.text)
        self._labelled = {label: list(families.items()) for label, families in labelled.items()}

    def memory(self) -> MemoryBatch:
        """Questions of a few persons, and all of their lines.

        A question is compared with its person's other lines, and with those of others in its language unless they have
        the same key: "what's my name?" fits everybody's name. Without an answer, only with its own person's lines.
        """
        count = max(1, min(len(self._persons), self._size // _QUESTIONS))
        persons = self._chance.sample(self._persons, count)
        lines = [(person, place) for person in persons for place in range(len(person.lines))]
        asked = [
            (person, question)
            for person in persons
            for question in self._chance.sample(person.questions, min(_QUESTIONS, len(person.questions)))
        ]
        allowed = [[_is_allowed(person, place, *line) for line in lines] for person, (_, place) in asked]
        first = {person.id: next(i for i, (one, _) in enumerate(lines) if one is person) for person in persons}
        wanted = [len(lines) if place is None else first[person.id] + place for person, (_, place) in asked]
        return MemoryBatch(
            [self._row_of[text] for _, (text, _) in asked],
            [self._row_of[person.lines[place]] for person, place in lines],
            np.array(wanted),
            np.array(allowed),
        )

    def pairs(self) -> PairBatch:
        """Two messages of each of some families, in any language."""
        families = self._chance.sample(self._families, min(self._size, len(self._families)))
        left, right = zip(*(self._chance.sample(texts, 2) for texts in families), strict=True)
        texts = np.array([one.casefold() for one in left]), np.array([one.casefold() for one in right])
        return PairBatch(
            [self._row_of[text] for text in left],
            [self._row_of[text] for text in right],
            texts[0][:, None] == texts[1][None],
        )

    def classes(self) -> ClassBatch:
        """Half abuse, its classes in equal parts; the others normal, most of them traps in two wordings.

        Rows of one class belong together, whatever the language. Normal talk is no class of its own (a greeting is not
        near to a recipe): there only wordings of one family belong together, and all of it is what abuse is told from.
        """
        labels = sorted(set(self._labelled) - {"normal"})
        pairs = max(1, self._size // 4)
        start = self._chance.randrange(len(labels))
        drawn = [labels[(start + place) % len(labels)] for place in range(pairs)]
        drawn += ["normal"] * max(1, self._size // 6)
        texts, groups = [], []
        for label in drawn:
            family, known = self._chance.choice(self._labelled[label])
            chosen = self._chance.sample(known, min(2, len(known)))
            texts += chosen
            groups += [family if label == "normal" else label] * len(chosen)
        everyday = self._chance.sample(self._everyday, min(self._size // 6, len(self._everyday)))
        texts += everyday
        groups += [f"everyday {place}" for place in range(len(everyday))]
        names = np.array(groups)
        return ClassBatch([self._row_of[text] for text in texts], names[:, None] == names[None])

    def passages(self) -> list[int]:
        """Keys and values, rows of the table."""
        chosen = self._chance.sample(self._passages, min(self._size, len(self._passages)))
        return [self._row_of[text] for text in chosen]


def _is_allowed(person: Person, wanted: int | None, other: Person, place: int) -> bool:
    if other is person:
        return True
    if wanted is None or other.language != person.language:
        return False
    return other.keys[place] != person.keys[wanted]
