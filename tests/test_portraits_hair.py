"""Hair: one family from a short cut to the chest, smooth in every parameter, the same on both sides."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from ohlora.portraits import LABELS, PortraitParams, render
from ohlora.portraits.figure import build_figure
from ohlora.portraits.hair import POINTS

SIZE = 64
MAN = PortraitParams(gender=0.0, hair_length=0.08)
STRAIGHT = PortraitParams(wave=0.0)


def picture(params: PortraitParams) -> np.ndarray:
    return render(params, SIZE, 2).image.astype(float)


@pytest.mark.parametrize("person", [PortraitParams(), MAN], ids=["woman", "man"])
def test_a_hundredth_of_hair_length_is_a_small_change_everywhere(person):
    lengths = np.arange(0, 1.0001, 0.05)
    pairs = [(replace(person, hair_length=v), replace(person, hair_length=min(v + 0.01, 1.0))) for v in lengths[:-1]]
    changes = [np.abs(picture(a) - picture(b)).mean() for a, b in pairs]
    assert max(changes) < 2.5, dict(zip(lengths.round(2), np.round(changes, 2), strict=False))


@pytest.mark.parametrize("person", [PortraitParams(), MAN], ids=["woman", "man"])
def test_longer_hair_reaches_lower_over_the_whole_range(person):
    bottoms = [render(replace(person, hair_length=v), 128, 2).truth["hair_bottom"] for v in np.linspace(0, 1, 11)]
    assert (np.diff(bottoms) >= 0).all(), bottoms
    assert (np.diff(bottoms)[1:] > 0).all(), bottoms
    assert bottoms[0] < 0.5 and bottoms[-1] > 0.95


@pytest.mark.parametrize(
    ("field", "low", "high"), [("parting", -0.28, 0.28), ("wave", 0.0, 0.6), ("volume", 0.75, 1.15)]
)
def test_styling_changes_the_picture_smoothly(field, low, high):
    values = np.linspace(low, high, 13)
    pictures = [picture(replace(PortraitParams(), **{field: float(v)})) for v in values]
    steps = [np.abs(a - b).mean() for a, b in pairwise(pictures)]
    assert max(steps) < 3 * np.median(steps) + 0.2, np.round(steps, 2)


def test_a_fringe_is_worn_or_not():
    forehead = slice(0, SIZE // 2)
    hair = [
        (render(replace(STRAIGHT, fringe=v), SIZE, 2).mask[forehead] == LABELS.index("hair")).mean()
        for v in (0.0, 0.45, 0.55, 1.0)
    ]
    assert hair[0] == hair[1] and hair[2] == hair[3]
    assert hair[3] > 1.15 * hair[0]


def test_strands_are_mirrored_with_the_parting():
    here, there = (build_figure(replace(PortraitParams(fringe=0.5), parting=p)).hair.points for p in (0.12, -0.12))
    assert here.shape == there.shape and here.shape[1:] == (POINTS, 3)
    mirrored = there * [-1, 1, 1]
    nearest = np.sort(here.mean(1)[:, 0]) - np.sort(mirrored.mean(1)[:, 0])
    assert np.abs(nearest).max() < 0.02


def test_a_short_cut_leaves_the_neck_free():
    mask = render(replace(MAN, hair_length=0.13), SIZE, 2).mask
    chin = np.flatnonzero((mask == LABELS.index("lips")).any(1)).max()
    assert not (mask[chin:] == LABELS.index("hair")).any()
