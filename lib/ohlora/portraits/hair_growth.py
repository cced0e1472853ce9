"""Numba kernels that grow hair: guides step by step over the head, children by interpolation."""

from __future__ import annotations

import numba
import numpy as np

# Half width of the opening for the face, by height.
_OPEN_Y = np.array([5.9, 6.1, 6.4, 6.8, 7.1, 7.4, 7.6])
_OPEN_X = np.array([0.50, 0.56, 0.60, 0.62, 0.60, 0.46, 0.0])


@numba.njit(cache=True)
def _smooth(low, high, x):
    t = min(max((x - low) / (high - low), 0.0), 1.0)
    return t * t * (3 - 2 * t)


@numba.njit(cache=True)
def _nearest(x, y, z, points, near, start):
    """Walk from ``start`` to ever nearer points; hair moves in small steps, so the walk is short."""
    here = start
    best = (points[here, 0] - x) ** 2 + (points[here, 1] - y) ** 2 + (points[here, 2] - z) ** 2
    while True:
        moved = False
        for other in near[here]:
            d = (points[other, 0] - x) ** 2 + (points[other, 1] - y) ** 2 + (points[other, 2] - z) ** 2
            if d < best:
                best = d
                here = other
                moved = True
        if not moved:
            return here, np.sqrt(best)


@numba.njit(cache=True)
def grow_guides(
    root, normal, side, front, layer, fringe, forward, low_end, longest,
    skin, skin_normals, near, start, volume, combed, step, steps, points,
):  # fmt: skip
    """Grow one guide from each root: a comb direction, gravity, and the head that it must not enter.

    Where a guide ends is interpolated within the last step, so its tip moves smoothly with the limits.

    Args:
        root, normal: (g, 3). side: -1 … 1 of the parting. front, layer: 0…1. fringe: bool (g,).
        forward: (g,) -1 falls behind the shoulder … 1 in front of it.
        low_end, longest: (g,) height and length at which growth stops, decimetres.
        skin, skin_normals, near, start: the collider. volume: distance from the skin.
        combed: 0 short hair brushed up and back … 1 hair that falls from a parting.
        step, steps: decimetres and number of steps. points: points per guide in the result.

    Returns:
        Guides (g, points, 3), equally spaced, and their lengths (g,).
    """
    count = root.shape[0]
    out = np.zeros((count, points, 3))
    lengths = np.zeros(count)
    path = np.zeros((steps + 1, 3))
    travelled = np.zeros(steps + 1)
    keep, pull = 0.8 - 0.18 * combed, 0.35 + 0.15 * combed
    for g in range(count):
        x, y, z = root[g, 0], root[g, 1], root[g, 2]
        nx, ny, nz = normal[g, 0], normal[g, 1], normal[g, 2]
        if fringe[g]:
            dx, dy, dz = nx * 0.5 + 0.35 * x, ny * 0.5 - 0.35, nz * 0.5 + 0.55
        else:
            middle = 1 - side[g] * side[g]  # at the parting it lies back instead of standing up
            high = _smooth(7.1, 7.6, y) * _smooth(-0.5, 0.3, z)  # a short cut stands up in front, lies flat behind
            lift = (0.55 + 0.25 * front[g]) * combed * (1 - 0.6 * middle) + (0.15 + 0.45 * high) * (1 - combed)
            dx, dy, dz = nx * lift, ny * lift, nz * lift
            dx += side[g] * (0.35 + 0.35 * combed)
            dy += (1 - combed) * (0.30 * front[g] - 0.15)
            dz -= (0.6 * front[g] + 0.5 * middle * (1 - front[g])) * combed
            dz -= 0.25 * (1 - combed) * (1 - front[g]) * _smooth(-0.4, 0.3, z)
        norm = 1 / np.sqrt(dx * dx + dy * dy + dz * dz)
        dx, dy, dz = dx * norm, dy * norm, dz * norm
        path[0] = root[g]
        last = 0
        arc = 0.0
        touching = start[g]
        for _ in range(steps):
            if fringe[g]:
                outward = min(max(abs(root[g, 0]) - 0.15, 0.0), 0.35)
                cx, cy, cz = root[g, 0] * (0.16 + 1.3 * outward), -0.75, 0.75 * _smooth(7.45, 7.7, y)
                dx, dy, dz = dx * 0.62 + cx * 0.5, dy * 0.62 + cy * 0.5, dz * 0.62 + cz * 0.5
            else:
                top = _smooth(7.35, 7.65, y)
                ahead = _smooth(0.45, 0.95, z) * _smooth(6.7, 7.2, y)
                falling = (1 - _smooth(5.9, 6.4, y)) * forward[g]
                cx = side[g] * (0.75 * top + 0.35 * ahead) - 0.25 * max(falling, 0.0) * np.tanh(x / 0.1)
                cy = -0.50 - 0.60 * (1 - top)
                cz = -0.95 * ahead + 0.45 * falling - top * (0.10 * _smooth(0.1, 0.3, z) + 0.7 * middle)
                high, backwards = _smooth(7.1, 7.6, y), _smooth(-0.4, 0.3, z)
                sx = 0.50 * side[g] * high
                sy = -0.9 * (1 - high) + 0.05 * high
                sz = (-0.35 - 0.20 * high) * backwards
                cx, cy, cz = sx + combed * (cx - sx), sy + combed * (cy - sy), sz + combed * (cz - sz)
                dx, dy, dz = dx * keep + cx * pull, dy * keep + cy * pull, dz * keep + cz * pull
            norm = step / np.sqrt(dx * dx + dy * dy + dz * dz)
            qx, qy, qz = x + dx * norm, y + dy * norm, z + dz * norm

            # Collision: lift the point to the height above the skin that its layer wants.
            touching, distance = _nearest(qx, qy, qz, skin, near, touching)
            mx, my, mz = skin_normals[touching, 0], skin_normals[touching, 1], skin_normals[touching, 2]
            height = (qx - skin[touching, 0]) * mx + (qy - skin[touching, 1]) * my + (qz - skin[touching, 2]) * mz
            if fringe[g]:
                want = 0.03 + 0.06 * layer[g] * _smooth(0.0, 0.3, arc)
            else:
                above_temple = 0.15 + 0.85 * _smooth(7.05, 7.6, y - 0.35 * (1 - _smooth(-0.5, 0.2, z)))
                brushed = 0.01 + volume * 0.11 * layer[g] * _smooth(0.0, 0.3, arc) * above_temple
                want = volume * (0.035 + 0.105 * layer[g]) * _smooth(0.0, 0.45, arc + 0.05) + 0.012
                want *= 1 - 0.5 * middle
                want *= 0.62 + 0.38 * _smooth(6.7, 7.3, qy)
                want = brushed + combed * (want - brushed)
            low = 1 - _smooth(5.7, 6.2, qy)
            want = want * (1 - 0.6 * low) + (0.02 + 0.03 * layer[g]) * low
            near_skin = 1 - _smooth(0.45, 0.6, distance)
            push = min(max(want - height, 0.0), 0.12) * near_skin
            # On the shoulders it gives way to the front or to the back: pushed upwards it would flare.
            shoulder = 1 - _smooth(5.85, 6.15, qy)
            mx, my, mz = mx * (1 - shoulder), my * (1 - shoulder), mz * (1 - shoulder)
            qx, qy, qz = qx + mx * push, qy + my * push, qz + mz * push
            qz += shoulder * push * np.sign(forward[g])
            # Above the jaw it clings to the head.
            cling = (0.4 + 0.2 * combed) * min(max(height - want - 0.05, 0.0), 0.05) * _smooth(6.3, 6.8, qy) * near_skin
            qx, qy, qz = qx - mx * cling, qy - my * cling, qz - mz * cling
            if not fringe[g]:  # the face stays free
                open_half = np.interp(qy, _OPEN_Y, _OPEN_X) * combed
                aside = min(max(open_half - abs(qx), 0.0), 0.10) * _smooth(0.68, 0.78, qz) * _smooth(5.7, 5.8, qy)
                qx += aside * np.tanh(qx / 0.05)
                # and long hair does not drift outwards
                qx -= 0.04 * np.tanh(qx / 0.1) * max(abs(qx) - 0.48, 0.0) * (1 - _smooth(6.4, 6.7, qy))
            dx, dy, dz = qx - x, qy - y, qz - z
            gone = max(np.sqrt(dx * dx + dy * dy + dz * dz), 1e-9)
            t = 1.0
            if qy < low_end[g]:
                t = min(max((y - low_end[g]) / max(y - qy, 1e-9), 0.0), 1.0)
            t = min(t, max(longest[g] - arc, 0.0) / gone)
            x, y, z = x + t * dx, y + t * dy, z + t * dz
            arc += t * gone
            last += 1
            path[last, 0], path[last, 1], path[last, 2] = x, y, z
            travelled[last] = arc
            if t < 1:
                break
            dx, dy, dz = dx / gone, dy / gone, dz / gone

        lengths[g] = arc
        k = 0
        for m in range(points):
            at = arc * m / (points - 1)
            while k < last - 1 and travelled[k + 1] < at:
                k += 1
            t = min(max((at - travelled[k]) / max(travelled[k + 1] - travelled[k], 1e-9), 0.0), 1.0)
            for axis in range(3):
                out[g, m, axis] = path[k, axis] * (1 - t) + path[k + 1, axis] * t
        for _ in range(4):  # smooth, the root and the tip stay
            for axis in range(3):
                before = out[g, 0, axis]
                for m in range(1, points - 1):
                    here = out[g, m, axis]
                    out[g, m, axis] = 0.5 * here + 0.25 * (before + out[g, m + 1, axis])
                    before = here
    return out, lengths


@numba.njit(cache=True)
def grow_children(guides, strands, per_guide, offset, frizz, cut):
    """Strands (s, m, 3): each follows its guide at an offset that narrows to the tip, frizzes and ends early.

    Args:
        guides: (g, m, 3). strands: (s,) numbers of the wanted strands; strand // per_guide is the guide.
        offset (all, 3), frizz (all, 4, 3), cut (all,): fixed random numbers of all strands.
    """
    m = guides.shape[1]
    out = np.empty((strands.shape[0], m, 3))
    whole = np.empty((m, 3))
    for s in range(strands.shape[0]):
        strand = strands[s]
        guide = strand // per_guide
        for i in range(m):
            t = i / (m - 1)
            taper = 1 - 0.2 * t**1.2
            knot = min(int(3 * t), 2)
            f = 3 * t - knot
            for axis in range(3):
                curl = frizz[strand, knot, axis] * (1 - f) + frizz[strand, knot + 1, axis] * f
                whole[i, axis] = guides[guide, i, axis] + offset[strand, axis] * taper + curl * t
        for i in range(m):
            at = i * cut[strand]
            k = min(int(at), m - 2)
            f = at - k
            for axis in range(3):
                out[s, i, axis] = whole[k, axis] * (1 - f) + whole[k + 1, axis] * f
    return out
