"""Oh-LoRA herself: one turn end to end, her expression, her face in motion, and the chat."""

from ohlora.companion.animation import Animator, ease_frames
from ohlora.companion.chat_widget import ChatWidget
from ohlora.companion.companion import Companion
from ohlora.companion.expression import Expression, ExpressionTable, load_expressions
from ohlora.companion.face import Face, FacePainter, encode_portrait, load_face, save_face
from ohlora.companion.transcript import render_transcript, write_transcript
from ohlora.companion.turn import BusyError, Turn, TurnProgress

__all__ = [
    "Animator",
    "BusyError",
    "ChatWidget",
    "Companion",
    "Expression",
    "ExpressionTable",
    "Face",
    "FacePainter",
    "Turn",
    "TurnProgress",
    "ease_frames",
    "encode_portrait",
    "load_expressions",
    "load_face",
    "render_transcript",
    "save_face",
    "write_transcript",
]
