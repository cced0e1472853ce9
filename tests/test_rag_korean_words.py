"""Where a Korean noun ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohlora.rag.korean_words import whole_noun


@pytest.mark.parametrize(
    ("message", "marked", "noun"),
    [("나 왼손잡이라고 했잖아", "왼손잡", "왼손잡이"), ("주말엔 무조건 낚시지", "낚시지", "낚시"),
     ("8월에 김포로 이사했어", "김포로", "김포"), ("나 과민성대장증후군 있어", "과민성대장증후", "과민성대장증후군"),
     ("콜센터 상담원이 됐어", "콜센터 상담원이", "콜센터 상담원"), ("나는 혼자 산다", "혼자 산다", "혼자 산다"),
     ("나 Pixel 키워", "Pixel", "Pixel"), ("요즘 수학 공부하고 있어", "수학 공부하고", "수학 공부"),
     ("이제 홍차 마셔", "홍차 마", "홍차"), ("흰 개를 키워", "흰 개를", "흰 개"), ("딸 둘이야", "딸 둘이", "딸 둘")],
)  # fmt: skip
def test_a_value_is_a_whole_noun(message: str, marked: str, noun: str) -> None:
    first = message.index(marked)
    begin, end = whole_noun(message, first, first + len(marked))
    assert message[begin:end] == noun


@given(st.text("가나이라고를은두 a1🙂\n", max_size=30), st.integers(0, 30), st.integers(0, 30))
def test_any_piece_of_any_text_stays_within_it(text: str, one: int, other: int) -> None:
    first, last = sorted((min(one, len(text)), min(other, len(text))))
    begin, end = whole_noun(text, first, last)
    assert begin == first <= end <= len(text)
