"""The chat widget and the transcript: escaped, never sent twice, never dead."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from html.parser import HTMLParser

import ipywidgets
import numpy as np
import pytest
from companion_parts import NOW, ScriptedModel, make_companion

from ohlora.companion import ChatWidget, render_transcript, write_transcript
from ohlora.companion.face_picker import SHOWN, FacePicker
from ohlora.companion.memory_list import MemoryList
from ohlora.companion.transcript import escape

NICE = "happy 0.8\nGood to see you. How are you?\nmemory: none"
TOLD = "curious 0.6\nA cat, lovely!\nmemory: add | pet | a cat called Pixel"
ATTACK = "<script>alert(1)</script><img src=x onerror=alert(2)>\"&'</div>"


class Tags(HTMLParser):
    """Every tag and attribute of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attributes]


@pytest.fixture
def chat(tmp_path):
    """A widget without motion over a scripted companion."""
    opened = []

    def open_chat(*replies, **parts) -> ChatWidget:
        opened.append(ChatWidget(make_companion(tmp_path, *replies, **parts), animate=False))
        return opened[-1]

    yield open_chat
    for widget in opened:
        widget.close()


def exchange(widget: ChatWidget, text: str) -> str:
    """Send, wait, and give the transcript's HTML."""
    assert widget.say(text) and widget.wait(20)
    return widget._transcript.value


def test_a_conversation_appears(chat) -> None:
    widget = chat(NICE)
    before = widget._portrait.value
    page = exchange(widget, "hello")
    assert "hello" in page and "Good to see you. How are you?" in page and "happy 0.8" in page
    assert widget._portrait.value != before and widget._portrait.value[:2] == b"\xff\xd8"
    assert "<details" in widget._timings.value
    assert not widget._send_button.disabled and widget._stop_button.disabled


def test_what_people_and_models_write_stays_text(chat, tmp_path) -> None:
    widget = chat(f"happy 0.8\n{ATTACK.replace('<', '‹')} & <b>bold</b>\nmemory: none")
    page = exchange(widget, ATTACK)
    assert set(Tags(page).tags) == {"div"} and not any(name.startswith("on") for name in Tags(page).attributes)
    assert "&lt;script&gt;" in page


def test_memories_are_escaped_too(chat) -> None:
    widget = chat(TOLD)
    widget.companion.memory.add("tester", "name", '"><b onclick=x>Bob')
    page = exchange(widget, "my cat is called Pixel")
    assert "a cat called Pixel" in page
    lines = "".join(row.children[0].value for row in widget._memories.children)
    assert set(Tags(lines).tags) == {"span"} and "onclick" not in Tags(lines).attributes


def test_the_forget_button_forgets(chat) -> None:
    widget = chat(TOLD)
    exchange(widget, "my cat is called Pixel")
    widget._memories.children[0].children[1].click()
    assert widget.companion.memories() == []
    assert not isinstance(widget._memories.children[0], ipywidgets.HBox)


def live_widgets() -> int:
    """Widgets that ipywidgets keeps until they are closed."""
    registry = getattr(ipywidgets.widgets.widget, "_instances", None)  # ipywidgets 8
    return len(ipywidgets.Widget.widgets if registry is None else registry)


def test_no_widgets_pile_up_over_turns(chat) -> None:
    told = [f"happy 0.8\nYes.\nmemory: {'update' if n else 'add'} | pet | a cat called Pix{n}" for n in range(12)]
    widget = chat(*told)
    widget.companion.memory.add("tester", "name", "Mina")
    exchange(widget, "my cat is called Pix0")
    before = live_widgets()
    for number in range(1, 11):
        exchange(widget, f"my cat is called Pix{number}")
        assert f"Pix{number}" in widget._memories.children[0].children[0].value
        assert live_widgets() == before
    widget._languages.value = "ko"
    widget._languages.value = "en"
    assert live_widgets() == before
    widget._memories.children[0].children[1].click()
    assert live_widgets() < before


def test_rows_stay_while_the_memories_do(chat) -> None:
    widget = chat(NICE)
    widget.companion.memory.add("tester", "name", "Mina")
    exchange(widget, "hello")
    rows = widget._memories.children
    exchange(widget, "hello again")
    assert widget._memories.children is rows


def test_other_faces_close_the_former_ones(chat) -> None:
    picker = chat(NICE)._picker
    picker._open_button.click()
    before = live_widgets()
    for _ in range(3):
        picker._more_button.click()
        assert live_widgets() == before


def test_closing_closes_every_widget_and_the_companion(chat) -> None:
    before = live_widgets()
    widget = chat(NICE)
    widget._picker._open_button.click()
    exchange(widget, "hello")
    widget.close()
    assert live_widgets() == before
    assert widget.companion.turn("hello").outcome == "refused"
    widget.close()


def test_memories_that_cannot_be_read_are_said_once(chat) -> None:
    widget = chat(NICE)
    working = widget.companion.memories

    def broken():
        raise OSError("the disk is gone")

    widget.companion.memories = broken
    exchange(widget, "hello")
    before = live_widgets()
    exchange(widget, "hello again")
    assert "the disk is gone" in widget._memories.children[0].value and live_widgets() == before
    widget.companion.memories = working
    exchange(widget, "and now?")
    assert "the disk is gone" not in widget._memories.children[0].value


def test_a_plan_that_is_over_is_shown_as_over_and_can_be_forgotten(chat) -> None:
    widget = chat(NICE)
    widget.companion.memory.add("tester", "plan", "interview", expires=NOW - timedelta(hours=1))
    exchange(widget, "hello")
    line, button = widget._memories.children[0].children
    assert "plan: interview (over)" in line.value
    button.click()
    assert widget.companion.past_plans() == []


def test_forget_during_a_turn_is_refused_in_words_and_stop_still_works(chat) -> None:
    leave, entered = threading.Event(), threading.Event()
    model = ScriptedModel("happy 0.8\nFirst one. Second one. Third one.\nmemory: none")

    pieces = []

    def pause() -> None:
        pieces.append(1)
        time.sleep(0.05)  # the display takes 15 reports a second
        if len(pieces) == 8:
            entered.set()
            assert leave.wait(10)

    model.before_piece = pause
    widget = chat(llm=model)
    widget.companion.memory.add("tester", "name", "Mina")
    widget._show_memories()
    assert widget.say("hello") and entered.wait(10)
    live = widget._live.value
    assert "First one." in live
    began = time.monotonic()
    widget._memories.children[0].children[1].click()
    assert time.monotonic() - began < 5, "the kernel's thread must not wait for the turn"
    assert "try it again when she is done" in widget._transcript.value and "went wrong" not in widget._transcript.value
    assert widget._live.value == live and len(widget.companion.memories()) == 1
    widget._stop_button.click()
    leave.set()
    assert widget.wait(10) and widget.turns[-1].outcome == "stopped"
    widget._memories.children[0].children[1].click()
    assert widget.companion.memories() == []


def test_a_message_is_never_sent_twice(chat) -> None:
    leave, entered = threading.Event(), threading.Event()
    model = ScriptedModel(NICE)

    def pause() -> None:
        entered.set()
        assert leave.wait(10)

    model.before_piece = pause
    widget = chat(llm=model)
    assert widget.say("first") and entered.wait(10)
    assert widget._send_button.disabled and not widget._stop_button.disabled
    assert not widget.say("second")
    leave.set()
    assert widget.wait(10)
    assert [turn.message for turn in widget.turns] == ["first"] and len(model.asked) == 1
    assert "second" not in exchange(widget, "third")


def test_a_message_that_is_refused_at_once_is_not_lost(chat, monkeypatch) -> None:
    widget = chat(NICE)
    said = widget.say
    monkeypatch.setattr(widget, "say", lambda text: said(text) and widget.wait(10))  # the turn is over before say ends
    long = "long " * 400
    widget._box.value = long
    widget._send_button.click()
    assert widget._box.value == long.rstrip("\n") and widget.turns[-1].outcome == "refused"


def test_enter_sends_and_a_pasted_text_does_not(chat) -> None:
    widget = chat(NICE)
    widget._box.value = "two\nlines\n"
    assert widget.turns == [] and widget._worker is None
    widget._box.value = "two\nlines\nand more\n"
    assert widget.wait(10) and [turn.message for turn in widget.turns] == ["two\nlines\nand more"]
    assert widget._box.value == ""
    for value in (
        "안",
        "안녕",
        "안녕 오로랴",
        "안녕 오로라\n",
    ):  # the break comes together with letters; 랴 was unfinished
        widget._box.value = value
    assert widget.wait(10) and widget.turns[-1].message == "안녕 오로라"
    assert widget._box.value == ""


def test_an_empty_box_does_not_take_enter_for_a_message(chat) -> None:
    widget = chat(NICE)
    widget._box.value = "\n"
    assert widget._worker is None


def test_what_could_not_be_answered_goes_back_into_the_box(chat) -> None:
    widget = chat(RuntimeError("the model died"))
    page = exchange(widget, "my long question")
    assert "the model died" in page and widget._box.value == "my long question"
    assert not widget._send_button.disabled
    assert widget.turns[-1].outcome == "failed"


def test_a_long_paste_is_refused_and_kept(chat) -> None:
    widget = chat(NICE)
    page = exchange(widget, "x" * 100_000)
    assert "100,000" in page and len(page) < 20_000, "the page must stay small"
    assert len(widget._box.value) == 100_000
    assert "Good to see you" in exchange(widget, "short")


def test_an_unforeseen_error_leaves_a_widget_that_works(chat) -> None:
    widget = chat(NICE)
    turn = widget.companion.turn

    def broken(text, on_progress=None):
        raise KeyError("unforeseen")

    widget.companion.turn = broken
    assert "unforeseen" in exchange(widget, "hello") and widget._box.value == "hello"
    widget.companion.turn = turn
    assert "Good to see you" in exchange(widget, "hello")


def test_a_reply_is_streamed_at_most_fifteen_times_a_second(chat) -> None:
    model = ScriptedModel("happy 0.8\n" + " ".join(f"Number {n}." for n in range(30)) + "\nmemory: none")
    model.before_piece = lambda: time.sleep(0.01)
    widget = chat(llm=model)
    shown = []
    widget._live.observe(lambda change: shown.append(time.monotonic()), names="value")
    began = time.monotonic()
    exchange(widget, "hello")
    assert 2 < len(shown) <= 15 * (time.monotonic() - began) + 4


def test_the_language_can_be_switched(chat) -> None:
    widget = chat(NICE)
    assert widget._send_button.description == "Send"
    widget._languages.value = "ko"
    assert widget._send_button.description == "보내기" and widget.companion.language == "ko"
    assert "한 글자" in exchange(widget, " ")


def test_a_blocked_user_sees_when_it_ends(chat) -> None:
    widget = chat(NICE)
    for _ in range(12):
        page = exchange(widget, "you insult")
    assert widget.turns[-1].outcome == "blocked" and "2026" in widget.turns[-1].notice
    assert escape(widget.turns[-1].notice) in page


def test_the_motion_stops_with_the_widget(tmp_path) -> None:
    widget = ChatWidget(make_companion(tmp_path, NICE))
    exchange(widget, "hello")
    widget.close()
    assert not any(thread.name == "ohlora-animation" and thread.is_alive() for thread in threading.enumerate())


def test_the_animated_face_arrives_at_the_expression(tmp_path) -> None:
    companion = make_companion(tmp_path, "surprised 1.0\nWhat?!\nmemory: none")
    widget = ChatWidget(companion)
    exchange(widget, "hello")
    deadline = time.monotonic() + 10
    while widget._animator.present != companion.expressions.offsets("surprised") and time.monotonic() < deadline:
        time.sleep(0.05)
    widget.close()
    assert widget._animator.present == pytest.approx(companion.expressions.offsets("surprised"))


def test_only_widgets_of_both_generations_are_used(chat) -> None:
    allowed = {"VBox", "HBox", "Box", "HTML", "Textarea", "Button", "Image", "Dropdown", "ChatWidget"}
    widget = chat(NICE)
    found, waiting = set(), [widget]
    while waiting:
        one = waiting.pop()
        found.add("VBox" if isinstance(one, (FacePicker, MemoryList)) else type(one).__name__)
        waiting += getattr(one, "children", ())
    assert found <= allowed


# --- transcript ----------------------------------------------------------------------------------------------------


def test_the_transcript_is_a_page_without_scripts(tmp_path) -> None:
    companion = make_companion(tmp_path, NICE)
    turns = [companion.turn(ATTACK), companion.turn("hello")]
    path = write_transcript(turns, tmp_path / "page" / "chat.html", title=ATTACK)
    tags = Tags(path.read_text(encoding="utf-8"))
    assert "script" not in tags.tags and not any(name.startswith("on") for name in tags.attributes)
    assert tags.tags.count("img") == 2, "a portrait beside each reply, and nothing that was typed"
    assert path.read_text(encoding="utf-8").count("data:image/jpeg;base64,") == 2


def test_an_empty_transcript_is_still_a_page() -> None:
    assert render_transcript([]).startswith("<!doctype html>")


@pytest.mark.parametrize("text", ["a\x00b", "a\x1bb", "a\u202eb", "a\u200bb"])
def test_invisible_characters_do_not_reach_the_page(text: str) -> None:
    assert escape(text) == "ab"


def test_korean_emoji_and_line_breaks_stay() -> None:
    assert escape("안녕 😀\n👩‍💻") == "안녕 😀\n👩‍💻"


def test_another_face_is_picked_kept_and_given_back(chat, tmp_path) -> None:
    widget = chat(NICE, state=tmp_path)
    own, picker = widget._portrait.value, widget._picker
    assert picker._panel.layout.display == "none" and not picker._faces.children
    picker._open_button.click()
    assert len(picker._faces.children) == SHOWN and picker._panel.layout.display == ""
    picker._faces.children[2].children[1].click()
    latent = widget.companion.painter.face.latent
    assert np.array_equal(latent, picker._offered(0)[2])
    again = make_companion(tmp_path, state=tmp_path, face=None)
    assert again.painter.face.latent == pytest.approx(latent, abs=1e-5), "the next session must find her face"
    (tmp_path / "face.yaml").write_text("{half", encoding="utf-8")
    with pytest.raises(ValueError, match="8"):  # her shipped latent is of another generator than the test's
        make_companion(tmp_path, state=tmp_path, face=None)
    assert own


def test_a_face_that_cannot_be_kept_is_said_in_the_chat(chat, tmp_path, monkeypatch) -> None:
    widget = chat(NICE, state=tmp_path)

    def full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("ohlora.companion.companion.save_face", full)
    widget._picker._open_button.click()
    widget._picker._faces.children[0].children[1].click()
    assert "No space left" in widget._transcript.value
    assert exchange(widget, "still here?")


def test_recommended_faces_are_offered_in_their_order(chat, tmp_path) -> None:
    widget = chat(NICE, state=tmp_path)
    latents = np.arange(10 * 8, dtype=np.float32).reshape(10, 8) / 80
    picker = FacePicker(widget.companion, lambda error: None, latents)
    assert np.array_equal(picker._offered(0), latents[:SHOWN])
    assert np.array_equal(picker._offered(1), latents[SHOWN:])
