"""One turn: the order that keeps people safe, and what happens when a part fails."""

from __future__ import annotations

import threading
from datetime import timedelta

import numpy as np
import pytest
from companion_parts import NOW, PaintBox, ScriptedModel, WordModerator, make_companion

from ohlora.companion.companion import MESSAGE_LIMIT
from ohlora.companion.turn import STAGES, finished_sentences
from ohlora.rag import GeneralAnswers, SanctionLog, gentle_notice
from ohlora.rag.intents import act_of_intent, read_general_answers

NICE = "happy 0.8\nGood to see you. How are you?\nmemory: none"
TOLD = "curious 0.6\nA cat, lovely!\nmemory: add | pet | a cat called Pixel"


class Broken:
    """A part of which every method fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error or RuntimeError("the disk is gone")

    def __getattr__(self, name: str):
        def fail(*arguments, **values):
            raise self.error

        return fail


def test_a_turn_answers_with_words_and_a_face(tmp_path) -> None:
    companion = make_companion(tmp_path, NICE)
    turn = companion.turn("hello")
    assert (turn.reply, turn.expression, turn.intensity, turn.outcome) == (
        "Good to see you. How are you?",
        "happy",
        0.8,
        "answered",
    )
    assert turn.portrait.shape == (24, 24, 3)
    assert turn.properties["mouth"] == pytest.approx(0.8 * companion.expressions["happy"].offsets["mouth"])
    assert turn.notice is None
    assert set(turn.timings) == {*STAGES, "first_words", "total"}
    assert all(seconds >= 0 for seconds in turn.timings.values())
    assert turn.timings["total"] >= sum(turn.timings[stage] for stage in STAGES) * 0.9


def test_the_portrait_follows_the_reply(tmp_path) -> None:
    companion = make_companion(tmp_path, "surprised 1.0\nWhat?!\nmemory: none", "sleepy 1.0\nYawn.\nmemory: none")
    first, second = companion.turn("hello"), companion.turn("good night")
    assert (first.portrait != second.portrait).any()
    assert first.properties["eyes"] > 1 > -1 > second.properties["eyes"]


def test_she_is_given_the_history_and_the_time(tmp_path) -> None:
    companion = make_companion(tmp_path, NICE)
    companion.turn("hello")
    companion.turn("and again")
    asked = companion.llm.asked[1]
    assert [message["role"] for message in asked["messages"]] == ["user", "assistant", "user"]
    assert asked["messages"][1]["content"] == "Good to see you. How are you?"
    assert asked["now"].year == 2026


def test_history_does_not_grow_without_bound(tmp_path) -> None:
    companion = make_companion(tmp_path, NICE)
    for number in range(12):
        companion.turn(f"message {number}")
    assert len(companion.llm.asked[-1]["messages"]) <= 9


# --- order ---------------------------------------------------------------------------------------------------------


def test_a_blocked_message_never_reaches_the_model(tmp_path) -> None:
    companion = make_companion(tmp_path, NICE)
    turn = companion.turn("you insult")
    assert turn.outcome == "warned" and turn.notice and turn.expression == "sad"
    assert companion.llm.asked == [] and companion.history == []
    assert companion.turn("hello").outcome == "answered"
    assert "insult" not in str(companion.llm.asked)


def test_insults_end_in_a_block_and_the_block_ends(tmp_path) -> None:
    from datetime import timedelta

    from companion_parts import NOW

    moment = [NOW]
    companion = make_companion(tmp_path, NICE, clock=lambda: moment[0])
    outcomes = []
    for _ in range(12):
        outcomes.append(companion.turn("you insult").outcome)
    assert outcomes[0] == "warned" and outcomes[-1] == "blocked"
    polite = companion.turn("hello")
    assert polite.outcome == "blocked" and companion.llm.asked == []
    assert polite.expression == "angry"
    moment[0] += timedelta(days=4000)
    assert companion.turn("hello").outcome == "answered"


def test_another_user_is_not_blocked_with_her(tmp_path) -> None:
    companion = make_companion(tmp_path, NICE)
    for _ in range(12):
        companion.turn("you insult")
    friend = companion.for_user("friend", state=tmp_path / "friend")
    assert friend.turn("hello").outcome == "answered"


def test_her_reply_is_judged_before_it_is_shown(tmp_path) -> None:
    companion = make_companion(tmp_path, "happy 0.8\nAll is fine. This is an insult to you. Bye.\nmemory: none")
    seen = []
    turn = companion.turn("hello", on_progress=lambda progress: seen.append(progress.text))
    assert turn.outcome == "withheld" and "insult" not in turn.reply and turn.notice
    assert all("insult" not in text for text in seen)
    assert "All is fine." in seen, "sentences that passed are shown as they come"
    assert companion.history == [], "what was withheld must not be said again"


def test_a_withheld_reply_does_not_cost_what_was_told(tmp_path) -> None:
    companion = make_companion(tmp_path, "happy 0.8\nAn insult to your cat.\nmemory: add | pet | a cat called Pixel")
    turn = companion.turn("my cat is called Pixel")
    assert turn.outcome == "withheld" and turn.stored == ("pet: a cat called Pixel",) and turn.reply == ""


def test_somebody_in_danger_is_cared_for_and_not_punished(tmp_path) -> None:
    companion = make_companion(tmp_path, NICE)
    turns = [companion.turn("I am in despair") for _ in range(6)]
    assert {turn.outcome for turn in turns} == {"cared"}
    assert "988" in turns[0].notice and companion.llm.asked == []
    assert companion.turn("hello").outcome == "answered"


def with_every_answer(companion):
    """She has all general answers; to her every message is as likely anything, and every answer as good."""
    everything = np.full(len(act_of_intent()), 1 / len(act_of_intent()), np.float32)
    rows = read_general_answers()
    companion.general_answers = GeneralAnswers(rows, lambda m: everything, scores=lambda a, b, n: np.ones(len(n)))
    return companion


def test_where_abuse_is_not_clear_it_passes_once_is_asked_about_and_counts_the_third_time(tmp_path) -> None:
    companion = with_every_answer(make_companion(tmp_path, NICE))
    assert companion.turn("so insolent").outcome == "answered"
    second = companion.turn("so insolent!")
    assert second.outcome == "asked" and "misheard" in second.notice and len(companion.history) == 2
    assert companion.sanctions.events("me") == [], "what may be a misunderstanding does not count"
    assert companion.turn("no, I meant my horse").outcome == "answered"
    assert companion.turn("so insolent").outcome == "warned"


def test_after_sure_abuse_there_is_no_doubt_and_after_a_pause_there_is(tmp_path) -> None:
    companion = with_every_answer(make_companion(tmp_path, NICE))
    assert companion.turn("an insult").outcome == "warned"
    assert companion.turn("so insolent").outcome == "blocked"
    companion.clock = lambda: NOW + timedelta(days=2)
    companion.sanctions.clock = companion.clock
    assert companion.turn("so insolent").outcome == "answered"


def test_doubts_are_forgotten_after_some_messages(tmp_path) -> None:
    companion = with_every_answer(make_companion(tmp_path, NICE))
    for _ in range(3):
        assert companion.turn("so insolent").outcome == "answered"
        for number in range(5):
            assert companion.turn(f"message {number}").outcome == "answered"


def test_what_may_be_danger_is_answered_gently_beside_who_helps_and_the_second_time_with_care(tmp_path) -> None:
    companion = with_every_answer(make_companion(tmp_path, NICE))
    turn = companion.turn("gloomy days")
    assert turn.outcome == "answered" and turn.notice == gentle_notice("en")
    assert turn.reply in {row.reply for row in read_general_answers() if row.intent == "tells_bad"}
    assert companion.turn("gloomy days").outcome == "cared"
    assert companion.sanctions.events("me") == []


def test_who_laughs_is_offered_no_help_at_the_first_doubt(tmp_path) -> None:
    companion = with_every_answer(make_companion(tmp_path, NICE))
    turn = companion.turn("gloomy days lmao")
    assert turn.outcome == "answered" and turn.notice is None
    assert companion.turn("gloomy days lmao").outcome == "cared"


@pytest.mark.parametrize("message", ["gloomy Lola is in heaven", "gloomy days ㅋㅋ ㅠㅠ", "gloomy ㅎㅎ"])
def test_not_all_that_looks_like_laughter_is(tmp_path, message: str) -> None:
    companion = with_every_answer(make_companion(tmp_path, NICE))
    assert companion.turn(message).notice is not None


def test_a_wish_to_forget_in_what_may_be_danger_is_carried_out_whole(tmp_path) -> None:
    companion = with_every_answer(make_companion(tmp_path, NICE))
    companion.turn("my cat is called Pixel")
    companion.memory.add("tester", "pet", "a cat called Pixel")
    notice = companion.turn("please forget my cat called Pixel, it makes me gloomy").notice
    assert "Forgotten: pet" in notice and companion.memories() == [] and companion.message_count() == 0


@pytest.mark.parametrize(("message", "outcome"), [("gloomy days", "cared"), ("so insolent", "asked")])
def test_the_model_never_sees_what_may_be_abuse_or_danger(tmp_path, message: str, outcome: str) -> None:
    companion = make_companion(tmp_path, NICE)
    turn = companion.turn(message)
    assert turn.outcome == outcome and turn.notice != gentle_notice("en") and companion.llm.asked == []


def test_nothing_is_remembered_of_what_may_be_abuse(tmp_path) -> None:
    companion = with_every_answer(make_companion(tmp_path, NICE))
    assert companion.turn("my insolent name is Rex").stored == () and companion.llm.asked == []
    assert companion.memories() == [] and companion.message_count() == 0


def test_everything_shown_was_moderated(tmp_path) -> None:
    moderator = WordModerator()
    companion = make_companion(tmp_path, "happy 0.8\nOne. Two! Three? Four\nmemory: none", moderator=moderator)
    seen = []
    companion.turn("hello", on_progress=lambda progress: seen.append(progress.text))
    assert seen[-1] == "One. Two! Three? Four"
    assert set(filter(None, seen)) <= set(moderator.checked)


def test_the_face_moves_before_the_words(tmp_path) -> None:
    seen = []
    make_companion(tmp_path, NICE).turn("hello", on_progress=seen.append)
    assert seen[0].expression == "happy" and seen[0].text == ""
    assert [progress.text for progress in seen] == ["", "Good to see you.", "Good to see you. How are you?"]


# --- memory --------------------------------------------------------------------------------------------------------


def test_what_is_told_is_recalled(tmp_path) -> None:
    companion = make_companion(tmp_path, TOLD, NICE)
    assert companion.turn("my cat is called Pixel").stored == ("pet: a cat called Pixel",)
    turn = companion.turn("what is my cat called?")
    assert turn.recalled == ("pet: a cat called Pixel",)
    assert companion.llm.asked[1]["memories"] == ["pet: a cat called Pixel"]
    (memory,) = companion.memories()
    assert memory.source_turn
    companion.forget(memory.id)
    assert companion.memories() == [] and companion.turn("what is my cat called?").recalled == ()


def test_told_on_monday_changed_on_tuesday_asked_on_friday(tmp_path) -> None:
    """She answers with Tuesday's, says so, and the model is not taught to say it by itself."""
    today = [NOW]  # a Monday
    model = ScriptedModel(
        "curious 0.6\nOslo, how fresh!\nmemory: add | home | Oslo",
        "curious 0.6\nBergen then!\nmemory: update | home | Bergen",
        "happy 0.6\nYou live in Bergen.\nmemory: none",
    )
    companion = make_companion(tmp_path, llm=model, clock=lambda: today[0])
    companion.turn("my home is Oslo")
    today[0] += timedelta(days=1)
    assert companion.turn("my home is now Bergen").reply == "Bergen then!"
    today[0] += timedelta(days=3)
    said = []
    turn = companion.turn("where is my home?", on_progress=lambda progress: said.append(progress.text))
    assert turn.recalled == ("home: Bergen",)
    assert turn.reply == said[-1] == "You live in Bergen. You told me on Tuesday."
    assert companion.history[-1]["content"] == "You live in Bergen."


def test_a_memory_outlives_the_companion(tmp_path) -> None:
    first = make_companion(tmp_path, TOLD)
    first.turn("my cat is called Pixel")
    first.memory.close()
    assert [memory.line for memory in make_companion(tmp_path).memories()] == ["pet: a cat called Pixel"]


# --- refusals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "   \n", None, 7])
def test_an_empty_message_is_refused(tmp_path, text) -> None:
    companion = make_companion(tmp_path)
    turn = companion.turn(text)
    assert turn.outcome == "refused" and "\n" not in turn.notice
    assert companion.llm.asked == []


def test_a_hundred_kilobytes_are_refused_with_the_limit_and_not_lost(tmp_path) -> None:
    companion = make_companion(tmp_path)
    text = "가" * 100_000
    turn = companion.turn(text)
    assert turn.outcome == "refused" and turn.message == text and turn.message_is_free
    assert "100,000" in turn.notice and str(MESSAGE_LIMIT) in turn.notice
    assert companion.moderator.checked == [] and companion.llm.asked == []


def test_a_message_at_the_limit_is_answered(tmp_path) -> None:
    assert make_companion(tmp_path).turn("가" * MESSAGE_LIMIT).outcome == "answered"
    assert make_companion(tmp_path).turn("가" * (MESSAGE_LIMIT + 1)).outcome == "refused"


def test_notices_speak_the_language_of_the_message(tmp_path) -> None:
    companion = make_companion(tmp_path, RuntimeError("out of memory"))
    assert "다시" in companion.turn("안녕").notice
    assert "again" in companion.turn("hello").notice


def test_a_message_without_letters_speaks_the_language_of_the_talk(tmp_path) -> None:
    companion = make_companion(tmp_path, "happy 0.5\n응, 반가워!\nmemory: none", *[RuntimeError("out of memory")] * 2)
    companion.turn("안녕")
    assert "다시" in companion.turn("👍").notice and "다시" in companion.turn("...").notice


def test_a_second_turn_at_the_same_time_is_refused(tmp_path) -> None:
    entered, leave = threading.Event(), threading.Event()
    model = ScriptedModel(NICE)

    def pause() -> None:
        entered.set()
        assert leave.wait(10)

    model.before_piece = pause
    companion = make_companion(tmp_path, llm=model)
    turns = []
    worker = threading.Thread(target=lambda: turns.append(companion.turn("first")))
    worker.start()
    assert entered.wait(10)
    second = companion.turn("second")
    leave.set()
    worker.join(10)
    assert second.outcome == "refused" and second.message == "second" and second.message_is_free
    assert turns[0].outcome == "answered" and len(model.asked) == 1


def test_stop_keeps_what_was_said(tmp_path) -> None:
    model = ScriptedModel("happy 0.8\nFirst sentence. Second sentence. Third sentence.\nmemory: none")
    companion = make_companion(tmp_path, llm=model)
    turn = companion.turn("hello", on_progress=lambda progress: companion.stop() if progress.text else None)
    assert turn.outcome == "stopped" and turn.reply == "First sentence."
    assert companion.history[-1]["content"] == "First sentence."
    assert companion.turn("go on").outcome == "answered", "stopping one turn must not stop the next"


# --- failures ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["llm", "memory", "moderator", "sanctions"])
def test_each_broken_part_costs_a_sentence_and_the_next_turn_works(tmp_path, part) -> None:
    companion = make_companion(tmp_path, TOLD)
    working = getattr(companion, part)
    setattr(companion, part, Broken())
    turn = companion.turn("my cat is called Pixel")
    assert turn.message == "my cat is called Pixel"
    assert "the disk is gone" in turn.notice and turn.portrait is not None
    if part in ("moderator", "sanctions"):
        assert turn.outcome == "failed" and companion.llm.asked == [], "in doubt the model is not asked"
    if part == "llm":
        assert turn.outcome == "failed" and turn.message_is_free and companion.history == []
    if part == "memory":
        assert turn.outcome == "answered" and turn.reply == "A cat, lovely!"
    setattr(companion, part, working)
    again = companion.turn("my cat is called Pixel")
    assert again.outcome == "answered" and again.notice is None
    assert "pet: a cat called Pixel" in [memory.line for memory in companion.memories()]


def test_a_fact_that_could_not_be_stored_is_stored_with_the_next_turn(tmp_path) -> None:
    companion = make_companion(tmp_path, TOLD, NICE)
    working = companion.memory
    companion.memory = Broken()
    assert companion.turn("my cat is called Pixel").stored == ()
    companion.memory = working
    assert companion.turn("hello").stored == ("pet: a cat called Pixel",)


def test_a_face_that_cannot_be_painted_costs_only_the_face(tmp_path) -> None:
    companion = make_companion(tmp_path, NICE)
    before = companion.turn("hello").portrait
    painter, companion.painter = companion.painter, Broken()
    turn = companion.turn("hello again")
    assert turn.reply and turn.portrait is before and "the disk is gone" in turn.notice
    companion.painter = painter
    assert companion.turn("and now?").notice is None


def test_a_display_that_fails_does_not_cost_her_words(tmp_path) -> None:
    def broken_display(progress) -> None:
        raise RuntimeError("no screen")

    assert make_companion(tmp_path).turn("hello", on_progress=broken_display).outcome == "answered"


def test_a_model_that_fails_half_way_loses_nothing(tmp_path) -> None:
    model = ScriptedModel(NICE)
    calls = []

    def fail_late() -> None:
        calls.append(1)
        if len(calls) == 6:
            raise RuntimeError("the model died")

    model.before_piece = fail_late
    companion = make_companion(tmp_path, llm=model)
    turn = companion.turn("hello")
    assert turn.outcome == "failed" and "the model died" in turn.notice and companion.history == []
    assert companion.turn("hello").outcome == "answered"


def test_a_malformed_reply_is_still_a_reply(tmp_path) -> None:
    turn = make_companion(tmp_path, "just words without any format").turn("hello")
    assert turn.outcome == "answered" and turn.reply and turn.expression == "neutral"


def test_a_newer_sanctions_file_is_refused_when_she_wakes_up(tmp_path) -> None:
    import sqlite3

    path = tmp_path / "sanctions.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE something (x)")
        connection.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(RuntimeError, match="99"):
        SanctionLog(path)
    assert path.read_bytes() == before


def test_the_user_needs_a_name(tmp_path) -> None:
    with pytest.raises(ValueError, match="user=''"):
        make_companion(tmp_path).for_user("", state=tmp_path)


# --- sentences -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "ready"),
    [
        ("", ""),
        ("Hello", ""),
        ("Hello.", ""),
        ("Hello. Wor", "Hello."),
        ("What?! No", "What?!"),
        ("3.5 is a number", ""),
        ("안녕! 오늘 어", "안녕!"),
    ],
)
def test_only_finished_sentences_are_released(text: str, ready: str) -> None:
    assert finished_sentences(text) == ready


def test_released_text_only_grows() -> None:
    text, released = "Well... I see! 좋아~ 그래? Yes.", ""
    for end in range(len(text) + 1):
        now = finished_sentences(text[:end])
        assert now.startswith(released)
        released = now


def test_the_generator_is_asked_once_for_a_face_that_stays(tmp_path) -> None:
    generator = PaintBox()
    companion = make_companion(tmp_path, NICE, generator=generator)
    companion.turn("hello")
    painted = generator.painted
    companion.turn("hello again")
    assert generator.painted == painted
