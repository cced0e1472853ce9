"""What a message does, and answers that fit whatever does it."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
import yaml

from ohlora.config import DATA
from ohlora.llm.reply_format import EXPRESSIONS, parse_reply
from ohlora.llm.rules import keeps_language
from ohlora.rag import (
    detect_language,
    load_general_answers,
    load_intent_regression,
)
from ohlora.rag.answer_fit import load_judged_answers
from ohlora.rag.intents import (
    CLEAR_ALONE,
    FOR_COMPLAINTS,
    GLAD,
    SOUNDS_BAD,
    SURE_ALONE,
    SURE_INTENT,
    SURE_TOLD_TOGETHER,
    UNCLEAR_TOGETHER,
    GeneralAnswer,
    GeneralAnswers,
    act_of_intent,
    heard_together,
    kind_of,
    kind_of_act,
    load_second_messages,
)
from ohlora.weights import WeightsError, load_weights

ROWS = [json.loads(line) for line in (DATA / "answers" / "messages.jsonl").read_text(encoding="utf-8").splitlines()]
ANSWERS = [
    GeneralAnswer(**json.loads(line))
    for line in (DATA / "answers" / "general.jsonl").read_text(encoding="utf-8").splitlines()
]


def answers_for(**probabilities: float) -> GeneralAnswers:
    """All answers, where every message has these probabilities of intents; what is left is spread over the others."""
    intents = list(act_of_intent())
    found = np.full(len(intents), (1 - sum(probabilities.values())) / len(intents), np.float32)
    for intent, probability in probabilities.items():
        found[intents.index(intent)] += probability
    return GeneralAnswers(ANSWERS, lambda message: found)


def test_intents_are_told_apart_by_name() -> None:
    acts = yaml.safe_load((DATA / "answers" / "intents.yaml").read_text(encoding="utf-8"))
    names = [intent for entry in acts.values() for intent in entry["intents"]]
    groups = {*acts, *(entry.get("kind") for entry in acts.values())}
    assert len(names) == len(set(names)) and not set(names) & groups, "an answer belongs to one of them"
    assert list(act_of_intent()) == names and all(isinstance(name, str) for name in names), "yes and no are no names"


def test_a_value_at_the_beginning_of_a_sentence_is_capitalised() -> None:
    own = [GeneralAnswer("tells_self", "en", reply, "curious", 0.5) for reply in ("{value}? Lovely.", "Ah. {value}!")]
    everything = np.full(len(act_of_intent()), 1 / len(act_of_intent()), np.float32)
    told = GeneralAnswers(own, lambda message: everything)
    for value, said in (("painting", {"Painting? Lovely.", "Ah. Painting!"}), ("eBay", {"eBay? Lovely.", "Ah. eBay!"})):
        assert {one.reply for one in told.of_intent("tells_self", "hm", "en", value)} == said


def test_every_intent_has_messages_that_nobody_judged() -> None:
    counts = Counter((row["intent"], row["language"]) for row in ROWS)
    assert set(act_of_intent()) == {intent for intent, _ in counts} and min(counts.values()) >= 20
    assert len({row["message"].casefold() for row in ROWS}) == len(ROWS)
    assert not {one.message for one in load_judged_answers()} & {row["message"] for row in ROWS}


def test_general_answers_can_be_said() -> None:
    """Each is in the reply format, in its language, once, short; every intent has enough of them in both languages."""
    for one in ANSWERS:
        reply = parse_reply(one.target())
        assert reply.expression in EXPRESSIONS and keeps_language(one.reply.replace("{value}", ""), one.language), one
        assert len(one.reply) <= (90 if one.language == "ko" else 160)
    assert len({one.reply for one in ANSWERS}) == len(ANSWERS)
    counts = Counter((one.intent, one.language) for one in ANSWERS if "{value}" not in one.reply)
    kinds = set(filter(None, kind_of_act().values()))
    assert {intent for intent, _ in counts} <= {*act_of_intent(), *act_of_intent().values(), *kinds}
    assert all(counts[kind, language] >= 10 for kind in kinds for language in ("ko", "en"))
    assert all(counts[intent, language] >= 3 for intent in act_of_intent() for language in ("ko", "en"))
    assert {one.intent.split("_")[0] for one in ANSWERS if "{value}" in one.reply} == {"tells"}


def test_the_intent_is_answered_before_its_act_and_its_kind() -> None:
    sure = answers_for(exhausted=SURE_INTENT + 0.1)
    assert sure.understood("so tired") == ["exhausted", "tired", "tells_bad"]
    found = sure.answers("so tired", "en")
    assert [*dict.fromkeys(one.intent for one in found)] == ["exhausted", "tired", "tells_bad"]
    other = sure.answers("worn out", "en")
    assert found != other and set(found) == set(other), "other words, another answer first"
    unsure = answers_for(exhausted=0.2, sleepy=0.2, cannot_sleep=0.2)
    assert unsure.understood("so tired") == ["tired", "tells_bad"]
    assert answers_for(exhausted=0.03, scolded=0.03).understood("so it went") == ["tells_bad"]
    assert answers_for(good_night=0.9).understood("bye") == ["good_night", "leaves"], "a greeting is of no kind"


def test_two_messages_are_to_be_understood_more_surely_than_one() -> None:
    answers = answers_for(exhausted=SURE_TOLD_TOGETHER - 0.2)
    assert answers_for(exhausted=0.4, scolded=0.3).understood("a day / a bus", together=True) == ["tells_bad"]
    assert answers.understood("a long day / and then the bus", together=True) == ["tells_neutral"]
    assert answers.understood("a long day")[0] == "exhausted"
    asks = answers_for(asks_self_advice=SURE_TOLD_TOGETHER - 0.1)
    assert asks.understood("a long day / what now?", together=True)[0] == "asks_self_advice", "it wants an answer"


def test_what_was_told_is_named_first() -> None:
    replies = [("How old?", "curious"), ("{value}! Lovely.", "happy")]
    answers = GeneralAnswers(
        [GeneralAnswer("tells_pet", "en", reply, face, 0.5) for reply, face in replies],
        answers_for(tells_pet=0.9).probabilities,
    )
    assert [one.reply for one in answers.answers("I have Pixel", "en")] == ["How old?"], "no value is known"
    sure = answers.answers("I have Pixel", "en", "Pixel <the {cat}>")
    assert [one.reply for one in sure] == ["Pixel <the {cat}>! Lovely.", "How old?"]
    assert parse_reply(sure[0].target()).text == "Pixel ‹the {cat}›! Lovely."


def test_a_message_that_says_little_alone_is_heard_with_the_one_before() -> None:
    before = "my dog died yesterday"
    unsure = answers_for(tells_pet=SURE_ALONE - 0.1)
    assert unsure.in_talk("fourteen", before) == heard_together(before, "fourteen")
    assert unsure.in_talk("fourteen", "") == "fourteen"
    sure = answers_for(good_night=SURE_ALONE + 0.04)
    assert sure.in_talk("good night", before) == "good night"


def test_what_is_clear_alone_and_unclear_together_begins_something_else() -> None:
    alone, both = answers_for(failed=CLEAR_ALONE + 0.1), answers_for(failed=UNCLEAR_TOGETHER - 0.1)
    answers = GeneralAnswers(ANSWERS, lambda one: (both if "/" in one else alone).probabilities(one))
    assert answers.in_talk("I messed up my talk", "what's my name?") == "I messed up my talk"


def test_second_messages_that_teach_are_apart_from_those_that_choose_and_those_that_test() -> None:
    taught, chosen = ({message for _, message in load_second_messages(part)[0]} for part in (False, True))
    assert len(taught) > 1000 and len(chosen) > 500
    with (DATA / "answers" / "talk.jsonl").open(encoding="utf-8") as file:
        tested = [json.loads(line) for line in file]
    long = {row[name] for row in tested for name in ("before", "message") if len(row[name]) > 10}
    first = {before for part in (False, True) for before, _ in load_second_messages(part)[0]}
    assert not long & (taught | chosen | first)
    assert len(taught & chosen) < 0.05 * len(chosen), "only 'haha' and the like stand in both"


@pytest.fixture(scope="module")
def regression():
    return load_intent_regression()


@pytest.mark.parametrize(
    ("message", "act"),
    [("심심해", "bored"), ("what should I cook for dinner?", "asks_idea"), ("I passed my exam!!", "good_news"),
     ("잘 자", "leaves"), ("월요일 진짜 싫다", "complains"), ("나 요즘 클라이밍에 빠졌어", "tells_self")],
)  # fmt: skip
def test_plain_messages_are_understood_and_answered(regression, message: str, act: str) -> None:
    answers, language = load_general_answers(regression.probabilities), detect_language(message)
    named = answers.understood(message)[0]
    assert act_of_intent().get(named, named) == act
    found = answers.answers(message, language)
    assert found and {one.language for one in found} == {language}
    assert not any("{value}" in one.reply for one in found)


def test_two_opinions_are_better_than_each() -> None:
    """Minimum function, on messages of other writers than those that both learned from."""
    found = load_weights("intent_regression")[1]["metrics"]
    alone = max(found[name]["accuracy"] for name in ("meaning", "spelling"))
    assert found["together"]["accuracy"] > alone > 10 * found["together"]["most_frequent_intent"]
    assert found["together"]["accuracy_where_sure"] > found["together"]["accuracy"]
    assert found["together"]["n"] == len([one for one in load_judged_answers() if one.intent])


def test_both_opinions_together_are_a_distribution(regression) -> None:
    for message in ("I'm so tired, long day", "🎂", "?", "가" * 600):
        found = regression.probabilities(message)
        assert found.sum() == pytest.approx(1, abs=1e-4) and (found >= 0).all()


def test_a_regression_of_other_intents_is_refused(monkeypatch) -> None:
    fewer = dict(list(act_of_intent().items())[1:])
    monkeypatch.setattr("ohlora.rag.intent_regression.act_of_intent", lambda: fewer)
    with pytest.raises(WeightsError, match="knows other intents"):
        load_intent_regression()


def test_trouble_behind_praise_sounds_bad_though_the_whole_does_not() -> None:
    glad, bad = answers_for(lucky=0.6), answers_for(failed=0.6)
    found = answers_for()
    found.probabilities = lambda text: (bad if text == "we had a fight." else glad).probabilities(text)
    assert not found.sounds_bad("right, well done! lovely") and found.sounds_bad("right, well done! we had a fight.")


def test_who_may_be_in_trouble_is_not_met_with_joy() -> None:
    """Glad answers come after the others, unless they are surely good."""
    troubled = answers_for(failed=0.35, lucky=0.1)
    assert troubled.sounds_bad("3등급 나올 것 같아") and not answers_for(failed=0.35, lucky=0.4).sounds_bad("hm")
    scores = np.linspace(0.6, 0.3, len(ANSWERS)).astype(np.float32)
    found = GeneralAnswers(ANSWERS, troubled.probabilities, scores=lambda alone, both, rows: scores[: len(rows)])
    glad = [one.expression in GLAD for one in found.best("hm", "", "en")]
    assert glad == sorted(glad) and any(glad) and not all(glad)
    joyful = GeneralAnswers(ANSWERS, answers_for(lucky=0.6).probabilities, scores=found._scores)
    glad = [one.expression in GLAD for one in joyful.best("hm", "", "en")]
    assert glad != sorted(glad)


def test_what_is_surely_bad_is_not_met_with_what_is_said_to_plain_news() -> None:
    scores = np.linspace(0.6, 0.3, len(ANSWERS)).astype(np.float32)

    def acts_and_kinds(probability: float) -> list[set[str]]:
        heard = answers_for(health_worry=probability).probabilities
        found = GeneralAnswers(ANSWERS, heard, scores=lambda alone, both, rows: scores[: len(rows)])
        return [{kind_of(one.intent), act_of_intent().get(one.intent, "")} for one in found.best("hm", "", "en")]

    assert [bool(FOR_COMPLAINTS & one) for one in acts_and_kinds(0.9)][:5] == [True] * 5
    assert not all(FOR_COMPLAINTS & one for one in acts_and_kinds(0.7)[:5])


@pytest.mark.parametrize(
    ("message", "complains_of_it"),
    [
        ("ㅋㅋㅋ 오늘 진상 만나서 개빡침", True), ("야 생일 잘 보냈다 근데 기분 구려", True),
        ("국시 준비하느라 죽을맛임 ㅠㅠ", True),
        ("ugh rough day at the clinic", True), ("나 혼자 독박육아 ㅠ", True),
        ("만차였는데 한 대 빠지더라", False),
        ("길고양이 귀여워 미치겠다", False),
        ("간장게장은 밥도둑", False),
        ("그게 첫 차였어", False),
        ("not stressed at all today", False),
        ("고백했다가 차였다", True), ("어제 차였어", True), ("진짜 힘든 하루였어", True),
        ("따뜻한 홍차였어", False), ("not really anxious any more", False), ("이제 하나도 안 힘들어", False),
        ("도둑고양이랑 친해졌어", False), ("행복해 미치겠네", False), ("잠이 안 와서 짜증나", True),
        ("나 왔어~ 오늘 완전 녹초야 ㅠㅠ", True), ("녹초 아님 ㅋㅋ", False), ("알바 끝나고 파김치 됐다", True),
        ("파김치 맛있다", False), ("체력 방전", True), ("내는 솔직히 겁난다. 돈도 많이 들고.", True),
        ("겁이 나네요", True),
        ("겁나 재밌다", False), ("겁나게 맛있네", False), ("이제 겁 안 나", False), ("겁났는데 재밌었어", False),
        ("마누라하고 한바탕 했다. 횟집 하자 말자 그걸로", True), ("친구들이랑 한바탕 웃었다", False),
        ("남친이랑 대판 싸움", True), ("엄마랑 말다툼했어", True), ("반에서 꼴찌 다투던 친구", False), ("두렵다", True),
        ("실패를 두려워하지 마", False), ("두렵지 않아", False),
        ("ok bad news. anika has a bf", True), ("no bad news today", False), ("good news and bad news", False),
        ("i feel so stupid", True), ("i don't feel so stupid any more", False), ("i feel so good", False),
        ("Doris passed four years ago this month.", True), ("I passed two years ago, first try", False),
        ("passed my exam", False), ("It passed two weeks ago", False), ("he passed his test a year ago", False),
        ("my nan passed a few weeks ago", True),
        ("didn't make it. his wife made us tea", True), ("i didn't make it up", False),
        ("Unfortunately she also has kidney trouble", True), ("Arsenal till I die, unfortunately", False),
        ("had a massive row with Cari", True), ("had a snowball fight", False), ("got into an argument", True),
        ("we had three in a row", False), ("fell out with my sister", True), ("i'm so scared", True),
        ("i'm scared of pigeons", False), ("im scared lol", False), ("absolutely knackered", True),
        ("i'm completely worn out", True), ("my worn out trainers", False), ("drained the pasta", False),
        ("I hated maths and now I teach it", False), ("소름 돋게 잘 부르더라", False),
    ],
)  # fmt: skip
def test_who_complains_in_plain_words_is_in_trouble_whatever_the_network_hears(
    message: str, complains_of_it: bool
) -> None:
    unclear = answers_for(failed=0.05, lucky=0.6)
    assert unclear.complains(message) is unclear.sounds_bad(message) is complains_of_it
    assert (unclear.trouble(message) >= SOUNDS_BAD) is complains_of_it
    assert not answers_for(lucky=0.95).sounds_bad(message), "good news that are sure outweigh a word"
