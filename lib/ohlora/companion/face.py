"""Oh-LoRA's identity: one latent of the conditioned generator, and how she looks when at rest.

Everything about her that stays (who she is) is the latent ``z``; everything that moves is a value
given to the generator beside it. An expression adds offsets to the resting values.
"""

from __future__ import annotations

import io
import logging
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
import yaml
from PIL import Image

from ohlora.companion.expression import MOVED
from ohlora.config import DATA, Profile, load_profile
from ohlora.images import to_pictures

if TYPE_CHECKING:
    from ohlora.stylegan import PortraitGenerator

logger = logging.getLogger(__name__)

SHIPPED_FACES = DATA / "persona" / "face.yaml"
REACH = 2.5  # z-units; the conditioning was not trained further out
RESTING = {
    "eyes": 0.3,
    "hair_color": -0.6,
    "hair_length": 0.8,
    "mouth": -0.4,
    "pose": 0.0,
    "background_mean": 0.5,
    "background_std": -0.3,
}
"""How she rests, in z-units: awake, lips closed, long dark hair, a light and quiet background."""
_STEP = 0.05  # z-units; finer differences are invisible, and rounding makes frames reusable


@dataclass(frozen=True)
class Face:
    """Who she is and how she rests.

    latent: float32 (z_dim,), a draw from N(0, I). properties: the seven resting values in z-units.
    """

    latent: np.ndarray
    properties: dict[str, float]

    @classmethod
    def from_latent(
        cls, generator: PortraitGenerator, latent: np.ndarray | torch.Tensor, resting: Mapping[str, float] | None = None
    ) -> Face:
        """The person of a latent, such as a recommended portrait's, at rest.

        Args:
            generator: conditioned. latent: (z_dim,) or (1, z_dim).
            resting: values at rest of what an expression moves (eyes, mouth, pose), others are not read; default:
                RESTING. Hair and background are what this latent shows by itself: they belong to who was chosen.

        Raises:
            ValueError: an unconditioned generator, or a latent of another one.
        """
        latent = np.asarray(torch.as_tensor(latent).cpu(), dtype=np.float32).ravel()
        if not generator.properties or latent.shape != (generator.z_dim,):
            raise ValueError(
                f"latent has {latent.size} values for a generator of {generator.z_dim} with properties "
                f"{tuple(generator.properties)}; allowed: ({generator.z_dim},) and the conditioned generator"
            )
        resting = RESTING if resting is None else resting
        with torch.no_grad():
            shown = generator.mapping.natural_properties(torch.from_numpy(latent)[None].to(generator.w_mean.device))[0]
        natural = dict(zip(generator.properties, shown.clamp(-REACH, REACH).tolist(), strict=True))
        return cls(latent, {name: float(resting[name]) if name in MOVED else natural[name] for name in natural})


def load_face(generator: PortraitGenerator, profile: Profile | str = "embedded", path: Path = SHIPPED_FACES) -> Face:
    """Read her face for the profile's generator.

    The file has one entry for each weight file, because a latent means a person only to the
    generator that it was chosen with: ``seed`` (the latent is ``generator.sample_z(1, seed)``) or
    ``latent`` (the values themselves), and ``properties``.

    Raises:
        ValueError: no file, no entry for these weights, or an entry of the wrong shape.
    """
    path, weights = Path(path), load_profile(profile).stylegan.conditioned
    if not path.is_file():
        raise ValueError(f"face file {path} does not exist; choose a face with choose_face and save_face")
    faces = _read_faces(path)
    if weights not in faces:
        raise ValueError(
            f"{path.name} has no face for the weights {weights!r}; it has {sorted(faces)}; see choose_face"
        )
    entry = faces[weights]
    if "latent" in entry:
        latent = np.asarray(entry["latent"], dtype=np.float32)
    else:
        latent = generator.sample_z(1, int(entry["seed"]))[0].cpu().numpy().astype(np.float32)
    return Face(latent=latent, properties={name: float(value) for name, value in entry["properties"].items()})


def load_kept_face(generator: PortraitGenerator, path: Path, profile: Profile | str = "embedded") -> Face | None:
    """The face that a user gave her, where ``path`` keeps one for the profile's generator; else None.

    A file that cannot be used is left as it is and logged: she still has a face.
    """
    try:
        if path.is_file() and load_profile(profile).stylegan.conditioned in _read_faces(path):
            return load_face(generator, profile, path)
    except Exception:
        logger.exception("%s cannot be used; she keeps her own face", path)
    return None


def save_face(face: Face, path: Path, profile: Profile | str = "embedded", **notes: object) -> Path:
    """Write a face (its latent in full) into ``path``, keeping the file's entries for other weights.

    notes: plain values kept beside it, such as how it was chosen.
    """
    path = Path(path)
    entry = {"properties": face.properties, **notes, "latent": [round(float(value), 5) for value in face.latent]}
    _write_faces(path, {**_read_faces(path), load_profile(profile).stylegan.conditioned: entry})
    return path


def remove_face(path: Path, profile: Profile | str = "embedded") -> None:
    """Take the face of the profile's generator out of ``path``; those of other weights stay.

    Raises:
        ValueError: the file cannot be read; it is left as it is. OSError: it cannot be written.
    """
    path, faces = Path(path), _read_faces(path)
    if faces.pop(load_profile(profile).stylegan.conditioned, None) is None:
        return
    if faces:
        _write_faces(path, faces)
    else:
        path.unlink()


def _read_faces(path: Path) -> dict[str, dict]:
    """The entries of a face file, by weights; none where there is no file."""
    try:
        faces = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else None
    except yaml.YAMLError as error:
        raise ValueError(f"face file {path} is no YAML; repair or delete it") from error
    if not isinstance(faces, dict | None):
        raise ValueError(f"face file {path} has no entries by weights; repair or delete it")
    return faces or {}


def _write_faces(path: Path, faces: Mapping[str, dict]) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(
        yaml.safe_dump(dict(faces), allow_unicode=True, sort_keys=False, width=110, default_flow_style=None),
        encoding="utf-8",
    )
    temporary.replace(path)


class FacePainter:
    """Paints one face with any expression, and remembers what it painted."""

    def __init__(self, generator: PortraitGenerator, face: Face, cached_frames: int = 512) -> None:
        missing = [name for name in MOVED if name not in generator.properties]
        if missing:
            raise ValueError(
                f"generator.properties={tuple(generator.properties)} lacks {missing}: her face needs the conditioned "
                f"generator; load it with load_generator(profile, conditioned=True)"
            )
        if set(face.properties) != set(generator.properties) or face.latent.shape != (generator.z_dim,):
            raise ValueError(
                f"face has latent {face.latent.shape} and properties {sorted(face.properties)}; this generator needs "
                f"({generator.z_dim},) and {sorted(generator.properties)}"
            )
        self.generator, self.face = generator, face
        self._frames: OrderedDict[tuple[float, ...], np.ndarray] = OrderedDict()
        self._cached_frames = cached_frames
        self._lock = threading.Lock()  # the animation and the turn both paint

    def properties(self, offsets: Mapping[str, float] | None = None) -> dict[str, float]:
        """The seven requested values in z-units: at rest plus offsets, kept within ±2.5."""
        unknown = sorted(set(offsets or {}) - set(self.face.properties))
        if unknown:
            raise ValueError(f"offsets has {unknown}; allowed: {sorted(self.face.properties)}")
        wanted = {
            name: self.face.properties[name] + (offsets or {}).get(name, 0.0) for name in self.generator.properties
        }
        return {name: float(np.clip(value, -REACH, REACH)) for name, value in wanted.items()}

    def portrait(self, offsets: Mapping[str, float] | None = None) -> np.ndarray:
        """Her portrait as uint8 (size, size, 3).

        Args:
            offsets: property → movement from rest in z-units; none paints her at rest.
        """
        key = tuple(round(value / _STEP) * _STEP for value in self.properties(offsets).values())
        with self._lock:
            if key in self._frames:
                self._frames.move_to_end(key)
            else:
                self._frames[key] = self._paint(key)
                if len(self._frames) > self._cached_frames:
                    self._frames.popitem(last=False)
            return self._frames[key]

    def _paint(self, values: tuple[float, ...]) -> np.ndarray:
        with torch.inference_mode():
            z = torch.from_numpy(self.face.latent)[None]
            image = self.generator.generate(z, torch.tensor([values], dtype=torch.float32))
        pixels = to_pictures(image)[0]
        pixels.flags.writeable = False  # cached: whoever gets it must not change everyone's picture
        return pixels


def encode_portrait(portrait: np.ndarray, size: int | None = None) -> bytes:
    """A portrait, uint8 (size, size, 3), as JPEG bytes; ``size`` enlarges it (bicubic)."""
    image = Image.fromarray(np.asarray(portrait))
    if size is not None:
        image = image.resize((size, size), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=90, subsampling=0)  # lips and irises are few pixels: keep their colour
    return buffer.getvalue()
