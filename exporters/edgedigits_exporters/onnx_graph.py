"""Clean the graph of tf2onnx: its names, the shape arithmetic and transposes around a flattening, and zero states.

TensorFlow flattens [N, H, W, C]; ONNX convolutions return [N, C, H, W]. tf2onnx inserts a Transpose between them and
computes the shape at run time. The cleaned graph flattens [N, C, H, W], and the rows of the weights after it are
reordered instead; the products and sums are the same.
"""

import math
from collections import Counter
from typing import Any

import numpy as np

from edgedigits_runtime.errors import ConversionFailed, GraphUnsupported

TO_NHWC, TO_NCHW = [0, 2, 3, 1], [0, 3, 1, 2]
ELEMENTWISE = ("Relu", "Clip", "LeakyRelu", "Sigmoid", "Tanh", "Identity")
PER_FEATURE = ("Add", "Sub", "Mul", "Div")
"""Operators of a batch normalisation, with a vector of one entry for each feature, or a scalar."""


LEFTOVERS = ("Shape", "Gather", "Slice", "Concat", "Transpose")

CONVERTING = ("Cast", "QuantizeLinear", "DequantizeLinear")

LSTM_STATES = (5, 6)
"""The inputs of an LSTM that hold its first states."""


def clean(model: Any, *, strict: bool = True) -> Any:
    """Return the model with input "image" and output "probabilities", a free batch, and a graph as static as possible.

    Args:
        model: is changed.
        strict: refuse a graph that keeps a Transpose or shape arithmetic, which is valid but slower.

    Raises:
        ConversionFailed: the graph has operators that ONNX does not define, or another number of inputs or outputs.
        GraphUnsupported: `strict`, and a Transpose or an operator of shape arithmetic is left.
    """
    import onnx

    _refuse_unknown(model)
    _flatten_in_place(model, strict)
    _drop_zero_states(model)
    remove_unused(model)
    _name_ends(model)
    if strict and leftovers(model):
        found = ", ".join(f"{node.op_type} ({node.name})" for node in leftovers(model))
        raise GraphUnsupported(
            f"the ONNX graph has {found}; this network needs a cleaning rule in edgedigits_exporters/onnx_graph.py"
        )
    model.graph.name = "edgedigits"
    model.producer_name = "edgedigits"
    # These shapes were inferred before the changes.
    del model.graph.value_info[:]
    return onnx.shape_inference.infer_shapes(model)


def leftovers(model: Any) -> list[Any]:
    """Return the operators of a cleaned graph that only move pixels or compute shapes.

    The Transpose of a colour image at the input is none: convolutions take [N, C, H, W].
    """
    producers = {output: node for node in model.graph.node for output in node.output}

    def is_image(tensor: str) -> bool:
        node = producers.get(tensor)
        return tensor == "image" if node is None else node.op_type in CONVERTING and is_image(node.input[0])

    return [
        node
        for node in model.graph.node
        if node.op_type in LEFTOVERS
        and not (node.op_type == "Transpose" and _perm(node) == TO_NCHW and is_image(node.input[0]))
    ]


def describe(found: list[Any]) -> str:
    """Return operators by type, such as "2 Transpose and 1 Slice"."""
    counts = [f"{count} {name}" for name, count in Counter(node.op_type for node in found).items()]
    return " and ".join(filter(None, [", ".join(counts[:-1]), counts[-1]]))


def _refuse_unknown(model: Any) -> None:
    """Refuse operators of TensorFlow that tf2onnx left as they are, and further inputs."""
    import onnx

    unknown = sorted({node.op_type for node in model.graph.node if not onnx.defs.has(node.op_type, node.domain)})
    if unknown:
        raise ConversionFailed(
            f"tf2onnx has no translation of TensorFlow's {', '.join(unknown)}; export to tflite, or replace the layers"
            " that compute them"
        )
    counts = len(model.graph.input), len(model.graph.output)
    if counts != (1, 1):
        raise ConversionFailed(f"expected an ONNX graph with one input and one output, got {counts[0]} and {counts[1]}")


def _flatten_in_place(model: Any, strict: bool) -> None:
    """Replace each Reshape to a matrix by a Flatten, and merge the Transpose before it into the weights after it.

    Where the weights cannot be reordered and `strict` is false, the Transpose stays.
    """
    import onnx

    graph = model.graph
    shapes = _shapes(model)
    for position, node in enumerate(list(graph.node)):
        if node.op_type != "Reshape" or len(shapes.get(node.output[0], ())) != 2:
            continue
        source = node.input[0]
        features, width = math.prod(shapes.get(source, ())[1:]), shapes[node.output[0]][1]
        if features and width and features != width:
            continue  # A Reshape that moves pixels into the batch is not a Flatten.
        transpose = next((other for other in graph.node if source in other.output), None)
        if transpose is not None and transpose.op_type == "Transpose" and _perm(transpose) == TO_NHWC:
            try:
                _merge_transpose(graph, node, shapes.get(transpose.input[0], []))
                source = transpose.input[0]
            except GraphUnsupported:
                if strict:
                    raise
                if not features:
                    continue
        # ONNX Runtime refuses two operators of one name.
        name = f"flatten_{position}" if any(other.name == "flatten" for other in graph.node) else "flatten"
        flatten = onnx.helper.make_node("Flatten", [source], list(node.output), name=name, axis=1)
        graph.node.remove(node)
        graph.node.insert(position, flatten)


def _merge_transpose(graph: Any, reshape: Any, shape: list[int]) -> None:
    """Reorder the weights after a flattening, up to the dense layer, from [H, W, C] to [C, H, W].

    Raises:
        GraphUnsupported: that is not possible; the graph is unchanged.
    """
    if len(shape) != len(TO_NHWC) or 0 in shape[1:]:
        raise GraphUnsupported(f"expected a static shape before a flattening; that of {reshape.input[0]} is unknown")
    channels, height, width = shape[1:]
    weights = {entry.name: entry for entry in graph.initializer}
    flat, found = reshape.output[0], []
    while len(consumers := _consumers(graph, flat)) == 1 and consumers[0].op_type in (*ELEMENTWISE, *PER_FEATURE):
        if consumers[0].op_type in PER_FEATURE:
            others = [name for name in consumers[0].input if name != flat]
            if not weights.keys() >= set(others):
                break
            found += [(weights[name], -1) for name in others]
        flat = consumers[0].output[0]
    if len(consumers) != 1 or consumers[0].op_type != "MatMul" or consumers[0].input[1] not in weights:
        names = ", ".join(node.op_type for node in consumers) or "nothing"
        raise GraphUnsupported(f"expected one dense layer after a flattening; {reshape.name} is followed by {names}")
    found.append((weights[consumers[0].input[1]], 0))
    shared = [entry.name for entry, _ in found if len(_consumers(graph, entry.name)) != 1]
    if shared:
        raise GraphUnsupported(f"the weights {shared[0]} after a flattening are used more than once")
    for entry, axis in found:
        _reorder(entry, (height, width, channels), axis)


def _reorder(entry: Any, nhwc: tuple[int, int, int], axis: int) -> None:
    from onnx import numpy_helper

    values = numpy_helper.to_array(entry)
    if values.size == 1:
        return
    order = np.arange(math.prod(nhwc)).reshape(nhwc).transpose(2, 0, 1).ravel()
    entry.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values.take(order, axis=axis)), entry.name))


def _drop_zero_states(model: Any) -> None:
    """Remove first states that are zeros expanded to the batch: an LSTM without them starts with zeros."""
    from onnx import numpy_helper

    zeros = {entry.name for entry in model.graph.initializer if not numpy_helper.to_array(entry).any()}
    producers = {output: node for node in model.graph.node for output in node.output}
    for lstm in (node for node in model.graph.node if node.op_type == "LSTM"):
        for place in set(LSTM_STATES).intersection(range(len(lstm.input))):
            state = producers.get(lstm.input[place])
            if state is not None and state.op_type == "Unsqueeze":
                state = producers.get(state.input[0])
            if state is not None and state.op_type == "Expand" and state.input[0] in zeros:
                lstm.input[place] = ""


def remove_unused(model: Any) -> None:
    """Remove nodes and weights that no output depends on."""
    graph = model.graph
    needed = {output.name for output in graph.output}
    for node in reversed(list(graph.node)):
        if needed.intersection(node.output):
            needed.update(node.input)
        else:
            graph.node.remove(node)
    for entry in [entry for entry in graph.initializer if entry.name not in needed]:
        graph.initializer.remove(entry)


def _name_ends(model: Any) -> None:
    graph = model.graph
    for ends, name in ((graph.input, "image"), (graph.output, "probabilities")):
        old = ends[0].name
        for node in graph.node:
            node.input[:] = [name if tensor == old else tensor for tensor in node.input]
            node.output[:] = [name if tensor == old else tensor for tensor in node.output]
        ends[0].name = name
        ends[0].type.tensor_type.shape.dim[0].dim_param = "batch"


def _shapes(model: Any) -> dict[str, list[int]]:
    """Return the inferred shape of each tensor; free sizes are 0."""
    import onnx

    inferred = onnx.shape_inference.infer_shapes(model).graph
    return {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (*inferred.input, *inferred.value_info, *inferred.output)
    }


def _consumers(graph: Any, tensor: str) -> list[Any]:
    return [node for node in graph.node if tensor in node.input]


def _perm(transpose: Any) -> list[int]:
    return next((list(entry.ints) for entry in transpose.attribute if entry.name == "perm"), [])
