"""What a correction names as wrong is replaced by what it names as right, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_rag_memory import START, open_store

from ohlora.rag import Memory, remember_all
from ohlora.rag.correction import corrected


def known(*facts: tuple[str, str]) -> list[Memory]:
    return [
        Memory(number, "u", key, value, "ko", None, START, None, None, None)
        for number, (key, value) in enumerate(facts)
    ]


FACTS = known(
    ("여행", "12월 12일"),
    ("이름", "민재임"),
    ("개강", "3월"),
    ("사는 곳", "수원"),
    ("exam", "Monday"),
    ("name", "Jon"),
    ("반려동물", "고양이 나비"),
    ("학교", "서울대학교"),
    ("회사", "게임회사"),
    ("major", "Korean"),
    ("pet", "dog Rex"),
)


@pytest.mark.parametrize(
    ("message", "key", "value"),
    [
        ("제주도 12일 아니고 19일로 바뀜 ㅠㅠ", "여행", "12월 19일"),
        ("12월 12일 아니고 19일이래", "여행", "12월 19일"),
        ("출발을 12월 12일이 아니라 12월 15일로 미뤘어요", "여행", "12월 15일"),
        ("12일이 아니라 1월 3일로 바뀜", "여행", "1월 3일"),
        ("개강 3월 아니고 4월 맞아", "개강", "4월"),
        ("아니 민재임이 아니라 민재ㅋㅋㅋㅋ", "이름", "민재"),
        ("the exam is not on Monday but Friday", "exam", "Friday"),
        ("it's Jonah, not Jon", "name", "Jonah"),
    ],
)
def test_the_wrong_word_gives_way_to_the_right_one(message: str, key: str, value: str) -> None:
    memory, new = corrected(message, FACTS)
    assert (memory.key, new) == (key, value)


@pytest.mark.parametrize(
    "message",
    [
        "그게 아니고 내 말은", "11월 12일 아니고 19일이야",
        "커피 말고 차 마실래", "오늘 월요일 아니고 화요일이지?", "not bad but not good",
        "아니라고!!",
        "수원이 아니고 수지라니까", "나비는 고양이 아니고 강아지야", "나 지금 학교 아니고 집이야",
        "여긴 회사가 아니라 지옥이야 ㅠㅠ", "My boyfriend is not Korean but he speaks it",
        "it's not Rex, it's me who ate the cake",
    ],
)  # fmt: skip
def test_who_corrects_nothing_that_is_known_changes_nothing(message: str) -> None:
    assert corrected(message, FACTS) is None


def test_where_two_may_be_meant_nothing_is_corrected() -> None:
    twice = known(("여행", "12월 12일"), ("결혼", "3월 12일"))
    assert corrected("12일 아니고 19일이야", twice) is None


@given(st.text(max_size=300))
def test_any_message_may_be_looked_at(message: str) -> None:
    corrected(message, FACTS)


def test_what_is_corrected_is_stored_and_the_old_value_closed(tmp_path) -> None:
    with open_store(tmp_path / "memory.sqlite") as store:
        store.add("a", "여행", "12월 12일")
        (found,) = remember_all(store, "a", "제주도 12일 아니고 19일로 바뀜", [])
        assert found.action == "update" and [one.value for one in store.memories("a")] == ["12월 19일"]
        assert [one.value for one in store.replaced_by(found.memory)] == ["12월 12일"]
