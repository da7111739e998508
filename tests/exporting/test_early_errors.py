"""Errors that need no TensorFlow come before its import, which takes seconds."""

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgedigits.model_files import SHIPPED
from tests.support.new_interpreter import in_new_interpreter


def keras(folder: Path) -> str:
    return str(shutil.copy(SHIPPED / "pico.keras", folder / "good.keras"))


def with_lambda(folder: Path) -> str:
    with zipfile.ZipFile(SHIPPED / "pico.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    config["config"]["layers"][1].update(class_name="Lambda", config={"name": "my_lambda"})
    with zipfile.ZipFile(folder / "lambda.keras", "w") as archive:
        for name, content in {**members, "config.json": json.dumps(config).encode()}.items():
            archive.writestr(name, content)
    return str(folder / "lambda.keras")


def hdf5(folder: Path) -> str:
    (folder / "old.h5").touch()
    return str(folder / "old.h5")


def saved_model(folder: Path) -> str:
    (folder / "saved").mkdir()
    (folder / "saved" / "saved_model.pb").touch()
    return str(folder / "saved")


def other_classes(folder: Path) -> None:
    for label in "ab":
        (folder / "pictures" / label).mkdir(parents=True)
        for number in range(10):
            picture = np.full((28, 28), 10 * number, np.uint8)
            Image.fromarray(picture).save(folder / "pictures" / label / f"{number}.png")


def tflite(folder: Path) -> str:
    return str(shutil.copy(SHIPPED / "pico.tflite", folder / "finished.tflite"))


EXPORTS: dict[str, tuple[Callable[[Path], str], str, str]] = {
    "no file": (lambda folder: str(folder / "gone.keras"), "", "gone.keras"),
    "code": (with_lambda, "", "'my_lambda'"),
    "HDF5": (hdf5, "", "edgedigits import"),
    "SavedModel": (saved_model, "", "edgedigits import"),
    "finished": (tflite, "", "--format c"),
    "no data": (keras, "data='nowhere'", "nowhere"),
    "accuracy without a comparison": (keras, "verify=False, expect_accuracy=0.9", "--no-verify"),
    "data of other classes": (keras, "data='pictures'", "a, b"),
    "another suffix": (keras, "out=pathlib.Path('a.txt')", "a.txt"),
}


def raises(call: str, fact: str, folder: Path) -> None:
    in_new_interpreter(f"""
import os, pathlib, sys
os.chdir({str(folder)!r})
import edgedigits
try:
    edgedigits.{call}
except edgedigits.EdgedigitsError as error:
    assert {fact!r} in str(error), error
else:
    raise AssertionError("no error")
assert not {{"tensorflow", "keras"}} & set(sys.modules)
""")


@pytest.mark.parametrize(("case", "format"), [*((case, "onnx") for case in EXPORTS), ("code", "c"), ("no data", "c")])
def test_an_export_is_refused_before_tensorflow_is_imported(case: str, format: str, tmp_path: Path) -> None:
    other_classes(tmp_path)
    model, arguments, fact = EXPORTS[case]
    raises(f"export({model(tmp_path)!r}, format={format!r}, {arguments})", fact, tmp_path)


@pytest.mark.parametrize(
    ("against", "data", "fact"),
    [("gone.keras", "mnist", "gone.keras"), ("old.h5", "mnist", "edgedigits import"), (None, "mnist", "--against"),
     ("good.keras", "nowhere", "nowhere"), ("good.keras", "pictures", "a, b")],
)  # fmt: skip
def test_a_verification_is_refused_before_tensorflow_is_imported(
    against: str | None, data: str, fact: str, tmp_path: Path
) -> None:
    other_classes(tmp_path)
    hdf5(tmp_path)
    keras(tmp_path)
    shutil.copy(SHIPPED / "nano.tflite", tmp_path / "mine.tflite")
    raises(f"verify(pathlib.Path('mine.tflite'), against={against!r}, data={data!r})", fact, tmp_path)
