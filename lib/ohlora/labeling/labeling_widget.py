"""The widget with which a person labels portraits: one picture, two keys or buttons, undo, resume."""

from __future__ import annotations

import html
import io

import ipywidgets as widgets
import numpy as np
from PIL import Image

from ohlora.labeling.label_store import QUESTIONS, LabelStore

UNDO_KEY = "u"


class LabelingWidget(widgets.VBox):
    """Shows the next portrait that waits for an answer and stores each answer at once.

    Click into the box once and keep typing: 1 is the left answer, 2 the right one, u takes the latest back. The box
    empties itself after each key, so that the hands stay where they are.

    Args:
        pictures: name → uint8 (size, size, 3); the name is what the store remembers.
        store: where answers go; answers of its rater that are already there are not asked again.
        height: of the picture on the screen, in pixels.
    """

    def __init__(self, pictures: dict[str, np.ndarray], store: LabelStore, height: int = 256) -> None:
        if not pictures:
            raise ValueError("pictures is empty; allowed: at least one name → uint8 (size, size, 3)")
        self._pictures = pictures
        self._store = store
        self._image = widgets.Image(format="png", width=height, height=height)
        self._status = widgets.HTML()
        self._answers = [widgets.Button(), widgets.Button()]
        for position, button in enumerate(self._answers):
            button.on_click(lambda _, position=position: self.answer(position))
        undo = widgets.Button(description=f"undo ({UNDO_KEY})", icon="undo")
        undo.on_click(lambda _: self.undo())
        # A text box is the only widget of the core package that hears the keyboard.
        self.keyboard = widgets.Text(placeholder=f"click here, then type 1, 2 or {UNDO_KEY}", continuous_update=True)
        self.keyboard.observe(lambda change: self._typed(change["new"]), names="value")
        super().__init__([self._image, widgets.HBox([*self._answers, undo]), self.keyboard, self._status])
        self.refresh()

    @property
    def question(self) -> tuple[str, str] | None:
        """(portrait, question) that is shown, or None when all are answered."""
        waiting = self._store.unanswered(list(self._pictures))
        return waiting[0] if waiting else None

    def answer(self, position: int) -> None:
        """Press the first (0) or the second (1) button."""
        shown = self.question
        if shown is not None:
            portrait, question = shown
            self._store.add(portrait, question, QUESTIONS[question][position])
        self.refresh()

    def undo(self) -> None:
        """Take the latest answer back and ask again."""
        self._store.undo()
        self.refresh()

    def refresh(self) -> None:
        """Show what waits next."""
        waiting = self._store.unanswered(list(self._pictures))
        total = len(self._pictures) * len(QUESTIONS)
        progress = f"{total - len(waiting)} of {total} answered by {html.escape(self._store.rater)}"
        for button in self._answers:
            button.disabled = not waiting
        if not waiting:
            self._status.value = f"<b>Done.</b> {progress}. Thank you!"
            return
        portrait, question = waiting[0]
        buffer = io.BytesIO()
        Image.fromarray(self._pictures[portrait]).save(buffer, format="PNG")
        self._image.value = buffer.getvalue()
        for key, button, answer in zip("12", self._answers, QUESTIONS[question], strict=True):
            button.description = f"{answer} ({key})"
        self._status.value = f"<b>{html.escape(question)}</b> of {html.escape(portrait)}? &nbsp; {progress}"

    def _typed(self, text: str) -> None:
        if not text:
            return  # our own clearing
        self.keyboard.value = ""
        # A fast typist's keys may arrive together; each one counts, in order.
        for key in text.lower():
            if key in "12":
                self.answer(int(key) - 1)
            elif key == UNDO_KEY:
                self.undo()
            elif not key.isspace():
                self._status.value = f"<b>{html.escape(key)}</b> is no answer: type 1, 2 or {UNDO_KEY}."
