"""What the trainings of both readers of messages share: settings, keys, standardised states, losses and the loop."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import cross_entropy
from tqdm import tqdm

from ohlora.rag.e5_network import batches_of_like_length
from ohlora.rag.marked_messages import MarkedMessage
from ohlora.rag.message_lessons import SKIP, Lesson

if TYPE_CHECKING:
    from ohlora.rag.fact_reader import FactNetwork
    from ohlora.rag.message_reader import MessageNetwork

_RAREST_KEY = 4  # times that a key occurs, or it is none of those to choose from


@dataclass(frozen=True)
class TrainingSettings:
    """How to train. alpha of LoRA is twice the rank."""

    epochs: float = 3.0
    batch_size: int = 32
    adapter_rate: float = 5e-4
    head_rate: float = 1e-3
    rank: int = 16
    seed: int = 0


def frequent_keys(rows: Sequence[MarkedMessage]) -> list[str]:
    """The keys of memories that a reader may choose from."""
    counts = Counter(operation.key for row in rows for operation in row.operations)
    return sorted(key for key, times in counts.items() if times >= _RAREST_KEY)


@torch.no_grad()
def standardise(network: MessageNetwork | FactNetwork, lessons: Sequence[Lesson], sample: int = 512) -> None:
    """Set mean and standard deviation of every number of the states, over the tokens of a part of the lessons."""
    network.eval()
    found = []
    for lesson in lessons[:: max(1, len(lessons) // sample)]:
        states, _ = network.states([lesson.encoded])
        found.append(states[0])
    states = torch.cat(found)
    network.mean, network.deviation = states.mean(dim=0), states.std(dim=0)


def loss_of_words(
    network: MessageNetwork | FactNetwork, states: torch.Tensor, whole: torch.Tensor, lessons: Sequence[Lesson]
) -> torch.Tensor:
    """Cross-entropies of the tags and of the keys of what they mark; what a lesson leaves open counts for nothing.

    Args:
        states: float32 (n, length, width). whole: (n, 2 x width), see mean_and_highest.
    """
    tags = torch.full(states.shape[:2], SKIP)
    for row, one in enumerate(lessons):
        tags[row, : len(one.tags)] = torch.tensor(one.tags)
    loss = states.new_zeros(())
    if (tags != SKIP).any():
        weight = states.new_tensor([1.0, 2.0, 2.0])  # most tokens are outside: those of a fact count twice
        logits, wanted = network.tag(states).flatten(0, 1), tags.flatten().to(states.device)
        loss = 2 * cross_entropy(logits, wanted, weight, ignore_index=SKIP)
    facts = [(row, words, key) for row, one in enumerate(lessons) for words, key in one.facts]
    if facts:
        rows = [row for row, *_ in facts]
        shares = torch.zeros(len(facts), 1, states.shape[1])
        for number, (_, tokens, _) in enumerate(facts):
            shares[number, 0, tokens] = 1 / len(tokens)
        words = (shares.to(states.device) @ states[rows])[:, 0]
        means = whole.chunk(2, dim=1)[0][rows]
        keys = torch.tensor([key for *_, key in facts], device=states.device)
        loss = loss + 0.5 * cross_entropy(network.keys_of(words, means), keys)
    return loss


def loss_of_choices(logits: torch.Tensor, choices: Sequence[int]) -> torch.Tensor:
    """Cross-entropy of the rows whose choice is not SKIP, times their share: a row counts alike in every batch.

    Args:
        logits: (n, options).
    """
    known = [row for row, choice in enumerate(choices) if choice != SKIP]
    if not known:
        return logits.new_zeros(())
    wanted = torch.tensor([choices[row] for row in known], device=logits.device)
    return len(known) / len(choices) * cross_entropy(logits[known], wanted)


def fit(
    network: MessageNetwork | FactNetwork,
    loss_of: Callable[[Sequence[Lesson]], torch.Tensor],
    lessons: Sequence[Lesson],
    settings: TrainingSettings,
) -> None:
    """Teach adapter and heads, in place: AdamW, 50 steps of warming up, then a rate that falls to zero.

    Args:
        loss_of: a batch of lessons → the loss.
    """
    adapter = [weight for weight in network.encoder.parameters() if weight.requires_grad]
    heads = [weight for name, head in network.named_children() if name != "encoder" for weight in head.parameters()]
    optimiser = torch.optim.AdamW(
        [{"params": adapter, "lr": settings.adapter_rate}, {"params": heads, "lr": settings.head_rate}],
        weight_decay=0.01,
    )
    steps = max(1, int(settings.epochs * len(lessons) / settings.batch_size))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: min((step + 1) / 50, (steps - step) / steps))
    lengths = [len(one.encoded.tokens) for one in lessons]
    batches = batches_of_like_length(lengths, settings.batch_size, random.Random(settings.seed))
    network.train()
    for _ in tqdm(range(steps), desc="teach a reader of messages", disable=None):
        loss = loss_of([lessons[row] for row in next(batches)])
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(adapter, 1.0)
        optimiser.step()
        schedule.step()
