"""The table of expressions: every word finds one, every face stays within reach."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ohlora.companion.expression import FALL_BACK, LARGEST_OFFSET, MOVED, load_expressions

TABLE = load_expressions()
NAMES = [
    "neutral",
    "happy",
    "laughing",
    "surprised",
    "sad",
    "angry",
    "shy",
    "thinking",
    "sleepy",
    "curious",
    "proud",
    "worried",
]


def test_the_twelve_expressions_are_declared() -> None:
    assert list(TABLE.names) == NAMES


def test_no_two_expressions_look_the_same() -> None:
    faces = np.array([[TABLE.offsets(name)[moved] for moved in MOVED] for name in NAMES])
    distances = np.linalg.norm(faces[:, None] - faces[None], axis=2)
    assert distances[~np.eye(len(NAMES), dtype=bool)].min() > 0.6


def test_directions_are_the_ones_a_person_expects() -> None:
    assert TABLE.offsets("surprised")["eyes"] > 1 and TABLE.offsets("surprised")["mouth"] > 1
    assert TABLE.offsets("sleepy")["eyes"] < -1
    assert TABLE.offsets("laughing")["mouth"] > TABLE.offsets("happy")["mouth"] > 0
    assert set(TABLE.offsets("neutral").values()) == {0.0}


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("happy", "happy"),
        (" Happy! ", "happy"),
        ("[surprised]", "surprised"),
        ("suprised", "surprised"),
        ("joyful", "happy"),
        ("행복", "happy"),
        ("놀람", "surprised"),
        ("embarassed", "shy"),
        ("table", FALL_BACK),
        ("", FALL_BACK),
        ("행성", FALL_BACK),
    ],
)
def test_exact_then_fuzzy_then_fall_back(word: str, name: str) -> None:
    assert TABLE.match(word) == name


@given(st.text(max_size=200), st.floats(allow_nan=True, allow_infinity=True))
@settings(max_examples=150, deadline=None)
def test_any_word_and_any_intensity_give_a_reachable_face(word: str, intensity: float) -> None:
    assert TABLE.match(word) in TABLE.names
    offsets = TABLE.offsets(word, intensity)
    assert set(offsets) == set(MOVED)
    assert all(abs(value) <= LARGEST_OFFSET for value in offsets.values())


@given(st.sampled_from(NAMES), st.floats(0, 1), st.floats(0, 1))
def test_more_intensity_is_never_less_movement(name: str, one: float, other: float) -> None:
    weak, strong = sorted((one, other))
    for moved in MOVED:
        assert abs(TABLE.offsets(name, weak)[moved]) <= abs(TABLE.offsets(name, strong)[moved])


@given(st.sampled_from(NAMES), st.integers(0, 8), st.sampled_from("xqzk"))
def test_one_typing_error_keeps_the_expression(name: str, place: int, letter: str) -> None:
    place = place % len(name)
    mistyped = name[:place] + letter + name[place:]
    if len(name) >= 5:
        assert TABLE.match(mistyped) == name


def test_a_teacher_can_edit_the_table(tmp_path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("neutral: {eyes: 0, mouth: 0, pose: 0}\ndizzy: {eyes: -1, mouth: 1, pose: 2, aliases: [빙글]}\n")
    table = load_expressions(path)
    assert table.offsets("빙글", 0.5) == {"eyes": -0.5, "mouth": 0.5, "pose": 1.0}
    assert table.match("happy") == FALL_BACK


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("happy: {eyes: 0, mouth: 0, pose: 0}", "neutral"),
        ("neutral: {eyes: 9, mouth: 0, pose: 0}", "eyes=9"),
        ("neutral: {eyes: .nan, mouth: 0, pose: 0}", "eyes=nan"),
        ("neutral: {eyes: wide, mouth: 0, pose: 0}", "eyes='wide'"),
        ("neutral: {eyes: 0, mouth: 0}", "pose"),
        ("neutral: {eyes: 0, mouth: 0, pose: 0, smile: 1}", "smile"),
        ("[1, 2]", "list"),
    ],
)
def test_a_bad_table_gets_one_clear_sentence(tmp_path, content: str, names: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(content)
    with pytest.raises(ValueError, match=names) as error:
        load_expressions(path)
    assert "\n" not in str(error.value)


def test_a_missing_table_is_named(tmp_path) -> None:
    with pytest.raises(ValueError, match="does not exist"):
        load_expressions(tmp_path / "none.yaml")
