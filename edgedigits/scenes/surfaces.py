"""Surfaces that ink stands on: a page that fills the picture, a sheet lying on a ground, the ground itself."""

from dataclasses import dataclass

import cv2
import numpy as np

from edgedigits.scenes.grounds import colour, ground, plain
from edgedigits.scenes.painter import Painter, Pen, project, shift, turn


@dataclass(frozen=True)
class Surface:
    """A free rectangle to write on, in units of the plane: x, y, width, height, and a pen that shows on it."""

    x: float
    y: float
    width: float
    height: float
    pen: Pen


def page(painter: Painter) -> Surface:
    """Fill the picture with one sheet, of either polarity."""
    bright = painter.chance(0.7)
    painter.picture[:] = plain(painter.rng, painter.side, *((130, 255) if bright else (0, 110)))
    painter.plane = _turned(painter, 6)
    side = painter.side
    return Surface(0.02 * side, 0.02 * side, 0.96 * side, 0.96 * side, contrasting(painter, bright))


def open_ground(painter: Painter) -> Surface:
    """Write straight on a ground: a wall, a board, a screen, a photograph."""
    painter.picture[:] = ground(painter.rng, painter.part, painter.side)
    painter.plane = _turned(painter, 8)
    side = painter.side
    bright = bool(painter.picture.mean() > 128)
    return Surface(0.03 * side, 0.03 * side, 0.94 * side, 0.94 * side, contrasting(painter, bright))


def desk(painter: Painter) -> Surface:
    """Lay a sheet on a ground, turned and in perspective."""
    rng, side = painter.rng, painter.side
    painter.picture[:] = ground(rng, painter.part, side)
    width, height = painter.between(0.3, 0.95) * side, painter.between(0.3, 0.95) * side
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]])
    jitter = rng.uniform(-1, 1, (4, 2)) * painter.between(0, 0.12) * min(width, height)
    middle = np.array([painter.between(0.35, 0.65), painter.between(0.35, 0.65)]) * side
    degrees = float(rng.normal(0, 7)) if painter.chance(0.85) else painter.between(-30, 30)
    target = project(turn(degrees), corners - corners.mean(axis=0)) + middle + jitter
    painter.plane = cv2.getPerspectiveTransform(corners.astype(np.float32), target.astype(np.float32))
    bright = painter.chance(0.8)
    _lay(painter, width, height, bright)
    edge = 0.04 * min(width, height)
    return Surface(edge, edge, width - 2 * edge, height - 2 * edge, contrasting(painter, bright))


def _lay(painter: Painter, width: float, height: float, bright: bool) -> None:
    """Paint the sheet and its shadow."""
    outline = [(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)]
    if painter.chance(0.6):
        x, y = painter.rng.normal(0, 4, 2)
        before, painter.plane = painter.plane, shift(x, y) @ painter.plane
        with painter.ink(Pen((0, 0, 0), painter.between(0.15, 0.5))):
            painter.fill(outline)
        painter.plane = before
        blurred = cv2.GaussianBlur(painter.picture, (0, 0), painter.skewed(0.8, 4))
        painter.picture[:] = blurred if painter.chance(0.3) else painter.picture
    paper = colour(painter.rng, 150, 255) if bright else colour(painter.rng, 0, 100)
    with painter.ink(Pen(paper)):
        painter.fill(outline)


def contrasting(painter: Painter, bright: bool) -> Pen:
    """Return a pen that shows on a bright or dark surface, now and then faint."""
    rng = painter.rng
    ink = colour(rng, 0, 90) if bright else colour(rng, 170, 255)
    if painter.chance(0.25):
        strong = np.array([int(rng.integers(0, 120)), int(rng.integers(0, 120)), int(rng.integers(0, 120))])
        strong[int(rng.integers(3))] = int(rng.integers(120, 230))
        ink = tuple(int(v) for v in (strong if bright else 255 - strong))  # type: ignore[assignment]
    return Pen(ink, painter.between(0.55, 1.0), painter.between(0.1, 0.7) if painter.chance(0.2) else 0.0)


def _turned(painter: Painter, spread: float) -> np.ndarray:
    half = painter.side / 2
    return shift(half, half) @ turn(float(painter.rng.normal(0, spread / 2))) @ shift(-half, -half)
