"""Profiles, folders, seeds and the device: the only module that every other one may import."""

from __future__ import annotations

import contextlib
import os
import random
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

if TYPE_CHECKING:
    import torch

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "config"
DATA = ROOT / "data"
PRETRAINED = ROOT / "outputs" / "pretrained"


def outputs_folder() -> Path:
    """Folder for everything that a run writes; ``OHLORA_OUTPUTS`` moves it (tests do)."""
    return Path(os.environ.get("OHLORA_OUTPUTS", ROOT / "outputs"))


@dataclass(frozen=True)
class PortraitsSection:
    """Rendered corpus: ``size`` in pixels, ``corpus`` a folder name under outputs/."""

    size: int
    corpus: str


@dataclass(frozen=True)
class StyleganSection:
    """Names of the generator's weight files, without and with the seven properties."""

    weights: str
    conditioned: str


@dataclass(frozen=True)
class LabelingSection:
    """``source`` of ``segmentation``: weights (ours, the name of a weight file) or hub (a face parser's name there).
    The rest are names of weight files."""

    source: str
    segmentation: str
    gender: str
    quality: str
    standardisation: str
    regressor: str


@dataclass(frozen=True)
class RecommendSection:
    """Name of the auto-encoder's weight file."""

    autoencoder: str


@dataclass(frozen=True)
class LlmSection:
    """The language model: where it comes from, its adapter, the examples shown to it, how it is trained and served."""

    model: str
    source: str
    adapter: str
    examples: str | None
    backend: str
    server: str
    context: int
    threads: int


@dataclass(frozen=True)
class EmbeddingsSection:
    """The sentence-embedding model, where it comes from (package or hub), and the weight file of an adapter to it."""

    model: str
    source: str
    adapter: str | None


@dataclass(frozen=True)
class Profile:
    """One YAML file of config/, read and checked. It names models and budgets, nothing else."""

    name: str
    portraits: PortraitsSection
    stylegan: StyleganSection
    labeling: LabelingSection
    recommend: RecommendSection
    llm: LlmSection
    embeddings: EmbeddingsSection


_SECTIONS = {
    "portraits": PortraitsSection,
    "stylegan": StyleganSection,
    "labeling": LabelingSection,
    "recommend": RecommendSection,
    "llm": LlmSection,
    "embeddings": EmbeddingsSection,
}


def load_profile(name: str | Profile = "embedded") -> Profile:
    """Read ``config/<name>.yaml``.

    A Profile is returned as it is, so that functions may take either.

    Raises:
        ValueError: no such profile, or a section with missing or unknown keys.
    """
    if isinstance(name, Profile):
        return name
    known = sorted(path.stem for path in CONFIG.glob("*.yaml"))
    if name not in known:
        raise ValueError(f"profile={name!r} is unknown; allowed: {', '.join(known)}")
    raw = yaml.safe_load((CONFIG / f"{name}.yaml").read_text(encoding="utf-8"))
    if set(raw) != set(_SECTIONS):
        raise ValueError(f"config/{name}.yaml has sections {sorted(raw)}; allowed: {sorted(_SECTIONS)}")
    return Profile(name=name, **{key: _section(name, key, raw[key]) for key in _SECTIONS})


def _section(profile: str, key: str, values: dict[str, Any]) -> Any:
    section = _SECTIONS[key]
    expected = {field.name for field in fields(section)}
    if set(values) != expected:
        raise ValueError(f"config/{profile}.yaml, section {key}: keys {sorted(values)}; allowed: {sorted(expected)}")
    return section(**values)


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch."""
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - for libraries that still draw from it
    torch.manual_seed(seed)


def device() -> str:
    """``"cuda"`` where there is one, else ``"cpu"``."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def quick_precision() -> torch.dtype:
    """bfloat16 where the CPU multiplies matrices of it in hardware (AMX), else float32, which any CPU is quick with."""
    import torch

    has_amx = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    return torch.bfloat16 if has_amx() else torch.float32


def half_precision() -> contextlib.AbstractContextManager:
    """bfloat16 autocast: three to five times faster on CPUs with AVX-512/AMX; off where CUDA only emulates it (T4)."""
    import torch

    kind = device()
    usable = kind == "cpu" or torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.autocast(kind, dtype=torch.bfloat16, enabled=usable)
