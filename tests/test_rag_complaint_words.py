"""What holds the words of a complaint, and complains of nothing."""

from __future__ import annotations

import pytest

from ohlora.rag.complaint_words import holds_complaint


@pytest.mark.parametrize(
    "message",
    ["the cake? i didn't make it.", "nah i didn't make it, bought it lol",
     "Mia passed 2 weeks ago and now drives everywhere", "my sister passed two weeks ago on her first go",
     "i feel so small next to the mountains, amazing", "had a fight with a jar of pickles and won",
     "친구랑 한바탕 했어 노래방에서 ㅋㅋ", "눈싸움 대판 했어 ㅋㅋ", "다퉜다가 화해했어",
     "말다툼 하나 없이 잘 지내", "부부싸움 한 번 안 하는 우리 부모님"],
)  # fmt: skip
def test_what_ends_well_or_never_was_is_no_complaint(message: str) -> None:
    assert not holds_complaint(message)


@pytest.mark.parametrize(
    "message",
    ["i ran for the bus but didn't make it", "last night i didn't make it", "my mum passed 2 weeks ago",
     "i feel so small", "had a fight with my boss", "had a fight with a friend",
     "남편이랑 한바탕 했어", "엄마랑 대판 싸웠어", "다퉜는데 아직 화해 못 했어", "부부싸움 했어"],
)  # fmt: skip
def test_what_does_not_is_one(message: str) -> None:
    assert holds_complaint(message)


@pytest.mark.parametrize("message", [
    "my nan passed a month ago and i have an exam", "grandpa passed two weeks ago so i missed my exams",
    "말다툼했는데 걔가 화해하기 싫대", "말다툼했어. 화해하자고 했는데 씹혔어", "부부싸움했는데 화해가 안 돼",
    "엄마랑 한바탕 했어 게임 좀 했다고",
])  # fmt: skip
def test_grief_beside_an_exam_and_quarrels_that_last_are_complaints(message: str) -> None:
    assert holds_complaint(message)
