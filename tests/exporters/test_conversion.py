"""Converters in a child process."""

import sys
from pathlib import Path

import pytest

from edgedigits_exporters.conversion import ConversionOptions, convert_here, convert_in_child
from edgedigits_runtime.errors import ArtifactCorrupt, ConversionFailed, MissingExtra

pytestmark = pytest.mark.usefixtures("own_converter")


def test_a_crash_of_the_converter_is_an_error() -> None:
    with pytest.raises(ConversionFailed, match=r"AttributeError.*convert"):
        convert_in_child("json", Path("a.keras"), ConversionOptions("float32"))


def test_errors_of_the_converter_keep_their_class(tmp_path: Path) -> None:
    (tmp_path / "a.keras").write_bytes(b"no model")
    with pytest.raises(ArtifactCorrupt, match=r"a\.keras"):
        convert_in_child("edgedigits_exporters.onnx", tmp_path / "a.keras", ConversionOptions("float32"))


@pytest.mark.parametrize(("package", "extra"), [("onnxruntime", "onnx"), ("tf2onnx", "train-cpu")])
def test_a_missing_package_names_its_extra(package: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=rf"\[{extra}\]"):
        convert_here(package, "a.keras", None, "float32", None)
