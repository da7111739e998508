"""What a finder boxed is cropped and framed by its own surroundings, whatever lies around it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from PIL import Image

from edgedigits_runtime.reading.crop import crop_found, frame_found
from edgedigits_runtime.reading.frame import frame_digit
from edgedigits_runtime.synthetic.samples import mnist_like

DIGITS, _ = mnist_like(40, seed=5)
few = settings(max_examples=25)
COLOURS = st.tuples(*[st.integers(0, 255)] * 3)


def tight(ink: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the box of ink, as a finder should give it."""
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    return np.array([[columns[0], rows[0], np.ptp(columns) + 1, np.ptp(rows) + 1]], np.float64)


def page(digits: list[NDArray[np.uint8]], apart: int = 40) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return digits side by side, bright on 0, uint8 [H, W], and their boxes."""
    height, width = max(len(digit) for digit in digits) + 40, sum(digit.shape[1] + apart for digit in digits) + apart
    ink, boxes, left = np.zeros((height, width), np.uint8), [], apart
    for digit in digits:
        rows, columns = slice(20, 20 + len(digit)), slice(left, left + digit.shape[1])
        ink[rows, columns] = digit
        boxes.append(tight(digit)[0] + [left, 20, 0, 0])
        left += digit.shape[1] + apart
    return ink, np.array(boxes)


def likeness(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Return the correlation of two images, 1 where they are equal."""
    a, b = (each.astype(float).ravel() - each.mean() for each in (one, other))
    return float(a @ b / max(np.sqrt((a @ a) * (b @ b)), 1e-9))


@pytest.mark.parametrize("index", range(len(DIGITS)))
@pytest.mark.parametrize("inverted", [False, True])
def test_a_clean_framed_digit_stays_as_it_is(index: int, inverted: bool) -> None:
    digit = DIGITS[index]
    picture = 255 - digit if inverted else digit
    np.testing.assert_array_equal(frame_found(picture, tight(digit))[0], digit)


@few
@given(st.lists(st.sampled_from(list(DIGITS)), min_size=1, max_size=5), st.randoms())
def test_the_order_of_boxes_and_other_digits_do_not_matter(digits: list[NDArray[np.uint8]], random: object) -> None:
    picture, boxes = page(digits)
    order = np.random.default_rng(len(digits)).permutation(len(digits))
    np.testing.assert_array_equal(frame_found(picture, boxes[order]), np.stack(digits)[order])
    wanted = order[:1]
    np.testing.assert_array_equal(crop_found(picture, boxes, wanted).framed, np.stack(digits)[wanted])


@few
@given(st.sampled_from(list(DIGITS)), COLOURS, COLOURS, st.integers(1, 4))
def test_any_two_colours_show_the_same_digit(
    digit: NDArray[np.uint8], ground: tuple[int, ...], ink: tuple[int, ...], scale: int
) -> None:
    large = np.asarray(Image.fromarray(digit).resize((28 * scale,) * 2, Image.Resampling.BICUBIC))
    mix = large[..., np.newaxis] / 255
    picture = np.rint(np.array(ground) * (1 - mix) + np.array(ink) * mix).astype(np.uint8)
    (framed,) = frame_found(picture, tight(large > 127))
    if max(abs(a - b) for a, b in zip(ground, ink, strict=True)) >= 30:
        assert likeness(framed, digit) > 0.75
    elif ground == ink:
        assert not framed.any()


@few
@given(st.sampled_from(list(DIGITS)), st.tuples(*[st.floats(-0.07, 0.07)] * 4))
def test_boxes_may_be_off(digit: NDArray[np.uint8], off: tuple[float, ...]) -> None:
    large = np.pad(np.asarray(Image.fromarray(digit).resize((84, 84), Image.Resampling.BICUBIC)), 30)
    box = tight(large > 127)
    (framed,) = frame_found(large, box + np.array(off) * box[:, 2:].max())
    assert likeness(framed, digit) > 0.7


@few
@given(
    arrays.arrays(np.uint8, st.tuples(st.integers(1, 60), st.integers(1, 60), st.sampled_from([1, 3]))),
    st.lists(st.tuples(*[st.floats(-50, 120)] * 2, *[st.floats(0, 120)] * 2), max_size=5),
)
def test_any_picture_and_any_boxes_have_an_answer(picture: NDArray[np.uint8], boxes: list[tuple[float, ...]]) -> None:
    crops = crop_found(picture, np.array(boxes).reshape(-1, 4))
    assert crops.framed.shape == (len(boxes), 28, 28)
    x, y, width, height = crops.boxes.T
    assert (x >= 0).all() and (y >= 0).all() and (width > 0).all() and (height > 0).all()
    assert (x + width <= picture.shape[1]).all() and (y + height <= picture.shape[0]).all()
    assert ((crops.fill >= 0) & (crops.fill <= 1)).all()


@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_even_patch_has_no_ink(level: int) -> None:
    assert not frame_found(np.full((60, 60), level, np.uint8), np.array([[20, 20, 20, 20]])).any()


@pytest.mark.parametrize("seed", range(5))
def test_two_polarities_on_one_picture(seed: int) -> None:
    digits = [DIGITS[seed], DIGITS[seed + 5]]
    ink, boxes = page(digits)
    picture = ink.copy()
    picture[:, : ink.shape[1] // 2] = 255 - ink[:, : ink.shape[1] // 2]
    np.testing.assert_array_equal(frame_found(picture, boxes), np.stack(digits))


@pytest.mark.parametrize("index", range(0, len(DIGITS), 4))
def test_a_rule_below_is_left_out(index: int) -> None:
    ink, boxes = page([DIGITS[index]])
    ink[int(boxes[0, 1] + boxes[0, 3]) + 2] = 255
    np.testing.assert_array_equal(frame_found(ink, boxes)[0], DIGITS[index])


@pytest.mark.parametrize("index", range(0, len(DIGITS), 4))
@pytest.mark.parametrize("rise", [0.0, 0.08])
@pytest.mark.parametrize("upright", [False, True])
def test_a_line_through_a_digit_is_taken_out(index: int, rise: float, upright: bool) -> None:
    digit = np.kron(DIGITS[index].T if upright else DIGITS[index], np.ones((2, 2), np.uint8))
    ink, boxes = page([digit])
    middle = int(boxes[0, 1] + 0.3 * boxes[0, 3])
    for column in range(ink.shape[1]):
        row = middle + round(rise * (column - ink.shape[1] / 2))
        ink[row : row + 2, column] = np.maximum(ink[row : row + 2, column], 200)
    if upright:
        ink, boxes, digit = ink.T.copy(), boxes[:, [1, 0, 3, 2]], digit.T
    (framed,) = frame_found(ink, boxes)
    assert likeness(framed, frame_digit(digit)) > 0.75


@pytest.mark.parametrize("index", range(0, len(DIGITS), 4))
def test_digits_that_touch_are_divided_by_their_boxes(index: int) -> None:
    digits = [np.kron(DIGITS[k], np.ones((2, 2), np.uint8)) for k in (index, (index + 7) % len(DIGITS))]
    ink, boxes = page(digits, apart=0)
    left, right = (int(each) for each in (boxes[0, 0] + boxes[0, 2], boxes[1, 0]))
    ink, boxes[1, 0] = np.delete(ink, np.s_[left : right + 1], axis=1), left - 1
    for framed, digit in zip(frame_found(ink, boxes), digits, strict=True):
        assert likeness(framed, frame_digit(digit)) > 0.8


@pytest.mark.parametrize("noise", [3, 8])
@pytest.mark.parametrize("index", range(0, len(DIGITS), 4))
def test_noise_and_a_slope_of_light(index: int, noise: float) -> None:
    large = np.pad(np.asarray(Image.fromarray(DIGITS[index]).resize((56, 56), Image.Resampling.BICUBIC)), 20)
    light = 160 + np.linspace(-40, 40, large.shape[1]) + np.linspace(-20, 20, large.shape[0])[:, np.newaxis]
    shot = light - 0.4 * large + np.random.default_rng(index).normal(0, noise, large.shape)
    (framed,) = frame_found(np.clip(shot, 0, 255).astype(np.uint8), tight(large > 127))
    assert likeness(framed, DIGITS[index]) > 0.7
