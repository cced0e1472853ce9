"""The networks of chapter 2 on tiny configurations: they learn, they keep gradients, they refuse bad input."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ohlora.images import to_images
from ohlora.labeling import segmentation_training
from ohlora.labeling.measurements import PROPERTIES, Standardisation
from ohlora.labeling.regressor import PropertyRegressor, RegressorSettings, predict, train_regressor
from ohlora.labeling.segmentation import (
    MEASURED_SIZE,
    SegmentationNetwork,
    check_images,
    class_logits,
    class_probabilities,
    intersection_over_union,
    ready,
    segment,
)
from ohlora.labeling.segmentation_training import (
    MaskedPortraits,
    augment,
    generated_portraits,
    move,
    scores,
    train_segmentation,
)

TINY_WIDTHS = (8, 8, 8, 8)
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
    network, losses = train_segmentation(MaskedPortraits(pictures[:32], masks[:32]), epochs=15, widths=TINY_WIDTHS)
    assert network.size == 32 and len(losses) == 60
    assert losses[-1] < 0.7 * losses[0]
    found = scores(network, MaskedPortraits(pictures[32:], masks[32:]))
    assert found["IoU"]["hair"] > 0.6 and found["n"] == 16


def test_generated_portraits_teach_what_renders_do_not_show() -> None:
    """Renders have a bright square; in the generated share it is dark. Only who saw both finds both."""
    rendered = MaskedPortraits(*blobs(32))
    pictures, masks = blobs(48, seed=1)
    generated = MaskedPortraits(255 - pictures, masks)
    found = {}
    for name, taught in (("renders", None), ("both", MaskedPortraits(generated.pictures[:32], masks[:32]))):
        network, _ = train_segmentation(rendered, taught, epochs=15, widths=TINY_WIDTHS)
        found[name] = scores(network, MaskedPortraits(generated.pictures[32:], masks[32:]))["IoU"]["hair"]
    assert found["both"] > found["renders"] + 0.2, found


def test_a_training_leaves_copies_and_goes_on_from_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segmentation_training, "KEEP_MINUTES", 0.0)
    kept, rendered = [], MaskedPortraits(*blobs(16))
    first, _ = train_segmentation(rendered, epochs=3, widths=TINY_WIDTHS, keep=lambda _, steps: kept.append(steps))
    assert kept == list(range(6))
    before = scores(first, rendered)["mean IoU"]
    again, losses = train_segmentation(rendered, epochs=12, network=first)
    assert again is first and len(losses) == 24
    assert scores(again, rendered)["mean IoU"] > before


class _Drawer:
    """A generator whose portrait shows the first parameter as its brightness."""

    z_dim = 6

    def u_to_z(self, u: torch.Tensor, extra: torch.Tensor) -> torch.Tensor:
        return torch.cat([u, extra], dim=1)

    def pictures(self, z: torch.Tensor, size: int | None = None) -> np.ndarray:
        assert z.shape[1] == self.z_dim and z[:, 4:].abs().min() > 0
        return np.broadcast_to((z[:, 0].numpy() * 10).astype(np.uint8)[:, None, None, None], (len(z), 8, 8, 3))


def test_generated_portraits_keep_the_order_of_their_masks() -> None:
    u = np.arange(12, dtype=np.float32).reshape(3, 4)
    made = generated_portraits(_Drawer(), u, np.zeros((3, 8, 8), np.uint8))
    assert made.pictures[:, 0, 0, 0].tolist() == [0, 40, 80] and len(made) == 3
    with pytest.raises(ValueError, match=r"pictures is \(3, 8, 8, 3\) beside masks \(2, 8, 8\)"):
        MaskedPortraits(made.pictures, made.masks[:2])


def test_a_size_that_cannot_be_halved_often_enough_is_refused() -> None:
    with pytest.raises(ValueError, match="size=40 does not fit; allowed: a multiple of 16"):
        SegmentationNetwork(TINY_WIDTHS, 40)


def test_folding_the_batch_norms_changes_nothing() -> None:
    torch.manual_seed(0)
    network = SegmentationNetwork(TINY_WIDTHS, 32).train()
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
    plain = to_images(pictures)
    untouched = [
        any(torch.allclose(image, one, atol=1e-4) for one in (before, before.flip(2)))
        for image, before in zip(images, plain, strict=True)
    ]
    assert 2 <= sum(untouched) <= 14, "about half are only mirrored, pixel for pixel"
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


class _BrightIsHair(torch.nn.Module):
    """Calls bright pixels hair and dark ones background, and looks at MEASURED_SIZE."""

    size = MEASURED_SIZE

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits = torch.full((len(images), 9, *images.shape[2:]), -9.0)
        logits[:, 6], logits[:, 0] = images.mean(dim=1), -images.mean(dim=1)
        return logits


@pytest.mark.parametrize("factor", [2, 0.5])
def test_a_portrait_is_measured_at_the_trained_size_and_its_mask_is_as_large_as_it(factor: float) -> None:
    side = int(factor * MEASURED_SIZE)
    pictures, masks = blobs(3)
    images, truth = to_images(pictures), torch.from_numpy(masks)
    images = torch.nn.functional.interpolate(images, size=(side, side), mode="nearest")
    truth = torch.nn.functional.interpolate(truth[:, None].float(), size=(side, side), mode="nearest")[:, 0].byte()
    seen, logits = next(class_logits(_BrightIsHair(), images, batch=3))
    assert seen.shape[-1] == logits.shape[-1] == MEASURED_SIZE
    found = segment(_BrightIsHair(), images)
    assert found.shape == (3, side, side) and found.dtype == np.uint8
    assert (found == truth.numpy()).mean() > 0.98


def test_probabilities_are_nine_and_sum_to_one() -> None:
    network = ready(SegmentationNetwork(TINY_WIDTHS, 32))
    parts = list(class_probabilities(network, torch.rand(5, 3, 64, 64) * 2 - 1, batch=2))
    assert [tuple(areas.shape) for _, areas in parts] == [(2, 9, 32, 32), (2, 9, 32, 32), (1, 9, 32, 32)]
    for _, areas in parts:
        assert torch.allclose(areas.sum(dim=1), torch.ones(()), atol=1e-4)
