"""The operands of operators: activations by their place in the file, constants, and whole numbers for shapes.

A model reaches this module after edgedigits_runtime.untrusted.tflite.check_model, so indices exist, buffers have the
size of their tensors, and each input is a constant or made by an earlier operator.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_exporters.microcontroller.graph import Constant, Tensor
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactUnsupported
from edgedigits_runtime.untrusted.tflite_model import StoredModel, StoredOperator, StoredTensor, format_shape
from edgedigits_runtime.untrusted.tflite_numbers import MOST_NUMBERS, Known
from edgedigits_runtime.untrusted.tflite_shapes import Numbers

TO_INT8 = "export it with --precision int8, or convert it with full int8 quantization"
STATIC = "convert the model with a fixed input shape"
ONE_BATCH = "convert the model with a batch of 1, as in keras.Input(batch_shape=(1, ...))"
BYTES = ("INT8", "UINT8")


class Values:
    """The tensors of a model, as far as operators have computed them; `known` is from its check."""

    def __init__(self, model: StoredModel, known: Known) -> None:
        self._stored = model.tensors
        self._known = known
        self._activations: dict[int, Tensor] = {}
        self._make_activation(model.inputs[0], "the input")

    def stored_input(self, operator: StoredOperator, slot: int) -> StoredTensor:
        """Return an input as the file describes it."""
        if slot >= len(operator.inputs) or operator.inputs[slot] == -1:
            raise ArtifactCorrupt(f"{operator.where} lacks input {slot}; export it again")
        return self._stored[operator.inputs[slot]]

    def stored_output(self, operator: StoredOperator) -> StoredTensor:
        """Return the output as the file describes it."""
        return self._stored[operator.outputs[0]]

    def find_activation(self, index: int) -> Tensor | None:
        """Return the activation that is computed at an index; None for constants and shapes."""
        return self._activations.get(index)

    def activation(self, operator: StoredOperator, slot: int, dtypes: tuple[str, ...] = ("INT8",)) -> Tensor:
        """Return the activation that an operator reads.

        Raises:
            ArtifactUnsupported: a constant, or another type.
        """
        stored = self.stored_input(operator, slot)
        if stored.index not in self._activations:
            raise ArtifactUnsupported(
                f"{operator.where}: input {slot}, {stored.label}, is a constant, expected an activation; fold the"
                " constant into the layer before it"
            )
        _require_dtype(operator, stored, dtypes)
        return self._activations[stored.index]

    def operand(self, operator: StoredOperator, slot: int) -> Tensor:
        """Return an activation or a constant, in a shape that LiteRT broadcasts to that of the output.

        Raises:
            ArtifactUnsupported: another type, a quantization that is missing or per axis, or fewer dimensions than
                those of the output if rows would differ.
        """
        stored, rank = self.stored_input(operator, slot), len(self.stored_output(operator).shape)
        # A missing dimension is one of size 1 before the others.
        shape = (1,) * (rank - len(stored.shape)) + stored.shape
        place = f"{operator.where}: input {slot}, {stored.label},"
        aligned = _as_picture(shape[1:] if rank > 1 else shape, place)
        if not stored.data:
            activation = self.activation(operator, slot)
            if activation.shape != aligned:
                raise ArtifactUnsupported(
                    f"{place} has the shape {format_shape(stored.shape)} for an output of {rank} dimensions; reshape it"
                    f" to {rank} dimensions before"
                )
            return activation
        _require_dtype(operator, stored, ("INT8",))
        values = constant(stored).reshape(aligned)
        return Constant(stored.name, aligned, *_tensor_quantization(stored, place), values)

    def make(self, operator: StoredOperator, dtypes: tuple[str, ...] = ("INT8",)) -> Tensor:
        """Return the activation that an operator computes.

        Raises:
            ArtifactUnsupported: another type, a dynamic shape, or a quantization that is missing or per axis.
        """
        _require_dtype(operator, self.stored_output(operator), dtypes)
        return self._make_activation(operator.outputs[0], operator.where)

    def numbers(self, operator: StoredOperator, slot: int) -> Numbers:
        """Return whole numbers that describe a shape: a constant of the file, or one folded from others.

        Raises:
            ArtifactUnsupported: other values.
        """
        stored = self.stored_input(operator, slot)
        if stored.index in self._activations:
            raise ArtifactUnsupported(
                f"{operator.where} takes values of the network, {stored.label}, which C lacks: it computes"
                f" {operator.name} of shapes only; leave it out of the network, or use --format tflite or c-array"
            )
        if (numbers := self._known.numbers(stored.index)) is None:
            raise ArtifactUnsupported(
                f"{operator.where}: input {slot}, {stored.label}, is {stored.dtype} of shape {list(stored.shape)},"
                f" expected at most {MOST_NUMBERS} constant integers; {STATIC}"
            )
        return numbers

    def computed_shape(self, operator: StoredOperator) -> tuple[int, ...]:
        """Return the shape of the output as LiteRT computes it."""
        return self._known.shapes[operator.outputs[0]] or ()

    def is_folded(self, operator: StoredOperator) -> bool:
        """Whether the output is whole numbers that are known without the picture."""
        return self._known.numbers(operator.outputs[0]) is not None

    def constant_input(self, operator: StoredOperator, slot: int) -> StoredTensor | None:
        """Return a weight or bias; None where it is left out.

        Raises:
            ArtifactUnsupported: the network computes it.
        """
        if slot >= len(operator.inputs) or operator.inputs[slot] == -1:
            return None
        stored = self._stored[operator.inputs[slot]]
        if not stored.data:
            raise ArtifactUnsupported(
                f"{operator.where}: input {slot}, {stored.label}, is computed by the network, expected a constant"
            )
        return stored

    def _make_activation(self, index: int, where: str) -> Tensor:
        stored = self._stored[index]
        place = f"{where}, {stored.label},"
        if stored.dtype not in BYTES:
            raise ArtifactUnsupported(f"{place} is {stored.dtype}, expected INT8; {TO_INT8}")
        scale, zero_point = _tensor_quantization(stored, place)
        # A uint8 value is the int8 one plus 128: the stored bytes differ in one bit and the arithmetic is the same.
        zero_point -= 128 * (stored.dtype == "UINT8")
        self._activations[index] = Tensor(stored.name, _picture_shape(stored, place), scale, zero_point)
        return self._activations[index]


def constant(stored: StoredTensor) -> NDArray[Any]:
    """Return the values of a constant of integers, in its shape."""
    dtype = np.dtype(stored.dtype.lower())
    return np.frombuffer(stored.data, dtype.newbyteorder("<")).astype(dtype).reshape(stored.shape)


def options_of(operator: StoredOperator) -> dict[str, Any]:
    """Return an operator's attributes.

    Raises:
        ArtifactCorrupt: it has none.
    """
    if operator.options.values is None:
        raise ArtifactCorrupt(f"{operator.where} has no options; export it again")
    return dict(operator.options.values)


def require_shape(operator: StoredOperator, output: Tensor, expected: tuple[int, int, int]) -> None:
    """Refuse an output whose shape does not follow from the inputs."""
    if output.shape != expected:
        raise ArtifactCorrupt(
            f"{operator.where} makes {format_sides(expected)}, the file has {format_sides(output.shape)};"
            " export it again"
        )


def require_same_quantization(operator: StoredOperator, source: Tensor, output: Tensor) -> None:
    """Refuse a change of scale in an operator that TFLite runs as a copy.

    Tolerance: tensorflow/lite/kernels/pooling.cc.
    """
    if abs(source.scale - output.scale) > 1e-6 or source.zero_point != output.zero_point:
        raise ArtifactUnsupported(
            f"{operator.where} has the scale {source.scale:.6g} and zero point {source.zero_point} before and"
            f" {output.scale:.6g} and {output.zero_point} after, expected the same; convert the model again"
        )


def format_sides(sides: tuple[int, ...]) -> str:
    """Return sides such as 28x28x1."""
    return "x".join(map(str, sides))


def _require_dtype(operator: StoredOperator, stored: StoredTensor, dtypes: tuple[str, ...]) -> None:
    if stored.dtype not in dtypes:
        raise ArtifactUnsupported(
            f"{operator.where}: {stored.label} is {stored.dtype}, expected {' or '.join(dtypes)}; {TO_INT8}"
        )


def _picture_shape(stored: StoredTensor, place: str) -> tuple[int, int, int]:
    """Return the file's shape as height, width and channels; [1, h, w] is a picture of one channel."""
    shape = stored.shape
    # The first of several dimensions is the batch.
    free = stored.signature[1:] if len(shape) > 1 else stored.signature
    if -1 in free:
        raise ArtifactUnsupported(f"{place} has the dynamic shape {list(stored.signature)}; {STATIC}")
    if len(shape) > 1 and shape[0] != 1:
        raise ArtifactUnsupported(f"{place} has the shape {list(shape)} with a batch of {shape[0]}; {ONE_BATCH}")
    return _as_picture(shape[1:] if len(shape) > 1 else shape, place)


def _as_picture(sizes: tuple[int, ...], place: str) -> tuple[int, int, int]:
    """Return the sizes behind the batch as height, width and channels."""
    if len(sizes) not in (1, 2, 3):
        raise ArtifactUnsupported(
            f"{place} has {len(sizes) + 1} dimensions, expected 2 to 4, as in [1, height, width, channels]"
        )
    height, width, channels = {1: (1, 1, *sizes), 2: (*sizes, 1), 3: sizes}[len(sizes)]
    return height, width, channels


def _tensor_quantization(stored: StoredTensor, place: str) -> tuple[float, int]:
    scales, zero_points = stored.quantization.scales, stored.quantization.zero_points
    if not scales:
        raise ArtifactUnsupported(f"{place} has no quantization; {TO_INT8}")
    if len(scales) != 1 or len(zero_points) != 1:
        raise ArtifactUnsupported(
            f"{place} has {len(scales)} scales and {len(zero_points)} zero points, expected one of each;"
            " convert the model again"
        )
    return scales[0], zero_points[0]
