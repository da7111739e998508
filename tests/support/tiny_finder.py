"""A finder made by hand in milliseconds: it finds a digit in each cell of 32 pixels that is dark enough.

For each stride the picture's mean over a cell is multiplied into heat and box. Only stride 32 answers.
"""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.embedded_contract import ONNX_PROPERTY, append_zipped
from edgedigits_runtime.finder_contract import FinderContract
from edgedigits_runtime.reading.found import STRIDES

CELL = STRIDES[-1]
SIDE = 320
CONTRACT = FinderContract("tiny-finder", STRIDES, SIDE, 0.3)
SLOPE = 100.0
"""Log-odds of a digit for a cell that is black instead of white."""
BRIGHTEST = 0.97
"""Mean of a cell, 0..1, that is a digit or not; a drawn digit makes a white cell as dark."""


def write_finder(path: Path, **changes: Any) -> Path:
    """Write the finder as `.tflite` (float32) or `.onnx`, with changes to its contract."""
    contract = dataclasses.replace(CONTRACT, format=path.suffix[1:], **changes)
    path.write_bytes(_onnx(contract) if path.suffix == ".onnx" else append_zipped(_tflite(), contract))
    return path


def page_of(digits: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a page, uint8 [320, 320], with digits, uint8 [N, 28, 28], from left to right in cells of its third row."""
    page = np.full((SIDE, SIDE), 255, np.uint8)
    for k, digit in enumerate(digits):
        left = CELL * (2 * k + 1) + 2
        page[2 * CELL + 2 : 2 * CELL + 30, left : left + 28] = 255 - digit
    return page


def _weights(stride: int) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Return weights [out, 1, 1, 3] and bias of heat and of box."""
    heat, box = np.zeros((2, 1, 1, 3), np.float32), np.zeros((4, 1, 1, 3), np.float32)
    bias = np.array([-9, -9], np.float32)
    if stride == CELL:
        heat[0], bias[0] = -SLOPE / 3, SLOPE * BRIGHTEST
    return [(heat, bias), (box, np.zeros(4, np.float32))]


def _onnx(contract: FinderContract) -> bytes:
    from onnx import TensorProto, helper, numpy_helper

    nodes, tensors, outputs = [helper.make_node("Transpose", ["image"], ["planes"], perm=[0, 3, 1, 2])], [], []
    for stride in STRIDES:
        sides = {"kernel_shape": [stride, stride], "strides": [stride, stride]}
        nodes.append(helper.make_node("AveragePool", ["planes"], [f"mean{stride}"], **sides))
        for name, (weights, bias) in zip(("heat", "box"), _weights(stride), strict=True):
            end = f"{name}{stride}"
            tensors += [
                numpy_helper.from_array(weights.transpose(0, 3, 1, 2).copy(), f"w_{end}"),
                numpy_helper.from_array(bias, f"b_{end}"),
            ]
            nodes.append(helper.make_node("Conv", [f"mean{stride}", f"w_{end}", f"b_{end}"], [f"p_{end}"]))
            nodes.append(helper.make_node("Transpose", [f"p_{end}"], [end], perm=[0, 2, 3, 1]))
            outputs.append(helper.make_tensor_value_info(end, TensorProto.FLOAT, [None, None, None, len(bias)]))
    given = helper.make_tensor_value_info("image", TensorProto.FLOAT, [None, None, None, 3])
    graph = helper.make_graph(nodes, "finder", [given], outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {ONNX_PROPERTY: contract.to_json()})
    return bytes(model.SerializeToString())


def _tflite() -> bytes:
    from ai_edge_litert import schema_py_generated as schema

    from tests.support.tiny_tflite import buffer_of, code_of, operator_of, packed, tensor_of

    options, names = schema.BuiltinOptions, schema.BuiltinOperator
    buffers: list[Any] = [None]
    tensors, operators = [tensor_of("image", [1, SIDE, SIDE, 3], "float32", 0, None)], []
    for stride in STRIDES:
        pool = schema.Pool2DOptionsT()
        pool.filterHeight = pool.filterWidth = pool.strideH = pool.strideW = stride
        cells = SIDE // stride
        mean = len(tensors)
        tensors.append(tensor_of(f"mean{stride}", [1, cells, cells, 3], "float32", 0, None))
        operators.append(operator_of(0, [0], [mean], options.Pool2DOptions, pool))
        for weights, bias in _weights(stride):
            convolution = schema.Conv2DOptionsT()
            convolution.strideH = convolution.strideW = 1
            first = len(tensors)
            tensors += [
                tensor_of(f"w{first}", list(weights.shape), "float32", len(buffers), None),
                tensor_of(f"b{first}", list(bias.shape), "float32", len(buffers) + 1, None),
                tensor_of(f"end{first}", [1, cells, cells, len(bias)], "float32", 0, None),
            ]
            buffers += [weights, bias]
            operators.append(operator_of(1, [mean, first, first + 1], [first + 2], options.Conv2DOptions, convolution))
    graph = schema.SubGraphT()
    graph.name, graph.tensors, graph.operators = b"main", tensors, operators
    graph.inputs, graph.outputs = [0], [op.outputs[0] for op in operators if op.opcodeIndex == 1]
    model = schema.ModelT()
    model.version = 3
    model.operatorCodes = [code_of(names.AVERAGE_POOL_2D, 1), code_of(names.CONV_2D, 1)]
    model.subgraphs, model.buffers = [graph], [buffer_of(each) for each in buffers]
    return packed(model)
