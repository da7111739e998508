"""Sheets differ from digits by straight sides, an unbroken margin and writing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from edgedigits_runtime.reading.sheets import are_sheets
from edgedigits_runtime.synthetic.handwriting import draw_digit


def sheet(corners: list[tuple[int, int]]) -> NDArray[np.bool_]:
    image = Image.new("1", (240, 180))
    ImageDraw.Draw(image).polygon(corners, fill=1)
    return np.array(image)


def written(mask: NDArray[np.bool_], x: int, y: int, size: int = 50) -> NDArray[np.bool_]:
    mask[y : y + size, x : x + size] &= draw_digit(0, np.random.default_rng(1), size=size) < 128
    return mask


@given(st.lists(st.integers(-8, 8), min_size=8, max_size=8))
def test_a_page_in_perspective_with_a_digit_is_a_sheet(away: list[int]) -> None:
    corners = [(40, 30), (200, 30), (200, 150), (40, 150)]
    moved = [(x + away[2 * k], y + away[2 * k + 1]) for k, (x, y) in enumerate(corners)]
    assert are_sheets(written(sheet(moved), 90, 60))


def test_several_tiles_are_sheets() -> None:
    tiles = sheet([(10, 20), (110, 20), (110, 120), (10, 120)]) | sheet([(130, 20), (230, 20), (230, 120), (130, 120)])
    assert are_sheets(written(written(tiles, 35, 45), 155, 45))


def test_a_quadrilateral_without_writing_is_no_sheet() -> None:
    assert not are_sheets(sheet([(40, 30), (200, 30), (200, 150), (40, 150)]))


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("thickness", [6, 20, 40])
def test_digits_are_no_sheets(digit: int, thickness: float) -> None:
    for seed in range(5):
        assert not are_sheets(draw_digit(digit, np.random.default_rng(seed), size=180, thickness=thickness) >= 128)


def test_an_empty_mask_has_no_sheets() -> None:
    assert not are_sheets(np.zeros((100, 100), bool))
    noise = np.random.default_rng(0).random((100, 100)) < 0.3
    assert not are_sheets(noise)
