"""Terms of study: found by their names, explained where a message asks what they are."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ohlora.llm.reply_format import EXPRESSIONS, parse_reply
from ohlora.llm.rules import keeps_language
from ohlora.rag import StudyTerms, load_study_terms
from ohlora.rag.study_terms import StudyTerm

TERMS = load_study_terms()


def named(message: str) -> list[str]:
    return [one.term for one in TERMS.named(message)]


def test_every_term_can_be_named_and_explained() -> None:
    assert len(TERMS.terms) == len({one.term for one in TERMS.terms}) > 400
    for term in TERMS.terms:
        for language in ("ko", "en"):
            first, second = term.answers[language]
            assert first != second and all(keeps_language(one, language) for one in (first, second)), term
            assert all(len(one) <= {"ko": 160, "en": 220}[language] for one in (first, second)), term
            assert term.spellings[language], term


def test_a_spelling_names_one_term() -> None:
    owners = Counter()
    for term in TERMS.terms:
        names = {name for part in term.spellings.values() for name in part}
        assert all(name == name.casefold() for name in names), term
        owners.update({name.replace(" ", "").replace("-", "") for name in names})
    assert not [name for name, count in owners.items() if count > 1]


@pytest.mark.parametrize(
    ("message", "terms"),
    [("what is overfitting?", ["overfitting"]), ("과적합이 뭐야?", ["overfitting"]),
     ("K means vs KNN", ["k_means", "k_nearest_neighbours"]),
     ("경사 하강법이랑 역전파 차이가 뭐야", ["gradient_descent", "backpropagation"]), ("LoRA가 뭐야?", ["lora"]),
     ("What is LoRA?", ["lora"]), ("Oh-LoRA, hello", []), ("hey lora what's up", []), ("오로라야 뭐 해?", []),
     ("집중력이 안 좋아", []), ("할렐루야", []), ("", [])],
)  # fmt: skip
def test_terms_are_found_by_their_names(message: str, terms: list[str]) -> None:
    assert named(message) == terms


@pytest.mark.parametrize(
    ("message", "language"),
    [("explain overfitting in one line", "en"), ("과적합 쉽게 설명해줘", "ko"), ("i dont get backpropagation", "en"),
     ("정밀도랑 재현율 차이 좀", "ko"), ("why is the sky blue", "en"), ("엔트로피란?", "ko"),
     ("differences between precision and recall", "en"), ("explanation of overfitting pls", "en"),
     ("Oh overfitting, what does it mean?", "en"), ("하품은 왜 하는 거야", "ko")],
)  # fmt: skip
def test_who_asks_what_it_is_is_told(message: str, language: str) -> None:
    found = TERMS.explanations(message, language)
    assert found and all(keeps_language(one.reply, language) for one in found)
    assert parse_reply(found[0].target()).expression in EXPRESSIONS


@pytest.mark.parametrize(
    "message",
    ["how do I avoid overfitting?", "과적합 막는 방법 알려줘", "which optimizer should I use",
     "my gan keeps collapsing again", "I finally understand overfitting", "표준편차 시험에 나왔는데 망함",
     "finally merged my pull request!!"],
)  # fmt: skip
def test_who_asks_something_else_is_not_lectured(message: str) -> None:
    assert TERMS.named(message) and TERMS.explanations(message, "en") == []


def test_two_terms_are_explained_side_by_side() -> None:
    (first, second) = TERMS.explanations("difference between precision and recall?", "en")
    (precision,) = TERMS.named("precision")
    (recall,) = TERMS.named("and recall")
    assert first.reply == f"{precision.answers['en'][0]} {recall.answers['en'][0]}" and second.reply != first.reply


@given(st.text(max_size=80))
@example("oh")
def test_any_text_may_be_searched(text: str) -> None:
    assert len(named(text)) == len(set(named(text))) and StudyTerms(()).named(text) == []
    marked = StudyTerm("x", {"ko": ("q",), "en": ("q",)}, {"ko": ("a", "b"), "en": ("a", "b")})
    assert [one.term for one in StudyTerms([marked]).named(f"{text} q?")][-1:] == ["x"]
