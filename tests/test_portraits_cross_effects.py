"""The cross-effect matrix: a parameter is seen in its own property."""

import numpy as np
import pandas as pd
import pytest

from ohlora.evaluation import portraits
from ohlora.portraits import PortraitParams, render


def test_two_parameters_show_in_their_own_properties(monkeypatch):
    monkeypatch.setattr(portraits, "PARAMETERS", {name: portraits.PARAMETERS[name] for name in ("eyes", "key_angle")})
    effects = portraits.cross_effects(people=2, seed=1, size=96)
    assert list(effects.index) == ["eyes", "key_angle"] and tuple(effects.columns) == portraits.MEASURED
    assert effects.loc["eyes", "lid_gap"] > 1 and effects.loc["key_angle", "light_from_right"] > 1
    assert abs(effects.loc["eyes", "light_from_right"]) < 0.2 and abs(effects.loc["key_angle", "lid_gap"]) < 0.01
    metrics = portraits.cross_effect_metrics(effects, people=2, seed=1)
    assert 0 <= metrics["worst_cross_effect"].value < 1 < metrics["least_own_effect"].value


def test_properties_seen_in_the_mask_follow_their_parameters():
    def change(name, **fields):
        ends = [render(PortraitParams(), 128), render(PortraitParams(**fields), 128)]
        low, high = (portraits.properties(p.image, p.mask, p.truth)[name] for p in ends)
        return high - low

    assert change("mouth_corners", smile=1.0) > 0.01
    assert change("nose_aside", yaw=20.0) > 0.05 > -0.05 > change("nose_aside", yaw=-20.0)
    assert change("nose_down", pitch=12.0) > 0.02
    assert change("forehead", fringe=1.0) < -0.05


def test_effects_beside_the_target_are_listed_by_size():
    effects = pd.DataFrame(0.0, index=["eyes", "age"], columns=list(portraits.MEASURED))
    effects.loc["eyes", ["lid_gap", "mouth_area"]] = [2.0, -1.0]
    effects.loc["age", "forehead"] = 0.25
    table = portraits.off_target(effects)
    assert table.loc[0, ["parameter", "property"]].tolist() == ["eyes", "mouth_area"]
    assert np.allclose(table["share_of_own"][:3], [0.5, 0.25, 0])
    with pytest.raises(ValueError, match="people=0"):
        portraits.cross_effects(people=0)
