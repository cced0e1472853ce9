"""A PEFT LoRA adapter as a GGUF file, which llama.cpp adds to the base model when it loads it.

On a float32 base both engines give the same log-probabilities to the second decimal. On the quantised base llama.cpp
rounds the activations too, which moves them by a few tenths: greedy answers then part from transformers' after some
words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch

_LAYERS = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
_ARCHITECTURES = {"gemma-3-270m": "gemma3", "smollm2-135m": "llama"}
_HEADS = {"smollm2-135m": {"attn_q": 9, "attn_k": 3}}
_NAME = re.compile(r"layers\.(\d+)\.((?:self_attn|mlp)\.\w+)\.lora_([AB])\.")


def write_adapter_gguf(tensors: Mapping[str, torch.Tensor], alpha: float, base_model: str, path: Path) -> Path:
    """Write the adapter's twin for llama.cpp, matrices in float16.

    Args:
        tensors: as saved by PEFT, ``…layers.<n>.<layer>.lora_A.weight`` (rank, in) and ``lora_B`` (out, rank).
        alpha: LoRA's alpha; llama.cpp divides by the rank itself.
        base_model: gemma-3-270m or smollm2-135m.

    Raises:
        ValueError: another model, or a tensor that has no place in a GGUF adapter.
    """
    import gguf

    if base_model not in _ARCHITECTURES:
        raise ValueError(f"base_model={base_model!r} has no llama.cpp twin; allowed: {', '.join(_ARCHITECTURES)}")
    writer = gguf.GGUFWriter(path, _ARCHITECTURES[base_model])
    writer.add_string("general.type", "adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(alpha))
    for name in sorted(tensors):
        found = _NAME.search(name)
        if not found or found[2] not in _LAYERS:
            raise ValueError(f"tensor {name!r} has no place in a GGUF adapter; allowed layers: {', '.join(_LAYERS)}")
        block, layer, side = int(found[1]), _LAYERS[found[2]], found[3].lower()
        matrix = tensors[name].float()
        heads = _HEADS.get(base_model, {}).get(layer)
        if side == "b" and heads:
            matrix = _interleave_rotary_halves(matrix, heads)
        writer.add_tensor(f"blk.{block}.{layer}.weight.lora_{side}", matrix.to(torch.float16).numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _interleave_rotary_halves(matrix: torch.Tensor, heads: int) -> torch.Tensor:
    """Llama-type GGUF files store the rotary pairs of q and k side by side; transformers stores them as two halves."""
    rows, rank = matrix.shape
    return matrix.reshape(heads, 2, rows // heads // 2, rank).swapaxes(1, 2).reshape(rows, rank)
