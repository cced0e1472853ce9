"""What portraits show, what directions change, and how readable latents are: on cases whose answers are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from ohlora.evaluation import appearance as measurements
from ohlora.evaluation import latent_probe
from ohlora.evaluation.appearance import ATTRIBUTES, People, appearance, name_directions, named, stepped, w_pictures
from ohlora.labeling import PROPERTIES, load_labeler
from ohlora.portraits import VECTOR_NAMES, load_sample
from ohlora.stylegan import GeneratorConfig, PortraitGenerator


def tiny_generator() -> PortraitGenerator:
    torch.manual_seed(0)
    return PortraitGenerator(GeneratorConfig(channels=(8, 8), w_dim=16, mapping_layers=2)).requires_grad_(False)


def planted_people(n: int = 120) -> People:
    """People whose first attribute is linear in z, whose second is a square, and whose others are noise."""
    dice = torch.Generator().manual_seed(0)
    z = torch.randn(n, 64, generator=dice)
    shown = pd.DataFrame(torch.randn(n, len(ATTRIBUTES), generator=dice).numpy(), columns=list(ATTRIBUTES))
    shown["eyes"], shown["mouth"] = z[:, 0].numpy(), z[:, 0].numpy() ** 2
    with torch.no_grad():
        return People(z, tiny_generator().mapping(z), shown.astype(np.float64))


def test_appearance_is_what_was_rendered() -> None:
    sample = load_sample()
    shown = appearance(load_labeler(), sample.images[:48])
    assert list(shown.columns) == list(ATTRIBUTES) and len(shown) == 48 and shown.notna().all(axis=None)
    truth = sample.truth[:48]
    key = sample.u[:48, VECTOR_NAMES.index("key_angle")]
    pairs = (("woman", truth["gender"]), ("hair_area", truth["hair_area"]), ("pose", truth["yaw"]))
    for name, true in (*pairs, ("light_from_right", key)):
        assert np.corrcoef(shown[name], true)[0, 1] > 0.6, name


def test_names_say_what_changes_most() -> None:
    changes = pd.Series({"pose": 2.0, "eyes": -1.5, "mouth": 0.1})
    assert named(changes) == "+pose −eyes"
    assert named(changes * [1, 0.1, 1]) == "+pose"
    assert named(0.1 * changes) == "little"


def test_directions_are_named_by_measurements(monkeypatch) -> None:
    """A generator whose pictures are its styles: direction 0 of W opens the eyes, and only in the first layers."""
    generator, people = tiny_generator(), planted_people()

    def read(labeler: object, styles: np.ndarray) -> pd.DataFrame:
        table = pd.DataFrame(0.0, index=range(len(styles)), columns=list(ATTRIBUTES))
        return table.assign(eyes=100 * styles[:, 0, 0])

    monkeypatch.setattr(measurements, "w_pictures", lambda generator, styles: styles.numpy())
    monkeypatch.setattr(measurements, "appearance", read)
    table = name_directions(generator, None, torch.eye(16)[:2], people, count=4)
    assert table["name"].tolist() == ["+eyes", "little"]
    assert name_directions(generator, None, torch.eye(16)[:1], people, layers=range(1, 3))["name"].item() == "little"


def test_steps_reach_only_their_layers() -> None:
    w, step = torch.zeros(2, 16), torch.ones(16)
    assert stepped(w, step, 3).mean() == 1
    some = stepped(w, step, 3, range(1, 2))
    assert some[:, 1].mean() == 1 and some[:, [0, 2]].abs().sum() == 0
    assert w_pictures(tiny_generator(), some).shape == (2, 8, 8, 3)


def test_readability_of_lines_curves_and_noise() -> None:
    people = planted_people(200)
    z = people.z.double().numpy()
    line, square, noise = (people.shown[name].to_numpy() for name in ("eyes", "mouth", "pose"))
    assert latent_probe.readability(z, line) > 0.95
    assert latent_probe.readability(z, square) < 0.1 and latent_probe.readability(z, noise) < 0.1
    unwarped = np.concatenate([z, z**2], axis=1)  # what a good mapping network would do
    assert latent_probe.readability(unwarped, square) > 0.9
    narrow = z[:, :3]
    assert latent_probe.readability(narrow, square, curved=True) > latent_probe.readability(narrow, square) + 0.5
    with pytest.raises(ValueError, match="one value a latent"):
        latent_probe.readability(z, line[:-1])
    with pytest.raises(ValueError, match="at least 40"):
        latent_probe.readability(z[:20], line[:20])


def test_separability_is_between_zero_and_one_bit() -> None:
    people = planted_people(200)
    z = people.z.double().numpy()
    assert latent_probe.separability(z[:, :4], people.shown["eyes"].to_numpy()) < 0.1
    assert latent_probe.separability(z[:, :4], people.shown["mouth"].to_numpy()) > 0.7
    normal = latent_probe.plane_direction(z, people.shown["eyes"].to_numpy())
    assert normal[0] > 0.8 and np.linalg.norm(normal) == pytest.approx(1)


def test_the_table_holds_every_attribute_and_space() -> None:
    people = planted_people(48)
    table = latent_probe.probe_table(tiny_generator(), people, folds=2)
    assert list(table.index) == list(ATTRIBUTES)
    assert set(table["R²"]) == {"Z", "W", "untrained W", "curved Z"} and set(table["bits"]) == {"Z", "W", "untrained W"}
    assert table["R²"].loc["eyes", "Z"] > 0.3 > table["R²"].loc["pose", "Z"]


def test_leaks_are_measured(monkeypatch) -> None:
    """Portraits that are numbers: attribute k is latent k, but eyes also move half of the mouth."""
    z = planted_people(200).z
    mixing = np.eye(len(PROPERTIES))
    mixing[PROPERTIES.index("eyes"), PROPERTIES.index("mouth")] = 0.5

    def read(labeler: object, pictures: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame(pictures[:, : len(PROPERTIES)] @ mixing, columns=list(PROPERTIES))

    monkeypatch.setattr(latent_probe, "appearance", read)
    people = People(z, z, read(None, z.numpy()))
    leaks = latent_probe.leakage(lambda points: points.numpy(), z, people, None, PROPERTIES)
    assert np.allclose(np.diag(leaks), 1) and leaks.loc["eyes", "mouth"] > 0.3
    clean = leaks.drop(index=["eyes", "mouth"]).to_numpy()
    assert np.sort(clean, axis=1)[:, :-1].max() < 0.35
    assert latent_probe.mean_leak(leaks) < 0.25
