"""The scores of a generator, on cases whose answers are known."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from ohlora.evaluation import generator as evaluation
from ohlora.evaluation.distribution_metrics import (
    frechet_distance,
    kernel_distance,
    likeness,
    likeness_floor,
    precision_recall,
)
from ohlora.evaluation.landmarks import face_counts
from ohlora.evaluation.memorisation import nearest_training, neighbour_sheet, share_closer
from ohlora.evaluation.patch_distance import patch_distance
from ohlora.evaluation.path_length import path_lengths, perceptual_path_length, spherical, straight, trimmed_mean
from ohlora.evaluation.perceptual import PerceptualDistance, portrait_features
from ohlora.evaluation.renders import corpus_judges, sample_judges
from ohlora.images import to_images
from ohlora.portraits import load_sample
from ohlora.stylegan import GeneratorConfig, PortraitGenerator
from ohlora.stylegan.portrait_generator import save_generator
from ohlora.weights import WeightsError, add_to_card


def cloud(mean: Tensor, root: Tensor, n: int, seed: int = 0) -> Tensor:
    """n points whose sample mean and covariance are exactly ``mean`` and root · rootᵀ."""
    points = torch.randn(n, len(mean), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    points = points - points.mean(dim=0)
    whitening = torch.linalg.cholesky(torch.linalg.inv(points.t() @ points / (n - 1)))
    return points @ whitening @ root.t() + mean


def tiny_generator() -> PortraitGenerator:
    torch.manual_seed(0)
    return PortraitGenerator(GeneratorConfig(channels=(8, 8, 8, 8), w_dim=16)).requires_grad_(False)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    """Three shards of 8 portraits of 32 px; shard 0 is held out."""
    folder, sample = tmp_path_factory.mktemp("corpus"), load_sample().resized(32)
    for number in range(3):
        rows = slice(8 * number, 8 * number + 8)
        np.savez(folder / f"shard_{number:05d}.npz", images=sample.images[rows], u=sample.u[rows])
    return folder


@pytest.mark.parametrize("n", [40, 12])
def test_frechet_distance_of_gaussians_is_the_closed_form(n: int) -> None:
    """Covariances that commute: |μ₁ − μ₂|² + Σ (σ₁ − σ₂)². Also with fewer points (12) than features (16)."""
    deviations = torch.zeros(16, 2, dtype=torch.float64)
    deviations[: n // 4, 0] = torch.linspace(1, 2, n // 4)
    deviations[: n // 4, 1] = torch.linspace(3, 1, n // 4)
    axes = torch.linalg.qr(torch.randn(16, 16, generator=torch.Generator().manual_seed(1), dtype=torch.float64))[0]
    clouds = []
    for column, mean in enumerate((0.0, 0.5)):
        inner = cloud(torch.zeros(n // 4, dtype=torch.float64), torch.eye(n // 4, dtype=torch.float64), n, column)
        points = torch.zeros(n, 16, dtype=torch.float64)
        points[:, : n // 4] = inner
        clouds.append(points * deviations[:, column] @ axes.t() + mean)
    expected = 16 * 0.5**2 + (deviations[:, 0] - deviations[:, 1]).square().sum().item()
    assert frechet_distance(*clouds) == pytest.approx(expected, rel=1e-6)
    assert frechet_distance(clouds[0], clouds[0]) == pytest.approx(0, abs=1e-6)


def test_kernel_distance_is_unbiased_and_grows_with_a_shift() -> None:
    torch.manual_seed(0)
    for n in (10, 40):
        same = [kernel_distance(torch.randn(n, 16), torch.randn(n, 16)) for _ in range(60)]
        assert abs(np.mean(same)) < 3 * np.std(same) / len(same) ** 0.5
    assert kernel_distance(torch.randn(40, 16), torch.randn(40, 16) + 1.0) > 10 * np.std(same)


def test_precision_and_recall_of_equal_disjoint_and_partial_clouds() -> None:
    torch.manual_seed(0)
    points = torch.randn(50, 8)
    assert precision_recall(points, points) == (1.0, 1.0)
    assert precision_recall(points, points + 100) == (0.0, 0.0)
    both = torch.cat([points, points + 100])
    precision, recall = precision_recall(points, both)  # a generator that forgot half of the people
    assert precision == 1.0 and recall == 0.5
    precision, recall = precision_recall(both, points)  # a generator that makes as many others
    assert precision == 0.5 and recall == 1.0


def test_likeness_needs_equal_numbers_and_a_perfect_generator_reaches_its_floor() -> None:
    torch.manual_seed(0)
    renders = torch.randn(80, 12)
    with pytest.raises(ValueError, match="equally many"):
        likeness(renders, renders[:-1])
    floor = likeness_floor(renders)
    perfect = likeness(torch.randn(40, 12), torch.randn(40, 12))
    assert perfect.fid == pytest.approx(floor.fid, rel=0.4) and perfect.precision > floor.precision - 0.2
    assert likeness(torch.randn(40, 12) + 1, renders[:40]).kid > floor.kid
    with pytest.raises(ValueError, match="at least 4"):
        precision_recall(renders[:3], renders[:3])
    with pytest.raises(ValueError, match="features are"):
        frechet_distance(renders, renders[:, :3])


def test_patches_see_the_scale_that_is_wrong() -> None:
    pictures = load_sample().images
    first, second = pictures[:32], pictures[32:64]
    floor = patch_distance(first, second)
    assert list(floor) == [256, 128, 64, 32, 16] and patch_distance(first, first)[256] == 0
    blurred = patch_distance(np.stack([cv2.GaussianBlur(picture, (0, 0), 2) for picture in first]), second)
    assert blurred[256] > 3 * floor[256] and blurred[16] < 1.5 * floor[16]
    darker = patch_distance((0.6 * first).astype(np.uint8), second)
    assert darker[16] > 2 * floor[16]
    with pytest.raises(ValueError, match="allowed: both"):
        patch_distance(first, second[:-1])


def test_path_length_of_a_linear_map_is_its_squared_length() -> None:
    torch.manual_seed(0)
    matrix, first, second = torch.randn(20, 8), torch.randn(30, 8), torch.randn(30, 8)

    def distance(a: Tensor, b: Tensor) -> Tensor:
        return (a - b).square().sum(dim=1)

    found = path_lengths(lambda z: z @ matrix.t(), distance, straight, (first, second), torch.rand(30, 1), epsilon=1e-2)
    expected = ((second - first) @ matrix.t()).square().sum(dim=1)
    assert torch.allclose(found, expected, rtol=1e-2)
    # an arc of radius r and angle a has length r·a
    first, second = (3 * torch.nn.functional.normalize(end, dim=1) for end in (first, second))
    arc = path_lengths(lambda z: z, distance, spherical, (first, second), torch.rand(30, 1), epsilon=1e-2)
    angle = torch.arccos(torch.nn.functional.cosine_similarity(first, second))
    assert torch.allclose(arc, (3 * angle).square(), rtol=2e-2)


def test_roads_start_and_end_at_their_people() -> None:
    torch.manual_seed(0)
    first, second = torch.randn(5, 8), torch.randn(5, 8)
    for road in (straight, spherical):
        assert torch.allclose(road(first, second, torch.zeros(5, 1)), first, atol=1e-5)
        assert torch.allclose(road(first, second, torch.ones(5, 1)), second, atol=1e-5)
    assert trimmed_mean(torch.cat([torch.ones(200), torch.tensor([1e9, -1e9])])) == 1.0


def test_perceptual_distance_sees_what_people_see() -> None:
    images = to_images(load_sample().images[:4])
    distance = PerceptualDistance()
    blurred = torch.nn.functional.interpolate(torch.nn.functional.avg_pool2d(images, 8), scale_factor=8)
    assert torch.allclose(distance(images, images), torch.zeros(4))
    assert (distance(images, blurred) > distance(images, 0.98 * images)).all()
    assert (distance(images, images.roll(1, dims=0)) < 10).all()


def test_features_do_not_depend_on_the_size_of_the_picture() -> None:
    sample = load_sample()
    full, half = portrait_features(sample.images[:8]), portrait_features(sample.resized(128).images[:8])
    apart = torch.cdist(full, full)[~torch.eye(8, dtype=torch.bool)].mean()
    assert full.shape == (8, 1280) and (full - half).norm(dim=1).mean() < 0.6 * apart


def test_faces_are_counted() -> None:
    pictures = load_sample().images[:4]
    halves = pictures[:, ::2, ::2]
    two = np.pad(np.concatenate([halves[:2], halves[2:]], axis=2), ((0, 0), (64, 64), (0, 0), (0, 0)), mode="edge")
    assert face_counts(pictures).tolist() == [1, 1, 1, 1]
    assert face_counts(two).tolist() == [2, 2]
    assert face_counts(np.zeros((1, 64, 64, 3), dtype=np.uint8)).tolist() == [0]


def test_a_memoriser_is_caught(corpus: Path) -> None:
    judges = corpus_judges(corpus)
    copies = np.concatenate([np.load(path)["images"][:4] for path in judges.training])
    found = nearest_training(
        {"copies": copies[:, :, ::-1], "unseen": judges.held_out.pictures}, judges.training, size=32
    )
    copied, unseen = found["copies"], found["unseen"]
    assert copied.pixel_row.tolist() == copied.feature_row.tolist() == [0, 1, 2, 3, 8, 9, 10, 11]
    assert np.allclose(copied.pixel_nearness, 0, atol=1e-3) and unseen.pixel_nearness.min() > 0.1
    assert share_closer(copied.feature_nearness, unseen.feature_nearness) == 1
    assert share_closer(unseen.pixel_nearness, unseen.pixel_nearness) == 0.5
    assert len(neighbour_sheet(copies, copied, judges.training, columns=5).axes) == 15


def test_judges_hold_equally_many_unseen_and_other_renders(corpus: Path) -> None:
    judges = corpus_judges(corpus)
    assert len(judges.held_out) == len(judges.others) == 8 and len(judges.training) == 2
    assert np.array_equal(judges.held_out.pictures, np.load(corpus / "shard_00000.npz")["images"])
    halves = sample_judges(n=8, size=64)
    assert len(halves.held_out) == len(halves.others) == 8 and halves.held_out.pictures.shape[1] == 64
    assert not np.array_equal(halves.held_out.u, halves.others.u) and halves.training == ()
    for wrong in (lambda: sample_judges(n=2), lambda: corpus_judges(corpus / "nothing")):
        with pytest.raises(ValueError, match="allowed"):
            wrong()


def test_one_command_scores_a_generator(corpus: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    card = {"data": "none", "seed": 0, "command": "none", "metrics": {}, "licence": "Apache-2.0"}
    path = save_generator(tiny_generator(), tmp_path / "tiny.safetensors", card)
    monkeypatch.setenv("OHLORA_OUTPUTS", str(tmp_path / "outputs"))
    command = ["generator", "--weights", str(path), "--corpus", str(corpus), "--pairs", "4", "--into-card"]
    monkeypatch.setattr("sys.argv", command)
    evaluation.main()
    printed = capsys.readouterr().out
    folder = tmp_path / "outputs" / "generator_tiny"
    written = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["metrics"]
    in_card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["evaluation"]
    assert set(written) == set(in_card) and (folder / "nearest_training.png").exists()
    for name in (
        "fid",
        "kid_times_1000",
        "recall",
        "patches",
        "heldout_perceptual",
        "path_length_w",
        "one_face",
        "training_l1",
    ):
        assert name in printed and np.isfinite(written[name]["value"]) and written[name]["baseline"] is not None
    assert written["fid"]["value"] > written["fid"]["baseline"] and written["one_face"]["value"] == 0


def test_path_length_refuses_a_single_pair() -> None:
    with pytest.raises(ValueError, match="pairs=1"):
        perceptual_path_length(tiny_generator(), pairs=1)


def test_cards_take_scores_but_keep_what_the_weights_rest_on(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="missing"):
        add_to_card(tmp_path / "nothing.safetensors", evaluation={})
    with pytest.raises(ValueError, match="sha256"):
        add_to_card(tmp_path / "nothing.safetensors", sha256="0")
