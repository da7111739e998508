"""Pendigits: 10,992 digits of 44 writers as the way of the pen. Alpaydin and Alimoglu, UCI Repository.

Each is eight points at equal distances along the way, scaled to 0..100 on the longer side; y points upward. The parts
are of 30 writers (.tra) and of 14 others (.tes), and each is one group of writers here. Where a pen was lifted, as in
most 4s and 5s, the points go on without a mark: the digit is drawn in one stroke.
"""

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
SIDE, PEN = 60, 7.0

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
        points: float32 [N, 8, 2], x and y from 0 to 1 on the longer side, y downward.
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
    """Load the digits, drawn with one pen; load_strokes and draw draw them with any."""
    strokes = load_strokes(data_dir, download=download)
    return characters(
        (draw(points, SIDE, PEN) for points in strokes.points), [str(k) for k in strokes.classes], strokes.writers
    )


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


def draw(points: NDArray[np.float32], side: float, pen: float) -> Images:
    """Draw one digit with a round pen, anti-aliased.

    Args:
        points: float32 [8, 2], see Strokes.
        side: length of the longer side between the points, in pixels.
        pen: width of the stroke in pixels.

    Returns:
        uint8 [H, W], bright on 0, H and W about side + pen.

    Raises:
        ArrayError: another shape of points, or a pen or side that is not positive.
    """
    if points.shape != (POINTS, 2) or not side > 0 < pen:
        raise ArrayError(f"expected points [{POINTS}, 2], side > 0 and pen > 0; got {points.shape}, {side}, {pen}")
    curve = _curve(points)
    way = ((curve - curve.min(axis=0)) * side + pen / 2 + MARGIN) * FINER
    width, height = (-(-(way.max(axis=0) + (pen / 2 + MARGIN) * FINER) // FINER)).astype(int).tolist()
    canvas = Image.new("L", (width * FINER, height * FINER))
    brush, radius = ImageDraw.Draw(canvas), pen * FINER / 2
    brush.line([tuple(point) for point in way.tolist()], fill=255, width=max(1, round(2 * radius)), joint="curve")
    for x, y in way[[0, -1]].tolist():
        brush.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return np.asarray(canvas.reduce(FINER))


def _curve(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a smooth curve through the points (Catmull-Rom), float32 [7 * BETWEEN + 1, 2]."""
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
