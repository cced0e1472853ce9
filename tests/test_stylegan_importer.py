"""Imported generators draw what the official architecture draws; harmful and broken files are refused, nothing runs."""

from __future__ import annotations

import argparse
import io
import json
import math
import os
import pickle
import pickletools
import struct
import zipfile
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from official_files import SOURCE, EasyDict, Persistent, official_bytes, official_generator, official_modules
from safetensors.torch import save_file

from ohlora.config import load_profile
from ohlora.stylegan import load_generator, pickle_reader, read_generator
from ohlora.stylegan.checkpoint_formats import read_checkpoint
from ohlora.stylegan.importer import convert, import_generator, main
from ohlora.stylegan.latent_directions import principal_directions, sefa_directions
from ohlora.stylegan.pickle_reader import RefusedFileError, read_pickle

LICENCE = "CC-BY-4.0"
CONFIGURATIONS = {
    "skip": {},
    "eight mapping layers": {"num_layers": 8},
    "classes": {"c_dim": 5, "num_layers": 3},
    "clamped": {"clamp": 0.8},
    "resnet, clamped": {"architecture": "resnet", "clamp": 1.5},
    "orig, 32 px": {"architecture": "orig", "channels": (8, 8, 6, 4)},
    "another rate": {"lr_multiplier": 0.5},
}


# The reference: the equations of the papers, one after another, in float64. It shares nothing with the library.


def low_pass_filtered(x: torch.Tensor, up: int, before: int, after: int) -> torch.Tensor:
    """Zeros between the pixels, zeros around, then a finite impulse response of [1, 3, 3, 1] in both directions."""
    n, c, h, w = x.shape
    spread = x.new_zeros(n, c, h * up, w * up)
    spread[:, :, ::up, ::up] = x
    padded = F.pad(spread, (before, after, before, after))
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=x.dtype) / 8
    result = x.new_zeros(n, c, padded.shape[2] - 3, padded.shape[3] - 3)
    for row in range(4):
        for column in range(4):
            part = padded[:, :, row : row + result.shape[2], column : column + result.shape[3]]
            result += taps[3 - row] * taps[3 - column] * part
    return result * up**2


def modulated(x: torch.Tensor, weight: torch.Tensor, style: torch.Tensor, demodulate: bool, up: bool) -> torch.Tensor:
    """StyleGAN2, eq. 1-3, as one grouped convolution: every image has its own weights."""
    n, c = x.shape[:2]
    own = weight[None] * style[:, None, :, None, None]
    if demodulate:
        own = own / (own.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8).sqrt()
    padding = weight.shape[-1] // 2
    if up:  # the padding of the convolution and of the filter are given at once, before the filter
        x, padding = low_pass_filtered(x, 2, padding + 2, padding + 1), 0
        own = own.flip(3, 4)  # a convolution in the strict sense; the others are correlations
    grouped = F.conv2d(x.reshape(1, n * c, *x.shape[2:]), own.reshape(-1, *weight.shape[1:]), padding=padding, groups=n)
    return grouped.reshape(n, weight.shape[0], *grouped.shape[2:])


def normalised(x: torch.Tensor) -> torch.Tensor:
    return x / (x.square().mean(dim=1, keepdim=True) + 1e-8).sqrt()


class Reference:
    def __init__(self, generator: Persistent, architecture="skip", clamp=None, lr_multiplier=0.01, **_) -> None:
        self.t = {name: tensor.double() for name, tensor in generator.state_dict().items()}
        self.architecture, self.clamp, self.rate = architecture, clamp, lr_multiplier
        self.levels = sum(name.endswith(".conv1.weight") for name in self.t)

    def dense(self, name: str, x: torch.Tensor, rate: float = 1.0) -> torch.Tensor:
        weight = self.t[f"{name}.weight"]
        return x @ (weight * rate / math.sqrt(weight.shape[1])).t() + self.t[f"{name}.bias"] * rate

    def activated(self, x: torch.Tensor, gain: float) -> torch.Tensor:
        x = torch.where(x > 0, x, 0.2 * x) * math.sqrt(2) * gain
        return x if self.clamp is None else x.clamp(-self.clamp * gain, self.clamp * gain)

    def mapping(self, z: torch.Tensor, labels: torch.Tensor | None = None, truncation: float = 1.0) -> torch.Tensor:
        x = normalised(z.double())
        if "mapping.embed.weight" in self.t:
            classes = self.t["mapping.embed.weight"].shape[1]
            x = torch.cat([x, normalised(self.dense("mapping.embed", torch.eye(classes).double()[labels]))], dim=1)
        for index in range(sum(name.startswith("mapping.fc") for name in self.t) // 2):
            x = self.dense(f"mapping.fc{index}", x, self.rate)
            x = torch.where(x > 0, x, 0.2 * x) * math.sqrt(2)
        return self.t["mapping.w_avg"] + truncation * (x - self.t["mapping.w_avg"])

    def convolution(self, name: str, x: torch.Tensor, w: torch.Tensor, up: bool, gain: float = 1.0) -> torch.Tensor:
        x = modulated(x, self.t[f"{name}.weight"], self.dense(f"{name}.affine", w), demodulate=True, up=up)
        x = x + self.t[f"{name}.noise_const"] * self.t[f"{name}.noise_strength"]
        return self.activated(x + self.t[f"{name}.bias"][:, None, None], gain)

    def synthesis(self, ws: torch.Tensor) -> torch.Tensor:
        """ws (n, 2 · levels, w_dim): convolutions in order, then the last RGB layer."""
        x, image, index = self.t["synthesis.b4.const"].expand(len(ws), -1, -1, -1), None, 0
        for level in range(self.levels):
            block = f"synthesis.b{4 * 2**level}"
            gain, around = 1.0, None
            if self.architecture == "resnet" and level:
                weight = self.t[f"{block}.skip.weight"]
                around = low_pass_filtered(F.conv2d(x, weight / math.sqrt(weight.shape[1])), 2, 2, 1)
                gain = math.sqrt(0.5)
            if level:
                x = self.convolution(f"{block}.conv0", x, ws[:, index], up=True)
                index += 1
            x = self.convolution(f"{block}.conv1", x, ws[:, index], up=False, gain=gain)
            index += 1
            x = x if around is None else x + around * gain
            image = None if image is None else low_pass_filtered(image, 2, 2, 1)
            if f"{block}.torgb.weight" in self.t:
                weight = self.t[f"{block}.torgb.weight"]
                style = self.dense(f"{block}.torgb.affine", ws[:, index]) / math.sqrt(weight.shape[1])
                y = (
                    modulated(x, weight, style, demodulate=False, up=False)
                    + self.t[f"{block}.torgb.bias"][:, None, None]
                )
                y = y if self.clamp is None else y.clamp(-self.clamp, self.clamp)
                image = y if image is None else image + y
        return image


def written(folder: Path, data: bytes, name: str = "faces.pkl") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.fixture(autouse=True)
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OHLORA_OUTPUTS", str(tmp_path / "outputs"))
    return tmp_path / "outputs"


@pytest.mark.parametrize("changes", CONFIGURATIONS.values(), ids=CONFIGURATIONS.keys())
def test_it_draws_what_the_papers_say(tmp_path: Path, changes: dict) -> None:
    official = official_generator(**changes)
    reference = Reference(official, **changes)
    label = 2 if changes.get("c_dim") else None
    path = import_generator(written(tmp_path, official_bytes(official)), "my_faces", LICENCE, label=label)
    generator = read_generator(path)
    z = generator.sample_z(3, seed=1)
    labels = torch.tensor([2, 2, 2])
    for truncation in (1.0, 0.6):
        w = reference.mapping(z, labels, truncation)
        assert torch.allclose(generator.truncate(generator.mapping(z), truncation).double(), w, atol=1e-5)
        images = reference.synthesis(w[:, None].expand(-1, 2 * reference.levels, -1))
        scale = images.abs().max()
        assert torch.allclose(generator.synthesis(w.float()).double(), images, atol=1e-5 * scale)
        made = generator.generate(z, truncation=truncation).double()
        assert (made - images.clamp(-1, 1)).abs().max() < 1e-5 * max(scale, 1)
    mixed = torch.randn(2, generator.config.layers, generator.config.w_dim)
    images = reference.synthesis(mixed.double())
    assert torch.allclose(generator.synthesis(mixed).double(), images, atol=1e-5 * images.abs().max())


def test_classes_are_asked_for_by_number(tmp_path: Path) -> None:
    official = official_generator(c_dim=4)
    path = written(tmp_path, official_bytes(official))
    generator = convert(read_checkpoint(path), label=1)
    z = generator.sample_z(2, 0)
    labels = torch.tensor([3, 0])
    expected = Reference(official).mapping(z, labels)
    assert torch.allclose(generator.mapping(z, labels=labels).double(), expected, atol=1e-5)
    assert torch.equal(generator.mapping(z), generator.mapping(z, labels=torch.tensor([1, 1])))
    with pytest.raises(ValueError, match="allowed: 2 whole numbers from 0 to 3"):
        generator.mapping(z, labels=torch.tensor([0, 4]))
    with pytest.raises(ValueError, match="class=None: this generator draws 4 classes; allowed: 0 to 3"):
        import_generator(path, "my_faces", LICENCE)
    plain = written(tmp_path, official_bytes(official_generator()), "plain.pkl")
    with pytest.raises(ValueError, match="class=1 was given, but this generator has no classes"):
        import_generator(plain, "my_faces", LICENCE, label=1)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_binary_protocol_gives_the_same_tensors(tmp_path: Path, protocol: int) -> None:
    official = official_generator(clamp=256.0)
    checkpoint = read_checkpoint(written(tmp_path, official_bytes(official, protocol)))
    expected = official.state_dict()
    assert checkpoint.tensors.keys() == expected.keys() and checkpoint.clamp == 256 and checkpoint.lr_multiplier == 0.01
    assert all(torch.equal(tensor, expected[name]) for name, tensor in checkpoint.tensors.items())


def test_the_source_code_in_the_file_is_not_run(tmp_path: Path) -> None:
    data = official_bytes(official_generator())
    assert SOURCE.encode() in data
    import_generator(written(tmp_path, data), "my_faces", LICENCE)


def rosinality_names(official: Persistent) -> dict[str, torch.Tensor]:
    """The tensors of a generator as rosinality/stylegan2-pytorch names and shapes them."""
    t = official.state_dict()
    named: dict[str, torch.Tensor] = {"input.input": t["synthesis.b4.const"][None]}

    def layer(target: str, source: str, noise: int | None) -> None:
        named[f"{target}.conv.weight"] = t[f"{source}.weight"][None]
        named[f"{target}.conv.modulation.weight"] = t[f"{source}.affine.weight"]
        named[f"{target}.conv.modulation.bias"] = t[f"{source}.affine.bias"]
        if noise is None:
            named[f"{target}.bias"] = t[f"{source}.bias"].reshape(1, 3, 1, 1)
        else:
            named[f"{target}.activate.bias"] = t[f"{source}.bias"]
            named[f"{target}.noise.weight"] = t[f"{source}.noise_strength"].reshape(1)
            named[f"noises.noise_{noise}"] = t[f"{source}.noise_const"][None, None]

    layer("conv1", "synthesis.b4.conv1", 0)
    layer("to_rgb1", "synthesis.b4.torgb", None)
    for index, size in enumerate((8, 16)):
        layer(f"convs.{2 * index}", f"synthesis.b{size}.conv0", 2 * index + 1)
        layer(f"convs.{2 * index + 1}", f"synthesis.b{size}.conv1", 2 * index + 2)
        layer(f"to_rgbs.{index}", f"synthesis.b{size}.torgb", None)
        named[f"convs.{2 * index}.conv.blur.kernel"] = 4 * t["synthesis.b4.resample_filter"]
        named[f"to_rgbs.{index}.upsample.kernel"] = 4 * t["synthesis.b4.resample_filter"]
    for index in range(2):
        for part in ("weight", "bias"):
            named[f"style.{index + 1}.{part}"] = t[f"mapping.fc{index}.{part}"]
    return named


def state_dict_files(folder: Path, official: Persistent) -> dict[str, Path]:
    state = {
        name: tensor.clone(memory_format=torch.contiguous_format) for name, tensor in official.state_dict().items()
    }
    named, mean = rosinality_names(official), state["mapping.w_avg"]
    files = {
        "plain.pt": state,
        "wrapped.pth": {"g_ema": {f"module.{name}": tensor for name, tensor in state.items()}, "step": 3},
        "rosinality.pt": {"g_ema": named, "latent_avg": mean, "args": argparse.Namespace(size=16)},
        "psp.pt": {
            "state_dict": {f"decoder.{k}": v for k, v in named.items()} | {"encoder.x": mean},
            "latent_avg": mean,
        },
    }
    paths = {name: folder / name for name in files}
    for name, content in files.items():
        torch.save(content, paths[name])
    paths["legacy.pt"] = folder / "legacy.pt"
    torch.save(state, paths["legacy.pt"], _use_new_zipfile_serialization=False)
    paths["plain.safetensors"] = folder / "plain.safetensors"
    save_file(state, paths["plain.safetensors"])
    paths["ordered.pkl"] = folder / "ordered.pkl"
    paths["ordered.pkl"].write_bytes(pickle.dumps({"G_ema": OrderedDict(state)}, protocol=4))
    return paths


def test_state_dicts_of_all_kinds_draw_the_same(tmp_path: Path) -> None:
    official = official_generator()
    expected = convert(read_checkpoint(written(tmp_path, official_bytes(official))))
    z = expected.sample_z(2, 0)
    for path in state_dict_files(tmp_path, official).values():
        generator = convert(read_checkpoint(path))
        assert torch.allclose(generator.mapping(z), expected.mapping(z), atol=1e-6), path.name
        assert torch.allclose(generator.generate(z, truncation=0.7), expected.generate(z, truncation=0.7), atol=1e-5)


def test_state_dicts_take_what_they_dont_tell(tmp_path: Path) -> None:
    changes = {"clamp": 0.8, "lr_multiplier": 0.5}
    official = official_generator(**changes)
    path = state_dict_files(tmp_path, official)["plain.pt"]
    generator = convert(read_checkpoint(path, **changes))
    w = Reference(official, **changes).mapping(generator.sample_z(2, 0))
    images = Reference(official, **changes).synthesis(w[:, None].expand(-1, 6, -1))
    assert torch.allclose(generator.generate(generator.sample_z(2, 0)).double(), images.clamp(-1, 1), atol=1e-5)
    with pytest.raises(RefusedFileError, match="it tells clamp itself"):
        read_checkpoint(written(tmp_path, official_bytes(official)), clamp=0.8)
    with pytest.raises(RefusedFileError, match="lr_multiplier is no number above 0"):
        read_checkpoint(path, lr_multiplier=-1.0)


def test_a_file_without_a_mean_gets_one(tmp_path: Path) -> None:
    state = dict(official_generator().state_dict())
    del state["mapping.w_avg"]
    torch.save(state, tmp_path / "faces.pt")
    generator = convert(read_checkpoint(tmp_path / "faces.pt"))
    assert torch.allclose(generator.w_mean, generator.mapping(generator.sample_z(4096, 0)).mean(dim=0), atol=1e-6)


def test_the_profile_loads_it_and_the_book_can_use_it(tmp_path: Path, outputs: Path) -> None:
    official = official_generator(channels=(12, 8, 6, 4))
    path = import_generator(written(tmp_path, official_bytes(official)), "my_faces", LICENCE)
    assert path == outputs / "weights" / "my_faces.safetensors"
    profile = load_profile("embedded")
    profile = replace(profile, stylegan=replace(profile.stylegan, weights="my_faces"))
    generator = load_generator(profile)
    assert (generator.size, generator.z_dim, generator.properties) == (32, 10, ())
    z = generator.sample_z(3, seed=5)
    assert torch.equal(generator.sample_z(3, seed=5), z) and not torch.equal(generator.sample_z(3, seed=6), z)
    pictures = generator.pictures(z, size=16)
    assert pictures.shape == (3, 16, 16, 3) and pictures.dtype == np.uint8
    assert sefa_directions(generator, 3).vectors.shape == (3, 14)
    assert principal_directions(generator, 3, n=64).vectors.shape == (3, 14)
    with pytest.raises(ValueError, match="an imported generator obeys none"):
        generator.generate(z, properties=torch.zeros(3, 7))
    with pytest.raises(ValueError, match="paired with no portrait parameters"):
        generator.z_to_u(z)


def test_the_card_tells_source_and_licence(tmp_path: Path) -> None:
    path = import_generator(written(tmp_path, official_bytes(official_generator())), "my_faces", LICENCE)
    card = json.loads(path.with_suffix(".json").read_text("utf-8"))
    assert card["licence"] == LICENCE and "NVIDIA's own" in card["licence_question"]
    assert card["source"]["file"] == "faces.pkl" and len(card["source"]["sha256"]) == 64
    assert card["architecture"]["kind"] == "official_stylegan2" and card["architecture"]["channels"] == [12, 8, 6]


def test_the_command_asks_for_the_licence(tmp_path: Path, outputs: Path, capsys: pytest.CaptureFixture) -> None:
    path = written(tmp_path, official_bytes(official_generator()))
    arguments = [str(path), "--name", "my_faces", "--licence", LICENCE]
    with pytest.raises(SystemExit, match="nothing was imported: answer with --licence-accepted"):
        main(arguments)
    with pytest.raises(SystemExit):
        main(arguments[:3])
    assert not outputs.exists()
    main([*arguments, "--licence-accepted"])
    assert "weights: my_faces" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="'my_faces' is taken"):
        main([*arguments, "--licence-accepted"])
    main([*arguments, "--licence-accepted", "--replace"])


@pytest.mark.parametrize("name", ["", "../faces", "My Faces", "a" * 65, "segmentation_256"])
def test_bad_names_get_a_sentence(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, official_bytes(official_generator()))
    with pytest.raises(ValueError, match="allowed: "):
        import_generator(path, name, LICENCE)


# Files that mean harm. Each would leave a trace if anything in it were run.


class Call:
    """Pickles as the call of a function, as an attacker's object does."""

    def __init__(self, function, *arguments) -> None:
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def harmful(trace: Path) -> dict[str, bytes]:
    command = f"touch {trace}"
    official = official_generator()
    nested = io.BytesIO()
    torch.save({"weight": Call(os.system, command)}, nested, _use_new_zipfile_serialization=False)
    nested_zip = io.BytesIO()
    torch.save({"weight": Call(os.system, command)}, nested_zip)
    load_from_bytes = torch.storage._load_from_bytes
    return {
        "os.system": pickle.dumps(Call(os.system, command)),
        "protocol 0": f"cos\nsystem\n(S'{command}'\ntR.".encode(),
        "INST": f"(S'{command}'\nios\nsystem\n.".encode(),
        "OBJ": f"(cos\nsystem\nS'{command}'\no.".encode(),
        "eval": pickle.dumps(Call(eval, f"open({str(trace)!r}, 'w')"), protocol=4),
        "exec": pickle.dumps({"G_ema": Call(exec, f"open({str(trace)!r}, 'w')")}, protocol=5),
        "beside a network": official_bytes(official, augment_pipe=Call(os.system, command)),
        "getattr chain": pickle.dumps(Call(getattr, Call(__import__, "os"), "system"), protocol=4),
        "storage, legacy": pickle.dumps(Call(load_from_bytes, nested.getvalue()), protocol=4),
        "storage, zip": pickle.dumps(Call(load_from_bytes, nested_zip.getvalue()), protocol=4),
        "torch.load": pickle.dumps(Call(torch.load, io.BytesIO(nested.getvalue())), protocol=4),
        "a file of torch.save": nested_zip.getvalue(),
        "a legacy file of torch.save": nested.getvalue(),
        "nn.Module": pickle.dumps(torch.nn.Linear(2, 2)),
        "persistent id": b"\x80\x04\x8c\x03abcQ.",
        "extension": b"\x80\x02\x82\x01.",
        "a dotted name": pickle.dumps(Call(OrderedDict.fromkeys, "ab"), protocol=4),
        "a number called": b"\x80\x04K\x01)R.",
        "attributes of a name": b"\x80\x04ctorch\nSize\n}\x8c\x01aK\x01sb.",
    }


HARMFUL = sorted(harmful(Path("trace")))


@pytest.mark.parametrize("kind", HARMFUL)
def test_harmful_files_are_refused_and_nothing_runs(tmp_path: Path, outputs: Path, kind: str) -> None:
    trace = tmp_path / "trace"
    path = written(tmp_path, harmful(trace)[kind])
    with pytest.raises(RefusedFileError, match=r"faces\.pkl: .+") as refusal:
        import_generator(path, "my_faces", LICENCE)
    assert not trace.exists() and not outputs.exists()
    assert "\n" not in str(refusal.value) and len(str(refusal.value)) < 500


def test_the_harm_is_real(tmp_path: Path) -> None:
    """The same bytes do leave a trace where Python's unpickler reads them, so that the test above means something."""
    for kind in ("os.system", "protocol 0", "INST", "OBJ", "storage, legacy"):
        trace = tmp_path / kind.replace(" ", "_").replace(",", "")
        data = harmful(trace)[kind]
        if kind.startswith("storage"):
            inner = pickletools.genops(data)
            data = next(argument for _, argument, _ in inner if isinstance(argument, bytes))
            torch.load(io.BytesIO(data), weights_only=False)
        else:
            pickle.loads(data)
        assert trace.exists(), kind


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("os.system", "'posix.system'"),
        ("INST", "'os.system'"),
        ("eval", "'builtins.eval'"),
        ("getattr chain", "'builtins.getattr'"),
        ("storage, legacy", "'posix.system'"),
        ("a file of torch.save", "'posix.system'"),
        ("torch.load", "'torch.serialization.load'"),
        ("persistent id", "persistent id"),
        ("extension", "EXT1"),
    ],
)
def test_the_refusal_names_what_was_asked_for(tmp_path: Path, kind: str, named: str) -> None:
    with pytest.raises(RefusedFileError, match=named):
        read_checkpoint(written(tmp_path, harmful(tmp_path / "trace")[kind]))


def test_tensorflow_files_are_told_the_way(tmp_path: Path) -> None:
    data = b"\x80\x03cdnnlib.tflib.network\nNetwork\nq\x00)\x81q\x01}q\x02b."
    with pytest.raises(RefusedFileError, match=r"TensorFlow file .* convert it first with legacy\.py"):
        read_checkpoint(written(tmp_path, data))


def nested_lists(depth: int) -> bytes:
    return b"\x80\x04" + b"]" * depth + b"a" * (depth - 1) + b"."


def doubling_keys(depth: int) -> bytes:
    """A tuple of a tuple twice of a tuple twice …, as a key: hashing it would take for ever."""
    return b"\x80\x04}" + b"K\x01" + b"2\x86" * depth + b"Ns."


def claims(numbers: int, nested: int) -> bytes:
    """A tensor that claims so many numbers, over a storage that claims so many."""
    blob = io.BytesIO()
    torch.save(torch.zeros(4).untyped_storage(), blob, _use_new_zipfile_serialization=False)
    storage = blob.getvalue()
    if nested > 4:
        storage = storage.replace(b"K\x10", b"\x8a\x05" + nested.to_bytes(5, "little"))
    tensor = Call(
        torch._utils._rebuild_tensor_v2, Call(torch.storage._load_from_bytes, storage), 0, (numbers,), (0,), False, {}
    )
    return pickle.dumps({"G_ema": {"mapping.fc0.weight": tensor}}, protocol=4)


def network_in_itself() -> bytes:
    loop = Persistent("Generator")
    part = loop
    for _ in range(30):
        part.inner = Persistent("Generator")
        part = part.inner
    return official_bytes(loop)


BOMBS = {
    "lists in lists": lambda: nested_lists(100_000),
    "tuples as keys": lambda: doubling_keys(64),
    "networks in networks": network_in_itself,
    "steps": lambda: b"\x80\x04" + b"N0" * 200_000 + b"N.",
    "a huge memo index": lambda: b"\x80\x04Nr\xff\xff\xff\x7f.",
    "a huge length": lambda: b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"x.",
    "a huge tensor": lambda: claims(10**12, 4),
    "a huge storage": lambda: claims(4, 2**38),
    "a memo without a value": lambda: b"\x80\x04h\x05.",
    "an empty stack": lambda: b"\x80\x040.",
    "no end": lambda: b"\x80\x04N",
    "nothing": lambda: b"",
    "text": lambda: b"<!DOCTYPE html>",
}  # fmt: skip


@pytest.mark.timeout(30)
@pytest.mark.parametrize("kind", BOMBS)
def test_bombs_and_rubble_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(pickle_reader, "MAXIMUM_STEPS", 300_000)  # the same, in less time
    with pytest.raises(RefusedFileError, match=r"faces\.pkl: (it|its networks|a tensor|the numbers of a tensor) "):
        read_checkpoint(written(tmp_path, BOMBS[kind]()))


def test_cut_files_are_refused(tmp_path: Path) -> None:
    official = official_generator(channels=(4, 4))
    files = {"faces.pkl": official_bytes(official)}
    for path in state_dict_files(tmp_path, official_generator()).values():
        files[path.name] = path.read_bytes()
    for name, data in files.items():
        for part in (0.1, 0.5, 0.9, 0.999):
            with pytest.raises(RefusedFileError):
                read_checkpoint(written(tmp_path, data[: int(len(data) * part)], name))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_data_or_refused(data: bytes) -> None:
    for start in (b"", b"\x80\x04", b"\x80\x04}\x94("):
        try:
            read_pickle(start + data)
        except RefusedFileError as error:
            assert str(error)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_file_with_wrong_bytes_is_refused_or_data(tmp_path: Path, data: st.DataObject) -> None:
    """Official files with a few bytes changed: never another error, never a trace, never an import."""
    whole = bytearray(test_a_file_with_wrong_bytes_is_refused_or_data.whole)
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        convert(read_checkpoint(written(tmp_path, bytes(whole))))
    except RefusedFileError as error:
        assert str(error)


test_a_file_with_wrong_bytes_is_refused_or_data.whole = official_bytes(official_generator(channels=(2,), num_layers=1))


# Files that mean well, but are not ours to read.


def changed(**changes: torch.Tensor | None) -> dict[str, torch.Tensor]:
    state = dict(official_generator().state_dict())
    for name, tensor in changes.items():
        state[name] = tensor
        if tensor is None:
            del state[name]
    return state


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"synthesis.b8.conv0.weight": None}, "it has no tensor synthesis.b8.conv0.weight"),
        ({"synthesis.b8.conv0.bias": torch.zeros(9)}, r"synthesis.b8.conv0.bias has shape \(9,\).*allowed: \(8,\)"),
        ({"synthesis.b8.conv0.bias": torch.full((8,), math.nan)}, "numbers that are not finite"),
        ({"synthesis.b8.attention": torch.zeros(1)}, "a StyleGAN2 generator has not: synthesis.b8.attention"),
        ({"synthesis.b8.resample_filter": torch.ones(4, 4) / 16}, r"another low-pass filter; allowed: \[1, 3, 3, 1\]"),
        ({"synthesis.b16.torgb.weight": torch.zeros(1, 6, 1, 1)}, "its images have 1 channels; allowed: 3"),
        ({"mapping.fc1.weight": torch.zeros(9, 14)}, "gives 9 numbers, its synthesis network takes 14"),
        ({"mapping.fc0.weight": torch.zeros(14)}, "allowed: 2 dimensions"),
        ({"synthesis.b4.const": torch.zeros(12, 4, 8)}, r"allowed: \(12, 4, 4\)"),
    ],
)  # fmt: skip
def test_other_architectures_are_refused_by_name(tmp_path: Path, changes: dict, sentence: str) -> None:
    torch.save(changed(**changes), tmp_path / "faces.pt")
    with pytest.raises(RefusedFileError, match=sentence):
        import_generator(tmp_path / "faces.pt", "my_faces", LICENCE)


def test_what_is_no_generator_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedFileError, match="there is no such file"):
        read_checkpoint(tmp_path / "missing.pkl")
    torch.save({"g_ema": {"layer.weight": torch.zeros(2)}}, tmp_path / "other.pt")
    with pytest.raises(RefusedFileError, match=r"no StyleGAN2 generator is in it: .* but layer\.weight"):
        read_checkpoint(tmp_path / "other.pt")
    with pytest.raises(RefusedFileError, match="it holds a list"):
        read_checkpoint(written(tmp_path, pickle.dumps([1])))
    with zipfile.ZipFile(tmp_path / "some.pkl", "w") as archive:
        archive.writestr("a.txt", "text")
    with pytest.raises(RefusedFileError, match="damaged or of another kind"):
        read_checkpoint(tmp_path / "some.pkl")
    third = Persistent("Generator")
    third.synthesis = Persistent("SynthesisNetwork", angles=np.zeros(3), level=torch.float32)
    third.synthesis.input = Persistent("SynthesisInput")
    third.synthesis.input.weight = torch.nn.Parameter(torch.zeros(2, 2))
    with pytest.raises(RefusedFileError, match="StyleGAN3"):
        read_checkpoint(written(tmp_path, official_bytes(third)))
    relu = official_generator()
    relu.synthesis.b8.conv0.activation = "relu"
    with pytest.raises(RefusedFileError, match=r"synthesis\.b8\.conv0 has activation relu; allowed: lrelu"):
        read_checkpoint(written(tmp_path, official_bytes(relu)))
    uneven = official_generator()
    uneven.synthesis.b8.conv0.conv_clamp = 256
    with pytest.raises(RefusedFileError, match="conv_clamp differs between layers"):
        read_checkpoint(written(tmp_path, official_bytes(uneven)))


def test_numbers_and_containers_come_out_as_they_were() -> None:
    value = {
        "text": "가", "bytes": b"\x00\xff", "none": None, "flag": True, "number": -(2**70), "real": 0.1,
        "list": [1, [2]], "tuple": (1, 2, 3, (4, 5)), "set": {1, 2}, "frozen": frozenset({"a"}),
        "scalar": np.float64(0.25), "small": np.float32(0.5), "whole": np.int64(3), "size": torch.Size([2, 3]),
        "view": torch.arange(12.0).reshape(3, 4).t()[1:], "half": torch.ones(2).half(),
    }  # fmt: skip
    for protocol in (2, 3, 4, 5):
        with official_modules():
            data = pickle.dumps({**value, "easy": EasyDict(a=EasyDict(b=1))}, protocol)
        read = read_pickle(data)
        assert torch.equal(read.pop("view"), value["view"]) and torch.equal(read.pop("half"), value["half"])
        assert read.pop("easy") == {"a": {"b": 1}}
        assert read == {name: value[name] for name in read}, protocol
