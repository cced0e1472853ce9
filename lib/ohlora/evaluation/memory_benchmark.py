"""Her memory over several days: told, changed, forgotten, asked for. Our own five-ability benchmark.

python -m ohlora.evaluation.memory_benchmark --output outputs/memory_benchmark.json

The abilities follow LongMemEval (Wu et al. 2024): extraction, several sessions, update, time, abstention. The rows of
data/memory/benchmark.jsonl are for evaluation only: nothing is trained or calibrated on them.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from ohlora.config import DATA, outputs_folder
from ohlora.evaluation.llm import memory_scores, same_memory
from ohlora.evaluation.metrics import Metric
from ohlora.llm.generation import LanguageModel, load_llm
from ohlora.llm.reply_format import MemoryOperation
from ohlora.rag import DialogueExamples, MemoryStore, load_dialogue_examples, load_embedder, remember
from ohlora.rag.embeddings import Embedder
from ohlora.rag.relevance import Relevance

ABILITIES = ("extraction", "sessions", "update", "time", "abstention")
RECALLED = 3  # memories that she is given with a message, as in the chat

Proposal = Callable[[str, list[str], datetime], MemoryOperation | None]
"""(message, recalled memories, now) → what the language model would store."""


def load_benchmark(path: Path = DATA / "memory" / "benchmark.jsonl") -> list[dict[str, Any]]:
    """The dialogues; data/memory/README.md explains their fields."""
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def model_proposal(llm: LanguageModel, examples: DialogueExamples | None) -> Proposal:
    """What the language model writes on its memory line when it answers a message, as in a chat."""

    def propose(message: str, recalled: list[str], now: datetime) -> MemoryOperation | None:
        near = examples.nearest(message) if examples else ()
        return llm.reply([{"role": "user", "content": message}], recalled, now, examples=near).memory

    return propose


class _Told:
    """A store with a clock that is set, and what happened to each message that was told to it."""

    def __init__(self, path: Path, embedder: Embedder, relevance: Relevance | None) -> None:
        self.now = datetime.now().astimezone()
        self.store = MemoryStore(path, embedder, clock=lambda: self.now, relevance=relevance)
        self.rows: list[dict[str, Any]] = []

    def tell(self, dialogue: dict[str, Any], propose: Proposal | None) -> None:
        """Play the sessions. propose: None stores what the dialogue says should be stored."""
        user = dialogue["id"]
        for session in dialogue["sessions"]:
            self.now = datetime.fromisoformat(session["now"]).astimezone()
            for message in session["messages"]:
                said, gold = message["user"], message["memory"]
                expected = MemoryOperation(gold["kind"], gold["key"], gold.get("value") or "") if gold else None
                if propose is None:
                    self._store(user, said, expected)
                    continue
                recalled = [one.memory.line for one in self.store.search(user, said, RECALLED)]
                proposed = propose(said, recalled, self.now)
                done = remember(self.store, user, said, proposed)
                stored = done.action in ("add", "update", "known", "forget")
                found = MemoryOperation("add", done.memory.key, done.memory.value) if stored else None
                if done.action == "forget":
                    found = MemoryOperation("forget", done.memory.key)
                self.rows.append(
                    {
                        "dialogue": user, "language": dialogue["language"], "message": said,
                        "expected": expected, "found": found, "right": _same_fact(found, expected),
                    }
                )  # fmt: skip

    def _store(self, user: str, said: str, expected: MemoryOperation | None) -> None:
        known = self.store.find_key(user, expected.key) if expected else []
        if expected is None:
            return
        if expected.kind == "forget":
            self.store.delete(user, known[-1].id)
        elif expected.kind == "update" and known:
            self.store.update(user, known[-1].id, expected.value)
        else:
            self.store.add(user, expected.key, expected.value)


def _same_fact(found: MemoryOperation | None, expected: MemoryOperation | None) -> bool:
    """Whether the same was stored or forgotten; add and update end in the same store."""
    if found and expected and "forget" not in (found.kind, expected.kind):
        return same_memory(
            MemoryOperation("add", found.key, found.value), MemoryOperation("add", expected.key, expected.value)
        )
    return same_memory(found, expected)


@contextmanager
def told(
    dialogue: dict[str, Any], embedder: Embedder, relevance: Relevance | None = None, propose: Proposal | None = None
) -> Iterator[_Told]:
    """A store in a temporary folder to which the dialogue was told."""
    with tempfile.TemporaryDirectory() as folder:
        state = _Told(Path(folder) / "memory.sqlite", embedder, relevance)
        try:
            state.tell(dialogue, propose)
            yield state
        finally:
            state.store.close()


def ask(state: _Told, dialogue: dict[str, Any], answer: Callable[..., str] | None = None) -> list[dict[str, Any]]:
    """Ask every question of a told dialogue.

    Args:
        answer: (question, recalled, now) → her words; None looks at the recalled memories only.

    Returns:
        One row a question: dialogue, language, ability, question, wanted (key or None), rank (1-based place of the
        wanted key among all memories by score; NaN where none is wanted or it is not stored), recalled (lines above
        the threshold), silent, reply, answered (its pieces stand in the reply), stale (only old ones do).
    """
    rows = []
    for question in dialogue["questions"]:
        state.now = datetime.fromisoformat(question["now"]).astimezone()
        text = question["question"]
        ranked = state.store.search(dialogue["id"], text, count=50, threshold=-1e9)
        keys = [one.memory.key for one in ranked]
        limit = state.store.relevance.threshold
        recalled = [one.memory.line for one in ranked[:RECALLED] if one.score >= limit]
        reply = answer(text, recalled, state.now) if answer else None
        wanted = question["key"]
        rows.append(
            {
                "dialogue": dialogue["id"], "language": dialogue["language"], "ability": question["ability"],
                "question": text, "wanted": wanted, "rank": keys.index(wanted) + 1 if wanted in keys else float("nan"),
                "recalled": recalled, "silent": not recalled, "reply": reply, **_judge(reply, question),
            }
        )  # fmt: skip
    return rows


def _judge(reply: str | None, question: dict[str, Any]) -> dict[str, bool | None]:
    if reply is None:
        return {"answered": None, "stale": None}
    right = any(holds(reply, piece) for piece in question["answer_contains"])
    old = any(holds(reply, piece) for piece in question["stale_contains"])
    forgotten = question["ability"] == "abstention"
    return {
        "answered": right if question["answer_contains"] else None,
        "stale": old and (forgotten or not right) if question["stale_contains"] else None,
    }


def holds(reply: str, piece: str) -> bool:
    """Whether a piece stands in a reply, without regard to case; digits at its ends must not touch other digits."""
    before = r"(?<!\d)" if piece[:1].isdigit() else ""
    after = r"(?!\d)" if piece[-1:].isdigit() else ""
    return re.search(before + re.escape(piece) + after, reply, re.IGNORECASE) is not None


def benchmark_metrics(questions: pd.DataFrame, messages: pd.DataFrame | None = None) -> dict[str, Metric]:
    """The published numbers.

    Args:
        questions: rows of ask. messages: rows of told dialogues in which the language model decided what to store.
    """
    wanted = questions[questions["wanted"].notna()]
    split = "data/memory/benchmark.jsonl"
    found = {
        "hit_at_1": Metric(float((wanted["rank"] == 1).mean()), len(wanted), 0, split),
        "hit_at_3": Metric(float((wanted["rank"] <= 3).mean()), len(wanted), 0, split),
        "mean_reciprocal_rank": Metric(float((1 / wanted["rank"]).fillna(0).mean()), len(wanted), 0, split),
        "abstention": Metric(
            float(questions[questions.wanted.isna()]["silent"].mean()), len(questions) - len(wanted), 0, split
        ),
    }
    for ability in ABILITIES[:-1]:
        rows = wanted[wanted["ability"] == ability]
        found[f"hit_at_1_{ability}"] = Metric(float((rows["rank"] == 1).mean()), len(rows), 0, split)
    for name in ("answered", "stale"):
        judged = questions[name].dropna()
        if len(judged):
            found[f"{name}_by_her"] = Metric(float(judged.astype(float).mean()), len(judged), 0, split)
    if messages is not None and len(messages):
        found |= _extraction_metrics(messages, split)
    return found


def _extraction_metrics(messages: pd.DataFrame, split: str) -> dict[str, Metric]:
    columns = {"found": "memory", "expected": "expected_memory", "right": "memory_right"}
    scores = memory_scores(messages.rename(columns=columns))
    found, expected = int(messages["found"].notna().sum()), int(messages["expected"].notna().sum())
    return {
        "extraction_f1": Metric(scores["f1"], expected, 0, split),
        "extraction_precision": Metric(scores["precision"], found, 0, split),
        "extraction_recall": Metric(scores["recall"], expected, 0, split),
        "false_stores": Metric(scores["false_store"], len(messages) - expected, 0, split),
    }


def run_benchmark(
    dialogues: Iterable[dict[str, Any]],
    embedder: Embedder,
    relevance: Relevance | None = None,
    llm: LanguageModel | None = None,
    examples: DialogueExamples | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Questions and messages of all dialogues.

    Args:
        llm: decides what to store and answers the questions; None: what should be stored is, and only the recall of
            memories is scored.
    """
    propose = model_proposal(llm, examples) if llm else None

    def answer(question: str, recalled: list[str], now: datetime) -> str:
        near = examples.nearest(question) if examples else ()
        return llm.reply([{"role": "user", "content": question}], recalled, now, examples=near).text

    questions, messages = [], []
    for dialogue in dialogues:
        with told(dialogue, embedder, relevance, propose) as state:
            questions += ask(state, dialogue, answer if llm else None)
            messages += state.rows
    return pd.DataFrame(questions), pd.DataFrame(messages)


def main() -> None:
    """Command line: score the recall with what should be stored, then everything with the language model."""
    from tqdm import tqdm

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--profile", default="embedded")
    parser.add_argument("--without-model", action="store_true", help="recall only: seconds instead of minutes")
    parser.add_argument("--dialogues", type=int, default=None, help="the first so many of each language")
    parser.add_argument("--output", type=Path, default=outputs_folder() / "memory_benchmark.json")
    given = parser.parse_args()
    rows = load_benchmark()
    if given.dialogues:
        rows = [row for row in rows if int(row["id"].rsplit("-", 1)[1]) <= given.dialogues]
    embedder = load_embedder(given.profile)
    questions, _ = run_benchmark(tqdm(rows, desc="recall"), embedder)
    metrics = {f"recall_{name}": metric for name, metric in benchmark_metrics(questions).items()}
    if not given.without_model:
        examples = load_dialogue_examples(given.profile, embedder)
        questions, messages = run_benchmark(
            tqdm(rows, desc="with her"), embedder, None, load_llm(given.profile), examples
        )
        metrics |= benchmark_metrics(questions, messages)
        print(questions[["question", "recalled", "reply", "answered", "stale"]].to_csv(sep="\t", index=False))
        print(messages[~messages["right"]][["message", "expected", "found"]].to_csv(sep="\t", index=False))
    given.output.parent.mkdir(parents=True, exist_ok=True)
    kept = {name: asdict(metric) for name, metric in metrics.items()}
    given.output.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(pd.DataFrame(kept).T.to_string())


if __name__ == "__main__":
    main()
