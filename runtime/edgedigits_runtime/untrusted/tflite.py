"""Check a `.tflite` file before LiteRT opens it: its offsets, its indices, its sizes and its operators."""

import math

from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactUnsupported
from edgedigits_runtime.untrusted import limits
from edgedigits_runtime.untrusted.tflite_model import (
    StoredModel,
    StoredOperator,
    StoredTensor,
    corrupt,
    format_shape,
    read_model,
)
from edgedigits_runtime.untrusted.tflite_numbers import Known
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
from edgedigits_runtime.untrusted.tflite_shapes import LSTM, UnknownNumbers
from edgedigits_runtime.untrusted.tflite_types import types_fit

ALLOWED = {
    "padding": PADDINGS,
    "fused_activation_function": ACTIVATIONS,
    "weights_format": range(2),
    **dict.fromkeys(("stride_w", "stride_h", "dilation_w_factor", "dilation_h_factor"), COUNTS),
    **dict.fromkeys(("filter_width", "filter_height", "depth_multiplier", "values_count", "radius"), COUNTS),
    **dict.fromkeys(("block_size", "num", "num_splits"), COUNTS),
    "mode": range(2),
    # LiteRT reads out of bounds in a slice that states its end as an offset.
    **dict.fromkeys(("diagonal_recurrent_tensors", "offset"), (False,)),
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


SUM_SHIFTS = {"ADD": {"INT8": 20, "UINT8": 20, "INT16": 15}, "SQUARED_DIFFERENCE": {"INT8": 14, "INT16": 14}}
"""Bits by which a kernel scales up its inputs; LiteRT ends the process where the outputs need more."""


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


def check_model(model: StoredModel) -> Known:
    """Check types, sizes, quantization, operators and shapes; return what is known of its tensors.

    Raises:
        ArtifactCorrupt, ArtifactUnsupported: as `check`.
    """
    unknown = dict.fromkeys(kind.name for kind in model.kinds if kind.number not in OPERATORS)
    if unknown:
        raise ArtifactUnsupported(
            f"{model.source} holds the operator {', '.join(unknown)}, which is not supported; convert the model with"
            " the built-in operators of image classifiers"
        )
    memories = [operator for operator in model.operators if operator.name == LSTM]
    states = {index for operator in memories for index in operator.inputs[18:20] if index >= 0}
    states = {index for index in states if model.tensors[index].is_variable}
    inside = {index for operator in memories for index in operator.intermediates} - {*model.inputs, *states}
    for tensor in model.tensors:
        _check_tensor(tensor, model.source, is_used=tensor.index not in inside)
        if tensor.is_variable and tensor.index not in states:
            raise ArtifactUnsupported(f"{model.source} holds a variable, tensor {tensor.index}; convert it without")
    inputs, outputs = model.inputs, model.outputs
    if len(inputs) != 1 or not outputs:
        raise ArtifactUnsupported(
            f"{model.source} has {len(inputs)} inputs and {len(outputs)} outputs, expected 1 and 1; split the model"
        )
    known = Known(model)
    for index in (inputs[0], *states):
        if known.shapes[index] is not None:
            raise corrupt(model.source, "its input is a constant, or a state")
        known.add(model.tensors[index], model.tensors[index].shape)
    for operator in model.operators:
        _check_operator(model, operator, known)
    # Constants are in the file; tensors that no operator makes may take memory as well.
    if max(known.bytes, sum(tensor.bytes for tensor in model.tensors if not tensor.data)) > limits.ACTIVATIONS_BYTES:
        raise ArtifactUnsupported(
            f"{model.source} needs more than {limits.ACTIVATIONS_BYTES:,} bytes for its activations"
        )
    if any(known.shapes[index] is None for index in outputs):
        raise corrupt(model.source, "no operator makes its output")
    return known


def _check_tensor(tensor: StoredTensor, source: str, is_used: bool) -> None:
    where, shape, signature = f"tensor {tensor.index}", tensor.shape, tensor.signature
    if tensor.dtype not in WIDTHS:
        raise ArtifactUnsupported(f"{source} holds numbers of {tensor.dtype} in {where}; expected {', '.join(WIDTHS)}")
    if tensor.oddity:
        raise ArtifactUnsupported(f"{source} holds a tensor that is {tensor.oddity}, {where}; convert it again without")
    if is_used and any(size < 1 for size in shape):
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
    _check_scales(tensor, source)
    if problem := _quantization_problem(tensor):
        raise corrupt(source, f"{where} has {problem}")


def _check_scales(tensor: StoredTensor, source: str) -> None:
    """Check that there is one scale, or one for each index along an axis, and a zero point for each."""
    scales, zero_points, axis = tensor.quantization.scales, tensor.quantization.zero_points, tensor.quantization.axis
    along_axis = tensor.shape[axis] if 0 <= axis < len(tensor.shape) else 1
    if len(scales) not in (0, 1, along_axis):
        taken = "1" if along_axis == 1 else f"1 or {along_axis}"
        raise ArtifactCorrupt(
            f"{source}: {tensor.label} of shape {format_shape(tensor.shape)} has {len(scales)} scales along dimension"
            f" {axis}, LiteRT takes {taken}; its converter stated a wrong dimension or number, use another"
        )
    if len(zero_points) != len(scales):
        raise ArtifactCorrupt(
            f"{source}: {tensor.label} has {len(scales)} scales and {len(zero_points)} zero points, LiteRT takes as"
            " many of each; convert it again"
        )


def _quantization_problem(tensor: StoredTensor) -> str:
    smallest = SMALLEST_CONSTANT_SCALE if tensor.data else SMALLEST_SCALE
    for scale in tensor.quantization.scales:
        if not smallest <= scale <= 1 / SMALLEST_SCALE:
            return f"the scale {scale:g}"
    allowed = ZERO_POINTS.get(tensor.dtype, range(1))
    outside = [zero_point for zero_point in tensor.quantization.zero_points if zero_point not in allowed]
    return f"the zero point {outside[0]}" if outside else ""


def _check_operator(model: StoredModel, operator: StoredOperator, known: Known) -> None:
    spec = OPERATORS[operator.kind.number]
    problem = _operand_problem(operator, spec, known)
    if problem:
        raise corrupt(model.source, f"{operator.where} {problem}")
    if operator.options.is_later_kind:
        raise ArtifactUnsupported(f"{model.source}: {operator.where} has options of a later schema")
    try:
        problem = (
            _options_problem(operator, spec)
            or _beta_problem(operator, model.tensors[operator.inputs[0]])
            or _types_problem(operator, model)
            or _sum_problem(operator, model)
            or known.run(operator)
        )
    except UnknownNumbers as error:
        raise ArtifactUnsupported(
            f"{model.source}: the shape of {operator.where} is not fixed, {error}; convert the model with a fixed shape"
        ) from error
    if problem:
        raise corrupt(model.source, f"{operator.where} {problem}")


def _operand_problem(operator: StoredOperator, spec: OperatorSpec, known: Known) -> str:
    """Return an input that is missing when the operator runs, or an output that it would overwrite."""
    inputs, outputs = operator.inputs, operator.outputs
    fewest, most = spec.inputs
    if not fewest <= len(inputs) <= most or not 1 <= len(outputs) <= spec.most_outputs:
        return f"has {len(inputs)} inputs and {len(outputs)} outputs"
    # Only the last ones, such as a bias, may be left out; the shapes of an LSTM are checked with its own.
    if -1 in inputs[: 1 if operator.name == LSTM else fewest]:
        return f"lacks input {inputs.index(-1)}"
    for index in inputs:
        if index != -1 and known.shapes[index] is None:
            return f"reads tensor {index}, which no operator before it makes"
    # Converters with float16 weights set the state of an LSTM by an operator.
    made = [index for index in outputs if known.shapes[index] is not None]
    written = next((index for index in made if not known.tensors[index].is_variable), None)
    if written is None and len(set(outputs)) < len(outputs):
        written = outputs[0]
    return "" if written is None else f"writes over tensor {written}"


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


def _sum_problem(operator: StoredOperator, model: StoredModel) -> str:
    """Return scales of an integer sum for which LiteRT has no multiplier below 1 (kernels/add.cc, Prepare)."""
    output = model.tensors[operator.outputs[0]]
    shift = SUM_SHIFTS.get(operator.name, {}).get(output.dtype)
    scales = [model.tensors[index].quantization.scales[:1] for index in (*operator.inputs, output.index)]
    if shift is None or not all(scales):
        return ""
    *taken, (made,) = scales
    twice = 2 * max(scale for (scale,) in taken)
    steps = twice if operator.name == "ADD" else twice**2
    return "" if steps < made * 2**shift else f"has the scale {made:g} for inputs in steps of {twice / 2:g}"


def _types_problem(operator: StoredOperator, model: StoredModel) -> str:
    types = [
        model.tensors[index].dtype if index != -1 else ""
        for index in operator.inputs
        if index != -1 or operator.name == LSTM
    ]
    made = {model.tensors[index].dtype for index in operator.outputs}
    if operator.name == LSTM and (problem := _lstm_problem(operator, model)):
        return problem
    wrong = [dtype for dtype in made if not types_fit(operator.name, types, dtype)]
    return f"makes {wrong[0]} of {', '.join(filter(None, types))}" if wrong else ""


def _lstm_problem(operator: StoredOperator, model: StoredModel) -> str:
    """Return a state that is no variable, or what an integer LSTM lacks: its kernel reads the last intermediate."""
    if not all(index >= 0 and model.tensors[index].is_variable for index in operator.inputs[18:20]):
        return "has a state that is not a variable"
    scales = [len(model.tensors[index].quantization.scales) for index in operator.intermediates]
    if model.tensors[operator.inputs[0]].dtype == "FLOAT32" or (scales[4:] == [1] and max(scales) == 1):
        return ""
    return f"has intermediates with {scales} scales"


def _fits(signature: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether a signature, -1 where a dimension is free, goes with a shape."""
    return len(signature) == len(shape) and all(one in (-1, size) for one, size in zip(signature, shape, strict=True))
