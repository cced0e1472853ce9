"""Import other people's StyleGAN2 and StyleGAN2-ADA generators: their file → our safetensors and card.

    python -m ohlora.stylegan.importer FILE.pkl --name my_faces --licence "..." --licence-accepted

then ``weights: my_faces`` under ``stylegan:`` in a file of ``config/``. Nothing of the file is ever run.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import math
import re
from pathlib import Path

import torch
from torch import Tensor

from ohlora.config import PRETRAINED, outputs_folder
from ohlora.stylegan.checkpoint_formats import Checkpoint, read_checkpoint
from ohlora.stylegan.official_network import FILTER, OfficialConfig, OfficialGenerator
from ohlora.stylegan.pickle_reader import RefusedFileError
from ohlora.weights import save_weights

_MAXIMUM_LAYERS = 64  # of the mapping network; official ones have 2 to 8
QUESTION = (
    "Imported weights keep the licence that their author gave them, here and in everything trained from them. "
    "NVIDIA's own are for research and evaluation only, not for commercial use. "
    "Have you read the licence, and does it allow what you mean to do?"
)


def convert(checkpoint: Checkpoint, label: int | None = None) -> OfficialGenerator:
    """The generator of a checkpoint, ready to draw, float32.

    Args:
        label: the class that a class-conditional generator draws when none is asked for; needed for those only.

    Raises:
        RefusedFileError: a tensor is missing, too many, of another shape or not finite.
        ValueError: ``label`` is missing, out of range, or given for a generator without classes.
    """
    tensors = _Tensors(checkpoint.tensors)
    config = _configuration(tensors, checkpoint.clamp, label)
    generator = OfficialGenerator(config)
    own = {"synthesis.constant": tensors.take("synthesis.b4.const", config.channels[0], 4, 4)[None]}
    widths = [config.z_dim + config.class_width, *config.mapping_widths]
    for index, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
        layer = tensors.dense(f"mapping.fc{index}", inputs, outputs, checkpoint.lr_multiplier)
        own.update(_prefixed(f"mapping.layers.{index}", layer))
    if config.classes:
        own.update(_prefixed("mapping.embed", tensors.dense("mapping.embed", config.classes, config.class_width)))
    for level in range(len(config.channels)):
        own.update(_prefixed(f"synthesis.levels.{level}", _level(tensors, config, level)))
    mean = "mapping.w_avg"
    own["w_mean"] = tensors.take(mean, config.w_dim) if mean in tensors.left else generator.w_mean
    has_mean = mean in checkpoint.tensors
    tensors.finish()
    generator.load_state_dict(own)
    if not has_mean:
        generator.update_w_mean()
    return generator.eval().requires_grad_(False)


class _Tensors:
    """The tensors of a checkpoint: each is taken once, checked, and nothing may be left."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        self.left = dict(tensors)

    def shape(self, name: str, dimensions: int) -> tuple[int, ...]:
        if name not in self.left:
            raise RefusedFileError(f"it has no tensor {name}; a StyleGAN2 generator has")
        shape = tuple(self.left[name].shape)
        if len(shape) != dimensions or 0 in shape:
            raise RefusedFileError(f"{name} has shape {shape}; allowed: {dimensions} dimensions above 0")
        return shape

    def take(self, name: str, *shape: int) -> Tensor:
        if name not in self.left:
            raise RefusedFileError(f"it has no tensor {name}; a StyleGAN2 generator of this architecture has")
        tensor = self.left.pop(name)
        if tuple(tensor.shape) != shape or not tensor.is_floating_point() or tensor.layout is not torch.strided:
            raise RefusedFileError(f"{name} has shape {tuple(tensor.shape)}, {tensor.dtype}; allowed: {shape}, float")
        tensor = tensor.detach().float().clone()
        if not tensor.isfinite().all():
            raise RefusedFileError(f"{name} has numbers that are not finite")
        return tensor

    def dense(self, name: str, inputs: int, outputs: int, lr_multiplier: float = 1.0) -> dict[str, Tensor]:
        """A fully connected layer with its equalised learning rate folded in (Progressive GAN, §4.1)."""
        weight = self.take(f"{name}.weight", outputs, inputs) * (lr_multiplier / math.sqrt(inputs))
        return {"weight": weight, "bias": self.take(f"{name}.bias", outputs) * lr_multiplier}

    def finish(self) -> None:
        """Check the filters, and that nothing is left that this network would not use."""
        taps = torch.tensor(FILTER) / sum(FILTER)
        for name in [name for name in self.left if name.endswith(".resample_filter")]:
            if not torch.allclose(self.take(name, 4, 4), torch.outer(taps, taps), atol=1e-5):
                raise RefusedFileError(f"{name} is another low-pass filter; allowed: {[int(tap) for tap in FILTER]}")
        if self.left:
            names = ", ".join(name[:100] for name in sorted(self.left)[:3])
            raise RefusedFileError(f"it has {len(self.left)} tensors that a StyleGAN2 generator has not: {names}")


def _configuration(tensors: _Tensors, clamp: float | None, label: int | None) -> OfficialConfig:
    """The architecture, from the shapes."""
    names = tensors.left
    levels = 1
    while f"synthesis.b{4 * 2**levels}.conv1.weight" in names:
        levels += 1
    channels = tuple(tensors.shape(f"synthesis.b{4 * 2**level}.conv1.weight", 4)[0] for level in range(levels))
    depth = 1
    while f"mapping.fc{depth}.weight" in names and depth <= _MAXIMUM_LAYERS:
        depth += 1
    shapes = [tensors.shape(f"mapping.fc{index}.weight", 2) for index in range(depth)]
    class_width, classes = tensors.shape("mapping.embed.weight", 2) if "mapping.embed.weight" in names else (0, 0)
    if shapes[0][1] <= class_width:
        raise RefusedFileError("its mapping network takes no latent; a StyleGAN2 generator does")
    if classes and (label is None or not 0 <= label < classes):
        raise ValueError(f"class={label}: this generator draws {classes} classes; allowed: 0 to {classes - 1}")
    if label is not None and not classes:
        raise ValueError(f"class={label} was given, but this generator has no classes; leave it away")
    colours = tensors.shape(f"synthesis.b{4 * 2 ** (levels - 1)}.torgb.weight", 4)[0]
    w_dim = tensors.shape("synthesis.b4.conv1.affine.weight", 2)[1]
    if shapes[-1][0] != w_dim:
        raise RefusedFileError(
            f"its mapping network gives {shapes[-1][0]} numbers, its synthesis network takes {w_dim}"
        )
    if colours != 3:
        raise RefusedFileError(f"its images have {colours} channels; allowed: 3 (red, green, blue)")
    return OfficialConfig(
        channels=channels,
        z_dim=shapes[0][1] - class_width,
        w_dim=w_dim,
        mapping_widths=tuple(outputs for outputs, _ in shapes),
        classes=classes,
        class_width=class_width,
        label=label or 0,
        architecture=_architecture(tensors, levels),
        clamp=clamp,
    )


def _architecture(tensors: _Tensors, levels: int) -> str:
    if "synthesis.b8.skip.weight" in tensors.left:
        return "resnet"
    return "skip" if levels == 1 or "synthesis.b4.torgb.weight" in tensors.left else "orig"


def _level(tensors: _Tensors, config: OfficialConfig, level: int) -> dict[str, Tensor]:
    """The tensors of one resolution under our names."""
    block, size = f"synthesis.b{4 * 2**level}", 4 * 2**level
    inputs, outputs = config.channels[max(level - 1, 0)], config.channels[level]
    own: dict[str, Tensor] = {}
    convolutions = [("conv1", outputs)] if level == 0 else [("conv0", inputs), ("conv1", outputs)]
    for index, (convolution, features) in enumerate(convolutions):
        name = f"{block}.{convolution}"
        layer = {
            "convolution.weight": tensors.take(f"{name}.weight", outputs, features, 3, 3),
            "bias": tensors.take(f"{name}.bias", outputs),
            "noise": torch.zeros(size, size),
            **_prefixed("convolution.affine", tensors.dense(f"{name}.affine", config.w_dim, features)),
        }
        if f"{name}.noise_const" in tensors.left:  # networks may be trained without noise
            layer["noise"] = tensors.take(f"{name}.noise_const", size, size) * tensors.take(f"{name}.noise_strength")
        own.update(_prefixed(f"layers.{index}", layer))
    if config.architecture == "resnet" and level > 0:
        weight = tensors.take(f"{block}.skip.weight", outputs, inputs, 1, 1)
        own["shortcut.weight"] = weight / math.sqrt(inputs)
    if config.architecture == "skip" or level == len(config.channels) - 1:
        # Not demodulated, so that the learning rate's scale stays: it goes into the style.
        style = tensors.dense(f"{block}.torgb.affine", config.w_dim, outputs)
        own["to_rgb.convolution.weight"] = tensors.take(f"{block}.torgb.weight", 3, outputs, 1, 1)
        own["to_rgb.bias"] = tensors.take(f"{block}.torgb.bias", 3)
        scaled = {name: tensor / math.sqrt(outputs) for name, tensor in style.items()}
        own.update(_prefixed("to_rgb.convolution.affine", scaled))
    return own


def _prefixed(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def import_generator(
    path: Path,
    name: str,
    licence: str,
    *,
    label: int | None = None,
    lr_multiplier: float | None = None,
    clamp: float | None = None,
    replace: bool = False,
) -> Path:
    """Write ``outputs/weights/<name>.safetensors`` and its card from someone else's file.

    Args:
        path: .pkl of NVIDIA's, or a state dict (.pt, .pth, .safetensors).
        name: what ``stylegan.weights`` of a profile will say; lower-case letters, digits and _.
        licence: of the weights, as their author states it; written into the card.
        label: class to draw, class-conditional generators only.
        lr_multiplier, clamp: state dicts only, where they differ from the usual 0.01 and None.
        replace: overwrite an earlier import of the same name.

    Returns:
        The path of the weights.

    Raises:
        RefusedFileError: the file is harmful, damaged or of another kind; nothing was written.
        ValueError: a bad name, licence or class.
    """
    path = Path(path)
    if not re.fullmatch(r"[a-z0-9][a-z0-9_]{0,63}", name):
        raise ValueError(f"name={name!r}; allowed: lower-case letters, digits and _, up to 64")
    if not licence.strip():
        raise ValueError("licence is empty; allowed: the licence of the weights, as their author states it")
    target = outputs_folder() / "weights" / f"{name}.safetensors"
    if (PRETRAINED / target.name).exists():
        raise ValueError(f"name={name!r} is that of shipped weights; allowed: another one")
    if target.exists() and not replace:
        raise ValueError(f"name={name!r} is taken ({target}); allowed: another one, or replace")
    checkpoint = read_checkpoint(path, lr_multiplier, clamp)
    try:
        generator = convert(checkpoint, label)
    except RefusedFileError as error:
        raise RefusedFileError(f"{path}: {error}") from error
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    card = {
        "data": f"imported from {path.name}; what it was trained on, its author tells",
        "seed": None,
        "command": f"python -m ohlora.stylegan.importer {path.name} --name {name}",
        "metrics": {},
        "licence": licence.strip(),
        "licence_question": QUESTION,
        "source": {"file": path.name, "sha256": digest, "form": checkpoint.form},
        "architecture": generator.config.to_card(),
    }
    return save_weights(target, generator.state_dict(), card)


def main(arguments: list[str] | None = None) -> None:
    """The command; see the module's first lines."""
    parser = argparse.ArgumentParser(description="Import a StyleGAN2 or StyleGAN2-ADA generator.")
    parser.add_argument("file", type=Path, help="NVIDIA's .pkl, or a state dict: .pt, .pth, .safetensors")
    parser.add_argument("--name", required=True, help="name of the weights here, for stylegan.weights in config/")
    parser.add_argument("--licence", required=True, help="licence of the weights; goes into their card")
    parser.add_argument("--licence-accepted", action="store_true", help="you have read it and may use them so")
    parser.add_argument("--class", dest="label", type=int, help="class to draw, class-conditional generators only")
    parser.add_argument("--lr-multiplier", type=float, help="of the mapping network, state dicts only; usually 0.01")
    parser.add_argument(
        "--clamp", type=float, help="limit of activations, state dicts only; 256 after float16 training"
    )
    parser.add_argument("--replace", action="store_true", help="overwrite an earlier import of this name")
    given = parser.parse_args(arguments)
    print(QUESTION)
    if not given.licence_accepted:
        raise SystemExit("nothing was imported: answer with --licence-accepted")
    try:
        path = import_generator(
            given.file,
            given.name,
            given.licence,
            label=given.label,
            lr_multiplier=given.lr_multiplier,
            clamp=given.clamp,
            replace=given.replace,
        )
    except ValueError as error:
        raise SystemExit(str(error)) from error
    print(f"written: {path} (licence: {given.licence}); use it with stylegan: weights: {given.name} in config/")


if __name__ == "__main__":
    main()
