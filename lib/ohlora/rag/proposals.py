"""What is proposed to be remembered: the language model's memory line, checked and completed by the message reader."""

from __future__ import annotations

from collections.abc import Sequence

from ohlora.llm.reply_format import MemoryOperation, as_field, plain_letters, same_stored
from ohlora.rag.dates import ANY_DAY, named_day
from ohlora.rag.fact_reader import Fact
from ohlora.rag.facts_by_sentence import MARKED
from ohlora.rag.former_value import MARKED_BESIDE
from ohlora.rag.memory import OWN_WORDS
from ohlora.rag.message_reader import POSSIBLE, SURE, UNKNOWN_READING, Reading
from ohlora.rag.normalisation import detect_language
from ohlora.rag.told_names import NAME_KEYS, plain_name

_MARKED = (
    MARKED,
    MARKED_BESIDE,
)  # least probability of the words of the surest fact, and of a further one: these are half wrong

SURE_KEY, CLEAR_KEY = 0.5, 0.9
"""Probabilities of a key: from the first on it is believed, from the second on before the language model's. Readers
marked 1,160 facts that the reader found in messages that taught nothing: of those with a key below .5 that name no day
52 of 180 were right, of the others .60; from .9 on .74 of 443."""


def proposed_operations(reading: Reading, operation: MemoryOperation | None) -> tuple[MemoryOperation, ...]:
    """Operations to carry out, the surest first.

    Args:
        reading: of the message. operation: what the language model proposes.
    """
    if reading == UNKNOWN_READING:
        return (operation,) if operation else ()
    if operation is not None and operation.kind == "forget":
        if reading.forgets >= POSSIBLE:
            return (operation,)
        operation = None
    if reading.forgets >= SURE:
        return (MemoryOperation("forget", reading.topic),) if reading.topic else ()
    facts = [fact for number, fact in enumerate(reading.facts) if fact.probability >= _MARKED[number > 0]]
    if reading.surely_tells and facts:
        return _of_the_reader(facts, reading, operation)
    return (operation,) if operation is not None and reading.tells_something else ()


def score_proposals(
    proposed: Sequence[Sequence[MemoryOperation]], expected: Sequence[Sequence[MemoryOperation]]
) -> dict[str, float]:
    """How well what is proposed fits what was marked, message by message.

    Returns:
        f1, precision and recall of the messages with something to remember (right: one operation is the same as one
        that was marked; adds and updates count as one, they end in the same store), false_stores (share of the other
        messages for which something is proposed), keys (share of the right values under the same key), n, n_nothing.
    """
    pairs = [
        next(((one, wanted) for one in found for wanted in marked if same_stored(one, wanted)), None)
        for found, marked in zip(proposed, expected, strict=True)
    ]
    right = list(filter(None, pairs))
    nothing = [bool(found) for found, marked in zip(proposed, expected, strict=True) if not marked]
    given, n = sum(map(bool, proposed)), sum(map(bool, expected))
    return {
        "f1": 2 * len(right) / max(1, n + given),
        "precision": len(right) / max(1, given),
        "recall": len(right) / max(1, n),
        "false_stores": sum(nothing) / max(1, len(nothing)),
        "keys": sum(one.key == wanted.key for one, wanted in right) / max(1, len(right)),
        "n": n,
        "n_nothing": len(nothing),
    }


def _of_the_reader(
    facts: list[Fact], reading: Reading, operation: MemoryOperation | None
) -> tuple[MemoryOperation, ...]:
    """The reader's words, which stand in the message; the model names the fact that both found.

    Where the reader is unsure of the key, and it is neither a name nor a day, what was said of it is stored as it was.
    """
    found = []
    for fact in facts:
        changed = not found and 2 * reading.updates > reading.tells  # one fact of a message changes, not all
        kind, key = "update" if changed else "add", fact.key
        both = operation is not None and _overlap(fact.value, operation.value)
        agree = both and plain_letters(operation.key) == plain_letters(key)
        stays = agree or key.casefold() in NAME_KEYS or _is_a_day(fact.value)  # a day may be moved later
        if fact.key_probability < SURE_KEY and not stays:
            kind, key = "add", OWN_WORDS[detect_language(fact.value)]
        elif both:
            kind, key = operation.kind, _key_of_both(fact, operation.key)
        if both:
            operation = None
        if value := as_field(plain_name(key, fact.value)):
            found.append(MemoryOperation(kind, key, value))
    return tuple(found)


def _key_of_both(fact: Fact, proposed: str) -> str:
    """The model's key where the reader is not sure; whether something is the user's name it knows better."""
    is_name = {fact.key.casefold(), proposed.casefold()} & {*NAME_KEYS}
    return fact.key if is_name or fact.key_probability >= CLEAR_KEY else proposed


def _is_a_day(value: str) -> bool:
    return named_day(value, ANY_DAY) is not None


def _overlap(one: str, other: str) -> bool:
    """Whether the letters of one hold those of the other."""
    one, other = plain_letters(one), plain_letters(other)
    return bool(one and other) and (one in other or other in one)
