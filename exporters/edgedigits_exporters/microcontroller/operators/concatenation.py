"""CONCATENATION along height, width or channels."""

import itertools
import math
from dataclasses import dataclass

from edgedigits_exporters.microcontroller import literals
from edgedigits_exporters.microcontroller.activation_limits import Kernels, fused_activation
from edgedigits_exporters.microcontroller.graph import Operator
from edgedigits_exporters.microcontroller.layer import Layer, Place, Reads, Source, make_layer, rows_read
from edgedigits_exporters.microcontroller.values import Values, options_of, require_same_quantization
from edgedigits_runtime.errors import ArtifactUnsupported
from edgedigits_runtime.untrusted.tflite_model import StoredOperator

AXES = {1: (2,), 2: (None, 2), 3: (None, 0, 1), 4: (None, 0, 1, 2)}
"""Axis of a picture (0 height, 1 width, 2 channels) by the rank of a tensor and its axis; None for the batch."""

CHANNELS = 2
"""The axis of a picture's channels."""

ARRAYS = ("lengths", "tops", "heights", "input_rows")
"""Of the C structure, a number for each input."""


@dataclass(frozen=True)
class Concatenation(Operator):
    """CONCATENATION along an axis: 0 height, 1 width, 2 channels."""

    axis: int


def parse(operator: StoredOperator, values: Values) -> Concatenation:
    """Return a concatenation; its output is quantized as its inputs are."""
    output = values.make(operator)
    inputs = tuple(values.activation(operator, slot) for slot in range(len(operator.inputs)))
    for source in inputs:
        require_same_quantization(operator, source, output)
    rank = len(values.stored_output(operator).shape)
    axis = AXES[rank][options_of(operator)["axis"]]
    if axis is None or fused_activation(operator) != "NONE":
        raise ArtifactUnsupported(
            f"{operator.where} joins {len(inputs)} tensors along the batch or has a fused activation, which is not"
            " supported; convert the model again"
        )
    return Concatenation(operator.name, operator.position, inputs, output, axis)


def lower(operator: Concatenation, sources: tuple[Source, ...], _kernels: Kernels) -> Layer:
    """Return a concatenation as C: pieces of the inputs in turn, a row each or a pixel each."""
    _, width, channels = operator.output.shape
    heights = [source.tensor.shape[0] for source in sources]
    tops = [0, *itertools.accumulate(heights[:-1])] if operator.axis == 0 else [0] * len(sources)
    pieces = width if operator.axis == 2 else 1
    lengths = [math.prod(source.tensor.shape[1:]) // pieces for source in sources]

    def arrays(place: Place) -> list[str]:
        numbers = (lengths, tops, heights, place.input_rows)
        return [
            literals.array("int32_t", f"{name}_{place.number}", of) for name, of in zip(ARRAYS, numbers, strict=True)
        ]

    return make_layer(
        operator, sources, ("concatenation",), "concatenation",
        lambda place: {
            "count": len(sources), "pieces": pieces, "piece": width * channels // pieces, "rows": place.rows,
            **{name: f"{name}_{place.number}" for name in ARRAYS},
        },
        "concatenate_row(layer, (const uint8_t *const[]){{{inputs}}}, y, {output});",
        arrays=arrays, reads=tuple(map(_rows, sources, tops)),
    )  # fmt: skip


def _rows(source: Source, top: int) -> Reads:
    """Return the rows of a source that begins at row `top` of the output; none of it for a row of another source."""
    own, height = rows_read(source), source.tensor.shape[0]

    def rows(y: int) -> tuple[int, int]:
        if y < top:
            return 0, 0
        made = source.made.shape[0]
        return own.rows(y - top) if y < top + height else (made, made)

    return Reads(source.stage, rows)
