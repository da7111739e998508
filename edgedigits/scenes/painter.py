"""Paint marks on surfaces in perspective, each straight into the picture, and keep their truth.

A surface is a plane with its own coordinates in units of about one pixel; `plane` maps them to the picture. Marks are
tiles of ink, warped once by the product of their own placement and the plane, so edges stay sharp and boxes exact.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edgedigits.scenes.scene import IGNORED, LETTER, Floats, Part, Pixels, Scene

Matrix = NDArray[np.float64]
Colour = tuple[int, int, int]

SMALLEST = 7.0
"""Pixels of the longer side below which a digit is IGNORED."""
VISIBLE = 0.67
"""Share of its ink that a digit must show inside the picture."""
CONTRAST = 14.0
"""Levels between ink and ground below which a digit is IGNORED; more with noise."""
_INK_LEVEL = 0.35


@dataclass
class Mark:
    """What stands on the picture.

    Args:
        box: x, y, width, height in pixels.
        kind: class of the scene.
        number: the number that a digit belongs to; None for letters.
    """

    box: tuple[float, float, float, float]
    kind: int
    number: int | None = None


@dataclass(frozen=True)
class Pen:
    """How ink looks.

    Args:
        colour: of full ink.
        strength: 0 to 1, of the colour over the ground.
        grain: 0 to 1, of gaps as a pencil or chalk leaves them.
    """

    colour: Colour
    strength: float = 1.0
    grain: float = 0.0


class Painter:
    """A picture in work.

    Args:
        rng: the only source of chance.
        picture: uint8 [S, S, 3], painted in place.
        part: whose inks, fonts and grounds are used.
    """

    def __init__(self, rng: np.random.Generator, picture: Pixels, part: Part) -> None:
        self.rng = rng
        self.picture = picture
        self.part: Part = part
        self.side = len(picture)
        self.plane: Matrix = np.eye(3)
        self.pen = Pen((0, 0, 0))
        self.marks: list[Mark] = []
        self.numbers = 0
        self.contrast_needed = CONTRAST
        self._ink: Pixels = np.zeros((self.side, self.side), np.uint8)

    def chance(self, probability: float) -> bool:
        """Return True with this probability."""
        return bool(self.rng.random() < probability)

    def between(self, low: float, high: float) -> float:
        """Return a number from a uniform distribution."""
        return float(self.rng.uniform(low, high))

    def skewed(self, low: float, high: float) -> float:
        """Return a number between two positive ones, uniform in its logarithm."""
        return float(np.exp(self.rng.uniform(np.log(low), np.log(high))))

    @contextmanager
    def ink(self, pen: Pen) -> Iterator[None]:
        """Paint with `pen` inside the block; its ink goes to the picture at the end."""
        before, self.pen = self.pen, pen
        kept, self._ink = self._ink, np.zeros_like(self._ink)
        try:
            yield
            self._flush()
        finally:
            self.pen, self._ink = before, kept

    def _flush(self) -> None:
        x, y, width, height = cv2.boundingRect(self._ink)
        if not width:
            return
        part = slice(y, y + height), slice(x, x + width)
        weight = self._ink[part].astype(np.float32) * np.float32(self.pen.strength / 255)
        if self.pen.grain:
            noise = np.empty(weight.shape, np.float32)
            cv2.randu(noise, 1 - 2 * self.pen.grain, 1.0)
            weight *= np.clip(cv2.GaussianBlur(noise, (3, 3), 0.7) + 0.3 * self.pen.grain, 0, 1)
        ground = self.picture[part]
        flat = np.empty_like(ground)
        flat[:] = self.pen.colour
        self.picture[part] = cv2.blendLinear(ground, flat, 1 - weight, weight)

    def new_number(self) -> int:
        """Return the number of a new number on the picture."""
        self.numbers += 1
        return self.numbers

    def stamp(self, tile: Pixels, placement: Matrix, kind: int | None = None, number: int | None = None) -> bool:
        """Paint a tile of ink, and add a mark of `kind`; None adds none.

        Args:
            tile: uint8 [h, w], tight around its ink.
            placement: 3x3, from pixels of the tile to the surface.

        Returns:
            whether anything of it lies in the picture.
        """
        height, width = tile.shape
        matrix = self.plane @ placement
        corners = project(matrix, np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64))
        scale = float(np.sqrt(max(_area(corners), 1e-6) / (width * height)))
        left, top = np.maximum(np.floor(corners.min(axis=0)).astype(int) - 1, 0)
        right, bottom = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 2, self.side)
        if right <= left or bottom <= top:
            return False
        total = cv2.sumElems(tile)[0] * scale * scale
        shrunk = _shrink(tile, scale)
        # Pixel centres lie at halves: a pixel of the shrunk tile covers several of the tile.
        fit = np.diag([width / shrunk.shape[1], height / shrunk.shape[0], 1.0])
        half = shift(0.5, 0.5)
        warp = shift(-0.5 - left, -0.5 - top) @ matrix @ fit @ half
        size = (int(right - left), int(bottom - top))
        flags = cv2.INTER_LINEAR if scale < 1.3 else cv2.INTER_CUBIC
        drawn = cv2.warpPerspective(shrunk, warp, size, flags=flags)
        if scale >= 1.6:
            drawn = cv2.LUT(drawn, _sharpening(min(0.7 * scale, 8.0)))
        region = self._ink[top:bottom, left:right]
        np.maximum(region, drawn, out=region)
        if kind is not None:
            self._add(drawn, (int(left), int(top)), total, kind, number)
        return True

    def _add(self, drawn: Pixels, corner: tuple[int, int], total: float, kind: int, number: int | None) -> None:
        highest = int(drawn.max())
        if highest < 12:
            return
        mask = cv2.threshold(drawn, max(_INK_LEVEL * highest, 6.0), 255, cv2.THRESH_BINARY)[1]
        x, y, width, height = cv2.boundingRect(mask)
        if kind != IGNORED:
            seen = cv2.sumElems(drawn)[0] / max(total, 1.0)
            if seen < VISIBLE and min(seen * 1.35, 1) < VISIBLE:
                kind = IGNORED
            elif max(width, height) < SMALLEST:
                kind = IGNORED
        if kind <= LETTER:
            self.marks.append(Mark((x + corner[0], y + corner[1], width, height), kind, number))

    def line(self, points: Sequence[tuple[float, float]], width: float, closed: bool = False, level: int = 255) -> None:
        """Paint a line through points of the surface, `width` in its units."""
        at = project(self.plane, np.array(points, np.float64))
        scale = self.scale_at(*points[0])
        pixels = max(width * scale, 0.3)
        # Thin lines are one pixel wide and paler, as a camera shows them.
        level = round(level * min(pixels, 1.0))
        layer = self._ink
        if level < 255:
            layer = np.zeros_like(self._ink)
        coordinates = np.rint(np.clip(at, -4000, 4000) * 16).astype(np.int32)
        cv2.polylines(layer, [coordinates], closed, level, max(round(pixels), 1), cv2.LINE_AA, 4)
        if layer is not self._ink:
            np.maximum(self._ink, layer, out=self._ink)

    def fill(self, points: Sequence[tuple[float, float]], level: int = 255) -> None:
        """Fill a polygon of the surface with ink."""
        at = project(self.plane, np.array(points, np.float64))
        cv2.fillPoly(self._ink, [np.rint(np.clip(at, -4000, 4000) * 16).astype(np.int32)], level, cv2.LINE_AA, 4)

    def scale_at(self, x: float, y: float) -> float:
        """Return the pixels of one unit of the surface at a point of it."""
        here = project(self.plane, np.array([[x, y], [x + 1, y], [x, y + 1]], np.float64))
        (ax, ay), (bx, by) = here[1] - here[0], here[2] - here[0]
        return float(np.sqrt(abs(ax * by - ay * bx)))

    def finish(self, pixels: Pixels) -> Scene:
        """Return the scene of the marks, with `pixels` as its picture."""
        boxes = np.array([mark.box for mark in self.marks], np.float32).reshape(-1, 4)
        classes = np.array([mark.kind for mark in self.marks], np.int64)
        return Scene(pixels, boxes, classes, self._lines())

    def _lines(self) -> tuple[str, ...]:
        texts: dict[int, str] = {}
        spoilt = {mark.number for mark in self.marks if mark.kind == IGNORED}
        for mark in self.marks:
            if mark.number is not None and mark.number not in spoilt and 0 <= mark.kind < LETTER:
                texts[mark.number] = texts.get(mark.number, "") + str(mark.kind)
        return tuple(texts.values())


def project(matrix: Matrix, points: Matrix) -> Matrix:
    """Return points, [N, 2], through a 3x3 matrix."""
    x = points @ matrix[:, :2].T + matrix[:, 2]
    projected: Matrix = x[:, :2] / x[:, 2:]
    return projected


def shift(x: float, y: float) -> Matrix:
    """Return the matrix of a shift."""
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], np.float64)


def turn(degrees: float) -> Matrix:
    """Return the matrix of a rotation, clockwise as seen."""
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]], np.float64)


def placed(
    shape: tuple[int, ...], x: float, y: float, scale: tuple[float, float], degrees: float = 0.0, slant: float = 0.0
) -> Matrix:
    """Return the placement of a tile with its centre at (x, y), scaled by (across, down), slanted, then turned."""
    height, width = shape[:2]
    body = np.array([[scale[0], -slant * scale[1], 0], [0, scale[1], 0], [0, 0, 1]], np.float64)
    matrix: Matrix = shift(x, y) @ turn(degrees) @ body @ shift(-width / 2, -height / 2)
    return matrix


def _area(corners: Matrix) -> float:
    x, y = corners.T
    return float(abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))) / 2


def _shrink(tile: Pixels, scale: float) -> Pixels:
    """Return the tile averaged to about the size it will have, so that thin strokes do not vanish between pixels."""
    if scale > 0.75:
        return tile
    size = (max(round(tile.shape[1] * scale * 1.2), 2), max(round(tile.shape[0] * scale * 1.2), 2))
    return cv2.resize(tile, size, interpolation=cv2.INTER_AREA)


_LUTS: dict[int, Pixels] = {}


def _sharpening(gain: float) -> Pixels:
    """Return the table that makes the soft edge of an enlarged tile sharp again."""
    key = round(gain * 4)
    if key not in _LUTS:
        _LUTS[key] = np.clip((np.arange(256) - 118.0) * (key / 4) + 118.0, 0, 255).astype(np.uint8)
    return _LUTS[key]


__all__ = ["Colour", "Floats", "Mark", "Matrix", "Painter", "Pen", "placed", "project", "shift", "turn"]
