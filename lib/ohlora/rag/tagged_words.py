"""Words of a message that a network marks, by BIO tags of tokens (Ramshaw & Marcus 1995) or by the first and last of
them, and where they stand in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from ohlora.rag.e5_model import PREFIXES

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TAGS = ("outside", "begin", "inside")
LONGEST = 460
"""Tokens of a message that are read: more than 600 characters have."""
_RUNS = 5
_CONTEXT = 40  # tokens of her last line that are read
_LATIN = re.compile(r"[A-Za-zÀ-ɏ0-9]{2}")
_HANGUL = re.compile(r"[가-힣]{2}")


@dataclass(frozen=True)
class Encoded:
    """A message for a network. tokens: numbers. places: first and last + 1 character of each; (0, 0) outside it."""

    tokens: list[int]
    places: list[tuple[int, int]]


@dataclass(frozen=True)
class FoundWords:
    """Words of a message, and how sure it is that they are those that are looked for."""

    words: str
    probability: float


def encode(tokenizer: Tokenizer, message: str, before: str = "") -> Encoded:
    """Her last line (if any), then the message behind E5's prefix."""
    prefix = PREFIXES["query"]
    own = tokenizer.encode(prefix + message)
    places = [(max(0, first - len(prefix)), max(0, last - len(prefix))) for first, last in own.offsets]
    context = tokenizer.encode(before).ids[:_CONTEXT] if before else []
    return Encoded([*context, *own.ids], [(0, 0)] * len(context) + places)


def letters(message: tuple[str, str]) -> int:
    """Characters of a message and of what she said just before it: about as many tokens."""
    return sum(map(len, message))


def own_tokens(encoded: Encoded) -> np.ndarray:
    """Bool (tokens,): True for those of the message itself."""
    return np.array([last > first for first, last in encoded.places])


def tagged_words(tags: np.ndarray, places: Sequence[tuple[int, int]]) -> list[tuple[int, int, float]]:
    """Runs of tokens that are more likely in a fact than not; where there is none, the likeliest run.

    Args:
        tags: probabilities (tokens, 3), in the order of TAGS. places: see Encoded.

    Returns:
        First token, last + 1, and the mean probability of each run.
    """
    inside = tags[:, 1:].sum(axis=1) * [last > first for first, last in places]
    begins = tags[:, 1] > 0.5
    limit = 0.5 if inside.max(initial=0.0) > 0.5 else 0.4 * inside.max(initial=0.0)
    runs: list[list[int]] = []
    for token, probability in enumerate(inside):
        goes_on = bool(runs) and runs[-1][1] == token and not begins[token]
        in_word = goes_on and places[token - 1][1] == places[token][0]  # half a word is no value
        if goes_on and probability > (0.6 if in_word else 1.0) * limit:
            runs[-1][1] = token + 1
        elif probability > limit:
            runs.append([token, token + 1])
    found = [(first, last, float(inside[first:last].mean())) for first, last in runs]
    return found if limit == 0.5 else sorted(found, key=lambda run: -run[2])[:1]


def run_of_words(encoded: Encoded, message: str, words: str) -> tuple[int, int] | None:
    """First and last token of words of a message; None where there are none, or they are not read."""
    begin = message.find(words)
    end = begin + len(words)
    inside = [token for token, (first, last) in enumerate(encoded.places) if max(first, begin) < min(last, end)]
    return (inside[0], inside[-1]) if inside else None


def ends_or_none(ends: torch.Tensor, none: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
    """Logits (n, length + 1, 2) of the first and the last token of a run; the last row stands for no run.

    Args:
        ends: (n, length, 2), of every token. none: (n,). own: bool (n, length), True for the tokens of the text itself.
    """
    return torch.cat([ends.masked_fill(~own[..., None], -1e4), none[:, None, None].expand(-1, 1, 2)], dim=1)


def likeliest_runs(ends: np.ndarray, longest: int) -> list[tuple[int, int, float]]:
    """First and last token of a few runs, and the geometric mean of their probabilities; the likeliest first.

    Args:
        ends: float32 (tokens, 2), probabilities of being the first and the last. longest: tokens of a run.
    """
    together = np.triu(np.outer(ends[:, 0], ends[:, 1]))
    together -= np.triu(together, longest)
    found = []
    for place in np.argsort(-together, axis=None, kind="stable")[:_RUNS]:
        first, last = np.unravel_index(place, together.shape)
        found.append((int(first), int(last), float(np.sqrt(together[first, last]))))
    return [run for run in found if run[2] > 0]


def whole_words(message: str, first: int, last: int) -> tuple[int, int]:
    """The characters from first to last, and what they cut off a word: of one in Latin letters, or a number, all of it;
    of a Korean one its beginning (for its end see whole_noun).
    """
    while first > 0 and (
        _LATIN.fullmatch(message[first - 1 : first + 1]) or _HANGUL.fullmatch(message[first - 1 : first + 1])
    ):
        first -= 1
    while last < len(message) and _LATIN.fullmatch(message[last - 1 : last + 1]):
        last += 1
    return first, last
