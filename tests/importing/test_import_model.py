"""Importing a model of another tool, from the file to what the other commands do with it."""

import dataclasses
import json
import shutil
import sys
from pathlib import Path

import onnx
import pytest
from PIL import Image

import edgedigits
from edgedigits.importing import onnx_source
from edgedigits.importing.import_model import import_model
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.errors import (
    ArtifactNotFound,
    ArtifactUnsupported,
    ContractInvalid,
    ContractMissing,
    DataError,
    MissingExtra,
    ModelInaccurate,
    OutputNotWritable,
    UnknownName,
)
from edgedigits_runtime.golden import golden_path, read_golden, replay
from edgedigits_runtime.synthetic.samples import golden_pictures, mnist_like
from tests.support.foreign_models import bare_keras, bare_tflite, foreign_onnx
from tests.support.tiny_models import onnx_bytes


def digits_folder(folder: Path, count: int = 600) -> Path:
    """Write drawn digits, framed as MNIST frames them, one sub-folder for each."""
    images, labels = mnist_like(count, seed=5)
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = folder / str(label) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    return folder


def test_an_imported_file_reads_pictures_without_another_option(tmp_path: Path) -> None:
    source = foreign_onnx(tmp_path / "mine.onnx", layout="NCHW", output="log-probabilities", name="base")
    made = import_model(source, labels="0123456789")
    assert made.path == tmp_path / "mine-imported.onnx"
    assert read_contract(made.path) == made.contract
    reader = edgedigits.load(made.path)
    assert [reader.read(picture).text for picture, _ in golden_pictures()] == list("0123456789")
    assert all(stage.alike for stage in replay(read_golden(golden_path(made.path)), reader))


def test_paths_are_also_strings(tmp_path: Path) -> None:
    source, folder = foreign_onnx(tmp_path / "mine.onnx", name="base"), digits_folder(tmp_path / "digits", 300)
    stated = tmp_path / "stated.json"
    stated.write_text('{"normalisation": "unit", "polarity": "bright-on-dark"}')
    paths = {"data": folder, "data_dir": tmp_path, "out": tmp_path / "other.onnx", "contract": stated}
    made = import_model(str(source), **{name: str(path) for name, path in paths.items()}, labels="0123456789")
    assert made.path == tmp_path / "other.onnx"


def test_weights_beside_an_onnx_file_are_taken_into_it(tmp_path: Path) -> None:
    """As torch.onnx.export writes them."""
    folder = tmp_path / "source"
    folder.mkdir()
    source = foreign_onnx(folder / "mine.onnx", layout="NCHW", name="base")
    content, places = onnx.load(source), {"save_as_external_data": True, "location": "mine.onnx.data"}
    onnx.save(content, source, size_threshold=100, **places)
    assert (folder / "mine.onnx.data").is_file()
    made = import_model(source, out=tmp_path / "apart.onnx")
    shutil.rmtree(folder)
    reader = edgedigits.load(made.path)
    assert [reader.read(picture).text for picture, _ in golden_pictures()] == list("0123456789")
    onnx.checker.check_model(onnx.load(made.path, load_external_data=False))


@pytest.mark.parametrize(("operator", "dtype"), [("ArgMax", "INT64"), ("Identity", "FLOAT")])
def test_outputs_that_repeat_the_decision_are_left_out(operator: str, dtype: str, tmp_path: Path) -> None:
    """As scikit-learn writes them; several real outputs are several answers."""
    source = foreign_onnx(tmp_path / "mine.onnx", name="base")
    model = onnx.load(source)
    model.graph.node.append(onnx.helper.make_node(operator, ["probabilities"], ["label"]))
    label = onnx.helper.make_tensor_value_info("label", getattr(onnx.TensorProto, dtype), None)
    model.graph.output.insert(0, label)
    onnx.save(model, source)
    if operator == "ArgMax":
        made = import_model(source)
        assert [value.name for value in onnx.load(made.path).graph.output] == ["probabilities"]
        assert edgedigits.load(made.path).read(next(iter(golden_pictures()))[0]).text == "0"
    else:
        with pytest.raises(ArtifactUnsupported, match="2 outputs"):
            import_model(source)


@pytest.mark.parametrize("dtype", ["UINT8", "FLOAT16", "DOUBLE"])
def test_inputs_of_other_types_are_fed(dtype: str, tmp_path: Path) -> None:
    source = foreign_onnx(tmp_path / "mine.onnx", scale=1 / 255 if dtype == "UINT8" else 1, name="base")
    model = onnx.load(source)
    model.graph.input[0].type.tensor_type.elem_type = getattr(onnx.TensorProto, dtype)
    model.graph.node.insert(0, onnx.helper.make_node("Cast", ["pixels"], ["float"], to=onnx.TensorProto.FLOAT))
    model.graph.node[1].input[0] = "float"
    onnx.save(model, source)
    reader = edgedigits.load(import_model(source).path)
    assert [reader.read(picture).text for picture, _ in golden_pictures()] == list("0123456789")


def test_an_output_of_class_numbers_is_refused(tmp_path: Path) -> None:
    source = foreign_onnx(tmp_path / "mine.onnx")
    model = onnx.load(source)
    model.graph.node.append(onnx.helper.make_node("ArgMax", ["probabilities"], ["label"]))
    del model.graph.output[:]
    model.graph.output.append(onnx.helper.make_tensor_value_info("label", onnx.TensorProto.INT64, None))
    onnx.save(model, source)
    with pytest.raises(ArtifactUnsupported, match="argmax"):
        import_model(source)


def test_the_operators_of_a_file_with_one_output_are_not_read_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = foreign_onnx(tmp_path / "mine.onnx")
    monkeypatch.setattr(onnx_source, "read_model", None)
    assert onnx_source.with_one_output(source, tmp_path / "out.onnx") is None


def test_a_model_that_the_reader_cannot_feed_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ContractInvalid("no")

    monkeypatch.setattr("edgedigits.importing.import_model.write_golden", refuse)
    with pytest.raises(ContractInvalid):
        import_model(bare_tflite(tmp_path / "a.tflite"), out=tmp_path / "b.tflite")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tflite"]


def test_a_file_without_a_contract_is_imported_in_memory(tmp_path: Path) -> None:
    reader = edgedigits.load(bare_tflite(tmp_path / "mine.tflite", "nano"))
    assert [reader.read(picture).text for picture, _ in golden_pictures()] == list("0123456789")


def test_data_gives_labels_accuracy_and_thresholds(tmp_path: Path) -> None:
    data = digits_folder(tmp_path / "digits")
    source = foreign_onnx(tmp_path / "mine.onnx", scale=1 / 255, name="base")
    made = import_model(source, data=str(data), expect_accuracy=0.9)
    assert made.contract.labels == tuple("0123456789") and made.accuracy is not None and made.accuracy.value > 0.95
    assert made.contract.accuracy is not None and made.contract.data is not None
    assert read_contract(made.path).expected_accuracy == 0.9
    assert made.tried[0].name == "raw" and made.tried[0].p_value == 1


def test_the_order_of_image_dataset_from_directory_is_found(tmp_path: Path) -> None:
    names = sorted(str(number) for number in range(1, 11))
    data = digits_folder(tmp_path / "digits", 300)
    for digit in reversed(range(10)):
        (data / str(digit)).rename(data / f"{names[digit]}-")
    for name in names:
        (data / f"{name}-").rename(data / name)
    # Where the normalisation is stated, nothing else has to be tried.
    stated = Path('{"normalisation": "unit"}')
    made = import_model(foreign_onnx(tmp_path / "mine.onnx", name="base"), data=str(data), contract=stated)
    assert made.contract.labels == tuple(names) and made.accuracy is not None and made.accuracy.value > 0.9


def test_a_model_at_chance_is_refused_and_nothing_written(tmp_path: Path) -> None:
    source = tmp_path / "noise.onnx"
    source.write_bytes(onnx_bytes(None))
    stated = tmp_path / "c.json"
    stated.write_text(json.dumps({"normalisation": "unit", "polarity": "bright-on-dark"}))
    with pytest.raises(ModelInaccurate):
        import_model(source, data=str(digits_folder(tmp_path / "digits", 300)), contract=stated)
    assert not (tmp_path / "noise-imported.onnx").exists()


def test_less_than_the_expected_accuracy_is_refused(tmp_path: Path) -> None:
    data = digits_folder(tmp_path / "digits")
    with pytest.raises(ModelInaccurate, match=r"99\.99"):
        import_model(bare_tflite(tmp_path / "a.tflite"), data=str(data), expect_accuracy=0.9999)


def test_what_is_not_certain_is_asked_for(tmp_path: Path) -> None:
    source = tmp_path / "noise.onnx"
    source.write_bytes(onnx_bytes(None))
    with pytest.raises(ContractMissing, match="--data"):
        import_model(source)


def test_the_example_of_what_to_state_can_be_typed(tmp_path: Path) -> None:
    source = foreign_onnx(tmp_path / "mine.onnx", scale=0.3081, offset=0.1307, name="base")
    with pytest.raises(ContractMissing) as refused:
        import_model(source)
    example = tmp_path / "stated.json"
    example.write_text(str(refused.value).rpartition("--contract ")[2].strip("'"))
    assert import_model(source, contract=example).path.is_file()


@pytest.mark.parametrize("text", ["[]", "{", '{"normalisation": "vgg"}', '{"colour": 1}'])
def test_bad_contract_files_are_refused(text: str, tmp_path: Path) -> None:
    stated = tmp_path / "c.json"
    stated.write_text(text)
    with pytest.raises(ContractInvalid):
        import_model(bare_tflite(tmp_path / "a.tflite"), contract=stated)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [({"out": "there.keras"}, OutputNotWritable), ({"out": "gone/new.keras"}, OutputNotWritable),
     ({"out": "new.onnx"}, OutputNotWritable), ({"contract": '{"reder": "plain"}'}, ContractInvalid),
     ({"contract": '{"layout": "XY"}'}, ContractInvalid), ({"data": "gone/"}, UnknownName)],
)  # fmt: skip
def test_errors_that_need_no_keras_come_before_a_conversion(
    arguments: dict[str, str], error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("edgedigits.importing.import_model._as_model_file", None)
    for name in ("mine.h5", "there.keras"):
        (tmp_path / name).touch()
    given = {name: value if name == "data" else Path(value) for name, value in arguments.items()}
    with pytest.raises(error):
        import_model("mine.h5", **given)  # type: ignore[arg-type]


def test_other_sources_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactNotFound):
        import_model(tmp_path / "missing.onnx")
    other = tmp_path / "weights.pt"
    other.write_bytes(b"PK")
    with pytest.raises(ArtifactUnsupported, match=r"\.pt"):
        import_model(other)
    with pytest.raises(DataError, match="--data"):
        import_model(bare_tflite(tmp_path / "a.tflite"), expect_accuracy=0.5)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_without_keras_the_extra_is_named(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("keras", "tensorflow", "h5py"):
        monkeypatch.setitem(sys.modules, package, None)
    source = bare_keras(tmp_path / f"mine{suffix}")
    with pytest.raises(MissingExtra):
        import_model(source)
    if suffix == ".keras":
        with pytest.raises(MissingExtra):
            edgedigits.load(source)


def test_a_file_is_replaced_only_by_force(tmp_path: Path) -> None:
    source, out = bare_tflite(tmp_path / "a.tflite"), tmp_path / "b.tflite"
    out.write_bytes(b"kept")
    with pytest.raises(OutputNotWritable):
        import_model(source, out=out)
    assert out.read_bytes() == b"kept"
    with pytest.raises(OutputNotWritable):
        import_model(source, out=source, force=True)
    assert import_model(source, out=out, force=True).contract == read_contract(out)


def test_an_imported_file_is_imported_again_alike(tmp_path: Path) -> None:
    first = import_model(bare_tflite(tmp_path / "a.tflite"), out=tmp_path / "b.tflite")
    second = import_model(first.path, out=tmp_path / "c.tflite")
    assert dataclasses.replace(second.contract, name="a") == dataclasses.replace(first.contract, name="a")
