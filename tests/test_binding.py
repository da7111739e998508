"""Memory that is bound once for each size of batch gives the answers of plain calls."""

import pytest

from edgedigits_runtime.engines.binding import dtype_name


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
