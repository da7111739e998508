"""Memory that is bound once for each size of batch gives the answers of plain calls."""

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgedigits_runtime.engines.binding import BoundSession, dtype_name
from tests.support.tiny_models import expected, onnx_bytes, pictures


@pytest.fixture(scope="module")
def bound() -> BoundSession:
    session = onnxruntime.InferenceSession(onnx_bytes(None), providers=["CPUExecutionProvider"])
    return BoundSession(session, "cpu")


@settings(max_examples=20)
@given(counts=st.lists(st.integers(1, 600), min_size=1, max_size=4))
def test_bound_memory_gives_the_answers_of_plain_calls(counts: list[int], bound: BoundSession) -> None:
    """On the CPU's own memory; a GPU differs in the memory's name."""
    for count in counts:
        images = pictures(count, count).astype(np.float32) / 255
        np.testing.assert_allclose(bound.run(images), expected(pictures(count, count)), atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("tensor(float)", "float32"),
        ("tensor(double)", "float64"),
        ("tensor(int8)", "int8"),
        ("tensor(string)", "string"),
    ],
)
def test_types_have_numpys_names(kind: str, name: str) -> None:
    assert dtype_name(kind) == name
