"""StyleGAN2's generator in plain PyTorch: a mapping network and a style-modulated synthesis network.

Source: Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", 2020 (StyleGAN2).
No custom operators. For a batch, the modulated convolution is written as scale the input → plain convolution →
demodulate the output; for one image the style goes into the weights. Both are the paper's grouped convolution
(eq. 1-3) and several times faster on a CPU. Doubling the size and convolving is one transposed convolution.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PROPERTY_LIMIT = 3.0  # z-scores; a conditioned generator is trained on ±2.5
CONDITIONINGS = ("concatenated", "per_layer")


@dataclass(frozen=True)
class GeneratorConfig:
    """Architecture of a generator.

    channels: feature maps at 4, 8, 16 … pixels; their number sets the image size.
    z_dim, w_dim: sizes of the latent z and of the intermediate latent w.
    mapping_layers: fully connected layers from z to w.
    normalise_latent: pixel norm of z, as in the paper. Off by default: z is paired with portrait
        parameters here, and the length that the norm throws away blurs every one of them by 9 %.
    properties: names of the values that the generator obeys (empty: unconditioned).
    conditioning: where they enter. "concatenated": beside z, into the mapping network. "per_layer": a second small
        network takes z and the values, and adds to w what each layer needs; the mapping network stays as it was.
    """

    channels: tuple[int, ...] = (192, 192, 192, 128, 64, 32, 16)
    z_dim: int = 64
    w_dim: int = 256
    mapping_layers: int = 4
    normalise_latent: bool = False
    properties: tuple[str, ...] = ()
    conditioning: str = "concatenated"

    def __post_init__(self) -> None:
        if self.conditioning not in CONDITIONINGS:
            raise ValueError(f"conditioning={self.conditioning!r} is unknown; allowed: {', '.join(CONDITIONINGS)}")

    @property
    def size(self) -> int:
        """Width and height of an image in pixels."""
        return 4 * 2 ** (len(self.channels) - 1)

    @property
    def layers(self) -> int:
        """Number of style inputs: one w for each convolution (an RGB layer shares its level's last)."""
        return 2 * len(self.channels) - 1

    def to_card(self) -> dict:
        """JSON-ready form, written into the card of the weights."""
        return asdict(self)

    @classmethod
    def from_card(cls, values: dict) -> GeneratorConfig:
        """Inverse of :meth:`to_card`."""
        return cls(**{**values, "channels": tuple(values["channels"]), "properties": tuple(values["properties"])})


def pixel_norm(values: Tensor) -> Tensor:
    """Scale each row of (n, channels) to mean square 1 (Karras et al. 2018, Progressive GAN, §4.2)."""
    return values * torch.rsqrt(values.square().mean(dim=1, keepdim=True) + 1e-8)


class PropertyEstimate(nn.Module):
    """What a portrait will measure, guessed without drawing it: (n, inputs) → z-scores (n, outputs); zero at first."""

    def __init__(self, inputs: int, outputs: int, width: int = 128) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(inputs, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, outputs)
        )
        nn.init.zeros_(self.layers[-1].weight)
        nn.init.zeros_(self.layers[-1].bias)

    def forward(self, values: Tensor) -> Tensor:
        return self.layers(values)


class MappingNetwork(nn.Module):
    """z (and the property values) → w: a small multi-layer perceptron, always in float32."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        values = len(config.properties)
        beside_z = values if config.conditioning == "concatenated" else 0
        widths = [config.z_dim + beside_z] + [config.w_dim] * config.mapping_layers
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(widths))
        # What a latent shows when nobody asks for anything, learned in conditioning.py.
        self.natural_properties = PropertyEstimate(config.z_dim, values).requires_grad_(False) if values else None
        self.offsets = None
        if values and config.conditioning == "per_layer":
            hidden = [nn.Linear(config.z_dim + values, config.w_dim), nn.LeakyReLU(0.2)]
            hidden += [nn.Linear(config.w_dim, config.w_dim), nn.LeakyReLU(0.2)]
            self.offsets = nn.Sequential(*hidden, nn.Linear(config.w_dim, config.layers * config.w_dim))
            nn.init.zeros_(self.offsets[-1].weight)
            nn.init.zeros_(self.offsets[-1].bias)

    def forward(self, z: Tensor, properties: Tensor | None = None) -> Tensor:
        """Map latents.

        Args:
            z: float32 (n, z_dim), drawn from N(0, I).
            properties: float32 (n, number of properties), z-scores within ±PROPERTY_LIMIT. None on a
                conditioned generator means: the values that this z shows naturally (an estimate).

        Returns:
            w, float32 (n, w_dim); of a generator that is conditioned per layer (n, layers, w_dim).

        Raises:
            ValueError: a wrong shape, a value out of range, or properties for a generator that has none.
        """
        if z.ndim != 2 or z.shape[1] != self.config.z_dim:
            raise ValueError(f"z has shape {tuple(z.shape)}; allowed: (n, {self.config.z_dim})")
        with torch.autocast(z.device.type, enabled=False):
            z = z.float()
            values = self._checked(z, properties)
            hidden = pixel_norm(z) if self.config.normalise_latent else z
            if values is not None and self.offsets is None:
                hidden = torch.cat([hidden, values], dim=1)
            for layer in self.layers:
                hidden = F.leaky_relu(layer(hidden), 0.2)
            if self.offsets is None:
                return hidden
            return hidden[:, None] + self.offsets(torch.cat([z, values], dim=1)).view(len(z), self.config.layers, -1)

    def _checked(self, z: Tensor, properties: Tensor | None) -> Tensor | None:
        names = self.config.properties
        if properties is None:
            return self.natural_properties(z).clamp(-2.5, 2.5) if names else None
        if not names:
            raise ValueError(
                "properties were given, but this generator is unconditioned; allowed: None "
                "(load the conditioned one with load_generator(profile, conditioned=True))"
            )
        values = torch.as_tensor(properties, dtype=torch.float32, device=z.device)
        if values.shape != (len(z), len(names)):
            raise ValueError(
                f"properties has shape {tuple(values.shape)}; allowed: ({len(z)}, {len(names)}), columns {list(names)}"
            )
        # nan fails this comparison too, as it should
        bad = ~(values.abs() <= PROPERTY_LIMIT)
        if bad.any():
            row, column = bad.nonzero()[0].tolist()
            raise ValueError(
                f"properties[{row}] has {names[column]}={values[row, column].item():.3g}; "
                f"allowed: z-scores from {-PROPERTY_LIMIT:g} to {PROPERTY_LIMIT:g}"
            )
        return values


class ModulatedConvolution(nn.Module):
    """Convolution whose input channels are scaled by a style (StyleGAN2, §2.2, eq. 1-3)."""

    def __init__(self, inputs: int, outputs: int, w_dim: int, kernel: int = 3, demodulate: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel) / math.sqrt(inputs * kernel**2))
        self.affine = nn.Linear(w_dim, inputs)
        nn.init.normal_(self.affine.weight, std=0.3 / math.sqrt(w_dim))
        nn.init.ones_(self.affine.bias)
        self.demodulate = demodulate

    def style(self, w: Tensor) -> Tensor:
        """Scale of each input channel, float32 (n, inputs); 1 on average."""
        with torch.autocast(w.device.type, enabled=False):
            return self.affine(w.float())

    def forward(self, features: Tensor, w: Tensor, upsample: bool = False) -> tuple[Tensor, Tensor | None]:
        """Convolve.

        Args:
            features: (n, inputs, h, w). w: (n, w_dim).
            upsample: double height and width (nearest pixel) between the scaling and the convolution.

        Returns:
            The convolved features (n, outputs, …) and the factor (n, outputs, 1, 1) that they still have to be
            multiplied by, so that the caller can fuse it with noise and bias (None: nothing is left to do).
        """
        style = self.style(w)
        with torch.autocast(w.device.type, enabled=False):
            power = style.square() @ self.weight.square().sum(dim=(2, 3)).t()
            factor = torch.rsqrt(power + 1e-8)[:, :, None, None] if self.demodulate else None
        weight = self.weight
        # Work on whichever is smaller: features in the low levels, weights in the high ones.
        small = 4 * features.numel() < weight.numel()
        if len(features) == 1 and not small:
            weight = weight * style[0, :, None, None]
            weight, factor = (weight * factor[0, :, :, None] if self.demodulate else weight), None
        else:
            features = features * style.to(features.dtype)[:, :, None, None]
        if upsample and small:
            features = F.interpolate(features, scale_factor=2.0, mode="nearest")
        elif upsample:
            return F.conv_transpose2d(features, doubling_kernel(weight), stride=2, padding=1), factor
        return F.conv2d(features, weight, padding=weight.shape[-1] // 2), factor


def doubling_kernel(weight: Tensor) -> Tensor:
    """Kernel (inputs, outputs, 4, 4) of the transposed convolution, stride 2, padding 1, that does what repeating
    every pixel in a 2×2 block and convolving with ``weight`` (outputs, inputs, 3, 3) does, with 4/9 of the work."""
    turned = weight.flip(2, 3).transpose(0, 1)
    tall = F.pad(turned, (0, 0, 0, 1)) + F.pad(turned, (0, 0, 1, 0))
    return F.pad(tall, (0, 1)) + F.pad(tall, (1, 0))


class StyledLayer(nn.Module):
    """Modulated convolution, fixed noise, bias, leaky ReLU with gain √2."""

    def __init__(self, inputs: int, outputs: int, w_dim: int, size: int, upsample: bool, seed: int) -> None:
        super().__init__()
        self.upsample = upsample
        self.convolution = ModulatedConvolution(inputs, outputs, w_dim)
        self.bias = nn.Parameter(torch.zeros(outputs))
        # The noise is drawn once and stored: the same w is the same face in every run and on every machine.
        noise = torch.randn(1, 1, size, size, generator=torch.Generator().manual_seed(seed))
        self.register_buffer("noise", noise)
        self.noise_strength = nn.Parameter(torch.full((), 0.05))

    def forward(self, features: Tensor, w: Tensor) -> Tensor:
        features, factor = self.convolution(features, w, upsample=self.upsample)
        # gain·lrelu(x) = lrelu(gain·x): the gain goes into the small tensors. Few passes, in place where that is
        # allowed: fresh memory costs more than the arithmetic.
        gain = math.sqrt(2.0)
        bias = (gain * self.bias).to(features.dtype)[None, :, None, None]
        scale = gain if factor is None else (gain * factor).to(features.dtype)
        features = torch.addcmul(bias, features, scale) if factor is not None else features.mul(scale).add_(bias)
        features = features.add_((gain * self.noise_strength * self.noise).to(features.dtype))
        return F.leaky_relu_(features, 0.2)


class SynthesisLevel(nn.Module):
    """One resolution: one or two styled layers and the layer that turns features into RGB."""

    def __init__(self, inputs: int, outputs: int, w_dim: int, size: int) -> None:
        super().__init__()
        layers = [StyledLayer(outputs, outputs, w_dim, size, upsample=False, seed=2 * size + 1)]
        if size > 4:
            layers.insert(0, StyledLayer(inputs, outputs, w_dim, size, upsample=True, seed=2 * size))
        self.layers = nn.ModuleList(layers)
        self.to_rgb = ModulatedConvolution(outputs, 3, w_dim, kernel=1, demodulate=False)
        self.rgb_bias = nn.Parameter(torch.zeros(3))
        if size > 4:
            # A new level starts by adding nothing, so that progressive growing never jolts the image.
            nn.init.zeros_(self.to_rgb.weight)

    def forward(self, features: Tensor, ws: list[Tensor]) -> tuple[Tensor, Tensor]:
        for layer, w in zip(self.layers, ws, strict=True):
            features = layer(features, w)
        rgb, _ = self.to_rgb(features, ws[-1])
        return features, rgb + self.rgb_bias.to(rgb.dtype)[None, :, None, None]


class SynthesisNetwork(nn.Module):
    """w → image, with skip connections in RGB (StyleGAN2, fig. 7b)."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.channels
        self.constant = nn.Parameter(torch.randn(1, channels[0], 4, 4))
        inputs = (channels[0], *channels[:-1])
        self.levels = nn.ModuleList(
            SynthesisLevel(a, b, config.w_dim, 4 * 2**level)
            for level, (a, b) in enumerate(zip(inputs, channels, strict=True))
        )

    def forward(self, w: Tensor, size: int | None = None) -> Tensor:
        """Make images.

        Args:
            w: (n, w_dim), one style for all layers, or (n, layers, w_dim), one style a layer (style mixing).
            size: stop at this resolution (progressive training); None: the full size.

        Returns:
            (n, 3, size, size), about [-1, 1], not clamped, so that gradients survive at the ends.
        """
        config = self.config
        size = config.size if size is None else size
        if w.shape[-1] != config.w_dim or w.ndim not in (2, 3) or (w.ndim == 3 and w.shape[1] != config.layers):
            raise ValueError(
                f"w has shape {tuple(w.shape)}; allowed: (n, {config.w_dim}) or (n, {config.layers}, {config.w_dim})"
            )
        if size not in [4 * 2**level for level in range(len(config.channels))]:
            raise ValueError(f"size={size} is not a level of this generator; allowed: 4, 8 … {config.size}")
        ws = list(w.unbind(dim=1)) if w.ndim == 3 else [w] * config.layers
        features = self.constant.expand(len(w), -1, -1, -1).contiguous(memory_format=torch.channels_last)
        image = None
        for level in self.levels:
            styles, ws = ws[: len(level.layers)], ws[len(level.layers) :]
            features, rgb = level(features, styles)
            image = rgb if image is None else F.interpolate(image, scale_factor=2.0, mode="bilinear") + rgb
            if image.shape[-1] == size:
                break
        return image.float()
