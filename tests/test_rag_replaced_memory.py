"""Which memory a new value replaces: a new day the day before, not the exam's name; of a daughter one tells much."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_rag_memory import START, open_store

from ohlora.llm.reply_format import MemoryOperation
from ohlora.rag import remember_all
from ohlora.rag.replaced_memory import may_have_several, replaced_memory


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "memory.sqlite") as opened:
        yield opened


def tell(store, *turns):
    """(key, message, (kind, value), …), …: the values that are stored afterwards."""
    for number, (key, message, *told) in enumerate(turns):
        remember_all(store, "a", message, [MemoryOperation(kind, key, value) for kind, value in told], f"turn-{number}")
    return [memory.value for memory in store.memories("a")]


@pytest.mark.parametrize(
    ("turns", "left"),
    [
        # a day beside what is no day
        ([("exam", "got IELTS this year", ("add", "IELTS")), ("exam", "it is on 4 April", ("add", "4 April"))], 2),
        # a day after a day
        ([("시험", "3월 28일이야", ("add", "3월 28일")), ("시험", "4월 25일로!", ("add", "4월 25일"))], ["4월 25일"]),
        ([("exam", "exam on 4 April", ("add", "4 April")), ("exam", "now 9 May", ("update", "9 May"))], ["9 May"]),
        # the day that changed, though its name was told last
        (
            [
                ("trip", "we fly on 4 April", ("add", "4 April")),
                ("trip", "to Hanoi!", ("add", "Hanoi")),
                ("trip", "flight is moved, 9 April", ("update", "9 April")),
            ],
            ["Hanoi", "9 April"],
        ),
        (
            [
                ("trip", "to Hanoi on 4 April", ("add", "Hanoi"), ("add", "4 April")),
                ("trip", "our trip to Hanoi got moved to 9 April", ("update", "9 April")),
            ],
            ["Hanoi", "9 April"],
        ),
        (
            [
                ("시험", "토익 시험 3월 28일", ("add", "토익"), ("add", "3월 28일")),
                ("시험", "토익 이제 4월 25일에 봐", ("add", "4월 25일")),
            ],
            ["토익", "4월 25일"],
        ),
        # times that are no dates
        ([("시험", "토익 봐", ("add", "토익")), ("시험", "다음 주야", ("add", "다음 주"))], 2),
        ([("interview", "at Google", ("add", "Google")), ("interview", "10:30", ("add", "10:30"))], 2),
        ([("면접", "3월 12일", ("add", "3월 12일")), ("면접", "다음 주로 밀렸어", ("add", "다음 주"))], ["다음 주"]),
        # who is named keeps the name
        ([("friend", "my friend Mia", ("add", "Mia")), ("friend", "Mia moved to Paris", ("update", "Paris"))], 2),
        ([("딸", "딸 하린", ("add", "하린")), ("딸", "하린이 이제 1학년", ("update", "1학년"))], 2),
        ([("roommate", "Jenny", ("add", "Jenny")), ("roommate", "she is a nurse", ("add", "nurse"))], 2),
        ([("취미", "커피 좋아", ("add", "커피")), ("취미", "now 커피 and tea too", ("add", "tea"))], 2),
        (
            [
                ("friend", "Mia", ("add", "Mia")),
                ("friend", "likes tennis", ("add", "likes tennis")),
                ("friend", "Mia moved to Paris", ("update", "Paris")),
            ],
            3,
        ),
        # of two it is open which ends
        (
            [
                ("trip", "to Hanoi by train", ("add", "Hanoi"), ("add", "by train")),
                ("trip", "and to Lisbon", ("add", "Lisbon")),
            ],
            3,
        ),
        # who acts gives nothing up
        ([("취미", "기타 쳐", ("add", "기타")), ("취미", "요즘 기타도 치고 연기도 배워", ("add", "연기"))], 2),
        # of people one tells more than one thing
        ([("딸", "딸 이름은 하린", ("add", "하린")), ("딸", "걔는 계란 알레르기", ("add", "계란"))], 2),
        ([("son", "my son Theo", ("add", "Theo")), ("son", "he is with the police", ("add", "police"))], 2),
        # one lives in one place and has one name
        ([("사는 곳", "전주 살아", ("add", "전주")), ("사는 곳", "부산 산다", ("add", "부산"))], ["부산"]),
        ([("name", "I'm Sam", ("add", "Sam")), ("name", "I am Alex", ("add", "Alex"))], ["Alex"]),
        # two facts of one message
        ([("여행", "1월 12일에 삿포로 가", ("add", "삿포로"), ("add", "1월 12일"))], 2),
        ([("점수", "국어 1등급 수학 5등급", ("add", "1등급"), ("add", "5등급"))], 2),
    ],
)  # fmt: skip
def test_what_a_new_value_replaces(store, turns, left):
    found = tell(store, *turns)
    assert len(found) == left if isinstance(left, int) else found == left


@pytest.mark.parametrize(
    ("key", "several"),
    [("girlfriend", True), ("여자친구", True), ("grandmother", True), ("직업", False), ("job", False),
     ("family name", False), ("시험", False), ("형광펜", False), ("형", True), ("형 이름", True),
     ("딸기", False), ("이모티콘", False), ("운동화", False), ("parents", True), ("person", False)],
)  # fmt: skip
def test_keys_under_which_two_values_may_be_right(key, several):
    assert may_have_several(key) is several


@given(st.lists(st.sampled_from(["Hanoi", "4 April", "9 May", "by train"]), min_size=1, unique=True), st.booleans())
def test_nothing_of_the_same_message_is_replaced(values, changes):
    from ohlora.rag import Memory

    alike = [
        Memory(number, "a", "trip", value, "en", "turn", START, None, None, None) for number, value in enumerate(values)
    ]
    said = date(2026, 3, 3)
    assert replaced_memory(alike, "trip", "Lisbon", changes, "to Lisbon instead", said, "turn") is None
    assert replaced_memory(alike, "trip", "Lisbon", True, "to Lisbon", said, "later") in alike
