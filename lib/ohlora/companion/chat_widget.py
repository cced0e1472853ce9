"""The chat in a notebook or a Voila page: her portrait beside the conversation.

Only widgets and traits that ipywidgets 7.7.1 (Colab) and 8 share. A turn runs on a worker thread,
so the kernel stays free and the stop button works; text is streamed by assigning ``HTML.value``
(never by printing from a thread, which loses output), at most 15 times a second.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import datetime
from pathlib import Path

import ipywidgets as widgets
import numpy as np

from ohlora.companion.animation import Animator, Offsets
from ohlora.companion.companion import CLOSING_SECONDS, Companion
from ohlora.companion.face import encode_portrait
from ohlora.companion.face_picker import FacePicker
from ohlora.companion.memory_list import MemoryList
from ohlora.companion.open_widgets import close_widgets
from ohlora.companion.transcript import STYLE, escape, timings_fold, turn_lines, words_line, write_transcript
from ohlora.companion.turn import BusyError, Turn, TurnProgress
from ohlora.config import outputs_folder

logger = logging.getLogger(__name__)

UPDATES_A_SECOND = 15
PORTRAIT_PIXELS = 320  # on the screen; the browser enlarges a frame of 256 px smoothly, so that it stays small

_WORDS = {
    "ko": {
        "send": "보내기",
        "stop": "멈추기",
        "save": "대화 저장",
        "ask": "오로라에게 말을 걸어 보세요 (Enter: 보내기)",
        "thinking": "생각하는 중…",
        "memories": "기억",
        "saved": "저장했어요: {path}",
        "unread": "기억을 읽지 못했어요({reason}).",
        "error": "문제가 생겼어요({reason}). 다시 보내 주세요.",
        "hello": "안녕! 나는 오로라야.",
    },
    "en": {
        "send": "Send",
        "stop": "Stop",
        "save": "Save chat",
        "ask": "Say something to Oh-LoRA (Enter sends)",
        "thinking": "thinking…",
        "memories": "Memories",
        "saved": "Saved: {path}",
        "unread": "Her memories could not be read ({reason}).",
        "error": "Something went wrong ({reason}). Please send it again.",
        "hello": "Hi! I am Oh-LoRA.",
    },
}


class ChatWidget(widgets.VBox):
    """Chat with a companion; show it as the last line of a cell.

    Args:
        companion: who answers.
        animate: move the face between expressions, blink and idle; off shows one picture a turn.
        faces: latents float32 (n, z_dim) that the face picker offers, such as recommended ones; default: random ones.
    """

    def __init__(self, companion: Companion, animate: bool = True, faces: np.ndarray | None = None) -> None:
        self.companion = companion
        self.turns: list[Turn] = []
        self._language = companion.language
        self._worker: threading.Thread | None = None
        self._sending = threading.Lock()  # held for the whole of a turn: a second send is refused
        self._extra_notice = ""
        self._before_typing = ""
        self._spoken = 0  # letters of the present reply that her lips have moved for
        self._picker = FacePicker(companion, self._face_changed, faces)
        self._build()
        self._animator = Animator(self._show_offsets) if animate else None
        super().__init__([self._style, widgets.HBox([self._left, self._right], layout={"flex_flow": "row wrap"})])
        self.add_class("ohlora")
        self._relabel()
        self._show_offsets({})
        if self._animator:
            self._animator.move_to({})

    # --- what a person or a program does -------------------------------------------------------------------------

    def say(self, text: str) -> bool:
        """Send a message as if it was typed. False when she is still answering: nothing is sent then."""
        if not self._sending.acquire(blocking=False):
            return False
        self._extra_notice, self._spoken = "", 0
        self._send_button.disabled, self._stop_button.disabled = True, False
        self._show_live(words_line(text[:2000], you=True) + words_line(_WORDS[self._language]["thinking"], you=False))
        self._worker = threading.Thread(target=self._answer, args=(text,), name="ohlora-turn", daemon=True)
        self._worker.start()
        return True

    def stop(self) -> None:
        """Stop the reply that is being generated; what was said stays."""
        self.companion.stop()

    def wait(self, timeout: float | None = None) -> bool:
        """Block until the present turn is over; False on timeout. For tests and headless use."""
        if self._worker is not None:
            self._worker.join(timeout)
            return not self._worker.is_alive()
        return True

    def save(self, path: Path | None = None) -> Path:
        """Write the conversation as one HTML file; default: outputs/16_oh_lora/chat_<time>.html."""
        path = path or outputs_folder() / "16_oh_lora" / f"chat_{datetime.now():%Y%m%d_%H%M%S}.html"
        return write_transcript(self.turns, path, language=self._language)

    def __repr__(self) -> str:
        return f"ChatWidget({len(self.turns)} turns)"  # the parts would print her picture's bytes

    def close(self) -> None:
        """Stop the motion and the running turn, then close the companion (see Companion.close) and all widgets."""
        self.companion.stop()
        if self._animator:
            self._animator.close()
        self.wait(CLOSING_SECONDS)
        self.companion.close()
        close_widgets(*self.children)
        self.layout.close()
        super().close()

    # --- building ------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        side = {"width": f"{PORTRAIT_PIXELS + 12}px", "flex": "0 0 auto"}
        self._style = widgets.HTML(f"<style>{STYLE}</style>")
        self._portrait = widgets.Image(format="jpeg", width=PORTRAIT_PIXELS, height=PORTRAIT_PIXELS)
        self._languages = widgets.Dropdown(options=[("한국어", "ko"), ("English", "en")], value=self._language)
        self._languages.layout.width = "110px"
        self._save_button = widgets.Button(layout={"width": "120px"})
        self._memory_title = widgets.HTML()
        self._memories = MemoryList(self._forget)
        self._left = widgets.VBox(
            [
                self._portrait,
                widgets.HBox([self._languages, self._save_button]),
                self._picker,
                self._memory_title,
                self._memories,
            ],
            layout=side,
        )
        self._transcript = widgets.HTML(layout={"width": "100%"})
        self._live = widgets.HTML(layout={"width": "100%"})
        # Column-reverse keeps the newest line in view without a script: its scroll position starts at the bottom.
        self._scroll = widgets.Box(
            [widgets.VBox([self._transcript, self._live], layout={"width": "100%", "flex": "0 0 auto"})],
            layout={"height": "400px", "overflow": "auto", "display": "flex", "flex_flow": "column-reverse",
                    "border": "1px solid #d5d9e0", "padding": "6px"},
        )  # fmt: skip
        self._timings = widgets.HTML()
        self._box = widgets.Textarea(rows=2, layout={"flex": "1 1 auto", "width": "auto"})
        self._send_button = widgets.Button(button_style="primary", layout={"width": "90px"})
        self._stop_button = widgets.Button(disabled=True, layout={"width": "90px"})
        entry = widgets.HBox([self._box, widgets.VBox([self._send_button, self._stop_button])])
        self._right = widgets.VBox(
            [self._scroll, entry, self._timings], layout={"flex": "1 1 380px", "min_width": "320px"}
        )
        self._send_button.on_click(lambda _: self._send_box())
        self._stop_button.on_click(lambda _: self.stop())
        self._save_button.on_click(lambda _: self._save_clicked())
        self._languages.observe(lambda change: self._switch_language(change["new"]), names="value")
        self._box.observe(self._typed, names="value")

    def _relabel(self) -> None:
        words = _WORDS[self._language]
        self._send_button.description, self._stop_button.description, self._save_button.description = (
            words["send"],
            words["stop"],
            words["save"],
        )
        self._picker.speak(self._language)
        self._box.placeholder = words["ask"]
        self._memory_title.value = f"<b>{words['memories']}</b>"
        self._show_turns()
        self._show_memories()

    def _switch_language(self, language: str) -> None:
        self._language = self.companion.language = language
        self._relabel()

    # --- sending -------------------------------------------------------------------------------------------------

    def _typed(self, change: dict) -> None:
        """Enter sends: the text ends with the one line break that it has more than before. Pasted lines do not.

        The rest may differ as well: the browser sends the box's text at most every few milliseconds, and what a Korean
        keyboard had sent before was an unfinished syllable ("안녀" before "안녕\\n").
        """
        if self._animator:
            self._animator.wake()
        before, now = self._before_typing, change["new"]
        self._before_typing = now
        if now.endswith("\n") and now.count("\n") == before.count("\n") + 1 and now.strip():
            self._send_box()

    def _send_box(self) -> None:
        text = self._box.value.rstrip("\n")
        self._fill_box("")  # before the turn begins: it may be over at once, and then gives a refused message back
        if not self.say(text):
            self._fill_box(text)

    def _fill_box(self, text: str) -> None:
        self._before_typing = text
        self._box.value = text

    def _answer(self, text: str) -> None:
        """One turn, on the worker thread. Whatever happens, the widget can be used again."""
        if self._animator:
            self._animator.words_first(True)
        try:
            turn = self.companion.turn(text, on_progress=_Paced(lambda progress: self._show_progress(text, progress)))
            self.turns.append(turn)
            self._face(turn)
            if turn.message_is_free and not self._box.value.strip():
                self._fill_box(text)
        except Exception as error:  # the last net: a sentence in the chat, never a dead widget
            logger.exception("a turn failed")
            self._extra_notice = _WORDS[self._language]["error"].format(reason=f"{type(error).__name__}: {error}")
            self._fill_box("\n".join(filter(str.strip, (text, self._box.value))))  # what was typed since stays
        finally:
            if self._animator:
                self._animator.words_first(False)
            try:
                self._show_turns()
                self._live.value = ""
                self._show_memories()
            finally:
                self._send_button.disabled, self._stop_button.disabled = False, True
                self._sending.release()

    # --- showing -------------------------------------------------------------------------------------------------

    def _show_progress(self, message: str, progress: TurnProgress) -> None:
        self._move_face(progress.expression, progress.intensity)
        if self._animator:
            self._animator.speak(len(progress.text) - self._spoken)
        self._spoken = len(progress.text)
        if progress.text:
            self._show_live(words_line(message, you=True) + words_line(progress.text, you=False))

    def _face(self, turn: Turn) -> None:
        if self._animator:
            self._move_face(turn.expression, turn.intensity)
        elif turn.portrait is not None:
            self._portrait.value = encode_portrait(turn.portrait)

    def _move_face(self, expression: str, intensity: float) -> None:
        if self._animator:
            self._animator.move_to(self.companion.expressions.offsets(expression, intensity))

    def _face_changed(self, error: Exception | None) -> None:
        """She looks like somebody else now; her expression stays."""
        if error:
            self._extra_notice = _WORDS[self._language]["error"].format(reason=error)
            self._show_turns()
        self._show_offsets(self._animator.present if self._animator else {})

    def _show_offsets(self, offsets: Offsets) -> None:
        self._portrait.value = encode_portrait(self.companion.painter.portrait(offsets))

    def _show_live(self, lines: str) -> None:
        self._live.value = f'<div class="ohlora">{lines}</div>'

    def _show_turns(self) -> None:
        lines = "".join(turn_lines(turn, self._language) for turn in self.turns)
        hello = words_line(_WORDS[self._language]["hello"], you=False)
        notice = f'<div class="notice">{escape(self._extra_notice)}</div>' if self._extra_notice else ""
        self._transcript.value = f'<div class="ohlora">{hello}{lines}{notice}</div>'
        self._timings.value = timings_fold(self.turns[-1].timings, self._language) if self.turns else ""

    def _show_memories(self) -> None:
        try:
            memories, past_plans = self.companion.memories(), self.companion.past_plans()
            messages = self.companion.message_count()
        except Exception as error:
            logger.exception("memories could not be read")
            self._memories.show_failure(_WORDS[self._language]["unread"].format(reason=error))
        else:
            self._memories.show(memories, past_plans, messages, self._language)

    def _forget(self, memory_id: int | None) -> None:
        try:
            if memory_id is None:
                self.companion.forget_messages()
            else:
                self.companion.forget(memory_id)
        except BusyError as error:
            self._extra_notice = str(error)
            self._show_turns()
        except Exception as error:
            self._extra_notice = _WORDS[self._language]["error"].format(reason=error)
            self._show_turns()
        self._show_memories()

    def _save_clicked(self) -> None:
        try:
            notice = _WORDS[self._language]["saved"].format(path=self.save())
        except OSError as error:
            notice = _WORDS[self._language]["error"].format(reason=error)
        self._extra_notice = notice
        self._show_turns()


class _Paced:
    """Lets through at most 15 progress reports a second; a change of expression always passes."""

    def __init__(self, show) -> None:
        self._show, self._shown_at, self._expression = show, 0.0, None

    def __call__(self, progress: TurnProgress) -> None:
        now = time.monotonic()
        if progress.expression == self._expression and now - self._shown_at < 1 / UPDATES_A_SECOND:
            return  # the text of a later report, or of the finished turn, contains this one
        self._shown_at, self._expression = now, progress.expression
        self._show(progress)
