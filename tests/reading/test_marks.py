"""Marks, their boxes and their union."""

import numpy as np
import pytest

from edgedigits_runtime.reading.box import Box
from edgedigits_runtime.reading.marks import Mark, around, distance, gap, mask_stroke_width, trimmed, union


def block(x: int, y: int, width: int, height: int) -> Mark:
    return Mark(Box(x, y, width, height), np.ones((height, width), bool))


def test_a_union_holds_the_ink_of_all() -> None:
    both = union([block(2, 3, 4, 5), block(10, 1, 2, 3)])
    assert both.box == Box(2, 1, 10, 7)
    assert both.area == 4 * 5 + 2 * 3
    assert both.mask[2:, :4].all()
    assert both.mask[:3, 8:].all()


def test_overlapping_marks_are_counted_once() -> None:
    assert union([block(0, 0, 4, 4), block(2, 2, 4, 4)]).area == 28


def test_one_mark_is_its_own_union() -> None:
    mark = block(1, 2, 3, 4)
    assert union([mark]) is mark


def test_distances_are_between_pixels() -> None:
    assert distance(block(0, 0, 4, 4), block(7, 0, 2, 4)) == 4
    assert distance(block(0, 0, 4, 4), block(4, 0, 2, 4)) == 1
    assert distance(block(0, 0, 1, 1), block(3, 4, 1, 1)) == 5


def test_gaps_are_between_boxes() -> None:
    assert gap(Box(0, 0, 4, 4), Box(7, 0, 2, 4)) == 3
    assert gap(Box(0, 0, 4, 4), Box(2, 9, 2, 4)) == 5
    assert gap(Box(0, 0, 4, 4), Box(2, 2, 4, 4)) == 0


def test_the_box_around_boxes() -> None:
    assert around([Box(5, 6, 1, 2), Box(2, 7, 2, 3)]) == Box(2, 6, 4, 4)


def test_trimming_finds_the_tight_box() -> None:
    mask = np.zeros((6, 8), bool)
    mask[2:4, 3:7] = True
    mark = trimmed(mask, 10, 20)
    assert mark is not None
    assert (mark.box, mark.area) == (Box(13, 22, 4, 2), 8)
    assert trimmed(np.zeros((3, 3), bool), 0, 0) is None


@pytest.mark.parametrize("width", [3, 5, 9])
@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0])
def test_the_width_of_a_stroke_is_measured_whatever_its_slope(width: int, slope: float) -> None:
    y, x = np.mgrid[:200, :200]
    across = np.abs((y - 99.5) - slope * (x - 100)) / np.hypot(1, slope)
    assert mask_stroke_width(across < width / 2) == pytest.approx(width, rel=0.35)
