"""Recommendation, the simulated rater and the widget, on a generator that draws plain colours."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from ohlora.evaluation.matrix_factorisation import compare_factorisation, factorise
from ohlora.evaluation.recommend import (
    compare_predictors,
    gain_of_recommended,
    nearest_neighbours,
    prediction_scores,
    retest_scores,
    ridge,
    user_mean,
)
from ohlora.images import to_pictures
from ohlora.recommend import (
    AutoEncoder,
    RatingPredictor,
    RatingStore,
    RatingWidget,
    SimulatedRater,
    portrait_recipes,
    recommend,
)


class ColourGenerator:
    """The part of PortraitGenerator that recommending needs: the first three values of z are a colour."""

    size, z_dim, properties = 16, 4, ()

    def sample_z(self, n: int, seed: int) -> torch.Tensor:
        return torch.randn(n, self.z_dim, generator=torch.Generator().manual_seed(seed))

    def pictures(self, z: torch.Tensor | np.ndarray) -> np.ndarray:
        colours = torch.tanh(torch.tensor(np.array(z))[:, :3, None, None])
        return to_pictures(colours.expand(-1, 3, self.size, self.size))


@pytest.fixture(scope="module")
def setting():
    generator = ColourGenerator()
    autoencoder = AutoEncoder(16, 3, (4, 4)).eval()
    autoencoder.start_from_principal_components(generator.pictures(generator.sample_z(200, 0)))
    z = generator.sample_z(60, 1)
    ratings = np.clip(np.rint(3 + 1.5 * z[:, 0].numpy()), 1, 5)  # likes red
    predictor = RatingPredictor().fit(autoencoder.encode(generator.pictures(z)), ratings)
    return generator, autoencoder, predictor


def test_the_recommended_are_the_best_predicted_and_really_what_is_liked(setting):
    generator, autoencoder, predictor = setting
    result = recommend(generator, autoencoder, predictor, candidates=300, top=10, seed=5, batch=64)
    assert result.z.shape == (10, 4) and result.images.shape == (10, 16, 16, 3)
    assert (np.diff(result.prediction.expected) <= 0).all()
    others = np.delete(result.candidates.expected, result.chosen)
    assert result.prediction.expected.min() >= others.max()
    assert result.z[:, 0].mean() > 0.8  # random ones: 0
    assert predictor.ratings[result.prediction.neighbours[0]].mean() > predictor.ratings.mean() + 0.5


def test_the_same_seed_recommends_the_same(setting):
    first, again = (recommend(*setting, candidates=40, top=3, seed=2, batch=batch) for batch in (8, 40))
    np.testing.assert_array_equal(first.images, again.images)


def test_someone_who_rated_nothing_still_gets_portraits(setting):
    generator, autoencoder, _ = setting
    result = recommend(generator, autoencoder, RatingPredictor(), candidates=20, top=4)
    assert result.chosen.tolist() == [0, 1, 2, 3]
    assert result.prediction.expected.tolist() == [3.0] * 4


@pytest.mark.parametrize("top", [0, 21])
def test_more_than_there_are_cannot_be_recommended(setting, top):
    with pytest.raises(ValueError, match=f"top={top} of candidates=20"):
        recommend(*setting, candidates=20, top=top)


def features(n: int, seed: int = 0) -> pd.DataFrame:
    return pd.DataFrame(np.random.default_rng(seed).normal(size=(n, 4)), columns=["hair", "smile", "age", "skin"])


def test_a_simulated_rater_uses_the_whole_scale_and_is_reproducible():
    rater = SimulatedRater(features(2000), seed=1)
    ratings = rater.rate(features(500, 1))
    assert set(ratings) == {1, 2, 3, 4, 5}
    np.testing.assert_array_equal(ratings, SimulatedRater(features(2000), seed=1).rate(features(500, 1)))
    assert (ratings != rater.rate(features(500, 1), occasion=1)).mean() > 0.2
    assert (ratings != SimulatedRater(features(2000), seed=2).rate(features(500, 1))).mean() > 0.3
    assert list(rater.taste().columns) == ["importance", "likes"] and rater.taste()[
        "importance"
    ].sum() == pytest.approx(1)


def test_without_noise_a_rater_agrees_with_itself_and_noise_lowers_the_ceiling():
    reference = features(1000)
    ceilings = [retest_scores(SimulatedRater(reference, 0, noise), reference)["spearman"] for noise in (0.0, 0.5, 1.5)]
    assert ceilings[0] == pytest.approx(1) and ceilings[0] > ceilings[1] > ceilings[2]


def test_the_features_of_a_rater_are_checked():
    with pytest.raises(ValueError, match="features has 3 columns; allowed: 4"):
        SimulatedRater(features(10)).rate(features(5).to_numpy()[:, :3])
    with pytest.raises(ValueError, match="noise=-1"):
        SimulatedRater(features(10), noise=-1)
    with pytest.raises(ValueError, match="reference has 1 rows"):
        SimulatedRater(features(1))


def test_neighbours_beat_the_mean_when_the_features_are_known():
    table = features(500)
    inputs = table.to_numpy()
    methods = {"knn": (nearest_neighbours, inputs), "ridge": (ridge, inputs), "mean": (user_mean, inputs)}
    raters = [SimulatedRater(table, seed) for seed in range(3)]
    scores = compare_predictors(methods, raters, table, counts=[30, 200], held_out=200)
    assert len(scores) == 3 * 3 * 2
    mean = scores.groupby(["method", "ratings"])[["rmse", "spearman"]].mean()
    assert mean.loc[("knn", 200), "rmse"] < 0.85 * mean.loc[("mean", 200), "rmse"]
    assert mean.loc[("knn", 200), "spearman"] > mean.loc[("knn", 30), "spearman"] > 0.2
    assert mean.loc[("mean", 200), "spearman"] == 0


def test_what_is_recommended_after_some_ratings_is_liked_more_than_chance():
    table, new = features(60), features(300, 1)
    raters = [SimulatedRater(table, seed) for seed in range(3)]
    gains = gain_of_recommended(table.to_numpy(), new.to_numpy(), raters, table, new, count=60)
    assert (gains["best possible"] >= gains["recommended"]).all()
    assert (gains["recommended"] > gains["random"] + 0.5).all()


def test_matrix_factorisation_finds_a_shared_taste_and_needs_other_peoples_ratings():
    random = np.random.default_rng(0)
    people, portraits = random.normal(size=(30, 2)), random.normal(size=(80, 2))
    ratings = np.clip(3 + people @ portraits.T, 1, 5)
    seen = ratings.copy()
    seen[0, 40:] = np.nan
    expected = factorise(seen, rank=2, penalty=1.0).predict(0)[40:]
    assert np.corrcoef(expected, ratings[0, 40:])[0, 1] > 0.9
    nobody = factorise(np.where(np.arange(80) < 40, ratings, np.nan), rank=2, penalty=1.0)
    assert np.ptp(nobody.predict(0)[40:]) == 0  # portraits that nobody rated are all the same to it
    learned = factorise(ratings[:, :40], rank=2, penalty=1.0)
    regressed = learned.for_new_portraits(portraits[:40], portraits[40:], 0)
    assert np.corrcoef(regressed, ratings[0, 40:])[0, 1] > 0.9
    with pytest.raises(ValueError, match="people without any"):
        factorise(np.full((2, 3), np.nan))


def test_matrix_factorisation_is_compared_on_the_same_held_out_portraits():
    table = features(90)
    raters = [SimulatedRater(table, seed) for seed in range(4)]
    scores = compare_factorisation(raters, table, table.to_numpy(), counts=[20, 40], held_out=40)
    assert len(scores) == 4 * 2 * 2 and set(scores.ratings) == {20, 40}
    others = compare_predictors({"mean": (user_mean, table.to_numpy())}, raters, table, [20], held_out=40)
    assert sorted(set(scores.ceiling)) == sorted(set(others.ceiling))


def test_prediction_scores_on_paper():
    scores = prediction_scores(np.array([1.0, 2.0, 3.0]), np.array([2, 3, 4]))
    assert scores == {"rmse": pytest.approx(1), "spearman": pytest.approx(1), "ndcg_at_10": pytest.approx(1)}
    upside_down = prediction_scores(np.array([2.0, 1.0]), np.array([1, 5]))  # gains 0 and 4: 4 / log2(3) of 4
    assert upside_down["ndcg_at_10"] == pytest.approx(1 / np.log2(3)) and upside_down["spearman"] == pytest.approx(-1)


@pytest.fixture
def widget(tmp_path):
    generator = ColourGenerator()
    recipes = portrait_recipes("colours@0", generator.sample_z(3, 0))
    store = RatingStore(tmp_path / "ratings.sqlite")
    draw = lambda recipe: generator.pictures(recipe.z[None])[0]  # noqa: E731
    return RatingWidget(store, recipes, draw), store, recipes, draw


def test_the_widget_rates_undoes_and_resumes(widget):
    view, store, recipes, draw = widget
    buttons = view.children[1].children
    assert [button.description for button in buttons] == ["1", "2", "3", "4", "5", "undo"]
    first_picture = bytes(view.children[0].value)
    assert first_picture.startswith(b"\x89PNG")
    buttons[3].click()
    assert [rating.rating for rating in store.all()] == [4] and view.shown == recipes[1]
    assert bytes(view.children[0].value) != first_picture
    buttons[5].click()
    assert store.all() == [] and view.shown == recipes[0] and bytes(view.children[0].value) == first_picture
    view.rate(5)
    resumed = RatingWidget(store, recipes, draw)
    assert resumed.shown == recipes[1] and resumed.children[2].children[0].value == 1
    resumed.rate(1)
    resumed.rate(2)
    assert resumed.shown is None and all(button.disabled for button in resumed.children[1].children[:5])
    resumed.rate(3)  # nothing left to rate: nothing stored
    assert [rating.rating for rating in store.all()] == [5, 1, 2]


def test_the_widget_hears_the_keyboard(widget):
    view, store, recipes, _ = widget
    view.keyboard.value = "4"
    assert view.keyboard.value == "" and view.shown == recipes[1]
    view.keyboard.value = "2u 5"  # typed fast
    assert [rating.rating for rating in store.all()] == [4, 5] and view.shown == recipes[2]
    view.keyboard.value = "9"
    assert len(store.all()) == 2 and "<b>9</b> is no rating" in view.children[2].children[1].value


def test_a_widget_needs_portraits(widget):
    _, store, _, draw = widget
    with pytest.raises(ValueError, match="recipes is empty"):
        RatingWidget(store, [], draw)
