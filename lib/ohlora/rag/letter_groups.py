"""How a text is spelled, as numbers: hashed counts of groups of neighbouring letters."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import HashingVectorizer


def count_letter_groups(texts: Sequence[str], shortest: int, longest: int, numbers: int) -> sparse.csr_matrix:
    """Counts of groups of ``shortest`` to ``longest`` letters within words, float32 (n, numbers), rows of length 1."""
    return _vectorizer(shortest, longest, numbers).transform(texts)


@cache
def _vectorizer(shortest: int, longest: int, numbers: int) -> HashingVectorizer:
    from sklearn.feature_extraction.text import HashingVectorizer

    return HashingVectorizer(
        analyzer="char_wb", ngram_range=(shortest, longest), n_features=numbers, alternate_sign=False, dtype=np.float32
    )
