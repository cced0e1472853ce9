"""The packaged Gemma 3 as an encoder of messages, in plain torch (Gemma Team 2025, "Gemma 3 Technical Report").

The hidden states are those of transformers' Gemma3TextModel, whose import alone takes longer than a turn of the chat.
Messages are far shorter than the window of its local layers, so every layer attends to all that stands before.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional as F

from ohlora.llm.model_files import ModelFilesError, hugging_face_folder

LINEAR_LAYERS = (
    *(f"self_attn.{name}_proj" for name in ("q", "k", "v", "o")),
    *(f"mlp.{name}_proj" for name in ("gate", "up", "down")),
)
"""Names of a layer's matrices, to which an adapter may be added."""


@dataclass(frozen=True)
class GemmaSizes:
    """What config.json says of the network.

    width: of the hidden states. heads: of the queries; keys and values have fewer (key_heads). full_layers: numbers of
    the layers whose rotary base is full_base.
    """

    width: int
    inner: int
    layers: int
    heads: int
    key_heads: int
    head_width: int
    vocabulary: int
    epsilon: float
    full_layers: tuple[int, ...]
    local_base: float
    full_base: float


class RMSNorm(nn.Module):
    """Root mean square normalisation in float32; the stored weight counts from 1."""

    def __init__(self, width: int, epsilon: float) -> None:
        super().__init__()
        self.weight, self.epsilon = nn.Parameter(torch.zeros(width)), epsilon

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """(…, width) → the same shape and dtype."""
        normal = F.rms_norm(hidden.float(), hidden.shape[-1:], eps=self.epsilon)
        return (normal * (1 + self.weight.float())).to(hidden.dtype)


class Attention(nn.Module):
    """Causal attention with normalised queries and keys; all heads share the keys and values of a few."""

    def __init__(self, sizes: GemmaSizes) -> None:
        super().__init__()
        self.head_width = sizes.head_width
        self.q_proj = nn.Linear(sizes.width, sizes.heads * sizes.head_width, bias=False)
        self.k_proj = nn.Linear(sizes.width, sizes.key_heads * sizes.head_width, bias=False)
        self.v_proj = nn.Linear(sizes.width, sizes.key_heads * sizes.head_width, bias=False)
        self.o_proj = nn.Linear(sizes.heads * sizes.head_width, sizes.width, bias=False)
        self.q_norm, self.k_norm = (RMSNorm(sizes.head_width, sizes.epsilon) for _ in range(2))

    def forward(self, hidden: torch.Tensor, turn: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        """hidden: (n, length, width). turn: cosine and sine of each place, (length, head_width)."""
        n, length, _ = hidden.shape
        query, key, value = (
            projection(hidden).view(n, length, -1, self.head_width).transpose(1, 2)
            for projection in (self.q_proj, self.k_proj, self.v_proj)
        )
        query, key = rotated(self.q_norm(query), *turn), rotated(self.k_norm(key), *turn)
        key, value = (one.repeat_interleave(query.shape[1] // one.shape[1], dim=1) for one in (key, value))
        attended = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        return self.o_proj(attended.transpose(1, 2).reshape(n, length, -1))


class FeedForward(nn.Module):
    """Gated GELU (Shazeer 2020, "GLU Variants Improve Transformer")."""

    def __init__(self, sizes: GemmaSizes) -> None:
        super().__init__()
        self.gate_proj, self.up_proj = (nn.Linear(sizes.width, sizes.inner, bias=False) for _ in range(2))
        self.down_proj = nn.Linear(sizes.inner, sizes.width, bias=False)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """(…, width) → (…, width)."""
        return self.down_proj(F.gelu(self.gate_proj(hidden), approximate="tanh") * self.up_proj(hidden))


class GemmaLayer(nn.Module):
    """Attention and feed-forward, each normalised before and after."""

    def __init__(self, sizes: GemmaSizes) -> None:
        super().__init__()
        self.self_attn, self.mlp = Attention(sizes), FeedForward(sizes)
        self.input_layernorm, self.post_attention_layernorm = (RMSNorm(sizes.width, sizes.epsilon) for _ in range(2))
        self.pre_feedforward_layernorm, self.post_feedforward_layernorm = (
            RMSNorm(sizes.width, sizes.epsilon) for _ in range(2)
        )

    def forward(self, hidden: torch.Tensor, turn: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        """(n, length, width) → the same; see Attention."""
        hidden = hidden + self.post_attention_layernorm(self.self_attn(self.input_layernorm(hidden), turn))
        return hidden + self.post_feedforward_layernorm(self.mlp(self.pre_feedforward_layernorm(hidden)))


class GemmaEncoder(nn.Module):
    """Token numbers → last hidden states. Its parameters have the names of transformers' Gemma3TextModel."""

    def __init__(self, sizes: GemmaSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.embed_tokens = nn.Embedding(sizes.vocabulary, sizes.width)
        self.layers = nn.ModuleList(GemmaLayer(sizes) for _ in range(sizes.layers))
        self.norm = RMSNorm(sizes.width, sizes.epsilon)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """int64 (n, length), padded behind → (n, length, width), in the dtype of the layers."""
        scale = torch.tensor(self.sizes.width**0.5, dtype=self.embed_tokens.weight.dtype)
        hidden = (self.embed_tokens(tokens) * scale).to(self.norm.weight.dtype)
        turns = {
            full: rotary_turn(tokens.shape[1], self.sizes.head_width, base, hidden)
            for full, base in ((True, self.sizes.full_base), (False, self.sizes.local_base))
        }
        for number, layer in enumerate(self.layers):
            hidden = layer(hidden, turns[number in self.sizes.full_layers])
        return self.norm(hidden)


def rotary_turn(length: int, width: int, base: float, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosine and sine by which each place turns (Su et al. 2021, "RoFormer", equation 34): (length, width) each."""
    frequencies = base ** (-torch.arange(0, width, 2, device=like.device) / width)
    angles = torch.outer(torch.arange(length, device=like.device), frequencies).repeat(1, 2)
    return angles.cos().to(like.dtype), angles.sin().to(like.dtype)


def rotated(heads: torch.Tensor, cosine: torch.Tensor, sine: torch.Tensor) -> torch.Tensor:
    """Turn each half of a head's numbers with the other: (n, heads, length, width)."""
    first, second = heads.chunk(2, dim=-1)
    return heads * cosine + torch.cat([-second, first], dim=-1) * sine


def read_gemma(name: str = "gemma-3-270m") -> tuple[GemmaEncoder, Tokenizer]:
    """The packaged model's encoder, bfloat16, in eval mode, and its tokenizer (which begins with ``<bos>``).

    Raises:
        ModelFilesError: the package is missing, or is not what it should be.
    """
    folder = hugging_face_folder(name)
    encoder = GemmaEncoder(_sizes(folder)).to(torch.bfloat16)
    tensors = load_file(folder / "model.safetensors")
    try:
        encoder.load_state_dict({name.removeprefix("model."): one for name, one in tensors.items()}, assign=True)
    except RuntimeError as error:
        raise ModelFilesError(f"{folder} is no Gemma 3 ({error}); delete it, it is made again") from error
    return encoder.requires_grad_(False).eval(), Tokenizer.from_file(str(folder / "tokenizer.json"))


def _sizes(folder: Path) -> GemmaSizes:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    bases = config["rope_parameters"]
    return GemmaSizes(
        width=config["hidden_size"],
        inner=config["intermediate_size"],
        layers=config["num_hidden_layers"],
        heads=config["num_attention_heads"],
        key_heads=config["num_key_value_heads"],
        head_width=config["head_dim"],
        vocabulary=config["vocab_size"],
        epsilon=config["rms_norm_eps"],
        full_layers=tuple(i for i, kind in enumerate(config["layer_types"]) if kind == "full_attention"),
        local_base=bases["sliding_attention"]["rope_theta"],
        full_base=bases["full_attention"]["rope_theta"],
    )
