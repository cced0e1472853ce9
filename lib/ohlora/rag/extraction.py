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
from ohlora.rag.database import read_clock
from ohlora.rag.dates import plan_ends
from ohlora.rag.lexicon import holds_curse
from ohlora.rag.memory import MAXIMUM_KEY, MAXIMUM_VALUE, Memory, clean_line
from ohlora.rag.memory_store import MemoryStore
from ohlora.rag.normalisation import check_length, detect_language, strip_invisible
from ohlora.rag.notices import refusal_notice

OWN_WORDS = {"ko": "한 말", "en": "own words"}
"""Key of what is stored as it was said."""

_LONGEST_WORDS = 120  # letters of a message that is stored as it was said
_FORGETS = re.compile(r"잊어|지워|삭제|빼\s?(줘|주|달)|\b(forget|delete|erase|remove|scrap)\b", re.I)
_GROUNDED = 0.6  # share of the value's letter pairs that must stand in the message
_STEM, _ENDING = 5, 2  # letters that words of one family share at the beginning, and may differ by: allergy, allergic
_SAME_FACT = 0.93  # cosine of two keys that mean the same, e.g. 좋아하는 음식 and 최애 음식

_SECRETS = (
    re.compile(
        r"(?<!\d)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\s*-?\s*[1-8]\d{6}(?!\d)"
    ),  # Korean resident registration number
    re.compile(r"(?<!\d)\d{3}-\d{2}-\d{4}(?!\d)"),  # US social security number
    re.compile(
        r"(비밀\s*번호|비번|패스\s*워드|인증\s*번호|계좌\s*번호|통장\s*번호|카드\s*번호|cvc)\S{0,3}\s*\S*[0-9]", re.I
    ),
    re.compile(r"(비밀\s*번호|비번|패스\s*워드)(는|은|이|가|:)\s*\S+"),
    re.compile(r"\b(password|passcode|pass\s?phrase|pin( code| number)?|cvv|cvc)\b\s*(is|:|=)\s*\S+", re.I),
)
_SECRET_KEYS = re.compile(
    r"비밀\s*번호|비번|패스\s*워드|주민\s*등록|계좌|카드\s*번호|password|passcode|\bpin\b|cvv|\bssn\b", re.I
)
_DIGIT_GROUPS = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
_INSTRUCTIONS = (
    re.compile(r"\b(ignore|forget|disregard)\b.{0,30}\b(instruction|rule|prompt|previous|above)", re.I),
    re.compile(r"\byou\s+(must|should|have to|need to|will|are (now|not|no longer))\b", re.I),
    re.compile(
        r"\b(from now on|always (say|answer|reply|obey)|never (say|refuse)|system prompt|jailbreak|developer mode)\b",
        re.I,
    ),
    re.compile(r"\b(pretend|act as|obey)\b", re.I),
    re.compile(
        r"(너는|넌|네가|너도|오로라는|오로라가|당신은).{0,30}(해야|하지\s*마|말아야|돼야|되어야|있어야|없어야|이다$|대답해|행동해)"
    ),
    re.compile(r"(지시|명령|규칙|프롬프트|설정).{0,12}(무시|잊어|따라|어겨|바꿔|출력)"),
    re.compile(r"(앞으로|이제부터|지금부터|무조건|반드시).{0,30}(대답해|말해|행동해|따라야|복종|해야\s*(해|한다|돼))"),
    re.compile(r"시스템\s*프롬프트|개발자\s*모드"),
)
_HOLES = re.compile(r"[^0-9a-z가-힣]")


@dataclass(frozen=True)
class Remembered:
    """What came of one turn's memory.

    action: ``"add"``, ``"update"``, ``"forget"``, ``"known"`` (stored already), ``"none"`` or ``"refused"``.
    memory: what was stored, or what was forgotten. source: ``"model"``, ``"rule"`` or ``"words"`` (as it was said);
    None if nothing.
    reason: why it was refused, for the log. notice: what the user should read, or None.
    """

    action: str
    memory: Memory | None = None
    source: str | None = None
    reason: str | None = None
    notice: str | None = None


def remember(
    store: MemoryStore,
    user: str,
    message: str,
    operation: MemoryOperation | None,
    source_turn: str | None = None,
    tells: bool = False,
) -> Remembered:
    """remember_all for one proposal, or none."""
    return remember_all(store, user, message, [operation] if operation else [], source_turn, tells)[0]


def remember_all(
    store: MemoryStore,
    user: str,
    message: str,
    operations: Sequence[MemoryOperation],
    source_turn: str | None = None,
    tells: bool = False,
) -> list[Remembered]:
    """Check what is proposed against the message and the store, and carry it out.

    The proposals are tried first; where none can be carried out, the rules. Where both find nothing in a message that
    tells something, its own words are stored, so that nothing told is lost. Of a secret or an order hidden as a memory
    the user is told.

    Args:
        store: where to remember.
        user: about whom.
        message: what the user wrote, 1–4,000 characters.
        operations: see ohlora.rag.proposals.
        source_turn: id of the turn, kept with the memory.
        tells: whether the message holds something lasting (see ohlora.rag.message_reader).

    Returns:
        At least one.
    """
    check_length(message)
    language = detect_language(message)
    if holds_secret(message):
        return [Remembered("refused", reason="secret", notice=refusal_notice("secret", language))]
    outcomes, reason = [], None
    for operation in operations:
        reason = check_operation(operation, message)
        if reason is None:
            outcomes.append(_carry_out(store, user, operation, message, source_turn, language, "model"))
        elif reason in ("secret", "instruction"):
            notice = refusal_notice(reason, language)
            return [*outcomes, Remembered("refused", reason=reason, notice=notice)]
    if outcomes:
        return outcomes
    by_rule = None if _FORGETS.search(message) else extract_by_rule(message)
    if by_rule is not None and check_operation(by_rule, message) is None:
        return [_carry_out(store, user, by_rule, message, source_turn, language, "rule")]
    words = _own_words(message, language) if tells else None
    if words is not None and check_operation(words, message) is None:
        told = circumstances(store, words, source_turn, language)
        return [Remembered("add", store.add(user, words.key, words.value, **told), "words")]
    return [Remembered("refused", reason=reason) if reason else Remembered("none")]


def _own_words(message: str, language: str) -> MemoryOperation | None:
    """A message as its own memory; None where it is long, asks to forget, or holds a model's control marks."""
    if _FORGETS.search(message):
        return None
    with suppress(ValueError):
        return MemoryOperation("add", OWN_WORDS[language], as_field(clean_line("message", message, _LONGEST_WORDS)))
    return None


def check_operation(operation: MemoryOperation, message: str) -> str | None:
    """None if the operation may be carried out, else why not.

    ``"secret"``, ``"instruction"``, ``"curse"``, ``"not in the message"``, ``"only repeats its key"`` ("allergy:
    allergic"), or a sentence about a field that is malformed.
    """
    try:
        key = clean_line("key", operation.key, MAXIMUM_KEY)
        value = clean_line("value", operation.value, MAXIMUM_VALUE) if operation.kind != "forget" else ""
    except ValueError as error:
        return str(error)
    if holds_secret(f"{key}: {value}") or (value and _SECRET_KEYS.search(key)):
        return "secret"
    if holds_instruction(value) or holds_instruction(key):
        return "instruction"
    if holds_curse(f"{key}: {value}"):
        return "curse"
    if value and not is_grounded(value, message):
        return "not in the message"
    if value and _only_repeats(key, value):
        return "only repeats its key"
    return None


def holds_secret(text: str) -> bool:
    """True for card numbers (Luhn), resident or social security numbers, and passwords given away."""
    plain = strip_invisible(unicodedata.normalize("NFKC", text))
    if any(pattern.search(plain) for pattern in _SECRETS):
        return True
    numbers = [[int(digit) for digit in match.group() if digit.isdigit()] for match in _DIGIT_GROUPS.finditer(plain)]
    return any(_passes_luhn(digits) for digits in numbers)


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


_RULES = tuple(
    (re.compile(pattern, re.I), key)
    for pattern, key in (
        (r"내 이름은\s*([가-힣a-z]{2,12}?)(?:이?라고( 해)?|이에요|예요|입니다|이야|야|임)?\s*(?:[.!~^]|$)", "이름"),
        (r"내 생일은\s*([0-9]{1,2}\s*월\s*[0-9]{1,2}\s*일)", "생일"),
        (r"(?:나는|난|내가)\s*([가-힣 ]{1,15}?)(?:에|에서)\s*살(?:아|고 있어|아요)", "사는 곳"),
        (
            r"(?:나는|난|나)\s*([가-힣a-z ]{1,15}?)(?:을|를)?\s*(?:제일|가장|진짜|정말|너무|엄청)?"
            r"\s*좋아해요?\s*(?:[.!~ㅎㅋ]|$)",
            "좋아하는 것",
        ),
        (r"(?:나는|난|나)\s*([가-힣a-z ]{1,15}?)\s*알레르기가?\s*있", "알레르기"),
        (r"\bmy name is\s+([a-z][a-z' -]{0,30}?)\s*(?:[.,!]|$)", "name"),
        (r"\bmy birthday is\s+(?:on\s+)?([a-z0-9 ]{3,25}?)\s*(?:[.,!]|$)", "birthday"),
        (r"\bI live in\s+([a-z][a-z' -]{1,30}?)(?:\s+(?:now|too|these days))?\s*(?:[.,!]|$)", "home"),
        (r"\bI(?:'m| am) allergic to\s+([a-z][a-z' -]{1,30}?)\s*(?:[.,!]|$)", "allergy"),
        (r"^\s*I (?:really |absolutely )?(?:like|love)\s+([a-z][a-z' -]{1,40}?)\s*(?:[.!]|$)", "likes"),
    )
)
_FAVOURITES = tuple(
    (re.compile(pattern, re.I), key)
    for pattern, key in (
        (
            r"(?:내가|나는|난|나|제가)\s*(?:제일|가장|진짜|정말)?\s*좋아하는\s*(?P<what>[가-힣]{1,8}?)(?:은|는)\s*"
            r"(?P<value>[가-힣a-z0-9 ]{1,20}?)(?:이야|야|이에요|예요|입니다|임)\s*(?:[.!~ㅎㅋ]|$)",
            "좋아하는 {what}",
        ),
        (
            r"\bmy favou?rite (?P<what>[a-z]{2,15})(?: is|'s| has always been)\s+(?:the |a |an )?"
            r"(?P<value>[a-z0-9' -]{1,30}?)\s*(?:[.,!]|$)",
            "favourite {what}",
        ),
    )
)
_NOUN_IN_I = re.compile(
    r"(떡볶|구|말|양|놀|종|오|린|걸|팽|숭|랑|멍멍|튀)$"
)  # 떡볶이야 is 떡볶이 + 야, 김밥이야 is 김밥 + 이야
_NO_FACT = re.compile(r"^(you|your|it|that|this|him|her|them|너|널|네|그거|이거|그것|이것|그 사람)\b", re.I)


def extract_by_rule(message: str) -> MemoryOperation | None:
    """A fact that a few plain patterns find ("내 이름은 …", "I live in …"), or None. Questions never match."""
    text = " ".join(strip_invisible(message).split())
    if text.endswith("?"):
        return None
    for pattern, key in _FAVOURITES:
        match = pattern.search(text)
        if match and not _NO_FACT.search(match["value"].strip()):
            value = match["value"].strip()
            value += "이" * bool(_NOUN_IN_I.search(value) and text[match.end("value") :].startswith("이"))
            return MemoryOperation("add", key.format(what=match["what"]), value)
    for pattern, key in _RULES:
        match = pattern.search(text)
        if match and match[1].strip() and not _NO_FACT.search(match[1].strip()):
            return MemoryOperation("add", key, match[1].strip())
    return None


def circumstances(
    store: MemoryStore, operation: MemoryOperation, source_turn: str | None, language: str
) -> dict[str, Any]:
    """What is kept beside key and value, as arguments of MemoryStore.add and update.

    A plan is over at the end of the day that it names, counted from the store's clock.
    """
    said = read_clock(store.clock).astimezone()
    last_day = plan_ends(operation.key, operation.value, said.date())
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
    told = circumstances(store, operation, source_turn, language)
    with store.turn():
        known = _same_fact(store, user, operation.key)
        named = _named_value(store, user, known, message)
        if operation.kind == "forget":
            gone = named or known or _brought_to_mind(store, user, message)
            if gone is None:
                return Remembered("refused", source=source, reason=f"nothing is stored under {operation.key!r}")
            store.delete(user, gone.id)
            return Remembered("forget", gone, source)
        if known is None:
            return Remembered("add", store.add(user, operation.key, operation.value, **told), source)
        value = clean_line("value", operation.value, MAXIMUM_VALUE)
        for one in store.find_key(user, known.key):
            if value == one.value or (operation.kind == "add" and _is_part(value, one)):
                return Remembered("known", one, source)
        if named is not None and value != named.value and _CHANGED.search(message):  # "tea now, no more coffee"
            return Remembered("update", store.update(user, named.id, value, **told), source)
        # One may like two things: "add" to a key that names a liking adds, everything else replaces.
        if operation.kind == "add" and _may_have_several(operation.key):
            return Remembered("add", store.add(user, operation.key, value, **told), source)
        return Remembered("update", store.update(user, known.id, value, **told), source)


_CHANGED = re.compile(
    r"이제|이젠|말고|대신|바꿨|바뀌|갈아탔|더는|더 이상|아니라|끊었|접었|관뒀|그만뒀"
    r"|\b(no longer|any ?more|instead|switched|used to|gave up|quit|stopped|changed|over it|rather than)\b",
    re.I,
)
_SEVERAL = re.compile(
    r"좋아하는|싫어하는|못 먹는|무서워하는|취미|알레르기|(?<!남자)(?<!여자)친구|가족|형제|자녀|반려|고민|언어|악기"
    r"|운동|공부|습관|건강|특징|약속|일정"
    r"|\b(likes?|dislikes?|hobb(y|ies)|allerg(y|ies)|friends?|family(?! name)|brothers?|sisters?|child(ren)?|pets?"
    r"|favou?rite|languages?|instruments?|sports?|study|habits?|fears?|health|traits?|appointments?|plans?)\b",
    re.I,
)


def _may_have_several(key: str) -> bool:
    return bool(_SEVERAL.search(key))


def _same_fact(store: MemoryStore, user: str, key: str) -> Memory | None:
    """The newest open memory with that key, or with a key that means the same."""
    same = store.find_key(user, key)
    if same:
        return same[-1]
    memories, vectors = store.vectors(user, "key")
    if not memories:
        return None
    cosines = vectors @ store.embedder.embed_passages([key])[0]
    best = int(cosines.argmax())
    return memories[best] if cosines[best] >= _SAME_FACT else None


def _named_value(store: MemoryStore, user: str, known: Memory | None, message: str) -> Memory | None:
    """The open memory under the same key whose value the message names as well."""
    said = _letters(message)
    same = store.find_key(user, known.key) if known else []
    return next((one for one in reversed(same) if len(_letters(one.value)) > 1 and _letters(one.value) in said), None)


def _brought_to_mind(store: MemoryStore, user: str, message: str) -> Memory | None:
    """The open memory that the message is more likely about than not."""
    found = store.search(user, message, count=1, threshold=0.5)
    return found[0].memory if found else None


def _is_part(value: str, memory: Memory) -> bool:
    """Whether a value adds nothing to one of several: "dog" where "dog Biscuit" is stored."""
    words = set(value.casefold().split())
    return _may_have_several(memory.key) and words <= set(memory.value.casefold().split())


def _letters(text: str) -> str:
    return _HOLES.sub("", unicodedata.normalize("NFKC", text).casefold())


def _passes_luhn(digits: list[int]) -> bool:
    doubled = [digit if i % 2 == 0 else digit * 2 - 9 * (digit > 4) for i, digit in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0 and len(set(digits)) > 1
