"""Perspective view of a page: from points on the page to points in the picture."""

import math

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.synthetic.handwriting import Points

View = NDArray[np.float64]
"""Homography, float64 [3, 3]: (x, y, 1) on the page to (x w, y w, w) in the picture."""


def draw_view(rng: np.random.Generator, size: tuple[int, int], *, tilt: float, turn: float) -> View:
    """Return a random camera view of a page that keeps all of the page in the picture.

    Args:
        rng: random source.
        size: width and height of the page and of the picture, in pixels.
        tilt, turn: see Scene.
    """
    width, height = size
    corners = np.array([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]])
    inwards = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * rng.uniform(0, tilt, (4, 2)) * np.array(size)
    seen = corners + inwards
    angle = math.radians(float(np.clip(rng.normal(0, turn), -2 * turn, 2 * turn)))
    cos, sin = math.cos(angle), math.sin(angle)
    middle = np.array(size) / 2
    seen = (seen - middle) @ np.array([[cos, sin], [-sin, cos]])
    # Rotation may move corners out of the picture.
    seen *= min(1.0, *(half / reach for half, reach in zip(middle, abs(seen).max(axis=0), strict=True)))
    return _homography(corners, seen + middle)


def seen_points(view: View, points: Points) -> Points:
    """Return the positions in the picture of `points` on the page, [n, 2]."""
    mapped = np.column_stack([points, np.ones(len(points))]) @ view.T
    result: Points = mapped[:, :2] / mapped[:, 2:]
    return result


def scale_at(view: View, point: Points) -> float:
    """Return the factor on lengths near `point` ([2], on the page) in the picture."""
    around = seen_points(view, point + np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
    first, second = around[1] - around[0], around[2] - around[0]
    return math.sqrt(abs(float(first[0] * second[1] - first[1] * second[0])))


def page_coordinates(view: View, size: tuple[int, int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return x and y on the page of each pixel of a picture of `size` (width, height), float32 [H, W] each."""
    inverse = np.linalg.inv(view)
    inverse = (inverse / inverse[2, 2]).astype(np.float32)
    x = np.arange(size[0], dtype=np.float32)[None, :]
    y = np.arange(size[1], dtype=np.float32)[:, None]
    depth = inverse[2, 0] * x + inverse[2, 1] * y + inverse[2, 2]
    across, down = (inverse[row, 0] * x + inverse[row, 1] * y + inverse[row, 2] for row in (0, 1))
    return across / depth, down / depth


def _homography(source: Points, target: Points) -> View:
    """Return the homography from four points to four others (direct linear transform, h33 = 1)."""
    rows, right = [], []
    for (x, y), (u, v) in zip(source.tolist(), target.tolist(), strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    return np.append(np.linalg.solve(np.array(rows), np.array(right)), 1.0).reshape(3, 3)
