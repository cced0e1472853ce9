"""Scores of chapter 04: format, language, persona facts, expression, memory operations, loss per character.

python -m ohlora.evaluation.llm --profile embedded --rows 150 --into-card
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import yaml

from ohlora.config import DATA, load_profile
from ohlora.evaluation.metrics import Metric
from ohlora.llm.dialogues import Dialogue, load_dialogues, split_dialogues
from ohlora.llm.generation import GREEDY, LanguageModel, Sampling, load_llm
from ohlora.llm.prompt import build_prompt
from ohlora.llm.reply_format import GRAMMAR, MemoryOperation, repair_reply, same_memory
from ohlora.llm.rules import keeps_language, violations
from ohlora.rag import DialogueExamples, load_dialogue_examples, load_embedder
from ohlora.weights import locate_weights

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def score_dialogues(
    llm: LanguageModel,
    dialogues: Sequence[Dialogue],
    sampling: Sampling | Sequence[Sampling] = GREEDY,
    grammar: str | None = GRAMMAR,
    progress: Callable[[Any], Any] = iter,
    examples: DialogueExamples | None = None,
) -> pd.DataFrame:
    """Let the model answer every dialogue.

    Args:
        sampling: one for all, or one a dialogue.
        grammar: None lets the model write freely, which is how its own grasp of the format is measured.
        progress: wraps the sequence, e.g. tqdm.
        examples: shown beside each message, as in a chat; None: none.

    Returns:
        One row a dialogue: id, family, language, user, expected, reply, expression, expected_expression, valid,
        language_kept, expression_right, memory, expected_memory (operations or None), memory_right,
        broken_rules (names), characters.
    """
    rows = []
    samplings = [sampling] * len(dialogues) if isinstance(sampling, Sampling) else list(sampling)
    prompts = [
        dialogue.prompt(llm.template, examples.nearest(dialogue.user) if examples else ()) for dialogue in dialogues
    ]
    answers = llm.generate_many(prompts, samplings, grammar)
    for dialogue, raw in zip(progress(dialogues), answers, strict=True):
        reply = repair_reply(raw)
        rows.append(
            {
                "id": dialogue.id,
                "family": dialogue.family,
                "language": dialogue.language,
                "user": dialogue.user,
                "expected": dialogue.reply,
                "reply": reply.text,
                "expression": reply.expression,
                "expected_expression": dialogue.expression,
                "valid": reply.valid,
                "language_kept": keeps_language(reply.text, dialogue.language),
                "expression_right": reply.expression == dialogue.expression,
                "memory": reply.memory,
                "expected_memory": dialogue.memory,
                "memory_right": same_memory(reply.memory, dialogue.memory),
                "broken_rules": violations(reply, dialogue),
                "characters": len(reply.text),
            }
        )
    return pd.DataFrame(rows)


def memory_scores(scores: pd.DataFrame) -> dict[str, float]:
    """precision, recall and F1 of memory operations; false_store: share of nothing-to-store turns that stored."""
    found = scores["memory"].notna()
    expected = scores["expected_memory"].notna()
    right = int((scores["memory_right"] & found & expected).sum())
    precision = right / max(int(found.sum()), 1)
    recall = right / max(int(expected.sum()), 1)
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    false_store = float((found & ~expected).sum() / max(int((~expected).sum()), 1))
    return {"precision": precision, "recall": recall, "f1": f1, "false_store": false_store}


def dialogue_metrics(
    scores: pd.DataFrame, training: Sequence[Dialogue], split: str, seed: int = 0, base: pd.DataFrame | None = None
) -> dict[str, Metric]:
    """The published numbers of score_dialogues.

    Args:
        training: gives the majority expression, the baseline of expression_accuracy.
        base: the base model's scores on the same rows, the baseline of the others.
    """
    n = len(scores)
    majority = pd.Series([dialogue.expression for dialogue in training]).mode()[0]
    memory = memory_scores(scores)
    base_memory = memory_scores(base) if base is not None else {}

    def share(column: str, baseline: float | None = None) -> Metric:
        known = float(base[column].mean()) if baseline is None and base is not None else baseline
        return Metric(float(scores[column].mean()), n, seed, split, known)

    expected = int(scores["expected_memory"].notna().sum())
    broken = [int(bool(rules)) for rules in scores["broken_rules"]]
    base_broken = float(base["broken_rules"].map(bool).mean()) if base is not None else None
    return {
        "format_valid": share("valid"),
        "language_kept": share("language_kept"),
        "expression_accuracy": share("expression_right", float((scores["expected_expression"] == majority).mean())),
        "rule_breaking": Metric(float(np.mean(broken)), n, seed, split, base_broken),
        "memory_f1": Metric(memory["f1"], expected, seed, split, base_memory.get("f1")),
        "false_store": Metric(memory["false_store"], n - expected, seed, split, base_memory.get("false_store")),
    }


@dataclass(frozen=True)
class PersonaQuestion:
    """A question about her with the pieces of which a right answer holds at least one."""

    fact: str
    language: str
    text: str
    answer_contains: tuple[str, ...]


def persona_questions(held_out: bool = True) -> list[PersonaQuestion]:
    """The questions of data/persona/oh_lora.yaml: wordings that never occur in training, or those that do."""
    content = yaml.safe_load((DATA / "persona" / "oh_lora.yaml").read_text(encoding="utf-8"))
    return [
        PersonaQuestion(fact["id"], language, question["text"], tuple(fact["answer_contains"][language]))
        for fact in content["facts"]
        for language, questions in fact["questions"].items()
        for question in questions
        if question["held_out"] is held_out
    ]


def is_right(question: PersonaQuestion, reply: str) -> bool:
    """Whether a reply holds a piece of the right answer."""
    return any(_says(reply.casefold(), piece.casefold()) for piece in question.answer_contains)


def score_persona(
    llm: LanguageModel,
    questions: Sequence[PersonaQuestion],
    sampling: Sampling = GREEDY,
    grammar: str | None = GRAMMAR,
    progress: Callable[[Any], Any] = iter,
    examples: DialogueExamples | None = None,
) -> pd.DataFrame:
    """Ask every question, alone, beside examples if they are given.

    Returns:
        One row a question: fact, language, question, reply, right, valid, language_kept.
    """
    rows = []
    now = datetime(2026, 3, 2, 21, 10)  # a turn always has a time; so had every training row
    prompts = [
        build_prompt(
            [{"role": "user", "content": one.text}],
            (),
            now,
            llm.template,
            examples=examples.nearest(one.text) if examples else (),
        )
        for one in questions
    ]
    answers = llm.generate_many(prompts, [sampling] * len(prompts), grammar)
    for question, raw in zip(progress(questions), answers, strict=True):
        reply = repair_reply(raw)
        rows.append(
            {
                "fact": question.fact,
                "language": question.language,
                "question": question.text,
                "reply": reply.text,
                "right": is_right(question, reply.text),
                "valid": reply.valid,
                "language_kept": keeps_language(reply.text, question.language),
            }
        )
    return pd.DataFrame(rows)


def loss_per_character(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[dict[str, str]],
    progress: Callable[[Any], Any] = iter,
) -> np.ndarray:
    """Negative log-likelihood (nats) of each completion given its prompt, divided by its characters.

    Per character, so that models with different tokenizers can be compared.

    Args:
        rows: prompt/completion rows (ohlora.llm.dialogues.training_rows).

    Returns:
        float64 (n,).
    """
    import torch

    losses = []
    for row in progress(rows):
        prompt = tokenizer(row["prompt"])["input_ids"]
        completion = tokenizer(row["completion"], add_special_tokens=False)["input_ids"]
        ids = torch.tensor([prompt + completion], device=model.device)
        with torch.inference_mode():
            logits = model(ids, logits_to_keep=len(completion) + 1).logits[0, :-1].float()
        target = ids[0, len(prompt) :]
        nats = torch.nn.functional.cross_entropy(logits, target, reduction="sum")
        losses.append(float(nats) / len(row["completion"]))
    return np.array(losses)


def bootstrap_interval(
    values: Sequence[float], seed: int = 0, samples: int = 2000, level: float = 0.95
) -> tuple[float, float]:
    """Interval of the mean from resampling items with replacement (percentile bootstrap, Efron 1979)."""
    array = np.asarray(values, dtype=float)
    drawn = np.random.default_rng(seed).integers(0, len(array), (samples, len(array)))
    low, high = np.quantile(array[drawn].mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _says(text: str, piece: str) -> bool:
    """Whether a piece stands in a text; an English one only where a word begins ("lie" is not in "believe")."""
    return re.search((r"\b" if piece.isascii() else "") + re.escape(piece), text) is not None


def nearest_training_rows(training: Sequence[Dialogue], held_out: Sequence[Dialogue]) -> tuple[np.ndarray, np.ndarray]:
    """For each held-out message the most similar training message, by letters (character 2- to 4-grams, TF-IDF).

    Returns:
        Places in training int64 (n,), and cosines float64 (n,) in [0, 1]; 1 is the same text.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4))
    known = vectorizer.fit_transform([dialogue.user for dialogue in training])
    asked = vectorizer.transform([dialogue.user for dialogue in held_out])
    cosines = asked @ known.T
    return np.asarray(cosines.argmax(axis=1)).ravel(), np.asarray(cosines.max(axis=1).todense()).ravel()


def held_out_report(
    profile: str,
    rows: int,
    questions: int,
    base_rows: int,
    seed: int = 0,
    adapter: str | None = "",
    with_examples: bool = True,
) -> tuple[dict[str, Metric], pd.DataFrame, pd.DataFrame]:
    """Score an adapter, greedy and without a grammar, on held-out families and held-out persona wordings.

    Args:
        base_rows: rows on which the base model alone is scored too (the baseline; a part of the same rows).
        with_examples: show the profile's examples beside each message, to the base model as well.

    Returns:
        Metrics, the answers to the dialogues, the answers to the persona questions.
    """
    from tqdm import tqdm

    training, held_out = split_dialogues(load_dialogues())
    chosen = random.Random(seed).sample(held_out, min(rows, len(held_out)))
    asked = persona_questions(held_out=True)
    asked = random.Random(seed).sample(asked, min(questions, len(asked)))
    sampling = replace(GREEDY, max_tokens=80)
    examples = load_dialogue_examples(profile, load_embedder(profile)) if with_examples else None
    base_llm = load_llm(profile, adapter=None, slots=8)
    short = replace(sampling, max_tokens=48)
    base = score_dialogues(base_llm, chosen[:base_rows], short, None, tqdm, examples)
    base_persona = score_persona(base_llm, asked[:base_rows], short, None, tqdm, examples)
    del base_llm
    llm = load_llm(profile, adapter=adapter, slots=8)
    scores = score_dialogues(llm, chosen, sampling, None, tqdm, examples)
    persona = score_persona(llm, asked, sampling, None, tqdm, examples)
    how = "greedy, no grammar, " + ("beside examples" if examples else "no examples")
    metrics = dialogue_metrics(scores, training, f"held-out families, {how}", seed, base)
    for language, asked_then in (("", persona), *persona.groupby("language")):
        name = "_".join(filter(None, ("persona_facts", language)))
        baseline = float(base_persona["right"].mean()) if not language else None
        right = float(asked_then["right"].mean())
        metrics[name] = Metric(right, len(asked_then), seed, f"held-out wordings, {how}", baseline)
    return metrics, scores, persona


def write_answers(scores: pd.DataFrame, path: Path) -> None:
    """Keep the table of score_dialogues as JSON, for notebooks that show it without answering again."""
    rows = [
        {**row, **{name: asdict(row[name]) if row[name] else None for name in ("memory", "expected_memory")}}
        for row in scores.to_dict("records")
    ]
    temporary = path.with_suffix(".tmp")
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    temporary.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    temporary.replace(path)


def read_answers(path: Path) -> pd.DataFrame:
    """The table that write_answers kept."""
    table = pd.DataFrame(json.loads(Path(path).read_text(encoding="utf-8")))
    for name in ("memory", "expected_memory"):
        table[name] = [MemoryOperation(**one) if one else None for one in table[name]]
    return table


def main() -> None:
    """Command line: print the scores of the profile's adapter; --into-card keeps them in its card."""
    parser = argparse.ArgumentParser(description=held_out_report.__doc__.splitlines()[0])
    parser.add_argument("--profile", default="embedded")
    parser.add_argument("--adapter", default="", help="default: the profile's")
    parser.add_argument("--rows", type=int, default=150)
    parser.add_argument("--questions", type=int, default=150)
    parser.add_argument("--base-rows", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--without-examples", action="store_true", help="show the model none")
    parser.add_argument("--answers", type=Path, default=None, help="keep the answers to the dialogues in this .json")
    parser.add_argument("--into-card", action="store_true")
    given = parser.parse_args()
    metrics, scores, persona = held_out_report(
        given.profile,
        given.rows,
        given.questions,
        given.base_rows,
        given.seed,
        given.adapter,
        not given.without_examples,
    )
    columns = ["user", "reply", "expression", "expected_expression", "memory", "expected_memory", "broken_rules"]
    print(scores[columns].to_csv(sep="\t", index=False), persona.to_csv(sep="\t", index=False), sep="\n")
    print(pd.DataFrame({name: asdict(metric) for name, metric in metrics.items()}).T)
    if given.answers:
        write_answers(scores, given.answers)
    if given.into_card:
        path = locate_weights(given.adapter or load_profile(given.profile).llm.adapter).with_suffix(".json")
        card = json.loads(path.read_text(encoding="utf-8"))
        card["metrics"]["held_out_without_examples" if given.without_examples else "held_out"] = {
            name: asdict(metric) for name, metric in metrics.items()
        }
        path.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
