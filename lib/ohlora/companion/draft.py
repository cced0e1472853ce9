"""A turn in the making: what is known of it so far, how it may end early, how it speaks of failures."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

import numpy as np
import yaml

from ohlora.companion.citation import citation
from ohlora.companion.good_night import good_luck, good_night
from ohlora.companion.honesty import honest_word
from ohlora.companion.speech_level import SpeechLevel
from ohlora.companion.turn import OnProgress, Outcome, Stopwatch, Turn, TurnProgress
from ohlora.config import DATA
from ohlora.llm.prompt import Example
from ohlora.rag import UNKNOWN_READING, Memory, Reading, Recalled
from ohlora.rag.wants import RISKY

logger = logging.getLogger(__name__)

_COMFORTS = ("sad", "worried", "angry")  # faces with which she speaks of nothing else


class EndOfTurn(Exception):
    """The turn ends here without her own words; face: expression and intensity, or None to keep the present one."""

    def __init__(self, outcome: Outcome, notice: str, face: tuple[str, float] | None = None) -> None:
        super().__init__(notice)
        self.outcome, self.notice, self.face = outcome, notice, face


@dataclass
class Draft:
    """Fields are those of Turn while they grow; language: ``"ko"`` or ``"en"``, of the notices.

    reply: her words; added: what rules say after them (honesty, citation, good night, offer), which does not enter the
    history: the model would imitate it. expression: name and intensity, None as long as she keeps her present face.
    said_before: her last replies, oldest first, those of conversations before among them. recalled: the memories that
    she was given. quotable: what the user once wrote that may answer a question. plain: the message without her name
    where she is only called by it. asking: its sentences that ask for what was told, where others stand beside them; of
    two questions the first, and asking_too the other, for which second is a draft of its own.
    in_talk: the message behind what the user said before, where it goes on with that. names: of the user, in small
    letters, known before the message. reading: what is in the message.
    prepared: her words are not the model's: somebody wrote them, or the user said them, so they were read before.
    quotes: they hold a piece of what the user said, and are judged. not_known: the question that she could
    not answer. otherwise: of a message that may be abuse or a
    call for help: how the turn ends where nobody wrote an answer; the model does not see it, and nothing of it is
    remembered or repeated. forgotten: memories that are deleted now, the values before among them. not_kept: the
    message is neither kept word for word nor a reason to erase others. erased: how many messages were. reported: the
    last progress. wished_speech: how the message asks her to speak; None: it does not. speech: makes her words polite
    where the user wished for that; None: they stay. offer: that she can speak so, said behind an answer that is no
    comfort.
    """

    message: str
    language: str
    on_progress: OnProgress | None = None
    watch: Stopwatch = field(default_factory=Stopwatch)
    reply: str = ""
    added: tuple[str, ...] = ()
    expression: tuple[str, float] | None = None
    outcome: Outcome = "answered"
    recalled: tuple[Recalled, ...] = ()
    quotable: Recalled | None = None
    said_before: tuple[str, ...] = ()
    plain: str = ""
    asking: str = ""
    asking_too: str = ""
    in_talk: str = ""
    names: tuple[str, ...] = ()
    reading: Reading = UNKNOWN_READING
    prepared: bool = False
    quotes: bool = False
    not_known: str = ""
    second: Draft | None = None
    otherwise: EndOfTurn | None = None
    stored: tuple[str, ...] = ()
    forgotten: tuple[Memory, ...] = ()
    not_kept: bool = False
    erased: int = 0
    notices: list[str] = field(default_factory=list)
    reported: TurnProgress | None = None
    wished_speech: SpeechLevel | None = None
    speech: Callable[[str], str] | None = None
    offer: str = ""

    @property
    def memories(self) -> tuple[Memory, ...]:
        """What she was given, the best first."""
        return tuple(one.memory for one in self.recalled)

    @property
    def gently(self) -> bool:
        """It may be, though that is not sure, that the user is in danger."""
        return self.otherwise is not None and self.otherwise.outcome == "cared"

    @property
    def said(self) -> str:
        """All that she says."""
        return " ".join([self.reply, *self.added]) if self.reply else ""

    def shown(self, text: str) -> str:
        """Words of hers as the user wishes to be spoken to; what fails there is shown as it was written."""
        try:
            return self.speech(text) if self.speech else text
        except Exception:
            logger.exception("her words could not be made polite")
            return text

    def close(self, reply: str, now: datetime, examples: Sequence[Example]) -> None:
        """Her words are complete; what rules add is added. now: with the user's time zone. examples: that she saw."""
        self.reply = reply
        if self.outcome != "answered" or not reply:
            return
        seen = () if self.prepared else examples  # what was written for a message like this one was chosen with care
        added = [honest_word(self.message, reply, seen, self.reading.about_her)]
        if not self.prepared:
            added.append(citation(self.message, reply, self.memories, now))
        if self.otherwise is None:
            added.append(good_night(self.message, reply))
            if self.reading.wants != RISKY:
                added.append(good_luck(self.message, reply))
            if self.expression and self.expression[0] not in _COMFORTS:
                added.append(self.offer)
        if any(added):
            self.added = tuple(filter(None, added))
            self.report(self.said)

    def end(self, end: EndOfTurn) -> None:
        """Take over how the turn ended."""
        self.outcome, self.reply, self.expression = end.outcome, "", end.face
        self.notices.append(end.notice)

    def turn(
        self, portrait: np.ndarray | None, expression: str, intensity: float, properties: Mapping[str, float]
    ) -> Turn:
        """What became of it, with the face that she shows at the end; see Turn for the arguments."""
        return Turn(
            message=self.message,
            reply=self.shown(self.said),
            expression=expression,
            portrait=portrait,
            recalled=tuple(memory.line for memory in self.memories),
            stored=self.stored,
            notice="\n".join(self.notices) or None,
            timings=dict(self.watch.seconds),
            intensity=intensity,
            properties=dict(properties),
            outcome=self.outcome,
        )

    def report(self, text: str) -> None:
        """Tell the display what may be shown, once; a display that fails must not cost her words."""
        if self.on_progress is None or self.expression is None:
            return
        progress = TurnProgress(self.shown(text), *self.expression)
        if progress == self.reported:
            return
        self.reported = progress
        try:
            self.on_progress(progress)
        except Exception:
            logger.exception("on_progress failed")

    def say(self, phrase: str, error: Exception | None = None, **values: object) -> str:
        """A sentence of data/phrases.yaml in the turn's language.

        error: its first line becomes {reason}; the whole traceback goes to the log.
        """
        if error is not None:
            logger.error("a part of the turn failed", exc_info=error)
            lines = str(error).strip().splitlines()
            values["reason"] = (lines[0] if lines else type(error).__name__)[:200]
        return _phrases()[self.language][phrase].format(**values)

    def failure(self, phrase: str, error: Exception) -> EndOfTurn:
        """The end of a turn in which a part failed."""
        return EndOfTurn("failed", self.say(phrase, error))


@cache
def _phrases() -> dict[str, dict[str, str]]:
    return yaml.safe_load((DATA / "phrases.yaml").read_text(encoding="utf-8"))
