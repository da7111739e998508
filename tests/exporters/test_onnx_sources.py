"""An `.onnx` file to TFLite, to C, and to ONNX in other precisions, proven against the file in ONNX Runtime."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import edgedigits
from edgedigits.data import load_dataset
from edgedigits.data.dataset import Samples
from edgedigits.data.splits import SplitPlan, split
from edgedigits.recipes.gates import Gate, default_gate, judge
from edgedigits.verification.comparison import compare
from edgedigits_exporters.onnx_file import load_float32
from edgedigits_exporters.onnx_precision import to_precision
from edgedigits_exporters.onnx_refusals import refuse_untranslatable
from edgedigits_exporters.onnx_to_tflite import convert
from edgedigits_exporters.tflite import TfliteOptions
from edgedigits_runtime.child_process import Child
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.engines import open_engine
from edgedigits_runtime.errors import ConversionFailed, ExportError, MissingExtra
from tests.conftest import once
from tests.support.needs import needs
from tests.support.pytorch import CASES

CALIBRATION = 300


@pytest.fixture(scope="session")
def samples() -> Samples:
    return split(load_dataset("optdigits"), SplitPlan()).test


@pytest.fixture(scope="session")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each case as `.onnx`, and as `.tflite` in float32 and int8, converted in one child process."""

    def convert(folder: Path) -> None:
        folder.mkdir()
        with Child("the converter", ConversionFailed, keep_output=True) as child:
            child.call("tests.support.pytorch:convert_all", str(folder), CALIBRATION)

    return once(tmp_path_factory, "onnx sources", convert)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "int8"])
@pytest.mark.parametrize("name", CASES)
def test_tflite_decides_as_the_source(name: str, precision: str, converted: Path, samples: Samples) -> None:
    source, made = converted / f"{name}.onnx", converted / f"{name}.{precision}.tflite"
    with open_engine(source) as reference, open_engine(made) as engine:
        contract = engine.contract
        found = compare(reference.run(samples.images), engine.run(samples.images), samples.labels, contract.labels)
    assert contract.input.shape[0] == 1
    assert contract.input.dtype == contract.output.dtype == precision
    assert contract.layout == reference.contract.layout.replace("NCHW", "NHWC")
    assert contract.output_kind == reference.contract.output_kind.removeprefix("log-")
    if precision == "float32":
        # Sums of float16 weights in float32 differ from ONNX Runtime's.
        assert found.max_probability_error < (1e-4 if name != "plain-float16" else 5e-3)
    # A perceptron of 8 neurons on 784 pixels loses more in int8 than the gate allows, whatever converts it.
    gate = Gate(min_agreement=0.97) if name.startswith("rows") else default_gate("int8", {})
    judged = judge(gate, images=found.images, flips=len(found.flips), probability_error=0, drop=found.accuracy_drop)
    assert not judged.missed


@pytest.mark.slow
@needs("gcc")
def test_to_c_by_the_command_s_way(tmp_path: Path) -> None:
    CASES["plain"].write(tmp_path / "mine.onnx")
    made = edgedigits.export(tmp_path / "mine.onnx", format="c", out=tmp_path / "c")
    assert made.verification is not None
    assert made.verification.passed
    assert (tmp_path / "c" / "digits.c").is_file()


@pytest.mark.slow
def test_float32_of_itself_is_a_copy_that_verify_finds_again(tmp_path: Path) -> None:
    CASES["plain"].write(tmp_path / "mine.onnx")
    made = edgedigits.export(tmp_path / "mine.onnx", format="onnx")
    assert made.path == tmp_path / "mine.float32.onnx"
    assert onnx.load(made.path).graph == onnx.load(tmp_path / "mine.onnx").graph
    verification = edgedigits.verify(made.path)
    assert verification.against == "mine.onnx"
    assert verification.comparison.max_probability_error == 0
    with pytest.raises(ExportError, match="another file"):
        edgedigits.export(tmp_path / "mine.onnx", format="onnx", out=tmp_path / "mine.onnx")


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float16", "int8", "dynamic"])
@pytest.mark.parametrize("name", ["plain", "plain-batch4", "plain-float16", "plain-uint8", "residual"])
def test_onnx_in_another_precision(name: str, precision: str, tmp_path: Path, samples: Samples) -> None:
    CASES[name].write(tmp_path / "mine.onnx")
    model, contract = load_float32(tmp_path / "mine.onnx", None)
    with open_engine(tmp_path / "mine.onnx") as reference:
        expected = reference.run(samples.images)
    from edgedigits_runtime.preprocessing import network_input

    pixels = network_input(load_dataset("optdigits").train.images[:CALIBRATION], contract)
    made = to_precision(model, precision, pixels if precision == "int8" else None)
    (tmp_path / "made.onnx").write_bytes(made.SerializeToString())
    with open_engine(tmp_path / "made.onnx", contract=contract) as engine:
        found = engine.run(samples.images)
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).mean() > 0.98
    assert (tmp_path / "made.onnx").stat().st_size < (tmp_path / "mine.onnx").stat().st_size * 1.6


def test_a_quantized_source_is_refused(tmp_path: Path) -> None:
    CASES["rows"].write(tmp_path / "mine.onnx")
    model, _ = load_float32(tmp_path / "mine.onnx", None)
    (tmp_path / "quantized.onnx").write_bytes(to_precision(model, "dynamic", None).SerializeToString())
    with pytest.raises(ConversionFailed, match="quantized already"):
        convert(tmp_path / "quantized.onnx", read_contract(tmp_path / "mine.onnx"), "float32", None)


def test_the_input_of_pixels_becomes_float32_of_the_same_values(tmp_path: Path) -> None:
    CASES["plain-uint8"].write(tmp_path / "mine.onnx")
    _, contract = load_float32(tmp_path / "mine.onnx", None)
    assert contract.input.dtype == "float32"
    images = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    from edgedigits_runtime.preprocessing import normalise

    np.testing.assert_allclose(normalise(images, contract.normalisation), images, atol=1e-4)


@pytest.mark.parametrize("package", ["onnx2tf", "onnxruntime", "tensorflow"])
def test_a_missing_package_names_its_extra(package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    extra = {"onnx2tf": "import", "onnxruntime": "onnx", "tensorflow": "train-cpu"}[package]
    found = importlib.util.find_spec
    CASES["plain"].write(tmp_path / "mine.onnx")

    def find_spec(name: str, *arguments: Any) -> Any:
        return None if name == package else found(name, *arguments)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    with pytest.raises(MissingExtra, match=rf"{package}.*\[{extra}\]"):
        TfliteOptions().require_tools(tmp_path / "mine.onnx")


REFUSED = {
    "GRU": "h, y = GRU<hidden_size = 4>(x, w, r)",
    "LSTM": "h, y, c = LSTM<hidden_size = 1>(x, w, r)",
    "Mod": "y = Mod<fmod = 1>(x, w)",
    "attention": "t = Transpose<perm = [0, 2, 1]>(x) s = MatMul(x, t) p = Softmax(s) d = Identity(p) y = MatMul(d, x)",
    "LpPool": "y = LpPool<kernel_shape = [2]>(x)",
    "DynamicQuantizeLinear": "q, s, z = DynamicQuantizeLinear(x) y = DequantizeLinear(q, s, z)",
}


def text_model(path: Path, body: str) -> Path:
    weights = "float[1, 12, 8] w = {" + ", ".join(["1"] * 96) + "}, float[1, 12, 4] r = {" + ", ".join(["1"] * 48) + "}"
    text = f'<ir_version: 8, opset_import: ["" : 17]> agraph (float[1, 6, 8] x) => (float[A, B, C] y) <{weights}> {{'
    onnx.save(onnx.parser.parse_model(f"{text} {body} }}"), path)
    return path


@pytest.mark.parametrize("name", REFUSED)
def test_what_onnx2tf_cannot_translate_is_refused_before_it_runs(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConversionFailed, match=rf"mine\.onnx .*{name}"):
        TfliteOptions().require_tools(text_model(tmp_path / "mine.onnx", REFUSED[name]))


@pytest.mark.parametrize("body", ["s = Softmax(x) y = MatMul(s, w)", "y = Relu(x)", "y = Softmax(x)"])
def test_what_it_can_translate_is_not(body: str, tmp_path: Path) -> None:
    refuse_untranslatable(text_model(tmp_path / "mine.onnx", body))
