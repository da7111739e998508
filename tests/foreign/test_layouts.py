"""The layout of an input follows from its shape, where it is certain."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits_runtime.contract import LAYOUTS
from edgedigits_runtime.foreign.layouts import find_layout, square


@pytest.mark.parametrize(
    ("shape", "layout"),
    [
        ((None, 28, 28, 1), "NHWC"),
        ((1, 32, 32, 3), "NHWC"),
        ((None, 1, 28, 28), "NCHW"),
        ((8, 3, 224, 224), "NCHW"),
        ((None, 28, 28), "NHW"),
        ((1, 28, 28), "NHW"),
        ((28, 28, 1), "HWC"),
        ((32, 32, 3), "HWC"),
        ((3, 32, 32), "CHW"),
        ((None, 784), "NF"),
        ((1, 3072), "NF"),
        ((28, 28), "HW"),
        ((784,), "F"),
    ],
)
def test_usual_shapes_have_one_layout(shape: tuple[int | None, ...], layout: str) -> None:
    found = find_layout(shape)
    assert not isinstance(found, str)
    assert found[0] == layout
    assert (found[1] is not None) == ("F" in layout)


@pytest.mark.parametrize("shape", [(), (None, None, None, 1), (None, 28, 28, 4), (None, 100, 3), (None, 785), (7,)])
def test_other_shapes_are_uncertain(shape: tuple[int | None, ...]) -> None:
    assert isinstance(find_layout(shape), str) or "F" not in str(find_layout(shape)[0])


@given(st.lists(st.one_of(st.none(), st.integers(1, 600)), max_size=6))
def test_a_found_layout_fits_the_shape(shape: list[int | None]) -> None:
    found = find_layout(tuple(shape))
    if isinstance(found, str):
        return
    layout, image = found
    assert layout in LAYOUTS and len(layout) == len(shape)
    if image:
        assert math.prod(image) == shape[-1]


@given(st.integers(2, 300), st.sampled_from([1, 3]))
def test_square_images_are_found(side: int, channels: int) -> None:
    found = square(side * side * channels)
    assert found is not None and math.prod(found) == side * side * channels
    assert found[0] == found[1]
