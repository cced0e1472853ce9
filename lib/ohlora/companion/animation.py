"""Her face in motion: eased changes of expression, blinks and idle movements, off the kernel's main thread.

Positions are functions of time, not of frame numbers: a frame that comes late shows where she is by
then, so a busy machine gives fewer frames and never slower motion.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from ohlora.companion.expression import MOVED
from ohlora.companion.idle import DOZE_AFTER, DOZING, DRIFT_EVERY, DRIFT_SECONDS, idle_offsets

logger = logging.getLogger(__name__)

Offsets = dict[str, float]

EASE_SECONDS = 0.5
LETTERS_A_SECOND = 14  # as fast as people read
SYLLABLES_A_SECOND = 4.5
LIPS_OPEN = 0.9  # z-units at most, when the expression leaves the mouth alone
LIPS_REST = 0.3  # seconds in which a speech fades out
MOUTH_TAKEN = 1.8  # z-units of mouth at which an expression has it for itself
BLINK_SECONDS = 0.24
BLINK_EVERY = (2.5, 6.0)  # seconds between blinks, drawn evenly
BLINK_DEPTH = 2.2  # z-units that the eyes close
OPEN_EYES = -0.8  # z-units from rest; below it the eyes are not open enough for a blink to be seen


def ease(progress: float) -> float:
    """Cosine easing: 0 … 1 → 0 … 1, at rest at both ends; clipped outside."""
    return 0.5 - 0.5 * math.cos(math.pi * min(max(progress, 0.0), 1.0))


def blend(start: Mapping[str, float], target: Mapping[str, float], progress: float) -> Offsets:
    """Offsets on the way from start to target at ``progress`` 0 … 1, eased; absent names count as 0."""
    share = ease(progress)
    return {name: start.get(name, 0.0) * (1 - share) + target.get(name, 0.0) * share for name in MOVED}


def ease_frames(
    start: Mapping[str, float], target: Mapping[str, float], seconds: float = EASE_SECONDS, rate: float = 20
) -> Iterator[Offsets]:
    """Every frame of one change of expression, the target last.

    Args:
        start: the *present* offsets, wherever an earlier change was interrupted.
        target: offsets to arrive at. seconds: duration. rate: frames a second.
    """
    if seconds <= 0 or rate <= 0:
        raise ValueError(f"seconds={seconds}, rate={rate}: both must be above 0")
    count = max(1, math.ceil(seconds * rate))
    for index in range(1, count + 1):
        yield blend(start, target, index / count)


def blink(offsets: Mapping[str, float], progress: float) -> Offsets:
    """Offsets with the lids on their way down and up again; unchanged where the eyes are not open.

    A blink waits until the eyes are open (pixiv/ChatVRM): asleep or laughing, she does not blink.
    """
    if not eyes_are_open(offsets):
        return dict(offsets)
    closing = math.sin(math.pi * min(max(progress, 0.0), 1.0)) ** 2
    return {**offsets, "eyes": offsets.get("eyes", 0.0) - BLINK_DEPTH * closing}


def eyes_are_open(offsets: Mapping[str, float]) -> bool:
    """Whether a blink would be seen at these offsets."""
    return offsets.get("eyes", 0.0) >= OPEN_EYES


def speak(offsets: Mapping[str, float], seconds: float, left: float = 1.0) -> Offsets:
    """Offsets with the lips moving, ``seconds`` into a speech that goes on for ``left`` seconds.

    The lips move less where the expression uses the mouth, and come to rest at the end.
    """
    free = max(0.0, 1 - abs(offsets.get("mouth", 0.0)) / MOUTH_TAKEN)
    # Two rhythms that do not fit together look like syllables and not like chewing.
    rhythm = math.sin(math.pi * SYLLABLES_A_SECOND * seconds) ** 2 * (0.65 + 0.35 * math.sin(2.3 * seconds))
    opening = LIPS_OPEN * free * rhythm * ease(left / LIPS_REST)
    return {**offsets, "mouth": offsets.get("mouth", 0.0) + opening}


class Animator:
    """A thread that shows her face whenever it moves, and sleeps when it does not.

    show: called with offsets for each frame, on the animator's thread; painting and sending
    happen there. rate: at most so many frames a second. blinking, idling: whether she does when nothing else moves.
    seed: of their times.
    """

    def __init__(
        self,
        show: Callable[[Offsets], None],
        rate: float = 20,
        blinking: bool = True,
        idling: bool = True,
        seed: int = 0,
    ) -> None:
        self._show, self._period, self._blinking, self._idling = show, 1 / rate, blinking, idling
        self._random = np.random.default_rng(seed)
        self._changed = threading.Condition()
        self._start = self._target = self._shown = self._expression = dict.fromkeys(MOVED, 0.0)
        self._started_at, self._seconds = -math.inf, EASE_SECONDS
        self._quiet_since = time.monotonic()
        self._speech = (0.0, 0.0)  # begins, ends
        self._words_first = False
        self._closed = False
        self._thread: threading.Thread | None = None
        self.frames_shown = 0

    @property
    def present(self) -> Offsets:
        """The offsets of the frame shown last: a blink included, the lips' speech left out."""
        return dict(self._shown)

    def move_to(self, offsets: Mapping[str, float]) -> None:
        """Ease from the present values to ``offsets``; starts the thread when it does not run."""
        with self._changed:
            if self._closed:
                return
            self._expression = {name: offsets.get(name, 0.0) for name in MOVED}
            self._go_to(self._expression, EASE_SECONDS)
            self._quiet_since = self._started_at
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="ohlora-animation", daemon=True)
                self._thread.start()
            self._changed.notify()

    def speak(self, letters: int) -> None:
        """Move the lips for as long as these letters take to read, after what is being said already."""
        now = time.monotonic()
        with self._changed:
            begins, ends = self._speech
            if ends < now:
                begins = ends = now
            self._speech = (begins, ends + letters / LETTERS_A_SECOND)
            self._changed.notify()

    def wake(self) -> None:
        """Somebody is there: what she does when nobody speaks begins anew, and if she dozed she looks up."""
        with self._changed:
            dozed = time.monotonic() - self._quiet_since >= DOZE_AFTER
        if dozed:
            self.move_to({})
        self._quiet_since = time.monotonic()

    def words_first(self, on: bool) -> None:
        """While a reply is being generated, rest half as long as each frame took: frames are dropped, not words."""
        self._words_first = on

    def close(self) -> None:
        """Stop the thread; waits for the frame that is being painted. Safe to call twice."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=5)

    def _run(self) -> None:
        try:
            self._animate()
        except Exception:  # the chat goes on without motion; the next expression tries again
            logger.exception("her face stopped moving")
            self._thread = None

    def _go_to(self, target: Offsets, seconds: float) -> None:
        # From what is on the screen, half-closed lids included: so the face never jumps.
        self._start, self._target = self.present, target
        self._started_at, self._seconds = time.monotonic(), seconds

    def _animate(self) -> None:
        next_blink, next_drift = self._soon(BLINK_EVERY), self._soon(DRIFT_EVERY)
        while not self._closed:
            began = time.monotonic()
            moving = self._is_moving(began)
            if moving and next_drift == math.inf:  # woken
                next_drift = self._soon(DRIFT_EVERY)
            if self._blinking and not moving and began >= next_blink:
                self._blink()
                next_blink = self._soon(BLINK_EVERY)
                continue
            if self._idling and not moving and began >= next_drift:
                next_drift = self._drift(began)
                continue
            offsets = blend(self._start, self._target, (began - self._started_at) / self._seconds)
            begins, ends = self._speech
            self._frame(offsets, speak(offsets, began - begins, ends - began) if began < ends else offsets)
            with self._changed:
                if moving:
                    self._changed.wait(self._pause(time.monotonic() - began))
                elif not self._closed and not self._is_moving(time.monotonic()):
                    # Nothing moves: sleep until someone calls or the next blink or drift is due.
                    due = [next_blink] * self._blinking + [next_drift] * self._idling
                    wait = min(due, default=math.inf) - time.monotonic()
                    self._changed.wait(max(wait, 0.0) if wait < math.inf else None)

    def _is_moving(self, now: float) -> bool:
        return now < self._speech[1] or now - self._started_at < self._seconds

    def _soon(self, between: tuple[float, float]) -> float:
        return time.monotonic() + self._random.uniform(*between)

    def _drift(self, now: float) -> float:
        """Begin one idle movement; returns when the next is due. Once she dozes there is none until she is woken."""
        with self._changed:
            if self._target == DOZING:
                return math.inf
            quiet = now - max(self._quiet_since, self._speech[1])
            self._go_to(idle_offsets(self._expression, quiet, self._random), DRIFT_SECONDS)
        return self._soon(DRIFT_EVERY)

    def _blink(self) -> None:
        """One blink, given up at once when a new expression is asked for."""
        target, began = self._target, time.monotonic()
        if not eyes_are_open(target):
            return
        while (progress := (time.monotonic() - began) / BLINK_SECONDS) < 1:
            if self._target is not target or self._closed or self._is_moving(time.monotonic()):
                return
            frame_began = time.monotonic()
            blinking = blink(target, progress)
            self._frame(blinking, blinking)
            time.sleep(self._pause(time.monotonic() - frame_began))

    def _frame(self, offsets: Offsets, with_lips: Offsets) -> None:
        self._shown = offsets
        self._show(with_lips)
        self.frames_shown += 1

    def _pause(self, took: float) -> float:
        return max(self._period - took, took / 2 if self._words_first else 0.0)
