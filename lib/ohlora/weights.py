"""Weight files: safetensors beside a JSON card that says how they were made. Never a pickle."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from ohlora.config import PRETRAINED, outputs_folder

CARD_KEYS = ("data", "seed", "command", "metrics", "licence")


class WeightsError(RuntimeError):
    """A weight file is missing, truncated or not the one that its card describes."""


def save_weights(path: Path, tensors: dict[str, torch.Tensor], card: dict[str, Any]) -> Path:
    """Write ``path`` (.safetensors) and its card (.json), each whole or not at all.

    Args:
        path: ``<folder>/<name>.safetensors``; the folder is made.
        tensors: name → tensor, any dtype; written contiguous, on the CPU.
        card: must hold data, seed, command, metrics, licence; may hold more (architecture …).
    """
    missing = [key for key in CARD_KEYS if key not in card]
    if missing:
        raise ValueError(f"card lacks {missing}; a card needs {list(CARD_KEYS)}")
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, temporary)
    written = _write_card(path, {**card, "sha256": _sha256(temporary)})
    os.replace(temporary, path)
    os.replace(written, path.with_suffix(".json"))
    return path


def add_to_card(path: Path, **entries: Any) -> None:
    """Write further entries into the card of a weight file, e.g. scores that were measured later.

    Args:
        path: ``<name>.safetensors``, with its card beside it. entries: JSON-ready; the same key is replaced.

    Raises:
        WeightsError: there is no card.
        ValueError: an entry that the weights themselves rest on (sha256, architecture).
    """
    fixed = {"sha256", "architecture"} & set(entries)
    if fixed:
        raise ValueError(f"entries has {sorted(fixed)}; allowed: any other key, these belong to the weights")
    card = Path(path).with_suffix(".json")
    if not card.exists():
        raise WeightsError(f"weights {path} are missing or lack their card {card.name}")
    os.replace(_write_card(Path(path), {**json.loads(card.read_text(encoding="utf-8")), **entries}), card)


def _write_card(path: Path, card: dict[str, Any]) -> Path:
    temporary = path.with_suffix(".json.tmp")
    temporary.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return temporary


def locate_weights(name: str) -> Path:
    """Path of ``<name>.safetensors``: the one you trained (outputs/weights) or the shipped one.

    Raises:
        WeightsError: neither is there.
    """
    places = [outputs_folder() / "weights", PRETRAINED]
    for folder in places:
        if (folder / f"{name}.safetensors").exists():
            return folder / f"{name}.safetensors"
    looked = " and ".join(str(folder) for folder in places)
    raise WeightsError(f"weights {name!r} are missing: no {name}.safetensors in {looked}; clone again or train them")


def load_weights(name_or_path: str | Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Tensors and card of a weight file, given by name (see locate_weights) or by path.

    Raises:
        WeightsError: missing, truncated, or the card's sha256 does not match.
    """
    path = Path(name_or_path) if str(name_or_path).endswith(".safetensors") else locate_weights(str(name_or_path))
    card_path = path.with_suffix(".json")
    if not path.exists() or not card_path.exists():
        raise WeightsError(f"weights {path} are missing or lack their card {card_path.name}")
    card = json.loads(card_path.read_text(encoding="utf-8"))
    if card.get("sha256") != _sha256(path):
        raise WeightsError(f"weights {path} are truncated or changed: sha256 differs from {card_path.name}")
    try:
        return load_file(path), card
    except SafetensorError as error:
        raise WeightsError(f"weights {path} cannot be read: {error}") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
