"""The census counts operators by type."""

from pathlib import Path

import pytest

from edgedigits_exporters.census import Census, take_census
from tests.support.tiny_models import write_onnx, write_tflite


def test_a_tflite_file(tmp_path: Path) -> None:
    census = take_census(write_tflite(tmp_path, "int8"))
    assert census.operators == {("RESHAPE", "int8"): 1, ("FULLY_CONNECTED", "int8"): 1, ("SOFTMAX", "int8"): 1}
    assert census.describe() == "3 of 3 operators int8"
    assert take_census(write_tflite(tmp_path)).describe() == "3 of 3 operators float32"


def test_an_onnx_file(tmp_path: Path) -> None:
    census = take_census(write_onnx(tmp_path))
    assert census.operators == {("Flatten", "float32"): 1, ("MatMul", "float32"): 1, ("Softmax", "float32"): 1}
    assert census.describe() == "3 of 3 operators float32"


@pytest.mark.parametrize(
    ("operators", "expected"),
    [
        ({("CONV_2D", "int8"): 3, ("SOFTMAX", "float32"): 1}, "3 of 4 operators int8; not: SOFTMAX (float32)"),
        ({("Conv", "float32"): 2, ("MatMul", "int8"): 1}, "2 of 3 operators float32; not: MatMul (int8)"),
    ],
)
def test_mixed_types_are_described(operators: dict[tuple[str, str], int], expected: str) -> None:
    census = Census(operators)
    assert census.describe() == expected
    assert census.count("int8") + census.count("float32") == sum(operators.values())
    assert census.count("float16") == 0
    assert len(census.others("int8")) == 1
