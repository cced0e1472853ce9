"""The ratings file: what goes in comes out, nothing is lost, bad input gets one clear sentence."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ohlora.recommend import PortraitRecipe, RatingStore, RatingStoreError

GENERATOR = "stylegan_16@00000000"


def recipe(number: int, properties: list[float] | None = None) -> PortraitRecipe:
    return PortraitRecipe(GENERATOR, np.random.default_rng(number).normal(size=8), properties)


@pytest.fixture
def store(tmp_path: Path) -> RatingStore:
    return RatingStore(tmp_path / "state" / "ratings.sqlite")


def test_a_rating_comes_back_with_everything_that_makes_the_portrait_again(store):
    store.add(recipe(1), 4)
    store.add(recipe(2, [0.5, -1.0]), np.int64(1))
    first, second = RatingStore(store.path).all()
    assert (first.rating, first.recipe, first.recipe.properties) == (4, recipe(1), None)
    assert first.recipe.z.dtype == np.float32 and first.rated_at.tzinfo is not None
    np.testing.assert_array_equal(second.recipe.properties, np.float32([0.5, -1.0]))


def test_rating_again_keeps_both_and_counts_the_latest(store):
    for rating in (1, 5):
        store.add(recipe(1), rating)
    store.add(recipe(2), 3)
    assert [rating.rating for rating in store.all()] == [1, 5, 3]
    assert [rating.rating for rating in store.latest()] == [5, 3]


def test_undo_takes_the_latest_answer_of_this_user_only(store):
    store.add(recipe(1), 2)
    store.add(recipe(1), 5)
    RatingStore(store.path, user="someone else").add(recipe(1), 1)
    assert store.undo().rating == 5
    assert [rating.rating for rating in store.latest()] == [2]
    assert store.undo().rating == 2 and store.undo() is None
    assert len(RatingStore(store.path, user="someone else").all()) == 1


def test_rating_resumes_where_it_stopped(store):
    recipes = [recipe(number) for number in range(5)]
    for number in (0, 3):
        store.add(recipes[number], 3)
    assert RatingStore(store.path).resume(recipes) == [recipes[1], recipes[2], recipes[4]]


def test_ratings_of_another_generator_are_kept_apart(store):
    store.add(recipe(1), 4)
    store.add(PortraitRecipe("stylegan_16@ffffffff", recipe(1).z), 2)
    assert [rating.rating for rating in store.all(GENERATOR)] == [4]
    assert len(store.all()) == 2


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.one_of(st.none(), st.tuples(st.integers(0, 3), st.integers(1, 5))), max_size=12))
def test_any_sequence_of_add_and_undo_behaves_like_a_list(tmp_path, steps):
    store = RatingStore(tmp_path / "any.sqlite", user=f"user {np.random.default_rng().integers(2**60)}")
    expected: list[tuple[int, int]] = []
    for step in steps:
        if step is None:
            store.undo()
            expected = expected[:-1]
        else:
            store.add(recipe(step[0]), step[1])
            expected.append(step)
    assert [(rating.recipe, rating.rating) for rating in store.all()] == [(recipe(n), r) for n, r in expected]


@pytest.mark.parametrize("rating", [0, 6, -1, 3.0, 2.5, "3", None, True, float("nan")])
def test_a_rating_that_is_not_1_to_5_is_refused_and_nothing_is_lost(store, rating):
    store.add(recipe(1), 4)
    with pytest.raises(ValueError, match=r"rating=.*allowed: a whole number from 1 to 5"):
        store.add(recipe(2), rating)
    assert [kept.rating for kept in store.all()] == [4]


@pytest.mark.parametrize("z", [[], [[1.0, 2.0]], [1.0, np.nan], [np.inf]])
def test_a_recipe_needs_one_row_of_finite_numbers(z):
    with pytest.raises(ValueError, match="z has shape"):
        PortraitRecipe(GENERATOR, z)


def test_a_recipe_without_a_generator_is_refused():
    with pytest.raises(ValueError, match="generator=''"):
        PortraitRecipe("", [1.0])


def test_a_newer_file_is_refused_and_not_touched(store):
    store.add(recipe(1), 4)
    with closing(sqlite3.connect(store.path)) as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = store.path.read_bytes()
    with pytest.raises(RatingStoreError, match=r"schema version 99.*reads up to 1"):
        RatingStore(store.path)
    assert store.path.read_bytes() == before


@pytest.mark.parametrize("kind", ["text", "another program"])
def test_a_file_of_something_else_is_refused_and_not_touched(tmp_path, kind):
    path = tmp_path / "other.sqlite"
    if kind == "text":
        path.write_text("these are not ratings, " * 50)
    else:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE letters (text)")
    before = path.read_bytes()
    with pytest.raises(RatingStoreError, match="left untouched"):
        RatingStore(path)
    assert path.read_bytes() == before


def test_many_writers_at_once_lose_nothing(store):
    def write(writer: int) -> None:
        own = RatingStore(store.path)
        for number in range(10):
            own.add(recipe(number), 1 + (number + writer) % 5)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert len(store.all()) == 40
    assert len(store.latest()) == 10


def test_a_rating_cannot_point_to_a_portrait_that_is_not_there(store):
    with store._connect() as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute("INSERT INTO rating (user, portrait_id, rating, rated_at) VALUES ('me', 12345, 3, '')")
