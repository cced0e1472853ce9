"""What is told so plainly that it is kept, whatever the networks think."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_rag_memory import open_store

from ohlora.llm.reply_format import MemoryOperation
from ohlora.rag import remember
from ohlora.rag.plainly_told import plainly_told


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("named him biscuit hes a beagle", "pet: biscuit"), ("biscuit hes a beagle", "pet: biscuit"),
        ("there's a budgie here now. we named it Shoaib Akhtar cos its fast", "pet: Shoaib Akhtar"),
        ("2 years. named him gerald", ""), ("my truck's an 88 f150, named her loretta", ""),
        ("named him after a dog", ""),
        ("yeah hes a beagle", ""), ("my son has a dog, we named him Tom", ""), ("named him biscuit, the dog?", ""),
        ("내는 이창호다. 쉰둘이고 부산서 택시 몬다", "직업: 택시"), ("저는 대구에서 시내버스 몰아요", "직업: 시내버스"),
        ("아빠가 택시 몰아", ""), ("예전엔 트럭 몰았어", ""), ("카니발 몬다", ""), ("택시 몰아서 가자", ""),
        ("버스 몰고 싶다", ""), ("", ""),
        ("we named him noah! born tuesday 7lb 3oz, the cat is curious", ""),
        ("we named her grace and the dog loves her already", ""),
        ("my neighbour got a puppy, named him rex", ""), ("my friend got a kitten and named him otis", ""),
        ("i got a puppy! named her lola", "pet: lola"), ("biscuit hes a golden retriever lol", "pet: biscuit"),
        ("thanks, he's a beagle", ""), ("great hes a beagle", ""), ("mike hes a dog walker", ""),
        ("james hes a cat person", ""),
        ("아빠 택시 몰아", ""), ("울 아빠 택시 몬다", ""), ("장인어른 버스 몰아요", ""),
        ("시아버지 택시 몰고 있는데", ""),
        ("게임에서 트럭 몰고 있어", ""), ("영화에서 송강호 택시 몬다", ""), ("택시 몬다는 게 쉽지 않네", ""),
    ],
)  # fmt: skip
def test_what_is_plainly_told(message: str, told: str) -> None:
    assert "".join(f"{one.key}: {one.value}" for one in plainly_told([], message)) == told


def test_it_is_stored_beside_what_is_proposed_and_not_twice(tmp_path) -> None:
    message = "내는 이창호다. 쉰둘이고 부산서 택시 몬다"
    assert plainly_told([MemoryOperation("add", "직업", "개인택시")], message) == []
    assert plainly_told([MemoryOperation("forget", "나이")], message) == []
    with open_store(tmp_path / "memory.sqlite") as store:
        remember(store, "a", message, MemoryOperation("add", "나이", "쉰둘"))
        remember(store, "a", message, None)
        assert sorted(one.line for one in store.memories("a")) == ["나이: 쉰둘", "직업: 택시"]


@given(st.text(max_size=200))
def test_any_message_is_read(message: str) -> None:
    assert all(one.value in message for one in plainly_told([], message))
