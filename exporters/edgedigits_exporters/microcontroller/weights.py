"""Operators with weights: their class, and the weights, biases and windows that they parse."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from edgedigits_exporters.microcontroller.activation_limits import fused_activation
from edgedigits_exporters.microcontroller.graph import Tensor, Window, WindowedOperator
from edgedigits_exporters.microcontroller.values import TO_INT8, Values, constant, format_sides
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactUnsupported
from edgedigits_runtime.untrusted.tflite_model import StoredOperator, StoredTensor

LARGEST_REQUANTIZATION = 256.0
"""XNNPACK refuses larger scales of input times weights over output (xnn_create_convolution2d_nhwc_qs8_qc8w)."""


@dataclass(frozen=True)
class WeightedOperator(WindowedOperator):
    """An operator that sums products with weights.

    Attributes:
        axes: of the weights, along which products are summed.
        spare: the number of zeros behind the weights, in C.
        folded: whether the C code sums products with stored values, and not with these less the input's zero point.

    Args:
        window: of the kernel.
        weights: int8; an output channel's lie along `axes`.
        weights_zero_point: 0, except on the legacy per-tensor path.
        weight_scales: float32 [output channels].
        bias: int32 [output channels].
        activation: fused into it, one of activation_limits.BOUNDS.
    """

    axes: ClassVar[tuple[int, ...]]
    spare: ClassVar[str] = ""
    folded: ClassVar[bool] = True

    weights: NDArray[np.int8]
    weights_zero_point: int
    weight_scales: NDArray[np.float32]
    bias: NDArray[np.int32]
    activation: str

    @property
    def own_fields(self) -> dict[str, object]:
        """Fields of the C structure that this operator alone has."""
        return {}

    @property
    def multiply_accumulates(self) -> int:
        height, width, _ = self.output.shape
        return height * width * self.weights.size


def parse_weighted(
    operator: StoredOperator, values: Values, axis: int, *, may_have_zero_point: bool = False
) -> dict[str, Any]:
    """Return the fields of a WeightedOperator without its window.

    Args:
        operator: its weights are input 1, its bias input 2.
        values: its operands.
        axis: of the output channels in the weights, which keep the layout of the file.
        may_have_zero_point: whether the weights may have a zero point other than 0.

    Raises:
        ArtifactCorrupt: scales that do not fit.
        ArtifactUnsupported: not int8, quantized in a way that LiteRT does not run, or scales that no kernel supports.
    """
    source, output = values.activation(operator, 0), values.make(operator)
    stored = values.constant_input(operator, 1)
    if stored is None or stored.dtype != "INT8":
        found = "left out" if stored is None else f"{stored.label}, {stored.dtype}"
        raise ArtifactUnsupported(f"{operator.where}: its weights are {found}, expected INT8; {TO_INT8}")
    weights, channels = constant(stored), stored.shape[axis]
    zero_point = _zero_point(operator, stored, may_have_zero_point)
    scales = _scales(operator, stored, channels, axis)
    stored_bias = values.constant_input(operator, 2)
    bias = np.zeros(channels, np.int32) if stored_bias is None else constant(stored_bias).reshape(channels)
    _check_sums(operator, np.moveaxis(weights, axis, 0).reshape(channels, -1), zero_point, bias)
    largest = float(np.max(np.float32(source.scale) * scales / np.float32(output.scale)))
    if not largest < LARGEST_REQUANTIZATION:
        raise ArtifactUnsupported(
            f"{operator.where} scales its sums by {largest:.6g}, expected below {LARGEST_REQUANTIZATION:g};"
            " calibrate the model with pictures like those in use"
        )
    return {
        "name": operator.name,
        "position": operator.position,
        "inputs": (source,),
        "output": output,
        "weights": weights,
        "weights_zero_point": zero_point,
        "weight_scales": scales,
        "bias": bias,
        "activation": fused_activation(operator),
    }


def parse_window(operator: StoredOperator, source: Tensor, size: tuple[int, int]) -> Window:
    """Return the window of an operator.

    Raises:
        ArtifactUnsupported: dilation.
    """
    options = operator.options.values or {}
    dilation = (options.get("dilation_h_factor", 1), options.get("dilation_w_factor", 1))
    if dilation != (1, 1):
        raise ArtifactUnsupported(
            f"{operator.where} has a dilation of {format_sides(dilation)}, expected 1x1; use a larger kernel"
        )
    stride = (options["stride_h"], options["stride_w"])
    (above, left) = (
        _padding_before(source.shape[axis], size[axis], stride[axis]) if options["padding"] == 0 else 0
        for axis in (0, 1)
    )
    return Window(size, stride, (above, left))


def _padding_before(side: int, size: int, stride: int) -> int:
    """Return the padding before the first window with SAME.

    Source: ComputePaddingWithOffset in tensorflow/lite/kernels/padding.h.
    """
    places = (side + stride - 1) // stride
    return max((places - 1) * stride + size - side, 0) // 2


def _scales(operator: StoredOperator, stored: StoredTensor, channels: int, axis: int) -> NDArray[np.float32]:
    scales = np.array(stored.quantization.scales, np.float32)
    if scales.size == 0:
        raise ArtifactUnsupported(f"{operator.where}: its weights, {stored.label}, have no quantization; {TO_INT8}")
    if scales.size not in (1, channels) or (scales.size > 1 and stored.quantization.axis != axis):
        raise ArtifactCorrupt(
            f"{operator.where}: its weights, {stored.label}, have {scales.size} scales along dimension"
            f" {stored.quantization.axis}, expected 1 or {channels} along {axis}; export it again"
        )
    return np.broadcast_to(scales, (channels,)).copy()


def _zero_point(operator: StoredOperator, stored: StoredTensor, may_differ: bool) -> int:
    zero_points = stored.quantization.zero_points
    found = next((zero_point for zero_point in zero_points if zero_point), 0)
    if found and (len(zero_points) > 1 or not may_differ):
        raise ArtifactUnsupported(
            f"{operator.where}: its weights, {stored.label}, have a zero point of {found}, expected 0, which LiteRT"
            " requires too; convert the model again"
        )
    return found


def _check_sums(operator: StoredOperator, rows: NDArray[np.int8], zero_point: int, bias: NDArray[np.int32]) -> None:
    """Refuse weights whose sums could exceed int32, also where zero points are folded into the bias."""
    magnitudes = np.abs(rows.astype(np.int16)).sum(axis=1, dtype=np.int64) + abs(zero_point) * rows.shape[1]
    largest = int(np.max(256 * magnitudes + np.abs(bias.astype(np.int64))))
    if largest >= 2**31:
        raise ArtifactUnsupported(
            f"{operator.where} may sum up to {largest}, more than int32 holds; make the layer smaller"
        )
