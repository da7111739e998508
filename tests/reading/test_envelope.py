"""Closings and their measures agree with slow, simple definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from edgedigits_runtime.reading.envelope import closed, envelope, is_thin, mean_stroke_width
from edgedigits_runtime.reading.levels import contrast

pictures = arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=24))


def extreme(padded: NDArray[np.uint8], window: int, of: str) -> NDArray[np.uint8]:
    views = np.lib.stride_tricks.sliding_window_view(padded, (window, window))
    result: NDArray[np.uint8] = getattr(views, of)(axis=(2, 3))
    return result


@given(pictures, st.sampled_from([3, 5, 9]))
def test_a_closing_is_the_minimum_of_maxima(grey: NDArray[np.uint8], window: int) -> None:
    padded = np.pad(grey, window - 1, mode="edge")
    assert np.array_equal(closed(grey, window), extreme(extreme(padded, window, "max"), window, "min"))


@given(pictures, st.sampled_from([3, 7]))
def test_a_closing_is_never_darker_and_closes_once(grey: NDArray[np.uint8], window: int) -> None:
    once = closed(grey, window)
    assert (once >= grey).all()


@pytest.mark.parametrize("width", [3, 7, 15])
def test_the_envelope_spans_strokes_of_any_width(width: int) -> None:
    grey = np.full((200, 240), 200, np.uint8)
    grey[40:160, 100 : 100 + width] = 40
    level, window = envelope(grey)
    assert (level == 200).all()
    assert window > width


def test_a_dark_half_of_the_picture_is_ground() -> None:
    grey = np.full((200, 240), 200, np.uint8)
    grey[:, 120:] = 60
    level, _ = envelope(grey)
    assert np.abs(level.astype(int) - grey)[:, [0, 60, 115, 125, 239]].max() == 0


@pytest.mark.parametrize("width", [2, 4, 8])
def test_the_width_of_a_bar(width: int) -> None:
    mask = np.zeros((300, 100), bool)
    mask[10:290, 30 : 30 + width] = True
    assert width * 0.95 <= mean_stroke_width(mask) <= width * 1.3
    assert mean_stroke_width(np.zeros((5, 5), bool)) == 0


def test_faint_noise_hardly_counts_as_contrast() -> None:
    histogram = np.zeros(256, np.int64)
    histogram[200], histogram[10] = 1000, 100_000
    assert 180 < contrast(histogram) <= 200
    assert contrast(np.zeros(256, np.int64)) == 0


def test_thin_strokes_fit_in_a_small_window() -> None:
    grey = np.full((200, 200), 220, np.uint8)
    assert not is_thin(grey)
    grey[50:150, 90:96] = 30
    assert is_thin(grey)
    grey[20:180, 20:70] = 30
    assert not is_thin(grey)
