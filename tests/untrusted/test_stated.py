"""What foreign files state: tensors, labels and normalisation of `.tflite`, tensors and opset of `.onnx`."""

from typing import Any

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from edgedigits_runtime.contract import Tensor
from edgedigits_runtime.embedded_contract import append_zipped, read_contract, strip_zip
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactError, ArtifactUnsupported
from edgedigits_runtime.untrusted import onnx_model
from edgedigits_runtime.untrusted.tflite_metadata import AXIS_LABELS, read_stated
from tests.support.edited_tflite import changed, graph_of, tiny
from tests.support.tflite_metadata import metadata_bytes, with_metadata
from tests.support.tiny_models import int8_contract, onnx_bytes, tflite_bytes

LABELS = tuple("0123456789")
TEXT = "\n".join(LABELS).encode()

words = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12)
numbers = st.floats(0.5, 255, width=32)


def test_tensors_are_those_of_the_file() -> None:
    stated = read_stated(tiny(), "x.tflite")
    assert stated.input == Tensor("image", (1, 28, 28, 1), "int8", pytest.approx(1 / 255), -128)
    assert stated.output == Tensor("probabilities", (1, 10), "int8", 1 / 256, -128)
    assert (stated.name, stated.labels, stated.mean, stated.std, stated.opset) == ("", None, None, None, None)
    assert read_stated(tflite_bytes(None), "x.tflite").input == Tensor("image", (1, 28, 28, 1), "float32")


def test_tensors_of_shipped_files_are_those_of_their_contracts() -> None:
    from edgedigits.model_files import SHIPPED

    for path in sorted(SHIPPED.glob("*.tflite")):
        stated, contract = read_stated(path.read_bytes(), path.name), read_contract(path)
        assert (stated.input.dtype, stated.input.shape) == (contract.input.dtype, contract.input.shape)
        assert (stated.input.scale, stated.output.scale) == (contract.input.scale, contract.output.scale)
        assert (stated.input.zero_point, stated.output.zero_point) == (-128, -128)


def test_free_sizes_are_none() -> None:
    def free(model: Any) -> None:
        graph_of(model).tensors[0].shapeSignature = [-1, 28, 28, 1]

    assert read_stated(changed(tiny(), free), "x.tflite").input.shape == (None, 28, 28, 1)


@given(name=words, labels=st.lists(words, min_size=1, max_size=9), pairs=st.lists(st.tuples(numbers, numbers)))
def test_metadata_is_read_as_it_was_written(name: str, labels: list[str], pairs: list[tuple[float, float]]) -> None:
    mean, std = tuple(mean for mean, _ in pairs), tuple(std for _, std in pairs)
    content = with_metadata(
        tiny(),
        metadata_bytes(name, mean, std, [("readme.txt", 1), ("classes.txt", AXIS_LABELS)]),
        {"readme.txt": b"none", "classes.txt": "\n".join(labels).encode()},
    )
    stated = read_stated(content, "x.tflite")
    assert (stated.name, stated.description, stated.labels) == (name, f"Reads {name}"[:200], tuple(labels))
    assert (stated.mean, stated.std) == ((mean, std) if pairs else (None, None))


@pytest.mark.parametrize(
    ("files", "members", "labels"),
    [
        ([("a.txt", AXIS_LABELS), ("b.txt", AXIS_LABELS)], {"a.txt": TEXT, "b.txt": b"x"}, LABELS),
        ([("values.txt", 3)], {"values.txt": b"x"}, None),
        ([], {"labels.txt": TEXT}, LABELS),
        ([], {"labels.txt": b"one\r\ntwo \r\n\r\n"}, ("one", "two")),
        ([], {"labels.txt": b"one\n\nthree\n"}, ("one", "", "three")),
        ([("gone.txt", AXIS_LABELS)], {"other.txt": b"x"}, None),
        ([("gone.txt", AXIS_LABELS)], {}, None),
    ],
)
def test_labels_are_those_of_the_output(
    files: list[tuple[str, int]], members: dict[str, bytes], labels: tuple[str, ...] | None
) -> None:
    assert read_stated(with_metadata(tiny(), metadata_bytes(files=files), members), "x").labels == labels


def test_labels_need_no_metadata() -> None:
    assert read_stated(with_metadata(tiny(), None, {"labels.txt": TEXT}), "x").labels == LABELS


def test_a_contract_keeps_the_files_of_the_metadata() -> None:
    foreign = with_metadata(tiny(), metadata_bytes(files=[("labels.txt", AXIS_LABELS)]), {"labels.txt": TEXT})
    twice = append_zipped(append_zipped(foreign, int8_contract()), int8_contract(name="again"))
    assert read_stated(twice, "x").labels == LABELS
    assert twice == append_zipped(foreign, int8_contract(name="again"))
    assert strip_zip(twice) == strip_zip(foreign)


@pytest.mark.parametrize(
    ("metadata", "member", "fact"),
    [
        (metadata_bytes(mean=[0.0], std=[0.0]), TEXT, "0.0"),
        (metadata_bytes(mean=[float("nan")], std=[1.0]), TEXT, "nan"),
        (metadata_bytes(mean=[0.0]), TEXT, r"\[\]"),
        (metadata_bytes(files=[("labels.txt", AXIS_LABELS)])[:100], TEXT, "metadata"),
        (b"junk", TEXT, "M001"),
        (metadata_bytes(), b"\xff\xfe", "labels.txt"),
        (metadata_bytes(), bytes((1 << 20) + 1), "1,048,576"),
    ],
)
def test_damaged_metadata_is_refused(metadata: bytes, member: bytes, fact: str) -> None:
    with pytest.raises(ArtifactCorrupt, match=rf"^x\.tflite.*{fact}"):
        read_stated(with_metadata(tiny(), metadata, {"labels.txt": member}), "x.tflite")


def test_several_outputs_are_refused() -> None:
    def twice(model: Any) -> None:
        graph_of(model).outputs = [5, 6]

    with pytest.raises(ArtifactUnsupported, match="1 inputs and 2 outputs"):
        read_stated(changed(tiny(), twice), "x.tflite")


@given(data=st.data())
def test_damaged_bytes_state_something_or_are_refused(data: st.DataObject) -> None:
    whole = with_metadata(
        tiny(), metadata_bytes("x", [1.0], [2.0], [("labels.txt", AXIS_LABELS)]), {"labels.txt": TEXT}
    )
    start = whole.index(b"M001") - 64
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(start, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_stated(bytes(content), "x.tflite")
    except ArtifactError as error:
        assert str(error).startswith("x.tflite") and "\n" not in str(error)


def onnx_file(shape: list[Any] | None, opsets: dict[str, int], initialised: bool = False) -> bytes:
    end = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"])],
        "g",
        [end("x", TensorProto.FLOAT, shape), *([end("w", TensorProto.FLOAT, [1])] if initialised else [])],
        [end("y", TensorProto.FLOAT, shape)],
        [helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])],
    )
    imports = [helper.make_opsetid(domain, version) for domain, version in opsets.items()]
    return bytes(helper.make_model(graph, opset_imports=imports).SerializeToString())


sizes = st.lists(st.one_of(st.none(), words, st.integers(1, 999)), min_size=1, max_size=5)


@given(sizes, st.integers(1, 30), st.booleans())
def test_onnx_files_state_their_tensors_and_opset(shape: list[Any], opset: int, initialised: bool) -> None:
    stated = onnx_model.read_stated(onnx_file(shape, {"com.microsoft": 1, "": opset}, initialised), "x.onnx")
    known = tuple(size if isinstance(size, int) else None for size in shape)
    assert stated.input == Tensor("x", known, "float32")
    assert stated.output == Tensor("y", known, "float32")
    assert stated.opset == opset


def test_a_real_onnx_file_is_read() -> None:
    content = onnx_bytes(None, "uint8")
    stated = onnx_model.read_stated(content, "x.onnx")
    assert stated.input == Tensor("image", (None, 28, 28, 1), "uint8")
    assert stated.output == Tensor("probabilities", (None, 10), "float32")
    assert stated.opset == 17
    model = onnx.load_from_string(content)
    model.graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, [1]))
    with pytest.raises(ArtifactUnsupported, match="2 inputs and 1 outputs"):
        onnx_model.read_stated(model.SerializeToString(), "x.onnx")
