"""DEPTH_TO_SPACE, and nearest upsampling, which TFLite files have as copies joined along channels before it."""

from dataclasses import dataclass

from edgedigits_exporters.microcontroller.activation_limits import Kernels
from edgedigits_exporters.microcontroller.graph import Operator
from edgedigits_exporters.microcontroller.layer import Layer, Reads, Source, make_layer, rows_read
from edgedigits_exporters.microcontroller.values import Values, options_of, require_same_quantization
from edgedigits_runtime.untrusted.tflite_model import StoredOperator


@dataclass(frozen=True)
class DepthToSpace(Operator):
    """DEPTH_TO_SPACE: a pixel becomes block x block pixels.

    Args:
        block: see above.
        repeats: whether each of them is the whole pixel, as in nearest upsampling, and not a part of its channels.
    """

    block: int
    repeats: bool = False


def parse(operator: StoredOperator, values: Values) -> DepthToSpace:
    """Return a DEPTH_TO_SPACE; its output is quantized as its input is."""
    source, output = values.activation(operator, 0), values.make(operator)
    require_same_quantization(operator, source, output)
    return DepthToSpace(operator.name, operator.position, (source,), output, options_of(operator)["block_size"])


def lower(operator: DepthToSpace, sources: tuple[Source, ...], _kernels: Kernels) -> Layer:
    """Return a DEPTH_TO_SPACE as C."""
    (source,), block = sources, operator.block
    _, width, channels = operator.output.shape
    own = rows_read(source)
    return make_layer(
        operator, sources, ("depth_to_space",), "depth_to_space",
        lambda place: {
            "width": width, "channels": channels, "rows": place.rows,
            "block": block, "pixel": source.tensor.shape[2], "part": 0 if operator.repeats else channels,
            "input_length": source.tensor.shape[1] * source.tensor.shape[2], "input_rows": place.input_rows[0],
        },
        "depth_to_space_row(layer, {input}, y, {output});",
        reads=(Reads(source.stage, lambda y: own.rows(y // block)),),
    )  # fmt: skip
