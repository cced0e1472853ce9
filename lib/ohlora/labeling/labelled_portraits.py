"""Portraits with labels, ready for the classifiers: by the renderer's truth, by the quality ruler, or by a person."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from ohlora.config import Profile, load_profile, outputs_folder
from ohlora.labeling.broken_portraits import broken_pictures
from ohlora.labeling.generated_set import CACHED_SIZE, find_generated, gender_truth, set_pictures, small_pictures
from ohlora.labeling.label_store import LabelStore
from ohlora.labeling.named_portraits import named_pictures
from ohlora.labeling.quality_labels import (
    RULER_SIZE,
    QualityRuler,
    fit_ruler,
    is_clear,
    picture_features,
    quality_targets,
)
from ohlora.stylegan.perceptual_features import load_features

BROKEN_SHARE = 1 / 3
"""Of the portraits labelled for quality, how many are pushed to break (broken_portraits); the rest is ordinary."""
CLEAR_GENDER = 0.1
"""Truth nearer to 0 or 1 than this is a clear man or woman."""
RENDERED = 2000
"""Rendered portraits that the quality ruler is fitted with, at most."""


@dataclass(frozen=True)
class LabelledPortraits:
    """n portraits and what is known of them.

    pictures: uint8 (n, s, s, 3). positive: float32 (n,), 1 woman or good, 0 man or bad. targets: float32 (n,), the
    same, but gradual, for training. clear: bool (n,), far from the border between the two.
    """

    pictures: np.ndarray
    positive: np.ndarray
    targets: np.ndarray
    clear: np.ndarray

    def __len__(self) -> int:
        return len(self.positive)

    def __getitem__(self, rows: slice | np.ndarray) -> LabelledPortraits:
        return LabelledPortraits(*(getattr(self, field.name)[rows] for field in fields(self)))


def by_truth(profile: Profile | str, count: int, seed: int = 0) -> LabelledPortraits:
    """Gender from the parameters that the generator's latents are paired with.

    The first ``count`` portraits of the measured set where there is one as large; else new ones of ``seed``.
    """
    from ohlora.stylegan import load_generator

    profile = load_profile(profile)
    generator, found = load_generator(profile), find_generated(profile)
    if found is not None and len(found.raw) >= count:
        pictures, woman = set_pictures(profile, generator, found, first=count), found.woman[:count]
    else:
        z = generator.sample_z(count, seed)
        pictures, woman = small_pictures(generator, z), gender_truth(generator, z)
    return with_truth(pictures, woman)


def with_truth(pictures: np.ndarray, woman: np.ndarray) -> LabelledPortraits:
    """Pictures with the renderer's gender (n,), 0 man … 1 woman; above one half is a woman."""
    woman = np.asarray(woman, dtype=np.float32)
    clear = np.minimum(woman, 1 - woman) < CLEAR_GENDER
    return LabelledPortraits(pictures, (woman > 0.5).astype(np.float32), woman, clear)


def by_ruler(profile: Profile | str, count: int, seed: int = 0) -> tuple[LabelledPortraits, QualityRuler]:
    """Quality from the distance to everything rendered, of ordinary portraits and of ones that were pushed to break.

    Nothing is left out: a pushed portrait that came out well is labelled good, an ordinary one that did not, bad.

    Raises:
        ValueError: there is no rendered corpus under outputs/.
    """
    from ohlora.portraits.corpus import load_corpus
    from ohlora.stylegan import load_generator

    profile = load_profile(profile)
    broken = round(BROKEN_SHARE * count)
    ordinary = by_truth(profile, count - broken, seed).pictures
    pushed = broken_pictures(load_generator(profile), broken, seed, CACHED_SIZE)
    pictures = np.concatenate([ordinary, pushed])
    rendered = load_corpus(outputs_folder() / profile.portraits.corpus, RENDERED, RULER_SIZE).images
    network = load_features()
    ruler = fit_ruler(network, rendered)
    labelled = with_distance(pictures, ruler.distance(picture_features(network, pictures)))
    # Shuffled, so that any first n are a fair sample.
    return labelled[np.random.default_rng(seed).permutation(count)], ruler


def with_distance(pictures: np.ndarray, distance: np.ndarray) -> LabelledPortraits:
    """Pictures with their distance (n,) from QualityRuler; up to 1 is good."""
    good = (np.asarray(distance) <= 1).astype(np.float32)
    return LabelledPortraits(pictures, good, quality_targets(distance), is_clear(distance))


def by_person(
    profile: Profile | str, question: str, labels: Path, rater: str, generator: Any = None
) -> LabelledPortraits:
    """A person's answers from a file of labels; the portraits are made again from their names.

    Raises:
        ValueError: no file, or no answer of this rater to this question about the present generator's portraits.
    """
    from ohlora.stylegan import load_generator

    profile = load_profile(profile)
    if not Path(labels).exists():
        raise ValueError(f"labels={str(labels)!r} does not exist; allowed: a file that the labelling widget wrote")
    store = LabelStore(labels, rater)
    answers = store.labels(question).set_index("portrait")["positive"]
    pictures = named_pictures(generator or load_generator(profile), list(answers.index), profile)
    if not pictures:
        raise ValueError(
            f"rater={rater!r} has {len(answers)} answers to {question} in {Path(labels).name}, none of them about"
            f" portraits of the present generator; raters in it: {', '.join(store.raters()) or 'none'}"
        )
    positive = answers[list(pictures)].to_numpy(dtype=np.float32)
    return LabelledPortraits(np.stack(list(pictures.values())), positive, positive, np.ones(len(positive), dtype=bool))
