"""PortraitGenerator: what the rest of the book uses. Latents in, portraits out; load and save."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ohlora.config import Profile, load_profile
from ohlora.portraits import VECTOR_SIZE
from ohlora.stylegan.generator import GeneratorConfig, MappingNetwork, SynthesisNetwork
from ohlora.stylegan.latent_generator import LatentGenerator
from ohlora.stylegan.official_network import KIND, OfficialConfig, OfficialGenerator
from ohlora.weights import WeightsError, load_weights, save_weights

U_DIM = VECTOR_SIZE  # portrait parameters as a standard-normal vector; the rest of z is free


class PortraitGenerator(LatentGenerator):
    """A StyleGAN2 generator with its truncation centre and the rotation that pairs z with portrait parameters.

    z = [u, extra] · rotation. The rotation is random and fixed: z stays N(0, I), and every portrait
    parameter is spread over all of z, as in any StyleGAN. Only training and evaluation may undo it.
    """

    rotation: Tensor

    def __init__(self, config: GeneratorConfig, seed: int = 0) -> None:
        mapping = MappingNetwork(config)
        synthesis = SynthesisNetwork(config).to(memory_format=torch.channels_last)
        super().__init__(config, mapping, synthesis)
        noise = torch.randn(config.z_dim, config.z_dim, generator=torch.Generator().manual_seed(seed))
        self.register_buffer("rotation", torch.linalg.qr(noise)[0])

    def u_to_z(self, u: Tensor, extra: Tensor) -> Tensor:
        """Latents of portrait parameters: u (n, U_DIM) and extra (n, z_dim − U_DIM), both N(0, 1) → z (n, z_dim)."""
        return torch.cat([u, extra], dim=1) @ self.rotation

    def z_to_u(self, z: Tensor) -> Tensor:
        """Portrait parameters that a latent was paired with: (n, z_dim) → (n, U_DIM)."""
        return (z @ self.rotation.t())[:, :U_DIM]


def save_generator(generator: PortraitGenerator, path: Path, card: dict[str, Any]) -> Path:
    """Write a generator in float16 (half the size, no visible change) with its card.

    Args:
        card: data, seed, command, metrics, licence; the architecture is added.
    """
    tensors = {name: tensor.half() for name, tensor in generator.state_dict().items()}
    # The pairing is an identity: keep it exact.
    tensors["rotation"] = generator.rotation.float()
    return save_weights(path, tensors, {**card, "architecture": generator.config.to_card()})


def read_generator(name_or_path: str | Path) -> PortraitGenerator | OfficialGenerator:
    """A generator from a weight file (name or path), float32, in evaluation mode, no gradients.

    The card tells whether it is ours or an imported one (:mod:`ohlora.stylegan.importer`).

    Raises:
        WeightsError: missing, truncated, or not a generator of this version.
    """
    tensors, card = load_weights(name_or_path)
    try:
        architecture = card["architecture"]
        if architecture.get("kind") == KIND:
            generator = OfficialGenerator(OfficialConfig.from_card(architecture))
        else:
            generator = PortraitGenerator(GeneratorConfig.from_card(architecture))
        generator.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    except (KeyError, TypeError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise WeightsError(f"weights {name_or_path} are not those of a portrait generator: {reason}") from error
    return generator.eval().requires_grad_(False)


def load_generator(
    profile: Profile | str = "embedded", conditioned: bool = False
) -> PortraitGenerator | OfficialGenerator:
    """The profile's generator: the one you trained or imported (outputs/weights) or the shipped one.

    Args:
        conditioned: True for the one that takes the seven property values beside z.
    """
    section = load_profile(profile).stylegan
    return read_generator(section.conditioned if conditioned else section.weights)
