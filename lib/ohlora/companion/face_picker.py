"""Choose another face for her: a few portraits to pick from, inside the chat."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import ipywidgets as widgets
import numpy as np
import torch

from ohlora.companion.face import Face, encode_portrait
from ohlora.companion.face_choice import suits
from ohlora.companion.open_widgets import close_widgets
from ohlora.portraits import PortraitParams

if TYPE_CHECKING:
    from ohlora.companion.companion import Companion

logger = logging.getLogger(__name__)

SHOWN = 6
PIXELS = 96  # of one portrait on the screen

_WORDS = {
    "ko": {"open": "얼굴 고르기", "more": "다른 얼굴들", "own": "원래 얼굴", "pick": "이 얼굴", "close": "닫기"},
    "en": {"open": "Choose a face", "more": "Others", "own": "Her own face", "pick": "This one", "close": "Close"},
}


class FacePicker(widgets.VBox):
    """A button that opens a row of portraits; picking one makes it her face, there and for the next time.

    Args:
        companion: whose face.
        picked: called after her face has changed, with what went wrong or None.
        latents: float32 (n, z_dim) to offer in this order, such as recommended ones; default: random women, drawn
            from their paired portrait parameters.
    """

    def __init__(
        self, companion: Companion, picked: Callable[[Exception | None], None], latents: np.ndarray | None = None
    ) -> None:
        self._companion, self._picked = companion, picked
        self._latents = None if latents is None else np.asarray(latents, np.float32)
        self._page, self._language = 0, companion.language
        self._open_button = widgets.Button(layout={"width": "auto"})
        self._more_button, self._own_button = (widgets.Button(layout={"width": "110px"}) for _ in range(2))
        self._open_button.on_click(lambda _: self._toggle())
        self._more_button.on_click(lambda _: self._show(self._page + 1))
        self._own_button.on_click(lambda _: self._wear(None))
        self._faces = widgets.HBox(layout={"flex_flow": "row wrap"})
        self._panel = widgets.VBox(layout={"display": "none"})
        self._panel.children = [self._faces, widgets.HBox([self._more_button, self._own_button])]
        super().__init__([self._open_button, self._panel])
        self.speak(companion.language)

    def speak(self, language: str) -> None:
        """Change the language of the buttons."""
        self._language = language
        words = _WORDS[language]
        self._more_button.description, self._own_button.description = words["more"], words["own"]
        self._open_button.description = words["open"] if self._is_closed else words["close"]
        for face in self._faces.children:
            face.children[1].description = words["pick"]

    @property
    def _is_closed(self) -> bool:
        return self._panel.layout.display == "none"

    def _toggle(self) -> None:
        self._panel.layout.display = "" if self._is_closed else "none"
        if not self._is_closed and not self._faces.children:
            self._show(0)
        self.speak(self._language)

    def _show(self, page: int) -> None:
        self._page = page
        painter = self._companion.painter
        generator, resting = painter.generator, painter.face.properties
        faces = [Face.from_latent(generator, latent, resting) for latent in self._offered(page)]
        values = torch.tensor([[face.properties[name] for name in generator.properties] for face in faces])
        pictures = generator.pictures(torch.from_numpy(np.stack([face.latent for face in faces])), values)
        former = self._faces.children
        self._faces.children = [self._choice(*pair) for pair in zip(faces, pictures, strict=True)]
        close_widgets(*former)

    def _choice(self, face: Face, picture: np.ndarray) -> widgets.VBox:
        image = widgets.Image(value=encode_portrait(picture), format="jpeg", width=PIXELS, height=PIXELS)
        button = widgets.Button(description=_WORDS[self._language]["pick"], layout={"width": f"{PIXELS}px"})
        button.on_click(lambda _: self._wear(face))
        return widgets.VBox([image, button])

    def _wear(self, face: Face | None) -> None:
        try:
            self._companion.wear(face)
        except Exception as error:  # shown in the chat by whoever asked
            logger.exception("her face could not be changed or kept")
            self._picked(error)
        else:
            self._picked(None)

    def _offered(self, page: int) -> np.ndarray:
        """Latents float32 (at most SHOWN, z_dim) of one page; the given ones start over at the end."""
        if self._latents is not None:
            first = page * SHOWN % len(self._latents)
            return self._latents[first : first + SHOWN]
        generator = self._companion.painter.generator
        drawn = generator.sample_z(20 * SHOWN, seed=page)
        known = generator.z_to_u(drawn).cpu().numpy()
        fitting = [row for row, u in enumerate(known) if suits(u) and PortraitParams.from_vector(u).gender > 0.9]
        return drawn[(fitting or list(range(SHOWN)))[:SHOWN]].cpu().numpy().astype(np.float32)
