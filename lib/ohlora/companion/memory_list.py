"""What she remembers, in the chat: a line for each memory, with a button that makes her forget it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import ipywidgets as widgets

from ohlora.companion.open_widgets import close_widgets
from ohlora.companion.transcript import escape
from ohlora.rag import Memory

_WORDS = {
    "ko": {"none": "아직 기억하는 것이 없어요.", "forget": "잊기", "over": "지난 일"},
    "en": {"none": "She remembers nothing yet.", "forget": "Forget", "over": "over"},
}


class MemoryList(widgets.VBox):
    """The newest memory first. Nothing is built again unless something of it changed.

    Args:
        forget: called with the id of a memory whose button was clicked.
    """

    def __init__(self, forget: Callable[[int], None]) -> None:
        super().__init__(layout={"max_height": "180px", "overflow": "auto"})
        self._forget = forget
        self._shown: object = None
        self._showing = threading.Lock()  # the end of a turn and a click may come at once, on two threads

    def show(self, memories: Sequence[Memory], past_plans: Sequence[Memory], language: str) -> None:
        """Show memories, oldest first, and plans that are over."""
        state = (tuple(memories), tuple(past_plans), language)
        with self._showing:
            if state == self._shown:
                return
            words = _WORDS[language]
            rows = [self._row(memory, memory.line, words) for memory in reversed(memories)]
            rows += [self._row(plan, f"{plan.line} ({words['over']})", words) for plan in reversed(past_plans)]
            self._replace(rows or [widgets.HTML(f'<span class="small">{words["none"]}</span>')], state)

    def show_failure(self, sentence: str) -> None:
        """Show why there are no memories."""
        with self._showing:
            if sentence != self._shown:
                self._replace([widgets.HTML(escape(sentence))], sentence)

    def _replace(self, rows: Sequence[widgets.Widget], state: object) -> None:
        former, self.children, self._shown = self.children, rows, state
        close_widgets(*former)

    def _row(self, memory: Memory, text: str, words: dict[str, str]) -> widgets.HBox:
        line = widgets.HTML(f'<span class="small">{escape(text)}</span>', layout={"flex": "1 1 auto"})
        button = widgets.Button(description=words["forget"], layout={"width": "60px", "flex": "0 0 auto"})
        button.on_click(lambda _: self._forget(memory.id))
        return widgets.HBox([line, button])
