"""What somebody cannot eat is known from plain words, by the way as they may be said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohlora.rag.fact_reader import Fact
from ohlora.rag.told_diet import with_told_diet


@pytest.mark.parametrize(
    ("message", "food"),
    [
        ("Supper was haddock. I can't have salt on account of my blood pressure. Do you like food?", "salt"),
        ("i cant even eat what we sell, i cant eat gluten", "gluten"), ("I cannot eat milk or eggs", "milk or eggs"),
        ("the doctor says no salt because of my blood pressure", "salt"), ("i'm not allowed to eat sugar", "sugar"),
        ("i can't eat lunch today", ""), ("i can't have milk in the house", ""), ("she can't eat nuts", ""), ("", ""),
        ("no milk for me thanks", ""), ("i can't have coffee after 3pm", ""), ("he says i can't have eggs", ""),
        ("i cant eat chocolate fast enough lol", ""), ("i can't drink coffee without milk", ""),
    ],
)  # fmt: skip
def test_what_cannot_be_eaten(message: str, food: str) -> None:
    assert [(one.key, one.value) for one in with_told_diet((), message)] == ([("intolerance", food)] if food else [])


def test_what_is_known_of_it_already_stays() -> None:
    allergy, odd = Fact("allergy", "gluten", 0.9), Fact("job", "salt", 0.9)
    assert with_told_diet([allergy], "i cant eat gluten") == [allergy]
    assert with_told_diet([odd], "I can't have salt") == [Fact("intolerance", "salt", 1.0)]


@pytest.mark.parametrize(
    ("message", "food"),
    [
        ("without shellfish, to which I am allergic, an absurd condition for a Norwegian.", "shellfish"),
        ("they put in peanuts which i'm badly allergic to", "peanuts"), ("he has a dog, to which I am attached", ""),
        ("it had milk, to which I am not allergic", ""), ("something which i'm allergic to", ""),
        ("nuts, both of which he is allergic to", ""),
    ],
)  # fmt: skip
def test_what_one_is_allergic_to_may_stand_first(message: str, food: str) -> None:
    wrong, job = Fact("allergy", "Norwegian", 0.9), Fact("job", "cook", 0.9)
    expected = [("allergy", food), ("job", "cook")] if food else [("allergy", "Norwegian"), ("job", "cook")]
    assert [(one.key, one.value) for one in with_told_diet([wrong, job], message)] == expected


@given(st.text(max_size=200))
def test_any_message_is_read(message: str) -> None:
    assert all(one.value in message for one in with_told_diet((), message))
