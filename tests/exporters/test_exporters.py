"""ONNX and TFLite in every precision, of a network trained on MNIST: contract, graph and decisions."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_onnx_graph import CLASSES, COLOUR, conv_flat, save

from edgedigits.data.dataset import Dataset
from edgedigits.data.splits import Splits, split
from edgedigits.recipes import get_recipe
from edgedigits.training.run_folder import RunFolder
from edgedigits.verification.verify import verify_artifact
from edgedigits_exporters import FORMATS, get_format, make_options
from edgedigits_exporters.census import take_census
from edgedigits_exporters.conversion import PRECISIONS, CalibrationSet, choose_balanced
from edgedigits_runtime.contract import Tensor
from edgedigits_runtime.embedded_contract import append_zipped, read_contract, strip_zip
from edgedigits_runtime.engines import open_engine
from edgedigits_runtime.errors import (
    ArtifactCorrupt,
    ArtifactNotFound,
    ArtifactUnsupported,
    ContractInvalid,
    ContractMissing,
    ConversionFailed,
    UnknownName,
)
from tests.support.tiny_models import contract, int8_contract, write_onnx, write_tflite

CONVERTED = ("onnx", "tflite")
EXPORTS = [(name, precision) for name in CONVERTED for precision in PRECISIONS]


@pytest.fixture(scope="module")
def splits(mnist: Dataset) -> Splits:
    return split(mnist, get_recipe("plain-3conv").split)


@pytest.fixture(scope="module")
def calibration(splits: Splits) -> CalibrationSet:
    return choose_balanced(splits.train.images, splits.train.labels, "mnist/train")


@pytest.fixture(scope="module")
def artifacts(
    trained_run: RunFolder, calibration: CalibrationSet, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str], Path]:
    """All exports of the trained network."""
    folder = tmp_path_factory.mktemp("artifacts")

    def export(name: str, precision: str) -> Path:
        exporter: Any = get_format(name)
        path = folder / f"{precision}{exporter.SUFFIX}"
        if precision == "int8":
            return exporter.export(trained_run.model, path, exporter.OPTIONS(precision, calibration_set=calibration))
        return convert_here(name, trained_run.model, precision, path)

    return {pair: export(*pair) for pair in EXPORTS}


def convert_here(name: str, model: Path, precision: str, path: Path, images: Any = None) -> Path:
    """Convert in this process, where TensorFlow is imported already; that takes ten seconds in a child process."""
    exporter: Any = get_format(name)
    converted, found = exporter.convert(model, None, precision, images)
    path.write_bytes(exporter.with_contract(converted, found))
    return path


@pytest.mark.slow
@pytest.mark.parametrize(("name", "precision"), EXPORTS)
def test_contracts(
    name: str,
    precision: str,
    artifacts: dict[tuple[str, str], Path],
    trained_run: RunFolder,
    calibration: CalibrationSet,
) -> None:
    path = artifacts[name, precision]
    found, source = open_engine(path).contract, read_contract(trained_run.model)
    assert (found.format, found.precision) == (name, precision)
    assert found.calibration == (calibration.used if precision == "int8" else None)
    if name == "onnx":
        assert (found.input, found.output) == (
            Tensor("image", (None, 28, 28, 1), "float32"), Tensor("probabilities", (None, 10), "float32")
        )  # fmt: skip
    elif precision == "int8":
        assert (found.input.shape, found.input.dtype, found.input.zero_point) == ((1, 28, 28, 1), "int8", -128)
        assert found.input.scale == pytest.approx(1 / 255, rel=1e-6)
        assert (found.output.shape, found.output.dtype) == ((1, 10), "int8")
        assert (found.output.scale, found.output.zero_point) == (1 / 256, -128)
    else:
        assert (found.input.shape, found.input.dtype, found.input.scale) == ((1, 28, 28, 1), "float32", None)
        assert (found.output.shape, found.output.dtype) == ((1, 10), "float32")
    kept = ("name", "labels", "normalisation", "reader", "temperature", "rejection_threshold", "recipe", "training")
    for field in kept:
        assert getattr(found, field) == getattr(source, field)
    assert {"keras", "python", "edgedigits", "tf2onnx" if name == "onnx" else "tensorflow"} <= set(found.tools)
    assert found.verified is None
    assert [entry.name for entry in path.parent.iterdir() if entry.name.startswith(".")] == []


@pytest.mark.slow
@pytest.mark.parametrize(("name", "precision"), EXPORTS)
def test_every_export_passes_its_gate(
    name: str, precision: str, artifacts: dict[tuple[str, str], Path], trained_run: RunFolder, splits: Splits
) -> None:
    verification = verify_artifact(artifacts[name, precision], trained_run.model, splits.test, "test")
    assert verification.missed == ()
    assert verification.precision == precision
    assert verification.comparison.images == 10_000
    assert verification.comparison.keras_accuracy.value > 0.95


@pytest.mark.slow
@pytest.mark.parametrize("precision", PRECISIONS)
def test_onnx_graphs(precision: str, artifacts: dict[tuple[str, str], Path]) -> None:
    import onnx

    model = onnx.load(artifacts["onnx", precision])
    onnx.checker.check_model(model, full_check=True)
    assert max(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")) >= 17
    types = {node.op_type for node in model.graph.node}
    assert not types & {"Transpose", "Shape", "Gather", "Slice", "Concat"}
    if precision in ("float32", "int8"):
        # For a single channel, NHWC to NCHW is a Reshape.
        assert [node.input[0] for node in model.graph.node if node.op_type == "Reshape"] in ([], ["image"])
    assert ("QuantizeLinear" in types) == (precision == "int8")
    assert ("DynamicQuantizeLinear" in types) == (precision == "dynamic")
    for ends, name in ((model.graph.input, "image"), (model.graph.output, "probabilities")):
        assert [value.name for value in ends] == [name]
        assert ends[0].type.tensor_type.shape.dim[0].dim_param == "batch"
        assert ends[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT


@pytest.mark.slow
def test_int8_tflite_has_only_integers_and_a_scale_for_each_channel(
    artifacts: dict[tuple[str, str], Path],
) -> None:
    from ai_edge_litert import schema_py_generated as schema

    path = artifacts["tflite", "int8"]
    assert take_census(path).others("int8") == []
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    graph, channels = model.subgraphs[0], []
    for operator in graph.operators:
        if model.operatorCodes[operator.opcodeIndex].builtinCode == schema.BuiltinOperator.CONV_2D:
            weights = graph.tensors[operator.inputs[1]]
            assert weights.type == schema.TensorType.INT8
            assert weights.quantization.quantizedDimension == 0
            assert len(weights.quantization.scale) == weights.shape[0]
            assert len(set(weights.quantization.scale)) > 1
            assert not any(weights.quantization.zeroPoint)
            channels.append(int(weights.shape[0]))
    assert channels == [32, 64, 64]


@pytest.mark.slow
def test_precisions_differ_in_census_and_size(artifacts: dict[tuple[str, str], Path]) -> None:
    for name in CONVERTED:
        sizes = {precision: artifacts[name, precision].stat().st_size for precision in PRECISIONS}
        assert sizes["int8"] < sizes["float16"] < sizes["float32"]
        assert sizes["dynamic"] < sizes["float16"]
        assert take_census(artifacts[name, "float32"]).others("float32") == []
        assert take_census(artifacts[name, "int8"]).count("int8") >= 5
    assert take_census(artifacts["onnx", "float16"]).count("float16") >= 5
    # The converter does not quantize weights of fewer than 1,024 elements: those of the first and the last layer.
    assert take_census(artifacts["tflite", "dynamic"]).count("int8 weights") == 3


@pytest.mark.slow
def test_embedding_a_contract_keeps_the_outputs(artifacts: dict[tuple[str, str], Path], tmp_path: Path) -> None:
    for (name, precision), artifact in artifacts.items():
        path = tmp_path / artifact.name
        path.write_bytes(artifact.read_bytes())
        before = open_engine(path)
        images = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 1), np.uint8)
        measured = dataclasses.replace(before.contract, accuracy={"top1": 0.5})
        path.write_bytes(get_format(name).with_contract(path.read_bytes(), measured))
        after = open_engine(path)
        assert after.contract.accuracy == {"top1": 0.5}, (name, precision)
        np.testing.assert_array_equal(after.run(images), before.run(images))


def test_embedding_replaces_the_contract_and_keeps_other_metadata(tmp_path: Path) -> None:
    import onnx

    path = write_onnx(tmp_path)
    model = onnx.load(path)
    model.metadata_props.add(key="author", value="someone")
    path.write_bytes(model.SerializeToString())
    for name in ("first", "second"):
        path.write_bytes(get_format("onnx").with_contract(path.read_bytes(), contract(name=name)))
    entries = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert set(entries) == {"author", "edgedigits"}
    assert open_engine(path).contract.name == "second"

    second, content = int8_contract(name="second"), write_tflite(tmp_path, "int8").read_bytes()
    assert get_format("tflite").with_contract(content, second) == append_zipped(strip_zip(content), second)


@pytest.mark.slow
# TensorFlow warns at every int8 conversion; in the child process the warning is not printed.
@pytest.mark.filterwarnings("ignore:Statistics for quantized inputs")
@pytest.mark.parametrize(("name", "precision"), EXPORTS)
def test_colour_networks(name: str, precision: str, tmp_path: Path) -> None:
    model, source = save(tmp_path, conv_flat, COLOUR)
    images = np.random.default_rng(0).integers(0, 256, (40, *COLOUR), np.uint8)
    path = convert_here(name, source, precision, tmp_path / f"net.{name}", images)
    answers = open_engine(path).run(images)
    assert answers.shape == (40, CLASSES)
    wanted = np.asarray(model(images.astype(np.float32) / 255, training=False))
    limit = {"float32": 1e-4, "float16": 5e-3, "int8": 0.06, "dynamic": 0.06}[precision]
    assert np.abs(answers - wanted).max() < limit
    if name == "onnx":
        import onnx

        transposes = [node for node in onnx.load(path).graph.node if node.op_type == "Transpose"]
        assert len(transposes) <= 1


@pytest.mark.slow
@pytest.mark.parametrize(("name", "module"), [("onnx", "keras"), ("tflite", "tensorflow")])
def test_a_crash_of_the_converter_keeps_the_old_file(
    name: str,
    module: str,
    small_run: RunFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    own_converter: None,
) -> None:
    """The library that the child process imports aborts."""
    (tmp_path / "crash").mkdir()
    (tmp_path / "crash" / f"{module}.py").write_text("import os\nos.abort()\n")
    monkeypatch.syspath_prepend(tmp_path / "crash")
    exporter: Any = get_format(name)
    path = tmp_path / f"model{exporter.SUFFIX}"
    path.write_text("old")
    with pytest.raises(ConversionFailed, match="SIGABRT") as caught:
        exporter.export(small_run.model, path, exporter.OPTIONS("float32"))
    assert "\n" not in str(caught.value)
    assert path.read_text() == "old"


@pytest.mark.slow
def test_damaged_and_missing_models_are_refused(small_run: RunFolder, tmp_path: Path) -> None:
    from edgedigits_exporters.keras_file import load_model

    whole = small_run.model.read_bytes()
    cut, text = tmp_path / "cut.keras", tmp_path / "text.keras"
    cut.write_bytes(whole[: len(whole) // 2])
    text.write_text("I am no model")
    for path in (cut, text):
        with pytest.raises(ArtifactCorrupt, match=path.name):
            load_model(path)
    with pytest.raises(ArtifactNotFound, match=r"gone\.keras"):
        load_model(tmp_path / "gone.keras")


@pytest.mark.slow
def test_a_contract_that_does_not_match_the_network_is_refused(tmp_path: Path) -> None:
    from edgedigits_exporters.keras_file import load_model

    model, path = save(tmp_path, conv_flat, COLOUR)
    fitting = load_model(path)[1]
    assert load_model(path, dataclasses.replace(fitting, name="mine"))[1].name == "mine"
    with pytest.raises(ContractInvalid, match=r"\[28, 28, 1\].*\[32, 32, 3\]"):
        load_model(path, contract())
    with pytest.raises(ContractInvalid, match=r"output \[10\].*\[5\]"):
        load_model(path, dataclasses.replace(fitting, labels=contract().labels, output=contract().output))
    bare = tmp_path / "bare.keras"
    model.save(bare)
    with pytest.raises(ContractMissing, match="edgedigits import"):
        load_model(bare)
    assert load_model(bare, fitting)[1] == fitting


@pytest.mark.slow
def test_code_inside_a_model_never_runs(tmp_path: Path) -> None:
    import keras

    from edgedigits_exporters.keras_file import load_model

    path = tmp_path / "lambda.keras"
    layers = [keras.Input((28, 28, 1)), keras.layers.Lambda(lambda x: x), keras.layers.Flatten()]
    keras.Sequential([*layers, keras.layers.Dense(10, activation="softmax")]).save(path)
    with pytest.raises(ArtifactUnsupported, match=r"lambda\.keras.*Lambda"):
        load_model(path, contract())


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(UnknownName, match=r"'coreml'.* onnx, tflite, c, c-array, web"):
        get_format("coreml")


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_options_with_defaults(name: str) -> None:
    options = make_options(name, {"precision": None})
    assert type(options) is get_format(name).OPTIONS
    assert set(options.made_of) <= {".keras", ".tflite", ".onnx"}
