"""Weights that fit one embedding model only; for another one they are trained when they are first needed, and kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from ohlora.config import outputs_folder
from ohlora.rag.embeddings import Embedder
from ohlora.weights import WeightsError, load_weights


def load_for_embedder(
    name: str, embedder: Embedder, train: Callable[[Path], object]
) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Tensors and card of the weights that were made with this embedder.

    Args:
        name: of the shipped file; those of other embedders carry the embedder's name as well.
        embedder: its ``model`` is compared with the card's ``embedder``.
        train: writes the weights to a path; called where none fit.

    Raises:
        WeightsError: a weight file is damaged.
    """
    own = f"{name}_{embedder.model.replace('/', '_')}"
    for stored in (own, name):
        try:
            tensors, card = load_weights(stored)
        except WeightsError as error:
            if f"no {stored}.safetensors" in str(error):
                continue
            raise
        if card["embedder"] == embedder.model:
            return tensors, card
    path = outputs_folder() / "weights" / f"{own}.safetensors"
    train(path)
    return load_weights(path)
