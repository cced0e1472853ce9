"""Numba kernel: how much light reaches each visible point and what skin, cloth, eyes and hair do with it.

Skin: wrapped diffuse (its blur, subsurface scattering, follows in screen space) and two Blinn-Phong lobes.
Hair: Kajiya and Kay 1989 diffuse with Marschner-like R, TRT and TT lobes.
"""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, fastmath=True)
def illuminate(
    position, normal, tangent, albedo, material, label, camera, direction, colour, kind, frame,
    solid, hair_front, hair_spread, hair_count, centre, scale, key_samples, irradiance, specular, scattered, key_seen,
):  # fmt: skip
    """Add all lights to every point.

    Args:
        position, normal, tangent, albedo: (n, 3). material, label: (n,). camera: (3,) where it stands.
        direction, colour, frame, solid … hair_count, centre, scale: see lights.Lights.
        irradiance, specular, scattered: (n, 3), added to: light on surfaces, their gloss, light from hair.
        key_seen: (n,), on surfaces the share of the key light that arrives; on hair it comes in as the
            strand's random tilt, which spreads the highlights.
    """
    res = solid.shape[1]
    wrap = (0.30, 0.16, 0.12)  # red light travels farthest inside skin
    for i in range(position.shape[0]):
        surface = material[i]
        hair = surface == 4
        px, py, pz = position[i, 0] - centre[0], position[i, 1] - centre[1], position[i, 2] - centre[2]
        nx, ny, nz = normal[i, 0], normal[i, 1], normal[i, 2]
        ex, ey, ez = camera[0] - position[i, 0], camera[1] - position[i, 1], camera[2] - position[i, 2]
        inverse = 1 / np.sqrt(ex * ex + ey * ey + ez * ez)
        ex, ey, ez = ex * inverse, ey * inverse, ez * inverse
        a0 = a1 = a2 = q0 = q1 = q2 = brightest = 1.0
        tx = ty = tz = vx = vy = vz = v_inverse = ox = oy = oz = 0.0
        if hair:
            a0, a1, a2 = (min(max(albedo[i, 0], 0.004), 0.95), min(max(albedo[i, 1], 0.004), 0.95),
                          min(max(albedo[i, 2], 0.004), 0.95))  # fmt: skip
            brightest = max(a0, a1, a2)
            q0, q1, q2 = np.sqrt(a0), np.sqrt(a1), np.sqrt(a2)
            tx, ty, tz = tangent[i, 0], tangent[i, 1], tangent[i, 2]
            along_view = tx * ex + ty * ey + tz * ez
            vx, vy, vz = ex - tx * along_view, ey - ty * along_view, ez - tz * along_view
            v_inverse = 1 / np.sqrt(vx * vx + vy * vy + vz * vz + 1e-9)
            # Hair is lit as one volume around the head's axis.
            ox, oy, oz = position[i, 0], (position[i, 1] - 6.9) * 0.35, position[i, 2] - 0.35
            inverse = 1 / np.sqrt(ox * ox + oy * oy + oz * oz + 1e-9)
            ox, oy, oz = ox * inverse, oy * inverse, oz * inverse
        key_wanted = surface == 2 or label[i] == 3  # eyes and mouth
        reach_round = wrap[0] if surface == 0 else 0.0
        for k in range(direction.shape[0]):
            dx, dy, dz = direction[k, 0], direction[k, 1], direction[k, 2]
            facing = nx * dx + ny * dy + nz * dz
            outside = ox * dx + oy * dy + oz * dz
            if hair:  # lights that cannot add anything need no shadow
                if kind[k] == 1 and outside <= -2 / 3:
                    continue
            elif facing <= -reach_round and not (key_wanted and kind[k] == 0):
                continue
            x = (frame[k, 0, 0] * px + frame[k, 0, 1] * py + frame[k, 0, 2] * pz) * scale + res * 0.5 - 0.5
            y = (frame[k, 1, 0] * px + frame[k, 1, 1] * py + frame[k, 1, 2] * pz) * scale + res * 0.5 - 0.5
            z = frame[k, 2, 0] * px + frame[k, 2, 1] * py + frame[k, 2, 2] * pz
            visible, depth = 1.0, 0.0  # solid visibility, and way through hair
            if x >= 0 and y >= 0 and x < res - 1 and y < res - 1:
                x0, y0 = int(x), int(y)
                fx, fy = x - x0, y - y0
                shadow = 0.0
                for j in range(2):
                    for m in range(2):
                        w = (fx if m else 1 - fx) * (fy if j else 1 - fy)
                        behind = solid[k, y0 + j, x0 + m] - z - 0.03
                        shadow += w * min(max(behind * (1 / 0.06), 0.0), 1.0)
                        if hair:
                            depth += w * min(max(hair_front[k, y0 + j, x0 + m] - z, 0.0), 1.2)
                        else:
                            inside = hair_spread[k, y0 + j, x0 + m] - z - 0.02
                            if inside > 0:
                                depth += w * hair_count[k, y0 + j, x0 + m] * min(1.0, inside * 20)
                visible = 1 - shadow
            if visible < 1e-3:
                continue
            if not hair:
                reach = np.exp(-0.06 * min(depth, 5.0 if label[i] == 6 else 24.0)) * visible
                if kind[k] == 0:
                    key_seen[i] += reach / key_samples
                for c in range(3):
                    soft = wrap[c] if surface == 0 else 0.0
                    irradiance[i, c] += max(0.0, (facing + soft) / (1 + soft)) * colour[k, c] * reach
                if kind[k] != 1 and facing > 0 and (surface == 0 or surface == 2):
                    hx, hy, hz = ex + dx, ey + dy, ez + dz
                    inverse = 1 / np.sqrt(hx * hx + hy * hy + hz * hz + 1e-9)
                    n_h = max(0.0, (nx * hx + ny * hy + nz * hz) * inverse)
                    v_h = max(0.0, (ex * hx + ey * hy + ez * hz) * inverse)
                    fresnel = min(0.028 + 0.972 * (1 - v_h) ** 5, 0.35)
                    gloss = 2.2 if label[i] == 4 else 1.0
                    shine = (7.8 * n_h**20 + 14.0 * n_h**70 * gloss) * fresnel * 0.16 * min(1.0, facing * 4)
                    for c in range(3):
                        specular[i, c] += shine * reach * colour[k, c]
                continue
            depth = max(depth - 0.09, 0.0)  # strands of one lock do not shade each other, that would be noise
            t_l = tx * dx + ty * dy + tz * dz
            across = np.sqrt(max(0.0, 1 - t_l * t_l))
            e0 = e1 = e2 = 1.0
            if depth > 0:
                e0 = np.exp(-depth * 6 * (1 - 0.72 * q0))
                e1 = np.exp(-depth * 6 * (1 - 0.72 * q1))
                e2 = np.exp(-depth * 6 * (1 - 0.72 * q2))
            diffuse = 0.62 * (0.4 + 0.6 * across) * min(1.0, max(0.0, 0.40 + 0.60 * outside)) * visible
            if kind[k] == 1:
                diffuse *= 1.15
            r0, r1, r2 = a0 * diffuse * e0, a1 * diffuse * e1, a2 * diffuse * e2
            if kind[k] != 1:
                lx, ly, lz = dx - tx * t_l, dy - ty * t_l, dz - tz * t_l
                inverse = 1 / np.sqrt(lx * lx + ly * ly + lz * lz + 1e-9)
                cos_around = (lx * vx + ly * vy + lz * vz) * inverse * v_inverse
                hx, hy, hz = ex + dx, ey + dy, ez + dz
                inverse = 1 / np.sqrt(hx * hx + hy * hy + hz * hz + 1e-9)
                t_h = 0.7 * (tx * hx + ty * hy + tz * hz) * inverse  # less than all: a parting would part the light
                n_h = (ox * hx + oy * hy + oz * hz) * inverse
                through = np.exp(-6 * depth) if depth > 0 else 1.0
                u1 = t_h + 0.10 * n_h + 0.05 * key_seen[i]
                u2 = t_h - 0.14 * n_h + 0.05 * key_seen[i]
                lit = min(1.0, max(0.0, 0.25 + 0.9 * outside)) * visible
                surface_lobe = 0.12 * max(0.0, 1 - u1 * u1) ** 20 * through * lit
                inner_lobe = 0.24 * max(0.0, 1 - u2 * u2) ** 5 * lit * np.sqrt(brightest) * 0.5 / brightest
                inner_lobe *= max(0.0, 0.3 + 0.7 * cos_around)
                back_lobe = 0.0
                if cos_around < 0:
                    back_lobe = -0.50 * np.exp(-0.5 * (t_l / 0.30) ** 2) * cos_around**3 * through * visible
                r0 += surface_lobe * (0.45 + 0.55 * a0 / brightest) + a0 * inner_lobe * e0 + q0 * back_lobe * e0
                r1 += surface_lobe * (0.45 + 0.55 * a1 / brightest) + a1 * inner_lobe * e1 + q1 * back_lobe * e1
                r2 += surface_lobe * (0.45 + 0.55 * a2 / brightest) + a2 * inner_lobe * e2 + q2 * back_lobe * e2
            scattered[i, 0] += r0 * colour[k, 0]
            scattered[i, 1] += r1 * colour[k, 1]
            scattered[i, 2] += r2 * colour[k, 2]
