"""How good is the generator? Held-out pairs, distance of feature distributions, speed."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ohlora.evaluation.metrics import Metric
from ohlora.labeling.quality_labels import features, load_features
from ohlora.portraits import Corpus, PortraitParams, render
from ohlora.stylegan import PortraitGenerator


def as_images(pictures: np.ndarray) -> Tensor:
    """uint8 (n, size, size, 3) → float32 (n, 3, size, size) in [-1, 1]."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1.0


def reconstructions(generator: PortraitGenerator, corpus: Corpus, seed: int = 0) -> Tensor:
    """What the generator makes of the parameters of rendered portraits, (n, 3, size, size)."""
    extra = torch.randn(len(corpus), generator.z_dim - corpus.u.shape[1], generator=torch.Generator().manual_seed(seed))
    return generator.generate(generator.u_to_z(torch.from_numpy(corpus.u), extra))


def heldout_reconstruction(generator: PortraitGenerator, corpus: Corpus, seed: int = 0) -> dict[str, Metric]:
    """L1 (images in [-1, 1]) and PSNR (dB) on pairs that were never trained on.

    The baseline is the best that knows nothing of u: the median render for L1, the mean one for PSNR.
    """
    real, made = as_images(corpus.images), reconstructions(generator, corpus, seed)
    signal = 4.0  # squared range of [-1, 1]

    def psnr(guess: Tensor) -> float:
        return (10 * torch.log10(signal / (guess - real).square().mean(dim=(1, 2, 3)))).mean().item()

    median = real.flatten(1).median(dim=0).values.view_as(real[0])
    split = "rendered from another seed"
    return {
        "heldout_l1": Metric(
            F.l1_loss(made, real).item(), len(corpus), seed, split, (real - median).abs().mean().item()
        ),
        "heldout_psnr": Metric(psnr(made), len(corpus), seed, split, psnr(real.mean(dim=0))),
    }


def kernel_distance(first: Tensor, second: Tensor) -> float:
    """Unbiased squared kernel inception distance (Bińkowski et al. 2018): cubic kernel, features (n, d)."""

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        return (a @ b.t() / a.shape[1] + 1.0) ** 3

    first, second = first.double(), second.double()
    m, n = len(first), len(second)
    within_first, within_second = kernel(first, first), kernel(second, second)
    within_first = (within_first.sum() - within_first.trace()) / (m * (m - 1))
    within_second = (within_second.sum() - within_second.trace()) / (n * (n - 1))
    return (within_first + within_second - 2 * kernel(first, second).mean()).item()


def feature_distance(generator: PortraitGenerator, corpus: Corpus, seed: int = 0) -> Metric:
    """KID between fresh generated portraits and renders, on EfficientNet-lite0 features, × 1000.

    The baseline is the floor: KID between two halves of the renders. Both use as many portraits.
    """
    network = load_features()
    half = len(corpus) // 2
    rendered = features(network, as_images(corpus.images))
    generated = features(network, generator.generate(generator.sample_z(half, seed)))
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(corpus)))
    first, second = rendered[order[:half]], rendered[order[half : 2 * half]]
    floor = 1000 * kernel_distance(first, second)
    return Metric(1000 * kernel_distance(generated, second), half, seed, "fresh latents", floor)


def _seconds(work: Callable[[], object], repeats: int) -> float:
    work()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return float(np.median(times))


def speed(generator: PortraitGenerator, repeats: int = 7) -> dict[str, Metric]:
    """CPU seconds for one portrait, made one by one, and how many times faster that is than rendering it.

    The ratio can be compared between machines, the seconds cannot.
    """
    z = generator.sample_z(1, seed=0)
    one = _seconds(lambda: generator.generate(z), repeats)
    rendered = _seconds(lambda: render(PortraitParams(), generator.size), max(2, repeats // 3))
    return {
        "cpu_seconds_a_portrait": Metric(one, repeats, 0, "one by one", rendered),
        "times_faster_than_rendering": Metric(rendered / one, repeats, 0, "one by one", 1.0),
    }
