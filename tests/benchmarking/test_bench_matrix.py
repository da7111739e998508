"""The rows of a matrix and their names."""

import shutil
from pathlib import Path

import pytest

from edgedigits.benchmarking.side_by_side.matrix import MatrixRequest, cells
from edgedigits.model_files import SHIPPED
from tests.support.tiny_models import write_tflite


def no_export(model: str, precision: str, engine: str) -> Path:
    raise AssertionError(f"{model} is at hand")


def named(models: tuple[str, ...]) -> dict[str, Path | None]:
    """Return the file of each row by its model; all row names must differ."""
    rows = list(cells(MatrixRequest(models, threads=(1,)), no_export))
    assert len({row.name for row in rows}) == len(rows)
    return {row.model: row.path for row in rows}


@pytest.fixture
def digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two files of one name and one of another, beneath the folder that the process is in."""
    monkeypatch.chdir(tmp_path)
    made = write_tflite(tmp_path, "int8")
    for name in ("a/digits.tflite", "b/digits.tflite", "b/other.tflite"):
        Path(name).parent.mkdir(exist_ok=True)
        shutil.copy(made, name)


@pytest.mark.usefixtures("digits")
def test_equal_file_names_in_two_folders_are_two_rows() -> None:
    found = named(("a/digits.tflite", "b/digits.tflite", "b/other.tflite"))
    assert found == {
        "a/digits.tflite": Path("a/digits.tflite"),
        "b/digits.tflite": Path("b/digits.tflite"),
        "other.tflite": Path("b/other.tflite"),
    }


@pytest.mark.usefixtures("digits")
def test_a_repeated_model_is_one_row() -> None:
    assert named(("a/digits.tflite", "./a/digits.tflite")) == {"digits.tflite": Path("a/digits.tflite")}


def test_a_shipped_name_and_a_run_of_that_name_are_two_rows(tmp_path: Path) -> None:
    run = tmp_path / "pico"
    run.mkdir()
    shutil.copy(SHIPPED / "pico.keras", run / "model.keras")
    rows = list(cells(MatrixRequest(("pico", str(run)), engines=("keras",), threads=(1,)), no_export))
    assert [row.model for row in rows] == ["pico", str(run)]
