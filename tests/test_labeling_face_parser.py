"""A face parser from the hub behaves like our own network. Tested without a network on a tiny, random SegFormer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import SegformerConfig, SegformerForSemanticSegmentation

from ohlora.config import load_profile
from ohlora.labeling import CLASSES, load_segmentation, property_training
from ohlora.labeling.face_parser import (
    CLASS_OF,
    FaceParser,
    FaceParserError,
    class_of_labels,
    load_face_parser,
)
from ohlora.labeling.generated_set import weights_of_set
from ohlora.labeling.labeler import load_standardisation
from ohlora.labeling.measurements import PROPERTIES, measure
from ohlora.labeling.segmentation import MEASURED_SIZE, class_logits, class_probabilities, segment

LABELS = dict(enumerate(CLASS_OF))


def save_tiny(folder: Path, labels: dict[int, str] = LABELS) -> Path:
    """A SegFormer of a few thousand random parameters, saved as the hub would give it."""
    torch.manual_seed(0)
    config = SegformerConfig(
        depths=[1, 1, 1, 1], hidden_sizes=[8, 8, 16, 16], num_attention_heads=[1, 1, 2, 2], decoder_hidden_size=16,
        id2label=labels, label2id={name: number for number, name in labels.items()},
    )  # fmt: skip
    SegformerForSemanticSegmentation(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("parser"))


@pytest.fixture(scope="module")
def parser(folder: Path) -> FaceParser:
    return load_face_parser(folder, parser_size=64)


@pytest.mark.parametrize("side", [64, 256])
def test_it_answers_like_our_network(parser: FaceParser, side: int) -> None:
    images = torch.rand(3, 3, side, side) * 2 - 1
    seen, areas = next(class_probabilities(parser, images, batch=3))
    assert seen.shape == (3, 3, MEASURED_SIZE, MEASURED_SIZE)
    assert areas.shape == (3, 9, MEASURED_SIZE, MEASURED_SIZE) and areas.dtype == torch.float32
    assert torch.allclose(areas.sum(dim=1), torch.ones(()), atol=1e-5)
    masks = segment(parser, images)
    assert masks.shape == (3, side, side) and masks.dtype == np.uint8 and masks.max() < 9
    assert measure(seen, areas).shape == (3, 7)
    assert segment(parser, images[:0]).shape == (0, side, side)


def test_a_class_is_as_likely_as_its_labels_together(parser: FaceParser) -> None:
    """Against the parser's own 19 probabilities, without the glasses, at the quarter size at which it answers."""
    images = torch.rand(2, 3, 256, 256) * 2 - 1
    small = torch.nn.functional.interpolate(images, size=(64, 64), mode="area")
    mean, deviation = (torch.tensor(v)[:, None, None] for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    with torch.inference_mode():
        logits = parser.parser(pixel_values=((small + 1) / 2 - mean) / deviation).logits
        logits[:, list(CLASS_OF).index("eye_g")] = -torch.inf
        expected = torch.zeros(2, 9, 16, 16)
        for number, name in enumerate(CLASS_OF.values()):
            if name is not None:
                expected[:, CLASSES.index(name)] += logits.softmax(dim=1)[:, number]
        # A picture of 16 px would be refused by check_images; the module itself takes the shape of the answer.
        nine = parser(small)[:, :, 1::4, 1::4]
    assert nine.softmax(dim=1).sub(expected).abs().mean() < 0.02


def test_names_count_and_not_numbers(folder: Path, tmp_path: Path) -> None:
    """The same parser with its outputs in another order, and with the endings that an early version had."""
    order = np.random.default_rng(0).permutation(len(LABELS))
    shuffled = {place: f"{LABELS[number]}.png" for place, number in enumerate(order.tolist())}
    other = SegformerForSemanticSegmentation.from_pretrained(folder)
    for parameter in (other.decode_head.classifier.weight, other.decode_head.classifier.bias):
        parameter.data = parameter.data[order]
    other.config.id2label = shuffled
    other.config.label2id = {name: number for number, name in shuffled.items()}
    other.save_pretrained(tmp_path)
    images = torch.rand(1, 3, 64, 64) * 2 - 1
    logits = [next(class_logits(load_face_parser(some, 64), images, 1))[1] for some in (folder, tmp_path)]
    assert torch.allclose(*logits, atol=0.05)


def test_unknown_or_missing_labels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"the face parser has labels \['LABEL_0', .*those of CelebAMask-HQ"):
        load_face_parser(save_tiny(tmp_path, {number: f"LABEL_{number}" for number in range(19)}))
    without = dict(enumerate(name for name in CLASS_OF if "brow" not in name))
    with pytest.raises(ValueError, match=r"has no label for \['brows'\]"):
        class_of_labels(without)


def test_the_profile_chooses_it(folder: Path) -> None:
    gpu = load_profile("gpu")
    assert gpu.labeling.source == "hub"
    profile = replace(gpu, labeling=replace(gpu.labeling, segmentation=str(folder)))
    assert isinstance(load_segmentation(profile), FaceParser)
    assert weights_of_set(profile)[1] == str(folder), "what it measures is not taken for what our network measures"


def test_its_constants_are_measured_once(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can ship the mean and the deviation of what somebody else's network measures."""
    monkeypatch.setenv("OHLORA_OUTPUTS", str(tmp_path))
    monkeypatch.setattr(property_training, "CONSTANTS_FROM", 8)
    gpu = load_profile("gpu")
    profile = replace(gpu, labeling=replace(gpu.labeling, segmentation=str(folder)))
    measured = load_standardisation(profile)
    seen = slice(0, PROPERTIES.index("background_mean"))  # a random parser is nowhere sure of the background
    assert torch.isfinite(measured.mean[seen]).all() and (measured.deviation[seen] > 0).all()
    monkeypatch.setattr(property_training, "CONSTANTS_FROM", 0)
    again = load_standardisation(profile)
    assert torch.equal(again.mean[seen], measured.mean[seen]), "the second time they are read"


def test_a_parser_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FaceParserError, match=r"labeling.segmentation='.*missing' .*choose labeling.source: weights"):
        load_face_parser(tmp_path / "missing")


def test_an_unknown_source_is_refused() -> None:
    profile = load_profile("embedded")
    with pytest.raises(ValueError, match=r"labeling\.source='disk' is unknown; allowed: weights, hub"):
        load_segmentation(replace(profile, labeling=replace(profile.labeling, source="disk")))
