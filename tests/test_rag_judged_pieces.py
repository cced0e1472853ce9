"""Into which pieces a text is cut before it is judged: whatever is in it, each piece can be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohlora.rag.moderation import judged_pieces
from ohlora.rag.normalisation import MAXIMUM_CHARACTERS, normalise, strip_invisible

INVISIBLE = "\u200b\u200c\u200d\u200e\u2060\ufeff\u00ad\u202e\U000e0020"
_PARTS = st.sampled_from(
    [
        "안녕",
        "Hi there",
        "ok",
        "비번",
        " ",
        ". ",
        "! ",
        "? ",
        "… ",
        ".",
        "!",
        "\n",
        "\n\n",
        "\u3000",
        "a" * 120,
        *INVISIBLE,
    ]
)


@pytest.mark.parametrize(
    "text",
    [
        "안녕! \u200b",
        "Hi there.\n\ufeff",
        "\u200b\n안녕",
        "x" * 150 + ". " + "y" * 100 + ".\n\u200b",
        "ok. \u00ad \u2060",
    ],
)
def test_an_invisible_character_makes_no_piece(text: str) -> None:
    pieces = judged_pieces(text)
    assert pieces and all(strip_invisible(piece).strip() for piece in pieces)


@given(st.lists(_PARTS, min_size=1, max_size=40).map("".join))
def test_every_visible_text_has_pieces_that_can_be_read(text: str) -> None:
    if not strip_invisible(text).strip() or len(text) > MAXIMUM_CHARACTERS:
        return
    pieces = judged_pieces(text)
    assert pieces and all(normalise(piece) for piece in pieces)
    assert not any(mark in piece for piece in pieces for mark in INVISIBLE)


@given(
    st.lists(_PARTS, min_size=1, max_size=12).map("".join), st.sampled_from(INVISIBLE), st.sampled_from([". ", "\n"])
)
def test_what_nobody_sees_at_the_end_changes_nothing(text: str, mark: str, ends: str) -> None:
    if strip_invisible(text).strip() and not text.endswith((".", "!", "…")):
        assert judged_pieces(text + ends + mark) == judged_pieces(text + ends)


def test_a_long_sentence_is_cut_between_words() -> None:
    words = [f"word{number}" for number in range(100)]
    pieces = judged_pieces(" ".join(words))
    assert len(pieces) > 1 and " ".join(pieces).split() == normalise(" ".join(words)).split()
