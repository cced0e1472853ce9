"""The networks of chapter 2 on tiny configurations: they learn, they keep gradients, they refuse bad input."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ohlora.labeling.classifiers import ClassifierSettings, classify, load_classifier, train_folds
from ohlora.labeling.measurements import PROPERTIES, Standardisation
from ohlora.labeling.quality_labels import quality_labels, realism
from ohlora.labeling.regressor import PropertyRegressor, RegressorSettings, predict, train_regressor
from ohlora.labeling.segmentation import (
    SegmentationNetwork,
    check_images,
    intersection_over_union,
    ready,
    segment,
    to_images,
)
from ohlora.labeling.segmentation_training import augment, move, train_segmentation

TINY_CLASSIFIER = ClassifierSettings(size=32, channels=(8, 8, 16, 16), folds=2, epochs=25, batch=8, learning_rate=4e-3)
TINY_REGRESSOR = RegressorSettings(size=32, widths=(8, 8, 16, 16), epochs=12, batch=16)


def blobs(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Pictures uint8 (n, 32, 32, 3) of a bright square on dark noise, and masks with the square as class 6."""
    random = np.random.default_rng(seed)
    pictures = random.integers(0, 60, (count, 32, 32, 3)).astype(np.uint8)
    masks = np.zeros((count, 32, 32), dtype=np.uint8)
    for index in range(count):
        top, left = random.integers(2, 18, 2)
        pictures[index, top : top + 12, left : left + 12] += 150
        masks[index, top : top + 12, left : left + 12] = 6
    return pictures, masks


def test_segmentation_learns_a_square() -> None:
    pictures, masks = blobs(48)
    network, losses = train_segmentation(pictures[:32], masks[:32], epochs=15, widths=(8, 8, 8, 8, 8))
    assert losses[-1] < 0.7 * losses[0]
    scores = intersection_over_union(segment(ready(network), to_images(pictures[32:])), masks[32:])
    assert scores[6] > 0.6


def test_folding_the_batch_norms_changes_nothing() -> None:
    torch.manual_seed(0)
    network = SegmentationNetwork((8, 8, 8, 8, 8)).train()
    images = torch.rand(4, 3, 32, 32)
    network(images)
    assert torch.allclose(network.eval()(images), ready(network)(images), atol=1e-4)


def test_portrait_and_mask_move_together() -> None:
    pictures, masks = blobs(16)
    torch.manual_seed(0)
    images, moved = move(to_images(pictures), torch.from_numpy(masks).long())
    bright = images.mean(dim=1) > -0.2
    assert float((bright == (moved == 6)).float().mean()) > 0.97
    assert not torch.equal(moved, torch.from_numpy(masks).long())
    relit, _ = augment(to_images(pictures), torch.from_numpy(masks).long())
    assert relit.abs().max() <= 1


def test_intersection_over_union_counts_pixels() -> None:
    truth, predicted = np.zeros((2, 4, 4), dtype=np.uint8)
    truth[:2], predicted[1:3] = 6, 6
    scores = intersection_over_union(predicted, truth)
    assert scores[6] == pytest.approx(4 / 12)
    assert np.isnan(scores[3])


@pytest.mark.parametrize(
    "images",
    [
        torch.zeros(2, 3, 64, 48),
        torch.zeros(3, 64, 64),
        torch.zeros(1, 1, 64, 64),
        torch.zeros(1, 3, 40, 40),
        torch.zeros((1, 3, 64, 64), dtype=torch.uint8),
        np.zeros((1, 3, 64, 64)),
    ],
)
def test_wrong_images_are_refused(images: object) -> None:
    with pytest.raises(ValueError, match=r"images is .*allowed: a float tensor \(n, 3, size, size\)"):
        check_images(images)


def test_classifier_learns_what_can_be_told_apart() -> None:
    pictures, _ = blobs(80)
    positive = (np.arange(80) % 2).astype(np.float32)
    pictures[positive == 1, :, :, 0] //= 3
    images = to_images(pictures)
    network, held_out = train_folds(images, positive, TINY_CLASSIFIER)
    assert ((held_out > 0.5) == positive).mean() > 0.9
    assert ((classify(network, images) > 0.5) == positive).mean() > 0.9


@pytest.mark.parametrize("positive", [np.zeros(20), np.ones(19), np.r_[np.zeros(19), 1]])
def test_too_few_labels_are_refused(positive: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"positive has .*at least 2 of each kind"):
        train_folds(torch.zeros(20, 3, 32, 32), positive, TINY_CLASSIFIER)


def test_an_unknown_classifier_is_refused() -> None:
    with pytest.raises(ValueError, match="name='age' is unknown; allowed: gender, quality"):
        load_classifier("age")


def test_realism_falls_with_the_distance_to_rendered_portraits() -> None:
    rendered = torch.randn(300, 6, generator=torch.Generator().manual_seed(0))
    direction = torch.ones(1, 6) / 6**0.5
    far = torch.cat([direction * distance for distance in (0.0, 2.0, 5.0, 12.0)])
    scores = realism(far, rendered)
    assert all(np.diff(scores) < 0)
    assert scores[0] > 1 > scores[-1]
    with pytest.raises(ValueError, match="rendered has 8 rows"):
        realism(far, rendered[:8])


def test_the_worst_share_is_called_bad() -> None:
    labels, threshold = quality_labels(np.linspace(0, 1, 1000), worst=0.1)
    assert labels.mean() == pytest.approx(0.9, abs=0.01)
    assert threshold == pytest.approx(0.1, abs=0.01)
    with pytest.raises(ValueError, match="worst=2"):
        quality_labels(np.zeros(5), worst=2)


def test_regressor_learns_where_and_how_bright() -> None:
    pictures, masks = blobs(160)
    rows, columns = np.nonzero(np.ones((32, 32)))
    raw = torch.zeros(160, 7)
    raw[:, PROPERTIES.index("hair_length")] = torch.tensor([(rows[(m == 6).ravel()]).mean() for m in masks])
    raw[:, PROPERTIES.index("pose")] = torch.tensor([(columns[(m == 6).ravel()]).mean() - 15.5 for m in masks])
    fitted = Standardisation.fit(raw)
    network = train_regressor(pictures[:128], raw[:128], fitted, TINY_REGRESSOR)
    z_scores, predicted = fitted.z_scores(raw[128:]), predict(network, pictures[128:])
    for name in ("hair_length", "pose"):
        column = PROPERTIES.index(name)
        assert torch.corrcoef(torch.stack([z_scores[:, column], predicted[:, column]]))[0, 1] > 0.8


def test_regressor_gives_gradients_to_pixels_and_takes_any_size() -> None:
    network = PropertyRegressor(TINY_REGRESSOR).eval().requires_grad_(False)
    for size in (24, 32, 64):
        images = torch.rand(2, 3, size, size, requires_grad=True)
        z_scores = network(images)
        assert z_scores.shape == (2, 7)
        z_scores.sum().backward()
        assert images.grad.abs().sum() > 0
    with pytest.raises(ValueError, match=r"images is \(3, 32, 32\)"):
        network(torch.zeros(3, 32, 32))


def test_rescaling_the_regressor_is_exact() -> None:
    network = PropertyRegressor(TINY_REGRESSOR).eval()
    random = torch.Generator().manual_seed(1)
    old, new = (Standardisation(torch.randn(7, generator=random), torch.rand(7, generator=random) + 0.5) for _ in "12")
    images = torch.rand(3, 3, 32, 32)
    with torch.no_grad():
        expected = new.z_scores(old.raw(network(images)))
        network.rescale(old, new)
        assert torch.allclose(network(images), expected, atol=1e-5)
