"""What a message is about is known by its words, and answered by what fits whatever is told of it."""

from __future__ import annotations

import json

import pytest

from ohlora.config import DATA
from ohlora.llm.dialogues import REPLY_LIMIT
from ohlora.llm.language import text_language
from ohlora.rag.intents import GeneralAnswer
from ohlora.rag.topics import ASKS_TIP, ASKS_VIEW, TopicAnswers, _topics, asked_kind, read_topic_answers, topics_of


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


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("오로라 씨는 색소폰 소리를 어떻게 생각하세요?", ASKS_VIEW), ("너는 스트레스 받으면 어떻게 풀어?", ASKS_VIEW),
        ("Have you ever grown anything?", ASKS_VIEW), ("what do you think of jazz?", ASKS_VIEW),
        ("너도 고양이 좋아해?", ASKS_VIEW), ("any tips for technical interviews? i always freeze up", ASKS_TIP),
        ("five days to go, what do i do", ASKS_TIP), ("시험 공부 어떻게 해야 돼?", ASKS_TIP),
        ("나 내일까지 과제 해야 돼 ㅠㅠ", ""), ("돌아가신 할머니 생각이 자꾸 나", ""), ("thanks for your opinion", ""),
        ("상사가 조언 좀 해줬는데 기분 나빴어", ""), ("got tips from customers tonight, 40 quid!", ""),
        ("how do i look? new dress", ""),
        ("남친이 날 어떻게 생각하는지 모르겠어", ""),
        ("what do i do for work again?", ""), ("시험 망했어 어떡해ㅠㅠ", ""),
        ("너도 힘들지?", ""), ("I like cats", ""), ("고양이 좋아", ""), ("", ""),
    ],
)  # fmt: skip
def test_who_asks_for_a_view_or_a_tip_is_known(message: str, kind: str) -> None:
    assert asked_kind(message) == kind


def test_who_asks_hears_of_the_topic_of_the_question_and_a_view_of_anything() -> None:
    answers = TopicAnswers(
        [
            answer("cat", ASKS_VIEW, "Cats!"),
            answer("exam", ASKS_TIP, "Start small."),
            answer("nerves", ASKS_TIP, "Breathe."),
            answer("anything", ASKS_VIEW, "I'm for it."),
        ]
    )

    def said(message: str) -> list[str]:
        return [one.reply for one in answers.asked(message, "en")]

    assert said("i have an exam. do you like cats?") == ["Cats!"]
    assert said("my cat sleeps. what do you think?") == ["Cats!"], "the question names nothing"
    assert said("what do you think of taxes?") == ["I'm for it."]
    assert said("do you like taxes?") == [], "no view of whatever it is"
    assert said("exam on friday. any tips?") == ["Start small."]
    assert said("exam on friday and i'm nervous, what do i do") == ["Breathe."], "the last word"
    assert said("my dad hit me and i have an exam, what do i do") == [], "that is graver than any tip"
    assert said("my cat sleeps") == [] and said("any tips for taxes?") == []
    assert answers.answers("so much stress, my cat", "tells_good", "en") == []


def test_every_topic_has_answers_of_each_kind_in_both_languages_and_words_of_its_own() -> None:
    found = {(one.intent, one.language) for one in read_topic_answers()}
    told = {name: entry for name, entry in _topics().items() if not entry.get("asked_only")}
    wanted = {f"{name}/tells_good" for name in told}
    wanted |= {f"{name}/tells_neutral" for name, entry in told.items() if not entry.get("people")}
    wanted |= {f"{name}/{kind}" for name in _topics() for kind in (ASKS_VIEW, ASKS_TIP)} | {f"anything/{ASKS_VIEW}"}
    assert found == {(intent, language) for intent in wanted for language in ("ko", "en")}
    words = [word for entry in _topics().values() for word in (*entry["ko"], *entry["en"])]
    assert len(words) == len(set(words)), "a word belongs to one topic"
    assert all(topics_of(entry["en"][0])[0].name == name for name, entry in _topics().items())


def test_the_answers_are_lines_of_hers() -> None:
    rows = [json.loads(line) for line in (DATA / "answers" / "topics.jsonl").read_text(encoding="utf-8").splitlines()]
    replies = [row["reply"] for row in rows]
    assert len(replies) == len(set(replies)) > 2600
    for row in rows:
        assert text_language(row["reply"]) == row["language"], row
        assert len(row["reply"]) <= REPLY_LIMIT[row["language"]] and row["reply"] == row["reply"].strip(), row
        assert not set(row["reply"]) & set('"|<>\n'), row
    questions = [row for row in rows if row["reply"].endswith("?")]
    assert len(questions) < 0.5 * len(rows), "a friend does not only ask"
