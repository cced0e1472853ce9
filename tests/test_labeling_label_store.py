"""Labels of people survive: undo, resume, two notebooks at once, files from the future."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from ohlora.labeling import LabelingWidget, LabelStore, LabelStoreError


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


def test_the_widget_asks_stores_undoes_and_ends(tmp_path: Path) -> None:
    pictures = {name: np.full((16, 16, 3), 90, dtype=np.uint8) for name in ("a", "b")}
    store = LabelStore(tmp_path / "labels.sqlite")
    widget = LabelingWidget(pictures, store)
    assert widget.question == ("a", "gender")
    widget.answer(1)
    widget.answer(0)
    assert store.labels()["answer"].tolist() == ["woman", "bad"]
    widget.undo()
    assert widget.question == ("a", "quality")
    again = LabelingWidget(pictures, LabelStore(tmp_path / "labels.sqlite"))
    for _ in range(5):
        again.answer(1)
    assert again.question is None
    assert len(store.labels()) == 4
    with pytest.raises(ValueError, match="pictures is empty"):
        LabelingWidget({}, store)
