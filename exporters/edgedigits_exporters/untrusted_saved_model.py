"""Check an untrusted SavedModel before TensorFlow opens it: its files, sizes and operators. Its graph is a program.

Field numbers are those of saved_model.proto, graph.proto, function.proto and saved_object_graph.proto of TensorFlow.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactNotFound, ArtifactUnsupported
from edgedigits_runtime.untrusted import limits, read_limited
from edgedigits_runtime.untrusted.protobuf import Message, fields, texts

GRAPH, METADATA = "saved_model.pb", "keras_metadata.pb"

_OPERATORS = """
Abs Acos Add AddN AddV2 AdjustContrastv2 AdjustHue AdjustSaturation All Any ArgMax ArgMin Asin Assert AssignVariableOp
Atan AvgPool BatchMatMul BatchMatMulV2 BatchMatMulV3 BatchToSpaceND BiasAdd Bitcast BroadcastArgs BroadcastTo Cast
Ceil ClipByValue ConcatOffset ConcatV2 Const Conv2D Conv2DBackpropInput Conv3D Cos CropAndResize CudnnRNNV3
DepthToSpace DepthwiseConv2dNative DisableCopyOnRead Div DivNoNan Einsum Elu EnsureShape Equal Erf Erfc Exp ExpandDims
ExtractImagePatches Fill Floor FloorDiv FloorMod FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 GatherNd GatherV2
Greater GreaterEqual HSVToRGB Identity IdentityN ImageProjectiveTransformV2 ImageProjectiveTransformV3
InvertPermutation IsFinite IsInf IsNan L2Loss LRN LeakyRelu Less LessEqual LinSpace Log Log1p LogSoftmax LogicalAnd
LogicalNot LogicalOr MatMul Max MaxPool MaxPoolV2 Maximum Mean Min Minimum MirrorPad Mul Neg NoOp NotEqual OneHot
OnesLike Pack Pad PadV2 Placeholder PlaceholderWithDefault Pow PreventGradient Prod RGBToHSV RandomStandardNormal
RandomUniform RandomUniformInt Range Rank ReadVariableOp RealDiv Reciprocal Relu Relu6 Reshape ResizeArea
ResizeBicubic ResizeBilinear ResizeNearestNeighbor ReverseSequence ReverseV2 RngReadAndSkip Round Rsqrt
ScaleAndTranslate Select SelectV2 Selu Shape ShapeN Sigmoid Sign Sin Size Slice Softmax Softplus Softsign
SpaceToBatchND SpaceToDepth Split SplitV Sqrt Square SquaredDifference Squeeze StatelessRandomGetAlg
StatelessRandomGetKeyCounter StatelessRandomNormalV2 StatelessRandomUniformFullIntV2 StatelessRandomUniformIntV2
StatelessRandomUniformV2 StaticRegexFullMatch StopGradient StridedSlice StringJoin Sub Sum Tan Tanh
TensorListFromTensor TensorListGetItem TensorListReserve TensorListSetItem TensorListStack Tile TopKV2 Transpose
TruncatedNormal Unpack VarHandleOp VarIsInitializedOp Where Xdivy Xlogy ZerosLike
"""

CALLS = frozenset({"Case", "If", "PartitionedCall", "StatefulPartitionedCall", "StatelessCase", "StatelessIf",
                   "StatelessWhile", "While"})  # fmt: skip
"""Operators that call functions of the library, which their attributes name."""

CHECKPOINT = frozenset({"MergeV2Checkpoints", "RestoreV2", "SaveV2", "ShardedFilename"})
"""Operators of the save and restore functions, which TensorFlow 2 does not call when it loads the model."""

OPERATORS = CALLS | frozenset(_OPERATORS.split())
"""Operators of image classifiers: none reads or writes a file, starts a process or opens a connection."""

KERAS = "_tf_keras_"
"""How the names of the kinds of Keras's objects begin."""

STRING = 7
"""DT_STRING of types.proto."""


@dataclass(frozen=True)
class Signature:
    """A function that serves predictions."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class _Function:
    name: str
    operators: frozenset[str]
    calls: frozenset[str]


def check(folder: Path) -> Signature:
    """Check a SavedModel folder, and return its only signature with one input and one output.

    Raises:
        ArtifactNotFound: the folder has no saved_model.pb.
        ArtifactCorrupt: damaged.
        ArtifactUnsupported: too large, with links, saved by TensorFlow 1, with operators that are not in OPERATORS, or
            with several inputs or outputs.
    """
    if not (folder / GRAPH).is_file():
        raise ArtifactNotFound(f"{folder} is not a SavedModel: it has no {GRAPH}")
    _check_files(folder)
    content = read_limited(folder / GRAPH)
    try:
        graphs = [part for number, part in texts(content) if number == 2]
        if len(graphs) != 1 or not any(number == 7 for number, _ in texts(graphs[0])):
            raise ArtifactUnsupported(
                f"{folder} was saved by TensorFlow 1; load it there and save it with TensorFlow 2"
            )
        _check_operators(graphs[0], folder)
        return _signature(graphs[0], folder)
    except (ValueError, RecursionError) as error:
        raise ArtifactCorrupt(f"{folder / GRAPH} is not complete: {error}") from error


def keras_metadata(folder: Path) -> str:
    """Return the JSON text in which Keras 2 described the model of a SavedModel; empty if it was not Keras 2.

    Raises:
        ArtifactCorrupt: damaged.
    """
    path = folder / (METADATA if (folder / METADATA).is_file() else GRAPH)
    content = read_limited(path)
    try:
        if path.name == METADATA:
            nodes = ((_text(node, 3), _text(node, 4), _text(node, 5)) for node in _at(content, 1))
            return next((text for place, kind, text in nodes if place == "root" and kind.startswith(KERAS)), "")
        # TensorFlow before 2.5 kept it in the root of the objects, which is the first.
        root = next(_at(content, 2, 7, 1), b"")
        return next((_text(part, 3) for part in _at(root, 4) if _text(part, 1).startswith(KERAS)), "")
    except ValueError as error:
        raise ArtifactCorrupt(f"{path} is not complete: {error}") from error


def _check_files(folder: Path) -> None:
    total = 0
    for count, path in enumerate(folder.rglob("*")):
        if path.is_symlink():
            raise ArtifactUnsupported(f"{folder} has a link, {path.name[:80]!r}; copy the file there")
        total += path.stat().st_size
        if total > limits.MODEL_BYTES or count > limits.PARTS:
            raise ArtifactUnsupported(f"{folder} is too large; models are read up to {limits.MODEL_BYTES:,} bytes")


def _check_operators(graph: bytes, folder: Path) -> None:
    main = _function("", _at(graph, 2, 1))
    functions = [_function(_name(part), _at(part, 3)) for part in _at(graph, 2, 2, 1)]
    # The object graph names those that Python may call: by concrete functions, in functions and as bare ones.
    named = [name.decode() for path in ((1, 6, 1), (1, 8, 1)) for name in _at(graph, 7, *path)]
    called = {*named, *(_text(entry, 1) for entry in _at(graph, 7, 2))}.union(*(each.calls for each in functions))
    for each in (main, *functions):
        # The main graph, which calls the save and restore functions, is there for TensorFlow 1.
        allowed = OPERATORS if each.name in called or each is main else OPERATORS | CHECKPOINT
        if strange := sorted(each.operators - allowed):
            raise ArtifactUnsupported(
                f"{folder} has the operator {strange[0][:80]!r}, which no classifier needs; save the network alone"
            )


def _function(name: str, nodes: Iterator[bytes]) -> _Function:
    operators, calls = set(), set()
    for node in nodes:
        operators.add(operator := _text(node, 2))
        if operator in CALLS:
            values = [value for entry in _at(node, 5) for value in _at(entry, 2)]
            for holder in (values, [part for value in values for part in _at(value, 1)]):
                # A function is field 10 of an attribute, and 9 of a list of them.
                calls |= {_text(part, 1) for value in holder for number in (9, 10) for part in _at(value, number)}
    return _Function(name, frozenset(operators), frozenset(calls))


def _name(function: bytes) -> str:
    # Protocol Buffers merges the parts of a message.
    return _text(b"".join(_at(function, 1)), 1)


def _signature(graph: bytes, folder: Path) -> Signature:
    found = {_text(entry, 1): value for entry in _at(graph, 5) for value in _at(entry, 2)}
    served = {name: value for name, value in found.items() if not name.startswith("__")}
    name = "serving_default" if "serving_default" in served else next(iter(served), None)
    if name is None or (name != "serving_default" and len(served) > 1):
        raise ArtifactUnsupported(
            f"{folder} has the signatures {', '.join(sorted(served))[:200] or 'none'}; expected 'serving_default'"
        )
    inputs = {_text(entry, 1): info for entry in _at(served[name], 1) for info in _at(entry, 2)}
    outputs = tuple(_text(entry, 1) for entry in _at(served[name], 2))
    for kind, names in (("inputs", tuple(inputs)), ("outputs", outputs)):
        if len(names) != 1:
            raise ArtifactUnsupported(
                f"{folder} has {len(names)} {kind} ({', '.join(names)[:200]}), expected 1; save a model with one"
            )
    (info,) = inputs.values()
    if STRING in (value for number, _, value, _ in fields(info) if number == 2):
        raise ArtifactUnsupported(
            f"{folder} takes texts or encoded pictures, expected an array of pixels; save the network only"
        )
    return Signature(name, tuple(inputs), outputs)


def _at(message: Message, *path: int) -> Iterator[bytes]:
    """Yield the messages at a path of field numbers."""
    for number, content in texts(message):
        if number == path[0]:
            yield from _at(content, *path[1:]) if len(path) > 1 else iter((content,))


def _text(message: Message, field: int) -> str:
    """Return a text; of several, Protocol Buffers keeps the last."""
    found = [content.decode() for number, content in texts(message) if number == field]
    return found[-1] if found else ""
