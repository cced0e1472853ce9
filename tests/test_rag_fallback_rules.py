"""The rules find plain facts about the user, and take nothing that is denied, guessed, or told of somebody else."""

from __future__ import annotations

import pytest
from companion_parts import ScriptedModel, make_companion
from hypothesis import given
from hypothesis import strategies as st

from ohlora.rag import UNKNOWN_READING, Reading
from ohlora.rag.fallback_rules import extract_by_rule

NO_FACTS = [
    "바나나 좋아해",
    "바나나 우유 좋아해",
    "나는 오이 안 좋아해",
    "나 오이 안좋아해",
    "누나 커피 좋아해",
    "우리 누나는 커피 좋아해",
    "누나 땅콩 알레르기 있어",
    "우리 누나는 부산에 살아",
    "아내 이름은 수진이야",
    "아내 생일은 3월 4일이야",
    "나 동생 땅콩 알레르기 있어",
    "나 우리 엄마 커피 좋아해",
    "나는 커피 별로 좋아해",
    "난 서울에 살아 본 적 없어",
    "나는 누나랑 부산에 살아",
    "나 땅콩 알레르기 있는 친구 있어",
    "나 땅콩 알레르기 없어",
    "나 커피 좋아해?",
    "내가 좋아하는 음식은 뭐야",
    "내가 좋아하는 음식은 떡볶이가 아니야",
    "내 이름은 뭐게",
    "내 이름은 비밀",
    "내 이름은 몰라",
    "내 생일은 3월 4일이 아니야",
    "나는 너 좋아해",
    "만약 내가 서울에 살아",
    "누나 좋아하는 음식은 떡볶이야",
    "언니가 나 커피 좋아해 라고 했어",
    '걔는 "나는 부산에 살아" 래',
    "my name is not Bob",
    "she thinks my name is Bob",
    "I don't live in Leeds",
    "I wish I live in Paris",
    "where I live in Leeds",
    "my sister says I live in Leeds",
    "I'm allergic to nothing",
    "I am not allergic to nuts",
    "my mum said I'm allergic to nuts",
    "I like nothing",
    "I like how you talk",
    "I don't like tea",
    "my birthday is tomorrow",
    "my birthday is not in May",
    "my favourite colour is not blue",
    "my sister's favourite colour is blue",
    "do I live in Leeds",
    "나비 좋아해",
    "하나 좋아해",
    "엄마나 좋아해",
    "만나 좋아해",
    "I used to pretend I live in Rome",
    "난 너희 누나 좋아해",
    "친구가 나는 커피 좋아해",
    "여동생 이름은 지우야",
    "안내 이름은 뭐야",
    "I love you",
    "I'm allergic to you",
]
FACTS = [
    ("내 이름은 서연이야", "서연"),
    ("나 떡볶이 진짜 좋아해", "떡볶이"),
    ("나는 부산에 살아", "부산"),
    ("나는 복숭아 알레르기가 있어", "복숭아"),
    ("난 커피 좋아해ㅋㅋ", "커피"),
    ("안녕, 나 바나나 좋아해!", "바나나"),
    ("나는 부산에 살고 있어", "부산"),
    ("안녕! 내 이름은 김하늘입니다.", "김하늘"),
    ("my birthday is on June 3", "June 3"),
    ("my birthday is May 12th", "May 12th"),
    ("I'm allergic to peanuts.", "peanuts"),
    ("I live in Leeds.", "Leeds"),
    ("I like green tea", "green tea"),
    ("저는 대구에 살아요", "대구"),
    ("내가 제일 좋아하는 음식은 떡볶이야", "떡볶이"),
    ("나 강아지 좋아해", "강아지"),
    ("내 생일은 4월 3일이야", "4월 3일"),
    ("My sister is tall. I live in York.", "York"),
    ("내 이름은 안나야", "안나"),
    ("나 안개 좋아해", "안개"),
    ("나 못난이 인형 좋아해", "못난이 인형"),
]


@pytest.mark.parametrize("message", NO_FACTS)
def test_what_is_denied_or_of_others_is_left(message: str) -> None:
    assert extract_by_rule(message) is None


@pytest.mark.parametrize(("message", "value"), FACTS)
def test_facts_are_found(message: str, value: str) -> None:
    operation = extract_by_rule(message)
    assert operation is not None and operation.value == value


@given(
    st.sampled_from(["누나", "언니", "엄마", "남편", "친구", "우리 형", "내 동생", "우리 할머니", "룸메"]),
    st.sampled_from(["", "는", "은", "가"]),
    st.sampled_from(
        ["커피 좋아해", "땅콩 알레르기 있어", "부산에 살아", "좋아하는 음식은 떡볶이야", "이름은 서연이야"]
    ),
)
def test_of_other_people_nothing_is_taken(person: str, particle: str, told: str) -> None:
    assert extract_by_rule(f"{person}{particle} {told}") is None


@given(
    st.text(alphabet="가나다라마바사아자차카타파하", min_size=1, max_size=4), st.sampled_from(["커피", "우유", "게임"])
)
def test_a_rule_begins_at_a_word(before: str, thing: str) -> None:
    operation = extract_by_rule(f"{before}나 {thing} 좋아해")
    assert operation is None


@given(st.sampled_from(["안", "못", "별로", "전혀", "그다지"]), st.sampled_from(["오이", "우유", "비 오는 날", "tea"]))
def test_what_is_denied_is_no_liking(denied: str, thing: str) -> None:
    assert extract_by_rule(f"나는 {thing} {denied} 좋아해") is None


@given(st.text(max_size=120))
def test_any_text_is_read(message: str) -> None:
    operation = extract_by_rule(message)
    assert operation is None or (operation.kind == "add" and operation.value.strip())


@pytest.mark.parametrize(
    ("tells", "stored"), [(0.0, []), (0.3, []), (0.6, ["likes: green tea"]), (None, ["likes: green tea"])]
)
def test_the_rules_run_only_where_something_seems_to_be_told(tmp_path, tells, stored) -> None:
    reading = UNKNOWN_READING if tells is None else Reading(tells, 0.0, 0.1, 0.0, may_ask=False, surely_asks=False)

    class Reads:
        def read(self, message: str, before: str = "") -> Reading:
            return reading

    companion = make_companion(tmp_path, llm=ScriptedModel("happy 0.5\nNice.\nmemory: none"), reader=Reads())
    companion.turn("I like green tea")
    assert [one.line for one in companion.memory.memories("tester")] == stored
