"""One box around the digit: tight, in source pixels, without specks and without what hugs the edge."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgedigits_runtime.reading.locate import Box, locate
from edgedigits_runtime.synthetic.strokes import draw_digit


def drawn(digit: int = 8, seed: int = 0, size: int = 80) -> NDArray[np.uint8]:
    return draw_digit(digit, np.random.default_rng(seed), size=size)


def tight(ink: NDArray[np.uint8]) -> Box:
    rows, columns = np.nonzero(ink)
    return Box(int(columns.min()), int(rows.min()), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1)


def test_no_ink_gives_no_box() -> None:
    assert locate(np.zeros((30, 40), np.uint8)) == []


@given(st.integers(0, 9), st.integers(0, 1000), *[st.integers(0, 60)] * 4)
def test_the_box_is_tight_wherever_the_digit_stands(
    digit: int, seed: int, top: int, bottom: int, left: int, right: int
) -> None:
    ink = np.pad(drawn(digit, seed), ((top, bottom), (left, right)))
    (box,) = locate(ink)
    assert box == tight(ink)
    assert (ink[box.rows, box.columns] > 0).sum() == (ink > 0).sum()


@pytest.mark.parametrize("factor", [7, 20])
def test_boxes_of_large_pictures_are_exact(factor: int) -> None:
    ink = np.kron(drawn(3, 5), np.ones((factor, factor), np.uint8))
    assert locate(ink) == [tight(ink)]


@pytest.mark.parametrize("factor", [1, 9])
def test_specks_are_dropped(factor: int) -> None:
    ink = np.zeros((140, 140), np.uint8)
    ink[30:110, 30:110] = drawn()
    digit = tight(ink)
    ink[5, 5] = ink[130, 70] = ink[60, 138] = 255
    (box,) = locate(np.kron(ink, np.ones((factor, factor), np.uint8)))
    assert box == Box(*(factor * side for side in (digit.x, digit.y, digit.width, digit.height)))


def test_a_part_that_stands_apart_is_kept() -> None:
    ink = np.zeros((100, 100), np.uint8)
    ink[30:80, 30:60] = 255
    ink[18:24, 36:70] = 255
    assert locate(ink) == [Box(30, 18, 40, 62)]


@pytest.mark.parametrize("edge", ["line below", "line left", "frame"])
def test_what_hugs_the_edge_is_dropped(edge: str) -> None:
    ink = np.zeros((120, 120), np.uint8)
    ink[20:100, 20:100] = drawn()
    digit = tight(ink)
    if edge in ("line below", "frame"):
        ink[112:116] = 255
    if edge in ("line left", "frame"):
        ink[:, 4:7] = 255
    if edge == "frame":
        ink[3:6] = 255
        ink[:, 114:] = 255
    assert locate(ink) == [digit]


@pytest.mark.parametrize("digit", range(10))
def test_a_digit_cropped_tight_stays_whole(digit: int) -> None:
    whole = drawn(digit, 11)
    box = tight(whole)
    crop = whole[box.rows, box.columns]
    assert locate(crop) == [Box(0, 0, crop.shape[1], crop.shape[0])]


def test_a_frame_alone_is_all_there_is() -> None:
    ink = np.full((60, 60), 255, np.uint8)
    ink[4:-4, 4:-4] = 0
    assert locate(ink) == [Box(0, 0, 60, 60)]


@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 60))
def test_boxes_lie_in_the_picture(seed: int, height: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    ink = np.where(rng.random((height, width)) < rng.random(), rng.integers(1, 256), 0).astype(np.uint8)
    for box in locate(ink):
        assert 0 <= box.x < box.x + box.width <= width
        assert 0 <= box.y < box.y + box.height <= height
