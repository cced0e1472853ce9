"""The people of the corpus: each shows one face; glasses, earrings, age and expressions do what they say."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from ohlora.portraits import LABELS, PortraitParams, render, sample_vectors
from ohlora.portraits.earrings import earring_size
from ohlora.portraits.figure import MATERIAL_GLOSSY, build_figure

WOMAN = PortraitParams(hair_length=0.2)


def test_random_people_show_exactly_one_face():
    face_mesh = pytest.importorskip("mediapipe.python.solutions.face_mesh")
    pictures = [render(PortraitParams.from_vector(u), 256).image for u in sample_vectors(24, seed=24)]
    with face_mesh.FaceMesh(static_image_mode=True, max_num_faces=3, min_detection_confidence=0.3) as mesh:
        faces = [len(mesh.process(picture).multi_face_landmarks or ()) for picture in pictures]
    assert faces == [1] * len(pictures)


def _extras(params):
    """Points of glasses and earrings (n, 3)."""
    figure = build_figure(params)
    numbers = figure.triangles[figure.materials == MATERIAL_GLOSSY]
    return figure.points[np.unique(numbers)]


def test_glasses_are_worn_from_a_half_on_and_change_nothing_below():
    bare, low, worn = (render(replace(WOMAN, glasses=value), 96) for value in (0.0, 0.4, 0.8))
    np.testing.assert_array_equal(bare.image, low.image)
    assert (bare.truth["glasses"], low.truth["glasses"], worn.truth["glasses"]) == (0, 0, 1)
    changed = np.abs(worn.image.astype(int) - bare.image).max(-1) > 25
    assert 0.01 < changed.mean() < 0.15
    assert (worn.mask[changed] == LABELS.index("skin")).mean() > 0.6
    for name in ("lid_gap", "mouth_area", "hair_area"):
        assert worn.truth[name] == pytest.approx(bare.truth[name], abs=0.005)


@pytest.mark.parametrize("head", [{}, {"head_width": 0.4, "nose_volume": 0.4}, {"gender": 0.0, "age": 60}])
@pytest.mark.parametrize("value", [0.55, 1.0])
def test_no_rim_cuts_into_the_face(head, value):
    params = replace(WOMAN, glasses=value, **head)
    figure = build_figure(params)
    frame = _extras(params)
    rims = frame[(frame[:, 2] > 1.25) & (np.abs(frame[:, 0]) < 0.5)]
    skin = figure.points[(figure.points[:, 2] > 0.9) & ~np.isin(figure.points, frame).all(1)]
    distance, nearest = cKDTree(skin[:, :2]).query(rims[:, :2])
    assert (distance < 0.02).sum() > 200  # the rims do stand before skin
    assert (rims[:, 2] > skin[nearest, 2] - 0.005)[distance < 0.02].all()
    lashes = figure.lashes[0].reshape(-1, 3)
    distance, nearest = cKDTree(rims[:, :2]).query(lashes[:, :2])
    assert (lashes[:, 2] < rims[nearest, 2] + 0.03)[distance < 0.05].all()


def test_earrings_hang_on_women_only_and_grow_with_the_value():
    sizes = [earring_size(replace(WOMAN, earrings=value)) for value in (0.1, 0.3, 0.6, 1.0)]
    assert sizes[0] == 0 and sizes == sorted(sizes) and sizes[-1] == 1
    assert earring_size(replace(WOMAN, gender=0.0, earrings=1.0)) == 0
    heights = [np.ptp(_extras(replace(WOMAN, earrings=value))[:, 1]) for value in (0.3, 0.6, 1.0)]
    assert heights[0] < heights[1] < heights[2]
    x = _extras(replace(WOMAN, earrings=1.0))[:, 0]
    assert x.min() == pytest.approx(-x.max(), abs=0.02)


def test_hair_greys_from_the_middle_forties_on():
    brightness = [render(replace(WOMAN, age=age), 64).truth["hair_brightness"] for age in (20, 40, 50, 60)]
    assert brightness[1] == pytest.approx(brightness[0], abs=0.01)
    assert brightness[1] < brightness[2] < brightness[3]


def test_a_smile_does_not_open_the_mouth_and_wide_eyes_leave_it_alone():
    def truth(**values):
        return render(replace(WOMAN, **values), 128).truth

    opened = truth(mouth=1.0, smile=0.4)["mouth_area"]
    closed = [truth(mouth=0.0, smile=smile)["mouth_area"] for smile in (0.1, 0.5, 0.9)]
    assert max(closed) < 0.08 * opened
    half = [truth(mouth=0.5, smile=smile)["mouth_area"] for smile in (0.1, 0.9)]
    assert np.ptp(half) < 0.15 * opened
    assert truth(eyes=1.0)["mouth_area"] == truth(eyes=0.5)["mouth_area"]
    assert truth(smile=0.9)["lid_gap"] == pytest.approx(truth(smile=0.1)["lid_gap"], abs=0.03)
