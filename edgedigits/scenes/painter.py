"""Paint marks on surfaces in perspective, each straight into the picture, and keep their truth.

A surface is a plane with its own coordinates in units of about one pixel; `plane` maps them to the picture. Marks are
tiles of ink, warped once by the product of their own placement and the plane, so edges stay sharp and boxes exact.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from edgedigits.scenes.opencv import cv2
from edgedigits.scenes.scene import IGNORED, LETTER, LIKE_DIGITS, Part, Pixels, Scene

Matrix = NDArray[np.float64]
Colour = tuple[int, int, int]

SMALLEST = 7.0
"""Pixels of the longer side below which a digit is IGNORED."""
VISIBLE = 0.67
"""Share of its ink that a digit must show inside the picture."""
CONTRAST = 12.0
"""Levels between ink and ground below which a large digit is IGNORED; small ones need more, and so does noise."""
ROUGHNESS = 1.3
"""Standard deviations of the ground that ink must differ from it."""
LUMA = np.array([0.299, 0.587, 0.114])
"""Weights of red, green and blue in brightness (ITU-R BT.601)."""
_INK_LEVEL = 0.35


@dataclass
class Mark:
    """What stands on the picture.

    Args:
        box: x, y, width, height in pixels.
        kind: class of the scene.
        number: the number that a digit belongs to; None for letters.
        contrast: levels between the ink and its ground, before light and camera.
    """

    box: tuple[float, float, float, float]
    kind: int
    number: int | None = None
    contrast: float = 255.0


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
        kinds: of scenes that may occur.
    """

    def __init__(self, rng: np.random.Generator, picture: Pixels, part: Part, kinds: Sequence[str] = ()) -> None:
        self.rng = rng
        self.kinds = kinds
        self.picture = picture
        self.part: Part = part
        self.side = len(picture)
        self.plane: Matrix = np.eye(3)
        self.pen = Pen((0, 0, 0))
        self.marks: list[Mark] = []
        self.numbers = 0
        self.clean = False
        self.line_width = 1.0
        self.stroke_level = 118
        self.sharp = True
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
        first = len(self.marks)
        try:
            yield
            self._measure(self.marks[first:])
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

    def _measure(self, marks: Sequence[Mark]) -> None:
        """Set the contrast of marks that are about to be painted; on a ground as rough as the ink, it is none."""
        for mark in marks:
            left, top = int(mark.box[0]), int(mark.box[1])
            right, bottom = int(mark.box[0] + mark.box[2]), int(mark.box[1] + mark.box[3])
            mean, spread = cv2.meanStdDev(self.picture[top:bottom, left:right])
            differences = (mean[:, 0] - self.pen.colour) * self.pen.strength
            # Cameras and JPEG keep less of colour than of brightness.
            weighed = np.append(0.5 * np.abs(differences), abs(float(differences @ LUMA)))
            roughness = np.append(0.5 * spread[:, 0], float(spread[:, 0] @ LUMA))
            best = int(weighed.argmax())
            mark.contrast = float(weighed[best]) if weighed[best] > ROUGHNESS * roughness[best] else 0.0

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
        shrunk = _smooth(tile) if scale > 3 and self.sharp else _shrink(tile, scale)
        # Pixel centres lie at halves: a pixel of the shrunk tile covers several of the tile.
        fit = np.diag([width / shrunk.shape[1], height / shrunk.shape[0], 1.0])
        half = shift(0.5, 0.5)
        warp = shift(-0.5 - left, -0.5 - top) @ matrix @ fit @ half
        size = (int(right - left), int(bottom - top))
        flags = cv2.INTER_LINEAR if scale < 1.3 else cv2.INTER_CUBIC
        drawn = cv2.warpPerspective(shrunk, warp, size, flags=flags)
        if scale >= 1.6 and self.sharp:
            drawn = cv2.LUT(drawn, _sharpening(round(min(0.7 * scale, 8.0), 1), self.stroke_level))
        region = self._ink[top:bottom, left:right]
        np.maximum(region, drawn, out=region)
        if kind is not None:
            self._add(drawn, (int(left), int(top)), total, kind, number)
        return True

    def _add(self, drawn: Pixels, corner: tuple[int, int], total: float, kind: int, number: int | None) -> None:
        highest = int(drawn.max(initial=0))
        if highest < 12:
            return
        mask = cv2.threshold(drawn, max(_INK_LEVEL * highest, 6.0), 255, cv2.THRESH_BINARY)[1]
        x, y, width, height = cv2.boundingRect(mask)
        # Sharpening changes the amount of ink a little.
        cut = cv2.sumElems(drawn)[0] / max(total, 1.0) < VISIBLE and self._at_border(
            x + corner[0], y + corner[1], width, height
        )
        small = max(width, height) < SMALLEST
        if kind == LETTER and small:
            return
        if cut or small:
            kind = IGNORED
        self.marks.append(Mark((x + corner[0], y + corner[1], width, height), kind, number))

    def _at_border(self, x: int, y: int, width: int, height: int) -> bool:
        return x <= 0 or y <= 0 or x + width >= self.side or y + height >= self.side

    def mark_letter(self, box: tuple[float, float, float, float], alone: bool = True, letter: str = "") -> None:
        """Add the mark of a letter painted by other means; `box` has two corners on the surface.

        Args:
            alone: whether a letter like a digit may be taken for one.
            letter: the character.
        """
        self._mark_corners(box, IGNORED if alone and letter in LIKE_DIGITS and letter else LETTER)

    def mark_ignored(self, box: tuple[float, float, float, float]) -> None:
        """Add a mark of what may or may not be found."""
        self._mark_corners(box, IGNORED)

    def _mark_corners(self, box: tuple[float, float, float, float], kind: int) -> None:
        left, top, right, bottom = box
        corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)
        found = project(self.plane, corners)
        low, high = np.maximum(found.min(axis=0), 0), np.minimum(found.max(axis=0), self.side)
        (x, y), (width, height) = low.tolist(), (high - low).tolist()
        if min(width, height) < 1 or max(width, height) < SMALLEST:
            return
        if width * height < VISIBLE * float(np.prod(found.max(axis=0) - found.min(axis=0))):
            kind = IGNORED
        self.marks.append(Mark((x, y, width, height), kind))

    def picture_on(self, item: Pixels, x: float, y: float, size: float) -> None:
        """Put a picture with a mask, uint8 [h, w, 4], on the picture, its middle at (x, y), turned by chance."""
        height, width = item.shape[:2]
        scale = size / max(height, width)
        matrix = placed(item.shape, x, y, (scale if self.chance(0.5) else -scale, scale), float(self.rng.normal(0, 20)))
        small = item if scale > 0.75 else cv2.resize(item, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        matrix = matrix @ np.diag([width / small.shape[1], height / small.shape[0], 1.0])
        drawn = cv2.warpAffine(small, matrix[:2], (self.side, self.side), flags=cv2.INTER_LINEAR)
        weight = drawn[..., 3].astype(np.float32) / 255
        self.picture[:] = cv2.blendLinear(self.picture, np.ascontiguousarray(drawn[..., :3]), 1 - weight, weight)

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
        """Return the numbers that are all to be found, line by line: a line is what overlaps its first by half."""
        numbers: dict[int, list[Mark]] = {}
        for mark in self.marks:
            if mark.number is not None:
                numbers.setdefault(mark.number, []).append(mark)
        clear = [marks for marks in numbers.values() if all(0 <= mark.kind < LETTER for mark in marks)]
        waiting = sorted(clear, key=lambda marks: marks[0].box[1] + marks[0].box[3] / 2)
        texts: list[str] = []
        while waiting:
            _, top, _, height = waiting[0][0].box
            line = [marks for marks in waiting if marks[0].box[1] + marks[0].box[3] / 2 < top + height]
            waiting = waiting[len(line) :]
            line.sort(key=lambda marks: marks[0].box[0])
            texts += ["".join(str(mark.kind) for mark in marks) for marks in line]
        return tuple(texts)


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
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = corners.tolist()
    return abs(float((cx - ax) * (dy - by) - (dx - bx) * (cy - ay))) / 2


def _smooth(tile: Pixels) -> Pixels:
    """Return a coarse tile enlarged without the steps of its pixels."""
    large = cv2.resize(tile, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    smooth: Pixels = cv2.GaussianBlur(large, (0, 0), 1.8)
    return smooth


def _shrink(tile: Pixels, scale: float) -> Pixels:
    """Return the tile averaged to about the size it will have, so that thin strokes do not vanish between pixels."""
    if scale > 0.75:
        return tile
    size = (max(round(tile.shape[1] * scale * 1.2), 2), max(round(tile.shape[0] * scale * 1.2), 2))
    shrunk: Pixels = cv2.resize(tile, size, interpolation=cv2.INTER_AREA)
    return shrunk


@cache
def _sharpening(gain: float, level: int) -> Pixels:
    """Return the table that makes the soft edge of an enlarged tile sharp again, at a level of its ink."""
    table: Pixels = np.clip((np.arange(256) - float(level)) * gain + level, 0, 255).astype(np.uint8)
    return table
