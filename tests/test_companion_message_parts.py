"""Which parts of a message are answered by themselves: two questions, a goodbye at the end."""

from __future__ import annotations

import pytest

from ohlora.companion.message_parts import goodbye_at_the_end, repeats_her_question, two_questions


@pytest.mark.parametrize(
    ("message", "questions"),
    [
        ("whats my fav game, and do u know my sisters name?", ["whats my fav game", "do u know my sisters name?"]),
        ("제 이름이 뭐였지요? 그리고 작은딸은 몇 학년이죠?", ["제 이름이 뭐였지요?", "그리고 작은딸은 몇 학년이죠?"]),
        ("and my sister? whats her name", []), ("what's my name?", []), ("when's my test, and is it in Leeds", []),
        ("Do you remember which bus I drove and where, or are you all mixed up today?", []),
        ("what's my exam, and what do you think of it?", []), ("a? b? c?", []), ("", []),
        ("where do i work? what's my dog called? when is my test?", []),
    ],
)  # fmt: skip
def test_two_questions_are_told_apart(message: str, questions: list[str]) -> None:
    assert two_questions(message) == questions


@pytest.mark.parametrize(
    ("asking", "before", "repeats"),
    [
        ("what made me laugh...", "What else has made you laugh lately?", True),
        ("내 생일 언제게", "생일에 뭐 하고 싶어?", False), ("where do i work again", "How was work today?", False),
        ("what made me laugh?", "What else has made you laugh lately?", False),
        ("what made me laugh...", "Laugh with me.", False), ("", "What?", False),
    ],
)  # fmt: skip
def test_who_takes_up_her_question_asks_nothing(asking: str, before: str, repeats: bool) -> None:
    assert repeats_her_question(asking, before) is repeats


class Answers:
    """Takes everything for small talk, and a death for bad news."""

    def kind(self, message: str) -> tuple[str, float]:
        return ("tells_bad" if "died" in message else "tells_neutral", 0.9)

    def likeliest_intent(self, message: str) -> str:
        return "tells_joke"

    def is_clear(self, message: str) -> bool:
        return True


@pytest.mark.parametrize(
    ("message", "goodbye"),
    [
        ("i'll say it properly. Goodbye, Oh-LoRA, take care of yourself.", "Goodbye, Oh-LoRA, take care of yourself."),
        ("나 치킨 왔다 뿌링클이 최애임 ㅂㅂ", "ㅂㅂ"), ("하준이 약 먹일 시간이다 또 올게~", "또 올게~"),
        ("got an interview on dec 4, cya", "cya"), ("the vet called. my dog died. gotta go", ""),
        ("어머니 면회 시간이라 가 보겠습니다. 다음 주에 또 뵙지요.", "다음 주에 또 뵙지요."),
        ("두부 병원 데려갈까. 나 이제 나가봐야겠다", "이제 나가봐야겠다"), ("이제 나가봐야 소용없어", ""),
        ("Theo is at the door, so I must be off. God bless, Oh-LoRA.", "God bless, Oh-LoRA."),
        ("i have to go to work tomorrow", ""),
        ("my program is on at eight. I'll say good night. It was nice to have company.", "I'll say good night."),
        ("god bless you", "god bless you"), ("시험은 다음 주에 봐", ""), ("i have to go again tomorrow", ""),
        ("grandma died before i could say goodbye", ""), ("i'm so happy to see you!", ""), ("i see you like cats", ""),
        ("나 요즘 바이올린 배워", ""), ("다음에 봐야 할 시험이 너무 많아", ""), ("i gotta run a marathon", ""),
        ("나 가요 좋아해", ""), ("my crush said see you tomorrow omg", ""),
    ],
)  # fmt: skip
def test_a_goodbye_at_the_end_is_heard(message: str, goodbye: str) -> None:
    assert goodbye_at_the_end(Answers(), message) == goodbye
