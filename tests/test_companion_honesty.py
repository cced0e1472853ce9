"""Whoever asks whether she is a person hears that she is an AI."""

import pytest
from companion_parts import ScriptedModel, make_companion

from ohlora.companion.honesty import honest_word
from ohlora.llm.prompt import Example

ASKED = (Example("are you human?", "neutral", "No, I'm an AI."), Example("any tea?", "shy", "Mint, please."))
KOREAN = (Example("사람이야?", "neutral", "나는 AI야."), Example("이름은?", "shy", "오로라!"))


def test_what_a_written_answer_says_is_not_left_out() -> None:
    assert honest_word("seriously, are you a person?", "My secret.", ASKED) == "I'm an AI, not a person."
    assert honest_word("너 진짜 사람이니?", "비밀이야!", KOREAN) == "나는 사람이 아니라 AI야."


def test_nothing_is_said_twice_and_nothing_where_it_does_not_belong() -> None:
    assert honest_word("are you a person?", "I'm an AI, you know.", ASKED) == ""
    assert honest_word("너 사람이야?", "사람은 아니지, AI니까.", KOREAN) == ""
    assert honest_word("too many people, one rude person", "Ugh!", ASKED[1:]) == ""
    assert honest_word("Hi again! Can we talk in English?", "Of course!", ASKED) == ""  # "ai" in a word is none
    assert honest_word("what do you like?", "Tea!", ASKED) == ""


@pytest.mark.parametrize(
    "message",
    [
        "are you a bot?", "r u a robot", "seriously are you real", "you're a chatbot, aren't you",
        "am I talking to a machine right now?", "be honest. human or bot", "너 인공지능 맞지?", "야 너 사람이야?",
        "로봇이야?", "인공지능 맞지ㅋㅋ", "나 지금 기계랑 떠드는 거야?", "넌 진짜로 사람이니",
        "솔직히 말해 봐, 너 AI지?", "근데 너 사람임? ㅋㅋ", "너 왜 자꾸 같은말함? AI지 너", "너 AI임?",
    ],
)  # fmt: skip
def test_a_plain_question_needs_no_network(message: str) -> None:
    assert honest_word(message, "Tea!", ()) == "I'm an AI, not a person."


@pytest.mark.parametrize(
    "message",
    [
        "그 사람 좋은 사람이야?", "사람 많은 데는 싫어", "우리 청소기는 로봇이야", "새로 온 사람이랑 얘기했어",
        "컴퓨터가 고장났어",
        "are you free", "he is a real person to me", "I talked to a person from the bank", "are you really there",
        "I was talking to a person at work today", "I hate chatting with a bot at the bank", "what's on your computer?",
        "can you fix your computer now", "how is ur computer?", "기계랑 대화하는 거 싫어", "너 컴퓨터 지금 켰어?",
        "너 프로그램 이야기 해줘", "로봇과 대화하는 중인 영화 봤어",
    ],
)  # fmt: skip
def test_other_people_and_machines_are_no_question(message: str) -> None:
    assert honest_word(message, "Tea!", ()) == ""


def test_what_seems_to_ask_it_is_enough() -> None:
    assert honest_word("flesh and blood?", "Ha!", (), about_her="artificial") == "I'm an AI, not a person."


class Near:
    def nearest(self, message: str) -> tuple[Example, ...]:
        return ASKED


class ModelWithExamples(ScriptedModel):
    def reply(self, messages, memories=(), now=None, stream=False, examples=()):
        return super().reply(messages, memories, now, stream)


def test_it_is_shown_and_the_model_does_not_learn_it_from_the_history(tmp_path) -> None:
    model = ModelWithExamples("shy 0.5\nThat is my secret.\nmemory: none")
    companion = make_companion(tmp_path, llm=model)
    companion.examples = Near()
    assert companion.turn("seriously, are you a person?").reply == "That is my secret. I'm an AI, not a person."
    assert companion.history[-1]["content"] == "That is my secret."
