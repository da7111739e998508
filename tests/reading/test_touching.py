"""Touching digits are cut where little ink is crossed, and no ink is lost."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgedigits_runtime.reading.box import Box
from edgedigits_runtime.reading.marks import Mark
from edgedigits_runtime.reading.touching import pieces
from edgedigits_runtime.synthetic.handwriting import draw_digit


def cropped(digit: int, seed: int) -> NDArray[np.uint8]:
    ink = draw_digit(digit, np.random.default_rng(seed), size=80)
    return ink[np.ix_(ink.any(axis=1), ink.any(axis=0))]


def touching(left: int, right: int, seed: int = 0, overlap: int = 1) -> tuple[NDArray[np.uint8], int]:
    """Return two touching digits, and the column where they meet."""
    a, b = cropped(left, seed), cropped(right, seed + 1)
    # A 1 may be narrower than the overlap.
    height, start = max(len(a), len(b)), max(a.shape[1] - overlap, 0)
    ink = np.zeros((height, max(a.shape[1], start + b.shape[1])), np.uint8)
    ink[height - len(a) :, : a.shape[1]] = a
    place = ink[height - len(b) :, start : start + b.shape[1]]
    np.maximum(place, b, out=place)
    return ink, a.shape[1]


def marked(ink: NDArray[np.uint8]) -> Mark:
    return Mark(Box(7, 9, ink.shape[1], ink.shape[0]), ink > 0)


@pytest.mark.parametrize("pair", [(3, 5), (2, 2), (8, 0), (0, 6), (5, 8)])
def test_one_of_the_cuts_is_where_they_meet(pair: tuple[int, int]) -> None:
    ink, meeting = touching(*pair)
    cuts = [part.box.x - 7 for part in pieces(marked(ink), ink)[1:]]
    assert min(abs(cut - meeting) for cut in cuts) <= 0.1 * len(ink)


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 300), st.integers(0, 12))
def test_the_pieces_are_the_mark(left: int, right: int, seed: int, overlap: int) -> None:
    ink, _ = touching(left, right, seed, overlap)
    mark = marked(ink)
    covered = np.zeros(mark.mask.shape, int)
    for part in pieces(mark, ink):
        y, x = part.box.y - 9, part.box.x - 7
        covered[y : y + part.box.height, x : x + part.box.width] += part.mask
    assert np.array_equal(covered, mark.mask)


@given(st.integers(1, 40), st.integers(1, 200), st.integers(0, 2**32 - 1))
def test_any_shape_is_cut_or_left(height: int, width: int, seed: int) -> None:
    ink = np.random.default_rng(seed).integers(1, 256, (height, width)).astype(np.uint8)
    parts = pieces(marked(ink), ink)
    assert sum(part.area for part in parts) == ink.size
    assert [part.box.x for part in parts] == sorted(part.box.x for part in parts)
