"""Two values of one thing in one message: the one that holds now is kept, the former one is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohlora.rag.fact_reader import Fact
from ohlora.rag.former_value import present_facts


def present(message: str, key: str, *values: str) -> list[str]:
    """What is kept of values that were found, the surest first."""
    facts = [Fact(key, value, 0.97 - number / 100) for number, value in enumerate(values)]
    return [fact.value for fact in present_facts(facts, message)]


@pytest.mark.parametrize(
    ("message", "key", "values", "kept"),
    [
        ("March 12's out, they got me down for March 26", "surgery", ("March 12", "March 26"), ["March 26"]),
        ("30th August is not auspicious, he gave 11th September", "wedding", ("30th August", "11th September"),
         ["11th September"]),
        ("the wedding is 7th December no more, they say 28th December", "wedding", ("7th December", "28th December"),
         ["28th December"]),
        ("i moved from Leeds to York last week", "city", ("Leeds", "York"), ["York"]),
        ("떡이 수술 13일로 밀림 6일에 마취쌤 코로나", "수술", ("13일", "6일"), ["13일"]),
        ("왁킹은 때려치고 이제 락킹함", "취미", ("락킹함", "왁킹"), ["락킹함"]),
        ("나 이사함 신촌 월세 미쳐서 은평구로… 통학 40분", "사는 곳", ("은평구", "신촌"), ["은평구"]),
        ("경로대학에서 하모니카 대신 우쿨렐레를 배웁니다", "악기", ("우쿨렐레", "하모니카"), ["우쿨렐레"]),
        ("시험 13일에서 3일로 당겨졌어", "시험", ("13일", "3일"), ["3일"]),
        ("the exam moved from March 12 to March 1", "exam", ("March 12", "March 1"), ["March 1"]),
        ("12시 아니고 2시야", "약속", ("12시", "2시"), ["2시"]),
        ("취미가 요가였는데 필라테스로 바꿨어", "취미", ("요가", "필라테스"), ["필라테스"]),
        ("I used to play guitar, now bass", "instrument", ("guitar", "bass"), ["bass"]),
    ],
)  # fmt: skip
def test_a_value_that_the_message_calls_former_is_not_kept(message, key, values, kept) -> None:
    assert present(message, key, *values) == kept
    assert present(message, key, *reversed(values)) == kept, "whichever the reader is surer of"


@pytest.mark.parametrize(
    ("message", "key", "values"),
    [
        ("my cats are Tobi and Miso", "pet", ("Tobi", "Miso")),
        ("콘드로이틴이랑 오메가3 안먹으면 무릎이 삐걱", "약", ("콘드로이틴", "오메가3")),
        ("I work at the bakery, tuesdays and thursdays", "plan", ("tuesdays", "thursdays")),
        ("이번 겨울에 삿포로 갑니다 1월 12일 비행기", "여행", ("1월 12일", "삿포로")),
        ("my cats are Bo and Bobby", "pet", ("Bo", "Bobby")),
        ("강아지 콩이랑 콩순이 키워", "반려동물", ("콩", "콩순")),
        ("i get hives from peanuts and shellfish", "allergy", ("peanuts", "shellfish")),
        ("Milo's not eating and Otis is fine", "pet", ("Milo", "Otis")),
        ("Otis is off his food, Milo's fine", "pet", ("Otis", "Milo")),
        ("Otis was out all night, Milo stayed in", "pet", ("Otis", "Milo")),
        ("고양이 말고도 강아지 키워", "반려동물", ("고양이", "강아지")),
        ("알바는 월요일이랑 수요일에 해", "알바", ("월요일", "수요일")),
        ("i'm in Lisbon from June 3 to June 9", "trip", ("June 3", "June 9")),
        ("언니가 리옹에서 빵집 하는데 바게트를 소포로 보내서", "언니", ("리옹", "빵집")),
    ],
)
def test_values_that_hold_side_by_side_are_kept(message, key, values) -> None:
    assert present(message, key, *values) == list(values)


def test_a_new_day_without_a_month_is_in_the_month_of_the_former_one() -> None:
    assert present("연주회가 5월 17일이 아니라 31일로 옮겨졌대요", "공연", "5월 17일", "31일") == ["5월 31일"]
    moved = "its the 14th January. Well it was, they've moved it to the 21st now"
    assert present(moved, "surgery", "14th January", "21st") == ["21st January"]
    assert present("12월 26일이 아니라 3일로 바뀜", "시험", "12월 26일", "3일") == ["3일"], "of the month after it"
    assert present("Sunday 14th got moved to the 16th", "exam", "Sunday 14th", "16th") == ["16th"], "no month"


def test_a_part_of_another_value_is_no_second_one() -> None:
    assert present("11월 30일로 정정공지 떴네요 23일 아니랍니다", "대회", "11월 30일", "일") == ["11월 30일"]


def test_an_unsure_value_pushes_out_none() -> None:
    facts = [Fact("exam", "Thursday", 0.9), Fact("exam", "Friday", 0.4)]
    assert facts[0] in present_facts(facts, "exam is Thursday, moved to Friday")


PIECES = [
    "A",
    "B",
    "13일",
    "3일",
    "March 12",
    " 아니라 ",
    "에서 ",
    "로 바뀜 ",
    " from ",
    " to ",
    " not ",
    " now ",
    " and ",
]


@given(
    st.lists(st.tuples(st.sampled_from(["exam", "pet", "사는 곳"]), st.sampled_from(PIECES[:5])), max_size=5),
    st.lists(st.sampled_from(PIECES), max_size=10).map("".join),
)
def test_no_message_loses_all_values_of_a_key(found, message) -> None:
    facts = [Fact(key, value, 0.9) for key, value in found]
    kept = present_facts(facts, message)
    assert {one.key for one in kept} == {one.key for one in facts}


def test_a_moved_day_without_a_word_of_birthdays_is_none() -> None:
    found = present_facts([Fact("birthday", "23 may", 0.9, 0.6)], "it's been moved, roadworks. it's 23 may now")
    assert [(one.key, one.value) for one in found] == [("plan", "23 may")]
    kept = Fact("생일", "5월 3일", 0.9)
    assert present_facts([kept], "생일 파티 5월 3일로 밀렸어") == [kept]


def test_days_that_are_told_each_of_something_else_both_hold() -> None:
    assert len(present("동화책 삽화는 11월 27일, 잡지 표지는 12월 4일", "마감", "12월 4일", "11월 27일")) == 2
    assert len(present("the essay is due 3 may, the report is due 9 may", "deadline", "9 may", "3 may")) == 2
    assert len(present("마감은 11월 27일, 마감은 12월 4일", "마감", "12월 4일", "11월 27일")) == 1


@pytest.mark.parametrize(
    ("message", "key", "value", "kept"),
    [
        ("mum's 60th is 12 december btw", "birthday", "12 december", "mum's birthday"),
        ("시어머니 생신이 12월 3일이라 바빠", "생일", "12월 3일", "시어머니 생일"),
        ("my birthday is 3 may, a day before my sister's birthday", "birthday", "3 may", "birthday"),
        ("엄마 생신이 12월 3일이야", "일정", "12월 3일", "일정"),
    ],
)  # fmt: skip
def test_the_birthday_of_somebody_else_is_told_under_their_name(message: str, key: str, value: str, kept: str) -> None:
    assert [one.key for one in present_facts([Fact(key, value, 0.9)], message)] == [kept]
