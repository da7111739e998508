"""Surfaces that ink stands on: a page that fills the picture, a sheet on a ground, a screen, a board, the ground."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgedigits.scenes.faces import face, skin_colour
from edgedigits.scenes.grounds import colour, equally_bright, ground, plain
from edgedigits.scenes.material import objects
from edgedigits.scenes.opencv import cv2
from edgedigits.scenes.painter import Colour, Matrix, Painter, Pen, project, shift, turn
from edgedigits.scenes.papers import PAPERS


@dataclass(frozen=True)
class Surface:
    """A free rectangle to write on, in units of the plane.

    Args:
        x: of the left edge.
        y: of the upper edge.
        width: of the rectangle.
        height: of the rectangle.
        pen: a pen that shows on it.
        paper: colour of the surface.
    """

    x: float
    y: float
    width: float
    height: float
    pen: Pen
    paper: Colour

    def part(self, x: float, y: float, width: float, height: float) -> "Surface":
        """Return a rectangle of it, in shares of its own."""
        return replace(
            self,
            x=self.x + x * self.width,
            y=self.y + y * self.height,
            width=width * self.width,
            height=height * self.height,
        )


def page(painter: Painter) -> Surface:
    """Fill the picture with one sheet, of either polarity."""
    bright = painter.chance(0.7)
    picture = plain(painter.rng, painter.side, *((130, 255) if bright else (0, 110)))
    painter.picture[:] = picture
    painter.plane = _turned(painter, 7)
    side = painter.side
    paper = _mean(picture)
    _rule(painter, side, side, paper)
    # Writing may go on beyond the picture.
    edge = painter.between(-0.2, 0) * side if painter.chance(0.2) else painter.between(0, 0.06) * side
    return Surface(edge, edge, side - 2 * edge, side - 2 * edge, contrasting(painter, paper), paper)


def canvas(painter: Painter) -> Surface:
    """Fill the picture with the clean white, black or coloured canvas of a drawing program."""
    chance = painter.rng.random()
    paper = (255, 255, 255) if chance < 0.5 else (0, 0, 0) if chance < 0.85 else colour(painter.rng)
    painter.picture[:] = paper
    painter.clean = painter.chance(0.7)
    side = painter.side
    ink: Colour = (0, 0, 0) if sum(paper) > 380 else (255, 255, 255)
    pen = Pen(ink) if painter.chance(0.7) else contrasting(painter, paper)
    return Surface(0, 0, side, side, pen, paper)


def open_ground(painter: Painter) -> Surface:
    """Write straight on a ground: a wall, a photograph, wood, skin."""
    picture = ground(painter.rng, painter.part, painter.side)
    if painter.chance(0.5):
        kept = painter.between(0.15, 0.8)
        picture = cv2.addWeighted(picture, kept, np.full_like(picture, _mean(picture)), 1 - kept, 0)
    painter.picture[:] = picture
    painter.plane = _turned(painter, 8)
    side = painter.side
    paper = _mean(picture)
    bright = sum(paper) > 380
    rough = float(picture.std()) > 25
    ink = (painter.between(0, 40) if bright else painter.between(215, 255)) if rough else None
    pen = contrasting(painter, paper) if ink is None else Pen((int(ink), int(ink), int(ink)))
    return Surface(0.03 * side, 0.03 * side, 0.94 * side, 0.94 * side, pen, paper)


def desk(painter: Painter) -> Surface:
    """Lay a sheet of paper on a ground, turned and in perspective, with other things around."""
    width, height = _place(painter)
    if painter.chance(0.35):
        _clutter(painter)
    paper = colour(painter.rng, 150, 255) if painter.chance(0.85) else colour(painter.rng, 0, 120)
    _lay(painter, width, height, paper)
    _rule(painter, width, height, paper)
    if painter.chance(0.15):
        _fingers(painter, width, height)
    edge = 0.04 * min(width, height)
    return Surface(edge, edge, width - 2 * edge, height - 2 * edge, contrasting(painter, paper), paper)


def screen(painter: Painter) -> Surface:
    """Stand a screen or a framed board on a ground, dark or bright, lit by itself or with a glare."""
    width, height = _place(painter)
    frame = colour(painter.rng, 0, 70) if painter.chance(0.7) else colour(painter.rng, 60, 250)
    _lay(painter, width, height, frame)
    edge = painter.between(0.02, 0.08) * min(width, height)
    chance = painter.rng.random()
    if chance < 0.35:
        paper = colour(painter.rng, 200, 255)
    elif chance < 0.7:
        paper = colour(painter.rng, 0, 50)
    else:
        green = int(painter.between(50, 90))
        paper = (green - 20, green, green - int(painter.between(0, 20)))
    inner = [(edge, edge), (width - edge, edge), (width - edge, height - edge), (edge, height - edge)]
    with painter.ink(Pen(paper)):
        painter.fill(inner)
    edge *= 1.4
    return Surface(edge, edge, width - 2 * edge, height - 2 * edge, contrasting(painter, paper), paper)


def photograph(painter: Painter) -> None:
    """Show a photograph or texture, perhaps with objects or a face before it, that nobody wrote on."""
    painter.picture[:] = ground(painter.rng, painter.part, painter.side)
    if painter.chance(0.3):
        _clutter(painter)
    if painter.chance(0.25):
        face(painter)


SURFACES: dict[str, tuple[Callable[[Painter], Surface | None], float]] = {
    "photograph": (photograph, 1.2),
    "page": (page, 3.0),
    "canvas": (canvas, 1.6),
    "desk": (desk, 4.0),
    "screen": (screen, 1.0),
    "ground": (open_ground, 1.2),
}
"""Each surface with its share; None is one that nothing stands on."""


def contrasting(painter: Painter, paper: Colour) -> Pen:
    """Return a pen that shows on paper, now and then faint, coloured or of equal brightness."""
    rng = painter.rng
    bright = sum(paper) > 380
    grain = painter.between(0.1, 0.7) if painter.chance(0.2) else 0.0
    chance = rng.random()
    if chance < 0.06:
        return Pen(equally_bright(rng, paper), 1.0, grain / 2)
    if chance < 0.35:
        strong = rng.integers(0, 130, 3)
        strong[int(rng.integers(3))] = int(rng.integers(100, 230))
        red, green, blue = (int(value) for value in (strong if bright else 255 - strong))
        return Pen((red, green, blue), painter.between(0.7, 1.0), grain)
    ink = colour(rng, 0, 80) if bright else colour(rng, 180, 255)
    return Pen(ink, painter.between(0.7, 1.0) if painter.chance(0.8) else painter.between(0.25, 0.7), grain)


def _place(painter: Painter) -> tuple[float, float]:
    """Paint a ground, set the plane of a sheet that lies on it, and return the sheet's width and height."""
    rng, side = painter.rng, painter.side
    painter.picture[:] = ground(rng, painter.part, side)
    longer = painter.skewed(0.25, 1.15) * side
    ratio = painter.between(0.45, 1.0)
    width, height = (longer, longer * ratio) if painter.chance(0.5) else (longer * ratio, longer)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]])
    jitter = rng.uniform(-1, 1, (4, 2)) * painter.between(0, 0.13) * min(width, height)
    room = max(0.5 - 0.45 * longer / side, 0.03)
    middle = (0.5 + rng.uniform(-1, 1, 2) * room) * side
    degrees = float(rng.normal(0, 7)) if painter.chance(0.85) else painter.between(-32, 32)
    target = project(turn(degrees), corners - corners.mean(axis=0)) + middle + jitter
    painter.plane = cv2.getPerspectiveTransform(corners.astype(np.float32), target.astype(np.float32))
    return width, height


def _lay(painter: Painter, width: float, height: float, paper: Colour) -> None:
    """Paint the sheet and its shadow."""
    outline = [(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)]
    if painter.chance(0.65):
        x, y = painter.rng.normal(0, 3.5, 2)
        shadow = np.zeros((painter.side, painter.side), np.float32)
        corners = project(shift(x, y) @ painter.plane, np.array(outline))
        cv2.fillPoly(shadow, [np.rint(corners * 16).astype(np.int32)], painter.between(0.15, 0.6), cv2.LINE_AA, 4)
        dark = 1 - cv2.blur(shadow, (int(painter.rng.integers(1, 12)),) * 2)
        painter.picture[:] = cv2.multiply(painter.picture, cv2.merge([dark] * 3), dtype=cv2.CV_8U)
    with painter.ink(Pen(paper)):
        painter.fill(outline)
    if painter.chance(0.25):
        with painter.ink(Pen(colour(painter.rng, 60, 200), painter.between(0.2, 0.8))):
            painter.line(outline, painter.between(0.5, 2), closed=True)


def _rule(painter: Painter, width: float, height: float, paper: Colour) -> None:
    names = [name for name in PAPERS if name in painter.kinds]
    if names:
        weights = np.array([PAPERS[name][1] for name in names])
        name = names[int(painter.rng.choice(len(names), p=weights / weights.sum()))]
        PAPERS[name][0](painter, width, height, paper)


def _clutter(painter: Painter) -> None:
    """Put other things on the ground: objects, blank papers, pens."""
    rng, side = painter.rng, painter.side
    found = objects(painter.part)
    for _ in range(int(rng.integers(1, 4))):
        if found and painter.chance(0.6):
            item = found[int(rng.integers(len(found)))]
            x, y = (rng.uniform(0, 1, 2) * side).tolist()
            painter.picture_on(item, x, y, painter.between(0.15, 0.6) * side)
        else:
            before, painter.plane = painter.plane, np.eye(3)
            x, y = rng.uniform(0, 1, 2) * side
            angle, length = painter.between(0, 3.14), painter.between(0.2, 0.8) * side
            end = (x + length * np.cos(angle), y + length * np.sin(angle))
            with painter.ink(Pen(colour(rng))):
                painter.line([(x, y), end], painter.between(2, 14))
            painter.plane = before


def _fingers(painter: Painter, width: float, height: float) -> None:
    """Hold the sheet at its lower edge or at a side: fingers that come from outside the picture."""
    rng = painter.rng
    red, green, blue = skin_colour(painter)
    thick = painter.between(0.05, 0.11) * painter.side / max(painter.scale_at(width / 2, height / 2), 0.1)
    below, right = painter.chance(0.4), painter.chance(0.5)
    edge = width if below else height
    start, lean = painter.between(0.1, 0.7) * edge, painter.between(-1, 1)
    for k in range(int(rng.integers(1, 5))):
        along, reach = start + k * 1.05 * thick, painter.between(0.02, 0.1) * min(width, height)
        away = 3.0 * painter.side
        tip, root = (along, height - reach), (along + lean * painter.side, height + away)
        if not below:
            tip = (width - reach if right else reach, along)
            root = (width + away if right else -away, along + lean * painter.side)
        tone = painter.between(0.85, 1.05)
        with painter.ink(Pen((min(int(red * tone), 255), min(int(green * tone), 255), min(int(blue * tone), 255)))):
            painter.line([tip, root], thick)


def _turned(painter: Painter, spread: float) -> Matrix:
    half = painter.side / 2
    matrix: Matrix = shift(half, half) @ turn(float(painter.rng.normal(0, spread / 2))) @ shift(-half, -half)
    return matrix


def _mean(picture: NDArray[np.uint8]) -> Colour:
    red, green, blue, _ = cv2.mean(picture)
    return round(red), round(green), round(blue)
