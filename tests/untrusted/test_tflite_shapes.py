"""The checked reader computes the shapes that LiteRT computes, and refuses files that state others."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given
from hypothesis import strategies as st

from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactError, ArtifactUnsupported
from edgedigits_runtime.untrusted.tflite import check
from tests.support.edited_tflite import INT8, INT32, Builder, changed, graph_of, operator_of, packed
from tests.support.lstm_tflite import CELLS, STEPS, lstm_tflite

FLOAT32, BOOL = schema.TensorType.FLOAT32, schema.TensorType.BOOL

CASES: dict[str, tuple[list[int], list[Any], str, dict[str, Any], list[list[int]]]] = {
    "BATCH_TO_SPACE_ND": ([4, 2, 2, 3], [[2, 2], [[0, 1], [0, 0]]], "BatchToSpaceNDOptions", {}, [[1, 3, 4, 3]]),
    "BROADCAST_TO": ([1, 1, 3], [[2, 4, 3]], "BroadcastToOptions", {}, [[2, 4, 3]]),
    "DEPTH_TO_SPACE": ([1, 2, 3, 8], [], "DepthToSpaceOptions", {"blockSize": 2}, [[1, 4, 6, 2]]),
    "EXPAND_DIMS": ([2, 3], [[-1]], "ExpandDimsOptions", {}, [[2, 3, 1]]),
    "MEAN": ([1, 4, 4, 3], [[1, -2]], "ReducerOptions", {"keepDims": True}, [[1, 1, 1, 3]]),
    "MIRROR_PAD": ([2, 3], [[[1, 1], [2, 0]]], "MirrorPadOptions", {"mode": 0}, [[4, 5]]),
    "REDUCE_MAX": ([1, 4, 3], [[2]], "ReducerOptions", {}, [[1, 4]]),
    "RESHAPE": ([2, 6], [[3, -1]], "ReshapeOptions", {}, [[3, 4]]),
    "RESIZE_BILINEAR": ([1, 2, 2, 3], [[5, 4]], "ResizeBilinearOptions", {}, [[1, 5, 4, 3]]),
    "RESIZE_NEAREST_NEIGHBOR": ([1, 4, 4, 3], [[2, 2]], "ResizeNearestNeighborOptions", {}, [[1, 2, 2, 3]]),
    "REVERSE_V2": ([2, 3], [[1]], "ReverseV2Options", {}, [[2, 3]]),
    "SLICE": ([4, 5], [[1, 2], [2, -1]], "SliceOptions", {}, [[2, 3]]),
    "SPACE_TO_BATCH_ND": ([1, 3, 4, 3], [[2, 2], [[0, 1], [0, 0]]], "SpaceToBatchNDOptions", {}, [[4, 2, 2, 3]]),
    "SPACE_TO_DEPTH": ([1, 4, 6, 2], [], "SpaceToDepthOptions", {"blockSize": 2}, [[1, 2, 3, 8]]),
    "SPLIT_V": ([2, 6], [[1, -1, 2], 1], "SplitVOptions", {"numSplits": 3}, [[2, 1], [2, 3], [2, 2]]),
    "SQUEEZE": ([1, 3, 1], [], "SqueezeOptions", {"squeezeDims": [-1]}, [[1, 3]]),
    "STRIDED_SLICE": ([4, 5], [[0, 1], [4, 5], [2, 2]], "StridedSliceOptions", {}, [[2, 2]]),
    "TILE": ([2, 3], [[2, 1]], "TileOptions", {}, [[4, 3]]),
    "TRANSPOSE": ([2, 3, 4], [[2, 0, 1]], "TransposeOptions", {}, [[4, 2, 3]]),
    "UNPACK": ([3, 2], [], "UnpackOptions", {"num": 3, "axis": 0}, [[2], [2], [2]]),
}  # fmt: skip
"""By operator: the shape of its input, further inputs, options, and the shapes of its outputs."""


def one_operator(name: str, outputs: list[list[int]] | None = None) -> bytes:
    shape, others, options, attributes, made = CASES[name]
    build = Builder(shape)
    indices = [build.tensor(each) for each in outputs or made]
    constants = [build.constant(np.array(other, np.int32)) for other in others]
    build.add(name, indices[0], *constants, options=options, **attributes)
    build.graph.operators[0].outputs = indices
    build.model.operatorCodes[0].version = 2 if name == "BROADCAST_TO" else 1
    return finished(build)


def finished(build: Builder) -> bytes:
    build.graph.inputs, build.graph.outputs = [0], [build.last]
    return packed(build.model)


def litert_shapes(content: bytes) -> list[tuple[int, ...]]:
    """The shapes of the first operator's outputs, after a run."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    resolver = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(model_content=content, experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    interpreter.invoke()
    shapes = {tensor["index"]: tuple(map(int, tensor["shape"])) for tensor in interpreter.get_tensor_details()}
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    return [shapes[index] for index in model.subgraphs[0].operators[0].outputs]


@pytest.mark.parametrize("name", CASES)
def test_shapes_are_those_that_litert_computes(name: str) -> None:
    content = one_operator(name)
    check(content, "x")
    assert litert_shapes(content) == [tuple(shape) for shape in CASES[name][4]]


@pytest.mark.parametrize("name", sorted(CASES))
def test_other_shapes_are_refused(name: str) -> None:
    made = CASES[name][4]
    for wrong in ([*made[0][:-1], made[0][-1] + 1], [*made[0], 2]):
        with pytest.raises(ArtifactCorrupt, match=f"{name}.*makes the shape"):
            check(one_operator(name, [wrong, *made[1:]]), "x")


indices = st.integers(-6, 6)


@given(
    st.lists(st.tuples(indices, indices, st.sampled_from([-2, -1, 1, 2])), min_size=2, max_size=2),
    *[st.integers(0, 3)] * 3,
)
def test_slices_are_those_of_litert(cuts: list[tuple[int, int, int]], begin: int, end: int, shrink: int) -> None:
    """An entry outside of its dimension is refused, which LiteRT moves inside."""
    build = Builder([4, 5])
    constants = [build.constant(list(numbers)) for numbers in zip(*cuts, strict=True)]
    masks = {"beginMask": begin, "endMask": end, "shrinkAxisMask": shrink}
    build.add("STRIDED_SLICE", build.tensor([1, 1]), *constants, options="StridedSliceOptions", **masks)
    content = finished(build)
    try:
        shape = litert_shapes(content)[0]
    except (RuntimeError, ValueError):
        shape = (0,)

    def state(model: Any) -> None:
        graph_of(model).tensors[build.last].shape = list(shape)

    if 0 in shape:
        with pytest.raises(ArtifactError):
            check(content, "x")
        return
    try:
        check(changed(content, state), "x")
    except ArtifactCorrupt as error:
        assert "out of bounds" in str(error)


def with_free_batch(sizes: Callable[[Builder, int], int]) -> bytes:
    """A RESHAPE of [batch, 2, 3] to sizes computed in the graph; the file has placeholders for the result."""
    build = Builder([1, 2, 3])
    start = build.last
    build.graph.tensors[0].shapeSignature = [-1, 2, 3]
    build.add("SHAPE", build.tensor([3], INT32), options="ShapeOptions", outType=INT32)
    wanted = sizes(build, build.last)
    build.last = start
    output = build.tensor([1, 1])
    build.graph.tensors[output].shapeSignature = [-1, -1]
    build.add("RESHAPE", output, wanted)
    build.add("RELU", build.tensor([1, 6]))
    return finished(build)


def packed_sizes(build: Builder, shape: int) -> int:
    first = build.tensor([], INT32)
    ends = [build.constant(numbers) for numbers in ([0], [1], [1])]
    build.last = shape
    build.add("STRIDED_SLICE", first, *ends, options="StridedSliceOptions", shrinkAxisMask=1)
    build.add("PACK", build.tensor([2], INT32), build.constant(6), options="PackOptions", valuesCount=2)
    return build.last


def multiplied_sizes(build: Builder, shape: int) -> int:
    build.last = shape
    build.add("GATHER", build.tensor([2], INT32), build.constant([1, 2]), options="GatherOptions")
    build.add("REDUCE_PROD", build.tensor([1], INT32), build.constant([0]), options="ReducerOptions", keepDims=True)
    rest, joined = build.last, build.tensor([2], INT32)
    build.last = build.constant([-1])
    build.add("CONCATENATION", joined, rest, options="ConcatenationOptions")
    return joined


@pytest.mark.parametrize("sizes", [packed_sizes, multiplied_sizes])
def test_shapes_that_the_graph_computes_are_followed(sizes: Callable[[Builder, int], int]) -> None:
    content = with_free_batch(sizes)
    check(content, "x")

    def wrong(model: Any) -> None:
        graph_of(model).tensors[-1].shape = [1, 7]

    with pytest.raises(ArtifactCorrupt, match=r"RELU.*\[1, 6\].*\[1, 7\]"):
        check(changed(content, wrong), "x")


def test_shapes_that_depend_on_the_picture_are_refused() -> None:
    build = Builder([2], INT32)
    build.add("FILL", build.tensor([1, 1]), build.constant(1, INT8), options="FillOptions")
    with pytest.raises(ArtifactUnsupported, match=r"FILL.* fixed shape"):
        check(finished(build), "x")
    build = Builder([2, 2], INT32)
    build.add("TILE", build.tensor([2, 2], INT32), 0, options="TileOptions")
    with pytest.raises(ArtifactUnsupported, match=r"TILE.* fixed shape"):
        check(finished(build), "x")


def test_outputs_of_a_computed_size_count_as_memory() -> None:
    build = Builder([1, 1])
    build.graph.tensors[0].shapeSignature = [-1, 1]
    output = build.tensor([1, 1])
    build.graph.tensors[output].shapeSignature = [-1, -1]
    build.add("TILE", output, build.constant([60_000, 60_000]), options="TileOptions")
    with pytest.raises(ArtifactCorrupt, match=r"TILE.*\[60000, 60000\]"):
        check(finished(build), "x")


@pytest.mark.parametrize(
    ("name", "attribute", "value"),
    [("UNPACK", "num", 2), ("SPLIT_V", "numSplits", 0), ("DEPTH_TO_SPACE", "blockSize", 0), ("MIRROR_PAD", "mode", 2)],
)
def test_attributes_that_contradict_the_shapes_are_refused(name: str, attribute: str, value: int) -> None:
    def change(model: Any) -> None:
        setattr(operator_of(model, name).builtinOptions, attribute, value)

    with pytest.raises(ArtifactCorrupt, match=name):
        check(changed(one_operator(name), change), "x")


def test_an_operator_writes_each_output_once() -> None:
    def twice(model: Any) -> None:
        operator_of(model, "UNPACK").outputs = [1, 2, 1]

    with pytest.raises(ArtifactCorrupt, match="writes over tensor 1"):
        check(changed(one_operator("UNPACK"), twice), "x")


def test_an_lstm_has_the_shape_of_its_cells() -> None:
    for dtype in ("float32", "int8"):
        content = lstm_tflite(dtype)
        check(content, "x")
        assert litert_shapes(content) == [(1, STEPS, CELLS)]


def lstm_change(slot: int, value: Any) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        operator = operator_of(model, "UNIDIRECTIONAL_SEQUENCE_LSTM")
        inputs = list(operator.inputs)
        inputs[slot] = value
        operator.inputs = inputs

    return change


def no_intermediates(model: Any) -> None:
    operator_of(model, "UNIDIRECTIONAL_SEQUENCE_LSTM").intermediates = [0] * 4
    for tensor in graph_of(model).tensors:
        tensor.shape = list(tensor.shape) if 0 not in tensor.shape else [1]


def lost_state(model: Any) -> None:
    operator = operator_of(model, "UNIDIRECTIONAL_SEQUENCE_LSTM")
    graph_of(model).tensors[operator.inputs[18]].isVariable = False
    lstm_change(18, -1)(model)


def missing_intermediate(model: Any) -> None:
    operator_of(model, "UNIDIRECTIONAL_SEQUENCE_LSTM").intermediates = [0, 0, 0, 0, 999]


def narrow_state(model: Any) -> None:
    graph_of(model).tensors[operator_of(model, "UNIDIRECTIONAL_SEQUENCE_LSTM").inputs[18]].shape = [1, 2]


def lasting_output(model: Any) -> None:
    graph_of(model).tensors[operator_of(model, "UNIDIRECTIONAL_SEQUENCE_LSTM").outputs[0]].isVariable = True


@pytest.mark.parametrize(
    ("change", "error", "fact"),
    [
        (lstm_change(6, -1), ArtifactCorrupt, "does not fit"),
        (lstm_change(2, 5), ArtifactCorrupt, "input 2"),
        (lstm_change(12, 1), ArtifactCorrupt, "makes INT8 of"),
        (lstm_change(18, 1), ArtifactUnsupported, "variable"),
        (lost_state, ArtifactCorrupt, "not a variable"),
        (narrow_state, ArtifactCorrupt, "input 18"),
        (no_intermediates, ArtifactCorrupt, "intermediates"),
        (missing_intermediate, ArtifactCorrupt, "999"),
        (lasting_output, ArtifactUnsupported, "variable"),
    ],
)
def test_contradictory_lstms_are_refused(change: Callable[[Any], None], error: type[ArtifactError], fact: str) -> None:
    with pytest.raises(error, match=fact):
        check(changed(lstm_tflite("int8"), change), "x")
