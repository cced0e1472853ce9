"""The losses that the embedding model is taught with: contrastive, cosines over a temperature."""

from __future__ import annotations

import torch
from torch.nn import functional as F

TEMPERATURE = 0.05


def memory_loss(
    questions: torch.Tensor, lines: torch.Tensor, wanted: torch.Tensor, allowed: torch.Tensor, none: torch.Tensor
) -> torch.Tensor:
    """Cross-entropy over the lines and one more answer, "nothing stored", whose score is learned.

    So a question without an answer pushes away its person's lines, all at once, and one with an answer stays above the
    same bar (InfoNCE, van den Oord et al. 2018, with a null class).

    Args:
        questions: (q, d), lines: (l, d), of length 1. wanted: int64 (q,), a line, or l for none.
        allowed: bool (q, l): lines that are compared with a question. none: scalar, a cosine.
    """
    scores = (questions @ lines.T).masked_fill(~allowed, float("-inf"))
    bar = none.expand(len(questions), 1)
    return F.cross_entropy(torch.cat([scores, bar], dim=1) / TEMPERATURE, wanted)


def pair_loss(left: torch.Tensor, right: torch.Tensor, same: torch.Tensor) -> torch.Tensor:
    """Each text finds its partner among all the others, both ways (InfoNCE with negatives from the batch).

    Args:
        left, right: (n, d), of length 1; row i belongs to row i. same: bool (n, n), pairs that are no negatives.
    """
    answers = torch.arange(len(left), device=left.device)
    no_negative = same & ~torch.eye(len(left), dtype=torch.bool, device=left.device)
    scores = (left @ right.T).masked_fill(no_negative, float("-inf")) / TEMPERATURE
    return (F.cross_entropy(scores, answers) + F.cross_entropy(scores.T, answers)) / 2


def class_loss(vectors: torch.Tensor, positive: torch.Tensor) -> torch.Tensor:
    """Supervised contrastive loss (Khosla et al. 2020, equation 2): positives near, all the others are negatives.

    Args:
        vectors: (n, d), of length 1. positive: bool (n, n), symmetric; the diagonal is ignored.
    """
    itself = torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
    positive = positive & ~itself
    scores = (vectors @ vectors.T / TEMPERATURE).masked_fill(itself, float("-inf"))
    shares = torch.log_softmax(scores, dim=1).masked_fill(~positive, 0.0)
    counts = positive.sum(dim=1)
    anchors = counts > 0
    if not anchors.any():
        return vectors.sum() * 0.0
    return -(shares.sum(dim=1)[anchors] / counts[anchors]).mean()


def order_loss(vectors: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
    """One minus the correlation of all cosines with those before training: what was near stays nearer than the rest.

    A correlation, because contrastive losses spread E5's narrow cosines, and they should.
    """
    now, then = _pairs(vectors), _pairs(before)
    return 1 - torch.corrcoef(torch.stack([now, then]))[0, 1]


def value_loss(vectors: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
    """Mean squared change of all cosines, in temperatures: for texts that no task moves on purpose."""
    return ((_pairs(vectors) - _pairs(before)) / TEMPERATURE).square().mean()


def _pairs(vectors: torch.Tensor) -> torch.Tensor:
    """The cosines of all pairs of different rows, (n (n - 1) / 2,)."""
    row, column = torch.triu_indices(len(vectors), len(vectors), 1, device=vectors.device)
    return (vectors @ vectors.T)[row, column]
