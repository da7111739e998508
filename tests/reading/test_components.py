"""Connected components agree with a flood fill."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from edgedigits_runtime.reading.components import find_components


def numbered(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], int]:
    """Return the number of each pixel's component, from 1, and how many there are, by find_components."""
    components = find_components(mask)
    labels = np.zeros(mask.shape, np.int64)
    for k, (top, left, bottom, right) in enumerate(components.boxes.tolist()):
        labels[top:bottom, left:right][components.mask(k)] = k + 1
    assert components.areas.tolist() == np.bincount(labels.ravel())[1:].tolist()
    return labels, len(components)


def flood(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], int]:
    labels = np.zeros(mask.shape, np.int64)
    count = 0
    for start in zip(*np.nonzero(mask), strict=True):
        if labels[start]:
            continue
        count += 1
        stack = [start]
        while stack:
            y, x = stack.pop()
            if 0 <= y < mask.shape[0] and 0 <= x < mask.shape[1] and mask[y, x] and not labels[y, x]:
                labels[y, x] = count
                stack += [(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    return labels, count


@given(arrays.arrays(bool, arrays.array_shapes(min_dims=2, max_dims=2, max_side=24), elements=st.booleans()))
def test_labels_are_those_of_a_flood_fill(mask: NDArray[np.bool_]) -> None:
    labels, count = numbered(mask)
    expected, expected_count = flood(mask)
    assert count == expected_count
    assert np.array_equal(labels, expected)


def test_one_winding_line_is_one_component() -> None:
    mask = np.zeros((201, 60), bool)
    mask[::2] = True
    mask[1::4, -1] = True
    mask[3::4, 0] = True
    labels, count = numbered(mask)
    assert count == 1
    assert np.array_equal(labels, mask.astype(int))


def test_dots_on_a_grid_are_counted() -> None:
    mask = np.zeros((400, 400), bool)
    mask[::2, ::2] = True
    assert len(find_components(mask)) == 200 * 200
