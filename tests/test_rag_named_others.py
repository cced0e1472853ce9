"""Whom a message names beside what they are to the user is known, whatever the network makes of the message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohlora.rag.fact_reader import Fact
from ohlora.rag.named_others import named_others, with_named_others


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("my little brothers Paolo and Enzo spilled milo", [("Paolo", "brother"), ("Enzo", "brother")]),
        ("oof. biscotti's my dog, rescue greyhound", [("biscotti", "pet")]),
        ("priya, my flatmate. i told you", [("priya", "roommate")]),
        ("My grandson Owen, he's 9, set this up", [("Owen", "grandson")]),
        ("my bf Wei Jie queue 2 hour", [("Wei Jie", "boyfriend")]),
        ("my sister's name is mary", [("mary", "sister")]),
        ("she brings the grandkids, Owen who is 9 and Lily, 6", [("Owen", "grandchild"), ("Lily", "grandchild")]),
        ("my brothers are fine. I saw Tom, 40", []), ("my friends live near Leeds, 20 minutes away", []),
        ("My kids are in Year 6 now", []), ("my cousins are at Gate 4", []),
        ("my brother Jun's kid was born", [("Jun", "brother")]),
        ("룸메 채린이가 코골이 심해서", [("채린", "룸메이트")]),
        ("우리집 앵무새 몽이가 욕을 배웠어", [("몽이", "반려동물")]),
        ("여동생 이름은 도희야", [("도희", "동생")]),
    ],
)  # fmt: skip
def test_who_is_named(message: str, expected: list[tuple[str, str]]) -> None:
    assert [(one.name, one.key) for one in named_others(message)] == expected


@pytest.mark.parametrize(
    "message",
    ["what's my dog called again?", "you keep calling my dog Tofu", "my sister June 20 is her day", "that's my dog",
     "I saw my boss Monday", "ok, my brother is here", "my host mother Aoife is nice", "my cat I love", "",
     "남편 서울로 발령났어요", "동생 웹툰 한다는 거", "엄마 생일이 다음 주야", "너네 엄마는 누구야?",
     "내일이 아버지 수술이야"],
)  # fmt: skip
def test_nobody_is_named(message: str) -> None:
    assert named_others(message) == []


def test_names_replace_what_was_read_of_them_and_a_small_name_needs_the_reader() -> None:
    message = "my greyhound biscotti did his lean. my flatmate Priya pretended not to notice"
    read = (Fact("roommate", "Priya", 0.7, 0.4), Fact("dog", "greyhound biscotti", 0.7, 0.4))
    assert with_named_others(read, read, message) == [Fact("pet", "biscotti", 1.0), Fact("roommate", "Priya", 1.0)]
    assert with_named_others((), (), message) == [Fact("roommate", "Priya", 1.0)]
    late = "priya my flatmate reckons she was a duchess"
    assert with_named_others([Fact("pet", "priya", 0.6, 0.3)], (), late) == [Fact("roommate", "priya", 1.0)]
    told = [Fact("sister", "priya", 0.6, 0.3)]
    assert with_named_others(told, told, "i told priya my sister is pregnant") == told
    assert with_named_others([Fact("mother", "60th", 0.9)], (), "mum's 60th is in may") == []
    job = Fact("job", "nurse", 0.9)
    assert with_named_others([job], [job], "I'm a nurse") == [job]


@given(st.text(max_size=200))
def test_any_message_is_read(message: str) -> None:
    assert all(one.name in message for one in named_others(message))
