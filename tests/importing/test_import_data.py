"""A foreign model is imported with a person's own pictures, and verified with them again."""

import shutil
import sys
from pathlib import Path

import pytest
from PIL import Image

from edgedigits.importing.import_model import import_model
from edgedigits.model_files import SHIPPED
from edgedigits.training.data_of_model import DataOptions, splits_of_model
from edgedigits_runtime.embedded_contract import read_contract, strip_zip
from edgedigits_runtime.errors import DatasetInvalid, ModelInaccurate
from edgedigits_runtime.synthetic.samples import mnist_like


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The shipped nano without its contract, and beside it 300 drawn digits in sheets of several sizes."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mine.tflite").write_bytes(strip_zip((SHIPPED / "nano.tflite").read_bytes()))
    digits, labels = mnist_like(300, seed=8)
    for number, (digit, label) in enumerate(zip(digits, labels, strict=True)):
        side = 28 + 7 * (number % 5)
        path = tmp_path / "pictures" / str(label) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(255 - digit).resize((side, side)).save(path)
    return tmp_path


def test_pictures_of_any_size_judge_an_import_and_are_found_again(place: Path) -> None:
    made = import_model(place / "models" / "mine.tflite", data=str(place / "pictures"))
    assert made.contract.labels == tuple("0123456789")
    assert made.accuracy is not None and made.accuracy.value > 0.9
    assert made.contract.data is not None
    assert (made.contract.data.name, made.contract.data.count) == ("../pictures", 300)
    moved = Path(shutil.copytree(place, place / "moved"), "models", made.path.name)
    assert len(splits_of_model(read_contract(moved), moved, DataOptions()).test) in range(145, 156)


@pytest.mark.parametrize("labels", ["0123456789", "1234567890"])
def test_a_light_install_is_enough(place: Path, labels: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("scipy", "scipy.optimize", "sklearn", "onnx", "keras", "tensorflow", "matplotlib"):
        monkeypatch.setitem(sys.modules, package, None)
    source, data = place / "models" / "mine.tflite", str(place / "pictures")
    if labels == "0123456789":
        assert import_model(source, labels=labels, data=data).accuracy is not None
    else:
        stated = place / "stated.json"
        stated.write_text('{"normalisation": "unit", "polarity": "bright-on-dark"}')
        with pytest.raises(ModelInaccurate, match="labels in the order 0, 1, 2"):
            import_model(source, labels=labels, data=data, contract=stated)


def test_a_folder_of_part_of_the_classes_is_matched_by_name(place: Path) -> None:
    for label in "05":
        shutil.rmtree(place / "pictures" / label)
    mine = place / "models" / "mine.tflite"
    made = import_model(mine, labels="0123456789", data=str(place / "pictures"))
    assert made.accuracy is not None and made.accuracy.value > 0.9
    (place / "pictures" / "1").rename(place / "pictures" / "one")
    with pytest.raises(DatasetInvalid, match="one"):
        import_model(mine, labels="0123456789", data=str(place / "pictures"), force=True)
