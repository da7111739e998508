"""Candidates have tight boxes in source pixels; specks and marks along the edge are dropped."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgedigits_runtime.reading.box import Box
from edgedigits_runtime.reading.by_rules import one_mark
from edgedigits_runtime.reading.candidates import Candidate
from edgedigits_runtime.reading.locate import MOST_MARKS, locate
from edgedigits_runtime.synthetic.handwriting import draw_digit


def drawn(digit: int = 8, seed: int = 0, size: int = 80) -> NDArray[np.uint8]:
    return draw_digit(digit, np.random.default_rng(seed), size=size)


def tight(ink: NDArray[np.uint8]) -> Box:
    rows, columns = np.nonzero(ink)
    return Box(int(columns.min()), int(rows.min()), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1)


def whole(ink: NDArray[np.uint8]) -> Candidate:
    """Return the candidate of all pieces."""
    layout = locate(ink)
    (candidate,) = (c for c in layout.candidates if (c.first, c.last) == (0, layout.pieces - 1))
    return candidate


def test_no_ink_gives_no_candidate() -> None:
    assert locate(np.zeros((30, 40), np.uint8)).candidates == []


@given(st.integers(0, 9), st.integers(0, 1000), *[st.integers(1, 60)] * 4)
def test_the_box_is_tight_wherever_the_digit_stands(
    digit: int, seed: int, top: int, bottom: int, left: int, right: int
) -> None:
    ink = np.pad(drawn(digit, seed), ((top, bottom), (left, right)))
    candidate = whole(ink)
    assert candidate.box == tight(ink)
    assert np.array_equal(candidate.ink, ink[candidate.box.rows, candidate.box.columns])


@pytest.mark.parametrize("factor", [7, 20])
def test_boxes_of_large_pictures_are_exact(factor: int) -> None:
    ink = np.kron(drawn(3, 5), np.ones((factor, factor), np.uint8))
    assert whole(ink).box == tight(ink)


@pytest.mark.parametrize("factor", [1, 9])
def test_specks_are_dropped(factor: int) -> None:
    ink = np.zeros((140, 140), np.uint8)
    ink[30:110, 30:110] = drawn()
    digit = tight(ink)
    ink[5, 5] = ink[130, 70] = ink[60, 138] = 255
    box = whole(np.kron(ink, np.ones((factor, factor), np.uint8))).box
    assert box == Box(*(factor * side for side in (digit.x, digit.y, digit.width, digit.height)))


def test_a_separate_bar_is_kept() -> None:
    ink = np.zeros((100, 100), np.uint8)
    ink[30:80, 30:60] = 255
    ink[18:24, 36:70] = 255
    assert [c.box for c in locate(ink).candidates] == [Box(30, 18, 40, 62)]


@pytest.mark.parametrize("edge", ["line below", "line left", "frame", "strip"])
def test_marks_along_the_edge_are_dropped(edge: str) -> None:
    ink = np.zeros((120, 120), np.uint8)
    ink[20:100, 20:100] = drawn()
    digit = tight(ink)
    if edge in ("line below", "frame"):
        ink[112:116] = 255
    if edge in ("line left", "frame"):
        ink[:, 4:7] = 255
    if edge == "frame":
        ink[3:6] = 255
        ink[:, 114:] = 255
    if edge == "strip":
        ink[30:70, :3] = 255
    assert whole(ink).box == digit


@pytest.mark.parametrize("digit", range(10))
def test_a_tightly_cropped_digit_stays_whole(digit: int) -> None:
    ink = drawn(digit, 11)
    box = tight(ink)
    crop = ink[box.rows, box.columns]
    assert whole(crop).box == Box(0, 0, crop.shape[1], crop.shape[0])


def test_a_number_cropped_tight_stays_whole() -> None:
    row = np.hstack([np.pad(drawn(digit), ((0, 0), (2, 2))) for digit in (3, 8, 2, 6, 8)])
    box = tight(row)
    crop = row[box.rows, box.columns]
    assert max(c.line for c in locate(crop).candidates) == 0
    assert min(c.box.x for c in locate(crop).candidates) == 0
    assert max(c.box.right for c in locate(crop).candidates) == crop.shape[1]


def test_a_surround_without_a_picture_is_the_picture() -> None:
    ink = np.full((60, 60), 255, np.uint8)
    ink[4:-4, 4:-4] = 0
    assert whole(ink).box == Box(0, 0, 60, 60)


def test_slanted_neighbours_keep_their_own_ink() -> None:
    ink = np.zeros((90, 120), np.uint8)
    for step in range(60):
        ink[15 + step, 60 - step // 2 : 64 - step // 2] = 255
        ink[15 + step, 72 - step // 2 : 76 - step // 2] = 255
    singles = [c for c in locate(ink).candidates if c.first == c.last]
    assert len(singles) == 2
    assert singles[0].box.right > singles[1].box.x
    assert all(np.count_nonzero(c.ink) == np.count_nonzero(ink) // 2 for c in singles)


@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 60))
def test_candidates_lie_in_the_picture_and_hold_ink(seed: int, height: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    ink = np.where(rng.random((height, width)) < rng.random(), rng.integers(1, 256), 0).astype(np.uint8)
    layout = locate(ink)
    for candidate in layout.candidates:
        box = candidate.box
        assert 0 <= box.x < box.right <= width
        assert 0 <= box.y < box.bottom <= height
        assert candidate.ink.shape == (box.height, box.width)
        assert ((candidate.ink == 0) | (candidate.ink == ink[box.rows, box.columns])).all()
        assert tight(candidate.ink) == Box(0, 0, box.width, box.height)
        assert 0 <= candidate.first <= candidate.last < layout.pieces


@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_every_piece_is_a_candidate_of_its_own(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    ink = np.zeros((120, 500), np.uint8)
    for k in range(count):
        x = 75 * k + int(rng.integers(-15, 15)) + 15
        ink[20:100, x : x + 80] = np.maximum(ink[20:100, x : x + 80], drawn(int(rng.integers(10)), k))
    layout = locate(ink)
    assert {c.first for c in layout.candidates if c.first == c.last} == set(range(layout.pieces))


def test_too_many_specks_are_a_texture() -> None:
    specks = np.random.default_rng(0).random((1000, 1000)) < 0.2
    layout = locate(specks * np.uint8(255))
    assert layout.candidates == []
    assert layout.note == f"more than {MOST_MARKS} separate marks: a texture, and no digits"


def test_a_wide_strip_is_searched_finely() -> None:
    strip = np.zeros((60, 20_000), np.uint8)
    for k in range(20):
        strip[10:50, 1000 * k : 1000 * k + 40] = drawn(3, k, 40)
    assert {c.line for c in locate(strip).candidates} == {0}
    assert len([c for c in locate(strip).candidates if c.first == c.last]) == 20


@given(st.integers(0, 9), st.integers(0, 1000), st.integers(16, 64), st.data())
def test_one_mark_of_a_small_picture_is_located_as_any_other(
    digit: int, seed: int, size: int, data: st.DataObject
) -> None:
    ink = drawn(digit, seed, size).copy()
    for y, x in data.draw(st.lists(st.tuples(*[st.integers(0, size - 1)] * 2), max_size=3)):
        ink[y : y + 2, x : x + 2] ^= 255
    quick = one_mark(ink)
    usual = locate(ink)
    if quick is not None:
        assert (quick.pieces, quick.side, quick.note) == (usual.pieces, usual.side, usual.note)
        (one,), (other,) = quick.candidates, usual.candidates
        assert np.array_equal(one.ink, other.ink)
        # The width of strokes is only compared with that of other candidates.
        assert one._replace(ink=other.ink, stroke=0)[2:] == other._replace(stroke=0)[2:] and one.box == other.box
