"""An estimate of TensorFlow Lite Micro's working memory for a model."""

import math
from dataclasses import dataclass

from edgedigits_exporters.microcontroller.planning.memory import Buffer, placed
from edgedigits_runtime.errors import ArtifactUnsupported
from edgedigits_runtime.untrusted.tflite_model import StoredModel, StoredOperator, corrupt
from edgedigits_runtime.untrusted.tflite_schema import WIDTHS
from edgedigits_runtime.untrusted.tflite_shapes import LSTM

ALIGNMENT = 16

# Sizes on a 64-bit machine, measured with the recording allocator of the tflite-micro package (October 2026) on the
# shipped models and rounded up. A 32-bit microcontroller needs about half.
BASE_BYTES = 800
OPERATOR_BYTES = 180
TENSOR_BYTES = 24
CHANNEL_BYTES = 8
"""A multiplier and a shift."""

LSTM_BYTES = 700
"""Of an LSTM's tables for its gates, beyond OPERATOR_BYTES."""

WITH_CHANNELS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")


SOFTMAX_INT16_BYTES = 2080
"""Of two tables of 513 entries."""

ACCUMULATORS = {"INT8": 4, "INT16": 8}
"""Bytes of a sum of a transposed convolution."""

MEANS = ("MEAN", "SUM")
REDUCERS = (*MEANS, "REDUCE_ALL", "REDUCE_MAX", "REDUCE_MIN")

SIZED_BY = {LSTM: (19,), **dict.fromkeys(REDUCERS, (0, 1))}
"""Inputs whose shapes are read below."""


@dataclass(frozen=True)
class Arena:
    """Bytes of the tensor arena.

    Args:
        activations: the largest sum of live activations; exact for TensorFlow Lite Micro's own kernels.
        structures: an upper bound of its tables for tensors, operators and channels.
        scratch: the largest buffer that CMSIS-NN's kernels request.
    """

    activations: int
    structures: int
    scratch: int

    @property
    def total(self) -> int:
        return self.activations + self.structures + self.scratch


def estimate_arena(model: StoredModel) -> Arena:
    """Return the arena of a model.

    Raises:
        ArtifactCorrupt: an operator without an output or a needed input.
        ArtifactUnsupported: a tensor without a fixed size.
    """
    for operator in model.operators:
        given = dict(enumerate(operator.inputs))
        if not operator.outputs or any(given.get(slot, -1) < 0 for slot in SIZED_BY.get(operator.name, ())):
            raise corrupt(model.source, f"{operator.where} lacks an input or its output")
    weighted = [model.tensors[operator.outputs[0]] for operator in model.operators if operator.name in WITH_CHANNELS]
    structures = (
        BASE_BYTES
        + sum(_table_bytes(model, operator) for operator in model.operators)
        + sum(_size(model, tensor.index) for tensor in model.tensors if tensor.is_variable)
        + TENSOR_BYTES * len(model.tensors)
        + CHANNEL_BYTES * sum(tensor.shape[-1] for tensor in weighted if tensor.shape)
    )
    scratch = max((_scratch(model, operator) for operator in model.operators), default=0)
    return Arena(_planned(_lifetimes(model)), _aligned(structures), _aligned(scratch))


def _lifetimes(model: StoredModel) -> list[Buffer]:
    """Return each activation with the first and last operator that uses it."""
    (source,), (output,) = model.inputs, model.outputs
    own: list[Buffer] = []
    buffers: dict[int, Buffer] = {source: Buffer(_size(model, source), 0, 0, 0)}
    for position, operator in enumerate(model.operators):
        for index in operator.outputs:
            buffers.setdefault(index, Buffer(_size(model, index), position, position, position))
        for index in (*operator.inputs, *operator.outputs):
            if index in buffers:
                buffers[index].last = position
        own += [Buffer(size, position, position, position) for size in _own_buffers(model, operator)]
    if output in buffers:
        buffers[output].last = len(model.operators)
    return [*buffers.values(), *own]


def _table_bytes(model: StoredModel, operator: StoredOperator) -> int:
    if operator.name == LSTM:
        return OPERATOR_BYTES + LSTM_BYTES
    is_int16 = model.tensors[operator.outputs[0]].dtype == "INT16"
    return OPERATOR_BYTES + SOFTMAX_INT16_BYTES * (operator.name == "SOFTMAX" and is_int16)


def _own_buffers(model: StoredModel, operator: StoredOperator) -> list[int]:
    """Return the sizes of the buffers that a kernel of TensorFlow Lite Micro needs while it runs; see its Prepare."""
    output = model.tensors[operator.outputs[0]]
    sizes: list[int] = []
    if operator.name == LSTM:
        sizes = [_size(model, operator.inputs[19])] * 4
    elif operator.name == "TRANSPOSE_CONV" and output.dtype in ACCUMULATORS:
        sizes = [ACCUMULATORS[output.dtype] * math.prod(output.shape)]
    elif operator.name in REDUCERS:
        source, axes = (model.tensors[index].shape for index in operator.inputs[:2])
        sums = math.prod(output.shape) if operator.name in MEANS and output.dtype in ACCUMULATORS else 0
        sizes = [4 * sums, 4 * len(source), 4 * math.prod(axes)]
    return [_aligned(size) for size in sizes if size]


def _planned(buffers: list[Buffer]) -> int:
    """Place buffers, the largest first and the last of equal ones, at the lowest free offset; return the total.

    Source: GreedyMemoryPlanner in tensorflow/lite/micro/memory_planner/greedy_memory_planner.cc.
    """
    backwards = dict(enumerate(reversed(buffers)))
    return max((place + backwards[key].size for key, place in placed(backwards).items()), default=0)


def _size(model: StoredModel, index: int) -> int:
    tensor = model.tensors[index]
    if tensor.dtype not in WIDTHS or any(size < 1 for size in tensor.shape) or -1 in tensor.signature[1:]:
        raise ArtifactUnsupported(
            f"{model.source}: {tensor.label} is {tensor.dtype} of shape {list(tensor.signature or tensor.shape)},"
            " expected a fixed shape; convert the model with a fixed input shape"
        )
    return _aligned(tensor.bytes)


def _scratch(model: StoredModel, operator: StoredOperator) -> int:
    """Return the bytes that CMSIS-NN requests; see the *_get_buffer_size functions in its Source/."""
    shapes = [model.tensors[index].shape if index >= 0 else () for index in operator.inputs]
    if operator.name == "CONV_2D" and len(shapes) > 1:
        return 4 * math.prod(shapes[1][1:])
    if operator.name == "DEPTHWISE_CONV_2D" and len(shapes) > 1:
        return 2 * math.prod(shapes[1])
    if operator.name == "AVERAGE_POOL_2D" and shapes and shapes[0]:
        return 4 * shapes[0][-1]
    if operator.name == "FULLY_CONNECTED" and len(shapes) > 1 and shapes[1]:
        return 4 * shapes[1][0]
    return 0


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
