"""The sampled softmax: exact where nothing is left out, right on average elsewhere, clear about a foreign target."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import cross_entropy

from ohlora.llm.sampled_softmax import SampledSoftmax

TOKENS, WIDTH = 300, 16


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """hidden (5, 16), weight (300, 16), targets among the first 40 tokens."""
    random = torch.Generator().manual_seed(0)
    hidden, weight = (torch.randn(n, WIDTH, generator=random) * 0.3 for n in (5, TOKENS))
    return hidden, weight, torch.tensor([3, 39, 0, 12, 7])


def test_with_every_token_it_is_the_cross_entropy(batch) -> None:
    hidden, weight, targets = batch
    usual = cross_entropy(hidden @ weight.T, targets, reduction="sum")
    assert SampledSoftmax(range(TOKENS), TOKENS).loss(hidden, weight, targets).item() == pytest.approx(usual.item())


def test_a_sample_stands_for_all_the_others(batch) -> None:
    hidden, weight, targets = batch
    usual = cross_entropy(hidden @ weight.T, targets, reduction="sum").item()
    softmax = SampledSoftmax(range(40), TOKENS, sampled=64)
    losses = [softmax.loss(hidden, weight, targets).item() for _ in range(200)]
    without = SampledSoftmax(range(40), TOKENS, sampled=0).loss(hidden, weight, targets).item()
    assert sum(losses) / len(losses) == pytest.approx(usual, rel=0.01)
    assert without < 0.8 * usual, "the words that nobody says must count"


def test_its_gradient_points_where_the_cross_entropys_does(batch) -> None:
    hidden, weight, targets = batch
    hidden.requires_grad_()
    [usual] = torch.autograd.grad(cross_entropy(hidden @ weight.T, targets, reduction="sum"), hidden)
    [ours] = torch.autograd.grad(SampledSoftmax(range(40), TOKENS, 128).loss(hidden, weight, targets), hidden)
    assert torch.cosine_similarity(usual.flatten(), ours.flatten(), dim=0) > 0.97


def test_a_target_outside_the_used_tokens_is_refused(batch) -> None:
    hidden, weight, _ = batch
    with pytest.raises(ValueError, match="not among the 40 used"):
        SampledSoftmax(range(40), TOKENS).loss(hidden, weight, torch.tensor([1, 2, 3, 4, 40]))
