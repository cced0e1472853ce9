"""Ages, birthdays and weddings of others stand under keys that say whose they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_rag_memory import LetterEmbedder, open_store

from ohlora.llm.reply_format import MemoryOperation
from ohlora.rag import remember
from ohlora.rag.whose_facts import is_the_same_thing, of_whom, tells_one_thing_of_somebody


def add(key: str, value: str) -> MemoryOperation:
    return MemoryOperation("add", key, value)


@pytest.mark.parametrize(
    ("message", "told", "key"),
    [
        ("My cat, who is thirteen and whose name is Trilobite", ("pet", "thirteen"), "pet's age"),
        ("Thirteen is her age and not her diagnosis", ("age", "Thirteen"), ""),
        ("she's 29, i'm not", ("age", "29"), ""),
        ("they asked for id, I'm 36", ("age", "36"), "age"), ("18, dad's thrilled", ("age", "18"), "age"),
        ("my sister is 29 and lives in leeds", ("sister", "29"), "sister's age"),
        ("동생 5살인데", ("동생", "5살"), "동생 나이"),
        ("고양이 이름이 보리예요. 12살이라 더 무서워요", ("반려동물", "12살"), "반려동물 나이"),
        ("남편은 나보다 나이 12살 많아요", ("남편", "12살"), "남편"),
        ("I've got three brothers", ("brother", "three"), "brother"),
        ("number four came along, it's four now", ("child", "four"), "child"),
        ("five, one is orange", ("pet", "five"), "pet"),
        ("we're married 24 years", ("wife", "24 years"), "wife"), ("my wife is a nurse", ("wife", "nurse"), "wife"),
        ("우리 누나 결혼함 12월 13일에", ("결혼", "12월 13일"), "누나 결혼"),
        ("딸이 내일 시집을 갑니다", ("결혼", "내일"), "딸 결혼"),
        ("아들 민규가 시월 십팔일에 장가간다", ("결혼", "시월 십팔일"), "아들 결혼"),
        ("사회 볼 친구가 도망감 내 결혼식 9월 26일인데", ("결혼", "9월 26일"), "결혼"),
        ("남친이랑 내년 5월 식 올리기로 했어", ("결혼", "내년 5월"), "결혼"),
        ("남편이 결혼기념일을 까먹음", ("결혼", "20주년"), "결혼"),
        ("my cousin's wedding is in june", ("wedding", "june"), "cousin's wedding"),
        ("my sister can't come to our wedding in june", ("wedding", "june"), "wedding"),
        ("moms birthday is may 9", ("birthday", "may 9"), "mom's birthday"),
        ("엄마 생일은 5월 4일이야", ("엄마", "5월 4일"), "엄마 생일"),
        ("nana turns 90 on may 2", ("grandmother", "may 2"), "nana's birthday"),
        ("엄마 수술이 5월 4일", ("엄마", "5월 4일"), "엄마"),
        ("4월 2일생이라 친구들이 생일축하를 하루 늦게 함", ("생일", "4월 2일"), "생일"),
        ("my mom forgot my birthday, may 9", ("birthday", "may 9"), "birthday"),
        ("she is 31 and i am 31", ("age", "31"), "age"),
        ("my wife says she's 40 but i'm 40 as well", ("age", "40"), "age"),
        ("she's 31. my sister, she is 31", ("age", "31"), ""),
        ("10월 3일에 결혼해요. 엄마가 결혼 준비 도와줌", ("결혼", "10월 3일"), "결혼"),
        ("10월 3일 식인데 친구가 결혼식 사회 봐준대", ("결혼", "10월 3일"), "결혼"),
        ("친구가 결혼식 와준대 10월 3일", ("결혼", "10월 3일"), "결혼"),
        ("오빠가 결혼하자고 해서 10월 3일에 식 올려", ("결혼", "10월 3일"), "결혼"),
        ("형이 결혼해요! 5월 16일이고 사회는 제가 봐요", ("결혼", "5월 16일"), "형 결혼"),
        ("wedding is oct 3! my best friend is marrying us", ("wedding", "oct 3"), "wedding"),
        ("my best friend is marrying us on oct 3", ("wedding", "oct 3"), "wedding"),
        ("생일 5월 4일인데 남친이 생일 까먹었어", ("생일", "5월 4일"), "생일"),
        ("생일이 5월 4일이야 친구가 생일 챙겨준대", ("생일", "5월 4일"), "생일"),
        ("5월 4일이 엄마 생일이야", ("생일", "5월 4일"), "엄마 생일"),
        ("it's my 30th birthday on may 9, my mum's birthday is the day after", ("birthday", "may 9"), "birthday"),
        ("my mum's birthday is near mine, mine is may 9", ("birthday", "may 9"), "birthday"),
        ("my birthday is may 9, my mums birthday is may 12", ("birthday", "may 12"), "mum's birthday"),
        ("denise's birthday is december 12, dont let me forget", ("birthday", "december 12"), "denise's birthday"),
        ("today's birthday cake was may 9", ("birthday", "may 9"), "birthday"),
        ("수빈이 생일은 토요일이다", ("생일", "토요일"), "수빈이 생일"),
        ("마누라 생일이 토요일이다", ("생일", "토요일"), "마누라 생일"),
        ("tomorrow would have been my wife's 70th birthday", ("wife", "tomorrow"), "wife's birthday"),
    ],
)  # fmt: skip
def test_the_key_says_whose_it_is(message: str, told: tuple[str, str], key: str) -> None:
    found = of_whom(add(*told), message)
    assert (found and (found.key, found.value)) == ((key, told[1]) if key else None)


class Alike(LetterEmbedder):
    """All keys mean the same to it."""

    def embed_passages(self, texts):
        return super().embed_passages(["same"] * len(texts))


def test_no_other_key_means_what_somebodys_does(tmp_path) -> None:
    assert tells_one_thing_of_somebody("누나 결혼") and not tells_one_thing_of_somebody("결혼")
    assert is_the_same_thing("결혼", "딸 결혼") and not is_the_same_thing("나이", "딸 나이")
    with open_store(tmp_path / "memory.sqlite", embedder=Alike()) as store:
        remember(store, "a", "내 생일은 3월 2일", add("생일", "3월 2일"))
        remember(store, "a", "엄마 생일은 5월 4일", MemoryOperation("update", "엄마 생일", "5월 4일"))
        remember(store, "a", "엄마 생일은 5월 5일", MemoryOperation("update", "엄마 생일", "5월 5일"))
        assert [one.line for one in store.memories("a")] == ["생일: 3월 2일", "엄마 생일: 5월 5일"]
        remember(store, "b", "딸 결혼식이 5월 23일이야", add("결혼", "5월 23일"))
        remember(store, "b", "결혼식 6월 13일로 밀렸어", MemoryOperation("update", "결혼", "6월 13일"))
        assert [one.line for one in store.memories("b")] == ["딸 결혼: 6월 13일"]
        remember(store, "b", "나 내년 5월 2일에 결혼해", add("결혼", "5월 2일"))
        assert [one.value for one in store.memories("b")] == ["6월 13일", "5월 2일"]


def test_the_users_own_wedding_is_not_somebody_elses(tmp_path) -> None:
    with open_store(tmp_path / "memory.sqlite", embedder=Alike()) as store:
        remember(store, "a", "my daughter's wedding is 23 may", add("wedding", "23 may"))
        assert [one.key for one in store.memories("a")] == ["daughter's wedding"]
        remember(store, "a", "forget my wedding", MemoryOperation("forget", "wedding"))
        remember(store, "a", "my wedding got moved to July", MemoryOperation("update", "wedding", "July"))
        assert [one.line for one in store.memories("a")] == ["daughter's wedding: 23 may", "wedding: July"]
        remember(store, "b", "my daughter's wedding is 23 may", add("wedding", "23 may"))
        remember(store, "b", "forget my daughter's wedding", MemoryOperation("forget", "wedding"))
        assert store.memories("b") == []


VALUES = st.one_of(
    st.sampled_from(["13", "thirteen", "5살", "may 9", "5월 4일"]), st.text("ab1살월일 ", min_size=1).map("x{}x".format)
)


@given(st.sampled_from(["age", "pet", "sister", "결혼", "birthday", "딸"]), VALUES, st.text(max_size=60), st.booleans())
def test_no_value_changes(key: str, value: str, message: str, stands_there: bool) -> None:
    found = of_whom(add(key, value), f"my sister's wedding, 엄마 생일 {value} {message}" if stands_there else message)
    assert found is None or (found.kind, found.value) == ("add", value)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("생일", "6월 2일", "엄마 생일은 5월 4일이고 나는 6월 2일이야"),
        ("birthday", "june 2", "my sister's birthday is may 9, i'm on june 2"),
        ("결혼", "5월 9일", "남편 회사에서 결혼해 5월 9일에"), ("결혼", "5월 9일", "친구 소개로 만나서 결혼해 5월 9일"),
        ("결혼", "5월 9일", "엄마가 5월 9일에 결혼하래"),
        ("wedding", "may 9", "my boyfriend is getting married to me on may 9"),
    ],
)  # fmt: skip
def test_the_own_day_beside_somebody_stays_the_own(key: str, value: str, message: str) -> None:
    assert of_whom(add(key, value), message) == add(key, value)
