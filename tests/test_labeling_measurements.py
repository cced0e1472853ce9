"""The seven formulae on drawn faces: each moves with its own cause, and with nothing else."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ohlora.labeling.measurements import PROPERTIES, Standardisation, background_lab, measure, one_hot

SIZE = 128


def draw_face(
    eye_height: int = 4, mouth_height: int = 4, hair_bottom: int = 80, nose_shift: int = 0, hair: int = 60
) -> tuple[torch.Tensor, torch.Tensor]:
    """A face of rectangles and ellipses: image (1, 3, s, s) and areas (1, 9, s, s)."""
    rows, columns = np.mgrid[:SIZE, :SIZE]
    mask = np.zeros((SIZE, SIZE), dtype=np.uint8)
    mask[110:, 20:108] = 7
    if hair_bottom:
        mask[15:hair_bottom, 30:98] = 6
    mask[((rows - 66) / 38) ** 2 + ((columns - 63.5) / 26) ** 2 < 1] = 1
    for left in (46, 72):
        mask[60 - eye_height // 2 : 60 - eye_height // 2 + eye_height, left : left + 10] = 2
        mask[50:52, left : left + 10] = 8
    mask[66:76, 60 + nose_shift : 68 + nose_shift] = 5
    mask[84 - 4 : 84 + mouth_height + 4, 54:74] = 4
    mask[84 : 84 + mouth_height, 56:72] = 3
    picture = np.full((SIZE, SIZE), 120.0)
    picture[mask == 6] = hair
    picture[mask == 0] = 200
    image = torch.from_numpy(np.repeat(picture[None, None], 3, axis=1)).float() / 127.5 - 1
    return image, one_hot(mask[None])


def values(**changes: int) -> dict[str, float]:
    return dict(zip(PROPERTIES, measure(*draw_face(**changes))[0].tolist(), strict=True))


@pytest.mark.parametrize(
    ("name", "change", "steps"),
    [
        ("eyes", "eye_height", (0, 1, 3, 5, 8)),
        ("mouth", "mouth_height", (0, 2, 5, 9, 14)),
        ("hair_length", "hair_bottom", (0, 45, 70, 90, 110)),
        ("pose", "nose_shift", (-10, -5, 0, 5, 10)),
        ("hair_color", "hair", (10, 60, 120, 230)),
    ],
)
def test_each_measurement_rises_with_its_cause(name: str, change: str, steps: tuple[int, ...]) -> None:
    measured = [values(**{change: step})[name] for step in steps]
    assert all(later > earlier for earlier, later in itertools.pairwise(measured)), measured


@pytest.mark.parametrize("change", [{"eye_height": 8}, {"mouth_height": 12}, {"hair": 200}, {"nose_shift": 6}])
def test_other_measurements_stay(change: dict[str, int]) -> None:
    own = {"eye_height": "eyes", "mouth_height": "mouth", "hair": "hair_color", "nose_shift": "pose"}[
        next(iter(change))
    ]
    before, after = values(), values(**change)
    for name in set(PROPERTIES) - {own, "hair_length"}:
        assert after[name] == pytest.approx(before[name], abs=0.012), name


def test_the_background_has_a_colour_that_its_brightness_does_not_tell() -> None:
    image, areas = draw_face()
    grey = background_lab(image, areas)[0]
    assert grey[0] == pytest.approx(80.6, abs=0.5) and grey[1:].abs().max() < 0.5
    red = torch.where(areas[:, :1] > 0, torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1), image)
    assert background_lab(red, areas)[0].tolist() == pytest.approx([53.2, 80.1, 67.2], abs=0.3)
    assert background_lab(image, one_hot(np.ones((1, SIZE, SIZE), dtype=np.uint8))).isnan().all()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 9), st.integers(0, 12), st.integers(40, 115), st.integers(-12, 12))
def test_mirror_turns_the_pose_and_nothing_else(eyes: int, mouth: int, hair: int, nose: int) -> None:
    image, areas = draw_face(eyes, mouth, hair, nose)
    image = image + torch.linspace(-0.3, 0.3, SIZE)
    plain, mirrored = measure(image, areas)[0], measure(image.flip(3), areas.flip(3))[0]
    sign = torch.tensor([-1.0 if name == "pose" else 1.0 for name in PROPERTIES])
    assert torch.allclose(plain * sign, mirrored, atol=1e-4, equal_nan=True)


def test_background_is_its_mean_and_deviation() -> None:
    image, areas = draw_face()
    assert values()["background_mean"] == pytest.approx(200 / 255, abs=1e-3)
    assert values()["background_std"] == pytest.approx(0, abs=1e-3)
    stripes = image + (areas[:, :1] * 0.2) * torch.where(torch.arange(SIZE) % 2 == 0, 1.0, -1.0)
    assert measure(stripes, areas)[0, PROPERTIES.index("background_std")] == pytest.approx(0.1, abs=0.01)


def test_size_of_the_picture_does_not_matter() -> None:
    image, areas = draw_face(eye_height=6, mouth_height=6)
    doubled = [torch.nn.functional.interpolate(part, scale_factor=2) for part in (image, areas)]
    assert torch.allclose(measure(image, areas), measure(*doubled), atol=0.01)


def test_what_is_missing_has_a_defined_value() -> None:
    bald = values(hair_bottom=0)
    assert np.isnan(bald["hair_color"])
    assert bald["hair_length"] == -0.5
    shut = values(eye_height=0, mouth_height=0)
    assert shut["eyes"] == 0
    assert shut["mouth"] == 0
    nothing = measure(torch.zeros(2, 3, 64, 64), one_hot(np.zeros((2, 64, 64), dtype=np.uint8)))
    z_scores = Standardisation(torch.zeros(7), torch.ones(7)).z_scores(nothing)
    assert torch.isfinite(z_scores).all()
    assert z_scores[0, PROPERTIES.index("pose")] == 0


def test_a_batch_is_measured_like_its_members() -> None:
    faces = [draw_face(eye_height=height, nose_shift=height - 4) for height in range(2, 8)]
    together = measure(torch.cat([image for image, _ in faces]), torch.cat([areas for _, areas in faces]))
    assert torch.allclose(together, torch.cat([measure(*face) for face in faces]), atol=1e-5)


def test_standardisation_is_reversible_and_ignores_the_unmeasurable() -> None:
    raw = torch.randn(200, 7, generator=torch.Generator().manual_seed(0)) * 3 + 5
    raw[3, 1] = torch.nan
    fitted = Standardisation.fit(raw)
    z_scores = fitted.z_scores(raw)
    assert torch.allclose(z_scores.mean(0), torch.zeros(7), atol=1e-2)
    assert torch.allclose(fitted.raw(z_scores)[4:], raw[4:], atol=1e-4)
    assert z_scores[3, 1] == 0


@pytest.mark.parametrize(
    ("image", "areas"), [((2, 3, 64, 64), (1, 9, 64, 64)), ((1, 3, 64, 64), (1, 8, 64, 64)), ((3, 64, 64), (9, 64, 64))]
)
def test_shapes_that_do_not_fit_are_refused(image: tuple[int, ...], areas: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"areas is \(.*allowed: \(n, 9, size, size\)"):
        measure(torch.zeros(image), torch.zeros(areas))
