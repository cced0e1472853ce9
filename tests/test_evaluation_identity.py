"""The ruler for faces: exact where the answer is known, and good on the shipped renders."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ohlora.evaluation.identity import alike, face_crops, load_face_ruler, perfect_editor, verification
from ohlora.evaluation.property_sweep import portrait_judge
from ohlora.images import resize, to_images
from ohlora.labeling import PROPERTIES, load_labeler, one_hot
from ohlora.labeling.measurements import NOSE, SKIN
from ohlora.portraits import VECTOR_SIZE, load_sample
from ohlora.weights import load_weights


def unit(values: np.ndarray) -> np.ndarray:
    return values / np.linalg.norm(values, axis=-1, keepdims=True)


def test_verification_of_faces_that_are_clear_and_of_noise() -> None:
    dice = np.random.default_rng(0)
    people = np.repeat(dice.standard_normal((40, 1, 16)), 3, axis=1)
    clear = verification(unit(people + 0.1 * dice.standard_normal(people.shape)))
    assert clear["auroc"] > 0.999 and clear["equal_error_rate"] < 0.01 and clear["pairs"] == 120
    assert clear["same"] > 0.95 and clear["same"] > clear["threshold"] > clear["strangers_95"] > clear["strangers"]
    noise = verification(unit(dice.standard_normal(people.shape)), np.ones((40, 40), dtype=bool))
    assert 0.4 < noise["auroc"] < 0.6 and noise["auroc_alike"] == pytest.approx(noise["auroc"])


def test_strangers_that_are_alike_are_harder() -> None:
    dice = np.random.default_rng(1)
    kind = np.repeat(np.repeat(dice.standard_normal((8, 1, 16)), 5, axis=0), 2, axis=1)  # five people of each kind
    faces = (
        kind + 0.3 * np.repeat(dice.standard_normal((40, 1, 16)), 2, axis=1) + 0.2 * dice.standard_normal(kind.shape)
    )
    near = np.kron(np.eye(8, dtype=bool), np.ones((5, 5), dtype=bool))
    found = verification(unit(faces), near)
    assert found["auroc_alike"] < found["auroc"]


def test_alike_is_symmetric_and_needs_all_three() -> None:
    u = np.zeros((3, VECTOR_SIZE), dtype=np.float32)
    u[1, 0] = -3.0  # a man
    near = alike(u)
    assert near[0, 2] and not near[0, 1] and (near == near.T).all()


def test_a_perfect_editor_of_faces_that_never_change_scores_one() -> None:
    faces = np.repeat(unit(np.random.default_rng(2).standard_normal((4, 1, 8))), 15, axis=1)
    found = perfect_editor(faces)
    assert found["perfect_editor"] == pytest.approx(1) and found["perfect_editor_n"] == 4 * 14
    faces[:, 1] *= -1  # eyes, low
    assert perfect_editor(faces)["perfect_editor_eyes"] == pytest.approx(0)


def test_the_face_is_cut_around_the_nose_and_the_rest_is_grey() -> None:
    masks = np.zeros((1, 64, 64), dtype=np.uint8)
    masks[0, 10:50, 20:60], masks[0, 28:32, 38:42] = SKIN, NOSE
    images = torch.ones(1, 3, 128, 128)
    crop = face_crops(images, one_hot(masks), side=64, share=0.5)
    assert crop.shape == (1, 3, 64, 64) and crop[0, 0, 32, 32] == 1
    # the cut-out begins a quarter of the width left of the nose: 40 - 16 = 24, four pixels into the skin
    assert crop[0, 0, :, 1:60].min() == 1
    nothing = face_crops(images, one_hot(np.zeros_like(masks)))
    assert nothing.abs().max() == 0 and torch.isfinite(nothing).all()


@pytest.fixture(scope="module")
def judge():
    return portrait_judge(load_labeler(), load_face_ruler())


def test_the_same_picture_is_the_same_person(judge) -> None:
    images = to_images(load_sample().images[:12])
    found = judge(images)
    assert found.shown.shape == (12, len(PROPERTIES)) and found.masks.shape[1:] == found.images.shape[2:]
    again, softened, mirrored = (judge(one).faces for one in (images, resize(resize(images, 128), 256), images.flip(3)))
    cosines = found.faces @ found.faces.T
    strangers = cosines[~np.eye(12, dtype=bool)]
    assert np.allclose((found.faces * again).sum(axis=1), 1, atol=1e-5)
    for other in (softened, mirrored):
        assert (found.faces * other).sum(axis=1).mean() > max(0.7, np.quantile(strangers, 0.95))
    assert abs(strangers.mean()) < 0.3


def test_the_card_says_how_good_the_ruler_is() -> None:
    _, card = load_weights("face_ruler")
    scores = card["metrics"]
    assert scores["auroc"] > 0.97 and scores["equal_error_rate"] < 0.08 and scores["auroc_alike"] > 0.9
    assert scores["strangers"] < scores["threshold"] < scores["same"] < scores["perfect_editor"]
    assert len(card["reads"]) == load_face_ruler().weight.shape[1]
