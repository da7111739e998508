"""The census counts operators by type."""

from pathlib import Path

import onnx
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


def test_a_scale_of_dynamic_quantization_is_float32(tmp_path: Path) -> None:
    helper, kind = onnx.helper, onnx.TensorProto
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["x"], ["y", "scale", "zero"]),
        helper.make_node("Mul", ["scale", "x"], ["scaled"]),
        helper.make_node("Relu", ["scaled"], ["product"]),
    ]
    x, product = (helper.make_tensor_value_info(name, kind.FLOAT, [1, 4]) for name in ("x", "product"))
    graph = helper.make_graph(nodes, "g", [x], [product])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), tmp_path / "a.onnx")
    assert take_census(tmp_path / "a.onnx").operators == {("Mul", "float32"): 1, ("Relu", "float32"): 1}
