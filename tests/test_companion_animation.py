"""Her motion: starts where she is, arrives where she should, never jumps, sleeps when still."""

from __future__ import annotations

import itertools
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohlora.companion.animation import (
    BLINK_DEPTH,
    EASE_SECONDS,
    LIPS_OPEN,
    OPEN_EYES,
    Animator,
    blend,
    blink,
    ease,
    ease_frames,
    eyes_are_open,
    speak,
)
from ohlora.companion.expression import MOVED, load_expressions
from ohlora.companion.idle import DOZE_AFTER, DOZING, DRIFT, expression_left, idle_offsets

TABLE = load_expressions()
OFFSETS = st.fixed_dictionaries({name: st.floats(-3, 3) for name in MOVED})


def largest_step(frames: list[dict[str, float]]) -> float:
    return max(abs(b[name] - a[name]) for a, b in itertools.pairwise(frames) for name in MOVED)


def test_easing_rests_at_both_ends() -> None:
    assert ease(0) == 0 and ease(1) == 1 and ease(0.5) == pytest.approx(0.5)
    assert ease(-1) == 0 and ease(7) == 1
    assert ease(0.02) < 0.002 and ease(0.98) > 0.998


@given(OFFSETS, OFFSETS, st.floats(0.05, 2), st.floats(5, 60))
def test_frames_end_at_the_target_and_never_jump(start: dict, target: dict, seconds: float, rate: float) -> None:
    frames = list(ease_frames(start, target, seconds, rate))
    assert frames[-1] == pytest.approx(target)
    distance = max(abs(target[name] - start[name]) for name in MOVED)
    # A cosine is steepest in the middle: pi/2 times the even step.
    assert largest_step([start, *frames]) <= 1.5708 * distance / len(frames) + 1e-9


@given(OFFSETS, OFFSETS)
def test_the_way_starts_at_the_present(start: dict, target: dict) -> None:
    assert blend(start, target, 0) == pytest.approx(start)


@pytest.mark.parametrize(("seconds", "rate"), [(0, 20), (1, 0), (-1, 20)])
def test_bad_durations_are_refused(seconds: float, rate: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        list(ease_frames({}, {}, seconds, rate))


@given(OFFSETS, st.floats(0, 1))
def test_a_blink_moves_only_open_eyes(offsets: dict, progress: float) -> None:
    blinking = blink(offsets, progress)
    assert blinking["mouth"] == offsets["mouth"] and blinking["pose"] == offsets["pose"]
    if eyes_are_open(offsets):
        assert offsets["eyes"] - BLINK_DEPTH - 1e-9 <= blinking["eyes"] <= offsets["eyes"] + 1e-9
    else:
        assert blinking == offsets


def test_a_blink_closes_and_opens_again() -> None:
    assert blink({"eyes": 0.5}, 0)["eyes"] == 0.5
    assert blink({"eyes": 0.5}, 0.5)["eyes"] == pytest.approx(0.5 - BLINK_DEPTH)
    assert blink({"eyes": 0.5}, 1)["eyes"] == pytest.approx(0.5)


def test_the_sleepy_do_not_blink_and_the_awake_do() -> None:
    assert not eyes_are_open(TABLE.offsets("sleepy")) and TABLE.offsets("sleepy")["eyes"] < OPEN_EYES
    assert eyes_are_open(TABLE.offsets("neutral")) and eyes_are_open(TABLE.offsets("surprised"))


@given(OFFSETS, st.floats(0, 30))
def test_lips_open_and_leave_the_rest_alone(offsets: dict, seconds: float) -> None:
    moved = speak(offsets, seconds)
    assert moved["eyes"] == offsets["eyes"] and moved["pose"] == offsets["pose"]
    assert offsets["mouth"] <= moved["mouth"] <= offsets["mouth"] + LIPS_OPEN + 1e-9


def test_lips_yield_to_an_expression_that_uses_the_mouth() -> None:
    def most(mouth: float) -> float:
        return max(speak({"mouth": mouth}, step / 50)["mouth"] - mouth for step in range(200))

    assert most(0.0) > 0.6 > most(1.0) > most(1.5) > most(2.0) == 0


def test_lips_move_while_she_speaks_and_then_rest() -> None:
    shown: list[dict[str, float]] = []
    animator = Animator(shown.append, rate=50, blinking=False, idling=False)
    animator.move_to({})
    animator.speak(letters=10)
    time.sleep(EASE_SECONDS + 1.0)
    frames = len(shown)
    time.sleep(0.2)
    animator.close()
    assert max(frame["mouth"] for frame in shown) > 0.2
    assert shown[-1]["mouth"] == 0 and len(shown) == frames


def test_the_animator_arrives_and_then_costs_nothing() -> None:
    shown: list[dict[str, float]] = []
    animator = Animator(shown.append, rate=50, blinking=False, idling=False)
    target = TABLE.offsets("surprised")
    animator.move_to(target)
    time.sleep(EASE_SECONDS + 0.3)
    frames = len(shown)
    used = time.thread_time()
    time.sleep(0.3)
    assert shown[-1] == pytest.approx(target)
    assert len(shown) == frames, "a still face must not be painted again"
    assert time.thread_time() - used < 0.2
    animator.close()
    assert not any(thread.name == "ohlora-animation" and thread.is_alive() for thread in threading.enumerate())


def test_a_new_expression_starts_from_the_present_face() -> None:
    shown: list[dict[str, float]] = []
    animator = Animator(shown.append, rate=100, blinking=False, idling=False)
    target = TABLE.offsets("sleepy")
    animator.move_to(TABLE.offsets("surprised"))
    while not 0.3 < animator.present["eyes"] < 1.7 and len(shown) < 200:
        time.sleep(0.005)
    animator.move_to(target)
    before = animator._start
    time.sleep(EASE_SECONDS + 0.3)
    animator.close()
    assert before in shown, "the change began somewhere else than on the screen"
    following = next(frame for frame in shown[shown.index(before) + 1 :] if frame["eyes"] < before["eyes"])
    progress = (following["eyes"] - before["eyes"]) / (target["eyes"] - before["eyes"])
    assert following["mouth"] == pytest.approx(before["mouth"] + progress * (target["mouth"] - before["mouth"]))
    assert shown[-1] == pytest.approx(target)


@given(OFFSETS, st.floats(0, 2 * DOZE_AFTER), st.integers(0, 100))
def test_an_expression_fades_and_idle_movements_stay_small(expression: dict, quiet: float, seed: int) -> None:
    offsets = idle_offsets(expression, quiet, np.random.default_rng(seed))
    if quiet >= DOZE_AFTER:
        assert offsets == DOZING and not eyes_are_open(offsets)
    else:
        left = expression_left(quiet)
        assert all(abs(offsets[name] - left * expression[name]) <= DRIFT[name] + 1e-9 for name in MOVED)


def test_an_expression_sticks_first_and_never_comes_back() -> None:
    shares = [expression_left(seconds) for seconds in range(0, 200)]
    assert shares[:10] == [1.0] * 10 and shares[-1] == 0
    assert all(later <= earlier for earlier, later in itertools.pairwise(shares))


def test_she_moves_when_nobody_speaks_dozes_off_and_wakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ohlora.companion.animation.DRIFT_EVERY", (0.02, 0.03))
    monkeypatch.setattr("ohlora.companion.animation.DRIFT_SECONDS", 0.05)
    shown: list[dict[str, float]] = []
    animator = Animator(shown.append, rate=100, blinking=False)
    animator.move_to({})
    time.sleep(EASE_SECONDS + 0.4)
    assert max(abs(frame["pose"]) for frame in shown) > 0.01
    animator._quiet_since -= DOZE_AFTER
    time.sleep(0.4)
    assert shown[-1] == pytest.approx(DOZING)
    frames = len(shown)
    time.sleep(0.3)
    assert len(shown) == frames, "asleep she must cost nothing"
    animator.wake()
    time.sleep(EASE_SECONDS + 0.2)
    animator.close()
    assert eyes_are_open(shown[-1])


def test_frames_are_dropped_before_words() -> None:
    def slow_frame(_: dict[str, float]) -> None:
        time.sleep(0.05)

    counts = {}
    for words_first in (False, True):
        animator = Animator(slow_frame, rate=30, blinking=False, idling=False)
        animator.words_first(words_first)
        animator.move_to({"mouth": 2.0})
        time.sleep(EASE_SECONDS + 0.3)
        animator.close()
        counts[words_first] = animator.frames_shown
    assert counts[True] < counts[False]


def test_a_failing_frame_does_not_end_the_motion_for_good() -> None:
    fail = True
    shown = []

    def show(offsets: dict[str, float]) -> None:
        if fail:
            raise RuntimeError("no picture")
        shown.append(offsets)

    animator = Animator(show, rate=50, blinking=False, idling=False)
    animator.move_to({"mouth": 1.0})
    time.sleep(0.2)
    fail = False
    animator.move_to({"mouth": 2.0})
    time.sleep(EASE_SECONDS + 0.3)
    animator.close()
    assert shown[-1]["mouth"] == pytest.approx(2.0)


def test_closing_twice_and_before_the_start_is_harmless() -> None:
    animator = Animator(lambda offsets: None)
    animator.close()
    animator.close()
    animator.move_to({"eyes": 1.0})
    assert animator.frames_shown == 0
