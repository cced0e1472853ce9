"""What a message is about is known by its words, and answered by what fits whatever is told of it."""

from __future__ import annotations

import json

import pytest

from ohlora.config import DATA
from ohlora.llm.dialogues import REPLY_LIMIT
from ohlora.llm.language import text_language
from ohlora.rag.intents import GeneralAnswer
from ohlora.rag.topics import TopicAnswers, _topics, read_topic_answers, topics_of


@pytest.mark.parametrize(
    ("message", "topic"),
    [
        ("집에 오니까 우리 강아지가 반겨줬어", "dog"),
        ("my cat biscuit sat on my lap", "cat"),
        ("12월 19일에 이사해. 짐 쌀 생각하니까 피곤하다", "moving_house"),
        ("taking the kids camping, theyre gonna complain", "camping"),
        ("아니 비와서 못 갔다니까", "rain"),
        ("오늘 팀장이랑 면접 봤어", "job_interview"),
        ("고민이 많네", ""),
        ("비밀이야", ""),
        ("개맛있어", ""),
        ("nothing much", ""),
        ("I scattered it", ""),
        ("", ""),
    ],
)
def test_the_topic_of_a_message_is_known_by_its_words(message: str, topic: str) -> None:
    assert next((one.name for one in topics_of(message)), "") == topic


def test_what_is_told_comes_before_who_takes_part_and_the_last_word_before_the_first() -> None:
    assert [one.name for one in topics_of("my sister gave me a guitar")] == ["guitar", "sibling"]
    assert [one.name for one in topics_of("a guitar, then a camera")] == ["photography", "guitar"]


def answer(topic: str, kind: str, reply: str) -> GeneralAnswer:
    return GeneralAnswer(f"{topic}/{kind}", "en", reply, "happy", 0.5)


def test_an_answer_fits_the_topic_and_what_is_told_of_it() -> None:
    answers = TopicAnswers(
        [
            answer("cat", "tells_good", "Purr."),
            answer("cat", "tells_neutral", "Whiskers."),
            answer("guitar", "tells_good", "Strum."),
        ]
    )
    assert [one.reply for one in answers.answers("my cat learned a trick", "tells_good", "en")] == ["Purr."]
    assert [one.reply for one in answers.answers("my cat sat there", "tells_neutral", "en")] == ["Whiskers."]
    assert answers.answers("my cat is ill", "tells_bad", "en") == []
    assert answers.answers("my cat learned a trick", "tells_good", "ko") == []
    assert answers.answers("a good day", "tells_good", "en") == []
    both = "my cat sat on the guitar"
    assert [one.reply for one in answers.answers(both, "tells_good", "en")] == ["Strum."]
    assert [one.reply for one in answers.answers(both, "tells_good", "en", heart="my cat")] == ["Purr."]


def test_every_topic_has_answers_of_each_kind_in_both_languages_and_words_of_its_own() -> None:
    found = {(one.intent, one.language) for one in read_topic_answers()}
    wanted = {f"{name}/tells_good" for name in _topics()}
    wanted |= {f"{name}/tells_neutral" for name, entry in _topics().items() if not entry.get("people")}
    assert found == {(intent, language) for intent in wanted for language in ("ko", "en")}
    words = [word for entry in _topics().values() for word in (*entry["ko"], *entry["en"])]
    assert len(words) == len(set(words)), "a word belongs to one topic"
    assert all(topics_of(entry["en"][0])[0].name == name for name, entry in _topics().items())


def test_the_answers_are_lines_of_hers() -> None:
    rows = [json.loads(line) for line in (DATA / "answers" / "topics.jsonl").read_text(encoding="utf-8").splitlines()]
    replies = [row["reply"] for row in rows]
    assert len(replies) == len(set(replies)) > 1500
    for row in rows:
        assert text_language(row["reply"]) == row["language"], row
        assert len(row["reply"]) <= REPLY_LIMIT[row["language"]] and row["reply"] == row["reply"].strip(), row
        assert not set(row["reply"]) & set('"|<>\n'), row
    questions = [row for row in rows if row["reply"].endswith("?")]
    assert len(questions) < 0.5 * len(rows), "a friend does not only ask"
