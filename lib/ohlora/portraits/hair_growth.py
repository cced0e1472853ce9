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
    root, normal, side, front, layer, in_fringe, low_end, longest, fringe_end,
    skin, skin_normals, near, start, volume, short, step, steps, points,
):  # fmt: skip
    """Grow one guide from each root: a comb direction, gravity, and the head that it must not enter.

    Args:
        root, normal: (g, 3). side: -1 or 1 of the parting. front, layer: 0…1. in_fringe: bool.
        low_end, longest, fringe_end: height, length and fringe height at which growth stops, decimetres.
        skin, skin_normals, near, start: the collider. volume: distance from the skin. short: brushed up and back.
        step, steps: decimetres and number of steps. points: points per guide in the result.

    Returns:
        Guides (g, points, 3), equally spaced, and their lengths (g,).
    """
    count = root.shape[0]
    out = np.zeros((count, points, 3))
    lengths = np.zeros(count)
    path = np.zeros((steps + 1, 3))
    travelled = np.zeros(steps + 1)
    for g in range(count):
        fringe = in_fringe[g]
        x, y, z = root[g, 0], root[g, 1], root[g, 2]
        nx, ny, nz = normal[g, 0], normal[g, 1], normal[g, 2]
        if short:
            dx, dy, dz = nx * 0.9, ny * 0.9 + 0.35, nz * 0.9 + 0.1
        elif fringe:
            dx, dy, dz = nx * 0.5 + 0.35 * x, ny * 0.5 - 0.35, nz * 0.5 + 0.55
        else:
            lift = 0.55 + 0.25 * front[g]
            dx, dy, dz = nx * lift + side[g] * 0.70, ny * lift, nz * lift - 0.6 * front[g]
        norm = 1 / np.sqrt(dx * dx + dy * dy + dz * dz)
        dx, dy, dz = dx * norm, dy * norm, dz * norm
        path[0] = root[g]
        last = 0
        touching = start[g]
        for k in range(steps):
            length = k * step
            if short:
                cx, cy, cz = 0.0, -0.9 * (1 - _smooth(7.2, 7.75, y)) + 0.1, -0.55 + 0.45 * front[g]
                keep, pull = 0.8, 0.35
            else:
                keep, pull = 0.62, 0.5
                if fringe:
                    outward = min(max(abs(root[g, 0]) - 0.2, 0.0), 0.3)
                    cx, cy, cz = root[g, 0] * (0.16 + 1.1 * outward), -0.75, 0.75 * _smooth(7.45, 7.7, y)
                else:
                    top = _smooth(7.35, 7.65, y)
                    ahead = _smooth(0.45, 0.95, z) * _smooth(6.7, 7.2, y)
                    forward = (1 - _smooth(5.9, 6.35, y)) * _smooth(-0.1, 0.3, z)
                    cx = side[g] * (0.75 * top + 0.35 * ahead - 0.25 * forward)
                    cy = -0.50 - 0.60 * (1 - top)
                    cz = -0.95 * ahead + 0.45 * forward - (0.10 * top if z > 0.2 else 0.0)
            dx, dy, dz = dx * keep + cx * pull, dy * keep + cy * pull, dz * keep + cz * pull
            norm = step / np.sqrt(dx * dx + dy * dy + dz * dz)
            qx, qy, qz = x + dx * norm, y + dy * norm, z + dz * norm

            # Collision: lift the point to the height above the skin that its layer wants.
            touching, distance = _nearest(qx, qy, qz, skin, near, touching)
            mx, my, mz = skin_normals[touching, 0], skin_normals[touching, 1], skin_normals[touching, 2]
            height = (qx - skin[touching, 0]) * mx + (qy - skin[touching, 1]) * my + (qz - skin[touching, 2]) * mz
            if short:
                want = 0.01 + volume * 0.10 * layer[g] * _smooth(0.0, 0.2, length) * (0.4 + 0.6 * _smooth(7.2, 7.7, y))
            elif fringe:
                want = 0.02 + 0.05 * layer[g] * _smooth(0.0, 0.3, length)
            else:
                want = volume * (0.035 + 0.13 * layer[g]) * _smooth(0.0, 0.45, length + 0.05) + 0.012
            low = 1 - _smooth(5.7, 6.2, qy)
            want = want * (1 - 0.6 * low) + 0.03 * low
            if not short:
                want *= 0.62 + 0.38 * _smooth(6.7, 7.3, qy)
            if distance < 0.6:
                push = min(max(want - height, 0.0), 0.12)
                qx, qy, qz = qx + mx * push, qy + my * push, qz + mz * push
            if not short:
                if distance < 0.5:  # above the jaw it clings to the head
                    cling = 0.6 * min(max(height - want - 0.05, 0.0), 0.05) * _smooth(6.3, 6.8, qy)
                    qx, qy, qz = qx - mx * cling, qy - my * cling, qz - mz * cling
                if not fringe and qz > 0.72 and qy > 5.75 and qy < 7.6:  # the face stays free
                    open_half = np.interp(qy, _OPEN_Y, _OPEN_X)
                    aside = min(max(open_half - abs(qx), 0.0), 0.10)
                    qx += aside if qx > -1e-6 else -aside
                if qy < 6.55 and abs(qx) > 0.5:  # and long hair does not drift outwards
                    qx *= 0.978
            dx, dy, dz = qx - x, qy - y, qz - z
            norm = 1 / max(np.sqrt(dx * dx + dy * dy + dz * dz), 1e-9)
            dx, dy, dz = dx * norm, dy * norm, dz * norm
            if qy < low_end[g] or length > longest[g] or (fringe and qy < fringe_end[g] and k > 3):
                break
            x, y, z = qx, qy, qz
            last += 1
            path[last, 0], path[last, 1], path[last, 2] = x, y, z

        for k in range(last):
            gap = (path[k + 1] - path[k]) ** 2
            travelled[k + 1] = travelled[k] + np.sqrt(gap[0] + gap[1] + gap[2])
        lengths[g] = travelled[last]
        k = 0
        for m in range(points):
            at = travelled[last] * m / (points - 1)
            while k < last - 1 and travelled[k + 1] < at:
                k += 1
            span = travelled[k + 1] - travelled[k] if last > 0 else 1.0
            t = min(max((at - travelled[k]) / max(span, 1e-9), 0.0), 1.0) if last > 0 else 0.0
            for axis in range(3):
                out[g, m, axis] = path[k, axis] * (1 - t) + (path[k + 1, axis] * t if last > 0 else 0.0)
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
            taper = 1 - 0.55 * t**1.2
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
