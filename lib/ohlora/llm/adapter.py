"""The LoRA adapter: settings, attaching one to a model, saving it with its card and its llama.cpp twin."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ohlora.llm.adapter_gguf import write_adapter_gguf
from ohlora.llm.model_files import PACKAGED_MODELS, cache_folder
from ohlora.weights import load_weights, locate_weights, save_weights

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel


@dataclass(frozen=True)
class LoraSettings:
    """W + (alpha / rank) · B A in every named layer (Hu et al. 2021, LoRA, eq. 3).

    rank: width of the two small matrices. alpha: scale, divided by the rank.
    dropout: on the adapter's input. target_modules: which linear layers get one.
    """

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    target_modules: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def add_lora(model: PreTrainedModel, settings: LoraSettings) -> PeftModel:
    """The model with fresh adapters: every base weight frozen, B = 0, so that it answers as before."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=list(settings.target_modules),
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)


def attach_adapter(model: PreTrainedModel, name_or_path: str | Path) -> PeftModel:
    """The base model with a saved adapter.

    Args:
        name_or_path: name of a weight file (``"oh_lora_adapter"``) or path of a .safetensors file.

    Raises:
        WeightsError: missing, truncated or changed. ValueError: the adapter belongs to another model.
    """
    from peft import set_peft_model_state_dict

    tensors, card = load_weights(name_or_path)
    settings = LoraSettings(**{**card["lora"], "target_modules": tuple(card["lora"]["target_modules"])})
    adapted = add_lora(model, settings)
    result = set_peft_model_state_dict(adapted, {name: tensor.float() for name, tensor in tensors.items()})
    missing = [name for name in getattr(result, "missing_keys", []) if "lora_" in name]
    if missing or getattr(result, "unexpected_keys", []):
        raise ValueError(f"adapter {name_or_path} was trained on {card['base_model']}, it does not fit this model")
    adapted.eval()
    return adapted


def save_adapter(model: PeftModel, settings: LoraSettings, path: Path, base_model: str, card: dict[str, Any]) -> Path:
    """Write the adapter in bfloat16 (.safetensors), its card (.json) and, for packaged models, its twin (.gguf).

    Args:
        path: ends in .safetensors. base_model: name of the model that it belongs to.
        card: data, seed, command, metrics, licence; the rest is added here.
    """
    from peft import get_peft_model_state_dict

    state = get_peft_model_state_dict(model, save_embedding_layers=False)
    tensors = {name: tensor.detach().to("cpu", torch.bfloat16) for name, tensor in state.items()}
    return _write(tensors, settings, Path(path), base_model, card)


def save_stacked_adapter(
    model: PeftModel, settings: LoraSettings, path: Path, first: str | Path, card: dict[str, Any]
) -> Path:
    """Save an adapter that was trained on top of a merged one, as a single adapter for the base model.

    B₁A₁ + B₂A₂ = [B₁ B₂][A₁; A₂]: the ranks add up, the sum is exact.

    Args:
        model: base + merged first adapter + second adapter (of ``settings``). first: name or path of the first one.
    """
    from peft import get_peft_model_state_dict

    tensors, first_card = load_weights(first)
    first_scale = first_card["lora"]["alpha"] / first_card["lora"]["rank"]
    second = get_peft_model_state_dict(model, save_embedding_layers=False)
    stacked = {}
    for name, tensor in tensors.items():
        added = second[name].detach().float().cpu()
        if ".lora_B." in name:
            parts = [tensor.float() * first_scale, added * (settings.alpha / settings.rank)]
            stacked[name] = torch.cat(parts, dim=1).to(torch.bfloat16)
        else:
            stacked[name] = torch.cat([tensor.float(), added], dim=0).to(torch.bfloat16)
    rank = first_card["lora"]["rank"] + settings.rank
    both = dataclasses.replace(settings, rank=rank, alpha=rank)
    content = {"licence": first_card["licence"], **card}
    return _write(stacked, both, Path(path), first_card["base_model"], content)


def adapter_gguf_file(name: str) -> Path:
    """The llama.cpp twin of the adapter that locate_weights finds; made anew in the cache where it is not beside it.

    Raises:
        WeightsError: the adapter is missing, truncated or changed.
    """
    path = locate_weights(name)
    twin = path.with_suffix(".gguf")
    card_path = path.with_suffix(".json")
    card = json.loads(card_path.read_text(encoding="utf-8")) if card_path.exists() else {}
    if twin.exists() and card.get("gguf_sha256") == _sha256(twin):
        return twin
    tensors, card = load_weights(path)
    cached = cache_folder() / f"{name}-{card['sha256'][:8]}.gguf"
    if not cached.exists():
        cached.parent.mkdir(parents=True, exist_ok=True)
        temporary = cached.with_suffix(f".{os.getpid()}")
        write_adapter_gguf(tensors, card["lora"]["alpha"], card["base_model"], temporary)
        os.replace(temporary, cached)
    return cached


def _write(
    tensors: dict[str, torch.Tensor], settings: LoraSettings, path: Path, base_model: str, card: dict[str, Any]
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    written = {**card, "base_model": base_model, "lora": dataclasses.asdict(settings)}
    if base_model in PACKAGED_MODELS:
        written["base_sha256"] = PACKAGED_MODELS[base_model].sha256
        twin = write_adapter_gguf(tensors, settings.alpha, base_model, path.with_suffix(".gguf"))
        written["gguf_sha256"] = _sha256(twin)
    return save_weights(path, tensors, written)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
