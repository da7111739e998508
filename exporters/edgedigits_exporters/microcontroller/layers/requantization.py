"""How a sum of products becomes a stored value: the constants of kernels/requantize_*.c."""

import numpy as np
from numpy.typing import NDArray

from edgedigits_exporters.microcontroller.activations import Kernels, limits
from edgedigits_exporters.microcontroller.graph import Convolution
from edgedigits_exporters.microcontroller.layers.fixed_point import fixed_point
from edgedigits_exporters.microcontroller.layers.layer import STORED, refused
from edgedigits_exporters.microcontroller.writing import literals

KERNELS = {
    "xnnpack": ("limited", "round_xnnpack", "requantize_xnnpack"),
    "reference": ("limited", "round_reference", "scale_reference", "requantize_reference"),
}
"""Files under kernels/."""

LARGEST_RESULT = 2**22
"""Steps of the output, before limits, up to which kernels/round_xnnpack.c rounds right and nothing overflows."""


def constants(
    operator: Convolution, axes: tuple[int, ...], number: int | str, kernels: Kernels, *, folded: bool = True
) -> str:
    """Return the definitions of the arrays; the weights of a channel lie along `axes`.

    `folded`: whether the sums will be of values as they are stored, and not of these less the input's zero.
    """
    bias = literals.array("int32_t", f"bias_{number}", folded_bias(operator, axes) if folded else operator.bias)
    if kernels == "xnnpack":
        return "\n".join([bias, literals.array("float", f"scale_{number}", scales(operator))])
    pairs = np.array([fixed_point(scale) for scale in exact_scales(operator)])
    return "\n".join(
        [
            bias,
            literals.array("int32_t", f"multiplier_{number}", pairs[:, 0]),
            literals.array("int8_t", f"shift_{number}", pairs[:, 1]),
        ]
    )


def fields(operator: Convolution, number: int | str, kernels: Kernels) -> str:
    """Return the initialiser of a C requantization."""
    arrays = ("bias", "scale") if kernels == "xnnpack" else ("bias", "multiplier", "shift")
    named = {array: f"{array}_{number}" for array in arrays}
    return literals.initialiser({**named, **output_fields(operator, kernels)})


def output_fields(operator: Convolution, kernels: Kernels) -> dict[str, str]:
    """Return the zero point of the output and its limits, as C stores them."""
    low, high = limits(operator.activation, operator.output, kernels)
    return {
        "zero": str(operator.output.zero_point + STORED),
        "low": str(low + STORED),
        "high": str(high + STORED),
    }


def folded_bias(operator: Convolution, axes: tuple[int, ...]) -> NDArray[np.int64]:
    """Return the bias less what the input's zero adds to each sum of products with stored values."""
    zero = operator.inputs[0].zero_point + STORED
    folded: NDArray[np.int64] = operator.bias.astype(np.int64) - zero * _real_weights(operator).sum(axes)
    return folded


def scales(operator: Convolution) -> NDArray[np.float32]:
    """Return what turns a sum into steps of the output: float32 at every step, as XNNPACK computes it."""
    product = np.float32(operator.inputs[0].scale) * operator.weight_scales.astype(np.float32)
    return np.asarray(product / np.float32(operator.output.scale), np.float32)


def exact_scales(operator: Convolution) -> list[float]:
    """Return what turns a sum into steps of the output: in double, as the reference kernels compute it."""
    taken, made = (float(np.float32(tensor.scale)) for tensor in (operator.inputs[0], operator.output))
    return [taken * float(scale) / made for scale in operator.weight_scales.astype(np.float32)]


def require_small_results(operator: Convolution, axes: tuple[int, ...]) -> None:
    """Refuse weights and biases whose sums, in steps of the output, may be too large to round.

    Raises:
        ArtifactUnsupported: such a channel.
    """
    zero, weights = operator.inputs[0].zero_point, _real_weights(operator)
    ends = [weights * (end - zero) for end in (-128, 127)]
    bias = operator.bias.astype(np.int64)
    largest = np.maximum(*ends).sum(axes) + bias
    smallest = np.minimum(*ends).sum(axes) + bias
    results = np.maximum(np.abs(largest), np.abs(smallest)) * np.array(exact_scales(operator))
    if (worst := float(results.max())) >= LARGEST_RESULT:
        raise refused(
            operator,
            f"may come to {worst:.3g} steps of its output's scale before it is limited to int8, expected below"
            f" {LARGEST_RESULT}; calibrate the model with pictures like those that it will see",
        )


def _real_weights(operator: Convolution) -> NDArray[np.int64]:
    return operator.weights.astype(np.int64) - operator.weights_zero_point
