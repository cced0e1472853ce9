"""The trainer on a tiny corpus: it learns, it resumes exactly, it keeps its hands off held-out pairs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ohlora.portraits import mirror
from ohlora.stylegan import GeneratorConfig, losses, read_generator
from ohlora.stylegan.discriminator import Discriminator
from ohlora.stylegan.pairs import PairFolder
from ohlora.stylegan.training import Phase, Trainer, TrainingConfig, read_history, train_generator
from ohlora.weights import WeightsError, load_weights

PHASES = (Phase(0.4, 2, 8), Phase(0.7, 1, 8), Phase(1.0, 1, 8, adversarial=True))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Three shards of 12 flat-coloured 32 px images; the colour is u's first value."""
    dice = np.random.default_rng(0)
    for shard in range(3):
        u = dice.standard_normal((12, 60)).astype(np.float32)
        shade = np.clip(128 + 50 * u[:, 0], 0, 255).astype(np.uint8)
        images = np.broadcast_to(shade[:, None, None, None], (12, 32, 32, 3)).copy()
        masks = dice.integers(0, 9, (12, 32, 32)).astype(np.uint8)
        np.savez(tmp_path / f"shard_{shard:05d}.npz", images=images, masks=masks, u=u)
    return tmp_path


def tiny(corpus: Path, name: str, **changes) -> TrainingConfig:
    config = TrainingConfig(
        corpus=corpus,
        folder=corpus / name,
        output=corpus / f"{name}.safetensors",
        steps=10,
        phases=PHASES,
        generator=GeneratorConfig(channels=(8, 8, 8, 8), w_dim=16, mapping_layers=2),
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
    z = generator.sample_z(2, 0)
    assert torch.allclose(read_generator(config.output).generate(z), generator.generate(z), atol=0.02)


def test_resumed_equals_uninterrupted(corpus: Path) -> None:
    whole = train_generator(tiny(corpus, "whole"))
    broken = Trainer(tiny(corpus, "broken"))
    for _ in range(8):  # into the adversarial phase
        broken.train_step()
    broken.save_checkpoint()
    del broken
    resumed = train_generator(tiny(corpus, "broken"))
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
    images, masks, u = pairs.batch(rows, flips, size=32)
    assert torch.equal(images[0].flip(-1), images[1]) and not torch.equal(images[0], images[1])
    assert torch.equal(masks[0].flip(-1), masks[1])
    assert np.allclose(mirror(u[:1].numpy()), u[1:].numpy())
    assert pairs.batch(rows, flips, size=8)[0].shape == (2, 3, 8, 8)


def test_region_weights_and_losses() -> None:
    masks = torch.tensor([[[0, 2], [6, 8]]])
    assert losses.region_weights(masks, focus=5.0, hair=0.4).flatten().tolist() == pytest.approx([1.0, 5.0, 0.4, 5.0])
    image = torch.randn(1, 3, 8, 8)
    weights = torch.ones(1, 1, 8, 8)
    assert losses.reconstruction_loss(image, image, weights) == 0 and losses.gradient_loss(image, image, weights) == 0
    assert losses.gradient_loss(image + 0.5, image, weights) < 1e-6  # a shift of brightness has no edge


def test_r1_is_the_squared_slope() -> None:
    torch.manual_seed(0)
    critic = Discriminator(16)
    real = torch.randn(1, 3, 16, 16)
    slope = torch.autograd.functional.jacobian(lambda x: critic(x)[0].mean(), real)
    assert losses.r1_penalty(critic, real).item() == pytest.approx(slope.square().sum().item(), rel=1e-4)


def test_style_mixing_leaves_paired_latents_alone(corpus: Path) -> None:
    trainer = Trainer(tiny(corpus, "mix"))
    w = torch.randn(8, 1, 16).repeat(1, trainer.config.generator.layers, 1)
    mixed = trainer._mix_styles(w.clone(), paired=4, dice=torch.Generator().manual_seed(0))
    assert torch.equal(mixed[:6], w[:6])
    assert not torch.equal(mixed[6:], w[6:]) and torch.equal(mixed[6:, 0], w[6:, 0])
