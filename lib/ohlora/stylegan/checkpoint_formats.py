"""Other people's StyleGAN2 files, brought to one form: tensors under their official names, and what they don't tell.

Read are NVIDIA's ``.pkl`` (stylegan2-ada-pytorch, and StyleGAN2 networks of stylegan3), and state dicts (``.pt``,
``.pth``, ``.safetensors``) with NVIDIA's names or with those of rosinality/stylegan2-pytorch, which many public
checkpoints have. No file is ever unpickled by Python.
"""

from __future__ import annotations

import argparse
import math
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ohlora.stylegan.pickle_reader import Network, RefusedFileError, read_pickle

MAXIMUM_BYTES = 4 * 2**30  # the largest official file (1024 px) has 0.4 GiB
_MAXIMUM_DEPTH = 8  # networks within networks; official files have 4
_MAXIMUM_PARTS = 5_000
_ZIP = b"PK\x03\x04"
_TORCH_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # how torch.save began its files before 1.6
_GENERATORS = ("G_ema", "g_ema", "ema", "params_ema", "generator", "state_dict", "G", "g")  # best first
_STYLEGAN3 = "it is a StyleGAN3 generator; only StyleGAN2 (config stylegan2, or StyleGAN2-ADA) can be imported"


@dataclass(frozen=True)
class Checkpoint:
    """A generator as its file has it.

    tensors: official name ("synthesis.b4.const") → tensor.
    form: what kind of file it was, for the card.
    lr_multiplier: the mapping network's learning rate multiplier, by which its weights are scaled.
    clamp: limit of the activations, or None.
    """

    tensors: dict[str, Tensor]
    form: str
    lr_multiplier: float = 0.01
    clamp: float | None = None


def read_checkpoint(path: Path, lr_multiplier: float | None = None, clamp: float | None = None) -> Checkpoint:
    """Read a generator from a file.

    Args:
        lr_multiplier, clamp: for state dicts, which don't tell them; None: 0.01 and no limit, as in almost all.

    Raises:
        RefusedFileError: harmful, damaged, too large, of another kind, or a value for what the file tells itself.
    """
    path = Path(path)
    if not path.is_file():
        raise RefusedFileError(f"{path}: there is no such file")
    if path.stat().st_size > MAXIMUM_BYTES:
        raise RefusedFileError(f"{path}: it has {path.stat().st_size:,} bytes; allowed: up to {MAXIMUM_BYTES:,}")
    given = {"lr_multiplier": lr_multiplier, "clamp": clamp}
    given = {name: _one(name, [value], None) for name, value in given.items() if value is not None}
    try:
        content = _content(path)
        generator = _generator(content)
        if not isinstance(generator, Network):
            checkpoint = replace(_state_dict(generator, content), **given)
        elif given:
            raise RefusedFileError(f"it tells {' and '.join(given)} itself; leave that away")
        else:
            checkpoint = _official_pickle(generator)
        if sum(tensor.nbytes for tensor in checkpoint.tensors.values()) > path.stat().st_size:
            raise RefusedFileError("its tensors claim more numbers than the file has")
        return checkpoint
    except RefusedFileError as error:
        raise RefusedFileError(f"{path}: {error}") from error


def _content(path: Path) -> Any:
    """What the file holds: a safetensors file, a file of torch.save, or a pickle of NVIDIA's."""
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except SafetensorError as error:
            raise RefusedFileError(f"it is damaged or no safetensors file ({error})") from error
    with path.open("rb") as file:
        start = file.read(len(_TORCH_LEGACY))
    if not start.startswith(_ZIP) and start != _TORCH_LEGACY:
        return read_pickle(path.read_bytes())
    try:
        # Trainers put their command line beside the weights: an argparse.Namespace is a bag of values.
        with torch.serialization.safe_globals([argparse.Namespace]):
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        asked = re.search(r"GLOBAL ([\w.]+)", str(error))
        reason = f"it asks for {asked[1]!r}, which weights don't need" if asked else "it is damaged or of another kind"
        raise RefusedFileError(f"{reason}; nothing of it was run") from error


def _generator(content: Any) -> Network | dict[str, Any]:
    """The best generator in a file: the averaged one where there is one."""
    if isinstance(content, Network):
        return content
    if not isinstance(content, dict):
        raise RefusedFileError(f"it holds a {type(content).__name__}; allowed: a generator or a dict with one")
    for name in _GENERATORS:
        if isinstance(content.get(name), Network | dict):
            return content[name]
    return content


def _official_pickle(generator: Network) -> Checkpoint:
    tensors: dict[str, Tensor] = {}
    facts: dict[str, dict[str, Any]] = {}
    _collect(generator, "", tensors, facts, 0)
    if any(name.startswith("synthesis.input.") for name in tensors):
        raise RefusedFileError(_STYLEGAN3)
    dense = {name: fact for name, fact in facts.items() if re.fullmatch(r"mapping\.fc\d+", name)}
    convolutions = {name: fact for name, fact in facts.items() if re.fullmatch(r"synthesis\.b\d+\.conv[01]", name)}
    for name, fact in {**dense, **convolutions}.items():
        activation = fact.get("activation", "lrelu")
        if activation != "lrelu":
            shown = activation if isinstance(activation, str) else type(activation).__name__
            raise RefusedFileError(f"{name} has activation {shown}; allowed: lrelu")
    lr_multiplier = _one("mapping's bias_gain", [fact.get("bias_gain", 0.01) for fact in dense.values()], 0.01)
    clamp = _one("synthesis' conv_clamp", [fact.get("conv_clamp") for fact in convolutions.values()], None)
    return Checkpoint(tensors, "NVIDIA stylegan2-ada-pytorch pickle", lr_multiplier, clamp)


def _collect(network: Network, prefix: str, tensors: dict, facts: dict, depth: int) -> None:
    """Gather the tensors and the plain attributes of a network and all within, under their dotted names."""
    if depth > _MAXIMUM_DEPTH:
        raise RefusedFileError(f"its networks are nested more than {_MAXIMUM_DEPTH} deep; official ones are not")
    state = network.state
    facts[prefix.removesuffix(".")] = state
    for group in ("_parameters", "_buffers"):
        for name, tensor in _dict(state.get(group, {})).items():
            if isinstance(tensor, Tensor):
                tensors[f"{prefix}{name}"] = tensor
    if max(len(tensors), len(facts)) > _MAXIMUM_PARTS:
        raise RefusedFileError(f"it has more than {_MAXIMUM_PARTS} tensors or networks; official files have hundreds")
    for name, part in _dict(state.get("_modules", {})).items():
        if isinstance(part, Network):
            _collect(part, f"{prefix}{name}.", tensors, facts, depth + 1)


def _dict(value: Any) -> dict:
    if not isinstance(value, dict):
        raise RefusedFileError(f"a network in it has a {type(value).__name__} where its parts belong")
    return value


def _one(what: str, values: list[Any], default: float | None) -> float | None:
    """The value that all layers share, as a float, checked."""
    for value in values:
        if value is not None and not (isinstance(value, int | float) and 0 < value < math.inf):
            raise RefusedFileError(f"{what} is no number above 0, but of type {type(value).__name__}")
    if len(set(values)) > 1:
        raise RefusedFileError(f"{what} differs between layers; official networks have one for all")
    value = values[0] if values else default
    return None if value is None else float(value)


def _state_dict(state: dict[str, Any], content: dict[str, Any]) -> Checkpoint:
    tensors = {name: value for name, value in state.items() if isinstance(name, str) and isinstance(value, Tensor)}
    for first, form in (("mapping.fc0.weight", "NVIDIA"), ("style.1.weight", "rosinality")):
        # A wrapper's name may stand in front of all ("module.", pSp's "decoder.").
        found = sorted((name for name in tensors if f".{name}".endswith(f".{first}")), key=len)
        if not found:
            continue
        prefix = found[0].removesuffix(first)
        own = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
        if form == "rosinality":
            own = _official_names(own, content.get("latent_avg"))
        return Checkpoint(own, f"state dict with the names of {form}")
    if any("synthesis.input." in name for name in tensors):
        raise RefusedFileError(_STYLEGAN3)
    seen = ", ".join(sorted(tensors)[:3]) or "no tensors"
    raise RefusedFileError(
        f"no StyleGAN2 generator is in it: neither mapping.fc0.weight (NVIDIA) nor style.1.weight (rosinality), "
        f"but {seen}"
    )


_PARTS = {
    "conv.weight": "weight",
    "conv.modulation.weight": "affine.weight",
    "conv.modulation.bias": "affine.bias",
    "noise.weight": "noise_strength",
    "activate.bias": "bias",
    "bias": "bias",
}


def _official_names(tensors: dict[str, Tensor], mean: Any) -> dict[str, Tensor]:
    """rosinality's names and shapes → NVIDIA's. The numbers are the same; blur kernels are dropped once checked."""
    renamed: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if match := re.fullmatch(r"style\.(\d{1,2})\.(weight|bias)", name):
            renamed[f"mapping.fc{int(match[1]) - 1}.{match[2]}"] = tensor
        elif name == "input.input":
            renamed["synthesis.b4.const"] = _inner(name, tensor, 3)
        elif match := re.fullmatch(r"noises\.noise_(\d{1,2})", name):
            renamed[f"{_convolution(int(match[1]) - 1)}.noise_const"] = _inner(name, tensor, 2)
        elif match := re.fullmatch(r"(?:conv1|convs\.(\d{1,2})|to_rgb1|to_rgbs\.(\d{1,2}))\.(.+)", name):
            renamed.update(_renamed_layer(name, match, tensor))
        else:
            raise RefusedFileError(f"it has a tensor {name[:100]}, which rosinality's StyleGAN2 doesn't know")
    if isinstance(mean, Tensor):
        renamed["mapping.w_avg"] = mean.reshape(-1)
    return renamed


def _inner(name: str, tensor: Tensor, dimensions: int) -> Tensor:
    """A tensor without the leading ones of its shape, which must leave so many dimensions."""
    extra = tensor.ndim - dimensions
    if extra < 0 or any(size != 1 for size in tensor.shape[:extra]):
        raise RefusedFileError(f"{name} has shape {tuple(tensor.shape)}; allowed: {dimensions} dimensions after ones")
    return tensor.reshape(tensor.shape[extra:])


def _convolution(index: int) -> str:
    """Official name of rosinality's convs.<index>; -1 is its conv1, the only one at 4 pixels."""
    return "synthesis.b4.conv1" if index < 0 else f"synthesis.b{8 * 2 ** (index // 2)}.conv{index % 2}"


def _renamed_layer(name: str, match: re.Match, tensor: Tensor) -> dict[str, Tensor]:
    convolution, colours, part = match.groups()
    if name.startswith("to_rgb"):
        layer = f"synthesis.b{4 if colours is None else 8 * 2 ** int(colours)}.torgb"
    else:
        layer = _convolution(-1 if convolution is None else int(convolution))
    if part.endswith(".kernel"):
        return {f"{layer}.resample_filter": tensor / 4}  # a filter for doubling: its sum is 4
    if part not in _PARTS:
        raise RefusedFileError(f"it has a tensor {name}, which rosinality's StyleGAN2 doesn't know")
    if part == "conv.weight":
        tensor = _inner(name, tensor, 4)
    elif part == "noise.weight":
        tensor = _inner(name, tensor, 0)
    elif part == "bias":
        tensor = tensor.reshape(-1)
    return {f"{layer}.{_PARTS[part]}": tensor}
