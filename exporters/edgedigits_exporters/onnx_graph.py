"""Clean the graph of tf2onnx: its names, and the shape arithmetic and transposes around a flattening.

TensorFlow flattens [N, H, W, C]; ONNX convolutions return [N, C, H, W]. tf2onnx inserts a Transpose between them and
computes the shape at run time. The cleaned graph flattens [N, C, H, W], and the rows of the weights after it are
reordered instead; the products and sums are the same.
"""

import math
from typing import Any

import numpy as np

from edgedigits_runtime.errors import GraphUnsupported

TO_NHWC = [0, 2, 3, 1]
ELEMENTWISE = ("Relu", "Clip", "LeakyRelu", "Sigmoid", "Tanh", "Identity")
PER_FEATURE = ("Add", "Sub", "Mul", "Div")
"""Operators of a batch normalisation, with a vector of one entry for each feature, or a scalar."""


def clean(model: Any) -> Any:
    """Return the model with input "image" [batch, H, W, C], output "probabilities" [batch, classes] and a static graph.

    Raises:
        GraphUnsupported: a Transpose or an operator of shape arithmetic is left.
    """
    import onnx

    _flatten_in_place(model)
    remove_unused(model)
    _name_ends(model)
    _refuse_leftovers(model)
    model.graph.name = "edgedigits"
    model.producer_name = "edgedigits"
    # These shapes were inferred before the changes.
    del model.graph.value_info[:]
    return onnx.shape_inference.infer_shapes(model)


def _flatten_in_place(model: Any) -> None:
    """Replace each Reshape to a matrix by a Flatten, and merge the Transpose before it into the weights after it."""
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
            source = transpose.input[0]
            shape = shapes.get(source, [])[1:]
            if len(shape) != len(TO_NHWC) - 1 or 0 in shape:
                raise GraphUnsupported(f"expected a static shape before a flattening; that of {source} is unknown")
            channels, height, width = shape
            _reorder_rows(graph, node, (height, width, channels))
        flatten = onnx.helper.make_node("Flatten", [source], list(node.output), name="flatten", axis=1)
        graph.node.remove(node)
        graph.node.insert(position, flatten)


def _reorder_rows(graph: Any, reshape: Any, nhwc: tuple[int, int, int]) -> None:
    """Reorder the weights after a flattening, up to the dense layer, from [H, W, C] to [C, H, W]."""
    weights = {entry.name: entry for entry in graph.initializer}
    consumers = _consumers(graph, reshape.output[0])
    while len(consumers) == 1 and consumers[0].op_type in (*ELEMENTWISE, *PER_FEATURE):
        for name in consumers[0].input:
            if name in weights and consumers[0].op_type in PER_FEATURE:
                _reorder(graph, weights[name], nhwc, axis=-1)
        consumers = _consumers(graph, consumers[0].output[0])
    if len(consumers) != 1 or consumers[0].op_type != "MatMul" or consumers[0].input[1] not in weights:
        found = ", ".join(node.op_type for node in consumers) or "nothing"
        raise GraphUnsupported(f"expected one dense layer after a flattening; {reshape.name} is followed by {found}")
    _reorder(graph, weights[consumers[0].input[1]], nhwc, axis=0)


def _reorder(graph: Any, entry: Any, nhwc: tuple[int, int, int], axis: int) -> None:
    from onnx import numpy_helper

    if len(_consumers(graph, entry.name)) != 1:
        raise GraphUnsupported(f"the weights {entry.name} after a flattening are used more than once")
    values = numpy_helper.to_array(entry)
    if values.size == 1:
        return
    order = np.arange(math.prod(nhwc)).reshape(nhwc).transpose(2, 0, 1).ravel()
    entry.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values.take(order, axis=axis)), entry.name))


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


def _refuse_leftovers(model: Any) -> None:
    channels = model.graph.input[0].type.tensor_type.shape.dim[3].dim_value
    for node in model.graph.node:
        at_input = node.op_type == "Transpose" and node.input[0] == "image" and channels > 1
        if node.op_type in ("Shape", "Gather", "Slice", "Concat", "Transpose") and not at_input:
            raise GraphUnsupported(
                f"the ONNX graph has {node.op_type} ({node.name}); this network needs a cleaning rule in"
                " edgedigits_exporters/onnx_graph.py"
            )


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
