"""From what the language model proposes to what is stored: schema check, rules as a net below."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from ohlora.llm.reply_format import MemoryOperation, as_field, plain_letters
from ohlora.rag.change_wording import tells_of_change
from ohlora.rag.correction import corrected, may_correct
from ohlora.rag.database import read_clock
from ohlora.rag.dates import plan_ends
from ohlora.rag.fallback_rules import extract_by_rule
from ohlora.rag.goodbye_words import without_goodbyes
from ohlora.rag.job_wording import JOB_KEYS, says_a_job
from ohlora.rag.lexicon import holds_curse
from ohlora.rag.memory import MAXIMUM_KEY, MAXIMUM_VALUE, OWN_WORDS, Memory, clean_line
from ohlora.rag.memory_store import MemoryStore
from ohlora.rag.misread_values import sound_operations
from ohlora.rag.named_memory import named_memory
from ohlora.rag.normalisation import check_length, detect_language, strip_invisible
from ohlora.rag.notices import refusal_notice, which_notice
from ohlora.rag.plainly_told import plainly_told
from ohlora.rag.replaced_memory import may_have_several, replaced_memory
from ohlora.rag.sentences import sentences_of, stands_in
from ohlora.rag.told_names import (
    NAME_KEYS,
    NICKNAME_KEYS,
    PLAIN_NAME_KEYS,
    is_no_name,
    is_said_as_name,
    may_be_renamed,
)
from ohlora.rag.told_secrets import holds_secret, names_secret
from ohlora.rag.whose_facts import is_of_somebody_unsaid, is_the_same_thing, tells_one_thing_of_somebody

_LONGEST_WORDS = 120  # letters of a message that is stored as it was said
_SENTENCE_IN_KOREAN = re.compile(r"[가-힣](?:다|어|요|음|함)\W*$")
_FORGETS = re.compile(r"잊어|지워|삭제|빼\s?(줘|주|달)|\b(forget|delete|erase|remove|scrap)\b", re.I)
_GROUNDED = 0.6  # share of the value's letter pairs that must stand in the message
_STEM, _ENDING = 5, 2  # letters that words of one family share at the beginning, and may differ by: allergy, allergic
_MOST_ASKED = 5  # memories that she names when she asks which one is meant
_NO_VALUES = frozenset(["a", "an", "the", "my", "it", "is", "and", "일", "것", "거", "나", "내", "그"])
_SAME_FACT = 0.93  # cosine of two keys that mean the same, e.g. 좋아하는 음식 and 최애 음식

WHICH = "several may be meant"
"""Reason why nothing was forgotten: she asks which is meant."""
ANOTHER_NAME = "another name is known"
"""Reason why what may be a name was not stored."""
_INSTRUCTIONS = (
    re.compile(r"\b(ignore|forget|disregard)\b.{0,30}\b(instruction|rule|prompt|previous|above)", re.I),
    re.compile(
        r"(?<!said )(?<!says )(?<!told me )(?<!me that )\byou\s+"
        r"(must|have to|need to|are (now|not|no longer)"
        r"|(should|will) (always|never(?! (guess|believe|know))|only|now|not|answer|reply|say|obey|call|act|do))\b",
        re.I,
    ),
    re.compile(
        r"\b(from now on|always (say|answer|reply|obey)|never (say|refuse)|system prompt|jailbreak|developer mode)\b",
        re.I,
    ),
    re.compile(r"\b(pretend|act as|obey)\b", re.I),
    re.compile(
        r"(너는|넌|네가|너도|오로라는|오로라가|당신은).{0,30}(해야|하지\s*마|말아야|돼야|되어야|있어야|없어야|이다$|대답해|행동해)"
    ),
    re.compile(r"(지시|명령|규칙|프롬프트|설정).{0,12}(무시|잊어|따라|어겨|바꿔|출력)"),
    re.compile(r"(앞으로|이제부터|지금부터|무조건|반드시).{0,30}(대답해|말해|행동해|따라야|복종)"),
    re.compile(r"시스템\s*프롬프트|개발자\s*모드"),
)
_HOLES = re.compile(r"[^0-9a-z가-힣]")


@dataclass(frozen=True)
class Remembered:
    """What came of one turn's memory.

    action: ``"add"``, ``"update"``, ``"forget"``, ``"known"`` (stored already), ``"none"`` or ``"refused"``.
    memory: what was stored, or what was forgotten. source: ``"model"``, ``"rule"`` or ``"words"`` (as it was said);
    None if nothing.
    reason: why it was refused, for the log. notice: what the user should read, or None; where it is open which memory
    shall be forgotten, the question for it. older: the values before, which were forgotten with the memory.
    """

    action: str
    memory: Memory | None = None
    source: str | None = None
    reason: str | None = None
    notice: str | None = None
    older: tuple[Memory, ...] = ()


def remember(
    store: MemoryStore,
    user: str,
    message: str,
    operation: MemoryOperation | None,
    source_turn: str | None = None,
    tells: bool = False,
    rules: bool = True,
) -> Remembered:
    """remember_all for one proposal, or none."""
    return remember_all(store, user, message, [operation] if operation else [], source_turn, tells, rules)[0]


def remember_all(
    store: MemoryStore,
    user: str,
    message: str,
    operations: Sequence[MemoryOperation],
    source_turn: str | None = None,
    tells: bool = False,
    rules: bool = True,
    moved: tuple[Memory, str] | None = None,
) -> list[Remembered]:
    """Check what is proposed against the message and the store, and carry it out.

    A plain correction ("the 12th? no, not the 12th but the 19th") is all that is stored of its message. Else the
    proposals are tried first; where none can be carried out, the rules. Where both find nothing in a message that
    tells something, its own words are stored, unless they are long, or only told a second name. Of a secret or an
    order hidden as a memory the user is told.

    Args:
        store: where to remember.
        user: about whom.
        message: what the user wrote, 1–4,000 characters.
        operations: see ohlora.rag.proposals.
        source_turn: id of the turn, kept with the memory.
        tells: whether the message surely holds something lasting (see ohlora.rag.message_reader).
        rules: whether the rules may look into it: where it was read, only if it seems to tell something.
        moved: the plan that the message moves and its new day (see ohlora.rag.moved_plan), whatever key is proposed.

    Returns:
        At least one.
    """
    check_length(message)
    language = detect_language(message)
    if holds_secret(message):
        return [Remembered("refused", reason="secret", notice=refusal_notice("secret", language))]
    corrects = may_correct(message) and not _FORGETS.search(message)
    correction = corrected(message, store.memories(user)) if corrects else None
    if correction is not None and not holds_curse(correction[1]):
        memory, value = correction
        told = circumstances(store, MemoryOperation("update", memory.key, value), source_turn, language, message)
        return [Remembered("update", store.update(user, memory.id, value, **told), "rule")]
    sound = sound_operations([*operations, *plainly_told(operations, message)], message, store.memories(user))
    misread = bool(operations) and not sound  # nothing of it was told: its own words tell no more
    outcomes, reason, operations = [], None, sound
    if moved is not None and (plan := _move(store, user, message, *moved, source_turn, language)) is not None:
        outcomes.append(Remembered("update", plan, "rule"))
        operations = [one for one in operations if one.value != moved[1]]
    for operation in operations:
        reason = check_operation(operation, message)
        if reason is None and operation.key in OWN_WORDS.values() and operation.kind != "forget":
            outcomes += _as_it_was_said(store, user, operation.value, message, source_turn, language)
        elif reason is None:
            outcome = _carry_out(store, user, operation, message, source_turn, language, "model")
            if outcome.reason == ANOTHER_NAME:
                reason = outcome.reason
            else:
                outcomes.append(outcome)
        elif reason in ("secret", "instruction"):
            notice = refusal_notice(reason, language)
            return [*outcomes, Remembered("refused", reason=reason, notice=notice)]
    if outcomes:
        return outcomes
    by_rule = extract_by_rule(message) if rules and not misread and not _FORGETS.search(message) else None
    if by_rule is not None and check_operation(by_rule, message) is None:
        return [_carry_out(store, user, by_rule, message, source_turn, language, "rule")]
    words = (
        _own_words(without_goodbyes(message), language) if tells and not misread and reason != ANOTHER_NAME else None
    )
    if words is not None and check_operation(words, message) is None:
        return [_add_words(store, user, words, message, source_turn, language)]
    return [Remembered("refused", reason=reason) if reason else Remembered("none")]


def _move(
    store: MemoryStore, user: str, message: str, plan: Memory, day: str, source_turn: str | None, language: str
) -> Memory | None:
    """The plan with its new day; None where it was forgotten since, or the day may not be stored."""
    operation = MemoryOperation("update", plan.key, day)
    is_known = any(one.id == plan.id for one in store.memories(user))
    if not is_known or check_operation(operation, message) is not None:
        return None
    return store.update(user, plan.id, day, **circumstances(store, operation, source_turn, language, message))


def _as_it_was_said(
    store: MemoryStore, user: str, value: str, message: str, source_turn: str | None, language: str
) -> list[Remembered]:
    """Stores the sentence that holds a value, or of a long one what stands around it."""
    sentence = next((one for one in sentences_of(message) if stands_in(value, one)), message)
    before = max(0, sentence.find(value) - (_LONGEST_WORDS - len(value)) // 2)
    before = sentence.find(" ", before) + 1 if before else 0
    part = sentence[before : before + _LONGEST_WORDS]
    if before + _LONGEST_WORDS < len(sentence):
        part = part.rsplit(" ", 1)[0]  # no word is cut
    words = _own_words(part.strip(), language)
    if words is None or check_operation(words, message) is not None:
        return []
    known = next((one for one in store.find_key(user, OWN_WORDS[language]) if one.value == words.value), None)
    if known is not None:
        return [Remembered("known", known, "words")]
    return [_add_words(store, user, words, message, source_turn, language)]


def _add_words(
    store: MemoryStore, user: str, words: MemoryOperation, message: str, source_turn: str | None, language: str
) -> Remembered:
    told = circumstances(store, words, source_turn, language, message)
    return Remembered("add", store.add(user, words.key, words.value, **told), "words")


def _own_words(message: str, language: str) -> MemoryOperation | None:
    """What a message tells as its own memory, without its questions; None where it is long, asks to forget, asks only,
    or holds a model's control marks."""
    told = " ".join(one for one in sentences_of(message) if not one.rstrip().endswith(("?", "？")))
    bare = len(told.split()) < 2 and not _SENTENCE_IN_KOREAN.search(told)  # "대전." tells nobody what it is
    if _FORGETS.search(message) or not told or bare:
        return None
    with suppress(ValueError):
        return MemoryOperation("add", OWN_WORDS[language], as_field(clean_line("message", told, _LONGEST_WORDS)))
    return None


def check_operation(operation: MemoryOperation, message: str) -> str | None:
    """None if the operation may be carried out, else why not.

    ``"secret"``, ``"instruction"``, ``"curse"``, ``"not in the message"``, ``"only repeats its key"`` ("allergy:
    allergic"), ``"no value"`` ("name: hiya", "job: the"), or a sentence about a field that is malformed.
    """
    try:
        key = clean_line("key", operation.key, MAXIMUM_KEY)
        value = clean_line("value", operation.value, MAXIMUM_VALUE) if operation.kind != "forget" else ""
    except ValueError as error:
        return str(error)
    if holds_secret(f"{key}: {value}") or (value and names_secret(key, value)):
        return "secret"
    if holds_instruction(value) or holds_instruction(key):
        return "instruction"
    if holds_curse(f"{key}: {value}"):
        return "curse"
    if value and not is_grounded(value, message):
        return "not in the message"
    if value and _only_repeats(key, value):
        return "only repeats its key"
    if value and (is_no_name(key, value, message) or value in _NO_VALUES):
        return "no value"
    return None


def holds_instruction(text: str) -> bool:
    """True where a "fact" is an order to the assistant ("remember that you must …")."""
    plain = strip_invisible(unicodedata.normalize("NFKC", text))
    return any(pattern.search(plain) for pattern in _INSTRUCTIONS)


def _only_repeats(key: str, value: str) -> bool:
    same_stem = " " not in key + value and key[:_STEM].casefold() == value[:_STEM].casefold()
    nearly = same_stem and min(len(key), len(value)) >= _STEM and abs(len(key) - len(value)) <= _ENDING
    return nearly or plain_letters(key) == plain_letters(value)


def is_grounded(value: str, message: str) -> bool:
    """True if the value stands in the message: all its numbers, and most of its letter pairs."""
    numbers = set(re.findall(r"\d+", unicodedata.normalize("NFKC", message)))
    if not set(re.findall(r"\d+", unicodedata.normalize("NFKC", value))) <= numbers:
        return False
    inner, outer = _letters(value), _letters(message)
    if len(inner) < 3:
        return inner in outer if inner else value.strip() in message
    pairs = [inner[i : i + 2] for i in range(len(inner) - 1)]
    return sum(pair in outer for pair in pairs) / len(pairs) >= _GROUNDED


def circumstances(
    store: MemoryStore, operation: MemoryOperation, source_turn: str | None, language: str, message: str = ""
) -> dict[str, Any]:
    """What is kept beside key and value, as arguments of MemoryStore.add and update.

    A plan is over at the end of the day that it names, counted from the store's clock.

    Args:
        message: in which it was told; it may show that the day is past.
    """
    said = read_clock(store.clock).astimezone()
    last_day = plan_ends(operation.key, operation.value, said.date(), message)
    expires = datetime.combine(last_day, time.max, said.tzinfo) if last_day else None
    return {"source_turn": source_turn, "language": language, "expires": expires}


def _carry_out(
    store: MemoryStore,
    user: str,
    operation: MemoryOperation,
    message: str,
    source_turn: str | None,
    language: str,
    source: str,
) -> Remembered:
    told = circumstances(store, operation, source_turn, language, message)
    with store.turn():
        known = _same_fact(store, user, operation, message)
        alike = store.find_key(user, known.key) if known else []
        if operation.kind == "forget":
            return _forget(store, user, alike, operation, message, language, source)
        if known is None:
            return Remembered("add", store.add(user, operation.key, operation.value, **told), source)
        value = clean_line("value", operation.value, MAXIMUM_VALUE)
        for one in alike:
            if value == one.value or (operation.kind == "add" and _is_part(value, one)):
                if one.key.casefold() in NAME_KEYS and is_said_as_name(value, message):
                    _delete_others(store, one, alike)  # what else was taken for the user's name was none
                return Remembered("known", one, source)
        former = [older.value for one in alike for older in store.replaced_by(one)]
        if known.key.casefold() in PLAIN_NAME_KEYS and not may_be_renamed(value, message, former):
            return Remembered("refused", source=source, reason=ANOTHER_NAME)
        changes, day = operation.kind == "update", read_clock(store.clock).astimezone().date()
        replaced = replaced_memory(alike, operation.key, value, changes, message, day, source_turn)
        if changes and len(alike) == 1 and tells_one_thing_of_somebody(known.key):
            replaced = alike[0]
        if replaced is None:
            return Remembered("add", store.add(user, operation.key, value, **told), source)
        if known.key in JOB_KEYS and not (says_a_job(message) or tells_of_change(message)):
            return Remembered("none", source=source)  # "in the back of the ambulance" makes a paramedic no ambulance
        return Remembered("update", store.update(user, replaced.id, value, **told), source)


def _delete_others(store: MemoryStore, right: Memory, alike: Sequence[Memory]) -> None:
    for one in alike:
        if one.id != right.id:
            store.delete(one.user, one.id)


def _forget(
    store: MemoryStore,
    user: str,
    alike: Sequence[Memory],
    operation: MemoryOperation,
    message: str,
    language: str,
    source: str,
) -> Remembered:
    """Delete the memory that is meant; where that is open, delete nothing and ask.

    Args:
        alike: memories under the key; where there are none, one that the message brings to mind is meant.
    """
    found = alike or [
        one.memory
        for one in store.search(user, message, count=_MOST_ASKED, threshold=0.5)
        if not is_of_somebody_unsaid(operation.key, one.memory.key, message)
    ]
    if not found:
        return Remembered("refused", source=source, reason=f"nothing is stored under {operation.key!r}")
    gone = found[0] if len(found) == 1 else named_memory(found, message)
    if gone is None:
        question = which_notice([one.line for one in found[-_MOST_ASKED:]], language)
        return Remembered("refused", source=source, reason=WHICH, notice=question)
    older = tuple(store.replaced_by(gone))
    store.delete(user, gone.id)
    return Remembered("forget", gone, source, older=older)


def _same_fact(store: MemoryStore, user: str, operation: MemoryOperation, message: str) -> Memory | None:
    """The newest open memory with that key, or with a key that means the same."""
    key = operation.key
    same = store.find_key(user, key)
    if same:
        return same[-1]
    memories, vectors = store.vectors(user, "key")
    if not memories:
        return None
    if operation.kind == "update":  # "the wedding got moved": the only one that is known, be it a daughter's
        whose = [one for one in memories if is_the_same_thing(key, one.key, message)]
        if len(whose) == 1:
            return whose[0]
    cosines = vectors @ store.embedder.embed_passages([key])[0]
    best = int(cosines.argmax())
    one_is_a_nickname = (key.casefold() in NICKNAME_KEYS) != (memories[best].key.casefold() in NICKNAME_KEYS)
    another = one_is_a_nickname or any(map(tells_one_thing_of_somebody, (key, memories[best].key)))
    return memories[best] if cosines[best] >= _SAME_FACT and not another else None


def _is_part(value: str, memory: Memory) -> bool:
    """Whether a value adds nothing to one of several: "dog" where "dog Biscuit" is stored."""
    words = set(value.casefold().split())
    return may_have_several(memory.key) and words <= set(memory.value.casefold().split())


def _letters(text: str) -> str:
    return _HOLES.sub("", unicodedata.normalize("NFKC", text).casefold())
