"""The auto-encoder: shapes, the linear start, that training helps, resuming, and bad input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from ohlora.config import load_profile
from ohlora.evaluation.recommend import (
    PrincipalComponents,
    autoencoder_images,
    distance_agreement,
    reconstruction_error,
)
from ohlora.portraits.parameters import VECTOR_NAMES
from ohlora.recommend import AutoEncoder, load_autoencoder
from ohlora.recommend.autoencoder import as_tensor
from ohlora.recommend.autoencoder_training import KnownParameters, train_autoencoder
from ohlora.recommend.visibility import measure_visibility
from ohlora.weights import WeightsError

CHANNELS = (8, 12)


def discs(n: int, seed: int, size: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """A moving disc, which is not linear in its place; and its parameters (x, y, radius, brightness)."""
    random = np.random.default_rng(seed)
    parameters = random.uniform([4, 4, 2, 0.4], [12, 12, 5, 1.0], (n, 4))
    y, x = np.mgrid[:size, :size] + 0.5
    distance = np.hypot(x - parameters[:, 0, None, None], y - parameters[:, 1, None, None])
    inside = 1 / (1 + np.exp(2 * (distance - parameters[:, 2, None, None])))
    picture = 60 + 190 * inside * parameters[:, 3, None, None]
    return np.repeat(picture[..., None], 3, axis=3).astype(np.uint8), parameters


def small(**changes) -> AutoEncoder:
    torch.manual_seed(0)
    return AutoEncoder(**{"size": 16, "dimensions": 5, "channels": CHANNELS, **changes}).eval()


@pytest.mark.parametrize("size", [16, 32, 64, 128])
def test_a_portrait_becomes_its_code_and_comes_back_with_its_size(size):
    model = AutoEncoder(size=size, dimensions=7).eval()
    images = np.random.default_rng(0).integers(0, 256, (3, size, size, 3), dtype=np.uint8)
    codes = model.encode(images)
    assert codes.shape == (3, 7) and codes.dtype == np.float32
    decoded = model.decode(codes)
    assert decoded.shape == (3, 3, size, size) and decoded.abs().max() <= 1


def test_the_batch_size_changes_nothing_and_arrays_equal_tensors():
    model, images = small(), discs(9, 0)[0]
    whole = model.encode(images)
    np.testing.assert_allclose(model.encode(images, batch=2), whole, atol=1e-5)
    np.testing.assert_allclose(model.encode(as_tensor(images)), whole, atol=1e-6)
    assert model.encode(images[:0]).shape == (0, 5)


def test_a_larger_portrait_has_the_code_of_its_average():
    model, images = small(), discs(5, 0)[0]
    larger = images.repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_allclose(model.encode(larger), model.encode(images), atol=1e-5)
    np.testing.assert_allclose(model.encode(as_tensor(larger)), model.encode(images), atol=1e-5)


def test_it_starts_as_principal_components():
    images = discs(200, 0)[0]
    model = small()
    model.start_from_principal_components(images)
    codes = model.encode(images)
    with_mirrors = model.encode(np.concatenate([images, images[:, :, ::-1]]))  # what the components are fitted on
    assert with_mirrors.var(axis=0).mean() == pytest.approx(1, rel=0.1)
    assert (np.abs(np.corrcoef(with_mirrors.T) - np.eye(5)) < 0.1).all()
    assert reconstruction_error(images, autoencoder_images(model, codes))["rmse"] < 0.6 * (images / 127.5).std()


def test_training_beats_its_linear_start_on_held_out_images():
    training, held_out = discs(300, 0)[0], discs(60, 1)[0]
    model, losses = train_autoencoder(training, steps=90, batch=32, dimensions=4, channels=CHANNELS, seed=0)
    linear = AutoEncoder(16, 4, CHANNELS).eval()
    linear.start_from_principal_components(training)
    errors = [
        reconstruction_error(held_out, autoencoder_images(m, m.encode(held_out)))["rmse"] for m in (model, linear)
    ]
    assert errors[0] < 0.85 * errors[1]
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:10])


def test_a_supervised_code_tells_the_parameters_times_their_visibility():
    training, parameters = discs(400, 0)
    held_out, true = discs(80, 1)
    middle, spread = parameters.mean(axis=0), parameters.std(axis=0)
    values = ((parameters - middle) / spread).astype(np.float32)
    known = KnownParameters(("x", "y"), values[:, :2], values[:, :2] * np.float32([-1, 1]), np.array([2.0, 1.0]))
    model, _ = train_autoencoder(training, steps=200, batch=32, dimensions=5, channels=CHANNELS, known=known)
    codes = model.encode(held_out)
    assert model.told == ("x", "y")
    for column, visibility in enumerate(known.visibility):
        standard = (true[:, column] - middle[column]) / spread[column]
        slope, _ = np.polyfit(standard, codes[:, column], 1)
        assert np.corrcoef(codes[:, column], standard)[0, 1] > 0.95 and slope == pytest.approx(visibility, rel=0.25)
    error = reconstruction_error(held_out, autoencoder_images(model, codes))["rmse"]
    assert error < 0.5 * (held_out / 127.5).std()
    with pytest.raises(ValueError, match="start_from tells"):
        train_autoencoder(training, steps=1, start_from=model)
    with pytest.raises(ValueError, match="known has 400 portraits"):
        train_autoencoder(training[:9], steps=1, known=known)


def test_known_parameters_are_taken_from_vectors_and_mirrored():
    u = np.random.default_rng(0).normal(size=(3, 62)).astype(np.float32)
    known = KnownParameters.from_vectors(u, pd.Series({"yaw": 2.0, "smile": 0.5}))
    assert known.names == ("yaw", "smile")
    np.testing.assert_array_equal(known.mirrored, known.values * np.float32([-1, 1]))
    with pytest.raises(ValueError, match=r"visibility=.*above 0"):
        KnownParameters(("yaw",), u[:, :1], u[:, :1], np.zeros(1))
    with pytest.raises(ValueError, match="told has 6 names; allowed: at most 5"):
        AutoEncoder(16, 5, CHANNELS, told=[str(number) for number in range(6)])


def test_what_is_seen_more_is_more_visible():
    class Circle:  # gender moves the whole picture, lipstick one small square, nothing else shows
        rotation = torch.eye(64)

        def sample_z(self, n, seed):
            return torch.randn(n, 64, generator=torch.Generator().manual_seed(seed))

        def z_to_u(self, z):
            return z[:, :62]

        def u_to_z(self, u, extra):
            return torch.cat([u, extra], dim=1)

        def pictures(self, z):
            picture = np.full((len(z), 64, 64, 3), 128.0)
            picture += 60 * np.tanh(z[:, :1].numpy())[:, :, None, None] * np.sin(np.arange(64) / 3)[None, None, :, None]
            picture[:, 30:40, 30:40, 0] += 60 * np.tanh(z[:, VECTOR_NAMES.index("lipstick"), None, None].numpy())
            return picture.astype(np.uint8)

    visibility = measure_visibility(Circle(), portraits=2)
    assert list(visibility.index) == list(VECTOR_NAMES)
    assert visibility["gender"] > visibility["lipstick"] > 0
    assert visibility.drop(["gender", "lipstick"]).abs().max() < 1e-6
    assert np.mean(visibility**2) == pytest.approx(1)


def test_training_continues_from_its_checkpoint(tmp_path):
    images = discs(16, 0)[0]
    arguments = {"batch": 4, "dimensions": 4, "channels": CHANNELS, "checkpoint": tmp_path / "half.safetensors"}
    train_autoencoder(images, steps=200, **arguments)
    _, losses = train_autoencoder(images, steps=210, **arguments)
    assert len(losses) == 10


def test_a_trained_one_is_trained_further_and_stays_itself():
    images = discs(64, 0)[0]
    first, losses = train_autoencoder(images, steps=60, batch=16, dimensions=4, channels=CHANNELS)
    before = {name: tensor.clone() for name, tensor in first.state_dict().items()}
    _, further = train_autoencoder(images, steps=10, batch=16, start_from=first, learning_rate=1e-4)
    assert np.mean(further) < 0.5 * (losses[0] + np.mean(losses[-10:]))
    assert all(torch.equal(tensor, before[name]) for name, tensor in first.state_dict().items())


def test_the_shipped_auto_encoder_is_small_and_fits_the_profile():
    model = load_autoencoder("embedded")
    assert model.size == 128 and model.dimensions <= 64
    assert sum(parameter.numel() for parameter in model.parameters()) < 2_500_000


def test_missing_weights_are_named():
    profile = load_profile("embedded")
    with pytest.raises(WeightsError, match="nobody"):
        load_autoencoder(replace(profile, recommend=replace(profile.recommend, autoencoder="nobody")))


@pytest.mark.parametrize(
    ("images", "allowed"),
    [
        (np.zeros((2, 8, 8, 3), np.uint8), r"\(n, 16, 16, 3\)"),
        (np.zeros((2, 16, 24, 3), np.uint8), r"\(n, 16, 16, 3\)"),
        (torch.zeros(2, 16, 16, 3), r"\(n, 3, 16, 16\)"),
        (np.zeros((16, 16, 3), np.uint8), r"\(n, 16, 16, 3\)"),
    ],
)
def test_images_of_another_shape_or_smaller_are_refused(images, allowed):
    with pytest.raises(ValueError, match=f"images has shape.*allowed: {allowed}"):
        small().encode(images)


def test_codes_of_another_length_are_refused():
    with pytest.raises(ValueError, match=r"codes has shape \(1, 4\); allowed: \(n, 5\)"):
        small().decode(np.zeros((1, 4)))


@pytest.mark.parametrize("wrong", [{"size": 20}, {"size": 4}, {"channels": (8,)}, {"dimensions": 0}])
def test_an_architecture_that_cannot_be_built_is_refused(wrong):
    with pytest.raises(ValueError, match="allowed"):
        small(**wrong)


def test_images_that_are_not_uint8_are_not_trained_on():
    with pytest.raises(ValueError, match="images is float"):
        train_autoencoder(np.zeros((4, 16, 16, 3)), steps=1)


def test_pca_is_exact_with_enough_components_and_distances_follow_parameters():
    images, parameters = discs(40, 2)
    full = PrincipalComponents(images, 80)
    error = reconstruction_error(images, full.decode(full.encode(images)))
    assert error["rmse"] < 0.01 and error["edges"] < 0.01
    codes = PrincipalComponents(images, 4).encode(images)
    assert distance_agreement(codes, parameters[:, :2]) > 0.5 > distance_agreement(codes, parameters[::-1, :2])
