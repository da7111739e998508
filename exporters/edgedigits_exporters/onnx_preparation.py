"""Prepare an `.onnx` graph for onnx2tf, whose heuristics for layouts and shapes fail on many graphs as exported.

The prepared graph computes the same for one image, in float32: ONNX Runtime folds its constants, and what onnx2tf
translates to operators that LiteRT, int8 or C lack is rewritten.
"""

import itertools
import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_exporters.onnx_file import input_of, with_opset
from edgedigits_exporters.onnx_graph import remove_unused
from edgedigits_runtime.errors import ConversionFailed, first_line

OPSET = 20
"""The first with Gelu; the rewriting below makes operators as in this set."""

NON_NEGATIVE = ("Relu", "Sigmoid", "HardSigmoid", "Softmax", "Abs")
KEEP_SIGN = ("MaxPool", "AveragePool", "Transpose", "Reshape", "Identity")
ONE_DIMENSIONAL = ("Conv", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool")
ELEMENTWISE = ("Relu", "Clip", "LeakyRelu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Elu", "Gelu", "Identity")


def prepare(model: Any, *, batched: bool) -> Any:
    """Return the graph for one image; `model` is changed.

    Args:
        model: of a checked file, with one input and one output.
        batched: whether the first axis of the input counts images.

    Raises:
        ConversionFailed: ONNX Runtime cannot compute one image with it.
    """
    import onnx

    if batched:
        _set_batch_of_one(model)
    model = _folded(model)
    model = with_opset(model, OPSET)
    model = onnx.shape_inference.infer_shapes(model)
    graph = _Graph(model)
    _end_in_probabilities(graph)
    _fuse_gelu(graph)
    _name_hard_activations(graph)
    _reshape_identity_gathers(graph)
    _lift_one_dimensional(graph)
    _pad_before_pools(graph)
    _flatten_channels_last(graph)
    remove_unused(model)
    del model.graph.value_info[:]
    try:
        return onnx.shape_inference.infer_shapes(model, strict_mode=True)
    except onnx.shape_inference.InferenceError as error:
        raise ConversionFailed(f"the graph cannot compute one image: {first_line(error)}") from error


def state_axes(model: Any) -> None:
    """State the axes of reductions as attributes too, which only onnx2tf reads: of the inputs it makes int64 constants.

    TFLite's converter refuses these.
    """
    from onnx import helper

    graph = _Graph(model)
    for node in graph.nodes:
        axes = graph.constant(node.input[1]) if node.op_type.startswith("Reduce") and len(node.input) > 1 else None
        if axes is not None:
            node.attribute.append(helper.make_attribute("axes", axes.ravel().tolist()))


def _set_batch_of_one(model: Any) -> None:
    fixed = input_of(model).type.tensor_type.shape.dim[0].dim_value
    for value in (input_of(model), *model.graph.output):
        for size in value.type.tensor_type.shape.dim[:1]:
            size.dim_value = 1
    del model.graph.value_info[:]
    graph = _Graph(model)
    for node in graph.find("Reshape"):
        shape = graph.constant(node.input[1])
        # Exported with a fixed batch, a flattening names it.
        if fixed > 1 and shape is not None and shape[:1] == fixed:
            node.input[1] = graph.add_constant(np.concatenate([[1], shape[1:]]))


def _folded(model: Any) -> Any:
    """Return the graph as ONNX Runtime simplifies it: shapes are constants, and batch normalisation is in weights."""
    import onnx
    import onnxruntime

    with tempfile.TemporaryDirectory(prefix="edgedigits-") as folder:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(Path(folder) / "folded.onnx")
        options.log_severity_level = 4
        try:
            onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        # ONNX Runtime's exceptions have no base of their own.
        except Exception as error:
            raise ConversionFailed(f"ONNX Runtime cannot compute one image: {first_line(error)}") from error
        folded = onnx.load(options.optimized_model_filepath)
    # ONNX Runtime adds the domains of its own operators.
    used = {node.domain for node in folded.graph.node}
    for entry in [entry for entry in folded.opset_import if entry.domain not in used]:
        folded.opset_import.remove(entry)
    return folded


class _Graph:
    """Lookups in a graph, and changes of it."""

    def __init__(self, model: Any) -> None:
        graph = model.graph
        self.nodes = graph.node
        self.initializer = graph.initializer
        self.outputs = {value.name for value in graph.output}
        self.shapes = {
            value.name: [size.dim_value for size in value.type.tensor_type.shape.dim]
            for value in (*graph.input, *graph.value_info, *graph.output)
        }

    def find(self, *operators: str) -> list[Any]:
        return [node for node in self.nodes if node.op_type in operators]

    def producer(self, tensor: str) -> Any:
        return next((node for node in self.nodes if tensor in node.output), None)

    def consumers(self, tensor: str) -> list[Any]:
        return [node for node in self.nodes if tensor in node.input]

    def only_consumer(self, tensor: str) -> Any:
        """Return the operator that alone reads a tensor, else None."""
        found = self.consumers(tensor)
        return found[0] if len(found) == 1 and tensor not in self.outputs else None

    def constant(self, tensor: str) -> NDArray[Any] | None:
        from onnx import numpy_helper

        node = self.producer(tensor)
        if node is not None and node.op_type == "Constant" and "value" in attributes_of(node):
            return numpy_helper.to_array(attributes_of(node)["value"])
        return next((numpy_helper.to_array(entry) for entry in self.initializer if entry.name == tensor), None)

    def add_constant(self, values: NDArray[Any]) -> str:
        from onnx import numpy_helper

        taken = {entry.name for entry in self.initializer}
        name = next(name for name in map("edgedigits_{}".format, itertools.count()) if name not in taken)
        self.initializer.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def add_scalar(self, value: float) -> str:
        return self.add_constant(np.array(value, np.float32))

    def insert(self, operator: str, inputs: list[str], before: Any, output: str = "", **attributes: Any) -> str:
        """Insert an operator before another; return the name of its output."""
        from onnx import helper

        output = output or f"edgedigits_{operator}_{len(self.nodes)}"
        self.nodes.insert(list(self.nodes).index(before), helper.make_node(operator, inputs, [output], **attributes))
        return output

    def replace(self, node: Any, operator: str, inputs: list[str], **attributes: Any) -> None:
        self.insert(operator, inputs, node, node.output[0], **attributes)
        self.nodes.remove(node)


def attributes_of(node: Any) -> dict[str, Any]:
    """Return the attributes of an operator by name."""
    from onnx import helper

    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def _end_in_probabilities(graph: _Graph) -> None:
    """Make a last LogSoftmax a Softmax: probabilities in int8 have finer steps, and boards need no logarithm."""
    for node in graph.find("LogSoftmax"):
        if node.output[0] in graph.outputs:
            node.op_type = "Softmax"


def _fuse_gelu(graph: _Graph) -> None:
    """Replace x * 0.5 * (1 + Erf(x / sqrt(2))), in whatever order, by Gelu: LiteRT has no Erf."""
    for erf in graph.find("Erf"):
        scaled, add = graph.producer(erf.input[0]), graph.only_consumer(erf.output[0])
        if scaled is None or add is None or scaled.op_type not in ("Div", "Mul") or add.op_type != "Add":
            continue
        source, last = scaled.input[0], add
        while (last := graph.only_consumer(last.output[0])) is not None and last.op_type == "Mul":
            factors, product = _factors(graph, last.output[0], (source, add.output[0]))
            if sorted(factors) == sorted((source, add.output[0])) and math.isclose(product, 0.5, rel_tol=1e-3):
                graph.replace(last, "Gelu", [source])
                break


def _factors(graph: _Graph, tensor: str, ends: tuple[str, str]) -> tuple[list[str], float]:
    """Return the tensors that a tree of multiplications multiplies, and the product of its scalars."""
    value, node = graph.constant(tensor), graph.producer(tensor)
    if value is not None and value.size == 1:
        return [], float(value.item())
    if tensor in ends or node is None or node.op_type != "Mul":
        return [tensor], 1.0
    (left, scale), (right, other) = (_factors(graph, name, ends) for name in node.input)
    return left + right, scale * other


def _name_hard_activations(graph: _Graph) -> None:
    """Make x * HardSigmoid(x) a HardSwish, which ONNX Runtime unfolds, and other HardSigmoids a Clip from 0 to 6.

    LiteRT has a kernel for the first, and fused activations for the second.
    """
    for node in graph.find("HardSigmoid"):
        source, settings = node.input[0], attributes_of(node)
        slope, offset = 6 * settings.get("alpha", 0.2), 6 * settings.get("beta", 0.5)
        product = graph.only_consumer(node.output[0])
        is_usual = math.isclose(slope, 1, rel_tol=1e-6) and offset == 3
        if is_usual and product is not None and product.op_type == "Mul" and source in product.input:
            graph.replace(product, "HardSwish", [source])
            continue
        scaled = graph.insert("Mul", [source, graph.add_scalar(slope)], node)
        moved = graph.insert("Add", [source if is_usual else scaled, graph.add_scalar(offset)], node)
        clipped = graph.insert("Clip", [moved, graph.add_scalar(0), graph.add_scalar(6)], node)
        graph.replace(node, "Mul", [clipped, graph.add_scalar(1 / 6)])


def _reshape_identity_gathers(graph: _Graph) -> None:
    """Make a Gather of all values in order a Reshape; PyTorch exports strided views so."""
    for node in graph.find("Gather"):
        indices, shape = graph.constant(node.input[1]), graph.shapes.get(node.input[0], [])
        if indices is not None and len(shape) == 1 and np.array_equal(indices.ravel(), np.arange(shape[0])):
            sizes = graph.add_constant(np.array(indices.shape, np.int64))
            graph.replace(node, "Reshape", [node.input[0], sizes])


def _lift_one_dimensional(graph: _Graph) -> None:
    """Give convolutions and pools along one axis [N, C, L] a second axis [N, C, 1, L].

    onnx2tf takes a tensor of three axes for images without channels, and convolves along the wrong one.
    """
    lifted: dict[str, str] = {}
    for node in list(graph.nodes):
        source = node.input[0] if node.input else ""
        shape = graph.shapes.get(source, [])
        if node.op_type in ONE_DIMENSIONAL and len(shape) == 3 and 0 not in shape:
            if source not in lifted:
                sizes = graph.add_constant(np.array([shape[0], shape[1], 1, shape[2]], np.int64))
                lifted[source] = graph.insert("Reshape", [source, sizes], node)
                graph.shapes[lifted[source]] = [shape[0], shape[1], 1, shape[2]]
            inputs = [lifted[source], *node.input[1:]]
            if len(inputs) > 1:
                weights = graph.constant(inputs[1])
                if weights is None:
                    raise ConversionFailed(
                        f"{node.op_type} {node.name} has weights that are computed; make them constant"
                    )
                inputs[1] = graph.add_constant(weights[:, :, None])
            _replace_lifted(graph, node, inputs, _with_second_axis(attributes_of(node)), lifted)
        elif node.op_type in ELEMENTWISE and source in lifted:
            _replace_lifted(graph, node, [lifted[source], *node.input[1:]], attributes_of(node), lifted)
        elif node.op_type in ("Flatten", "Reshape") and source in lifted:
            # The same values in the same order.
            node.input[0] = lifted[source]


def _with_second_axis(settings: dict[str, Any]) -> dict[str, Any]:
    changed = {
        name: [1, *values] for name, values in settings.items() if name in ("strides", "dilations", "kernel_shape")
    }
    if "pads" in settings:
        before, after = settings["pads"]
        changed["pads"] = [0, before, 0, after]
    return {**settings, **changed}


def _replace_lifted(
    graph: _Graph, node: Any, inputs: list[str], settings: dict[str, Any], lifted: dict[str, str]
) -> None:
    """Replace an operator by one on four axes, with a Reshape back for those that need three."""
    output = node.output[0]
    made = graph.insert(node.op_type, inputs, node, **settings)
    shape = graph.shapes[output]
    lifted[output], graph.shapes[made] = made, [shape[0], shape[1], 1, shape[2]]
    graph.replace(node, "Reshape", [made, graph.add_constant(np.array(shape, np.int64))])


def _pad_before_pools(graph: _Graph) -> None:
    """Give pools the padding SAME, where it is theirs, or none, with a Pad before them.

    onnx2tf pads a MaxPool with the lowest float32, which leaves int8 no resolution. Zeros do not change the maximum of
    values that are not negative, nor one whose negative values a Relu behind removes.
    """
    for pool in graph.find("MaxPool", "AveragePool"):
        settings = attributes_of(pool)
        window = settings["kernel_shape"]
        ones, none = [1] * len(window), [0] * len(window)
        strides, dilations = settings.get("strides", ones), settings.get("dilations", ones)
        sizes, out = graph.shapes[pool.input[0]][2:], graph.shapes[pool.output[0]][2:]
        before, averages = settings.get("pads", none)[: len(window)], pool.op_type == "AveragePool"
        counted = averages and settings.get("count_include_pad", 0)
        if settings.get("auto_pad", b"NOTSET") != b"NOTSET" or (averages and settings.get("ceil_mode")):
            continue
        # No window starts behind the border; shape inference counts those that ceil_mode would add there.
        out = [
            min(o, (size + first - 1) // step + 1)
            for o, size, first, step in zip(out, sizes, before, strides, strict=True)
        ]
        reach = [(o - 1) * s + d * (k - 1) + 1 for o, s, d, k in zip(out, strides, dilations, window, strict=True)]
        # ceil_mode reaches farther than `pads`; a last window may end before the border.
        after = [max(0, end - size - first) for end, size, first in zip(reach, sizes, before, strict=True)]
        is_same = out == [-(-size // step) for size, step in zip(sizes, strides, strict=True)] and before == [
            max(0, end - size) // 2 for end, size in zip(reach, sizes, strict=True)
        ]
        kept = {"kernel_shape": window, "strides": strides, "dilations": dilations}
        source = pool.input[0]
        if not any([*settings.get("pads", none), *after]):
            continue
        if is_same and not counted:
            graph.replace(pool, pool.op_type, [source], auto_pad="SAME_UPPER", **kept)
        elif counted if averages else _may_pad_with_zeros(graph, pool):
            if any(before + after):
                pads = graph.add_constant(np.array([0, 0, *before, 0, 0, *after], np.int64))
                source = graph.insert("Pad", [source, pads], pool)
            graph.replace(pool, pool.op_type, [source], **kept)


def _may_pad_with_zeros(graph: _Graph, pool: Any) -> bool:
    behind = graph.only_consumer(pool.output[0])
    return _is_non_negative(graph, pool.input[0]) or (behind is not None and behind.op_type == "Relu")


def _is_non_negative(graph: _Graph, tensor: str) -> bool:
    node = graph.producer(tensor)
    while node is not None and node.op_type in KEEP_SIGN:
        node = graph.producer(node.input[0])
    if node is None:
        return False
    if node.op_type == "Clip":
        low = graph.constant(node.input[1]) if len(node.input) > 1 else attributes_of(node).get("min")
        return low is not None and np.min(low) >= 0
    if node.op_type == "Concat":
        return all(_is_non_negative(graph, name) for name in node.input)
    return node.op_type in NON_NEGATIVE


def _has_channels_first(graph: _Graph, tensor: str) -> bool:
    """Whether onnx2tf holds a tensor as NHWC: windows made it, and values were only changed one by one since."""
    node = graph.producer(tensor)
    while node is not None and node.op_type in (*ELEMENTWISE, "Add", "Sub", "Mul", "Div", "PRelu"):
        node = graph.producer(node.input[0])
    return node is not None and node.op_type in ("Conv", "MaxPool", "AveragePool", "BatchNormalization")


def _flatten_channels_last(graph: _Graph) -> None:
    """Flatten [H, W, C] instead of [C, H, W], and reorder the rows of the weights: this saves LiteRT a TRANSPOSE."""
    for node in graph.find("Flatten", "Reshape"):
        shape, flat = graph.shapes.get(node.input[0], []), graph.shapes.get(node.output[0], [])
        if len(shape) != 4 or flat != [shape[0], math.prod(shape[1:])] or 0 in shape:
            continue
        if shape[1] == 1 or shape[2:] == [1, 1] or not _has_channels_first(graph, node.input[0]):
            continue
        last = node
        while (dense := graph.only_consumer(last.output[0])) is not None and dense.op_type in ELEMENTWISE:
            last = dense
        weights = graph.constant(dense.input[1]) if dense is not None and dense.op_type in ("Gemm", "MatMul") else None
        if weights is None or dense.input[0] != last.output[0] or attributes_of(dense).get("transA"):
            continue
        axis = 1 if attributes_of(dense).get("transB") else 0
        order = np.arange(flat[1]).reshape(shape[1:]).transpose(1, 2, 0).ravel()
        dense.input[1] = graph.add_constant(weights.take(order, axis))
        moved = graph.insert("Transpose", [node.input[0]], node, perm=[0, 2, 3, 1])
        graph.replace(node, "Reshape", [moved, graph.add_constant(np.array(flat, np.int64))])
