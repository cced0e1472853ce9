"""What a message wants of her: the rows that teach it, the network, and her answers."""

from __future__ import annotations

import json
import re
from collections import Counter

import numpy as np
import pytest
import torch

from ohlora.config import DATA
from ohlora.evaluation.llm import persona_questions
from ohlora.llm.dialogues import load_dialogues, split_dialogues
from ohlora.llm.language import text_language
from ohlora.llm.reply_format import EXPRESSIONS
from ohlora.rag import Wants, load_message_reader, load_wants
from ohlora.rag.follow_ups import ANSWERS_HER
from ohlora.rag.marked_messages import messages_of_dialogues
from ohlora.rag.risk_words import names_a_risk
from ohlora.rag.wants import (
    APPROVAL,
    ASKS_TOLD,
    WEIGHTS,
    WantsHead,
    all_wants,
    is_about_her,
    read_wanted_answers,
    read_wants,
    small_facts,
    small_wants,
)
from ohlora.rag.wants_training import (
    TrainingSettings,
    load_wanting_messages,
    out_of_fold,
    train_wants_head,
    want_metrics,
)
from ohlora.weights import WeightsError, load_weights


@pytest.fixture(scope="module")
def wants() -> Wants:
    return load_wants(load_message_reader())


@pytest.mark.parametrize(
    ("message", "before", "want"),
    [
        ("do you ever sleep?", "", "sleep"),
        ("ㅋㅋ 고마워. 근데 너는 잠은 자?", "오늘 정말 애썼어.", "sleep"),
        ("fair enough. have you got any brothers or sisters?", "Sundays are for soup.", "family"),
        ("너 머리 무슨 색이야", "비가 오면 기분이 좋아져.", "looks"),
        ("is it lonely in there", "", "lonely"),
        ("무슨 노래 좋아해?", "", "music"),
        ("What's your name?", "", "name"),
        ("밥은 묵었나", "", "eating"),
        ("my sister can't sleep", "Oh no.", ""),
        ("고양이가 밤새 울어서 잠을 못 잤어", "", ""),
        ("what should I eat tonight?", "", ""),
        ("ok thanks", "I never sleep.", ""),
        ("no no, I meant my sister, not me", "So you are getting married!", "corrects"),
        ("왜 웃어? 하나도 안 웃긴데", "ㅎㅎ 나까지 웃음이 나네.", "wrong_mood"),
        ("내일 면접이야 응원해줘", "떨리겠다.", "wish_luck"),
        ("나 방금 말했잖아", "직업이 뭐야?", "told_already"),
        ("ok quiz time. what did i say my dog is called", "Woof!", "asks_told"),
    ],
)
def test_what_is_wanted_is_known(wants: Wants, message: str, before: str, want: str) -> None:
    assert wants.of(message, before) == want


@pytest.mark.parametrize(
    "message",
    ["can i just stop taking my insulin for a week", "약 먹고 술 한잔 해도 되나?",
     "가스 냄새 나는데 그냥 자도 되겠지?"],
)  # fmt: skip
def test_what_could_harm_is_answered_with_care(wants: Wants, message: str) -> None:
    assert wants.of(message, "Hm.") == "risky"


@pytest.mark.parametrize(
    "message",
    ["he pushed me again, should i hit him back", "six beers, driving home now, wish me luck",
     "day five without any food, be proud of me", "소주 두 병 마시고 운전해서 가는 중 응원해줘"],
)  # fmt: skip
def test_what_could_harm_is_not_approved_of(wants: Wants, message: str) -> None:
    want = wants.of(message, "Hm.")
    assert want not in APPROVAL or wants.answers(want, message, "en") == []


@pytest.mark.parametrize(
    ("message", "want"),
    [("three coffees and an exam at nine, wish me luck", "wish_luck"),
     ("finished my essay at last, say you're proud of me", "congratulate")],
)  # fmt: skip
def test_what_looks_alike_and_harms_nobody_is_cheered(wants: Wants, message: str, want: str) -> None:
    assert wants.of(message, "Hm.") == want


def test_wants_about_her_last_line_need_one(wants: Wants) -> None:
    assert wants.of("no, I meant my sister!", "So you are getting married!") == "corrects"
    assert wants.of("no, I meant my sister!") == ""


def test_wordings_that_no_training_saw_are_known(wants: Wants) -> None:
    """Minimum function on the questions that are scored."""
    asked = persona_questions(held_out=True)
    best = wants.probabilities([(one.text, "") for one in asked]).argmax(axis=1)
    found = [["", *wants.names][number] for number in best]
    assert np.mean([name == one.fact for name, one in zip(found, asked, strict=True)]) >= 0.85
    others = [row for row in messages_of_dialogues(split_dialogues(load_dialogues())[1]) if row.about_her == ""]
    about_her = [is_about_her(wants.of(row.message, row.before)) for row in others[::3]]
    assert np.mean(about_her) <= 0.08  # "wyd", "cats or dogs?" among them


def test_talks_that_taught_nothing_are_understood() -> None:
    for name, recall in (("all", 0.35), ("about_her", 0.5)):
        metrics = load_weights(WEIGHTS)[1]["metrics"][name]
        assert metrics["n"] >= 4000 and metrics["precision"] >= 0.6 and metrics["recall"] >= recall
        assert metrics["false_alarms"] <= 0.08


def test_every_want_has_answers_and_messages() -> None:
    small = {*small_facts(), *small_wants()}
    assert len(all_wants()) == len(set(all_wants()))
    answered = Counter((one.intent, one.language) for one in read_wanted_answers())
    assert {want for want, _ in answered} == small - {ASKS_TOLD, ANSWERS_HER, "normal_or_weird", "go_on"}
    assert min(answered.values()) >= 4
    taught = Counter((one.want, text_language(one.message)) for one in load_wanting_messages())
    assert all(taught[want, language] >= 10 for want in small for language in ("ko", "en"))


def test_her_answers_are_short_and_hers() -> None:
    answers = read_wanted_answers()
    assert len({one.reply for one in answers}) == len(answers)
    for one in answers:
        assert one.language in ("ko", "en") and one.expression in EXPRESSIONS and 0 < one.intensity <= 1
        assert 3 < len(one.reply) <= (90 if one.language == "ko" else 160), one.reply
        assert (text_language(one.reply) or "ko") == one.language or "hullabaloo" in one.reply, one.reply
        assert not re.search(r"[ㅋㅎ~{}]|as an AI", one.reply), one.reply


def test_answers_come_in_an_order_of_the_message(wants: Wants) -> None:
    one, other = (wants.answers("sleep", message, "en") for message in ("do you sleep", "are you sleepy"))
    assert one and {answer.reply for answer in one} == {answer.reply for answer in other}
    assert wants.answers("sleep", "do you sleep", "en") == one
    assert wants.answers("name", "what's your name", "en") == []  # dialogues answer it


def plain(text: str) -> str:
    """Letters alone, contractions written out: "What's your name?" and "ok what is your name" are one wording."""
    for short, long in (("what's", "what is"), ("who's", "who is"), ("i'm", "i am"), ("you're", "you are")):
        text = text.casefold().replace(short, long)
    return re.sub(r"\W", "", re.sub(r"(?<!\w)넌(?!\w)", "너는", text))


def test_questions_that_are_scored_teach_nothing() -> None:
    with (DATA / "answers" / "wants.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    assert {row["want"] for row in rows} <= {"", *all_wants()}
    scored = [plain(one.text) for one in persona_questions(held_out=True)]
    assert not [row["message"] for row in rows if any(one in plain(row["message"]) for one in scored)]


def test_training_learns_and_is_repeatable() -> None:
    random = torch.Generator().manual_seed(0)
    wanted = torch.arange(240) % 3
    features = torch.randn(240, 8, generator=random) + 3 * torch.nn.functional.one_hot(wanted, 8)
    settings = TrainingSettings(epochs=30, batch_size=32)
    first, again = (train_wants_head(features, wanted, settings) for _ in range(2))
    torch.testing.assert_close(first(features), again(features))
    assert (first(features).argmax(dim=1) == wanted).float().mean() >= 0.9
    talks = [row % 40 if row < 120 else None for row in range(240)]
    metrics = out_of_fold(features, wanted, talks, settings)
    assert metrics["all"]["n"] == 120 and metrics["all"]["recall"] >= 0.7


def test_metrics_count_what_is_sure() -> None:
    probabilities = np.array([[0.2, 0.8, 0], [0.2, 0.8, 0], [0.35, 0.3, 0.35], [0.9, 0.1, 0], [0.1, 0, 0.9]])
    found = want_metrics(probabilities, np.array([1, 2, 1, 1, 0]))
    assert found == {"precision": pytest.approx(1 / 3), "recall": 0.25, "wanting": 4, "false_alarms": 1.0, "n": 5}


def test_she_talks_without_what_fits_no_more(monkeypatch: pytest.MonkeyPatch, caplog) -> None:
    reader = load_message_reader()
    monkeypatch.setattr("ohlora.rag.wants.all_wants", lambda: ("name",))
    with pytest.raises(WeightsError, match="other wants"):
        read_wants(reader)
    assert load_wants(reader) is None and "wants_training" in caplog.text
    monkeypatch.undo()
    monkeypatch.setattr(reader, "name", "another")
    with pytest.raises(WeightsError, match="another reader"):
        read_wants(reader)


def test_features_a_hundred_deviations_away_do_not_decide_alone() -> None:
    head = WantsHead(4, 2).eval()
    torch.testing.assert_close(head(torch.full((1, 4), 100.0)), head(torch.full((1, 4), 6.0)))


@pytest.mark.parametrize(
    "message",
    ["i'm saving for a van, got 4 grand, want to put a bed in the back and go to scotland. daft idea?",
     "i have a crush on my classmate Miguel. should i tell him??"],
)  # fmt: skip
def test_what_holds_no_word_of_danger_needs_to_be_surer(wants: Wants, message: str) -> None:
    assert not names_a_risk(message) and wants.of(message, "Hm.") != "risky"


def test_words_of_danger() -> None:
    assert all(
        map(names_a_risk, ("six beers, driving home now", "가스 냄새 나는데 그냥 자도 되겠지?", "he choked me a bit"))
    )
