"""Framing places a digit as in MNIST, and does not change a framed digit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from PIL import Image

from edgedigits.data.dataset import Dataset
from edgedigits_runtime.reading.frame import frame_digit, frame_digits
from edgedigits_runtime.reading.framed import fitted, frame_plain, framed_boxes, grey_stroke_width, plain_inks
from edgedigits_runtime.synthetic.handwriting import draw_digit
from edgedigits_runtime.synthetic.samples import mnist_like

DIGITS, _ = mnist_like(60, seed=4)


def centre_of_mass(image: NDArray[np.uint8]) -> tuple[float, float]:
    rows, columns = np.indices(image.shape)
    weight = image.astype(float) / image.sum(dtype=float)
    return float((rows * weight).sum()), float((columns * weight).sum())


def longest_side(image: NDArray[np.uint8]) -> int:
    return int(max(np.ptp(positions) + 1 for positions in np.nonzero(image)))


@pytest.mark.parametrize("index", range(len(DIGITS)))
def test_framing_a_framed_digit_changes_nothing(index: int) -> None:
    assert np.array_equal(frame_digit(DIGITS[index]), DIGITS[index])


@given(st.sampled_from(list(DIGITS)), *[st.integers(0, 30)] * 4)
def test_the_position_of_a_digit_does_not_matter(
    digit: NDArray[np.uint8], top: int, bottom: int, left: int, right: int
) -> None:
    assert np.array_equal(frame_digit(np.pad(digit, ((top, bottom), (left, right)))), digit)


@given(st.integers(0, 9), st.integers(0, 1000), st.integers(24, 200))
def test_any_size_becomes_20_pixels_about_pixel_14(digit: int, seed: int, size: int) -> None:
    framed = frame_digit(draw_digit(digit, np.random.default_rng(seed), size=size))
    assert longest_side(framed) in (19, 20)
    assert framed.max() == 255
    for centre in centre_of_mass(framed):
        assert abs(centre - 14) <= 0.5 + 1e-9


@given(st.sampled_from(list(DIGITS)), st.integers(2, 4))
def test_enlarged_pixels_frame_to_nearly_the_same(digit: NDArray[np.uint8], factor: int) -> None:
    large = np.kron(digit, np.ones((factor, factor), np.uint8))
    difference = np.abs(frame_digit(large).astype(int) - digit)
    assert difference.mean() < 8


@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=60)))
def test_any_ink_fits_the_frame(ink: NDArray[np.uint8]) -> None:
    framed = frame_digit(ink)
    assert framed.shape == (28, 28)
    assert framed.dtype == np.uint8
    assert framed.any() == ink.any()


def test_nothing_is_clipped_for_any_centre_of_mass() -> None:
    # With all the weight at one end, centring would push the other end out of the frame.
    ink = np.ones((20, 20), np.uint8)
    ink[0, 0] = 255
    ink[:2] = 255
    assert frame_digit(ink).sum(dtype=int) == ink.sum(dtype=int)


def test_extreme_strips_keep_a_pixel() -> None:
    for shape in ((1, 20_000), (20_000, 1), (1, 1)):
        assert frame_digit(np.full(shape, 255, np.uint8)).max() == 255


def test_mnist_images_come_out_unchanged(mnist: Dataset) -> None:
    images = mnist.train.images[:2000, ..., 0]
    assert np.mean([np.array_equal(frame_digit(image), image) for image in images]) > 0.995


def test_a_framed_digit_is_recognised(mnist: Dataset) -> None:
    images = mnist.train.images[:1000, ..., 0]
    boxes = framed_boxes(list(images))
    assert all(boxes)
    for image, box in zip(images, boxes, strict=True):
        rows, columns = np.nonzero(image)
        assert box and (box.x, box.y, box.right, box.bottom) == (
            columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        )  # fmt: skip
    assert not any(framed_boxes([np.roll(image, 2, axis=1) for image in images]))
    assert not any(framed_boxes([np.pad(image, 1) for image in images]))


@given(st.integers(0, 9), st.integers(0, 1000), st.integers(20, 200))
def test_framing_is_idempotent(digit: int, seed: int, size: int) -> None:
    assert all(framed_boxes([frame_digit(draw_digit(digit, np.random.default_rng(seed), size=size))]))


def test_an_empty_picture_is_not_framed() -> None:
    assert framed_boxes([np.zeros((28, 28), np.uint8)]) == [None]
    assert framed_boxes([]) == []


@pytest.mark.parametrize("shape", [(32, 32, 3), (28, 28, 1), (8, 20, 3)])
def test_plain_framing_only_resizes(shape: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(0)
    same = rng.integers(0, 256, shape, np.uint8)
    assert np.array_equal(frame_plain(same, shape), same)
    level = np.full((50, 70, shape[2]), 93, np.uint8)
    resized = frame_plain(level, shape)
    assert resized.shape == shape
    assert (resized == 93).all()


def test_plain_framing_keeps_left_left_and_colours_apart() -> None:
    picture = np.zeros((40, 40, 3), np.uint8)
    picture[:, :20, 0] = 200
    picture[20:, :, 2] = 100
    resized = frame_plain(picture, (10, 10, 3))
    assert resized[9, 0].tolist() == [200, 0, 100]
    assert resized[0, 9].tolist() == [0, 0, 0]


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("thickness", [1.5, 3, 10, 30, 60])
def test_strokes_of_any_width_become_as_mnists_are(digit: int, thickness: float) -> None:
    framed = frame_digit(draw_digit(digit, np.random.default_rng(digit), size=300, thickness=thickness))
    assert framed.max() == 255
    assert 1.4 <= grey_stroke_width(framed) <= 5.0


@given(st.integers(0, 9), st.integers(0, 1000), st.sampled_from([0.5, 2.0, 4.0]))
def test_size_changes_a_framed_digit_by_little(digit: int, seed: int, factor: float) -> None:
    drawn = draw_digit(digit, np.random.default_rng(seed), size=160, thickness=14)
    side = round(160 * factor)
    resized = np.asarray(Image.fromarray(drawn).resize((side, side), Image.Resampling.BICUBIC))
    framed, as_drawn = frame_digit(resized).astype(int), frame_digit(drawn)
    # The centre of mass may be rounded to the next pixel.
    shifts = [np.roll(framed, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    assert min(np.abs(shifted - as_drawn).mean() for shifted in shifts) < 14


@pytest.mark.parametrize("shape", [(28, 28, 1), (28, 28, 3), (32, 32, 1), (8, 8, 1), (20, 40, 3)])
def test_a_framed_digit_fits_a_model_of_any_size(shape: tuple[int, int, int]) -> None:
    digits = np.stack([frame_digit(draw_digit(value, np.random.default_rng(value))) for value in range(3)])
    images = fitted(digits, shape)
    assert images.shape == (3, *shape) and images.dtype == np.uint8
    assert np.array_equal(images, np.repeat(images[..., :1], shape[2], axis=3))
    if shape[:2] == (28, 28):
        np.testing.assert_array_equal(images[..., 0], digits)
    # The centre of mass stays in the middle, and the ink keeps its share of the image.
    shares, expected = images.mean(axis=(1, 2, 3)), digits.mean(axis=(1, 2))
    np.testing.assert_allclose(shares, expected, rtol=0.05)
    assert fitted(digits[:0], shape).shape == (0, *shape)


@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 4), st.integers(1, 50), st.integers(1, 50))))
def test_many_digits_are_framed_as_each_alone(inks: NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(frame_digits(inks), np.stack([frame_digit(ink) for ink in inks]))


@given(st.integers(0, 9), st.integers(0, 99), st.integers(16, 90), st.integers(0, 30), st.integers(0, 30))
def test_drawn_digits_are_framed_as_each_alone(digit: int, seed: int, size: int, top: int, left: int) -> None:
    ink = draw_digit(digit, np.random.default_rng(seed), size=size)
    inks = np.stack([np.pad(ink, ((top, 30 - top), (left, 30 - left))), np.pad(ink, 15)])
    np.testing.assert_array_equal(frame_digits(inks), np.stack([frame_digit(ink)] * 2))


def test_only_pictures_on_an_even_rim_have_plain_ink() -> None:
    noisy = DIGITS[0].copy()
    noisy[0, :20] = 3
    touching = DIGITS[0].copy()
    touching[0, 5:8] = 255
    coloured = np.repeat(DIGITS[0][..., np.newaxis], 3, axis=2)
    coloured[14, 14] = (200, 10, 10)
    pictures = [
        *[grey[..., np.newaxis] for grey in (DIGITS[0], touching, noisy)],
        coloured,
        np.zeros((30, 28, 1), np.uint8),
    ]
    assert [ink.size > 0 for ink in plain_inks(pictures)] == [True, True, False, False, False]
    assert np.array_equal(plain_inks([255 - pictures[0]])[0], DIGITS[0])
