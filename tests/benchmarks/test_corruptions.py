"""Corruptions: shape, range, seed, and the effect of each."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from benchmarks.robustness.corruptions import CORRUPTIONS, corrupt
from edgedigits_runtime.errors import ArrayError, UnknownName
from edgedigits_runtime.preprocessing import Images
from edgedigits_runtime.synthetic.samples import mnist_like

DIGITS = mnist_like(40, seed=3)[0][..., None]

pictures = arrays.arrays(np.uint8, st.tuples(st.integers(1, 3), st.just(28), st.just(28), st.just(1)))


def centres(images: Images) -> NDArray[np.float64]:
    """Return (y, x) of each image's centre of mass."""
    weights = images[..., 0].astype(float)
    places = np.indices((28, 28)).reshape(2, -1)
    mass = weights.reshape(len(images), -1)
    found: NDArray[np.float64] = (mass @ places.T) / mass.sum(axis=1, keepdims=True)
    return found


def test_number_of_corruptions() -> None:
    assert len(CORRUPTIONS) >= 15


@pytest.mark.parametrize("name", CORRUPTIONS)
@settings(max_examples=5)
@given(images=pictures, seed=st.integers(0, 2**32))
def test_shape_and_seed(name: str, images: Images, seed: int) -> None:
    before = images.copy()
    corrupted = corrupt(name, images, seed)
    assert corrupted.shape == images.shape and corrupted.dtype == np.uint8
    np.testing.assert_array_equal(images, before)
    np.testing.assert_array_equal(corrupt(name, images, seed), corrupted)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_every_digit_changes_and_stays_visible(name: str) -> None:
    corrupted = corrupt(name, DIGITS, seed=0)
    assert (corrupted != DIGITS).any(axis=(1, 2, 3)).all()
    assert (np.ptp(corrupted, axis=(1, 2, 3)) > 60).all()


@pytest.mark.parametrize(
    "name", ["shift", "rotation", "shear", "elastic", "noise", "salt and pepper", "gradient ground",
             "striped ground", "stray line", "occlusion"],
)  # fmt: skip
def test_random_corruptions_vary_by_image_and_seed(name: str) -> None:
    alike = np.repeat(DIGITS[:1], 20, axis=0)
    first, second = corrupt(name, alike, seed=0), corrupt(name, alike, seed=1)
    assert len(np.unique(first.reshape(20, -1), axis=0)) > 1
    assert (first != second).any()


def test_shift_moves_by_four_pixels() -> None:
    image = np.zeros((50, 28, 28, 1), np.uint8)
    image[:, 12:16, 12:16] = 200
    moved = centres(corrupt("shift", image, seed=0)) - centres(image)
    assert np.isin(moved.round(9), [-4, 0, 4]).all() and (np.abs(moved).max(axis=1) == pytest.approx(4))


@pytest.mark.parametrize(("name", "low", "high"), [("smaller", 0.4, 0.6), ("larger", 1.4, 1.7)])
def test_scaling_changes_the_area_and_keeps_the_centre(name: str, low: float, high: float) -> None:
    image = np.zeros((1, 28, 28, 1), np.uint8)
    image[:, 7:21, 7:21] = 255
    scaled = corrupt(name, image, seed=0)
    assert low < scaled.sum() / image.sum() < high
    np.testing.assert_allclose(centres(scaled), centres(image), atol=0.01)


def test_rotation_by_fifteen_degrees_in_either_direction() -> None:
    image = np.zeros((30, 28, 28, 1), np.uint8)
    image[:, 4:24, 13:15] = 255
    upper = np.where(np.arange(28)[:, None, None] < 9, corrupt("rotation", image, seed=0), 0)
    x = centres(upper.astype(np.uint8))[:, 1] - 13.5
    assert np.abs(x) == pytest.approx(np.full(30, 7 * np.tan(np.radians(15))), abs=0.4)
    assert (x > 0).any() and (x < 0).any()


def test_strokes_grow_and_shrink() -> None:
    ink = DIGITS.sum(axis=(1, 2, 3), dtype=np.int64)
    assert (corrupt("thick strokes", DIGITS, 0).sum(axis=(1, 2, 3)) > 1.2 * ink).all()
    assert (corrupt("thin strokes", DIGITS, 0).sum(axis=(1, 2, 3)) < 0.95 * ink).all()


@pytest.mark.parametrize("name", ["bright ground", "gradient ground", "striped ground", "stray line"])
def test_backgrounds_and_lines_darken_no_ink(name: str) -> None:
    assert (corrupt(name, DIGITS, seed=0) >= DIGITS).all()


def test_occlusion_only_removes_ink() -> None:
    assert (corrupt("occlusion", DIGITS, seed=0) <= DIGITS).all()


def test_unknown_names_and_wrong_arrays_are_an_error() -> None:
    with pytest.raises(UnknownName, match="striped ground"):
        corrupt("fog", DIGITS, 0)
    with pytest.raises(ArrayError, match="uint8"):
        corrupt("blur", DIGITS.astype(np.float32), 0)
    with pytest.raises(ArrayError, match="28, 28, 1"):
        corrupt("blur", DIGITS[..., 0], 0)
