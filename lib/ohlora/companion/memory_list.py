"""What she remembers, in the chat: a line for each memory, and one for all kept messages, with buttons to forget."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import ipywidgets as widgets

from ohlora.companion.open_widgets import close_widgets
from ohlora.companion.transcript import escape
from ohlora.rag import Memory

_WORDS = {
    "ko": {
        "none": "아직 기억하는 것이 없어요.",
        "forget": "잊기",
        "over": "지난 일",
        "kept": "보낸 메시지 {count}개",
        "forget_all": "모두 잊기",
    },
    "en": {
        "none": "She remembers nothing yet.",
        "forget": "Forget",
        "over": "over",
        "kept": "Your messages: {count}",
        "forget_all": "Forget all",
    },
}


class MemoryList(widgets.VBox):
    """The newest memory first. Nothing is built again unless something of it changed.

    Args:
        forget: called with the id of a memory whose button was clicked; None: all messages shall be forgotten.
    """

    def __init__(self, forget: Callable[[int | None], None]) -> None:
        super().__init__(layout={"max_height": "180px", "overflow": "auto"})
        self._forget = forget
        self._shown: object = None
        self._showing = threading.Lock()  # the end of a turn and a click may come at once, on two threads

    def show(self, memories: Sequence[Memory], past_plans: Sequence[Memory], messages: int, language: str) -> None:
        """Show memories, oldest first, plans that are over, and how many messages are kept."""
        state = (tuple(memories), tuple(past_plans), messages > 0, language)
        words = _WORDS[language]
        kept = words["kept"].format(count=messages)
        with self._showing:
            if state == self._shown:
                if messages:
                    self.children[-1].children[0].value = _small(kept)
                return
            rows = [self._row(memory.id, memory.line, words) for memory in reversed(memories)]
            rows += [self._row(plan.id, f"{plan.line} ({words['over']})", words) for plan in reversed(past_plans)]
            rows = rows or [widgets.HTML(_small(words["none"]))]
            self._replace([*rows, self._row(None, kept, words)] if messages else rows, state)

    def show_failure(self, sentence: str) -> None:
        """Show why there are no memories."""
        with self._showing:
            if sentence != self._shown:
                self._replace([widgets.HTML(escape(sentence))], sentence)

    def _replace(self, rows: Sequence[widgets.Widget], state: object) -> None:
        former, self.children, self._shown = self.children, rows, state
        close_widgets(*former)

    def _row(self, memory_id: int | None, text: str, words: dict[str, str]) -> widgets.HBox:
        line = widgets.HTML(_small(text), layout={"flex": "1 1 auto"})
        name = words["forget" if memory_id is not None else "forget_all"]
        button = widgets.Button(description=name, layout={"width": "76px", "flex": "0 0 auto"})
        button.on_click(lambda _: self._forget(memory_id))
        return widgets.HBox([line, button])


def _small(text: str) -> str:
    return f'<span class="small">{escape(text)}</span>'
