"""What a file computes in, told before its operators are read: one sentence instead of the first odd tensor."""

from edgedigits_exporters.microcontroller.reading.stored import StoredModel
from edgedigits_exporters.microcontroller.reading.values import TO_INT8
from edgedigits_runtime.errors import ArtifactUnsupported

FLOATS = ("FLOAT32", "FLOAT16", "BFLOAT16", "FLOAT64")
BYTES = ("INT8", "UINT8")
BORDER = "set inference_input_type and inference_output_type of the converter to tf.int8"


def refuse_other_precisions(model: StoredModel) -> None:
    """Refuse files that do not compute in int8 from their input to their output.

    Raises:
        ArtifactUnsupported: a float, float16, dynamic-range or int16 model, or one with a float border.
    """
    computed = {
        model.tensors[index].dtype: operator for operator in reversed(model.operators) for index in operator.outputs
    }
    constants = {tensor.dtype for tensor in model.tensors if tensor.content.size}
    border = {model.tensors[index].dtype for index in (model.input, model.output)}
    if "INT16" in computed or "INT16" in border:
        raise ArtifactUnsupported(f"{model.source} has int16 activations, expected int8; {TO_INT8}")
    if border & set(FLOATS):
        name = next(iter(border & set(FLOATS))).lower()
        if any(dtype in computed for dtype in BYTES):
            raise ArtifactUnsupported(
                f"{model.source} computes in int8 but takes or gives {name}; {BORDER}, or export it with"
                " --precision int8"
            )
        if "INT8" in constants:
            raise ArtifactUnsupported(
                f"{model.source} has int8 weights but {name} activations (dynamic-range quantization), expected int8"
                f" activations; {TO_INT8}"
            )
        weights = "FLOAT16" if "FLOAT16" in constants else "FLOAT32"
        raise ArtifactUnsupported(f"{model.source} is a {weights.lower()} model, expected int8; {TO_INT8}")
