"""The contract survives JSON and zip, and misleading fields are refused."""

import contextlib
import dataclasses
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from edgedigits_runtime.contract import INTEGERS, REQUIRED, SCHEMA, Contract, DataUsed, Tensor, parse_contract
from edgedigits_runtime.embedded_contract import LARGEST, MEMBER, append_zipped, missing, read_contract, strip_zip
from edgedigits_runtime.errors import ArtifactError, ArtifactNotFound, ContractInvalid, ContractMissing
from tests.support.tiny_models import contract, int8_contract, tflite_bytes

sizes = st.integers(1, 4096)
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=12)
used = st.none() | st.builds(DataUsed, words, st.integers(0), words)


@st.composite
def tensors(draw: st.DrawFn, shape: tuple[int, ...]) -> Tensor:
    dtype = draw(st.sampled_from(["float32", *INTEGERS]))
    batch = draw(st.none() | sizes)
    if dtype == "float32":
        return Tensor(draw(words), (batch, *shape), dtype)
    scale = draw(st.floats(1e-9, 1e3))
    return Tensor(draw(words), (batch, *shape), dtype, scale, draw(st.integers(*INTEGERS[dtype])))


@st.composite
def contracts(draw: st.DrawFn) -> Contract:
    labels = tuple(draw(st.lists(words, min_size=1, max_size=12)))
    non_digit = draw(st.booleans())
    return Contract(
        name=draw(words),
        input=draw(tensors((draw(sizes), draw(sizes), draw(sizes)))),
        output=draw(tensors((len(labels) + non_digit,))),
        labels=labels,
        non_digit=non_digit,
        normalisation=draw(st.sampled_from(["unit", "column-l2"])),
        reader=draw(st.sampled_from(["digits", "plain"])),
        temperature=draw(st.floats(1e-6, 1e6)),
        rejection_threshold=draw(st.floats(0, 1)),
        format=draw(words),
        precision=draw(words),
        recipe=draw(st.none() | words),
        training=draw(used),
        calibration=draw(used),
        data=draw(used),
        accuracy=draw(st.none() | st.dictionaries(words, st.floats(0, 1) | words)),
        verified=draw(st.none() | st.dictionaries(words, st.booleans() | st.integers())),
        tools=draw(st.dictionaries(words, words)),
    )


@given(contracts())
def test_json_round_trip(given_contract: Contract) -> None:
    assert parse_contract(given_contract.to_json(), "a file") == given_contract
    assert parse_contract(given_contract.to_json().encode(), "a file") == given_contract


@given(st.binary(max_size=300) | st.text(max_size=300))
def test_other_files_are_refused_with_a_picture_error(text: str | bytes) -> None:
    with pytest.raises(ContractInvalid, match=r"a\.tflite"):
        parse_contract(text, "a.tflite")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from([field.name for field in dataclasses.fields(Contract)]), json_values)
def test_any_value_of_a_field_is_accepted_or_refused(name: str, value: Any) -> None:
    fields = {**json.loads(int8_contract().to_json()), name: value}
    try:
        taken = parse_contract(json.dumps(fields), "a.tflite")
    except ContractInvalid:
        return
    assert isinstance(taken.temperature, int | float)
    assert taken.temperature > 0
    assert all(size > 0 for size in taken.image_shape)


@given(
    st.sampled_from(["input", "output"]),
    st.sampled_from(["name", "shape", "dtype", "scale", "zero_point"]),
    json_values,
)
def test_any_value_of_a_tensor_field_is_accepted_or_refused(border: str, name: str, value: Any) -> None:
    fields = json.loads(int8_contract().to_json())
    fields[border][name] = value
    try:
        tensor = getattr(parse_contract(json.dumps(fields), "a.tflite"), border)
    except ContractInvalid:
        return
    assert tensor.dtype == "int8"
    assert tensor.scale > 0
    assert -128 <= tensor.zero_point <= 127


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_field_is_named(name: str) -> None:
    fields = json.loads(contract().to_json())
    del fields[name]
    with pytest.raises(ContractInvalid, match=name):
        parse_contract(json.dumps(fields), "a.onnx")


def test_optional_fields_may_be_left_out() -> None:
    fields = {name: value for name, value in json.loads(contract().to_json()).items() if name in REQUIRED}
    assert parse_contract(json.dumps(fields), "foreign.json") == contract()


def test_only_a_model_with_that_output_states_a_non_digit() -> None:
    assert "non_digit" not in json.loads(contract().to_json())
    refusing = contract(non_digit=True, output=Tensor("p", (None, 11), "float32"))
    assert json.loads(refusing.to_json())["non_digit"] is True
    assert (contract().values, refusing.values) == (10, 11)


def test_an_unknown_field_is_named() -> None:
    fields = {**json.loads(contract().to_json()), "zz": 1, "colour": "red"}
    with pytest.raises(ContractInvalid, match="colour, zz"):
        parse_contract(json.dumps(fields), "a.onnx")


@pytest.mark.parametrize("schema", [0, 2, "1", None])
def test_another_schema_version_is_refused(schema: object) -> None:
    fields = {**json.loads(contract().to_json()), "schema": schema}
    with pytest.raises(ContractInvalid, match=f"{schema}.*{SCHEMA}"):
        parse_contract(json.dumps(fields), "a.onnx")


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        ({"input": Tensor("image", (28, 28, 1), "float32")}, r"input\.shape"),
        ({"input": Tensor("image", (None, 0, 28, 1), "float32")}, "shape of image"),
        ({"input": Tensor("image", (None, -28, 28, 1), "float32")}, "shape of image"),
        ({"input": Tensor("image", (None, None, 28, 1), "float32")}, "shape of image"),
        ({"input": Tensor("image", (0, 28, 28, 1), "float32")}, "shape of image"),
        ({"output": Tensor("p", (None, 9), "float32")}, r"output\.shape.*10"),
        ({"output": Tensor("p", (10,), "float32")}, r"output\.shape"),
        ({"output": Tensor("p", (None, 11), "float32")}, r"output\.shape.*10"),
        ({"non_digit": True}, r"output\.shape.*11.*10 labels and non_digit"),
        ({"non_digit": True, "labels": ("0", "1"), "output_kind": "sigmoid"}, "non_digit.*sigmoid"),
        ({"non_digit": 1}, "non_digit.*bool.*1"),
        ({"labels": (), "output": Tensor("p", (None, 0), "float32")}, "labels"),
        ({"name": "base\x1b]0;x\x07"}, r"'base\\x1b\]0;x\\x07'"),
        ({"labels": (*"012345678", "\x9b2J")}, r"x9b2J"),
        ({"data": DataUsed("../a\x1b[2J", 1, "")}, r"x1b\[2J"),
        ({"data": DataUsed(5, 1, "")}, "name.*5"),  # type: ignore[arg-type]
        ({"normalisation": "imagenet"}, "normalisation.*'imagenet'"),
        ({"reader": "faces"}, "reader.*'faces'"),
        ({"temperature": 0.0}, "temperature"),
        ({"temperature": -1.0}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"temperature": float("inf")}, "temperature"),
        ({"temperature": "hot"}, "temperature.*'hot'"),
        ({"rejection_threshold": 1.5}, "rejection_threshold"),
        ({"rejection_threshold": float("nan")}, "rejection_threshold"),
        ({"name": 5}, "name.*5"),
        ({"recipe": ["plain"]}, "recipe"),
        ({"labels": "0123456789"}, "labels.*'0123456789'"),
        ({"input": Tensor("image", (1, 28, 28, 1), "float64")}, "'float64'"),
        ({"input": Tensor("image", (1, 28, 28, 1), "int8")}, "scale.*None"),
        ({"input": Tensor("image", (1, 28, 28, 1), "int8", 0.0, 0)}, "scale"),
        ({"input": Tensor("image", (1, 28, 28, 1), "int8", 0.1)}, "zero_point.*None"),
        ({"input": Tensor("image", (1, 28, 28, 1), "int8", 0.1, 128)}, "zero_point"),
        ({"input": Tensor("image", (1, 28, 28, 1), "uint8", 0.1, -1)}, "zero_point"),
        ({"input": Tensor("image", (1, 28, 28, 1), "int16", 0.1, 32_768)}, "zero_point"),
        ({"input": Tensor("image", (1, 28, 28, 1), "float32", 0.1, 0)}, "scale"),
    ],
)  # fmt: skip
def test_contradictions_in_a_contract_are_refused(changes: dict[str, Any], fact: str) -> None:
    with pytest.raises(ContractInvalid, match=fact):
        parse_contract(contract(**changes).to_json(), "a.onnx")


def test_all_problems_are_in_one_message() -> None:
    with pytest.raises(ContractInvalid, match=r"normalisation.*temperature"):
        parse_contract(contract(normalisation="x", temperature=0.0).to_json(), "a.onnx")


@pytest.mark.parametrize("key", ["input", "output", "training", "data"])
def test_a_malformed_part_is_refused(key: str) -> None:
    fields = {**json.loads(contract().to_json()), key: {"nothing": "known"}}
    with pytest.raises(ContractInvalid, match="contract"):
        parse_contract(json.dumps(fields), "a.onnx")


@given(st.binary(max_size=400))
def test_a_contract_appended_to_any_bytes_is_read_back_and_stripped_again(model: bytes) -> None:
    assume(b"PK" not in model)
    appended = append_zipped(model, contract())
    assert appended.startswith(model)
    assert strip_zip(appended) == model
    assert strip_zip(model) == model
    with zipfile.ZipFile(io.BytesIO(appended)) as archive:
        assert parse_contract(archive.read(MEMBER), "appended") == contract()


@given(st.binary(max_size=200), contracts(), contracts())
def test_a_second_contract_replaces_the_first(model: bytes, first: Contract, second: Contract) -> None:
    assume(b"PK" not in model)
    assert append_zipped(append_zipped(model, first), second) == append_zipped(model, second)
    assert append_zipped(model, first) == append_zipped(model, first)


@given(st.binary(max_size=100))
def test_other_members_of_an_appended_zip_go_too(model: bytes) -> None:
    assume(b"PK" not in model)
    tail = io.BytesIO()
    with zipfile.ZipFile(tail, "w") as archive:
        archive.writestr("labels.txt", "0\n1\n")
        archive.writestr("more/notes.txt", "x" * 50)
    assert strip_zip(model + tail.getvalue()) == model


def test_an_empty_zip_is_stripped() -> None:
    tail = io.BytesIO()
    zipfile.ZipFile(tail, "w").close()
    assert strip_zip(b"model" + tail.getvalue()) == b"model"


WHOLE = append_zipped(b"TFL3" * 5, contract())


@settings(max_examples=400)
@given(place=st.integers(1, 200) | st.integers(1, len(WHOLE)), value=st.integers(0, 255))
def test_damage_anywhere_gives_a_contract_or_an_artifact_error(
    place: int, value: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Places are counted from the end, where the zip's directory is."""
    damaged = bytearray(WHOLE)
    damaged[-place] = value
    path = tmp_path_factory.getbasetemp() / "damaged.tflite"
    path.write_bytes(damaged)
    with contextlib.suppress(ArtifactError):
        assert isinstance(read_contract(path), Contract)
    assert bytes(damaged).startswith(strip_zip(bytes(damaged)))


@given(lost=st.integers(1, 2000))
def test_a_cut_off_file_has_no_contract(lost: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    whole = append_zipped(b"TFL3" * 500, contract())
    path = tmp_path_factory.getbasetemp() / "cut.tflite"
    path.write_bytes(whole[:-lost])
    with pytest.raises(ContractMissing):
        read_contract(path)


def test_files_without_a_contract(tmp_path: Path) -> None:
    bare = tmp_path / "bare.tflite"
    bare.write_bytes(tflite_bytes(None))
    other = tmp_path / "other.keras"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("config.json", "{}")
    (tmp_path / "empty.tflite").touch()
    for path in (bare, other, tmp_path / "empty.tflite"):
        with pytest.raises(ContractMissing, match=f"edgedigits import .*{path.name}"):
            read_contract(path)
    with pytest.raises(ArtifactNotFound, match=r"gone\.tflite"):
        read_contract(tmp_path / "gone.tflite")


def test_a_contract_that_unpacks_to_gigabytes_is_refused_packed(tmp_path: Path) -> None:
    path = tmp_path / "bomb.tflite"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MEMBER, b" " * (LARGEST + 1))
    assert path.stat().st_size < LARGEST // 100
    with pytest.raises(ContractInvalid, match="1,048,576"):
        read_contract(path)


def test_a_zip_of_a_million_members_is_refused(tmp_path: Path) -> None:
    """zipfile would make an object of each member when it opens the file."""
    path = tmp_path / "many.tflite"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(14_000):
            archive.writestr(f"{number:050}", b"")
    with pytest.raises(ContractMissing):
        read_contract(path)
    assert strip_zip(path.read_bytes()) == path.read_bytes()


def test_a_contract_nested_too_deep_is_refused() -> None:
    with pytest.raises(ContractInvalid, match="JSON"):
        parse_contract("[" * 200_000, "deep")


def test_the_error_of_a_missing_contract_is_one_line() -> None:
    assert "\n" not in str(missing(Path("a.tflite")))


def test_image_shape() -> None:
    assert contract().image_shape == (28, 28, 1)
    assert contract(input=Tensor("image", (1, 32, 48, 3), "float32")).image_shape == (32, 48, 3)
