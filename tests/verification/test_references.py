"""References of any kind: found beside the artifact, and fed by the same facts as it."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgedigits
from edgedigits.data.dataset import Samples
from edgedigits.model_files import open_model
from edgedigits.training.temperature import with_temperature
from edgedigits.verification.reference import contract_of_reference, file_digest, find_given_reference, find_reference
from edgedigits.verification.verify import Verification, verify_artifact
from edgedigits_exporters.microcontroller.c import COptions
from edgedigits_exporters.microcontroller.c import export as export_c
from edgedigits_runtime.classifier import Classifier
from edgedigits_runtime.contract import Contract, Scaling, Tensor
from edgedigits_runtime.embedded_contract import ONNX_PROPERTY, append_zipped, read_contract, strip_zip
from edgedigits_runtime.engine_options import EngineOptions, Isolation
from edgedigits_runtime.engines import open_engine
from edgedigits_runtime.errors import ArtifactNotFound, ContractInvalid, ContractMissing, UnknownName
from edgedigits_runtime.golden import record, replay
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.synthetic.samples import mnist_like
from edgedigits_runtime.untrusted.onnx_model import with_metadata
from tests.support.foreign_models import SHAPES, foreign_onnx
from tests.support.needs import needs
from tests.support.tiny_models import (
    CLASSES,
    PIXELS,
    QUANTIZATION,
    WEIGHT_SCALE,
    contract,
    labelled_pictures,
    onnx_bytes,
    tflite_bytes,
    weights,
    write_onnx,
    write_tflite,
)  # fmt: skip
from tests.support.tiny_tflite import dense_softmax

LETTERS = tuple("abcdefghij")


@pytest.fixture(scope="module")
def digits() -> Samples:
    """Drawn digits."""
    images, labels = mnist_like(60, 3)
    return Samples(images[..., None], labels)


@pytest.fixture(scope="module")
def patterns() -> Samples:
    """Images that the tiny models read right."""
    return Samples(*labelled_pictures(20))


def of_layout(layout: str, **changes: Any) -> Contract:
    """Return the contract of `foreign_onnx` in a layout."""
    sizes = (None, *SHAPES[layout]) if "N" in layout else SHAPES[layout]
    shape = (None, CLASSES) if "N" in layout else (1, CLASSES)
    return contract(
        input=Tensor("pixels", sizes, "float32"),
        output=Tensor("probabilities", shape, "float32"),
        layout=layout,
        image=(28, 28, 1) if "F" in layout else None,
        format="onnx",
        **changes,
    )


def with_contract(path: Path, carried: Contract) -> Path:
    path.write_bytes(with_metadata(path.read_bytes(), ONNX_PROPERTY, carried.to_json()))
    return path


def flat_tflite(path: Path, dtype: str = "float32") -> Path:
    """Write the tiny model with a flat input, [1, 784]."""
    whole = dtype == "int8"
    matrix = weights() if whole else (weights() * WEIGHT_SCALE).astype(np.float32)
    bias = np.zeros(CLASSES, np.int32 if whole else np.float32)
    ends = (QUANTIZATION["image"], QUANTIZATION["probabilities"]) if whole else ((), ())
    carried = contract(
        input=Tensor("image", (1, PIXELS), dtype, *ends[0]),
        output=Tensor("probabilities", (1, CLASSES), dtype, *ends[1]),
        layout="NF",
        image=(28, 28, 1),
        format="tflite",
        precision=dtype,
    )
    content = dense_softmax((PIXELS,), matrix, bias, QUANTIZATION if whole else {})
    path.write_bytes(append_zipped(content, carried))
    return path


@pytest.mark.parametrize(
    ("layout", "output"), [("NHW", "logits"), ("NF", "log-probabilities"), ("NCHW", "probabilities")]
)
def test_models_of_other_layouts_and_outputs_are_compared(
    layout: str, output: Any, tmp_path: Path, digits: Samples
) -> None:
    usual = with_contract(foreign_onnx(tmp_path / "usual.onnx"), of_layout("NHWC"))
    other = foreign_onnx(tmp_path / "other.onnx", layout=layout, output=output)
    with_contract(other, of_layout(layout, output_kind=output))
    for artifact, against in ((other, usual), (usual, other)):
        found = verify_artifact(artifact, against, digits, "test")
        assert found.passed, found.missed
        assert found.reference_engine == "ONNX Runtime"
        assert found.comparison.max_probability_error < 1e-5
    engine = open_engine(other)
    reader = Reader(Classifier(engine))
    assert [stage.stage for stage in replay(record(reader), reader) if not stage.alike] == []


def test_a_float_tflite_file_is_a_reference(tmp_path: Path, patterns: Samples) -> None:
    flat, onnx, int8 = flat_tflite(tmp_path / "flat.tflite"), write_onnx(tmp_path), tmp_path / "int8.tflite"
    found = verify_artifact(onnx, flat, patterns, "test")
    assert found.passed and found.reference_engine == "LiteRT"
    assert verify_artifact(flat, onnx, patterns, "test").passed
    found = verify_artifact(flat_tflite(int8, "int8"), flat, patterns, "test")
    assert found.passed and found.precision == "int8"
    assert [note.startswith("200 images are few") for note in found.notes] == [True]


def test_a_reference_without_a_contract_is_fed_as_the_artifact(tmp_path: Path, digits: Samples) -> None:
    """Labels, normalisation and polarity are the artifact's; tensors, layout and kind of output are the file's."""
    facts: dict[str, Any] = {
        "labels": LETTERS, "normalisation": Scaling((-1.0,), (255.0,)), "polarity": "dark-on-bright",
        "reader": "plain",
    }  # fmt: skip
    artifact = foreign_onnx(tmp_path / "artifact.onnx", scale=1 / 255, output="logits")
    with_contract(artifact, of_layout("NHWC", **facts, output_kind="logits"))
    bare = foreign_onnx(tmp_path / "bare.onnx", layout="NCHW", scale=1 / 255)
    found = contract_of_reference(bare, read_contract(artifact))
    assert (found.layout, found.input.shape) == ("NCHW", (None, 1, 28, 28))
    assert found.output_kind == "probabilities"
    assert {name: getattr(found, name) for name in facts} == facts
    verification = verify_artifact(artifact, bare, digits, "test")
    assert verification.passed, verification.missed
    assert contract_of_reference(artifact, contract()) == read_contract(artifact)


def test_temperature_and_threshold_are_fitted_on_probabilities(tmp_path: Path, digits: Samples) -> None:
    fitted = []
    for output in ("probabilities", "logits", "log-probabilities"):
        path = foreign_onnx(tmp_path / f"{output}.onnx", output=output)
        with open_engine(path, contract=of_layout("NHWC", output_kind=output)) as engine:
            found = with_temperature(engine.contract, engine.run(digits.images), digits.labels)
        fitted.append((found.temperature, found.rejection_threshold))
    np.testing.assert_allclose(fitted, [fitted[0]] * 3, rtol=1e-3)


def test_the_kind_of_output_of_both_is_checked(tmp_path: Path, digits: Samples) -> None:
    right = with_contract(foreign_onnx(tmp_path / "right.onnx"), of_layout("NHWC"))
    wrong = with_contract(foreign_onnx(tmp_path / "wrong.onnx", output="logits"), of_layout("NHWC"))
    for artifact, against in ((right, wrong), (wrong, right)):
        with pytest.raises(ContractInvalid, match=r"wrong\.onnx: .* are logits"):
            verify_artifact(artifact, against, digits, "test")


def test_a_reference_is_found_by_its_name(tmp_path: Path) -> None:
    artifact = write_tflite(tmp_path, "int8", "mine.int8")
    flat_tflite(tmp_path / "model.tflite", "int8")
    with pytest.raises(ArtifactNotFound, match=r"\.onnx.*--against"):
        find_reference(artifact)
    # From the last choice to the first.
    for name in ("model.tflite", "mine.tflite", "mine.int8.onnx", "mine.onnx", "model.keras", "mine.keras"):
        path = tmp_path / name
        path.write_bytes(onnx_bytes(contract()) if path.suffix == ".onnx" else tflite_bytes(contract()))
        expected = tmp_path / "mine.int8.onnx" if name == "mine.onnx" else path
        assert find_reference(artifact) == expected
    assert find_reference(tmp_path / "mine.onnx") != tmp_path / "mine.onnx"


def test_the_fingerprint_decides_between_several_references(tmp_path: Path) -> None:
    for name in ("mine.keras", "other.onnx", "mine.tflite"):
        (tmp_path / name).write_bytes(onnx_bytes(contract(name=name)))
    for name in ("other.onnx", "mine.tflite", "mine.keras"):
        carried = contract(precision="int8", verified={"against": file_digest(tmp_path / name)})
        (tmp_path / "mine.int8.tflite").write_bytes(tflite_bytes(carried))
        assert find_reference(tmp_path / "mine.int8.tflite") == tmp_path / name
    # Trained again since.
    (tmp_path / "mine.keras").write_bytes(b"newer")
    assert find_reference(tmp_path / "mine.int8.tflite") == tmp_path / "mine.keras"


def test_a_given_reference_is_a_file_or_a_name(tmp_path: Path) -> None:
    onnx = write_onnx(tmp_path)
    assert find_given_reference(onnx) == onnx
    assert find_given_reference("pico").name == "pico.keras"
    (tmp_path / "made-c").mkdir()
    (tmp_path / "made-c" / "digits.c").touch()
    with pytest.raises(UnknownName, match=r"made-c.*\.keras, \.onnx, \.tflite"):
        find_given_reference(tmp_path / "made-c")
    with pytest.raises(ArtifactNotFound):
        find_given_reference(tmp_path / "gone.onnx")


@needs("cc")
def test_c_of_a_foreign_model_equals_the_tflite_file_inside(tmp_path: Path, patterns: Samples) -> None:
    own = read_contract(write_tflite(tmp_path, "int8"))
    given = dataclasses.replace(own, labels=LETTERS, reader="plain", name="foreign")
    bare = tmp_path / "bare.tflite"
    bare.write_bytes(tflite_bytes(None, "int8"))
    folder = export_c(bare, tmp_path / "c", COptions(contract=given))
    inside = read_contract(folder / "digits.tflite")
    assert (inside.labels, inside.format) == (LETTERS, "tflite")
    assert verify(folder, patterns).comparison.max_probability_error == 0
    # Earlier versions left the contract out.
    (folder / "digits.tflite").write_bytes(strip_zip((folder / "digits.tflite").read_bytes()))
    found = verify(folder, patterns)
    assert found.passed and found.reference_engine == "LiteRT"
    assert found.gate.max_probability_error == 0


def verify(artifact: Path, samples: Samples) -> Verification:
    return verify_artifact(artifact, find_reference(artifact), samples, "test")


def test_an_untrusted_file_is_not_opened_to_find_its_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = foreign_onnx(tmp_path / "bare.onnx")
    monkeypatch.setattr("edgedigits.model_files.facts_of", lambda _: pytest.fail("opened in this process"))
    with pytest.raises(ContractMissing, match=r"edgedigits import .*bare\.onnx"):
        open_model(bare, options=EngineOptions(isolation=Isolation()))
    with pytest.raises(ContractMissing, match=r"edgedigits import .*bare\.onnx"):
        edgedigits.verify(write_onnx(tmp_path), against=bare, isolate=True)
