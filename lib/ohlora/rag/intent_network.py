"""The intent of a message, from an encoder that was taught nothing else.

The packaged Gemma 3 270M, on which she speaks too, with a LoRA adapter (ohlora.rag.intent_network_training) that sorts
messages by what they do, not by what they are about: "I should go to the gym" and "the gym was great" lie far apart.
It read more Korean and English, slang included, than the packaged multilingual-e5-small.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import nn

from ohlora.config import quick_precision
from ohlora.llm.gemma_encoder import GemmaEncoder, read_gemma
from ohlora.rag.e5_network import padded
from ohlora.rag.intents import act_of_intent
from ohlora.rag.tuned_embedder import load_adapter_and_heads
from ohlora.weights import WeightsError, load_weights

WEIGHTS = "intent_network"
FROZEN_LAYERS = 4
"""Lowest layers without an adapter: they know letters and words, the same for every task."""
LONGEST = 128  # tokens of a message that are read
_BATCH = 64
_TRAIN = "train it again: python -m ohlora.rag.intent_network_training"


class IntentNetwork(nn.Module):
    """The encoder and one linear layer over what it makes of a message.

    Args:
        encoder: see ohlora.llm.gemma_encoder. tokenizer: its own.
    """

    def __init__(self, encoder: GemmaEncoder, tokenizer: Tokenizer) -> None:
        super().__init__()
        inputs = 2 * encoder.sizes.width
        self.encoder, self.tokenizer = encoder, tokenizer
        # A few of Gemma's numbers are a hundred times as large as the others: without a scale of each they say it all.
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("deviation", torch.ones(inputs))
        self.head = nn.Sequential(nn.LayerNorm(inputs), nn.Dropout(0.2), nn.Linear(inputs, len(act_of_intent())))
        self._meaning = lru_cache(maxsize=8)(self._meaning_of)  # several parts of a turn ask for one message

    def tokens(self, messages: Sequence[str]) -> list[list[int]]:
        """Token numbers of each message, behind ``<bos>``."""
        return [encoding.ids[:LONGEST] for encoding in self.tokenizer.encode_batch(list(messages))]

    def features(self, tokens: Sequence[list[int]]) -> torch.Tensor:
        """Mean of the last states over a message's tokens but ``<bos>``, and that of the last token: (n, 2 x width)."""
        numbers, seen = padded(tokens, self.mean.device)
        hidden = self.encoder(numbers).float()
        last = seen.sum(dim=1) - 1
        counted = seen.clone()
        counted[:, 0] = False
        mean = (hidden * counted[..., None]).sum(dim=1) / last.clamp(min=1)[:, None]
        return torch.cat([mean, hidden[torch.arange(len(hidden)), last]], dim=1)

    def forward(self, tokens: Sequence[list[int]]) -> torch.Tensor:
        """Token numbers of n messages → logits of the intents, in the order of act_of_intent: (n, intents)."""
        return self.head((self.features(tokens) - self.mean) / self.deviation)

    @torch.no_grad()
    def meanings(self, texts: Sequence[str]) -> torch.Tensor:
        """Standardised features of any number of texts, float32 (n, 2 x width): what the head makes logits of.

        Those of a text alone are kept, of a network that is not to be taught any more (eval mode).
        """
        if len(texts) == 1 and not self.training:
            return self._meaning(texts[0])
        tokens = self.tokens(texts)
        found = torch.zeros(len(tokens), len(self.mean))
        order = sorted(range(len(tokens)), key=lambda row: len(tokens[row]))  # texts of like length share a batch
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            found[rows] = (self.features([tokens[row] for row in rows]).float() - self.mean) / self.deviation
        return found

    def _meaning_of(self, text: str) -> torch.Tensor:
        return (self.features(self.tokens([text])).float() - self.mean) / self.deviation


@lru_cache(maxsize=1)
def load_intent_network(weights: str | Path = WEIGHTS) -> IntentNetwork:
    """The shipped network, in eval mode; it is kept, for several parts use it. weights: name or path of its file.

    Raises:
        WeightsError: it is missing or damaged, or knows other intents than data/answers/intents.yaml.
        ModelFilesError: Gemma's package is missing or damaged.
    """
    tensors, card = load_weights(weights)
    if card["intents"] != list(act_of_intent()):
        raise WeightsError(f"{WEIGHTS} knows other intents; {_TRAIN}")
    network = IntentNetwork(*read_gemma())
    network.encoder.layers.float()
    load_adapter_and_heads(network, tensors, card, WEIGHTS, _TRAIN)
    network.encoder.layers.to(quick_precision())
    network.encoder.norm.to(quick_precision())
    return network.eval()
