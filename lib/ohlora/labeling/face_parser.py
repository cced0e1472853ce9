"""Somebody else's face parser from the Hugging Face hub, with our nine classes: ``labeling.source: hub``.

For portraits that our renderer never saw: photographs, or what an imported generator makes of them. The parser is a
SegFormer (Xie et al. 2021) that was trained on CelebAMask-HQ (Lee et al. 2020), a data set for non-commercial research.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from ohlora.config import device
from ohlora.images import resize
from ohlora.labeling.segmentation import CLASSES, MEASURED_SIZE

CLASS_OF = {
    "background": "background",
    "skin": "skin",
    "nose": "nose",
    "eye_g": None,
    "l_eye": "eyes",
    "r_eye": "eyes",
    "l_brow": "brows",
    "r_brow": "brows",
    "l_ear": "skin",
    "r_ear": "skin",
    "mouth": "mouth interior",
    "u_lip": "lips",
    "l_lip": "lips",
    "hair": "hair",
    "hat": "clothes",
    "ear_r": "skin",
    "neck_l": "skin",
    "neck": "skin",
    "cloth": "clothes",
}
"""Label of CelebAMask-HQ → our class.

Ears, neck, earring (``ear_r``) and necklace (``neck_l``) are skin, as in our renders. A hat is worn, so it is clothes:
as hair it would spoil the colour and the length of the hair. Glasses (``eye_g``) are None, left out: one looks through
them. The label covers the lenses, so as skin it would close the eyes and as eyes it would tear them open; without it
the parser's next best answer counts, eye or skin."""

PARSER_SIZE = 512
"""Pixels of a side at which the parser was trained."""
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, as for every SegFormer


class FaceParserError(RuntimeError):
    """The face parser cannot be loaded."""


def class_of_labels(labels: dict[int, str]) -> list[int | None]:
    """The number of our class for each label of a parser, in the order of its outputs; None: left out.

    Args:
        labels: output number → name, ``id2label`` of its configuration. Names count, not numbers: versions of the same
            parser number them differently, and some end in ``.png``.

    Raises:
        ValueError: a label that CLASS_OF does not have, or one of our classes that no label leads to.
    """
    names = [labels[number].removesuffix(".png") for number in sorted(labels)]
    unknown = sorted(set(names) - set(CLASS_OF))
    if unknown:
        raise ValueError(f"the face parser has labels {unknown}; allowed: {sorted(CLASS_OF)}, those of CelebAMask-HQ")
    classes = [CLASS_OF[name] for name in names]
    absent = [name for name in CLASSES if name not in classes]
    if absent:
        raise ValueError(f"the face parser has no label for {absent}; allowed: one with all labels of CelebAMask-HQ")
    return [None if name is None else CLASSES.index(name) for name in classes]


class FaceParser(nn.Module):
    """A SegFormer that answers like our own network: images (n, 3, s, s) in [-1, 1] -> logits (n, 9, s, s).

    A class's probability is the sum of those of its labels, so its logit is the logarithm of the sum of theirs.
    """

    size = MEASURED_SIZE

    def __init__(self, parser: nn.Module, parser_size: int = PARSER_SIZE) -> None:
        super().__init__()
        self.parser, self.parser_size = parser, parser_size
        belongs = torch.zeros(len(CLASSES), len(parser.config.id2label), dtype=torch.bool)
        for label, number in enumerate(class_of_labels(parser.config.id2label)):
            if number is not None:
                belongs[number, label] = True
        self.register_buffer("belongs", belongs, persistent=False)
        for name, values in (("mean", _MEAN), ("deviation", _DEVIATION)):
            self.register_buffer(name, torch.tensor(values)[:, None, None], persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Logits float32 (n, 9, s, s) of images (n, 3, s, s); their softmax is the nine probabilities."""
        pixels = (resize(images, self.parser_size) + 1) / 2
        logits = self.parser(pixel_values=(pixels - self.mean) / self.deviation).logits.float()
        of_class = [torch.logsumexp(logits[:, labels], dim=1) for labels in self.belongs]
        # The parser answers at a quarter of its size.
        return functional.interpolate(
            torch.stack(of_class, dim=1), size=images.shape[2:], mode="bilinear", align_corners=False
        )


def load_face_parser(model: str | Path, parser_size: int = PARSER_SIZE) -> FaceParser:
    """A face parser from the hub (its name there) or from a folder, in evaluation mode on the device.

    Args:
        model: of a SegFormer with the labels of CelebAMask-HQ, e.g. ``jonathandinu/face-parsing``; safetensors only.
        parser_size: pixels of a side that it is shown.

    Raises:
        FaceParserError: it cannot be fetched or read. ValueError: its labels are others.
    """
    from transformers import SegformerForSemanticSegmentation

    try:
        parser = SegformerForSemanticSegmentation.from_pretrained(model, use_safetensors=True)
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise FaceParserError(
            f"labeling.segmentation={str(model)!r} with labeling.source='hub' cannot be loaded ({reason}); it must be "
            "a SegFormer on the Hugging Face hub or in a folder; without a network choose labeling.source: weights"
        ) from error
    return FaceParser(parser.eval().requires_grad_(False), parser_size).to(device())
