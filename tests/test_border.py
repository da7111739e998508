"""Frames are found and nothing else is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits_runtime.reading.border import within_frame
from edgedigits_runtime.synthetic.strokes import draw_digit


@given(st.lists(st.integers(0, 12), min_size=4, max_size=4), st.sampled_from([0, 60, 150]), st.integers(0, 9))
def test_a_frame_is_left_out(widths: list[int], level: int, digit: int) -> None:
    top, bottom, left, right = widths
    picture = np.full((200, 240), level, np.uint8)
    inner = picture[top : 200 - bottom, left : 240 - right]
    inner[:] = 250
    inner[30:130, 40:140] = 250 - draw_digit(digit, np.random.default_rng(digit), size=100) // 2
    rows, columns = within_frame(picture[..., np.newaxis])
    assert (rows, columns) == (slice(top, 200 - bottom), slice(left, 240 - right))


def test_a_window_has_a_title_bar_in_its_outline() -> None:
    picture = np.full((300, 400, 3), 255, np.uint8)
    picture[:2] = picture[-2:] = picture[:, :2] = picture[:, -2:] = 90
    picture[2:20, 2:-2] = (40, 40, 60)
    assert within_frame(picture) == (slice(20, 298), slice(2, 398))


@pytest.mark.parametrize("shape", [(63, 200), (1, 1), (20_000, 1), (64, 64), (480, 640)])
def test_plain_and_noisy_pictures_have_no_frame(shape: tuple[int, int]) -> None:
    whole = tuple(slice(0, side) for side in shape)
    assert within_frame(np.full((*shape, 3), 200, np.uint8)) == whole
    assert within_frame(np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)) == whole


def test_a_digit_to_the_edge_is_no_frame() -> None:
    for digit in range(10):
        drawn = draw_digit(digit, np.random.default_rng(digit), size=200)
        rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
        tight = drawn[rows[0] - 4 : rows[-1] + 5, columns[0] - 4 : columns[-1] + 5]
        if min(tight.shape) >= 64:
            assert within_frame(tight[..., np.newaxis]) == tuple(slice(0, side) for side in tight.shape)
