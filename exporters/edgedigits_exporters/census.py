"""The census of an artifact: the operators by the type that they compute in."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from edgedigits_runtime.untrusted import onnx_model
from edgedigits_runtime.untrusted.tflite_model import is_hybrid, read_model


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
        made = model.tensors[operator.outputs[0]].dtype.lower()
        found.append((operator.name, "int8 weights" if is_hybrid(model, operator) else made))
    return found


def _onnx_operators(path: Path) -> list[tuple[str, str]]:
    model = onnx_model.read_model(path.read_bytes(), str(path))
    producers = {output: node.operator for node in model.nodes for output in node.outputs}
    types = {constant.name: constant.dtype for constant in model.constants}
    types |= {value.name: value.dtype for value in (*model.inputs, *model.values, *model.outputs)}
    found = []
    for node in model.nodes:
        for place, output in enumerate(node.outputs):
            # DynamicQuantizeLinear also returns a scale, which is float32.
            is_scale = place == 1 and node.operator == "DynamicQuantizeLinear"
            types.setdefault(output, "float32" if is_scale else _onnx_type(node, types))
        if node.operator in ("Constant", "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "Cast"):
            continue
        dtype = types[node.outputs[0]]
        # A float operator between DequantizeLinear and QuantizeLinear runs as one int8 kernel.
        if node.operator.endswith("Integer") or producers.get(node.inputs[0]) == "DequantizeLinear":
            dtype = "int8"
        found.append((node.operator, dtype))
    return found


def _onnx_type(node: onnx_model.Node, types: dict[str, str]) -> str:
    """Return the type that an operator computes, which most take from their first input."""
    if node.operator == "Cast":
        (to,) = (attribute.integers[0] for attribute in node.attributes if attribute.name == "to")
        return onnx_model.DTYPES.get(to, "unknown")
    if node.operator == "Constant":
        return next((each.dtype for attribute in node.attributes for each in attribute.constants), "unknown")
    if node.operator == "QuantizeLinear":
        return types.get(node.inputs[2], "unknown") if len(node.inputs) > 2 else "uint8"
    fixed = {"DynamicQuantizeLinear": "uint8", "Shape": "int64", "Size": "int64", "ArgMax": "int64"}
    place = 1 if node.operator == "DequantizeLinear" else 0
    return fixed.get(node.operator) or types.get(node.inputs[place], "unknown")
