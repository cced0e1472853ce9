"""The scores of generation and editing, on cases whose answers are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from ohlora.evaluation import editing
from ohlora.evaluation.generator import as_images, kernel_distance
from ohlora.evaluation.landmarks import landmark_measures
from ohlora.labeling import PROPERTIES
from ohlora.portraits import load_sample
from ohlora.stylegan import GeneratorConfig, PortraitGenerator
from ohlora.stylegan.latent_directions import (
    linear_direction,
    linear_probe,
    principal_directions,
    sefa_directions,
    svm_direction,
    without,
)


class FakeLabeler:
    """Reads the seven z-scores off the first seven pixels of the first row."""

    def measure(self, images: torch.Tensor) -> pd.DataFrame:
        return pd.DataFrame(4.0 * images[:, 0, 0, :7].numpy(), columns=list(PROPERTIES))


def edited(z: torch.Tensor, index: int, wanted: torch.Tensor, leak: float = 0.0, obey: float = 1.0) -> torch.Tensor:
    images = torch.zeros(len(z), 3, 16, 16)
    images[:, 0, 0, :7] = 0.1 * z[:, :7] + leak * wanted[:, None] / 4
    images[:, 0, 0, index] = obey * wanted / 4
    return images


def test_perfect_obedience_scores_perfectly() -> None:
    result = editing.sweep(edited, FakeLabeler(), torch.randn(5, 64))
    table = editing.scores(result)
    assert result.measured.shape == (7, 5, 5, 7)
    assert np.allclose(table["r"], 1) and np.allclose(table["mae"], 0, atol=1e-5) and (table["passing"] == 1).all()
    assert editing.yield_of_latents(result) == 1
    assert np.allclose(editing.rescoring_matrix(result), np.eye(7), atol=1e-4)


def test_leaks_and_disobedience_are_seen() -> None:
    latents = torch.randn(5, 64)
    leaking = editing.sweep(lambda z, i, p: edited(z, i, p, leak=0.3), FakeLabeler(), latents)
    matrix = editing.rescoring_matrix(leaking).to_numpy()
    assert np.allclose(matrix[~np.eye(7, dtype=bool)], 0.3, atol=1e-4)
    lazy = editing.sweep(lambda z, i, p: edited(z, i, p, obey=0.1), FakeLabeler(), latents)
    assert editing.yield_of_latents(lazy) == 0 and (editing.scores(lazy)["mae"] > 1).all()
    contrary = editing.sweep(lambda z, i, p: edited(z, i, p, obey=-1.0), FakeLabeler(), latents)
    assert np.allclose(editing.scores(contrary)["r"], -1) and editing.yield_of_latents(contrary) == 0


def test_kernel_distance_is_zero_on_average_and_grows_with_a_shift() -> None:
    torch.manual_seed(0)
    same = [kernel_distance(torch.randn(40, 16), torch.randn(40, 16)) for _ in range(20)]
    assert abs(np.mean(same)) < 3 * np.std(same) / len(same) ** 0.5 + 1e-3
    assert kernel_distance(torch.randn(40, 16), torch.randn(40, 16) + 1.0) > 10 * np.std(same)


def test_images_cover_minus_one_to_one() -> None:
    images = as_images(np.array([[[[0, 128, 255]]]], dtype=np.uint8))
    assert images.shape == (1, 3, 1, 1) and images.min() == -1 and images.max() == 1


@pytest.mark.parametrize("method", [linear_direction, svm_direction])
def test_directions_find_a_planted_property(method) -> None:
    dice = torch.Generator().manual_seed(0)
    latents, planted = torch.randn(400, 16, generator=dice), torch.nn.functional.normalize(torch.arange(16.0), dim=0)
    values = latents @ planted + 0.1 * torch.randn(400, generator=dice)
    assert method(latents, values) @ planted > 0.97
    assert linear_probe(latents, values) > 0.95
    assert abs(linear_probe(latents, torch.randn(400, generator=dice))) < 0.4
    with pytest.raises(ValueError, match="values has shape"):
        method(latents, values[:-1])


def test_unsupervised_directions_are_orthonormal_and_sorted() -> None:
    torch.manual_seed(0)
    generator = PortraitGenerator(GeneratorConfig(channels=(8, 8), w_dim=32)).requires_grad_(False)
    for found in (principal_directions(generator, count=4, n=256), sefa_directions(generator, count=4)):
        assert torch.allclose(found.vectors @ found.vectors.t(), torch.eye(4), atol=1e-4)
        assert (found.strengths.diff() <= 1e-6).all()


def test_without_leaves_the_other_directions_alone() -> None:
    torch.manual_seed(0)
    others, direction = torch.randn(3, 16), torch.randn(16)
    assert (others @ without(direction, others)).abs().max() < 1e-5


def test_the_outside_judge_agrees_with_the_renderer() -> None:
    sample = load_sample()
    found = landmark_measures(as_images(sample.images[:24]))
    assert found.notna().all(axis=None)
    for column, truth, least in (("eyes", "eyes", 0.7), ("mouth", "mouth", 0.8), ("pose", "yaw", 0.9)):
        assert np.corrcoef(found[column], sample.truth[truth][:24])[0, 1] > least, column
