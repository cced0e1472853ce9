"""A convolutional auto-encoder: a portrait becomes a few numbers, and the numbers become a portrait again.

Train it with ``python -m ohlora.recommend.autoencoder`` (see ``--help``).
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from sklearn.decomposition import PCA
from torch import nn
from torch.nn import functional as F
from tqdm import tqdm

from ohlora.config import Profile, device, load_profile, outputs_folder, seed_everything
from ohlora.weights import load_weights, save_weights

CHANNELS = (24, 48, 96, 128, 128, 128)


class AutoEncoder(nn.Module):
    """A convolutional auto-encoder (Hinton & Salakhutdinov 2006) around a linear one.

    A linear layer on the picture at a quarter of its size gives ``dimensions`` numbers; another one gives the small
    picture back. Both start as PCA (see start_from_principal_components). Convolutions beside them add to the code
    what is not linear (a turned head, a fringe) and paint the details. Everything works on the difference to the
    mean training portrait: what all portraits share needs no numbers.

    Args:
        size: pixels of a side, ``4 · 2^levels``, at least 8.
        dimensions: numbers that describe a portrait.
        channels: feature maps a level, from the picture inwards; each level halves the picture, the last is 4×4.
    """

    def __init__(self, size: int = 128, dimensions: int = 64, channels: tuple[int, ...] | None = None) -> None:
        super().__init__()
        levels = int(math.log2(size / 4)) if size >= 8 else 0
        channels = tuple(channels) if channels else CHANNELS[:levels]
        if levels < 2 or size != 4 * 2**levels or len(channels) != levels:
            raise ValueError(f"size={size} with {len(channels)} channels; allowed: size = 4 · 2^(number of channels)")
        self.small = size // 4
        values = 3 * self.small**2
        if not 1 <= dimensions <= values:
            raise ValueError(f"dimensions={dimensions}; allowed: 1 to {values}")
        self.size, self.dimensions, self.channels = size, dimensions, channels

        self.linear_encoder = nn.Linear(values, dimensions, bias=False)
        self.linear_decoder = nn.Linear(dimensions, values, bias=False)
        encoder: list[nn.Module] = []
        for before, after in zip((3, *channels[:-1]), channels, strict=True):
            encoder += _layer(nn.Conv2d(before, after, 4, stride=2, padding=1, bias=False))
        self.encoder = nn.Sequential(*encoder, nn.Flatten(), nn.Linear(channels[-1] * 16, dimensions))

        decoder: list[nn.Module] = [
            nn.BatchNorm1d(dimensions, affine=False),
            nn.Linear(dimensions, channels[-1] * 16),
            nn.Unflatten(1, (channels[-1], 4, 4)),
        ]
        for before, after in zip(channels[:1:-1], channels[-2:0:-1], strict=True):
            decoder += _layer(nn.Conv2d(before, after, 3, padding=1, bias=False)) + [nn.Upsample(scale_factor=2)]
        self.decoder = nn.Sequential(*decoder)
        # From a quarter of the size on, the features also see the linear reconstruction that they shall correct.
        self.painter = nn.Sequential(
            *_layer(nn.Conv2d(channels[1] + 3, channels[1], 3, padding=1, bias=False)),
            nn.Upsample(scale_factor=2),
            *_layer(nn.Conv2d(channels[1], channels[0], 3, padding=1, bias=False)),
            nn.Conv2d(channels[0], 12, 3, padding=1),
            nn.PixelShuffle(2),
        )
        # Training starts exactly at the linear solution, which stays fixed: it is already the best linear one.
        self.linear_encoder.requires_grad_(False)
        self.linear_decoder.requires_grad_(False)
        for last in (self.encoder[-1], self.painter[-2]):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
        self.register_buffer("mean_image", torch.zeros(1, 3, size, size))

    def start_from_principal_components(self, images: np.ndarray) -> None:
        """Set the mean portrait, and the linear layers to PCA of the images (uint8) at a quarter of their size.

        Each component is divided by the fourth root of its variance. Undivided, distances would see little but the
        background, which fills most pixels; divided by the full spread, noise would count as much as hair. Then all
        are scaled together so that variances are 1 on average.
        """
        self.mean_image.copy_(_mean_image(images))
        chunks = np.array_split(images, -(-len(images) // 256))
        small = torch.cat([self._shrink(as_tensor(chunk) - self.mean_image) for chunk in chunks]).numpy()
        components = min(self.dimensions, len(small))
        pca = PCA(components, svd_solver="randomized", random_state=0).fit(small)
        variance = np.maximum(pca.explained_variance_, 1e-6)
        scale = variance**0.25 * np.sqrt(np.sqrt(variance).mean())
        with torch.no_grad():
            self.linear_encoder.weight.zero_()[:components] = torch.from_numpy(pca.components_ / scale[:, None])
            self.linear_decoder.weight.zero_()[:, :components] = torch.from_numpy((pca.components_ * scale[:, None]).T)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Reconstructions of ``images``; float (n, 3, size, size) in about [-1, 1], gradients kept."""
        return self._decode(self._encode(images))

    def _encode(self, images: torch.Tensor) -> torch.Tensor:
        centred = images - self.mean_image
        return self.linear_encoder(self._shrink(centred)) + self.encoder(centred)

    def _decode(self, codes: torch.Tensor) -> torch.Tensor:
        linear = self.linear_decoder(codes).unflatten(1, (3, self.small, self.small))
        details = self.painter(torch.cat([self.decoder(codes), linear], dim=1))
        smooth = F.interpolate(linear.float(), scale_factor=4, mode="bilinear")
        return self.mean_image + smooth + details

    def _shrink(self, images: torch.Tensor) -> torch.Tensor:
        return F.avg_pool2d(images, 4).flatten(1)

    @torch.inference_mode()
    def encode(self, images: torch.Tensor | np.ndarray, batch: int = 64) -> np.ndarray:
        """The codes of portraits.

        Args:
            images: float tensor (n, 3, size, size) in [-1, 1] or uint8 array (n, size, size, 3).
            batch: portraits a step; changes memory, not results.

        Returns:
            float32 (n, dimensions).

        Raises:
            ValueError: another shape or size.
        """
        expected = (3, self.size, self.size) if isinstance(images, torch.Tensor) else (self.size, self.size, 3)
        if tuple(images.shape[1:]) != expected:
            raise ValueError(f"images has shape {tuple(images.shape)}; allowed: (n, {', '.join(map(str, expected))})")
        place = self.mean_image.device
        codes = [
            self._encode(as_tensor(images[i : i + batch]).to(place)).float().cpu() for i in range(0, len(images), batch)
        ]
        return torch.cat(codes).numpy() if codes else np.zeros((0, self.dimensions), dtype=np.float32)

    @torch.inference_mode()
    def decode(self, codes: np.ndarray) -> torch.Tensor:
        """Portraits float32 (n, 3, size, size) in [-1, 1] from codes (n, dimensions)."""
        codes = np.asarray(codes, dtype=np.float32)
        if codes.ndim != 2 or codes.shape[1] != self.dimensions:
            raise ValueError(f"codes has shape {codes.shape}; allowed: (n, {self.dimensions})")
        return self._decode(torch.from_numpy(codes).to(self.mean_image.device)).clamp(-1, 1).cpu()


def _layer(convolution: nn.Conv2d) -> list[nn.Module]:
    return [convolution, nn.BatchNorm2d(convolution.out_channels), nn.LeakyReLU(0.2)]


def as_tensor(images: torch.Tensor | np.ndarray) -> torch.Tensor:
    """float32 (n, 3, size, size) in [-1, 1] from that, or from uint8 (n, size, size, 3)."""
    if isinstance(images, torch.Tensor):
        return images.float()
    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float() / 127.5 - 1


def reconstruction_loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean squared error, plus the absolute error of the differences between neighbouring pixels.

    The second term keeps edges (eyes, hair line) that squared error alone blurs away.
    """
    across = (output.diff(dim=3) - target.diff(dim=3)).abs().mean()
    down = (output.diff(dim=2) - target.diff(dim=2)).abs().mean()
    return F.mse_loss(output, target) + 0.1 * (across + down)


def train_autoencoder(
    images: np.ndarray,
    steps: int = 1500,
    batch: int = 32,
    learning_rate: float = 2e-3,
    dimensions: int = 64,
    seed: int = 0,
    channels: tuple[int, ...] | None = None,
    checkpoint: Path | None = None,
) -> tuple[AutoEncoder, list[float]]:
    """Train on portraits and their mirror images.

    Args:
        images: uint8 (n, size, size, 3).
        steps: optimiser steps; the learning rate falls to zero over them (cosine).
        checkpoint: a .safetensors path; written every 200 steps and continued from when it exists.

    Returns:
        The auto-encoder, in eval mode, and the loss of each step that was run now.
    """
    if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8 or len(images) == 0:
        raise ValueError(f"images is {images.dtype} {images.shape}; allowed: uint8 (n, size, size, 3), n at least 1")
    seed_everything(seed)
    place = device()
    model = AutoEncoder(images.shape[1], dimensions, channels)
    model.start_from_principal_components(images)
    model = model.to(place, memory_format=torch.channels_last).train()
    optimizer = torch.optim.Adam(
        (p for p in model.parameters() if p.requires_grad), lr=learning_rate, betas=(0.9, 0.98)
    )
    start = _resume(checkpoint, model, optimizer, place)
    # bfloat16 everywhere but on GPUs that lack it (Colab's T4), which get float16's safer twin, float32.
    half = place == "cpu" or torch.cuda.is_bf16_supported(including_emulation=False)

    losses = []
    batches = _batches(images, batch, seed + start)
    for step in tqdm(range(start, steps), desc="auto-encoder", disable=None, file=sys.stderr):
        warm_up = min(1.0, (step + 1) / 50)
        optimizer.param_groups[0]["lr"] = learning_rate * warm_up * 0.5 * (1 + math.cos(math.pi * step / steps))
        target = next(batches).to(place, memory_format=torch.channels_last)
        with torch.autocast(place, dtype=torch.bfloat16, enabled=half):
            output = model(target)
        loss = reconstruction_loss(output.float(), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if checkpoint and (step + 1) % 200 == 0:
            _save_checkpoint(checkpoint, model, optimizer, step + 1)
    return model.eval(), losses


def load_autoencoder(profile: Profile | str = "embedded") -> AutoEncoder:
    """The profile's trained auto-encoder, in eval mode, on the best device.

    Raises:
        WeightsError: its file is missing, truncated or not what its card says.
    """
    tensors, card = load_weights(load_profile(profile).recommend.autoencoder)
    model = AutoEncoder(**card["architecture"])
    model.load_state_dict(tensors)
    return model.to(device()).eval()


def _mean_image(images: np.ndarray) -> torch.Tensor:
    total = sum(chunk.sum(axis=0, dtype=np.float64) for chunk in np.array_split(images, -(-len(images) // 256)))
    mean = total / len(images) / 127.5 - 1
    mean = (mean + mean[:, ::-1]) / 2  # training mirrors at random
    return torch.from_numpy(np.ascontiguousarray(mean.transpose(2, 0, 1)[None])).float()


def _batches(images: np.ndarray, batch: int, seed: int) -> Iterator[torch.Tensor]:
    generator = np.random.default_rng(seed)
    batch = min(batch, len(images))
    while True:
        order = generator.permutation(len(images))
        for i in range(0, len(order) - batch + 1, batch):
            chosen = as_tensor(images[np.sort(order[i : i + batch])])
            mirrored = torch.from_numpy(generator.random(batch) < 0.5)
            yield torch.where(mirrored[:, None, None, None], chosen.flip(3), chosen)


def _save_checkpoint(path: Path, model: AutoEncoder, optimizer: torch.optim.Adam, step: int) -> None:
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    for name, parameter in model.named_parameters():
        for key in ("exp_avg", "exp_avg_sq") if parameter.requires_grad else ():
            tensors[f"{key}.{name}"] = optimizer.state[parameter][key]
    card = {"data": "checkpoint", "seed": None, "command": None, "metrics": {}, "licence": "Apache-2.0", "step": step}
    save_weights(path, tensors, card)


def _resume(path: Path | None, model: AutoEncoder, optimizer: torch.optim.Adam, place: str) -> int:
    if path is None or not path.exists():
        return 0
    tensors, card = load_weights(path)
    model.load_state_dict({name[6:]: tensor for name, tensor in tensors.items() if name.startswith("model.")})
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            moments = {key: tensors[f"{key}.{name}"].to(place) for key in ("exp_avg", "exp_avg_sq")}
            optimizer.state[parameter] = {"step": torch.tensor(float(card["step"])), **moments}
    return card["step"]


def _generated(profile: Profile, number: int, seed: int) -> np.ndarray:
    from ohlora.recommend.recommender import generate_images
    from ohlora.stylegan import load_generator

    generator = load_generator(profile)
    return generate_images(generator, generator.sample_z(number, seed))


def _rendered(profile: Profile, limit: int | None) -> np.ndarray:
    from ohlora.portraits.corpus import load_corpus

    return load_corpus(outputs_folder() / profile.portraits.corpus, limit=limit).images


def main(arguments: list[str] | None = None) -> None:
    """Command line: gather portraits, train, measure on held-out ones, write weights and card."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--profile", default="embedded")
    parser.add_argument("--rendered", type=int, default=None, help="rendered portraits to use; default: all, 0: none")
    parser.add_argument("--generated", type=int, default=0, help="portraits to generate and add")
    parser.add_argument("--held-out", type=int, default=200, help="of each source, kept for the measurement")
    parser.add_argument("--dimensions", type=int, default=64)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=None, help="default: outputs/weights/<name>.safetensors")
    options = parser.parse_args(arguments)
    profile = load_profile(options.profile)
    output = options.output or outputs_folder() / "weights" / f"{profile.recommend.autoencoder}.safetensors"

    sources = {}
    if options.rendered != 0:
        sources["rendered"] = _rendered(profile, options.rendered)
    if options.generated:
        sources["generated"] = _generated(profile, options.generated, seed=1_000_000 + options.seed)
    if not sources:
        parser.error("nothing to train on: give --rendered or --generated")
    training = np.concatenate([images[: -options.held_out] for images in sources.values()])
    checkpoint = output.with_name(f"{output.stem}_checkpoint.safetensors")
    model, losses = train_autoencoder(
        training, options.steps, options.batch, dimensions=options.dimensions, seed=options.seed, checkpoint=checkpoint
    )
    metrics = {}
    for name, images in sources.items():
        held_out = images[-options.held_out :]
        error = model.decode(model.encode(held_out)) - as_tensor(held_out)
        metrics[f"rmse_{name}_held_out"] = {"value": error.square().mean().sqrt().item(), "n": len(held_out)}
    counts = ", ".join(f"{len(images) - options.held_out} {name}" for name, images in sources.items())
    card = {
        "data": f"{counts} portraits of {profile.portraits.size} px and their mirror images",
        "seed": options.seed,
        "command": "python -m ohlora.recommend.autoencoder " + " ".join(arguments or sys.argv[1:]),
        "metrics": {**metrics, "note": "root of the mean squared error, pixels in [-1, 1]"},
        "licence": "Apache-2.0",
        "architecture": {"size": model.size, "dimensions": model.dimensions, "channels": list(model.channels)},
        "steps": options.steps,
        "last_loss": float(np.mean(losses[-50:])) if losses else None,
    }
    save_weights(output, model.state_dict(), card)
    for leftover in (checkpoint, checkpoint.with_suffix(".json")):
        if leftover.exists():
            os.remove(leftover)
    print(output, metrics)


if __name__ == "__main__":
    main()
