"""What the pairs know about a request: the portrait parameters that the same person has when she obeys.

A latent of our generator is paired with portrait parameters u. A request ("eyes half a deviation more open") says
how the portrait shall measure, not which u does that. A small network learns u → what the portrait measures; the
smallest change of the few parameters that a property may move, found by Gauss-Newton, is then the answer. What is
missing of one property never moves the parameters of another, and everything else of u stays as it is, so the answer
is the same person before the same wall. Conditioning (:mod:`ohlora.stylegan.conditioning`) learns
from these answers before it looks at a single image.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ohlora.portraits import VECTOR_NAMES, mirror
from ohlora.stylegan.generator import PropertyEstimate

PROPERTIES = ("eyes", "hair_color", "hair_length", "mouth", "pose", "background_mean", "background_std")
MOVED = {
    "eyes": ("eyes",),
    "hair_color": ("hair_lightness",),
    "hair_length": ("hair_length",),
    "mouth": ("mouth",),
    "pose": ("yaw",),
    "background_mean": ("background_top_0", "background_top_1", "background_top_2"),
    "background_std": (
        "background_step_0", "background_step_1", "background_step_2", "background_tilt", "background_texture",
    ),
}  # fmt: skip
"""Property → the portrait parameters that a request for it may change."""

REACH = 3.5  # standard deviations; beyond it a parameter hardly changes the portrait any more
_COLUMNS = [VECTOR_NAMES.index(name) for names in MOVED.values() for name in names]
_OWN = torch.tensor([[name in MOVED[key] for names in MOVED.values() for name in names] for key in PROPERTIES])
"""bool (7, columns): which columns a property may move."""
_GENDER = VECTOR_NAMES.index("gender")


def as_woman(u: Tensor) -> Tensor:
    """The woman most like each person: u (n, VECTOR_SIZE) whose gender value is mirrored to the women's side."""
    u = u.clone()
    u[:, _GENDER] = u[:, _GENDER].abs()
    return u


def mirrored(u: Tensor) -> Tensor:
    """u (n, VECTOR_SIZE) of the flipped portraits (portraits.mirror, for tensors)."""
    return torch.from_numpy(mirror(u.cpu().numpy())).to(u)


def fit_estimate(
    estimate: PropertyEstimate, inputs: Tensor, measured: Tensor, held_out: int, steps: int = 2000, seed: int = 0
) -> float:
    """Learn inputs (n, k) → measured (n, 7); returns the mean absolute error on the last ``held_out`` rows, which are
    not learned from."""
    seen, answers = inputs[:-held_out], measured[:-held_out].clamp(-4, 4)
    optimizer = torch.optim.AdamW(estimate.parameters(), lr=2e-3, weight_decay=0.3)
    dice = torch.Generator().manual_seed(seed)
    for step in range(steps):
        rows = torch.randint(len(seen), (256,), generator=dice).to(seen.device)
        optimizer.param_groups[0]["lr"] = 2e-3 * (1 - step / steps)
        loss = F.smooth_l1_loss(estimate(seen[rows]), answers[rows], beta=0.3)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    estimate.eval().requires_grad_(False)
    return (estimate(inputs[-held_out:]) - measured[-held_out:]).abs().mean().item()


def obeying(u: Tensor, requested: Tensor, estimate: PropertyEstimate, rounds: int = 6, damping: float = 0.02) -> Tensor:
    """The u nearest to ``u`` whose portraits measure as requested, according to ``estimate``.

    Levenberg-Marquardt on the parameters of MOVED: each round solves (JᵀJ + λI) δ = Jᵀ (requested − estimate), J being
    the estimate's Jacobian without what a property does to the parameters of others. With the whole Jacobian, a mouth
    that cannot open as far as is asked would be sought in the colour of the wall: the estimate is never quite flat
    there.

    Args:
        u: float32 (n, VECTOR_SIZE). requested: float32 (n, 7), z-scores in the order of PROPERTIES.
        rounds: of the iteration. damping: λ.

    Returns:
        float32 (n, VECTOR_SIZE); all columns but those of MOVED are those of ``u``. Where a request is out of reach,
        the nearest that REACH allows.
    """
    columns, own = torch.tensor(_COLUMNS, device=u.device), _OWN.to(u.device)
    jacobian_of = torch.func.vmap(torch.func.jacrev(estimate))
    u = u.clone()
    for _ in range(rounds):
        jacobian = jacobian_of(u)[:, :, columns] * own
        missing = requested - estimate(u)
        normal = jacobian.transpose(1, 2) @ jacobian + damping * torch.eye(len(columns), device=u.device)
        step = torch.linalg.solve(normal, (jacobian.transpose(1, 2) @ missing[:, :, None]))[:, :, 0]
        # an estimate that is flat at this point must not throw the parameter out of sight
        u[:, columns] = (u[:, columns] + step.clamp(-1, 1)).clamp(-REACH, REACH)
    return u
