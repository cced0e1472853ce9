"""Does each parameter of a portrait change its own property, and no other? The cross-effect matrix.

    python -m ohlora.evaluation.portraits --people 6

One parameter of u at a time moves from low to high while all others stay; every property is measured on both
renders. A matrix with one large number a row means that a model can learn the parameters apart.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

from ohlora.evaluation.metrics import Metric
from ohlora.portraits import LABELS, VECTOR_NAMES, PortraitParams, load_sample, render, sample_vectors

# parameter: (columns of u, low, high, the property it is meant to change)
PARAMETERS: dict[str, tuple[tuple[str, ...], float, float, str | None]] = {
    "eyes": (("eyes",), -1, 1, "lid_gap"),
    "mouth": (("mouth",), -1, 1, "mouth_area"),
    "smile": (("smile",), -1, 1, "mouth_corners"),
    "yaw": (("yaw",), -1, 1, "nose_aside"),
    "pitch": (("pitch",), -1, 1, "nose_down"),
    "hair_length": (("hair_length",), -1, 1, "hair_bottom"),
    "hair_lightness": (("hair_lightness",), -1, 1, "hair_brightness"),
    "fringe": (("fringe",), -1, 1.5, "forehead"),
    "glasses": (("glasses",), -1, 2, "glasses"),
    "key_angle": (("key_angle",), -1, 1, "light_from_right"),
    "background_level": (tuple(f"background_top_{k}" for k in range(3)), -1, 1, "background_mean"),
    "background_texture": (("background_texture",), 0, 2, "background_std"),
    "age": (("age",), -1, 1, None),
    "gender": (("gender",), -1, 1, None),
}
MEASURED = tuple(target for *_, target in PARAMETERS.values() if target)
_NOSE, _EYES, _MOUTH, _LIPS, _HAIR, _SKIN = (
    LABELS.index(name) for name in ("nose", "eyes", "mouth interior", "lips", "hair", "skin")
)
_LUMA = np.array([0.299, 0.587, 0.114])


def properties(image: np.ndarray, mask: np.ndarray, truth: dict[str, float] | pd.Series) -> dict[str, float]:
    """Everything in ``MEASURED``, for one portrait; lengths as shares of the image's height.

    What truth measures is taken from there, the rest is seen in the mask: mouth_corners (how far the corners stand
    above the upper third of the mouth, over its width), nose_aside (of the middle of the face, over its width),
    nose_down (its tip on the way from the lower lids to the upper lip: a bowed head brings it nearer to the lip),
    forehead (from the nose up to the first hair), light_from_right (brightness of the right cheek minus the left's).
    NaN where a part is hidden.
    """
    size = len(mask)
    rows, columns = np.indices(mask.shape)

    def middle(part: np.ndarray, along: np.ndarray) -> float:
        return along[part].mean() if part.any() else np.nan

    nose, skin, eyes, lips = (mask == part for part in (_NOSE, _SKIN, _EYES, _LIPS))
    nose_x, nose_y = middle(nose, columns), middle(nose, rows)
    face = np.flatnonzero(((skin | nose) & nose.any(1, keepdims=True)).any(0))
    strip = np.abs(columns - nose_x) < size / 20
    hair = rows[(mask == _HAIR) & strip & (rows < nose_y)]
    luma = image @ _LUMA / 255
    cheeks = skin & (np.abs(rows - nose_y) < size / 10)
    measured = {
        "mouth_corners": _mouth_corners(mask),
        "nose_aside": (nose_x - (face.min() + face.max()) / 2) / np.ptp(face) if len(face) > 1 else np.nan,
        "nose_down": (_end(nose, 98) - _end(eyes, 98)) / (_end(lips, 2) - _end(eyes, 98)),
        "forehead": (nose_y - hair.max()) / size if len(hair) else np.nan,
        "light_from_right": middle(cheeks & (columns > nose_x), luma) - middle(cheeks & (columns < nose_x), luma),
    }
    return {name: float(measured[name] if name in measured else truth[name]) for name in MEASURED}


def _end(part: np.ndarray, percent: float) -> float:
    """Row above which ``percent`` of the part lies: its upper or lower end without stray pixels."""
    return float(np.percentile(np.nonzero(part)[0], percent)) if part.any() else np.nan


def _mouth_corners(mask: np.ndarray) -> float:
    mouth = (mask == _LIPS) | (mask == _MOUTH)
    across = np.flatnonzero(mouth.any(0))
    if len(across) < 6:
        return np.nan
    edge = max(len(across) // 12, 1)

    def height(columns: np.ndarray) -> float:
        """A third of the way down: that is where the corners stay while a mouth opens."""
        ends = np.array([np.flatnonzero(mouth[:, x])[[0, -1]] for x in columns])
        return (ends @ [2 / 3, 1 / 3]).mean()

    corners = (height(across[:edge]) + height(across[-edge:])) / 2
    centre = len(across) // 2
    return (height(across[centre - 1 : centre + 2]) - corners) / len(across)


def cross_effects(people: int = 6, seed: int = 0, size: int = 256) -> pd.DataFrame:
    """The matrix: rows are the parameters varied, columns the properties measured.

    Each number is the mean change of the property from the parameter's low to its high end, over the standard
    deviation of that property in the shipped sample.

    Args:
        people: random people whose parameters are varied; 28 renders each. seed: of the people. size: pixels.

    Raises:
        ValueError: fewer than one person.
    """
    if people < 1:
        raise ValueError(f"people={people!r} is not allowed; it must be at least 1")
    sample = load_sample()
    spread = pd.DataFrame(
        [properties(*pair) for pair in zip(sample.images, sample.masks, sample.truth.to_dict("records"), strict=True)]
    ).std()
    u = sample_vectors(people, seed)
    rows = {}
    for name, (columns, low, high, _) in PARAMETERS.items():
        at = [VECTOR_NAMES.index(column) for column in columns]
        ends = []
        for value in (low, high):
            moved = u.copy()
            moved[:, at] = value
            portraits = [render(PortraitParams.from_vector(row), size) for row in moved]
            ends.append(pd.DataFrame([properties(p.image, p.mask, p.truth) for p in portraits]))
        rows[name] = (ends[1] - ends[0]).mean() / spread
    return pd.DataFrame(rows).T[list(MEASURED)]


def off_target(effects: pd.DataFrame) -> pd.DataFrame:
    """Each effect on a property that the parameter is not meant to change, over the effect on its own, by size.

    Rows of parameters without a property of their own (age, gender) are compared with one standard deviation.
    """
    found = []
    for name, row in effects.iterrows():
        own = PARAMETERS[name][3]
        reference = abs(row[own]) if own else 1.0
        found += [(name, other, row[other], abs(row[other]) / reference) for other in row.index if other != own]
    table = pd.DataFrame(found, columns=["parameter", "property", "effect", "share_of_own"])
    return table.sort_values("share_of_own", ascending=False, ignore_index=True)


def cross_effect_metrics(effects: pd.DataFrame, people: int, seed: int) -> dict[str, Metric]:
    """The worst and the mean off-target share among parameters with a property of their own, and the smallest effect
    of one on its own property, in standard deviations."""
    own = {name: target for name, (*_, target) in PARAMETERS.items() if target}
    others = off_target(effects.loc[list(own)])
    least = min(abs(effects.loc[name, target]) for name, target in own.items())
    split = "one parameter at a time, random people"
    return {
        "worst_cross_effect": Metric(float(others["share_of_own"].max()), people, seed, split),
        "mean_cross_effect": Metric(float(others["share_of_own"].mean()), people, seed, split),
        "least_own_effect": Metric(float(least), people, seed, split),
    }


def main() -> None:
    """Print the matrix and the ten largest effects beside the diagonal."""
    parser = argparse.ArgumentParser(description="Cross effects of the portrait parameters.")
    parser.add_argument("--people", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=256)
    arguments = parser.parse_args()
    effects = cross_effects(arguments.people, arguments.seed, arguments.size)
    with pd.option_context("display.width", 250, "display.max_columns", None):
        print(effects.round(2))
        print(off_target(effects).head(10).round(2))
    for name, metric in cross_effect_metrics(effects, arguments.people, arguments.seed).items():
        print(f"{name}: {metric.value:.3f}")


if __name__ == "__main__":
    main()
