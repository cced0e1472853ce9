"""Is what she says a good answer? Two readers judged it for new messages; this counts, and chooses the thresholds.

python -m ohlora.evaluation.answers

data/answers/compared.jsonl holds, for each message, what she might say and from which source: the explanation of a
term of study, what she says to whatever wants the same, what was written for a similar message, the general answer that
is likeliest good, those for the intent, the act and the kind, or the language model's words beside two examples.
data/answers/talk.jsonl holds what she says to a second message.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ohlora.config import DATA
from ohlora.evaluation.metrics import Metric
from ohlora.rag.answer_fit import FITS

SOURCES = ("explained", "wanted", "written", "ranked", "intent", "act", "kind", "model")
"""Those to intent, act and kind are what she said before ohlora.rag.answer_ranking chose among all of them."""
_GRID = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class ComparedAnswers:
    """A message and what she might say to it.

    answers, good: by source; good: mean of the two readers, 0, .5 or 1. The model answered a part of the messages only.
    sure: probability that the answer of each source that has a threshold is right. about_her: the fact that was asked
    for: then any written answer about it is said.
    """

    language: str
    message: str
    answers: dict[str, str]
    good: dict[str, float]
    sure: dict[str, float]
    about_her: str = ""

    @property
    def chooses_thresholds(self) -> bool:
        """Half of the messages do; the others are the test."""
        return zlib.crc32(self.message.encode()) % 2 == 0

    def said(self, thresholds: dict[str, float]) -> str:
        """The source of what she says: the first that is sure enough, as in the chat with somebody unknown.

        There written answers count for no message that tells something.
        """
        if self.answers.get("explained") and not self.about_her:
            return "explained"
        if self.about_her and self.answers.get("written"):
            return "written"
        if self.answers.get("wanted"):
            return "wanted"
        sure_enough = (name for name in thresholds if self.answers.get(name) and self.sure[name] >= thresholds[name])
        return next(sure_enough, "ranked" if self.answers.get("ranked") else "model")


def shipped_thresholds() -> dict[str, float]:
    """Of the sources that have one, in their order."""
    return {"written": FITS}


def load_compared_answers() -> list[ComparedAnswers]:
    """The rows of data/answers/compared.jsonl."""
    with (DATA / "answers" / "compared.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    for row in rows:
        row["good"] = {name: float(np.mean(verdicts)) for name, verdicts in row["good"].items()}
    return [ComparedAnswers(**row) for row in rows]


def share_of_good_answers(rows: Sequence[ComparedAnswers], thresholds: dict[str, float]) -> float:
    """Of what she says with these thresholds; where the model speaks and was not asked, its mean over all counts."""
    of_model = float(np.mean([one.good["model"] for one in rows if "model" in one.good]))
    said = [(one, one.said(thresholds)) for one in rows]
    return float(np.mean([one.good.get(name, of_model) if name == "model" else one.good[name] for one, name in said]))


def best_thresholds(rows: Sequence[ComparedAnswers]) -> dict[str, float]:
    """The thresholds of a grid with the most good answers; of equal ones the highest."""
    found = [dict.fromkeys(shipped_thresholds(), value) for value in _GRID]
    return max(found, key=lambda one: (share_of_good_answers(rows, one), sum(one.values())))


def answer_table(rows: Sequence[ComparedAnswers]) -> pd.DataFrame:
    """One row a source: share of the messages to which it answers, how many of these answers are good, and of all."""
    said = [one.said(shipped_thresholds()) for one in rows]
    table = {}
    for name in SOURCES:
        all_of_it = [one.good[name] for one in rows if name in one.good]
        chosen = [one.good[name] for one, source in zip(rows, said, strict=True) if source == name and name in one.good]
        table[name] = {
            "says": said.count(name) / len(rows),
            "good where it says": float(np.mean(chosen)) if chosen else np.nan,
            "good if it always spoke": float(np.mean(all_of_it)) if all_of_it else np.nan,
        }
    return pd.DataFrame(table).T


def answer_metric(seed: int = 0) -> Metric:
    """Share of good answers of the messages that no threshold was chosen on, beside the language model alone.

    The model answered a part of them only: ``baseline_n``.
    """
    rows = [one for one in load_compared_answers() if not one.chooses_thresholds]
    of_model = [one.good["model"] for one in rows if "model" in one.good]
    share, alone = share_of_good_answers(rows, shipped_thresholds()), float(np.mean(of_model))
    return Metric(share, len(rows), seed, "data/answers/compared.jsonl, two readers", alone, len(of_model))


def talk_metric(seed: int = 0) -> Metric:
    """Share of good answers to second messages, beside what she said before she knew what to say of her lines."""
    with (DATA / "answers" / "talk.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line)["good"] for line in file]
    said, former = (float(np.mean([np.mean(row[name]) for row in rows])) for name in ("said", "former"))
    return Metric(said, len(rows), seed, "data/answers/talk.jsonl, two readers", former)


def main() -> None:
    """Command line: print the shares, and the thresholds that the calibration half would choose."""
    rows = load_compared_answers()
    halves = {
        "calibration": [one for one in rows if one.chooses_thresholds],
        "test": [one for one in rows if not one.chooses_thresholds],
    }
    print(answer_table(halves["test"]).round(3).to_string())
    best = best_thresholds(halves["calibration"])
    for name, thresholds in {"shipped": shipped_thresholds(), "best on the calibration half": best}.items():
        shares = {half: round(share_of_good_answers(part, thresholds), 3) for half, part in halves.items()}
        print(name, thresholds, shares, {half: len(part) for half, part in halves.items()})
    talk = talk_metric()
    print(f"second messages of a talk: {talk.value:.3f} of {talk.n}, formerly {talk.baseline:.3f}")


if __name__ == "__main__":
    main()
