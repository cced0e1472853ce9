"""Numba kernels: triangles and thick strands into one depth buffer, and depth maps seen from a light.

All kernels write into buffers that the caller allocates and let the nearest surface win, so that the
order of calls does not matter. ``depth`` grows towards the viewer; an empty pixel holds ``EMPTY``.
"""

from __future__ import annotations

import numba
import numpy as np

EMPTY = -1e9


class ScreenBuffer:
    """Per-pixel depth, surface id and two interpolation coordinates.

    For triangles the coordinates are the first two barycentric ones; for strands they are the position
    along the segment (0…1) and across it (-1…1). ``surface`` is -1 where nothing was drawn.
    """

    def __init__(self, pixels: int) -> None:
        self.pixels = pixels
        self.depth = np.full((pixels, pixels), EMPTY, np.float32)
        self.surface = np.full((pixels, pixels), -1, np.int32)
        self.first = np.zeros((pixels, pixels), np.float32)
        self.second = np.zeros((pixels, pixels), np.float32)

    def draw_triangles(self, points: np.ndarray, triangles: np.ndarray, keep: np.ndarray, first_id: int) -> None:
        """Draw triangles (m, 3) over screen points (n, 3); where interpolated ``keep`` (n,) < 0 they are cut away."""
        _draw_triangles(points, triangles, keep, self.depth, self.surface, self.first, self.second, first_id)

    def draw_strands(
        self, points: np.ndarray, radius: np.ndarray, per_strand: int, first_id: int, minimum: float
    ) -> None:
        """Draw strands of ``per_strand`` consecutive points (n, 3); radius (n,) and its minimum in pixels."""
        _draw_strands(points, radius, per_strand, minimum, self.depth, self.surface, self.first, self.second, first_id)


@numba.njit(cache=True, fastmath=True)
def _draw_triangles(points, triangles, keep, depth, surface, first, second, first_id):
    height, width = depth.shape
    for k in range(triangles.shape[0]):
        a, b, c = triangles[k, 0], triangles[k, 1], triangles[k, 2]
        ax, ay = points[a, 0], points[a, 1]
        bx, by = points[b, 0], points[b, 1]
        cx, cy = points[c, 0], points[c, 1]
        # Pixel centres inside the bounding box only: most triangles are about as large as a pixel.
        x0, x1 = int(max(0, np.ceil(min(ax, bx, cx) - 0.5))), int(min(width - 1, np.floor(max(ax, bx, cx) - 0.5)))
        y0, y1 = int(max(0, np.ceil(min(ay, by, cy) - 0.5))), int(min(height - 1, np.floor(max(ay, by, cy) - 0.5)))
        if x1 < x0 or y1 < y0:
            continue
        area = (by - cy) * (ax - cx) + (cx - bx) * (ay - cy)
        if abs(area) < 1e-12:
            continue
        inverse = 1.0 / area
        for y in range(y0, y1 + 1):
            py = y + 0.5
            for x in range(x0, x1 + 1):
                px = x + 0.5
                u = ((by - cy) * (px - cx) + (cx - bx) * (py - cy)) * inverse
                v = ((cy - ay) * (px - cx) + (ax - cx) * (py - cy)) * inverse
                w = 1 - u - v
                if u < -1e-5 or v < -1e-5 or w < -1e-5:
                    continue
                z = u * points[a, 2] + v * points[b, 2] + w * points[c, 2]
                if z > depth[y, x] and u * keep[a] + v * keep[b] + w * keep[c] >= 0:
                    depth[y, x] = z
                    surface[y, x] = first_id + k
                    first[y, x] = u
                    second[y, x] = v


@numba.njit(cache=True, fastmath=True)
def _draw_strands(points, radius, per_strand, minimum, depth, surface, first, second, first_id):
    height, width = depth.shape
    for strand in range(points.shape[0] // per_strand):
        for m in range(per_strand - 1):
            i = strand * per_strand + m
            ax, ay, az = points[i, 0], points[i, 1], points[i, 2]
            bx, by, bz = points[i + 1, 0], points[i + 1, 1], points[i + 1, 2]
            ra, rb = max(radius[i], minimum), max(radius[i + 1], minimum)
            r = max(ra, rb)
            x0, x1 = int(max(0, np.floor(min(ax, bx) - r))), int(min(width - 1, np.ceil(max(ax, bx) + r)))
            y0, y1 = int(max(0, np.floor(min(ay, by) - r))), int(min(height - 1, np.ceil(max(ay, by) + r)))
            dx, dy = bx - ax, by - ay
            squared = dx * dx + dy * dy + 1e-9
            inverse = 1 / np.sqrt(squared)
            thin = r * squared * inverse
            for y in range(y0, y1 + 1):
                py = y + 0.5 - ay
                first_x, last_x = x0, x1
                if abs(dy) > 0.05:  # only the part of the row that the strand crosses
                    middle, half = ax - 0.5 + py * dx / dy, thin / abs(dy)
                    first_x, last_x = max(x0, int(np.ceil(middle - half))), min(x1, int(np.floor(middle + half)))
                for x in range(first_x, last_x + 1):
                    px = x + 0.5 - ax
                    t = (px * dx + py * dy) / squared
                    # Joints overlap a little, or bent strands show gaps; roots hardly, or they stand out as dots.
                    if t < (-0.15 if m > 0 else -0.05) or t > 1.05:
                        continue
                    t = min(max(t, 0.0), 1.0)
                    ex, ey = px - t * dx, py - t * dy
                    here = ra + (rb - ra) * t
                    if ex * ex + ey * ey > here * here:
                        continue
                    z = az + (bz - az) * t
                    if z > depth[y, x]:
                        depth[y, x] = z
                        surface[y, x] = first_id + i
                        first[y, x] = t
                        second[y, x] = (px * dy - py * dx) * inverse / here


@numba.njit(cache=True, fastmath=True)
def light_depth_triangles(points, frame, centre, scale, triangles, depth):
    """Depth map of triangles seen along a light.

    Args:
        points: (n, 3) world positions. frame: (3, 3) rows = right, up, towards the light.
        centre, scale: world point in the middle of the map; pixels per world unit.
        triangles: (m, 3) int. depth: (res, res) float32, written in place.
    """
    res = depth.shape[0]
    half = res * 0.5
    n = points.shape[0]
    seen = np.empty((n, 3), np.float32)
    for i in range(n):
        px, py, pz = points[i, 0] - centre[0], points[i, 1] - centre[1], points[i, 2] - centre[2]
        seen[i, 0] = (frame[0, 0] * px + frame[0, 1] * py + frame[0, 2] * pz) * scale + half
        seen[i, 1] = (frame[1, 0] * px + frame[1, 1] * py + frame[1, 2] * pz) * scale + half
        seen[i, 2] = frame[2, 0] * px + frame[2, 1] * py + frame[2, 2] * pz
    for k in range(triangles.shape[0]):
        a, b, c = triangles[k, 0], triangles[k, 1], triangles[k, 2]
        ax, ay = seen[a, 0], seen[a, 1]
        bx, by = seen[b, 0], seen[b, 1]
        cx, cy = seen[c, 0], seen[c, 1]
        # Pixel centres inside the bounding box only: most triangles are smaller than a pixel.
        x0, x1 = int(max(0, np.ceil(min(ax, bx, cx) - 0.5))), int(min(res - 1, np.floor(max(ax, bx, cx) - 0.5)))
        y0, y1 = int(max(0, np.ceil(min(ay, by, cy) - 0.5))), int(min(res - 1, np.floor(max(ay, by, cy) - 0.5)))
        if x1 < x0 or y1 < y0:
            continue
        area = (by - cy) * (ax - cx) + (cx - bx) * (ay - cy)
        if area < 1e-12:  # turned away from the light: the closed body has another side that is nearer
            continue
        inverse = 1.0 / area
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                px, py = x + 0.5, y + 0.5
                u = ((by - cy) * (px - cx) + (cx - bx) * (py - cy)) * inverse
                v = ((cy - ay) * (px - cx) + (ax - cx) * (py - cy)) * inverse
                w = 1 - u - v
                if u < -1e-5 or v < -1e-5 or w < -1e-5:
                    continue
                z = u * seen[a, 2] + v * seen[b, 2] + w * seen[c, 2]
                if z > depth[y, x]:
                    depth[y, x] = z


@numba.njit(cache=True, fastmath=True)
def light_depth_strands(points, frame, centre, scale, per_strand, first, step, depth, count):
    """Depth map and number of strands per pixel, seen along a light.

    Every ``step``-th strand from number ``first`` on stands for ``step``.
    """
    res = depth.shape[0]
    half = res * 0.5
    for strand in range(first, points.shape[0] // per_strand, step):
        ax, ay, az = 0.0, 0.0, 0.0
        for m in range(per_strand):
            i = strand * per_strand + m
            px, py, pz = points[i, 0] - centre[0], points[i, 1] - centre[1], points[i, 2] - centre[2]
            bx = (frame[0, 0] * px + frame[0, 1] * py + frame[0, 2] * pz) * scale + half
            by = (frame[1, 0] * px + frame[1, 1] * py + frame[1, 2] * pz) * scale + half
            bz = frame[2, 0] * px + frame[2, 1] * py + frame[2, 2] * pz
            if m > 0:
                dx, dy, dz = bx - ax, by - ay, bz - az
                steps = int(max(abs(dx), abs(dy))) + 1
                for q in range(steps):
                    t = (q + 0.5) / steps
                    x, y = int(ax + dx * t), int(ay + dy * t)
                    if x >= 0 and y >= 0 and x < res and y < res:
                        z = az + dz * t
                        count[y, x] += step
                        if z > depth[y, x]:
                            depth[y, x] = z
            ax, ay, az = bx, by, bz
