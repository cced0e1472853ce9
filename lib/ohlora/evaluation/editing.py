"""Does she do what is asked, and only that, and does she stay herself? Property control over all sampled latents.

    python -m ohlora.evaluation.editing --latents 500 --workers 2 --into-card

500 latents × 7 properties × 5 requests are 17,500 portraits. They are made and judged in parts of ten latents; each
part is kept under outputs/editing/, in a folder named after the sha256 of all weights and settings that it rests on,
so a run that was interrupted, or that asks for more latents, goes on from there. The baselines edit the unconditioned
generator; they take fewer latents unless told otherwise, and every row says how many.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from ohlora.config import load_profile, outputs_folder
from ohlora.evaluation import editing_scores as scores
from ohlora.evaluation.editors import BASELINES, ConditionedEditor, DirectionEditor, Walk, label_latents
from ohlora.evaluation.identity import RULER, load_face_ruler
from ohlora.evaluation.landmarks import judge_exists, landmark_measures
from ohlora.evaluation.metrics import Metric, write_metrics
from ohlora.evaluation.property_sweep import LANDMARKS, REQUESTS, Editor, Sweep, portrait_judge, sweep
from ohlora.images import to_images
from ohlora.labeling import PROPERTIES, Labeler, load_labeler
from ohlora.portraits import load_sample
from ohlora.stylegan import PortraitGenerator, load_generator
from ohlora.stylegan.portrait_generator import read_generator
from ohlora.weights import WeightsError, add_to_card, load_weights, locate_weights

CONDITIONED = "conditioned generator"
SPLIT = "all sampled latents"
_PART = 10  # latents that are kept, or lost when interrupted, together
_SEEDS = 10**12  # where the seeds of tested latents begin


@dataclass(frozen=True)
class EditingSettings:
    """What a sweep rests on, beside the weights. Frozen, and sent to each worker.

    profile: its name. weights: path of the conditioned generator. seed: of the tested latents. labelled: latents that
    the directions learn from. requests: z-scores.
    """

    profile: str
    weights: str
    seed: int = 0
    labelled: int = 2000
    requests: tuple[float, ...] = REQUESTS

    def folder(self, editor: str) -> Path:
        """Where the parts of an editor lie: another one for other weights or settings."""
        profile = load_profile(self.profile)
        names = [profile.stylegan.weights, RULER]
        names += [getattr(profile.labeling, key) for key in ("segmentation", "standardisation", "gender", "quality")]
        rests_on: dict[str, object] = {"seed": self.seed, "requests": self.requests, "part": _PART}
        if editor == CONDITIONED:
            names.append(self.weights)
        else:
            rests_on["labelled"] = self.labelled
        rests_on["weights"] = [_identity_of(name) for name in names]
        key = hashlib.sha256(json.dumps(rests_on, sort_keys=True).encode()).hexdigest()[:16]
        return outputs_folder() / "editing" / f"{editor.replace(',', '').replace(' ', '_')}_{key}"


def _identity_of(name_or_path: str) -> str:
    """sha256 of a weight file; of a network that comes from the hub, its name."""
    path = Path(name_or_path)
    try:
        path = path if path.suffix == ".safetensors" else locate_weights(name_or_path)
    except WeightsError:
        return name_or_path
    return json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["sha256"]


def tested_latents(generator: PortraitGenerator, seed: int, numbers: Iterable[int]) -> Tensor:
    """Tested latents by their numbers 0, 1, 2 …, (n, z_dim): nobody is chosen, and number 7 is the same in any test.

    Drawn from N(0, I) in parts of ten with a seed each, far from those that trainings count up from zero.
    """
    numbers = list(numbers)
    parts = {part: generator.sample_z(_PART, _SEEDS + 10**6 * seed + part) for part in {n // _PART for n in numbers}}
    return torch.stack([parts[number // _PART][number % _PART] for number in numbers])


def find_walk(settings: EditingSettings, name: str) -> Walk:
    """Where a baseline walks: found once, then read from its folder."""
    path = settings.folder(name) / "walk.npz"
    if not path.exists():
        generator, labeler = load_generator(settings.profile), load_labeler(settings.profile)
        walk = BASELINES[name](generator, labeler, _labelled(settings, generator, labeler))
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp.npz")
        np.savez(temporary, **{key: tensor.numpy() for key, tensor in vars(walk).items()})
        temporary.replace(path)
    with np.load(path, allow_pickle=False) as file:
        return Walk(**{key: torch.from_numpy(file[key]) for key in ("directions", "slopes", "medians")})


def run_sweep(settings: EditingSettings, name: str, latents: int, outside_judge: int = 0, workers: int = 1) -> Sweep:
    """The sweep of one editor; parts that are already there are read, the others are made.

    Args:
        name: CONDITIONED or one of BASELINES. latents: rounded up to whole parts of ten.
        outside_judge: latents, also rounded up, whose portraits MediaPipe measures as well.
        workers: processes of one thread each.

    Raises:
        ValueError: an unknown editor, or fewer than one latent or worker.
    """
    if name != CONDITIONED and name not in BASELINES:
        raise ValueError(f"name={name!r} is unknown; allowed: {', '.join((CONDITIONED, *BASELINES))}")
    if latents < 1 or workers < 1:
        raise ValueError(f"latents={latents}, workers={workers}; allowed: 1 or more of each")
    if name != CONDITIONED:
        find_walk(settings, name)
    watched = math.ceil(outside_judge / _PART)
    jobs = [(settings, name, part, part < watched) for part in range(math.ceil(latents / _PART))]
    missing = [job for job in jobs if not _part_path(*job).exists()]
    bar = {"total": len(jobs), "initial": len(jobs) - len(missing), "desc": name, "disable": None, "file": sys.stderr}
    if workers == 1 or len(missing) < 2:
        for job in tqdm(missing, **bar):
            _make_part(job)
    else:
        pool = ProcessPoolExecutor(
            workers, mp_context=get_context("spawn"), initializer=torch.set_num_threads, initargs=(1,)
        )
        with pool:
            list(tqdm(pool.map(_make_part, missing), **bar))
    return Sweep.joined([Sweep.load(_part_path(*job)) for job in jobs])


def _part_path(settings: EditingSettings, name: str, part: int, landmarks: bool) -> Path:
    return settings.folder(name) / f"part_{part:04d}{'_landmarks' if landmarks else ''}.npz"


_loaded: dict[tuple[EditingSettings, str], tuple] = {}  # of this process: weights are read once, not once a part


def _make_part(job: tuple[EditingSettings, str, int, bool]) -> None:
    settings, name, part, landmarks = job
    if (settings, name) not in _loaded:
        _loaded.clear()
        ruler = load_face_ruler()
        _loaded[settings, name] = (_editor(settings, name), portrait_judge(load_labeler(settings.profile), ruler))
    editor, judge = _loaded[settings, name]
    latents = tested_latents(editor.generator, settings.seed, range(part * _PART, (part + 1) * _PART))
    sweep(editor, judge, latents, settings.requests, landmarks).save(_part_path(*job))


def _editor(settings: EditingSettings, name: str) -> Editor:
    if name == CONDITIONED:
        return ConditionedEditor(read_generator(settings.weights))
    return DirectionEditor(load_generator(settings.profile), find_walk(settings, name))


_labelled_latents: dict[EditingSettings, object] = {}


def _labelled(settings: EditingSettings, generator: PortraitGenerator, labeler: Labeler) -> object:
    """The same labelled latents for every baseline."""
    if settings not in _labelled_latents:
        _labelled_latents[settings] = label_latents(generator, labeler, settings.labelled)
    return _labelled_latents[settings]


def landmark_ceiling(seed: int = 0) -> dict[str, float]:
    """r between MediaPipe and the truth of the shipped renders: how far it is to be believed about such faces.

    Empty where there is no MediaPipe for this Python.
    """
    if not judge_exists():
        return {}
    sample = load_sample()
    found = landmark_measures(to_images(sample.images))
    truth = {"eyes": "lid_gap", "mouth": "mouth", "pose": "yaw"}
    seen = found.notna().all(axis=1).to_numpy()
    return {name: float(np.corrcoef(found[name][seen], sample.truth[truth[name]][seen])[0, 1]) for name in LANDMARKS}


def editing_metrics(result: Sweep, labeler: Labeler, baseline: Sweep | None = None, seed: int = 0) -> dict[str, Metric]:
    """Every number of a sweep.

    Baselines: ``baseline``, another editor's sweep, for r, MAE, yields and off-target; the people before any edit for
    the filters; two different people for the person and for pixels outside; for MediaPipe, how well it knows the truth
    of renders. ``mae_floor`` is what the MAE would be at best: some requests lie beyond what any render shows.
    """
    rendered = labeler.measure(to_images(load_sample().images))[list(PROPERTIES)].to_numpy()
    table = scores.property_table(result, scores.reachable(rendered))
    other = None if baseline is None else scores.property_table(baseline)
    n, edits = len(result), len(result) * len(result.requests)
    found = {}
    for name, row in table.iterrows():
        beside = {key: None if other is None else float(other[key][name]) for key in ("r", "mae")}
        found[f"r_{name}"] = Metric(row["r"], edits, seed, SPLIT, beside["r"])
        found[f"mae_{name}"] = Metric(row["mae"], edits, seed, SPLIT, beside["mae"])
        found[f"mae_floor_{name}"] = Metric(row["mae_floor"], len(rendered), seed, "range of shipped renders")
        found[f"outside_l1_{name}"] = Metric(row["outside"], edits, seed, SPLIT, row["outside_strangers"])
    for name, share in (("yield", scores.yield_of_latents), ("strict_yield", scores.strict_yield)):
        found[name] = Metric(share(result), n, seed, SPLIT, None if baseline is None else share(baseline))
    worst = scores.worst_cell(result, seed=seed)
    compared = None if baseline is None else scores.worst_cell(baseline).value
    where = f"{SPLIT}: {worst.measured} when {worst.moved} is moved"
    found["worst_off_target"] = Metric(worst.value, n, seed, where, compared)
    found["worst_off_target_low"] = Metric(worst.low, n, seed, "95 % bootstrap over latents")
    found["worst_off_target_high"] = Metric(worst.high, n, seed, "95 % bootstrap over latents")
    found |= _person_metrics(result, seed)
    for name, row in scores.filter_table(result).iterrows():
        found[f"{name}_passed"] = Metric(row["edited"], edits * len(PROPERTIES), seed, SPLIT, row["unmoved"])
        found[f"{name}_kept"] = Metric(row["kept"], edits * len(PROPERTIES), seed, "people who passed before")
    if len(result.landmarks):
        ceiling = landmark_ceiling()
        for name, row in scores.landmark_table(result).iterrows():
            count = int(row["latents"]) * len(result.requests)
            found[f"mediapipe_r_{name}"] = Metric(row["r"], count, seed, SPLIT, ceiling[name])
            found[f"mediapipe_faces_{name}"] = Metric(row["faces"], count, seed, SPLIT)
    return {name: metric for name, metric in found.items() if math.isfinite(metric.value)}


def _person_metrics(result: Sweep, seed: int) -> dict[str, Metric]:
    """Cosines of faces along the path; beside them those of strangers.

    ``same_person_<property>`` has another baseline: what a perfect editor, the renderer itself, gets for it.
    """
    card = load_weights(RULER)[1]["metrics"]
    same, strangers = result.same[np.isfinite(result.same)], result.strangers[np.isfinite(result.strangers)]
    if not len(same) or not len(strangers):
        return {}
    threshold, n = card["threshold"], len(same)
    accepted, mistaken = float((same > threshold).mean()), float((strangers > threshold).mean())
    each = {
        f"same_person_{name}": Metric(
            float(np.nanmean(result.same[:, index])), n // len(PROPERTIES), seed, SPLIT, card[f"perfect_editor_{name}"]
        )
        for index, name in enumerate(PROPERTIES)
    }
    return each | {
        "same_person": Metric(float(same.mean()), n, seed, SPLIT, float(strangers.mean())),
        "same_person_worst_5": Metric(
            float(np.quantile(same, 0.05)), n, seed, SPLIT, float(np.quantile(strangers, 0.95))
        ),
        "same_person_accepted": Metric(accepted, n, seed, SPLIT, mistaken),
        "same_person_perfect_editor": Metric(
            card["perfect_editor"], card["perfect_editor_n"], seed, "renders in which only the property moves"
        ),
    }


def main() -> None:
    """Command line: sweep, print the tables, write outputs/editing_<weights>/metrics.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", default="embedded")
    parser.add_argument(
        "--weights", default=None, help="name or path of a conditioned generator; default: the profile's"
    )
    parser.add_argument("--latents", type=int, default=500, help="rounded up to tens")
    parser.add_argument("--baseline-latents", type=int, default=100, help="for each baseline; 0: no baselines")
    parser.add_argument("--outside", type=int, default=100, help="latents that MediaPipe judges; 0: not asked")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--labelled", type=int, default=2000, help="latents that the directions learn from")
    parser.add_argument("--workers", type=int, default=1, help="processes, one thread each")
    parser.add_argument("--into-card", action="store_true", help="write the tables into the card of the weights too")
    arguments = parser.parse_args()
    profile = load_profile(arguments.profile)
    weights = arguments.weights or profile.stylegan.conditioned
    path = Path(weights) if weights.endswith(".safetensors") else locate_weights(weights)
    settings = EditingSettings(profile.name, str(path), arguments.seed, arguments.labelled)
    torch.set_num_threads(1)

    result = run_sweep(settings, CONDITIONED, arguments.latents, arguments.outside, arguments.workers)
    rivals = {
        name: run_sweep(settings, name, arguments.baseline_latents, workers=arguments.workers)
        for name in (BASELINES if arguments.baseline_latents else ())
    }
    metrics = editing_metrics(result, load_labeler(profile), rivals.get("SVM"), arguments.seed)
    editors = pd.DataFrame({name: scores.editor_row(one) for name, one in {CONDITIONED: result, **rivals}.items()}).T
    matrix = scores.rescoring_matrix(result)
    with pd.option_context("display.width", 250, "display.max_columns", None, "display.max_rows", None):
        print(pd.DataFrame({name: vars(metric) for name, metric in metrics.items()}).T.to_string())
        print(editors.round(3).to_string(), matrix.round(3).to_string(), sep="\n\n")
    write_metrics(f"editing_{path.stem}", metrics)
    if arguments.into_card:
        add_to_card(
            path,
            evaluation={name: vars(metric) for name, metric in metrics.items()},
            editors=[{"editor": name, **_rounded(row)} for name, row in editors.iterrows()],
            rescoring={name: _rounded(row) for name, row in matrix.iterrows()},
            worst=scores.worst_edits(result).assign(seed=arguments.seed).to_dict("records"),
        )


def _rounded(row: pd.Series) -> dict[str, float | None]:
    """JSON has no NaN."""
    return {key: round(float(value), 4) if np.isfinite(value) else None for key, value in row.items()}


if __name__ == "__main__":
    main()
