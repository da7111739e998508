"""Parse an int8 `.tflite` file into a graph."""

import dataclasses
import math
from collections.abc import Iterable

from edgedigits_exporters.microcontroller.graph import Graph, Operator, Tensor
from edgedigits_exporters.microcontroller.operators import OPERATORS, load_operator
from edgedigits_exporters.microcontroller.operators.reshape import Reshape
from edgedigits_exporters.microcontroller.resizing import resized
from edgedigits_exporters.microcontroller.values import BYTES, TO_INT8, Values, format_sides
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactUnsupported
from edgedigits_runtime.untrusted.tflite import check_model
from edgedigits_runtime.untrusted.tflite_model import StoredModel, StoredOperator, read_model, single_ends
from edgedigits_runtime.untrusted.tflite_numbers import Known
from edgedigits_runtime.untrusted.tflite_schema import OPERATOR_NAMES

FLOATS = ("FLOAT32", "FLOAT16", "BFLOAT16", "FLOAT64")
INT8_ENDS = "set inference_input_type and inference_output_type of the converter to tf.int8"


def read_graph(content: bytes, source: str, image: tuple[int, int, int] | None = None) -> Graph:
    """Return the network of a `.tflite` file's bytes; a contract behind them is ignored.

    Args:
        content: the file.
        source: names the file in messages.
        image: height, width and channels of the picture, whose pixels the input has in this order and perhaps in
            another shape, such as [1, values]; None takes them from the input.

    Raises:
        ArtifactCorrupt: not a TFLite file, a damaged one, or one that contradicts itself.
        ArtifactUnsupported: other types than int8, an operator or attribute that the exporter lacks, a dynamic shape,
            several graphs, inputs or outputs.
    """
    return _graph(load_model(content, source), image)


def read_resized_graph(content: bytes, source: str, size: tuple[int, int]) -> Graph:
    """Return the network of a `.tflite` file's bytes for pictures of another height and width; see read_graph.

    It may have several outputs.
    """
    return _graph(resized(read_model(content, source), size))


def load_model(content: bytes, source: str) -> StoredModel:
    """Return the model of a `.tflite` file with one input and one output.

    Raises:
        ArtifactCorrupt, ArtifactUnsupported: as `read_graph`, before operators and shapes are checked.
    """
    model = read_model(content, source)
    single_ends(model)
    return model


def _graph(model: StoredModel, image: tuple[int, int, int] | None = None) -> Graph:
    _refuse_unknown_operators(model)
    _refuse_other_precisions(model)
    known = check_model(model)
    try:
        return _graph_of(model, known, image)
    except (ArtifactCorrupt, ArtifactUnsupported) as error:
        # Operators do not name the file.
        raise type(error)(f"{model.source}: {error}") from error


def _graph_of(model: StoredModel, known: Known, image: tuple[int, int, int] | None) -> Graph:
    values = Values(model, known)
    operators = [parsed for operator in model.operators if (parsed := _parse(operator, values)) is not None]
    source, *ends = (values.find_activation(index) for index in (*model.inputs, *model.outputs))
    outputs = tuple(end for end in ends if end is not None)
    if source is None or len(outputs) < len(ends):
        raise ArtifactCorrupt("no operator makes the output; export it again")
    needed = _needed(operators, {id(output) for output in outputs})
    if not any(tensor is source for operator in needed for tensor in operator.inputs):
        raise ArtifactUnsupported("the output does not depend on the input; convert the model again")
    if image is not None and image != source.shape:
        source, reshape = _reshaped(source, image)
        needed.insert(0, reshape)
    return Graph(source, outputs, tuple(needed))


def _reshaped(source: Tensor, image: tuple[int, int, int]) -> tuple[Tensor, Reshape]:
    """Return a picture and the operator that makes the input of it."""
    if math.prod(image) != math.prod(source.shape):
        raise ArtifactUnsupported(
            f"the input has {math.prod(source.shape)} values, and the contract an image of {format_sides(image)};"
            " correct the contract"
        )
    picture = dataclasses.replace(source, shape=image)
    return picture, Reshape("RESHAPE", -1, (picture,), source)


def _parse(operator: StoredOperator, values: Values) -> Operator | None:
    """Return an operator of the graph; None for one on shapes, which is computed here."""
    if operator.name not in OPERATORS:
        raise ArtifactUnsupported(f"{operator.where} is not supported here; keep the model int8 throughout")
    if (slot := operator.options.unknown_field) is not None:
        raise ArtifactUnsupported(
            f"{operator.where} has an attribute of a later schema (field {slot} of {operator.options.name});"
            " convert it with an older TensorFlow, or update edgedigits"
        )
    parsed: Operator | None = load_operator(operator.name).parse(operator, values)
    return parsed


def _refuse_unknown_operators(model: StoredModel) -> None:
    # A model with float input and output is refused by its types, which explains more.
    known = sorted({*OPERATORS} & {*OPERATOR_NAMES})
    unknown = [operator for operator in model.operators if operator.name not in (*known, "DEQUANTIZE")]
    if unknown:
        names = ", ".join(dict.fromkeys(operator.name for operator in unknown))
        raise ArtifactUnsupported(
            f"{model.source}: {unknown[0].where} is not supported; unknown: {names}; known: {', '.join(known)}"
        )


def _refuse_other_precisions(model: StoredModel) -> None:
    """Refuse a file that does not compute in int8 throughout, in one sentence and not by its first wrong tensor."""
    computed = {model.tensors[index].dtype for operator in model.operators for index in operator.outputs}
    constants = {tensor.dtype for tensor in model.tensors if tensor.data}
    ends = {model.tensors[index].dtype for index in (*model.inputs, *model.outputs)}
    if "INT16" in computed | ends:
        raise ArtifactUnsupported(f"{model.source} has int16 activations, expected int8; {TO_INT8}")
    if not (floats := ends & set(FLOATS)):
        return
    name = min(floats).lower()
    if computed & set(BYTES):
        raise ArtifactUnsupported(
            f"{model.source} computes in int8, but its input or output is {name}; {INT8_ENDS}, or export it with"
            " --precision int8"
        )
    if "INT8" in constants:
        raise ArtifactUnsupported(
            f"{model.source} has int8 weights but {name} activations (dynamic-range quantization), expected int8"
            f" activations; {TO_INT8}"
        )
    weights = "float16" if "FLOAT16" in constants else "float32"
    raise ArtifactUnsupported(f"{model.source} is a {weights} model, expected int8; {TO_INT8}")


def _needed(operators: Iterable[Operator], outputs: set[int]) -> list[Operator]:
    """Leave out operators whose output is not read."""
    read = set(outputs)
    needed: list[Operator] = []
    for operator in reversed(list(operators)):
        if id(operator.output) in read:
            needed.insert(0, operator)
            read.update(id(tensor) for tensor in operator.inputs)
    return needed
