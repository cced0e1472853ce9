"""Is it still the same person? A ruler for faces, made here and tested on people whose identity is known.

    python -m ohlora.evaluation.identity --corpus outputs/corpus_256 --workers 2

No package carries a network for face recognition, so this is none. It is a linear reader of frozen features: the face
is cut out around the nose, what is no face is greyed, EfficientNet-lite0 (trained on photographs of things) looks at
it, and a ridge regression reads from two of its feature maps the 28 numbers that make the person: age, skin, shape,
brows … It learns from renders and from generated portraits, whose latents are paired with people. What moves in them
independently of the person, pose, expression, hair, light and background, it learns to look through. Two faces are
compared by the cosine of those readings.

How good is the ruler? Its card says, on rendered people that it never saw, under two circumstances each: the area
under the ROC curve, the equal error rate, the cosines of one person and of two, and the cosine that a *perfect* editor
gets, one that renders the same person anew with a single property moved. Only beside these does a cosine mean
anything.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import RidgeCV
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.preprocessing import StandardScaler
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from ohlora.config import half_precision, load_profile, outputs_folder
from ohlora.evaluation.rendered_people import CIRCUMSTANCES, render_views, single_moves, views
from ohlora.images import resize, to_images
from ohlora.labeling import PROPERTIES, load_segmentation
from ohlora.labeling.measurements import FACE, NOSE, centroid
from ohlora.labeling.segmentation import class_probabilities
from ohlora.portraits.parameters import VECTOR_NAMES
from ohlora.stylegan import load_generator
from ohlora.stylegan.perceptual_features import FeaturePyramid
from ohlora.weights import load_weights, save_weights

RULER = "face_ruler"
_SIDE, _SHARE = 160, 0.54  # pixels of the cut-out face, and its part of the portrait's width
_MAPS = ((2, 6), (3, 4))  # feature map of the pyramid, and the grid that it is averaged to
_PENALTIES = (300.0, 1000.0, 3000.0, 10000.0)
_BATCH = 16
_TEST, _MOVES = 9302, 9303  # seeds of the people that the ruler is tested on
_GENERATED = 9304  # seed of the generated portraits that it learns from


def face_crops(images: Tensor, areas: Tensor, side: int = _SIDE, share: float = _SHARE) -> Tensor:
    """Faces cut out around the nose, all else grey, at one scale, so that a long face stays long.

    Args:
        images: float (n, 3, s, s) in [-1, 1]. areas: probabilities of the nine classes, (n, 9, t, t), of any size t.

    Returns:
        Float (n, 3, side, side). A portrait without a nose is cut around its middle.
    """
    x, y = (place.nan_to_num(0.5) for place in centroid(areas[:, NOSE]))
    face = resize(areas[:, FACE].sum(dim=1, keepdim=True), images.shape[-1])
    place = images.new_zeros(len(images), 2, 3)
    place[:, 0, 0] = place[:, 1, 1] = share
    place[:, 0, 2], place[:, 1, 2] = 2 * x - 1, 2 * y - 1
    grid = functional.affine_grid(place, (len(images), 3, side, side), align_corners=False)
    return functional.grid_sample(images * face, grid, align_corners=False)


class FaceRuler:
    """Portraits → unit vectors; the cosine of two says how much one person is in both.

    weight: float32 (features, d). bias: (d,). threshold: the cosine at which the ruler mistakes as many strangers for
    one person as it takes one person for two, on rendered people.
    """

    def __init__(self, weight: Tensor, bias: Tensor, threshold: float) -> None:
        self.weight, self.bias, self.threshold = weight, bias, threshold
        self.pyramid = FeaturePyramid().to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def features(self, images: Tensor, areas: Tensor) -> Tensor:
        """What the reader reads from, float32 (n, features); arguments as in :func:`face_crops`."""
        parts = []
        for part, their in zip(images.split(_BATCH), areas.split(_BATCH), strict=True):
            crops = face_crops(part.cpu().float(), their.cpu().float())
            place = next(self.pyramid.parameters()).device
            with half_precision():
                maps = self.pyramid(crops.to(place).contiguous(memory_format=torch.channels_last), levels=4)
            grids = [functional.adaptive_avg_pool2d(maps[level].float(), grid).flatten(1) for level, grid in _MAPS]
            parts.append(torch.cat(grids, dim=1).cpu())
        return torch.cat(parts)

    def embed(self, images: Tensor, areas: Tensor) -> Tensor:
        """Unit vectors, float32 (n, d); arguments as in :func:`face_crops`."""
        return functional.normalize(self.features(images, areas) @ self.weight + self.bias, dim=1)


def load_face_ruler() -> FaceRuler:
    """The shipped ruler, or the one that you trained.

    Raises:
        WeightsError: the weight file is missing or damaged.
    """
    tensors, card = load_weights(RULER)
    return FaceRuler(tensors["weight"], tensors["bias"], card["metrics"]["threshold"])


def verification(faces: np.ndarray, alike: np.ndarray | None = None) -> dict[str, float]:
    """How well cosines tell one person from two.

    Args:
        faces: unit vectors (people, views, d), views at least 2.
        alike: bool (people, people), pairs of strangers that are hard to tell; None: not asked.

    Returns:
        auroc, equal_error_rate, threshold (cosine, at equal error), same and strangers (mean cosines), strangers_95
        (their 95 % quantile), same_5 (5 % quantile), pairs (of views of one person); auroc_alike with ``alike``.
    """
    people, count = faces.shape[:2]
    flat = faces.reshape(people * count, -1)
    first, second = np.triu_indices(len(flat), 1)
    cosines = np.concatenate([flat[row] @ flat[row + 1 :].T for row in range(len(flat) - 1)])
    first, second = first // count, second // count
    same = first == second
    false, true, cuts = roc_curve(same, cosines)
    equal = int(np.argmin(np.abs(false - (1 - true))))
    found = {
        "auroc": roc_auc_score(same, cosines),
        "equal_error_rate": (false[equal] + 1 - true[equal]) / 2,
        "threshold": cuts[equal],
        "same": cosines[same].mean(),
        "same_5": np.quantile(cosines[same], 0.05),
        "strangers": cosines[~same].mean(),
        "strangers_95": np.quantile(cosines[~same], 0.95),
        "pairs": same.sum(),
    }
    if alike is not None:
        chosen = same | alike[first, second]
        found["auroc_alike"] = roc_auc_score(same[chosen], cosines[chosen])
    return {name: float(value) for name, value in found.items()}


def alike(u: np.ndarray) -> np.ndarray:
    """Pairs of one gender, and of nearly one age and skin, bool (people, people); u: (people, VECTOR_SIZE)."""
    columns = {name: u[:, VECTOR_NAMES.index(name)] for name in ("gender", "age", "skin")}
    woman = columns["gender"] > -0.52  # as PortraitParams draws the line
    near = [np.abs(np.subtract.outer(columns[name], columns[name])) < 0.7 for name in ("age", "skin")]
    return (woman[:, None] == woman) & near[0] & near[1]


def train_face_ruler(
    corpus: Path, folder: Path, generated: int = 2000, people: int = 120, moved: int = 30, workers: int = 1
) -> Path:
    """Fit the ruler on renders and generated portraits, test it on people of other seeds, and write its weights.

    Args:
        corpus: as written by ohlora.portraits.corpus. folder: where the renders of the test are kept (once made, they
            stay). generated: portraits of the profile's generator to learn from; their latents are paired with people.
            people: of the test, two views each. moved: people of whom each property is moved alone.

    Raises:
        ValueError: a corpus without shards.
    """
    paths = sorted(corpus.glob("shard_*.npz"))
    if not paths:
        raise ValueError(f"corpus={str(corpus)!r} holds no shard_*.npz; python -m ohlora.portraits.corpus renders them")
    segmentation = load_segmentation()
    ruler = FaceRuler(torch.zeros(1), torch.zeros(1), 0.0)
    found, u = [], []
    for images, vectors in _lessons(paths, generated):
        found.append(ruler.features(images, _areas(segmentation, images)).numpy())
        u.append(vectors[:, ~CIRCUMSTANCES])
    scaler = StandardScaler()
    reader = RidgeCV(_PENALTIES).fit(scaler.fit_transform(np.concatenate(found)), np.concatenate(u))
    weight = reader.coef_.T / scaler.scale_[:, None]
    ruler.weight = torch.from_numpy(weight).float()
    ruler.bias = torch.from_numpy(reader.intercept_ - scaler.mean_ @ weight).float()

    tested = views(people, 2, _TEST)
    renders = _faces(ruler, segmentation, render_views(tested, folder / f"test_{people}", workers=workers))
    scores = verification(renders, alike(tested[:, 0]))
    scores |= {f"generated_{key}": value for key, value in _generated(ruler, segmentation, tested).items()}
    moves = render_views(single_moves(moved, _MOVES), folder / f"moves_{moved}", workers=workers)
    scores |= perfect_editor(_faces(ruler, segmentation, moves))
    card = {
        "data": f"{sum(map(len, u)) - generated} renders of {corpus.name}, {generated} portraits of "
        f"{load_profile().stylegan.weights}; features of EfficientNet-lite0, frozen",
        "seed": _TEST,
        "command": "python -m ohlora.evaluation.identity",
        "licence": "Apache-2.0",
        "metrics": scores | {"people": people, "penalty": float(reader.alpha_)},
        "reads": list(np.array(VECTOR_NAMES)[~CIRCUMSTANCES]),
        "tested_on": "rendered people of other seeds than the corpus, two views each with all circumstances drawn anew",
    }
    tensors = {"weight": ruler.weight, "bias": ruler.bias}
    return save_weights(outputs_folder() / "weights" / f"{RULER}.safetensors", tensors, card)


def _lessons(paths: list[Path], generated: int) -> Iterator[tuple[Tensor, np.ndarray]]:
    """Portraits and the vectors u (n, VECTOR_SIZE) of who is in them: renders, then generated ones."""
    for path in tqdm(paths, desc="renders", disable=None, file=sys.stderr):
        with np.load(path, allow_pickle=False) as file:
            images, vectors = to_images(file["images"]), file["u"]
        # every second portrait is softened: people are not their sharpness
        images[1::2] = resize(resize(images[1::2], images.shape[-1] * 7 // 16), images.shape[-1])
        yield images, vectors
    generator = load_generator()
    z = generator.sample_z(generated, _GENERATED)
    for part in tqdm(z.split(64), desc="generated", disable=None, file=sys.stderr):
        yield to_images(generator.pictures(part)), generator.z_to_u(part).numpy()


def perfect_editor(faces: np.ndarray) -> dict[str, float]:
    """Cosines of renders in which one property moves with the unmoved one; faces (people, 1 + 2 · 7, d)."""
    cosines = np.einsum("pvd,pd->pv", faces[:, 1:], faces[:, 0]).reshape(len(faces), len(PROPERTIES), 2)
    return {
        "perfect_editor": float(cosines.mean()),
        "perfect_editor_worst_5": float(np.quantile(cosines, 0.05)),
        "perfect_editor_n": int(cosines.size),
        **{f"perfect_editor_{name}": float(cosines[:, index].mean()) for index, name in enumerate(PROPERTIES)},
    }


def _generated(ruler: FaceRuler, segmentation: torch.nn.Module, u: np.ndarray) -> dict[str, float]:
    """The same test on generated portraits: latents that are paired with those people, circumstances drawn anew."""
    generator = load_generator()
    free = torch.randn(len(u), generator.z_dim - u.shape[2], generator=torch.Generator().manual_seed(_TEST))
    pairs = [generator.pictures(generator.u_to_z(torch.from_numpy(u[:, k]), free)) for k in range(u.shape[1])]
    return verification(_faces(ruler, segmentation, np.stack(pairs, axis=1)))


def _faces(ruler: FaceRuler, segmentation: torch.nn.Module, pictures: np.ndarray) -> np.ndarray:
    """Unit vectors (people, views, d) of pictures uint8 (people, views, s, s, 3)."""
    found = []
    for row in tqdm(pictures, desc="faces", disable=None, file=sys.stderr, leave=False):
        images = to_images(row)
        found.append(ruler.embed(images, _areas(segmentation, images)).numpy())
    return np.stack(found)


def _areas(segmentation: torch.nn.Module, images: Tensor) -> Tensor:
    return torch.cat([areas.cpu() for _, areas in class_probabilities(segmentation, images)])


def main() -> None:
    """Command line: train the ruler, print what its card says of it."""
    profile = load_profile()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=outputs_folder() / profile.portraits.corpus)
    parser.add_argument("--generated", type=int, default=2000, help="generated portraits to learn from")
    parser.add_argument("--people", type=int, default=120, help="of the test, rendered twice each")
    parser.add_argument("--moved", type=int, default=30, help="people of whom each property is moved alone")
    parser.add_argument("--workers", type=int, default=1, help="processes that render")
    arguments = parser.parse_args()
    folder = outputs_folder() / "identity"
    numbers = (arguments.generated, arguments.people, arguments.moved, arguments.workers)
    path = train_face_ruler(arguments.corpus, folder, *numbers)
    for name, value in load_weights(path)[1]["metrics"].items():
        print(f"{name:32}{value:.4g}")


if __name__ == "__main__":
    main()
