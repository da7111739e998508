"""The census of an artifact: which operators compute in which type."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Census:
    """How often each (operator, type) occurs in a file, in the order of its graph."""

    operators: dict[tuple[str, str], int]

    def count(self, dtype: str) -> int:
        """Return how many operators compute in `dtype`."""
        return sum(count for (_, found), count in self.operators.items() if found == dtype)

    def others(self, dtype: str) -> list[str]:
        """Return the operators that compute in another type than `dtype`, as "NAME (type)"."""
        return [f"{name} ({found})" for name, found in self.operators if found != dtype]

    def describe(self) -> str:
        """Return one line such as "9 of 9 operators int8" or "8 of 9 operators int8; not: SOFTMAX (float32)"."""
        total = sum(self.operators.values())
        main = max((dtype for _, dtype in self.operators), key=self.count)
        rest = self.others(main)
        return f"{self.count(main)} of {total} operators {main}" + (f"; not: {', '.join(rest)}" if rest else "")


def take_census(path: Path) -> Census:
    """Count the operators of a `.tflite` or `.onnx` file by the type they compute in."""
    operators = _tflite_operators(path) if path.suffix == ".tflite" else _onnx_operators(path)
    return Census(dict(Counter(operators)))


def _tflite_operators(path: Path) -> list[tuple[str, str]]:
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    operator_names = _names(schema.BuiltinOperator)
    type_names = _names(schema.TensorType)
    graph = model.subgraphs[0]
    found = []
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        # Files older than schema 3a keep the code in the first, one-byte field.
        name = operator_names[max(code.builtinCode, code.deprecatedBuiltinCode)]
        found.append((name, _compute_type(graph, operator, type_names)))
    return found


def _compute_type(graph: Any, operator: Any, type_names: dict[int, str]) -> str:
    """The type of what an operator gives, or of its weights where these are int8 and the rest is float."""
    given = type_names[graph.tensors[operator.outputs[0]].type].lower()
    taken = {type_names[graph.tensors[index].type].lower() for index in operator.inputs if index >= 0}
    return "int8 weights" if given == "float32" and "int8" in taken and "float32" in taken else given


def _names(enumeration: Any) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}


def _onnx_operators(path: Path) -> list[tuple[str, str]]:
    import onnx

    graph = onnx.shape_inference.infer_shapes(onnx.load(path)).graph
    producers = {output: node.op_type for node in graph.node for output in node.output}
    types = {
        value.name: onnx.TensorProto.DataType.Name(value.type.tensor_type.elem_type).lower()
        for value in (*graph.value_info, *graph.output)
    }
    type_names = {"float": "float32"}
    found = []
    for node in graph.node:
        if node.op_type in ("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "Cast"):
            continue
        dtype = types.get(node.output[0], "unknown")
        # A float operator between DequantizeLinear and QuantizeLinear is run as one int8 kernel.
        if node.op_type.endswith("Integer") or producers.get(node.input[0]) == "DequantizeLinear":
            dtype = "int8"
        found.append((node.op_type, type_names.get(dtype, dtype)))
    return found
