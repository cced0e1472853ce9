"""The packaged E5 with a LoRA adapter of our own in its weights (trained by ohlora.rag.embedding_training)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import nn

from ohlora.rag.e5_model import PREFIXES, E5FileError, read_e5, tokenise
from ohlora.rag.e5_network import LINEAR_LAYERS, E5Network, limited_threads, vectors_in_batches
from ohlora.rag.embeddings import EmbeddingsError, PackagedEmbedder
from ohlora.weights import WeightsError, load_weights

_BATCH = 32
Settings = TypeVar("Settings")  # any dataclass with adapter_rate and head_rate
_SCALE = "_scale"
"""End of the name of what the rows of a matrix of bytes are to be multiplied with."""


class TunedEmbedder(PackagedEmbedder):
    """The same vectors as PackagedEmbedder would give, had it been trained with the adapter.

    Args:
        adapter: name or path of the weight file (see ohlora.weights.load_weights). threads: of the CPU.

    Raises:
        WeightsError: the adapter is missing or damaged.
        EmbeddingsError: the package's file is missing or damaged, or the adapter belongs to another network.
    """

    def __init__(self, adapter: str | Path, threads: int = 1) -> None:
        tensors, card = load_weights(adapter)
        try:
            network, tokenizer = read_e5()
        except E5FileError as error:
            raise EmbeddingsError(f"embeddings.adapter={str(adapter)!r}: {error}") from error
        add_adapter(network, tensors, card["lora"]["alpha"] / card["lora"]["rank"])
        self.model = f"{PackagedEmbedder.model}+{Path(adapter).stem}-{card['sha256'][:8]}"
        self.dimension = network.width
        self._engine = _TorchEngine(network, tokenizer, threads)
        self._recent = None


class _TorchEngine:
    """Does for a torch network what the package's engine does for its own: ``query`` and ``passage``."""

    def __init__(self, network: E5Network, tokenizer, threads: int) -> None:
        self._network, self._tokenizer, self._threads = network, tokenizer, threads

    def query(self, texts: Sequence[str]) -> np.ndarray:
        """Texts → float32 (n, dimension)."""
        return self._vectors(PREFIXES["query"], texts)

    def passage(self, texts: Sequence[str]) -> np.ndarray:
        """Texts → float32 (n, dimension)."""
        return self._vectors(PREFIXES["passage"], texts)

    def _vectors(self, prefix: str, texts: Sequence[str]) -> np.ndarray:
        tokens = tokenise(self._tokenizer, [prefix + text for text in texts])
        with limited_threads(self._threads):
            return vectors_in_batches(self._network, tokens, _BATCH).numpy()


def adapter_and_heads(network: nn.Module) -> dict[str, torch.Tensor]:
    """What training made of a network with an ``encoder`` that peft put an adapter into, to be saved.

    The adapter's matrices under the names that add_adapter takes, one byte a number; float16 what lies outside the
    encoder.
    """
    tensors = {}
    for name, tensor in network.state_dict().items():
        if ".lora_" in name:
            name = name.removeprefix("encoder.").removesuffix(".default.weight")
            tensors[name], tensors[name + _SCALE] = _in_bytes(tensor)
        elif not name.startswith("encoder."):
            tensors[name] = tensor.half()
    return tensors


def _in_bytes(matrix: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """int8 (rows, columns), and what each row is to be multiplied with, float32 (rows, 1)."""
    scale = matrix.abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / 127
    return (matrix / scale).round().to(torch.int8), scale.float()


def _matrices(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same tensors in float32; those that were written as bytes (older ones were not) times their scales."""
    return {
        name: tensor.float() * tensors.get(name + _SCALE, 1.0)
        for name, tensor in tensors.items()
        if not name.endswith(_SCALE)
    }


def at_half_rates(settings: Settings) -> Settings:
    """Settings of a training, to go on with what is learned already, which is not to be shaken up."""
    return replace(settings, adapter_rate=settings.adapter_rate / 2, head_rate=settings.head_rate / 2)


def go_on_from(network: nn.Module, tensors: dict[str, torch.Tensor], may_lack: Sequence[str] = ()) -> None:
    """Put what adapter_and_heads gave back into such a network, to be taught further, in place.

    Args:
        may_lack: beginnings of names of what may not have been taught then, and stays as it is.

    Raises:
        WeightsError: the tensors are not those of such a network.
    """
    whole = {
        f"encoder.{name}.default.weight" if ".lora_" in name else name: tensor
        for name, tensor in _matrices(tensors).items()
    }
    wanted = {name for name in network.state_dict() if ".lora_" in name or not name.startswith("encoder.")}
    strange = {name for name in set(whole) ^ wanted if name in whole or not name.startswith(tuple(may_lack))}
    if strange:
        raise WeightsError(f"these weights are of another network: {sorted(strange)[:3]} …")
    network.load_state_dict(whole, strict=False)


def load_adapter_and_heads(
    network: nn.Module, tensors: dict[str, torch.Tensor], card: dict[str, Any], name: str, train: str
) -> None:
    """Put what adapter_and_heads gave into a network with an ``encoder``, in place.

    Args:
        card: of the weight file; its ``lora`` has alpha and rank. name, train: for errors, of the weights, and how to
            make them again.

    Raises:
        WeightsError: the tensors are not those of such a network.
    """
    adapter = {key: tensor for key, tensor in tensors.items() if ".lora_" in key}
    heads = {key: tensor.float() for key, tensor in tensors.items() if key not in adapter}
    try:
        add_adapter(network.encoder, adapter, card["lora"]["alpha"] / card["lora"]["rank"])
        missing, unknown = network.load_state_dict(heads, strict=False)
    except (EmbeddingsError, RuntimeError) as error:
        raise WeightsError(f"{name} does not fit this version ({error}); {train}") from error
    if unknown or any(not key.startswith("encoder.") for key in missing):
        raise WeightsError(f"{name} lacks parts of the network or has others; {train}")


def with_adapter(
    encoder: nn.Module, rank: int, frozen_layers: int, matrices: Sequence[str] = LINEAR_LAYERS
) -> nn.Module:
    """The encoder with a LoRA adapter to be taught in the matrices above its lowest layers; all else is frozen.

    alpha is twice the rank; the adapter is float32. Without dropout of its own: drawing what is left out would take
    half of a step on a CPU.

    Args:
        matrices: their names in a layer.
    """
    from peft import LoraConfig, inject_adapter_in_model

    numbers = range(frozen_layers, len(encoder.layers))
    upper = [f"layers.{number}.{name}" for number in numbers for name in matrices]
    lora = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=upper)
    taught = inject_adapter_in_model(lora, encoder.requires_grad_(False))
    for weight in taught.parameters():
        if weight.requires_grad:
            weight.data = weight.data.float()
    return taught


@torch.no_grad()
def add_adapter(network: nn.Module, tensors: dict[str, torch.Tensor], scale: float) -> None:
    """Add ``scale * B @ A`` to the weights that an adapter names (Hu et al. 2021, "LoRA", equation 3), in place.

    Args:
        tensors: ``<layer>.lora_A`` (rank, inputs) and ``<layer>.lora_B`` (outputs, rank), as adapter_and_heads gives
            them. scale: alpha / rank.

    Raises:
        EmbeddingsError: a layer that the network lacks, half a pair, or another size.
    """
    matrices = _matrices(tensors)
    for name in sorted({key.rpartition(".")[0] for key in matrices}):
        try:
            weight = network.get_submodule(name).weight
            change = scale * matrices[f"{name}.lora_B"] @ matrices[f"{name}.lora_A"]
            weight.copy_(weight.float() + change)
        except (AttributeError, KeyError, RuntimeError) as error:
            raise EmbeddingsError(
                f"the adapter's layer {name!r} does not fit {type(network).__name__} ({error})"
            ) from error
