"""Verification of a real export, against its own Keras model and a disturbed one."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgedigits
from edgedigits.data import load_dataset
from edgedigits.data.splits import SplitPlan, Splits, split
from edgedigits.recipes.gates import DEFAULT_GATES, Gate
from edgedigits.training.data_of_model import DataOptions, splits_of_model
from edgedigits.training.run_folder import RunFolder
from edgedigits.verification.verify import (
    file_digest,
    find_reference,
    gate_of,
    report_path,
    verify_artifact,
    write_report,
)
from edgedigits_exporters import onnx as onnx_format
from edgedigits_runtime.contract import DataUsed
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.errors import (
    ArrayError,
    ArtifactNotFound,
    DataNotFound,
    DatasetInvalid,
    UnknownName,
)
from tests.conftest import RunCommand
from tests.support.tiny_models import contract, onnx_bytes, write_onnx


@pytest.fixture(scope="module")
def splits() -> Splits:
    return split(load_dataset("optdigits"), SplitPlan())


@pytest.fixture(scope="module")
def artifact(small_run: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A float32 ONNX file in a copy of its run folder."""
    folder = Path(shutil.copytree(small_run.path, tmp_path_factory.mktemp("verify") / "run"))
    return onnx_format.export(folder / "model.keras", folder / "model.onnx", onnx_format.OnnxOptions())


@pytest.fixture(scope="module")
def disturbed(artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same Keras model with noise on its weights."""
    from edgedigits_exporters.keras_file import load_model, save_model

    model, found = load_model(artifact.with_suffix(".keras"))
    rng = np.random.default_rng(0)
    model.set_weights([weight + rng.normal(0, 0.05, weight.shape) for weight in model.get_weights()])
    return save_model(model, found, tmp_path_factory.mktemp("disturbed") / "disturbed.keras")


@pytest.mark.slow
def test_an_export_passes_against_its_own_model(artifact: Path, splits: Splits) -> None:
    keras = artifact.with_suffix(".keras")
    verification = verify_artifact(artifact, keras, splits.test, "test")
    assert verification.passed
    assert verification.comparison.flips == ()
    assert verification.comparison.max_probability_error < 1e-4
    assert verification.against_fingerprint == file_digest(keras)
    assert (verification.dataset, verification.split, verification.precision) == ("optdigits", "test", "float32")
    assert verification.accuracy() == {
        "top1": round(verification.comparison.artifact_accuracy.value, 6),
        "dataset": "optdigits", "split": "test", "images": len(splits.test),
    }  # fmt: skip
    assert verification.summary() == {
        "against": file_digest(keras), "split": "test", "images": len(splits.test), "flips": 0, "agreement": 1.0,
        "passed": True,
    }  # fmt: skip


@pytest.mark.slow
def test_disturbed_weights_miss_the_gate(artifact: Path, disturbed: Path, splits: Splits) -> None:
    verification = verify_artifact(artifact, disturbed, splits.test, "test")
    assert not verification.passed
    assert len(verification.missed) == 2
    flips = verification.comparison.flips
    assert len(flips) > 1
    assert [flip.keras_margin for flip in flips] == sorted((flip.keras_margin for flip in flips), reverse=True)
    for flip in flips:
        assert flip.label == str(splits.test.labels[flip.index])
    assert verification.summary()["passed"] is False


@pytest.mark.slow
def test_the_command_lists_the_flips_and_exits_with_1(
    artifact: Path, disturbed: Path, splits: Splits, run_here: RunCommand
) -> None:
    done = run_here("verify", artifact, "--against", disturbed, "--json", check=1)
    report = json.loads(done.stdout)
    assert report["passed"] is False
    assert len(report["missed"]) == 2
    wanted = verify_artifact(artifact, disturbed, splits.test, "test").comparison.flips
    assert [flip["index"] for flip in report["comparison"]["flips"]] == [flip.index for flip in wanted]


@pytest.mark.slow
def test_a_slightly_disturbed_artifact_misses_only_the_probability_gate(artifact: Path, splits: Splits) -> None:
    import onnx
    from onnx import numpy_helper

    model = onnx.load(artifact)
    last = next(node for node in reversed(model.graph.node) if node.op_type in ("MatMul", "Gemm"))
    entry = next(entry for entry in model.graph.initializer if entry.name in last.input)
    entry.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(entry) * np.float32(1.002), entry.name))
    path = artifact.with_name("subtle.onnx")
    onnx.save(model, path)
    verification = verify_artifact(path, artifact.with_suffix(".keras"), splits.test, "test")
    assert verification.comparison.flips == ()
    assert [line.split()[0] for line in verification.missed] == ["probability"]


@pytest.mark.slow
def test_verify_finds_the_model_and_the_data(artifact: Path, splits: Splits, tmp_path: Path) -> None:
    found = edgedigits.verify(artifact, split="validation")
    assert (found.against, found.split, found.comparison.images) == (
        "model.keras",
        "validation",
        len(splits.validation),
    )
    strict = edgedigits.verify(artifact, demands=Gate(max_probability_error=0.0))
    assert not strict.passed
    # The report has the dataset that was compared.
    given = verify_artifact(artifact, artifact.with_suffix(".keras"), splits.test, "test", dataset="mine")
    assert given.dataset == given.accuracy()["dataset"] == "mine"
    assert edgedigits.verify(artifact, data="optdigits").dataset == "optdigits"
    with pytest.raises(UnknownName, match="'tset'"):
        edgedigits.verify(artifact, split="tset")
    alone = Path(shutil.copy(artifact, tmp_path / "alone.onnx"))
    with pytest.raises(ArtifactNotFound, match=r"alone\.onnx.*--against"):
        edgedigits.verify(alone)
    assert edgedigits.verify(alone, against=artifact.with_suffix(".keras")).passed


@pytest.mark.slow
def test_other_classes_and_image_shapes_are_refused(artifact: Path, splits: Splits, tmp_path: Path) -> None:
    keras = artifact.with_suffix(".keras")
    letters = tmp_path / "letters.onnx"
    letters.write_bytes(onnx_bytes(contract(labels=tuple("abcdefghij"))))
    with pytest.raises(ArrayError, match=r"a, b,.*--against"):
        verify_artifact(letters, keras, splits.test, "test")
    small = dataclasses.replace(splits.test, images=splits.test.images[:, ::2, ::2])
    with pytest.raises(ArrayError, match=r"uint8 \[N, 28, 28, 1\]"):
        verify_artifact(artifact, keras, small, "test")


@pytest.mark.slow
def test_the_report_holds_everything_and_is_plain_json(artifact: Path, disturbed: Path, splits: Splits) -> None:
    verification = verify_artifact(artifact, disturbed, splits.test, "test")
    path = write_report(verification, artifact)
    assert path == report_path(artifact) == artifact.with_name("model.onnx.verify.json")
    report: dict[str, Any] = json.loads(path.read_text())
    assert report == json.loads(json.dumps(verification.to_dict()))
    assert set(report) == {
        "artifact", "against", "against_fingerprint", "dataset", "split", "precision", "gate", "missed", "comparison",
        "passed", "data_notes", "undecided",
    }  # fmt: skip
    assert set(report["comparison"]) == {
        "images", "keras_accuracy", "artifact_accuracy", "flips", "mcnemar_p", "max_probability_error",
        "mean_probability_error", "min_cosine", "mean_cosine", "per_class_change", "agreement",
    }  # fmt: skip
    assert set(report["comparison"]["flips"][0]) == {
        "index", "label", "keras", "artifact", "keras_margin", "artifact_margin",
    }  # fmt: skip
    assert set(report["comparison"]["keras_accuracy"]) == {"value", "low", "high"}


def test_the_gate_of_a_contract() -> None:
    assert gate_of(contract(precision="float16")) == DEFAULT_GATES["float16"]
    assert gate_of(contract(recipe="plain-3conv", precision="int8")) == DEFAULT_GATES["int8"]
    assert gate_of(contract(recipe="somebody-elses")) == DEFAULT_GATES["float32"]
    with pytest.raises(UnknownName, match="'int4'"):
        gate_of(contract(precision="int4"))


def test_the_reference_is_beside_the_artifact(tmp_path: Path) -> None:
    path = write_onnx(tmp_path, "digits")
    with pytest.raises(ArtifactNotFound, match="--against"):
        find_reference(path)
    (tmp_path / "model.keras").touch()
    assert find_reference(path) == tmp_path / "model.keras"
    (tmp_path / "digits.keras").touch()
    assert find_reference(path) == tmp_path / "digits.keras"


def test_the_data_of_a_model(tmp_path: Path, splits: Splits) -> None:
    file = tmp_path / "model.keras"
    trained = contract(training=DataUsed("optdigits", 1, "sha256:0"), recipe="plain-3conv")
    found = splits_of_model(trained, file, DataOptions())
    assert found.test.digest() == splits.test.digest()
    with pytest.raises(DataNotFound, match="--data"):
        splits_of_model(contract(), file, DataOptions())
    foreign = splits_of_model(contract(), file, DataOptions(data="optdigits"))
    assert len(foreign.test) > len(splits.test)


def test_missing_data_of_a_model(tmp_path: Path) -> None:
    trained = contract(training=DataUsed("my-digits", 1, "sha256:0"))
    with pytest.raises(DataNotFound, match=r"'my-digits'.*--data"):
        splits_of_model(trained, tmp_path / "model.keras", DataOptions())
    with pytest.raises(UnknownName, match="'optdigit'"):
        splits_of_model(trained, tmp_path / "model.keras", DataOptions(data="optdigit"))


def test_data_with_other_classes_is_refused(tmp_path: Path) -> None:
    letters = contract(labels=tuple("abcdefghij"))
    with pytest.raises(DatasetInvalid, match=r"optdigits.* a, b,"):
        splits_of_model(letters, tmp_path / "model.keras", DataOptions(data="optdigits"))


@pytest.mark.slow
def test_the_data_of_a_run_folder_is_found(small_run: RunFolder, splits: Splits) -> None:
    trained = read_contract(small_run.model)
    found = splits_of_model(trained, small_run.model, DataOptions())
    assert found.test.digest() == splits.test.digest()
    assert trained.training is not None
