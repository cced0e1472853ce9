"""Rendered portraits: parameters → image, nine-class mask and ground truth."""

from typing import Any

from ohlora.portraits.parameters import VECTOR_NAMES, VECTOR_SIZE, PortraitParams, mirror, sample_vectors
from ohlora.portraits.regions import LABELS
from ohlora.portraits.render import TRUTH_NAMES, Portrait, render

_CORPUS_NAMES = {"Corpus", "load_corpus", "load_sample", "render_corpus"}

__all__ = [
    "LABELS",
    "TRUTH_NAMES",
    "VECTOR_NAMES",
    "VECTOR_SIZE",
    "Corpus",
    "Portrait",
    "PortraitParams",
    "load_corpus",
    "load_sample",
    "mirror",
    "render",
    "render_corpus",
    "sample_vectors",
]


def __getattr__(name: str) -> Any:
    # On demand, so that `python -m ohlora.portraits.corpus` does not import that module twice.
    if name in _CORPUS_NAMES:
        from ohlora.portraits import corpus

        return getattr(corpus, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
