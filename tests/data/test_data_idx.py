"""The IDX format: any array of bytes is read back, and any damage is refused."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgedigits.data.idx import parse_idx
from edgedigits_runtime.errors import DatasetInvalid

ARRAYS = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=6))


def encode(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@given(ARRAYS)
def test_round_trip(array):
    parsed = parse_idx(encode(array), "x")
    assert parsed.dtype == np.uint8
    assert parsed.shape == array.shape
    assert np.array_equal(parsed, array)
    assert parsed.flags.writeable


@given(ARRAYS, st.data())
def test_truncated_content_is_refused(array, data):
    full = encode(array)
    with pytest.raises(DatasetInvalid, match=r"train\.gz"):
        parse_idx(full[: data.draw(st.integers(0, len(full) - 1))], "train.gz")


@given(ARRAYS, st.binary(min_size=1, max_size=9))
def test_surplus_bytes_are_refused(array, more):
    with pytest.raises(DatasetInvalid):
        parse_idx(encode(array) + more, "x")


@given(st.binary(max_size=64))
def test_any_bytes_are_an_array_or_a_typed_error(content):
    try:
        parsed = parse_idx(content, "x")
    except DatasetInvalid:
        return
    assert encode(parsed) == content


@pytest.mark.parametrize(
    ("content", "fact"),
    [
        (b"\x89PNG\r\n", "PNG"),
        (bytes([0, 0, 13, 1, 0, 0, 0, 0]), "13"),
        (bytes([0, 0, 8, 0]), "dimensions"),
        (bytes([0, 0, 8, 4]) + b"\xff" * 16, "got 0"),
    ],
)
def test_the_error_has_the_fault(content, fact):
    with pytest.raises(DatasetInvalid, match=fact):
        parse_idx(content, "x")
