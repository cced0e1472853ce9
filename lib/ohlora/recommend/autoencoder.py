"""A convolutional auto-encoder: a portrait becomes a few numbers, and the numbers become a portrait again.

It is trained in autoencoder_training.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from sklearn.decomposition import PCA
from torch import nn
from torch.nn import functional as F

from ohlora.config import Profile, device, load_profile
from ohlora.images import resize, to_images
from ohlora.weights import load_weights

SIZE = 128  # pixels of a side; larger portraits are area-averaged
CHANNELS = (24, 48, 96, 128, 128, 128)
HIDDEN = 256  # numbers between the last feature map and the code
FREE_SCALE = 0.25  # spread of the free numbers beside those that tell a parameter, whose mean square is 1 or more


class AutoEncoder(nn.Module):
    """A convolutional auto-encoder (Hinton & Salakhutdinov 2006), supervised in a part of its code.

    A code has two parts. The first ``told`` numbers each tell one known parameter of the portrait, times how much
    that parameter shows (see visibility): between two codes, Euclidean distance then means "looks different to a
    person" more than "differs in many pixels". The others are free: they start as PCA of the picture at a quarter of
    its size, small beside the told ones, and keep what painting the picture again needs beyond the parameters. Both
    go through the same decoder, which makes the told ones better too (Le, Patterson & White 2018).

    Everything works on the difference to the mean training portrait: what all portraits share needs no numbers.

    Args:
        size: pixels of a side, ``4 · 2^levels``, at least 8.
        dimensions: numbers that describe a portrait.
        channels: feature maps a level, from the picture inwards; each level halves the picture, the last is 4×4.
        told: names of the parameters that the first numbers tell; none makes a plain auto-encoder.
    """

    def __init__(
        self,
        size: int = SIZE,
        dimensions: int = 64,
        channels: Sequence[int] | None = None,
        told: Sequence[str] = (),
    ) -> None:
        super().__init__()
        levels = int(math.log2(size / 4)) if size >= 8 else 0
        channels = tuple(channels) if channels else CHANNELS[:levels]
        if levels < 2 or size != 4 * 2**levels or len(channels) != levels:
            raise ValueError(f"size={size} with {len(channels)} channels; allowed: size = 4 · 2^(number of channels)")
        self.small = size // 4
        values = 3 * self.small**2
        if not 1 <= dimensions <= values:
            raise ValueError(f"dimensions={dimensions}; allowed: 1 to {values}")
        if len(told) > dimensions:
            raise ValueError(f"told has {len(told)} names; allowed: at most {dimensions}, one number each")
        self.size, self.dimensions, self.channels, self.told = size, dimensions, channels, tuple(told)

        # The linear way in is PCA and stays fixed; the linear way out starts as PCA.
        self.linear_encoder = nn.Linear(values, dimensions, bias=False).requires_grad_(False)
        self.linear_decoder = nn.Linear(dimensions, values, bias=False)
        encoder: list[nn.Module] = []
        for before, after in zip((3, *channels[:-1]), channels, strict=True):
            encoder += _layer(nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False))
            encoder += _layer(nn.Conv2d(after, after, 3, padding=1, bias=False))
        self.encoder = nn.Sequential(
            *encoder,
            nn.Flatten(),
            nn.Linear(channels[-1] * 16, HIDDEN),
            nn.LeakyReLU(0.2),
            nn.Linear(HIDDEN, dimensions),
        )
        decoder: list[nn.Module] = [
            nn.BatchNorm1d(dimensions, affine=False),
            nn.Linear(dimensions, channels[-1] * 16),
            nn.Unflatten(1, (channels[-1], 4, 4)),
        ]
        for before, after in zip(channels[:1:-1], channels[-2:0:-1], strict=True):
            decoder += [*_layer(nn.Conv2d(before, after, 3, padding=1, bias=False)), nn.Upsample(scale_factor=2)]
        self.decoder = nn.Sequential(*decoder)
        # From a quarter of the size on, the features also see the linear reconstruction that they shall correct.
        self.painter = nn.Sequential(
            *_layer(nn.Conv2d(channels[1] + 3, channels[1], 3, padding=1, bias=False)),
            nn.Upsample(scale_factor=2),
            *_layer(nn.Conv2d(channels[1], channels[0], 3, padding=1, bias=False)),
            nn.Conv2d(channels[0], 12, 3, padding=1),
            nn.PixelShuffle(2),
        )
        for last in (self.encoder[-1], self.painter[-2]):  # training starts exactly at the linear solution
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
        self.register_buffer("mean_image", torch.zeros(1, 3, size, size))
        self.register_buffer("scale", torch.full((dimensions,), FREE_SCALE if told else 1.0))

    def start_from_principal_components(self, images: np.ndarray) -> None:
        """Set the mean portrait, and the free numbers to PCA of the images (uint8) at a quarter of their size.

        Each component is divided by the fourth root of its variance. Undivided, distances would see little but the
        background, which fills most pixels; divided by the full spread, noise would count as much as hair. Then all
        are scaled together so that variances are 1 on average.
        """
        self.mean_image.copy_(_mean_image(images))
        self.linear_encoder.weight.data.zero_()
        self.linear_decoder.weight.data.zero_()
        free = self.dimensions - len(self.told)
        if not free:
            return
        small = []
        for chunk in np.array_split(images, -(-len(images) // 256)):
            centred = as_tensor(chunk) - self.mean_image
            small += [self._shrink(centred), self._shrink(centred.flip(3))]  # mirror images too, as in the training
        small = torch.cat(small).numpy()
        components = min(free, len(small))
        pca = PCA(components, svd_solver="randomized", random_state=0).fit(small)
        variance = np.maximum(pca.explained_variance_, 1e-6)
        scale = variance**0.25 * np.sqrt(np.sqrt(variance).mean())
        rows = slice(len(self.told), len(self.told) + components)
        self.linear_encoder.weight.data[rows] = torch.from_numpy(pca.components_ / scale[:, None])
        self.linear_decoder.weight.data[:, rows] = torch.from_numpy((pca.components_ * scale[:, None]).T)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Reconstructions of ``images``, float (n, 3, size, size) in about [-1, 1], and the parameters it tells.

        The parameters, (n, told), are in standard deviations. The reconstruction sends no gradient into them: they
        shall answer to the parameters alone.
        """
        values = self._values(images)
        told, free = values[:, : len(self.told)], values[:, len(self.told) :]
        return self._paint(torch.cat([told.detach(), free], dim=1)), told

    def _values(self, images: torch.Tensor) -> torch.Tensor:
        """The code before it is scaled: each number has a variance of about 1."""
        centred = images - self.mean_image
        return self.linear_encoder(self._shrink(centred)) + self.encoder(centred)

    def _paint(self, values: torch.Tensor) -> torch.Tensor:
        linear = self.linear_decoder(values).unflatten(1, (3, self.small, self.small))
        details = self.painter(torch.cat([self.decoder(values), linear], dim=1))
        smooth = F.interpolate(linear.float(), scale_factor=4, mode="bilinear")
        return self.mean_image + smooth + details

    def _shrink(self, images: torch.Tensor) -> torch.Tensor:
        return F.avg_pool2d(images, 4).flatten(1)

    @torch.inference_mode()
    def encode(self, images: torch.Tensor | np.ndarray, batch: int = 64) -> np.ndarray:
        """The codes of portraits.

        Args:
            images: float tensor (n, 3, size, size) in [-1, 1] or uint8 array (n, size, size, 3), of the
                auto-encoder's size or larger: larger ones are area-averaged.
            batch: portraits a step; changes memory, not results.

        Returns:
            float32 (n, dimensions).

        Raises:
            ValueError: another shape, or smaller.
        """
        channels_first = isinstance(images, torch.Tensor)
        side = images.shape[-1] if channels_first else images.shape[1]
        expected = (3, side, side) if channels_first else (side, side, 3)
        if images.ndim != 4 or tuple(images.shape[1:]) != expected or side < self.size:
            least = (3, self.size, self.size) if channels_first else (self.size, self.size, 3)
            raise ValueError(
                f"images has shape {tuple(images.shape)}; allowed: (n, {', '.join(map(str, least))}) or larger squares"
            )
        place, codes = self.mean_image.device, []
        for row in range(0, len(images), batch):
            chunk = resize(as_tensor(images[row : row + batch]).to(place), self.size)
            codes.append((self._values(chunk) * self.scale).float().cpu())
        return torch.cat(codes).numpy() if codes else np.zeros((0, self.dimensions), dtype=np.float32)

    @torch.inference_mode()
    def decode(self, codes: np.ndarray) -> torch.Tensor:
        """Portraits float32 (n, 3, size, size) in [-1, 1] from codes (n, dimensions)."""
        codes = np.asarray(codes, dtype=np.float32)
        if codes.ndim != 2 or codes.shape[1] != self.dimensions:
            raise ValueError(f"codes has shape {codes.shape}; allowed: (n, {self.dimensions})")
        values = torch.from_numpy(codes).to(self.mean_image.device) / self.scale
        return self._paint(values).clamp(-1, 1).cpu()


def _layer(convolution: nn.Conv2d) -> list[nn.Module]:
    return [convolution, nn.BatchNorm2d(convolution.out_channels), nn.LeakyReLU(0.2)]


def as_tensor(images: torch.Tensor | np.ndarray) -> torch.Tensor:
    """float32 (n, 3, size, size) in [-1, 1] from that, or from uint8 (n, size, size, 3)."""
    return images.float() if isinstance(images, torch.Tensor) else to_images(images)


def load_autoencoder(profile: Profile | str = "embedded") -> AutoEncoder:
    """The profile's trained auto-encoder, in eval mode, on the best device.

    Raises:
        WeightsError: its file is missing, truncated or not what its card says.
    """
    return read_autoencoder(load_profile(profile).recommend.autoencoder)


def read_autoencoder(name_or_path: str | Path) -> AutoEncoder:
    """An auto-encoder from a weight file (name or path), in eval mode, on the best device.

    Raises:
        WeightsError: missing or damaged.
    """
    tensors, card = load_weights(name_or_path)
    model = AutoEncoder(**card["architecture"])
    model.load_state_dict(tensors)
    return model.to(device()).eval()


def _mean_image(images: np.ndarray) -> torch.Tensor:
    total = sum(chunk.sum(axis=0, dtype=np.float64) for chunk in np.array_split(images, -(-len(images) // 256)))
    mean = total / len(images) / 127.5 - 1
    mean = (mean + mean[:, ::-1]) / 2  # training mirrors at random
    return torch.from_numpy(np.ascontiguousarray(mean.transpose(2, 0, 1)[None])).float()
