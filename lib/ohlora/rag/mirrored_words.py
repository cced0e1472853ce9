"""The words of a message that a good listener repeats: of "i binned 40 sea bass" "40 sea bass".

Who repeats the heart of what was said shows that she heard it ("mirroring" in active listening, Rogers & Farson 1957).
A general answer cannot show that. Where the words begin and end is found as in extractive question answering with
questions that have no answer (Devlin et al. 2019, "BERT", §4.3), on the states of the reader of messages. Trained by
ohlora.rag.mirrored_words_training.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import torch
from torch import nn

from ohlora.rag.e5_network import limited_threads
from ohlora.rag.korean_words import whole_phrase
from ohlora.rag.message_reader import MessageReader, load_for_reader
from ohlora.rag.tagged_words import FoundWords, ends_or_none, likeliest_runs, own_tokens, whole_words

WEIGHTS = "mirrored_words"
SURE = 0.4
"""Probability from which words are repeated; see mirrored_metrics of ohlora.rag.mirrored_words_training."""
_LONGEST = 10  # tokens
_TRAIN = "python -m ohlora.rag.mirrored_words_training"
_NOT_SAID_AGAIN = re.compile(
    r"\b(i|im|i['’]\w+|me|my|mine|we|us|our|you|u|ur|your)\b|(?<![가-힣])(나|내|저|제|너|네|넌|난)(?![가-힣])|[?]",
    re.IGNORECASE,
)
_PIECES = re.compile(r"[.,](?!\d)|[!~…;:\n]+|[ㅋㅎㅠㅜ]+|[^\w\s%$€£₩'’.,-]+")
_BARE_NOUN = re.compile(r"[가-힣]+")
_LETTERS = re.compile(r"[a-z가-힣]|\d{2}", re.IGNORECASE)


class MirroredWordsHead(nn.Module):
    """Where the words begin and end, or that there are none. width: of the reader's states."""

    def __init__(self, width: int, inner: int = 256) -> None:
        super().__init__()
        self.ends = nn.Sequential(
            nn.Dropout(0.2), nn.Linear(3 * width, inner), nn.GELU(), nn.Dropout(0.3), nn.Linear(inner, 2)
        )
        self.none = nn.Sequential(
            nn.Dropout(0.2), nn.Linear(2 * width, inner), nn.GELU(), nn.Dropout(0.3), nn.Linear(inner, 1)
        )

    def forward(self, states: torch.Tensor, whole: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
        """Logits (n, length + 1, 2) of first and last token; the last row is "none".

        Args:
            states: (n, length, width) and whole: (n, 2 x width), see MessageNetwork. own: bool (n, length), True for
                the tokens of the message itself.
        """
        every = torch.cat([states, whole[:, None].expand(-1, states.shape[1], -1)], dim=2)
        return ends_or_none(self.ends(every), self.none(whole)[:, 0], own)


class MirroredWords:
    """Finds them. reader: on whose states the head was trained."""

    def __init__(self, reader: MessageReader, head: MirroredWordsHead) -> None:
        self.reader, self.head = reader, head.eval()

    def find(self, message: str, before: str = "") -> str:
        """The words to repeat; "": there are none. before: what she said just before it."""
        (found,) = self.find_all([(message, before)])
        return found.words if found.probability >= SURE else ""

    @torch.no_grad()
    def find_all(self, messages: Sequence[tuple[str, str]]) -> list[FoundWords]:
        """Pairs of message and what she said before it → their likeliest words, however likely."""
        with limited_threads(self.reader.threads):
            return [self._find(*one) for one in messages]

    def _find(self, message: str, before: str) -> FoundWords:
        (encoded,), states, seen = self.reader.look((message, before))
        if not own_tokens(encoded).any():
            return FoundWords("", 0.0)
        own = torch.from_numpy(own_tokens(encoded))[None]
        logits = self.head(states, self.reader.network.whole(states, seen), own)
        for first, last, probability in likeliest_runs(logits[0].softmax(dim=0).numpy()[:-1], _LONGEST):
            words = sayable_words(message, encoded.places[first][0], encoded.places[last][1])
            if words:
                return FoundWords(words, probability)
        return FoundWords("", 0.0)


def sayable_words(message: str, first: int, last: int) -> str:
    """Whole words from the characters first to last, without particles; "": she cannot say them, or not alone.

    One bare Korean noun ("다리!") shows nobody that she listened, a number or two words do (data/answers/README.md).
    """
    first, last = whole_phrase(message, *whole_words(message, first, last))
    pieces = [piece.strip(" '\"’-.,") for piece in _PIECES.split(message[first:last])]
    words = max(pieces, key=len)
    bare = _BARE_NOUN.fullmatch(words) or not _LETTERS.search(words)
    return "" if bare or _NOT_SAID_AGAIN.search(message[first:last]) else words


def load_mirrored_words(reader: MessageReader) -> MirroredWords:
    """The shipped head.

    Raises:
        WeightsError: its weight file is missing or damaged, or was made with another reader.
    """
    tensors, _ = load_for_reader(WEIGHTS, reader, _TRAIN)
    head = MirroredWordsHead(reader.network.encoder.width)
    head.load_state_dict({name: one.float() for name, one in tensors.items()})
    return MirroredWords(reader, head)
