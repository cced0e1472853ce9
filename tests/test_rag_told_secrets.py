"""Secrets are what somebody gives away: a question for a password, or a day off duty (비번), is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_rag_memory import open_store

from ohlora.llm.reply_format import MemoryOperation
from ohlora.rag import remember
from ohlora.rag.told_secrets import holds_secret, names_secret

GIVEN_AWAY = [
    "내 카드 번호는 4111 1111 1111 1111이야",
    "주민번호 900101-1234567 기억해 줘",
    "my password is hunter2",
    "내 비밀번호는 바나나야",
    "SSN 078-05-1120",
    "비번 1234",
    "비밀번호 바나나1",
    "비번은 1234야",
    "비번이 1234야",
    "내 비번: 바나나",
    "비밀번호는 바나나",
    "비밀번호는 우리집강아지임",
    "와이파이 비밀번호는 사과나무예요",
    "비밀번호는 hunter2",
    "비밀번호 hunter2",
    "비번이 바나나야",
    "비밀번호를 바나나로 바꿨어",
    "비번 abcd1234로 해놨어",
    "password는 바나나야",
    "비밀번호 = 호랑이",
    "비밀번호는 강아지야",
    "현관 비밀번호 4821",
    "인증번호 482913",
    "인증번호는 482913이야",
    "계좌번호는 110-234-567890",
    "통장 번호 302 1234",
    "내 비밀번호는 우리 집 강아지야",
    "비밀번호는 바나나 우유",
    "비밀번호는 호랑이라고 해",
    "오늘 비번인데 비밀번호는 바나나야",
    "my pin is 4821",
    "my PIN: 4821",
    "pin code 4821",
    "passcode 442211",
    "password: banana",
    "my password is banana",
    "my password's hunter2",
    "my password was hunter2",
    "the wifi password is correcthorse",
    "I changed my password to hunter2",
    "set my passcode to 4421",
    "my password is a horse called bo1",
    "cvc 123",
    "cvv is 123",
    "pass phrase is open sesame",
    "my password is now banana",
    "비밀번호는요 1234예요",
    "제 비밀번호는 tiger예요",
    "cvc 번호 123",
    "내 비번은 생일 0412",
    "와이파이 비번 바뀜 moonlight88 이걸로 들어와",
    "비밀번호 바꿨다 sarang0419 인데 까먹을까 봐 적어 둠",
    "the password to the family tablet is hedgehog77",
]
HARMLESS = [
    "나 오늘 비번이라 집에서 쉬어",
    "비밀번호가 뭐였더라",
    "비밀번호는 안 알려줄 거야",
    "비밀번호를 잊어버렸어",
    "나 오늘 비번인데 심심해",
    "오늘 비번이야",
    "나 내일 비번이야!",
    "비번이라 3시에 일어났어",
    "비번이었어",
    "비번 날에는 낚시 가",
    "비번은 수요일이야",
    "비번인 날",
    "비밀번호는 비밀이야",
    "비밀번호가 틀렸대",
    "비번 까먹었어",
    "비밀번호는 어디서 바꿔?",
    "비밀번호가 기억이 안 나",
    "비번이 뭐야?",
    "비번 뭐게",
    "비밀번호는 말 안 해",
    "비밀번호가 너무 길어",
    "비밀번호는 8자리여야 한대",
    "비밀번호 3번 틀렸어",
    "비번 6자리로 바꾸래",
    "인증번호가 3번이나 안 와",
    "카드번호 16자리 외우는 사람 있어?",
    "비밀번호는 절대 안 알려줘",
    "비밀번호는 몰라",
    "비밀번호가 왜 안 돼",
    "비밀번호를 주기적으로 바꿔",
    "비밀번호를 새로 바꿨어",
    "비밀번호 바꿨어",
    "비밀번호가 복잡해",
    "비밀번호는 너만 알아?",
    "비밀번호는 글쎄",
    "비밀번호 찾기 너무 귀찮아",
    "계좌번호 알려줄까?",
    "카드 번호 입력하기 귀찮아",
    "비밀번호가 아니야",
    "소방관인데 오늘 비번이래",
    "비번이니까 늦잠 자야지",
    "간호사라 비번이 불규칙해",
    "전화는 010-1234-5678이야",
    "2026년 3월 2일 10:30",
    "1234567890123",
    "비밀번호는 어떻게 바꿔",
    "내 비밀번호 뭐라고 했지?",
    "비밀번호가 맞는지 모르겠어",
    "I forgot my password",
    "what is my password?",
    "what's my password",
    "what is my password again",
    "what was my pin",
    "my password is too long",
    "my password is wrong apparently",
    "the password is expired",
    "I need to change my password",
    "my password is none of your business",
    "my password is not banana",
    "my PIN is something I never tell",
    "I changed my password today",
    "reset my password to get back in",
    "I had to change my password because of the breach",
    "my password is secret",
    "is my password safe?",
    "my password isn't working",
    "password managers are great",
    "what is my password, do you know?",
    "the bowling pin fell",
    "My pin is broken",
    "the pin was sharp",
    "I dropped a pin",
    "she told me my password is weak",
    "I'd never tell you my password",
    "비밀번호는 나만 알아",
    "도어락 비밀번호가 안 먹혀",
    "비밀번호는 매달 바꿔",
    "비번 서는 날이야",
    "나 오늘 비번이지롱",
    "야간조 끝났어 이틀 비번이야",
    "what's the best opinion on shopping in 2024?",
    "나 소방관 5년 차야 오늘은 비번",
    "비밀번호는 얼마나 자주 바꿔야 해?",
    "비번이랑 목소리랑 무슨 상관이야",
    "A password manager would help.",
]


@pytest.mark.parametrize("text", GIVEN_AWAY)
def test_what_is_given_away_is_a_secret(text: str) -> None:
    assert holds_secret(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_a_question_a_mention_and_a_day_off_are_none(text: str) -> None:
    assert not holds_secret(text)


@given(
    st.sampled_from(
        [
            "비밀번호는 {}야",
            "내 비번은 {}",
            "비밀번호 {}",
            "비번: {}",
            "my password is {}",
            "passcode: {}",
            "pw? password {}",
        ]
    ),
    st.from_regex(r"[a-z]{2,6}[0-9]{4,6}", fullmatch=True),
    st.sampled_from(["", " 기억해 줘", ", ok", "\u200b"]),
)
def test_a_value_of_letters_and_digits_is_always_found(said: str, value: str, after: str) -> None:
    assert holds_secret(said.format(value) + after)


@given(
    st.sampled_from(["비번이라", "비번인데", "비번이야", "비번이니까", "비번이래", "비번인 날", "비번 날"]),
    st.sampled_from(["나 오늘 ", "", "내일은 ", "소방관인데 "]),
    st.sampled_from(["", " 집에서 쉬어", " 3시에 일어났어", " 친구 만나러 가"]),
)
def test_a_day_off_duty_is_never_a_password(duty: str, before: str, after: str) -> None:
    assert not holds_secret(f"{before}{duty}{after}")


@given(st.text(max_size=80))
def test_any_text_is_judged(text: str) -> None:
    assert isinstance(holds_secret(text), bool)


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [("비밀번호", "바나나", True), ("비번", "바나나", True), ("password", "x", True),
     ("통장 계좌", "농협", True), ("pin", "one", True),
     ("비번", "수요일", False), ("비번 날", "오늘", False), ("취미", "볼링", False), ("shopping", "shoes", False)],
)  # fmt: skip
def test_keys_that_promise_a_secret(key: str, value: str, named: bool) -> None:
    assert names_secret(key, value) == named


def test_a_day_off_is_remembered_and_no_notice_is_shown(tmp_path) -> None:
    message = "나 오늘 비번이라 집에서 낚시 영상만 봐"
    with open_store(tmp_path / "memory.sqlite") as store:
        kept = remember(store, "a", message, MemoryOperation("add", "취미", "낚시 영상"))
        assert kept.action == "add" and kept.notice is None
        assert remember(store, "a", message, None, tells=True).source == "words"
