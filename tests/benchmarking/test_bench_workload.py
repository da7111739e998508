"""The benchmark's pictures are fixed and are read correctly."""

import re
from pathlib import Path

import numpy as np
import pytest

from edgedigits.benchmarking.measuring.workload import (
    KINDS,
    PICTURES,
    framed_images,
    invoke_call,
    load_workload,
    read_call,
)
from edgedigits_runtime.errors import MeasurementError, PictureNotFound
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.timing import STAGES
from tests.conftest import REPOSITORY


@pytest.mark.parametrize(
    ("kind", "sha256"),
    [
        ("photo", "e497082a630d9026ebf02c8eae77ee78aa516a8a51515e9a0d4ed442fecbfe50"),
        ("small", "f6a50fb8f3e4a0d4d4e5cb73bfa178bc3ce68d6e7b185e2db7db27e9f870f457"),
    ],
)
def test_the_pictures_have_not_changed(kind: str, sha256: str) -> None:
    """Results of other pictures could not be compared."""
    workload = load_workload("read", kind)
    assert workload.to_dict() == {"count": 10, "kind": KINDS[kind], "sha256": sha256}


@pytest.mark.parametrize("kind", KINDS)
def test_each_picture_reads_as_its_digit(kind: str, reader: Reader) -> None:
    workload = load_workload("read", kind)
    assert [path.stem for path in workload.files] == list("0123456789")
    assert [reader.read(encoded).text for encoded in workload.encoded] == list("0123456789")
    assert framed_images(workload, reader).shape == (10, 28, 28, 1)


def test_every_kind_is_in_the_package() -> None:
    assert {folder.name for folder in PICTURES.iterdir()} == set(KINDS)


def test_own_pictures() -> None:
    found = load_workload("read", str(REPOSITORY / "examples" / "3-blue-pen.jpg"))
    assert (found.kind, len(found.encoded)) == ("own pictures", 1)
    assert found.sha256 != load_workload("read").sha256


def test_unusable_pictures_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: Reader) -> None:
    with pytest.raises(PictureNotFound, match="no-such-folder"):
        load_workload("read", "no-such-folder")
    with pytest.raises(PictureNotFound, match=re.escape(str(tmp_path))):
        load_workload("read", str(tmp_path))
    blank = tmp_path / "blank.png"
    from PIL import Image

    Image.new("L", (60, 60), 255).save(blank)
    with pytest.raises(MeasurementError):
        framed_images(load_workload("invoke", str(blank)), reader)


def test_calls_cycle_through_the_pictures(reader: Reader) -> None:
    call = read_call(load_workload("read", "small"), reader)
    assert set(call(0)) == {*STAGES, "total"} == set(call(23))
    images = framed_images(load_workload("invoke", "small"), reader)
    invoke = invoke_call(images, reader.classifier.engine)
    whole = reader.classifier.predict(images).argmax(axis=1)
    assert [int(np.argmax(invoke(number))) for number in range(10, 20)] == whole.tolist()
