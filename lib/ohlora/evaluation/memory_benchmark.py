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
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from ohlora.companion import Companion
from ohlora.companion.recalling import RECALLED
from ohlora.config import DATA, outputs_folder
from ohlora.evaluation.llm import memory_scores
from ohlora.evaluation.metrics import Metric
from ohlora.llm.reply_format import MemoryOperation, same_stored
from ohlora.rag import Memory, MemoryStore, detect_language, load_embedder
from ohlora.rag.embeddings import Embedder
from ohlora.rag.extraction import circumstances
from ohlora.rag.relevance import Relevance, load_relevance

ABILITIES = ("extraction", "sessions", "update", "time", "abstention")


def load_benchmark(path: Path = DATA / "memory" / "benchmark.jsonl") -> list[dict[str, Any]]:
    """The dialogues; data/memory/README.md explains their fields."""
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


class _Told:
    """A store with a clock that is set, and what happened to each message that was told to it.

    Args:
        companion: hears the messages, decides what to store, and answers. None: what the dialogue says should be stored
            is. as_written: the same with a companion, who only answers.
    """

    def __init__(
        self,
        folder: Path,
        user: str,
        embedder: Embedder,
        relevance: Relevance | None = None,
        companion: Companion | None = None,
        as_written: bool = False,
    ) -> None:
        self.now, self.user, self.as_written = datetime.now().astimezone(), user, as_written
        self.companion = companion.for_user(user, state=folder, clock=self._clock) if companion else None
        self.store = (
            self.companion.memory
            if self.companion
            else MemoryStore(folder / "memory.sqlite", embedder, self._clock, relevance)
        )
        self.rows: list[dict[str, Any]] = []

    def _clock(self) -> datetime:
        return self.now

    def tell(self, dialogue: dict[str, Any]) -> None:
        """Play the sessions; each is a new conversation."""
        for session in dialogue["sessions"]:
            self.now = _on_this_machine(session["now"])
            if self.companion:
                self.companion.new_conversation()
            for message in session["messages"]:
                said, gold = message["user"], message["memory"]
                expected = MemoryOperation(gold["kind"], gold["key"], gold.get("value") or "") if gold else None
                if self.companion is None or self.as_written:
                    self._store(expected)
                    continue
                before = {one.id: one for one in self.store.memories(self.user)}
                turn = self.companion.turn(said)
                found = self._change(before, expected)
                self.rows.append(
                    {
                        "dialogue": self.user, "language": dialogue["language"], "message": said,
                        "expected": expected, "found": found, "right": same_stored(found, expected),
                        "outcome": turn.outcome, "reply": turn.reply,
                    }
                )  # fmt: skip

    def answer(self, question: str) -> tuple[list[str], str | None]:
        """What comes back with a question, asked on its own, and what she says to it (None: there is nobody).

        With a companion as in the chat, where what asks for something told has a threshold of its own.
        """
        if self.companion is None:
            return [one.memory.line for one in self.store.search(self.user, question, RECALLED)], None
        self.companion.new_conversation()
        turn = self.companion.turn(question)
        return list(turn.recalled), turn.reply

    def _change(self, before: dict[int, Memory], expected: MemoryOperation | None) -> MemoryOperation | None:
        """What a turn changed in the store; a fact that is stored already counts as stored."""
        after = {one.id: one for one in self.store.memories(self.user)}
        new = [one for number, one in after.items() if number not in before]
        gone = [one for number, one in before.items() if number not in after]
        if new:
            return MemoryOperation("add", new[-1].key, new[-1].value)
        if gone:
            return MemoryOperation("forget", gone[-1].key)
        known = [one for one in after.values() if expected and one.value == expected.value]
        return MemoryOperation("add", known[0].key, known[0].value) if known else None

    def _store(self, expected: MemoryOperation | None) -> None:
        if expected is None:
            return
        told = circumstances(self.store, expected, None, detect_language(expected.value or expected.key))
        known = self.store.find_key(self.user, expected.key)
        if expected.kind == "forget":
            self.store.delete(self.user, known[-1].id)
        elif expected.kind == "update" and known:
            self.store.update(self.user, known[-1].id, expected.value, **told)
        else:
            self.store.add(self.user, expected.key, expected.value, **told)


@contextmanager
def told(
    dialogue: dict[str, Any],
    embedder: Embedder,
    relevance: Relevance | None = None,
    companion: Companion | None = None,
    as_written: bool = False,
) -> Iterator[_Told]:
    """A store in a temporary folder to which the dialogue was told."""
    with tempfile.TemporaryDirectory() as folder:
        state = _Told(Path(folder), dialogue["id"], embedder, relevance, companion, as_written)
        try:
            state.tell(dialogue)
            yield state
        finally:
            (state.companion or state.store).close()


def _on_this_machine(local_time: str) -> datetime:
    """A time of a dialogue, e.g. ``2026-03-05T22:40:00-05:00``, as this machine's: she counts the days of its zone."""
    return datetime.fromisoformat(local_time).replace(tzinfo=None).astimezone()


def ask(state: _Told, dialogue: dict[str, Any]) -> list[dict[str, Any]]:
    """Ask every question of a told dialogue.

    Returns:
        One row a question: dialogue, language, ability, question, wanted (key or None), rank (1-based place of the
        wanted key among all memories by score; NaN where none is wanted or it is not stored), recalled (lines above
        the threshold), silent, reply, answered (its pieces stand in the reply), stale (only old ones do).
    """
    rows = []
    for question in dialogue["questions"]:
        state.now = _on_this_machine(question["now"])
        text = question["question"]
        ranked = state.store.search(dialogue["id"], text, count=50, threshold=-1e9)
        keys = [one.memory.key for one in ranked]
        recalled, reply = state.answer(text)
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
    companion: Companion | None = None,
    as_written: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Questions and messages of all dialogues.

    Args:
        companion: hears the messages as in a chat, decides what to store and answers the questions; None: what
            should be stored is, and only the recall of memories is scored.
        as_written: what should be stored is; the companion only answers.
    """
    questions, messages = [], []
    for dialogue in dialogues:
        with told(dialogue, embedder, relevance, companion, as_written) as state:
            questions += ask(state, dialogue)
            messages += state.rows
    return pd.DataFrame(questions), pd.DataFrame(messages)


def main() -> None:
    """Command line: score the recall with what should be stored, then everything with the language model."""
    from tqdm import tqdm

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--profile", default="embedded")
    parser.add_argument("--without-model", action="store_true", help="recall only: seconds instead of minutes")
    parser.add_argument("--file", type=Path, default=DATA / "memory" / "benchmark.jsonl", help="or development.jsonl")
    parser.add_argument("--dialogues", type=int, default=None, help="the first so many of each language")
    parser.add_argument("--output", type=Path, default=outputs_folder() / "memory_benchmark.json")
    given = parser.parse_args()
    rows = load_benchmark(given.file)
    if given.dialogues:
        rows = [row for row in rows if int(row["id"].rsplit("-", 1)[1]) <= given.dialogues]
    embedder, companion = load_embedder(given.profile), None
    relevance = load_relevance(embedder)
    with tempfile.TemporaryDirectory() as folder:
        if not given.without_model:
            companion = Companion(given.profile, "benchmark", state=Path(folder))
        told_as_written, _ = run_benchmark(tqdm(rows, desc="stored as written"), embedder, relevance, companion, True)
        metrics = {f"recall_{name}": metric for name, metric in benchmark_metrics(told_as_written).items()}
        if companion is not None:
            questions, messages = run_benchmark(tqdm(rows, desc="stored by her"), embedder, relevance, companion)
            metrics |= benchmark_metrics(questions, messages)
            columns = ["ability", "question", "recalled", "reply", "answered", "stale"]
            print(questions[columns].to_csv(sep="\t", index=False))
            missed = messages[~messages["right"]]
            print(missed[["message", "expected", "found", "outcome"]].to_csv(sep="\t", index=False))
    given.output.parent.mkdir(parents=True, exist_ok=True)
    split = f"{given.file.name}, {len(rows)} dialogues"
    kept = {name: asdict(replace(metric, split=split)) for name, metric in metrics.items()}
    given.output.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(pd.DataFrame(kept).T.to_string())


if __name__ == "__main__":
    main()
