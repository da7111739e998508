"""The pictures and the table of docs/reading.md match what the reader reads."""

import re
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.publishing import read_section
from benchmarks.reading_pictures.__main__ import main
from benchmarks.reading_pictures.causes import CAUSES, SIZE, UNREAD, Cause
from benchmarks.reading_pictures.sheets import FOLDER, PAGE, SECTION, WIDTH, draw_sheet, read_cause, table
from tests.conftest import REPOSITORY

DOCS = REPOSITORY / "docs"
EVERY = (*CAUSES, *UNREAD)
REDRAW = "make reading-pictures"


@pytest.mark.parametrize("cause", EVERY, ids=lambda cause: cause.name)
def test_picture_description_matches_reading(cause: Cause) -> None:
    with Image.open(DOCS / FOLDER / f"{cause.name}.png") as sheet:
        assert sheet.width == WIDTH
        assert sheet.info["Description"] == read_cause(cause, 1).claim, REDRAW


def test_page_contains_every_picture_once_and_the_command() -> None:
    page = (DOCS / PAGE).read_text()
    included = re.findall(r"!\[[^\]]+\]\(pictures/reading/([\w-]+)\.png\)", page)
    assert included == [cause.name for cause in EVERY]
    assert sorted(included) == sorted(path.stem for path in (DOCS / FOLDER).iterdir())
    assert page.count(REDRAW) >= 2


def test_pictures_are_small() -> None:
    assert sum(path.stat().st_size for path in (DOCS / FOLDER).iterdir()) < 400_000


@pytest.mark.slow
def test_table_matches_readings() -> None:
    assert read_section(DOCS / PAGE, SECTION) == table([read_cause(cause) for cause in EVERY]), REDRAW


@pytest.mark.parametrize("cause", EVERY, ids=lambda cause: cause.name)
def test_seed_determines_picture(cause: Cause) -> None:
    first, again, other = (cause.draw(seed) for seed in (3, 3, 4))
    assert first.picture.shape == (SIZE[1], SIZE[0], 3)
    assert (first.picture == again.picture).all()
    assert (first.picture != other.picture).any()
    assert first.text == other.text


def test_sheet_is_reproducible() -> None:
    assert draw_sheet(CAUSES[5]) == draw_sheet(CAUSES[5])


def test_page_without_markers_fails_before_drawing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / PAGE).write_text("# no table\n")
    monkeypatch.setattr("sys.argv", ["reading_pictures", str(tmp_path)])
    with pytest.raises(SystemExit, match=SECTION):
        main()
    assert [path.name for path in tmp_path.iterdir()] == [PAGE]
