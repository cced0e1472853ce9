"""The labelling widget, driven as a person drives it: keys, buttons, undo, going on later."""

from __future__ import annotations

from pathlib import Path

import ipywidgets
import numpy as np
import pytest

from ohlora.labeling import LabelingWidget, LabelStore

PICTURES = {name: np.full((16, 16, 3), 90, dtype=np.uint8) for name in ("a", "b")}


@pytest.fixture
def store(tmp_path: Path) -> LabelStore:
    return LabelStore(tmp_path / "labels.sqlite", rater="ann")


def type_keys(widget: LabelingWidget, keys: str) -> None:
    for key in keys:
        widget.keyboard.value = key


def test_keys_answer_and_undo(store: LabelStore) -> None:
    widget = LabelingWidget(PICTURES, store)
    type_keys(widget, "21")
    assert store.labels()["answer"].tolist() == ["woman", "bad"]
    assert widget.keyboard.value == "", "the box is ready for the next key"
    type_keys(widget, "u")
    assert widget.question == ("a", "quality")
    type_keys(widget, "2")
    assert store.labels()["answer"].tolist() == ["woman", "good"]


def test_the_same_key_twice_gives_two_answers_and_fast_keys_all_count(store: LabelStore) -> None:
    widget = LabelingWidget(PICTURES, store)
    type_keys(widget, "22")
    widget.keyboard.value = "1U12"
    assert store.labels()["answer"].tolist() == ["woman", "good", "man", "good"]
    assert widget.question is None


def test_other_keys_answer_nothing_and_say_so(store: LabelStore) -> None:
    widget = LabelingWidget(PICTURES, store)
    type_keys(widget, "<")
    assert store.labels().empty
    assert "&lt;" in widget.children[-1].value and "type 1, 2 or u" in widget.children[-1].value


def test_buttons_show_answers_with_their_keys(store: LabelStore) -> None:
    widget = LabelingWidget(PICTURES, store)
    left, right, undo = widget.children[1].children
    assert [left.description, right.description, undo.description] == ["man (1)", "woman (2)", "undo (u)"]
    right.click()
    assert [left.description, right.description] == ["bad (1)", "good (2)"]
    undo.click()
    assert widget.question == ("a", "gender") and store.labels().empty


def test_labelling_goes_on_where_it_stopped_and_each_rater_has_an_own_queue(store: LabelStore) -> None:
    type_keys(LabelingWidget(PICTURES, store), "222")
    again = LabelingWidget(PICTURES, LabelStore(store.path, rater="ann"))
    assert again.question == ("b", "quality")
    assert "3 of 4 answered by ann" in again.children[-1].value
    other = LabelingWidget(PICTURES, LabelStore(store.path, rater="bob"))
    assert other.question == ("a", "gender")
    type_keys(other, "u1")
    assert len(store.labels()) == 3, "undo takes back only one's own answers"


def test_only_widgets_that_colab_has_are_used(store: LabelStore) -> None:
    def everything(widget: ipywidgets.Widget) -> list[ipywidgets.Widget]:
        return [widget, *(found for child in getattr(widget, "children", ()) for found in everything(child))]

    kinds = {type(widget).__name__ for widget in everything(LabelingWidget(PICTURES, store))}
    assert kinds <= {"LabelingWidget", "Image", "HBox", "Button", "Text", "HTML"}


def test_the_widget_ends_and_refuses_to_start_without_pictures(store: LabelStore) -> None:
    widget = LabelingWidget(PICTURES, store)
    for _ in range(5):
        widget.answer(1)
    assert widget.question is None and len(store.labels()) == 4
    assert "Done" in widget.children[-1].value
    with pytest.raises(ValueError, match="pictures is empty"):
        LabelingWidget({}, store)
