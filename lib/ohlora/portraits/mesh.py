"""Subdivision surfaces as sparse matrices, vertex normals, and the turn of the head on the neck."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numba
import numpy as np
import scipy.sparse as sparse

from ohlora.portraits.head_data import load_head_data


def smoothstep(low: float, high: float, x: np.ndarray | float) -> np.ndarray:
    """0 below ``low``, 1 above ``high``, smooth between (also with low > high: falling)."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (…, 3) scaled to length 1."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


@numba.njit(cache=True)
def vertex_normals(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Area-weighted unit normals (n, 3) of points (n, 3) and triangles (m, 3)."""
    normals = np.zeros((points.shape[0], 3))
    for k in range(triangles.shape[0]):
        a, b, c = triangles[k, 0], triangles[k, 1], triangles[k, 2]
        ux, uy, uz = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
        vx, vy, vz = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for corner in (a, b, c):
            normals[corner, 0] += nx
            normals[corner, 1] += ny
            normals[corner, 2] += nz
    for i in range(points.shape[0]):
        length = np.sqrt(normals[i, 0] ** 2 + normals[i, 1] ** 2 + normals[i, 2] ** 2)
        normals[i] /= max(length, 1e-12)
    return normals


def split_quads(quads: np.ndarray) -> np.ndarray:
    """Quads (m, 4) → triangles (2m, 3): first halves, then second halves."""
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


def catmull_clark(quads: np.ndarray, vertices: int) -> tuple[sparse.csr_matrix, np.ndarray]:
    """One step of Catmull–Clark subdivision (1978), aware of borders.

    Args:
        quads: (m, 4) vertex numbers. vertices: how many vertices there are.

    Returns:
        A sparse matrix (n', n) that makes the new vertices from the old, and the new quads (4m, 4).
    """
    count = len(quads)
    edges = np.sort(np.stack([quads, np.roll(quads, -1, 1)], -1).reshape(-1, 2), 1)
    unique, inverse = np.unique(edges, axis=0, return_inverse=True)
    edge_of = inverse.reshape(count, 4)
    edge_count = len(unique)
    faces_at_edge = np.bincount(edge_of.ravel(), minlength=edge_count)
    corner_face = np.repeat(np.arange(count), 4)
    every_edge = np.repeat(np.arange(edge_count), 2)

    def matrix(values: float, rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> sparse.csr_matrix:
        return sparse.csr_matrix((np.full(len(rows), values), (rows, columns)), shape=shape)

    face_points = matrix(0.25, corner_face, quads.ravel(), (count, vertices))
    faces_of_edge = matrix(1.0, edge_of.ravel(), corner_face, (edge_count, count))
    middles = matrix(0.5, every_edge, unique.ravel(), (edge_count, vertices))
    border = faces_at_edge == 1
    around_edge = sparse.diags(1 / np.maximum(faces_at_edge, 1)) @ faces_of_edge @ face_points
    own, others = sparse.diags(np.where(border, 1, 0.5)), sparse.diags(np.where(border, 0, 0.5))
    edge_points = own @ middles + others @ around_edge

    faces_of_vertex = matrix(1.0, quads.ravel(), corner_face, (vertices, count))
    edges_of_vertex = matrix(1.0, unique.ravel(), every_edge, (vertices, edge_count))
    face_number = np.asarray(faces_of_vertex.sum(1)).ravel()
    valence = np.maximum(np.asarray(edges_of_vertex.sum(1)).ravel(), 1)
    on_border = np.zeros(vertices, bool)
    on_border[unique[border].ravel()] = True
    inner = (
        sparse.diags(1 / valence) @ sparse.diags(1 / np.maximum(face_number, 1)) @ faces_of_vertex @ face_points
        + sparse.diags(2 / valence**2) @ edges_of_vertex @ middles
        + sparse.diags((valence - 3) / valence)
    )
    border_edges = edges_of_vertex @ sparse.diags(border.astype(float))
    border_number = np.maximum(np.asarray(border_edges.sum(1)).ravel(), 1)
    rim = sparse.diags(np.full(vertices, 0.5)) + sparse.diags(0.5 / border_number) @ border_edges @ middles
    vertex_points = sparse.diags((~on_border).astype(float)) @ inner + sparse.diags(on_border.astype(float)) @ rim

    face_ids = vertices + edge_count + np.arange(count)
    new_quads = [
        np.stack([quads[:, j], vertices + edge_of[:, j], face_ids, vertices + edge_of[:, (j - 1) % 4]], 1)
        for j in range(4)
    ]
    return sparse.vstack([vertex_points, edge_points, face_points]).tocsr(), np.concatenate(new_quads)


@dataclass(frozen=True)
class Surface:
    """A subdivided part of the base mesh: ``weights`` (n', n) turns base vertices into surface points."""

    weights: sparse.csr_matrix
    triangles: np.ndarray

    def points(self, vertices: np.ndarray) -> np.ndarray:
        """Surface points (n', 3), or values (n',), from those at the base vertices."""
        return self.weights @ vertices


@lru_cache(maxsize=4)
def surface(part: str, levels: int) -> Surface:
    """The ``"body"`` or the ``"shirt"``, subdivided ``levels`` times."""
    data = load_head_data()
    faces = {"body": data.body_faces, "shirt": data.shirt_faces}[part]
    used, quads = np.unique(faces, return_inverse=True)
    quads = quads.reshape(faces.shape)
    weights = sparse.csr_matrix(
        (np.ones(len(used)), (np.arange(len(used)), used)), shape=(len(used), len(data.vertices))
    )
    for _ in range(levels):
        step, quads = catmull_clark(quads, weights.shape[0])
        weights = step @ weights
    return Surface(weights.tocsr(), split_quads(quads).astype(np.int32))


@numba.njit(cache=True)
def _turn(points, yaw, body, pitch, roll):
    out = np.empty_like(points)
    before = -1.0
    for i in range(points.shape[0]):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        # 0 on the chest, 1 on the head; the chin side of the neck follows the head sooner than the nape.
        t = min(max((y - 0.30 * min(max(z, 0.0), 1.5) + 0.15 - 5.15) / 1.20, 0.0), 1.0)
        weight = t * t * (3 - 2 * t)
        if weight != before:  # on the whole head it is 1: the angles stay as they are
            angle = body + (yaw - body) * weight
            c_yaw, s_yaw = np.cos(angle), np.sin(angle)
            c_pitch, s_pitch = np.cos(pitch * weight), np.sin(pitch * weight)
            c_roll, s_roll = np.cos(roll * weight), np.sin(roll * weight)
            before = weight
        x, z = c_yaw * x + s_yaw * (z - 0.25), -s_yaw * x + c_yaw * (z - 0.25) + 0.25
        y, z = c_pitch * (y - 5.9) - s_pitch * (z - 0.2) + 5.9, s_pitch * (y - 5.9) + c_pitch * (z - 0.2) + 0.2
        x, y = c_roll * x - s_roll * (y - 5.9), s_roll * x + c_roll * (y - 5.9) + 5.9
        out[i, 0], out[i, 1], out[i, 2] = x, y, z
    return out


def turn_head(points: np.ndarray, yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Turn points (…, 3) of the upright figure; angles in degrees, the chest follows the yaw by 30 %."""
    yaw, pitch, roll = np.radians([yaw, pitch, roll])
    flat = np.ascontiguousarray(points, np.float64).reshape(-1, 3)
    return _turn(flat, yaw, yaw * 0.3, pitch, roll).reshape(points.shape)
