"""How fast each stage is on this machine: medians over several runs, and ratios that another machine can compare.

    python -m ohlora.evaluation.benchmark --turns 20

Seconds differ from machine to machine and from minute to minute; the ratio to a matrix product, or to the language
model alone, timed in the same run is what can be compared.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import torch
from tqdm import tqdm

from ohlora.companion import Animator, Companion, Turn, encode_portrait
from ohlora.companion.turn import STAGES
from ohlora.config import Profile, load_profile
from ohlora.evaluation.metrics import Metric, write_metrics
from ohlora.labeling import load_labeler
from ohlora.portraits import PortraitParams, load_sample, render
from ohlora.stylegan import load_generator

MESSAGES = {
    "ko": (
        "오늘 좀 피곤하다. 넌 뭐 하고 있었어?", "점심에 김치찌개 먹었는데 너무 매웠어", "네 이름은 무슨 뜻이야?",
        "내일 면접인데 떨려서 잠이 안 와", "심심해, 재밌는 얘기 하나만 해 줘", "주말에 친구랑 바다 보러 가기로 했어",
        "과적합이 뭔지 쉽게 알려 줘", "고양이가 내 키보드 위에서 자고 있어", "요즘 운동을 시작했는데 온몸이 쑤셔",
        "비 오는 날엔 뭐 하고 싶어?",
    ),
    "en": (
        "I am a bit tired today. What have you been up to?", "I had a very spicy stew for lunch",
        "What does your name mean?",
        "I have an interview tomorrow and I cannot sleep", "I'm bored, tell me something funny",
        "My friend and I are going to see the sea at the weekend", "What is overfitting, in simple words?",
        "The cat is asleep on my keyboard", "I started running and everything hurts",
        "What would you do on a rainy day?",
    ),
}  # fmt: skip
FRAMES_A_SECOND = 20  # what the chat asks for


def median_seconds(run: Callable[[], object], repeats: int) -> float:
    """Median wall-clock seconds of ``run`` over ``repeats`` calls, after one call that is not counted."""
    run()
    return statistics.median(seconds_of(run) for _ in range(repeats))


def seconds_of(run: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def matrix_product() -> torch.Tensor:
    """The yardstick: one 1024 × 1024 float32 product."""
    square = torch.ones(1024, 1024)
    return square @ square


def portrait_stages(profile: Profile) -> dict[str, Callable[[], object]]:
    """Name → what is timed, of the stages without words; everything is loaded beforehand."""
    generator, labeler = load_generator(profile), load_labeler(profile)
    z = generator.sample_z(1, seed=0)
    image = generator.generate(z)
    params = PortraitParams.from_vector(load_sample().u[0])
    return {
        f"render one portrait, {generator.size} px": lambda: render(params, size=generator.size),
        f"generate one portrait, {generator.size} px": lambda: generator.generate(z),
        "segment one portrait": lambda: labeler.segment(image),
        "measure its seven properties": lambda: labeler.measure(image),
    }


@contextmanager
def moving_face(companion: Companion) -> Iterator[Callable[[], float]]:
    """Her face in motion without a pause, painted and encoded as the chat does; gives frames a second so far."""
    animator = Animator(
        lambda offsets: encode_portrait(companion.painter.portrait(offsets)), FRAMES_A_SECOND, idling=False
    )
    animator.words_first(True)
    began, ended = time.perf_counter(), threading.Event()

    def change_expressions() -> None:
        for name in itertools.cycle(companion.expressions.names):
            animator.move_to(companion.expressions.offsets(name))
            animator.speak(30)
            if ended.wait(0.7):
                return

    changing = threading.Thread(target=change_expressions)
    changing.start()
    try:
        yield lambda: animator.frames_shown / (time.perf_counter() - began)
    finally:
        ended.set()
        changing.join()
        animator.close()


def time_turns(companion: Companion, messages: Sequence[str]) -> dict[str, list]:
    """Each message three times, in turn so that noise hits all alike: to the model alone, as a turn, with her face.

    Of the two turns every other message begins with the second: llama.cpp does not read a prompt twice.

    Returns:
        ``"alone"`` and ``"with face"`` in seconds, ``"turns"`` (Turn), ``"frames"`` a second.
    """
    found: dict[str, list] = {"alone": [], "turns": [], "with face": [], "frames": []}

    def with_face(message: str) -> None:
        with moving_face(companion) as frames:
            found["with face"].append(_fresh_turn(companion, message).timings["total"])
            found["frames"].append(frames())

    for number, message in enumerate(tqdm(messages, desc="turns", disable=None)):
        asked = [{"role": "user", "content": message}]
        found["alone"].append(seconds_of(lambda asked=asked: companion.llm.reply(asked, now=companion.clock())))
        turns = [lambda message=message: found["turns"].append(_fresh_turn(companion, message))]
        turns.insert(number % 2, lambda message=message: with_face(message))
        for turn in turns:
            turn()
    return found


def _fresh_turn(companion: Companion, message: str) -> Turn:
    companion.new_conversation()
    return companion.turn(message)


def turn_metrics(language: str, found: dict[str, list]) -> dict[str, Metric]:
    """Medians of time_turns, for outputs/benchmark/metrics.json; the baseline is the language model alone (seconds)."""
    n, split, alone = len(found["turns"]), f"turns in {language}, this machine", statistics.median(found["alone"])
    timings = [turn.timings for turn in found["turns"]]
    first = [one["first_words"] for one in timings if "first_words" in one]
    return {
        f"seconds_per_turn_{language}": Metric(statistics.median(one["total"] for one in timings), n, 0, split, alone),
        f"first_words_{language}": Metric(statistics.median(first), len(first), 0, split),
        f"frames_a_second_{language}": Metric(statistics.median(found["frames"]), n, 0, split),
    }


def main() -> None:
    """Print the tables and write outputs/benchmark/metrics.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--profile", default="embedded")
    parser.add_argument("--turns", type=int, default=20, help="half of them Korean, half English; 20 at most")
    parser.add_argument("--repeats", type=int, default=5, help="of the stages without words")
    arguments = parser.parse_args()
    profile = load_profile(arguments.profile)
    yardstick = median_seconds(matrix_product, arguments.repeats)
    print(f"{'stage':<52}{'seconds':>10}{'ratio':>10}")
    print(f"{'a 1024 × 1024 matrix product (the yardstick)':<52}{yardstick:>10.4f}{1.0:>10.1f}")
    for name, run in portrait_stages(profile).items():
        seconds = median_seconds(run, arguments.repeats)
        print(f"{name:<52}{seconds:>10.4f}{seconds / yardstick:>10.1f}")
    with TemporaryDirectory() as folder:
        companion = Companion(profile, user="benchmark", state=Path(folder))
        companion.turn("안녕!")  # not counted
        metrics: dict[str, Metric] = {}
        for language, messages in MESSAGES.items():
            found = time_turns(companion, messages[: max(arguments.turns // 2, 1)])
            _print_turns(language, found)
            metrics |= turn_metrics(language, found)
    write_metrics("benchmark", metrics)
    print(f"\nmemory of this process: {psutil.Process().memory_info().rss / 2**30:.1f} GiB")


def _print_turns(language: str, found: dict[str, list]) -> None:
    alone = statistics.median(found["alone"])
    print(f"\n{language}, medians of {len(found['turns'])} turns{'':<24}{'seconds':>10}{'to the model alone':>20}")
    timings = [turn.timings for turn in found["turns"]]
    rows = {"the language model alone": alone}
    for stage in (*STAGES, "first_words", "total"):
        values = [one[stage] for one in timings if stage in one]
        if values:
            rows[f"a turn: {stage}"] = statistics.median(values)
    rows["a turn: total, her face moving all the while"] = statistics.median(found["with face"])
    for name, seconds in rows.items():
        print(f"{name:<52}{seconds:>10.3f}{seconds / alone:>20.2f}")
    print(f"{'frames a second meanwhile':<52}{statistics.median(found['frames']):>10.1f}")


if __name__ == "__main__":
    main()
