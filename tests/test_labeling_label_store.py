"""Labels of people survive: undo, resume, two notebooks at once, files from the future."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from ohlora.labeling import LabelStore, LabelStoreError


def test_answers_come_back_in_order_and_can_be_taken_back(tmp_path: Path) -> None:
    store = LabelStore(tmp_path / "labels.sqlite")
    store.add("a", "gender", "woman")
    store.add("a", "quality", "bad")
    assert store.labels()["positive"].tolist() == [1.0, 0.0]
    assert store.undo() == ("a", "quality", "bad")
    assert store.labels("gender")["portrait"].tolist() == ["a"]
    assert store.undo() == ("a", "gender", "woman")
    assert store.undo() is None


def test_a_second_answer_replaces_the_first(tmp_path: Path) -> None:
    store = LabelStore(tmp_path / "labels.sqlite")
    store.add("a", "gender", "woman")
    store.add("a", "gender", "man")
    assert store.labels()["answer"].tolist() == ["man"]


def test_labelling_resumes_where_it_stopped(tmp_path: Path) -> None:
    LabelStore(tmp_path / "labels.sqlite").add("a", "gender", "woman")
    waiting = LabelStore(tmp_path / "labels.sqlite").unanswered(["a", "b"])
    assert waiting == [("a", "quality"), ("b", "gender"), ("b", "quality")]
    assert len(LabelStore(tmp_path / "labels.sqlite", rater="someone else").unanswered(["a", "b"])) == 4


def test_two_open_stores_see_each_other(tmp_path: Path) -> None:
    one, two = (LabelStore(tmp_path / "labels.sqlite") for _ in range(2))
    for number in range(20):
        (one if number % 2 else two).add(f"portrait {number}", "quality", "good")
    assert len(one.labels()) == len(two.labels()) == 20


def test_a_newer_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "labels.sqlite"
    LabelStore(path).add("a", "gender", "woman")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE schema_version SET version = 99")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(LabelStoreError, match="schema version 99; this book reads up to 1"):
        LabelStore(path)
    assert path.read_bytes() == before


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.sqlite"
    path.write_bytes(b"these are notes, not a database" * 50)
    with pytest.raises(LabelStoreError, match="cannot be read"):
        LabelStore(path)
    assert path.read_bytes().startswith(b"these are notes")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (("a", "age", "young"), "question='age' is unknown; allowed: gender, quality"),
        (("a", "gender", "cat"), "answer='cat' to gender is unknown; allowed: man, woman"),
        (("", "gender", "man"), "portrait is empty"),
    ],
)
def test_bad_answers_are_refused(tmp_path: Path, answer: tuple[str, str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LabelStore(tmp_path / "labels.sqlite").add(*answer)


def two_raters(path: Path, first: str, second: str) -> LabelStore:
    """Ann and Bob answer, letter by letter: g good, b bad."""
    words = {"g": "good", "b": "bad"}
    for rater, answers in (("ann", first), ("bob", second)):
        store = LabelStore(path, rater)
        for row, letter in enumerate(answers):
            store.add(f"portrait {row}", "quality", words[letter])
    return LabelStore(path, "ann")


def test_kappa_of_two_raters_takes_chance_away(tmp_path: Path) -> None:
    ann = two_raters(tmp_path / "labels.sqlite", "ggggggggbb", "ggggggbbbbg")
    kappa, share, shared = ann.agreement("bob", "quality")
    assert (share, shared) == (0.8, 10)
    # both good 6, both bad 2; by chance .8·.6 + .2·.4 = .56
    assert kappa == pytest.approx((0.8 - 0.56) / (1 - 0.56))
    assert ann.raters() == ["ann", "bob"]


def test_kappa_needs_enough_shared_portraits_and_both_answers(tmp_path: Path) -> None:
    ann = two_raters(tmp_path / "labels.sqlite", "ggb", "ggb")
    with pytest.raises(ValueError, match=r"'ann' and 'bob' share 3 portraits .*at least 10 .*ann, bob"):
        ann.agreement("bob", "quality")
    with pytest.raises(ValueError, match="share 0 portraits"):
        ann.agreement("carl", "quality")
    assert ann.agreement("bob", "quality", least=3)[0] == 1
    same = two_raters(tmp_path / "same.sqlite", "g" * 12, "g" * 12)
    with pytest.raises(ValueError, match="said 'good' of all 12 shared portraits"):
        same.agreement("bob", "quality")
