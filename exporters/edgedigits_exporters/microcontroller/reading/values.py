"""What operators read and make: activations by their place in the file, and whole numbers that describe shapes."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_exporters.microcontroller.graph import Tensor
from edgedigits_exporters.microcontroller.reading.stored import LONGEST_SHAPE, StoredModel, StoredOperator, StoredTensor
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactUnsupported

TO_INT8 = "export it with --precision int8, or convert it with full int8 quantization"
STATIC = "convert the model with a fixed input shape"
ONE_BATCH = "convert the model with a batch of 1, as in keras.Input(batch_shape=(1, ...))"
LARGEST = 2**31 - 1
"""An index into a tensor is an int in C."""
BORDER_ZERO_POINTS = {"INT8": (-128, 127), "UINT8": (0, 255)}


class Values:
    """The tensors of a file, as far as operators have made them."""

    def __init__(self, model: StoredModel) -> None:
        self._stored = model.tensors
        self._activations: dict[int, Tensor] = {}
        self._numbers: dict[int, NDArray[np.int64]] = {}
        stored = model.tensors[model.input]
        if stored.content.size:
            raise ArtifactCorrupt(f"{model.source}: the input, {stored.label}, is a constant; export it again")
        self._make_activation(model.input, f"{model.source}: the input")

    def stored(self, index: int) -> StoredTensor:
        return self._stored[index]

    def has_activation(self, index: int) -> bool:
        return index in self._activations

    def made(self, index: int) -> Tensor:
        return self._activations[index]

    def dtype_of(self, operator: StoredOperator, slot: int) -> str:
        return self._stored[self._index(operator, slot)].dtype

    def activation(self, operator: StoredOperator, slot: int, dtypes: tuple[str, ...] = ("INT8",)) -> Tensor:
        """Return the activation that an operator reads.

        Raises:
            ArtifactCorrupt: left out, or no earlier operator makes it.
            ArtifactUnsupported: a constant, or of another type.
        """
        index = self._index(operator, slot)
        stored = self._stored[index]
        if index not in self._activations:
            if stored.content.size or index in self._numbers:
                raise ArtifactUnsupported(
                    f"{operator.where}: input {slot}, {stored.label}, is a constant, and only values that the"
                    " network computes are taken there; fold the constant into the layer before it"
                )
            raise ArtifactCorrupt(
                f"{operator.where}: input {slot}, {stored.label}, is made by no operator before it; export it again"
            )
        require_dtype(operator, stored, dtypes)
        return self._activations[index]

    def shape_of(self, operator: StoredOperator, slot: int) -> tuple[int, ...]:
        """Return the file's shape of an activation, with its batch."""
        self.activation(operator, slot, ("INT8", "UINT8"))
        return self._stored[operator.inputs[slot]].shape

    def make(self, operator: StoredOperator, dtypes: tuple[str, ...] = ("INT8",)) -> Tensor:
        """Return the activation that an operator makes.

        Raises:
            ArtifactCorrupt: it makes several or none, or one that another operator made.
            ArtifactUnsupported: of another type, dynamic, or with quantization that is missing or per axis.
        """
        index = self._output(operator)
        require_dtype(operator, self._stored[index], dtypes)
        return self._make_activation(index, operator.where)

    def numbers(self, operator: StoredOperator, slot: int) -> NDArray[np.int64]:
        """Return whole numbers that describe a shape: a constant of the file, or one folded from others."""
        index = self._index(operator, slot)
        if index in self._numbers:
            return self._numbers[index]
        stored = self._stored[index]
        widths = {"INT32": np.int32, "INT64": np.int64}
        if stored.dtype not in widths or index in self._activations or math.prod(stored.shape) > LONGEST_SHAPE:
            raise ArtifactUnsupported(
                f"{operator.where}: input {slot}, {stored.label}, must be a few whole numbers known when"
                f" compiling, is {stored.dtype} of shape {list(stored.shape)}; {STATIC}"
            )
        return constant(operator, stored, widths[stored.dtype]).astype(np.int64)

    def set_numbers(self, operator: StoredOperator, numbers: NDArray[np.int64]) -> None:
        """Remember what an operator on shapes gives."""
        self._numbers[self._output(operator)] = numbers

    def constant_input(self, operator: StoredOperator, slot: int) -> StoredTensor | None:
        """Return a weight or bias, None where it is left out."""
        if slot >= len(operator.inputs) or operator.inputs[slot] == -1:
            return None
        stored = self._stored[operator.inputs[slot]]
        if operator.inputs[slot] in self._activations:
            raise ArtifactUnsupported(
                f"{operator.where}: input {slot}, {stored.label}, must be a constant, and the network computes it;"
                " keep weights out of the graph"
            )
        return stored

    def _index(self, operator: StoredOperator, slot: int) -> int:
        if slot >= len(operator.inputs) or operator.inputs[slot] == -1:
            raise ArtifactCorrupt(f"{operator.where}: input {slot} is left out; export it again")
        return operator.inputs[slot]

    def _output(self, operator: StoredOperator) -> int:
        if len(operator.outputs) != 1:
            raise ArtifactCorrupt(f"{operator.where} has {len(operator.outputs)} outputs, expected 1; export it again")
        index = operator.outputs[0]
        stored = self._stored[index]
        if index in self._activations or index in self._numbers or stored.content.size:
            raise ArtifactCorrupt(f"{operator.where} makes {stored.label}, which was there already; export it again")
        return index

    def _make_activation(self, index: int, where: str) -> Tensor:
        self._activations[index] = _activation(self._stored[index], where)
        return self._activations[index]


def require_dtype(operator: StoredOperator, stored: StoredTensor, dtypes: tuple[str, ...]) -> None:
    """Refuse a tensor of another type."""
    if stored.dtype not in dtypes:
        raise ArtifactUnsupported(
            f"{operator.where}: {stored.label} is {stored.dtype}, expected {' or '.join(dtypes)}; {TO_INT8}"
        )


def require_inputs(operator: StoredOperator, fewest: int, most: int) -> None:
    """Refuse an operator with inputs that nobody would read."""
    count = len(operator.inputs)
    if not fewest <= count <= most:
        expected = str(fewest) if fewest == most else f"{fewest} to {most}"
        raise ArtifactCorrupt(f"{operator.where} has {count} inputs, expected {expected}; export it again")


def require_shape(operator: StoredOperator, made: Tensor, expected: tuple[int, int, int]) -> None:
    """Refuse an output that is not of the shape that follows from the inputs."""
    if made.shape != expected:
        raise ArtifactCorrupt(
            f"{operator.where} makes {shape_text(made.shape)} by the file and {shape_text(expected)} by its inputs;"
            " export it again"
        )


def require_same_quantization(operator: StoredOperator, taken: Tensor, made: Tensor) -> None:
    """Refuse an operator that would have to requantize what TFLite only copies.

    Tolerance: tensorflow/lite/kernels/pooling.cc.
    """
    if abs(taken.scale - made.scale) > 1e-6 or taken.zero_point != made.zero_point:
        raise ArtifactUnsupported(
            f"{operator.where} takes values of scale {taken.scale:.6g} and zero point {taken.zero_point} and gives"
            f" {made.scale:.6g} and {made.zero_point}, which must be the same; convert the model again"
        )


def options_of(operator: StoredOperator, options_type: str) -> dict[str, Any]:
    """Return an operator's attributes.

    Raises:
        ArtifactCorrupt: it has none, or another operator's.
    """
    if operator.options_type != options_type:
        raise ArtifactCorrupt(
            f"{operator.where} carries {operator.options_type}, expected {options_type}; export it again"
        )
    return operator.options


def constant(operator: StoredOperator, stored: StoredTensor, dtype: Any) -> NDArray[Any]:
    """Return a constant in its shape.

    Raises:
        ArtifactCorrupt: the buffer is not as long as the shape says.
        ArtifactUnsupported: sparse, or kept elsewhere.
    """
    _refuse_oddity(stored, operator.where)
    needed = math.prod(stored.shape) * np.dtype(dtype).itemsize
    if any(size < 1 for size in stored.shape) or stored.content.size != needed:
        raise ArtifactCorrupt(
            f"{operator.where}: {stored.label} of shape {list(stored.shape)} needs {needed} bytes, its buffer has"
            f" {stored.content.size}; export it again"
        )
    return (
        np.frombuffer(stored.content.tobytes(), np.dtype(dtype).newbyteorder("<")).astype(dtype).reshape(stored.shape)
    )


def shape_text(shape: tuple[int, ...]) -> str:
    """Return a shape as people write it, such as 28x28x1."""
    return "x".join(map(str, shape))


def _refuse_oddity(stored: StoredTensor, where: str) -> None:
    if stored.oddity:
        raise ArtifactUnsupported(f"{where}: {stored.label} is {stored.oddity}, which is not compiled; drop that")


def _activation(stored: StoredTensor, where: str) -> Tensor:
    _refuse_oddity(stored, where)
    place = f"{where}, {stored.label},"
    if stored.dtype not in BORDER_ZERO_POINTS:
        raise ArtifactUnsupported(f"{place} is {stored.dtype}, expected INT8; {TO_INT8}")
    shape = _picture_shape(stored, place)
    scale, zero_point = _whole_tensor_quantization(stored, place)
    # A uint8 value is the int8 one plus 128, so the stored bytes differ in one bit and the arithmetic in nothing.
    return Tensor(stored.name, shape, scale, zero_point - 128 if stored.dtype == "UINT8" else zero_point)


def _picture_shape(stored: StoredTensor, place: str) -> tuple[int, int, int]:
    """The file's shape as height, width and channels; [1, h, w] is a picture of one channel."""
    shape = stored.shape
    # The first of several dimensions is the batch, and one image is compiled.
    free = stored.signature[1:] if len(shape) > 1 else stored.signature
    if -1 in free or any(size < 0 for size in shape):
        raise ArtifactUnsupported(f"{place} has the dynamic shape {list(stored.signature or shape)}; {STATIC}")
    if 0 in shape:
        raise ArtifactCorrupt(f"{place} has the shape {list(shape)}, which holds nothing; export it again")
    if len(shape) not in (1, 2, 3, 4):
        raise ArtifactUnsupported(
            f"{place} has {len(shape)} dimensions, expected 2 to 4, as in [1, height, width, channels]"
        )
    if math.prod(shape) > LARGEST:
        raise ArtifactUnsupported(f"{place} of shape {list(shape)} has more than {LARGEST} values")
    batch, *sizes = shape if len(shape) > 1 else (1, *shape)
    if batch != 1:
        raise ArtifactUnsupported(f"{place} has the shape {list(shape)} with a batch of {batch}; {ONE_BATCH}")
    if len(sizes) == 1:
        return 1, 1, sizes[0]
    return (sizes[0], sizes[1], 1) if len(sizes) == 2 else (sizes[0], sizes[1], sizes[2])


def _whole_tensor_quantization(stored: StoredTensor, place: str) -> tuple[float, int]:
    if stored.scales.size == 0:
        raise ArtifactUnsupported(f"{place} carries no quantization; {TO_INT8}")
    if stored.scales.size != 1 or stored.zero_points.size != 1:
        raise ArtifactUnsupported(
            f"{place} has {stored.scales.size} scales and {stored.zero_points.size} zero points, expected one of each:"
            " activations are quantized as a whole; convert the model again"
        )
    scale, zero_point = float(stored.scales[0]), int(stored.zero_points[0])
    if not (scale > 0 and math.isfinite(scale)):
        raise ArtifactCorrupt(f"{place} has the scale {scale}, expected a number above 0; export it again")
    low, high = BORDER_ZERO_POINTS[stored.dtype]
    if not low <= zero_point <= high:
        raise ArtifactCorrupt(f"{place} has the zero point {zero_point}, expected {low} to {high}; export it again")
    return scale, zero_point
