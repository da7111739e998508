"""Ink comes out bright on black whatever the polarity, light and noise, and a clean picture as it is."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from PIL import Image

from edgedigits_runtime.reading.decode import decode
from edgedigits_runtime.reading.ink import LEAST_CONTRAST, find_ink
from edgedigits_runtime.synthetic.pictures import Paper, set_on_paper
from edgedigits_runtime.synthetic.samples import mnist_like
from edgedigits_runtime.synthetic.strokes import draw_digit

DIGITS, _ = mnist_like(60, seed=3)

digits = st.sampled_from(list(DIGITS))


def ink_of(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return find_ink(grey[..., np.newaxis])


def overlap(ink: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """Return the intersection over union of what is at least half inked."""
    a, b = ink >= 128, truth >= 128
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize("index", range(len(DIGITS)))
def test_a_clean_picture_comes_out_unchanged_in_either_polarity(index: int) -> None:
    digit = DIGITS[index]
    assert np.array_equal(ink_of(digit), digit)
    assert np.array_equal(ink_of(255 - digit), digit)


@given(digits, *[st.integers(0, 40)] * 4)
def test_padding_adds_no_ink(digit: NDArray[np.uint8], top: int, bottom: int, left: int, right: int) -> None:
    around = ((top, bottom), (left, right))
    padded = np.pad(digit, around)
    assert np.array_equal(ink_of(padded), padded)
    assert np.array_equal(ink_of(255 - padded), padded)


@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=80)))
def test_any_picture_gives_ink_of_its_own_shape(grey: NDArray[np.uint8]) -> None:
    ink = ink_of(grey)
    assert ink.shape == grey.shape
    assert ink.dtype == np.uint8


@given(digits, st.integers(20, 200), st.integers(-200, 200))
def test_faint_ink_is_stretched_to_full_contrast(digit: NDArray[np.uint8], ground: int, contrast: int) -> None:
    paper = np.clip(ground + digit.astype(int) * contrast // 255, 0, 255).astype(np.uint8)
    reached = int(np.abs(paper.astype(int) - ground).max())
    ink = ink_of(paper)
    if reached < LEAST_CONTRAST:
        assert not ink.any()
    # The contrast that counts is what most of the ink reaches; a few levels above the least, so does the peak.
    elif reached >= 1.5 * LEAST_CONTRAST:
        assert ink.max() >= 230
        assert np.array_equal(ink > 0, paper != ground)


@given(st.integers(0, 9), st.integers(0, 1000), st.booleans())
def test_light_noise_and_blur_leave_the_strokes(digit: int, seed: int, dark: bool) -> None:
    rng = np.random.default_rng(seed)
    truth = draw_digit(digit, rng)
    colours = ((205, 205, 205), (60, 60, 60))
    paper = Paper(*(colours if dark else colours[::-1]), light=0.3, blur=0.8, noise=3.0)
    picture = decode(set_on_paper(truth, paper, rng), channels=1)
    assert overlap(find_ink(picture), truth) > 0.7
    assert overlap(find_ink(255 - picture), truth) > 0.7


@given(st.integers(0, 9), st.integers(0, 1000), st.sampled_from([50, 75, 95]))
def test_the_ringing_of_jpeg_is_no_ink(digit: int, seed: int, quality: int) -> None:
    truth = draw_digit(digit, np.random.default_rng(seed))
    file = io.BytesIO()
    Image.fromarray(255 - truth).save(file, "JPEG", quality=quality)
    ink = find_ink(decode(file.getvalue(), channels=1))
    rows, columns = np.nonzero(truth)
    far = ink.copy()
    far[max(rows.min() - 2, 0) : rows.max() + 3, max(columns.min() - 2, 0) : columns.max() + 3] = 0
    assert not far.any()
    assert overlap(ink, truth) > 0.8


@pytest.mark.parametrize("level", [0, 1, 127, 254, 255])
@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (200, 150)])
def test_one_level_is_blank(level: int, shape: tuple[int, int]) -> None:
    assert not ink_of(np.full(shape, level, np.uint8)).any()


@given(st.integers(0, 2**32 - 1), st.floats(0.5, 40), st.integers(60, 200), st.floats(-0.3, 0.3))
def test_noise_and_uneven_light_are_blank(seed: int, strength: float, level: int, slope: float) -> None:
    rng = np.random.default_rng(seed)
    light = level + slope * np.add.outer(np.arange(120), np.arange(100)) / 2
    noisy = np.clip(light + rng.normal(0, strength, light.shape), 0, 255).astype(np.uint8)
    assert not ink_of(noisy).any()


def test_ink_that_touches_the_edge_keeps_its_polarity() -> None:
    bar = np.zeros((28, 28), np.uint8)
    bar[:, 10:18] = 255
    assert np.array_equal(ink_of(bar), bar)
    assert np.array_equal(ink_of(255 - bar), bar)
