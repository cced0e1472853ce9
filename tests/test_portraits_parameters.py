"""PortraitParams: the map from and to u, mirrored fields, and refusals."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ohlora.portraits import VECTOR_NAMES, VECTOR_SIZE, PortraitParams, mirror, sample_vectors

vectors = arrays(np.float32, VECTOR_SIZE, elements=st.floats(-3, 3, width=32))


@settings(max_examples=60, deadline=None)
@given(vectors)
def test_a_vector_comes_back(u):
    np.testing.assert_allclose(PortraitParams.from_vector(u).to_vector(), u, atol=2e-3)


@settings(max_examples=20, deadline=None)
@given(arrays(np.float32, VECTOR_SIZE, elements=st.floats(-1e6, 1e6, width=32)))
def test_every_finite_vector_is_a_valid_portrait(u):
    assert np.isfinite(PortraitParams.from_vector(u).to_vector()).all()


@settings(max_examples=20, deadline=None)
@given(vectors)
def test_mirroring_twice_changes_nothing_and_turns_the_head_the_other_way(u):
    np.testing.assert_array_equal(mirror(mirror(u)), u)
    here, there = PortraitParams.from_vector(u), PortraitParams.from_vector(mirror(u))
    assert there.yaw == pytest.approx(-here.yaw)
    assert there.gaze_x == pytest.approx(-here.gaze_x)
    assert there.hair_length == here.hair_length


def test_vectors_have_names_and_hand_made_portraits_have_vectors():
    assert len(VECTOR_NAMES) == len(set(VECTOR_NAMES)) == VECTOR_SIZE
    extreme = PortraitParams(eyes=1.0, mouth=1.0, yaw=40.0, gender=0.0, ancestry=(1.0, 0.0, 0.0))
    u = extreme.to_vector()
    assert u.dtype == np.float32 and np.isfinite(u).all()
    assert PortraitParams.from_vector(u).eyes > 0.99


def test_a_step_in_u_moves_the_field_of_that_name_upwards():
    for name in ("eyes", "mouth", "yaw", "hair_length", "hair_lightness", "gender", "background_top_0"):
        low, high = np.zeros(VECTOR_SIZE), np.zeros(VECTOR_SIZE)
        low[VECTOR_NAMES.index(name)], high[VECTOR_NAMES.index(name)] = -1, 1
        field = "background_top" if name.startswith("background_top") else name
        values = [getattr(PortraitParams.from_vector(u), field) for u in (low, high)]
        assert values[1] > values[0], name


def test_about_seven_of_ten_are_women_and_all_expressions_occur():
    people = [PortraitParams.from_vector(u) for u in sample_vectors(1500, seed=3)]
    assert 0.65 < np.mean([p.gender > 0.5 for p in people]) < 0.75
    assert min(p.eyes for p in people) < 0.06 and max(p.eyes for p in people) > 0.97
    assert min(p.mouth for p in people) < 0.01 and max(p.mouth for p in people) > 0.9
    assert max(abs(p.yaw) for p in people) > 30


def test_most_people_are_young_a_tenth_wears_glasses_and_a_third_of_the_women_earrings():
    people = [PortraitParams.from_vector(u) for u in sample_vectors(3000, seed=5)]
    age = np.array([p.age for p in people])
    assert age.min() < 19 and age.max() > 55 and 0.8 < (age <= 40).mean() < 0.9
    assert 0.08 < np.mean([p.glasses >= 0.5 for p in people]) < 0.12
    assert 0.32 < np.mean([p.earrings > 0.22 for p in people]) < 0.38


@pytest.mark.parametrize(
    ("field", "value"),
    [("eyes", 1.2), ("yaw", -60), ("mouth", "open"), ("ancestry", (0.5, 0.5)), ("background_top", (0, 0, 2)),
     ("smile", float("nan")), ("hair_length", None)],
)  # fmt: skip
def test_a_value_out_of_range_is_refused_with_its_name_and_range(field, value):
    with pytest.raises(ValueError, match=rf"{field}=.*is not allowed; it must be .* from "):
        PortraitParams(**{field: value})


def test_shares_must_sum_to_one_and_params_are_frozen():
    with pytest.raises(ValueError, match="sum to 1"):
        PortraitParams(ancestry=(0.5, 0.1, 0.1))
    with pytest.raises(dataclasses.FrozenInstanceError):
        PortraitParams().eyes = 0.1


@pytest.mark.parametrize("u", [np.zeros(61), np.zeros((2, 62)), np.full(62, np.nan)])
def test_a_wrong_vector_is_refused(u):
    with pytest.raises(ValueError, match="62 finite numbers"):
        PortraitParams.from_vector(u)


def test_mirror_refuses_a_wrong_shape():
    with pytest.raises(ValueError, match="last axis must have 62"):
        mirror(np.zeros((3, 64)))
