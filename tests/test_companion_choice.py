"""Asked to choose between two small things she chooses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohlora.companion.choice import choice, chosen_answer, options
from ohlora.companion.draft import Draft


@pytest.mark.parametrize(
    ("message", "language", "expected"),
    [
        ("편의점 가서 컵라면 vs 삼김 골라줘", "ko", ("컵라면", "삼김")),
        ("넌 부먹이야 찍먹이야?", "ko", ("부먹", "찍먹")),
        ("민초 호야 불호야 딱 말해", "ko", ("호", "불호")),
        ("짬뽕이랑 짜장면 중에 뭐 먹지", "ko", ("짬뽕", "짜장면")),
        ("고양이랑 강아지 중에 뭐가 좋아", "ko", ("고양이", "강아지")),
        ("강아지야 고양이야?", "ko", ("강아지", "고양이")),
        ("냥이 vs 멍이", "ko", ("냥이", "멍이")),
        ("평생 라면만 먹기 vs 평생 라면 못 먹기", "ko", ("평생 라면만 먹기", "평생 라면 못 먹기")),
        ("커피 아니면 차?", "ko", ("커피", "차")),
        ("먼저 가는게 나을까 그냥 있는게 나을까?", "ko", ("먼저 가는", "그냥 있는")),
        ("tea or coffee?", "en", ("tea", "coffee")),
        ("should i text him or wait", "en", ("text him", "wait")),
        ("are you more of a sweet or salty person", "en", ("sweet", "salty")),
        ("party in town vs my couch. can't choose", "en", ("party in town", "your couch")),
    ],
)
def test_the_two_things_are_found(message: str, language: str, expected: tuple[str, str]) -> None:
    assert options(message, language) == expected


@pytest.mark.parametrize(
    ("message", "language"),
    [("뭐 사야 하냐", "ko"), ("뭐랑 입어야 하냐", "ko"), ("오늘 뭐 했어?", "ko"), ("is it ok or not", "en"),
     ("do you like poetry or do you find it dull", "en"), ("what should I eat?", "en"), ("yes or no", "en"),
     ("Well, either you have one or you don't, dear! What's your favourite flower?", "en")],
)  # fmt: skip
def test_what_names_no_two_things_is_no_choice(message: str, language: str) -> None:
    assert options(message, language) is None


def test_she_takes_one_of_them_always_the_same_and_only_where_either_is_fine() -> None:
    said = choice("tea or coffee?", "en", "asks_her_taste")
    assert ("tea" in said.casefold()) != ("coffee" in said.casefold())
    assert said == choice("tea or coffee?", "en", "asks_her_taste")
    assert choice("stay or leave him?", "en", "torn_big") == ""
    korean = choice("컵라면 vs 삼김", "ko", "torn_small")
    assert ("컵라면" in korean) != ("삼김" in korean)


@pytest.mark.parametrize(
    ("language", "intent", "first", "second", "wordings"),
    [
        ("en", "asks_her_taste", "tea", "coffee", ("{} or {}", "{} or {}?", "{} or {}??", "Tea time! {} vs {}?",
                                                   "do you like {} or {}?", "the {} or the {}?")),
        ("ko", "torn_small", "컵라면", "삼김", ("{} vs {}", "{} 아니면 {}?", "편의점 가서 {} vs {} 골라줘",
                                                     "{}이랑 {} 중에 뭐")),
    ],
)  # fmt: skip
def test_she_does_not_change_her_mind(language: str, intent: str, first: str, second: str, wordings) -> None:
    messages = [words.format(*pair) for words in wordings for pair in ((first, second), (second, first))]
    assert all(options(message, language) is not None for message in messages)
    said = [choice(message, language, intent).casefold() for message in messages]
    assert len({first in one for one in said}) == 1 and all((first in one) != (second in one) for one in said)


@pytest.mark.parametrize(
    ("message", "language", "liked"),
    [("넌 고양이파야 강쥐파야", "ko", "고양이파"), ("강아지파야 고양이파야?", "ko", "고양이파"),
     ("cats or dogs?", "en", "cats"),
     ("parrots or cats?", "en", "cats"), ("rain or sunshine?", "en", "rain")],
)  # fmt: skip
def test_what_her_persona_likes_she_takes(message: str, language: str, liked: str) -> None:
    assert liked in choice(message, language, "asks_her_taste").casefold()


def test_in_a_game_of_two_she_chooses_whatever_else_the_message_sounds_like() -> None:
    said = choice("밸런스게임 ㄱ 평생 양말에 물묻은 채로 살기 vs 말할때마다 심벌즈 소리 나기", "ko", "tells_hobby")
    assert ("평생 양말에 물묻은 채로 살기" in said) != ("말할때마다 심벌즈 소리 나기" in said)
    assert choice("야 밸런스게임 다시 ㄱ 평생 민초만 먹기 vs 평생 수학만 하기", "ko", "only_laughs")
    assert choice("would you rather fly or swim?", "en", "tells_hobby") and not choice("tea or war?", "en", "grieves")


def test_where_more_hangs_on_it_she_leans_and_of_what_is_grave_she_chooses_nothing() -> None:
    asked = "should I sell the piano or keep it?"
    said = choice(asked, "en", "torn_big")
    assert ("sell the piano" in said) != ("keep it" in said) and said != choice(asked, "en", "torn_small")
    assert choice("돌아가는 게 나을까 계속 글 쓰는 게 나을까?", "ko", "torn_big")
    for grave in ("ring the hospital now or leave it till morning?", "sue him or pay the loan?"):
        assert choice(grave, "en", "torn_big") == ""
    assert choice("수술 받는 게 나을까 기다리는 게 나을까?", "ko", "torn_big") == ""


@pytest.mark.parametrize(
    ("message", "language", "before", "answers"),
    [
        ("답장할까 말까 솔직히 네 의견 좀", "ko", ["걔한테서 연락 왔다"], True),
        ("그래서 하라는 거야 말라는 거야", "ko", [], True), ("should i tell him or not?", "en", [], True),
        ("헤어질까 말까", "ko", [], False), ("답장할까 말까", "ko", ["걔가 나 때렸어"], False),
        ("should i stop my meds or not?", "en", [], False), ("맞나 말까", "ko", [], False),
        ("살까 말까 하다가 결국 샀어!", "ko", [], False), ("친구가 퇴사할까 말까 고민 중이래", "ko", [], False),
        ("괜히 말했다 그냥 말하지 말지", "ko", [], False), ("답장할지 말지 모르겠어", "ko", [], True),
        ("should i drive home or not, i had three beers", "en", [], False), ("먹은 거 토할까 말까", "ko", [], False),
        ("i asked her should i wait or not and she laughed", "en", [], False),
    ],
)  # fmt: skip
def test_who_asks_whether_to_do_it_gets_a_view(message: str, language: str, before: list[str], answers: bool) -> None:
    assert bool(choice(message, language, "asks_love_advice", before)) is answers


def test_who_asks_to_pick_one_means_what_was_said_before() -> None:
    before = ["회사로 돌아가는 게 나을까 계속 글 쓰는 게 나을까?", "그건 네 입장이고"]
    assert "쪽" in choice("딱 하나만 골라봐", "ko", "says_no", before)
    assert choice("딱 하나만 골라봐", "ko", "says_no") == choice("하나만 있어", "ko", "says_no", before) == ""
    assert "밸런스" not in choice("고르라고 둘중에", "ko", "only_laughs", ["밸런스게임 ㄱ 물 vs 심벌즈"])


def test_what_only_sounds_like_a_taste_of_hers_is_none() -> None:
    """A match, a rainbow and crunches: it depends on the two alone which she takes."""
    assert "양초" in choice("성냥 vs 양초", "ko", "torn_small")
    assert "sunset" in choice("rainbow or sunset?", "en", "torn_small").casefold()
    assert "squats" in choice("crunches or squats?", "en", "torn_small").casefold()


def test_she_is_not_always_for_the_same_side() -> None:
    drinks = ["tea", "coffee", "milk", "juice", "cola", "water", "cocoa", "beer"]
    taken = [one in choice(f"{one} or {other}?", "en", "asks_her_taste") for one in drinks for other in drinks
             if one < other]  # fmt: skip
    assert 0.25 < sum(taken) / len(taken) < 0.75


@given(st.text(max_size=200), st.sampled_from(["ko", "en"]))
def test_any_choice_is_made(message: str, language: str) -> None:
    found = options(message, language)
    said = choice(message, language, "torn_small")
    assert (found is None) == (said == "") and (found is None or any(one in said for one in found))


@given(st.text(max_size=200), st.sampled_from(["ko", "en"]))
def test_any_message_is_read(message: str, language: str) -> None:
    found = options(message, language)
    assert found is None or all(found)


def test_in_the_chat_it_is_said_where_the_intent_allows_it() -> None:
    class Taste:
        def likeliest_intent(self, message: str) -> str:
            return "asks_her_taste"

    draft = Draft("tea or coffee?", "en", plain="tea or coffee?")
    *_, last = chosen_answer(Taste(), draft)
    assert last.reply.valid and draft.quotes, "the words are the user's: they are judged before they are shown"
    assert chosen_answer(None, draft) is None
