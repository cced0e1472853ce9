"""Rendered portraits: parameters → image, nine-class mask and ground truth."""

from ohlora.portraits.corpus import Corpus, load_corpus, load_sample, render_corpus
from ohlora.portraits.parameters import VECTOR_NAMES, VECTOR_SIZE, PortraitParams, mirror, sample_vectors
from ohlora.portraits.regions import LABELS
from ohlora.portraits.render import TRUTH_NAMES, Portrait, render

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
