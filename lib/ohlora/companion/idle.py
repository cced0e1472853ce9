"""What her face does while nobody speaks: the expression fades, the head drifts a little, at last she dozes off."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ohlora.companion.expression import MOVED

FADING = ((15.0, 1.0), (60.0, 0.4))
"""(until so many quiet seconds, share of the expression that is left): it sticks, then fades in two steps."""

DRIFT = {"eyes": 0.12, "mouth": 0.0, "pose": 0.22}
"""How far each property wanders from its place, at most, in z-units: seen as life, not as an expression."""

DRIFT_EVERY = (3.0, 7.0)  # seconds between two movements, drawn evenly
DRIFT_SECONDS = 1.4  # of one movement
DOZE_AFTER = 180.0  # quiet seconds
DOZING = {"eyes": -1.3, "mouth": -0.2, "pose": -0.5}


def expression_left(quiet_seconds: float) -> float:
    """Share of the last expression that is still on her face, 1 … 0, after so many seconds without a word."""
    return next((share for until, share in FADING if quiet_seconds < until), 0.0)


def idle_offsets(
    expression: Mapping[str, float], quiet_seconds: float, random: np.random.Generator
) -> dict[str, float]:
    """Where her face goes next, in z-units from rest.

    Args:
        expression: offsets of the last expression. quiet_seconds: since she or the user last said something.
        random: draws the drift.
    """
    if quiet_seconds >= DOZE_AFTER:
        return dict(DOZING)
    share = expression_left(quiet_seconds)
    return {name: share * expression.get(name, 0.0) + random.uniform(-1, 1) * DRIFT[name] for name in MOVED}
