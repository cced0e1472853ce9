"""The network of multilingual-e5-small: a BERT encoder in plain torch (Devlin et al. 2019), words kept in four bits.

transformers' BertModel computes the same; importing it takes four seconds, longer than all the rest of loading.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from ohlora.config import half_precision

Item, Found = TypeVar("Item"), TypeVar("Found")
LINEAR_LAYERS = ("query", "key", "value", "attention_output", "intermediate", "output")
"""Names of an E5Layer's matrices, to which an adapter may be added."""
BLOCK, BLOCK_BYTES = 32, 18
"""32 values in 2 bytes of scale (float16) and 16 bytes that hold two numbers each."""


def unpack_blocks(blocks: torch.Tensor) -> torch.Tensor:
    """uint8 (…, blocks, 18) → float32 (…, blocks x 32): scale x (number - 8), the low halves of the bytes first."""
    scale = blocks[..., :2].contiguous().view(torch.float16).float()
    numbers = torch.cat([blocks[..., 2:] & 15, blocks[..., 2:] >> 4], dim=-1).float() - 8
    return (numbers * scale).flatten(-2)


class PackedEmbedding(nn.Module):
    """An embedding table that stays in four bits; only the rows that are looked up become float32.

    Args:
        blocks: uint8 (rows, columns / 32, 18). 250,037 rows of 384 values take 54 MB so, not 384.
    """

    def __init__(self, blocks: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("blocks", blocks, persistent=False)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Whole numbers (…) → float32 (…, columns)."""
        return unpack_blocks(self.blocks[rows])


class E5Layer(nn.Module):
    """Self-attention, then two linear layers; what goes in is added and normalised after each."""

    def __init__(self, width: int, heads: int, inner: int, epsilon: float) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.attention_output = nn.Linear(width, width)
        self.attention_norm = nn.LayerNorm(width, epsilon)
        self.intermediate, self.output = nn.Linear(width, inner), nn.Linear(inner, width)
        self.output_norm = nn.LayerNorm(width, epsilon)
        self.dropout = nn.Dropout(0.1)

    def forward(self, hidden: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """float32 (n, length, width), bool (n, 1, 1, length) → float32 (n, length, width)."""
        queries, keys, values = (
            layer(hidden).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        attended = F.scaled_dot_product_attention(queries, keys, values, attn_mask=seen)
        attended = self.attention_output(attended.transpose(1, 2).flatten(2))
        hidden = self.attention_norm(hidden + self.dropout(attended))
        return self.output_norm(hidden + self.dropout(self.output(F.gelu(self.intermediate(hidden)))))


class E5Network(nn.Module):
    """Token numbers → one vector a token.

    Args:
        words: see PackedEmbedding. The rest: sizes, and the epsilon of the layer norms.
    """

    def __init__(
        self, words: PackedEmbedding, width: int, layers: int, heads: int, inner: int, positions: int, epsilon: float
    ) -> None:
        super().__init__()
        self.width = width
        self.words = words
        self.positions = nn.Embedding(positions, width)
        self.kind = nn.Parameter(torch.zeros(width))  # BERT tells two kinds of sentences apart; E5 has one
        self.norm = nn.LayerNorm(width, epsilon)
        self.layers = nn.ModuleList(E5Layer(width, heads, inner, epsilon) for _ in range(layers))

    def embed(self, tokens: torch.Tensor) -> torch.Tensor:
        """int64 (n, length) → what goes into the first layer, float32 (n, length, width)."""
        places = self.positions.weight[: tokens.shape[1]]
        return self.norm(self.words(tokens) + places + self.kind)

    def forward(self, tokens: torch.Tensor, seen: torch.Tensor, frozen_layers: int = 0) -> torch.Tensor:
        """int64 (n, length), bool (n, length): False at padding → float32 (n, length, width).

        Args:
            frozen_layers: of the lowest so many, and of the embedding below them, no gradient is kept.
        """
        with torch.set_grad_enabled(torch.is_grad_enabled() and frozen_layers == 0):
            hidden = self.embed(tokens)
            for layer in self.layers[:frozen_layers]:
                hidden = layer(hidden, seen[:, None, None])
        for layer in self.layers[frozen_layers:]:
            hidden = layer(hidden, seen[:, None, None])
        return hidden


def mean_and_highest(states: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    """Mean and maximum over a text's tokens: (n, length, width), bool (n, length) → (n, 2 x width)."""
    mean = (states * seen[..., None]).sum(dim=1) / seen.sum(dim=1, keepdim=True)
    highest = states.masked_fill(~seen[..., None], -torch.inf).amax(dim=1)
    return torch.cat([mean, highest], dim=1)


@contextlib.contextmanager
def limited_threads(count: int) -> Iterator[None]:
    """Compute on so many threads of the CPU; what was set before comes back."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def training_precision() -> Iterator[None]:
    """bfloat16 where it is quick, with plain attention: backwards on a CPU the fused one takes most of a step."""
    with half_precision(), sdpa_kernel(SDPBackend.MATH):
        yield


def padded(tokens: Sequence[list[int]], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Token numbers of n texts → int64 (n, length) with zeros behind each, and bool (n, length): False there."""
    numbers = np.zeros((len(tokens), max(map(len, tokens))), np.int64)
    for row, text in enumerate(tokens):
        numbers[row, : len(text)] = text
    lengths = np.array([len(text) for text in tokens])
    seen = np.arange(numbers.shape[1]) < lengths[:, None]
    return torch.from_numpy(numbers).to(device), torch.from_numpy(seen).to(device)


def batches_of_like_length(lengths: Sequence[int], size: int, draw: random.Random) -> Iterator[list[int]]:
    """Rows in batches, without end, every row once a round; those of like length share a batch, which spares padding.

    Args:
        lengths: tokens of each row. size: rows in a batch; the last ones may have fewer. draw: of the order.
    """
    while True:
        order = draw.sample(range(len(lengths)), len(lengths))
        batches = []
        for start in range(0, len(order), 20 * size):
            near = sorted(order[start : start + 20 * size], key=lambda row: lengths[row])
            batches += [near[first : first + size] for first in range(0, len(near), size)]
        draw.shuffle(batches)
        yield from batches


def in_like_batches(
    items: Sequence[Item], size: int, look: Callable[[Sequence[Item]], Sequence[Found]], length: Callable[[Item], int]
) -> list[Found]:
    """What ``look`` finds for each item; items of like length share a batch of the given size, which spares padding."""
    order = sorted(range(len(items)), key=lambda row: length(items[row]))
    found: dict[int, Found] = {}
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        found.update(zip(rows, look([items[row] for row in rows]), strict=True))
    return [found[row] for row in range(len(items))]


def sentence_vectors(network: E5Network, tokens: Sequence[list[int]]) -> torch.Tensor:
    """Token numbers of n texts → float32 (n, width), each of length 1: the mean over a text's tokens.

    Args:
        network: on any device. tokens: at least one text, at least one token each.
    """
    numbers, seen = padded(tokens, network.kind.device)
    hidden = network(numbers, seen).float()
    return F.normalize((hidden * seen[..., None]).sum(dim=1), dim=1)  # of length 1, so the sum is as good as the mean


@torch.no_grad()
def vectors_in_batches(network: E5Network, tokens: Sequence[list[int]], size: int) -> torch.Tensor:
    """sentence_vectors of any number of texts, float32 (n, width) on the CPU; texts of like length share a batch."""
    found = in_like_batches(tokens, size, lambda part: sentence_vectors(network, part).float().cpu(), len)
    return torch.stack(found) if found else torch.zeros(0, network.width)
