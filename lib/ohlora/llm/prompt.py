"""From a conversation to the text that the model continues. Nothing a user types can become structure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from ohlora.config import DATA, Profile
from ohlora.llm.language import LANGUAGES, text_language
from ohlora.llm.model_files import PACKAGED_MODELS

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MESSAGE_LIMIT = 4000
"""Longest user message, in characters."""

ROLES = ("user", "assistant")
_SPACES = re.compile(r"\s+")
_TOKEN_START = re.compile(r"<(?=[|/A-Za-z_\[])")
_DAYS_KO = "월화수목금토일"
_PARTS_KO = {5: "새벽", 12: "아침", 18: "오후", 21: "저녁", 24: "밤"}
_PARTS_EN = {5: "at night", 12: "in the morning", 18: "in the afternoon", 21: "in the evening", 24: "at night"}


@dataclass(frozen=True)
class TurnTemplate:
    """How a model's turns are marked: ``begin`` + role + newline + content + ``end`` + newline."""

    start: str
    begin: str
    end: str
    assistant: str


@dataclass(frozen=True)
class Example:
    """A written dialogue, shown to the model beside a similar message: what was said, how she answered."""

    user: str
    expression: str
    reply: str

    @property
    def line(self) -> str:
        """One line of the note."""
        return clean_text(f"~ {self.user} → {self.expression}: {self.reply}")


TEMPLATES = {
    "gemma": TurnTemplate(start="<bos>", begin="<start_of_turn>", end="<end_of_turn>", assistant="model"),
    "chatml": TurnTemplate(start="", begin="<|im_start|>", end="<|im_end|>", assistant="assistant"),
}


def clean_text(text: str) -> str:
    """One line without anything that a tokenizer could read as a turn token or the model as a memory line.

    ``<`` before a letter, bar or slash becomes ``‹`` (``<3`` stays), the bar becomes ``¦``, line breaks become spaces.
    """
    return _SPACES.sub(" ", _TOKEN_START.sub("‹", text).replace("|", "¦")).strip()


def check_messages(messages: Sequence[dict[str, str]]) -> None:
    """Refuse a conversation that cannot be answered.

    Raises:
        ValueError: no messages, an unknown role, the last one not the user's, or a message that is empty or longer
            than MESSAGE_LIMIT characters.
    """
    if not messages or messages[-1].get("role") != "user":
        raise ValueError("messages must end with a message whose role is 'user'")
    for message in messages:
        role, content = message.get("role"), message.get("content")
        if role not in ROLES or not isinstance(content, str):
            raise ValueError(f"message role={role!r} with {type(content).__name__} content; allowed: user, assistant")
    content = messages[-1]["content"]
    if not content.strip():
        raise ValueError(f"the message is empty; allowed: 1 to {MESSAGE_LIMIT} characters")
    if len(content) > MESSAGE_LIMIT:
        raise ValueError(f"the message has {len(content)} characters; allowed: 1 to {MESSAGE_LIMIT}")


def detect_language(messages: Sequence[dict[str, str]]) -> str:
    """``"ko"`` or ``"en"``: the language of the last user message that has letters; Korean where none has."""
    for message in reversed(messages):
        if message["role"] == "user" and (language := text_language(message["content"])):
            return language
    return "ko"


@cache
def system_line(language: str) -> str:
    """Her system line, data/prompts/system.<language>.txt. Short on purpose: it is paid for at every turn.

    Raises:
        ValueError: language is not ko or en.
    """
    if language not in LANGUAGES:
        raise ValueError(f"language={language!r} is unknown; allowed: {', '.join(LANGUAGES)}")
    return (DATA / "prompts" / f"system.{language}.txt").read_text(encoding="utf-8").strip()


def describe_time(now: datetime, language: str) -> str:
    """Day and time in words that she can repeat: "3월 2일 월요일 저녁 8시 10분", "Monday March 2, 8:10 at night"."""
    parts = _PARTS_KO if language == "ko" else _PARTS_EN
    part = next(name for end, name in parts.items() if now.hour < end)
    hour = (now.hour - 1) % 12 + 1
    if language == "ko":
        return f"{now.month}월 {now.day}일 {_DAYS_KO[now.weekday()]}요일 {part} {hour}시 {now.minute}분"
    return f"{now:%A %B} {now.day}, {hour}:{now:%M} {part}"


def context_note(
    memories: Sequence[str] = (),
    now: datetime | None = None,
    language: str = "ko",
    examples: Sequence[Example] = (),
) -> str:
    """What she knows at this turn: day and time, one recalled memory ("key: value") a line, one example a line."""
    lines = [describe_time(now, language)] if now else []
    lines += [cleaned for memory in memories if (cleaned := clean_text(memory))]
    return "\n".join([*lines, *(example.line for example in examples)])


def build_messages(
    messages: Sequence[dict[str, str]],
    memories: Sequence[str] = (),
    now: datetime | None = None,
    language: str | None = None,
    examples: Sequence[Example] = (),
) -> list[dict[str, str]]:
    """Clean chat messages with her system line first and the note just before the last user message.

    The note stands late so that the words before it stay the same from turn to turn: llama.cpp then keeps them.
    """
    language = language or detect_language(messages)
    cleaned = [{"role": message["role"], "content": clean_text(message["content"])} for message in messages]
    note = context_note(memories, now, language, examples)
    notes = [{"role": "note", "content": note}] if note else []
    return [{"role": "system", "content": system_line(language)}, *cleaned[:-1], *notes, cleaned[-1]]


def render(messages: Sequence[dict[str, str]], template: str | Callable[[list[dict[str, str]]], str]) -> str:
    """Messages as text, ending where the assistant's answer begins.

    Args:
        messages: from build_messages.
        template: a name in TEMPLATES, or a function such as a hub tokenizer's chat template.

    Raises:
        ValueError: unknown template.
    """
    if callable(template):
        return template(_merge_note(messages))
    if template not in TEMPLATES:
        raise ValueError(f"template={template!r} is unknown; allowed: {', '.join(TEMPLATES)}")
    turn = TEMPLATES[template]
    text = turn.start
    for message in messages:
        role = turn.assistant if message["role"] == "assistant" else message["role"]
        text += f"{turn.begin}{role}\n{message['content']}{turn.end}\n"
    return f"{text}{turn.begin}{turn.assistant}\n"


def build_prompt(
    messages: Sequence[dict[str, str]],
    memories: Sequence[str] = (),
    now: datetime | None = None,
    template: str | Callable[[list[dict[str, str]]], str] = "gemma",
    count_tokens: Callable[[str], int] | None = None,
    limit: int = 1024,
    language: str | None = None,
    examples: Sequence[Example] = (),
) -> str:
    """The whole prompt; the examples, then the oldest turns are left out until it fits.

    Args:
        messages: ``[{"role": "user" | "assistant", "content": str}, …]``, the last one the user's.
        memories: recalled memories, ``"key: value"``, best first. now: the time of this turn.
        template: see render.
        count_tokens: text → number of tokens; without it nothing is left out.
        limit: tokens that the prompt may have.
        language: of the system line; without it, that of the last message with letters.
        examples: similar dialogues, the nearest first.

    Raises:
        ValueError: see check_messages; or the last message alone does not fit.
    """
    check_messages(messages)
    kept, language = list(messages), language or detect_language(messages)
    while True:
        prompt = render(build_messages(kept, memories, now, language, examples), template)
        if count_tokens is None or count_tokens(prompt) <= limit:
            return prompt
        if examples:
            examples = list(examples)[:-1]
        elif len(kept) > 1:
            kept = kept[2:] if len(kept) > 2 else kept[1:]
        elif memories:
            memories = list(memories)[:-1]  # the least fitting one is last
        else:
            raise ValueError(f"the message takes more than {limit} tokens; allowed: what fits the model's context")


@dataclass(frozen=True)
class TokenizerTemplate:
    """The chat template that a hub model's tokenizer brings.

    start: what this tokenizer puts in front of a text by itself; its template may write it as well.
    """

    tokenizer: PreTrainedTokenizerBase
    start: str

    def __call__(self, messages: list[dict[str, str]]) -> str:
        """See render. A model that can think aloud first (Qwen3) does not: the reply format has no place for it."""
        return self.tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True, enable_thinking=False
        )


def template_of(profile: Profile, tokenizer: PreTrainedTokenizerBase) -> str | TokenizerTemplate:
    """The turn template of the profile's model: ours for packaged models, the tokenizer's own for hub models."""
    if profile.llm.model in PACKAGED_MODELS:
        return PACKAGED_MODELS[profile.llm.model].template
    starts = tokenizer.bos_token is not None and tokenizer("")["input_ids"][:1] == [tokenizer.bos_token_id]
    return TokenizerTemplate(tokenizer, tokenizer.bos_token if starts else "")


def start_of(template: str | Callable[[list[dict[str, str]]], str]) -> str:
    """The text before the first turn that the tokenizer adds by itself: training rows leave it out."""
    return TEMPLATES[template].start if isinstance(template, str) else getattr(template, "start", "")


def _merge_note(messages: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Chat templates of hub models know system, user and assistant only: the note joins the system message."""
    notes = [message["content"] for message in messages if message["role"] == "note"]
    rest = [dict(message) for message in messages if message["role"] != "note"]
    if notes:
        rest[0]["content"] = "\n".join([rest[0]["content"], *notes])
    return rest
