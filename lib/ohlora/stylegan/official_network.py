"""StyleGAN2 as its authors published it, for inference: imported weights run in this network.

Source: Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN" (StyleGAN2), and Karras et al. 2020,
"Training Generative Adversarial Networks with Limited Data" (ADA), whose generator is the same. It differs from
:mod:`ohlora.stylegan.generator`, which is smaller, in the low-pass filter after every doubling, a further style for
the last RGB layer, class labels, clamping, and the residual and plain variants. Equalised learning rates are folded
into the weights when a file is imported, so that every layer here is an ordinary one.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import asdict, dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ohlora.stylegan.generator import pixel_norm
from ohlora.stylegan.latent_generator import LatentGenerator

KIND = "official_stylegan2"  # what a card's architecture is called
ARCHITECTURES = ("skip", "resnet", "orig")
FILTER = (1.0, 3.0, 3.0, 1.0)  # the low-pass filter along one axis, before it is normalised


@dataclass(frozen=True)
class OfficialConfig:
    """Architecture of an imported generator.

    channels: feature maps at 4, 8, 16 … pixels; their number sets the image size.
    z_dim, w_dim: sizes of the latent z and of the intermediate latent w.
    mapping_widths: outputs of each fully connected layer from z to w; the last is w_dim.
    classes, class_width: number of class labels and the width of their embedding; 0: no labels.
    label: the class that is drawn when none is asked for.
    architecture: how levels become an image: "skip" (RGB of all levels added), "resnet" (residual), "orig" (neither).
    clamp: activations are kept within ±clamp, as where it was trained in float16; None: no limit.
    """

    channels: tuple[int, ...]
    z_dim: int = 512
    w_dim: int = 512
    mapping_widths: tuple[int, ...] = (512,) * 8
    classes: int = 0
    class_width: int = 0
    label: int = 0
    architecture: str = "skip"
    clamp: float | None = None

    @property
    def size(self) -> int:
        """Width and height of an image in pixels."""
        return 4 * 2 ** (len(self.channels) - 1)

    @property
    def layers(self) -> int:
        """Number of style inputs: one w for each convolution and one for the last RGB layer."""
        return 2 * len(self.channels)

    @property
    def properties(self) -> tuple[str, ...]:
        """Always empty: an imported generator obeys no property values."""
        return ()

    def to_card(self) -> dict:
        """JSON-ready form, written into the card of the weights."""
        return {"kind": KIND, **asdict(self)}

    @classmethod
    def from_card(cls, values: dict) -> OfficialConfig:
        """Inverse of :meth:`to_card`."""
        known = {field.name: values[field.name] for field in fields(cls)}
        return cls(**{**known, "channels": tuple(known["channels"]), "mapping_widths": tuple(known["mapping_widths"])})


def _kernel(channels: int, like: Tensor) -> Tensor:
    """The 4 × 4 low-pass filter with sum 4 (a doubled image has a quarter of the light), one a channel."""
    taps = torch.tensor(FILTER, dtype=like.dtype, device=like.device) / sum(FILTER) * 2
    return torch.outer(taps, taps).expand(channels, 1, 4, 4)


def double(images: Tensor) -> Tensor:
    """Twice the height and width: zeros between the pixels, then the low-pass filter; (n, c, h, w) → (n, c, 2h, 2w)."""
    channels = images.shape[1]
    return F.conv_transpose2d(images, _kernel(channels, images), stride=2, padding=1, groups=channels)


class OfficialMapping(nn.Module):
    """z and a class label → w, always in float32 (StyleGAN2-ADA, §2 and App. D)."""

    def __init__(self, config: OfficialConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Linear(config.classes, config.class_width) if config.classes else None
        widths = [config.z_dim + config.class_width, *config.mapping_widths]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(widths))

    def forward(self, z: Tensor, properties: Tensor | None = None, labels: Tensor | None = None) -> Tensor:
        """Map latents.

        Args:
            z: float32 (n, z_dim), drawn from N(0, I).
            properties: must be None; it is here because every generator of the book can be asked.
            labels: int64 (n,), classes of a class-conditional generator; None: the card's.

        Returns:
            w, float32 (n, w_dim).

        Raises:
            ValueError: a wrong shape or class, or values for a generator that takes none.
        """
        config = self.config
        if z.ndim != 2 or z.shape[1] != config.z_dim:
            raise ValueError(f"z has shape {tuple(z.shape)}; allowed: (n, {config.z_dim})")
        if properties is not None:
            raise ValueError("properties were given, but an imported generator obeys none; allowed: None")
        with torch.autocast(z.device.type, enabled=False):
            hidden = pixel_norm(z.float())
            if self.embed is not None:
                hidden = torch.cat([hidden, pixel_norm(self.embed(self._one_hot(z, labels)))], dim=1)
            elif labels is not None:
                raise ValueError("labels were given, but this generator has no classes; allowed: None")
            for layer in self.layers:
                hidden = F.leaky_relu(layer(hidden), 0.2) * math.sqrt(2)
        return hidden

    def _one_hot(self, z: Tensor, labels: Tensor | None) -> Tensor:
        classes = self.config.classes
        if labels is None:
            labels = torch.full((len(z),), self.config.label)
        labels = torch.as_tensor(labels).to(z.device)
        if labels.shape != (len(z),) or labels.is_floating_point() or ((labels < 0) | (labels >= classes)).any():
            raise ValueError(f"labels={labels.tolist()}; allowed: {len(z)} whole numbers from 0 to {classes - 1}")
        return F.one_hot(labels.long(), classes).float()


class OfficialConvolution(nn.Module):
    """Convolution whose input channels are scaled by a style (StyleGAN2, §2.2, eq. 1-3)."""

    def __init__(self, inputs: int, outputs: int, w_dim: int, kernel: int = 3, demodulate: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.affine = nn.Linear(w_dim, inputs)
        self.demodulate = demodulate

    def forward(self, features: Tensor, w: Tensor, upsample: bool = False) -> Tensor:
        """(n, inputs, h, w), (n, w_dim) → (n, outputs, h, w); doubled and low-pass filtered if ``upsample``.

        Scaling the input and dividing the output is the paper's eq. 1-3 without one weight for each image.
        """
        with torch.autocast(w.device.type, enabled=False):
            style = self.affine(w.float())
            power = style.square() @ self.weight.square().sum(dim=(2, 3)).t()
            factor = torch.rsqrt(power + 1e-8)[:, :, None, None]
        features = features * style.to(features.dtype)[:, :, None, None]
        if upsample:
            features = F.conv_transpose2d(features, self.weight.transpose(0, 1), stride=2)
            channels = features.shape[1]
            features = F.conv2d(features, _kernel(channels, features), padding=1, groups=channels)
        else:
            features = F.conv2d(features, self.weight, padding=self.weight.shape[-1] // 2)
        return features * factor.to(features.dtype) if self.demodulate else features


class OfficialLayer(nn.Module):
    """Modulated convolution, fixed noise, bias, leaky ReLU, clamping.

    noise: (size, size), the file's constant noise times its strength.
    """

    noise: Tensor

    def __init__(self, inputs: int, outputs: int, config: OfficialConfig, size: int, upsample: bool) -> None:
        super().__init__()
        self.convolution = OfficialConvolution(inputs, outputs, config.w_dim)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("noise", torch.zeros(size, size))
        self.upsample = upsample
        self.clamp = config.clamp

    def forward(self, features: Tensor, w: Tensor, gain: float = 1.0) -> Tensor:
        features = self.convolution(features, w, self.upsample)
        features = features + (self.noise + self.bias[:, None, None]).to(features.dtype)
        features = F.leaky_relu(features, 0.2) * (math.sqrt(2) * gain)
        return features if self.clamp is None else features.clamp(-self.clamp * gain, self.clamp * gain)


class OfficialRgb(nn.Module):
    """Features → colours: a 1 × 1 modulated convolution without demodulation, bias, clamping."""

    def __init__(self, inputs: int, config: OfficialConfig) -> None:
        super().__init__()
        self.convolution = OfficialConvolution(inputs, 3, config.w_dim, kernel=1, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(3))
        self.clamp = config.clamp

    def forward(self, features: Tensor, w: Tensor) -> Tensor:
        colours = self.convolution(features, w).float() + self.bias[:, None, None]
        return colours if self.clamp is None else colours.clamp(-self.clamp, self.clamp)


class OfficialLevel(nn.Module):
    """All layers of one resolution, in the variant that the configuration names."""

    def __init__(self, config: OfficialConfig, level: int) -> None:
        super().__init__()
        outputs, size = config.channels[level], 4 * 2**level
        inputs = config.channels[max(level - 1, 0)]
        layers = [OfficialLayer(outputs, outputs, config, size, upsample=False)]
        if level > 0:
            layers.insert(0, OfficialLayer(inputs, outputs, config, size, upsample=True))
        self.layers = nn.ModuleList(layers)
        residual = config.architecture == "resnet" and level > 0
        self.shortcut = nn.Conv2d(inputs, outputs, 1, bias=False) if residual else None
        shows = config.architecture == "skip" or level == len(config.channels) - 1
        self.to_rgb = OfficialRgb(outputs, config) if shows else None

    def forward(self, features: Tensor, image: Tensor | None, ws: list[Tensor]) -> tuple[Tensor, Tensor | None]:
        """``ws``: one w for each layer and one more, which the RGB layer shares with the next level's first layer."""
        # Two branches are added: each brings half of the variance.
        gain = 1.0 if self.shortcut is None else math.sqrt(0.5)
        around = None if self.shortcut is None else double(self.shortcut(features)) * gain
        for layer, w in zip(self.layers, ws[:-1], strict=True):
            features = layer(features, w, gain if layer is self.layers[-1] else 1.0)
        features = features if around is None else features + around
        image = None if image is None else double(image)
        if self.to_rgb is not None:
            colours = self.to_rgb(features, ws[-1])
            image = colours if image is None else image + colours
        return features, image


class OfficialSynthesis(nn.Module):
    """w → image."""

    def __init__(self, config: OfficialConfig) -> None:
        super().__init__()
        if config.architecture not in ARCHITECTURES:
            raise ValueError(f"architecture={config.architecture!r}; allowed: {', '.join(ARCHITECTURES)}")
        self.config = config
        self.constant = nn.Parameter(torch.randn(1, config.channels[0], 4, 4))
        self.levels = nn.ModuleList(OfficialLevel(config, level) for level in range(len(config.channels)))

    def forward(self, w: Tensor) -> Tensor:
        """Make images.

        Args:
            w: (n, w_dim), one style for all layers, or (n, layers, w_dim), one style a layer (style mixing).

        Returns:
            float32 (n, 3, size, size), about [-1, 1], not clamped.
        """
        config = self.config
        if w.shape[-1] != config.w_dim or w.ndim not in (2, 3) or (w.ndim == 3 and w.shape[1] != config.layers):
            raise ValueError(
                f"w has shape {tuple(w.shape)}; allowed: (n, {config.w_dim}) or (n, {config.layers}, {config.w_dim})"
            )
        ws = list(w.unbind(dim=1)) if w.ndim == 3 else [w] * config.layers
        features, image = self.constant.expand(len(w), -1, -1, -1), None
        for level in self.levels:
            features, image = level(features, image, ws[: len(level.layers) + 1])
            ws = ws[len(level.layers) :]
        return image


class OfficialGenerator(LatentGenerator):
    """An imported generator: asked in the same way as ours, drawing exactly what the original draws.

    Its latents are paired with no portrait parameters, and it obeys no property values.
    """

    def __init__(self, config: OfficialConfig) -> None:
        super().__init__(config, OfficialMapping(config), OfficialSynthesis(config))

    def z_to_u(self, z: Tensor) -> Tensor:
        """Refused with a sentence: only our own latents are paired with portrait parameters."""
        raise ValueError(
            "an imported generator's latents are paired with no portrait parameters; allowed: one trained on renders"
        )
