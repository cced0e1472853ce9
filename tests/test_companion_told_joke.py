"""A joke that was told with its answer is met with a groan, not with an answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohlora.companion.draft import Draft
from ohlora.companion.told_joke import joke_answer, tells_joke


@pytest.mark.parametrize(
    ("message", "joke"),
    [
        ("Ha! Here's one for you: how do you know when a train has been by? It left its tracks.", True),
        ("Puns? Then here is one for you: why did the carpenter quit? He was bored stiff!", True),
        ("Here's one for you: why did the conductor get struck? Because he was a good conductor!", True),
        ("아재개그 하나 할게. 왕이 넘어지면? 킹콩 ㅋㅋ", True),
        ("why did the bread not rise?", False), ("why is the sea salty? I always wondered", False),
        ("why is the sky blue? tell me please", False),
        ("what do you call this in Korean? I don't know the word", False), ("why did she leave? it hurts", False),
        ("퀴즈 낼게. 내 나이는? 맞춰봐", False), ("", False),
        ("is this some kind of joke? my dad died yesterday", False),
        ("how is work? here's a funny thing, i got fired", False),
        ("can you tell me a joke? I need cheering up.", False), ("오늘 퀴즈 본 거 말했나? 완전 망했어", False),
    ],
)  # fmt: skip
def test_what_is_a_joke(message: str, joke: bool) -> None:
    assert tells_joke(message) is joke
    assert (joke_answer(Draft(message, "ko" if "개그" in message else "en", plain=message)) is not None) is joke


@given(st.text(max_size=200))
def test_any_message_is_read(message: str) -> None:
    assert tells_joke(message) in (True, False)
