"""The trainer on a tiny corpus: it learns, it resumes exactly, it keeps its hands off held-out pairs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ohlora.portraits import VECTOR_SIZE, mirror
from ohlora.portraits.recomposition import BACKGROUND_COLUMNS
from ohlora.stylegan import GeneratorConfig, losses, read_generator
from ohlora.stylegan.discriminator import Discriminator
from ohlora.stylegan.pairs import PairFolder
from ohlora.stylegan.projected_discriminator import ProjectedDiscriminator, Views
from ohlora.stylegan.training import Trainer, train_generator
from ohlora.stylegan.training_config import Phase, TrainingConfig
from ohlora.stylegan.training_report import read_history
from ohlora.weights import WeightsError, load_weights

PHASES = (Phase(0.4, 2, 8), Phase(0.7, 1, 8), Phase(1.0, 1, 8, adversarial=True))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Three shards of 12 flat-coloured 32 px images; the colour is u's first value."""
    dice = np.random.default_rng(0)
    for shard in range(3):
        u = dice.standard_normal((12, VECTOR_SIZE)).astype(np.float32)
        shade = np.clip(128 + 50 * u[:, 0], 0, 255).astype(np.uint8)
        images = np.broadcast_to(shade[:, None, None, None], (12, 32, 32, 3)).copy()
        masks = dice.integers(0, 9, (12, 32, 32)).astype(np.uint8)
        alpha = np.full((12, 32, 32), 255, np.uint8)  # the figure covers all: a new background changes nothing
        np.savez(tmp_path / f"shard_{shard:05d}.npz", images=images, masks=masks, alpha=alpha, u=u)
    return tmp_path


def tiny(corpus: Path, name: str, **changes) -> TrainingConfig:
    config = TrainingConfig(
        corpus=corpus,
        folder=corpus / name,
        output=corpus / f"{name}.safetensors",
        steps=10,
        phases=PHASES,
        generator=GeneratorConfig(channels=(8, 8, 8, 8), w_dim=16, mapping_layers=2),
        discriminator="convolutional",
        perceptual=0.0,
    )
    return replace(config, **changes)


def test_training_learns_and_exports(corpus: Path) -> None:
    config = tiny(corpus, "learn", steps=60, phases=(Phase(1.0, 4, 16),), learning_rate=5e-3)
    untrained = Trainer(config).measure()
    generator = train_generator(config)
    _, card = load_weights(config.output)
    assert card["metrics"]["heldout_l1"] < 0.7 * untrained
    assert card["metrics"]["training_pairs"] == 24 and card["metrics"]["heldout_pairs"] == 12
    assert card["history"] and read_history(config.folder)
    assert list(config.folder.glob("sheet_*.png"))
    assert config.output.with_name("learn_progress.png").exists()
    z = generator.sample_z(2, 0)
    assert torch.allclose(read_generator(config.output).generate(z), generator.generate(z), atol=0.02)


def test_finished_weights_go_on_learning(corpus: Path) -> None:
    first = train_generator(tiny(corpus, "first"))
    config = tiny(corpus, "second", start_from=corpus / "first.safetensors", generator=GeneratorConfig())
    trainer = Trainer(config)
    z = first.sample_z(2, 0)
    assert torch.allclose(trainer.averaged.eval().generate(z), first.generate(z), atol=0.02)
    trainer.run()
    _, card = load_weights(config.output)
    assert card["started from"]["sha256"] == load_weights(corpus / "first.safetensors")[1]["sha256"]
    assert not torch.allclose(read_generator(config.output).generate(z), first.generate(z), atol=0.02)


@pytest.mark.parametrize("discriminator", ["convolutional", "projected"])
def test_resumed_equals_uninterrupted(corpus: Path, discriminator: str) -> None:
    options = {"discriminator": discriminator, "perceptual": float(discriminator == "projected")}
    whole = train_generator(tiny(corpus, "whole", **options))
    broken = Trainer(tiny(corpus, "broken", **options))
    for _ in range(8):  # into the adversarial phase
        broken.train_step()
    broken.save_checkpoint()
    del broken
    resumed = train_generator(tiny(corpus, "broken", **options))
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name


def test_a_damaged_newest_checkpoint_costs_only_its_own_steps(corpus: Path) -> None:
    trainer = Trainer(tiny(corpus, "damaged"))
    trainer.train_step()
    trainer.save_checkpoint()
    trainer.train_step()
    newest = trainer.save_checkpoint()
    newest.write_bytes(newest.read_bytes()[:1000])
    assert Trainer(tiny(corpus, "damaged")).step == 1


def test_a_checkpoint_of_another_architecture_is_refused(corpus: Path) -> None:
    config = tiny(corpus, "other")
    Trainer(config).save_checkpoint()
    changed = replace(config, generator=GeneratorConfig(channels=(8, 8, 8, 12), w_dim=16, mapping_layers=2))
    with pytest.raises(WeightsError, match="does not fit this configuration"):
        Trainer(changed)


def test_held_out_pairs_are_never_trained_on_and_new_shards_join(corpus: Path) -> None:
    pairs = PairFolder(corpus)
    held_out, training = pairs.held_out(), pairs.training()
    assert (len(held_out), len(training)) == (12, 24)
    assert not (training.u[:, None] == held_out.u[None]).all(dim=2).any()
    with np.load(corpus / "shard_00002.npz") as shard:
        np.savez(corpus / "shard_00003.npz", **shard)
    (corpus / "shard_00004.npz").write_bytes(b"half written")
    assert pairs.refresh() == 48 and len(pairs.training()) == 36


def test_an_empty_corpus_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"holds no shard.*render one"):
        PairFolder(tmp_path)


def test_flipped_batches_mirror_image_mask_and_parameters_together(corpus: Path) -> None:
    pairs = PairFolder(corpus).training()
    pairs.images[:, :, :16] = 0  # left half black
    rows, flips = torch.tensor([0, 0]), torch.tensor([False, True])
    images, masks, u = pairs.batch(rows, flips)
    assert torch.equal(images[0].flip(-1), images[1]) and not torch.equal(images[0], images[1])
    assert torch.equal(masks[0].flip(-1), masks[1])
    assert np.allclose(mirror(u[:1].numpy()), u[1:].numpy())
    small = pairs.shrunk(8)
    assert small.batch(rows, flips)[0].shape == (2, 3, 8, 8) and small.masks.shape == small.alpha.shape == (24, 8, 8)
    with pytest.raises(ValueError, match="size=12 does not divide the 32 px"):
        PairFolder(corpus).training(12)


def test_a_new_background_changes_its_parameters_and_the_uncovered_pixels_only(corpus: Path) -> None:
    pairs = PairFolder(corpus).training()
    pairs.alpha[:, :16] = 0  # the upper half is background
    rows, none, repainted = torch.tensor([3, 4]), torch.tensor([False, False]), torch.tensor([False, True])
    plain, _, old_u = pairs.batch(rows, none)
    images, _, u = pairs.batch(rows, none, repainted, seed=(1, 2))
    assert torch.equal(images[0], plain[0]) and torch.equal(u[0], old_u[0])
    assert torch.equal(images[1, :, 16:], plain[1, :, 16:]) and not torch.equal(images[1, :, :16], plain[1, :, :16])
    changed = (u[1] != old_u[1]).nonzero().flatten().tolist()
    assert changed and set(changed) <= set(BACKGROUND_COLUMNS.tolist())
    assert torch.equal(pairs.batch(rows, none, repainted, seed=(1, 2))[0], images)


@pytest.mark.parametrize("discriminator", ["convolutional", "projected"])
@pytest.mark.parametrize("mode", ["paired", "paired_adversarial", "adversarial"])
def test_every_mode_trains(corpus: Path, mode: str, discriminator: str) -> None:
    config = tiny(corpus, "mode", mode=mode, discriminator=discriminator, perceptual=1.0, phases=(PHASES[-1],))
    trainer = Trainer(config)
    before = [parameter.clone() for parameter in trainer.objective.critic.parameters()]
    report = trainer.train_step()
    assert np.isfinite(list(report.values())).all()
    assert ("pixels" in report) == ("perceptual" in report) == (mode != "adversarial")
    assert ("fooled" in report) == ("discriminator" in report) == (mode != "paired")
    moved = any(not torch.equal(a, b) for a, b in zip(before, trainer.objective.critic.parameters(), strict=True))
    assert moved == (mode != "paired")


def test_unknown_modes_are_refused_by_name(corpus: Path) -> None:
    with pytest.raises(ValueError, match="mode='gan' is not known; allowed: paired, paired_adversarial, adversarial"):
        tiny(corpus, "unknown", mode="gan")
    with pytest.raises(ValueError, match="discriminator='patch' is not known"):
        tiny(corpus, "unknown", discriminator="patch")


def test_a_face_is_seen_whole_and_above_128_px_as_a_crop_too() -> None:
    views, judge = Views(), ProjectedDiscriminator()
    small = views(torch.zeros(2, 3, 64, 64), (0, 0))
    assert [tuple(part.shape[1:]) for part in small[:2]] == [(16, 64, 64), (24, 32, 32)] and len(small) == 5
    large = torch.rand(2, 3, 256, 256, requires_grad=True)
    seen = views(large, (100, 20))
    assert len(seen) == 9 and torch.equal(seen[5], views.pyramid(large[:, :, 100:228, 20:148])[0])
    logits, _ = judge(seen)
    assert len(logits) == 8 and logits[0].shape[:2] == (2, 1)
    torch.stack([scores.mean() for scores in logits]).sum().backward()
    assert large.grad.abs().sum() > 0 and all(parameter.grad is None for parameter in views.parameters())
    fixed = [parameter for part in (judge.whole, judge.crop) for parameter in part.across_channels.parameters()]
    assert fixed and not any(parameter.requires_grad for parameter in fixed)


def test_losses_pull_with_the_share_that_was_asked_for() -> None:
    gradients = {"pixels": torch.randn(2, 3, 4, 4), "fooled": 1e-3 * torch.randn(2, 3, 4, 4)}
    weights = losses.balancing_weights(gradients, {"fooled": 0.5}, reference="pixels")
    assert weights["pixels"] == 1.0
    assert weights["fooled"] * gradients["fooled"].norm() == pytest.approx(0.5 * gradients["pixels"].norm().item())


def test_adversarial_losses_on_known_logits() -> None:
    sure, unsure = [torch.full((2, 1, 2, 2), 3.0)], [torch.zeros(2, 1, 2, 2)]
    assert losses.hinge_discriminator_loss(sure, [-sure[0]]) == 0
    assert losses.hinge_discriminator_loss(unsure, unsure) == 2
    assert losses.hinge_generator_loss(sure) == -3
    assert losses.logistic_discriminator_loss(unsure, unsure).item() == pytest.approx(2 * np.log(2))
    assert losses.logistic_generator_loss(sure) < losses.logistic_generator_loss(unsure)
    assert losses.feature_loss([2 * sure[0]], sure).item() == pytest.approx(1.0)


def test_region_weights_and_losses() -> None:
    masks = torch.zeros(1, 64, 64, dtype=torch.uint8)
    masks[:, :20], masks[0, 40, 30] = 6, 2
    weights = losses.region_weights(masks, focus=5.0, hair=0.4)
    assert (weights[0, 0, :20] == 0.4).all() and (weights[0, 0, 20:38] == 1).all()
    assert (weights[0, 0, 38:43, 28:33] == 5).all() and (weights == 5).sum() == 25  # the eye and two pixels around it
    image = torch.randn(1, 3, 8, 8)
    weights = torch.ones(1, 1, 8, 8)
    assert losses.reconstruction_loss(image, image, weights) == 0 and losses.gradient_loss(image, image, weights) == 0
    assert losses.gradient_loss(image + 0.5, image, weights) < 1e-6  # a shift of brightness has no edge


def test_r1_is_the_squared_slope() -> None:
    torch.manual_seed(0)
    critic = Discriminator(16)
    real = torch.randn(1, 3, 16, 16)
    slope = torch.autograd.functional.jacobian(lambda x: critic([x])[0][0].mean(), real)
    assert losses.r1_penalty(critic, real).item() == pytest.approx(slope.square().sum().item(), rel=1e-4)


def test_style_mixing_leaves_paired_latents_alone(corpus: Path) -> None:
    trainer = Trainer(tiny(corpus, "mix"))
    w = torch.randn(8, 1, 16).repeat(1, trainer.config.generator.layers, 1)
    mixed = trainer._mix_styles(w.clone(), paired=4, dice=torch.Generator().manual_seed(0))
    assert torch.equal(mixed[:6], w[:6])
    assert not torch.equal(mixed[6:], w[6:]) and torch.equal(mixed[6:, 0], w[6:, 0])
