"""Augmentation keeps shape, range and readability, for images of any size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from edgedigits.training.augmentation import deform

images = arrays.arrays(
    np.uint8, arrays.array_shapes(min_dims=4, max_dims=4, min_side=1, max_side=9), elements=st.integers(0, 255)
)


@settings(max_examples=60)
@given(given=images, seed=st.integers(0, 9))
def test_shape_and_range_are_kept_and_the_input_is_left_alone(given: NDArray[np.uint8], seed: int) -> None:
    before = given.copy()
    deformed = deform(given, np.random.default_rng(seed))
    assert deformed.shape == given.shape
    assert deformed.dtype == np.uint8
    # Interpolation lies between the pixels, and what comes from outside is 0.
    assert deformed.max() <= given.max()
    np.testing.assert_array_equal(given, before)
    np.testing.assert_array_equal(deform(given, np.random.default_rng(seed)), deformed)


def test_channels_are_deformed_alike() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (3, 12, 16, 1), np.uint8)
    deformed = deform(np.repeat(grey, 3, axis=3), np.random.default_rng(1))
    for channel in (1, 2):
        np.testing.assert_array_equal(deformed[..., channel], deformed[..., 0])


@pytest.mark.parametrize("size", [(28, 28), (32, 48), (64, 64)])
def test_a_blob_in_the_middle_moves_little(size: tuple[int, int]) -> None:
    height, width = size
    given = np.zeros((50, height, width, 1), np.uint8)
    given[:, height // 2 - 2 : height // 2 + 2, width // 2 - 2 : width // 2 + 2] = 255
    deformed = deform(given, np.random.default_rng(0))[..., 0].astype(float)
    weight = deformed.sum(axis=(1, 2))
    rows = (deformed.sum(axis=2) * np.arange(height)).sum(axis=1) / weight - (height - 1) / 2
    columns = (deformed.sum(axis=1) * np.arange(width)).sum(axis=1) / weight - (width - 1) / 2
    for offsets, length in ((rows, height), (columns, width)):
        # Two pixels of 28, and half a pixel from the blob's own place and interpolation.
        assert np.abs(offsets).max() <= 2 * length / 28 * 1.2 + 0.7
        assert offsets.min() < -0.5
        assert offsets.max() > 0.5
    assert len({image.tobytes() for image in deformed}) == 50


def test_the_outside_is_dark() -> None:
    given = np.full((40, 28, 28, 1), 255, np.uint8)
    corners = deform(given, np.random.default_rng(0))[:, [0, 0, -1, -1], [0, -1, 0, -1], 0]
    assert (corners == 0).any()


def test_no_images() -> None:
    assert deform(np.zeros((0, 28, 28, 1), np.uint8), np.random.default_rng(0)).shape == (0, 28, 28, 1)
