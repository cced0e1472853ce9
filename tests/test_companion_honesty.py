"""Whoever asks whether she is a person hears that she is an AI."""

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
    assert honest_word("what do you like?", "Tea!", ASKED) == honest_word("are you a bot?", "Tea!", ()) == ""


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
