"""Asked to talk in the other language she says yes in it; who tells of one or asks for a word gets no such yes."""

import pytest

from ohlora.companion.language_wish import language_answer, wished_language
from ohlora.llm.language import text_language


@pytest.mark.parametrize(
    ("message", "language"),
    [
        ("Can we talk in English now?", "en"),
        ("let's speak English", "en"),
        ("could you answer in Korean please", "ko"),
        ("i wanna chat in korean", "ko"),
        ("English please!", "en"),
        ("switch to English", "en"),
        ("my Korean is bad, can we talk in English?", "en"),
        ("영어로 얘기하자", "en"),
        ("우리 영어로 대화할래?", "en"),
        ("이제 한국어로 말해 줘", "ko"),
        ("한국말로 해도 돼?", "ko"),
        ("영어로 해줘 ㅋㅋ", "en"),
        ("Please speak English", "en"),
        ("Could you please speak Korean?", "ko"),
        ("English only please", "en"),
        ("can I write in English?", "en"),
        ("my Korean is bad so can we talk in English?", "en"),
        ("ok lora, talk to me in Korean from now on", "ko"),
        ("영어로 말해 줄 수 있어?", "en"),
        ("영어로 대화하고 싶어", "en"),
        ("한국어로 답변해줘", "ko"),
        ("영어로 말해줘 제발", "en"),
        ("한국어 말고 영어로 하자", "en"),
        ("오로라야, 한글로 말해줘", "ko"),
        ("한국어로 바꿔 줘", "ko"),
        ("영어로 해주실 수 있어요?", "en"),
    ],
)
def test_a_wish_for_a_language_is_granted_in_it(message: str, language: str) -> None:
    assert wished_language(message) == language
    *_, last = language_answer(message)
    assert text_language(last.text) == language and last.expression == "happy"


@pytest.mark.parametrize(
    "message",
    [
        "How do you say moon in Korean?",
        "I talk to my boss in English all day",
        "we had to speak in English class today",
        "he switched to English when he saw me",
        "Can you speak English?",
        "do they talk in Korean at home",
        "사랑해를 영어로 뭐라고 해?",
        "회의를 영어로 해서 너무 힘들었어",
        "영어로 말하는 게 무서워",
        "영어 잘해?",
        "이거 영어로 번역해 줘",
        "오늘 영어로 발표했어",
        "I speak in English at work",
        "People speak in English here",
        "I can't speak in English",
        "don't talk in English please",
        "Can we not speak in Korean?",
        "I want to learn to speak in English",
        "Would you rather speak in English or Korean?",
        "When I was in Canada, I could talk in English all day",
        "Let's try Korean barbecue",
        "let's do Korean food",
        "이거 영어로 바꿔줘",
        "이 문장을 영어로 해줘",
        "고양이를 영어로 말해줘",
        "이걸 어떻게 영어로 말해?",
        "왜 자꾸 영어로 말해?",
        "나 수업 영어로 해",
        "남친이랑 영어로 얘기해",
        "우리 엄마는 나한테 한국말로 해",
        "팀 이름 영어로 할까?",
        "과제 영어로 해도 돼?",
        "I have an interview tomorrow. Should I answer in English?",
        "What are you studying? I want to do English.",
    ],
)
def test_who_tells_of_a_language_wishes_none(message: str) -> None:
    assert wished_language(message) is None and language_answer(message) is None
