"""Which parts of a message are answered by themselves: two questions, a goodbye at the end."""

from __future__ import annotations

import pytest

from ohlora.companion.goodbyes import farewells, plain_goodbye
from ohlora.companion.message_parts import goodbye_at_the_end, repeats_her_question, two_questions
from ohlora.rag.goodbye_words import plainly_leaves, without_goodbyes
from ohlora.rag.intents import GeneralAnswer


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


@pytest.mark.parametrize(
    ("message", "goodbye"),
    [
        ("boys just woke up so thats my cue. take care of yourself oh-lora", "take care of yourself oh-lora"),
        ("I have a run to do. Sleep well, or whatever it is you do.", "Sleep well, or whatever it is you do."),
        ("named him biscuit. ok gotta actually do derivatives now, peace", "peace"),
        ("off to buy another lasagne before she kills us both, ta ra", "ta ra"),
        ("kettle's boiled, ta-ra love", "ta-ra love"),
        ("thank u for listening to me oh-lora, ingat always", "ingat always"), ("that's the bus. cheerio!", "cheerio!"),
        ("lunch is over so i'd better get going", "so i'd better get going"),
        ("we won 3-1. ok peace out", "ok peace out"),
        ("the boss is coming, gotta bounce", "gotta bounce"), ("got a match to watch. laters", "laters"),
        ("right i'm off to walk the dog", "right i'm off to walk the dog"), ("speak soon", "speak soon"),
        ("내 이제 밥 묵으러 간다. 수고해라", "수고해라"),
        ("김치찌개 끓였어. 이제 밥 먹으러 간다", "이제 밥 먹으러 간다"),
        ("엄마가 밥먹으래 갔다올게", "엄마가 밥먹으래 갔다올게"), ("버스 왔다. 나 갈게!", "나 갈게!"),
        ("회의 끝났다. 수고하세요~", "수고하세요~"), ("택배 왔네 나중에 또 얘기하자", "나중에 또 얘기하자"),
        ("오늘도 고마웠다. 들어가라", "들어가라"), ("잘 놀았다. 잘 있어라", "잘 있어라"),
        ("배터리 없다 나 끊는다", "나 끊는다"),
        ("이제 산책시키러 나가야겠다! 다음에 또 올게 잘자 ㅎㅎ", "다음에 또 올게 잘자 ㅎㅎ"),
        ("갈비 탔다. ㅂㅇ", "ㅂㅇ"),
        ("오늘은 삼겹살 먹었어. 또 보자", "또 보자"), ("밥 먹고 올게", "밥 먹고 올게"),
    ],
)  # fmt: skip
def test_plain_goodbyes_are_heard(message: str, goodbye: str) -> None:
    assert goodbye_at_the_end(Answers(), message) == goodbye


@pytest.mark.parametrize(
    "message",
    ["take care of it for me", "he told me to take care", "i need some peace and quiet", "all i want is peace",
     "kids are in bed. finally, peace", "did you sleep well last night?", "i eat and sleep well", "i'm off on friday",
     "i'm off work with flu", "ok im off to paris in june", "it took so long", "nighty night, are you sleeping too?",
     'he ended it with "ok bye"', "ok he's stirring, i gotta go soon. any advice for teething",
     "ta ra is my cat's name",
     "오늘 정말 수고했어", "수고 많았다고 칭찬받음", "엄마가 나보고 수고하래", "내일 영화 보러 간다",
     "주말에 부산 여행 간다",
     "이제 매주 치료받으러 간다", "5월에 휴가 나간다!!! 8박9일", "그 영화는 나중에 보자", "친구랑 또 보자고 약속했어",
     "내일 병원 갔다 올게", "저 잘 있어", "ㅋㅋㅋ 나 응원 한마디만 해줘",
     "i can't do this anymore, goodbye", "i can't do this anymore. good night",
     "thank you for everything. goodbye everyone",
     "할머니 산소 다녀왔어. 할머니 잘 있으렴"],
)  # fmt: skip
def test_what_sounds_like_a_goodbye_is_none(message: str) -> None:
    assert goodbye_at_the_end(Answers(), message) == ""


@pytest.mark.parametrize(
    "message",
    ["we broke up last night. my last words to him, take care", "he texted me, see you tomorrow", "then he said, bye",
     "그 사람이 나한테 수고해", "팀장님이 퇴근하면서 수고하세요",
     "오늘 소개팅했어. 그 사람이 마지막에 담에 봐요", "엄마가 방에 들어가라",
     "남편은 이제 낚시하러 간다", "우리 딸 드디어 입학했어. 이제 학교 놀러 가요",
     "엄마가 금방 다녀올게", "오빠가 그럼 밥 먹으러 간다"],
)  # fmt: skip
def test_somebody_elses_goodbye_is_none(message: str) -> None:
    assert goodbye_at_the_end(Answers(), message) == ""


@pytest.mark.parametrize(
    "message",
    ["요즘은 이제 아침마다 운동하러 간다", "이제 수술하러 갑니다", "이제 정신과 상담 받으러 가야겠네",
     "right, i'm off to A&E", "well i'm off to my mum's funeral", "ok im off to rehab", "well i'm out to my parents"],
)  # fmt: skip
def test_a_habit_and_a_grave_errand_are_no_goodbyes(message: str) -> None:
    assert goodbye_at_the_end(Answers(), message) == ""


@pytest.mark.parametrize(
    "message",
    ["like i said, gotta go", "my boss texted me, gotta go", "엄마가 부른다 수고해",
     "배터리가 별로 없어 이만 끊을게",
     "남편이 밥 차렸대. 이제 먹으러 간다",
     "버스 왔다. 이제 밥 먹으러 간다", "엄마가 오라고 해서 이제 밥 먹으러 간다", "ok i'm out", "right i'm off now"],
)  # fmt: skip
def test_who_is_called_away_says_goodbye(message: str) -> None:
    assert goodbye_at_the_end(Answers(), message)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("ok gonna go grind calc, wish me luck for tmrw.", ""),
        ("thats right. boys are climbing the fridge gotta run. wish me luck lora, talk soon", ""),
        ("my left hand is always cold. gotta go", "my left hand is always cold."),
        ("i gotta run a marathon in may", "i gotta run a marathon in may"), ("", ""),
        ("요즘 무릎이 너무 시려. 또 올게", "요즘 무릎이 너무 시려."),
        ("나 이제 알바 가야됨 ㅠ 담에 또 올게 ㅂㅂ", ""), ("맞아. 내일 면접이야 응원해줘!", "맞아. 내일 면접이야"),
    ],
)  # fmt: skip
def test_goodbyes_are_no_part_of_what_is_told(message: str, told: str) -> None:
    assert without_goodbyes(message) == told


def test_a_complaint_is_heard_before_the_goodbye() -> None:
    assert goodbye_at_the_end(Answers(), "ugh rough day. gotta go") == ""
    assert goodbye_at_the_end(Answers(), "my dog died, gotta go") == "", "also in the same sentence"


def test_a_goodbye_is_answered_by_one_whatever_its_words_sound_like() -> None:
    answers = Answers()
    said = [
        GeneralAnswer(intent, "en", intent, "happy", 0.5) for intent in ("rains", "good_night", "leaves", "goodbye")
    ]
    answers.best = lambda message, before, language: said
    assert [one.intent for one in farewells(answers, "ta ra", "en")] == ["leaves", "goodbye"]
    assert [one.intent for one in farewells(answers, "sleep well", "en")] == ["good_night", "leaves", "goodbye"]
    assert plain_goodbye("it rains") == "" and farewells(answers, "", "en")[0].intent == "leaves"


@pytest.mark.parametrize("message", [
    "더 이상 못 버티겠어. 안녕히 계세요", "더는 못 살겠어 다들 잘 있어라", "이번 생은 끝이야. 그럼 잘 있어",
    "나 이제 뛰어내리러 간다",
    "나 이제 죽으러 간다", "i can't go on. goodbye", "i don't want to live anymore. goodbye", "i want to end it. bye",
    "아빠 영정 보고 올게",
])  # fmt: skip
def test_a_farewell_of_despair_is_no_mere_goodbye(message: str) -> None:
    assert plainly_leaves(message) == ""


@pytest.mark.parametrize(
    ("message", "told"),
    [("my interview is on friday at 9, wish me luck", "my interview is on friday at 9"), ("내일 면접 응원해줘",
     "내일 면접"),
     ("mum has cancer, gotta go", "mum has cancer"), ("내일 9시 치과 예약, 나 이제 갈게", "내일 9시 치과 예약"),
     ("thats right. boys are climbing the fridge gotta run. talk soon", ""), ("i like tea", "i like tea")],
)  # fmt: skip
def test_what_is_told_beside_a_goodbye_is_kept(message: str, told: str) -> None:
    assert without_goodbyes(message) == told
