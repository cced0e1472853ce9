"""Reads other people's pickles without Python's unpickler: nothing from the file is ever imported or called.

A pickle is a small program. This module walks through its opcodes (``pickletools`` only decodes them) and rebuilds
numbers, text, containers and tensors. A name in the file selects one of the functions below or ends the reading, so a
file can do no more than these functions do. Source code in the file (NVIDIA's files carry their networks' source) is
dropped unread.
"""

from __future__ import annotations

import io
import pickletools
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

MAXIMUM_STEPS = 1_000_000  # opcodes; official files have tens of thousands
_TENSOR_DIMENSIONS = 8
_STORAGE = "torch.storage._load_from_bytes"
_TOO_MANY = "a tensor in it claims more numbers than the file has"
_NUMBER = re.compile(r"[fiu][1248]|b1")

TENSORFLOW = (
    "it is a TensorFlow file of StyleGAN or StyleGAN2, which holds program objects; convert it first with legacy.py of "
    "NVIDIA's stylegan2-ada-pytorch (python legacy.py --source=OLD.pkl --dest=NEW.pkl), then import NEW.pkl"
)
_UNUSUAL = "it uses the pickle opcode {}, which official files never do"


class RefusedFileError(ValueError):
    """A file that is not imported: harmful, damaged or of another kind. The sentence says which and why."""


@dataclass(frozen=True)
class Network:
    """A network of the file: the name of its class and its attributes (_parameters, _buffers, _modules …)."""

    class_name: str
    state: dict[str, Any]


@dataclass(frozen=True)
class Opaque:
    """Stands for a value that no generator needs (an array, a dtype); its content is dropped."""

    name: str


@dataclass(frozen=True)
class _Name:
    """A name that the file mentions and that is in :data:`_ALLOWED`."""

    name: str


@dataclass
class _Machine:
    """The pickle machine: a stack, the stacks below each open mark, the memo.

    budget: how many bytes of numbers may still come; the file cannot hold more than its own length.
    """

    budget: int
    stack: list[Any] = field(default_factory=list)
    marks: list[list[Any]] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)

    def since_mark(self) -> list[Any]:
        items, self.stack = self.stack, self.marks.pop()
        return items


def read_pickle(data: bytes) -> Any:
    """The value in a pickle: dicts, lists, numbers, text, tensors (float …, on the CPU) and :class:`Network`.

    Raises:
        RefusedFileError: the file names something that is not on the list, is damaged, or is unreasonably large.
    """
    machine = _Machine(budget=len(data))
    try:
        for steps, (opcode, argument, _) in enumerate(pickletools.genops(data)):
            if steps >= MAXIMUM_STEPS:
                raise RefusedFileError(f"it has more than {MAXIMUM_STEPS:,} steps; a StyleGAN2 file has far fewer")
            if opcode.name == "STOP":
                return machine.stack.pop()
            _step(machine, opcode.name, argument)
    except RefusedFileError:
        raise
    # Any byte string may come in: whatever goes wrong in decoding it has one meaning.
    except Exception as error:
        reason = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise RefusedFileError(f"it is damaged or no pickle ({reason})") from error
    raise RefusedFileError("it is damaged or no pickle (it has no end)")


_VALUES = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
    "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8",
    "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8",
}  # fmt: skip
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY = {"EMPTY_LIST": list, "EMPTY_TUPLE": tuple, "EMPTY_DICT": dict, "EMPTY_SET": set}
_SHORT_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def _step(machine: _Machine, opcode: str, argument: Any) -> None:
    stack = machine.stack
    if opcode in _VALUES:
        stack.append(argument)
    elif opcode in _CONSTANTS:
        stack.append(_CONSTANTS[opcode])
    elif opcode in _EMPTY:
        stack.append(_EMPTY[opcode]())
    elif opcode in _SHORT_TUPLES:
        count = _SHORT_TUPLES[opcode]
        items = tuple(stack[-count:])
        del stack[-count:]
        stack.append(items)
    elif opcode in ("GLOBAL", "INST"):
        name = _resolve(argument.replace(" ", ".", 1))
        if opcode == "INST":
            raise RefusedFileError(_UNUSUAL.format(opcode))
        stack.append(name)
    elif opcode == "STACK_GLOBAL":
        name, module = _of(str, stack.pop()), _of(str, stack.pop())
        stack.append(_resolve(f"{module}.{name}"))
    elif opcode in ("REDUCE", "NEWOBJ"):
        arguments, function = stack.pop(), stack.pop()
        stack.append(_rebuild(machine, function, arguments))
    elif opcode == "BUILD":
        state = stack.pop()
        _accept_state(stack[-1], state)
    else:
        _move(machine, opcode, argument)


def _move(machine: _Machine, opcode: str, argument: Any) -> None:
    """Opcodes that shift values between stack, memo and containers."""
    stack, memo = machine.stack, machine.memo
    match opcode:
        case "PROTO" | "FRAME":
            pass
        case "MARK":
            machine.marks.append(stack)
            machine.stack = []
        case "POP":
            stack.pop()
        case "POP_MARK":
            machine.since_mark()
        case "DUP":
            stack.append(stack[-1])
        case "MEMOIZE":
            memo[len(memo)] = stack[-1]
        case "PUT" | "BINPUT" | "LONG_BINPUT":
            memo[argument] = stack[-1]
        case "GET" | "BINGET" | "LONG_BINGET":
            stack.append(memo[argument])
        case "TUPLE" | "LIST" | "FROZENSET":
            items = machine.since_mark()
            machine.stack.append(_set(items) if opcode == "FROZENSET" else items if opcode == "LIST" else tuple(items))
        case "DICT":
            items = machine.since_mark()
            machine.stack.append(_fill({}, items))
        case "APPEND":
            item = stack.pop()
            _of(list, stack[-1]).append(item)
        case "APPENDS":
            items = machine.since_mark()
            _of(list, machine.stack[-1]).extend(items)
        case "ADDITEMS":
            items = machine.since_mark()
            _of(set, machine.stack[-1]).update(_set(items))
        case "SETITEM":
            value, key = stack.pop(), stack.pop()
            _fill(_of(dict, stack[-1]), [key, value])
        case "SETITEMS":
            items = machine.since_mark()
            _fill(_of(dict, machine.stack[-1]), items)
        case "PERSID" | "BINPERSID":
            raise RefusedFileError(
                "it refers to data outside the pickle (a persistent id), which official files never do"
            )
        case _:
            raise RefusedFileError(_UNUSUAL.format(opcode))


def _of(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise ValueError(f"a {type(value).__name__} where a {kind.__name__} belongs")
    return value


def _key(value: Any) -> Any:
    # Hashing a nested tuple may take for ever: only plain keys.
    if not isinstance(value, str | int):
        raise ValueError(f"a key of type {type(value).__name__}")
    return value


def _fill(target: dict, items: list[Any]) -> dict:
    target.update({_key(key): value for key, value in zip(items[::2], items[1::2], strict=True)})
    return target


def _set(items: Any = ()) -> set:
    return {_key(item) for item in items}


def _resolve(name: str) -> _Name:
    if name in _ALLOWED:
        return _Name(name)
    if name.startswith(("dnnlib.tflib.", "tensorflow.", "tfutil.")):
        raise RefusedFileError(TENSORFLOW)
    raise RefusedFileError(
        f"it asks for {name[:200]!r}, which no StyleGAN2 file needs; nothing of it was run, "
        "do not open it with other programs"
    )


def _rebuild(machine: _Machine, function: Any, arguments: Any) -> Any:
    if not isinstance(function, _Name) or not isinstance(arguments, tuple):
        raise RefusedFileError(f"it calls a {type(function).__name__}, which official files never do")
    if function.name == _STORAGE:
        machine.budget -= len(arguments[0])
        if machine.budget < 0:
            raise RefusedFileError(_TOO_MANY)
    return _ALLOWED[function.name](*arguments)


def _accept_state(value: Any, state: Any) -> None:
    """State that is set on a rebuilt value: only what may be dropped."""
    if isinstance(value, np.dtype):
        if state[1] not in ("<", "|", "="):
            raise RefusedFileError("it holds big-endian numbers, which official files never do")
    elif not isinstance(value, dict | Opaque):
        raise RefusedFileError(f"it sets attributes of a {type(value).__name__}, which official files never do")


def _network(meta: Any) -> Network:
    if not isinstance(meta, dict) or meta.get("type") != "class":
        raise ValueError("a network without a description")
    if not isinstance(meta.get("class_name"), str) or not isinstance(meta.get("state"), dict):
        raise ValueError("a network without a class name or without attributes")
    return Network(meta["class_name"], meta["state"])


def _storage(data: Any) -> Tensor:
    """The numbers of a tensor as a flat tensor; NVIDIA's files nest them as a file of torch.save."""
    if not isinstance(data, bytes):
        raise ValueError("a storage that is not bytes")
    try:
        with warnings.catch_warnings(category=UserWarning, action="ignore"):  # typed storages are old, and so are files
            storage = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
            numbers = torch.empty(0, dtype=storage.dtype).set_(storage.untyped())
    except Exception as error:
        asked = re.search(r"GLOBAL ([\w.]+)", str(error))
        reason = f"it asks for {asked[1]!r}" if asked else "it is damaged or of another kind"
        raise RefusedFileError(
            f"the numbers of a tensor in it could not be read: {reason}; nothing of it was run"
        ) from error
    if numbers.nbytes > len(data):
        raise RefusedFileError(_TOO_MANY)
    return numbers


def _tensor(numbers: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> Tensor:
    sizes = [offset, *shape, *strides]
    if not isinstance(numbers, Tensor) or len(shape) > _TENSOR_DIMENSIONS or len(shape) != len(strides):
        raise ValueError("a tensor without numbers or shape")
    if any(type(size) is not int or size < 0 for size in sizes):
        raise ValueError("a tensor of negative size")
    if np.prod([float(size) for size in shape]) > numbers.numel():
        raise RefusedFileError(_TOO_MANY)
    return numbers.as_strided(shape, strides, offset)


def _parameter(tensor: Any, *_: Any) -> Tensor:
    return _of(Tensor, tensor)


def _mapping(items: Any = (), *_: Any) -> dict:
    return _fill({}, [part for pair in items for part in pair])


def _dtype(code: Any, *_: Any) -> np.dtype | Opaque:
    return np.dtype(code) if isinstance(code, str) and _NUMBER.fullmatch(code) else Opaque("numpy.dtype")


def _scalar(dtype: Any, data: Any) -> float | int | bool:
    if not isinstance(dtype, np.dtype):
        raise ValueError("a scalar that is no number")
    (number,) = np.frombuffer(data, dtype)
    return number.item()


def _encoded(text: Any, encoding: Any) -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise ValueError(f"bytes in encoding {encoding!r}")
    return _of(str, text).encode("latin-1")


def _nothing(name: str) -> Callable[..., Opaque]:
    return lambda *_: Opaque(name)


# All that a file may ask for. Each function takes data and gives data.
_ALLOWED: dict[str, Callable[..., Any]] = {
    "torch_utils.persistence._reconstruct_persistent_obj": _network,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
    _STORAGE: _storage,
    "torch.Size": lambda shape=(): tuple(shape),
    "torch.device": _nothing("torch.device"),
    "torch.float16": _nothing("torch.dtype"),
    "torch.float32": _nothing("torch.dtype"),
    "torch.float64": _nothing("torch.dtype"),
    "collections.OrderedDict": _mapping,
    "dnnlib.util.EasyDict": _mapping,
    "dnnlib.EasyDict": _mapping,
    "numpy.dtype": _dtype,
    "numpy.core.multiarray.scalar": _scalar,
    "numpy._core.multiarray.scalar": _scalar,
    "numpy.ndarray": _nothing("numpy.ndarray"),
    "numpy.core.multiarray._reconstruct": _nothing("numpy.ndarray"),
    "numpy._core.multiarray._reconstruct": _nothing("numpy.ndarray"),
    "builtins.set": _set,
    "builtins.frozenset": _set,
    "__builtin__.set": _set,
    "__builtin__.frozenset": _set,
    "_codecs.encode": _encoded,
}
