"""Profiles and weight files: what is read is what was written, and bad input gets one clear sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import yaml

from ohlora import config
from ohlora.config import PRETRAINED, load_profile
from ohlora.weights import WeightsError, load_weights, locate_weights, save_weights

CARD = {"data": "made up", "seed": 0, "command": "pytest", "metrics": {}, "licence": "Apache-2.0"}


@pytest.mark.parametrize("name", ["embedded", "gpu"])
def test_every_profile_loads(name: str) -> None:
    profile = load_profile(name)
    assert profile.name == name
    assert load_profile(profile) is profile


def test_unknown_profile_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"profile='colab' is unknown; allowed: embedded, gpu"):
        load_profile("colab")


@pytest.mark.parametrize("change", ["missing", "extra"])
def test_wrong_keys_in_a_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    content = yaml.safe_load((config.CONFIG / "embedded.yaml").read_text(encoding="utf-8"))
    if change == "missing":
        del content["portraits"]["size"]
    else:
        content["llm"]["temprature"] = 1
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    monkeypatch.setattr(config, "CONFIG", tmp_path)
    with pytest.raises(ValueError, match=r"config/mine\.yaml, section (portraits|llm): keys"):
        load_profile("mine")


def test_round_trip(tmp_path: Path) -> None:
    tensors = {"a": torch.arange(6.0).reshape(2, 3).t(), "b": torch.ones(2, dtype=torch.bfloat16)}
    path = save_weights(tmp_path / "deep" / "net.safetensors", tensors, CARD)
    loaded, card = load_weights(path)
    assert torch.equal(loaded["a"], tensors["a"]) and loaded["b"].dtype == torch.bfloat16
    assert card["data"] == "made up" and len(card["sha256"]) == 64
    assert sorted(file.name for file in path.parent.iterdir()) == ["net.json", "net.safetensors"]


def test_card_must_be_whole(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="licence"):
        save_weights(tmp_path / "net.safetensors", {"a": torch.ones(1)}, {"data": "x"})
    assert not list(tmp_path.iterdir())


def test_truncated_weights(tmp_path: Path) -> None:
    path = save_weights(tmp_path / "net.safetensors", {"a": torch.ones(100)}, CARD)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(WeightsError, match="truncated or changed"):
        load_weights(path)


def test_missing_weights() -> None:
    with pytest.raises(WeightsError, match=r"weights 'nobody' are missing: no nobody\.safetensors"):
        locate_weights("nobody")


def test_own_training_is_preferred_to_the_shipped_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = load_profile("embedded").stylegan.weights
    monkeypatch.setenv("OHLORA_OUTPUTS", str(tmp_path))
    assert locate_weights(name).parent == PRETRAINED
    mine = save_weights(tmp_path / "weights" / f"{name}.safetensors", {"a": torch.ones(1)}, CARD)
    assert locate_weights(name) == mine


def test_every_shipped_weight_file_matches_its_card() -> None:
    files = sorted(PRETRAINED.glob("*.safetensors"))
    assert len(files) >= 7
    for path in files:
        load_weights(path)
        card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        assert all(key in card for key in ("data", "seed", "command", "metrics", "licence")), path.name
