"""Values that say nothing under their key are kept as they were said, under the right key, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_rag_memory import open_store

from ohlora.llm.reply_format import MemoryOperation
from ohlora.rag import Memory, remember, remember_all
from ohlora.rag.misread_values import sound_operations


def add(key: str, value: str) -> MemoryOperation:
    return MemoryOperation("add", key, value)


def known(key: str, value: str) -> Memory:
    return Memory(1, "a", key, value, "ko", None, datetime(2026, 1, 1, tzinfo=UTC), None, None, None)


@pytest.mark.parametrize(
    ("message", "told", "kept"),
    [
        ("I have a half marathon in Inverness on the 14th of March", ("goal", "14th of March"), "own words"),
        ("half marathon under two hours by March", ("goal", "half marathon under two hours by March"), "goal"),
        ("한 달에 무지출 20일 채우기 하는 중", ("목표", "한 달에 무지출 20일"), "목표"),
        ("we got the blood results this afternoon", ("appointment", "this afternoon"), "own words"),
        ("the vet is tomorrow", ("appointment", "tomorrow"), "appointment"),
        ("night shift again", ("shift", "night"), "shift"),
        ("내일 출근해야 하니까 먼저 잘게", ("일정", "내일"), ""), ("내일 첫 출근이야", ("일정", "내일"), "일정"),
        ("나 내일 유격이다", ("일정", "내일"), "일정"), ("ugh work tomorrow", ("plan", "tomorrow"), ""),
        ("i start my first job at work tomorrow", ("plan", "tomorrow"), "plan"),
        ("my mom keeps pushing me to do premed and i just wanna do music", ("goal", "premed"), "own words"),
        ("i want to do premed, my mom told me so", ("goal", "premed"), "goal"),
        ("he wants me to cut the salt", ("diet", "cut the salt"), "diet"),
        ("엄마가 자꾸 의대 가래", ("목표", "의대"), "한 말"), ("엄마한테 의대 간다고 했어", ("목표", "의대"), "목표"),
        ("선생님이 꿈 범죄심리학자라고 써줬다", ("꿈", "범죄심리학자"), "꿈"),
        ("thats the dream, im still just a line cook.", ("dream", "line cook"), "job"),
        ("thats the dream, to be a line cook", ("dream", "line cook"), "dream"),
        ("im just a kid lol", ("dream", "kid"), ""),
        ("i play bass in a band called wet cement", ("instrument", "wet cement"), "band"),
        ("i play bass in a band", ("instrument", "bass"), "instrument"),
        ("mri appointment tomorrow so up early tomorrow", ("appointment", "tomorrow"), "appointment"),
        ("dentist appointment is tomorrow, have to get up early tomorrow", ("appointment", "tomorrow"), "appointment"),
        ("병원 예약 내일인데 걱정돼 내일 회사 가", ("약속", "내일"), "약속"),
        ("우리 엄마가 간호사 하라고 해서 간호사 하고 있어", ("직업", "간호사"), "직업"),
        ("선생님이 간호학과 가라고 해서 간호학과 다녀", ("전공", "간호학과"), "전공"),
        ("everyone told me to do nursing so now i'm a nurse", ("job", "nursing"), "job"),
        ("my mum told me to go into nursing and i love it, it's my job now", ("job", "nursing"), "job"),
    ],
)  # fmt: skip
def test_the_key_is_what_the_words_show(message: str, told: tuple[str, str], kept: str) -> None:
    found = sound_operations([add(*told)], message, [])
    assert [(one.key, one.value) for one in found] == ([(kept, told[1])] if kept else [])


@pytest.mark.parametrize(
    ("key", "value", "kept"),
    [
        ("전역", "내년 2월이란다", "내년 2월"), ("악기", "드럼침", "드럼"), ("운동", "수영함", "수영"),
        ("생일", "5월 2일이래", "5월 2일"), ("아들 전역", "2월로 땡겨졌단다", "2월"),
        ("마감", "다음 주로 밀렸어", "다음 주"),
        ("직업", "피방 알바로", "피방 알바"), ("직업", "프로", "프로"), ("별명", "구름으로", "구름으로"),
        ("아빠", "기침", "기침"), ("별명", "모래", "모래"), ("직업", "외래", "외래"),
        ("좋아하는 색", "베이지", "베이지"),
        ("건강", "완전 극복함", "완전 극복함"), ("마감", "수욜 아침", "수욜 아침"), ("취미", "독서모임", "독서모임"),
    ],
)  # fmt: skip
def test_a_verbs_ending_is_no_part_of_a_value(key: str, value: str, kept: str) -> None:
    assert [one.value for one in sound_operations([add(key, value)], value, [])] == [kept]


def test_a_pet_that_is_known_is_no_taste() -> None:
    dog, food = known("반려동물", "두부"), add("좋아하는 음식", "두부")
    assert sound_operations([food], "나 이제 두부 목욕시키러 갈게", [dog]) == []
    assert sound_operations([food], "나 두부 좋아해", [dog]) == [food], "who has a dog called so may like it"
    assert sound_operations([food], "나 이제 두부 사러 갈게", []) == [food]
    assert sound_operations([add("job", "두부")], "두부 만들어", [dog]) == [add("job", "두부")]


def test_a_name_known_under_one_relation_is_not_stored_under_another() -> None:
    liv, wife = known("daughter", "Liv"), add("wife", "Liv")
    assert sound_operations([wife], "Liv and I put up lights", [liv]) == []
    assert sound_operations([wife], "Liv came back", [known("daughter", "Liv, 7")]) == []
    assert sound_operations([add("아내", "지우")], "지우랑 밥 먹었어", [known("딸", "지우")]) == []
    assert sound_operations([wife], "my wife is called Liv, too", [liv]) == [wife], "it says so"
    assert sound_operations([wife], "Liv came back", [known("name", "Liv")]) == [wife]
    assert sound_operations([wife], "Liv came back", [liv, known("wife", "Liv")]) == [wife], (
        "known, and left to the store"
    )
    nurse = add("wife", "nurse")
    assert sound_operations([nurse], "she's a nurse", [known("daughter", "nurse")]) == [nurse], "no name"


def test_dog_and_cat_say_nothing_beside_a_name() -> None:
    dog, kind, breed = add("반려동물", "두부"), add("반려동물", "강아지"), add("반려동물", "푸들")
    assert sound_operations([dog, kind], "우리 강아지 두부가 반겨줘", []) == [dog]
    assert sound_operations([kind], "강아지 키워", []) == [kind]
    assert sound_operations([dog, breed], "우리 푸들 두부가 반겨줘", []) == [dog, breed]
    two = [add("pet", "Miso"), add("pet", "dog")]
    assert sound_operations(two, "a cat called Miso and a dog", []) == two
    assert sound_operations([kind, add("반려동물", "오늘")], "우리 강아지 오늘 생일", [])[0] == kind


def test_a_place_beside_a_name_is_said_as_one() -> None:
    both = [add("brother", "Halvard"), add("brother", "Tromsø")]
    told = sound_operations(both, "it was my brother Halvard, in Tromsø.", [])
    assert [one.value for one in told] == ["Halvard", "in Tromsø"]
    assert sound_operations(both[1:], "my brother lives in Tromsø", []) == both[1:], "nothing to take it for"
    twice = [add("wife", "denise"), add("wife", "night nurse")]
    assert sound_operations(twice, "my wife denise is a night nurse", []) == twice


def test_own_words_say_whose_age_it_is(tmp_path) -> None:
    message = "집에 오면 우리 강아지 두부가 반겨줘서 살아... 푸들이고 5살이야"
    with open_store(tmp_path / "memory.sqlite") as store:
        remember_all(store, "a", message, [add("반려동물", "두부"), add("한 말", "5살")])
        assert [one.line for one in store.memories("a")] == ["반려동물: 두부", f"한 말: {message}"]
        remember(store, "b", "강아지가 있어... 푸들이고 5살이야", add("한 말", "5살"))
        assert [one.value for one in store.memories("b")] == ["푸들이고 5살이야"]


def test_what_is_misread_is_not_kept_in_other_words(tmp_path) -> None:
    with open_store(tmp_path / "memory.sqlite") as store:
        told = remember(store, "a", "내일 출근해야 하니까 먼저 잘게", add("일정", "내일"), tells=True)
        assert (told.action, store.memories("a")) == ("none", [])
        told = remember(store, "a", "내일 출근해야 하니까 먼저 잘게", None, tells=True)
        assert told.source == "words", "nothing was proposed"


@given(
    st.lists(
        st.tuples(st.sampled_from(["pet", "goal", "plan", "나이", "악기", "wedding"]), st.text("ab침 1", min_size=1))
    ),
    st.text(max_size=80),
)
def test_nothing_is_made_up(told: list[tuple[str, str]], message: str) -> None:
    operations = [add(key, value.strip()) for key, value in told if value.strip()]
    found = sound_operations(operations, message, [])
    assert len(found) <= len(operations)
    for one in found:
        assert one.value in message or any(one.value in other.value for other in operations)
    forget = MemoryOperation("forget", "goal")
    assert sound_operations([forget], message, []) == [forget]


def test_half_a_clause_is_no_value() -> None:
    message = "나 전역한지 두달됨 지금 편의점 야간알바중"
    found = sound_operations([MemoryOperation("add", "직업", "전역한지")], message, ())
    assert [one.key for one in found] == ["한 말"]
