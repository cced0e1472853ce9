"""The widget with which a person labels portraits: one picture, two buttons, undo, resume."""

from __future__ import annotations

import html
import io

import ipywidgets as widgets
import numpy as np
from PIL import Image

from ohlora.labeling.label_store import QUESTIONS, LabelStore


class LabelingWidget(widgets.VBox):
    """Shows the next portrait that waits for an answer and stores each answer at once.

    Args:
        pictures: name → uint8 (size, size, 3); the name is what the store remembers.
        store: where answers go; answers that are already there are not asked again.
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
        undo = widgets.Button(description="undo", icon="undo")
        undo.on_click(lambda _: self.undo())
        super().__init__([self._image, widgets.HBox([*self._answers, undo]), self._status])
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
        progress = f"{total - len(waiting)} of {total} answered"
        for button in self._answers:
            button.disabled = not waiting
        if not waiting:
            self._status.value = f"<b>Done.</b> {progress}. Thank you!"
            return
        portrait, question = waiting[0]
        buffer = io.BytesIO()
        Image.fromarray(self._pictures[portrait]).save(buffer, format="PNG")
        self._image.value = buffer.getvalue()
        for button, answer in zip(self._answers, QUESTIONS[question], strict=True):
            button.description = answer
        self._status.value = f"<b>{html.escape(question)}</b> of {html.escape(portrait)}? &nbsp; {progress}"
