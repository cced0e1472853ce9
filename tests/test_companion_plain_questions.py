"""Plain questions about her are known wherever they stand at the end of a message."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohlora.companion.answer import read_message
from ohlora.companion.plain_questions import asks_for_her_view, asks_to_imagine, offers_to_tell, plainly_asked
from ohlora.config import DATA
from ohlora.rag import Reading
from ohlora.rag.marked_messages import facts_about_her
from ohlora.rag.wants import is_about_her


@pytest.mark.parametrize(
    ("message", "fact"),
    [
        ("aw thanks. do u even get nervous tho or r u just like a robot", "nervous"),
        ("Good evening, it is your old bus driver again. Did you miss me?", "waits_for_me"),
        ("hi! i am Rafael. how are you tonight?", "mood"), ("how are you? my dog died", ""),
        ("Do you play chess at all? I play it by mail with Harold.", "games"),
        ("됐고 오로라님은 연애해봤어요?", "love_life"), ("do you have siblings? what's my sister's name?", ""),
        ("did you miss the bus?", ""), ("do you have a cat food tip", ""), ("우리 언니는 연애해 봤어", ""),
        ("오로라야 아저씨 왔다. 밥은 뭇나", "eating"), ("밥 묵었나", "eating"), ("니 저녁 묵었노?", "eating"),
        ("아들은 밥은 뭇나 모르겠다", ""), ("밥 묵었다", ""), ("호텔에 묵었나 봐", ""),
        ("근데 오로라씨는 밥은 먹어요? 궁금하네", "eating"), ("우리 애는 밥은 잘 먹어요?", ""),
        ("그럼 오로라씨는 취미는 있어요? 저는 낚시", "hobby"), ("do you eat meat tho", ""),
        ("huh? fish? haha what do u mean. do u even drink coffee ohlora?", "drinks"), ("do you drink and drive", ""),
        ("thank u haha. do u sing ohlora? im in a choir", "voice"), ("how do you cook rice", ""),
        ("저는 처음이에요. 오로라씨는 저녁 드셨어요?", "eating"), ("오로라씨는 생일이 언제예요?", "birthday"),
        ("what about you, do u have a crush?", "love_life"), ("do you sleep at all", "sleep"),
        ("오로라씨 잘 지냈어요?", "mood"), ("걔는 잘 지냈어?", ""),
        ("너 개그감 있어?", ""), ('he texted me "do you miss me?"', ""), ("걔가 너 연애해봤냐고 물어봤어", ""),
        ("ugh he dumped me. how are you?", ""), ("do you have a family recipe?", ""), ("누나 기다렸어?", ""),
        ("너 고향이 어디야?", "origin"), ("너 뭐하고 있어?", "doing"), ("how often do you eat?", ""),
        ("do you have a brother or a sister?", "family"),
        ("너는 개 키워?", "pets"), ("내일 뭐 해?", ""), ("오로라님은 어디 사세요?", "home"), ("", ""),
    ],
)  # fmt: skip
def test_what_is_plainly_asked(message: str, fact: str) -> None:
    assert plainly_asked(message) == fact


def test_few_of_the_messages_whose_wants_are_known_ask_for_something_else() -> None:
    """Of data/answers/wants.jsonl and data/persona/questions.jsonl; "" beside them is a row that nobody labelled so."""
    rows = []
    for name, key in (("answers/wants.jsonl", "want"), ("persona/questions.jsonl", "fact")):
        with (DATA / name).open(encoding="utf-8") as file:
            rows += [(row["message"], row[key]) for row in map(json.loads, file)]
    found = [(fact, want) for message, want in rows if (fact := plainly_asked(message))]
    assert len(found) > 100
    assert sum(fact == want for fact, want in found) / len(found) > 0.8
    assert all(is_about_her(fact) or fact in facts_about_her() for fact, _ in found)


@given(st.text(max_size=300))
def test_any_message_is_read(message: str) -> None:
    fact = plainly_asked(message)
    assert fact == "" or is_about_her(fact)


class HearsAQuestion:
    """A reader to whom every message asks for what was told."""

    def read(self, message: str, before: str) -> Reading:
        return Reading(0.0, 0.0, 0.0, 0.9, may_ask=True, surely_asks=True)


class Wants:
    def __init__(self, want: str, asks_told: float) -> None:
        self.want, self.probability = want, asks_told

    def of(self, message: str, before: str) -> str:
        return self.want

    def asks_told(self, message: str, before: str) -> float:
        return self.probability


def test_a_reader_that_hears_a_question_for_something_told_is_overruled() -> None:
    wants = Wants("", 0.2)
    reading = read_message(HearsAQuestion(), wants, "됐고 오로라님은 연애해봤어요?", ())
    assert reading.about_her == "love_life" and not reading.surely_asks
    assert read_message(HearsAQuestion(), wants, "내 시험 언제라고 했지?", ()).surely_asks


@pytest.mark.parametrize(
    ("message", "asks", "imagines"),
    [
        ("저는 떡볶이 먹고 싶은데... 둘 중에 뭐가 나을까요?", True, False), ("답장할까 말까 솔직히", True, False),
        ("제가 예민한 걸까요?", True, False),
        ("what would you do first if you had a van", True, True), ("너라면 어디 살래", True, True),
        ("내 시험 언제라고 했지?", False, False), ("would you remind me of the date?", False, False),
        ("what should I stay away from?", False, False), ("what do you know about me?", False, False),
    ],
)  # fmt: skip
def test_who_asks_for_her_view_asks_for_nothing_that_was_told(message: str, asks: bool, imagines: bool) -> None:
    assert asks_for_her_view(message) is asks and asks_to_imagine(message) is imagines
    assert read_message(HearsAQuestion(), Wants("asks_told", 0.9), message, ()).surely_asks is not asks


@pytest.mark.parametrize(
    ("message", "offers"),
    [
        ("야 나 왔다 ㅠㅠ 채원이랑 초밥먹은 썰 들을래?", True), ("wanna hear what he said", True),
        ("오늘 있었던 얘기 해줄까", True), ("can i tell you something?", True), ("내 얘기 들었어?", False),
        ("음악 들을래?", False), ("what did i hear", False),
    ],
)  # fmt: skip
def test_who_offers_to_tell_asks_for_nothing_told(message: str, offers: bool) -> None:
    assert offers_to_tell(message) is offers


def test_a_cat_that_may_be_taken_in_asks_for_no_view() -> None:
    assert not asks_for_her_view("내가 데려올까말까 하는 고양이 이름은 알지?")
    assert asks_for_her_view("데려올까 말까")


@pytest.mark.parametrize("message", [
    "i want to know what time my flight is", "I just want to know what my cat's name was",
    "i dont want to hear about it",
])  # fmt: skip
def test_who_wants_to_know_offers_nothing(message: str) -> None:
    assert not offers_to_tell(message)


@pytest.mark.parametrize(
    ("message", "fact"),
    [("니는 이름이 뭐꼬", "name"), ("아니 니 이름 말이다 니 이름ㅋㅋ", "name"), ("what's your name again?", "name"),
     ("내 이름이 뭐게", ""), ("우리 언니 이름이 뭐더라", ""), ("what's my name", ""),
     ("너 내 강아지 이름이 뭔지 알아?", "")],
)  # fmt: skip
def test_her_name_is_no_name_that_was_told(message: str, fact: str) -> None:
    assert plainly_asked(message) == fact


@pytest.mark.parametrize(
    "message", ["넌 이름 뭐가 예뻐? 딸 이름 고민중", "너 이름 뭐로 지을까 우리 고양이", "니 이름 뭐라고 저장했게"]
)
def test_who_looks_for_a_name_does_not_ask_hers(message: str) -> None:
    assert plainly_asked(message) == ""
