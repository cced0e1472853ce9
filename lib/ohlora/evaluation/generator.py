"""How good is the generator? Likeness to renders, unseen pairs, path length, faces, memorisation, speed.

    python -m ohlora.evaluation.generator --corpus outputs/corpus_256 --weights stylegan_256 --into-card

Everything is judged against renders that the generator never saw: the held-out shards of the corpus, or the shipped
sample where there is no corpus. Beside each number stands what it would be for a perfect generator, or for one that
knows nothing. FID, precision and recall depend on the number of portraits, so that number is the same for the
generator and for its floor: compare a value with its own floor, not with one from another n.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ohlora.config import load_profile, outputs_folder
from ohlora.evaluation.distribution_metrics import likeness, likeness_floor
from ohlora.evaluation.landmarks import face_counts
from ohlora.evaluation.memorisation import nearest_training, neighbour_sheet, share_closer
from ohlora.evaluation.metrics import Metric, write_metrics
from ohlora.evaluation.patch_distance import patch_distance
from ohlora.evaluation.path_length import perceptual_path_length
from ohlora.evaluation.perceptual import PerceptualDistance, portrait_features
from ohlora.evaluation.renders import Judges, Renders, corpus_judges, sample_judges
from ohlora.images import shrink_pictures, to_images
from ohlora.portraits import PortraitParams, render
from ohlora.stylegan import PortraitGenerator
from ohlora.stylegan.portrait_generator import read_generator
from ohlora.weights import add_to_card, locate_weights

FRESH = "fresh latents"


def reconstructions(generator: PortraitGenerator, renders: Renders, seed: int = 0) -> np.ndarray:
    """What the generator makes of the parameters of rendered portraits, uint8, at the size of the smaller of both."""
    dice = torch.Generator().manual_seed(seed)
    extra = torch.randn(len(renders), generator.z_dim - renders.u.shape[1], generator=dice)
    made = generator.pictures(generator.u_to_z(torch.from_numpy(renders.u), extra))
    return shrink_pictures(made, renders.pictures.shape[1])


def paired_scores(generator: PortraitGenerator, judges: Judges, seed: int = 0) -> dict[str, Metric]:
    """L1 (images in [-1, 1]), PSNR (dB) and perceptual distance on pairs that were never trained on.

    Baselines know nothing of u: the median render for L1, the mean one for PSNR, another render for the perceptual
    distance. With a corpus: L1 on pairs that were trained on, beside that on unseen ones.
    """
    real, made = judges.held_out.pictures, reconstructions(generator, judges.held_out, seed)
    count, split = len(real), judges.split
    median, mean = np.median(real, axis=0), np.mean(real, axis=0)
    scores = {
        "heldout_l1": Metric(_l1(made, real), count, seed, split, _l1(median[None], real)),
        "heldout_psnr": Metric(_psnr(made, real), count, seed, split, _psnr(mean[None], real)),
        "heldout_perceptual": Metric(
            _perceptual(made, real), count, seed, split, _perceptual(np.roll(real, 1, axis=0), real)
        ),
    }
    if judges.training:
        seen = _l1(reconstructions(generator, judges.others, seed), judges.others.pictures)
        scores["training_l1"] = Metric(seen, count, seed, "training pairs", scores["heldout_l1"].value)
    return scores


def likeness_scores(generated: np.ndarray, judges: Judges, seed: int = 0) -> dict[str, Metric]:
    """FID, KID × 1000, precision, recall and patches of generated portraits; the baseline is the floor at the same n.

    Features are those of a network that our generators are trained with (perceptual loss, projected discriminator), and
    so they flatter them. Patches need no network: ``patches`` is the sliced Wasserstein distance over all scales,
    ``patches_finest`` that of the finest detail.

    Args:
        generated: uint8 (n, size, size, 3), as many as held-out renders.
    """
    held_out, others = (
        portrait_features(one.pictures, name="features of renders") for one in (judges.held_out, judges.others)
    )
    found = likeness(portrait_features(generated), held_out)
    floor = likeness_floor(torch.cat([held_out, others]), seed=seed)
    n = len(held_out)
    patches, other_patches = (
        list(patch_distance(pictures, judges.held_out.pictures, seed).values())
        for pictures in (generated, judges.others.pictures)
    )
    return {
        "fid": Metric(found.fid, n, seed, FRESH, floor.fid),
        "kid_times_1000": Metric(1000 * found.kid, n, seed, FRESH, 1000 * floor.kid),
        "precision": Metric(found.precision, n, seed, FRESH, floor.precision),
        "recall": Metric(found.recall, n, seed, FRESH, floor.recall),
        "patches": Metric(float(np.mean(patches)), n, seed, FRESH, float(np.mean(other_patches))),
        "patches_finest": Metric(patches[0], n, seed, FRESH, other_patches[0]),
    }


def face_scores(generated: np.ndarray, judges: Judges, seed: int = 0) -> dict[str, Metric]:
    """Share of portraits in which MediaPipe finds exactly one face; the baseline is that of held-out renders."""
    found, rendered = (float((face_counts(one) == 1).mean()) for one in (generated, judges.held_out.pictures))
    return {"one_face": Metric(found, len(generated), seed, FRESH, rendered)}


def memorisation_scores(
    generated: np.ndarray, judges: Judges, seed: int = 0, picture: Path | None = None
) -> dict[str, Metric]:
    """Are generated portraits nearer to the training portraits than unseen renders are? 0.5: no; 1: always.

    Args:
        picture: PNG to write, the nearest pairs above each other; None: not written.
    """
    unseen, size = judges.held_out.pictures, judges.held_out.pictures.shape[1]
    found = nearest_training({"generated": generated, "unseen": unseen}, judges.training, size)
    if picture is not None:
        neighbour_sheet(generated, found["generated"], judges.training).savefig(picture)
    return {
        f"nearer_to_training_by_{kind}": Metric(
            share_closer(*(getattr(found[name], f"{part}_nearness") for name in ("generated", "unseen"))),
            len(generated), seed, FRESH, 0.5,
        )
        for kind, part in (("features", "feature"), ("pixels", "pixel"))
    }  # fmt: skip


def speed(generator: PortraitGenerator, repeats: int = 15) -> dict[str, Metric]:
    """Portraits made one by one: a second (wall clock), CPU seconds for one, and how many times faster than rendering.

    The ratio can be compared between machines, the seconds cannot.
    """
    z = generator.sample_z(1, seed=0)
    wall, cpu = _seconds(lambda: generator.generate(z), repeats)
    rendered_wall, rendered_cpu = _seconds(lambda: render(PortraitParams(), generator.size), max(2, repeats // 5))
    split = f"one by one, {torch.get_num_threads()} threads"
    return {
        "portraits_a_second": Metric(1 / wall, repeats, 0, split, 1 / rendered_wall),
        "cpu_seconds_a_portrait": Metric(cpu, repeats, 0, split, rendered_cpu),
        "times_faster_than_rendering": Metric(rendered_cpu / cpu, repeats, 0, split, 1.0),
    }


def evaluate(
    generator: PortraitGenerator, judges: Judges, pairs: int = 200, seed: int = 0, picture: Path | None = None
) -> dict[str, Metric]:
    """Every score of this module, over as many fresh latents as there are held-out renders.

    An imported generator has no pairs, and no paired scores.

    Args:
        pairs: roads on which the path length is measured. picture: see memorisation_scores.
    """
    latents = generator.sample_z(len(judges.held_out), seed)
    generated = shrink_pictures(generator.pictures(latents), judges.held_out.pictures.shape[1])
    scores = {
        **likeness_scores(generated, judges, seed),
        **(paired_scores(generator, judges, seed) if isinstance(generator, PortraitGenerator) else {}),
        **perceptual_path_length(generator, pairs, seed),
        **face_scores(generated, judges, seed),
        **speed(generator),
    }
    if judges.training:
        scores |= memorisation_scores(generated, judges, seed, picture)
    return scores


def _difference(made: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Between images in [-1, 1]."""
    return (made.astype(np.float32) - real.astype(np.float32)) / 127.5


def _l1(made: np.ndarray, real: np.ndarray) -> float:
    made = np.broadcast_to(made, real.shape)
    return float(np.mean([np.abs(_difference(*pair)).mean() for pair in zip(made, real, strict=True)]))


def _psnr(made: np.ndarray, real: np.ndarray) -> float:
    made = np.broadcast_to(made, real.shape)
    errors = [np.square(_difference(*pair)).mean() for pair in zip(made, real, strict=True)]
    return float(np.mean(10 * np.log10(4.0 / np.array(errors))))  # 4: the squared range of [-1, 1]


@torch.inference_mode()
def _perceptual(made: np.ndarray, real: np.ndarray, batch: int = 16) -> float:
    distance = PerceptualDistance()
    parts: list[Tensor] = [
        distance(to_images(made[row : row + batch]), to_images(real[row : row + batch]))
        for row in range(0, len(real), batch)
    ]
    return torch.cat(parts).mean().item()


def _seconds(work: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Median wall-clock and CPU seconds, after one call that is not counted."""
    work()
    walls, cpus = [], []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return float(np.median(walls)), float(np.median(cpus))


def table(scores: dict[str, Metric]) -> str:
    """The scores as lines of text, value beside baseline."""
    lines = [f"{'':30}{'value':>10}{'baseline':>10}{'n':>7}  split"]
    for name, metric in scores.items():
        baseline = "" if metric.baseline is None else f"{metric.baseline:.4g}"
        lines.append(f"{name:30}{metric.value:>10.4g}{baseline:>10}{metric.n:>7}  {metric.split}")
    return "\n".join(lines)


def main() -> None:
    """Command line: score a generator, print the table, write outputs/generator_<weights>/metrics.json."""
    profile = load_profile()
    parser = argparse.ArgumentParser(description="Score a portrait generator against held-out renders.")
    parser.add_argument("--weights", default=profile.stylegan.weights, help="name or path of a generator")
    parser.add_argument("--corpus", type=Path, default=None, help="folder of shards; default: the profile's, if there")
    parser.add_argument("--n", type=int, default=None, help="portraits on each side; default: all held-out renders")
    parser.add_argument("--pairs", type=int, default=200, help="roads for the path length")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=None, help="CPU threads; default: as the environment says")
    parser.add_argument("--into-card", action="store_true", help="write the scores into the card of the weights too")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    path = Path(arguments.weights)
    path = path if path.suffix == ".safetensors" else locate_weights(arguments.weights)
    generator = read_generator(path)
    shards = arguments.corpus or outputs_folder() / profile.portraits.corpus
    known = arguments.corpus or any(shards.glob("shard_*.npz"))
    find = (lambda **options: corpus_judges(shards, **options)) if known else sample_judges
    judges = find(n=arguments.n, size=generator.size)
    name = f"generator_{path.stem}"
    folder = outputs_folder() / name
    folder.mkdir(parents=True, exist_ok=True)
    scores = evaluate(generator, judges, arguments.pairs, arguments.seed, folder / "nearest_training.png")
    print(table(scores))
    write_metrics(name, scores)
    if arguments.into_card:
        add_to_card(path, evaluation={key: vars(metric) for key, metric in scores.items()})


if __name__ == "__main__":
    main()
