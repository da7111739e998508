"""Ruled lines are erased; strokes that cross them, run along them or look like them stay."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from edgedigits_runtime.reading.ruled_lines import find_ruled_lines, without_ruled_lines
from edgedigits_runtime.synthetic.handwriting import draw_digit


def lines(slope: float, level: int, *, step: int = 60, upright: bool = True) -> NDArray[np.uint8]:
    image = Image.new("L", (640, 480))
    draw = ImageDraw.Draw(image)
    for place in range(-120, 800, step):
        draw.line([(-5, place), (645, place + 650 * slope)], fill=level, width=3)
        if upright:
            draw.line([(place, -5), (place - 490 * slope, 485)], fill=level, width=3)
    return np.array(image)


def digit(number: int, seed: int) -> NDArray[np.uint8]:
    ink = np.zeros((480, 640), np.uint8)
    ink[130:350, 200:420] = draw_digit(number, np.random.default_rng(seed), size=220, thickness=14)
    return ink


@given(st.integers(0, 9), st.integers(0, 100), st.floats(-0.08, 0.08), st.integers(60, 255), st.booleans())
def test_ruled_lines_are_erased_and_the_digit_stays(
    number: int, seed: int, slope: float, level: int, upright: bool
) -> None:
    drawn = digit(number, seed)
    rest = without_ruled_lines(np.maximum(drawn, lines(slope, level, upright=upright)), 255)
    assert (rest[drawn >= 128] >= 50).mean() > 0.97
    near = np.asarray(Image.fromarray(drawn).resize((64, 48), Image.Resampling.BOX).resize((640, 480))) > 0
    assert (rest[~near] > 0).mean() < 0.015


def test_ruled_paper_alone_is_blank() -> None:
    rest = without_ruled_lines(lines(0.02, 200), 200)
    assert (rest > 0).mean() < 0.003


@pytest.mark.parametrize("place", [200, 320])
def test_a_bar_through_the_whole_picture_may_be_a_stroke(place: int) -> None:
    bar = np.zeros((480, 640), np.uint8)
    bar[:, place : place + 12] = 255
    assert without_ruled_lines(bar, 255) is bar
    assert without_ruled_lines(bar.T, 255) is not None
    assert np.array_equal(without_ruled_lines(bar.T, 255), bar.T)


def test_a_line_at_the_edge_of_a_form_is_erased() -> None:
    ink = digit(3, 0)
    ink[20:26] = 255
    assert not without_ruled_lines(ink, 255)[20:26].any()


@pytest.mark.parametrize("number", range(10))
def test_digits_have_no_ruled_lines(number: int) -> None:
    for seed in range(4):
        ink = draw_digit(number, np.random.default_rng(seed), size=160, thickness=12)
        assert np.array_equal(without_ruled_lines(ink, 255), ink)


def test_a_sloping_line_is_erased() -> None:
    image = Image.new("L", (640, 480))
    ImageDraw.Draw(image).line([(0, 200), (640, 232)], fill=255, width=3)
    (rule,) = find_ruled_lines(np.array(image), 255, (480, 640))
    assert np.abs(rule.rows - (200 + 0.05 * np.arange(640))).max() <= 2
    assert not rule.at_edge
    assert 1 <= rule.reach <= 5
