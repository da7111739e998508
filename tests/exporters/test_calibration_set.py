"""The calibration set: balanced by class, deterministic, and recorded in the contract."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from edgedigits_exporters.conversion import (
    CALIBRATION_IMAGES,
    PRECISIONS,
    ConversionOptions,
    choose_balanced,
    convert_in_child,
)
from edgedigits_runtime.errors import ExportError, UnknownName

labels = arrays.arrays(np.int64, st.integers(1, 200), elements=st.integers(0, 6))


def _numbered(count: int) -> NDArray[np.uint8]:
    """Images that encode their own number."""
    return np.arange(count, dtype="<u4").view(np.uint8).reshape(count, 2, 2, 1)


def _numbers(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    return images.reshape(len(images), 4).view("<u4").ravel().astype(np.int64)


@given(labels, st.integers(1, 100))
def test_classes_are_balanced_and_no_image_is_chosen_twice(given: NDArray[np.int64], count: int) -> None:
    chosen = choose_balanced(_numbered(len(given)), given, "train", count).images
    numbers = _numbers(chosen)
    assert len(set(numbers)) == len(numbers)
    classes, available = np.unique(given, return_counts=True)
    each = max(1, count // len(classes))
    counts = [int((given[numbers] == c).sum()) for c in classes]
    assert counts == [min(each, found) for found in available.tolist()]


@given(labels)
def test_the_choice_is_deterministic_and_has_its_digest(given: NDArray[np.int64]) -> None:
    images = _numbered(len(given))
    first, second = (choose_balanced(images, given, "mnist/train", 20) for _ in range(2))
    np.testing.assert_array_equal(first.images, second.images)
    assert first.used == second.used
    assert first.used.name == "mnist/train"
    assert first.used.count == len(first.images)
    assert first.used.fingerprint == "sha256:" + hashlib.sha256(first.images.tobytes()).hexdigest()


def test_the_default_count_is_chosen_from_all_images() -> None:
    classes = np.arange(3_000) % 10
    chosen = choose_balanced(_numbered(3_000), classes, "mnist/train")
    assert len(chosen.images) == CALIBRATION_IMAGES == 500
    assert np.ptp(_numbers(chosen.images)) > 2_000, "only the first images were chosen"


def test_no_images() -> None:
    with pytest.raises(ExportError, match="mnist/train"):
        choose_balanced(_numbered(0), np.zeros(0, np.int64), "mnist/train")


def test_int8_needs_a_calibration_set() -> None:
    for precision in PRECISIONS:
        assert ConversionOptions(precision).calibration_set is None
    with pytest.raises(ExportError, match="int8"):
        convert_in_child("module:function", Path("model.keras"), ConversionOptions("int8"))
    with pytest.raises(UnknownName, match=r"'int4'.* float32, float16, int8, dynamic"):
        ConversionOptions("int4")
