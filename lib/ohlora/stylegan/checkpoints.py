"""Interrupted trainings go on: networks and optimisers in one safetensors file, never a pickle."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from ohlora.weights import WeightsError, load_weights, save_weights

_KEPT = 2  # checkpoints kept, so that a damaged newest one costs minutes, not the run

Part = nn.Module | torch.optim.Optimizer


def _tensors(part: Part) -> dict[str, Tensor]:
    if isinstance(part, nn.Module):
        return part.state_dict()
    state = part.state_dict()["state"]
    return {
        f"{index}/{key}": torch.as_tensor(value) for index, values in state.items() for key, value in values.items()
    }


def _load(part: Part, tensors: dict[str, Tensor]) -> None:
    if isinstance(part, nn.Module):
        part.load_state_dict(tensors)
        return
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, key = name.split("/")
        state.setdefault(int(index), {})[key] = tensor
    part.load_state_dict({"state": state, "param_groups": part.state_dict()["param_groups"]})


def write_checkpoint(folder: Path, parts: dict[str, Part], clock: dict[str, float], seed: int) -> Path:
    """Write ``folder/checkpoint_<step>.safetensors`` and drop all but the newest two.

    Args:
        parts: name → module or optimiser. clock: numbers to get back from :func:`restore`; has ``step``.
    """
    tensors = {f"{name}:{key}": value for name, part in parts.items() for key, value in _tensors(part).items()}
    card = {"data": "checkpoint", "seed": seed, "command": "", "metrics": {}, "licence": "Apache-2.0", "clock": clock}
    path = save_weights(Path(folder) / f"checkpoint_{clock['step']:08d}.safetensors", tensors, card)
    for old in sorted(Path(folder).glob("checkpoint_*.safetensors"))[:-_KEPT]:
        old.unlink()
        old.with_suffix(".json").unlink(missing_ok=True)
    return path


def newest_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint that is whole, or None."""
    for path in sorted(Path(folder).glob("checkpoint_*.safetensors"), reverse=True):
        try:
            load_weights(path)
        except WeightsError:
            continue
        return path
    return None


def restore(path: Path, parts: dict[str, Part]) -> dict[str, float]:
    """Load a checkpoint into ``parts`` (the same names as when it was written); returns its clock.

    Raises:
        WeightsError: the checkpoint belongs to other networks.
    """
    tensors, card = load_weights(path)
    for name, part in parts.items():
        own = {key.split(":", 1)[1]: value for key, value in tensors.items() if key.startswith(f"{name}:")}
        try:
            _load(part, own)
        except (RuntimeError, ValueError, KeyError) as error:
            reason = str(error).splitlines()[0]
            raise WeightsError(
                f"checkpoint {path} does not fit this configuration ({name}: {reason}); "
                f"train in another folder or delete it"
            ) from error
    return card["clock"]
