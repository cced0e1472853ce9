"""Who asks where is told no day, who asks when no gym; whatever else may be an answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohlora.companion.kind_of_answer import can_answer


@pytest.mark.parametrize(
    ("question", "words", "can"),
    [
        ("Where is the party going to be held", "28 of February", False), ("where is the party", "at Mia's", True),
        ("면접 장소가 어디라고 했어요", "24일", False), ("대회가 며칠이랬지", "수원 체육관", False),
        ("대회가 며칠이랬지", "다음 달 3일", True), ("식 올리는 날이 언제고", "십일월 일일", True),
        ("what time is the swim test", "sept 24", False), ("what time is the swim test", "at 3 on sept 24", True),
        ("how many times did i do the race", "june 27", False), ("how many bowls have i got", "24", True),
        ("how much do they pay me", "extra money", False), ("how old is he", "six", True),
        ("내 아들 몇 학년이지", "초등학생", False), ("딸은 몇 학년이라고 했지", "중학교 3학년", True),
        ("when is my exam", "Friday", True), ("when is my exam", "IELTS", False), ("시험 언제야", "금욜", True),
        ("when and where is it", "28 of February", True), ("what's my dog called", "Biscuit", True),
        ("who is my dentist", "march 3", False), ("몇 시에 일어난다 했지", "다섯 시", True),
        ("얼마 전에 내가 본 영화 뭐였지?", "기생충", True), ("몇 년 전에 키우던 강아지 이름이 뭐였지?", "초코", True),
        ("How many kids do I have?", "Mia and Leo", True), ("when's the party?", "NYE", True),
        ("그럼 우리 남편 이름은?", "1월", False), ("남편 이름이랑 생일 언제게", "1월", True),
        ("what's my dog's name?", "december 14th", False), ("what's my daughter called?", "June Park", True),
    ],
)  # fmt: skip
def test_words_of_another_kind_are_no_answer(question: str, words: str, can: bool) -> None:
    assert can_answer(question, words) is can


@given(st.text(max_size=40))
def test_a_question_without_a_question_word_may_be_answered_by_anything(words: str) -> None:
    assert can_answer("my favourite toy?", words)


@pytest.mark.parametrize(
    ("question", "told", "can"),
    [
        ("그럼 내 생일은 언제게", "남편 1월에 동생 결혼식도 있어서", False),
        ("내 생일 언제야", "담주 목욜 내 생일", True),
        ("when's my birthday?", "plan my sister marries on 3 May", False),
        ("when's my birthday?", "i turn 30 on 3 May", True),
        ("when is the wedding?", "my sister marries on 3 May", True),
        ("내 생일 언제야", "", True),
        ("내 생일 파티 언제였지", "남편 3월에 이자카야에서 다 모인대", True),
        ("when was my birthday party?", "plan my sister marries on 3 May", True),
        ("when's my b day", "dob is the 3rd of May", True),
        ("do you remember my birthday?", "plan my sister marries on 3 May", False),
    ],
)  # fmt: skip
def test_a_birthday_is_only_told_by_what_speaks_of_one(question: str, told: str, can: bool) -> None:
    assert can_answer(question, "3 May" if question.isascii() else "5월 3일", told) is can


@pytest.mark.parametrize(
    ("question", "told", "can"),
    [
        ("how old am i?", "pet thirteen My cat, who is thirteen and whose name is Trilobite", False),
        ("how old am i?", "i got twin boys, jaylen and jordan, theyre 4.", False),
        ("Do you happen to know how old I am?", "I am forty-one and have the knees to prove it.", True),
        ("나 몇 살이게?", "쉰둘이고 부산서 택시 몬다", True), ("나 몇 살이게?", "우리 강아지는 5살이야", False),
        ("내 나이 알아?", "나이 쉰둘", True), ("how old was i when i moved", "my cat is thirteen", True),
        ("what do i do for a living tho", "plan is to open a food truck", False),
        ("what do i do for a living tho", "im marcus btw, line cook.", True),
        ("내 직업 기억해?", "꿈 소설가", False), ("내 무슨 일 하는 사람인지는 알제?", "부산서 택시 몬다", True),
        ("when is my job interview", "i want to open a shop on 3 May", True),
    ],
)  # fmt: skip
def test_how_old_somebody_is_and_what_they_wish_for_is_no_answer(question: str, told: str, can: bool) -> None:
    assert can_answer(question, "3 May" if "interview" in question else "thirteen 13살", told) is can


@pytest.mark.parametrize(
    ("question", "words", "told", "can"),
    [
        ("내 직업 뭐라고 했지?", "간호사", "나 간호사인데 요즘 그만두고 싶어ㅠ", True),
        ("what do i do for a living", "nurse", "i'm a nurse at St Thomas and i want to quit", True),
        ("what do i do for a living", "food truck", "plan is to open a food truck so i make hours", False),
        ("how long have i been at my job?", "6 years", "been here 6 years and i wanna leave", True),
        ("how old am i?", "23", "23f from leeds here", True),
        ("how old am i?", "27", "27 years old, living in busan", True),
        ("how old am i?", "31", "turning 31 next month", True),
        ("how old am i?", "12", "I'm pretty sure my cat is 12", False),
        ("how old am i?", "5", "i moved here in 2019 with my 5 year old", False),
        ("what was my age gap with minho again?", "6 year", "Tom and I have a 6 year age gap", True),
        ("나 몇 살에 결혼하고 싶다고 했지?", "서른", "우리 언니처럼 서른에 하고 싶어", True),
        ("나 올해 몇 살이야", "5살", "우리 강아지 5살이야", False),
    ],
)  # fmt: skip
def test_only_what_is_asked_is_doubted(question: str, words: str, told: str, can: bool) -> None:
    assert can_answer(question, words, told) is can


@pytest.mark.parametrize(
    ("question", "told", "can"),
    [
        ("내가 어느 팀 팬이라 캤노", "좋아하는 가수 나훈아", False),
        ("내가 좋아하는 노래 뭐게", "좋아하는 가수 나훈아", True),
        ("what do i like?", "favourite singer Adele", True), ("what's my fav movie", "favourite singer Adele", False),
        ("내 생일 언제야", "엄마 생일 5월 9일 엄마 생일은 5월 9일", False),
        ("내 생일 언제야", "생일 5월 9일 5월 9일이에요", True),
    ],
)  # fmt: skip
def test_no_singer_is_a_team_and_no_mothers_birthday_the_own(question: str, told: str, can: bool) -> None:
    assert can_answer(question, "5월 9일" if "5월" in told else told.split()[-1], told) is can
