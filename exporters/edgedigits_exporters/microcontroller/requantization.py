"""From a sum of products to a stored value, as operators/shared/requantize_*.c, and layers that do so."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_exporters.microcontroller import literals
from edgedigits_exporters.microcontroller.activation_limits import Kernels, limits
from edgedigits_exporters.microcontroller.fixed_point import fixed_point
from edgedigits_exporters.microcontroller.graph import Operator
from edgedigits_exporters.microcontroller.layer import (
    STORED,
    Layer,
    Place,
    Source,
    make_layer,
    refused,
    rows_read,
    summary,
    window_fields,
)
from edgedigits_exporters.microcontroller.weights import WeightedOperator

KERNELS = {
    "xnnpack": ("limited", "round_xnnpack", "requantize_xnnpack"),
    "reference": ("limited", "round_reference", "scale_reference", "requantize_reference"),
}
"""C files under operators/shared/."""

LARGEST_RESULT = 2**22
"""Steps of the output, before limits, up to which round_xnnpack.c rounds right and nothing overflows."""


def weighted_layer(
    operator: WeightedOperator,
    sources: tuple[Source, ...],
    kernels: Kernels,
    files: tuple[str, ...],
    structure: str,
    call: str,
    **others: Any,
) -> Layer:
    """Return an operator with weights as C; `files` and `others` are make_layer's.

    Raises:
        ArtifactUnsupported: sums too large to round.
    """
    require_small_results(operator)

    def fields(place: Place) -> dict[str, object]:
        window = window_fields(sources[0].tensor, operator.window, place.input_rows[0], operator.output)
        return weighted_fields(operator, place.number, window, place.rows, kernels)

    return make_layer(
        operator, sources, files, structure, fields, call, arrays=lambda place: arrays(operator, place.number, kernels),
        reads=(rows_read(sources[0], operator.window),), comment=summary(operator, operator.window), **others,
    )  # fmt: skip


def arrays(operator: WeightedOperator, number: int | str, kernels: Kernels) -> list[str]:
    """Return the definitions of the weights, and of the bias and the scales of their sums."""
    bias = folded_bias(operator) if operator.folded else operator.bias
    defined = [
        literals.array("int8_t", f"weights_{number}", operator.weights, spare=operator.spare),
        literals.array("int32_t", f"bias_{number}", bias),
    ]
    if kernels == "xnnpack":
        return [*defined, literals.array("float", f"scale_{number}", scales(operator))]
    pairs = np.array([fixed_point(scale) for scale in exact_scales(operator)])
    return [
        *defined,
        literals.array("int32_t", f"multiplier_{number}", pairs[:, 0]),
        literals.array("int8_t", f"shift_{number}", pairs[:, 1]),
    ]


def weighted_fields(
    operator: WeightedOperator, number: int | str, window: str, rows: int, kernels: Kernels
) -> dict[str, object]:
    """Return the fields of a C structure with weights; `window` is the initialiser of its input_window."""
    _, width, channels = operator.output.shape
    names = ("bias", "scale") if kernels == "xnnpack" else ("bias", "multiplier", "shift")
    named = {array: f"{array}_{number}" for array in names}
    return {
        "in": window,
        "width": width,
        "channels": channels,
        "rows": rows,
        **operator.own_fields,
        "weights": f"weights_{number}",
        "to": literals.initialiser({**named, **output_fields(operator, kernels)}),
    }


def output_fields(operator: WeightedOperator, kernels: Kernels) -> dict[str, int]:
    """Return the zero point of the output and its limits, as C stores them."""
    low, high = limits(operator.activation, operator.output, kernels)
    return {"zero": operator.output.zero_point + STORED, "low": low + STORED, "high": high + STORED}


def folded_bias(operator: WeightedOperator) -> NDArray[np.int64]:
    """Return the bias less what the input's zero point adds to each sum of products with stored values."""
    zero = operator.inputs[0].zero_point + STORED
    folded: NDArray[np.int64] = operator.bias.astype(np.int64) - zero * _real_weights(operator).sum(operator.axes)
    return folded


def scales(operator: WeightedOperator) -> NDArray[np.float32]:
    """Return the steps of the output for each unit of a sum: float32 at every step, as XNNPACK computes them."""
    product = np.float32(operator.inputs[0].scale) * operator.weight_scales.astype(np.float32)
    return np.asarray(product / np.float32(operator.output.scale), np.float32)


def exact_scales(operator: WeightedOperator) -> list[float]:
    """Return the steps of the output for each unit of a sum: in double, as the reference kernels compute them."""
    source, output = (float(np.float32(tensor.scale)) for tensor in (operator.inputs[0], operator.output))
    return [source * float(scale) / output for scale in operator.weight_scales.astype(np.float32)]


def require_small_results(operator: WeightedOperator) -> None:
    """Refuse weights and biases whose sums, in steps of the output, may be too large to round.

    Raises:
        ArtifactUnsupported: such a channel.
    """
    zero, weights = operator.inputs[0].zero_point, _real_weights(operator)
    ends = [weights * (end - zero) for end in (-128, 127)]
    bias = operator.bias.astype(np.int64)
    largest = np.maximum(*ends).sum(operator.axes) + bias
    smallest = np.minimum(*ends).sum(operator.axes) + bias
    results = np.maximum(np.abs(largest), np.abs(smallest)) * np.array(exact_scales(operator))
    require_small(operator, float(results.max()))


def require_small(operator: Operator, largest: float) -> None:
    """Refuse an operator whose largest result, in steps of the output, is too large to round.

    Raises:
        ArtifactUnsupported: it is.
    """
    if largest >= LARGEST_RESULT:
        raise refused(
            operator,
            f"may reach {largest:.3g} steps of its output's scale before it is limited to int8, expected below"
            f" {LARGEST_RESULT}; calibrate the model with pictures like those in use",
        )


def _real_weights(operator: WeightedOperator) -> NDArray[np.int64]:
    return operator.weights.astype(np.int64) - operator.weights_zero_point
