"""The scores of editing, on editors whose answers are known; the editors; the regions; the renders of one person."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from ohlora.evaluation import editing, editors
from ohlora.evaluation import editing_scores as scores
from ohlora.evaluation.outside_region import outside, outside_change
from ohlora.evaluation.property_sweep import REQUESTS, Reading, Sweep, background_moves, sweep
from ohlora.evaluation.rendered_people import CIRCUMSTANCES, PERSON, single_moves, views
from ohlora.labeling import PROPERTIES
from ohlora.labeling.measurements import BACKGROUND, EYES, HAIR
from ohlora.portraits import PortraitParams
from ohlora.stylegan import GeneratorConfig, PortraitGenerator
from ohlora.stylegan.latent_directions import conditional_directions, grouped_svm_directions

POSE = PROPERTIES.index("pose")


class FakeEditor:
    """Portraits of 16 pixels whose first row holds the seven z-scores, the second row the person."""

    def __init__(self, leak: float = 0.0, obey: float = 1.0, drift: float = 0.0, onto: int | None = None) -> None:
        self.leak, self.obey, self.drift, self.onto = leak, obey, drift, onto

    def unmoved(self, z: Tensor) -> Tensor:
        images = torch.zeros(len(z), 3, 16, 16)
        images[:, 0, 0, :7], images[:, 0, 1] = 0.1 * z[:, :7], z[:, 8:24]
        return images

    def moved(self, z: Tensor, index: int, wanted: Tensor, now: Tensor) -> Tensor:
        images = self.unmoved(z)
        rows = slice(None) if self.onto is None else self.onto
        images[:, 0, 0, :7][:, rows] += self.leak * (wanted[:, None] if self.onto is None else wanted)
        images[:, 0, 0, index] = self.obey * wanted
        images[:, 0, 1] += self.drift * wanted[:, None] * torch.linspace(-1, 1, 16)
        return images


def read(images: Tensor) -> Reading:
    faces = torch.nn.functional.normalize(images[:, 0, 1], dim=1)
    masks = np.full((len(images), 16, 16), HAIR, dtype=np.uint8)
    masks[:, 8:] = BACKGROUND
    passes = np.ones((len(images), 2), dtype=bool)
    return Reading(images[:, 0, 0, :7].numpy(), images, masks, faces.numpy(), passes)


def latents(n: int = 6) -> Tensor:
    return torch.randn(n, 64, generator=torch.Generator().manual_seed(0))


def test_perfect_obedience_scores_perfectly() -> None:
    result = sweep(FakeEditor(), read, latents(), people=4)
    table = scores.property_table(result)
    assert result.measured.shape == (6, 7, 5, 7) and len(result) == 6
    assert np.allclose(table["r"], 1) and np.allclose(table["mae"], 0, atol=1e-5) and (table["passing"] == 1).all()
    assert scores.yield_of_latents(result) == scores.strict_yield(result) == 1
    assert np.allclose(scores.rescoring_matrix(result), np.eye(7), atol=1e-4)
    assert np.allclose(result.same, 1, atol=1e-5) and result.strangers.mean() < 0.7
    assert np.allclose(result.natural, 0.1 * latents()[:, :7], atol=1e-5)
    assert (scores.filter_table(result) == 1).all(axis=None)


def test_a_leak_onto_everything_fills_the_matrix_and_costs_the_strict_yield() -> None:
    leaking = sweep(FakeEditor(leak=0.3), read, latents())
    matrix = scores.rescoring_matrix(leaking).to_numpy()
    assert np.allclose(matrix[~np.eye(7, dtype=bool)], 0.3, atol=1e-4)
    assert scores.yield_of_latents(leaking) == 1 and scores.strict_yield(leaking) == 0


def test_the_worst_cell_is_the_one_that_leaks() -> None:
    worst = scores.worst_cell(sweep(FakeEditor(leak=0.4, onto=POSE), read, latents()))
    assert worst.measured == "pose" and worst.moved != "pose"
    assert worst.low <= worst.value <= worst.high and worst.value == pytest.approx(0.4, abs=1e-3)


def test_the_interval_holds_the_spread_of_latents() -> None:
    result = sweep(FakeEditor(), read, latents(40))
    size = np.abs(latents(40)[:, 30].numpy())[:, None] * result.requests
    result.measured[:, 0, :, POSE] = size  # each latent leaks by its own amount
    worst = scores.worst_cell(result)
    assert (worst.moved, worst.measured) == ("eyes", "pose")
    mean, error = np.abs(latents(40)[:, 30].numpy()).mean(), np.abs(latents(40)[:, 30].numpy()).std() / 40**0.5
    assert worst.value == pytest.approx(mean, abs=1e-3)
    assert worst.high - worst.low == pytest.approx(2 * 1.96 * error, rel=0.2)


@pytest.mark.parametrize(("obey", "r"), [(0.1, 1.0), (-1.0, -1.0)])
def test_the_lazy_and_the_contrary_do_not_pass(obey: float, r: float) -> None:
    result = sweep(FakeEditor(obey=obey), read, latents())
    table = scores.property_table(result)
    assert np.allclose(table["r"], r, atol=1e-4) and (table["mae"] > 1).all()
    assert scores.yield_of_latents(result) == scores.strict_yield(result) == 0


def test_a_drifting_person_is_seen() -> None:
    still, drifting = (sweep(FakeEditor(drift=drift), read, latents()) for drift in (0.0, 0.6))
    table = scores.property_table(drifting)
    assert (table["same"] < 0.95).all() and (table["same_worst_5"] < table["same"]).all()
    # the pixels of the person lie in the hair, outside the background's region but inside that of the hair
    assert drifting.outside[:, PROPERTIES.index("background_mean")].max() > 0.005
    assert np.isnan(drifting.outside[:, PROPERTIES.index("background_mean")]).sum() == 0
    assert still.outside[:, PROPERTIES.index("background_mean")].max() < drifting.outside[:, 5].max()


def test_a_wall_that_changes_its_colour_is_seen() -> None:
    class Painter(FakeEditor):
        def moved(self, z: Tensor, index: int, wanted: Tensor, now: Tensor) -> Tensor:
            images = super().moved(z, index, wanted, now)
            if PROPERTIES[index] == "mouth":
                images[:, 0, 8:] += 0.1 * wanted[:, None, None]  # redder
            else:
                images[:, :, 8:] += 0.1 * wanted[:, None, None, None]  # brighter
            return images

    moves = background_moves(Painter(), read, latents())
    assert list(moves) == [*PROPERTIES, "two people"] and moves["mouth"] > 10
    assert max(value for name, value in moves.items() if name != "mouth") < 0.5


def test_the_floor_counts_requests_that_nobody_can_show() -> None:
    reach = scores.reachable(np.array([[-1.0] * 7, [3.0] * 7]))
    table = scores.property_table(sweep(FakeEditor(), read, latents()), reach)
    assert np.allclose(table["mae_floor"], 1 / len(REQUESTS))


def test_the_worst_edits_name_a_latent_once() -> None:
    result = sweep(FakeEditor(), read, latents())
    result.measured[3, 0, 4, 0], result.measured[3, 1, 0, 1] = 9.0, -9.5
    worst = scores.worst_edits(result, count=3)
    assert worst.iloc[0].tolist() == [3, "hair_color", -2.0, -9.5] and worst["latent"].is_unique


def test_landmarks_of_some_latents_and_faces_that_are_not_found() -> None:
    result = sweep(FakeEditor(), read, latents())
    found = np.broadcast_to(result.requests, (2, 3, 5)).copy()
    found[0, 0, 0] = np.nan
    table = scores.landmark_table(Sweep(**{**vars(result), "landmarks": found}))
    assert np.allclose(table["r"], 1) and table["faces"]["eyes"] == pytest.approx(0.9) and table["latents"]["pose"] == 2


def test_without_mediapipe_its_table_is_empty_and_the_rest_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.13 (Colab) has no MediaPipe with its models inside."""
    monkeypatch.setattr("ohlora.evaluation.landmarks.sys", SimpleNamespace(version_info=(3, 13, 0)))
    result = sweep(FakeEditor(), read, latents(), landmarks=True)
    assert result.landmarks.shape == (0, 3, len(REQUESTS))
    table = scores.landmark_table(result).assign(known_truth=editing.landmark_ceiling())  # as notebook 07 does
    assert list(table.columns) == ["r", "faces", "latents", "known_truth"] and table.empty and table.round(3).empty
    assert (scores.property_table(result)["r"] > 0.9).all()


def test_sweeps_are_kept_and_joined(tmp_path: Path) -> None:
    whole = sweep(FakeEditor(leak=0.1), read, latents(), people=3)
    whole.save(tmp_path / "part.npz")
    loaded = Sweep.load(tmp_path / "part.npz")
    assert all(np.array_equal(value, getattr(loaded, name), equal_nan=True) for name, value in vars(whole).items())
    assert len(Sweep.joined([whole, loaded])) == 12
    with pytest.raises(ValueError, match="same requests"):
        Sweep.joined([whole, sweep(FakeEditor(), read, latents(), requests=(-1.0, 1.0))])


def test_an_interrupted_run_goes_on_with_the_same_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OHLORA_OUTPUTS", str(tmp_path))
    made = []

    class Sampled(FakeEditor):
        generator = PortraitGenerator(GeneratorConfig(channels=(8, 8), z_dim=64, w_dim=16))

    def editor(settings: editing.EditingSettings, name: str) -> Sampled:
        made.append(name)
        return Sampled(leak=0.2)

    monkeypatch.setattr(editing, "_editor", editor)
    monkeypatch.setattr(editing, "load_face_ruler", lambda: None)
    monkeypatch.setattr(editing, "load_labeler", lambda profile: None)
    monkeypatch.setattr(editing, "portrait_judge", lambda labeler, ruler: read)
    monkeypatch.setattr(editing, "_loaded", {})
    card = tmp_path / "weights.json"
    card.write_text(json.dumps({"sha256": "first"}), encoding="utf-8")
    settings = editing.EditingSettings("embedded", str(card.with_suffix(".safetensors")))

    whole = editing.run_sweep(settings, editing.CONDITIONED, latents=25)
    parts = sorted(settings.folder(editing.CONDITIONED).glob("part_*.npz"))
    assert len(whole) == 30 and len(parts) == 3
    parts[1].unlink()  # interrupted
    before = parts[0].stat().st_mtime_ns
    again = editing.run_sweep(settings, editing.CONDITIONED, latents=30)
    assert parts[0].stat().st_mtime_ns == before, "what is there is not made again"
    assert all(np.array_equal(value, getattr(again, name), equal_nan=True) for name, value in vars(whole).items())
    fewer = editing.run_sweep(settings, editing.CONDITIONED, latents=10)
    assert np.array_equal(fewer.measured, whole.measured[:10]), "more latents leave the first ones as they are"

    folder = settings.folder(editing.CONDITIONED)
    card.write_text(json.dumps({"sha256": "second"}), encoding="utf-8")
    assert settings.folder(editing.CONDITIONED) != folder, "other weights, other parts"
    with pytest.raises(ValueError, match="name='magic' is unknown"):
        editing.run_sweep(settings, "magic", latents=10)
    with pytest.raises(ValueError, match="latents=0"):
        editing.run_sweep(settings, editing.CONDITIONED, latents=0)


class Straight:
    """A generator whose portraits show seven coordinates of w, and its labeler, in one."""

    config = GeneratorConfig(channels=(8, 8), z_dim=16, w_dim=16)
    properties: tuple[str, ...] = ()

    def sample_z(self, n: int, seed: int) -> Tensor:
        return torch.randn(n, 16, generator=torch.Generator().manual_seed(seed))

    def mapping(self, z: Tensor) -> Tensor:
        return z

    def synthesis(self, w: Tensor) -> Tensor:
        images = torch.zeros(len(w), 3, 16, 16)
        images[:, 0, 0, :16] = w / 16
        return images

    def generate(self, z: Tensor) -> Tensor:
        return self.synthesis(z)

    def measure(self, images: Tensor) -> pd.DataFrame:
        return pd.DataFrame(16 * images[:, 0, 0, :7].numpy(), columns=list(PROPERTIES))


def straight_reading(images: Tensor) -> Reading:
    shown = 16 * images[:, 0, 0, :7]
    masks, passes = np.zeros((len(images), 16, 16), dtype=np.uint8), np.ones((len(images), 2), dtype=bool)
    return Reading(shown.numpy(), images, masks, np.zeros((len(images), 0)), passes)


def test_a_straight_world_is_edited_well_by_planes_and_badly_by_chance() -> None:
    world = Straight()
    labelled = editors.label_latents(world, world, n=1600)
    found = {}
    for name in ("SVM", "SVM, others projected out", "SVM of the group", "random direction"):
        editor = editors.DirectionEditor(world, editors.BASELINES[name](world, world, labelled))
        result = sweep(editor, straight_reading, world.sample_z(8, 5))
        found[name] = scores.editor_row(result)
        assert np.isnan(result.same).all() and np.isnan(found[name]["same person"])
    assert found["SVM"]["r"] > 0.99 and found["SVM"]["worst MAE"] < 0.25
    assert found["SVM of the group"]["r"] > 0.95
    assert found["random direction"]["worst r"] < 0.9
    leak = "mean off-target"
    assert found["SVM, others projected out"][leak] < found["random direction"][leak]


@pytest.mark.parametrize("method", ["PCA", "SeFa"])
def test_components_that_move_most_are_found_without_labels(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    generator = PortraitGenerator(GeneratorConfig(channels=(8, 8), z_dim=64, w_dim=16)).eval().requires_grad_(False)
    # component 2 moves the pose, component 0 everything else
    changes = pd.DataFrame(0.1, index=[1, 2, 3], columns=list(PROPERTIES))
    changes.iloc[0], changes.loc[3, "pose"] = 0.5, -0.9
    monkeypatch.setattr(editors, "measure_people", lambda *known, **more: None)
    monkeypatch.setattr(editors, "name_directions", lambda *known, **more: changes)
    labelled = editors.label_latents(generator, Straight(), n=40)
    walk = editors.unsupervised_walk(generator, Straight(), labelled, method, count=3)
    assert walk.directions.shape == (1, 7, 16) and not torch.equal(walk.directions[0, POSE], walk.directions[0, 0])
    assert torch.equal(walk.directions[0, 1], walk.directions[0, 0]) and (walk.slopes != 0).all()
    with pytest.raises(ValueError, match="method='ICA' is unknown"):
        editors.unsupervised_walk(generator, Straight(), labelled, "ICA")


def test_groups_are_cut_at_the_medians() -> None:
    shown = torch.zeros(4, 7)
    for row, name in enumerate(editors.GROUPED_BY):
        shown[row, PROPERTIES.index(name)] = 1.0
    assert editors.group_numbers(shown, torch.full((3,), 0.5)).tolist() == [1, 2, 4, 0]


def test_each_group_has_its_own_plane() -> None:
    points = torch.randn(800, 8, generator=torch.Generator().manual_seed(1))
    groups = (points[:, 7] > 0).long().numpy()
    values = torch.where(points[:, 7] > 0, points[:, 0], points[:, 1])[:, None].numpy()
    found = grouped_svm_directions(points, values, groups, count=3)
    assert found.shape == (3, 1, 8)
    assert found[0, 0, 1] > 0.95 and found[1, 0, 0] > 0.95
    assert torch.equal(found[2], grouped_svm_directions(points, values, np.zeros(800, int), count=1)[0]), "empty: all"


def test_conditional_directions_leave_the_others_alone() -> None:
    directions = torch.nn.functional.normalize(torch.randn(4, 16, generator=torch.Generator().manual_seed(2)), dim=1)
    found = conditional_directions(directions)
    products = found @ directions.t()
    assert products[~torch.eye(4, dtype=torch.bool)].abs().max() < 1e-5 and (products.diagonal() > 0).all()


def test_the_conditioned_editor_moves_one_request() -> None:
    torch.manual_seed(0)
    config = GeneratorConfig(channels=(8, 8, 8), z_dim=16, w_dim=16, properties=PROPERTIES)
    generator = PortraitGenerator(config).eval().requires_grad_(False)
    editor = editors.ConditionedEditor(generator)
    z = generator.sample_z(3, 1)
    assert torch.allclose(editor.unmoved(z), generator.generate(z), atol=0.05)  # half precision
    asked = torch.zeros(3, 7)
    asked[:, POSE] = 1.5
    assert torch.allclose(editor.moved(z, POSE, torch.full((3,), 1.5)), generator.generate(z, asked), atol=0.05)
    plain = PortraitGenerator(GeneratorConfig(channels=(8, 8), z_dim=16, w_dim=16))
    with pytest.raises(ValueError, match="generator obeys"):
        editors.ConditionedEditor(plain)


def test_the_region_grows_around_both_portraits() -> None:
    before = np.full((1, 64, 64), BACKGROUND, dtype=np.uint8)
    after = before.copy()
    before[0, 20:24, 20:24], after[0, 20:24, 40:44] = EYES, EYES
    where = outside(before, after, "eyes")[0]
    assert not where[22, 22] and not where[22, 42] and not where[22, 26] and where[22, 32] and where[50, 50]
    images, changed = torch.zeros(1, 3, 64, 64), torch.zeros(1, 3, 64, 64)
    changed[:, :, 18:26, 18:46] = 1.0
    changed[:, :, 60:] = 0.5
    change = outside_change(images, before, changed, after, "eyes")
    assert change[0] == pytest.approx(changed[0, 0].numpy()[where].mean(), abs=1e-6) and change[0] > 0.02
    assert np.isnan(outside_change(images, before, changed, after, "background_mean")[0]), "nothing is outside"
    with pytest.raises(ValueError, match="name='nose' is unknown"):
        outside(before, after, "nose")


def test_views_keep_the_person_and_moves_keep_all_but_one_property() -> None:
    u = views(people=3, count=2, seed=5)
    same = u[:, 0] == u[:, 1]
    assert same[:, ~CIRCUMSTANCES].all() and not same[:, CIRCUMSTANCES].any() and not (u[0, 0] == u[1, 0]).any()
    moves = single_moves(people=2, seed=5)
    assert moves.shape[1] == 15
    low, high = (PortraitParams.from_vector(moves[0, 1 + 2 * POSE + side]) for side in (0, 1))
    start = PortraitParams.from_vector(moves[0, 0])
    assert low.yaw < start.yaw + 1e-6 or low.yaw < high.yaw
    differing = [name for name in vars(start) if getattr(low, name) != getattr(high, name)]
    assert set(differing) <= {"yaw", "gaze_x"} and "skin" in PERSON
