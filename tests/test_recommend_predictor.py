"""The k-NN predictor: exact search, weights, bounds, cold start, and that it learns a taste."""

from __future__ import annotations

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ohlora.recommend import RatingPredictor
from ohlora.recommend.predictor import GRID, distance_weights
from ohlora.recommend.taste import Taste

counts = st.integers(5, 40)
options = st.fixed_dictionaries(
    {
        "neighbours": st.integers(1, 50),
        "power": st.sampled_from([0.0, 1.0, 2.0, 8.0]),
        "emphasis": st.sampled_from([0.0, 3.0]),
    }
)


def rated(n: int, seed: int, dimensions: int = 6) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return random.normal(size=(n, dimensions)), random.integers(1, 6, n)


@settings(max_examples=40, deadline=None)
@given(n=counts, seed=st.integers(0, 1000), options=options)
def test_weights_sum_to_one_and_predictions_stay_between_the_neighbours_ratings(n, seed, options):
    codes, ratings = rated(n, seed)
    prediction = RatingPredictor(**options).fit(codes, ratings).predict(rated(20, seed + 1)[0])
    np.testing.assert_allclose(prediction.weights.sum(axis=1), 1)
    assert (prediction.weights >= 0).all()
    given_ratings = ratings[prediction.neighbours]
    assert (prediction.expected >= given_ratings.min(axis=1)).all()
    assert (prediction.expected <= given_ratings.max(axis=1)).all()
    assert (prediction.uncertainty >= 0).all()


@settings(max_examples=40, deadline=None)
@given(n=counts, seed=st.integers(0, 1000), options=options)
def test_a_portrait_that_was_rated_gets_its_rating(n, seed, options):
    codes, ratings = rated(n, seed)
    prediction = RatingPredictor(**options).fit(codes, ratings).predict(codes)
    np.testing.assert_allclose(prediction.expected, ratings)


def test_a_portrait_rated_twice_gets_the_mean():
    codes, ratings = rated(20, 0)
    prediction = RatingPredictor().fit(np.r_[codes, codes[:1]], np.r_[ratings, 6 - ratings[0]]).predict(codes[:1])
    np.testing.assert_allclose(prediction.expected, 3)


@settings(max_examples=100, deadline=None)
@given(
    distances=hnp.arrays(np.float64, (3, 4), elements=st.one_of(st.just(0.0), st.floats(1e-12, 1e12, allow_nan=False))),
    power=st.sampled_from([0.0, 0.5, 1.0, 2.0, 30.0]),
)
def test_nearer_never_weighs_less(distances, power):
    weights = distance_weights(distances, power)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    for row, weight in zip(distances, weights, strict=True):
        assert (np.diff(weight[np.argsort(row, kind="stable")]) <= 1e-12).all()


def test_the_formula_on_paper():
    # distances 1, 2, 4: weights 4/7, 2/7, 1/7
    np.testing.assert_allclose(distance_weights(np.array([[1.0, 2.0, 4.0]]), 1.0), [[4 / 7, 2 / 7, 1 / 7]])
    codes = np.array([[0.0], [3.0], [5.0], [40.0], [-40.0]])
    ratings = np.array([5, 1, 4, 1, 1])
    predictor = RatingPredictor(neighbours=3, power=1, emphasis=0).fit(codes, ratings)
    prediction = predictor.predict(np.array([[1.0]]))  # distances 1, 2, 4 to the first three
    assert prediction.neighbours.tolist() == [[0, 1, 2]]
    assert prediction.expected[0] == pytest.approx((4 * 5 + 2 * 1 + 1 * 4) / 7)


@pytest.mark.parametrize("emphasis", [0.0, 3.0])
def test_faiss_finds_exactly_what_brute_force_finds(emphasis):
    codes, ratings = rated(500, 3, dimensions=64)
    new = rated(100, 4, dimensions=64)[0]
    predictor = RatingPredictor(neighbours=7, emphasis=emphasis).fit(codes, ratings)
    prediction = predictor.predict(new)
    assert isinstance(predictor._search, faiss.IndexFlat) and predictor._search.metric_type == faiss.METRIC_L2
    placed, queries = predictor._place(codes.astype(np.float32)), predictor._place(new.astype(np.float32))
    distances = np.linalg.norm(queries[:, None].astype(np.float64) - placed[None], axis=2)
    np.testing.assert_array_equal(prediction.neighbours, np.argsort(distances, axis=1)[:, :7])
    brute = distance_weights(np.sort(distances, axis=1)[:, :7], 1.0)
    np.testing.assert_allclose(prediction.weights, brute, rtol=1e-6)


def test_without_emphasis_the_distance_is_the_plain_one():
    codes, ratings = rated(60, 5)
    new = rated(30, 6)[0]
    prediction = RatingPredictor(neighbours=4, emphasis=0).fit(codes, ratings).predict(new)
    distances = np.linalg.norm(new[:, None] - codes[None], axis=2)
    np.testing.assert_array_equal(prediction.neighbours, np.argsort(distances, axis=1)[:, :4])


def test_cold_start():
    new = rated(3, 0)[0]
    nobody = RatingPredictor(prior=2.5).predict(new)
    assert nobody.expected.tolist() == [2.5] * 3 and nobody.neighbours.shape == (3, 0)
    few = RatingPredictor(enough=5).fit(rated(2, 1)[0], [4, 5]).predict(new)
    assert few.expected.tolist() == [4.5] * 3
    enough = RatingPredictor(enough=5).fit(*rated(5, 1)).predict(new)
    assert enough.neighbours.shape == (3, 5)


def test_the_same_rating_everywhere_is_predicted_everywhere():
    prediction = RatingPredictor().fit(rated(30, 0)[0], np.full(30, 4)).predict(rated(5, 1)[0])
    np.testing.assert_allclose(prediction.expected, 4)
    np.testing.assert_allclose(prediction.uncertainty, 0, atol=1e-9)


def test_it_learns_a_taste_and_emphasis_helps_in_many_dimensions():
    random = np.random.default_rng(0)
    codes = random.normal(size=(400, 20))
    ratings = np.clip(np.rint(3 + 1.2 * codes[:, 0]), 1, 5)
    errors = {}
    for emphasis in (0.0, 3.0):
        predictor = RatingPredictor(emphasis=emphasis).fit(codes[:200], ratings[:200])
        errors[emphasis] = np.sqrt(np.mean((predictor.predict(codes[200:]).expected - ratings[200:]) ** 2))
    assert errors[0.0] < ratings[200:].std() * 0.95
    assert errors[3.0] < errors[0.0] * 0.8


def test_a_taste_is_a_few_numbers_and_a_favourite_value():
    random = np.random.default_rng(0)
    codes = random.normal(size=(150, 30))
    ratings = 3 + 0.6 * codes[:, 4] - 0.5 * (codes[:, 7] - 0.5) ** 2 + random.normal(0, 0.3, 150)
    taste = Taste.fit(codes, ratings)
    linear, square = np.split(taste.weights, 2)
    assert np.abs(linear).argmax() == 4 and np.abs(square).argmax() == 7 and square[7] < 0
    assert (taste.weights == 0).sum() > 30
    new = random.normal(size=(200, 30))
    assert np.corrcoef(taste(new), 0.6 * new[:, 4] - 0.5 * (new[:, 7] - 0.5) ** 2)[0, 1] > 0.95
    assert not Taste.fit(codes, np.full(150, 2)).weights.any()
    assert not Taste.fit(np.ones((9, 3)), np.arange(9) % 5 + 1).weights.any()


def test_the_options_are_chosen_for_a_person_on_the_rated_portraits_alone():
    random = np.random.default_rng(0)
    codes = random.normal(size=(300, 20))
    ratings = np.clip(np.rint(3 + 1.2 * codes[:, 0]), 1, 5)
    chosen = RatingPredictor.chosen(codes[:100], ratings[:100])
    assert (chosen.neighbours, chosen.power, chosen.emphasis) in GRID and chosen.emphasis > 0
    plain = RatingPredictor(emphasis=0).fit(codes[:100], ratings[:100])
    errors = [np.mean((one.predict(codes[100:]).expected - ratings[100:]) ** 2) for one in (chosen, plain)]
    assert errors[0] < 0.7 * errors[1]
    again = RatingPredictor.chosen(codes[:100], ratings[:100])
    np.testing.assert_array_equal(again.predict(codes).expected, chosen.predict(codes).expected)


def test_too_few_ratings_choose_nothing():
    default, chosen = RatingPredictor(), RatingPredictor.chosen(*rated(9, 0))
    assert (chosen.neighbours, chosen.power, chosen.emphasis) == (default.neighbours, default.power, default.emphasis)
    assert RatingPredictor.chosen(*rated(0, 0), prior=2.5).predict(rated(2, 1)[0]).expected.tolist() == [2.5, 2.5]


def test_neighbours_that_disagree_make_it_less_certain():
    codes = np.r_[np.random.default_rng(0).normal(0, 0.1, (20, 2)), np.random.default_rng(1).normal(9, 0.1, (20, 2))]
    ratings = np.r_[np.full(20, 3), np.tile([1, 5], 10)]
    prediction = RatingPredictor(neighbours=10, emphasis=0).fit(codes, ratings).predict(np.array([[0.0, 0], [9, 9]]))
    assert prediction.uncertainty[1] > 1.5 * prediction.uncertainty[0]


@pytest.mark.parametrize(
    ("codes", "ratings", "message"),
    [
        (np.zeros(4), np.ones(4), "codes has shape"),
        (np.full((6, 2), np.nan), np.ones(6), "finite numbers"),
        (np.zeros((6, 2)), np.ones(5), r"ratings has shape \(5,\)"),
        (np.zeros((6, 2)), np.array([1, 2, 3, 4, 5, 6]), "ratings has 6.*allowed: 1 to 5"),
        (np.zeros((6, 2)), np.array([1, 2, 3, 4, 5, np.nan]), "ratings has nan"),
    ],
)
def test_bad_ratings_are_refused_and_what_was_learned_stays(codes, ratings, message):
    predictor = RatingPredictor().fit(*rated(10, 0))
    before = predictor.predict(rated(3, 1)[0]).expected
    with pytest.raises(ValueError, match=message):
        predictor.fit(codes, ratings)
    np.testing.assert_array_equal(predictor.predict(rated(3, 1)[0]).expected, before)


@pytest.mark.parametrize(
    "wrong", [{"neighbours": 0}, {"neighbours": 2.5}, {"power": -1}, {"emphasis": np.nan}, {"prior": 0}, {"enough": 0}]
)
def test_bad_options_are_named(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}=.*allowed"):
        RatingPredictor(**wrong)


def test_codes_of_another_length_are_refused():
    with pytest.raises(ValueError, match=r"allowed: \(n, 6\)"):
        RatingPredictor().fit(*rated(10, 0)).predict(np.zeros((1, 5)))
