"""From opening to closing: what a conversation leaves, what forgetting takes with it, and who closes what."""

from __future__ import annotations

import threading
import weakref
from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from companion_parts import NOW, PROPERTIES, NoReader, PaintBox, ScriptedModel, WordModerator, make_companion, make_face
from test_companion_turn import Broken
from test_companion_written_answer import Known, ModelWithExamples, Written

from ohlora.companion import BusyError, Companion, Face, load_face, save_face
from ohlora.config import load_profile

NICE = "happy 0.8\nGood to see you. How are you?\nmemory: none"
TOLD = "curious 0.6\nA cat, lovely!\nmemory: add | pet | a cat called Pixel"
WEIGHTS = load_profile("embedded").stylegan.conditioned


class Paused:
    """A model that waits in the middle of its reply until it is let go."""

    def __init__(self, *replies: str) -> None:
        self.entered, self.leave = threading.Event(), threading.Event()
        self.model = ScriptedModel(*replies)
        self.model.before_piece = self._pause

    def _pause(self) -> None:
        self.entered.set()
        assert self.leave.wait(10)


def during_a_turn(companion: Companion, paused: Paused, do) -> None:
    """Call ``do`` on this thread while a turn waits on another one."""
    worker = threading.Thread(target=companion.turn, args=("hello",))
    worker.start()
    assert paused.entered.wait(10)
    try:
        do()
    finally:
        paused.leave.set()
        worker.join(10)
    assert not worker.is_alive()


# --- forgetting ----------------------------------------------------------------------------------------------------


def test_what_is_forgotten_is_not_in_the_next_prompt(tmp_path) -> None:
    companion = make_companion(tmp_path, TOLD, NICE)
    companion.turn("my cat is called Pixel")
    assert "Pixel" in str(companion.history)
    assert companion.forget(companion.memories()[0].id) == 1
    assert companion.history == [] and companion.message_count() == 0
    companion.turn("what is my cat called?")
    assert "Pixel" not in str(companion.llm.asked[-1])


def test_what_is_forgotten_in_talk_is_not_in_the_next_prompt(tmp_path) -> None:
    companion = make_companion(tmp_path, TOLD, "sad 0.6\nGone.\nmemory: forget | pet", NICE)
    companion.turn("my cat is called Pixel")
    assert companion.turn("please forget my cat Pixel").notice.startswith("Forgotten: pet: a cat called Pixel\nErased")
    companion.turn("hello")
    assert "Pixel" not in str(companion.llm.asked[-1])


def test_what_waits_to_be_stored_is_forgotten_too(tmp_path) -> None:
    companion = make_companion(tmp_path, TOLD, NICE)
    known = companion.memory.add("tester", "name", "Mina")
    working, companion.memory = companion.memory, Broken()
    assert companion.turn("my cat is called Pixel").stored == ()
    companion.memory = working
    companion.forget(known.id)
    assert companion.turn("hello").stored == () and companion.memories() == []


def test_everything_is_forgotten_at_once(tmp_path) -> None:
    companion = make_companion(tmp_path, TOLD, NICE)
    companion.turn("my cat is called Pixel")
    companion.memory.add("friend", "name", "Jo")
    assert companion.forget_everything() == 1
    assert companion.memories() == [] and companion.history == [] and len(companion.memory.memories("friend")) == 1
    left = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"Pixel" not in left and b"tester" not in left


def test_whoever_asks_for_it_is_forgotten_altogether(tmp_path) -> None:
    companion = make_companion(tmp_path, TOLD, NICE)
    companion.turn("my cat is called Pixel")
    companion.memory.add("tester", "plan", "interview", expires=NOW - timedelta(hours=1))
    companion.memory.add("friend", "name", "Jo")
    notice = companion.turn("delete everything about me").notice
    assert "all that I knew of you (2)" in notice and "Erased messages" in notice
    assert companion.memories() == companion.past_plans() == companion.history == []
    assert companion.message_count() == 0 and len(companion.memory.memories("friend")) == 1
    assert companion.turn("나에 대해 아는 거 전부 잊어줘").stored == ()


def test_what_cannot_be_forgotten_is_said(tmp_path, monkeypatch) -> None:
    companion = make_companion(tmp_path, TOLD, NICE)
    companion.turn("my cat is called Pixel")
    monkeypatch.setattr(companion.memory, "forget_user", lambda user: 1 / 0)
    assert "Nothing could be forgotten" in companion.turn("delete everything about me").notice
    assert len(companion.memories()) == 1


def test_a_plan_that_is_over_can_be_forgotten(tmp_path) -> None:
    moment = [NOW]
    companion = make_companion(tmp_path, clock=lambda: moment[0])
    plan = companion.memory.add("tester", "plan", "interview", expires=NOW + timedelta(hours=1))
    assert companion.past_plans() == []
    moment[0] += timedelta(days=1)
    assert companion.memories() == [] and companion.past_plans() == [plan]
    assert companion.forget(plan.id) == 1 and companion.past_plans() == []


@pytest.mark.parametrize(("language", "words"), [("en", "still answering"), ("ko", "대답하는 중")])
def test_nothing_is_forgotten_and_nobody_waits_while_she_answers(tmp_path, language, words) -> None:
    paused = Paused(NICE)
    companion = make_companion(tmp_path, llm=paused.model)
    companion.language = language
    known = companion.memory.add("tester", "name", "Mina")

    def try_it() -> None:
        for change in (lambda: companion.forget(known.id), companion.forget_everything, companion.new_conversation):
            with pytest.raises(BusyError, match=words):
                change()

    during_a_turn(companion, paused, try_it)
    assert companion.memories() == [known] and companion.history
    assert companion.forget(known.id) == 1


def test_what_the_model_would_remember_is_not_waited_for_after_a_stop(tmp_path) -> None:
    """Her words were somebody else's and are shown; the model only speaks for its memory line."""
    long = "happy 0.8\n" + " ".join(f"Number {n}." for n in range(40)) + "\nmemory: none"
    model = ModelWithExamples(long)
    companion = make_companion(tmp_path, llm=model, reader=Known(tells=0.9, about_her="season"))
    companion.examples = Written("Winter, of course.")
    pieces = []
    model.before_piece = lambda: (pieces.append(1), companion.stop() if len(pieces) == 12 else None)
    turn = companion.turn("your season? mine is summer")
    assert (turn.reply, turn.outcome) == ("Winter, of course.", "answered") and len(model.asked) == 1
    assert 12 <= len(pieces) < 20 < len(long) / 4
    assert companion.turn("your season? mine is summer").outcome == "answered"
    assert len(pieces) > len(long) / 4, "without a stop it is heard to its end"


# --- a new conversation --------------------------------------------------------------------------------------------


def test_a_new_conversation_knows_what_is_kept(tmp_path) -> None:
    companion = make_companion(tmp_path, TOLD, NICE)
    companion.turn("my cat is called Pixel. I live in Bergen.")
    companion.new_conversation()
    assert companion.history == [] and companion.message_count() == 1
    assert [memory.line for memory in companion.memories()] == ["pet: a cat called Pixel"]
    assert companion.turn("   ").expression == "neutral"
    companion.turn("hello")
    assert len(companion.llm.asked[-1]["messages"]) == 1


def test_a_new_conversation_has_no_doubts_left(tmp_path) -> None:
    companion = make_companion(tmp_path, NICE)
    for _ in range(4):
        companion.turn("so insolent")
        companion.new_conversation()
    assert companion.sanctions.events("tester") == []
    companion.turn("so insolent")
    companion.turn("so insolent")
    companion.turn("so insolent")
    assert len(companion.sanctions.events("tester")) == 1


def test_what_could_not_be_stored_outlives_the_conversation(tmp_path) -> None:
    companion = make_companion(tmp_path, TOLD, NICE)
    working, companion.memory = companion.memory, Broken()
    companion.turn("my cat is called Pixel")
    companion.memory = working
    companion.new_conversation()
    assert companion.turn("hello").stored == ("pet: a cat called Pixel",)


# --- opening and closing -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["fr", "", None])
def test_another_language_is_refused_before_anything_is_opened(tmp_path, language) -> None:
    with pytest.raises(ValueError, match=r"language=.* is unknown; allowed: ko, en"):
        Companion(user="tester", language=language, state=tmp_path)
    assert list(tmp_path.iterdir()) == []
    companion = make_companion(tmp_path)
    with pytest.raises(ValueError, match="allowed: ko, en"):
        companion.language = language
    assert companion.turn("").notice and companion.language == "en"


@pytest.fixture
def small_parts(monkeypatch):
    """The profile's language model and embedder are small ones; gives the loaded models."""
    from companion_parts import LetterEmbedder

    from ohlora.rag.relevance import CosineRelevance

    loaded = weakref.WeakSet()

    def load(profile) -> ScriptedModel:
        model = ScriptedModel(NICE)
        loaded.add(model)
        return model

    monkeypatch.setattr("ohlora.companion.answer_parts.load_llm", load)
    monkeypatch.setattr("ohlora.companion.companion.load_embedder", lambda profile: LetterEmbedder())
    monkeypatch.setattr("ohlora.rag.memory_store.load_relevance", lambda embedder: CosineRelevance(0.3))
    return loaded


def open_companion(tmp_path, **parts) -> Companion:
    generator = PaintBox()
    given = {"generator": generator, "face": make_face(generator), "reader": NoReader(), "moderator": WordModerator()}
    return Companion(user="tester", state=tmp_path, language="en", **{**given, **parts})


def test_closing_closes_what_she_opened_and_lets_go_of_her_model(tmp_path, small_parts) -> None:
    with open_companion(tmp_path) as companion:
        assert companion.turn("hello").outcome == "answered" and len(small_parts) == 1
        assert (tmp_path / "memory.sqlite-wal").exists()
    assert not list(tmp_path.glob("*-wal")) and not list(tmp_path.glob("*-shm")), "the files are closed"
    assert len(small_parts) == 0, "nobody holds the model any more, so its server ends"
    turn = companion.turn("hello?")
    assert turn.outcome == "refused" and turn.message_is_free and "closed" in turn.notice
    companion.close()


def test_a_friend_s_stores_are_closed_and_the_shared_model_lives_as_long_as_somebody_uses_it(
    tmp_path, small_parts
) -> None:
    companion = open_companion(tmp_path / "own")
    friend = companion.for_user("friend", state=tmp_path / "friend")
    companion.close()
    assert friend.turn("hello").outcome == "answered"
    friend.close()
    assert not list(tmp_path.rglob("*-wal")) and friend.llm is not None, "she did not start it"
    del friend
    assert len(small_parts) == 0


def test_given_parts_stay_open(tmp_path) -> None:
    companion = make_companion(tmp_path)
    companion.close()
    companion.memory.add("tester", "name", "Mina")
    assert companion.sanctions.events("tester") == [] and companion.llm is not None


def test_a_part_that_cannot_be_loaded_leaves_no_file_open(tmp_path, small_parts, monkeypatch) -> None:
    def missing(profile):
        raise RuntimeError("no weights")

    monkeypatch.setattr("ohlora.companion.answer_parts.load_llm", missing)
    with pytest.raises(RuntimeError, match="no weights"):
        open_companion(tmp_path)
    assert not list(tmp_path.glob("*-wal"))


def test_closing_stops_a_turn_and_waits_for_its_end(tmp_path) -> None:
    paused = Paused("happy 0.8\nFirst one. Second one. Third one. Fourth one.\nmemory: none")
    companion = make_companion(tmp_path, llm=paused.model)
    turns = []
    worker = threading.Thread(target=lambda: turns.append(companion.turn("hello")))
    worker.start()
    assert paused.entered.wait(10)
    threading.Timer(0.2, paused.leave.set).start()
    companion.close()
    worker.join(10)
    assert turns[0].outcome == "stopped" and companion.turn("hello").outcome == "refused"


def test_a_turn_that_does_not_end_keeps_what_it_uses(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("ohlora.companion.companion.CLOSING_SECONDS", 0.05)
    paused = Paused(NICE)
    companion = make_companion(tmp_path, llm=paused.model)
    during_a_turn(companion, paused, companion.close)
    assert companion.turn("hello").outcome == "answered"


# --- her face ------------------------------------------------------------------------------------------------------


def other_face() -> Face:
    return Face(PaintBox().sample_z(1, 9)[0].numpy(), dict.fromkeys(PROPERTIES, 0.5))


def test_her_own_face_leaves_the_faces_of_other_generators(tmp_path, monkeypatch) -> None:
    path = tmp_path / "face.yaml"
    path.write_text(yaml.safe_dump({"somebody_else": {"seed": 1, "properties": {}}}))
    companion = make_companion(tmp_path, state=tmp_path)
    monkeypatch.setattr("ohlora.companion.companion.load_face", lambda generator, profile: make_face(generator))
    companion.wear(other_face())
    assert set(yaml.safe_load(path.read_text())) == {"somebody_else", WEIGHTS}
    companion.wear(None)
    assert set(yaml.safe_load(path.read_text())) == {"somebody_else"}
    assert make_companion(tmp_path, state=tmp_path, face=None).painter.face.latent.shape == (8,)
    companion.wear(None)
    path.unlink()
    companion.wear(other_face())
    companion.wear(None)
    assert not path.exists(), "a file without faces is none"
    path.write_text("{half")
    with pytest.raises(ValueError, match="no YAML"):
        companion.wear(None)
    assert path.read_text() == "{half"


def test_a_friend_sees_the_face_that_the_friend_chose(tmp_path) -> None:
    companion = make_companion(tmp_path, state=tmp_path)
    assert companion.for_user("new", state=tmp_path / "new").painter.face is companion.painter.face
    save_face(other_face(), tmp_path / "friend" / "face.yaml")
    friend = companion.for_user("friend", state=tmp_path / "friend")
    assert np.allclose(friend.painter.face.latent, other_face().latent, atol=1e-4)
    save_face(other_face(), tmp_path / "face.yaml")
    assert companion.for_user("other", state=tmp_path).painter.face is companion.painter.face, "it is the same folder"


def test_faces_without_entries_are_a_clear_error(tmp_path) -> None:
    (tmp_path / "face.yaml").write_text("- a list")
    with pytest.raises(ValueError, match="entries by weights"):
        load_face(SimpleNamespace(), path=tmp_path / "face.yaml")


def test_a_wish_in_so_many_words_is_carried_out_though_no_network_saw_it(tmp_path) -> None:
    companion = make_companion(tmp_path, "happy 0.5\nOh!\nmemory: add | cat | Pixel", NICE)
    companion.turn("my cat is called Pixel")
    turn = companion.turn("please forget my cat called Pixel")
    assert "Pixel" in turn.notice and companion.memories() == [] and companion.message_count() == 0
    assert companion.turn("don't forget my cat").notice is None
