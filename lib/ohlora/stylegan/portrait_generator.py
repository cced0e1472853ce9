"""PortraitGenerator: what the rest of the book uses. Latents in, portraits out; load and save."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ohlora.config import Profile, load_profile
from ohlora.stylegan.generator import GeneratorConfig, MappingNetwork, SynthesisNetwork
from ohlora.weights import WeightsError, load_weights, save_weights

U_DIM = 60  # portrait parameters as a standard-normal vector; the rest of z is free
_BATCH = 32  # images made at once, so that memory stays bounded


class PortraitGenerator(nn.Module):
    """A StyleGAN2 generator with its truncation centre and the rotation that pairs z with portrait parameters.

    z = [u, extra] · rotation. The rotation is random and fixed: z stays N(0, I), and every portrait
    parameter is spread over all of z, as in any StyleGAN. Only training and evaluation may undo it.

    Attributes:
        mapping: z (n, z_dim), properties (n, k) or None → w (n, w_dim).
        synthesis: w (n, w_dim) or (n, layers, w_dim) → images (n, 3, size, size), about [-1, 1].
    """

    rotation: Tensor
    w_mean: Tensor

    def __init__(self, config: GeneratorConfig, seed: int = 0) -> None:
        super().__init__()
        self.config = config
        self.mapping = MappingNetwork(config)
        self.synthesis = SynthesisNetwork(config).to(memory_format=torch.channels_last)
        noise = torch.randn(config.z_dim, config.z_dim, generator=torch.Generator().manual_seed(seed))
        self.register_buffer("rotation", torch.linalg.qr(noise)[0])
        self.register_buffer("w_mean", torch.zeros(config.w_dim))

    @property
    def z_dim(self) -> int:
        """Length of a latent."""
        return self.config.z_dim

    @property
    def size(self) -> int:
        """Side of an image in pixels."""
        return self.config.size

    @property
    def properties(self) -> tuple[str, ...]:
        """Names of the property values that it obeys; empty if unconditioned."""
        return self.config.properties

    def sample_z(self, n: int, seed: int) -> Tensor:
        """n latents from N(0, I), float32 (n, z_dim); the same seed gives the same people."""
        if n < 1:
            raise ValueError(f"n={n} latents were asked for; allowed: 1 or more")
        return torch.randn(n, self.z_dim, generator=torch.Generator().manual_seed(seed)).to(self.rotation.device)

    def u_to_z(self, u: Tensor, extra: Tensor) -> Tensor:
        """Latents of portrait parameters: u (n, 60) and extra (n, z_dim − 60), both N(0, 1) → z (n, z_dim)."""
        return torch.cat([u, extra], dim=1) @ self.rotation

    def z_to_u(self, z: Tensor) -> Tensor:
        """Portrait parameters that a latent was paired with: (n, z_dim) → (n, 60)."""
        return (z @ self.rotation.t())[:, :U_DIM]

    def truncate(self, w: Tensor, truncation: float) -> Tensor:
        """Pull w towards the mean: 1 leaves it, 0 is the mean face (Karras et al. 2019, App. B)."""
        return self.w_mean + truncation * (w - self.w_mean)

    @torch.no_grad()
    def generate(self, z: Tensor, properties: Tensor | None = None, truncation: float = 1.0) -> Tensor:
        """Portraits of latents.

        Args:
            z: float32 (n, z_dim).
            properties: float32 (n, 7) z-scores, conditioned generators only; None: as z shows naturally.
            truncation: 0 (mean face) … 1 (all the variety).

        Returns:
            float32 (n, 3, size, size) in [-1, 1].
        """
        if not 0.0 <= truncation <= 1.5:
            raise ValueError(f"truncation={truncation} is out of range; allowed: 0 to 1.5")
        w = self.truncate(self.mapping(z, properties), truncation)
        return torch.cat([self.synthesis(part).clamp(-1.0, 1.0) for part in w.split(_BATCH)])

    @torch.no_grad()
    def update_w_mean(self, n: int = 4096, seed: int = 0) -> None:
        """Measure the centre of W over n latents."""
        self.w_mean.copy_(self.mapping(self.sample_z(n, seed)).mean(dim=0))


def save_generator(generator: PortraitGenerator, path: Path, card: dict[str, Any]) -> Path:
    """Write a generator in float16 (half the size, no visible change) with its card.

    Args:
        card: data, seed, command, metrics, licence; the architecture is added.
    """
    tensors = {name: tensor.half() for name, tensor in generator.state_dict().items()}
    # The pairing is an identity: keep it exact.
    tensors["rotation"] = generator.rotation.float()
    return save_weights(path, tensors, {**card, "architecture": generator.config.to_card()})


def read_generator(name_or_path: str | Path) -> PortraitGenerator:
    """A generator from a weight file (name or path), float32, in evaluation mode, no gradients.

    Raises:
        WeightsError: missing, truncated, or not a generator of this version.
    """
    tensors, card = load_weights(name_or_path)
    try:
        generator = PortraitGenerator(GeneratorConfig.from_card(card["architecture"]))
        generator.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    except (KeyError, TypeError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise WeightsError(f"weights {name_or_path} are not those of a portrait generator: {reason}") from error
    return generator.eval().requires_grad_(False)


def load_generator(profile: Profile | str = "embedded", conditioned: bool = False) -> PortraitGenerator:
    """The profile's generator: the one you trained (outputs/weights) or the shipped one.

    Args:
        conditioned: True for the one that takes the seven property values beside z.
    """
    section = load_profile(profile).stylegan
    return read_generator(section.conditioned if conditioned else section.weights)
