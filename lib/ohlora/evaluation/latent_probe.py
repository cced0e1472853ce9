"""Is W straighter than Z? Three measurements, all on what portraits *show*.

StyleGAN's claim (Karras et al. 2019, §4) is that the mapping network unwarps: factors that are entangled in Z lie
along straight lines in W. The parameters that a portrait was rendered from cannot decide it here: z is a rotation of
them, so every one is perfectly straight in Z by construction. What a portrait shows is something else: squashed
(half-closed eyes saturate), cut (short hair has a least length), and products (a turned head shortens the mouth).

1. *Readability*: how well does a ridge regression read an attribute off a latent that it has not seen?
2. *Separability* (§4.2): how much is left unknown about "more or less than usual?" behind the best plane?
3. *Leakage*: a step along the best plane's normal changes one attribute; how much do the others change?

W has more dimensions than Z, and a linear reader profits from any expansion. So an *untrained* mapping network of the
same shape is a third space: what W has beyond it was learned. And a curved reader (kernel ridge) on Z asks whether any
bending would do: it has as many portraits to learn from as the straight reader of W, but no mapping network.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from torch import Tensor

from ohlora.evaluation.appearance import ATTRIBUTES, People, appearance
from ohlora.labeling import Labeler
from ohlora.stylegan import PortraitGenerator
from ohlora.stylegan.generator import MappingNetwork

_PENALTIES = np.logspace(-1, 5, 13)


@torch.no_grad()
def spaces(generator: PortraitGenerator, people: People, seed: int = 0) -> dict[str, np.ndarray]:
    """The latents of people in Z, in W and behind an untrained mapping network; float64 (n, d) each."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        untrained = MappingNetwork(generator.config)
    found = {"Z": people.z, "W": people.w, "untrained W": untrained(people.z)}
    return {name: latents.double().numpy() for name, latents in found.items()}


def readability(latents: np.ndarray, values: np.ndarray, folds: int = 5, seed: int = 0, curved: bool = False) -> float:
    """Cross-validated R² of an estimate of values (n,) from latents (n, d): 1 perfect, 0 no better than the mean.

    Args:
        curved: kernel ridge (radial basis) instead of ridge; both choose their penalty inside each fold.
    """
    _check(latents, values, folds)
    if curved:
        grid = {"alpha": [0.03, 0.3], "gamma": np.array([0.1, 0.3]) / latents.shape[1]}
        reader = GridSearchCV(KernelRidge(kernel="rbf"), grid, cv=3)
    else:
        reader = RidgeCV(_PENALTIES)
    centred = values - values.mean()
    guess = cross_val_predict(make_pipeline(StandardScaler(), reader), latents, centred, cv=_folds(folds, seed))
    return float(1 - np.square(centred - guess).sum() / np.square(centred).sum())


def separability(latents: np.ndarray, values: np.ndarray, folds: int = 5, seed: int = 0) -> float:
    """What remains unknown behind a plane: entropy H(Y|X) in bits, 0 (separable) … 1 (no better than a coin).

    Karras et al. 2019, §4.2: of the latents (n, d) the half with the clearest values stays, a quarter from each end;
    Y is the end, X the side of a linear support vector machine's plane. Here X is predicted for unseen latents.
    """
    _check(latents, values, folds)
    rows, labels = _ends(values, 0.25)
    machine = make_pipeline(StandardScaler(), LinearSVC(C=0.01, random_state=seed, max_iter=5000))
    side = cross_val_predict(machine, latents[rows], labels, cv=_folds(folds, seed))
    joint = np.histogram2d(side, labels, bins=2)[0] / len(labels)
    marginal = np.broadcast_to(joint.sum(axis=1, keepdims=True), joint.shape)
    seen = joint > 0
    return float((joint[seen] * np.log2(marginal[seen] / joint[seen])).sum())


def plane_direction(latents: np.ndarray, values: np.ndarray, seed: int = 0) -> np.ndarray:
    """Normal of the plane between the ends, length 1, towards high values, (d,); as in :func:`separability`.

    Fitted on standardised latents, so that it is the same plane however a space is scaled.
    """
    rows, labels = _ends(values, 0.25)
    scale = latents.std(axis=0) + 1e-9
    machine = LinearSVC(C=0.01, random_state=seed, max_iter=5000).fit(latents[rows] / scale, labels)
    normal = machine.coef_[0] / scale
    return normal / np.linalg.norm(normal)


def probe_table(generator: PortraitGenerator, people: People, folds: int = 5, seed: int = 0) -> pd.DataFrame:
    """Readability (R²) and separability (bits) of every attribute from each space, and by a curved reader.

    Returns:
        Rows: ATTRIBUTES. Columns: (measure, space), e.g. ("R²", "Z"), ("R²", "curved Z"), ("bits", "W").
    """
    latents = spaces(generator, people, seed)
    columns: dict[tuple[str, str], list[float]] = {}
    for name, points in latents.items():
        columns["R²", name] = [readability(points, people.shown[one].to_numpy(), folds, seed) for one in ATTRIBUTES]
        columns["bits", name] = [separability(points, people.shown[one].to_numpy(), folds, seed) for one in ATTRIBUTES]
    columns["R²", "curved Z"] = [
        readability(latents["Z"], people.shown[one].to_numpy(), folds, seed, curved=True) for one in ATTRIBUTES
    ]
    return pd.DataFrame(columns, index=list(ATTRIBUTES)).sort_index(axis=1, level=0, sort_remaining=False)


def leakage(
    pictures_of: Callable[[Tensor], np.ndarray],
    latents: Tensor,
    people: People,
    labeler: Labeler,
    attributes: tuple[str, ...],
    count: int = 8,
    seed: int = 0,
) -> pd.DataFrame:
    """Off-target change per unit of on-target change when a latent steps along the plane's normal.

    Args:
        pictures_of: latents (n, d) → uint8 portraits. latents: (n, d) of all people, in the space to be walked.
        attributes: to be moved and measured, in standard deviations over people. count: people who are walked.

    Returns:
        Square table, rows moved, columns measured, diagonal 1: mean over people of the absolute change, divided by
        the moved attribute's. The step, one standard deviation of the latents along the normal, cancels out.
    """
    points, spread = latents.double().numpy(), people.shown[list(attributes)].std() + 1e-9
    rows = {}
    for name in attributes:
        normal = torch.from_numpy(plane_direction(points, people.shown[name].to_numpy(), seed)).float()
        step = (latents @ normal).std() * normal
        back, forward = (
            appearance(labeler, pictures_of(latents[:count] + side * step))[list(attributes)] for side in (-1, 1)
        )
        change = ((forward - back) / spread).abs().mean()
        rows[name] = change / max(change[name], 1e-9)
    return pd.DataFrame(rows).T


def mean_leak(table: pd.DataFrame) -> float:
    """Mean of the cells beside the diagonal."""
    return float(table.to_numpy()[~np.eye(len(table), dtype=bool)].mean())


def _folds(count: int, seed: int) -> KFold:
    return KFold(count, shuffle=True, random_state=seed)


def _ends(values: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the lowest and the highest share of values, and 0 or 1 for which end."""
    order, count = np.argsort(values, kind="stable"), max(2, int(len(values) * share))
    return np.concatenate([order[:count], order[-count:]]), np.repeat([0, 1], count)


def _check(latents: np.ndarray, values: np.ndarray, folds: int) -> None:
    if latents.ndim != 2 or values.shape != (len(latents),):
        raise ValueError(f"values has shape {values.shape} for latents {latents.shape}; allowed: one value a latent")
    if len(latents) < 8 * folds:
        raise ValueError(f"latents holds {len(latents)} rows; allowed: at least {8 * folds} for {folds} folds")
