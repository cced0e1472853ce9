"""What she did not know and asked for is stored under what was asked."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from companion_parts import make_companion

from ohlora.companion.open_question import as_answer, key_asked_for
from ohlora.rag import UNKNOWN_READING, Reading
from ohlora.rag.fact_reader import Fact

KEYS = ("생일", "결혼", "시험", "이름", "birthday", "wedding", "exam", "sport", "형")


@pytest.mark.parametrize(
    ("question", "key"),
    [
        ("그럼 내 생일은 언제게~?", "생일"), ("제 아내 이름이 뭔지도 아십니까?", "아내"), ("우리형 이름은?", "형"),
        ("do u know my sisters name?", "sister"), ("ok impressed. and when's my birthday?", "birthday"),
        ("내 이름 뭐게", ""), ("what's my favourite pie?", ""), ("how do i get there by transport", ""), ("", ""),
        ("내 친구 생일 언제게?", ""),
        ("when's my brother's birthday?", ""), ("시험 끝나고 어디 가기로 했지?", ""), ("what's my dream car?", ""),
        ("when's my birthday party?", ""), ("내 시험 장소 어디였지?", ""), ("what's my dog called?", "pet"),
    ],
)  # fmt: skip
def test_the_key_is_what_the_question_names(question: str, key: str) -> None:
    assert key_asked_for(question, KEYS) == key


def test_the_first_fact_of_the_first_sentence_is_the_answer() -> None:
    read = replace(UNKNOWN_READING, facts=(Fact("결혼", "3월 9일", 0.9, 0.4), Fact("반려동물", "두부", 0.9)))
    message = "3월 9일! 꼭 기억해 ㅋㅋ 나 이제 두부 밥 주러 가야겠다"
    answered = as_answer(read, message, "내 생일은 언제게?", KEYS)
    assert answered.facts == (Fact("생일", "3월 9일", 0.9, 1.0), Fact("반려동물", "두부", 0.9))
    assert as_answer(read, message, "", KEYS) == read
    assert as_answer(read, message, "what's my favourite pie?", KEYS) == read
    surely = replace(read, facts=(Fact("사는 곳", "3월 9일", 0.9, 0.95),))
    assert as_answer(surely, message, "내 생일은 언제게?", KEYS) == surely, "it is something else"
    pilates = replace(read, facts=(Fact("운동", "필라테스", 0.9, 0.5),))
    assert as_answer(pilates, "나 필라테스 다녀", "내 생일은 언제게?", KEYS) == pilates, "no day"
    assert as_answer(read, "아냐 됐어, 3월 9일에 봐", "내 생일은 언제게?", KEYS) == read
    assert as_answer(read, "글쎄. 3월 9일에 말해 줄게", "내 생일은 언제게?", KEYS) == read, "not the first sentence"


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("뭉치잖아 뭉치!! 서운해한다 걔 ㅋㅋ", "뭉치"), ("도희라고 함ㅡㅡ 아 수학숙제", "도희"),
        ("콩이야", "콩이"),
        ("it's Miguel!", "Miguel"), ("His name is Raymond, and he still owes me", "Raymond"), ("tofu lol", "tofu"),
        ("말했잖아", ""), ("알잖아 ㅋㅋ", ""), ("힌트 줄게", ""), ("no way", ""), ("it's ok", ""),
        ("you forgot!", ""), ("비밀이야", ""), ("idk", ""),
    ],
)  # fmt: skip
def test_a_name_that_was_asked_for_is_taken_as_it_is_said(message: str, name: str) -> None:
    question = "우리집 강아지 이름은?" if re.search("[가-힣]", message) else "what's my dog called?"
    facts = as_answer(UNKNOWN_READING, message, question, KEYS).facts
    assert [one.value for one in facts] == ([name] if name else [])
    assert as_answer(UNKNOWN_READING, message, "what's my favourite pie?", KEYS) == UNKNOWN_READING


def test_in_a_talk_the_answer_to_what_she_asked_is_nobodys_own_name(tmp_path: Path) -> None:
    class Reads:
        keys = KEYS

        def read(self, message: str, before: str = "") -> Reading:
            asks = message.endswith("?")
            facts = () if asks else (Fact("이름", "미경", 0.9),)
            tells = 0.0 if asks else 0.9
            return Reading(tells, 0.0, 0.0, float(asks), may_ask=asks, surely_asks=asks, facts=facts)

    companion = make_companion(tmp_path, "happy 0.5\n응.", reader=Reads())
    companion.memory.add("tester", "이름", "박정호")
    companion.turn("제 아내 이름이 뭔지 기억하세요?")
    assert companion.turn("미경이라고 해요").stored == ("아내: 미경",)
    assert companion.turn("미경이라고 해요").stored == (), "now it would be a second name, and nobody asked"
    assert {one.line for one in companion.memories()} == {"이름: 박정호", "아내: 미경"}


def test_who_says_that_it_was_never_told_tells_it_now() -> None:
    reading = replace(UNKNOWN_READING, tells=0.9, facts=(Fact("대회", "5월 17일", 0.9, 0.3),))
    told = as_answer(
        reading, "아냐 말한적 없어 ㅎㅎ 5월 17일이에요!", "그럼 내 생일은 언제인지 알아요?", ["생일", "대회"]
    )
    assert told.facts[0].key == "생일"
