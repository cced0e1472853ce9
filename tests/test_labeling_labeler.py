"""The shipped labeler on the shipped sample: it sees what the renderer did."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ohlora.evaluation.labeling import measurement_scores, segmentation_scores
from ohlora.images import to_images
from ohlora.labeling import PROPERTIES, Labeler, load_labeler, load_regressor
from ohlora.labeling.broken_portraits import broken_pictures
from ohlora.portraits.corpus import Corpus, load_sample
from ohlora.stylegan import load_generator


@pytest.fixture(scope="module")
def labeler() -> Labeler:
    return load_labeler("embedded")


@pytest.fixture(scope="module")
def sample() -> Corpus:
    return load_sample()


@pytest.fixture(scope="module")
def generated() -> torch.Tensor:
    generator = load_generator("embedded")
    return generator.generate(generator.sample_z(48, seed=4321))


def test_masks_agree_with_the_renderer(labeler: Labeler, sample: Corpus) -> None:
    scores = segmentation_scores(labeler.segmentation, sample.images[:96], sample.masks[:96])
    assert scores["mean"] > 0.92
    assert scores["hair"] > 0.96
    assert min(scores.values()) > 0.74


def test_measurements_follow_the_truth(labeler: Labeler, sample: Corpus) -> None:
    scores, _ = measurement_scores(labeler.segmentation, sample.images[:128], sample.truth[:128])
    bars = {"eyes": 0.85, "mouth": 0.9, "pose": 0.97, "hair_length": 0.9}
    for name in PROPERTIES:
        assert scores.r[name] > bars.get(name, 0.97), name
    assert (scores["MAE of guessing"] > scores.MAE).all()


def test_a_flip_turns_the_pose_only(labeler: Labeler, sample: Corpus) -> None:
    images = to_images(sample.images[:48])
    plain, mirrored = labeler.measure_raw(images), labeler.measure_raw(images.flip(3))
    for column, name in enumerate(PROPERTIES):
        sign = -1 if name == "pose" else 1
        pair = torch.stack([sign * plain[:, column], mirrored[:, column]])
        assert torch.corrcoef(pair)[0, 1] > 0.97, name


def test_light_changes_colours_and_not_geometry(labeler: Labeler, sample: Corpus) -> None:
    images = to_images(sample.images[:48])
    brighter = (images + 0.15).clamp(-1, 1)
    before, after = labeler.measure(images), labeler.measure(brighter)
    assert (after["hair_color"] - before["hair_color"]).mean() > 0.2
    assert (after["background_mean"] - before["background_mean"]).mean() > 0.2
    for name in ("eyes", "mouth", "pose", "hair_length"):
        assert (after[name] - before[name]).abs().mean() < 0.25, name


def test_z_scores_of_generated_portraits_are_standard(labeler: Labeler, generated: torch.Tensor) -> None:
    table = labeler.measure(generated)
    assert list(table.columns) == list(PROPERTIES)
    assert table.mean().abs().max() < 1.0
    assert table.std().between(0.4, 1.8).all()


def test_gender_is_seen(labeler: Labeler, sample: Corpus) -> None:
    """Trained on generated portraits, asked about rendered ones."""
    clear = (sample.truth["gender"] < 0.2) | (sample.truth["gender"] > 0.8)
    truth = sample.truth["gender"][clear] > 0.5
    said = labeler.gender(to_images(sample.images[clear.to_numpy()])) > 0.5
    assert (said == truth).mean() > 0.85


def test_the_quality_filter_keeps_ordinary_portraits_and_stops_broken_ones(
    labeler: Labeler, generated: torch.Tensor
) -> None:
    broken = broken_pictures(load_generator("embedded"), 30, seed=4321, size=128)
    assert (labeler.quality(generated) > 0.5).mean() > 0.9
    assert (labeler.quality(to_images(broken)) > 0.5).mean() < 0.4


def test_both_filters_together(labeler: Labeler, generated: torch.Tensor) -> None:
    passes = labeler.passes(generated)
    assert passes.dtype == bool
    assert 0.2 < passes.mean() < 1
    assert not passes[labeler.gender(generated) < 0.5].any()


def test_regressor_imitates_the_labeler(labeler: Labeler, generated: torch.Tensor) -> None:
    measured = labeler.measure(generated).to_numpy()
    with torch.no_grad():
        predicted = load_regressor("embedded")(generated).numpy()
    for column, name in enumerate(PROPERTIES):
        assert np.corrcoef(measured[:, column], predicted[:, column])[0, 1] > 0.85, name


@pytest.mark.parametrize("question", ["segment", "measure", "gender", "quality", "passes"])
def test_wrong_shapes_are_refused_by_every_question(labeler: Labeler, question: str) -> None:
    for images in (torch.zeros(3, 128, 128), torch.zeros(2, 3, 128, 120), torch.zeros(2, 128, 128, 3)):
        with pytest.raises(ValueError, match=r"images is .*allowed: a float tensor \(n, 3, size, size\)"):
            getattr(labeler, question)(images)


def test_no_portraits_give_empty_answers(labeler: Labeler) -> None:
    nothing = torch.zeros(0, 3, 128, 128)
    assert labeler.measure(nothing).shape == (0, 7)
    assert labeler.segment(nothing).shape == (0, 128, 128)
    assert labeler.gender(nothing).shape == (0,)
