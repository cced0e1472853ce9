"""What she says next about her own lines: the rows, how a line is found again, what a message about it gets."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest
import yaml

from ohlora.config import DATA
from ohlora.llm.dialogues import load_dialogues
from ohlora.llm.language import text_language
from ohlora.llm.reply_format import EXPRESSIONS
from ohlora.rag.follow_ups import ANSWERS_HER, ASKS_BACK, FollowUp, FollowUps, read_follow_ups
from ohlora.rag.intents import read_general_answers
from ohlora.rag.topics import read_topic_answers
from ohlora.rag.wants import all_wants, read_wanted_answers

MONEY = FollowUp(
    "What would you do with the money?",
    "en",
    ("I'd have bought a lighthouse.", "Sensible, with one silly corner."),
    "A penny for each eye-roll, I mean.",
    ("laughing", "curious"),
)
NAME = FollowUp(
    '오호, "{value}"! 그 이름엔 어떤 얘기가 숨어 있어?',
    "ko",
    ("이름은 선물이래.",),
    "",
    ("happy", "neutral"),
)


@pytest.fixture
def two() -> FollowUps:
    return FollowUps([MONEY, NAME])


def test_a_line_is_known_with_other_words_before_it(two: FollowUps) -> None:
    assert two.of(MONEY.line) is MONEY
    assert two.of(f"Night shift, wasn't it? You told me on Saturday. {MONEY.line}") is MONEY
    assert two.of(f"{MONEY.line} Or not.") is None and two.of("") is None
    assert two.of('오호, "한별"! 그 이름엔 어떤 얘기가 숨어 있어?') is NAME


def test_an_answer_and_a_question_get_what_was_written_for_them(two: FollowUps) -> None:
    said = two.answers(MONEY.line, ANSWERS_HER, "pay someone to park my car")
    assert {one.reply for one in said} == set(MONEY.answered) and {one.expression for one in said} == {"laughing"}
    for want in ASKS_BACK:
        assert [one.reply for one in two.answers(MONEY.line, want, "what money?")] == [MONEY.asked_back]
    assert two.answers(MONEY.line, "wish_luck", "wish me luck") == two.answers("Hm.", ANSWERS_HER, "yes") == []
    assert two.answers('오호, "한별"! 그 이름엔 어떤 얘기가 숨어 있어?', "why_that", "왜?") == [], "nobody wrote one"


def rows() -> list[dict]:
    with (DATA / "answers" / "follow_ups.jsonl").open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def test_every_row_belongs_to_a_line_of_hers() -> None:
    hers = {one.reply for one in (*read_general_answers(), *read_topic_answers(), *read_wanted_answers())}
    hers |= {one.reply for one in load_dialogues()}
    told = yaml.safe_load((DATA / "persona" / "told_fact.yaml").read_text(encoding="utf-8"))
    hers |= {*told["ko"]["unknown"], *told["en"]["unknown"]}
    lines = [row["line"] for row in rows()]
    assert len(set(lines)) == len(lines) and set(lines) <= hers


def test_nearly_every_general_answer_can_be_asked_about() -> None:
    known = {row["line"] for row in rows() if row["asked_back"]}
    assert sum(one.reply in known for one in read_general_answers()) >= 0.9 * len(read_general_answers())


def test_what_she_says_next_is_short_and_hers() -> None:
    for row in rows():
        said = list(filter(None, [*row["answered"], row["asked_back"]]))
        assert said and len(row["expressions"]) == 2 and set(row["expressions"]) <= {*EXPRESSIONS}, row
        assert len(row["answered"]) in (0, 2) and len(set(said)) == len(said), row
        assert not row["answered"] or row["line"].rstrip().endswith("?"), row
        for one in said:
            assert len(one) <= (90 if row["language"] == "ko" else 170), one
            assert (text_language(one) or row["language"]) == row["language"] or "하늘" in one, one
            assert not re.search(r"[<>|{}\n]|as an AI", one), one


def test_she_does_not_begin_alike() -> None:
    """Read side by side they are not made of one mould."""
    for language in ("ko", "en"):
        begins = Counter(
            " ".join(one.split()[:2])
            for row in rows()
            if row["language"] == language
            for one in (*row["answered"], row["asked_back"])
            if one
        )
        assert begins.most_common(1)[0][1] <= 0.06 * begins.total()


def test_the_wants_that_are_about_her_line_are_known() -> None:
    assert {ANSWERS_HER, *ASKS_BACK} <= {*all_wants()}


def test_every_row_is_found_by_its_line() -> None:
    found = [(row["line"], read_follow_ups().of(row["line"])) for row in rows()]
    assert [line for line, one in found if one is None or one.line != line] == []
