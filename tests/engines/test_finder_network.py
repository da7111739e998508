"""A finder's file through both engines: pictures of any size, its errors, and its place in a reader."""

import json
import pickle
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edgedigits.loading import load
from edgedigits.model_files import find_finder
from edgedigits_runtime.embedded_contract import append_zipped
from edgedigits_runtime.engine_options import EngineOptions, Isolation
from edgedigits_runtime.engines import finder_network
from edgedigits_runtime.engines.finder_network import open_finder_network, output_shapes
from edgedigits_runtime.engines.isolated_finder import open_isolated_finder
from edgedigits_runtime.errors import (
    ArtifactCorrupt,
    ArtifactError,
    ArtifactNotFound,
    ContractInvalid,
    ContractMissing,
    DeviceUnavailable,
    EdgedigitsError,
    UnknownName,
)
from edgedigits_runtime.synthetic.samples import mnist_like
from tests.support.tiny_finder import CONTRACT, page_of, write_finder
from tests.support.tiny_models import contract, onnx_bytes, tflite_bytes

SUFFIXES = (".tflite", ".onnx")
DIGITS, LABELS = mnist_like(4, seed=3)
TEXT = "".join(map(str, LABELS))


def picture(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(height + width).integers(0, 256, (height, width, 3), np.uint8)


@pytest.fixture(params=SUFFIXES)
def finder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write_finder(tmp_path / f"finder{request.param}")


def test_both_engines_answer_alike_for_pictures_of_any_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder_network, "KEPT_PIXELS", 80_000)
    one, other = (open_finder_network(write_finder(tmp_path / f"finder{suffix}")) for suffix in SUFFIXES)
    assert (one.engine, other.engine) == ("litert", "onnxruntime") and one.device == other.device == "cpu"
    assert one.providers and other.providers == ("CPUExecutionProvider",)
    for shape in ((96, 96), (320, 224), (64, 640), (96, 96)):
        pairs = list(zip(one.outputs(picture(*shape)), other.outputs(picture(*shape)), strict=True))
        assert [(1, *ours.shape) for ours, _ in pairs] == output_shapes(CONTRACT, shape)
        assert all(np.allclose(*pair, atol=1e-3) for pair in pairs)


def test_a_reader_reads_with_either_file(finder: Path) -> None:
    with load(finder=finder) as reader:
        reading = reader.read(page_of(DIGITS))
        assert reading.text == TEXT and reading.finder is not None
        assert reading.finder.model == "tiny-finder" and reading.finder.device == "cpu"
        again = pickle.loads(pickle.dumps(reader))
        assert again.read(page_of(DIGITS)).text == TEXT
        assert reader.read(DIGITS[0]).finder is None


def test_a_finder_in_a_child_process_answers_the_same(finder: Path) -> None:
    isolated = open_isolated_finder(finder, "auto", EngineOptions(isolation=Isolation()))
    given = picture(64, 96)
    for _ in range(2):
        pairs = zip(isolated.outputs(given), open_finder_network(finder).outputs(given), strict=True)
        assert all(np.array_equal(*pair) for pair in pairs)
        # The next call opens it again.
        isolated.close()
    assert isolated.providers[-1] == "isolated"


def test_a_path_is_taken_as_it_is_and_none_reads_by_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_finder(None) is None
    assert find_finder("missing.tflite") == Path("missing.tflite")
    monkeypatch.setattr("edgedigits.model_files.SHIPPED_FINDER", tmp_path / "none")
    with pytest.raises(ArtifactNotFound, match="train"):
        find_finder("shipped")
    assert load().finder is None


def test_the_shipped_finder_is_that_of_its_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgedigits.model_files.SHIPPED_FINDER", tmp_path)
    files = [write_finder(tmp_path / f"finder{suffix}") for suffix in SUFFIXES]
    card = {"files": {file.name: {"sha256": sha256(file.read_bytes()).hexdigest()} for file in files}}
    (tmp_path / "finder.card.json").write_text(json.dumps({**card, "other_files": {}}))
    assert find_finder("shipped", device="cuda") == tmp_path / "finder.onnx"
    with load(finder="shipped") as reader:
        assert reader.finder is not None and reader.finder.engine.engine == "litert"
        assert reader.read(page_of(DIGITS)).text == TEXT
    files[0].write_bytes(files[0].read_bytes() + b" ")
    with pytest.raises(ArtifactCorrupt):
        load(finder="shipped")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_no_finder_is_refused(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"finder{suffix}"
    classifier = (onnx_bytes if suffix == ".onnx" else tflite_bytes)(contract())
    whole = write_finder(tmp_path / f"whole{suffix}").read_bytes()
    cases: list[tuple[bytes | None, type[EdgedigitsError]]] = [
        (None, ArtifactNotFound),
        (classifier, ContractInvalid),
        (whole[: len(whole) // 2], ArtifactError),
        (b"", ArtifactError),
    ]
    for content, error in cases:
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(error) as refused:
            load(finder=path)
        assert "\n" not in str(refused.value) and "finder" in str(refused.value)


def test_files_of_other_kinds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"\.tflite"):
        load(finder=tmp_path)
    finder = write_finder(tmp_path / "finder.tflite")
    with pytest.raises(ContractInvalid, match="finder"):
        load(finder)
    plain = tmp_path / "plain.tflite"
    plain.write_bytes(tflite_bytes(contract(reader="plain")))
    with pytest.raises(ContractInvalid, match="whole pictures"):
        load(plain, finder=finder)
    with pytest.raises(DeviceUnavailable):
        open_finder_network(finder, "cuda")
    bare = tmp_path / "bare.tflite"
    bare.write_bytes(tflite_bytes(None))
    with pytest.raises(ContractMissing, match="finder"):
        load(finder=bare)


def test_the_tensors_are_those_of_the_contract(tmp_path: Path) -> None:
    path = tmp_path / "finder.tflite"
    path.write_bytes(append_zipped(tflite_bytes(None), CONTRACT))
    with pytest.raises(ContractInvalid, match="pixels"):
        open_finder_network(path)


def test_a_damaged_contract_is_refused(finder: Path) -> None:
    write_finder(finder, side=100)
    with pytest.raises(ContractInvalid, match="side"):
        open_finder_network(finder)
