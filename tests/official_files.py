"""Files of the kind that NVIDIA's training writes, small and random: made for the tests of the importer.

The classes have the attributes of the official ones, and pickle themselves as those do: through
``torch_utils.persistence._reconstruct_persistent_obj`` with their source code inside.
"""

from __future__ import annotations

import io
import pickle
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

SOURCE = "raise SystemExit('the source code in the file was run')"


class EasyDict(dict):
    """A dict whose items are attributes."""

    def __getattr__(self, name: str):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


EasyDict.__module__, EasyDict.__qualname__ = "dnnlib.util", "EasyDict"


def _reconstruct_persistent_obj(meta: dict):
    raise AssertionError("Python's unpickler was used")


_reconstruct_persistent_obj.__module__ = "torch_utils.persistence"


@contextmanager
def official_modules() -> Iterator[None]:
    """The names that an official file mentions can be pickled inside, and cannot be imported outside."""
    modules = {name: types.ModuleType(name) for name in ("torch_utils", "torch_utils.persistence", "dnnlib")}
    modules["dnnlib.util"] = types.ModuleType("dnnlib.util")
    modules["torch_utils.persistence"]._reconstruct_persistent_obj = _reconstruct_persistent_obj
    modules["dnnlib.util"].EasyDict = EasyDict
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in modules:
            sys.modules.pop(name, None)


class Persistent(nn.Module):
    """Pickles itself as a persistent class does."""

    def __init__(self, class_name: str, **facts) -> None:
        super().__init__()
        self.class_name = class_name
        self._init_args = ()
        self._init_kwargs = {"synthesis_kwargs": EasyDict(channel_base=16384, conv_clamp=256)}
        for name, value in facts.items():
            setattr(self, name, value)

    def __reduce__(self):
        state = {name: value for name, value in self.__dict__.items() if name != "class_name"}
        meta = {
            "type": "class",
            "version": 6,
            "module_src": SOURCE,
            "class_name": self.class_name,
            "state": state,
        }
        return _reconstruct_persistent_obj, (meta,), None


def dense(inputs: int, outputs: int, lr_multiplier: float = 1, bias: float = 0, activation: str = "linear"):
    layer = Persistent("FullyConnectedLayer", activation=activation, bias_gain=lr_multiplier)
    layer.weight_gain = lr_multiplier / np.sqrt(inputs)  # a NumPy number, as in the official files
    layer.weight = nn.Parameter(torch.randn(outputs, inputs) / lr_multiplier)
    layer.bias = nn.Parameter(bias + 0.1 * torch.randn(outputs) / lr_multiplier)
    return layer


def low_pass() -> torch.Tensor:
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
    return torch.outer(taps, taps) / 64


def convolution(inputs: int, outputs: int, w_dim: int, resolution: int, up: int, clamp: float | None):
    layer = Persistent("SynthesisLayer", resolution=resolution, up=up, use_noise=True, activation="lrelu")
    layer.conv_clamp, layer.padding, layer.act_gain = clamp, 1, np.sqrt(2)
    layer.register_buffer("resample_filter", low_pass())
    layer.affine = dense(w_dim, inputs, bias=1)
    layer.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3).to(memory_format=torch.channels_last))
    layer.register_buffer("noise_const", torch.randn(resolution, resolution))
    layer.noise_strength = nn.Parameter(torch.tensor(0.3))
    layer.bias = nn.Parameter(0.1 * torch.randn(outputs))
    return layer


def to_rgb(inputs: int, w_dim: int, clamp: float | None):
    layer = Persistent("ToRGBLayer", conv_clamp=clamp, weight_gain=1 / np.sqrt(inputs))
    layer.affine = dense(w_dim, inputs, bias=1)
    layer.weight = nn.Parameter(torch.randn(3, inputs, 1, 1))
    layer.bias = nn.Parameter(0.1 * torch.randn(3))
    return layer


def official_generator(
    channels: tuple[int, ...] = (12, 8, 6),
    z_dim: int = 10,
    w_dim: int = 14,
    c_dim: int = 0,
    num_layers: int = 2,
    architecture: str = "skip",
    clamp: float | None = None,
    lr_multiplier: float = 0.01,
    seed: int = 0,
) -> Persistent:
    """A random generator with the structure and attribute names of the official one."""
    torch.manual_seed(seed)
    size = 4 * 2 ** (len(channels) - 1)
    mapping = Persistent("MappingNetwork", z_dim=z_dim, c_dim=c_dim, w_dim=w_dim, num_layers=num_layers)
    mapping.num_ws, mapping.w_avg_beta = 2 * len(channels), 0.995
    if c_dim:
        mapping.embed = dense(c_dim, w_dim)
    widths = [z_dim + (w_dim if c_dim else 0)] + [w_dim] * num_layers
    for index in range(num_layers):
        setattr(mapping, f"fc{index}", dense(widths[index], widths[index + 1], lr_multiplier, activation="lrelu"))
    mapping.register_buffer("w_avg", 0.2 * torch.randn(w_dim))
    synthesis = Persistent("SynthesisNetwork", w_dim=w_dim, img_resolution=size, img_channels=3)
    for level, outputs in enumerate(channels):
        resolution, inputs = 4 * 2**level, channels[max(level - 1, 0)]
        block = Persistent("SynthesisBlock", in_channels=inputs if level else 0, architecture=architecture)
        block.register_buffer("resample_filter", low_pass())
        if level == 0:
            block.const = nn.Parameter(torch.randn(outputs, 4, 4))
        else:
            block.conv0 = convolution(inputs, outputs, w_dim, resolution, 2, clamp)
        block.conv1 = convolution(outputs, outputs, w_dim, resolution, 1, clamp)
        if architecture == "skip" or level == len(channels) - 1:
            block.torgb = to_rgb(outputs, w_dim, clamp)
        if architecture == "resnet" and level:
            block.skip = Persistent("Conv2dLayer", activation="linear", weight_gain=1 / np.sqrt(inputs), up=2)
            block.skip.register_buffer("resample_filter", low_pass())
            block.skip.weight = nn.Parameter(torch.randn(outputs, inputs, 1, 1))
            block.skip.bias = None
        setattr(synthesis, f"b{resolution}", block)
    generator = Persistent("Generator", z_dim=z_dim, c_dim=c_dim, w_dim=w_dim, img_resolution=size, img_channels=3)
    generator.synthesis, generator.num_ws, generator.mapping = synthesis, mapping.num_ws, mapping
    return generator.requires_grad_(False)


def official_bytes(generator: Persistent, protocol: int = 4, **more) -> bytes:
    """The file: a dict of networks, pickled while the official modules can be found."""
    content = {"G": generator, "D": None, "G_ema": generator, "training_set_kwargs": EasyDict(resolution=16), **more}
    buffer = io.BytesIO()
    with official_modules():
        pickle.dump(content, buffer, protocol=protocol)
    return buffer.getvalue()
