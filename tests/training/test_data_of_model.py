"""The data of a model: found again from its contract, matched by name, framed for it."""

import dataclasses
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgedigits.data import load_dataset
from edgedigits.data.framing import Target
from edgedigits.training.data_of_model import DataOptions, moved, remembered, splits_of_model
from edgedigits_runtime.contract import Contract, DataUsed
from edgedigits_runtime.errors import DataNotFound, DatasetInvalid
from tests.support.tiny_models import contract

LABELS = ("0", "1", "10", "2")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder `models`, and beside it a folder `pictures` of four classes of twelve; a pixel's value is the class."""
    (tmp_path / "models").mkdir()
    for label in LABELS:
        for number in range(12):
            path = tmp_path / "pictures" / label / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((8 + number, 9), int(label), np.uint8)).save(path)
    return tmp_path


def foreign(labels: tuple[str, ...] = LABELS, **fields: object) -> Contract:
    return contract(labels=labels, reader="plain", **fields)


def imported(place: Path, data: str) -> tuple[Contract, Path]:
    """A contract as an import stores it, and the file that has it."""
    file, options = place / "models" / "mine.keras", DataOptions(data)
    dataset = load_dataset(data, target=Target.of(foreign()))
    return foreign(data=remembered(options, dataset, file)), file


def test_classes_get_the_numbers_of_the_models_labels(place: Path) -> None:
    splits = splits_of_model(foreign(), place / "mine.onnx", DataOptions(str(place / "pictures")))
    for name, count in (("train", 12), ("validation", 12), ("test", 24)):
        part = splits.named(name)
        assert part.images.shape == (count, 28, 28, 1)
        assert part.images[:, 0, 0, 0].tolist() == [int(LABELS[label]) for label in part.labels]


def test_a_model_may_have_more_labels_than_the_data(place: Path) -> None:
    shutil.rmtree(place / "pictures" / "10")
    splits = splits_of_model(foreign(), place / "mine.onnx", DataOptions(str(place / "pictures")))
    assert set(splits.test.labels.tolist()) == {0, 1, 3}
    with pytest.raises(DatasetInvalid, match="2, which"):
        splits_of_model(foreign(("0", "1", "10", "3")), place / "mine.onnx", DataOptions(str(place / "pictures")))


def test_a_folder_is_found_from_the_file(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    carried, file = imported(place, "pictures")
    assert carried.data is not None
    assert (carried.data.name, carried.data.count, carried.dataset) == ("../pictures", 48, "pictures")
    assert DataOptions(".").dataset == place.name
    expected = splits_of_model(foreign(), file, DataOptions("pictures")).test.digest()
    # Both are moved together, and the command is given elsewhere.
    shutil.copytree(place, place / "copy" / "deep")
    monkeypatch.chdir(place / "models")
    assert (
        splits_of_model(carried, place / "copy" / "deep" / "models" / file.name, DataOptions()).test.digest()
        == expected
    )
    assert splits_of_model(carried, Path(file.name), DataOptions()).test.digest() == expected
    exported = moved(carried, Path(file.name), place / "copy" / "mine.tflite")
    assert exported.data is not None and exported.data.name == "../pictures"
    assert splits_of_model(exported, place / "copy" / "mine.tflite", DataOptions()).test.digest() == expected


def test_a_folder_called_as_a_dataset_is_a_folder(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "pictures").rename(place / "models" / "mnist")
    monkeypatch.chdir(place / "models")
    carried, file = imported(place, "./mnist")
    assert carried.data is not None and carried.data.name == "./mnist"
    assert len(splits_of_model(carried, Path(file.name), DataOptions()).test) == 24


def test_a_dataset_is_stored_by_its_name(place: Path) -> None:
    dataset = load_dataset("optdigits")
    used = remembered(DataOptions("optdigits"), dataset, place / "mine.onnx")
    assert used == DataUsed("optdigits", 1797, dataset.digest())
    assert remembered(DataOptions(), dataset, place / "mine.onnx") is None
    carried = contract(data=used)
    assert moved(carried, place / "mine.onnx", Path("other.tflite")) == carried
    assert len(splits_of_model(carried, place / "mine.onnx", DataOptions()).test) == 898


def test_a_changed_folder_is_refused_with_the_way_on(place: Path) -> None:
    carried, file = imported(place, str(place / "pictures"))
    (place / "pictures" / "2" / "3.png").unlink()
    with pytest.raises(DatasetInvalid, match=r"47 pictures, then 48.*--data"):
        splits_of_model(carried, file, DataOptions())
    assert len(splits_of_model(carried, file, DataOptions(str(place / "pictures"))).test) == 24


def test_a_missing_folder_is_named(place: Path) -> None:
    carried, file = imported(place, str(place / "pictures"))
    (place / "pictures").rename(place / "elsewhere")
    with pytest.raises(DataNotFound, match=r"pictures'.*--data"):
        splits_of_model(carried, file, DataOptions())


def test_the_data_of_the_training_come_first(place: Path) -> None:
    carried, file = imported(place, str(place / "pictures"))
    trained = dataclasses.replace(carried, training=DataUsed("gone", 1, "sha256:0"))
    with pytest.raises(DataNotFound, match="gone"):
        splits_of_model(trained, file, DataOptions())
    assert trained.dataset == "gone" and contract().dataset == "unknown"


def test_few_pictures_are_all_used_and_noted(place: Path) -> None:
    for path in (place / "pictures").glob("*/*.png"):
        if int(path.stem) > 2:
            path.unlink()
    splits = splits_of_model(foreign(), place / "mine.onnx", DataOptions(str(place / "pictures")))
    assert len(splits.test) == 12 and len(splits.notes) == 1
    assert splits.test.digest() == splits.validation.digest()


def test_a_path_on_another_drive_stays_absolute(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def on_another_drive(*_: object) -> str:
        raise ValueError

    monkeypatch.setattr(os.path, "relpath", on_another_drive)
    carried, file = imported(place, str(place / "pictures"))
    assert carried.data is not None and carried.data.name == (place / "pictures").resolve().as_posix()
    assert len(splits_of_model(carried, file, DataOptions()).test) == 24
