"""The public names and the registers, pinned: a change here is a change for users."""

import importlib
import inspect
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgedigits
from edgedigits.benchmarking.measuring.workload import KINDS
from edgedigits.benchmarking.sections import SECTIONS
from edgedigits.bulk.kinds import KINDS as SOURCE_KINDS
from edgedigits.bulk.parts import COLUMNS
from edgedigits.data import DATASETS
from edgedigits.model_files import SHIPPED
from edgedigits.recipes import PUBLISHED, RECIPES
from edgedigits_exporters import FORMATS
from edgedigits_exporters.conversion import PRECISIONS
from edgedigits_exporters.web import WEB_ENGINES
from edgedigits_runtime.engines import ENGINE_OF_SUFFIX, ENGINES
from tests.conftest import REPOSITORY


def test_the_library() -> None:
    assert dir(edgedigits) == edgedigits.__all__ == [
        "EdgedigitsError", "Reader", "Reading", "errors", "export", "import_model", "load", "train", "verify",
    ]  # fmt: skip
    for name in edgedigits.__all__:
        assert getattr(edgedigits, name).__doc__
    reader = edgedigits.load("pico")
    assert isinstance(reader, edgedigits.Reader)
    assert isinstance(reader.read(np.zeros((28, 28), np.uint8)), edgedigits.Reading)


class AnyPathLike:
    """A path that is neither text nor a Path."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __fspath__(self) -> str:
        return str(self.path)


def test_any_path_like_object_is_a_path(tmp_path: Path) -> None:
    picture = AnyPathLike(REPOSITORY / "examples" / "3-blue-pen.jpg")
    model = AnyPathLike(SHIPPED / "pico.tflite")
    reader = edgedigits.load(model)
    (many,) = reader.read_many([picture])
    assert isinstance(many, edgedigits.Reading) and many.text == reader.read(picture).text == "3"
    assert many.source == str(picture.path)
    out = edgedigits.export(model, format="c-array", out=AnyPathLike(tmp_path / "c"), verify=False).path
    assert out == tmp_path / "c"
    nowhere = AnyPathLike(tmp_path / "nowhere")
    for use in (
        lambda: edgedigits.train(data=nowhere, out=nowhere),
        lambda: edgedigits.verify(model, against=model, data=nowhere, data_dir=nowhere),
        lambda: edgedigits.import_model(nowhere),
    ):
        with pytest.raises(edgedigits.EdgedigitsError, match="nowhere"):
            use()


@pytest.mark.parametrize(
    "use",
    [
        lambda: edgedigits.load(None),  # type: ignore[arg-type]
        lambda: edgedigits.load("pico", finder=5),  # type: ignore[arg-type]
        lambda: edgedigits.load("pico", min_confidence=5),
        lambda: edgedigits.load("pico", min_confidence=math.nan),
        lambda: edgedigits.load("pico", max_pixels=0),
        lambda: edgedigits.load("pico").classifier.predict([0.1, 0.2]),  # type: ignore[arg-type]
        lambda: edgedigits.load("pico").read_many("a.png"),
        lambda: edgedigits.export(5),  # type: ignore[arg-type]
        lambda: edgedigits.verify(None),  # type: ignore[arg-type]
        lambda: edgedigits.import_model(None),  # type: ignore[arg-type]
    ],
)
def test_an_argument_of_a_wrong_type_or_value_is_an_argument_error(use: Callable[[], Any]) -> None:
    with pytest.raises(edgedigits.errors.ArgumentError):
        if isinstance(made := use(), Iterator):
            list(made)


@pytest.mark.parametrize("picture", [None, [0.1, 0.2], 5])
def test_what_is_no_picture_is_a_picture_error(picture: Any) -> None:
    with pytest.raises(edgedigits.errors.PictureError):
        edgedigits.load("pico").read(picture)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("load", ["model", "engine", "device", "options", "min_confidence", "max_pixels", "expect",
                  "length", "finder"]),
        ("train", ["recipe", "data", "data_dir", "epochs", "batch_size", "seed", "augment", "teachers",
                   "mixed_precision", "parallel", "out", "device", "reader"]),
        ("export", ["model", "format", "precision", "out", "verify", "data", "data_dir", "expect_accuracy",
                    "kernels", "project", "engine", "npm_package", "finder", "beside", "force"]),
        ("verify", ["artifact", "against", "split", "data", "data_dir", "demands", "isolate"]),
    ],
)  # fmt: skip
def test_parameters_and_that_only_the_first_goes_by_position(name: str, parameters: list[str]) -> None:
    found = inspect.signature(getattr(edgedigits, name)).parameters
    assert list(found) == parameters
    assert [parameter.kind is inspect.Parameter.KEYWORD_ONLY for parameter in found.values()] == [
        False, *[True] * (len(parameters) - 1)
    ]  # fmt: skip


def test_registers() -> None:
    assert list(ENGINES) == ["litert", "onnxruntime", "c"]
    assert ENGINE_OF_SUFFIX == {".tflite": "litert", ".onnx": "onnxruntime"}
    assert list(FORMATS) == ["onnx", "tflite", "c", "c-array", "web"]
    assert list(WEB_ENGINES) == ["wasm", "onnxruntime-web"]
    assert list(SOURCE_KINDS) == ["files", "parquet", "tar"]
    assert COLUMNS == ("source", "text", "boxes", "confidence", "error", "model")
    assert PRECISIONS == ("float32", "float16", "int8", "dynamic")
    assert list(RECIPES) == [*["pico", "nano", "base", "max", "teacher"], *PUBLISHED]
    assert PUBLISHED == ("strided-3conv", "dropout-2conv", "plain-2conv", "plain-3conv", "plain-3conv-short")
    assert list(SECTIONS) == [
        "cold_start", "memory", "size", "stages", "throughput", "scenarios", "energy", "accuracy", "sustained",
    ]  # fmt: skip
    assert list(KINDS) == ["photo", "small"]
    assert list(DATASETS) == [
        "mnist", "fashion-mnist", "cifar10", "optdigits", "hands", "semeion", "optdigits-orig", "pendigits", "omniglot",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("module", "names"),
    [
        *((module, ["units", "pictures"]) for module in SOURCE_KINDS.values()),
        *((module, ["open_engine", "probe"]) for module in ENGINES.values()),
        *((module, ["SUFFIX", "OPTIONS", "export", "compare"]) for module in FORMATS.values()),
        *((module, ["SUFFIX", "require", "parts"]) for module in WEB_ENGINES.values()),
        *((module, ["RECIPE"]) for module in RECIPES.values()),
        *((module, ["DESCRIPTION", "load"]) for module in DATASETS.values()),
    ],
)
def test_every_registered_module_offers_what_its_register_promises(module: str, names: list[str]) -> None:
    imported = importlib.import_module(module)
    assert [name for name in names if not hasattr(imported, name)] == []
