"""Kinds of paper: blank, ruled, squared, dotted, crumpled, with rules that may end inside the sheet."""

from collections.abc import Callable

import numpy as np

from edgedigits.scenes.grounds import texture
from edgedigits.scenes.opencv import cv2
from edgedigits.scenes.painter import Colour, Painter, Pen, project


def blank(painter: Painter, width: float, height: float, paper: Colour) -> None:
    """Leave the paper as it is."""


def ruled(painter: Painter, width: float, height: float, paper: Colour) -> None:
    """Print lines across."""
    left, top, right, bottom = _extent(painter, width, height)
    step = painter.skewed(9, 60)
    with painter.ink(_pale(painter, paper)):
        for y in np.arange(top, bottom, step).tolist():
            painter.line([(left, y), (right, y)], painter.line_width)
        if painter.chance(0.4):
            margin = left + painter.between(0.08, 0.2) * (right - left)
            painter.line([(margin, top), (margin, bottom)], painter.line_width)


def squared(painter: Painter, width: float, height: float, paper: Colour) -> None:
    """Print squares."""
    left, top, right, bottom = _extent(painter, width, height)
    step = painter.skewed(8, 110)
    with painter.ink(_pale(painter, paper)):
        for y in np.arange(top, bottom, step).tolist():
            painter.line([(left, y), (right, y)], painter.line_width)
        for x in np.arange(left, right, step).tolist():
            painter.line([(x, top), (x, bottom)], painter.line_width)


def dotted(painter: Painter, width: float, height: float, paper: Colour) -> None:
    """Print a grid of dots."""
    step = painter.skewed(12, 50)
    with painter.ink(_pale(painter, paper)):
        for y in np.arange(step / 2, height, step).tolist():
            for x in np.arange(step / 2, width, step).tolist():
                painter.line([(x, y), (x + 0.1, y)], 1.2)


def specked(painter: Painter, width: float, height: float, paper: Colour) -> None:
    """Scatter dust and specks as a scanner or old paper has them."""
    with painter.ink(_pale(painter, paper)):
        for _ in range(int(painter.rng.integers(3, 60))):
            x, y = painter.between(0, width), painter.between(0, height)
            painter.line([(x, y), (x + painter.between(0.1, 3), y + painter.between(-2, 2))], painter.skewed(0.7, 3))


def worn(painter: Painter, width: float, height: float, paper: Colour) -> None:  # noqa: ARG001
    """Crumple, stain or fold the paper."""
    corners = project(painter.plane, np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64))
    mask = np.zeros(painter.picture.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.rint(corners).astype(np.int32)], 1)
    source = texture(painter.part, int(painter.rng.integers(8)) * 5 + 2)[: painter.side, : painter.side]
    grey = cv2.resize(source[..., 1], (painter.side, painter.side)).astype(np.float32)
    grey = 1 + (grey - grey.mean()) * (painter.between(0.02, 0.09) / max(float(grey.std()), 1.0)) * mask
    painter.picture[:] = cv2.multiply(painter.picture, cv2.merge([grey] * 3), dtype=cv2.CV_8U)
    if painter.chance(0.5):
        with painter.ink(Pen((0, 0, 0), painter.between(0.05, 0.2))):
            place = painter.between(0.3, 0.7)
            fold = [(place * width, 0.0), (place * width, height)]
            painter.line(fold if painter.chance(0.5) else [(0.0, place * height), (width, place * height)], 1.5)


PAPERS: dict[str, tuple[Callable[[Painter, float, float, Colour], None], float]] = {
    "blank": (blank, 6.0),
    "ruled": (ruled, 1.2),
    "squared": (squared, 1.6),
    "dotted": (dotted, 0.3),
    "specked": (specked, 0.5),
    "worn": (worn, 1.5),
}
"""Each kind of paper with its share."""


def _extent(painter: Painter, width: float, height: float) -> tuple[float, float, float, float]:
    """Return the rectangle of the rules, the sheet or a part of it, and set their width."""
    painter.line_width = painter.skewed(0.5, 2.5)
    if painter.chance(0.6):
        return painter.between(0, 15), painter.between(0, 15), width, height
    left, top = painter.between(0, 0.4) * width, painter.between(0, 0.4) * height
    right, bottom = painter.between(0.6, 1) * width, painter.between(0.6, 1) * height
    return left, top, right, bottom


def _pale(painter: Painter, paper: Colour) -> Pen:
    bright = sum(paper) > 380
    base = painter.rng.uniform(0, 170, 3) if bright else painter.rng.uniform(120, 255, 3)
    red, green, blue = (int(value) for value in base)
    return Pen((red, green, blue), painter.skewed(0.12, 0.8))
