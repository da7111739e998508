"""Characters of other writers: classes, cropping and framing, and the pen that draws strokes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgedigits.data.characters import AMBIGUOUS, MAY_BE_DIGITS, NON_DIGIT, characters, class_of, crop
from edgedigits.data.pendigits import draw, parted
from edgedigits_runtime.errors import ArrayError

inks = arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.sampled_from([0, 0, 0, 90, 255]))


def test_every_character_has_one_class():
    assert [class_of(digit) for digit in "0123456789"] == list(range(10))
    assert len(MAY_BE_DIGITS) == 15
    assert {class_of(letter) for letter in MAY_BE_DIGITS} == {AMBIGUOUS}
    assert {class_of(name) for name in ("A", "a", "m", "J", "Greek 03")} == {NON_DIGIT}


@given(inks)
def test_cropping_keeps_all_ink_and_touches_each_side(ink):
    cropped = crop(ink)
    assert cropped.sum(dtype=int) == ink.sum(dtype=int)
    if ink.any():
        assert all(side.any() for side in (cropped[0], cropped[-1], cropped[:, 0], cropped[:, -1]))
    else:
        assert cropped.shape == ink.shape


@given(st.lists(inks, min_size=1, max_size=4))
def test_framed_characters_fill_mnists_box(found):
    chosen = characters(found, ["7"] * len(found), list(range(len(found))))
    framed = chosen.framed()
    assert framed.images.shape == (len(found), 28, 28, 1)
    assert framed.labels.tolist() == [7] * len(found)
    for image, ink in zip(framed.images[..., 0], found, strict=True):
        rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
        longest = max(np.ptp(rows), np.ptp(columns)) + 1 if ink.any() else 0
        assert longest == 0 if not ink.any() else 15 <= longest <= 20


def test_where_keeps_the_four_together():
    ink = [np.full((2, k + 1), 255, np.uint8) for k in range(3)]
    kept = characters(ink, ["1", "A", "B"], [5, 6, 7]).where(np.array([True, False, True]))
    assert [one.shape for one in kept.ink] == [(2, 1), (2, 3)]
    assert (kept.names, kept.classes.tolist(), kept.writers.tolist()) == (("1", "B"), [1, AMBIGUOUS], [5, 7])


POINTS = np.array([[0, 0.2], [0.3, 0], [0.6, 0.2], [0.5, 0.5], [0.3, 0.7], [0.1, 0.9], [0.4, 1], [0.7, 1]], np.float32)


@given(st.floats(8, 120), st.floats(0.5, 12), st.floats(0.3, 1))
def test_a_pen_draws_strokes_of_its_width(height, pen, width):
    drawn = draw([POINTS[:5], POINTS[5:]], height, pen, width)
    # The curve bends a little beyond the points, and has a margin.
    assert -1 <= drawn.shape[0] - height - pen <= 6 + 0.1 * height
    assert -1 <= drawn.shape[1] - 0.7 * width * height - pen <= 6 + 0.1 * height
    assert not any(line.any() for line in (drawn[0], drawn[-1], drawn[:, 0], drawn[:, -1]))
    assert drawn.max() == 255 or pen < 2.5
    wider = draw([POINTS[:5], POINTS[5:]], height, pen + 2, width)
    assert wider.sum(dtype=int) > drawn.sum(dtype=int)


def test_the_pens_edges_are_soft():
    drawn = draw([POINTS], 60, 6)
    assert len(np.unique(drawn)) > 8


@pytest.mark.parametrize(("strokes", "height", "pen"), [([], 60, 6), ([POINTS[:1]], 60, 6), ([POINTS], 0, 6)])
def test_other_strokes_and_pens_are_refused(strokes, height, pen):
    with pytest.raises(ArrayError, match="expected strokes"):
        draw(strokes, height, pen)


CROSSED_7 = [[0, 0], [0.5, 0], [1, 0], [0.8, 0.4], [0.6, 1], [0.3, 0.7], [0.3, 0.5], [0.9, 0.5]]
FIVE_BAR_LAST = [[0.3, 0], [0.2, 0.4], [0.9, 0.5], [0.8, 0.9], [0.1, 1], [0.2, 0.5], [0.3, 0.05], [1, 0]]
OPEN_4 = [[0.4, 0], [0.2, 0.3], [0, 0.6], [0.5, 0.6], [1, 0.6], [0.8, 0.2], [0.75, 0.5], [0.7, 1]]


@pytest.mark.parametrize(
    ("points", "digit", "lengths"), [(CROSSED_7, 7, (5, 2)), (FIVE_BAR_LAST, 5, (5, 2)), (OPEN_4, 4, (5, 3))]
)
def test_a_lifted_pen_does_not_draw(points, digit, lengths):
    drawn = np.array(points, np.float32)
    assert tuple(len(stroke) for stroke in parted(drawn, digit)) == lengths
    assert len(parted(drawn, 3)) == 1


@given(arrays(np.float32, (8, 2), elements=st.floats(0, 1, width=32)), st.integers(0, 9))
def test_strokes_are_parts_of_the_way(points, digit):
    strokes = parted(points, digit)
    assert 1 <= len(strokes) <= 2 and all(len(stroke) >= 2 for stroke in strokes)
    assert np.array_equal(strokes[0], points[: len(strokes[0])])
    assert np.array_equal(strokes[-1], points[len(points) - len(strokes[-1]) :])
