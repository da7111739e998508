"""Files that broke something once, found by tests/torture/pictures.py, are refused or read."""

from pathlib import Path

import pytest

from edgedigits import load
from edgedigits_runtime.errors import PictureError
from edgedigits_runtime.reading.reader import Reader
from tests.conftest import REPOSITORY

KEPT = sorted((REPOSITORY / "tests" / "broken" / "pictures").glob("*.bin"))


@pytest.fixture(scope="module")
def reader() -> Reader:
    return load("pico")


def test_marks_clear_of_the_edge_are_kept() -> None:
    assert KEPT


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_files_that_broke_something_once_are_refused_or_read(reader: Reader, path: Path) -> None:
    for source in (path, path.read_bytes()):
        try:
            assert reader.read(source).model == "pico"
        except PictureError as error:
            assert "\n" not in str(error)
