"""The pictures of docs/reading.md: what the page and its pictures say was read is what the reader reads."""

import re
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.reading_pictures.causes import CAUSES, SIZE, UNREAD, Cause
from benchmarks.reading_pictures.sheets import FOLDER, PAGE, WIDTH, draw_sheet, main, read_cause, render, section_of
from edgedigits_runtime.errors import ArtifactNotFound
from tests.conftest import REPOSITORY

DOCS = REPOSITORY / "docs"
EVERY = (*CAUSES, *UNREAD)
REDRAW = "make reading-pictures"


@pytest.mark.parametrize("cause", EVERY, ids=lambda cause: cause.name)
def test_a_picture_says_what_is_read_in_it_now(cause: Cause) -> None:
    with Image.open(DOCS / FOLDER / f"{cause.name}.png") as sheet:
        assert sheet.width == WIDTH
        assert sheet.info["Description"] == read_cause(cause, 1).claim, REDRAW


def test_the_page_shows_every_picture_once_and_names_the_command() -> None:
    page = (DOCS / PAGE).read_text()
    shown = re.findall(r"!\[[^\]]+\]\(pictures/reading/([\w-]+)\.png\)", page)
    assert shown == [cause.name for cause in EVERY]
    assert sorted(shown) == sorted(path.stem for path in (DOCS / FOLDER).iterdir())
    assert page.count(REDRAW) >= 2


def test_the_pictures_take_little_space() -> None:
    assert sum(path.stat().st_size for path in (DOCS / FOLDER).iterdir()) < 400_000


@pytest.mark.slow
def test_the_table_of_the_page_is_what_the_reader_gives() -> None:
    _, table, _ = section_of((DOCS / PAGE).read_text())
    assert table == render([read_cause(cause) for cause in EVERY]), REDRAW


@pytest.mark.parametrize("cause", EVERY, ids=lambda cause: cause.name)
def test_a_seed_draws_one_picture_and_another_seed_another(cause: Cause) -> None:
    first, again, other = (cause.draw(seed) for seed in (3, 3, 4))
    assert first.picture.shape == (SIZE[1], SIZE[0], 3)
    assert (first.picture == again.picture).all()
    assert (first.picture != other.picture).any()
    assert first.text == other.text


def test_a_sheet_is_drawn_alike_each_time() -> None:
    assert draw_sheet(CAUSES[5]) == draw_sheet(CAUSES[5])


def test_a_page_without_the_tables_markers_is_refused_before_anything_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / PAGE).write_text("# no table\n")
    monkeypatch.setattr("sys.argv", ["cause_sheets", str(tmp_path)])
    with pytest.raises(ArtifactNotFound, match="no section between"):
        main()
    assert [path.name for path in tmp_path.iterdir()] == [PAGE]
