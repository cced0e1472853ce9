"""How fast each stage is on this machine: medians over several runs, and the ratio to a plain matrix product.

    python -m ohlora.evaluation.benchmark --repeats 5

Seconds differ from machine to machine and from minute to minute; the ratio to a matrix product timed
in the same run is what can be compared.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from ohlora.companion import Companion
from ohlora.config import Profile, load_profile
from ohlora.labeling import load_labeler
from ohlora.llm import load_llm
from ohlora.portraits import PortraitParams, load_sample, render
from ohlora.stylegan import load_generator

QUESTIONS = {"ko": "오늘 좀 피곤하다. 넌 뭐 하고 있었어?", "en": "I am a bit tired today. What have you been up to?"}


def median_seconds(run: Callable[[], object], repeats: int) -> float:
    """Median wall-clock seconds of ``run`` over ``repeats`` calls, after one call that is not counted."""
    run()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def matrix_product() -> torch.Tensor:
    """The yardstick: one 1024 × 1024 float32 product."""
    square = torch.ones(1024, 1024)
    return square @ square


def stages(profile: Profile, user_folder: str) -> dict[str, Callable[[], object]]:
    """Name → what is timed; everything is loaded beforehand."""
    generator = load_generator(profile)
    labeler = load_labeler(profile)
    llm = load_llm(profile)
    companion = Companion(profile, user="benchmark", state=Path(user_folder))
    z = generator.sample_z(1, seed=0)
    image = generator.generate(z)
    params = PortraitParams.from_vector(load_sample().u[0])
    found = {
        f"render one portrait, {generator.size} px": lambda: render(params, size=generator.size),
        f"generate one portrait, {generator.size} px": lambda: generator.generate(z),
        "segment one portrait": lambda: labeler.segment(image),
        "measure its seven properties": lambda: labeler.measure(image),
    }
    for language, question in QUESTIONS.items():
        found[f"one reply of the language model alone ({language})"] = lambda question=question: llm.reply(
            [{"role": "user", "content": question}]
        )
        found[f"one turn, end to end ({language})"] = lambda question=question: companion.turn(question)
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--profile", default="embedded")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        yardstick = median_seconds(matrix_product, arguments.repeats)
        print(f"{'stage':<52}{'seconds':>10}{'ratio':>10}")
        print(f"{'a 1024 × 1024 matrix product (the yardstick)':<52}{yardstick:>10.4f}{1.0:>10.1f}")
        for name, run in stages(load_profile(arguments.profile), folder).items():
            seconds = median_seconds(run, arguments.repeats)
            print(f"{name:<52}{seconds:>10.4f}{seconds / yardstick:>10.1f}")


if __name__ == "__main__":
    main()
