"""MEAN and REDUCE_MAX over height and width."""

from dataclasses import dataclass

import numpy as np

from edgedigits_exporters.microcontroller import literals
from edgedigits_exporters.microcontroller.activation_limits import Kernels
from edgedigits_exporters.microcontroller.fixed_point import fixed_point
from edgedigits_exporters.microcontroller.graph import Operator
from edgedigits_exporters.microcontroller.layer import STORED, Layer, Source, make_layer
from edgedigits_exporters.microcontroller.requantization import require_small
from edgedigits_exporters.microcontroller.values import Values, require_same_quantization, require_shape
from edgedigits_runtime.errors import ArtifactUnsupported
from edgedigits_runtime.untrusted.tflite_model import StoredOperator

KERNELS = {
    "xnnpack": ("limited", "round_xnnpack", "mean_xnnpack"),
    "reference": ("limited", "round_reference", "scale_reference", "mean_reference"),
}
"""C files."""


@dataclass(frozen=True)
class Mean(Operator):
    """MEAN over height and width."""


@dataclass(frozen=True)
class ReduceMax(Operator):
    """REDUCE_MAX over height and width."""


def parse(operator: StoredOperator, values: Values) -> Mean | ReduceMax:
    """Return a global average or max pool, with or without the dimensions that it leaves at 1.

    Raises:
        ArtifactUnsupported: it reduces other dimensions.
    """
    source = values.activation(operator, 0)
    rank = len(values.stored_input(operator, 0).shape)
    axes = values.numbers(operator, 1).ravel()
    if rank != 4 or {int(axis) % rank for axis in axes} != {1, 2}:
        raise ArtifactUnsupported(
            f"{operator.where} reduces {rank} dimensions along {axes.tolist()}, expected height and width (1, 2) of 4;"
            " use global pooling"
        )
    output = values.make(operator)
    require_shape(operator, output, (1, 1, source.shape[2]))
    if operator.name == "MEAN":
        return Mean(operator.name, operator.position, (source,), output)
    require_same_quantization(operator, source, output)
    return ReduceMax(operator.name, operator.position, (source,), output)


def lower(operator: Mean | ReduceMax, sources: tuple[Source, ...], kernels: Kernels) -> Layer:
    """Return a global pool as C: its output grows with each row of the input.

    Raises:
        ArtifactUnsupported: scales with which a mean is too large to round.
    """
    height, width, channels = sources[0].tensor.shape
    if isinstance(operator, ReduceMax):
        return make_layer(
            operator, sources, ("reduce_max",), "reduce_max",
            lambda place: {"width": width, "channels": channels, "rows": place.input_rows[0]},
            "reduce_max_row(layer, {input}, y, {output});", steps=height,
        )  # fmt: skip
    require_small(operator, 255 * operator.inputs[0].scale / operator.output.scale)
    rounding = _xnnpack_fields(operator) if kernels == "xnnpack" else _reference_fields(operator)
    sides = {"height": height, "width": width, "channels": channels}
    return make_layer(
        operator, sources, KERNELS[kernels], "mean", lambda place: {**sides, "rows": place.input_rows[0], **rounding},
        "mean_row(layer, {input}, y, {output}, {kept});", steps=height, kept_bytes=4 * channels,
    )  # fmt: skip


def _xnnpack_fields(operator: Mean) -> dict[str, object]:
    """Return the factor of a sum of stored values and the offset: float32 at every step, as in XNNPACK."""
    source, count = operator.inputs[0], np.float32(operator.inputs[0].shape[0] * operator.inputs[0].shape[1])
    ratio = np.float32(source.scale) / np.float32(operator.output.scale)
    scale = np.float32(ratio * (np.float32(1) / count))
    zeros = np.float32(source.zero_point) * count
    offset = np.float32(np.float32(operator.output.zero_point) - zeros * scale)
    return {"scale": literals.number(scale), "offset": literals.number(offset)}


def _reference_fields(operator: Mean) -> dict[str, object]:
    """Return the scaling of a sum, in integers.

    Source: QuantizedMeanOrSum in tensorflow/lite/kernels/internal/reference/reduce.h, which divides the multiplier by
    the count and truncates.
    """
    source, output = operator.inputs[0], operator.output
    count = source.shape[0] * source.shape[1]
    multiplier, shift = fixed_point(float(np.float32(source.scale)) / float(np.float32(output.scale)))
    spare = min(count.bit_length() - 1, 32, 31 + shift)
    return {
        "zeros": count * (source.zero_point + STORED),
        "multiplier": (multiplier << spare) // count,
        "shift": shift - spare,
        "zero": output.zero_point + STORED,
    }
