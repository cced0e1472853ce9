"""StyleGAN: a generator of portraits, how it is trained, what its latent space holds, how it obeys values."""

from ohlora.stylegan.generator import GeneratorConfig
from ohlora.stylegan.portrait_generator import PortraitGenerator, load_generator, read_generator, save_generator

__all__ = ["GeneratorConfig", "PortraitGenerator", "load_generator", "read_generator", "save_generator"]
