"""What the pairs answer to a request: only what may move moves, and it moves as far as is asked."""

from __future__ import annotations

import pytest
import torch

from ohlora.portraits import VECTOR_NAMES, PortraitParams
from ohlora.stylegan.generator import PropertyEstimate
from ohlora.stylegan.paired_requests import MOVED, PROPERTIES, REACH, as_woman, fit_estimate, obeying

U = torch.randn(512, len(VECTOR_NAMES), generator=torch.Generator().manual_seed(0))


def measured(u: torch.Tensor) -> torch.Tensor:
    """A stand-in for portraits that are measured: each property follows its parameters, and pitch changes all."""
    columns = [torch.stack([u[:, VECTOR_NAMES.index(name)] for name in MOVED[key]]) for key in PROPERTIES]
    return torch.stack([1.2 * torch.tanh(values.mean(dim=0)) for values in columns], dim=1) + 0.1 * u[:, :1]


@pytest.fixture(scope="module")
def estimate() -> PropertyEstimate:
    many = torch.randn(4000, len(VECTOR_NAMES), generator=torch.Generator().manual_seed(1))
    estimate = PropertyEstimate(len(VECTOR_NAMES), len(PROPERTIES))
    assert fit_estimate(estimate, many, measured(many), held_out=400) < 0.1
    return estimate


def test_a_request_moves_its_own_parameters_only(estimate: PropertyEstimate) -> None:
    wanted = estimate(U).detach()
    wanted[:, PROPERTIES.index("pose")] = 0.8
    found = obeying(U, wanted, estimate)
    moved = ((found - U).abs() > 0.3).float().mean(dim=0)
    assert moved[VECTOR_NAMES.index("yaw")] > 0.5
    frozen = [column for column, name in enumerate(VECTOR_NAMES) if name not in sum(MOVED.values(), ())]
    assert torch.equal(found[:, frozen], U[:, frozen])
    others = [VECTOR_NAMES.index(name) for name in ("eyes", "mouth", "hair_length")]
    assert (found - U)[:, others].abs().mean() < 0.1
    shown = measured(found)[:, PROPERTIES.index("pose")]
    assert (shown - 0.8).abs().mean() < 0.15


def test_what_cannot_be_reached_stays_within_reach(estimate: PropertyEstimate) -> None:
    found = obeying(U, torch.full((len(U), len(PROPERTIES)), 9.0), estimate)
    columns = [VECTOR_NAMES.index(name) for name in sum(MOVED.values(), ())]
    assert torch.isfinite(found).all() and found[:, columns].abs().max() <= max(REACH, U.abs().max())


def test_a_request_out_of_reach_is_not_sought_in_what_belongs_to_others() -> None:
    """The estimate knows the wall by chance: a mouth that cannot open further must not change its colour."""
    wall, mouth = VECTOR_NAMES.index("background_top_0"), VECTOR_NAMES.index("mouth")

    def leaking(u: torch.Tensor) -> torch.Tensor:
        more = torch.zeros(len(PROPERTIES)).index_fill(0, torch.tensor(PROPERTIES.index("mouth")), 0.2)
        return measured(u) + u[:, wall, None] * more

    def of_any(u: torch.Tensor) -> torch.Tensor:  # torch.func maps rows one by one
        return leaking(u) if u.ndim == 2 else leaking(u[None])[0]

    wanted = of_any(U)
    wanted[:, PROPERTIES.index("mouth")] = 3.0
    found = obeying(U, wanted, of_any)
    assert (found - U)[:, mouth].mean() > 1
    assert (found - U)[:, wall].abs().max() < 0.1


def test_everybody_becomes_the_woman_most_like_her() -> None:
    women = as_woman(U)
    genders = [PortraitParams.from_vector(row).gender for row in women.numpy()]
    assert min(genders) > 0.95
    rest = [column for column, name in enumerate(VECTOR_NAMES) if name != "gender"]
    assert torch.equal(women[:, rest], U[:, rest])
