"""Ask every latent for every value of every property, and write down all that the judges say of the answer.

The judges are networks that taught nothing: the segmentation labeler reads the seven properties, the face ruler says
whether it is still the same person, MediaPipe reads eyes, mouth and pose once more, and two classifiers are the filters
for gender and quality. Pictures are made and judged a few people at a time and never kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ohlora.evaluation.identity import FaceRuler
from ohlora.evaluation.landmarks import judge_exists, landmark_measures
from ohlora.evaluation.outside_region import outside_change
from ohlora.images import resize
from ohlora.labeling import PROPERTIES, Labeler, measure, one_hot
from ohlora.labeling.measurements import background_lab
from ohlora.labeling.segmentation import class_probabilities

REQUESTS = (-2.0, -1.0, 0.0, 1.0, 2.0)  # z-scores
COMPARED = 128  # pixels of a side at which pixels outside a region are compared
LANDMARKS = ("eyes", "mouth", "pose")
"""Properties that MediaPipe measures, too."""


class Editor(Protocol):
    """Whatever changes one property of a portrait. Images are float (n, 3, size, size) in [-1, 1]."""

    def unmoved(self, z: Tensor) -> Tensor:
        """Portraits of latents (n, z_dim) before any edit."""

    def moved(self, z: Tensor, index: int, wanted: Tensor, now: Tensor) -> Tensor:
        """Portraits after one property, PROPERTIES[index], was asked to be ``wanted`` (n,).

        ``now``: (n, 7), what the judge read off the unmoved portraits. Not every editor looks at it.
        """


@dataclass(frozen=True)
class Reading:
    """What the judges say of n portraits.

    shown: z-scores, float32 (n, 7). images, masks: at most COMPARED pixels large, float (n, 3, s, s) and uint8
    (n, s, s). faces: unit vectors (n, d) of the face ruler, d = 0 without one. passes: bool (n, 2), whether a portrait
    passes the filters for gender and for quality.
    """

    shown: np.ndarray
    images: Tensor
    masks: np.ndarray
    faces: np.ndarray
    passes: np.ndarray


Judge = Callable[[Tensor], Reading]


def portrait_judge(labeler: Labeler, ruler: FaceRuler | None = None) -> Judge:
    """All judges but MediaPipe. Images (n, 3, size, size) in [-1, 1] → Reading; without a ruler, no faces."""

    def read(images: Tensor) -> Reading:
        found = [(seen.cpu(), areas.cpu()) for seen, areas in class_probabilities(labeler.segmentation, images)]
        seen, areas = (torch.cat(parts) for parts in zip(*found, strict=True))
        faces = np.zeros((len(images), 0)) if ruler is None else ruler.embed(images, areas).numpy()
        side = min(COMPARED, seen.shape[-1])
        return Reading(
            shown=labeler.standardisation.z_scores(measure(seen, areas)).numpy(),
            images=resize(seen, side),
            masks=resize(areas, side).argmax(dim=1).byte().numpy(),
            faces=faces.astype(np.float32),
            passes=np.stack([labeler.gender(images) > 0.5, labeler.quality(images) > 0.5], axis=1),
        )

    return read


@dataclass(frozen=True)
class Sweep:
    """m latents × 7 properties moved × k requests; every array begins with the latents. No pictures.

    measured: z-scores of all seven properties, float32 (m, 7, k, 7). natural: of the unmoved portraits, (m, 7).
    same: cosine of the moved face with the unmoved one, (m, 7, k); strangers: of each unmoved face with the next
    person's, (m,); both NaN without a face ruler.
    outside: L1 outside the property's region, (m, 7, k); outside_strangers: between an unmoved portrait and the next
    person's, (m, 7). NaN where hardly anything lies outside.
    passes: bool (m, 7, k, 2), filters for gender and quality; natural_passes: (m, 2).
    landmarks: MediaPipe's own units, (j, 3, k), rows LANDMARKS, of the first j latents; NaN: no face found. j is 0
    where MediaPipe was not asked, or does not exist for this Python.
    requests: (k,).
    """

    measured: np.ndarray
    natural: np.ndarray
    same: np.ndarray
    strangers: np.ndarray
    outside: np.ndarray
    outside_strangers: np.ndarray
    passes: np.ndarray
    natural_passes: np.ndarray
    landmarks: np.ndarray
    requests: np.ndarray

    def __len__(self) -> int:
        return len(self.measured)

    def save(self, path: Path) -> None:
        """Write as npz, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp.npz")
        np.savez(temporary, **vars(self))
        temporary.replace(path)

    @classmethod
    def load(cls, path: Path) -> Sweep:
        """Read what ``save`` wrote."""
        with np.load(path, allow_pickle=False) as file:
            return cls(**{field.name: file[field.name] for field in fields(cls)})

    @classmethod
    def joined(cls, sweeps: Sequence[Sweep]) -> Sweep:
        """Sweeps of different latents and the same requests as one."""
        if not sweeps or any(not np.array_equal(one.requests, sweeps[0].requests) for one in sweeps):
            raise ValueError(f"sweeps holds {len(sweeps)}; allowed: one or more, all with the same requests")
        names = [field.name for field in fields(cls) if field.name != "requests"]
        return cls(
            **{name: np.concatenate([getattr(one, name) for one in sweeps]) for name in names},
            requests=sweeps[0].requests,
        )


def sweep(
    editor: Editor,
    judge: Judge,
    latents: Tensor,
    requests: tuple[float, ...] = REQUESTS,
    landmarks: bool = False,
    people: int = 6,
) -> Sweep:
    """Move every property of every latent to every requested value.

    Args:
        latents: (m, z_dim), all of them are used. requests: z-scores. landmarks: ask MediaPipe, too.
        people: whose pictures are in memory at once.
    """
    wanted = torch.tensor(requests)
    landmarks = landmarks and judge_exists()
    return Sweep.joined([_of_people(editor, judge, z, wanted, landmarks) for z in latents.split(people)])


def background_moves(
    editor: Editor, judge: Judge, latents: Tensor, low: float = min(REQUESTS), high: float = max(REQUESTS)
) -> dict[str, float]:
    """How far the colour of the background moves when a property is asked to go from ``low`` to ``high``.

    The seven measurements see its brightness only. Distances are those of the mean colours in a and b of CIELAB, which
    brightness is no part of: about two are just visible, and a perfect editor has none.

    Args:
        latents: (m, z_dim).

    Returns:
        Mean over the latents, one number a property; ``two people``: between the unmoved portraits of neighbours.
    """
    start = judge(editor.unmoved(latents))
    now, wanted = torch.from_numpy(start.shown), torch.ones(len(latents))
    moves = {}
    for index, name in enumerate(PROPERTIES):
        ends = [_hue(judge(editor.moved(latents, index, value * wanted, now))) for value in (low, high)]
        moves[name] = float(torch.linalg.vector_norm(ends[1] - ends[0], dim=1).nanmean())
    hue = _hue(start)
    return moves | {"two people": float(torch.linalg.vector_norm(hue - hue.roll(1, dims=0), dim=1).nanmean())}


def _hue(reading: Reading) -> Tensor:
    """a and b of the mean colour of the background, (n, 2)."""
    return background_lab(reading.images, one_hot(reading.masks))[:, 1:]


def _of_people(editor: Editor, judge: Judge, z: Tensor, requests: Tensor, landmarks: bool) -> Sweep:
    m, k = len(z), len(requests)
    start = judge(editor.unmoved(z))
    rows = np.repeat(np.arange(m), k)
    now = torch.from_numpy(start.shown[rows])
    outside_judge = np.full((m if landmarks else 0, len(LANDMARKS), k), np.nan, dtype=np.float32)
    found: dict[str, list[np.ndarray]] = {"measured": [], "same": [], "outside": [], "passes": []}
    strangers, next_person = [], np.roll(np.arange(m), -1)
    for index, name in enumerate(PROPERTIES):
        images = editor.moved(z[rows], index, requests.repeat(m), now)
        end = judge(images)
        found["measured"].append(end.shown.reshape(m, k, -1))
        found["same"].append(_cosines(start.faces[rows], end.faces).reshape(m, k))
        change = outside_change(start.images[rows], start.masks[rows], end.images, end.masks, name)
        found["outside"].append(change.reshape(m, k))
        found["passes"].append(end.passes.reshape(m, k, -1))
        strangers.append(
            outside_change(start.images, start.masks, start.images[next_person], start.masks[next_person], name)
        )
        if landmarks and name in LANDMARKS:
            outside_judge[:, LANDMARKS.index(name)] = landmark_measures(images)[name].to_numpy().reshape(m, k)
    return Sweep(
        **{key: np.stack(parts, axis=1) for key, parts in found.items()},
        natural=start.shown,
        strangers=_cosines(start.faces, start.faces[next_person]) if m > 1 else np.full(m, np.nan, dtype=np.float32),
        outside_strangers=np.stack(strangers, axis=1) if m > 1 else np.full((m, len(PROPERTIES)), np.nan),
        natural_passes=start.passes,
        landmarks=outside_judge,
        requests=requests.numpy(),
    )


def _cosines(faces: np.ndarray, others: np.ndarray) -> np.ndarray:
    return (faces * others).sum(axis=1) if faces.shape[1] else np.full(len(faces), np.nan, dtype=np.float32)
