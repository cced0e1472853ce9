"""The renderer: same pixels, right classes, truth that moves with its parameter."""

import hashlib
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from ohlora.portraits import LABELS, TRUTH_NAMES, PortraitParams, mirror, render, sample_vectors
from ohlora.portraits.figure import build_figure
from ohlora.portraits.head_data import PATH, load_head_data
from ohlora.portraits.lights import DOME, KEY, RIM, cast_shadows
from ohlora.portraits.render import solid_brows
from ohlora.portraits.shading import shade
from ohlora.portraits.visible import Camera, draw

SIZE = 64


@pytest.fixture(scope="module")
def default():
    return render(PortraitParams(), SIZE)


def test_shapes_types_and_classes(default):
    assert default.image.shape == (SIZE, SIZE, 3) and default.image.dtype == np.uint8
    assert default.mask.shape == (SIZE, SIZE) and default.mask.dtype == np.uint8
    assert tuple(default.truth) == TRUTH_NAMES and all(isinstance(v, float) for v in default.truth.values())
    present = {LABELS[k] for k in np.unique(default.mask)}
    assert present >= set(LABELS) - {"mouth interior"}, present
    open_mouth = render(PortraitParams(mouth=1.0), SIZE)
    assert LABELS.index("mouth interior") in open_mouth.mask


def test_same_parameters_give_the_same_pixels(default):
    again = render(PortraitParams(), SIZE)
    np.testing.assert_array_equal(again.image, default.image)
    np.testing.assert_array_equal(again.mask, default.mask)
    assert again.truth == default.truth


def test_a_small_step_is_a_small_change():
    u = sample_vectors(1, seed=5)[0]
    direction = sample_vectors(1, seed=6)[0]
    start, near, far = (render(PortraitParams.from_vector(u + t * direction), SIZE).image.astype(float)
                        for t in (0.0, 0.02, 1.0))  # fmt: skip
    assert 0 < np.abs(near - start).mean() < 0.15 * np.abs(far - start).mean()


def test_the_mirrored_vector_gives_the_flipped_portrait():
    u = sample_vectors(1, seed=9)[0]
    here, there = render(PortraitParams.from_vector(u), SIZE), render(PortraitParams.from_vector(mirror(u)), SIZE)
    difference = np.abs(here.image.astype(float) - there.image[:, ::-1]).mean()
    unflipped = np.abs(here.image.astype(float) - there.image).mean()
    assert difference < 1.5 and difference < unflipped / 10
    assert (here.mask != there.mask[:, ::-1]).mean() < 0.01
    assert here.truth["hair_brightness"] == pytest.approx(there.truth["hair_brightness"], abs=0.01)


@pytest.mark.parametrize(
    ("field", "values", "measured"),
    [
        ("eyes", (0.0, 0.35, 0.7, 1.0), "lid_gap"),
        ("mouth", (0.0, 0.5, 1.0), "mouth_area"),
        ("hair_length", (0.2, 0.45, 0.7), "hair_bottom"),
        ("hair_lightness", (0.0, 0.5, 1.0), "hair_brightness"),
        ("background_texture", (0.0, 0.5, 1.0), "background_std"),
    ],
)
def test_what_is_measured_follows_its_parameter(field, values, measured):
    truths = [render(replace(PortraitParams(), **{field: value}), SIZE, 2).truth[measured] for value in values]
    assert all(b > a for a, b in pairwise(truths)), truths
    assert truths[-1] - truths[0] > {"mouth_area": 0.005, "background_std": 0.05}.get(measured, 0.15)


def test_background_mean_follows_its_colour():
    dark, bright = (
        render(PortraitParams(background_top=(v,) * 3), SIZE, 1).truth["background_mean"] for v in (0.1, 0.8)
    )
    assert bright - dark == pytest.approx(0.7, abs=0.06)


def test_positive_yaw_turns_her_to_the_right_of_the_image():
    nose = LABELS.index("nose")

    def nose_beside_face(yaw: float) -> float:
        mask = render(PortraitParams(yaw=yaw, parting=0.0), SIZE, 2).mask
        face = np.isin(mask, [1, 2, 3, 4, 5, 8])
        return np.flatnonzero((mask == nose).any(0)).mean() - np.flatnonzero(face.any(0)).mean()

    left, middle, right = (nose_beside_face(yaw) for yaw in (-30, 0, 30))
    assert left < middle - 2 and right > middle + 2
    assert abs(middle) < 1.5


def test_closed_lids_hide_the_eyes():
    eyes = LABELS.index("eyes")
    counts = [(render(PortraitParams(eyes=value), SIZE, 2).mask == eyes).sum() for value in (0.0, 0.9)]
    assert counts[1] > 2 * counts[0]


def test_a_man_and_a_woman_are_drawn_in_the_same_place(default):
    man = render(PortraitParams(gender=0.0, hair_length=0.08), SIZE)
    rows = [np.flatnonzero((p.mask == LABELS.index("lips")).any(1)).mean() for p in (man, default)]
    assert abs(rows[0] - rows[1]) < 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 16}, "size=16 is not allowed"),
        ({"size": 64.5}, "size=64.5"),
        ({"supersampling": 9}, "supersampling=9"),
    ],
)
def test_a_wrong_argument_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        render(PortraitParams(), **arguments)


def test_something_else_than_params_is_refused():
    with pytest.raises(ValueError, match="must be a PortraitParams"):
        render({"eyes": 1.0})


def test_the_head_data_is_the_file_that_was_made():
    digest = hashlib.sha256(PATH.read_bytes()).hexdigest()
    assert digest == "ca187fa0d0df00b784229a49cfba7efd4972307d3634a19c7398f4792ddc8493", (
        "head_data.npz changed: run scripts/make_head_data.py, look at a sheet, renew this"
    )
    assert PATH.stat().st_size < 1.5e6
    data = load_head_data()
    assert len(data.morph_names) == len(data.morphs) == 53
    assert 1000 < data.cavity.sum() < 1600


def test_some_lights_are_darker_than_all_and_skin_without_scattering_is_sharper():
    params = PortraitParams()
    figure = build_figure(params)
    camera = Camera.on(figure, 96)
    seen = draw(figure, camera)
    lights = cast_shadows(params, figure)
    whole = shade(params, figure, camera, seen)
    np.testing.assert_array_equal(shade(params, figure, camera, seen, lights), whole)
    for kind in (KEY, DOME, RIM):
        some = lights.of_kind(kind)
        assert set(some.kind) == {kind} and len(some.solid) == len(some.direction)
        assert (shade(params, figure, camera, seen, some) <= whole + 1e-3).mean() > 0.99

    def steps(light):
        canvas = np.zeros((96 * 96, 3))
        canvas[seen.pixel[seen.label == 1]] = light[seen.label == 1]
        return np.abs(np.diff(canvas.reshape(96, 96, 3)[40:70, 35:60], axis=1)).mean()

    assert steps(shade(params, figure, camera, seen, lights, scattering=0.0)) > steps(whole)


def test_a_brow_is_an_area_not_a_lattice_of_hairs():
    mask = np.ones((128, 128), np.uint8)
    mask[40:46:2, 30:50] = 8  # three hairs, a pixel of skin between them
    mask[43, 40] = 7
    solid = solid_brows(mask)
    assert (solid[40:45, 32:48] == 8).sum() == 5 * 16 - 1 and solid[43, 40] == 7, "only skin becomes brow"
    assert (solid[:38] == 1).all() and (solid[48:] == 1).all()
    np.testing.assert_array_equal(solid_brows(solid), solid)
