"""Parts of one digit are joined; neighbours and signs are not."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgedigits_runtime.reading.box import Box
from edgedigits_runtime.reading.grouping import grouped, reference_height
from edgedigits_runtime.reading.marks import Mark
from edgedigits_runtime.synthetic.handwriting import draw_digit


def block(x: int, y: int, width: int, height: int) -> Mark:
    return Mark(Box(x, y, width, height), np.ones((height, width), bool))


def slanted(x: int, slope: float = 0.5, height: int = 60) -> Mark:
    mask = np.zeros((height, int(slope * height) + 4), bool)
    for y in range(height):
        left = int(slope * (height - 1 - y))
        mask[y, left : left + 4] = True
    return Mark(Box(x, 0, mask.shape[1], height), mask)


def boxes(marks: list[Mark]) -> list[Box]:
    return [mark.box for mark in grouped(marks)]


def test_the_reference_height_is_that_of_most_ink() -> None:
    marks = [block(0, 0, 30, 50), block(50, 0, 30, 52), *(block(9 * k, 90, 3, 4) for k in range(20))]
    assert reference_height(marks) == 50


def test_the_bar_of_a_five_is_joined() -> None:
    assert boxes([block(10, 20, 30, 60), block(20, 8, 40, 6)]) == [Box(10, 8, 50, 72)]


def test_a_fragment_beside_its_digit_is_joined() -> None:
    assert boxes([block(10, 20, 30, 60), block(43, 70, 8, 6)]) == [Box(10, 20, 41, 60)]


def test_a_minus_is_not_joined() -> None:
    assert len(grouped([block(10, 20, 30, 60), block(52, 48, 30, 5)])) == 2


def test_a_dot_inside_belongs_to_what_is_around_it() -> None:
    ring = np.ones((60, 40), bool)
    ring[6:-6, 6:-6] = False
    assert boxes([Mark(Box(0, 0, 40, 60), ring), block(18, 28, 5, 5)]) == [Box(0, 0, 40, 60)]


def test_slanted_neighbours_are_not_joined() -> None:
    assert len(grouped([slanted(0), slanted(12)])) == 2


def test_neighbours_of_full_height_are_not_joined() -> None:
    assert len(grouped([block(0, 0, 30, 60), block(33, 0, 30, 60)])) == 2


def test_lines_close_together_are_not_joined() -> None:
    assert len(grouped([block(0, 0, 30, 60), block(0, 64, 30, 60)])) == 2


@given(st.integers(0, 9), st.integers(0, 500))
def test_dots_that_draw_a_digit_are_one(digit: int, seed: int) -> None:
    ink = draw_digit(digit, np.random.default_rng(seed), size=160, thickness=6) > 0
    places = [(x, y) for y in range(0, 160, 9) for x in range(0, 160, 9) if ink[y : y + 9, x : x + 9].sum() > 18]
    dots = [block(x, y, 5, 5) for x, y in places]
    assert len(grouped(dots)) == 1


def test_a_page_of_digits_is_no_dotted_line() -> None:
    strokes = [block(40 * x, 60 * y, 8, 40) for x in range(8) for y in range(5)]
    assert len(grouped(strokes)) == 40
