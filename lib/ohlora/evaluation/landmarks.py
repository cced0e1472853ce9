"""An outside judge for faces, eyes, mouth and pose: MediaPipe, which never saw a portrait of ours."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np
import pandas as pd
import torch

from ohlora.images import to_pictures

_MISSING = "the package mediapipe is missing; install it: pip install --no-deps -r requirements-no-deps.txt"
_LEAST_PIXELS = 256  # smaller portraits are enlarged: MediaPipe finds more faces so
# Numbers of the face mesh's points (MediaPipe's canonical face model)
_EYES = (((159, 145), (33, 133)), ((386, 374), (362, 263)))  # (upper, lower lid), (corners)
_LIPS = (13, 14)  # inner edges of the upper and lower lip
_CORNERS, _NOSE = (33, 263), 1  # outer corners of the eyes, tip of the nose


def judge_exists() -> bool:
    """Is there a MediaPipe for this Python? From 3.13 on (Colab) there is none that has its models inside."""
    return sys.version_info < (3, 13)


def landmark_measures(images: torch.Tensor) -> pd.DataFrame:
    """Eyes, mouth and pose of portraits in MediaPipe's own units: use them for correlations.

    Args:
        images: float32 (n, 3, size, size) in [-1, 1].

    Returns:
        Columns eyes (lid gap / eye width), mouth (lip gap / distance of the eyes), pose (position of the nose
        between the eyes after the roll is undone; positive = turned to the right of the image). NaN: no face found.

    Raises:
        ImportError: mediapipe is not installed (requirements-no-deps.txt).
    """
    try:
        from mediapipe.python.solutions.face_mesh import FaceMesh
    except ImportError as error:
        raise ImportError(_MISSING) from error
    rows = []
    options = {"static_image_mode": True, "refine_landmarks": True, "min_detection_confidence": 0.3}
    with _quiet(), FaceMesh(**options) as mesh:
        for image in images:
            found = mesh.process(_enlarged(to_pictures(image[None])[0]))
            if found.multi_face_landmarks:
                rows.append(_measure(np.array([(p.x, p.y) for p in found.multi_face_landmarks[0].landmark])))
            else:
                rows.append({"eyes": np.nan, "mouth": np.nan, "pose": np.nan})
    return pd.DataFrame(rows, columns=["eyes", "mouth", "pose"])


def face_counts(pictures: np.ndarray) -> np.ndarray:
    """How many faces MediaPipe's detector finds in each portrait, int (n,); one is right.

    Args:
        pictures: uint8 (n, size, size, 3).

    Raises:
        ImportError: mediapipe is not installed (requirements-no-deps.txt).
    """
    try:
        from mediapipe.python.solutions.face_detection import FaceDetection
    except ImportError as error:
        raise ImportError(_MISSING) from error
    # model 0 is the one for faces within two metres; 0.5 is the detector's own confidence
    with _quiet(), FaceDetection(model_selection=0, min_detection_confidence=0.5) as detector:
        found = [detector.process(_enlarged(picture)).detections for picture in pictures]
    return np.array([len(faces or ()) for faces in found], dtype=int)


def _enlarged(picture: np.ndarray) -> np.ndarray:
    if len(picture) >= _LEAST_PIXELS:
        return np.ascontiguousarray(picture)
    return cv2.resize(picture, (_LEAST_PIXELS,) * 2, interpolation=cv2.INTER_CUBIC)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the start-up messages of MediaPipe's C++ part, which no logger reaches, out of notebooks."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _measure(points: np.ndarray) -> dict[str, float]:
    def distance(pair: tuple[int, int]) -> float:
        return float(np.linalg.norm(points[pair[0]] - points[pair[1]]))

    left, right = points[_CORNERS[0]], points[_CORNERS[1]]
    across = (right - left) / np.linalg.norm(right - left)
    middle = (left + right) / 2
    return {
        "eyes": float(np.mean([distance(lids) / distance(corners) for lids, corners in _EYES])),
        "mouth": distance(_LIPS) / distance(_CORNERS),
        "pose": float((points[_NOSE] - middle) @ across / distance(_CORNERS)),
    }
