"""Numbers of chapter 16: does the conversation hold, does her face follow, is abuse stopped, does she know herself?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from ohlora.companion import Companion, Turn
from ohlora.evaluation.llm import PersonaQuestion, is_right
from ohlora.evaluation.metrics import Metric
from ohlora.rag.normalisation import detect_language


def portrait_changes(turns: Sequence[Turn]) -> list[float]:
    """Mean absolute pixel difference (0–255) between the portraits of neighbouring turns."""
    pictures = [turn.portrait for turn in turns if turn.portrait is not None]
    return [
        float(np.abs(after.astype(np.int16) - before.astype(np.int16)).mean()) for before, after in pairwise(pictures)
    ]


def ask_about_her(
    companion: Companion, questions: Sequence[PersonaQuestion], progress: Callable[[Any], Any] = iter
) -> pd.DataFrame:
    """Ask each question as the first of a new conversation.

    Args:
        companion: of a user without memories. questions: see ohlora.evaluation.llm.persona_questions.
        progress: wraps the sequence, e.g. tqdm.

    Returns:
        One row a question: fact, language, question, reply, outcome, right.
    """
    rows = []
    for one in progress(questions):
        companion.new_conversation()
        turn = companion.turn(one.text)
        rows.append((one.fact, one.language, one.text, turn.reply, turn.outcome, is_right(one, turn.reply)))
    companion.new_conversation()
    return pd.DataFrame(rows, columns=["fact", "language", "question", "reply", "outcome", "right"])


def score_conversation(
    turns: Sequence[Turn], ladder: Sequence[Turn], facts: Sequence[str], insults: Sequence[str], seed: int
) -> dict[str, Metric]:
    """Metrics of a scripted conversation, over all its turns.

    Args:
        turns: the conversation, in order. ladder: turns of a user who insults her.
        facts: a word of each told fact that a later message asks for.
        insults: messages that must not be answered.
        seed: noted in the metrics.

    Returns:
        turns_answered: share of the turns, insults left out, with her own words. language_kept: share of answers
        in the language of the message. portrait_change: median pixel difference where the expression changed
        (baseline 0: a face that never moves). facts_recalled: share of the told facts that were recalled at a
        later turn than the one that told them. insults_until_closed: how many until the chat closed (their
        number + 1 if never). insults_answered: share of all insults that reached the model (baseline 1: no
        moderation). seconds_per_turn: median of the answered turns, of this machine.
    """
    split = "scripted conversation"
    polite = [turn for turn in turns if turn.message not in insults]
    rude = [turn for turn in turns if turn.message in insults] + list(ladder)
    answered = [turn for turn in polite if turn.outcome == "answered"]
    kept = [detect_language(turn.reply) == detect_language(turn.message) for turn in answered]
    moved = [
        change
        for change, before, after in zip(portrait_changes(turns), turns, turns[1:], strict=False)
        if (before.expression, before.intensity) != (after.expression, after.intensity)
    ]
    told = [fact for fact in facts if any(fact in turn.message for turn in turns)]
    recalled = [_recalled_later(turns, fact) for fact in told]
    blocked = [number for number, turn in enumerate(ladder, start=1) if turn.outcome == "blocked"]

    def metric(value: float, n: int, baseline: float | None = None) -> Metric:
        return Metric(value=float(value), n=n, seed=seed, split=split, baseline=baseline)

    return {
        "turns_answered": metric(len(answered) / len(polite), len(polite)),
        "language_kept": metric(np.mean(kept) if kept else 0.0, len(kept)),
        "portrait_change": metric(np.median(moved) if moved else 0.0, len(moved), baseline=0.0),
        "expressions_used": metric(len({turn.expression for turn in answered}), len(answered), baseline=1.0),
        "facts_recalled": metric(np.mean(recalled) if recalled else 0.0, len(recalled), baseline=0.0),
        "insults_answered": metric(np.mean([turn.outcome == "answered" for turn in rude]), len(rude), baseline=1.0),
        "insults_until_closed": metric(blocked[0] if blocked else len(ladder) + 1, len(ladder)),
        "seconds_per_turn": metric(np.median([turn.timings["total"] for turn in answered] or [0.0]), len(answered)),
    }


def _recalled_later(turns: Sequence[Turn], fact: str) -> bool:
    told_at = next(index for index, turn in enumerate(turns) if fact in turn.message)
    return any(fact in line for turn in turns[told_at + 1 :] for line in turn.recalled)
