"""A written answer is said where one fits, and only there."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pytest
from companion_parts import NoReader, ScriptedModel, make_companion

from ohlora.companion import her_line
from ohlora.companion.answer import read_message, without_address
from ohlora.companion.citation import day_in_words
from ohlora.companion.draft import Draft, EndOfTurn
from ohlora.companion.told_fact import refers_to_told
from ohlora.companion.written_answer import wanted_answer, written_answer
from ohlora.llm.dialogues import parse_dialogue
from ohlora.llm.prompt import Example
from ohlora.rag import UNKNOWN_READING, Recalled, Verdict, load_study_terms
from ohlora.rag.fact_reader import Fact
from ohlora.rag.follow_ups import FollowUp, FollowUps
from ohlora.rag.intents import GeneralAnswer
from ohlora.rag.message_reader import MIGHT_ASK
from ohlora.rag.topics import TopicAnswers

MODEL = "happy 0.8\nWords of the model.\nmemory: none"


def dialogue(reply: str):
    row = {"id": "persona-en-season-1", "family": "season", "language": "en", "history": [], "memories": [],
           "now": "2026-03-02T21:10", "user": "your season?", "reply": reply, "expression": "happy",
           "intensity": 0.5, "memory": None}  # fmt: skip
    return parse_dialogue(row)


class Written:
    def __init__(self, *replies: str, error: Exception | None = None) -> None:
        self.found, self.error = [dialogue(reply) for reply in replies], error

    def written(self, message: str, about_her: str = ""):
        self.about_her, self.asked = about_her, message
        if self.error:
            raise self.error
        return self.found

    def nearest(self, message: str, about_her: str = ""):
        return [Example("your season?", "happy", one.reply) for one in self.found]


class ModelWithExamples(ScriptedModel):
    def reply(self, messages, memories=(), now=None, stream=False, examples=()):
        return super().reply(messages, memories, now, stream)


def companion_with(tmp_path, examples: Written):
    companion = make_companion(tmp_path, llm=ModelWithExamples(MODEL))
    companion.examples = examples
    return companion


def test_it_is_said_with_its_face_and_without_the_model(tmp_path) -> None:
    companion = companion_with(tmp_path, Written("Winter, of course."))
    turn = companion.turn("what is your favourite season?")
    assert (turn.reply, turn.expression, turn.intensity) == ("Winter, of course.", "happy", 0.5)
    assert companion.llm.asked == []


def test_it_is_said_once_in_a_conversation(tmp_path) -> None:
    companion = companion_with(tmp_path, Written("Winter, of course.", "Winter!"))
    assert [companion.turn("what is your favourite season?").reply for _ in range(3)] == [
        "Winter, of course.", "Winter!", "Words of the model.",
    ]  # fmt: skip


class Known(NoReader):
    """Reads every message the same way."""

    def __init__(self, **known) -> None:
        self.reading = replace(UNKNOWN_READING, **known)

    def read(self, message: str, before: str = ""):
        return self.reading


def test_what_was_told_is_for_her_memory(tmp_path) -> None:
    """Where the message may ask for it, or tells it, no answer to another message is said."""
    for reader in (Known(may_ask=True), Known(tells=0.9)):
        companion = companion_with(tmp_path, Written("A guess."))
        companion.reader = reader
        assert companion.turn("what's my cat called?").reply == "Words of the model."


def test_a_question_about_her_is_no_question_about_the_user(tmp_path) -> None:
    """The reader knows whose season is asked for."""
    companion = companion_with(tmp_path, Written("Winter, of course."))
    companion.reader = Known(tells=0.9, about_her="season")
    assert companion.turn("my season is autumn, yours?").reply == "Winter, of course."
    assert companion.examples.about_her == "season"


def test_of_a_plain_question_about_her_only_the_question_is_looked_up(tmp_path) -> None:
    examples = Written("I do not eat.")
    found = written_answer(examples, "오로라야 아저씨 왔다. 밥은 뭇나", (), "eating")
    assert found is not None and examples.asked == "밥은 뭇나"


class Wanting:
    """Knows one want of what speaks of sleep, and two answers; an exception is raised instead."""

    def __init__(self, want: str | Exception = "sleep") -> None:
        self.want = want

    def of(self, message: str, before: str) -> str:
        if isinstance(self.want, Exception):
            raise self.want
        return self.want if "sleep" in message else ""

    def asks_told(self, message: str, before: str) -> float:
        return float(self.want == "asks_told")

    def answers(self, want: str, message: str, language: str) -> list[GeneralAnswer]:
        return [GeneralAnswer(want, language, reply, "happy", 0.5) for reply in ("Never.", "I only pause.")]


def test_what_is_wanted_of_her_has_answers_of_its_own(tmp_path) -> None:
    companion = companion_with(tmp_path, Written())
    companion.wants = Wanting()
    companion.reader = Known(about_her="season")  # the reader knows fewer facts: what it thinks does not count
    replies = [companion.turn(message).reply for message in ("do you sleep?", "you never sleep?", "really no sleep?")]
    assert replies == ["Never.", "I only pause.", "Words of the model."]
    assert companion.examples.about_her == "sleep"


def test_where_wants_are_not_known_the_reading_counts(tmp_path) -> None:
    companion = companion_with(tmp_path, Written("Winter, of course."))
    companion.wants, companion.reader = Wanting(RuntimeError("no network")), Known(about_her="season")
    assert companion.turn("so do you sleep").reply == "Winter, of course."
    assert companion.examples.about_her == "season"


def test_a_wish_to_forget_wants_nothing_else() -> None:
    reading = read_message(Known(forgets=0.9), Wanting(), "forget when I sleep", ())
    assert (reading.wants, reading.about_her) == ("", "")


def test_what_was_told_is_looked_up_where_that_is_wanted() -> None:
    reading = read_message(Known(), Wanting("asks_told"), "when do I sleep again?", ())
    assert reading.may_ask and reading.surely_asks and reading.about_her == ""


def test_a_refusal_comes_before_what_is_wanted(tmp_path) -> None:
    refusing = Written()
    refusing.refusals = lambda message: [dialogue("I'd rather not.")]
    companion = companion_with(tmp_path, refusing)
    companion.wants = Wanting()
    assert companion.turn("do you sleep with people?").reply == "I'd rather not."


def test_of_what_may_be_abuse_she_does_not_approve() -> None:
    draft = Draft("should I sleep?", "en", plain="should I sleep?")
    draft.reading = replace(UNKNOWN_READING, wants="yes_no")
    assert wanted_answer(Wanting("yes_no"), None, draft, ()) is not None
    draft.otherwise = EndOfTurn("refused", "")
    assert wanted_answer(Wanting("yes_no"), None, draft, ()) is None


def test_a_word_in_the_middle_of_a_talk_is_for_the_model() -> None:
    history = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hi!"}]
    assert written_answer(Written("Because."), "why", history) is None
    assert written_answer(Written("Because."), "why", ()) is not None


def test_a_failure_leaves_the_model(tmp_path) -> None:
    companion = companion_with(tmp_path, Written(error=RuntimeError("no embeddings")))
    assert companion.turn("what is your favourite season?").reply == "Words of the model."
    assert written_answer(object(), "hello there", ()) is None


def test_a_written_answer_stands_in_for_words_that_must_not_be_shown(tmp_path) -> None:
    companion = make_companion(tmp_path, llm=ModelWithExamples("happy 0.8\nAn insult.\nmemory: none"))
    companion.examples = Written("We stay friends.")
    companion.examples.written = lambda message: []  # the model is asked first
    turn = companion.turn("our talk again")
    assert (turn.outcome, turn.reply) == ("answered", "We stay friends.")


class Answers:
    """Knows the same answers to every message."""

    topics = None

    def __init__(self, *replies: str) -> None:
        self.replies = replies or ("A yawn? Tell me more.",)

    def probabilities(self, message: str) -> np.ndarray:
        return np.ones(1)

    def likeliest_intent(self, message: str) -> str:
        return "nothing_to_do"

    def is_clear(self, message: str) -> bool:
        return False

    def surely_no_question(self, message: str) -> bool:
        return False

    def seems_to_ask(self, message: str) -> bool:
        return "wonder" in message

    def kind(self, message: str) -> tuple[str, float]:
        return "tells_bad", 0.9

    def trouble(self, message: str, before: str = "") -> float:
        return 0.9 if "sad" in message else 0.0

    def sounds_bad(self, message: str, before: str = "") -> bool:
        return "sad" in message

    def complains(self, message: str) -> bool:
        return "ugh" in message

    def understood(self, message: str, together: bool = False) -> list[str]:
        return ["nothing_to_do", "bored", "tells_bad"]

    def mirrored(self, message: str, before: str) -> str:
        return "kettle" if "kettle" in message else ""

    def in_talk(self, message: str, before: str) -> str:
        return f"{before} {message}" if message.startswith("and ") else message

    def best(self, message: str, before: str, language: str) -> list[GeneralAnswer]:
        return []

    def of_intent(self, intent: str, message: str, language: str, value: str) -> list[GeneralAnswer]:
        return [GeneralAnswer(intent, language, f"Hello, {value}!", "happy", 0.8)]

    def answers(self, message: str, language: str, value: str = "", together: bool = False):
        self.asked = message
        said = [reply.replace("{value}", value) for reply in self.replies if value or "{value}" not in reply]
        return [GeneralAnswer("bored", language, reply, "sleepy", 0.4) for reply in said]


def with_answers(tmp_path, *replies: str, reader=None, written: Written | None = None):
    companion = companion_with(tmp_path, written or Written())
    companion.general_answers = Answers(*replies)
    companion.reader = reader or companion.reader
    return companion


def tell_earlier(companion, key: str, value: str, **more) -> None:
    """Store a memory as if it had been told a day ago."""
    now = companion.memory.clock
    companion.memory.clock = lambda: now() - timedelta(days=1)
    companion.memory.add("tester", key, value, **more)
    companion.memory.clock = now


def test_what_fits_any_such_message_comes_after_what_was_written_for_it(tmp_path) -> None:
    companion = with_answers(tmp_path, written=Written("Winter, of course."))
    assert companion.turn("what is your favourite season?").reply == "Winter, of course."
    companion.examples = Written()
    turn = companion.turn("nothing to do all day")
    assert (turn.reply, turn.expression, turn.intensity) == ("A yawn? Tell me more.", "sleepy", 0.4)
    assert companion.turn("nothing to do all day").reply == "Words of the model.", "said already"


def test_what_goes_on_with_the_talk_is_answered_with_it(tmp_path) -> None:
    companion = with_answers(tmp_path, "One.", "Two.", written=Written())
    companion.turn("my dog died yesterday")
    companion.examples = Written("Written for those words alone.")
    assert companion.turn("and it was so quiet").reply == "Two."
    assert companion.general_answers.asked == "my dog died yesterday and it was so quiet"
    assert companion.turn("what is your favourite season?").reply == "Written for those words alone."


def test_a_term_is_explained_until_all_is_said(tmp_path) -> None:
    companion = with_answers(tmp_path, "One.", "Two.", written=Written())
    companion.study_terms = load_study_terms()
    first, second, third = (companion.turn("what is overfitting?").reply for _ in range(3))
    (term,) = companion.study_terms.named("overfitting")
    assert (first, second) == term.answers["en"] and third == "One."


@pytest.mark.parametrize(
    "reading", [{"tells": 0.9}, {"forgets": 0.9}, {"about_her": "name_meaning_lora"}, {"surely_asks": True}]
)
def test_who_speaks_of_something_else_is_not_lectured(tmp_path, reading: dict) -> None:
    companion = with_answers(tmp_path, "One.", reader=Known(**reading), written=Written())
    companion.study_terms = load_study_terms()
    (term,) = companion.study_terms.named("vaccine")
    assert companion.turn("what is that vaccine?").reply not in term.answers["en"]


def test_a_complaint_that_names_a_term_is_no_question(tmp_path) -> None:
    companion = with_answers(tmp_path, "One.", written=Written())
    companion.study_terms = load_study_terms()
    companion.general_answers.surely_no_question = lambda message: True
    assert companion.turn("what the heck is wrong with inflation").reply == "One."


def test_terms_that_cannot_be_searched_cost_no_answer(tmp_path) -> None:
    companion = with_answers(tmp_path, "One.", written=Written())
    companion.study_terms = object()
    assert companion.turn("what is overfitting?").reply == "One."


@pytest.mark.parametrize(
    ("message", "refers"),
    [("내가 요즘 뭐 마신다고 했지?", True), ("where did I say I go", True), ("u still remember my cat?", True),
     ("remember that I'm moving on Friday", False), ("뭐라고?", False), ("do you remember anything?", False)],
)  # fmt: skip
def test_who_speaks_of_having_told_it_asks_for_it(message: str, refers: bool) -> None:
    assert refers_to_told(message) == refers


def test_what_may_ask_for_what_was_told_does_where_it_tests_her(tmp_path) -> None:
    companion = with_answers(tmp_path, "One.", "Two.", reader=Known(may_ask=True), written=Written())
    assert companion.turn("what should I watch?").reply == "One."
    companion.general_answers.likeliest_intent = lambda message: "tests_her"
    assert companion.turn("what did I watch?").reply not in ("Two.", "Words of the model.")
    companion.general_answers = None
    assert companion.turn("what did I watch?").reply == "Words of the model."


def test_what_clearly_asks_for_something_else_does_not_ask_for_what_was_told(tmp_path) -> None:
    known = Known(may_ask=True, surely_asks=True)
    companion = with_answers(tmp_path, "One.", "Two.", reader=known, written=Written())
    companion.general_answers.likeliest_intent = lambda message: "asks_for_a_name"
    companion.general_answers.is_clear = lambda message: False
    assert companion.turn("a name for my boat").reply != "One."
    companion.general_answers.is_clear = lambda message: True
    assert companion.turn("a name for my other boat").reply == "One."
    companion.general_answers.likeliest_intent = lambda message: "asks_to_remember"
    assert companion.turn("a third boat, remember?").reply != "Two."


def test_what_she_never_said_comes_before_what_she_said_another_day(tmp_path) -> None:
    companion = with_answers(tmp_path, "One.", "Two.", "Three.")
    first = companion.turn("nothing to do all day, day one").reply
    companion.new_conversation()
    second = companion.turn("nothing to do all day, day two").reply
    companion.new_conversation()
    third = companion.turn("nothing to do all day, day three").reply
    companion.new_conversation()
    assert len({first, second, third}) == 3
    again = [companion.turn(f"nothing to do all day, day {day}").reply for day in ("four", "five")]
    assert "Words of the model." not in again, "what she said days ago is better than nothing"


def test_what_asks_brings_a_memory_to_her_mind_once_and_what_tells_does_not(tmp_path) -> None:
    companion = with_answers(tmp_path, "One.", "Two.", "Three.", written=Written("For somebody else."))
    tell_earlier(companion, "pet", "a cat named Pixel")
    told = companion.turn("my cat named Pix is the pet")
    assert told.recalled and "Pixel" not in told.reply, "nobody wants to be quoted unasked"
    asked, again = companion.turn("is my cat named Pix the pet?"), companion.turn("is my pet the cat named Pix?")
    assert asked.recalled and again.recalled
    assert "a cat named Pixel" in asked.reply and "Pixel" not in again.reply


def test_an_answer_to_the_topic_comes_before_one_to_anything(tmp_path) -> None:
    companion = with_answers(tmp_path, "One.", "Two.", "Three.")
    purr = GeneralAnswer("cat/tells_bad", "en", "Poor paws.", "sad", 0.5)
    companion.general_answers.topics = TopicAnswers([purr])
    assert companion.turn("my sad cat does nothing").reply != "Poor paws.", "it may be trouble"
    assert companion.turn("my cat is ill, it does nothing").reply == "Poor paws."
    assert companion.turn("my cat is still ill").reply != "Poor paws.", "she said it just now"
    companion.general_answers.kind = lambda message: ("tells_bad", 0.3)
    companion.new_conversation()
    assert companion.turn("the cat, hm, it does nothing").reply != "Poor paws.", "what is told of it is not clear"


def test_what_the_user_says_now_is_not_told_back(tmp_path) -> None:
    companion = with_answers(tmp_path)
    companion.memory.add("tester", "pet", "Pixel")
    turn = companion.turn("my pet Pixel sleeps all day")
    assert turn.recalled and turn.reply == "A yawn? Tell me more."


def test_what_was_told_just_now_needs_no_reminding(tmp_path) -> None:
    companion = with_answers(tmp_path)
    companion.memory.add("tester", "pet", "a cat named Pixel")
    assert companion.turn("is my cat named Pix the pet?").reply == "A yawn? Tell me more."


def test_a_dated_memory_is_said_with_its_date(tmp_path) -> None:
    companion = with_answers(tmp_path)
    tomorrow = companion.clock() + timedelta(days=1)
    tell_earlier(companion, "dentist", "tomorrow", expires=tomorrow)
    said = companion.turn("shall I fear the dentist, the dentist?").reply
    assert day_in_words(tomorrow.astimezone().date(), companion.clock().date(), "en") in said


def test_what_is_told_now_is_named_and_kept(tmp_path) -> None:
    reader = Known(tells=0.9, facts=(Fact("pet", "Pixel", 0.9),))
    companion = with_answers(tmp_path, "{value}! Lovely.", reader=reader, written=Written("For somebody else."))
    turn = companion.turn("my cat is called Pixel")
    assert turn.reply == "Pixel! Lovely." and turn.stored == ("pet: Pixel",)
    companion.reader = Known(tells=0.9, facts=(Fact("pet", "Rex", 0.9),))
    assert companion.turn("my dog is called Rex").reply == "Words of the model.", "said already, of another"


@pytest.mark.parametrize(
    ("facts", "message"),
    [((Fact("home", "Leeds", 0.9), Fact("job", "nurse", 0.9)), "I'm a nurse in Leeds"),
     ((Fact("pet", "Pixel", 0.05),), "my cat is called Pixel"), ((), "I have a cat"),
     ((Fact("trait", "hunter22", 0.9),), "my password is hunter22")],
)  # fmt: skip
def test_what_is_not_sure_or_must_not_be_kept_is_not_named(tmp_path, facts, message: str) -> None:
    companion = with_answers(tmp_path, "{value}! Lovely.", "Tell me more.", reader=Known(tells=0.9, facts=facts))
    assert companion.turn(message).reply == "Tell me more."


def test_who_complains_hears_no_joy_about_what_is_told(tmp_path) -> None:
    reader = Known(tells=0.9, facts=(Fact("job", "nurse", 0.9),))
    companion = with_answers(tmp_path, "{value}! Lovely.", "Tell me more.", reader=reader)
    assert companion.turn("ugh, as a nurse I never sleep").reply == "Tell me more."


def test_who_tells_her_name_is_greeted_by_it(tmp_path) -> None:
    """Whatever else the message does or tells."""
    reader = Known(tells=0.9, facts=(Fact("name", "Jiwoo", 0.9), Fact("job", "nurse", 0.9)))
    companion = with_answers(tmp_path, "Tell me more.", reader=reader)
    assert companion.turn("hi! I'm Jiwoo, a nurse").reply == "Hello, Jiwoo!"


def test_what_stands_beside_the_name_is_answered_after_the_greeting(tmp_path) -> None:
    companion = with_answers(tmp_path, "One.", reader=Known(tells=0.9, facts=(Fact("이름", "김도현", 0.9),)))
    beside = GeneralAnswer("tired", "ko", "오늘 고생했어.", "worried", 0.6)
    companion.general_answers.best = lambda message, before, language: [beside] if "장애" in message else []
    companion.general_answers.of_intent = lambda *_: [
        GeneralAnswer("tells_name", "ko", "만나서 반가워, 김도현! 내 출석부에 적었어.", "happy", 0.8)
    ]
    assert companion.turn("난 김도현이야").reply == "만나서 반가워, 도현아! 내 출석부에 적었어."
    companion.new_conversation()
    companion.general_answers.replies = ("{value}! 반가워.",)
    again = companion.turn("난 김도현이야. 오늘도 배포하다가 장애 났어").reply
    assert again == "오늘 고생했어.", "whose name she knows she does not meet a second time"
    companion.forget_everything()
    turn = companion.turn("난 김도현이야. 오늘도 배포하다가 장애 났어")
    assert (turn.reply, turn.expression) == ("만나서 반가워, 도현아! 오늘 고생했어.", "worried")
    stranger = with_answers(tmp_path / "other", reader=companion.reader)
    stranger.general_answers.of_intent = companion.general_answers.of_intent
    assert stranger.turn("저는 김도현이에요").reply.startswith("만나서 반가워, 김도현 님!"), (
        "no 도현아 to who speaks politely"
    )


def test_a_goodbye_at_the_end_is_answered(tmp_path) -> None:
    companion = with_answers(tmp_path, "One.", "Two.")
    answers = companion.general_answers
    answers.likeliest_intent = lambda message: "goodbye" if message.startswith("gotta") else "nothing_to_do"
    answers.is_clear = lambda message: message.startswith("gotta")
    answers.kind = lambda message: ("tells_bad" if "died" in message else "tells_neutral", 0.9)
    bye = GeneralAnswer("goodbye", "en", "Bye!", "happy", 0.5)
    answers.best = lambda message, before, language: [bye] if message.startswith("gotta") else []
    assert companion.turn("it did nothing all day. gotta go").reply == "Bye!"
    assert companion.turn("gotta go. it did nothing all day").reply != "Bye!"
    companion.new_conversation()
    assert companion.turn("my dog died today. gotta go").reply != "Bye!", "that is no mere goodbye"


def test_a_model_that_fails_costs_no_answer_of_others(tmp_path) -> None:
    companion = with_answers(tmp_path, reader=Known(tells=0.9, facts=(Fact("pet", "Rex", 0.9),)))
    companion.llm = ModelWithExamples(RuntimeError("no model"))
    turn = companion.turn("Rex sleeps on my bed")
    assert (turn.outcome, turn.reply, turn.stored) == ("answered", "A yawn? Tell me more.", ("pet: Rex",))


def test_the_model_proposes_what_to_keep_also_where_it_does_not_speak(tmp_path) -> None:
    companion = with_answers(tmp_path, reader=Known(tells=0.6))
    companion.llm = ModelWithExamples("happy 0.8\nWords of the model.\nmemory: add | pet | Rex")
    turn = companion.turn("Rex sleeps on my bed")
    assert turn.reply == "A yawn? Tell me more." and turn.stored == ("pet: Rex",)


def test_a_wish_to_forget_is_no_small_talk(tmp_path) -> None:
    companion = with_answers(tmp_path, reader=Known(forgets=0.9, topic="pet"))
    companion.memory.add("tester", "pet", "Pixel")
    turn = companion.turn("forget my pet")
    assert turn.reply == "Words of the model." and companion.memories() == []


def test_what_she_quotes_is_moderated(tmp_path) -> None:
    """Words that are harmless where they were said may not be harmless alone."""
    reader = Known(tells=0.9, facts=(Fact("nickname", "an insult", 0.9),))
    companion = with_answers(tmp_path, "{value}! Lovely.", reader=reader)
    companion.moderator = SimpleNamespace(
        check=lambda text: Verdict("hate" if text.startswith("an insult") else "normal", 0.9, "rule", ()),
    )
    assert "an insult" not in companion.turn("never say an insult to me").reply


def test_what_is_told_is_repeated_before_the_answer(tmp_path) -> None:
    """Moderated like all that repeats the user's words; not where the answer names the fact already."""
    companion = with_answers(tmp_path, "Oh dear.", "Poor thing.", "I see.")
    assert companion.turn("the kettle broke").reply == "Kettle… Oh dear."
    assert "Kettle… Oh dear." in companion.moderator.checked
    assert companion.turn("and the kettle was new").reply == "Poor thing.", "not twice in a row"


def test_an_answer_that_names_the_fact_needs_no_repeating(tmp_path) -> None:
    told = Known(tells=0.9, facts=(Fact("thing", "kettle", 0.9),))
    companion = with_answers(tmp_path, "{value}! Since when?", reader=told)
    assert companion.turn("I have a kettle").reply == "kettle! Since when?"


def test_general_answers_that_fail_leave_the_model(tmp_path) -> None:
    companion = companion_with(tmp_path, Written())
    companion.general_answers = object()
    assert companion.turn("nothing to do all day").reply == "Words of the model."


@pytest.mark.parametrize(
    ("message", "plain"),
    [("Good night, Oh-LoRA!", "Good night!"), ("goodnight Oh-LoRA", "goodnight"), ("thank you Lora!", "thank you!"),
     ("who made Oh-LoRA", "who made Oh-LoRA"), ("오로라 안녕", "안녕"), ("오로라야, 나 왔어", "나 왔어"),
     ("오로라", "오로라"), ("Who is Oh-LoRA?", "Who is Oh-LoRA?"), ("네 이름이 오로라야?", "네 이름이 오로라야?"),
     ("Oh-LoRA!", "Oh-LoRA!")],
)  # fmt: skip
def test_her_name_alone_says_nothing_about_her(message: str, plain: str) -> None:
    assert without_address(message) == plain


def test_what_is_about_her_last_line_gets_what_was_written_for_that(tmp_path, monkeypatch) -> None:
    written = ("Neither do I.",), "Who never sleeps can't dream.", ("shy", "shy")
    rows = FollowUps([FollowUp(line, "en", *written) for line in ("Never.", "I only pause.")])
    monkeypatch.setattr(her_line, "read_follow_ups", lambda: rows)
    companion = companion_with(tmp_path, Written())
    for want, said in (("answers_her", "Neither do I."), ("why_that", "Who never sleeps can't dream.")):
        companion.wants = Wanting("sleep")
        assert companion.turn("do you sleep?").reply in ("Never.", "I only pause.")
        companion.wants = Wanting(want)
        assert companion.turn("sleep is fine").reply == said
    for number, (want, message, fit) in enumerate(
        [("answers_her", "a sad sleep it was", 1.0), ("why_that", "what sleep? i said sheep", 1.0),
         ("why_that", "why sleep", 0.3)]
    ):  # fmt: skip
        other = companion_with(tmp_path / str(number), Written())
        other.wants = Wanting("sleep")
        other.turn("do you sleep?")
        other.wants, other.general_answers = Wanting(want), Answers()
        other.general_answers.fit = lambda said, told, fit=fit: fit
        assert other.turn(message).reply not in ("Neither do I.", "Who never sleeps can't dream."), message


def test_a_message_that_might_ask_does_where_the_answer_is_at_hand(tmp_path) -> None:
    companion = companion_with(tmp_path, Written())
    companion.turn("sold the squier, i am on drums now")
    companion.reader = Known(asks=MIGHT_ASK)
    said = companion.messages.messages(companion.user)[0]
    companion.messages.find = lambda *_, **__: Recalled(said, 0.9, "drums")
    assert "drums. You told me" in companion.turn("wit am i playin these days").reply
    for unsure in (None, Recalled(said, 0.3, "drums"), Recalled(said, 0.9, "drums", sure=False)):
        companion.messages.find = lambda *_, unsure=unsure, **__: unsure
        assert companion.turn("wit am i playin now").reply == "Words of the model."
    companion.messages.find = lambda *_, **__: Recalled(said, 0.9, "drums")
    companion.reader = Known(asks=MIGHT_ASK, about_her="hobby")
    assert "drums" not in companion.turn("wit are you playin").reply, "it asks for something of hers"
