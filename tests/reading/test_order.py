"""Lines are in reading order, straight or slanted."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgedigits_runtime.reading.box import Box
from edgedigits_runtime.reading.order import lines_of


def grid(rows: int, columns: int, seed: int, slant: float = 0.0) -> list[Box]:
    """Return the boxes of a grid in reading order, each slightly displaced."""
    rng = np.random.default_rng(seed)
    boxes = []
    for row in range(rows):
        for column in range(columns):
            height = int(rng.integers(34, 46))
            x = 100 + 70 * column + int(rng.integers(-8, 9))
            y = 400 + 90 * row + int(rng.integers(-6, 7)) + round(slant * x)
            boxes.append(Box(x, y - height // 2, int(rng.integers(8, 40)), height))
    return boxes


def test_no_boxes_have_no_lines() -> None:
    assert lines_of([]) == []


@given(st.integers(1, 5), st.integers(1, 7), st.integers(0, 2**32 - 1))
def test_a_grid_is_read_in_reading_order(rows: int, columns: int, seed: int) -> None:
    boxes = grid(rows, columns, seed)
    shuffled = np.random.default_rng(seed).permutation(len(boxes)).tolist()
    lines = lines_of([boxes[k] for k in shuffled])
    read = [[shuffled[k] for k in line] for line in lines]
    assert read == np.arange(rows * columns).reshape(rows, columns).tolist()


@given(st.integers(2, 5), st.integers(2, 4), st.integers(100, 300), st.integers(0, 2**32 - 1))
def test_columns_far_apart_do_not_slant_the_lines(rows: int, columns: int, apart: int, seed: int) -> None:
    boxes = [
        box._replace(x=box.x + k % columns * (apart - 70), height=box.height + 25)
        for k, box in enumerate(grid(rows, columns, seed))
    ]
    assert lines_of(boxes) == np.arange(rows * columns).reshape(rows, columns).tolist()


# Three marks on a line have only two steps, and 1 in 10,000 such lines is split.
@given(st.integers(1, 4), st.integers(4, 7), st.integers(0, 2**32 - 1), st.floats(-0.22, 0.22))
def test_slanted_lines_stay_lines(rows: int, columns: int, seed: int, slant: float) -> None:
    lines = lines_of(grid(rows, columns, seed, slant))
    assert lines == np.arange(rows * columns).reshape(rows, columns).tolist()


def test_digits_of_one_line_may_differ_in_height() -> None:
    assert lines_of([Box(0, 10, 20, 50), Box(30, 30, 20, 30), Box(60, 8, 20, 40)]) == [[0, 1, 2]]
