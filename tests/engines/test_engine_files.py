"""Files that no engine can run are refused in one line: foreign, contradictory, missing, damaged or too new."""

import dataclasses
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given, settings
from hypothesis import strategies as st

from edgedigits_runtime.contract import Contract, Tensor
from edgedigits_runtime.engines import open_engine
from edgedigits_runtime.errors import (
    ArtifactCorrupt,
    ArtifactNotFound,
    ArtifactUnsupported,
    ContractInvalid,
    ContractMissing,
    UnknownName,
)
from tests.support.tiny_models import contract, int8_contract, onnx_bytes, tflite_bytes, write_onnx, write_tflite
from tests.support.tiny_tflite import packed


@pytest.mark.parametrize(
    ("suffix", "content"), [(".tflite", tflite_bytes(None)), (".onnx", onnx_bytes(None))], ids=["tflite", "onnx"]
)
def test_a_foreign_model_needs_a_contract(suffix: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"foreign{suffix}"
    path.write_bytes(content)
    with pytest.raises(ContractMissing, match=f"edgedigits import .*foreign{suffix}"):
        open_engine(path)


def _border(given: Contract, **changes: object) -> Contract:
    return dataclasses.replace(given, input=dataclasses.replace(given.input, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("dtype", "given"),
    [
        ("float32", _border(contract(), shape=(None, 32, 32, 1))),
        ("float32", _border(contract(), shape=(None, 28, 28, 3))),
        ("float32", contract(labels=("a", "b"), output=Tensor("p", (None, 2), "float32"))),
        ("float32", int8_contract()),
        ("int8", contract()),
        ("int8", _border(int8_contract(), scale=1 / 256)),
        ("int8", _border(int8_contract(), zero_point=0)),
        ("int8", _border(int8_contract(), dtype="uint8", zero_point=0)),
    ],
)
def test_a_contract_that_does_not_match_the_tensors(dtype: str, given: Contract, tmp_path: Path) -> None:
    path = tmp_path / "odd.tflite"
    path.write_bytes(tflite_bytes(given, dtype))
    with pytest.raises(ContractInvalid, match=r"odd\.tflite.* (in|out)put "):
        open_engine(path)
    if dtype == "float32":
        path = tmp_path / "odd.onnx"
        path.write_bytes(onnx_bytes(given))
        with pytest.raises(ContractInvalid, match=r"odd\.onnx"):
            open_engine(path)


def test_unknown_names() -> None:
    with pytest.raises(UnknownName, match=r"'tensorrt'.*litert, onnxruntime"):
        open_engine(Path("a.tflite"), engine="tensorrt")
    with pytest.raises(UnknownName, match=r"'\.pt'.*\.tflite, \.onnx"):
        open_engine(Path("a.pt"))
    with pytest.raises(UnknownName, match="'noname'"):
        open_engine(Path("noname"))
    with pytest.raises(UnknownName, match=r"\.onnx.*'litert'.*onnxruntime"):
        open_engine(Path("a.onnx"), engine="litert")


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_a_missing_file_and_a_folder(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(ArtifactNotFound, match=f"gone{suffix}"):
        open_engine(tmp_path / f"gone{suffix}")
    (tmp_path / f"folder{suffix}").mkdir()
    with pytest.raises(ArtifactNotFound):
        open_engine(tmp_path / f"folder{suffix}")


@pytest.mark.parametrize("content", [b"", b"\n", b"I am a text, and long enough for a header.\n" * 9, bytes(5000)])
@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_vectors_in_place_of_another_file(suffix: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"text{suffix}"
    path.write_bytes(content)
    with pytest.raises(ArtifactCorrupt, match=f"text{suffix}") as caught:
        open_engine(path)
    assert "\n" not in str(caught.value)


WHOLE_TFLITE, WHOLE_ONNX = tflite_bytes(int8_contract(), "int8"), onnx_bytes(contract())
FLATBUFFER = len(tflite_bytes(None, "int8"))


@settings(max_examples=60)
@given(share=st.floats(0, 0.999))
@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_truncated_files(suffix: str, share: float, tmp_path_factory: pytest.TempPathFactory) -> None:
    whole, model = (WHOLE_TFLITE, FLATBUFFER) if suffix == ".tflite" else (WHOLE_ONNX, len(WHOLE_ONNX))
    kept = int(share * len(whole))
    path = tmp_path_factory.getbasetemp() / f"cut{suffix}"
    path.write_bytes(whole[:kept])
    # A flatbuffer without its zip is a whole model without a contract.
    with pytest.raises(ArtifactCorrupt if kept < model else ContractMissing):
        open_engine(path)


OPEN_DAMAGED = """
import sys, numpy as np
from pathlib import Path
from edgedigits_runtime.engines import open_engine
from edgedigits_runtime.errors import ArtifactError
whole, path, rng = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2]), np.random.default_rng(0)
for _ in range(150):
    damaged = bytearray(whole)
    for place in rng.integers(0, 600, 3):
        damaged[place] = rng.integers(256)
    path.write_bytes(damaged)
    try:
        open_engine(path)
        print("opened")
    except ArtifactError:
        print("refused")
"""


@pytest.mark.parametrize("write", [write_onnx, write_tflite])
def test_damaged_headers_are_refused_or_harmless(write: Callable[[Path], Path], tmp_path: Path) -> None:
    """In a child process, because native code may crash on damaged bytes."""
    path = write(tmp_path)
    printed = subprocess.run(
        [sys.executable, "-c", OPEN_DAMAGED, path, tmp_path / f"damaged{path.suffix}"],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert len(printed) == 150
    assert "refused" in printed


def test_operators_without_a_kernel(tmp_path: Path) -> None:
    path = tmp_path / "custom.tflite"
    model = schema.ModelT.InitFromPackedBuf(tflite_bytes(None), 0)
    model.operatorCodes[2].builtinCode = schema.BuiltinOperator.CUSTOM
    model.operatorCodes[2].deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    model.operatorCodes[2].customCode = b"FlexSoftmax"
    path.write_bytes(packed(model))
    with pytest.raises(ArtifactUnsupported, match="FlexSoftmax"):
        open_engine(path, contract=contract(format="tflite"))


@pytest.mark.parametrize(("change", "number"), [("opset", 999), ("ir_version", 99)])
def test_a_model_newer_than_onnx_runtime(change: str, number: int, tmp_path: Path) -> None:
    import onnx

    model = onnx.load_from_string(onnx_bytes(contract()))
    if change == "opset":
        model.opset_import[0].version = number
    else:
        model.ir_version = number
    path = tmp_path / "new.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ArtifactUnsupported, match="ONNX Runtime"):
        open_engine(path)
