"""The linear projection that relevance learns: texts of one family come together."""

from __future__ import annotations

import numpy as np

from ohlora.rag.projection import project, train_projection


def test_training_brings_families_together() -> None:
    random = np.random.default_rng(0)
    meaning, wording = random.normal(size=(12, 8)), random.normal(size=(120, 24)) * 2
    families = [f"family {row % 12}" for row in range(120)]
    embeddings = np.concatenate([meaning[np.arange(120) % 12], wording], axis=1).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)

    def share_of_partners(vectors: np.ndarray) -> float:
        cosines = vectors @ vectors.T - 2 * np.eye(120)
        return float(np.mean([families[row] == families[near] for row, near in enumerate(cosines.argmax(axis=1))]))

    centre, projection = train_projection(embeddings, families, dimension=16, steps=150)
    before = share_of_partners(project(embeddings, embeddings.mean(axis=0), np.eye(32, dtype=np.float32)))
    assert share_of_partners(project(embeddings, centre, projection)) > before + 0.3
