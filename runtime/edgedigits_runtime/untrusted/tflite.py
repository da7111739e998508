"""Check a `.tflite` file before LiteRT opens it: its offsets, its indices, its sizes and its operators."""

import math

from edgedigits_runtime.errors import ArtifactUnsupported
from edgedigits_runtime.untrusted import limits
from edgedigits_runtime.untrusted.tflite_model import (
    StoredModel,
    StoredOperator,
    StoredTensor,
    corrupt,
    format_shape,
    read_model,
)
from edgedigits_runtime.untrusted.tflite_schema import (
    ACTIVATIONS,
    COUNTS,
    OPERATORS,
    OPTIONS,
    PADDINGS,
    WIDTHS,
    ZERO_POINTS,
    OperatorSpec,
)
from edgedigits_runtime.untrusted.tflite_shapes import find_shape_problem
from edgedigits_runtime.untrusted.tflite_types import types_fit

ALLOWED = {
    "padding": PADDINGS,
    "fused_activation_function": ACTIVATIONS,
    "weights_format": range(2),
    **dict.fromkeys(("stride_w", "stride_h", "dilation_w_factor", "dilation_h_factor"), COUNTS),
    **dict.fromkeys(("filter_width", "filter_height", "depth_multiplier", "values_count", "radius"), COUNTS),
}
"""Values of the attributes that a kernel uses without checking them."""

SMALLEST_SCALE = 1e-12
"""Smallest scale of an activation; usual scales are 1e-5 to 10. LiteRT ended the process on 1e-45."""

SMALLEST_CONSTANT_SCALE = 1e-30
"""Smallest scale of weights, which may be close to zero."""

SMALLEST_STEP = 2.0**-20
"""Smallest step of a softmax's input.

LiteRT needs more than 2**-26 (kernels/internal/quantization_util.cc, PreprocessSoftmaxScaling).
"""


def check(content: bytes, source: str) -> None:
    """Check the bytes of a `.tflite` file; a contract behind them is ignored.

    Args:
        content: the file.
        source: names the file in messages.

    Raises:
        ArtifactCorrupt: not a TFLite file, or one that contradicts itself.
        ArtifactUnsupported: an operator that OPERATORS lacks, several graphs or inputs, sparse or variable tensors, or
            data outside of the graph.
    """
    check_model(read_model(content, source))


def check_model(model: StoredModel) -> None:
    """Check types, sizes, quantization, operators and shapes.

    Raises:
        ArtifactCorrupt, ArtifactUnsupported: as `check`.
    """
    for kind in model.kinds:
        if kind.number not in OPERATORS:
            raise ArtifactUnsupported(
                f"{model.source} holds the operator {kind.name}, which is not supported; convert the model with the"
                " built-in operators of image classifiers"
            )
    for tensor in model.tensors:
        _check_tensor(tensor, model.source)
    # Constants are in the file.
    if sum(tensor.bytes for tensor in model.tensors if not tensor.data) > limits.ACTIVATIONS_BYTES:
        raise ArtifactUnsupported(
            f"{model.source} needs more than {limits.ACTIVATIONS_BYTES:,} bytes for its activations"
        )
    inputs, outputs = model.inputs, model.outputs
    if len(inputs) != 1 or not outputs:
        raise ArtifactUnsupported(
            f"{model.source} has {len(inputs)} inputs and {len(outputs)} outputs, expected 1 and 1; split the model"
        )
    available = [bool(tensor.data) for tensor in model.tensors]
    if available[inputs[0]]:
        raise corrupt(model.source, "its input is a constant")
    available[inputs[0]] = True
    for operator in model.operators:
        _check_operator(model, operator, available)
    if not all(available[index] for index in outputs):
        raise corrupt(model.source, "no operator makes its output")


def _check_tensor(tensor: StoredTensor, source: str) -> None:
    where, shape, signature = f"tensor {tensor.index}", tensor.shape, tensor.signature
    if tensor.dtype not in WIDTHS:
        raise ArtifactUnsupported(f"{source} holds numbers of {tensor.dtype} in {where}; expected {', '.join(WIDTHS)}")
    if tensor.oddity:
        raise ArtifactUnsupported(f"{source} holds a tensor that is {tensor.oddity}, {where}; convert it again without")
    if any(size < 1 for size in shape):
        raise corrupt(source, f"{where} has the shape {format_shape(shape)}")
    if signature and not _fits(signature, shape):
        raise corrupt(
            source, f"{where} has the shape {format_shape(shape)} and the signature {format_shape(signature)}"
        )
    if tensor.bytes > limits.TENSOR_BYTES:
        raise ArtifactUnsupported(
            f"{source} needs {tensor.bytes:,} bytes for {where}, at most {limits.TENSOR_BYTES:,} are allowed"
        )
    if tensor.data and len(tensor.data) != tensor.bytes:
        raise corrupt(source, f"{where} needs {tensor.bytes} bytes, its buffer has {len(tensor.data)}")
    if problem := _quantization_problem(tensor):
        raise corrupt(source, f"{where} has {problem}")


def _quantization_problem(tensor: StoredTensor) -> str:
    scales, zero_points, axis = tensor.quantization.scales, tensor.quantization.zero_points, tensor.quantization.axis
    along_axis = tensor.shape[axis] if 0 <= axis < len(tensor.shape) else 1
    if len(scales) not in (0, 1, along_axis) or len(zero_points) not in (0, len(scales)):
        return f"{len(scales)} scales and {len(zero_points)} zero points"
    smallest = SMALLEST_CONSTANT_SCALE if tensor.data else SMALLEST_SCALE
    for scale in scales:
        if not smallest <= scale <= 1 / SMALLEST_SCALE:
            return f"the scale {scale:g}"
    allowed = ZERO_POINTS.get(tensor.dtype, range(1))
    outside = [zero_point for zero_point in zero_points if zero_point not in allowed]
    return f"the zero point {outside[0]}" if outside else ""


def _check_operator(model: StoredModel, operator: StoredOperator, available: list[bool]) -> None:
    spec = OPERATORS[operator.kind.number]
    problem = _operand_problem(operator, spec, available)
    if problem:
        raise corrupt(model.source, f"{operator.where} {problem}")
    available[operator.outputs[0]] = True
    if operator.options.is_later_kind:
        raise ArtifactUnsupported(f"{model.source}: {operator.where} has options of a later schema")
    inputs = [model.tensors[index] for index in operator.inputs if index != -1]
    output = model.tensors[operator.outputs[0]]
    problem = (
        _options_problem(operator, spec)
        or _beta_problem(operator, inputs[0])
        or _types_problem(operator, inputs, output)
        or find_shape_problem(operator.name, inputs, output, operator.options.values or {})
    )
    if problem:
        raise corrupt(model.source, f"{operator.where} {problem}")


def _operand_problem(operator: StoredOperator, spec: OperatorSpec, available: list[bool]) -> str:
    """Return an input that is missing when the operator runs, or an output that it would overwrite."""
    inputs, outputs = operator.inputs, operator.outputs
    fewest, most = spec.inputs
    if not fewest <= len(inputs) <= most or len(outputs) != 1:
        return f"has {len(inputs)} inputs and {len(outputs)} outputs"
    # Only the last ones, such as a bias, may be left out.
    if -1 in inputs[:fewest]:
        return f"lacks input {inputs.index(-1)}"
    for index in inputs:
        if index != -1 and not available[index]:
            return f"reads tensor {index}, which no operator before it makes"
    return f"writes over tensor {outputs[0]}" if available[outputs[0]] else ""


def _options_problem(operator: StoredOperator, spec: OperatorSpec) -> str:
    options = operator.options
    if options.number not in (0, spec.options) or (
        spec.needs_options and not (options.number and options.values is not None)
    ):
        wanted = OPTIONS[spec.options][0] if spec.options else "no options"
        return f"has {options.name if options.values is not None else 'no options'}, expected {wanted}"
    for name, value in (options.values or {}).items():
        if name in ALLOWED and value not in ALLOWED[name]:
            return f"has {name} {value}"
        if isinstance(value, float) and not math.isfinite(value):
            return f"has {name} {value}"
    return ""


def _beta_problem(operator: StoredOperator, first: StoredTensor) -> str:
    """Return a scaling of the inputs of an integer softmax that is so small that LiteRT ends the process."""
    if operator.name not in ("SOFTMAX", "LOG_SOFTMAX"):
        return ""
    beta = (operator.options.values or {}).get("beta", 1.0)
    scales = first.quantization.scales
    if all(SMALLEST_STEP < beta * scale < 1 / SMALLEST_STEP for scale in (1.0, *scales)):
        return ""
    return f"has the beta {beta:g} for inputs in steps of {scales[0] if scales else 1:g}"


def _types_problem(operator: StoredOperator, inputs: list[StoredTensor], output: StoredTensor) -> str:
    types = [tensor.dtype for tensor in inputs]
    return "" if types_fit(operator.name, types, output.dtype) else f"makes {output.dtype} of {', '.join(types)}"


def _fits(signature: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether a signature, -1 where a dimension is free, goes with a shape."""
    return len(signature) == len(shape) and all(one in (-1, size) for one, size in zip(signature, shape, strict=True))
