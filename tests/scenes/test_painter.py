"""Boxes are tight around the ink in the picture, in any perspective, and what is cut off or faint is ignored."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits.scenes import IGNORED, LETTER
from edgedigits.scenes.painter import Painter, Pen, placed
from edgedigits.scenes.strokes import draw_strokes

SIDE = 200
RING = np.array([[0.0, 0.5], [0.3, 0.0], [0.6, 0.5], [0.3, 1.0], [0.0, 0.5]], np.float32)


def painted(level: int = 255) -> Painter:
    return Painter(np.random.default_rng(0), np.full((SIDE, SIDE, 3), level, np.uint8), "train")


def ring(height: float, pen: float) -> np.ndarray:
    return draw_strokes([RING], height, pen)


@given(
    st.floats(8, 120),
    st.floats(0.02, 0.2),
    st.floats(70, 130),
    st.floats(70, 130),
    st.floats(-40, 40),
    st.floats(-0.3, 0.3),
    st.tuples(*[st.floats(-25, 25)] * 8),
)
def test_boxes_are_tight(height, pen, x, y, degrees, slant, bent):
    painter = painted()
    corners = np.array([[0, 0], [SIDE, 0], [SIDE, SIDE], [0, SIDE]], np.float32)
    painter.plane = cv2.getPerspectiveTransform(corners, corners + np.array(bent, np.float32).reshape(4, 2))
    tile = ring(60, 60 * pen)
    scale = height / len(tile)
    with painter.ink(Pen((0, 0, 0))):
        painter.stamp(tile, placed(tile.shape, x, y, (scale, scale), degrees, slant), 0, painter.new_number())
    (mark,) = painter.marks
    ink = 255 - painter.picture[..., 0].astype(int)
    left, top, width, height = mark.box
    # The box holds all that is clearly ink, and some ink touches each of its sides.
    for share, inside in ((0.45, True), (0.25, False)):
        rows, columns = (np.flatnonzero((ink > share * ink.max()).any(axis=axis)) for axis in (1, 0))
        low, high = np.array([columns[0], rows[0]]), np.array([columns[-1] + 1, rows[-1] + 1])
        start, end = np.array([left, top]), np.array([left + width, top + height])
        assert (start <= low).all() and (end >= high).all() if inside else (start >= low).all() and (end <= high).all()


@pytest.mark.parametrize("x, kind", [(100, 7), (195, IGNORED), (-2, IGNORED)])
def test_digits_cut_off_are_ignored(x, kind):
    painter = painted()
    tile = ring(60, 6)
    with painter.ink(Pen((0, 0, 0))):
        painter.stamp(tile, placed(tile.shape, x, 100, (1, 1)), 7, 1)
    assert [mark.kind for mark in painter.marks] == [kind]


def test_what_lies_outside_has_no_mark():
    painter = painted()
    tile = ring(60, 6)
    with painter.ink(Pen((0, 0, 0))):
        assert not painter.stamp(tile, placed(tile.shape, 300, 100, (1, 1)), 7, 1)
    assert painter.marks == []


@pytest.mark.parametrize("height, kind", [(30, 3), (5, IGNORED)])
def test_tiny_digits_are_ignored_and_tiny_letters_are_ground(height, kind):
    painter = painted()
    tile = ring(60, 6)
    matrix = placed(tile.shape, 100, 100, (height / len(tile),) * 2)
    with painter.ink(Pen((0, 0, 0))):
        painter.stamp(tile, matrix, 3, 1)
        painter.stamp(tile, matrix, LETTER)
    assert [mark.kind for mark in painter.marks] == ([kind, LETTER] if kind == 3 else [IGNORED])


@pytest.mark.parametrize("ink, contrast", [(0, 200), (190, 10), (200, 0)])
def test_contrast_is_measured_on_the_ground(ink, contrast):
    painter = painted(200)
    tile = ring(60, 6)
    with painter.ink(Pen((ink, ink, ink))):
        painter.stamp(tile, placed(tile.shape, 100, 100, (1, 1)), 3, 1)
    assert painter.marks[0].contrast == pytest.approx(contrast)


def test_numbers_are_read_line_by_line():
    painter = painted()
    tile = ring(20, 3)
    with painter.ink(Pen((0, 0, 0))):
        for x, y, value, number in [(150, 22, 3, 1), (60, 80, 4, 2), (20, 20, 1, 3), (40, 18, 2, 3), (90, 80, 5, 2)]:
            painter.stamp(tile, placed(tile.shape, x, y, (1, 1)), value, number)
    assert painter.finish(painter.picture).lines == ("12", "3", "45")
