"""The normaliser undoes hiding tricks, is stable, and leaves ordinary talk readable."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ohlora.evaluation.obfuscation import ATTACKS
from ohlora.rag.lexicon import Lexicon, holds_curse
from ohlora.rag.normalisation import MAXIMUM_CHARACTERS, compose_jamo, detect_language, normalise

_TRICKY = st.text(
    alphabet="가나시발씨죽ㅅㅣㅂㅏㄹㅋㅠ aáеkil104@$!*.-\u200b\u0301\u1109\u1175 \n~", min_size=1, max_size=30
)
_ANY = st.one_of(st.text(min_size=1, max_size=40), _TRICKY).filter(lambda text: any(c.isalnum() for c in text))


@settings(max_examples=120, deadline=None)
@given(_ANY)
def test_normalise_is_idempotent(text):
    once = normalise(text)
    assert not once or normalise(once) == once


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="가각강나날다달라말바박사산아안자장차카타파하힘", min_size=1, max_size=12))
def test_jamo_come_back_together(word):
    assert compose_jamo(ATTACKS["jamo"](word)) == word


@pytest.mark.parametrize(
    ("hidden", "plain"),
    [
        ("ㅅㅣㅂㅏㄹ", "시발"),
        ("시바ㄹ", "시발"),
        ("시\u200b발", "시발"),
        ("ｆｕｃｋ", "fuck"),
        ("fuсk", "fuck"),  # Cyrillic с
        ("k1ll", "kill"),
        ("k i l l  y o u", "kill you"),
        ("죽*여*버*린*다", "죽여버린다"),
        ("꺼 져 버 려 라", "꺼져버려라"),
        ("ㅋㅋㅋㅋㅋㅋ", "ㅋㅋ"),
        ("f̶u̶c̶k̶", "fuck"),
    ],
)
def test_tricks_are_undone(hidden, plain):
    assert normalise(hidden) == plain


@pytest.mark.parametrize(
    "text", ["안녕 오로라, 오늘 뭐 해?", "ㅇㅇ ㅠㅠ", "see you at 10:30", "mp3 2026 h2o", "😂 좋아!"]
)
def test_ordinary_talk_stays(text):
    assert normalise(text) == text


@pytest.mark.parametrize("text", ["", "   ", "\u200b\u200b", "a" * 100_000])
def test_no_message_is_refused(text):
    with pytest.raises(ValueError, match=f"allowed: 1 to {MAXIMUM_CHARACTERS}"):
        normalise(text)


def test_languages():
    assert [detect_language(text) for text in ("나는 pizza 좋아해", "I really like 떡볶이 a lot", "123", "ㅋㅋ")] == [
        "ko",
        "en",
        "en",
        "ko",
    ]


@pytest.mark.parametrize(
    "text",
    ["여기가 시발점이야", "다시 발표해", "다시발견했어", "시 발표회에 갔어", "3시 발표야",
     "강아지 새끼 귀여워", "새 발을 봤어",
     "Scunthorpe and Essex", "fire retardant", "the bitch and pups are well", "병신년은 해 이름이야", "skill"],
)  # fmt: skip
def test_lexicon_lets_innocent_words_pass(text):
    assert Lexicon().find(normalise(text)) is None


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("시발", "hate"), ("시 발", "hate"), ("시1발 진짜", "hate"), ("ㅅㅣㅂㅏㄹ", "hate"), ("이 씨발놈아", "hate"),
        ("F.U.C.K", "hate"), ("fuсk you", "hate"), ("b1tch", "hate"), ("니 애미", "family_insult"), ("ㅆㅂ", "hate"),
        ("시발점에서 시발 뭐래", "hate"),
    ],
)  # fmt: skip
def test_lexicon_finds_hidden_terms(text, label):
    hit = Lexicon().find(normalise(text))
    assert hit is not None and hit.label == label


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("아 시발 우산 두고 왔어", "아 우산 두고 왔어"), ("시험 망했다 ㅅㅂㅋㅋ", "시험 망했다 ㅋㅋ"),
        ("비 또 와 ㅅㅂ", "비 또 와"), ("ㅅㅂㅅㅂ 늦었다", "늦었다"), ("fuck me, I'm late", "fuck me, i'm late"),
        ("I'm so fucking tired", "i'm so tired"), ("what the fuck, it's monday", ", it's monday"),
        ("fuck, I woke up late", ", i woke up late"), ("power is off again, fuck", "power is off again,"),
        ("too fucking broke to live", "too broke to live"), ("안녕", "안녕"), ("시발점이 어디야", "시발점이 어디야"),
        ("시발", ""), ("fuck!", ""), ("아 ㅅㅂ", ""),
    ],
)  # fmt: skip
def test_what_is_only_cried_out_is_left_out(text, rest):
    """A curse that is all may be meant for her."""
    assert Lexicon().without_exclamations(normalise(text)) == rest


@pytest.mark.parametrize(
    "text",
    ["이 시발놈아", "씨발 년이 말이 많네", "시발ㄴ아 대답해", "ㅅㅂ ㅅㄲ야 대답해", "ㅅㅂㄹㅁ 뭐하냐",
     "fuck you", "fuck off", "shut the fuck up",
     "wanna fuck tonight", "let's fuck", "please fuck me", "keep fucking me", "are we fucking tonight",
     "fuck muslims", "fuck 중국인들", "fuck (all) women"],
)  # fmt: skip
def test_what_is_no_exclamation_stays(text):
    whole = normalise(text)
    assert Lexicon().without_exclamations(whole) == whole


@pytest.mark.parametrize(
    ("text", "aimed"),
    [("시발 너 뭐하냐", True), ("ㅅㅂ ㅋㅋ너 진짜 답답하다", True), ("시발 니가 뭘 알아", True),
     ("시발 이새끼야 대답해", True), ("시발 너희들 답답하다", True), ("youre so fucking dumb", True),
     ("시발 너무 춥다", False), ("ㅅㅂ 작년이 나았어", False), ("my boss is fucking late", False)],
)  # fmt: skip
def test_at_whom_a_curse_may_be_aimed(text, aimed):
    assert Lexicon().is_aimed(normalise(text)) == aimed


@given(
    *(
        st.lists(st.sampled_from(["비가", "우산을", "두고", "rain", "late", "3시에", "ㅋㅋ"]), max_size=4)
        for _ in range(2)
    ),
    st.sampled_from(["시발", "ㅅㅂ", "fucking"]),
)
def test_all_but_the_curse_is_left(before, after, curse):
    said = " ".join([*before, *after])
    more = sum(letter.isalpha() and letter != "ㅋ" for letter in said) >= 3
    assert Lexicon().without_exclamations(" ".join([*before, curse, *after])) == (said if more else "")


def test_what_she_is_not_to_repeat():
    assert holds_curse("시험 망했다 ㅅㅂ") and not holds_curse("시발점") and not holds_curse(" ")
