"""The census of an artifact: the operators by the type that they compute in."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from edgedigits_runtime.untrusted.tflite_model import read_model


@dataclass(frozen=True)
class Census:
    """The number of operators by (operator, type), in the order of the graph."""

    operators: dict[tuple[str, str], int]

    def count(self, dtype: str) -> int:
        """Return the number of operators that compute in `dtype`."""
        return sum(count for (_, found), count in self.operators.items() if found == dtype)

    def others(self, dtype: str) -> list[str]:
        """Return the operators that compute in another type, as "NAME (type)"."""
        return [f"{name} ({found})" for name, found in self.operators if found != dtype]

    def describe(self) -> str:
        """Return one line such as "9 of 9 operators int8" or "8 of 9 operators int8; not: SOFTMAX (float32)"."""
        total = sum(self.operators.values())
        main = max((dtype for _, dtype in self.operators), key=self.count)
        rest = self.others(main)
        return f"{self.count(main)} of {total} operators {main}" + (f"; not: {', '.join(rest)}" if rest else "")


def take_census(path: Path) -> Census:
    """Count the operators of a `.tflite` or `.onnx` file by type.

    An operator with float32 activations and int8 weights counts as "int8 weights".
    """
    operators = _tflite_operators(path) if path.suffix == ".tflite" else _onnx_operators(path)
    return Census(dict(Counter(operators)))


def _tflite_operators(path: Path) -> list[tuple[str, str]]:
    model = read_model(path.read_bytes(), str(path))
    found = []
    for operator in model.operators:
        outputs, inputs = ([model.tensors[index].dtype for index in ends if index >= 0] for ends in
                           (operator.outputs, operator.inputs))  # fmt: skip
        is_dynamic = outputs[:1] == ["FLOAT32"] and {"FLOAT32", "INT8"} <= set(inputs)
        found.append((operator.name, "int8 weights" if is_dynamic else outputs[0].lower()))
    return found


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
        # A float operator between DequantizeLinear and QuantizeLinear runs as one int8 kernel.
        if node.op_type.endswith("Integer") or producers.get(node.input[0]) == "DequantizeLinear":
            dtype = "int8"
        found.append((node.op_type, type_names.get(dtype, dtype)))
    return found
