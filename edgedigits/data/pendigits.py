"""Pendigits: 10,992 digits of 44 writers as the way of the pen. Alpaydin and Alimoglu, UCI Repository.

Each is eight points at equal distances along the way, x and y both stretched to 0..100; y points upward. The parts are
of 30 writers (.tra) and of 14 others (.tes), and each is one group of writers here. The points lack what a drawing
needs, so it is restored by class: the width of a digit, and where the pen was lifted (see parted).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from edgedigits.data.characters import DIGITS, Characters, characters, digits_dataset
from edgedigits.data.dataset import Dataset, Labels
from edgedigits.data.description import DataFile, Description
from edgedigits.data.storage import read_file
from edgedigits_runtime.errors import ArrayError, DatasetInvalid
from edgedigits_runtime.preprocessing import Images

POINTS = 8
MIRRORS = ("https://archive.ics.uci.edu/ml/machine-learning-databases/pendigits/",)
# Points on a curve between two of the eight; drawn this many times larger for soft edges.
BETWEEN = 6
FINER = 4
MARGIN = 2  # Pixels, since Pillow rounds the ends of thick lines.
# As wide as MNIST's strokes at MNIST's size, see reading/stroke_width.py.
HEIGHT, PEN = 60, 7.0
# Of a digit's box, relative to its height; a 1 has a flag and often a foot.
WIDTHS = (0.7, 0.45, 0.7, 0.7, 0.75, 0.7, 0.65, 0.7, 0.65, 0.65)
LOW = 0.72  # Of the height: below it a pen has ended the belly of a 5 or the stem of a 7.

DESCRIPTION = Description(
    name="pendigits",
    about="digits that 44 people in Turkey wrote on a tablet, as points, drawn with a pen",
    homepage="https://archive.ics.uci.edu/dataset/81/pen+based+recognition+of+handwritten+digits",
    train=10_992,
    test=None,
    shape=(28, 28, 1),
    labels=DIGITS,
    reader="digits",
    licence="CC BY 4.0",
    files=(
        DataFile(
            "pendigits",
            "pendigits.tra",
            "e2b9eb9f0d0467e2b64a4816a3420edf2b8043447576f4b84337aba44a9f97d3",
            "content",
            MIRRORS,
        ),
        DataFile(
            "pendigits",
            "pendigits.tes",
            "8bd03229c5c5291fefe43e45465dd948d2645bf23328b9d993e0b777666b2015",
            "content",
            MIRRORS,
        ),
    ),
)


@dataclass(frozen=True, eq=False)
class Strokes:
    """Digits as the way of a pen.

    Attributes:
        points: float32 [N, 8, 2], x and y from 0 to 1, y downward.
        classes: int64 [N].
        writers: int64 [N], 0 for the 30 writers and 1 for the 14 others.
    """

    points: NDArray[np.float32]
    classes: Labels
    writers: Labels


def load(data_dir: Path | None = None, *, download: bool = True) -> Dataset:
    """Load the digits, drawn and framed: uint8 [10992, 28, 28, 1], without a test set; for errors see load_strokes."""
    return digits_dataset(DESCRIPTION, load_characters(data_dir, download=download))


def load_characters(data_dir: Path | None = None, *, download: bool = True) -> Characters:
    """Load the digits, drawn with one pen; load_strokes, parted and draw draw them with any."""
    strokes = load_strokes(data_dir, download=download)
    classes = strokes.classes.tolist()
    drawn = (
        draw(parted(points, digit), HEIGHT, PEN, WIDTHS[digit])
        for points, digit in zip(strokes.points, classes, strict=True)
    )
    return characters(drawn, [str(digit) for digit in classes], strokes.writers)


def load_strokes(data_dir: Path | None = None, *, download: bool = True) -> Strokes:
    """Load the points.

    Raises:
        DatasetInvalid: a line without sixteen coordinates and a class.
        DataError: see read_file.
    """
    values, writers = [], []
    for group, file in enumerate(DESCRIPTION.files):
        rows = [line.split(b",") for line in read_file(file, data_dir, download=download).splitlines() if line.strip()]
        if {len(row) for row in rows} != {2 * POINTS + 1}:
            raise DatasetInvalid(f"{file.name}: expected {2 * POINTS} coordinates and a class in each line")
        values += rows
        writers += [group] * len(rows)
    numbers = np.array(values, np.float32)
    points = numbers[:, :-1].reshape(-1, POINTS, 2) / np.float32(100)
    points[..., 1] = 1 - points[..., 1]
    return Strokes(points, numbers[:, -1].astype(np.int64), np.array(writers, np.int64))


def parted(points: NDArray[np.float32], digit: int) -> list[NDArray[np.float32]]:
    """Return the strokes of one digit, float32 [n, 2] each, without the way of a lifted pen.

    The bar of a crossed 7, that of a 5 that is written last, and the stem of an open 4 are strokes of their own: the
    pen rises to them, which would close the belly of the 5 and make a 2 of the 7.
    """
    x, y = points.T
    rises = np.diff(y) < 0
    across = np.diff(x) > np.abs(np.diff(y))
    if digit in (5, 7) and y[-1] < LOW and (y >= LOW).any():
        end = int(np.argmax(y)) if digit == 7 else int(np.flatnonzero(y >= LOW)[-1])
        start = next((k for k in range(end, POINTS - 1) if across[k]), None)
    elif digit == 4 and y[-1] > LOW:
        start = 3 + int(np.argmin(y[3:-1]))
        end = start
        while end > 2 and rises[end - 1] and not across[end - 1]:
            end -= 1
    else:
        return [points]
    if start is None or start <= end or end < 1:
        return [points]
    return [points[: end + 1], points[start:]]


def draw(strokes: Sequence[NDArray[np.float32]], height: float, pen: float, width: float = 0.7) -> Images:
    """Draw one digit with a round pen, anti-aliased.

    Args:
        strokes: points from 0 to 1, float32 [2 or more, 2] each, see parted.
        height: of the box of all points, in pixels.
        pen: width of the stroke in pixels.
        width: of the box of all points, relative to its height.

    Returns:
        uint8 [H, W], bright on 0, larger than the box by the pen and a margin.

    Raises:
        ArrayError: no strokes, or a pen, height or width that is not positive.
    """
    if not strokes or any(one.ndim != 2 or len(one) < 2 for one in strokes) or not min(height, pen, width) > 0:
        raise ArrayError(
            f"expected strokes of 2 or more points and height, pen and width above 0; got {len(strokes)} strokes,"
            f" {height}, {pen} and {width}"
        )
    curves = [_curve(one) * np.array([width * height, height]) for one in strokes]
    together = np.vstack(curves)
    margin = pen / 2 + MARGIN
    columns, rows = np.ceil(np.ptp(together, axis=0) + 2 * margin).astype(int).tolist()
    canvas = Image.new("L", (columns * FINER, rows * FINER))
    brush, radius = ImageDraw.Draw(canvas), pen * FINER / 2
    for curve in curves:
        way = ((curve - together.min(axis=0) + margin) * FINER).tolist()
        brush.line([tuple(point) for point in way], fill=255, width=max(1, round(2 * radius)), joint="curve")
        for x, y in (way[0], way[-1]):
            brush.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return np.asarray(canvas.reduce(FINER))


def _curve(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a smooth curve through the points (Catmull-Rom), float32 [(n - 1) * BETWEEN + 1, 2]."""
    before, after = np.vstack([points[:1], points[:-2]]), np.vstack([points[2:], points[-1:]])
    start, end = points[:-1, np.newaxis], points[1:, np.newaxis]
    left, right = (end - before[:, np.newaxis]) / 2, (after[:, np.newaxis] - start) / 2
    t = np.arange(BETWEEN, dtype=np.float32)[np.newaxis, :, np.newaxis] / BETWEEN
    curve = (
        (2 * t**3 - 3 * t**2 + 1) * start
        + (t**3 - 2 * t**2 + t) * left
        + (3 * t**2 - 2 * t**3) * end
        + (t**3 - t**2) * right
    )
    return np.vstack([curve.reshape(-1, 2), points[-1:]])
