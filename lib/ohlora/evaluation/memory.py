"""Memory measured: is the right memory first, and does she keep quiet when there is none?"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ohlora.evaluation.metrics import Metric
from ohlora.llm.dialogues import load_dialogues
from ohlora.rag.embeddings import Embedder
from ohlora.rag.marked_messages import messages_of_dialogues
from ohlora.rag.memory_store import MemoryStore
from ohlora.rag.message_reader import MessageReader
from ohlora.rag.proposals import proposed_operations, score_proposals
from ohlora.rag.relevance import Relevance, best_threshold, load_dialogue_questions

COLUMNS = ("dialogue", "language", "question", "wanted", "found", "score", "rank")


def answer_questions(
    embedder: Embedder, relevance: Relevance | None = None, split: str = "evaluation", limit: int | None = None
) -> pd.DataFrame:
    """Ask the store every question of a benchmark; each dialogue is a user with an own set of memories.

    Args:
        embedder: see ohlora.rag.Embedder.
        relevance: default: the calibrated one.
        split: ``"evaluation"``, or ``"calibration"`` (which the threshold was chosen on).
        limit: only so many questions of each dialogue, spread over it.

    Returns:
        One row a question: dialogue, language, question, wanted (key or None), found (best key), score (of the best)
        and rank (1-based place of the wanted key; NaN where none is wanted).
    """
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        store = MemoryStore(Path(folder) / "memory.sqlite", embedder, relevance=relevance)
        for dialogue in load_dialogue_questions(split):
            user = dialogue["id"]
            with store.turn():
                for memory in dialogue["memories"]:
                    store.add(user, memory["key"], memory["value"])
            for question in _spread(dialogue["questions"], limit):
                found = store.search(user, question["question"], count=len(dialogue["memories"]), threshold=-1e9)
                keys = [recalled.memory.key for recalled in found]
                rank = keys.index(question["key"]) + 1 if question["key"] else np.nan
                rows.append(
                    (user, dialogue["language"], question["question"], question["key"], keys[0], found[0].score, rank)
                )
        store.close()
    return pd.DataFrame(rows, columns=COLUMNS)


def remembering_scores(reader: MessageReader, answers: pd.DataFrame) -> pd.DataFrame:
    """What is worth remembering in held-out dialogues: the language model, the readers of messages, all together.

    Args:
        answers: of the language model to all held-out dialogues (see ohlora.evaluation.llm.read_answers).

    Returns:
        One row each, with the columns of ohlora.rag.proposals.score_proposals.
    """
    by_id = {one.id: one for one in load_dialogues()}
    rows = messages_of_dialogues([by_id[name] for name in answers["id"]])
    readings = reader.read_all([(row.message, row.before) for row in rows])
    by_model = list(answers["memory"])
    proposed = {
        "language model": [(one,) if one else () for one in by_model],
        "readers of messages": [proposed_operations(reading, None) for reading in readings],
        "together": [proposed_operations(*pair) for pair in zip(readings, by_model, strict=True)],
    }
    marked = [row.operations for row in rows]
    return pd.DataFrame({name: score_proposals(found, marked) for name, found in proposed.items()}).T


def answer_questions_by_letters(split: str = "evaluation", limit: int | None = None) -> pd.DataFrame:
    """The baseline without a neural network: cosine of TF-IDF vectors of letter 1- to 3-grams, as answer_questions.

    Its document frequencies come from the calibration dialogues.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    calibration = load_dialogue_questions("calibration")
    known = [_line(memory) for dialogue in calibration for memory in dialogue["memories"]]
    known += [question["question"] for dialogue in calibration for question in dialogue["questions"]]
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3), sublinear_tf=True).fit(known)
    rows = []
    for dialogue in load_dialogue_questions(split):
        memories = vectorizer.transform([_line(memory) for memory in dialogue["memories"]])
        keys = [memory["key"] for memory in dialogue["memories"]]
        for question in _spread(dialogue["questions"], limit):
            cosines = (memories @ vectorizer.transform([question["question"]]).T).toarray().ravel()
            order = np.argsort(-cosines, kind="stable")
            ranked = [keys[i] for i in order]
            rank = ranked.index(question["key"]) + 1 if question["key"] else np.nan
            best = float(cosines[order[0]])
            rows.append(
                (dialogue["id"], dialogue["language"], question["question"], question["key"], ranked[0], best, rank)
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def decisions(answers: pd.DataFrame) -> list[tuple[float, bool, bool]]:
    """For ohlora.rag.relevance.best_threshold: score of the best, is it right, is anything right."""
    wanted = answers["wanted"].notna()
    return list(zip(answers["score"], (answers["rank"] == 1), wanted, strict=True))


def threshold_curve(answers: pd.DataFrame, thresholds: Sequence[float]) -> pd.DataFrame:
    """What each threshold does: answered (right memory given), abstained (rightly silent), right (both together)."""
    wanted, first, score = answers["wanted"].notna(), answers["rank"] == 1, answers["score"]
    return pd.DataFrame(
        {
            "threshold": threshold,
            "answered": (first & (score >= threshold))[wanted].mean(),
            "abstained": (score < threshold)[~wanted].mean(),
            "right": np.where(wanted, first & (score >= threshold), score < threshold).mean(),
        }
        for threshold in thresholds
    )


def retrieval_metrics(
    answers: pd.DataFrame, threshold: float, baseline: pd.DataFrame, baseline_threshold: float
) -> dict[str, Metric]:
    """hit@1, hit@3, MRR over questions that have an answer; abstention over those that have none; right over all.

    Args:
        answers: of answer_questions on the evaluation split.
        threshold: calibrated elsewhere.
        baseline, baseline_threshold: of answer_questions_by_letters.
    """
    ours, theirs = _numbers(answers, threshold), _numbers(baseline, baseline_threshold)
    counts = {"abstention": int(answers["wanted"].isna().sum()), "right_decisions": len(answers)}
    answerable = int(answers["wanted"].notna().sum())
    return {
        name: Metric(value, counts.get(name, answerable), 0, "data/memory/evaluation.jsonl", theirs[name])
        for name, value in ours.items()
    }


def calibrated_threshold(answers: pd.DataFrame) -> float:
    """The threshold with most right decisions on given answers (use the calibration split)."""
    return best_threshold(decisions(answers))


def _numbers(answers: pd.DataFrame, threshold: float) -> dict[str, float]:
    ranks = answers["rank"].dropna()
    at_threshold = threshold_curve(answers, [threshold]).iloc[0]
    return {
        "hit_at_1": float((ranks == 1).mean()),
        "hit_at_3": float((ranks <= 3).mean()),
        "mean_reciprocal_rank": float((1 / ranks).mean()),
        "answered_at_threshold": float(at_threshold["answered"]),
        "abstention": float(at_threshold["abstained"]),
        "right_decisions": float(at_threshold["right"]),
    }


def _line(memory: dict) -> str:
    return f"{memory['key']}: {memory['value']}"


def _spread(questions: list[dict], limit: int | None) -> list[dict]:
    if limit is None or limit >= len(questions):
        return questions
    return [questions[i] for i in np.linspace(0, len(questions) - 1, limit).round().astype(int)]
