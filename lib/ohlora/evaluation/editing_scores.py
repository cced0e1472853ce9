"""Numbers from a sweep: obedience, what moves along, who is still the same person, and how many latents pass."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ohlora.evaluation.property_sweep import LANDMARKS, Sweep
from ohlora.labeling import PROPERTIES

CRITERIA = {"eyes": (0.77, 1.0), "mouth": (0.85, 0.6), "pose": (0.82, 1.4)}
"""What the reference asked of a latent that it kept: least r and largest MAE."""
STRICT_MAE = 0.4
STRICT_LEAK = 0.25
"""Ours: within one latent, the MAE of each of the seven at most .4, and, whichever is moved, the six others change by
at most .25 on average for each unit that the moved one changes."""

_BESIDE = ~np.eye(len(PROPERTIES), dtype=bool)


def shown(sweep: Sweep, index: int) -> np.ndarray:
    """What was measured of the property that was moved, (m, k)."""
    return sweep.measured[:, index, :, index]


def property_table(sweep: Sweep, reach: np.ndarray | None = None) -> pd.DataFrame:
    """One row a property, over all latents and requests.

    Columns: r and mae between requested and measured; passing: share of latents that meet the reference's criteria for
    it (those of eyes for the four that the reference gave up); same, same_worst_5: mean and 5 % quantile of the cosine
    with the unmoved face; outside, outside_strangers: L1 outside the region, and that between two people.

    Args:
        reach: lowest and highest z-score that portraits show, (7, 2), see :func:`reachable`. Adds mae_floor, what is
            left of the MAE when every value is moved as near to the request as portraits get.
    """
    rows = {}
    for index, name in enumerate(PROPERTIES):
        found = shown(sweep, index)
        wanted = np.broadcast_to(sweep.requests, found.shape)
        rows[name] = {
            "r": _correlation(found, wanted),
            "mae": float(np.abs(found - wanted).mean()),
            "passing": float(_passes(sweep, index, *CRITERIA.get(name, CRITERIA["eyes"])).mean()),
            "same": _mean(sweep.same[:, index]),
            "same_worst_5": _quantile(sweep.same[:, index], 0.05),
            "outside": _mean(sweep.outside[:, index]),
            "outside_strangers": _mean(sweep.outside_strangers[:, index]),
        }
        if reach is not None:
            rows[name]["mae_floor"] = float(np.abs(sweep.requests - sweep.requests.clip(*reach[index])).mean())
    return pd.DataFrame(rows).T


def reachable(measured: np.ndarray) -> np.ndarray:
    """Lowest and highest z-score of each property among measured portraits (n, 7) → (7, 2).

    A shut mouth cannot be shut further: some requests lie beyond what any portrait shows.
    """
    return np.stack([measured.min(axis=0), measured.max(axis=0)], axis=1)


def yield_of_latents(sweep: Sweep) -> float:
    """Share of latents that meet all three of the reference's criteria (eyes, mouth and pose)."""
    passed = [_passes(sweep, PROPERTIES.index(name), *limits) for name, limits in CRITERIA.items()]
    return float(np.logical_and.reduce(passed).mean())


def strict_yield(sweep: Sweep, mae: float = STRICT_MAE, leak: float = STRICT_LEAK) -> float:
    """Share of latents that meet our stricter criteria, see STRICT_MAE and STRICT_LEAK."""
    errors = np.stack([np.abs(shown(sweep, i) - sweep.requests).mean(axis=1) for i in range(len(PROPERTIES))], axis=1)
    size = np.abs(_slopes(sweep))
    on_target = np.diagonal(size, axis1=1, axis2=2)
    beside = (size.sum(axis=2) - on_target) / (len(PROPERTIES) - 1) / np.maximum(on_target, 1e-9)
    return float(((errors <= mae).all(axis=1) & (beside <= leak).all(axis=1)).mean())


def rescoring_matrix(sweep: Sweep) -> pd.DataFrame:
    """Off-target change per unit of on-target change (InterFaceGAN's re-scoring): rows moved, columns measured.

    Each cell is the mean absolute slope of the measured property within a latent, divided by the moved one's.
    """
    return pd.DataFrame(_matrix(np.abs(_slopes(sweep))), index=PROPERTIES, columns=PROPERTIES)


@dataclass(frozen=True)
class WorstCell:
    """The largest cell beside the diagonal: what was moved, what moved along, by how much, and its 95 % interval."""

    moved: str
    measured: str
    value: float
    low: float
    high: float


def worst_cell(sweep: Sweep, draws: int = 1000, seed: int = 0) -> WorstCell:
    """The worst cell of the re-scoring matrix; its interval is a bootstrap over latents (percentiles)."""
    size = np.abs(_slopes(sweep))
    cells = np.where(_BESIDE, _matrix(size), -np.inf)
    row, column = np.unravel_index(cells.argmax(), cells.shape)
    dice = np.random.default_rng(seed)
    picked = dice.integers(len(size), size=(draws, len(size)))
    values = size[picked, row, column].mean(axis=1) / np.maximum(size[picked, row, row].mean(axis=1), 1e-9)
    low, high = np.quantile(values, [0.025, 0.975])
    return WorstCell(PROPERTIES[row], PROPERTIES[column], float(cells[row, column]), float(low), float(high))


def landmark_table(sweep: Sweep) -> pd.DataFrame:
    """MediaPipe's word: r between request and measurement, share of portraits with a face, latents asked.

    No rows where it was not asked.
    """
    if not len(sweep.landmarks):
        return pd.DataFrame(columns=["r", "faces", "latents"], dtype=float)
    rows = {}
    for row, name in enumerate(LANDMARKS):
        found = sweep.landmarks[:, row]
        seen = np.isfinite(found)
        wanted = np.broadcast_to(sweep.requests, found.shape)
        rows[name] = {"r": _correlation(found[seen], wanted[seen]), "faces": _mean(seen), "latents": len(found)}
    return pd.DataFrame(rows).T


def filter_table(sweep: Sweep) -> pd.DataFrame:
    """Shares of edited and of unmoved portraits that pass the filters, and of edits that keep what passed before.

    kept: of the edits of people whose unmoved portrait passes.
    """
    rows = {}
    for column, name in enumerate(("gender", "quality")):
        before, after = sweep.natural_passes[:, column], sweep.passes[..., column]
        rows[name] = {"edited": _mean(after), "unmoved": _mean(before), "kept": _mean(after[before])}
    return pd.DataFrame(rows).T


def editor_row(sweep: Sweep) -> dict[str, float]:
    """One row of the table of editors: means over the seven properties, the worst of them, and all the rest."""
    table, worst = property_table(sweep), worst_cell(sweep)
    return {
        "n": len(sweep),
        "r": float(table["r"].mean()),
        "worst r": float(table["r"].min()),
        "MAE": float(table["mae"].mean()),
        "worst MAE": float(table["mae"].max()),
        "worst off-target": worst.value,
        "mean off-target": float(rescoring_matrix(sweep).to_numpy()[_BESIDE].mean()),
        "same person": _mean(sweep.same),
        "same, worst 5 %": _quantile(sweep.same, 0.05),
        "outside L1": _mean(sweep.outside),
        "yield": yield_of_latents(sweep),
        "strict yield": strict_yield(sweep),
    }


def worst_edits(sweep: Sweep, count: int = 8) -> pd.DataFrame:
    """The edits that miss their request most, worst first: latent, property, requested, measured.

    At most one of each latent, so that one odd person does not fill the table.
    """
    errors = np.stack([np.abs(shown(sweep, index) - sweep.requests) for index in range(len(PROPERTIES))], axis=1)
    rows = []
    for latent in np.argsort(-errors.max(axis=(1, 2)), kind="stable")[:count]:
        index, request = np.unravel_index(errors[latent].argmax(), errors[latent].shape)
        found = sweep.measured[latent, index, request, index]
        rows.append((int(latent), PROPERTIES[index], float(sweep.requests[request]), float(found)))
    return pd.DataFrame(rows, columns=["latent", "property", "requested", "measured"])


def _slopes(sweep: Sweep) -> np.ndarray:
    """Change of each property for one requested unit within each latent, (m, 7 moved, 7 measured)."""
    wanted = sweep.requests - sweep.requests.mean()
    return np.einsum("mpkq,k->mpq", sweep.measured, wanted) / (wanted**2).sum()


def _matrix(size: np.ndarray) -> np.ndarray:
    mean = size.mean(axis=0)
    return mean / np.maximum(np.diag(mean)[:, None], 1e-9)


def _passes(sweep: Sweep, index: int, least_r: float, largest_mae: float) -> np.ndarray:
    found = shown(sweep, index)
    centred = found - found.mean(axis=1, keepdims=True)
    wanted = sweep.requests - sweep.requests.mean()
    spread = np.sqrt((centred**2).sum(axis=1) * (wanted**2).sum())
    r = (centred * wanted).sum(axis=1) / np.maximum(spread, 1e-9)
    return (r >= least_r) & (np.abs(found - sweep.requests).mean(axis=1) <= largest_mae)


def _correlation(found: np.ndarray, wanted: np.ndarray) -> float:
    """Pearson's r; 0 where one of both never changes, NaN where there is nothing."""
    found, wanted = np.ravel(found), np.ravel(wanted)
    if len(found) < 2:
        return float("nan")
    if np.ptp(found) == 0 or np.ptp(wanted) == 0:
        return 0.0
    return float(np.corrcoef(found, wanted)[0, 1])


def _mean(values: np.ndarray) -> float:
    with warnings.catch_warnings():  # nothing measured is NaN, not worth a warning
        warnings.simplefilter("ignore", RuntimeWarning)
        return float(np.nanmean(values)) if np.size(values) else float("nan")


def _quantile(values: np.ndarray, share: float) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return float(np.nanquantile(values, share)) if np.size(values) else float("nan")
