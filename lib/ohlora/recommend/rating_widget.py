"""The widget with which a person rates portraits: one picture, five buttons or keys, undo, resume."""

from __future__ import annotations

import html
import io
from collections.abc import Callable, Sequence

import ipywidgets as widgets
import numpy as np
from PIL import Image

from ohlora.recommend.ratings import HIGHEST, LOWEST, PortraitRecipe, RatingStore

UNDO_KEY = "u"


class RatingWidget(widgets.VBox):
    """Shows the next portrait that waits for a rating and stores each answer at once.

    Closing the notebook loses nothing: a new widget on the same store goes on where the last one stopped.
    Click into the box once and keep typing: 1 to 5 rate, u takes the latest answer back. The box empties itself
    after each key, so that the hands stay where they are. Core widgets only (ipywidgets 7.7.1 and 8).

    Args:
        store: where answers go; portraits rated there are not asked again.
        recipes: portraits to rate, in this order.
        draw: recipe → uint8 (size, size, 3), e.g. through the generator.
        height: of the picture on the screen, in pixels.
    """

    def __init__(
        self,
        store: RatingStore,
        recipes: Sequence[PortraitRecipe],
        draw: Callable[[PortraitRecipe], np.ndarray],
        height: int = 256,
    ) -> None:
        if not recipes:
            raise ValueError("recipes is empty; allowed: at least one portrait to rate")
        self._store, self._recipes, self._draw = store, list(recipes), draw
        self._image = widgets.Image(format="png", width=height, height=height)
        self._status = widgets.HTML()
        self._progress = widgets.IntProgress(min=0, max=len(self._recipes))
        narrow = widgets.Layout(width="44px")
        self._buttons = [
            widgets.Button(description=str(rating), tooltip=f"{rating} of {HIGHEST}", layout=narrow)
            for rating in range(LOWEST, HIGHEST + 1)
        ]
        for rating, button in enumerate(self._buttons, start=LOWEST):
            button.on_click(lambda _, rating=rating: self.rate(rating))
        undo = widgets.Button(description="undo", tooltip=UNDO_KEY, icon="undo", layout=widgets.Layout(width="80px"))
        undo.on_click(lambda _: self.undo())
        row = widgets.HBox([*self._buttons, undo])
        # A text box is the only widget of the core package that hears the keyboard.
        self.keyboard = widgets.Text(
            placeholder=f"click here, then type {LOWEST} to {HIGHEST} or {UNDO_KEY}", continuous_update=True
        )
        self.keyboard.observe(lambda change: self._typed(change["new"]), names="value")
        super().__init__([self._image, row, widgets.HBox([self._progress, self._status]), self.keyboard])
        self._refresh()

    @property
    def shown(self) -> PortraitRecipe | None:
        """The portrait that waits for its rating; None when all are rated."""
        return self._shown

    def rate(self, rating: int) -> None:
        """Press one of the buttons 1 … 5."""
        if self._shown is not None:
            self._store.add(self._shown, rating)
        self._refresh()

    def undo(self) -> None:
        """Take the latest answer back; its portrait is asked again."""
        self._store.undo()
        self._refresh()

    def _typed(self, text: str) -> None:
        if not text:
            return  # our own clearing
        self.keyboard.value = ""
        wrong = ""
        for key in text.lower():  # a fast typist's keys may arrive together; each one counts, in order
            if key in "".join(str(rating) for rating in range(LOWEST, HIGHEST + 1)):
                self.rate(int(key))
            elif key == UNDO_KEY:
                self.undo()
            elif not key.isspace():
                wrong = key
        if wrong:
            self._status.value = f"<b>{html.escape(wrong)}</b> is no rating: type {LOWEST} to {HIGHEST} or {UNDO_KEY}."

    def _refresh(self) -> None:
        waiting = self._store.resume(self._recipes)
        self._shown = waiting[0] if waiting else None
        done = len(self._recipes) - len(waiting)
        self._progress.value = done
        self._status.value = f"{done} of {len(self._recipes)} rated" + ("" if waiting else ". <b>Thank you!</b>")
        for button in self._buttons:
            button.disabled = self._shown is None
        if self._shown is not None:
            picture = io.BytesIO()
            Image.fromarray(self._draw(self._shown)).save(picture, format="PNG")
            self._image.value = picture.getvalue()
