"""Float32 ONNX graphs in another precision, with the tools of ONNX Runtime."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_exporters.onnx_file import input_of, with_opset

BATCH = 100
"""Calibration images in one call, if the graph's batch is free."""

QDQ_OPSET = 13
"""The first operator set whose QuantizeLinear has a scale for each channel."""


KEPT_FLOAT = {"LogSoftmax", "Reciprocal", "Softmax", "Sqrt"}
"""Cheap operators whose numbers steps of 1/256 would make too coarse: the confidence, and 1/sqrt(variance)."""

IN_VARIANCE = {"Mul"}
"""The operators that layer normalisation squares and scales with: kept float32 where there is a Sqrt."""


def to_precision(graph: Any, precision: str, pixels: NDArray[np.float32] | None) -> Any:
    """Return a float32 graph in a precision; int8 needs inputs of the graph, the images along the first axis."""
    if precision == "float16":
        return _to_float16(graph)
    if precision == "int8" and pixels is not None:
        return _quantize(with_opset(graph, QDQ_OPSET), pixels)
    return _quantize(graph, None) if precision == "dynamic" else graph


def _to_float16(graph: Any) -> Any:
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    # Inputs and outputs stay float32, so that every precision is fed in the same way.
    halved = OnnxModel(convert_float_to_float16(graph, keep_io_types=True))
    # The converter appends its casts at the end of the node list; ONNX requires topological order.
    halved.topological_sort()
    return halved.model


def _quantize(graph: Any, pixels: NDArray[np.float32] | None) -> Any:
    """Quantize weights to int8; with calibration pixels activations too, as QuantizeLinear/DequantizeLinear (QDQ)."""
    import onnx
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_dynamic,
        quantize_static,
    )

    operators = {node.op_type for node in graph.graph.node}
    # ONNX Runtime's quantizer reads and writes files.
    with tempfile.TemporaryDirectory(prefix="edgedigits-") as folder:
        source, target = (str(Path(folder) / name) for name in ("float.onnx", "quantized.onnx"))
        onnx.save(graph, source)
        if pixels is None:
            quantize_dynamic(source, target, weight_type=QuantType.QUInt8)
            return onnx.load(target)

        batches = iter(_batches(graph, pixels))

        class Reader(CalibrationDataReader):  # type: ignore[misc]  # ONNX Runtime publishes no types
            def get_next(self) -> dict[str, NDArray[np.float32]] | None:
                return next(batches, None)

        quantize_static(
            source, target, Reader(), quant_format=QuantFormat.QDQ, per_channel=True,
            activation_type=QuantType.QInt8, weight_type=QuantType.QInt8,
            op_types_to_quantize=sorted(operators - KEPT_FLOAT - (IN_VARIANCE if "Sqrt" in operators else set())),
        )  # fmt: skip
        return onnx.load(target)


def _batches(graph: Any, pixels: NDArray[np.float32]) -> list[dict[str, NDArray[np.float32]]]:
    """Split the images into inputs of the graph; those that do not fill a fixed batch are left out."""
    given = input_of(graph)
    sizes = given.type.tensor_type.shape.dim
    if len(sizes) < pixels.ndim:
        return [{given.name: one} for one in pixels]
    count = sizes[0].dim_value or BATCH
    starts = range(0, len(pixels) - (count - 1 if sizes[0].dim_value else 0), count)
    return [{given.name: pixels[start : start + count]} for start in starts]
