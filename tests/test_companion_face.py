"""Her identity: chosen once, kept in a file, painted on request, refused clearly when it cannot be."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
import yaml
from companion_parts import PROPERTIES, PaintBox, make_face
from PIL import Image

from ohlora.companion import Face, FacePainter, encode_portrait, load_face, save_face
from ohlora.companion.expression import MOVED
from ohlora.companion.face import REACH, RESTING
from ohlora.companion.face_choice import choose_face
from ohlora.config import load_profile
from ohlora.stylegan import load_generator

WEIGHTS = load_profile("embedded").stylegan.conditioned


def test_expressions_move_three_properties_and_leave_the_others() -> None:
    painter = FacePainter(PaintBox(), make_face(PaintBox()))
    properties = painter.properties({"eyes": 1.0, "mouth": -0.5})
    assert properties == {**dict.fromkeys(PROPERTIES, 0.0), "eyes": 1.0, "mouth": -0.5}
    assert list(properties) == list(PROPERTIES)


def test_requests_stay_within_what_the_generator_was_trained_on() -> None:
    face = Face(make_face(PaintBox()).latent, {**dict.fromkeys(PROPERTIES, 0.0), "eyes": 2.0})
    assert FacePainter(PaintBox(), face).properties({"eyes": 3.0})["eyes"] == REACH


def test_the_same_face_is_painted_once_and_cannot_be_scribbled_on() -> None:
    generator = PaintBox()
    painter = FacePainter(generator, make_face(generator))
    first = painter.portrait({"eyes": 1.0})
    assert painter.portrait({"eyes": 1.004}) is first, "an invisible difference is not worth a picture"
    assert generator.painted == 1
    assert first.dtype == np.uint8 and first.shape == (24, 24, 3)
    assert np.abs(painter.portrait({"eyes": -1.0}).astype(int) - first).max() > 0
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 0


def test_old_frames_are_given_up() -> None:
    generator = PaintBox()
    painter = FacePainter(generator, make_face(generator), cached_frames=4)
    for value in range(10):
        painter.portrait({"eyes": value / 5})
    assert len(painter._frames) == 4


def test_an_unconditioned_generator_is_refused_in_one_sentence() -> None:
    generator = PaintBox()
    generator.properties = ()
    with pytest.raises(ValueError, match="conditioned=True") as error:
        FacePainter(generator, make_face(PaintBox()))
    assert "\n" not in str(error.value)


def test_a_face_of_another_generator_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(5,\)"):
        FacePainter(PaintBox(), Face(np.zeros(5, np.float32), dict.fromkeys(PROPERTIES, 0.0)))


def test_unknown_properties_are_named() -> None:
    with pytest.raises(ValueError, match="smile"):
        FacePainter(PaintBox(), make_face(PaintBox())).portrait({"smile": 1.0})


def test_a_saved_face_is_the_same_face_and_keeps_its_neighbours(tmp_path) -> None:
    path = tmp_path / "face.yaml"
    path.write_text(yaml.safe_dump({"somebody_else": {"seed": 1, "properties": {}}}))
    face = make_face(PaintBox())
    save_face(face, path, note="chosen by hand")
    again = load_face(PaintBox(), path=path)
    assert np.allclose(again.latent, face.latent, atol=1e-4) and again.properties == face.properties
    assert "somebody_else" in yaml.safe_load(path.read_text())


def test_a_seed_stands_for_a_latent(tmp_path) -> None:
    path = tmp_path / "face.yaml"
    path.write_text(yaml.safe_dump({WEIGHTS: {"seed": 3, "properties": dict.fromkeys(PROPERTIES, 0)}}))
    assert np.array_equal(load_face(PaintBox(), path=path).latent, PaintBox().sample_z(1, 3)[0].numpy())


def test_a_missing_face_is_a_clear_error(tmp_path) -> None:
    with pytest.raises(ValueError, match="does not exist"):
        load_face(PaintBox(), path=tmp_path / "none.yaml")
    (tmp_path / "empty.yaml").write_text("{}")
    with pytest.raises(ValueError, match=WEIGHTS):
        load_face(PaintBox(), path=tmp_path / "empty.yaml")


def test_encoding_keeps_the_picture() -> None:
    portrait = FacePainter(PaintBox(), make_face(PaintBox())).portrait({"mouth": 1.0})
    decoded = Image.open(io.BytesIO(encode_portrait(portrait)))
    assert decoded.size == (24, 24) and np.abs(np.asarray(decoded).astype(int) - portrait).mean() < 3
    assert Image.open(io.BytesIO(encode_portrait(portrait, 96))).size == (96, 96)


class Judge:
    """A labeler that reads gender and quality off the latents' pictures by rule, and measures the eyes exactly."""

    def __init__(self, women: set[int]) -> None:
        self.women = women

    def gender(self, images) -> np.ndarray:
        return np.array([0.99 if index in self.women else 0.1 for index in range(len(images))])

    def quality(self, images) -> np.ndarray:
        return np.full(len(images), 0.95)

    def measure(self, images) -> pd.DataFrame:
        return pd.DataFrame(np.zeros((len(images), len(PROPERTIES))), columns=list(PROPERTIES))


def test_the_rule_chooses_a_woman_and_says_how_close_others_came() -> None:
    generator, resting = PaintBox(), dict.fromkeys(PROPERTIES, 0.0)
    face, table = choose_face(generator, Judge({3, 5}), resting, candidates=8)
    assert set(table.candidate) == {3, 5}
    assert np.array_equal(face.latent, generator.sample_z(8, 0)[int(table[table.chosen].candidate.iloc[0])].numpy())
    assert table.obedience_error[0] == pytest.approx(0.9), "requests of 0, ±0.75 and ±1.5, all measured as 0"
    with pytest.raises(ValueError, match="candidates=8"):
        choose_face(generator, Judge(set()), resting, candidates=8)


def test_a_recommended_latent_becomes_her_face_in_one_call_and_keeps_its_hair() -> None:
    generator = load_generator("embedded", conditioned=True)
    latents = generator.sample_z(2, 3)
    dark, fair = (Face.from_latent(generator, latent) for latent in latents)
    assert dark.latent.shape == (generator.z_dim,) and set(dark.properties) == set(generator.properties)
    assert {name: dark.properties[name] for name in MOVED} == {name: RESTING[name] for name in MOVED}
    assert dark.properties["hair_color"] != fair.properties["hair_color"]
    assert FacePainter(generator, dark).portrait().shape == (generator.size, generator.size, 3)
    with pytest.raises(ValueError, match=rf"latent has 3 values.*allowed: \({generator.z_dim},\)"):
        Face.from_latent(generator, np.zeros(3))
