"""Which library prepares the model for training: Unsloth where CUDA is there and it imports, plain PEFT otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ohlora.config import Profile, load_profile
from ohlora.llm.adapter import LoraSettings, add_lora
from ohlora.llm.model_files import allow_uneven_heads, load_base_model, model_location

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedTokenizerBase

BACKENDS = ("auto", "peft", "unsloth")


@dataclass(frozen=True)
class Backend:
    """Which one runs (``peft`` or ``unsloth``) and why, in a sentence to show."""

    name: str
    reason: str


def choose_backend(wanted: str = "auto") -> Backend:
    """Decide without failing: whatever goes wrong with Unsloth, PEFT trains.

    Raises:
        ValueError: wanted is not auto, peft or unsloth.
    """
    import torch

    if wanted not in BACKENDS:
        raise ValueError(f"backend={wanted!r} is unknown; allowed: {', '.join(BACKENDS)}")
    if wanted == "peft":
        return Backend("peft", "peft was asked for")
    if not torch.cuda.is_available():
        return Backend("peft", "there is no CUDA device, and Unsloth is used with one only")
    try:
        import unsloth  # noqa: F401  must come before transformers; it patches it
    except Exception as error:  # any failure of an optional accelerator means: go on without it
        return Backend("peft", f"Unsloth does not import ({type(error).__name__}: {error})")
    return Backend("unsloth", "CUDA is there and Unsloth imports")


def load_trainable(
    profile: Profile | str = "embedded", lora: LoraSettings | None = None, seed: int = 0
) -> tuple[PeftModel, PreTrainedTokenizerBase, Backend]:
    """The profile's base model with fresh LoRA adapters, its tokenizer, and the back-end that really prepared them.

    Raises:
        ModelFilesError: a packaged model is missing. ValueError: unknown back-end or source.
    """
    import torch

    profile, lora = load_profile(profile), lora or LoraSettings()
    backend = choose_backend(profile.llm.backend)
    torch.manual_seed(seed)  # A is drawn at random
    if backend.name == "unsloth":
        try:
            return *_load_with_unsloth(profile, lora, seed), backend
        except Exception as error:  # same reason
            backend = Backend("peft", f"Unsloth failed ({type(error).__name__}: {error})")
    model, tokenizer = load_base_model(profile, quantize=torch.cuda.is_available() and profile.llm.source == "hub")
    return add_lora(model, lora), tokenizer, backend


def _load_with_unsloth(profile: Profile, lora: LoraSettings, seed: int) -> tuple[PeftModel, PreTrainedTokenizerBase]:
    from unsloth import FastLanguageModel

    allow_uneven_heads()
    model, tokenizer = FastLanguageModel.from_pretrained(
        model_name=model_location(profile),
        max_seq_length=profile.llm.context,
        load_in_4bit=profile.llm.source == "hub",
    )
    model = FastLanguageModel.get_peft_model(
        model,
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=list(lora.target_modules),
        random_state=seed,
    )
    return model, tokenizer
