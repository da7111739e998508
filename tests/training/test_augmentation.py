"""Augmentation keeps shape, range and readability, for images of any size, and each field has its effect."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from edgedigits.recipes.augmentation import GEOMETRY, HANDWRITING, Augmentation

# Keras and its backend are imported.
pytestmark = pytest.mark.slow

NOTHING = Augmentation(rotation=0, shift=0, scaling=0)

images = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 4), st.integers(5, 12), st.integers(5, 12), st.sampled_from([1, 3])),
    elements=st.floats(0, 1, width=32),
)


def augmented(given: NDArray[np.float32], augmentation: Augmentation = HANDWRITING, seed: int = 0) -> NDArray[Any]:
    from keras import ops

    from edgedigits.training.augment import Augment

    return np.asarray(ops.convert_to_numpy(Augment(augmentation, seed)(given)))


@settings(max_examples=30)
@given(given=images, seed=st.integers(0, 9))
def test_shape_and_range_are_kept_and_the_seed_fixes_the_result(given: NDArray[np.float32], seed: int) -> None:
    changed = augmented(given, seed=seed)
    assert changed.shape == given.shape
    assert changed.dtype == np.float32
    assert changed.min() >= 0
    assert changed.max() <= 1
    np.testing.assert_array_equal(augmented(given, seed=seed), changed)


@settings(max_examples=20)
@given(given=images)
def test_augmentation_with_zero_limits_changes_nothing(given: NDArray[np.float32]) -> None:
    np.testing.assert_allclose(augmented(given, NOTHING), given, atol=1e-5)


def test_geometry_is_the_same_for_all_channels() -> None:
    grey = np.random.default_rng(0).random((3, 12, 16, 1), np.float32)
    changed = augmented(np.repeat(grey, 3, axis=3), GEOMETRY)
    for channel in (1, 2):
        np.testing.assert_array_equal(changed[..., channel], changed[..., 0])


@pytest.mark.parametrize("size", [(28, 28), (32, 48), (64, 64)])
def test_a_blob_in_the_middle_moves_little(size: tuple[int, int]) -> None:
    height, width = size
    given = np.zeros((50, height, width, 1), np.float32)
    given[:, height // 2 - 2 : height // 2 + 2, width // 2 - 2 : width // 2 + 2] = 1
    changed = augmented(given, GEOMETRY)[..., 0].astype(float)
    weight = changed.sum(axis=(1, 2))
    rows = (changed.sum(axis=2) * np.arange(height)).sum(axis=1) / weight - (height - 1) / 2
    columns = (changed.sum(axis=1) * np.arange(width)).sum(axis=1) / weight - (width - 1) / 2
    for offsets, length in ((rows, height), (columns, width)):
        # Two pixels of 28, and half a pixel from the blob's own place and interpolation.
        assert np.abs(offsets).max() <= 2 * length / 28 * 1.2 + 0.7
        assert offsets.min() < -0.5
        assert offsets.max() > 0.5
    assert len({image.tobytes() for image in changed}) == 50


def test_rotation_by_90_degrees() -> None:
    from unittest import mock

    from edgedigits.training.augment import Augment

    given = np.random.default_rng(0).random((1, 9, 9, 1), np.float32)
    layer = Augment(Augmentation(rotation=90, shift=0, scaling=0), 0)
    # The first draw is the angle; the limit itself turns by 90 degrees, and the others lie in the middle.
    drawn = iter([1.0, 0.5, 0.5, 0.5, 0.5, 0.5])

    def draw(_: Any, low: float, high: float, *shape: int) -> Any:
        return np.full((1, *shape), low + next(drawn) * (high - low), np.float32)

    with mock.patch.object(layer, "_draw", draw):
        turned = np.asarray(layer(given))[0, :, :, 0]
    upright = given[0, :, :, 0]
    assert any(np.allclose(turned, np.rot90(upright, turn), atol=1e-4) for turn in (1, 3))


@pytest.mark.parametrize("field", ["stroke", "blur", "coarse", "ground", "noise", "line"])
def test_each_field_changes_images(field: str) -> None:
    given = np.zeros((40, 28, 28, 1), np.float32)
    given[:, 8:20, 12:16] = 1
    changed = augmented(given, dataclasses.replace(NOTHING, **{field: 1.0}))
    assert not np.allclose(changed, given)
    if field in ("ground", "line"):
        # Empty places of the original.
        assert changed[:, :4].mean() > 0.01


def test_strokes_get_thicker_and_thinner() -> None:
    given = np.zeros((60, 28, 28, 1), np.float32)
    given[:, 6:22, 12:16] = 1
    ink = augmented(given, dataclasses.replace(NOTHING, stroke=1.0)).sum(axis=(1, 2, 3))
    assert ink.min() < 0.75 * 64
    assert ink.max() > 1.25 * 64
