"""From parameters to geometry: the morphed, coloured and turned figure, ready to be drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ohlora.portraits import colours
from ohlora.portraits.earrings import earring_size, earrings
from ohlora.portraits.eyes import brow_hairs, curved, eyeball, lashes
from ohlora.portraits.glasses import glasses
from ohlora.portraits.hair import Strands, grow_hair
from ohlora.portraits.head_data import load_head_data
from ohlora.portraits.mesh import smoothstep, surface, turn_head, vertex_normals
from ohlora.portraits.parameters import SHAPE_NAMES, PortraitParams
from ohlora.portraits.regions import BODY_LEVELS, CLOTHES, EYES, SKIN, load_regions, neutral_vertices

MATERIAL_SKIN, MATERIAL_EYE, MATERIAL_GLOSSY, MATERIAL_CLOTH, MATERIAL_HAIR, MATERIAL_LASH = range(6)
EYE_TO_MOUTH = 0.625  # decimetres; every head is scaled towards it


@dataclass
class Figure:
    """What the rasteriser and the shader need.

    vertices: (n, 3) base vertices, upright. points, normals, colours: (p, 3) of all surfaces, turned; colours are
    linear RGB. triangles (t, 3), labels (t,) mask classes, materials (t,), keep (p,): surface where it is >= 0.
    eye_centre: (3,) between the eyes, turned. coarse: (m, 3) turned level-1 body, which casts the shadows.
    hair, lashes and brows are strands, turned; brow_colour (3,).
    """

    vertices: np.ndarray
    points: np.ndarray
    normals: np.ndarray
    colours: np.ndarray
    triangles: np.ndarray
    labels: np.ndarray
    materials: np.ndarray
    keep: np.ndarray
    eye_centre: np.ndarray
    coarse: np.ndarray
    hair: Strands
    lashes: tuple[np.ndarray, np.ndarray]
    brows: tuple[np.ndarray, np.ndarray]
    brow_colour: np.ndarray


def morph_strengths(params: PortraitParams) -> tuple[dict[str, float], dict[str, float]]:
    """Strength of every morph: (the identity, the expression). The face at rest is the identity alone."""
    g, identity = params.gender, {}
    # The full morph is a face of about ninety.
    older = float(np.interp(params.age, [18, 24, 40, 60], [0.02, 0.06, 0.24, 0.58]))
    for gender, share in (("female", g), ("male", 1 - g)):
        for origin, part in zip(("european", "asian", "african"), params.ancestry, strict=True):
            identity[f"{gender}_{origin}"] = share * part
        identity[f"{gender}_older"] = share * older
        identity[f"{gender}_heavy"] = share * max(params.weight, 0)
        identity[f"{gender}_thin"] = share * max(-params.weight, 0)
    identity["style_eyes"], identity["style_face"] = 0.82 + 0.18 * g, 0.35 + 0.65 * g
    for name in SHAPE_NAMES:
        value = getattr(params, name)
        identity[f"{name}+"], identity[f"{name}-"] = max(value, 0), max(-value, 0)

    wide = 0.8 * np.clip((params.eyes - 0.68) / 0.32, 0, 1)
    raised, mouth, smile = max(params.brow_raise, 0), params.mouth, params.smile
    expression = {
        "eyeBlink": closed_lids(params.eyes), "eyeWide": wide,
        "mouthSmile": smile * (1 - 0.20 * mouth), "cheekSquint": 0.25 * smile,
        "browOuterUp": 0.3 * wide + 0.3 * raised, "browInnerUp": 0.25 * wide + 0.3 * raised,
        "browDown": max(-params.brow_raise, 0),
        "mouthUpperUp": 0.08 * mouth * smile, "mouthLowerDown": 0.15 * mouth,
        "jawOpen": 0.55 * mouth, "mouthFunnel": 0.12 * mouth * (1 - smile),
    }  # fmt: skip
    return identity, expression


def closed_lids(eyes: float) -> float:
    """Strength of the blink morph, 1 at eyes = 0."""
    return float(np.interp(eyes, [0, 0.62, 1], [1, 0.02, 0]))


def morph(params: PortraitParams) -> np.ndarray:
    """Base vertices (n, 3) of this person with this expression.

    Gender changes the height of the body by half a head, so the head is moved and scaled until the resting
    eyes and mouth stand where they stand on the neutral head; all heights in other modules rely on it.
    """
    data = load_head_data()
    identity, expression = morph_strengths(params)
    rest = data.morphed(identity)
    eye = _between_eyes(rest)
    scale = (EYE_TO_MOUTH / (eye[1] - rest[data.landmarks["lip_reference"], 1].mean())) ** 0.85
    moved = rest + (data.morphed(expression) - data.vertices)
    return (moved - eye) * scale + _between_eyes(neutral_vertices())


def _between_eyes(vertices: np.ndarray) -> np.ndarray:
    marks = load_head_data().landmarks
    return (vertices[marks["eye_left"]].mean(0) + vertices[marks["eye_right"]].mean(0)) / 2


def paint_body(params: PortraitParams) -> tuple[np.ndarray, np.ndarray]:
    """Linear RGB (n, 3) of the level-2 body, and of the brows (3,)."""
    regions, g, dark = load_regions(), params.gender, params.skin
    skin, hair = colours.skin_colour(params), colours.hair_colour(params)
    older = float(smoothstep(26, 60, params.age))
    blush, lipstick = 0.25 + (0.1 + 0.45 * params.blush) * g, 0.08 + g * (0.1 + 0.6 * params.lipstick)
    stubble = (1 - g) * 0.9 * float(smoothstep(0.45, 1.0, params.stubble))
    tint = 1 - np.array([0.97, 0.45, 0.42])
    colour = skin * (1 - (blush * 0.5 * regions.blush)[:, None] * tint * (1 - 0.4 * dark))
    # Folds lie in the shade, and blood shows in them.
    colour *= 1 - (0.36 * older * regions.wrinkles)[:, None] * np.array([0.72, 1, 1])
    colour *= 1 - ((0.10 + 0.12 * g) * regions.lid_shadow)[:, None] * np.array([0.75, 1, 1.0])
    bare = skin * np.array([0.82, 0.50, 0.53])
    lips = bare * (1 - lipstick) + colours.lip_colour(params) * lipstick * (1 - 0.45 * dark)
    share = (smoothstep(0.30, 0.95, regions.lips) * 0.88)[:, None]
    colour = colour * (1 - share) + lips * share
    liner = 0.68 * (0.5 + 0.5 * g) * regions.lid_line * (0.22 + 0.78 * (regions.neutral[:, 1] > 6.885))
    colour *= 1 - liner[:, None]
    brow_colour = hair * (0.75 - 0.35 * float(smoothstep(0.05, 0.3, hair.mean()))) + skin * 0.05 + 0.004
    brow = 0.60 * regions.brow(brow_thickness(params))[:, None]
    colour = colour * (1 - brow) + brow_colour * brow
    colour *= 1 - (stubble * 0.35 * regions.stubble)[:, None] * np.array([1, 0.95, 0.9])
    scalp = smoothstep(-0.05, 0.05, regions.scalp) * ~regions.ear * (regions.neutral[:, 1] > 6.2)
    scalp = 0.92 * scalp[:, None]
    colour = colour * (1 - scalp) + hair * 0.72 * scalp
    colour[regions.in_mouth & (regions.lips < 0.45)] = [0.13, 0.022, 0.022]
    colour[regions.mouth_corner] = 0.55 * lips
    colour[regions.in_eye_socket] = skin * np.array([0.95, 0.60, 0.58])
    return np.clip(colour, 0.002, 0.95), brow_colour


def brow_thickness(params: PortraitParams) -> float:
    """A woman's brows are a tenth thinner."""
    return params.brow_thickness * (1.12 - 0.12 * params.gender)


def _cut_shirt(params: PortraitParams) -> np.ndarray:
    """Signed field on the shirt (n,), negative inside the neckline."""
    x, y, z = surface("shirt", BODY_LEVELS).points(neutral_vertices()).T
    around = np.maximum(np.hypot(x / 1.15, z - 0.2) - params.neckline, 5.40 - y)
    v_neck = np.where(z > 0.25, np.abs(x) - (y - 5.15) * params.v_neck, 1)
    return np.minimum(around, v_neck)


def build_figure(params: PortraitParams) -> Figure:
    """Morph, colour, grow and turn everything that belongs to one portrait."""
    data, regions, g = load_head_data(), load_regions(), params.gender
    body, shirt = surface("body", BODY_LEVELS), surface("shirt", BODY_LEVELS)

    def turn(points: np.ndarray) -> np.ndarray:
        return turn_head(points, params.yaw, params.pitch, params.roll)

    vertices = morph(params)
    upright = body.points(vertices)
    upright_normals = vertex_normals(upright, body.triangles)
    colour, brow_colour = paint_body(params)

    parts = [(upright, body.triangles, colour, regions.triangle_labels, MATERIAL_SKIN, None)]
    centres = {}
    for side in ("left", "right"):
        ball = vertices[data.landmarks[f"eye_{side}"]]
        centres[side] = (ball.min(0) + ball.max(0)) / 2
        radius = np.ptp(ball, axis=0).mean() / 2 * 0.985
        gaze = (params.gaze_x, params.gaze_y)
        parts.append((*eyeball(centres[side], radius, gaze, colours.iris_colour(params)), EYES, MATERIAL_EYE, None))
    cloth = shirt.points(vertices)
    cloth = cloth + 0.03 * vertex_normals(cloth, shirt.triangles)
    parts.append((cloth, shirt.triangles, colours.shirt_colour(params), CLOTHES, MATERIAL_CLOTH, _cut_shirt(params)))

    frame = glasses(params.glasses, upright, np.array(list(centres.values())), radius)
    worn = ([frame] if frame else []) + earrings(earring_size(params), upright)
    parts += [(*part, SKIN, MATERIAL_GLOSSY, None) for part in worn]

    closed, lash_parts = closed_lids(params.eyes), []
    for side in ("left", "right"):
        for lid, count, length, width in (
            ("upper", 36 + int(26 * g), 0.072, 0.62 + 0.25 * g), ("lower", 22, 0.026, 0.4),
        ):  # fmt: skip
            rim = data.landmarks[f"lid_{lid}_{side}"]
            size = length * (0.5 + 0.5 * g)
            control, radius = lashes(vertices, centres[side], rim, lid == "upper", count, size, closed)
            lash_parts.append((control, radius * width))
    lash_points, lash_radius = curved(*(np.concatenate(arrays) for arrays in zip(*lash_parts, strict=True)))
    brow_points, brow_radius = curved(*brow_hairs(upright, upright_normals, brow_thickness(params)))

    coarse_surface = surface("body", 1)
    coarse = coarse_surface.points(vertices)
    hair = grow_hair(
        upright, upright_normals, coarse, vertex_normals(coarse, coarse_surface.triangles),
        length=params.hair_length, parting=params.parting, fringe=params.fringe, fringe_height=params.fringe_height,
        wave=params.wave, volume=params.volume, colour=colours.hair_colour(params),
    )  # fmt: skip
    points, normals, triangles, first = [], [], [], 0
    for part in parts:
        points.append(turn(part[0]))
        normals.append(vertex_normals(points[-1], part[1]))
        triangles.append(part[1] + first)
        first += len(part[0])
    return Figure(
        vertices=vertices,
        points=np.concatenate(points),
        normals=np.concatenate(normals),
        colours=np.concatenate([np.broadcast_to(part[2], part[0].shape) for part in parts]),
        triangles=np.concatenate(triangles).astype(np.int32),
        labels=np.concatenate([np.broadcast_to(part[3], len(part[1])) for part in parts]),
        materials=np.concatenate([np.full(len(part[1]), part[4]) for part in parts]),
        keep=np.concatenate([np.ones(len(part[0])) if part[5] is None else part[5] for part in parts]),
        eye_centre=turn(np.array(list(centres.values()))).mean(0),
        coarse=turn(coarse),
        hair=Strands(turn(hair.points), hair.radius, hair.colour, hair.tilt),
        lashes=(turn(lash_points), lash_radius),
        brows=(turn(brow_points), brow_radius),
        brow_colour=brow_colour,
    )
