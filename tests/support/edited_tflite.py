"""Small `.tflite` files, built operator by operator, or shipped ones with a change."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

import edgedigits.models
from edgedigits_exporters.microcontroller.graph import Graph, Operator
from edgedigits_exporters.microcontroller.parsing import read_graph
from tests.support.tiny_models import tflite_bytes
from tests.support.tiny_tflite import packed

MODELS = Path(edgedigits.models.__file__).parent
SHIPPED = ("pico", "nano", "base", "max")
INT8 = schema.TensorType.INT8
UINT8 = schema.TensorType.UINT8
INT32 = schema.TensorType.INT32
FLOAT32 = schema.TensorType.FLOAT32

Change = Callable[[Any], None]


@cache
def shipped(name: str) -> bytes:
    return (MODELS / f"{name}.tflite").read_bytes()


@cache
def tiny() -> bytes:
    return tflite_bytes(None, "int8")


def unpacked(content: bytes) -> Any:
    return schema.ModelT.InitFromPackedBuf(content, 0)


def changed(content: bytes, change: Change) -> bytes:
    """Return a file after an edit of its objects."""
    model = unpacked(content)
    change(model)
    return packed(model)


def graph_of(model: Any) -> Any:
    return model.subgraphs[0]


def operator_of(model: Any, name: str) -> Any:
    """Return the first operator of a name."""
    number = getattr(schema.BuiltinOperator, name)
    codes = [code.builtinCode for code in model.operatorCodes]
    return next(operator for operator in graph_of(model).operators if codes[operator.opcodeIndex] == number)


def tensor_of(model: Any, name: str, slot: int) -> Any:
    """Return input `slot` of the first operator of a name, or its output for -1."""
    operator = operator_of(model, name)
    return graph_of(model).tensors[operator.outputs[0] if slot == -1 else operator.inputs[slot]]


class Builder:
    """A small model, one operator after another; activations have scale 0.5 and zero point 3 by default."""

    def __init__(self, shape: list[int], kind: int = INT8, scale: float = 0.5, zero_point: int = 3) -> None:
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.operatorCodes, self.model.buffers = [], [schema.BufferT()]
        self.graph = schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.model.subgraphs = [self.graph]
        self.last = self.tensor(shape, kind, scale, zero_point)

    def tensor(self, shape: list[int], kind: int = INT8, scale: float = 0.5, zero_point: int = 3) -> int:
        made = schema.TensorT()
        made.name, made.shape, made.type = f"t{len(self.graph.tensors)}".encode(), shape, kind
        if kind not in (INT32, FLOAT32):
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale, made.quantization.zeroPoint = [scale], [zero_point]
        self.graph.tensors.append(made)
        return len(self.graph.tensors) - 1

    def constant(self, values: Any, kind: int = INT32, scale: float = 0.5, zero_point: int = 0) -> int:
        array = np.array(values, {INT8: np.int8, FLOAT32: np.float32}.get(kind, np.int32))
        index = self.tensor(list(array.shape), kind, scale, zero_point)
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(array.tobytes(), np.uint8)
        self.model.buffers.append(buffer)
        self.graph.tensors[index].buffer = len(self.model.buffers) - 1
        return index

    def add(
        self, name: str, output: int, *others: int, options: str = "", version: int = 1, **attributes: Any
    ) -> "Builder":
        """Append an operator that reads the last output and `others`."""
        code = schema.OperatorCodeT()
        code.version = version
        code.builtinCode = getattr(schema.BuiltinOperator, name)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        self.model.operatorCodes.append(code)
        made = schema.OperatorT()
        made.opcodeIndex = len(self.model.operatorCodes) - 1
        made.inputs, made.outputs = [self.last, *others], [output]
        if options:
            made.builtinOptionsType = getattr(schema.BuiltinOptions, options)
            made.builtinOptions = getattr(schema, f"{options}T")()
            for attribute, value in attributes.items():
                setattr(made.builtinOptions, attribute, value)
        self.graph.operators.append(made)
        self.last = output
        return self

    def pack(self) -> bytes:
        """Return the model, whose output is the last one."""
        self.graph.inputs, self.graph.outputs = [0], [self.last]
        return packed(self.model)

    def read(self) -> Graph:
        return read_graph(self.pack(), "x.tflite")

    def read_one(self) -> Operator:
        (operator,) = self.read().operators
        return operator
