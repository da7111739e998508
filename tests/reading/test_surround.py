"""Surrounds are found, and nothing else is taken for one."""

import functools
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from edgedigits_runtime.reading.surround import inside_surround
from edgedigits_runtime.synthetic.handwriting import draw_digit
from edgedigits_runtime.synthetic.paper import Paper, set_on_paper
from tests.conftest import encoded


@given(st.lists(st.integers(0, 12), min_size=4, max_size=4), st.sampled_from([0, 60, 150]), st.integers(0, 9))
def test_a_surround_is_left_out(widths: list[int], level: int, digit: int) -> None:
    top, bottom, left, right = widths
    picture = np.full((200, 240), level, np.uint8)
    inner = picture[top : 200 - bottom, left : 240 - right]
    inner[:] = 250
    inner[30:130, 40:140] = 250 - draw_digit(digit, np.random.default_rng(digit), size=100) // 2
    rows, columns = inside_surround(picture[..., np.newaxis])
    assert (rows, columns) == (slice(top, 200 - bottom), slice(left, 240 - right))


def test_nested_surrounds_are_left_out() -> None:
    picture = np.full((300, 400, 3), 255, np.uint8)
    picture[:2] = picture[-2:] = picture[:, :2] = picture[:, -2:] = 90
    picture[2:20, 2:-2] = (40, 40, 60)
    assert inside_surround(picture) == (slice(20, 298), slice(2, 398))


@pytest.mark.parametrize("shape", [(63, 200), (1, 1), (20_000, 1), (64, 64), (480, 640)])
def test_plain_and_noisy_pictures_have_no_surround(shape: tuple[int, int]) -> None:
    whole = tuple(slice(0, side) for side in shape)
    assert inside_surround(np.full((*shape, 3), 200, np.uint8)) == whole
    assert inside_surround(np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)) == whole


def test_a_digit_at_the_edge_is_no_surround() -> None:
    for digit in range(10):
        drawn = draw_digit(digit, np.random.default_rng(digit), size=200)
        rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
        tight = drawn[rows[0] - 4 : rows[-1] + 5, columns[0] - 4 : columns[-1] + 5]
        if min(tight.shape) >= 64:
            assert inside_surround(tight[..., np.newaxis]) == tuple(slice(0, side) for side in tight.shape)


@functools.cache
def photo(height: int, width: int) -> NDArray[np.uint8]:
    """Return a page in uneven light with a digit on it, uint8 [height, width, 3]."""
    rng = np.random.default_rng(0)
    ink = np.zeros((height, width), np.uint8)
    ink[20:120, 30:130] = draw_digit(3, rng, size=100)
    return np.asarray(set_on_paper(ink, Paper((216, 210, 200), (40, 40, 60), light=0.3, blur=1.0, noise=3.0), rng))


@given(st.tuples(*[st.integers(0, 300)] * 4), st.sampled_from([0, 18, 200, 255]))
def test_a_photo_is_separated_from_its_surround(widths: tuple[int, int, int, int], level: int) -> None:
    top, bottom, left, right = widths
    picture = np.pad(photo(200, 240), ((top, bottom), (left, right), (0, 0)), constant_values=level)
    assert inside_surround(picture) == (slice(top, top + 200), slice(left, left + 240))


@given(st.integers(0, 9), st.integers(0, 1000), st.integers(0, 90), st.sampled_from([None, 30, 75, 95]))
def test_the_margin_of_a_drawing_is_no_surround(digit: int, seed: int, margin: int, quality: int | None) -> None:
    drawn = Image.fromarray(255 - np.pad(draw_digit(digit, np.random.default_rng(seed), size=150), margin))
    if quality is not None:
        drawn = Image.open(io.BytesIO(encoded(drawn, "JPEG", quality=quality)))
    picture = np.asarray(drawn)[..., np.newaxis]
    assert inside_surround(picture) == (slice(0, picture.shape[0]), slice(0, picture.shape[1]))
