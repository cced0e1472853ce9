"""Cross-entropy over a part of the vocabulary: a CPU spends a third of a training step on the other 250,000 words.

Source: importance sampling of the softmax's denominator (Bengio & Senécal 2008; Jean et al. 2015, "On Using Very Large
Target Vocabulary for Neural Machine Translation").
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch.nn.functional import cross_entropy


class SampledSoftmax:
    """Scores hidden states against the tokens that the training texts use, and a random part of all others.

    The denominator of the softmax is a sum over the vocabulary. Tokens that the texts use are summed exactly. Of the N
    others only ``sampled`` are summed, each counting N / sampled times, so that the sum is right on average and the
    model still unlearns words that nobody here would say.

    Args:
        used: token ids of the training texts; every target must be among them.
        vocabulary: number of tokens. sampled: of the tokens that are not used, drawn anew at each call.
        seed: of the draws.
    """

    def __init__(self, used: Iterable[int], vocabulary: int, sampled: int = 4096, seed: int = 0) -> None:
        known = torch.zeros(vocabulary, dtype=torch.bool)
        known[list(used)] = True
        self.used, self.others = known.nonzero()[:, 0], (~known).nonzero()[:, 0]
        self.place = torch.full((vocabulary,), -1)
        self.place[self.used] = torch.arange(len(self.used))
        self.sampled = min(sampled, len(self.others))
        self._generator = torch.Generator().manual_seed(seed)

    def loss(self, hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Summed cross-entropy in nats.

        Args:
            hidden: (n, d) states before the output layer. weight: (vocabulary, d), of the output layer.
            targets: int64 (n,) token ids.

        Raises:
            ValueError: a target that is not among the used tokens.
        """
        places = self.place[targets]
        if (places < 0).any():
            raise ValueError(f"targets hold tokens that are not among the {len(self.used)} used ones")
        drawn = torch.randint(len(self.others), (self.sampled,), generator=self._generator) if self.sampled else []
        scores = (hidden @ weight[torch.cat([self.used, self.others[drawn]])].T).float()
        if self.sampled:
            count = torch.tensor(len(self.others) / self.sampled).log()
            scores = torch.cat([scores[:, : len(self.used)], scores[:, len(self.used) :] + count], dim=1)
        return cross_entropy(scores, places, reduction="sum")
