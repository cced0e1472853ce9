"""Gender and quality: five small CNNs each, one a fold, whose calibrated votes are averaged."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import timm
import torch
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from torch import nn
from torch.nn import functional
from tqdm import tqdm

from ohlora.config import Profile, device, half_precision, load_profile, seed_everything
from ohlora.images import resize
from ohlora.labeling.calibration import Calibration
from ohlora.labeling.segmentation import check_images
from ohlora.weights import load_weights


@dataclass(frozen=True)
class ClassifierSettings:
    """size: pixels that the CNN sees. channels: of timm's ResNet stages. The rest: its training.

    least_steps: few labels are shown so often that there are at least so many steps.
    """

    size: int = 64
    channels: tuple[int, int, int, int] = (32, 64, 96, 128)
    folds: int = 5
    epochs: int = 16
    batch: int = 32
    learning_rate: float = 2e-3
    least_steps: int = 200


class PortraitClassifier(nn.Module):
    """Soft vote of small ResNets (timm ``resnet10t`` with fewer channels, from scratch).

    Input float (n, 3, any, any) in [-1, 1]; output calibrated probability (n,) of the positive class.
    """

    def __init__(self, settings: ClassifierSettings, calibration: Calibration | None = None) -> None:
        super().__init__()
        self.size = settings.size
        self.calibration = calibration or Calibration()
        self.voters = nn.ModuleList(backbone(settings) for _ in range(settings.folds))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Mean of the voters' calibrated probabilities, float32 (n,)."""
        small = resize(images, self.size)
        logits = torch.stack([voter(small)[:, 0] for voter in self.voters]).float()
        return (self.calibration.scale * logits + self.calibration.shift).sigmoid().mean(dim=0)


def backbone(settings: ClassifierSettings, outputs: int = 1) -> nn.Module:
    """One untrained timm ResNet of ten layers with ``outputs`` outputs."""
    return timm.create_model(
        "resnet10t", pretrained=False, num_classes=outputs, channels=settings.channels, stem_width=16, drop_rate=0.1
    )


def load_classifier(name: str, profile: Profile | str = "embedded") -> PortraitClassifier:
    """The profile's ``"gender"`` or ``"quality"`` classifier.

    Raises:
        ValueError: another name. WeightsError: the weight file is missing or damaged.
    """
    if name not in ("gender", "quality"):
        raise ValueError(f"name={name!r} is unknown; allowed: gender, quality")
    return read_classifier(getattr(load_profile(profile).labeling, name))


def read_classifier(name_or_path: str | Path) -> PortraitClassifier:
    """A classifier from a weight file (name or path), in evaluation mode.

    Raises:
        WeightsError: missing or damaged.
    """
    tensors, card = load_weights(name_or_path)
    network = PortraitClassifier(ClassifierSettings(**card["settings"]), Calibration(**card.get("calibration", {})))
    network.load_state_dict({name: tensor for name, tensor in tensors.items() if name.startswith("voters.")})
    return network.eval().requires_grad_(False).to(device())


@torch.inference_mode()
def classify(network: PortraitClassifier, images: torch.Tensor, batch: int = 64) -> np.ndarray:
    """Probability of the positive class, float32 (n,), of images as in check_images."""
    votes = []
    for chunk in check_images(images).split(batch):
        if len(chunk) == 0:
            break
        with half_precision():
            votes.append(network(chunk.to(device(), torch.float32)).float().cpu())
    return torch.cat(votes).numpy() if votes else np.zeros(0, dtype=np.float32)


def train_one(
    images: torch.Tensor, targets: np.ndarray, settings: ClassifierSettings, seed: int, title: str = "classifier"
) -> nn.Module:
    """Train one voter: AdamW, cosine schedule, mirrored and slightly shifted or lit copies.

    Args:
        images: float (n, 3, size, size) in [-1, 1], already shrunk to settings.size.
        targets: (n,), 0 … 1: labels, or how much a portrait is of the positive class.
    """
    seed_everything(seed)
    network = backbone(settings).train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=0.02)
    wanted = torch.as_tensor(targets, dtype=torch.float32)
    per_epoch = max(1, len(images) // settings.batch)
    total, order = max(settings.epochs * per_epoch, settings.least_steps), np.random.default_rng(seed)
    progress = tqdm(total=total, disable=None, file=sys.stderr, desc=title)
    for step in range(total):
        if step % per_epoch == 0:
            batches = np.array_split(order.permutation(len(images)), per_epoch)
        rows = torch.from_numpy(batches[step % per_epoch])
        for group in optimiser.param_groups:
            rise = min(1.0, (step + 1) / (0.1 * total + 1))
            group["lr"] = settings.learning_rate * rise * 0.5 * (1 + math.cos(math.pi * step / total))
        with half_precision():
            logits = network(vary(images[rows]).contiguous(memory_format=torch.channels_last))[:, 0]
        loss = functional.binary_cross_entropy_with_logits(logits.float(), wanted[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        progress.update()
    progress.close()
    return network.eval().requires_grad_(False)


def vary(images: torch.Tensor) -> torch.Tensor:
    """Mirror half of them, shift by up to 6 %, change brightness a little: none of it changes who it is."""
    count = len(images)
    images = torch.where(torch.rand(count, 1, 1, 1) < 0.5, images.flip(3), images)
    reach = max(1, images.shape[-1] // 16)
    down, right = torch.randint(-reach, reach + 1, (2,)).tolist()
    images = functional.pad(images, (reach,) * 4, mode="replicate")
    size = images.shape[-1] - 2 * reach
    images = images[:, :, reach + down : reach + down + size, reach + right : reach + right + size]
    return images * torch.empty(count, 1, 1, 1).uniform_(0.9, 1.1)


def shrunk(images: torch.Tensor, settings: ClassifierSettings) -> torch.Tensor:
    """Images (n, 3, s, s) at the size that a voter sees."""
    return torch.cat([resize(chunk, settings.size) for chunk in images.split(256)])


@torch.inference_mode()
def voter_logits(voter: nn.Module, small: torch.Tensor) -> np.ndarray:
    """Logits float32 (n,) of one voter; ``small`` from shrunk."""
    with half_precision():
        return torch.cat([voter(part)[:, 0].float() for part in small.split(64)]).numpy()


def train_folds(
    images: torch.Tensor,
    positive: np.ndarray,
    settings: ClassifierSettings,
    seed: int = 0,
    title: str = "classifier",
    targets: np.ndarray | None = None,
) -> tuple[PortraitClassifier, np.ndarray]:
    """Stratified k-fold: each voter is trained without one fold and answers for it.

    Args:
        images: float (n, 3, s, s) in [-1, 1]. positive: (n,) of 0 and 1, each at least settings.folds times.
        targets: what the voters learn, (n,), 0 … 1; None: the labels themselves.

    Returns:
        The soft vote of all, calibrated on the held-out logits, and those logits (n,).
    """
    positive = np.asarray(positive)
    rarest = int(min(positive.sum(), len(positive) - positive.sum()))
    if len(positive) != len(images) or rarest < settings.folds:
        raise ValueError(
            f"positive has {len(positive)} labels, {rarest} of the rarer kind, for {len(images)} images; allowed: one"
            f" an image, at least {settings.folds} of each kind"
        )
    targets = positive if targets is None else np.asarray(targets)
    small = shrunk(images, settings)
    network, held_out = PortraitClassifier(settings), np.zeros(len(positive), dtype=np.float32)
    folds = StratifiedKFold(settings.folds, shuffle=True, random_state=seed).split(positive, positive)
    for number, (train, test) in enumerate(folds):
        voter = train_one(small[train], targets[train], settings, seed + number, f"{title} fold {number + 1}")
        network.voters[number] = voter
        held_out[test] = voter_logits(voter, small[test])
    network.calibration = Calibration.fit(held_out, positive)
    return network.eval().requires_grad_(False), held_out


def classifier_scores(positive: np.ndarray, probability: np.ndarray) -> dict[str, float]:
    """Accuracy, balanced accuracy, AUROC and the accuracy of always giving the more frequent answer.

    Args:
        positive: true labels (n,), 0 or 1, both present. probability: predictions (n,).
    """
    positive, said = np.asarray(positive), np.asarray(probability) > 0.5
    return {
        "accuracy": float((said == positive).mean()),
        "balanced accuracy": float(balanced_accuracy_score(positive, said)),
        "AUROC": float(roc_auc_score(positive, probability)),
        "majority": float(max(positive.mean(), 1 - positive.mean())),
    }
