"""Untrusted `.tflite` files: valid ones pass, damaged and contradictory ones are refused before LiteRT opens them."""

import hashlib
import re
import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given
from hypothesis import strategies as st

from edgedigits_runtime.embedded_contract import strip_zip
from edgedigits_runtime.engines import open_engine
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactError, ArtifactNotFound, ArtifactUnsupported
from edgedigits_runtime.untrusted import CHECKS, checked_content, limits, tflite_schema
from edgedigits_runtime.untrusted.flatbuffer import Bytes, Choice, Layout, Numbers, Scalar, String, Tables
from edgedigits_runtime.untrusted.tflite import check
from tests.conftest import REPOSITORY
from tests.support.damaged_bytes import damaged, with_changed_word
from tests.support.edited_tflite import (
    INT8,
    INT32,
    SHIPPED,
    Builder,
    changed,
    graph_of,
    operator_of,
    packed,
    shipped,
    tensor_of,
    tiny,
)

LETTERS = {"b": "Int8", "B": "Uint8", "?": "Bool", "i": "Int32", "I": "Uint32", "f": "Float32", "q": "Int64",
           "Q": "Uint64", "H": "Uint16"}  # fmt: skip


def assert_refused(content: bytes, *facts: str, error: type[ArtifactError] = ArtifactCorrupt) -> None:
    """Assert the error's class, and a message of one line that starts with the file and holds the facts."""
    with pytest.raises(error) as caught:
        check(content, "x.tflite")
    message = str(caught.value)
    assert message.startswith("x.tflite") and "\n" not in message and len(message) < 400
    assert all(fact in message for fact in facts), message


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_files_pass(name: str) -> None:
    check(shipped(name), name)
    check(strip_zip(shipped(name)), name)


def test_only_the_bytes_of_a_trusted_digest_are_not_checked(tmp_path: Path) -> None:
    path = tmp_path / "base.tflite"
    path.write_bytes(content := b"TFL3")
    assert checked_content(path, hashlib.sha256(content).hexdigest()) == content
    for other in (None, "", hashlib.sha256(content + b" ").hexdigest()):
        with pytest.raises(ArtifactCorrupt):
            checked_content(path, other)
    with pytest.raises(ArtifactNotFound):
        checked_content(tmp_path / "none.tflite", "")


def test_files_of_many_operators_pass() -> None:
    wide = sorted((REPOSITORY / "tests" / "support" / "wide").glob("*.tflite"))
    assert len(wide) == 4
    for path in wide:
        assert checked_content(path) == path.read_bytes()


def camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


@cache
def sources() -> dict[str, str]:
    """Source text of each class in the schema's module; inspect would parse its 20,000 lines for each."""
    text = Path(schema.__file__).read_text()
    return {part.split("(", 1)[0]: part for part in re.split(r"^class ", text, flags=re.M)[1:]}


def slots_of(table: str) -> dict[str, int]:
    """Slots by field name, from the schema's Python module."""
    source = sources()[table]
    found = re.findall(r"def (\w+)\(self[^)]*\):\s+o = [^\n]*Offset\((\d+)\)\)", source)
    return {name.lower(): int(offset) // 2 - 2 for name, offset in found}


def compare(table: str, layout: Layout) -> None:
    """Compare slots and types of a layout with the schema's, and those of the tables in it."""
    slots = slots_of(table)
    assert [slot for slot, _, _ in layout.fields] == sorted(slot for slot, _, _ in layout.fields)
    for slot, name, kind in layout.fields:
        plain = camel(name).lower()
        assert slots[plain] == slot, (table, name)
        source = sources()[table]
        method = source[source.index(f"def {next(n for n in dir(getattr(schema, table)) if n.lower() == plain)}(") :]
        method = method[: method.index("\n    # ")] if "\n    # " in method else method
        if isinstance(kind, (Scalar, Numbers)):
            assert f"{LETTERS[kind.letter]}Flags" in method, (table, name)
        elif isinstance(kind, Bytes):
            assert "Uint8Flags" in method
        elif isinstance(kind, String):
            assert "String(" in method
        elif isinstance(kind, Tables) and kind.layout.fields:
            compare(re.search(r"obj = (\w+)\(", method).group(1), kind.layout)
        elif isinstance(kind, Layout) and kind.fields:
            compare(re.search(r"obj = (\w+)\(", method).group(1), kind)
        elif isinstance(kind, Choice):
            assert plain == "builtinoptions"


def test_layouts_match_the_public_schema() -> None:
    compare("Model", tflite_schema.MODEL)
    for number, (name, layout) in tflite_schema.OPTIONS.items():
        assert getattr(schema.BuiltinOptions, name) == number
        compare(name, layout)
    for known in tflite_schema.OPERATORS.values():
        assert known.options == 0 or known.options in tflite_schema.OPTIONS
    for number, name in enumerate(tflite_schema.OPERATOR_NAMES):
        assert getattr(schema.BuiltinOperator, name) == number
    for number, name in tflite_schema.TYPES.items():
        assert getattr(schema.TensorType, name) == number
    assert tflite_schema.WIDTHS.keys() | tflite_schema.ZERO_POINTS.keys() <= set(tflite_schema.TYPES.values())


def test_layouts_hold_every_field_of_the_schema() -> None:
    """A field that LiteRT follows and the layouts lack would bypass the checks."""
    left_out = {
        "quantizationparameters": {"details"},
        "operator": {"customoptionsformat", "builtinoptions2", "debugmetadataindex"},
    }
    layouts = {
        "Model": tflite_schema.MODEL,
        "Operator": tflite_schema._OPERATOR,
        "Tensor": tflite_schema._TENSOR,
        "SubGraph": tflite_schema._SUBGRAPH,
        "Buffer": tflite_schema._BUFFER,
        "OperatorCode": tflite_schema._CODE,
        "QuantizationParameters": tflite_schema._QUANTIZATION,
        "SignatureDef": tflite_schema._SIGNATURE,
        **dict(tflite_schema.OPTIONS.values()),
    }
    for table, layout in layouts.items():
        described = {camel(name).lower() for _, name, _ in layout.fields}
        names = {re.sub("(asnumpy|length|isnone)$", "", name) for name in slots_of(table)}
        assert names - described == left_out.get(table.lower(), set()), table


def set_option(operator: str, name: str, value: Any) -> Callable[[Any], None]:
    return lambda model: setattr(operator_of(model, operator).builtinOptions, name, value)


def set_tensor(slot: int, name: str, value: Any) -> Callable[[Any], None]:
    return lambda model: setattr(tensor_of(model, "CONV_2D", slot), name, value)


def set_scale(slot: int, value: list[float]) -> Callable[[Any], None]:
    return lambda model: setattr(tensor_of(model, "CONV_2D", slot).quantization, "scale", value)


def set_zero_points(slot: int, value: list[int]) -> Callable[[Any], None]:
    return lambda model: setattr(tensor_of(model, "CONV_2D", slot).quantization, "zeroPoint", value)


def set_operator(name: str, value: Any) -> Callable[[Any], None]:
    return lambda model: setattr(operator_of(model, "CONV_2D"), name, value)


def set_graph(name: str, value: Any) -> Callable[[Any], None]:
    return lambda model: setattr(graph_of(model), name, value)


def custom(model: Any) -> None:
    model.operatorCodes[0].builtinCode = model.operatorCodes[0].deprecatedBuiltinCode = 32
    model.operatorCodes[0].customCode = b"Mystery"


def operator_number(number: int) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        model.operatorCodes[0].builtinCode = number
        model.operatorCodes[0].deprecatedBuiltinCode = min(number, 127)

    return change


def twice(model: Any) -> None:
    graph_of(model).operators[1].outputs = graph_of(model).operators[0].outputs


def into_a_constant(model: Any) -> None:
    graph_of(model).operators[0].outputs = [
        tensor_of(model, "CONV_2D", 1).buffer and graph_of(model).operators[0].inputs[1]
    ]


def too_early(model: Any) -> None:
    graph_of(model).operators.reverse()


def metadata(model: Any) -> None:
    entry = schema.MetadataT()
    entry.name, entry.buffer = b"min_runtime_version", 4_000_000
    model.metadata = [entry]


def signature(model: Any) -> None:
    made, end = schema.SignatureDefT(), schema.TensorMapT()
    end.name, end.tensorIndex = b"x", 9_999
    made.inputs, made.outputs, made.signatureKey = [end], [], b"serving"
    model.signatureDefs = [made]


def elsewhere(model: Any) -> None:
    buffer = model.buffers[tensor_of(model, "CONV_2D", 1).buffer]
    buffer.offset, buffer.size = 4096, 100


CONTRADICTIONS: dict[str, tuple[Callable[[Any], None], type[ArtifactError], *tuple[str, ...]]] = {
    "schema": (lambda model: setattr(model, "version", 2), ArtifactUnsupported, "2"),
    "two subgraphs": (lambda model: model.subgraphs.append(model.subgraphs[0]), ArtifactUnsupported, "2"),
    "no subgraph": (lambda model: setattr(model, "subgraphs", []), ArtifactUnsupported, "0"),
    "custom": (custom, ArtifactUnsupported, "CUSTOM Mystery"),
    "loop operator": (operator_number(119), ArtifactUnsupported, "WHILE"),
    "unknown operator": (operator_number(999), ArtifactUnsupported, "999"),
    "negative operator": (operator_number(-5), ArtifactUnsupported, "-5"),
    "missing operator kind": (set_operator("opcodeIndex", 77), ArtifactCorrupt, "77"),
    "input": (set_operator("inputs", [0, 9999, 25]), ArtifactCorrupt, "9999"),
    "negative input": (set_operator("inputs", [-2, 26, 25]), ArtifactCorrupt, "-2"),
    "left out": (set_operator("inputs", [0, -1]), ArtifactCorrupt, "input 1"),
    "too few inputs": (set_operator("inputs", [0]), ArtifactCorrupt, "1 inputs"),
    "output": (set_operator("outputs", [12345]), ArtifactCorrupt, "12345"),
    "no outputs": (set_operator("outputs", []), ArtifactCorrupt, "0 outputs"),
    "made twice": (twice, ArtifactCorrupt, "tensor 27"),
    "writes a constant": (into_a_constant, ArtifactCorrupt, "tensor 26"),
    "reversed order": (too_early, ArtifactCorrupt, "reads tensor"),
    "graph output": (set_graph("outputs", [9999]), ArtifactCorrupt, "9999"),
    "graph input": (set_graph("inputs", [-1]), ArtifactCorrupt, "-1"),
    "two inputs": (set_graph("inputs", [0, 0]), ArtifactUnsupported, "2 inputs"),
    "buffer": (set_tensor(1, "buffer", 4_000_000_000), ArtifactCorrupt, "4000000000"),
    "constant input": (set_tensor(0, "buffer", 2), ArtifactCorrupt, "tensor 0"),
    "short": (set_tensor(1, "shape", [4, 3, 3, 2]), ArtifactCorrupt, "72", "36"),
    "negative size": (set_tensor(0, "shape", [1, -28, 28, 1]), ArtifactCorrupt, "-28"),
    "huge": (set_tensor(0, "shape", [1, 2**20, 2**20, 1]), ArtifactUnsupported, "1,099,511,627,776"),
    "overflow": (
        set_tensor(0, "shape", [2**16, 2**16, 2**16, 2**16]),
        ArtifactUnsupported,
        "18,446,744,073,709,551,616",
    ),
    "many dimensions": (set_tensor(0, "shape", [1] * 40), ArtifactCorrupt, "tensor 0"),
    "signature of another shape": (set_tensor(0, "shapeSignature", [1, 28]), ArtifactCorrupt, "[1, 28]"),
    "string tensor": (set_tensor(0, "type", schema.TensorType.STRING), ArtifactUnsupported, "STRING"),
    "another type": (set_tensor(1, "type", schema.TensorType.INT64), ArtifactCorrupt, "288", "36"),
    "sparse": (set_tensor(1, "sparsity", schema.SparsityParametersT()), ArtifactUnsupported, "sparse"),
    "variable": (set_tensor(-1, "isVariable", True), ArtifactUnsupported, "variable"),
    "external data": (elsewhere, ArtifactUnsupported, "outside"),
    "scales": (set_scale(1, [0.1, 0.2]), ArtifactCorrupt, "2 scales", "dimension 0", "1 or 4", "[4, 3, 3, 1]"),
    "no zero points": (set_zero_points(1, []), ArtifactCorrupt, "4 scales and 0 zero points"),
    "infinite scale": (set_scale(-1, [float("inf")]), ArtifactCorrupt, "inf"),
    "scale below 0": (set_scale(-1, [-1.0]), ArtifactCorrupt, "-1"),
    "scale not a number": (set_scale(-1, [float("nan")]), ArtifactCorrupt, "nan"),
    "denormal scale": (set_scale(-1, [1.4e-45]), ArtifactCorrupt, "1.4013e-45"),
    "zero point": (
        lambda model: setattr(tensor_of(model, "CONV_2D", -1).quantization, "zeroPoint", [-9_674_316]),
        ArtifactCorrupt,
        "-9674316",
    ),
    "scale 0": (set_scale(0, [0.0]), ArtifactCorrupt, "scale 0"),
    "stride": (set_option("CONV_2D", "strideH", 0), ArtifactCorrupt, "stride_h 0"),
    "negative stride": (set_option("CONV_2D", "strideW", -1), ArtifactCorrupt, "stride_w -1"),
    "dilation": (set_option("CONV_2D", "dilationWFactor", 0), ArtifactCorrupt, "dilation_w_factor 0"),
    "huge dilation": (
        set_option("CONV_2D", "dilationWFactor", 2**31 - 1),
        ArtifactCorrupt,
        "dilation_w_factor 2147483647",
    ),
    "padding": (set_option("CONV_2D", "padding", 7), ArtifactCorrupt, "padding 7"),
    "activation": (
        set_option("CONV_2D", "fusedActivationFunction", 77),
        ArtifactCorrupt,
        "fused_activation_function 77",
    ),
    "beta 0": (set_option("SOFTMAX", "beta", 0.0), ArtifactCorrupt, "beta 0"),
    "beta not a number": (set_option("SOFTMAX", "beta", float("nan")), ArtifactCorrupt, "beta nan"),
    "small beta": (set_option("SOFTMAX", "beta", 1e-40), ArtifactCorrupt, "9.99995e-41"),
    "no options": (set_operator("builtinOptions", None), ArtifactCorrupt, "Conv2DOptions"),
    "other options": (set_operator("builtinOptionsType", 9), ArtifactCorrupt, "Conv2DOptions"),
    "shape of the output": (set_tensor(-1, "shape", [1, 28, 28, 8]), ArtifactCorrupt, "[1, 28, 28, 8]"),
    "metadata": (metadata, ArtifactCorrupt, "4000000"),
    "signature": (signature, ArtifactCorrupt, "9999"),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_contradictory_files_are_refused(case: str) -> None:
    change, error, *facts = CONTRADICTIONS[case]
    assert_refused(changed(shipped("pico"), change), *facts, error=error)


def test_too_many_parts_are_refused() -> None:
    def many(model: Any) -> None:
        model.buffers += [schema.BufferT()] * limits.PARTS

    assert_refused(changed(tiny(), many), "buffers", "10,000", error=ArtifactUnsupported)


def test_total_activation_memory_is_limited() -> None:
    build = Builder([1, 16_000, 16_000, 1])
    for _ in range(5):
        build.add("RELU", build.tensor([1, 16_000, 16_000, 1]))
    build.graph.inputs, build.graph.outputs = [0], [build.last]
    assert_refused(packed(build.model), f"{limits.ACTIVATIONS_BYTES:,}", error=ArtifactUnsupported)


def refused(build: Builder, *facts: str) -> None:
    build.graph.inputs, build.graph.outputs = [0], [build.last]
    assert_refused(packed(build.model), *facts)


def test_outputs_larger_than_their_shape_in_the_file_are_refused() -> None:
    """Limits use the shapes in the file, but LiteRT computes its own."""
    build = Builder([1, 2, 2, 1])
    refused(build.add("PAD", build.tensor([1, 2, 2, 1]), build.constant([[0, 0], [0, 60_000], [0, 60_000], [0, 0]])),
            "[1, 60002, 60002, 1]")  # fmt: skip
    build = Builder([1, 2, 2, 1])
    refused(build.add("PAD", build.tensor([1, 2, 2, 1]), build.constant([[0, 0], [0, -9], [0, 0], [0, 0]])), "-9")
    build = Builder([1, 1000])
    refused(build.add("ADD", build.tensor([1, 1000]), build.constant([[1]] * 1000, INT8), options="AddOptions"),
            "[1000, 1000]")  # fmt: skip
    build = Builder([1, 4])
    refused(build.add("ADD", build.tensor([1, 4]), build.constant([1, 2, 3], INT8), options="AddOptions"), "4", "3")
    build = Builder([1, 2, 2, 1])
    refused(build.add("RESHAPE", build.tensor([1, 5]), options="ReshapeOptions", newShape=[1, 5]), "5", "4")
    build = Builder([1, 2, 2, 1])
    pool = {"strideW": 1, "strideH": 1, "filterWidth": 9, "filterHeight": 9, "padding": 1}
    refused(build.add("MAX_POOL_2D", build.tensor([1, 1, 1, 1]), options="Pool2DOptions", **pool), "9", "2")
    build = Builder([1, 4])
    refused(build.add("CONCATENATION", build.tensor([1, 4]), 0, options="ConcatenationOptions", axis=1), "[1, 8]")


@pytest.mark.parametrize("name", ["ADD", "SQUARED_DIFFERENCE"])
def test_sums_that_need_a_multiplier_above_1_are_refused(name: str) -> None:
    """LiteRT ends the process on them."""
    build = Builder([1, 4], scale=0.5)
    refused(build.add(name, build.tensor([1, 4], scale=1e-7), 0, options=f"{OPTIONS_OF[name]}Options"), name, "1e-07")


OPTIONS_OF = {"ADD": "Add", "SQUARED_DIFFERENCE": "SquaredDifference"}


def test_slices_with_an_end_as_an_offset_are_refused() -> None:
    """LiteRT reads out of bounds in them."""
    build = Builder([4])
    ends = [build.constant([number]) for number in (0, 2, 1)]
    build.add("STRIDED_SLICE", build.tensor([2]), *ends, options="StridedSliceOptions", offset=True)
    refused(build, "STRIDED_SLICE", "offset")


def test_offsets_out_of_the_file_and_wrong_identifiers_are_refused() -> None:
    assert_refused(b"\xff\xff\xff\x7fTFL3" + bytes(100), "byte 0")
    assert_refused(b"", "TFL3")
    assert_refused(b"\x10\0\0\0TFL4" + bytes(100), "TFL3")


def test_a_vector_that_repeats_one_table_is_refused_quickly() -> None:
    # A root table with one field, subgraphs: 1,000,000 offsets to itself.
    count = 1_000_000
    root = struct.pack("<I4sHHHHHHI", 20, b"TFL3", 10, 8, 0, 0, 4, 0, 0)
    assert len(root) == 24
    content = root[:20] + struct.pack("<iI", 20 - 8, 4) + struct.pack("<I", count) + struct.pack("<I", 4) * count
    assert_refused(content)


def test_a_name_that_is_not_utf8_is_refused() -> None:
    """LiteRT opens such a file, and its Python module raises UnicodeDecodeError."""

    def rename(model: Any) -> None:
        graph_of(model).tensors[0].name = b"\xff\xfe"

    assert_refused(changed(shipped("pico"), rename), "UTF-8")


def survives(content: bytes) -> None:
    try:
        check(content, "x.tflite")
    except ArtifactError as error:
        assert "\n" not in str(error)


@given(data=st.data())
def test_damaged_bytes_are_refused_or_pass(data: st.DataObject) -> None:
    survives(damaged(tiny() if data.draw(st.booleans()) else strip_zip(shipped("pico")), data))


@given(data=st.data())
def test_changed_words_are_refused_or_pass(data: st.DataObject) -> None:
    survives(with_changed_word(strip_zip(shipped("pico")), data))


@given(length=st.integers(0, 30_000))
def test_truncated_files_are_refused(length: int) -> None:
    whole = strip_zip(shipped("pico"))
    if length < len(whole):
        assert_refused(whole[:length])


def test_large_missing_and_unreadable_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.tflite"
    with path.open("wb") as file:
        file.truncate(limits.MODEL_BYTES + 1)
    with pytest.raises(ArtifactUnsupported, match=f"{limits.MODEL_BYTES:,}"):
        open_engine(path)
    with pytest.raises(ArtifactNotFound):
        checked_content(tmp_path / "gone.tflite")
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(ArtifactCorrupt, match=r"folder\.onnx"):
        checked_content(tmp_path / "folder.onnx")


def test_each_untrusted_format_has_a_check() -> None:
    assert list(CHECKS) == [".tflite", ".onnx"]


def test_int64_paddings_pass() -> None:
    build = Builder([1, 2, 2, 1])
    index = build.tensor([4, 2], INT32)
    graph = build.graph
    graph.tensors[index].type = schema.TensorType.INT64
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(np.array([[0, 0], [1, 1], [1, 1], [0, 0]], np.int64).tobytes(), np.uint8)
    build.model.buffers.append(buffer)
    graph.tensors[index].buffer = len(build.model.buffers) - 1
    build.add("PAD", build.tensor([1, 4, 4, 1]), index)
    graph.inputs, graph.outputs = [0], [build.last]
    check(packed(build.model), "x")
