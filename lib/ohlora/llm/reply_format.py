"""What the model writes: one line of expression, one of reply, one of memory. Strict to write, exact to read.

    happy 0.8
    떡볶이 좋지! 나도 배고파졌어.
    memory: add | 좋아하는 음식 | 떡볶이

The expression comes first so that the face can move before the words; the memory line comes last.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

EXPRESSIONS = (
    "neutral", "happy", "laughing", "surprised", "sad", "angry",
    "shy", "thinking", "sleepy", "curious", "proud", "worried",
)  # fmt: skip
MEMORY_KINDS = ("add", "update", "forget")
MEMORY_MARK = "memory:"

_HEADER = re.compile(rf"({'|'.join(EXPRESSIONS)}) (0\.[1-9]|1\.0)")
_SPACES = re.compile(r"\s+")

# Reply text may not hold line breaks, the bar that separates memory fields, or angle brackets (turn tokens).
_TEXT_CHARACTERS = r"[^\n\r|<>]"
GRAMMAR = rf"""
root ::= expression " " intensity "\n" text "\n" "memory: " memory
expression ::= {" | ".join(f'"{name}"' for name in EXPRESSIONS)}
intensity ::= "0." [1-9] | "1.0"
text ::= start {_TEXT_CHARACTERS}*
start ::= [^\n\r|<> \t]
memory ::= "none" | ("add" | "update") " | " field " | " field | "forget | " field
field ::= start {_TEXT_CHARACTERS}*
""".strip()


class ReplyFormatError(ValueError):
    """Text of the model that is not in the reply format."""


@dataclass(frozen=True)
class MemoryOperation:
    """What to do with the long-term memory: kind is add, update or forget; value is empty for forget."""

    kind: str
    key: str
    value: str = ""

    def __post_init__(self) -> None:
        if self.kind not in MEMORY_KINDS:
            raise ReplyFormatError(f"memory kind={self.kind!r} is unknown; allowed: {', '.join(MEMORY_KINDS)}")
        _require_line("memory key", self.key)
        if self.kind == "forget":
            if self.value:
                raise ReplyFormatError(f"memory value={self.value!r} is given, but forget takes a key only")
        else:
            _require_line("memory value", self.value)


@dataclass(frozen=True)
class Reply:
    """One answer: visible text, expression with intensity in (0, 1], memory operation or None, the raw output.

    ``valid`` is False where the raw output broke the format and was repaired.
    """

    text: str
    expression: str
    intensity: float
    memory: MemoryOperation | None = None
    raw: str = ""
    valid: bool = True


@dataclass(frozen=True)
class ReplyProgress:
    """A reply while it is being written. text: what is visible so far; reply: set on the last item only."""

    expression: str | None
    intensity: float | None
    text: str
    reply: Reply | None = None


def format_reply(text: str, expression: str, intensity: float, memory: MemoryOperation | None = None) -> str:
    """The text that the model is taught to write.

    Args:
        text: one line, not empty; line breaks become spaces.
        intensity: 0 < intensity ≤ 1, written with one decimal (at least 0.1).

    Raises:
        ReplyFormatError: a field that the format cannot hold.
    """
    if expression not in EXPRESSIONS:
        raise ReplyFormatError(f"expression={expression!r} is unknown; allowed: {', '.join(EXPRESSIONS)}")
    if not 0 < intensity <= 1:
        raise ReplyFormatError(f"intensity={intensity!r} is out of range; allowed: above 0, at most 1")
    line = _SPACES.sub(" ", text).strip()
    _require_line("text", line)
    return f"{expression} {max(intensity, 0.1):.1f}\n{line}\n{MEMORY_MARK} {_format_memory(memory)}"


def without_marks(text: str) -> str:
    """A text with look-alikes for the marks that the format needs itself, so that a user's words fit into it."""
    return text.translate(str.maketrans("|<>", "¦‹›"))


def parse_reply(raw: str) -> Reply:
    """Read what the model wrote.

    Raises:
        ReplyFormatError: a line is missing or malformed; the message says which.
    """
    lines = raw.strip("\n").split("\n")
    if len(lines) != 3:
        raise ReplyFormatError(f"a reply has three lines, this one {len(lines)}: {raw[:60]!r}")
    header = _HEADER.fullmatch(lines[0])
    if not header:
        raise ReplyFormatError(f"first line {lines[0][:40]!r} is not '<expression> <intensity>'")
    _require_line("text", lines[1])
    if not lines[2].startswith(f"{MEMORY_MARK} "):
        raise ReplyFormatError(f"last line {lines[2][:40]!r} does not begin with '{MEMORY_MARK} '")
    memory = _parse_memory(lines[2].removeprefix(f"{MEMORY_MARK} "))
    return Reply(lines[1], header[1], float(header[2]), memory, raw)


def repair_reply(raw: str) -> Reply:
    """The best reading of any text: never raises, never stores a memory from a malformed line."""
    try:
        return parse_reply(raw)
    except ReplyFormatError:
        progress = read_partial(raw)
        text = progress.text or _SPACES.sub(" ", re.sub(r"[<>|]", " ", raw)).strip() or "…"
        return Reply(text, progress.expression or "neutral", progress.intensity or 0.5, None, raw, valid=False)


def read_partial(raw: str) -> ReplyProgress:
    """What can be shown of an unfinished output. Text that might still become the memory line is held back."""
    first, _, rest = raw.lstrip("\n").partition("\n")
    header = _HEADER.fullmatch(first)
    if not header:
        return ReplyProgress(None, None, "")
    text = rest.split("\n", 1)[0]
    return ReplyProgress(header[1], float(header[2]), text.strip() if "\n" in rest else text.lstrip())


def stream_reply(pieces: Iterable[str]) -> Iterator[ReplyProgress]:
    """Turn pieces of raw output into progress; each item's text extends the one before; the last has the Reply."""
    raw, shown = "", None
    try:
        for piece in pieces:
            raw += piece
            progress = read_partial(raw)
            # A half-written emoji arrives as U+FFFD: wait for the rest of it.
            if progress.expression and not progress.text.endswith("\ufffd") and progress != shown:
                shown = progress
                yield progress
    finally:
        if hasattr(pieces, "close"):
            pieces.close()  # whoever stops listening stops the model
    reply = repair_reply(raw)
    yield ReplyProgress(reply.expression, reply.intensity, reply.text, reply)


def same_memory(found: MemoryOperation | None, expected: MemoryOperation | None) -> bool:
    """Whether two operations do the same: equal kind, and one value (for forget: key) contains the other."""
    if found is None or expected is None:
        return found is expected
    if found.kind != expected.kind:
        return False
    pair = [plain_letters(one.key if one.kind == "forget" else one.value) for one in (found, expected)]
    return pair[0] in pair[1] or pair[1] in pair[0]


def same_stored(found: MemoryOperation | None, expected: MemoryOperation | None) -> bool:
    """same_memory, but add and update count as one: they end in the same store."""
    if found and expected and "forget" not in (found.kind, expected.kind):
        found = replace(found, kind=expected.kind)
    return same_memory(found, expected)


def as_field(text: str) -> str:
    """Text as one field of a memory line: without bars, angle brackets and line breaks."""
    return " ".join(text.translate(str.maketrans("|<>", "   ")).split())


def plain_letters(text: str) -> str:
    """Small letters and digits only."""
    return re.sub(r"[\W_]+", "", text).casefold()


def _format_memory(memory: MemoryOperation | None) -> str:
    if memory is None:
        return "none"
    fields = [memory.kind, memory.key] + ([memory.value] if memory.kind != "forget" else [])
    return " | ".join(fields)


def _parse_memory(line: str) -> MemoryOperation | None:
    if line == "none":
        return None
    kind, *fields = line.split(" | ")
    expected = 1 if kind == "forget" else 2
    if len(fields) != expected:
        raise ReplyFormatError(f"memory line {line[:60]!r} has {len(fields)} fields after the kind, not {expected}")
    return MemoryOperation(kind, *fields)


def _require_line(name: str, value: str) -> None:
    if not value or value != value.strip() or re.search(r"[\n\r|<>]", value):
        raise ReplyFormatError(f"{name}={value[:60]!r} must be one trimmed, non-empty line without | < >")
