"""FAISS index of one user's memories: a cache in one file, never the truth."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class IndexStamp:
    """What an index must agree with, or it is built again.

    model, dimension: of the embeddings. schema: version of the database. revision: the user's count of writes.
    """

    model: str
    dimension: int
    schema: int
    revision: int


class VectorIndex:
    """Exact inner-product search over unit vectors (so: cosine), with ids.

    ``IndexFlatIP`` is exact and fast enough below 100,000 vectors; ``IndexIDMap2`` keeps SQLite's row ids.
    """

    def __init__(self, stamp: IndexStamp) -> None:
        import faiss  # here, so that the embedding model can be trained on machines without it

        self.stamp = stamp
        self._index = faiss.IndexIDMap2(faiss.IndexFlatIP(stamp.dimension))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def add(self, ids: Sequence[int], vectors: np.ndarray) -> None:
        """Add vectors, float32 (n, dimension), under their ids."""
        if len(ids):
            self._index.add_with_ids(np.ascontiguousarray(vectors, np.float32), np.asarray(ids, np.int64))

    def remove(self, ids: Sequence[int]) -> None:
        """Remove by id; unknown ids are ignored."""
        if len(ids):
            self._index.remove_ids(np.asarray(ids, np.int64))

    def search(self, vector: np.ndarray, count: int) -> list[tuple[int, float]]:
        """The nearest ids and their cosines, best first; fewer than ``count`` where there are fewer."""
        count = min(count, len(self))
        if count == 0:
            return []
        cosines, ids = self._index.search(np.asarray(vector, np.float32).reshape(1, -1), count)
        return [(int(i), float(cosine)) for i, cosine in zip(ids[0], cosines[0], strict=True) if i != -1]

    def save(self, path: Path) -> None:
        """Write index and stamp as one file, whole or not at all."""
        import faiss

        content = faiss.serialize_index(self._index)
        header = json.dumps({**asdict(self.stamp), "sha256": hashlib.sha256(content.tobytes()).hexdigest()})
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, index=content, header=np.array(header))
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    @classmethod
    def load(cls, path: Path, stamp: IndexStamp) -> VectorIndex | None:
        """The index in ``path``, or None if it is missing, damaged or does not agree with ``stamp``."""
        import faiss

        try:
            with np.load(path, allow_pickle=False) as archive:
                content, header = archive["index"], json.loads(str(archive["header"]))
            # FAISS trusts its bytes: check them before it reads any.
            if header.pop("sha256") != hashlib.sha256(content.tobytes()).hexdigest() or header != asdict(stamp):
                return None
            loaded = cls(stamp)
            loaded._index = faiss.deserialize_index(content)
            return loaded
        except (OSError, ValueError, KeyError, AttributeError, EOFError, RuntimeError, zipfile.BadZipFile):
            return None
