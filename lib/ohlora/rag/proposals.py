"""What is proposed to be remembered: the language model's memory line, checked and completed by the reader of facts."""

from __future__ import annotations

from collections.abc import Sequence

from ohlora.llm.reply_format import MemoryOperation, as_field, plain_letters
from ohlora.rag.fact_reader import UNKNOWN_READING, Fact, Reading

SURE = 0.7
"""Probability from which the reader decides alone."""
POSSIBLE = 0.2
"""Probability below which the language model's proposal is not believed."""


def proposed_operations(reading: Reading, operation: MemoryOperation | None) -> tuple[MemoryOperation, ...]:
    """Operations to carry out, the surest first.

    Args:
        reading: of the message. operation: what the language model proposes.
    """
    if reading is UNKNOWN_READING:
        return (operation,) if operation else ()
    if operation is not None and operation.kind == "forget":
        return (operation,) if reading.forgets >= POSSIBLE else ()
    if reading.forgets >= SURE:
        return (MemoryOperation("forget", reading.topic),) if reading.topic else ()
    facts = reading.facts if reading.tells >= SURE else ()
    if operation is not None and reading.tells >= POSSIBLE and (reading.tells_something or _marks(reading, operation)):
        agreed = [fact for fact in facts if _overlap(fact.value, operation.value)]
        if agreed or not facts:
            facts = tuple(fact for fact in facts if fact not in agreed)
            return (operation, *_operations(reading, [fact for fact in facts if fact.probability > 0.5]))
    return _operations(reading, facts[:1] + tuple(fact for fact in facts[1:] if fact.probability > 0.5))


def _operations(reading: Reading, facts: Sequence[Fact]) -> tuple[MemoryOperation, ...]:
    kind = "update" if 2 * reading.updates > reading.tells else "add"
    cleaned = [(fact.key, as_field(fact.value)) for fact in facts]
    return tuple(MemoryOperation(kind, key, value) for key, value in cleaned if value)


def _marks(reading: Reading, operation: MemoryOperation) -> bool:
    return any(_overlap(fact.value, operation.value) for fact in reading.facts)


def _overlap(one: str, other: str) -> bool:
    """Whether the letters of one hold those of the other."""
    one, other = plain_letters(one), plain_letters(other)
    return bool(one and other) and (one in other or other in one)
