"""A linear projection of embeddings, trained on what belongs together: the cheapest way to teach them a task.

Supervised contrastive learning (Khosla et al. 2020), one positive a text, a single linear layer: seconds on a CPU,
and the embedding model itself stays as its package ships it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional as F

_TEMPERATURE, _DROPOUT, _LEARNING_RATE = 0.07, 0.3, 2e-3


def project(embeddings: np.ndarray, centre: np.ndarray, projection: np.ndarray) -> np.ndarray:
    """Embeddings float32 (n, dimension) as vectors (n, projected) of length 1."""
    vectors = (embeddings - centre) @ projection.T
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def train_projection(
    embeddings: np.ndarray, families: Sequence[str], dimension: int = 256, steps: int = 600, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Centre float32 (d,) and projection float32 (dimension, d) under which texts of one family are near.

    Each step draws two texts of every family; each must find its partner among all the others (cross-entropy of
    cosines over a temperature of .07, both ways). Dropout of the embedding stands for the wordings nobody wrote.

    Args:
        embeddings: float32 (n, d). families: n names; those with one text are left out.
    """
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    centre = embeddings.mean(axis=0)
    inputs = F.normalize(torch.from_numpy(embeddings - centre), dim=1)
    names = np.asarray(families)
    groups = [rows for name in sorted(set(families)) if len(rows := np.flatnonzero(names == name)) > 1]
    layer = torch.nn.Linear(embeddings.shape[1], dimension, bias=False)
    torch.nn.init.eye_(layer.weight)
    optimiser = torch.optim.AdamW(layer.parameters(), lr=_LEARNING_RATE, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, steps)
    answers = torch.arange(len(groups))
    for _ in range(steps):
        pairs = torch.tensor(np.array([random.choice(rows, 2, replace=False) for rows in groups])).T
        left, right = (F.normalize(layer(F.dropout(inputs[rows], _DROPOUT)), dim=1) for rows in pairs)
        scores = left @ right.T / _TEMPERATURE
        loss = F.cross_entropy(scores, answers) + F.cross_entropy(scores.T, answers)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return centre, layer.weight.detach().numpy()
