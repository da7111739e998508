"""Read an int8 `.tflite` file into the graph that the compiler works on."""

import importlib
from collections.abc import Iterable

from edgedigits_exporters.microcontroller.graph import Graph, Operator
from edgedigits_exporters.microcontroller.reading.precision import refuse_other_precisions
from edgedigits_exporters.microcontroller.reading.shapes import FOLDERS, fold
from edgedigits_exporters.microcontroller.reading.stored import StoredModel, StoredOperator, load_model
from edgedigits_exporters.microcontroller.reading.values import Values
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactUnsupported

READING = "edgedigits_exporters.microcontroller.reading"
READERS = {
    "ADD": f"{READING}.add",
    "AVERAGE_POOL_2D": f"{READING}.pool",
    "CONV_2D": f"{READING}.convolution",
    "DEPTHWISE_CONV_2D": f"{READING}.depthwise",
    "EXPAND_DIMS": f"{READING}.reshape",
    "FULLY_CONNECTED": f"{READING}.fully_connected",
    "MAX_POOL_2D": f"{READING}.pool",
    "MEAN": f"{READING}.mean",
    "PAD": f"{READING}.pad",
    "PADV2": f"{READING}.pad",
    "QUANTIZE": f"{READING}.clamp",
    "RELU": f"{READING}.clamp",
    "RELU6": f"{READING}.clamp",
    "RESHAPE": f"{READING}.reshape",
    "SOFTMAX": f"{READING}.softmax",
    "SQUEEZE": f"{READING}.reshape",
}
"""Modules by operator, each with read(operator, values) -> Operator."""


def read_graph(content: bytes, source: str) -> Graph:
    """Return the network of a `.tflite` file's bytes; a contract behind them does not matter.

    Args:
        content: the file.
        source: names the file in messages.

    Raises:
        ArtifactCorrupt: no TFLite file, a damaged one, or one that contradicts itself.
        ArtifactUnsupported: whole, but it holds what is not compiled: other types than int8, an operator or
            attribute that is not known, a dynamic shape, several graphs, inputs or outputs.
    """
    model = load_model(content, source)
    _refuse_unknown_operators(model)
    refuse_other_precisions(model)
    values = Values(model)
    operators = [read for operator in model.operators if (read := _read(operator, values)) is not None]
    if not values.has_activation(model.output):
        raise ArtifactCorrupt(f"{source}: no operator makes the output; export it again")
    taken, made = values.made(model.input), values.made(model.output)
    needed = _needed(operators, id(made))
    if not any(tensor is taken for operator in needed for tensor in operator.inputs):
        raise ArtifactUnsupported(f"{source}: its output does not depend on its input; convert the model again")
    dtypes = (model.tensors[index].dtype.lower() for index in (model.input, model.output))
    return Graph(taken, made, tuple(needed), *dtypes)


def _refuse_unknown_operators(model: StoredModel) -> None:
    known = {*READERS, *FOLDERS}
    # The border of a model that computes in floats between is told as such.
    unknown = [operator for operator in model.operators if operator.name not in {*known, "DEQUANTIZE"}]
    if unknown:
        names = ", ".join(dict.fromkeys(operator.name for operator in unknown))
        kind = "a custom operator" if unknown[0].name.startswith("CUSTOM") else "an operator that is not compiled"
        raise ArtifactUnsupported(
            f"{unknown[0].where} is {kind}; not known here: {names}; known: {', '.join(sorted(known))}"
        )


def _read(operator: StoredOperator, values: Values) -> Operator | None:
    """Return an operator for the graph, None for one on shapes."""
    if operator.name in FOLDERS:
        fold(operator, values)
        return None
    if operator.name not in READERS:
        raise ArtifactUnsupported(f"{operator.where} is not compiled; keep the model int8 throughout")
    made: Operator = importlib.import_module(READERS[operator.name]).read(operator, values)
    return made


def _needed(operators: Iterable[Operator], output: int) -> list[Operator]:
    """Leave out operators whose output nobody reads."""
    read = {output}
    needed: list[Operator] = []
    for operator in reversed(list(operators)):
        if id(operator.output) in read:
            needed.insert(0, operator)
            read.update(id(tensor) for tensor in operator.inputs)
    return needed
