"""Weights and biases of convolutions and dense layers, and whether int32 and float32 can hold what they make."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgedigits_exporters.microcontroller.graph import Tensor
from edgedigits_exporters.microcontroller.reading.stored import StoredOperator, StoredTensor
from edgedigits_exporters.microcontroller.reading.values import TO_INT8, Values, constant
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactUnsupported

LARGEST_REQUANTIZATION = 256.0
"""XNNPACK refuses a scale of input times weights over output from here on (xnn_create_convolution2d_nhwc_qs8_qc8w)."""


@dataclass(frozen=True)
class Weights:
    """What an operator multiplies with.

    Args:
        values: int8, as the file lays them out.
        zero_point: 0, but in a dense layer of the legacy kind.
        scales: float32 [output channels].
        bias: int32 [output channels].
    """

    values: NDArray[np.int8]
    zero_point: int
    scales: NDArray[np.float32]
    bias: NDArray[np.int32]


def read_weights(
    operator: StoredOperator, values: Values, rank: int, axis: int, *, may_have_zero_point: bool = False
) -> Weights:
    """Return inputs 1 and 2 of an operator: weights of `rank` dimensions, with the output channels along `axis`.

    Raises:
        ArtifactCorrupt: a buffer that is too short, or scales that do not fit.
        ArtifactUnsupported: not int8, or quantized in a way that LiteRT does not run either.
    """
    stored = values.constant_input(operator, 1)
    if stored is None:
        raise ArtifactCorrupt(f"{operator.where} has no weights; export it again")
    if stored.dtype != "INT8":
        raise ArtifactUnsupported(
            f"{operator.where}: its weights, {stored.label}, are {stored.dtype}, expected INT8; {TO_INT8}"
        )
    if len(stored.shape) != rank:
        raise ArtifactCorrupt(
            f"{operator.where}: its weights, {stored.label}, have the shape {list(stored.shape)}, expected {rank}"
            " dimensions; export it again"
        )
    numbers = constant(operator, stored, np.int8)
    channels = stored.shape[axis]
    zero_point = _zero_point(operator, stored, may_have_zero_point)
    scales = _scales(operator, stored, channels, axis)
    bias = _bias(operator, values.constant_input(operator, 2), channels)
    _check_sums(operator, np.moveaxis(numbers, axis, 0).reshape(channels, -1), zero_point, bias)
    return Weights(numbers, zero_point, scales, bias)


def check_requantization(operator: StoredOperator, taken: Tensor, weights: Weights, made: Tensor) -> None:
    """Refuse scales that no kernel computes with."""
    with np.errstate(over="ignore"):
        largest = float(np.max(np.float32(taken.scale) * weights.scales / np.float32(made.scale)))
    if not largest < LARGEST_REQUANTIZATION:
        raise ArtifactUnsupported(
            f"{operator.where} scales its sums by {largest:.6g}, expected below {LARGEST_REQUANTIZATION:g};"
            " calibrate the model with pictures like those that it will see"
        )


def _scales(operator: StoredOperator, stored: StoredTensor, channels: int, axis: int) -> NDArray[np.float32]:
    if stored.scales.size == 0:
        raise ArtifactUnsupported(f"{operator.where}: its weights, {stored.label}, carry no quantization; {TO_INT8}")
    if stored.scales.size not in (1, channels) or (stored.scales.size > 1 and stored.axis != axis):
        raise ArtifactCorrupt(
            f"{operator.where}: its weights, {stored.label}, have {stored.scales.size} scales along dimension"
            f" {stored.axis}, expected 1 or {channels} along {axis}; export it again"
        )
    if not (np.all(np.isfinite(stored.scales)) and np.all(stored.scales > 0)):
        raise ArtifactCorrupt(
            f"{operator.where}: a scale of its weights, {stored.label}, is not a number above 0; export it again"
        )
    return np.broadcast_to(stored.scales.astype(np.float32), (channels,)).copy()


def _zero_point(operator: StoredOperator, stored: StoredTensor, may_differ: bool) -> int:
    if not np.any(stored.zero_points):
        return 0
    found = int(stored.zero_points[stored.zero_points != 0][0])
    per_axis = stored.zero_points.size > 1 or stored.scales.size > 1
    if per_axis or not may_differ:
        kind = "a per-axis zero point" if per_axis else "a zero point"
        raise ArtifactUnsupported(
            f"{operator.where}: its weights, {stored.label}, have {kind} of {found},"
            " expected 0, and LiteRT does not run that either; convert the model again"
        )
    zero_point = int(stored.zero_points[0])
    if not -128 <= zero_point <= 127:
        raise ArtifactCorrupt(
            f"{operator.where}: its weights, {stored.label}, have the zero point {zero_point}, expected -128 to 127;"
            " export it again"
        )
    return zero_point


def _bias(operator: StoredOperator, stored: StoredTensor | None, channels: int) -> NDArray[np.int32]:
    if stored is None:
        return np.zeros(channels, np.int32)
    if stored.dtype != "INT32" or np.any(stored.zero_points):
        raise ArtifactUnsupported(
            f"{operator.where}: its bias, {stored.label}, must be INT32 with zero point 0, is {stored.dtype}; {TO_INT8}"
        )
    if stored.shape != (channels,):
        raise ArtifactCorrupt(
            f"{operator.where}: its bias, {stored.label}, has the shape {list(stored.shape)}, expected [{channels}];"
            " export it again"
        )
    bias: NDArray[np.int32] = constant(operator, stored, np.int32)
    return bias


def _check_sums(operator: StoredOperator, rows: NDArray[np.int8], zero_point: int, bias: NDArray[np.int32]) -> None:
    """Refuse weights whose sums could pass int32, also where zero points are folded into the bias."""
    magnitudes = np.abs(rows.astype(np.int16)).sum(axis=1, dtype=np.int64) + abs(zero_point) * rows.shape[1]
    largest = int(np.max(256 * magnitudes + np.abs(bias.astype(np.int64))))
    if largest >= 2**31:
        raise ArtifactUnsupported(
            f"{operator.where} may sum up to {largest}, more than int32 holds; make the layer smaller"
        )
