"""The auto-encoder: shapes, the linear start, that training helps, resuming, and bad input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from ohlora.config import load_profile
from ohlora.evaluation.recommend import (
    PrincipalComponents,
    autoencoder_images,
    distance_agreement,
    reconstruction_error,
)
from ohlora.recommend import AutoEncoder, load_autoencoder
from ohlora.recommend.autoencoder import as_tensor
from ohlora.recommend.autoencoder_training import train_autoencoder
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
    assert sum(parameter.numel() for parameter in model.parameters()) < 2_000_000


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
